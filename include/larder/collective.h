/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * Downloading, the collective way: all ranks of the session call, everybody gets everything, and nodes pass
 * chunks on, so that each link carries each byte once, the owner's too. */
#ifndef LARDER_COLLECTIVE_H
#define LARDER_COLLECTIVE_H

#include <larder/consumer.h>
#include <larder/error.h>
#include <larder/ref.h>
#include <larder/session.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Download an object, or a part of it, on all ranks.  Collective: over the session's communicator, the owner included, whoever it
 * declared.  Thread: the session's.  Progress: yes, also for everything else that this rank owns.  Blocks until this
 * rank has everything, those that get it from here have it, and all ranks have agreed on the result; at most until
 * nothing has moved for timeout_s of the settings.
 *
 * Each chunk is produced once for the call, into a ring of collective_size bytes on the owner's node; nodes pass it on in a chain, or
 * in two trees when they are many for the object's size.  The slowest consumer sets the pace.  A rank whose consumer fails passes chunks on
 * all the same.  Each rank's own result stands in the owner's receipt; that of a part (larder_ref_items) does
 * not settle the offer: every receiver calls larder_confirm after the last part (the owner too, where it was declared).
 * \param ref  The same on all ranks; of an object whose transaction is live.
 * \param consumer  This rank's; NULL: it needs nothing.  Exactly one of download_completed and
 *     download_failed is called, when the download was begun: by how this rank got on, while what is returned is that of all.  Views as in larder_download; one chunk is one view.
 * \return The same on all ranks: LARDER_OK; the code of the lowest rank that failed: LARDER_EINVAL, LARDER_EREF,
 *     LARDER_ESESSION, LARDER_EMISMATCH (not the same ref), LARDER_EGONE, LARDER_ESTALE, LARDER_ERANGE, LARDER_ENOTSUP (a part
 *     that does not begin with item 0, where sizes are known only by producing), LARDER_EOWNER, LARDER_ECONSUMER, LARDER_ECANCELED, LARDER_ECHECKSUM, LARDER_ETIMEDOUT, LARDER_ENOMEM, LARDER_EMPI,
 *     LARDER_EBROKEN; LARDER_ECALLBACK. */
int larder_download_all (larder *session, const larder_ref *ref, const larder_consumer *consumer,
                         larder_error *err);

/** Broadcast bytes: as MPI_Bcast, with 64-bit sizes, pipelined over nodes, and with errors instead of aborts.
 * Collective, thread, progress and blocking as larder_download_all.
 * \param buffer  size bytes; the root's are read, the others' are written (undefined on failure).
 * \param size  The same on all ranks.
 * \param root  A rank that is among the session's owners; the same on all ranks.
 * \return As larder_download_all; LARDER_EBUSY when the root has max_objects or max_transactions. */
int larder_bcast (larder *session, void *buffer, uint64_t size, int root, larder_error *err);

#ifdef __cplusplus
}
#endif
#endif
