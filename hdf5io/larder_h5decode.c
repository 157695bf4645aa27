/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_h5decode.h"

#include "larder_h5error.h"
#include "larder_h5filter.h"
#include "larder_h5unzip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* glibc keeps the place of no larger block. */
#define KEPT ((size_t)32 << 20)

int larder_h5decode_check (const struct larder_h5describe *d, larder_error *err)
{
    for (size_t i = 0; d->chunked && i < d->filters; ++i) {
        unsigned config = 0;
        const struct larder_h5describe_filter *f = &d->filter[i];
        if (larder_h5filter_real (f->id) && H5Zget_filter_info (f->id, &config) >= 0 &&
            (config & H5Z_FILTER_CONFIG_DECODE_ENABLED))
            continue;
        return larder_error_set (err, LARDER_ENOTSUP, 0,
                                 "filter %d \"%s\" is not here to decode the dataset with",
                                 (int)f->id, f->name);
    }
    return LARDER_OK;
}

void larder_h5decode_init (struct larder_h5decode *decode, const struct larder_h5describe *d)
{
    memset (decode, 0, sizeof *decode);
    decode->d = d;
    decode->file = decode->id = H5I_INVALID_HID;
}

void larder_h5decode_rest (struct larder_h5decode *decode)
{
    free (decode->elements);
    free (decode->scratch);
    decode->elements = decode->scratch = NULL;
    decode->filled = 0;
}

void larder_h5decode_end (struct larder_h5decode *decode)
{
    if (decode->id >= 0)
        (void)H5Dclose (decode->id); /* it is thrown away */
    if (decode->file >= 0)
        (void)H5Fclose (decode->file);
    larder_h5decode_rest (decode);
    larder_h5decode_init (decode, decode->d);
}

/* As the source's, so that filters which look at type and fill value find the same. */
static herr_t set_properties (const struct larder_h5describe *d, hid_t list)
{
    if (H5Pset_chunk (list, d->rank, d->shape) < 0)
        return -1;
    if (d->fill_defined == H5D_FILL_VALUE_UNDEFINED && H5Pset_fill_value (list, d->type, NULL) < 0)
        return -1;
    if (d->fill_defined == H5D_FILL_VALUE_USER_DEFINED &&
        H5Pset_fill_value (list, d->type, d->fill) < 0)
        return -1;
    /* The chunk is overwritten before anybody reads it. */
    if (H5Pset_fill_time (list, H5D_FILL_TIME_NEVER) < 0)
        return -1;
    for (size_t i = 0; i < d->filters; ++i) {
        const struct larder_h5describe_filter *f = &d->filter[i];
        if (H5Pset_filter (list, f->id, f->flags, f->count, f->values) < 0)
            return -1;
    }
    return 0;
}

static int fail (larder_error *err)
{
    return larder_h5error (err, LARDER_EHDF5, "cannot prepare to decode chunks");
}

static int make_file (struct larder_h5decode *x, larder_error *err)
{
    static unsigned long number; /* one thread calls HDF5; names must differ within the process */
    char name[64];
    size_t bytes = larder_h5describe_cell_bytes (x->d);
    (void)snprintf (name, sizeof name, "larder chunk %lu", number++);
    hid_t list = H5Pcreate (H5P_FILE_ACCESS);
    if (list < 0)
        return fail (err);
    int rc = H5Pset_fapl_core (list, bytes < 65536 ? 65536 : bytes, 0) < 0 ? fail (err) : LARDER_OK;
    if (!rc) {
        x->file = H5Fcreate (name, H5F_ACC_TRUNC, H5P_DEFAULT, list);
        if (x->file < 0)
            rc = fail (err);
    }
    if (H5Pclose (list) < 0 && !rc)
        rc = fail (err);
    return rc;
}

static int make_dataset (struct larder_h5decode *x, larder_error *err)
{
    int rc = LARDER_OK, bad = 0;
    hid_t access = H5I_INVALID_HID, space = H5I_INVALID_HID;
    hid_t list = H5Pcreate (H5P_DATASET_CREATE);
    if (list >= 0)
        access = H5Pcreate (H5P_DATASET_ACCESS);
    if (access >= 0)
        space = H5Screate_simple (x->d->rank, x->d->shape, NULL);
    /* No cache: a chunk is read once. */
    if (space >= 0 && set_properties (x->d, list) >= 0 &&
        H5Pset_chunk_cache (access, 1, 0, H5D_CHUNK_CACHE_W0_DEFAULT) >= 0)
        x->id = H5Dcreate2 (x->file, "chunk", x->d->type, space, H5P_DEFAULT, list, access);
    if (x->id < 0)
        rc = fail (err);
    bad |= space >= 0 && H5Sclose (space) < 0;
    bad |= access >= 0 && H5Pclose (access) < 0;
    bad |= list >= 0 && H5Pclose (list) < 0;
    return bad && !rc ? fail (err) : rc;
}

