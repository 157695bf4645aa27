/* SPDX-License-Identifier: Apache-2.0 */
/* Places of a transaction: who has one, and who gets one when a ref was passed on.
 *
 * A declared receiver has its place from the beginning.  When a ref comes back that rank `via` has split
 * among `share` next receivers, `share` places that nobody has taken yet (rank -1) replace via's, or come to it
 * when via has begun by itself; each belongs to the first rank without a place that presents such a
 * ref.  A rank that has a place takes none, and there is one less to wait for.  Where only a count is
 * known the same is done with numbers. */
#ifndef LARDER_TXNPLACE_H
#define LARDER_TXNPLACE_H

#include "larder_txn.h"

/* A rank that splits refs of the transaction. */
struct larder_via {
    int rank, share;
    int left;    /* ranks that are still to present such a ref */
    int *come;   /* those that have */
    int arrived; /* how many those are */
};

/* Refs that `via` has split among `share` are in use; see larder_txn_split. */
int larder_txnplace_split (struct larder_txn *txn, int via, int share, double now, int *lost,
                           larder_error *err);

/* A rank begins.  *at: index of its place, -1: it has none.  *lost: as larder_txn_acquired. */
int larder_txnplace_take (struct larder_txn *txn, const struct larder_presenter *who, double now,
                          int *at, int *lost, larder_error *err);

void larder_txnplace_free (struct larder_txn *txn);

#endif
