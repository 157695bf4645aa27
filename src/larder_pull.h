/* SPDX-License-Identifier: Apache-2.0 */
/* Pulling lazy values: batches of several objects and owners at once, each batch in runs of neighbouring items. */
#ifndef LARDER_PULL_H
#define LARDER_PULL_H

#include "larder_batch.h"
#include "larder_handle.h"
#include <larder/resolve.h>

/* The failure that stands first in the message. */
struct larder_pull_failure {
    int set;
    uint64_t order;
    larder_error error;
};

/* Note a failure with this code; `why` is copied when it stands before the one that is there. */
void larder_pull_fail (struct larder_pull_failure *failure, uint64_t order, int code,
                       const larder_error *why);

/* Pull all values of the batches.  Datums whose data came have it; the others are as before, and the batch has
 * the code. */
void larder_pull (larder *session, struct larder_batches *batches,
                  const larder_resolve_options *options, struct larder_pull_failure *failure);

/* A datum gets what a handler made.  keep_ref: it is a placeholder.  On failure what was made is freed.
 * LARDER_ENOVALUE, LARDER_EINCOMPLETE (an array of another shape), LARDER_ENOMEM. */
int larder_pull_take (struct larder_datum *datum, const larder_made *made, int keep_ref,
                      larder_error *err);

#endif
