/* SPDX-License-Identifier: Apache-2.0 */
/* A consumer that holds the last step back: what has come whole gets its name only when every rank
 * has agreed, so that a run that fails leaves no copy anywhere. */
#ifndef LARDER_LANDING_H
#define LARDER_LANDING_H

#include <larder/consumer.h>

struct larder_landing {
    larder_consumer inner;
    int whole;     /* 1: everything has come */
    int ended;     /* 1: inner was told how it ended */
    int committed; /* 1: the file has its name */
};

/* Stand before inner, which is borrowed with its self. */
larder_consumer larder_landing_consumer (struct larder_landing *landing,
                                         const larder_consumer *inner);

/* Finish: inner's download_completed. */
int larder_landing_commit (struct larder_landing *landing, larder_error *err);

/* Undo, unless it was finished or undone: inner's download_failed. */
void larder_landing_drop (struct larder_landing *landing, const larder_error *why);

#endif
