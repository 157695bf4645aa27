/* SPDX-License-Identifier: Apache-2.0 */
/* Who is accounted for: the declared receivers of a transaction, each unseen, acquired, or final with
 * a code.  A final state never changes. */
#ifndef LARDER_TXN_H
#define LARDER_TXN_H

#include <larder/error.h>

enum larder_receiver_state { LARDER_UNSEEN = 0, LARDER_ACQUIRED = 1, LARDER_FINAL = 2 };

struct larder_receiver {
    int rank;
    int state; /* enum larder_receiver_state */
    int code;  /* final: LARDER_OK or an error */
};

struct larder_txn {
    struct larder_receiver *receivers; /* ascending by rank */
    int count;
    int unseen, done, failed;
};

/* ranks NULL: every rank below `size`, with `owner` when count is -1, without when it is 0.  On failure nothing is to be freed. */
int larder_txn_init (struct larder_txn *txn, const int *ranks, int count, int size, int owner,
                     larder_error *err);
void larder_txn_free (struct larder_txn *txn);

/* The declared receiver with a rank, or NULL. */
struct larder_receiver *larder_txn_find (const struct larder_txn *txn, int rank);

/* A rank has begun.  Ranks that were not declared are ignored. */
void larder_txn_acquired (struct larder_txn *txn, int rank);

/* A rank is final.  Returns 1 when it is declared and was not final before. */
int larder_txn_final (struct larder_txn *txn, int rank, int code);

/* All declared receivers are final, and there is one. */
int larder_txn_complete (const struct larder_txn *txn);

#endif
