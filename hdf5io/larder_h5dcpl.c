/* SPDX-License-Identifier: Apache-2.0 */
/* The creation properties of datasets; see larder_h5props.h. */
#include "larder_h5props.h"
#include "larder_h5space.h"

#include <stdlib.h>

/* ------------------------------------------------------------------ layout */

static int put_chunks (struct larder_h5out *out, hid_t list)
{
    hsize_t dims[H5S_MAX_RANK];
    unsigned options = 0;
    int rank = H5Pget_chunk (list, H5S_MAX_RANK, dims);
    if (rank < 0 || H5Pget_chunk_opts (list, &options) < 0)
        return -1;
    larder_h5out_u8 (out, (unsigned)rank);
    for (int i = 0; i < rank; ++i)
        larder_h5out_u64 (out, dims[i]);
    larder_h5out_u8 (out, options);
    return 0;
}

static int get_chunks (struct larder_h5in *in, hid_t list)
{
    hsize_t dims[H5S_MAX_RANK];
    unsigned rank = larder_h5in_u8 (in);
    for (unsigned i = 0; i < rank && i < H5S_MAX_RANK; ++i)
        dims[i] = larder_h5in_u64 (in);
    unsigned options = larder_h5in_u8 (in);
    if (in->bad || rank < 1 || rank > H5S_MAX_RANK || H5Pset_chunk (list, (int)rank, dims) < 0)
        return -1;
    return options && H5Pset_chunk_opts (list, options) < 0 ? -1 : 0;
}

static int put_name (struct larder_h5out *out, hid_t list, size_t i,
                     ssize_t (*get) (hid_t, size_t, char *, size_t))
{
    ssize_t n = get (list, i, NULL, 0);
    char *name = n < 0 ? NULL : calloc (1, (size_t)n + 1);
    int good = name && get (list, i, name, (size_t)n + 1) >= 0;
    if (good)
        larder_h5out_text (out, name);
    free (name);
    return good ? 0 : -1;
}

static int put_mapping (struct larder_h5out *out, hid_t list, size_t i)
{
    hid_t to = H5Pget_virtual_vspace (list, i), from = H5Pget_virtual_srcspace (list, i);
    int code = -1;
    if (to >= 0 && from >= 0 && larder_h5space_put (out, to) == 0 &&
        larder_h5space_put_selection (out, to) == 0 && larder_h5space_put (out, from) == 0 &&
        larder_h5space_put_selection (out, from) == 0 &&
        put_name (out, list, i, H5Pget_virtual_filename) == 0)
        code = put_name (out, list, i, H5Pget_virtual_dsetname);
    if (to >= 0)
        (void)H5Sclose (to);
    if (from >= 0)
        (void)H5Sclose (from);
    return code;
}

static int put_virtual (struct larder_h5out *out, hid_t list)
{
    size_t n = 0;
    if (H5Pget_virtual_count (list, &n) < 0)
        return -1;
    larder_h5out_count (out, n);
    for (size_t i = 0; i < n; ++i)
        if (put_mapping (out, list, i) != 0)
            return -1;
    return 0;
}

/* Values in one block of a selection that may go on for ever. */
static hsize_t block_values (hid_t space)
{
    hsize_t part[4][H5S_MAX_RANK], values = 1;
    int rank = H5Sget_simple_extent_ndims (space);
    if (H5Sget_select_type (space) != H5S_SEL_HYPERSLABS || H5Sis_regular_hyperslab (space) <= 0) {
        hssize_t n = H5Sget_select_npoints (space);
        return n > 0 ? (hsize_t)n : 1;
    }
    if (H5Sget_regular_hyperslab (space, part[0], part[1], part[2], part[3]) < 0)
        return 1;
    for (int d = 0; d < rank; ++d)
        values *= part[3][d] * (part[2][d] == H5S_UNLIMITED ? 1 : part[2][d]);
    return values;
}

/* A source of which all is mapped has no extent in the file; HDF5 wants the right number of values
 * nevertheless, and forgets it again. */
static int fit_source (hid_t to, hid_t from)
{
    hsize_t values = block_values (to);
    if (H5Sget_select_type (from) != H5S_SEL_ALL ||
        H5Sget_select_npoints (from) == (hssize_t)values)
        return 0;
    return H5Sset_extent_simple (from, 1, &values, NULL) < 0 || H5Sselect_all (from) < 0 ? -1 : 0;
}

static int get_mapping (struct larder_h5in *in, hid_t list)
{
    int code = -1;
    hid_t to = larder_h5space_get (in), from = -1;
    if (to >= 0 && larder_h5space_get_selection (in, to) == 0)
        from = larder_h5space_get (in);
    if (from >= 0 && larder_h5space_get_selection (in, from) == 0 && fit_source (to, from) == 0) {
        const char *file = larder_h5in_text (in), *name = larder_h5in_text (in);
        if (!in->bad && H5Pset_virtual (list, to, file, name, from) >= 0)
            code = 0;
    }
    if (to >= 0)
        (void)H5Sclose (to);
    if (from >= 0)
        (void)H5Sclose (from);
    return code;
}

