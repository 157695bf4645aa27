/* SPDX-License-Identifier: Apache-2.0 */
/* Cells that are decoded once per node: the ranks of a node walk through the same cells in order; who comes to one first
 * decodes it, into a ring that they share, the others go on to the next and take it from the ring when it is there.
 *
 * Cell c stands at place c mod places, which is free when all ranks have placed what stood there before: so a rank waits
 * for whoever decodes the first cell that it lacks, or for one that has fallen behind.  No rank waits while it has begun a
 * cell itself, and what those behind need has come by already: nobody waits in a circle. */
#ifndef LARDER_H5EXCHANGE_H
#define LARDER_H5EXCHANGE_H

#include <larder/shared.h>
#include <stddef.h>
#include <stdint.h>

enum { LARDER_H5EXCHANGE_PLACES = 64 };

struct larder_h5exchange {
    /* Given. */
    void *self;
    int (*place) (void *self, uint64_t cell, const void *elements, larder_error *err);
    /* Own. */
    larder_shared *memory;
    uint64_t places, cells;
    size_t bytes, stride; /* of a cell, and from one place to the next */
    int me, ranks;        /* on the node */
    double timeout_s;
    int heard;                                      /* 1: it failed since another rank did */
    uint64_t next;                                  /* the first cell that is not placed */
    unsigned char placed[LARDER_H5EXCHANGE_PLACES]; /* of the cells behind it, by place */
};

/* takes: this rank will ask for every cell; else it needs none.  Collective over the session.  The same code on all
 * ranks; on failure nothing is to be closed. */
int larder_h5exchange_open (larder *session, uint64_t cells, size_t cell_bytes, int takes,
                            struct larder_h5exchange *exchange, larder_error *err);

/* The next cell comes by; in order, each one.  1: this rank is to decode it, place it and give it; 0: it has
 * it, or will get it; < 0: LARDER_ECONSUMER (another rank has failed), LARDER_ETIMEDOUT, what `place` returned. */
int larder_h5exchange_ask (struct larder_h5exchange *exchange, uint64_t cell, larder_error *err);

/* It is decoded and placed.  elements: NULL where there is nothing to place. */
void larder_h5exchange_give (struct larder_h5exchange *exchange, uint64_t cell,
                             const void *elements);

/* All cells have come by: wait for those that others decode.  Returns as larder_h5exchange_ask. */
int larder_h5exchange_finish (struct larder_h5exchange *exchange, larder_error *err);

/* This rank will not decode what it has begun. */
void larder_h5exchange_fail (struct larder_h5exchange *exchange);

/* Collective over the ranks of the node.  May be closed already, or never opened ({0}). */
void larder_h5exchange_close (struct larder_h5exchange *exchange);

#endif
