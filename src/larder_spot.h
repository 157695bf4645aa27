/* SPDX-License-Identifier: Apache-2.0 */
/* Where a path leads in the tree, and how something comes to stand there. */
#ifndef LARDER_SPOT_H
#define LARDER_SPOT_H

#include "larder_message.h"

struct larder_spot {
    struct larder_node *node;  /* as far as the path goes */
    const char *rest;          /* of the path: "": node is what it names */
    struct larder_node *above; /* list or map that has node; NULL: the message itself */
    uint64_t number;           /* in that */
};

/* The path has been checked. */
void larder_spot_reach (const larder_message *message, const char *path, struct larder_spot *spot);

/* LARDER_ENOENT, and how far the path goes. */
int larder_spot_missing (const char *path, const struct larder_spot *spot, larder_error *err);

/* Put a value where a path of `steps` names leads; maps on the way are made.  The path has been checked and is not
 * "".  fresh: its depth is steps; NIL afterwards.  LARDER_EKIND, LARDER_EINVAL (no index), LARDER_ERANGE,
 * LARDER_ENOMEM: message and fresh are as they were. */
int larder_spot_put (larder_message *message, const char *path, int steps,
                     struct larder_node *fresh, larder_error *err);

#endif
