/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_h5regular.h"

#include <string.h>

/* Blocks that touch are one block; then count the steps. */
static void settle (struct larder_h5regular *r)
{
    uint64_t ordinals = 1, elements = 1;
    for (int i = r->rank - 1; i >= 0; --i) {
        if (r->stride[i] == r->block[i] || r->count[i] == 1) {
            r->block[i] *= r->count[i];
            r->count[i] = 1;
            r->stride[i] = r->block[i];
        }
        r->ordinals[i] = ordinals;
        r->elements[i] = elements;
        ordinals *= r->count[i] * r->block[i];
        elements *= r->dims[i];
    }
    r->points = ordinals;
}

void larder_h5regular_line (struct larder_h5regular *r, uint64_t points)
{
    memset (r, 0, sizeof *r);
    r->rank = 1;
    r->dims[0] = r->block[0] = r->stride[0] = points;
    r->count[0] = 1;
    settle (r);
}

/* After combining selections H5Sget_regular_hyperslab of HDF5 1.10.8 may still give the first one:
 * believe it only where its points, blocks and bounds are those of the selection.  -1: HDF5 failed. */
static int is_true (const struct larder_h5regular *r, hid_t space)
{
    hsize_t low[H5S_MAX_RANK], high[H5S_MAX_RANK];
    uint64_t points = 1, blocks = 1;
    hssize_t n = H5Sget_select_npoints (space), m = H5Sget_select_hyper_nblocks (space);
    if (n < 0 || m < 0 || H5Sget_select_bounds (space, low, high) < 0)
        return -1;
    for (int i = 0; i < r->rank; ++i) {
        points *= r->count[i] * r->block[i];
        blocks *= r->count[i];
        if (low[i] != r->start[i] ||
            high[i] != r->start[i] + (r->count[i] - 1) * r->stride[i] + r->block[i] - 1)
            return 0;
    }
    return points == (uint64_t)n && blocks == (uint64_t)m;
}

int larder_h5regular_of (struct larder_h5regular *r, hid_t space, const hsize_t *shift)
{
    memset (r, 0, sizeof *r);
    r->rank = H5Sget_simple_extent_dims (space, r->dims, NULL);
    H5S_sel_type kind = H5Sget_select_type (space);
    if (r->rank < 0 || kind == H5S_SEL_ERROR)
        return -1;
    if (kind == H5S_SEL_ALL) {
        if (r->rank == 0) {
            larder_h5regular_line (r, 1);
            return 1;
        }
        for (int i = 0; i < r->rank; ++i) {
            r->block[i] = r->stride[i] = r->dims[i];
            r->count[i] = 1;
        }
        settle (r);
        return 1;
    }
    if (kind != H5S_SEL_HYPERSLABS)
        return 0;
    htri_t regular = H5Sis_regular_hyperslab (space);
    if (regular <= 0)
        return regular < 0 ? -1 : 0;
    if (H5Sget_regular_hyperslab (space, r->start, r->stride, r->count, r->block) < 0)
        return -1;
    for (int i = 0; i < r->rank; ++i)
        r->start[i] += shift[i];
    regular = is_true (r, space);
    if (regular > 0)
        settle (r);
    return regular;
}

void larder_h5regular_merge (struct larder_h5regular *r)
{
    while (r->rank > 1) {
        int in = r->rank - 1, out = in - 1;
        if (r->count[in] != 1 || r->block[in] != r->dims[in])
            break;
        r->start[out] *= r->dims[in];
        r->stride[out] *= r->dims[in];
        r->block[out] *= r->dims[in];
        r->dims[out] *= r->dims[in];
        --r->rank;
    }
    settle (r);
}

int larder_h5regular_is_run (const struct larder_h5regular *r)
{
    int i = 0;
    /* Dimensions in which one element is selected, then one block, then full ones. */
    while (i < r->rank && r->count[i] == 1 && r->block[i] == 1)
        ++i;
    if (i < r->rank && r->count[i] != 1)
        return 0;
    for (++i; i < r->rank; ++i)
        if (r->count[i] != 1 || r->block[i] != r->dims[i])
            return 0;
    return 1;
}

uint64_t larder_h5regular_locate (const struct larder_h5regular *r, uint64_t k, uint64_t *run)
{
    uint64_t element = 0;
    if (r->rank == 1 && r->count[0] == 1) { /* most are, and divisions are slow */
        *run = r->block[0] - k;
        return r->start[0] + k;
    }
    for (int i = 0; i < r->rank; ++i) {
        uint64_t o = k / r->ordinals[i];
        k %= r->ordinals[i];
        uint64_t blocks = o / r->block[i], rest = o % r->block[i];
        element += (r->start[i] + blocks * r->stride[i] + rest) * r->elements[i];
        *run = r->block[i] - rest;
    }
    return element;
}

hsize_t larder_h5regular_below (const struct larder_h5regular *r, int d, hsize_t x)
{
    if (x <= r->start[d])
        return 0;
    hsize_t from = x - r->start[d], blocks = from / r->stride[d], rest = from % r->stride[d];
    if (blocks >= r->count[d])
        return r->count[d] * r->block[d];
    return blocks * r->block[d] + (rest < r->block[d] ? rest : r->block[d]);
}
