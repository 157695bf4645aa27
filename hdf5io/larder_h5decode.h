/* SPDX-License-Identifier: Apache-2.0 */
/* Stored chunks to elements, by HDF5 itself unless they are the usual ones (larder_h5unzip.h): a dataset of one chunk in a file that exists in memory
 * only takes the stored bytes and is read.  Fill values for what was never written. */
#ifndef LARDER_H5DECODE_H
#define LARDER_H5DECODE_H

#include "larder_h5describe.h"

#include <stddef.h>
#include <stdint.h>

struct larder_h5decode {
    const struct larder_h5describe *d;
    hid_t file, id; /* open once a chunk needed them */
    void *elements; /* of one chunk */
    void *scratch;  /* as large */
    int filled;     /* elements holds fill values */
};

/* LARDER_OK, or LARDER_ENOTSUP when this process lacks a filter. */
int larder_h5decode_check (const struct larder_h5describe *d, larder_error *err);

void larder_h5decode_init (struct larder_h5decode *decode, const struct larder_h5describe *d);
void larder_h5decode_end (struct larder_h5decode *decode);

/* Give up the memory for a chunk until it is needed again. */
void larder_h5decode_rest (struct larder_h5decode *decode);

/* The elements of a chunk from its item.  partial: it reaches over the dataset's edge.
 * *elements: in the chunk's shape, valid until the next call or as long as item is; NULL when
 * nothing was written and nothing is filled. */
int larder_h5decode_chunk (struct larder_h5decode *decode, const void *item, size_t size,
                           int partial, const void **elements, larder_error *err);

#endif
