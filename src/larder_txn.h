/* SPDX-License-Identifier: Apache-2.0 */
/* A transaction's books: who is expected, who has begun, who is final on which object, and when time
 * runs out.  Knows no clock: the caller says what time it is.
 *
 * A receiver is unseen, acquired, or final with a code, on each object; final never changes.  Places
 * of declared receivers are theirs; where only a count is known, or nothing, a place belongs to the
 * first rank that comes.  What happens when refs are passed on stands in larder_txnplace.h. */
#ifndef LARDER_TXN_H
#define LARDER_TXN_H

#include "larder_track.h"
#include <larder/error.h>
#include <larder/receivers.h>

enum larder_receiver_state { LARDER_UNSEEN = 0, LARDER_ACQUIRED = 1, LARDER_FINAL = 2 };

/* A receiver of a transaction. */
struct larder_receiver {
    int rank;     /* -1: nobody has taken this place yet */
    int via;      /* rank that passed the ref on by which it came, or may come; -1: not so */
    int acquired; /* it has begun with some object */
    double seen;  /* last sign of it; before that: when the place was made */
};

/* A rank that begins, and by what ref; share 0: one that was not split. */
struct larder_presenter {
    int rank, via, share;
};

struct larder_via;

/* A receiver's standing with one object. */
struct larder_standing {
    int state;                  /* enum larder_receiver_state */
    int code;                   /* final: LARDER_OK or an error */
    int given_up;               /* final by what the owner decided, not by what the receiver said */
    struct larder_track *track; /* its progress events; NULL: none yet */
};

/* One object's page of the books. */
struct larder_page {
    struct larder_standing *standing; /* as txn->receivers */
    int begun, done, failed;          /* receivers that are not unseen; that are final */
    int closed;                       /* nobody can get the object any more: with what it failed */
};

struct larder_txn_limits {
    double timeout_s; /* > 0 */
    double acquire_s; /* <= 0: no limit */
    double idle_s;    /* <= 0: no limit */
    int min_receivers;
};

struct larder_txn {
    int expected;                      /* receivers; 0: unknown, or none */
    int declared;                      /* 1: by name */
    int unknown;                       /* 1: nobody knows how many */
    int forwarded;                     /* refs may be passed on without being split */
    int size;                          /* ranks of the session */
    struct larder_receiver *receivers; /* ascending by rank */
    int count, capacity;
    struct larder_via *vias; /* ranks that have split refs of it */
    int via_count;
    int *displaced; /* ranks that lost their place, and get one again if they come */
    int displaced_count;
    struct larder_page **pages;
    int page_count;
    struct larder_txn_limits limits;
    int live;
    double live_at, moved; /* moved: last sign of any receiver */
    double look_at;        /* no receiver's time runs out before */
};

/* receivers: as in larder/receivers.h.  On failure nothing is to be freed. */
int larder_txn_init (struct larder_txn *txn, larder_receivers receivers, int size, int owner,
                     larder_error *err);
void larder_txn_free (struct larder_txn *txn);

/* Check and take the limits.  LARDER_EINVAL; the caller has resolved defaults. */
int larder_txn_limit (struct larder_txn *txn, const struct larder_txn_limits *limits,
                      larder_error *err);

/* Add an object's page, which the caller owns until larder_txn_remove or larder_txn_free. */
int larder_txn_add (struct larder_txn *txn, struct larder_page *page, larder_error *err);
void larder_txn_remove (struct larder_txn *txn, struct larder_page *page);

/* Now the clock runs. */
void larder_txn_live (struct larder_txn *txn, double now);

/* Index of a receiver that has a place, or -1. */
int larder_txn_find (const struct larder_txn *txn, int rank);

/* Receivers of an object that have not begun it. */
int larder_txn_unseen (const struct larder_txn *txn, const struct larder_page *page);

/* A sign of a rank. */
void larder_txn_sign (struct larder_txn *txn, int rank, double now);

/* A rank has begun with an object; it takes a place where one is to be had.
 * *lost: the rank that has lost its place by that, -1: none has.
 * LARDER_OK; LARDER_ENOMEM: then it has none; LARDER_ESPLIT, LARDER_EREF: its ref is refused, and it has
 * not begun. */
int larder_txn_acquired (struct larder_txn *txn, struct larder_page *page,
                         const struct larder_presenter *who, double now, int *lost,
                         larder_error *err);

/* Somebody is about to present a ref that was split: its places are made.  Returns as above. */
int larder_txn_split (struct larder_txn *txn, int via, int share, double now, int *lost,
                      larder_error *err);

/* A rank is final.  Returns 1 when it has a place and was not final before. */
int larder_txn_final (struct larder_txn *txn, struct larder_page *page, int rank, int code);

/* The same of the receiver with an index, whether anybody has its place or not. */
int larder_txn_final_at (struct larder_txn *txn, struct larder_page *page, int at, int code);

/* Who has begun and is not final begins anew: the object has another version. */
void larder_txn_anew (struct larder_txn *txn, struct larder_page *page);

/* Everybody expected is final on the object; on all of them. */
int larder_txn_complete (const struct larder_txn *txn, const struct larder_page *page);
int larder_txn_finished (const struct larder_txn *txn);

/* The next receiver, from index *from on, whose time to begin or to show life has run out; -1: no more.
 * paused: end of each rank's pause, NULL: nobody pauses.  *late: seconds it had. */
int larder_txn_overdue (struct larder_txn *txn, const double *paused, double now, int *from,
                        double *late);

/* Pauses have changed: deadlines are to be computed again. */
void larder_txn_again (struct larder_txn *txn);

/* Nothing has moved for too long. */
int larder_txn_expired (const struct larder_txn *txn, const double *paused, double now);

#endif
