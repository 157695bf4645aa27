/* SPDX-License-Identifier: Apache-2.0 */
/* What an owner does with a bind record: whether it can be served, and where the line begins. */
#ifndef LARDER_OWNERBIND_H
#define LARDER_OWNERBIND_H

#include "larder_owner.h"

/* Who asks, and is not refused, is answered later: when the object can be promised two slots. */
int larder_ownerbind_waits (struct larder_owner *owner, const struct larder_owner_line *line,
                            const struct larder_bind *bind);

/* LARDER_OK, or why it cannot be served; LARDER_EBUSY: not yet, the node is to ask again. */
int larder_ownerbind_refusal (struct larder_owner *owner, const struct larder_bind *bind,
                              const struct larder_owner_line *line, larder_error *why);

/* It was refused.  Should all that it brings be that its rank gives the transaction up, that is booked
 * nevertheless, if the transaction lives. */
int larder_ownerbind_cancel (struct larder_owner *owner, const struct larder_bind *bind,
                             const struct larder_owner_line *line, larder_error *err);

/* A bind record with a ref that was split: what that changes in the books is done before the node is told
 * whom to expect.  LARDER_OK, or why the rank that binds is refused, and it alone.  *lost: as
 * larder_txn_acquired. */
int larder_ownerbind_split (struct larder_owner *owner, const struct larder_bind *bind, int *lost,
                            larder_error *why);

/* LARDER_OK, or the code with which the owner has given up the rank that binds: what it would get now
 * could not be booked any more.  Others may be in the line. */
int larder_ownerbind_given_up (const struct larder_owner *owner, const struct larder_bind *bind,
                               const struct larder_owner_line *line, larder_error *why);

/* The line begins to serve.  On failure it is as it was. */
int larder_ownerbind_activate (struct larder_owner *owner, struct larder_owner_line *line,
                               const struct larder_bind *bind, larder_error *why);

#endif
