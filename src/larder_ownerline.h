/* SPDX-License-Identifier: Apache-2.0 */
/* One line as its owner sees it: taking the bind record, reading the node's words, telling what is
 * ready, giving the line up. */
#ifndef LARDER_OWNERLINE_H
#define LARDER_OWNERLINE_H

#include "larder_owner.h"

/* Take a new bind record, if there is one; answer it.  1: there was one; < 0: the transport failed. */
int larder_ownerline_look (struct larder_owner *owner, struct larder_owner_line *line,
                           larder_error *err);

/* Read the words of an active line.  Returns the number of things that moved, or < 0. */
int larder_ownerline_update (struct larder_owner *owner, struct larder_owner_line *line, double now,
                             larder_error *err);

/* Tell all active lines which of the chunks they want are ready; mark those that wait for one. */
int larder_ownerline_serve (struct larder_owner *owner, double now, larder_error *err);

/* A cached chunk is about to go: take it back from the line.  -1: somebody here views it. */
int larder_ownerline_retract (struct larder_owner *owner, struct larder_owner_line *line,
                              const struct larder_cached *entry);

/* Give a line up: its ranks get the reason. */
void larder_ownerline_fail (struct larder_owner *owner, struct larder_owner_line *line,
                            const larder_error *why);

#endif
