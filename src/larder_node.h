/* SPDX-License-Identifier: Apache-2.0 */
/* What stands at one place of a message's tree.  Depths are bounded, so recursion is. */
#ifndef LARDER_NODE_H
#define LARDER_NODE_H

#include "larder_message.h"

/* Free what it has, with all below it; it is NIL then. */
void larder_node_release (struct larder_node *node);

/* `to` is what `from` was, which is NIL then; their depths, and what is below them, fit. */
void larder_node_move (struct larder_node *to, struct larder_node *from);

/* How deep a tree hangs below it: 0 when nothing does. */
int larder_node_height (const struct larder_node *node);

/* A copy, with texts of its own.  Data is shared: the datums themselves in the same message; else each has one new
 * one, however many places name it.  to: NIL, of the depth it will have.  LARDER_ENOMEM: it is NIL
 * still. */
int larder_node_copy (const struct larder_node *from, struct larder_node *to, int same_message,
                      larder_error *err);

#endif
