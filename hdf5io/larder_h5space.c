/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_h5space.h"

#include <stdlib.h>

/* HDF5 writes a selection block by block: a few bytes must not ask for a terabyte of them. */
#define BLOCKS_MAX (1u << 20)

enum selection { SELECT_NONE, SELECT_ALL, SELECT_POINTS, SELECT_REGULAR, SELECT_BLOCKS };

static void put_numbers (struct larder_h5out *out, const hsize_t *number, size_t n)
{
    for (size_t i = 0; i < n; ++i)
        larder_h5out_u64 (out, number[i]);
}

static void get_numbers (struct larder_h5in *in, hsize_t *number, size_t n)
{
    for (size_t i = 0; i < n; ++i)
        number[i] = larder_h5in_u64 (in);
}

/* 1 when a space stores no limits, which files tell from limits equal to the extents. */
static int limits_left_out (hid_t space, int rank, const hsize_t *dims, const hsize_t *limit)
{
    hid_t with = rank > 0 ? H5Screate_simple (rank, dims, limit) : -1;
    if (with < 0)
        return 0;
    htri_t equal = H5Sextent_equal (space, with);
    (void)H5Sclose (with);
    return equal == 0;
}

int larder_h5space_put (struct larder_h5out *out, hid_t space)
{
    hsize_t dims[H5S_MAX_RANK], limit[H5S_MAX_RANK];
    H5S_class_t class = H5Sget_simple_extent_type (space);
    int rank = H5Sget_simple_extent_ndims (space);
    if (class < 0 || rank < 0 || H5Sget_simple_extent_dims (space, dims, limit) < 0)
        return -1;
    larder_h5out_u8 (out, (unsigned)class);
    larder_h5out_u8 (out, (unsigned)rank);
    put_numbers (out, dims, (size_t)rank);
    int without = limits_left_out (space, rank, dims, limit);
    larder_h5out_u8 (out, without ? 0 : 1);
    if (!without)
        put_numbers (out, limit, (size_t)rank);
    return 0;
}

/* A space without limits can only be had from H5Sdecode, of bytes as H5Sencode writes them. */
static hid_t without_limits (unsigned rank, const hsize_t *dims)
{
    uint8_t bytes[15 + 8 * H5S_MAX_RANK + 16] = {
        1,
        0,
        8,
        (uint8_t)(8 + 8 * rank),
        (uint8_t)((8 + 8 * rank) >> 8),
        0,
        0, /* message, size */
        1,
        (uint8_t)rank}; /* its version, and nothing more but the extents */
    for (size_t i = 0; i < 8 * rank; ++i)
        bytes[15 + i] = (uint8_t)(dims[i / 8] >> (8 * (i % 8)));
    bytes[15 + 8 * rank] = H5S_SEL_ALL;
    bytes[15 + 8 * rank + 4] = 1; /* version */
    return H5Sdecode (bytes);
}

hid_t larder_h5space_get (struct larder_h5in *in)
{
    hsize_t dims[H5S_MAX_RANK], limit[H5S_MAX_RANK];
    unsigned class = larder_h5in_u8 (in), rank = larder_h5in_u8 (in);
    hid_t space = -1;
    if (!in->bad && rank <= H5S_MAX_RANK) {
        get_numbers (in, dims, rank);
        unsigned limits = larder_h5in_u8 (in);
        if (limits)
            get_numbers (in, limit, rank);
        if (in->bad)
            return -1;
        if (class == H5S_SIMPLE && rank > 0)
            space = H5Screate_simple ((int)rank, dims, limits ? limit : NULL);
        if (space >= 0 && !limits) {
            hid_t bare = without_limits (rank, dims);
            if (bare >= 0 && H5Sclose (space) >= 0)
                space = bare;
        }
        if (space >= 0)
            return space;
        if ((class == H5S_SCALAR || class == H5S_NULL) && rank == 0)
            space = H5Screate ((H5S_class_t) class);
    }
    if (space < 0)
        in->bad = 1;
    return space;
}

/* ------------------------------------------------------------------ selections */

static int put_points (struct larder_h5out *out, hid_t space, size_t rank)
{
    hssize_t n = H5Sget_select_elem_npoints (space);
    if (n < 0 || n > BLOCKS_MAX)
        return -1;
    hsize_t *point = malloc (((size_t)n * rank + 1) * sizeof *point);
    int good = point && H5Sget_select_elem_pointlist (space, 0, (hsize_t)n, point) >= 0;
    if (good) {
        larder_h5out_u8 (out, SELECT_POINTS);
        larder_h5out_u64 (out, (uint64_t)n);
        put_numbers (out, point, (size_t)n * rank);
    }
    free (point);
    return good ? 0 : -1;
}

