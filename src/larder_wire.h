/* SPDX-License-Identifier: Apache-2.0 */
/* The words that ranks share: where each stands, who writes it, who reads it, how long it lives.
 *
 * Every node has one segment of shared memory with the same layout everywhere.  Each rank exposes its
 * node's whole segment in one window, so a word is addressed by (rank, offset).
 *
 * | word            | stands in                   | written by            | read by         | lives  |
 * |-----------------|-----------------------------|-----------------------|-----------------|--------|
 * | bind record     | request[owner][node][line]  | rank that binds       | owner           | a life |
 * | cursor (MAX)    | request                     | any rank of the node  | owner           | a life |
 * | want (MAX)      | request                     | any rank of the node  | owner           | a life |
 * | end (MAX)       | request                     | any rank of the node  | owner           | a life |
 * | holder (MAX)    | request                     | rank that takes over  | owner           | a life |
 * | state (MAX)     | request, one per local rank | that rank             | owner           | a life |
 * | split (MAX)     | request, one per local rank | that rank             | owner           | a life |
 * | info record     | mailbox[owner][line][rank]  | owner                 | that rank       | a life |
 * | closed          | mailbox                     | owner                 | ranks of node   | for ever |
 * | failed record   | mailbox                     | owner                 | that rank       | a life |
 * | ready ring      | mailbox                     | owner                 | that rank       | a life |
 * | line, positions | line[owner][line]           | ranks of the node     | ranks of node   | a life |
 * | splits          | line[owner][line]           | that rank             | ranks of node   | a life |
 * | directory       | line                        | holder; owner at home | ranks of node   | a life |
 * | guard           | guard[rank]                 | that rank             | ranks of node   | a view |
 * | kept            | guard[rank]                 | ranks of the node     | ranks of node   | a view |
 * | pause           | guard[rank]                 | that rank             | ranks of node   | for ever |
 * | pause           | pause[owner][node][rank]    | that rank             | owner           | for ever |
 * | pool, quotas    | pool                        | ranks of the node     | ranks of node   | for ever |
 * | header, bytes   | slot                        | owner, or holder      | everybody       | a chunk |
 * | relay ready     | relay, one per place        | parent's leader       | leader          | a chunk |
 * | relay cursor    | relay, per tree and child   | that child's leader   | leader          | a life |
 * | relay have      | relay, one per tree         | leader                | ranks of node   | a life |
 * | relay failed    | relay                       | parent's leader, ranks | ranks of node  | a life |
 * | relay passed    | relay, one per local rank   | that rank             | leader          | a life |
 * | header, bytes   | ring                        | leader                | ranks of node, children | a chunk |
 *
 * A growing word is {life 24 bits, count 40 bits}: a new binding of a line raises the life, so nothing
 * is ever reset.  A record carries a check over its words, since words of one record may arrive in
 * any order.  A mailbox belongs to one rank, so what the owner writes there arrives in order. */
#ifndef LARDER_WIRE_H
#define LARDER_WIRE_H

#include "larder_atomic.h"
#include <larder/error.h>
#include <stddef.h>
#include <stdint.h>

#define LARDER_COUNT_BITS 40
#define LARDER_COUNT_MAX  ((UINT64_C (1) << LARDER_COUNT_BITS) - 1)
/* The top bit stays 0: some MPIs compare unsigned numbers as signed ones. */
#define LARDER_LIFE_MAX ((UINT64_C (1) << (63 - LARDER_COUNT_BITS)) - 1)

/* {life, count} as one growing word. */
static inline uint64_t larder_wire_word (uint64_t life, uint64_t count)
{
    return life << LARDER_COUNT_BITS | (count & LARDER_COUNT_MAX);
}

static inline uint64_t larder_wire_life (uint64_t word)
{
    return word >> LARDER_COUNT_BITS;
}

static inline uint64_t larder_wire_count (uint64_t word)
{
    return word & LARDER_COUNT_MAX;
}

