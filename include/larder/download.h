/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * Downloading, the independent way: any rank, any time, the whole object or a range of its items
 * (larder_ref_items). */
#ifndef LARDER_DOWNLOAD_H
#define LARDER_DOWNLOAD_H

#include <larder/consumer.h>
#include <larder/error.h>
#include <larder/ref.h>
#include <larder/session.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A download under way (opaque). */
typedef struct larder_request larder_request;

/** Download what a ref names into a consumer.  Collective: no.  Thread: the session's. Progress:
 * yes, also for what this rank owns.  Blocks until the consumer has everything, or until nothing
 * has moved for the session's timeout_s seconds.  A part of the object (larder_ref_items) does not
 * settle the offer: call larder_confirm after the last part.
 * \param consumer  Borrowed for the call.  Exactly one of download_completed and download_failed
 *     is called when a download was started.
 * \return LARDER_OK; before anything was started: LARDER_EREF, LARDER_ESESSION, LARDER_EINVAL,
 *     LARDER_EBUSY, LARDER_ECALLBACK, LARDER_EBROKEN; later: LARDER_EGONE, LARDER_ESTALE,
 *     LARDER_EHELD, LARDER_EOWNER, LARDER_ECONSUMER, LARDER_ECHECKSUM, LARDER_ETIMEDOUT,
 *     LARDER_ERANGE, LARDER_ENOTSUP, LARDER_EMPI. */
int larder_download (larder *session, const larder_ref *ref, const larder_consumer *consumer,
                     larder_error *err);

/** Start a download and return.  Collective: no.  Thread: the session's.  Blocks: no. The consumer
 * is called from inside later calls into this session: _test and _wait of this request,
 * larder_progress and everything else that makes progress.
 * \param consumer  The struct is copied, its self borrowed until the request ended.
 * \param [out] request  Ended by exactly one of: _test returning other than LARDER_AGAIN, _wait
 *     returning other than LARDER_AGAIN, _cancel.  Unchanged on failure.
 * \return LARDER_OK, or an error as the first group of larder_download. */
int larder_download_start (larder *session, const larder_ref *ref, const larder_consumer *consumer,
                           larder_request **request, larder_error *err);

/** Make progress and look whether a download has ended.  Collective: no.  Thread: the session's.
 * Blocks: no.
 * \param [in,out] request  Freed and set to NULL unless LARDER_AGAIN or LARDER_ECALLBACK is
 *     returned.
 * \return LARDER_AGAIN; else as larder_download. */
int larder_download_test (larder_request **request, larder_error *err);

/** Wait for a download.  Collective: no.  Thread: the session's.  Progress: yes. Blocks at most
 * timeout_s seconds (< 0: without limit, but the session's timeout_s without progress ends the
 * download).
 * \param [in,out] request  Freed and set to NULL unless LARDER_AGAIN or LARDER_ECALLBACK is
 *     returned.
 * \return LARDER_AGAIN after timeout_s; else as larder_download. */
int larder_download_wait (larder_request **request, double timeout_s, larder_error *err);

/** Give a download up, and with it the transaction: this rank is recorded as failed with
 * LARDER_ECANCELED on every object of the transaction that it has not finished, and its other
 * downloads of the same transaction end likewise.  What it begins of the transaction after that is
 * refused with LARDER_ECANCELED. Each consumer's download_failed is called with LARDER_ECANCELED
 * unless its download has ended before.  When this one has ended, it is freed and nothing is given up
 * (larder_confirm with LARDER_ECANCELED gives up the rest).  The owner hears of it as soon as this rank makes
 * progress.  Collective: no.  Thread: the session's.  Blocks: no.
 * \param [in,out] request  Freed and set to NULL unless LARDER_ECALLBACK is returned; NULL is
 *     allowed.
 * \return LARDER_OK, LARDER_ECALLBACK. */
int larder_download_cancel (larder_request **request, larder_error *err);

/** Where an interrupted download goes on.  Plain data; valid while the session is open; may be dropped:
 * larder_confirm (.ref, LARDER_ECANCELED) tells the owner that nothing more is wanted. */
typedef struct larder_cursor {
    larder_ref ref;  /**< as the download was started with */
    uint64_t item;   /**< next item */
    uint64_t offset; /**< bytes of it that the consumer has */
    uint64_t chunk;  /**< next chunk + 1; 0: none has come */
    uint64_t bytes;  /**< bytes that the consumer has */
} larder_cursor;

/** Interrupt a download, to go on later where it stopped.  No verdict is reported and nothing of the
 * consumer is called: it keeps what it has.  Meanwhile this rank holds nothing, and chunks may go
 * without it after hold_timeout (they are produced again); the transaction's timeouts still apply.
 * Collective: no.  Thread: the session's.  Blocks: no.
 * \param [in,out] request  Freed and set to NULL when LARDER_OK is returned.
 * \param [out] cursor  For larder_download_resume.
 * \return LARDER_OK; LARDER_EINVAL when the download has ended already (then _test or _wait take
 *     its result); LARDER_ECALLBACK. */
int larder_download_interrupt (larder_request **request, larder_cursor *cursor, larder_error *err);

/** Go on with an interrupted download.  As larder_download_start; the consumer gets the bytes that
 * follow those it got before, and the verdict at the end is that of the whole download. */
int larder_download_resume (larder *session, const larder_cursor *cursor,
                            const larder_consumer *consumer, larder_request **request,
                            larder_error *err);

/** Say that this receiver has what it wants of an object, or has failed.  A download of the whole object
 * says it by itself; who downloads parts (larder_ref_items) says it here when the last one is done,
 * so that the owner can let go.
 * Collective: no.  Thread: the session's.  Progress: yes.  Blocks until the owner has answered, or
 * nothing has moved for the session's timeout_s seconds.
 * \param ref   Any ref to the object.
 * \param code  LARDER_OK, or the error to be recorded; LARDER_ECANCELED is recorded on every object
 *     of the transaction that this rank has not finished.
 * \return LARDER_OK (also when the object is not offered any more); as larder_download otherwise. */
int larder_confirm (larder *session, const larder_ref *ref, int code, larder_error *err);

#ifdef __cplusplus
}
#endif
#endif
