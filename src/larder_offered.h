/* SPDX-License-Identifier: Apache-2.0 */
/* An object that is offered: its cuts, its cached chunks, its page in the books of its transaction, its
 * life from offer to release. */
#ifndef LARDER_OFFERED_H
#define LARDER_OFFERED_H

#include "larder_cache.h"
#include "larder_chunks.h"
#include "larder_intervals.h"
#include "larder_nodecache.h"
#include "larder_txn.h"
#include <larder/session.h>

/* Who is told how far receivers are; progress NULL: nobody. */
struct larder_offered_watch {
    void (*progress) (void *self, const larder_event *event);
    void *self;
    double interval_s;
    larder_event pair; /* transaction, owner and object filled in */
};

enum larder_offered_state { LARDER_OFFER_FREE, LARDER_OFFER_LIVE, LARDER_OFFER_SETTLED };

struct larder_offered {
    enum larder_offered_state state;
    uint32_t generation;
    uint64_t transaction;
    uint64_t payload; /* of its chunks */
    uint64_t key;     /* in the headers of its slots */
    larder_object object;
    char *name;
    struct larder_chunks chunks;
    struct larder_cache cache;
    struct larder_intervals produced;
    struct larder_txn *txn; /* NULL once it has settled */
    struct larder_page page;
    int receivers, done; /* settled: the last figures */
    larder_ref ref;      /* to the whole of its present version */
    struct larder_offered_watch watch;
    larder_word *quota;
    int quota_open;
    int lines;          /* active ones */
    int checked;        /* some line is on another node: chunks get a check */
    int let_go;         /* unseen receivers do not hold chunks any more (hold timeout passed) */
    int loose;          /* lines hold chunks for each other: chunks may go early */
    double stuck_since; /* somebody has waited for it and no slot was free since; 0: not so */
    double stuck_seen;  /* and until */
    uint64_t round;     /* of production in which no slot was free for it */
    int stale_needs;    /* cursors or receivers moved: look for chunks to drop */
    int all_told;       /* downloaded_to_all was called */
    uint64_t bytes_produced;
    uint64_t uses;
    larder_error failed; /* code != 0: the object cannot be produced, receivers get this */
};

/* A slot that was dropped while somebody viewed it: free when the view has ended. */
struct larder_quarantined {
    uint32_t slot;
    larder_word *quota;
};

/* What production needs from around it. */
struct larder_offered_env {
    struct larder_nodecache *nodecache;
    larder_stats *stats;
    int *in_callback;
    struct larder_quarantined *quarantine; /* room for every slot */
    uint32_t quarantined;
};

/* Take an object over into a free place.  state, generation, quota, transaction and page of the place stay as
 * they are.  On failure nothing is to be freed and the object is still the caller's. */
int larder_offered_init (struct larder_offered *offered, struct larder_offered_env *env,
                         const larder_object *object, uint64_t payload, larder_error *err);

/* Produce a planned chunk into a slot of the pool.  LARDER_OK: it is in the cache; LARDER_AGAIN: no slot
 * is free; else the object has failed (offered->failed). */
int larder_offered_produce (struct larder_offered *offered, struct larder_offered_env *env,
                            const struct larder_chunk *chunk);

/* Make sure that a cached chunk carries a check. */
void larder_offered_check (struct larder_offered *offered, struct larder_offered_env *env,
                           const struct larder_cached *entry);

/* Drop a cached chunk and give its slot back, now or when its last view has ended. */
void larder_offered_drop (struct larder_offered *offered, struct larder_offered_env *env,
                          struct larder_cached *entry);

/* Give back what was viewed when it was dropped. */
void larder_offered_release_quarantine (struct larder_offered_env *env);

/* A receiver has begun, or has come so far (at least). */
void larder_offered_progress (struct larder_offered *offered, struct larder_offered_env *env,
                              int rank, larder_event_state state, uint64_t bytes, uint64_t items,
                              double now);

/* A receiver is final: tell the object, once, and who watches. */
void larder_offered_final (struct larder_offered *offered, struct larder_offered_env *env, int rank,
                           int code, double now);

/* The same by the owner's decision: a receiver that is final already stays as it is. */
void larder_offered_dismiss (struct larder_offered *offered, struct larder_offered_env *env,
                             int rank, int code, double now);

/* The time for a receiver to come has run out, and nobody knows who it would have been: `at` is its index. */
void larder_offered_untaken (struct larder_offered *offered, struct larder_offered_env *env, int at,
                             int code);

/* Fewer may be expected than before: tell the object if all have it. */
void larder_offered_all (struct larder_offered *offered, struct larder_offered_env *env);

/* Nobody can get it any more, for the reason in offered->failed: everybody who is not final fails. */
void larder_offered_give_up (struct larder_offered *offered, struct larder_offered_env *env,
                             double now);

/* Ask the object anew how many items it has; what was produced is of an older version.  On failure
 * offered->failed says why. */
int larder_offered_renew (struct larder_offered *offered, struct larder_offered_env *env,
                          uint64_t payload);

/* The end, step by step: no verdict counts any more and what is cached goes; the object is told; it is
 * released and the place may be used again. */
void larder_offered_close (struct larder_offered *offered, struct larder_offered_env *env);
void larder_offered_tell_done (struct larder_offered *offered, struct larder_offered_env *env,
                               larder_done done);
void larder_offered_release (struct larder_offered *offered, struct larder_offered_env *env);

#endif
