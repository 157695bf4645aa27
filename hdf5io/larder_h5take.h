/* SPDX-License-Identifier: Apache-2.0 */
/* Items of a dataset object, apart from its description: decoded where they are chunks, and placed. */
#ifndef LARDER_H5TAKE_H
#define LARDER_H5TAKE_H

#include "larder_h5decode.h"
#include "larder_h5describe.h"
#include "larder_h5place.h"

/* No description is longer, so one that claims to be is damage. */
#define LARDER_H5TAKE_DESCRIPTION (UINT64_C (64) << 20)

/* Most bytes of an item. */
uint64_t larder_h5take_limit (const struct larder_h5describe *d);

/* Bytes of a cell's item where the dataset is not chunked. */
uint64_t larder_h5take_slab (const struct larder_h5describe *d, uint64_t cell);

/* Take a cell's whole item.  cell < d->cells.  Returns LARDER_OK, LARDER_EHDF5, LARDER_ENOMEM. */
int larder_h5take_cell (const struct larder_h5describe *d, struct larder_h5decode *decode,
                        struct larder_h5place *place, uint64_t cell, const void *data, size_t size,
                        larder_error *err);

/* The elements of a chunk from its whole item, as larder_h5decode_chunk has them. */
int larder_h5take_elements (const struct larder_h5describe *d, struct larder_h5decode *decode,
                            uint64_t cell, const void *data, size_t size, const void **elements,
                            larder_error *err);

#endif
