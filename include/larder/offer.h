/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * Offering: the owner's side. */
#ifndef LARDER_OFFER_H
#define LARDER_OFFER_H

#include <larder/error.h>
#include <larder/object.h>
#include <larder/receivers.h>
#include <larder/ref.h>
#include <larder/session.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Offer one object: a transaction of one object that is live when the call returns. Collective:
 * no, only owners (larder_config.owners) may.  Thread: the session's.  Blocks: no (the object's
 * item_count runs inside).  Items are produced while this rank is inside larder calls that make
 * progress.  The transaction settles when all receivers are final, by larder_withdraw or larder_close,
 * or when nothing has moved for the session's timeout_s (at least min_download_timeout_s); settling
 * calls the object's transaction_done and release.  larder_transaction_begin offers several objects
 * together, and has more to say about how.
 * \param object  Struct is copied; self is taken over on success only.
 * \param receivers  LARDER_ALL, LARDER_EVERY_RANK, LARDER_COUNT, LARDER_UNKNOWN, or a list without
 *     doubles.  With no receiver at all (LARDER_ALL in a session of one rank) the transaction ends by
 *     its timeout or when it is withdrawn.
 * \param [out] ref  Names the whole object; unchanged on failure.
 * \return LARDER_OK; LARDER_EINVAL (not an owner, bad table, bad rank, double rank);
 *     LARDER_ERANGE (chunk_size above the session's); LARDER_EBUSY (max_objects or
 *     max_transactions are live); LARDER_ENOMEM; LARDER_ECALLBACK; what item_count or set_transaction returned. */
int larder_offer (larder *session, const larder_object *object, larder_receivers receivers,
                  larder_ref *ref, larder_error *err);

/** Withdraw an offer: deletes the transaction that a ref belongs to, with all its objects.  Receivers
 * that are not final fail with LARDER_EGONE, the objects are released.
 * Collective: no, the owner.  Thread: the session's.  Blocks: no.
 * \return LARDER_OK (also when it has settled before); LARDER_EREF, LARDER_ESESSION,
 *     LARDER_EINVAL (not this rank's), LARDER_ECALLBACK. */
int larder_withdraw (larder *session, const larder_ref *ref, larder_error *err);

/** How far an offer is. */
typedef struct larder_offer_status {
    uint64_t items;          /**< items of the object */
    uint64_t bytes;          /**< its bytes; 0 when not known without producing */
    uint64_t bytes_produced; /**< bytes produced for the first time */
    uint64_t slowest_bytes;  /**< bytes that the receiver furthest behind has passed */
    int slowest_receiver;    /**< its rank; -1: all are final */
    int receivers;           /**< declared receivers */
    int receivers_done;      /**< final with success */
    int receivers_failed;    /**< final with failure */
    int settled;             /**< 1: the transaction has ended; the figures are its last */
} larder_offer_status;

/** Look at an offer.  Collective: no, the owner.  Thread: the session's.  Blocks: no; may be
 * called from a callback.  Settled offers can be asked for until their place (max_objects) is
 * used again.
 * \return LARDER_OK, LARDER_EREF, LARDER_ESESSION, LARDER_EINVAL (not this rank's), LARDER_EGONE. */
int larder_offer_get_status (const larder *session, const larder_ref *ref,
                             larder_offer_status *status, larder_error *err);

#ifdef __cplusplus
}
#endif
#endif
