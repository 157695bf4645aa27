/* SPDX-License-Identifier: Apache-2.0 */
/* A value as users see it, from and to a node of the tree. */
#ifndef LARDER_VALUE_H
#define LARDER_VALUE_H

#include "larder_message.h"

/* Make a node of a value.  node: NIL.  LARDER_EINVAL, LARDER_ERANGE, LARDER_EREF, LARDER_ENOMEM: nothing
 * has been taken over. */
int larder_value_take (const larder_value *value, struct larder_node *node, larder_error *err);

/* Undo that: the node is NIL, and the data is the caller's again. */
void larder_value_return (struct larder_node *node);

void larder_value_show (const struct larder_node *node, larder_value *value);

#endif
