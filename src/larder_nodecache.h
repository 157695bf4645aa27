/* SPDX-License-Identifier: Apache-2.0 */
/* A node's shared side of the protocol: its segment, its lines, positions and directories.
 *
 * A line serves all ranks of the node that download the same object.  Each rank has a position (the
 * lowest chunk it still needs); the line's cursor is the lowest of them.  The directory says in which
 * slot a chunk stands here.  Joining, leaving and raising the cursor happen under the node's lock,
 * looking up a chunk needs none. */
#ifndef LARDER_NODECACHE_H
#define LARDER_NODECACHE_H

#include "larder_pool.h"
#include "larder_topology.h"
#include "larder_wire.h"

#define LARDER_POSITION_NONE UINT64_MAX
/* Of a rank that has all it wants and has not left yet. */
#define LARDER_POSITION_DONE (UINT64_MAX - 1)

/* The line went on without this rank: it is not in it any more. */
#define LARDER_NODECACHE_DETACHED (-1)

struct larder_nodecache {
    unsigned char *base;
    struct larder_wire_layout layout;
    const struct larder_topology *topology;
    struct larder_pool *pool;
    int rank, node, local;
    const int *owners; /* ranks */
    int *owner_home;   /* number of each owner among the owners of its node */
    int owner_count;
};

/* Words of the segment. */
static inline larder_word *larder_nodecache_word (const struct larder_nodecache *nc, size_t offset)
{
    return (larder_word *)(void *)(nc->base + offset);
}

struct larder_line *larder_nodecache_line (const struct larder_nodecache *nc, int owner, int line);
larder_word *larder_nodecache_positions (const struct larder_nodecache *nc, int owner, int line);
larder_word *larder_nodecache_states (const struct larder_nodecache *nc, int owner, int line);
larder_word *larder_nodecache_splits (const struct larder_nodecache *nc, int owner, int line);
struct larder_slot_header *larder_nodecache_slot (const struct larder_nodecache *nc, uint32_t slot);

/* What a rank wants to join for. */
struct larder_want {
    int owner; /* number in the list of owners */
    uint64_t object, transaction;
    uint64_t first_item, end_item;
    uint64_t from;  /* as in the bind record */
    uint64_t split; /* count of the split word, 0: the ref was not split */
    int impatient;  /* it has waited for a line: those that only wait for others are to end */
};

struct larder_joined {
    int line;
    uint64_t life;
    int binds;         /* 1: a new life, its bind record must be written */
    int extended;      /* 1: the line's end grew, the end word must be written */
    uint64_t end_item; /* the line's */
    uint64_t raised;   /* a bit per line that does not wait for this rank any more: to be told */
};

/* Join a line of the object, or bind a new one.  LARDER_OK; LARDER_AGAIN when lines are free only after
 * the owner has closed some; LARDER_EBUSY when all are taken, or two slots cannot be promised.
 * joined->raised is valid whatever is returned. */
int larder_nodecache_join (struct larder_nodecache *nc, const struct larder_want *want,
                           struct larder_joined *joined);

/* The owner's answer is here: positions and cursor start at its first chunk.  expected: a bit per
 * local rank, NULL: none. */
void larder_nodecache_begin (struct larder_nodecache *nc, int owner, int line,
                             const struct larder_info *info, const uint64_t *expected);
/* The answer of the present life, LARDER_AGAIN when it has not come. */
int larder_nodecache_info (const struct larder_nodecache *nc, int owner, int line, uint64_t life,
                           struct larder_info *info);

/* The owner has said again whom it expects: the line does not wait for others that have not come.
 * Returns as larder_nodecache_leave. */
int larder_nodecache_expect (struct larder_nodecache *nc, int owner, int line, uint64_t life,
                             const uint64_t *expected);

/* This rank is still in the line. */
int larder_nodecache_member (const struct larder_nodecache *nc, int owner, int line, uint64_t life);

/* This rank needs nothing below `position` any more.  Returns 1 when the line's cursor rose (it is to
 * be told to the owner), else 0; or LARDER_NODECACHE_DETACHED. */
int larder_nodecache_advance (struct larder_nodecache *nc, int owner, int line, uint64_t life,
                              uint64_t position);

/* This rank is through; state is the count of its state word.  Returns 2 when the line is through with
 * it (its end is to be told), 1 when the cursor rose, else 0; or LARDER_NODECACHE_DETACHED, and then
 * nothing has changed. */
int larder_nodecache_leave (struct larder_nodecache *nc, int owner, int line, uint64_t life,
                            uint64_t state);

/* Do not wait any longer for ranks that the owner counted on and that have not come, unless they had
 * announced a pause that lasted beyond `since` (microseconds of the host's monotonic clock).  Returns 1
 * when the line's cursor rose. */
int larder_nodecache_do_without (struct larder_nodecache *nc, int owner, int line, uint64_t life,
                                 uint64_t since);

/* Raise the line's cursor to its lowest position; for who has the pool's lock.  1: it rose. */
int larder_nodecache_raise_locked (struct larder_nodecache *nc, int owner, int line);

/* The owner has closed this life: the line is free for the next. */
void larder_nodecache_closed (struct larder_nodecache *nc, int owner, int line, uint64_t life);

/* The owner gave the life up. */
void larder_nodecache_fail (struct larder_nodecache *nc, int owner, int line, uint64_t life,
                            int code, const char *text);
/* 0, or the code with which the owner gave the life up. */
int larder_nodecache_failed (const struct larder_nodecache *nc, int owner, int line, uint64_t life);

/* The cursor word to tell: {life, chunk}, or the end. */
uint64_t larder_nodecache_cursor (const struct larder_nodecache *nc, int owner, int line);

/* Directory. */
uint32_t larder_nodecache_lookup (const struct larder_nodecache *nc, int owner, int line,
                                  uint64_t life, uint64_t chunk); /* slot, or LARDER_POOL_NONE */
/* Put a fetched chunk's slot in.  0; -1 when it is there already, or nobody needs it any more: the slot
 * is still the caller's. */
int larder_nodecache_publish (struct larder_nodecache *nc, int owner, int line, uint64_t life,
                              uint64_t chunk, uint32_t slot);
/* At the owner's home: take a chunk out again.  -1 when somebody views it; it then stays in, unless
 * force is set: then only the slot must be kept until the view ends. */
int larder_nodecache_retract (struct larder_nodecache *nc, int owner, int line, uint64_t life,
                              uint64_t chunk, uint32_t slot, int force);
/* At the owner's home: put a chunk in; the line's slots are the owner's, not the line's. */
void larder_nodecache_show (struct larder_nodecache *nc, int owner, int line, uint64_t life,
                            uint64_t chunk, uint32_t slot);

/* Guard a slot while it is viewed.  _guard returns 0, or -1 when the chunk has gone. */
int larder_nodecache_guard (struct larder_nodecache *nc, int owner, int line, uint64_t life,
                            uint64_t chunk, uint32_t slot);
void larder_nodecache_unguard (struct larder_nodecache *nc);
int larder_nodecache_guarded (const struct larder_nodecache *nc, uint32_t slot);

#endif
