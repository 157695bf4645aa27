/* SPDX-License-Identifier: Apache-2.0 */
/* What an owner writes for a line: into its holder's mailbox, or at home straight into the node's
 * words.  Each returns < 0 when the transport failed. */
#ifndef LARDER_OWNERMAIL_H
#define LARDER_OWNERMAIL_H

#include "larder_owner.h"

static inline int larder_ownermail_home (const struct larder_owner *owner,
                                         const struct larder_owner_line *line)
{
    return line->node == owner->words.nodecache->node;
}

/* The answer to a bind record. */
int larder_ownermail_info (struct larder_owner *owner, struct larder_owner_line *line,
                           larder_error *err);

/* The life is given up. */
int larder_ownermail_failed (struct larder_owner *owner, struct larder_owner_line *line, int code,
                             const char *text, larder_error *err);

/* Only one rank of it is given up. */
int larder_ownermail_dismissed (struct larder_owner *owner, struct larder_owner_line *line,
                                int local, int code, const char *text, larder_error *err);

/* The line has ended with the word `end` (what is above LARDER_CURSOR_END): its node may use it again.
 * Returns 1. */
int larder_ownermail_closed (struct larder_owner *owner, struct larder_owner_line *line,
                             uint64_t end, larder_error *err);

/* A chunk is ready; it is not any more. */
int larder_ownermail_ready (struct larder_owner *owner, struct larder_owner_line *line,
                            struct larder_cached *entry, larder_error *err);
int larder_ownermail_gone (struct larder_owner *owner, struct larder_owner_line *line,
                           uint64_t chunk, larder_error *err);

#endif
