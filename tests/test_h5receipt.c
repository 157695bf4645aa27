/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts of dataset objects: who cannot read what came is not booked as having it. */
#include "larder_mpitxn.h"
#include <larder/hdf5.h>

static int write_file (const char *path)
{
    static double values[64][8];
    hsize_t dims[2] = {64, 8};
    hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple (2, dims, NULL);
    hid_t set =
        H5Dcreate2 (file, "field", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    for (int i = 0; i < 64 * 8; ++i)
        values[i / 8][i % 8] = i;
    int rc = H5Dwrite (set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    rc |= H5Dclose (set);
    rc |= H5Sclose (space);
    return rc | H5Fclose (file);
}

/* The last rank asks for doubles as text, which HDF5 cannot give; the others for doubles. */
static void read_it (larder *s, const larder_ref *ref)
{
    static double values[64][8];
    larder_error err = {0};
    larder_h5_dataset *d = NULL;
    int last = mpitest_rank == mpitest_size - 1;
    MPITEST_OK (larder_h5_dataset_open (s, ref, &d, &err), err);
    int rc = larder_h5_dataset_read (d, last ? H5T_C_S1 : H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL,
                                     values, &err);
    CU_ASSERT_EQUAL (rc, last ? LARDER_EHDF5 : LARDER_OK);
    if (!last)
        CU_ASSERT_EQUAL (values[63][7], 511);
    larder_h5_dataset_close (&d);
}

static void test_failed_read (void)
{
    static struct mpitxn t;
    const char *path = "larder-h5receipt.h5";
    larder_error err = {0};
    larder_object object;
    larder_ref ref;
    larder *s = mpiobject_open (NULL);
    t = (struct mpitxn){0};
    if (mpitest_rank == 0) {
        CU_ASSERT_EQUAL_FATAL (write_file (path), 0);
        larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
        mpitxn_begin (s, &t, &x);
        MPITEST_OK (larder_h5_dataset_object (path, "field", 4096, &object, &err), err);
        MPITEST_OK (larder_transaction_add (s, t.number, &object, &ref, &err), err);
        mpitxn_live (s, &t);
    }
    mpitxn_share (&ref, 1, 0);
    if (mpitest_rank)
        read_it (s, &ref);
    if (mpitest_rank == 0 && mpitest_size > 1) {
        larder_receipt *r = mpitxn_wait (s, &t);
        for (int i = 1; i < mpitest_size; ++i)
            mpitxn_check_line (
                r, 0, i, i + 1 < mpitest_size ? LARDER_RECEIVER_SUCCEEDED : LARDER_RECEIVER_FAILED,
                i + 1 < mpitest_size ? LARDER_OK : LARDER_EHDF5);
        larder_receipt_free (&r);
    }
    mpiobject_close (&s);
    if (mpitest_rank == 0)
        (void)remove (path);
}

int main (int argc, char **argv)
{
    static const struct larder_test tests[] = {
        {"a read that failed is not booked as success", test_failed_read},
        {NULL, NULL},
    };
    return mpitest_main (argc, argv, "h5receipt", tests);
}