/* The holder word's count: its low bits are the local rank that fetches, or nobody. */
#define LARDER_HOLDER_BITS   16
#define LARDER_HOLDER_NOBODY UINT64_C (0xffff)

/* A rank's state in a life of a line: the count of its state word.  While it takes part the count is
 * LARDER_STATE_ACQUIRED and the beats it has given since: signs of life of a rank that the line's
 * cursor says nothing about. */
#define LARDER_STATE_ABSENT   UINT64_C (0)
#define LARDER_STATE_ACQUIRED UINT64_C (1)
#define LARDER_STATE_LEFT     (UINT64_C (1) << 39) /* through with a part of the object; no verdict */
#define LARDER_STATE_DONE     (LARDER_STATE_LEFT + 1)
#define LARDER_STATE_FAILED   (LARDER_STATE_LEFT + 16) /* and minus its code (codes are negative) */

/* In the count of a state word at the owner: this rank has presented a ref that was passed on, and who
 * passed it on stands in its split word.  Words arrive in any order: until that one is there the rank has
 * not come yet.  Beats stay below the bit.  States in the node's own memory do not have it. */
#define LARDER_STATE_SPLIT (UINT64_C (1) << 38)

/* A split word's count: the rank that passed the ref on (20 bits) and the number of its next receivers
 * (20 bits), >= 1.  It is written for refs that were split, and for no others. */
#define LARDER_SPLIT_BITS 20

static inline uint64_t larder_wire_split (uint64_t via, uint64_t share)
{
    return via << LARDER_SPLIT_BITS | share;
}

static inline int larder_wire_split_via (uint64_t split)
{
    return (int)(split >> LARDER_SPLIT_BITS & ((1 << LARDER_SPLIT_BITS) - 1));
}

static inline int larder_wire_split_share (uint64_t split)
{
    return (int)(split & ((1 << LARDER_SPLIT_BITS) - 1));
}

/* The cursor of a line that is through: this, and in the low 32 bits the local rank that closes it
 * (16 bits) and the number of ranks that took part (16 bits). */
#define LARDER_CURSOR_END (LARDER_COUNT_MAX - UINT32_MAX)

/* What a node says when it binds a line.  8 words. */
struct larder_bind {
    uint64_t life;
    uint64_t transaction;
    uint64_t object; /* object number, generation << 32 */
    uint64_t first_item;
    uint64_t item_count;
    uint64_t
        from; /* 0: from first_item's first byte; else the chunk to go on with, + 1.  Without items:
                      minus the verdict that is all there is to tell */
    uint64_t
        local; /* number on its node of the rank that binds; above LARDER_BIND_LOCAL_BITS the count
                       of its split word, 0 without one */
    uint64_t check;
};
#define LARDER_BIND_LOCAL_BITS 24

static inline uint64_t larder_bind_local (const struct larder_bind *bind)
{
    return bind->local & ((1 << LARDER_BIND_LOCAL_BITS) - 1);
}

/* All that is to be told is that the rank has given the transaction up. */
static inline int larder_bind_cancels (const struct larder_bind *bind)
{
    return bind->item_count == 0 && bind->from == (uint64_t)-LARDER_ECANCELED;
}

static inline uint64_t larder_bind_split (const struct larder_bind *bind)
{
    return bind->local >> LARDER_BIND_LOCAL_BITS;
}

/* What the owner says when it gives a line up, or only the rank in whose mailbox this stands.  19
 * words. */
#define LARDER_FAILED_TEXT 128
#define LARDER_FAILED_RANK (UINT64_C (1) << 32)
struct larder_failed {
    uint64_t life;
    uint64_t code; /* minus a larder_code; and LARDER_FAILED_RANK */
    char text[LARDER_FAILED_TEXT];
    uint64_t check;
};

/* What the owner answers.  8 words, then one bit per local rank of the node. */
struct larder_info {
    uint64_t life;
    uint64_t flags; /* LARDER_INFO_... */
    uint64_t first_chunk;
    uint64_t end_item;  /* of the whole object */
    uint64_t item_size; /* uniform size, 0: sizes differ */
    uint64_t last_size; /* uniform: size of the last item */
    uint64_t key;       /* what slot headers of the object carry */
    uint64_t check;
};

