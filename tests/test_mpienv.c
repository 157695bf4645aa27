/* SPDX-License-Identifier: Apache-2.0 */
/* Which variables the command sets for MPI, and when. */
#include "larder_mpienv.h"
#include "larder_test.h"

static const struct larder_mpienv_facts debian = {
    .library = "Open MPI v4.1.4, package: Debian OpenMPI", .local_ranks = 2, .cores = 2};

static void test_osc (void)
{
    struct larder_mpienv_facts f = debian;
    CU_ASSERT_EQUAL (larder_mpienv_choose (&f).osc, 1);
    f.infiniband = 1;
    CU_ASSERT_EQUAL (larder_mpienv_choose (&f).osc, 0);
    f = debian;
    f.osc = "ucx";
    CU_ASSERT_EQUAL (larder_mpienv_choose (&f).osc, 0);
    f.osc = "";
    CU_ASSERT_EQUAL (larder_mpienv_choose (&f).osc, 0);
    f = debian;
    f.library = "Open MPI v5.0.3, package: x";
    CU_ASSERT_EQUAL (larder_mpienv_choose (&f).osc, 0);
    f.library = "MPICH Version: 4.0.2";
    CU_ASSERT_EQUAL (larder_mpienv_choose (&f).osc, 0);
}

static void test_yield (void)
{
    struct larder_mpienv_facts f = debian;
    CU_ASSERT_EQUAL (larder_mpienv_choose (&f).yield, 0);
    f.local_ranks = 3;
    CU_ASSERT_EQUAL (larder_mpienv_choose (&f).yield, 1);
    f.yield = "0";
    CU_ASSERT_EQUAL (larder_mpienv_choose (&f).yield, 0);
    f.yield = NULL;
    f.local_ranks = 0;
    CU_ASSERT_EQUAL (larder_mpienv_choose (&f).yield, 0);
    f.local_ranks = 9;
    f.library = "MPICH Version: 4.0.2";
    CU_ASSERT_EQUAL (larder_mpienv_choose (&f).yield, 0);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"OMPI_MCA_osc", test_osc}, {"OMPI_MCA_mpi_yield_when_idle", test_yield}, {NULL, NULL}};
    return larder_test_main ("larder_mpienv", tests);
}
