/* SPDX-License-Identifier: Apache-2.0 */
/* SRC is a dataset of an HDF5 file, read with H5Dread in its native type. */
#include "larder_bench_reader.h"
#include <larder/hdf5.h>
#include <stdio.h>
#include <string.h>

/* The innermost reason; but a filter that is missing says more than where it was looked for last. */
static herr_t keep_reason (unsigned n, const H5E_error2_t *entry, void *text)
{
    (void)n;
    if (entry->desc && !strstr (text, "required filter"))
        (void)snprintf (text, 128, "%s", entry->desc);
    return 0;
}

static int h5_error (const struct larder_bench_source *source, const char *call, larder_error *err)
{
    char text[128] = "unknown";
    (void)H5Ewalk2 (H5E_DEFAULT, H5E_WALK_DOWNWARD, keep_reason, text);
    return larder_error_set (err, LARDER_EHDF5, 0, "%s: %s: %s: %s", source->path, source->dataset,
                             call, text);
}

/* The type in memory: native and without gaps, whose bytes nobody writes.  HDF5 knows no native type of
 * times; then the file's. */
static hid_t memory_type (hid_t type)
{
    hid_t native = H5Tget_native_type (type, H5T_DIR_ASCEND);
    if (native < 0)
        native = H5Tcopy (type);
    if (native >= 0 && H5Tdetect_class (native, H5T_COMPOUND) > 0 && H5Tpack (native) < 0) {
        (void)H5Tclose (native);
        return -1;
    }
    return native;
}

static void dataset_close (struct larder_bench_source *source)
{
    if (source->type >= 0)
        (void)H5Tclose (source->type);
    if (source->space >= 0)
        (void)H5Sclose (source->space);
    if (source->set >= 0)
        (void)H5Dclose (source->set);
    if (source->file >= 0)
        (void)H5Fclose (source->file);
    source->type = source->space = source->set = source->file = -1;
}

/* About 4 MiB in whole rows, and where data is chunked in whole rows of chunks: nobody who cares for speed
 * would have chunks decoded twice. */
static int choose_step (struct larder_bench_source *source)
{
    hsize_t dims[H5S_MAX_RANK] = {0}, chunk[H5S_MAX_RANK] = {1};
    int rank = H5Sget_simple_extent_ndims (source->space);
    hid_t list = H5Dget_create_plist (source->set);
    int bad = rank < 0 || list < 0;
    if (!bad && rank > 0)
        bad = H5Sget_simple_extent_dims (source->space, dims, NULL) < 0;
    if (!bad && rank > 0 && H5Pget_layout (list) == H5D_CHUNKED)
        bad = H5Pget_chunk (list, rank, chunk) < 0;
    if (list >= 0)
        (void)H5Pclose (list);
    source->row = source->step = source->bytes;
    if (bad || rank == 0 || source->bytes == 0)
        return bad ? -1 : 0;
    source->row = source->bytes / dims[0];
    uint64_t rows = (LARDER_BENCH_STEP + source->row - 1) / source->row;
    rows = (rows + chunk[0] - 1) / chunk[0] * chunk[0];
    source->step = rows < dims[0] ? rows * source->row : source->bytes;
    return 0;
}

