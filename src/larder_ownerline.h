/* SPDX-License-Identifier: Apache-2.0 */
/* One line as its owner sees it: taking the bind record, reading the node's words, giving the line
 * up. */
#ifndef LARDER_OWNERLINE_H
#define LARDER_OWNERLINE_H

#include "larder_owner.h"

/* Take a new bind record, if there is one; answer it.  1: there was one; < 0: the transport failed. */
int larder_ownerline_look (struct larder_owner *owner, struct larder_owner_line *line,
                           larder_error *err);

/* Read the words of an active line.  Returns the number of things that moved, or < 0. */
int larder_ownerline_update (struct larder_owner *owner, struct larder_owner_line *line,
                             larder_error *err);

/* Chunks of an object that cannot be made again have gone: who of a node has not begun fails, unless a
 * line of the node may still have them all. */
void larder_ownerline_too_late (struct larder_owner *owner, int place, int node);

/* A rank may have said already that it has the object: book it. */
void larder_ownerline_success (struct larder_owner *owner, struct larder_owner_line *line,
                               int rank);

/* Everybody who takes part is final on the object already. */
int larder_ownerline_forsaken (const struct larder_owner *owner,
                               const struct larder_owner_line *line);

/* Give a line up: its ranks are told the reason. */
void larder_ownerline_drop (struct larder_owner *owner, struct larder_owner_line *line,
                            const larder_error *why);

/* The same, and it is their verdict. */
void larder_ownerline_fail (struct larder_owner *owner, struct larder_owner_line *line,
                            const larder_error *why);

#endif
