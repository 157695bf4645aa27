/* SPDX-License-Identifier: Apache-2.0 */
/* The owner's public functions for transactions. */
#include "larder_backoff.h"
#include "larder_object.h"
#include "larder_ownertxn.h"
#include "larder_progress.h"
#include <inttypes.h>
#include <larder/transaction.h>
#include <math.h>

/* What every call here begins with. */
static int enter (larder *s, const char *call, larder_error *err)
{
    int rc = larder_progress_enter (s, call, err);
    if (rc == LARDER_OK && !s->owner)
        rc = larder_error_set (
            err, LARDER_EINVAL, 0,
            "%s: this rank is not among the session's owners (larder_config.owners)", call);
    return rc;
}

static int no_such (uint64_t transaction, const char *call, larder_error *err)
{
    return larder_error_set (err, LARDER_EGONE, 0,
                             "%s: transaction %" PRIu64 " is not open: it never was, or has ended",
                             call, transaction);
}

int larder_transaction_begin (larder *s, const larder_transaction_options *options,
                              uint64_t *transaction, larder_error *err)
{
    static const larder_transaction_options defaults;
    struct larder_ownertxn *t = NULL;
    int rc = enter (s, "larder_transaction_begin", err);
    if (rc == LARDER_OK && !transaction)
        rc = larder_error_set (err, LARDER_EINVAL, 0,
                               "larder_transaction_begin: transaction is NULL");
    if (rc == LARDER_OK)
        rc = larder_ownertxn_begin (s->owner, options ? options : &defaults, &t, err);
    if (rc == LARDER_OK)
        *transaction = t->number;
    return larder_progress_leave (s, rc, err);
}

static int add (larder *s, uint64_t transaction, const larder_object *object, larder_ref *ref,
                larder_error *err)
{
    struct larder_ownertxn *t = larder_ownertxn_find (s->owner, transaction);
    int place = 0;
    if (!object || !ref)
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "larder_transaction_add: object and ref must not be NULL");
    const char *name = object->name ? object->name : "object";
    if (!t)
        return no_such (transaction, "larder_transaction_add", err);
    if (t->txn.live)
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "%s: transaction %" PRIu64 " is live already", name, transaction);
    int rc = larder_object_check (object, err);
    if (rc != LARDER_OK)
        return rc;
    if (object->chunk_size > s->settings.chunk_size)
        return larder_error_set (err, LARDER_ERANGE, 0,
                                 "%s: its chunk size %" PRIu64 " is above the session's %" PRIu64,
                                 name, object->chunk_size, s->settings.chunk_size);
    rc = larder_ownertxn_add (s->owner, t, object,
                              object->chunk_size ? object->chunk_size : s->settings.chunk_size,
                              &place, err);
    if (rc == LARDER_OK)
        *ref = s->owner->objects[place].ref;
    return rc;
}

int larder_transaction_add (larder *s, uint64_t transaction, const larder_object *object,
                            larder_ref *ref, larder_error *err)
{
    int rc = enter (s, "larder_transaction_add", err);
    if (rc == LARDER_OK)
        rc = add (s, transaction, object, ref, err);
    return larder_progress_leave (s, rc, err);
}

int larder_transaction_live (larder *s, uint64_t transaction, larder_error *err)
{
    int rc = enter (s, "larder_transaction_live", err);
    struct larder_ownertxn *t =
        rc == LARDER_OK ? larder_ownertxn_find (s->owner, transaction) : NULL;
    if (rc == LARDER_OK && !t)
        rc = no_such (transaction, "larder_transaction_live", err);
    if (rc == LARDER_OK && (t->txn.live || t->place_count == 0))
        rc = larder_error_set (err, LARDER_EINVAL, 0, "%s: transaction %" PRIu64 " %s", t->name,
                               transaction, t->txn.live ? "is live already" : "has no objects");
    if (rc == LARDER_OK)
        larder_ownertxn_live (s->owner, t);
    return larder_progress_leave (s, rc, err);
}

int larder_transaction_delete (larder *s, uint64_t transaction, larder_error *err)
{
    int rc = enter (s, "larder_transaction_delete", err);
    if (rc == LARDER_OK && s->transport.ops) /* words that have come count */
        rc = s->transport.ops->progress (s->transport.self, err);
    struct larder_ownertxn *t =
        rc == LARDER_OK ? larder_ownertxn_find (s->owner, transaction) : NULL;
    if (t)
        larder_ownertxn_end (s->owner, t, LARDER_DONE_DELETED, LARDER_EGONE,
                             "withdrawn by its owner");
    if (rc == LARDER_OK)
        rc = larder_progress_push (s, err);
    return larder_progress_leave (s, rc, err);
}

/* ---------------------------------------------------------------- waiting */

static int wait (larder *s, uint64_t transaction, double timeout_s, larder_receipt **receipt,
                 larder_error *err)
{
    struct larder_backoff backoff = {0};
    double start = larder_clock_now (&s->clock);
    struct larder_ownertxn *t;
    while ((t = larder_ownertxn_find (s->owner, transaction)) != NULL) {
        if (!t->txn.live && !(timeout_s >= 0 && isfinite (timeout_s)))
            return larder_error_set (err, LARDER_EINVAL, 0,
                                     "%s: transaction %" PRIu64 " is not live yet", t->name,
                                     transaction);
        int rc = larder_progress_once (s, 4, err);
        if (rc < 0)
            return rc;
        double left = timeout_s - (larder_clock_now (&s->clock) - start);
        if (timeout_s >= 0 && left <= 0 && larder_ownertxn_find (s->owner, transaction))
            return LARDER_AGAIN;
        if (rc > 0)
            larder_backoff_reset (&backoff);
        else
            larder_backoff_wait (&backoff, timeout_s < 0 ? 1 : left);
    }
    const larder_receipt *found = larder_receipts_find (&s->owner->receipts, transaction);
    if (!found)
        return larder_error_set (err, LARDER_EGONE, 0,
                                 "transaction %" PRIu64 " is unknown here, or its receipt has "
                                 "expired",
                                 transaction);
    return receipt ? larder_receipt_copy (found, receipt, err) : LARDER_OK;
}

int larder_transaction_wait (larder *s, uint64_t transaction, double timeout_s,
                             larder_receipt **receipt, larder_error *err)
{
    int rc = enter (s, "larder_transaction_wait", err);
    if (rc == LARDER_OK && isnan (timeout_s))
        rc = larder_error_set (err, LARDER_EINVAL, 0,
                               "larder_transaction_wait: timeout_s is not a number");
    if (rc == LARDER_OK)
        rc = wait (s, transaction, timeout_s, receipt, err);
    return larder_progress_leave (s, rc, err);
}
