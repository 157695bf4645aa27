/* SPDX-License-Identifier: Apache-2.0 */
/* Run over hosts whose MPI is told not to use the one component that can make a window there:
 * larder_open must return the same code on all ranks and name the variable to export.  A control opens a session
 * on each host alone, where shared memory is enough. */
#include "larder_mpitest.h"

static void test_no_window (void)
{
    larder *s = NULL;
    larder_error err = {0};
    CU_ASSERT_EQUAL (larder_open (MPI_COMM_WORLD, NULL, MPI_INFO_NULL, &s, &err), LARDER_ENOWINDOW);
    CU_ASSERT_PTR_NULL (s);
    CU_ASSERT_EQUAL (err.code, LARDER_ENOWINDOW);
    CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "OMPI_MCA_osc=sm,pt2pt"));
    CU_ASSERT_PTR_NULL (strchr (err.text, '\n'));
}

static void test_one_node (void)
{
    larder *s = NULL;
    larder_error err = {0};
    MPI_Comm node;
    MPI_Comm_split_type (MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
    MPITEST_OK (larder_open (node, NULL, MPI_INFO_NULL, &s, &err), err);
    MPITEST_OK (larder_close (&s, &err), err);
    MPI_Comm_free (&node);
}

int main (int argc, char **argv)
{
    static const struct larder_test tests[] = {
        {"no window over the hosts", test_no_window},
        {"each host alone", test_one_node},
        {NULL, NULL},
    };
    return mpitest_main (argc, argv, "nowindow", tests);
}