/* For every chunk HDF5 allocates some three times its size and frees it again.  glibc would give that back to the system
 * and take new pages each time, at more than the cost of decoding; it stops to after a larger block was freed. */
static void keep_freed_memory (size_t bytes)
{
    void *volatile block = bytes <= KEPT / 4 ? malloc (4 * bytes) : NULL;
    free (block);
}

static int prepare (struct larder_h5decode *x, larder_error *err)
{
    int rc = LARDER_OK;
    if (x->file < 0) {
        keep_freed_memory (larder_h5describe_cell_bytes (x->d));
        rc = make_file (x, err);
    }
    if (!rc && x->id < 0)
        rc = make_dataset (x, err);
    return rc;
}

static int need_elements (struct larder_h5decode *x, size_t bytes, larder_error *err)
{
    if (!x->elements)
        x->elements = malloc (bytes);
    if (!x->elements)
        return larder_error_set (err, LARDER_ENOMEM, 0, "no memory for a chunk of %zu bytes",
                                 bytes);
    return LARDER_OK;
}

static int fill (struct larder_h5decode *x, size_t bytes, larder_error *err)
{
    int rc = need_elements (x, bytes, err);
    if (rc || x->filled)
        return rc;
    /* Double what is there already. */
    char *at = x->elements;
    memcpy (at, x->d->fill, x->d->element);
    for (size_t done = x->d->element; done < bytes; done *= 2)
        memcpy (at + done, at, done < bytes - done ? done : bytes - done);
    x->filled = 1;
    return LARDER_OK;
}

static int unfilter (struct larder_h5decode *x, uint32_t mask, const void *data, size_t size,
                     size_t bytes, larder_error *err)
{
    static const hsize_t origin[H5S_MAX_RANK];
    int rc = need_elements (x, bytes, err);
    if (rc)
        return rc;
    x->filled = 0;
    if (larder_h5unzip_can (x->d, mask)) {
        if (!x->scratch)
            x->scratch = malloc (bytes); /* without it HDF5 does the work */
        if (x->scratch && larder_h5unzip (x->d, data, size, x->elements, x->scratch, bytes))
            return LARDER_OK;
    }
    rc = prepare (x, err);
    if (rc)
        return rc;
    if (H5Dwrite_chunk (x->id, H5P_DEFAULT, mask, origin, size, data) < 0 ||
        H5Dread (x->id, x->d->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, x->elements) < 0)
        return larder_h5error (err, LARDER_EHDF5, "cannot decode a chunk");
    return LARDER_OK;
}

static uint64_t number (const unsigned char *at, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; ++i)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

int larder_h5decode_chunk (struct larder_h5decode *x, const void *item, size_t size, int partial,
                           const void **elements, larder_error *err)
{
    const unsigned char *at = item;
    size_t bytes = larder_h5describe_cell_bytes (x->d);
    if (size < LARDER_H5CHUNK_HEADER || number (at + 8, 8) != size - LARDER_H5CHUNK_HEADER)
        return larder_error_set (err, LARDER_EHDF5, 0, "a chunk has a damaged header");
    uint32_t mask = (uint32_t)number (at, 4), all = (uint32_t)((UINT64_C (1) << x->d->filters) - 1);
    size -= LARDER_H5CHUNK_HEADER;
    *elements = NULL;
    if (!(number (at + 4, 4) & LARDER_H5CHUNK_WRITTEN)) {
        int rc = x->d->fill_skips ? LARDER_OK : fill (x, bytes, err);
        if (!rc && !x->d->fill_skips)
            *elements = x->elements;
        return rc;
    }
    if ((mask & all) == all || (partial && x->d->plain_edge)) {
        if (size != bytes)
            return larder_error_set (err, LARDER_EHDF5, 0, "a chunk has %zu bytes, not %zu", size,
                                     bytes);
        *elements = at + LARDER_H5CHUNK_HEADER;
        return LARDER_OK;
    }
    int rc = unfilter (x, mask, at + LARDER_H5CHUNK_HEADER, size, bytes, err);
    if (!rc)
        *elements = x->elements;
    return rc;
}
