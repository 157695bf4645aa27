/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_h5describe.h"

#include "larder_h5error.h"
#include "larder_h5space.h"
#include "larder_h5type.h"
#include "larder_h5wire.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC   0x5344484cu /* "LHDS" */
#define VERSION 1u
#define HEAD    24 /* magic, version, size, check */

static int get_filter (struct larder_h5describe_filter *f, hid_t list, unsigned at)
{
    char name[1024] = {0};
    if (H5Pget_filter2 (list, at, &f->flags, &f->count, NULL, 0, NULL, NULL) < 0)
        return -1;
    f->values = calloc (f->count + 1, sizeof *f->values);
    if (!f->values)
        return -1;
    f->id = H5Pget_filter2 (list, at, &f->flags, &f->count, f->values, sizeof name, name, NULL);
    name[sizeof name - 1] = '\0';
    f->name = strdup (name);
    return f->id < 0 || !f->name ? -1 : 0;
}

static int get_filters (struct larder_h5describe *d, hid_t list)
{
    int n = H5Pget_nfilters (list);
    if (n < 0)
        return -1;
    d->filter = calloc ((size_t)n + 1, sizeof *d->filter);
    if (!d->filter)
        return -1;
    for (; d->filters < (size_t)n; ++d->filters)
        if (get_filter (&d->filter[d->filters], list, (unsigned)d->filters) < 0) {
            ++d->filters; /* what it holds already is to be freed */
            return -1;
        }
    return 0;
}

static int get_fill (struct larder_h5describe *d, hid_t list)
{
    H5D_fill_time_t when;
    d->fill = calloc (1, d->element);
    if (!d->fill || H5Pfill_value_defined (list, &d->fill_defined) < 0 ||
        H5Pget_fill_time (list, &when) < 0)
        return -1;
    /* As H5Dread decides it. */
    d->fill_skips = when == H5D_FILL_TIME_NEVER ||
                    (when == H5D_FILL_TIME_IFSET && d->fill_defined == H5D_FILL_VALUE_UNDEFINED);
    if (d->fill_defined == H5D_FILL_VALUE_USER_DEFINED)
        return H5Pget_fill_value (list, d->type, d->fill) < 0 ? -1 : 0;
    return 0;
}

static int get_shape (struct larder_h5describe *d, hid_t list)
{
    d->rank = H5Sget_simple_extent_dims (d->space, d->dims, NULL);
    H5D_layout_t layout = H5Pget_layout (list);
    if (d->rank < 0 || layout < 0)
        return -1;
    d->chunked = layout == H5D_CHUNKED;
    if (!d->chunked)
        return 0;
    unsigned options = 0;
    if (H5Pget_chunk (list, H5S_MAX_RANK, d->shape) != d->rank ||
        H5Pget_chunk_opts (list, &options) < 0)
        return -1;
    d->plain_edge = (options & H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS) != 0;
    return 0;
}

int larder_h5describe_dataset (struct larder_h5describe *d, hid_t dataset, const char *name,
                               larder_error *err)
{
    memset (d, 0, sizeof *d);
    d->space = H5I_INVALID_HID;
    hid_t list = H5I_INVALID_HID;
    d->type = H5Dget_type (dataset);
    if (d->type >= 0)
        d->space = H5Dget_space (dataset);
    if (d->space >= 0)
        list = H5Dget_create_plist (dataset);
    if (list < 0)
        return larder_h5error (err, LARDER_EHDF5, "dataset %s: cannot read its type and space",
                               name);
    d->element = H5Tget_size (d->type);
    int rc = LARDER_OK;
    if (d->element == 0 || get_shape (d, list) < 0 || get_filters (d, list) < 0 ||
        get_fill (d, list) < 0)
        rc = larder_h5error (err, LARDER_EHDF5, "dataset %s: cannot read its creation properties",
                             name);
    if (H5Pclose (list) < 0 && !rc)
        rc = larder_h5error (err, LARDER_EHDF5, "dataset %s: cannot close its properties", name);
    return rc;
}

static void put_filters (struct larder_h5out *out, const struct larder_h5describe *d)
{
    larder_h5out_count (out, d->filters);
    for (size_t i = 0; i < d->filters; ++i) {
        const struct larder_h5describe_filter *f = &d->filter[i];
        larder_h5out_u32 (out, (uint32_t)f->id);
        larder_h5out_u32 (out, f->flags);
        larder_h5out_text (out, f->name);
        larder_h5out_count (out, f->count);
        for (size_t j = 0; j < f->count; ++j)
            larder_h5out_u32 (out, f->values[j]);
    }
}

