/* SPDX-License-Identifier: Apache-2.0 */
/* A consumer that hands on whole items, however they were cut into views: from the view where it
 * holds one, else from a buffer of one item.  Or parts as they come, for whoever wants these. */
#ifndef LARDER_H5COLLECT_H
#define LARDER_H5COLLECT_H

#include <larder/consumer.h>
#include <stddef.h>
#include <stdint.h>

struct larder_h5collect {
    void *self;
    /* One of the two: a whole item, or bytes of it from `offset` on. */
    int (*take_item) (void *self, uint64_t item, const void *data, size_t size, larder_error *err);
    int (*take_part) (void *self, uint64_t item, uint64_t offset, const void *data, size_t size,
                      larder_error *err);
    /* 0: take_item is not called for this one, nor is it kept; NULL: it is called for all. */
    int (*wants_item) (void *self, uint64_t item);
    uint64_t limit; /* bytes that an item may have at most */
    /* Own. */
    char *buffer;
    size_t size, room;
    int code; /* the first failure, and what it said */
    larder_error why;
};

larder_consumer larder_h5collect_consumer (struct larder_h5collect *collect);

/* After a download: its code, or what a take function failed with, then also in err. */
int larder_h5collect_end (struct larder_h5collect *collect, int code, larder_error *err);

#endif
