/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * Sessions: opened collectively on a communicator, they own the windows and the node caches. */
#ifndef LARDER_SESSION_H
#define LARDER_SESSION_H

#include <larder/config.h>
#include <larder/error.h>
#include <mpi.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A session (opaque). */
typedef struct larder larder;

/** Open a session.  Collective: over comm, which is duplicated; the user's communicator and its
 * error handler stay as they are.  Thread: the one that will make all further calls
 * (MPI_THREAD_SINGLE is enough; MPI_THREAD_MULTIPLE is fine where MPI's one-sided component
 * allows it). Blocks: until all ranks of comm have called.
 * \param config  NULL: defaults, environment.  Equal on all ranks.
 * \param info  MPI_INFO_NULL, or hints `larder_*`.
 * \param [out] session  Unchanged on failure, when there is nothing to free.
 * \return The same code on all ranks: LARDER_OK; LARDER_EINVAL, LARDER_ERANGE (settings out of
 *     bounds; control words that would need more than 1/8 of cache_size and more than 1 MiB,
 *     with the figures);
 *     LARDER_EMISMATCH; LARDER_ENOMEM (no room in /dev/shm, with the figures); LARDER_ENOWINDOW
 *     (err's text names the variable to export); LARDER_EMPI. */
int larder_open (MPI_Comm comm, const larder_config *config, MPI_Info info, larder **session,
                 larder_error *err);

/** Close a session.  Collective: over its communicator.  Thread: the session's.  Progress: yes.
 * Settles this rank's own offers as deleted, cancels its downloads (their requests are freed with the
 * session), tells the owners that this rank is no receiver any more (what it has not finished is
 * recorded as failed with LARDER_EGONE), and meets the others for at most timeout_s of the settings.
 * *session is NULL afterwards, whatever is returned; NULL is
 * allowed.
 * \return LARDER_OK; LARDER_ETIMEDOUT when not all ranks came (the windows are then leaked, and
 *     err's text says so); LARDER_ECALLBACK inside a callback (then *session is unchanged). */
int larder_close (larder **session, larder_error *err);

/** Make progress for what this rank owns and downloads.  Collective: no.  Thread: the session's.
 * Blocks at most timeout_s seconds while there is nothing to do; 0 looks once.
 * \param max_work  Largest number of chunks to produce or consume before returning; <= 0: one.
 * \return LARDER_OK when something was done, LARDER_AGAIN when there was nothing to do;
 *     LARDER_EMPI, LARDER_EBROKEN, LARDER_ECALLBACK. */
int larder_progress (larder *session, int max_work, double timeout_s, larder_error *err);

/** Serve until all offers of this rank have settled.  Collective: no.  Thread: the session's.
 * Progress: yes.  Blocks until then, or until nothing has moved for timeout_s seconds (<= 0: the
 * session's timeout_s).
 * \return LARDER_OK when all have settled, well or not (timed out, refused by a consumer): the receipt of a transaction says
 *     which (larder_transaction_wait); LARDER_EOWNER, LARDER_ESTALE or LARDER_ENOMEM when an object could not be produced (err
 *     says why; its receivers got the same); LARDER_ETIMEDOUT (the offers stay, call again or larder_withdraw them); LARDER_EMPI,
 *     LARDER_EBROKEN, LARDER_ECALLBACK. */
int larder_serve (larder *session, double timeout_s, larder_error *err);

/** Announce that this rank will not make progress for a while (a long computation, a checkpoint),
 * or that it is back.  Until then no timeout, budget or hold_timeout is charged to it, here or at any
 * owner of the session; chunks that it needs stay.  Takes effect when an owner has read it, in time
 * normally well under a second.  Only what this rank does as a receiver is covered: who downloads from it, or waits for it in larder_agree
 * or larder_close, waits for timeout_s as always.
 * Collective: no.  Thread: the session's.  Blocks: no.
 * \param seconds  From now on, >= 0 and finite; replaces an earlier announcement; 0 ends it.
 * \return LARDER_OK, LARDER_EINVAL, LARDER_ECALLBACK, LARDER_EBROKEN, LARDER_EMPI. */
int larder_pause (larder *session, double seconds, larder_error *err);

/** How many ranks and nodes a session has, and how it moves bytes. */
typedef struct larder_session_info {
    int rank, size;        /**< in the session's communicator */
    int node, node_count;  /**< nodes are numbered by their lowest rank */
    int node_rank;         /**< this rank's number on its node */
    int node_size;         /**< ranks on this node */
    const char *transport; /**< "shared memory" (one node) or "one-sided"; static */
    uint64_t id;           /**< random number of the session; refs carry it */
    uint64_t chunk_size;   /**< settings in force */
    uint64_t cache_size;
    uint64_t piece_size;
    uint64_t control_size; /**< bytes of control words beside the slots, per node */
    uint64_t slot_count;   /**< slots per node */
    double timeout_s;      /**< settings in force */
} larder_session_info;

/** Collective: no.  Thread: the session's.  Blocks: no.
 * \return LARDER_OK, LARDER_EINVAL. */
int larder_session_get_info (const larder *session, larder_session_info *info);

/** Counters of this rank since larder_open. */
typedef struct larder_stats {
    uint64_t items_produced;    /**< items whose last byte this rank produced for the first time */
    uint64_t items_reproduced;  /**< items produced again */
    uint64_t chunks_produced;   /**< chunks put into the cache for the first time */
    uint64_t chunks_reproduced; /**< chunks put there again */
    uint64_t bytes_produced;    /**< payload bytes of chunks_produced and chunks_reproduced */
    uint64_t chunks_fetched;    /**< chunks this rank got from other nodes */
    uint64_t bytes_fetched;     /**< payload bytes of them */
    uint64_t
        bytes_from_owner; /**< of these, what came straight from the owner's node, not passed on by another */
    uint64_t bytes_consumed;   /**< payload bytes shown to this rank's consumers */
    uint64_t retries;          /**< chunks fetched again for whatever reason */
    uint64_t checksum_errors;  /**< chunks that did not fit their checksum */
    uint64_t peak_cache_bytes; /**< largest number of bytes of slots in use on this node */
} larder_stats;

/** Collective: no.  Thread: the session's.  Blocks: no.
 * \return LARDER_OK, LARDER_EINVAL. */
int larder_session_get_stats (const larder *session, larder_stats *stats);

/** Collective start of a measured or agreed step: all ranks meet and agree on a result.
 * Collective: over the session's communicator.  Thread: the session's.  Progress: yes.  Blocks
 * until all ranks have called, for at most timeout_s of the settings without progress.
 * \param code This rank's own result, LARDER_OK or negative.
 * \param [in] mine May be NULL; the text that belongs to code < 0.
 * \param [out] err The failed rank's text (of the lowest rank that failed), on all ranks.
 * \return The same on all ranks: LARDER_OK, or the code of the lowest rank that failed; or
 *     LARDER_ETIMEDOUT (the session is then broken), LARDER_EMPI. */
int larder_agree (larder *session, int code, const larder_error *mine, larder_error *err);

#ifdef __cplusplus
}
#endif
#endif