static int dataset_open (struct larder_bench_source *source, larder_error *err)
{
    const char *call = "H5Fopen";
    hssize_t points = -1;
    source->set = source->space = source->type = -1;
    source->file = H5Fopen (source->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (source->file >= 0) {
        call = "H5Dopen2";
        source->set = H5Dopen2 (source->file, source->dataset, H5P_DEFAULT);
    }
    if (source->set >= 0) {
        call = "H5Dget_space";
        source->space = H5Dget_space (source->set);
    }
    if (source->space >= 0) {
        call = "H5Dget_type";
        points = H5Sget_simple_extent_npoints (source->space);
        hid_t type = H5Dget_type (source->set);
        source->type = type >= 0 ? memory_type (type) : -1;
        if (type >= 0)
            (void)H5Tclose (type);
    }
    int rc = LARDER_OK;
    if (source->type < 0 || points < 0)
        rc = h5_error (source, call, err);
    else if (__builtin_mul_overflow ((uint64_t)points, H5Tget_size (source->type), &source->bytes))
        rc = larder_error_set (err, LARDER_ERANGE, 0, "%s: %s: is too large for any memory",
                               source->path, source->dataset);
    else if (choose_step (source) != 0)
        rc = h5_error (source, "H5Pget_chunk", err);
    if (rc != LARDER_OK)
        dataset_close (source);
    return rc;
}

static int dataset_read (struct larder_bench_source *source, uint64_t offset, uint64_t size,
                         void *buffer, larder_error *err)
{
    hid_t memory = H5S_ALL, space = H5S_ALL;
    int bad = 0;
    if (size < source->bytes) {
        hsize_t start[H5S_MAX_RANK] = {0}, count[H5S_MAX_RANK] = {0};
        int rank = H5Sget_simple_extent_dims (source->space, count, NULL);
        start[0] = offset / source->row;
        count[0] = size / source->row;
        space = source->space;
        /* Of the same shape: HDF5 goes element by element where shapes differ. */
        memory = rank > 0 ? H5Screate_simple (rank, count, NULL) : -1;
        bad =
            memory < 0 || H5Sselect_hyperslab (space, H5S_SELECT_SET, start, NULL, count, NULL) < 0;
    }
    bad = bad || H5Dread (source->set, source->type, memory, space, H5P_DEFAULT, buffer) < 0;
    int rc = bad ? h5_error (source, "H5Dread", err) : LARDER_OK;
    if (memory > 0)
        (void)H5Sclose (memory);
    return rc;
}

static int dataset_object (const struct larder_bench_source *source, larder_object *object,
                           larder_error *err)
{
    return larder_h5_dataset_object (source->path, source->dataset, 1 << 20, object, err);
}

/* Open the dataset that a ref names, and its type in memory. */
static int receive (const struct larder_bench_source *source, larder *session,
                    const larder_ref *ref, larder_h5_dataset **dataset, hid_t *type,
                    larder_error *err)
{
    int rc = larder_h5_dataset_open (session, ref, dataset, err);
    if (rc != LARDER_OK)
        return rc;
    *type = memory_type (larder_h5_dataset_type (*dataset));
    return *type < 0 ? h5_error (source, "H5Tcopy", err) : LARDER_OK;
}

static int dataset_download (const struct larder_bench_source *source, larder *session,
                             const larder_ref *ref, void *buffer, larder_error *err)
{
    larder_h5_dataset *dataset = NULL;
    larder_error why = {0};
    hid_t type = -1;
    int rc = receive (source, session, ref, &dataset, &type, &why);
    rc = larder_agree (session, rc, &why, err); /* who goes on needs all the others */
    if (rc == LARDER_OK)
        rc = larder_h5_dataset_read_all (dataset, type, buffer, err);
    if (type >= 0)
        (void)H5Tclose (type);
    larder_h5_dataset_close (&dataset);
    return rc;
}

static int dataset_download_node (const struct larder_bench_source *source, larder *session,
                                  const larder_ref *ref, larder_shared **shared, larder_error *err)
{
    larder_h5_dataset *dataset = NULL;
    larder_error why = {0};
    hid_t type = -1;
    int rc = receive (source, session, ref, &dataset, &type, &why);
    rc = larder_agree (session, rc, &why, err);
    if (rc == LARDER_OK)
        rc = larder_h5_dataset_node (dataset, type, shared, err);
    if (type >= 0)
        (void)H5Tclose (type);
    larder_h5_dataset_close (&dataset);
    return rc;
}

const struct larder_bench_kind larder_bench_kind_dataset = {.name = "dataset",
                                                            .open = dataset_open,
                                                            .read = dataset_read,
                                                            .close = dataset_close,
                                                            .object = dataset_object,
                                                            .download = dataset_download,
                                                            .download_node = dataset_download_node};
