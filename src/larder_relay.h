/* SPDX-License-Identifier: Apache-2.0 */
/* Collective downloads: nodes pass chunks on.
 *
 * The chunks that carry the wanted items are counted from 0.  Chunk c goes by tree c mod trees, where it is number k; on every node it stands at place k mod slots of that tree's ring.
 * One rank of each node, its leader, gets a chunk from the parent's ring when the parent's leader says that it is ready, checks
 * it, tells the children's leaders, and then the parent that it is here.  A place is used again when all ranks of the node have
 * passed the chunk that stands there, and all children have got it.  Places by number, a ring per tree: nodes cannot wait for each
 * other in a circle, since everybody has what is older than the lowest chunk that somebody lacks. */
#ifndef LARDER_RELAY_H
#define LARDER_RELAY_H

#include "larder_chunks.h"
#include "larder_clock.h"
#include "larder_config.h"
#include "larder_tree.h"
#include "larder_words.h"
#include <larder/consumer.h>
#include <larder/session.h>

/* How a download is cut; the same on all ranks. */
struct larder_relay_plan {
    int trees;
    uint64_t payload; /* bytes of a chunk */
    uint64_t slots;   /* places of a tree's ring */
    size_t stride;    /* bytes from one to the next */
    size_t unit;      /* in which ready words say how much of that is used */
};

/* size: bytes of the object, 0: not known.  payload: the most that a chunk may have. */
void larder_relay_plan_make (int nodes, uint64_t size, uint64_t payload,
                             const struct larder_settings *settings,
                             struct larder_relay_plan *plan);

/* Chunks of a tree that a leader gets at the same time: while one is checked the next comes. */
#define LARDER_RELAY_FETCHES 2

struct larder_relay_fetch {
    struct larder_get get;
    int under_way;
    int tries;
};

struct larder_relay {
    struct larder_words words;
    const struct larder_settings *settings;
    larder_stats *stats;
    struct larder_clock clock;
    struct larder_relay_plan plan;
    uint64_t life;
    int root;        /* the owner's rank */
    int nodes, node; /* this node's number, counted from the owner's */
    int leads;       /* this rank is its node's leader */
    int parent[LARDER_TREES_MAX],
        number_at_parent[LARDER_TREES_MAX]; /* leader's rank; which of its children */
    int child_count[LARDER_TREES_MAX], child[LARDER_TREES_MAX][LARDER_TREE_CHILDREN];
    uint64_t key, item_size, first_item, end_item;
    struct larder_relay_fetch fetch[LARDER_TREES_MAX][LARDER_RELAY_FETCHES]; /* by number */
    uint64_t asked[LARDER_TREES_MAX]; /* the next chunk to get */
    uint64_t got[LARDER_TREES_MAX];   /* the next chunk to be complete */
    /* The owner's rank. */
    struct larder_chunks *chunks; /* NULL elsewhere */
    uint64_t base;                /* the object's chunk that is number 0 here */
    uint64_t produced;            /* chunks */
    /* What this rank consumes. */
    const larder_consumer
        *consumer; /* NULL: it fails, or takes nothing, and passes on all the same */
    int *in_callback;
    uint64_t passed;
    uint64_t stirred;                     /* sum of the words of this node, as last looked at */
    int through[LARDER_TREES_MAX], ended; /* a leader, with all below it; in all trees */
    uint64_t beats;
    double beat_at;
    uint64_t next_item, next_offset, bytes;
    uint64_t end;        /* chunks in all; UINT64_MAX: not known yet */
    int failed;          /* code with which the download has ended for this node */
    larder_error result; /* of this rank: its first error; code 0: none */
};

/* Begin.  `root` is the owner's rank; terms as given there.  Words of earlier lives do no harm. */
void larder_relay_begin (struct larder_relay *relay, int root);

/* Move on.  Returns the number of things that moved. */
int larder_relay_poll (struct larder_relay *relay);

/* Something has moved on this node, or below it, though this rank may be through.  To be asked while nothing moves. */
int larder_relay_stirs (struct larder_relay *relay);

/* This rank has passed everything, and its node's leader is through: all nodes below it have everything. */
int larder_relay_over (const struct larder_relay *relay);

/* This rank fails; a leader or the owner brings all down that depend on it. */
void larder_relay_fail (struct larder_relay *relay, int code, const char *text);

#endif
