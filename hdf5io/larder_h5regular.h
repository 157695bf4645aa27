/* SPDX-License-Identifier: Apache-2.0 */
/* Regular selections (everything, or one hyperslab of equal blocks) without HDF5.
 *
 * What is selected along one dimension has an ordinal there, and ordinals form a dense array whose
 * row-major order is the order of the selection.  So a box of the space holds a box of ordinals,
 * and element k of a selection is found by division. */
#ifndef LARDER_H5REGULAR_H
#define LARDER_H5REGULAR_H

#include <hdf5.h>
#include <stdint.h>

struct larder_h5regular {
    int rank; /* >= 1: a scalar is one element of one dimension */
    hsize_t dims[H5S_MAX_RANK];
    hsize_t start[H5S_MAX_RANK], stride[H5S_MAX_RANK];
    hsize_t count[H5S_MAX_RANK], block[H5S_MAX_RANK];
    uint64_t points;
    /* Found once: ordinals and elements that one step along a dimension is worth. */
    uint64_t ordinals[H5S_MAX_RANK], elements[H5S_MAX_RANK];
};

/* Read a space's selection; 1: it is regular, 0: it is not (or nothing is selected), -1: HDF5
 * failed.  shift: what H5Soffset_simple added to it (modulo 2^64). */
int larder_h5regular_of (struct larder_h5regular *r, hid_t space, const hsize_t *shift);

/* Everything of one dimension. */
void larder_h5regular_line (struct larder_h5regular *r, uint64_t points);

/* The same selection with full inner dimensions merged, so that runs are as long as they can be. */
void larder_h5regular_merge (struct larder_h5regular *r);

/* 1 when it is one run of consecutive elements. */
int larder_h5regular_is_run (const struct larder_h5regular *r);

/* Element (in row-major order of the space) of ordinal k < points; *run: how many ordinals from k
 * on lie side by side. */
uint64_t larder_h5regular_locate (const struct larder_h5regular *r, uint64_t k, uint64_t *run);

/* Ordinals along dimension d whose coordinate is below x. */
hsize_t larder_h5regular_below (const struct larder_h5regular *r, int d, hsize_t x);

#endif
