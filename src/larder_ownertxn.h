/* SPDX-License-Identifier: Apache-2.0 */
/* The transactions of an owner, from begin to receipt. */
#ifndef LARDER_OWNERTXN_H
#define LARDER_OWNERTXN_H

#include "larder_owner.h"
#include <larder/transaction.h>

struct larder_ownertxn {
    struct larder_txn txn;
    uint64_t number;
    char *name;
    larder_transaction_options calls; /* its functions; receivers are in txn */
    int *places;                      /* of its objects, in the order they were added */
    int place_count;
    int without;           /* so many ranks had left the session when those were last looked for */
    larder_receipt *blank; /* set aside for when there is no memory for a real one */
};

/* On failure nothing is to be freed. */
int larder_ownertxn_begin (struct larder_owner *owner, const larder_transaction_options *options,
                           struct larder_ownertxn **out, larder_error *err);

/* Add an object; on failure the transaction is as it was, and the object still the caller's. */
int larder_ownertxn_add (struct larder_owner *owner, struct larder_ownertxn *txn,
                         const larder_object *object, uint64_t chunk_size, int *place,
                         larder_error *err);

void larder_ownertxn_live (struct larder_owner *owner, struct larder_ownertxn *txn);

/* The open transaction with a number, or NULL. */
struct larder_ownertxn *larder_ownertxn_find (const struct larder_owner *owner, uint64_t number);

/* Another version of an object: downloads of the former one fail with LARDER_ESTALE. */
int larder_ownertxn_renew (struct larder_owner *owner, int place, larder_error *err);

/* End it: receivers that are not final get `code` and `text`, everything is released, the receipt
 * kept.  txn is freed. */
void larder_ownertxn_end (struct larder_owner *owner, struct larder_ownertxn *txn, larder_done done,
                          int code, const char *text);

/* Forget one that never was live and has no objects; nothing is called. */
void larder_ownertxn_forget (struct larder_owner *owner, struct larder_ownertxn *txn);

/* A rank has cancelled: it fails on everything of the transaction. */
void larder_ownertxn_cancel (struct larder_owner *owner, struct larder_txn *txn, int rank);

/* A ref that was passed on has changed who is expected: rank is not any more (-1: nobody in
 * particular).  LARDER_OK or what the transport said. */
int larder_ownertxn_lost (struct larder_owner *owner, struct larder_txn *txn, int rank,
                          larder_error *err);

/* Look at the clock, and at what is complete.  Returns what moved. */
int larder_ownertxn_poll (struct larder_owner *owner);

/* A rank has ended a collective download of an object with this code, LARDER_AGAIN: of a part, and nothing is to be
 * booked but that it came; via, share: of its ref. */
void larder_ownertxn_collected (struct larder_owner *o, int place, int rank, int via, int share,
                                int code);

#endif
