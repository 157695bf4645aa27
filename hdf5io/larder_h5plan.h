/* SPDX-License-Identifier: Apache-2.0 */
/* How the data of one dataset is cut into items; the same sum on both sides. */
#ifndef LARDER_H5PLAN_H
#define LARDER_H5PLAN_H

#include <hdf5.h>
#include <stdint.h>

/* Bytes of decoded chunks that HDF5 may keep of the one dataset that is open. */
#define LARDER_H5_CHUNK_CACHE (16u * 1024u * 1024u)

enum larder_h5mode {
    LARDER_H5_NOTHING, /* no stored values: null space, never written, virtual */
    LARDER_H5_CHUNKS, /* an item for each place in the grid of chunks, empty where none is stored */
    LARDER_H5_LISTED, /* stored chunks only; for grids too large to walk */
    LARDER_H5_ROWS,   /* slabs of plain values */
    LARDER_H5_PACKED, /* slabs of packed values */
    LARDER_H5_PACKED_CHUNKS, /* the same, chunk by chunk */
    LARDER_H5_MODES
};

struct larder_h5plan {
    enum larder_h5mode mode;
    int rank; /* 0: scalar */
    hsize_t dims[H5S_MAX_RANK];
    hsize_t box[H5S_MAX_RANK]; /* a chunk, or everything */
    hsize_t sub[H5S_MAX_RANK]; /* a slab in a box */
    uint64_t boxes, subs;      /* boxes; slabs in each */
    uint64_t items;
};

/* Lay out the items of a dataset.
 * \param chunk  Chunk extents, where mode needs them.
 * \param bytes  Of one value in memory.
 * \param slab   Bytes a slab should have.
 * \return 0, or -1 when there are more items than can be counted; for LISTED items stays 0. */
int larder_h5plan_make (struct larder_h5plan *plan, enum larder_h5mode mode, hid_t space,
                        const hsize_t *chunk, uint64_t bytes, uint64_t slab);

/* Where item lies: start of it, and its extents cut at the dataset's.
 * \return the number of values, 0 when it lies outside. */
uint64_t larder_h5plan_slab (const struct larder_h5plan *plan, uint64_t item, hsize_t *start,
                             hsize_t *count);

/* Where a box starts. */
void larder_h5plan_box (const struct larder_h5plan *plan, uint64_t box, hsize_t *start);

/* Select a slab; a memory space of the same extents.  -1: HDF5 failed. */
int larder_h5plan_select (const struct larder_h5plan *plan, hid_t space, const hsize_t *start,
                          const hsize_t *count, hid_t *memory);

#endif
