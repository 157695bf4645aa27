/* SPDX-License-Identifier: Apache-2.0 */
/* The description of a dataset object, its item 0: what a receiver must know to find, decode and
 * convert the others.
 *
 * Item 1 + c is cell c of the dataset cut into boxes of one shape, in row-major order.  A chunk as
 * it is stored has a header in front: filter mask (4 bytes), flags (4), bytes that follow (8), all
 * little-endian.  Of other layouts an item is the box's elements in the file's type. */
#ifndef LARDER_H5DESCRIBE_H
#define LARDER_H5DESCRIBE_H

#include "larder_h5box.h"

#include <hdf5.h>
#include <larder/error.h>
#include <stddef.h>
#include <stdint.h>

#define LARDER_H5CHUNK_HEADER  16
#define LARDER_H5CHUNK_WRITTEN 1u /* flag; without it the chunk holds fill values */

struct larder_h5describe_filter {
    H5Z_filter_t id;
    unsigned flags;
    char *name;
    size_t count;
    unsigned *values;
};

struct larder_h5describe {
    hid_t type, space;
    size_t element; /* bytes of the type */
    int chunked;    /* items are stored chunks */
    int plain_edge; /* chunks that reach over the edge are stored without filters */
    int rank;       /* 0: a scalar, or no space at all */
    hsize_t dims[H5S_MAX_RANK];
    hsize_t shape[H5S_MAX_RANK]; /* of a cell */
    uint64_t cells;
    size_t filters;
    struct larder_h5describe_filter *filter;
    H5D_fill_value_t fill_defined;
    int fill_skips; /* what was never written leaves the reader's memory as it is */
    void *fill;     /* one element */
};

/* Describe a dataset: everything but its cells' shape, which the caller sets where the layout has
 * none, and cells.  Returns LARDER_OK or a negative code; d is to be freed in any case. */
int larder_h5describe_dataset (struct larder_h5describe *d, hid_t dataset, const char *name,
                               larder_error *err);

/* Item 0, malloced.  Returns LARDER_OK, LARDER_ENOMEM, LARDER_ENOTSUP. */
int larder_h5describe_encode (const struct larder_h5describe *d, const char *name, void **bytes,
                              size_t *size, larder_error *err);

/* Read item 0.  Returns LARDER_OK or LARDER_EHDF5, LARDER_ENOMEM; d is to be freed in any case. */
int larder_h5describe_decode (struct larder_h5describe *d, const void *bytes, size_t size,
                              larder_error *err);

void larder_h5describe_free (struct larder_h5describe *d);

/* Bytes of a cell of full shape, 0 when memory cannot hold it. */
size_t larder_h5describe_cell_bytes (const struct larder_h5describe *d);

/* Where a cell lies: its start, and its extents cut at the dataset's edge. */
void larder_h5describe_box (const struct larder_h5describe *d, uint64_t cell,
                            struct larder_h5box *box);

/* What a type holds that cannot travel as it is stored; NULL: nothing. */
const char *larder_h5describe_reason (hid_t type);

#endif