int larder_h5describe_encode (const struct larder_h5describe *d, const char *name, void **bytes,
                              size_t *size, larder_error *err)
{
    struct larder_h5out out = {NULL, 0, 0, 0};
    larder_h5out_u32 (&out, MAGIC);
    larder_h5out_u32 (&out, VERSION);
    larder_h5out_u64 (&out, 0);
    larder_h5out_u64 (&out, 0);
    int bad = larder_h5type_put (&out, d->type) < 0 || !larder_h5type_kept (&out, HEAD, d->type);
    bad |= larder_h5space_put (&out, d->space) < 0;
    larder_h5out_u8 (&out, (unsigned)d->chunked | (unsigned)d->plain_edge << 1 |
                               (unsigned)d->fill_skips << 2);
    larder_h5out_u8 (&out, (unsigned)d->rank);
    for (int i = 0; i < d->rank; ++i)
        larder_h5out_u64 (&out, d->shape[i]);
    larder_h5out_u64 (&out, d->cells);
    put_filters (&out, d);
    larder_h5out_u8 (&out, (unsigned)d->fill_defined);
    larder_h5out_bytes (&out, d->fill, d->element);
    larder_h5out_set_u64 (&out, 8, out.size);
    if (!out.failed)
        larder_h5out_set_u64 (&out, 16, larder_h5wire_sum (out.data + HEAD, out.size - HEAD));
    int failed = out.failed;
    if (bad || failed) {
        larder_h5out_free (&out);
        return failed ? larder_error_set (err, LARDER_ENOMEM, 0,
                                          "dataset %s: no memory for its description", name)
                      : larder_error_set (err, LARDER_ENOTSUP, 0,
                                          "dataset %s: its type cannot be described", name);
    }
    *bytes = out.data;
    *size = out.size;
    return LARDER_OK;
}

static int take_filters (struct larder_h5describe *d, struct larder_h5in *in)
{
    uint64_t n = larder_h5in_count (in);
    if (in->bad || n > H5Z_MAX_NFILTERS)
        return -1;
    d->filter = calloc ((size_t)n + 1, sizeof *d->filter);
    if (!d->filter)
        return -1;
    for (; d->filters < n; ++d->filters) {
        struct larder_h5describe_filter *f = &d->filter[d->filters];
        f->id = (H5Z_filter_t)larder_h5in_u32 (in);
        f->flags = larder_h5in_u32 (in);
        f->name = strdup (larder_h5in_text (in));
        uint64_t count = larder_h5in_count (in);
        if (!in->bad && count <= larder_h5in_left (in) / 4)
            f->values = calloc ((size_t)count + 1, sizeof *f->values);
        if (!f->name || !f->values || f->id < 0 || f->id > H5Z_FILTER_MAX) {
            ++d->filters;
            return -1;
        }
        f->count = (size_t)count;
        for (size_t j = 0; j < f->count; ++j)
            f->values[j] = larder_h5in_u32 (in);
    }
    return 0;
}

/* The cells must cover the space, and the largest must be a size. */
static int fits (const struct larder_h5describe *d)
{
    H5S_class_t kind = H5Sget_simple_extent_type (d->space);
    for (int i = 0; i < d->rank; ++i)
        if (d->shape[i] == 0)
            return 0;
    if (kind == H5S_NULL)
        return d->cells == 0;
    if (kind != H5S_SIMPLE && kind != H5S_SCALAR)
        return 0;
    return d->cells == larder_h5box_boxes (d->rank, d->dims, d->shape) &&
           (d->cells == 0 || larder_h5describe_cell_bytes (d) > 0);
}

