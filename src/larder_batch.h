/* SPDX-License-Identifier: Apache-2.0 */
/* Lazy values sorted into batches: those of one object together, in the order of its items. */
#ifndef LARDER_BATCH_H
#define LARDER_BATCH_H

#include "larder_message.h"

/* One value.  Values of two datums that are the same items of the same object stand side by side. */
struct larder_batched {
    struct larder_datum *datum;
    uint64_t order; /* its place in the message: errors are told in this order */
};

/* One object's. */
struct larder_batch {
    struct larder_batched *values;
    uint64_t count;
    int rest;  /* 1: the message has other values of this object whose data is not here */
    int whole; /* for who pulls: 1: one download took the whole object, and told the owner so */
    int code;  /* likewise: what a value failed with */
};

struct larder_batches {
    struct larder_batch *batch;
    uint64_t count;
    struct larder_batched *values;
    uint64_t value_count;
};

/* Sort the values at a place and below it that `wanted` says 1 of (NULL: all that have a ref).  On failure nothing
 * is to be freed.  LARDER_ENOMEM, LARDER_EREF. */
int larder_batch_sort (const larder_message *message, const struct larder_node *place,
                       int (*wanted) (const struct larder_datum *datum),
                       struct larder_batches *batches, larder_error *err);
void larder_batch_free (struct larder_batches *batches);

#endif