static int put_blocks (struct larder_h5out *out, hid_t space, size_t rank)
{
    hsize_t part[4][H5S_MAX_RANK];
    htri_t regular = H5Sis_regular_hyperslab (space);
    if (regular < 0)
        return -1;
    if (regular) {
        if (H5Sget_regular_hyperslab (space, part[0], part[1], part[2], part[3]) < 0)
            return -1;
        larder_h5out_u8 (out, SELECT_REGULAR);
        for (int i = 0; i < 4; ++i)
            put_numbers (out, part[i], rank);
        return 0;
    }
    hssize_t n = H5Sget_select_hyper_nblocks (space);
    if (n < 0 || n > BLOCKS_MAX)
        return -1;
    hsize_t *corner = malloc (((size_t)n * rank * 2 + 1) * sizeof *corner);
    int good = corner && H5Sget_select_hyper_blocklist (space, 0, (hsize_t)n, corner) >= 0;
    if (good) {
        larder_h5out_u8 (out, SELECT_BLOCKS);
        larder_h5out_u64 (out, (uint64_t)n);
        put_numbers (out, corner, (size_t)n * rank * 2);
    }
    free (corner);
    return good ? 0 : -1;
}

int larder_h5space_put_selection (struct larder_h5out *out, hid_t space)
{
    int rank = H5Sget_simple_extent_ndims (space);
    H5S_sel_type kind = H5Sget_select_type (space);
    if (rank < 0)
        return -1;
    switch (kind) {
    case H5S_SEL_NONE:
        larder_h5out_u8 (out, SELECT_NONE);
        return 0;
    case H5S_SEL_ALL:
        larder_h5out_u8 (out, SELECT_ALL);
        return 0;
    case H5S_SEL_POINTS:
        return put_points (out, space, (size_t)rank);
    case H5S_SEL_HYPERSLABS:
        return put_blocks (out, space, (size_t)rank);
    default:
        return -1;
    }
}

static int get_points (struct larder_h5in *in, hid_t space, size_t rank)
{
    uint64_t n = larder_h5in_u64 (in);
    if (in->bad || rank == 0 || n > BLOCKS_MAX || n > larder_h5in_left (in) / (8 * rank))
        return -1;
    hsize_t *point = malloc (((size_t)n * rank + 1) * sizeof *point);
    if (point == NULL)
        return -1;
    get_numbers (in, point, (size_t)n * rank);
    herr_t code =
        n ? H5Sselect_elements (space, H5S_SELECT_SET, (size_t)n, point) : H5Sselect_none (space);
    free (point);
    return code < 0 ? -1 : 0;
}

static int get_regular (struct larder_h5in *in, hid_t space, size_t rank)
{
    hsize_t part[4][H5S_MAX_RANK];
    uint64_t blocks = 1;
    for (int i = 0; i < 4; ++i)
        get_numbers (in, part[i], rank);
    for (size_t d = 0; d < rank && !in->bad; ++d) {
        if (part[2][d] == H5S_UNLIMITED)
            continue;
        if (part[2][d] == 0 || part[2][d] > BLOCKS_MAX / blocks)
            return -1;
        blocks *= part[2][d];
    }
    if (in->bad || rank == 0)
        return -1;
    return H5Sselect_hyperslab (space, H5S_SELECT_SET, part[0], part[1], part[2], part[3]) < 0 ? -1
                                                                                               : 0;
}

static int get_blocks (struct larder_h5in *in, hid_t space, size_t rank)
{
    hsize_t corner[2 * H5S_MAX_RANK], count[H5S_MAX_RANK];
    uint64_t n = larder_h5in_u64 (in);
    if (in->bad || rank == 0 || n > BLOCKS_MAX || n > larder_h5in_left (in) / (16 * rank) ||
        H5Sselect_none (space) < 0)
        return -1;
    for (uint64_t i = 0; i < n; ++i) {
        get_numbers (in, corner, 2 * rank);
        for (size_t d = 0; d < rank; ++d) {
            if (corner[rank + d] < corner[d])
                return -1;
            count[d] = corner[rank + d] - corner[d] + 1;
        }
        if (H5Sselect_hyperslab (space, H5S_SELECT_OR, corner, NULL, count, NULL) < 0)
            return -1;
    }
    return 0;
}

int larder_h5space_get_selection (struct larder_h5in *in, hid_t space)
{
    int rank = H5Sget_simple_extent_ndims (space), code = -1;
    unsigned kind = larder_h5in_u8 (in);
    if (rank < 0 || in->bad)
        kind = UINT8_MAX;
    switch (kind) {
    case SELECT_NONE:
        code = H5Sselect_none (space) < 0 ? -1 : 0;
        break;
    case SELECT_ALL:
        code = H5Sselect_all (space) < 0 ? -1 : 0;
        break;
    case SELECT_POINTS:
        code = get_points (in, space, (size_t)rank);
        break;
    case SELECT_REGULAR:
        code = get_regular (in, space, (size_t)rank);
        break;
    case SELECT_BLOCKS:
        code = get_blocks (in, space, (size_t)rank);
        break;
    default:
        break;
    }
    if (code != 0)
        in->bad = 1;
    return code;
}
