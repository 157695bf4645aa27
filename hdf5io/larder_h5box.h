/* SPDX-License-Identifier: Apache-2.0 */
/* A space cut into boxes of one shape, taken in row-major order; those at the edge are clipped. */
#ifndef LARDER_H5BOX_H
#define LARDER_H5BOX_H

#include <hdf5.h>
#include <stdint.h>

/* Room for the most dimensions HDF5 has, never empty for a scalar. */
#define LARDER_H5BOX_RANK H5S_MAX_RANK

struct larder_h5box {
    int rank; /* 0: a scalar, which is one box */
    hsize_t dims[LARDER_H5BOX_RANK];
    hsize_t shape[LARDER_H5BOX_RANK];
    hsize_t start[LARDER_H5BOX_RANK]; /* of the current box */
    hsize_t count[LARDER_H5BOX_RANK]; /* its clipped extent */
};

/* Start to walk.  shape's numbers are >= 1.  Returns 1 when there is a first box, else 0. */
int larder_h5box_first (struct larder_h5box *box, int rank, const hsize_t *dims,
                        const hsize_t *shape);

/* Go to the next box.  Returns 1, or 0 after the last. */
int larder_h5box_next (struct larder_h5box *box);

/* Elements in the current box. */
uint64_t larder_h5box_points (const struct larder_h5box *box);

/* The largest shape of whole rows (or, where a row is longer, of a part of one) that has at most
 * `limit` elements, and at least one. */
void larder_h5box_shape (int rank, const hsize_t *dims, uint64_t limit, hsize_t *shape);

/* Number of boxes, UINT64_MAX when it is not a 64-bit number. */
uint64_t larder_h5box_boxes (int rank, const hsize_t *dims, const hsize_t *shape);

#endif
