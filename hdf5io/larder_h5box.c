/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_h5box.h"

#include <string.h>

static void clip (struct larder_h5box *box)
{
    for (int i = 0; i < box->rank; ++i) {
        hsize_t left = box->dims[i] - box->start[i];
        box->count[i] = left < box->shape[i] ? left : box->shape[i];
    }
}

int larder_h5box_first (struct larder_h5box *box, int rank, const hsize_t *dims,
                        const hsize_t *shape)
{
    memset (box, 0, sizeof *box);
    box->rank = rank;
    for (int i = 0; i < rank; ++i) {
        if (dims[i] == 0)
            return 0;
        box->dims[i] = dims[i];
        box->shape[i] = shape[i];
    }
    clip (box);
    return 1;
}

int larder_h5box_next (struct larder_h5box *box)
{
    for (int i = box->rank - 1; i >= 0; --i) {
        /* Not start + shape: a shape may be larger than what is left of 64 bits. */
        if (box->dims[i] - box->start[i] > box->shape[i]) {
            box->start[i] += box->shape[i];
            clip (box);
            return 1;
        }
        box->start[i] = 0;
    }
    return 0;
}

uint64_t larder_h5box_points (const struct larder_h5box *box)
{
    uint64_t n = 1;
    for (int i = 0; i < box->rank; ++i)
        n *= box->count[i];
    return n;
}

void larder_h5box_shape (int rank, const hsize_t *dims, uint64_t limit, hsize_t *shape)
{
    uint64_t left = limit < 1 ? 1 : limit;
    for (int i = rank - 1; i >= 0; --i) {
        hsize_t d = dims[i] < 1 ? 1 : dims[i];
        shape[i] = d < left ? d : left;
        left = shape[i] == d ? left / d : 1;
        left = left < 1 ? 1 : left;
    }
}

uint64_t larder_h5box_boxes (int rank, const hsize_t *dims, const hsize_t *shape)
{
    uint64_t n = 1;
    for (int i = 0; i < rank; ++i)
        if (dims[i] == 0)
            return 0;
    for (int i = 0; i < rank; ++i) {
        uint64_t along = (dims[i] - 1) / shape[i] + 1;
        if (n > UINT64_MAX / along)
            return UINT64_MAX;
        n *= along;
    }
    return n;
}