static int get_virtual (struct larder_h5in *in, hid_t list)
{
    uint64_t n = larder_h5in_count (in);
    if (in->bad || n > larder_h5in_left (in) || H5Pset_layout (list, H5D_VIRTUAL) < 0)
        return -1;
    for (uint64_t i = 0; i < n; ++i)
        if (get_mapping (in, list) != 0)
            return -1;
    return 0;
}

static int put_layout (struct larder_h5out *out, hid_t list)
{
    H5D_layout_t layout = H5Pget_layout (list);
    if (layout < 0)
        return -1;
    larder_h5out_u8 (out, (unsigned)layout);
    if (layout == H5D_CHUNKED)
        return put_chunks (out, list);
    return layout == H5D_VIRTUAL ? put_virtual (out, list) : 0;
}

static int get_layout (struct larder_h5in *in, hid_t list)
{
    unsigned layout = larder_h5in_u8 (in);
    if (in->bad)
        return -1;
    if (layout == H5D_CHUNKED)
        return get_chunks (in, list);
    if (layout == H5D_VIRTUAL)
        return get_virtual (in, list);
    if (layout != H5D_CONTIGUOUS && layout != H5D_COMPACT) {
        in->bad = 1;
        return -1;
    }
    return H5Pset_layout (list, (H5D_layout_t)layout) < 0 ? -1 : 0;
}

/* ------------------------------------------------------------------ fill value */

int larder_h5props_put_fill (struct larder_h5out *out, hid_t list, hid_t type,
                             const struct larder_h5shape *shape, const struct larder_h5refs *refs)
{
    H5D_fill_value_t defined;
    if (H5Pfill_value_defined (list, &defined) < 0)
        return -1;
    larder_h5out_u8 (out, (unsigned)defined);
    if (defined != H5D_FILL_VALUE_USER_DEFINED)
        return 0;
    /* Variable-length parts come as pointers: packed, then given back. */
    void *value = calloc (1, larder_h5shape_size (shape));
    hid_t one = H5Screate (H5S_SCALAR);
    int code = -1;
    if (value && one >= 0 && H5Pget_fill_value (list, type, value) >= 0) {
        code = larder_h5pack (shape, value, 1, refs, out);
        if (!larder_h5shape_plain (shape) && H5Dvlen_reclaim (type, one, H5P_DEFAULT, value) < 0)
            code = -1;
    }
    if (one >= 0)
        (void)H5Sclose (one);
    free (value);
    return code;
}

static int get_fill (struct larder_h5in *in, hid_t list, hid_t type,
                     const struct larder_h5shape *shape, const struct larder_h5refs *refs)
{
    unsigned defined = larder_h5in_u8 (in);
    if (in->bad || defined > H5D_FILL_VALUE_USER_DEFINED) {
        in->bad = 1;
        return -1;
    }
    if (defined == H5D_FILL_VALUE_DEFAULT)
        return 0;
    if (defined == H5D_FILL_VALUE_UNDEFINED)
        return H5Pset_fill_value (list, type, NULL) < 0 ? -1 : 0;
    if (larder_h5shape_least (shape) > larder_h5in_left (in)) {
        in->bad = 1;
        return -1;
    }
    struct larder_h5arena arena = {NULL};
    void *value = larder_h5arena_take (&arena, larder_h5shape_size (shape));
    int code = value ? larder_h5unpack (shape, in, 1, refs, &arena, value) : -1;
    if (code == 0 && H5Pset_fill_value (list, type, value) < 0)
        code = -1;
    larder_h5arena_free (&arena);
    return code;
}

/* ------------------------------------------------------------------ all of it */

int larder_h5props_put_dataset (struct larder_h5out *out, hid_t list, hid_t type,
                                const struct larder_h5shape *shape,
                                const struct larder_h5refs *refs)
{
    H5D_fill_time_t filled;
    H5D_alloc_time_t allocated;
    if (larder_h5props_put_object (out, list) != 0 || put_layout (out, list) != 0 ||
        larder_h5props_put_fill (out, list, type, shape, refs) != 0 ||
        H5Pget_fill_time (list, &filled) < 0 || H5Pget_alloc_time (list, &allocated) < 0)
        return -1;
    larder_h5out_u8 (out, (unsigned)filled);
    larder_h5out_u8 (out, (unsigned)allocated);
    return larder_h5props_put_filters (out, list);
}

int larder_h5props_get_dataset (struct larder_h5in *in, hid_t list, hid_t type,
                                const struct larder_h5shape *shape,
                                const struct larder_h5refs *refs, struct larder_h5standins *s)
{
    if (larder_h5props_get_object (in, list) != 0 || get_layout (in, list) != 0 ||
        get_fill (in, list, type, shape, refs) != 0)
        return -1;
    unsigned filled = larder_h5in_u8 (in), allocated = larder_h5in_u8 (in);
    if (in->bad || filled > H5D_FILL_TIME_IFSET || allocated > H5D_ALLOC_TIME_INCR ||
        H5Pset_fill_time (list, (H5D_fill_time_t)filled) < 0 ||
        H5Pset_alloc_time (list, (H5D_alloc_time_t)allocated) < 0)
        return -1;
    return larder_h5props_get_filters (in, list, s);
}
