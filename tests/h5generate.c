/* SPDX-License-Identifier: Apache-2.0 */
/* h5generate FILE MIB [CHUNK_KIB]: an HDF5 file with one dataset /data of MIB MiB, contiguous; or,
 * with CHUNK_KIB, in chunks of that size, shuffled and compressed.  The same arguments give the same
 * values, which compress to about a third, and no two chunks are alike. */
#include <errno.h>
#include <hdf5.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* One row is 4 KiB. */
#define ROW_VALUES   1024u
#define ROWS_PER_MIB 256u

struct plan {
    const char *path;
    hsize_t rows;
    hsize_t slab; /* rows written at once: a chunk, or 1 MiB */
    int chunked;
};

static int number (const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
    char *end = NULL;
    errno = 0;
    unsigned long long n = strtoull (text, &end, 10);
    if (errno || end == text || *end || n < least || n > most)
        return -1;
    *value = n;
    return 0;
}

static void fill (uint32_t *values, hsize_t first_row, hsize_t rows)
{
    uint64_t at = first_row * ROW_VALUES;
    for (uint64_t i = 0; i < rows * ROW_VALUES; ++i, ++at) {
        uint64_t noise = (at + 1) * UINT64_C (0x9e3779b97f4a7c15);
        noise = (noise ^ (noise >> 31)) * UINT64_C (0xbf58476d1ce4e5b9);
        values[i] = (uint32_t)(at >> 6) + (uint32_t)(noise >> 52);
    }
}

static int write_rows (const struct plan *plan, hid_t data, hid_t space, uint32_t *values)
{
    for (hsize_t row = 0; row < plan->rows; row += plan->slab) {
        hsize_t rows = plan->rows - row < plan->slab ? plan->rows - row : plan->slab;
        hsize_t start[2] = {row, 0}, count[2] = {rows, ROW_VALUES};
        fill (values, row, rows);
        hid_t memory = H5Screate_simple (2, count, NULL);
        int bad = memory < 0 ||
                  H5Sselect_hyperslab (space, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ||
                  H5Dwrite (data, H5T_NATIVE_UINT32, memory, space, H5P_DEFAULT, values) < 0;
        if (memory >= 0 && H5Sclose (memory) < 0)
            bad = 1;
        if (bad)
            return -1;
    }
    return 0;
}

static hid_t properties (const struct plan *plan)
{
    hsize_t chunk[2] = {plan->slab, ROW_VALUES};
    hid_t list = H5Pcreate (H5P_DATASET_CREATE);
    if (list < 0 || !plan->chunked)
        return list;
    if (H5Pset_chunk (list, 2, chunk) < 0 || H5Pset_shuffle (list) < 0 ||
        H5Pset_deflate (list, 1) < 0) {
        (void)H5Pclose (list);
        return -1;
    }
    return list;
}

/* HDF5 says itself, on stderr, what fails; what stays open then ends with the process. */
static int generate (const struct plan *plan)
{
    hsize_t dims[2] = {plan->rows, ROW_VALUES};
    uint32_t *values = malloc (plan->slab * ROW_VALUES * sizeof *values);
    hid_t file = H5Fcreate (plan->path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t list = properties (plan);
    hid_t space = H5Screate_simple (2, dims, NULL);
    hid_t data = -1;
    int bad = !values || file < 0 || list < 0 || space < 0;
    if (!bad) {
        data = H5Dcreate2 (file, "/data", H5T_STD_U32LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
        bad = data < 0 || write_rows (plan, data, space, values) != 0 || H5Dclose (data) < 0 ||
              H5Sclose (space) < 0 || H5Pclose (list) < 0 || H5Fclose (file) < 0;
    }
    free (values);
    return bad;
}

int main (int argc, char **argv)
{
    uint64_t mib = 0, kib = 0;
    if ((argc != 3 && argc != 4) || number (argv[2], 1, UINT64_C (1) << 20, &mib) != 0 ||
        (argc == 4 && (number (argv[3], 4, 1u << 20, &kib) != 0 || kib % 4))) {
        (void)fprintf (stderr, "usage: h5generate FILE MIB [CHUNK_KIB, a multiple of 4]\n");
        return 2;
    }
    struct plan plan = {.path = argv[1],
                        .rows = mib * ROWS_PER_MIB,
                        .slab = kib ? kib / 4 : ROWS_PER_MIB,
                        .chunked = argc == 4};
    if (plan.slab > plan.rows)
        plan.slab = plan.rows;
    if (generate (&plan) != 0) {
        (void)fprintf (stderr, "h5generate: %s was not written\n", plan.path);
        return 1;
    }
    return 0;
}
