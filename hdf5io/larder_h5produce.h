/* SPDX-License-Identifier: Apache-2.0 */
/* Items of a source: their sizes and bytes.  One dataset is open and one item in memory at a time,
 * so nothing grows with the data. */
#ifndef LARDER_H5PRODUCE_H
#define LARDER_H5PRODUCE_H

#include "larder_h5set.h"
#include "larder_h5source.h"

/* A packed item: its size is known only by making it. */
struct larder_h5packed {
    uint64_t item; /* 0: none */
    struct larder_h5out bytes;
};

struct larder_h5producer {
    struct larder_h5source *source;
    uint32_t open; /* set, or LARDER_H5MAP_NONE */
    struct larder_h5opened opened;
    struct larder_h5plan plan;
    char where[256];

    uint64_t kept; /* the item in bytes; 0: none */
    uint8_t *bytes;
    size_t size, room;
    /* Sizes may be asked one item ahead of production. */
    struct larder_h5packed packed[2];
    int turn;
};

void larder_h5producer_end (struct larder_h5producer *producer);

/* Exact size of an item. */
int larder_h5producer_size (struct larder_h5producer *producer, uint64_t item, uint64_t *size,
                            larder_error *err);

/* Bytes [offset, offset + *produced) of an item. */
int larder_h5producer_part (struct larder_h5producer *producer, uint64_t item, uint64_t offset,
                            void *buffer, size_t capacity, size_t *produced, int *last,
                            larder_error *err);

#endif
