/* SPDX-License-Identifier: Apache-2.0 */
/* From the elements of a cell to the caller's memory, as H5Dread would place and convert them.
 *
 * A selection of the file is regular, or else becomes a list of runs, sorted by cell.  The memory
 * behind it is always a regular selection: of the caller's buffer, or of a dense copy that
 * H5Dscatter spreads at the end, where the caller's own selection is irregular or points.
 * (H5Sselect_project_intersection of HDF5 1.10 crashes on some irregular selections.) */
#ifndef LARDER_H5PLACE_H
#define LARDER_H5PLACE_H

#include "larder_h5describe.h"
#include "larder_h5regular.h"

/* Elements that lie side by side in one cell and follow each other in the selection. */
struct larder_h5run {
    uint64_t cell;
    uint64_t index; /* of the first in the cell */
    uint64_t k;     /* its place in the order of the selection */
    uint64_t count;
};

struct larder_h5place {
    const struct larder_h5describe *d;
    hid_t file_space, memory_space; /* the caller's, or the dataset's */
    hsize_t shift[H5S_MAX_RANK];    /* of the file's selection, by H5Soffset_simple */
    hid_t memory_type;
    size_t size[2]; /* bytes of an element: in the file's type, in the memory's */
    int convert;    /* types differ */
    int keep;       /* conversion may leave parts of an element as they were */
    uint64_t points;
    hsize_t low[H5S_MAX_RANK], high[H5S_MAX_RANK]; /* bounds of the file's selection */
    int regular;                                   /* the file's selection is; then: */
    struct larder_h5regular file;
    struct larder_h5run *run; /* or these are it, sorted by cell */
    size_t runs;
    char *caller; /* the caller's buffer */
    char *target; /* the same, or the dense copy */
    struct larder_h5regular memory;
    int direct; /* bytes of a slab can be copied as they come */
    char *scratch[2];
    size_t scratch_size[2];
};

/* Look at the arguments of a read.  Returns LARDER_OK, LARDER_EINVAL, LARDER_ENOMEM, LARDER_EHDF5;
 * place is to be ended in any case.  points may be 0: then nothing is to be read. */
int larder_h5place_begin (struct larder_h5place *place, const struct larder_h5describe *d,
                          hid_t memory_type, hid_t memory_space, hid_t file_space, void *buffer,
                          larder_error *err);

/* larder_h5place_runs.c: make the list of runs.  LARDER_OK, LARDER_ENOMEM, LARDER_EHDF5. */
int larder_h5place_runs (struct larder_h5place *place, larder_error *err);

/* All cells are placed: finish the caller's buffer. */
int larder_h5place_finish (struct larder_h5place *place, larder_error *err);

void larder_h5place_end (struct larder_h5place *place);

/* Place what is selected of a cell.  elements: row-major, in the cell's full shape when chunked,
 * else in the box's. */
int larder_h5place_cell (struct larder_h5place *place, uint64_t cell, const void *elements,
                         larder_error *err);

/* 1 when a cell holds something of the selection. */
int larder_h5place_touches (const struct larder_h5place *place, uint64_t cell);

/* Where a slab begins in the dataset, in bytes of its type in row-major order. */
uint64_t larder_h5place_begins (const struct larder_h5place *place, uint64_t cell);

/* Place bytes of a slab, from offset in the cell on; where direct is 1. */
void larder_h5place_bytes (struct larder_h5place *place, uint64_t cell, uint64_t offset,
                           const void *data, size_t size);

#endif
