/* SPDX-License-Identifier: Apache-2.0 */
/* A set of numbers that come mostly in order, kept as intervals: what an owner has ever produced. */
#ifndef LARDER_INTERVALS_H
#define LARDER_INTERVALS_H

#include <larder/error.h>
#include <stdint.h>

struct larder_interval {
    uint64_t first, end;
};

struct larder_intervals {
    struct larder_interval *list; /* ascending, with gaps between */
    uint64_t count, capacity;
};

void larder_intervals_free (struct larder_intervals *set);
int larder_intervals_has (const struct larder_intervals *set, uint64_t number);
/* LARDER_OK, LARDER_ENOMEM. */
int larder_intervals_add (struct larder_intervals *set, uint64_t number, larder_error *err);

#endif
