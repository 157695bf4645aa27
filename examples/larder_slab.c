/* SPDX-License-Identifier: Apache-2.0 */
/* larder_slab FILE DATASET: only rank 0 opens the HDF5 file; every rank reads its own rows of the
 * dataset as double, whatever type the file has, and the sum over all ranks is printed. */
#include <larder/hdf5.h>
#include <larder/larder.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Read rows [first, first + rows) and add them up. */
static int sum_rows (larder_h5_dataset *dataset, int rank, int size, double *sum, larder_error *err)
{
    hsize_t dims[H5S_MAX_RANK], start[H5S_MAX_RANK] = {0}, count[H5S_MAX_RANK], elements = 1;
    hid_t space = H5Scopy (larder_h5_dataset_space (dataset));
    int rc = LARDER_OK, n = H5Sget_simple_extent_dims (space, dims, NULL);
    for (int i = 0; i < n; ++i)
        count[i] = dims[i];
    if (n > 0) {
        start[0] = dims[0] * (hsize_t)rank / (hsize_t)size;
        count[0] = dims[0] * (hsize_t)(rank + 1) / (hsize_t)size - start[0];
        H5Sselect_hyperslab (space, H5S_SELECT_SET, start, NULL, count, NULL);
    }
    for (int i = 0; i < n; ++i)
        elements *= count[i];
    double *values = malloc ((size_t)(elements ? elements : 1) * sizeof *values);
    hid_t memory = H5Screate_simple (1, &elements, NULL);
    if (elements && (n > 0 || rank == 0))
        rc = larder_h5_dataset_read (dataset, H5T_NATIVE_DOUBLE, memory, space, values, err);
    for (hsize_t i = 0; rc == LARDER_OK && i < elements && (n > 0 || rank == 0); ++i)
        *sum += values[i];
    H5Sclose (memory);
    H5Sclose (space);
    free (values);
    return rc;
}

int main (int argc, char **argv)
{
    int rank, size, rc;
    double mine = 0, all = 0;
    larder *session = NULL;
    larder_h5_dataset *dataset = NULL;
    larder_object object;
    larder_ref ref = {{0}};
    larder_error err = {0}, why = {0};

    MPI_Init (&argc, &argv);
    MPI_Comm_rank (MPI_COMM_WORLD, &rank);
    MPI_Comm_size (MPI_COMM_WORLD, &size);
    const int help = argc == 2 && strcmp (argv[1], "--help") == 0;
    if (help || argc != 3) {
        if (rank == 0)
            fprintf (help ? stdout : stderr, "use: %s FILE DATASET\n", argv[0]);
        return MPI_Finalize () != MPI_SUCCESS ? 1 : help ? 0 : 2;
    }
    rc = larder_open (MPI_COMM_WORLD, NULL, MPI_INFO_NULL, &session, &err);
    if (rc == LARDER_OK) {
        if (rank == 0)
            rc = larder_h5_dataset_object (argv[1], argv[2], 1 << 20, &object, &err);
        if (rc == LARDER_OK && rank == 0 &&
            (rc = larder_offer (session, &object, LARDER_EVERY_RANK, &ref, &err)) != LARDER_OK)
            object.ops->release (object.self);
        rc = larder_agree (session, rc, &err, &why); /* all know whether there is an object */
        MPI_Bcast (&ref, sizeof ref, MPI_BYTE, 0, MPI_COMM_WORLD);
        if (rc == LARDER_OK)
            rc = larder_h5_dataset_open (session, &ref, &dataset, &why);
        if (rc == LARDER_OK)
            rc = sum_rows (dataset, rank, size, &mine, &why);
        larder_h5_dataset_close (&dataset);
        err = why;
        rc = larder_agree (session, rc, &err, &why);
    }
    MPI_Reduce (&mine, &all, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
    if (rank == 0 && rc == LARDER_OK)
        printf ("%s %s: sum %.10g, read by %d ranks, opened by one\n", argv[1], argv[2], all, size);
    else if (rank == 0)
        fprintf (stderr, "larder_slab: %s\n", why.text[0] ? why.text : err.text);
    larder_close (&session, NULL);
    return MPI_Finalize () != MPI_SUCCESS || rc != LARDER_OK;
}
