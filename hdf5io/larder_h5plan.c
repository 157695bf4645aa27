/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_h5plan.h"

#include <string.h>

static uint64_t pieces (hsize_t whole, hsize_t piece)
{
    return whole / piece + (whole % piece != 0);
}

/* Number of pieces of one extent in another, over all dimensions; -1: cannot be counted. */
static int count_pieces (const struct larder_h5plan *plan, const hsize_t *whole,
                         const hsize_t *piece, uint64_t *count)
{
    *count = 1;
    for (int d = 0; d < plan->rank; ++d) {
        uint64_t n = pieces (whole[d], piece[d]);
        if (n != 0 && *count > INT64_MAX / n)
            return -1;
        *count *= n;
    }
    return 0;
}

/* The largest slab of whole inner extents with at most n values. */
static void cut_box (struct larder_h5plan *plan, uint64_t n)
{
    for (int d = plan->rank - 1; d >= 0; --d) {
        if (plan->box[d] <= n) {
            plan->sub[d] = plan->box[d] ? plan->box[d] : 1;
            n /= plan->sub[d];
        } else {
            plan->sub[d] = n ? n : 1;
            n = 0;
        }
    }
}

int larder_h5plan_make (struct larder_h5plan *plan, enum larder_h5mode mode, hid_t space,
                        const hsize_t *chunk, uint64_t bytes, uint64_t slab)
{
    memset (plan, 0, sizeof *plan);
    plan->mode = mode;
    plan->rank = H5Sget_simple_extent_ndims (space);
    if (mode == LARDER_H5_NOTHING)
        return 0;
    if (plan->rank < 0 || bytes == 0 || H5Sget_simple_extent_dims (space, plan->dims, NULL) < 0)
        return -1;
    int gridded =
        mode == LARDER_H5_CHUNKS || mode == LARDER_H5_LISTED || mode == LARDER_H5_PACKED_CHUNKS;
    memcpy (plan->box, gridded ? chunk : plan->dims, sizeof plan->box);
    for (int d = 0; d < plan->rank; ++d)
        if (plan->box[d] == 0) {
            if (gridded)
                return -1;
            return 0; /* no values, no items */
        }
    cut_box (plan,
             mode == LARDER_H5_CHUNKS || mode == LARDER_H5_LISTED ? UINT64_MAX : slab / bytes);
    if (mode == LARDER_H5_LISTED)
        return 0;
    if (count_pieces (plan, plan->dims, plan->box, &plan->boxes) != 0)
        return -1;
    if (count_pieces (plan, plan->box, plan->sub, &plan->subs) != 0)
        return -1;
    if (plan->subs != 0 && plan->boxes > INT64_MAX / plan->subs)
        return -1;
    plan->items = plan->boxes * plan->subs;
    return 0;
}

void larder_h5plan_box (const struct larder_h5plan *plan, uint64_t box, hsize_t *start)
{
    for (int d = plan->rank - 1; d >= 0; --d) {
        uint64_t n = pieces (plan->dims[d], plan->box[d]);
        start[d] = n ? box % n * plan->box[d] : 0;
        box = n ? box / n : 0;
    }
}

uint64_t larder_h5plan_slab (const struct larder_h5plan *plan, uint64_t item, hsize_t *start,
                             hsize_t *count)
{
    uint64_t sub = item % (plan->subs ? plan->subs : 1), values = 1;
    larder_h5plan_box (plan, item / (plan->subs ? plan->subs : 1), start);
    for (int d = plan->rank - 1; d >= 0; --d) {
        uint64_t n = pieces (plan->box[d], plan->sub[d]);
        hsize_t in_box = sub % n * plan->sub[d];
        sub /= n;
        count[d] = plan->sub[d];
        if (count[d] > plan->box[d] - in_box)
            count[d] = plan->box[d] - in_box;
        start[d] += in_box;
        if (start[d] >= plan->dims[d])
            return 0;
        if (count[d] > plan->dims[d] - start[d])
            count[d] = plan->dims[d] - start[d];
        values *= count[d];
    }
    return values;
}

int larder_h5plan_select (const struct larder_h5plan *plan, hid_t space, const hsize_t *start,
                          const hsize_t *count, hid_t *memory)
{
    *memory = plan->rank ? H5Screate_simple (plan->rank, count, NULL) : H5Screate (H5S_SCALAR);
    if (*memory < 0)
        return -1;
    herr_t code = plan->rank ? H5Sselect_hyperslab (space, H5S_SELECT_SET, start, NULL, count, NULL)
                             : H5Sselect_all (space);
    if (code >= 0)
        return 0;
    (void)H5Sclose (*memory);
    *memory = -1;
    return -1;
}
