/* SPDX-License-Identifier: Apache-2.0 */
/* Which chunks a line is told to be ready, which were taken back, and which it waits for next. */
#ifndef LARDER_OWNERREADY_H
#define LARDER_OWNERREADY_H

#include "larder_owner.h"

/* Tell all active lines which of the chunks they want are ready; mark those that wait for one.  Returns how
 * many were told, or < 0. */
int larder_ownerready_serve (struct larder_owner *owner, larder_error *err);

/* A cached chunk is about to go: take it back from the line.  -1: somebody here views it. */
int larder_ownerready_retract (struct larder_owner *owner, struct larder_owner_line *line,
                               const struct larder_cached *entry);

/* The line's cursor rises to this. */
void larder_ownerready_passed (const struct larder_owner *owner, struct larder_owner_line *line,
                               uint64_t cursor);

/* Say everything again to a new holder. */
int larder_ownerready_repeat (struct larder_owner *owner, struct larder_owner_line *line,
                              larder_error *err);

#endif