/* Flags of an info record; above them how often a rank is to give a sign of life, in milliseconds. */
enum {
    LARDER_INFO_ONCE = 1, /* chunks that have gone cannot be produced again */
    LARDER_INFO_BEAT_SHIFT = 32
};

/* In a ready ring: chunk number's place at the owner. */
struct larder_ready {
    larder_word chunk; /* {life, chunk} */
    larder_word place; /* slot 24 bits, payload bytes 32 bits, check 8 bits */
};

#define LARDER_HEADER_BYTES 64

/* Before each chunk's bytes.  Covered by check, as the bytes are. */
struct larder_slot_header {
    uint64_t key; /* session, owner, object and transaction in one number */
    uint64_t chunk;
    uint64_t item;
    uint64_t offset;
    uint32_t count;
    uint32_t flags;
    uint32_t size; /* payload bytes */
    uint32_t generation;
    uint64_t check; /* XXH3 of bytes and header; 0 in a chunk that never leaves its node */
    uint64_t spare;
};

enum {
    LARDER_CHUNK_ENDS = 1,   /* the last item in the chunk ends with it */
    LARDER_CHUNK_TABLE = 2,  /* sizes of the items stand behind the bytes */
    LARDER_CHUNK_LAST = 4,   /* the object ends with it */
    LARDER_CHUNK_CHECKED = 8 /* check is set */
};

enum larder_line_state { LARDER_LINE_FREE = 0, LARDER_LINE_OPEN = 1, LARDER_LINE_DRAINING = 2 };

/* A line of a node, in shared memory. */
struct larder_line {
    larder_word life;   /* of the present or the last binding */
    larder_word state;  /* LARDER_LINE_... */
    larder_word object; /* as in the bind record */
    larder_word transaction;
    larder_word first_item;
    larder_word end;       /* item behind the last one wanted; grows under the node's lock */
    larder_word from;      /* as in the bind record */
    larder_word members;   /* ranks in it that are not through */
    larder_word owed;      /* ranks that the owner still expects in it */
    larder_word joined;    /* ranks that took part in this life */
    larder_word detached;  /* how many of them the others went on without */
    larder_word holder;    /* {life, epoch 24 | local rank 16}: the rank that fetches */
    larder_word beat;      /* changes while the holder is inside the library */
    larder_word info_code; /* {life, 1}: info below is valid */
    larder_word info[8];
    larder_word cursor;  /* {life, chunk}: the lowest chunk a rank here still needs */
    larder_word want;    /* {life, chunk}: the highest one wanted */
    larder_word quota;   /* slots it has taken from the pool */
    larder_word closing; /* local rank whose mailbox gets `closed` */
    larder_word failed;  /* {life, -code}: the owner gave the life up, text says why */
    char text[LARDER_FAILED_TEXT];
};

/* Sizes that fix the layout; equal on all ranks. */
struct larder_wire_shape {
    uint64_t node_count;
    uint64_t node_size; /* ranks on the fullest node */
    uint64_t owner_count;
    uint64_t owners_per_node; /* on the node that has most */
    uint64_t max_lines;
    uint64_t max_objects;
    uint64_t chunk_size;
    uint64_t slot_count;
    uint64_t ring;            /* entries of ready rings and directories */
    uint64_t collective_size; /* bytes of the ring of collective downloads */
};

/* Offsets in a node's segment. */
struct larder_wire_layout {
    struct larder_wire_shape shape;
    size_t pool, quota, guard, pause;
    size_t request, request_stride, request_state, request_split;
    size_t mailbox, mailbox_stride, mailbox_closed, mailbox_failed, mailbox_ring;
    size_t line, line_stride, line_position, line_state, line_split, line_directory;
    size_t relay;
    size_t slot, slot_stride;
    size_t collective;   /* the ring of collective downloads */
    size_t control_size; /* bytes before the slots */
    size_t total;
};

