/* SPDX-License-Identifier: Apache-2.0 */
/* The values of a list or map: one array, in order, and for maps of more than a few a hash index. */
#ifndef LARDER_CHILDREN_H
#define LARDER_CHILDREN_H

#include "larder_message.h"

/* NULL: no memory, or more room than a list or map can have. */
struct larder_children *larder_children_new (larder_kind kind, uint64_t room);

/* Free it with its names; what stands in its nodes is the caller's. */
void larder_children_free (struct larder_children *children);

/* Room for so many more.  LARDER_ERANGE, LARDER_ENOMEM. */
int larder_children_reserve (struct larder_children *children, larder_kind kind, uint64_t more,
                             larder_error *err);

/* 1 and its number when a value of this name is there; in a list, of this index. */
int larder_children_find (const struct larder_children *children, larder_kind kind,
                          const char *name, size_t length, uint64_t *number);

/* One more, its node all zero.  The name of a map's is not in it yet.  LARDER_ERANGE, LARDER_ENOMEM. */
int larder_children_add (struct larder_children *children, larder_kind kind, const char *name,
                         size_t length, struct larder_node **child, larder_error *err);

/* One more that has a name in memory of its own (a list: NULL), into room that is there: cannot
 * fail. */
struct larder_node *larder_children_put (struct larder_children *children, char *name);

/* One less; those behind it move up.  What stood in its node is the caller's. */
void larder_children_take (struct larder_children *children, uint64_t number);

#endif