static int take (struct larder_h5describe *d, struct larder_h5in *in)
{
    d->type = larder_h5type_get (in);
    if (d->type >= 0)
        d->space = larder_h5space_get (in);
    if (d->space < 0)
        return -1;
    d->element = H5Tget_size (d->type);
    unsigned flags = larder_h5in_u8 (in), rank = larder_h5in_u8 (in);
    d->chunked = (flags & 1) != 0;
    d->plain_edge = (flags & 2) != 0;
    d->fill_skips = (flags & 4) != 0;
    if (in->bad || rank > H5S_MAX_RANK || d->element == 0)
        return -1;
    d->rank = H5Sget_simple_extent_dims (d->space, d->dims, NULL);
    if (d->rank != (int)rank)
        return -1;
    for (int i = 0; i < d->rank; ++i)
        d->shape[i] = larder_h5in_u64 (in);
    d->cells = larder_h5in_u64 (in);
    if (take_filters (d, in) < 0)
        return -1;
    d->fill_defined = (H5D_fill_value_t)larder_h5in_u8 (in);
    const uint8_t *fill = larder_h5in_bytes (in, d->element);
    d->fill = fill ? malloc (d->element) : NULL;
    if (!d->fill || larder_h5in_left (in) != 0)
        return -1;
    memcpy (d->fill, fill, d->element);
    return fits (d) ? 0 : -1;
}

int larder_h5describe_decode (struct larder_h5describe *d, const void *bytes, size_t size,
                              larder_error *err)
{
    memset (d, 0, sizeof *d);
    d->type = d->space = H5I_INVALID_HID;
    struct larder_h5in in = {bytes, (const uint8_t *)bytes + size, 0};
    uint32_t magic = larder_h5in_u32 (&in), version = larder_h5in_u32 (&in);
    uint64_t length = larder_h5in_u64 (&in), sum = larder_h5in_u64 (&in);
    if (in.bad || magic != MAGIC)
        return larder_error_set (err, LARDER_EINVAL, 0, "the ref names no dataset object");
    if (version != VERSION)
        return larder_error_set (err, LARDER_ENOTSUP, 0,
                                 "description of a dataset: version %u is not known", version);
    if (length != size || sum != larder_h5wire_sum (in.at, larder_h5in_left (&in)))
        return larder_error_set (err, LARDER_EHDF5, 0, "description of a dataset: damaged");
    if (take (d, &in) < 0)
        return larder_error_set (err, LARDER_EHDF5, 0, "description of a dataset: cannot be");
    return LARDER_OK;
}

void larder_h5describe_free (struct larder_h5describe *d)
{
    for (size_t i = 0; d->filter && i < d->filters; ++i) {
        free (d->filter[i].name);
        free (d->filter[i].values);
    }
    free (d->filter);
    free (d->fill);
    if (d->type > 0)
        (void)H5Tclose (d->type); /* nothing is lost where it fails */
    if (d->space > 0)
        (void)H5Sclose (d->space);
    memset (d, 0, sizeof *d);
    d->type = d->space = H5I_INVALID_HID;
}

size_t larder_h5describe_cell_bytes (const struct larder_h5describe *d)
{
    size_t bytes = d->element;
    for (int i = 0; i < d->rank; ++i) {
        if (d->shape[i] > SIZE_MAX / 4 / bytes)
            return 0;
        bytes *= (size_t)d->shape[i];
    }
    return bytes;
}

void larder_h5describe_box (const struct larder_h5describe *d, uint64_t cell,
                            struct larder_h5box *box)
{
    box->rank = d->rank;
    for (int i = d->rank - 1; i >= 0; --i) {
        hsize_t along = (d->dims[i] - 1) / d->shape[i] + 1;
        box->start[i] = cell % along * d->shape[i];
        cell /= along;
        hsize_t left = d->dims[i] - box->start[i];
        box->count[i] = left < d->shape[i] ? left : d->shape[i];
    }
}

static const char *reason_of_part (hid_t part)
{
    const char *why = part < 0 ? "something unknown" : larder_h5describe_reason (part);
    if (part >= 0 && H5Tclose (part) < 0)
        why = "something unknown";
    return why;
}

const char *larder_h5describe_reason (hid_t type)
{
    switch (H5Tget_class (type)) {
    case H5T_NO_CLASS:
        return "something unknown";
    case H5T_VLEN:
        return "variable-length data";
    case H5T_REFERENCE:
        return "references";
    case H5T_STRING:
        return H5Tis_variable_str (type) ? "variable-length strings" : NULL;
    case H5T_ARRAY:
        return reason_of_part (H5Tget_super (type));
    case H5T_COMPOUND: {
        int members = H5Tget_nmembers (type);
        const char *why = members < 0 ? "something unknown" : NULL;
        for (unsigned i = 0; i < (unsigned)members && !why; ++i)
            why = reason_of_part (H5Tget_member_type (type, i));
        return why;
    }
    default:
        return NULL;
    }
}
