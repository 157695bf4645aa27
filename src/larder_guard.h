/* SPDX-License-Identifier: Apache-2.0 */
/* What each rank of a node says of itself in its guard line: the slot it views, a slot that it gives
 * back when its view ends, and until when it pauses.
 *
 * A line may go on without a rank that views one of its chunks.  The chunk's slot is then handed to the
 * viewer: who takes it out writes it into the viewer's kept word, then looks at the guard again; the
 * viewer clears its guard, then looks at its kept word.  One of the two sees the other; whoever
 * exchanges the kept word for 0 has the slot.  Kept words are written under the pool's lock, so a
 * rank has one at most: it views one slot at a time. */
#ifndef LARDER_GUARD_H
#define LARDER_GUARD_H

#include "larder_nodecache.h"

/* This rank views a slot, or none any more. */
void larder_guard_set (struct larder_nodecache *nc, uint32_t slot);
void larder_guard_clear (struct larder_nodecache *nc);

/* The lowest local rank that views a slot, or -1. */
int larder_guard_find (const struct larder_nodecache *nc, uint32_t slot);

/* Give a slot that stands in no directory any more back to its line's quota, or to a rank that views
 * it; for who has the pool's lock. */
void larder_guard_give (struct larder_nodecache *nc, int owner, int line, uint32_t slot);

/* This rank pauses until then, microseconds of the host's monotonic clock. */
void larder_guard_pause (struct larder_nodecache *nc, uint64_t until);
uint64_t larder_guard_paused (const struct larder_nodecache *nc, int local);

#endif