/* Control words may take so many bytes whatever the cache's size. */
#define LARDER_CONTROL_FREE (1 << 20)

/* Compute the layout.  LARDER_ERANGE when a size overflows, or when the words need more than 1/8 of
 * the slots' bytes (and more than LARDER_CONTROL_FREE); the text gives the figures. */
int larder_wire_layout_make (const struct larder_wire_shape *shape,
                             struct larder_wire_layout *layout, larder_error *err);

/* Offsets of words; indices are not checked. */
size_t larder_wire_request (const struct larder_wire_layout *l, uint64_t local_owner, uint64_t node,
                            uint64_t line);
size_t larder_wire_mailbox (const struct larder_wire_layout *l, uint64_t owner, uint64_t line,
                            uint64_t local_rank);
size_t larder_wire_line (const struct larder_wire_layout *l, uint64_t owner, uint64_t line);
size_t larder_wire_slot (const struct larder_wire_layout *l, uint64_t slot);
size_t larder_wire_pause (const struct larder_wire_layout *l, uint64_t local_owner, uint64_t node,
                          uint64_t local_rank);

/* Words of a rank's guard line. */
enum {
    LARDER_GUARD_SLOT = 0, /* slot + 1 that it views */
    LARDER_GUARD_KEPT =
        8, /* a slot that comes back when its view ends: {line's number, slot + 1} */
    LARDER_GUARD_PAUSE =
        16 /* end of its pause, microseconds of the host's monotonic clock; 0: none */
};

/* A pause as an owner reads it: {number of the announcement, milliseconds from when it is read}. */
/* Instead of milliseconds: the rank has left the session. */
#define LARDER_PAUSE_LEFT LARDER_COUNT_MAX

/* Words of a request block. */
enum {
    LARDER_REQUEST_BIND = 0,
    LARDER_REQUEST_CURSOR = 64,
    LARDER_REQUEST_WANT = 72,
    LARDER_REQUEST_END = 80,
    LARDER_REQUEST_HOLDER = 88,
    LARDER_REQUEST_STATE = 128
};

/* Words of the relay's block; but for the ready ones each on a cache line of its own. */
#define LARDER_RELAY_PLACES 64 /* of a tree's ring, at most */
enum {
    LARDER_RELAY_READY = 0,     /* 8 * LARDER_RELAY_PLACES * tree + 8 * place */
    LARDER_RELAY_CURSOR = 1024, /* 128 * tree + 64 * child */
    LARDER_RELAY_HAVE = 1280,   /* 64 * tree */
    LARDER_RELAY_FAILED = 1408, /* {life, minus a code} */
    LARDER_RELAY_PASSED = 1472  /* 64 * local rank */
};

/* The count of a relay's ready word: how often its place has been filled before, 28 bits, and how many units the slot takes,
 * 12 bits: never 0.  It only grows, so that one of an earlier life which comes late does no harm. */
#define LARDER_RELAY_UNITS_BITS 12
#define LARDER_RELAY_UNITS_MAX  ((UINT64_C (1) << LARDER_RELAY_UNITS_BITS) - 1)
#define LARDER_RELAY_ROUNDS     (UINT64_C (1) << (LARDER_COUNT_BITS - LARDER_RELAY_UNITS_BITS))
static inline uint64_t larder_wire_relay_ready (uint64_t round, uint64_t units)
{
    return round << LARDER_RELAY_UNITS_BITS | units;
}

/* Check word of a record of n words (the last of them is the check itself and not covered). */
uint64_t larder_wire_check (const uint64_t *words, size_t n);

/* Pack and read a ready entry's place. */
uint64_t larder_wire_place (uint64_t chunk_word, uint64_t slot, uint64_t size);
/* 1 when the place belongs to the chunk word. */
int larder_wire_place_read (uint64_t chunk_word, uint64_t place, uint64_t *slot, uint64_t *size);

/* Check over a slot's header and bytes. */
uint64_t larder_wire_slot_check (const struct larder_slot_header *header, const void *bytes);

#endif
