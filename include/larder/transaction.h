/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * Transactions: objects offered together, and a receipt of who got what.
 *
 *     larder_transaction_begin    receivers, timeouts, callbacks
 *     larder_transaction_add      one object after another; each gives a ref
 *     larder_transaction_live     now the clock runs and receivers are served
 *     ...                         progress: larder_serve, larder_progress, larder_transaction_wait
 *     larder_transaction_wait     the receipt
 *
 * larder_offer is begin, add and live in one call for one object.
 *
 * A transaction ends when every receiver is final on every object (LARDER_DONE_FINISHED), when nothing
 * has moved for its timeout (LARDER_DONE_TIMEOUT), or when it is deleted or the session closed
 * (LARDER_DONE_DELETED).  Then, in this order: every receiver that began and is not final gets its last progress
 * event; each object's transaction_done; the transaction's transaction_done; its outcome; each object's release;
 * the receipt is kept and who waits for it returns.  Receivers that are not final then count as missing.
 *
 * Time is that of the owner while it attends to the session: what it spends outside larder is counted
 * as one second at the most, so an owner that computes does not fail its receivers. */
#ifndef LARDER_TRANSACTION_H
#define LARDER_TRANSACTION_H

#include <larder/error.h>
#include <larder/event.h>
#include <larder/object.h>
#include <larder/receipt.h>
#include <larder/receivers.h>
#include <larder/ref.h>
#include <larder/session.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How a transaction is to be run; zero-initialise, then set what is needed. */
typedef struct larder_transaction_options {
    const char *name;           /**< for error texts, copied; NULL: "transaction" */
    larder_receivers receivers; /**< {0, 0} is LARDER_ALL */
    double timeout_s; /**< seconds without any sign of any receiver after which it ends; 0: the
                           session's timeout_s; raised to min_download_timeout_s */
    double
        acquire_timeout_s; /**< seconds since live in which each declared receiver must begin, else it
                                   fails with LARDER_ETIMEDOUT; 0: the session's; < 0: no limit */
    double
        idle_timeout_s; /**< seconds without a sign of a receiver that has begun, after which it fails
                                with LARDER_ETIMEDOUT on everything not final; 0: the session's; < 0:
                                no limit */
    int forwarded; /**< 1: refs may be passed on without saying to how many (larder_ref_split): a rank
                        that is not among the declared receivers takes the place of the lowest of them
                        that has begun nothing, which gets one again should it come after all; 0: it
                        is served and not accounted for.  Without meaning where only a number is known */
    int min_receivers; /**< for quorum_met only; 0: not asked for; at most the receivers */

    void *self; /**< handed to the functions below.  They run inside calls that make progress, must
                     not call into the session, and may be NULL */

    /** The transaction ended; the objects' sources are still alive.  A negative code is noted in the
     * receipt and changes nothing else. */
    int (*transaction_done) (void *self, uint64_t transaction, larder_done done);

    /** The receipt, before the objects are released.  \param receipt  Valid during the call.  Codes as
     * above. */
    int (*outcome) (void *self, const larder_receipt *receipt);

    /** How far a receiver is with an object. */
    void (*progress) (void *self, const larder_event *event);
    double progress_interval_s; /**< seconds between two events of a pair that say `active`; 0: 30;
                                     negative: whenever something moved */
} larder_transaction_options;

/** Begin a transaction.  Collective: no, only owners may.  Thread: the session's.  Blocks: no.
 * No clock runs before larder_transaction_live, so preparing may take its time.
 * \param options  NULL: all as zero.
 * \param [out] transaction  Its number: never used twice in a session.  Unchanged on failure.
 * \return LARDER_OK; LARDER_EINVAL (not an owner; bad or double rank; negative or not finite times;
 *     min_receivers above the receivers; forwarded neither 0 nor 1); LARDER_EBUSY (max_transactions
 *     are open); LARDER_ENOMEM; LARDER_ECALLBACK; LARDER_EBROKEN. */
int larder_transaction_begin (larder *session, const larder_transaction_options *options,
                              uint64_t *transaction, larder_error *err);

/** Add an object, before larder_transaction_live.  Collective: no, the owner.  Thread: the session's.
 * Blocks: no (the object's set_transaction and item_count run inside).  The ref may be sent at once; who
 * presents it before the transaction is live waits, for its own timeout_s at the most.
 * \param object  Struct is copied; self is taken over on success only.
 * \param [out] ref  Names the whole object; unchanged on failure.
 * \return LARDER_OK; LARDER_EGONE (no such transaction, or it has ended); LARDER_EINVAL (bad table, or it is
 *     live already); LARDER_ERANGE (chunk_size above the session's); LARDER_EBUSY (max_objects are
 *     offered); LARDER_ENOMEM; LARDER_ECALLBACK; what item_count or set_transaction returned: the
 *     transaction is as it was before. */
int larder_transaction_add (larder *session, uint64_t transaction, const larder_object *object,
                            larder_ref *ref, larder_error *err);

/** Start: receivers are served and the clock runs.  Collective: no, the owner.  Thread: the session's.
 * Blocks: no.
 * \return LARDER_OK; LARDER_EGONE; LARDER_EINVAL (it is live already, or has no objects); LARDER_ECALLBACK. */
int larder_transaction_live (larder *session, uint64_t transaction, larder_error *err);

/** End a transaction as deleted.  Collective: no, the owner.  Thread: the session's.  Blocks: no.
 * \return LARDER_OK, also when it has ended before or never was; LARDER_EINVAL (not an owner);
 *     LARDER_ECALLBACK. */
int larder_transaction_delete (larder *session, uint64_t transaction, larder_error *err);

/** Wait for a transaction's end, making progress.  Collective: no, the owner.  Thread: the session's.
 * Returns only after all callbacks and releases.
 * \param timeout_s  Seconds; < 0: until it ends, which its own timeout brings about; 0: look once.
 * \param [out] receipt  A copy, to be freed by larder_receipt_free; NULL: not wanted.  Unchanged unless
 *     LARDER_OK is returned.
 * \return LARDER_OK; LARDER_AGAIN after timeout_s; LARDER_EGONE when no such transaction is known: it
 *     never was, or its receipt has expired (1800 s after it was settled); LARDER_EINVAL (not an
 *     owner; not live yet and timeout_s < 0); LARDER_ENOMEM; LARDER_ECALLBACK; LARDER_EMPI,
 *     LARDER_EBROKEN. */
int larder_transaction_wait (larder *session, uint64_t transaction, double timeout_s,
                             larder_receipt **receipt, larder_error *err);

/** Declare a new version of an object: its source has changed.  Its cached chunks go, downloads of the
 * former version fail with LARDER_ESTALE, as every later use of its refs does; item_count is asked
 * again.  Receivers that are final already stay so; the others need the new ref.
 * Collective: no, the owner.  Thread: the session's.  Blocks: no.
 * \param ref  Any ref to the present version.
 * \param [out] fresh  Names the whole new version; unchanged on failure.
 * \return LARDER_OK; LARDER_EREF, LARDER_ESESSION, LARDER_EINVAL (not this rank's); LARDER_EGONE;
 *     LARDER_ESTALE (ref is of an older version); LARDER_ECALLBACK; LARDER_EOWNER or
 *     LARDER_ENOMEM when item_count failed: then the object has failed for everybody. */
int larder_new_version (larder *session, const larder_ref *ref, larder_ref *fresh,
                        larder_error *err);

#ifdef __cplusplus
}
#endif
#endif
