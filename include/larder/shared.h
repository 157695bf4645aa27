/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * Memory that the ranks of a node share, and downloading a whole object into it: a table that every rank
 * looks up takes one copy per node instead of one per rank.  Its ranks take turns in copying (or decoding), so
 * all of them work for the one copy. */
#ifndef LARDER_SHARED_H
#define LARDER_SHARED_H

#include <larder/error.h>
#include <larder/ref.h>
#include <larder/session.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Memory that the ranks of a node share (opaque). */
typedef struct larder_shared larder_shared;

/** Allocate memory on every node.  Collective: over the session's communicator.  Thread: the session's.  Progress:
 * yes, but not while the ranks of a node make the memory.  Blocks until all ranks have called, for at most timeout_s
 * of the settings without progress.
 * \param size  Bytes, equal on all ranks; 0 is allowed.  Their content is undefined.  Pages are not touched here:
 *     each belongs to the memory of the core that writes it first.
 * \param [out] shared  End it with larder_shared_free.  Unchanged on failure.
 * \return The same on all ranks: LARDER_OK; LARDER_EINVAL; LARDER_EMISMATCH (size); LARDER_ENOMEM (no room
 *     in shared memory, with the figures); LARDER_ECALLBACK, LARDER_EBROKEN, LARDER_ETIMEDOUT, LARDER_EMPI. */
int larder_shared_alloc (larder *session, uint64_t size, larder_shared **shared, larder_error *err);

/** Free it, before the session is closed.  Collective: over the ranks of this node.  Thread: the session's.  Progress:
 * yes.  Blocks until they have called, for at most timeout_s of the settings without progress.  *shared is NULL
 * afterwards, whatever is returned; NULL is allowed.
 * \return LARDER_OK; LARDER_ETIMEDOUT, LARDER_EMPI (the memory is then leaked); LARDER_ECALLBACK (then *shared is
 *     unchanged). */
int larder_shared_free (larder_shared **shared, larder_error *err);

/** The memory, on a boundary of 4096; at another address on each rank.  Collective: no.  Thread: any.  Blocks: no. */
void *larder_shared_data (const larder_shared *shared);

/** Its bytes.  Collective: no.  Thread: any.  Blocks: no. */
uint64_t larder_shared_size (const larder_shared *shared);

/** All ranks of the session meet, and what each has written into its node's memory before is seen by the others of the
 * node afterwards.  As larder_agree in everything else. */
int larder_shared_agree (larder_shared *shared, int code, const larder_error *mine,
                         larder_error *err);

/** Download a whole object, once per node: its items one after another.  Collective: over the session's communicator; the
 * owner takes part as well, whoever it declared.  Thread: the session's.  Progress: yes, but not while the
 * ranks of a node make the memory.  Blocks until all nodes have everything.  Each rank is a receiver like any other, and is
 * recorded with success only when its share of the work is done.
 * \param ref  The same on all ranks; names a whole object, whose item sizes are known without producing.
 * \param [out] shared  Reads in place, until larder_shared_free.  Unchanged on failure.
 * \return The same on all ranks: LARDER_OK; LARDER_EMISMATCH (not the same ref); LARDER_ENOTSUP (sizes known only by
 *     producing; a ref to a part); as larder_shared_alloc; as larder_download. */
int larder_download_node (larder *session, const larder_ref *ref, larder_shared **shared,
                          larder_error *err);

/** Number of items of a downloaded object; 0 for memory that was only allocated.  Collective: no.  Thread: any.
 * Blocks: no. */
uint64_t larder_shared_items (const larder_shared *shared);

/** One item of a downloaded object.  Collective: no.  Thread: any.  Blocks: no; no system call, no MPI.
 * \param [out] size  Its bytes; may be NULL.
 * \return Where it stands; NULL when there is no such item. */
const void *larder_shared_item (const larder_shared *shared, uint64_t item, uint64_t *size);

#ifdef __cplusplus
}
#endif
#endif
