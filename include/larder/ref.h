/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * References: 64 bytes of plain data that name an object, or a range of its items.
 *
 * Send them as LARDER_REF_BYTES of MPI_BYTE, write them to a file, put them in an attribute: the
 * encoding is little-endian and self-checking. */
#ifndef LARDER_REF_H
#define LARDER_REF_H

#include <larder/error.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LARDER_REF_BYTES 64

/** A reference.  Plain data: copy it freely. */
typedef struct larder_ref {
    unsigned char bytes[LARDER_REF_BYTES];
} larder_ref;

/** What a reference says. */
typedef struct larder_ref_info {
    uint64_t session;     /**< random number of the session it belongs to */
    uint64_t transaction; /**< number of the transaction at its owner */
    uint64_t first_item;  /**< range of items it names */
    uint64_t item_count;
    uint32_t generation; /**< version of the object */
    uint32_t type_tag;   /**< the object's type_tag */
    uint32_t owner;      /**< rank that produces the items */
    uint32_t object;     /**< the object's number at its owner */
    uint32_t share;      /**< number of next receivers it was split among; 0: not split */
    int32_t via;         /**< rank that split it; -1: not split */
} larder_ref_info;

/** Read a reference.  Collective: no.  Thread: any.  Blocks: no.
 * \param [out] info  Unchanged on failure.
 * \return LARDER_OK; LARDER_EREF when magic, version or check do not fit. */
int larder_ref_read (const larder_ref *ref, larder_ref_info *info, larder_error *err);

/** Make a reference to a range of the items that another one names.  Who downloads parts calls
 * larder_confirm after the last one. Collective: no.  Thread: any.
 * Blocks: no.
 * \param first  First item, counted from the object's item 0.
 * \param count  Number of items, >= 1.
 * \param [out] part  May be the same as ref; unchanged on failure.
 * \return LARDER_OK, LARDER_EREF, LARDER_ERANGE when the range is not inside ref's. */
int larder_ref_items (const larder_ref *ref, uint64_t first, uint64_t count, larder_ref *part,
                      larder_error *err);

/** Largest number of next receivers of a split ref, and largest rank that can split one. */
#define LARDER_SPLIT_MAX ((1 << 20) - 1)

/** Say that a reference is passed on: that the `share` ranks that get `split` take the place that rank
 * `via` has among the receivers of its transaction.  Done once, by the first rank that passes a
 * reference on and knows how many are next; ranks behind it pass `split` on as it is.  Refs of one transaction
 * that one rank splits name the same number. Collective: no.  Thread: any.  Blocks: no.
 * \param via  The rank (of the session) that passes it on, 0 to LARDER_SPLIT_MAX.
 * \param share  Number of next receivers, 1 to LARDER_SPLIT_MAX.
 * \param [out] split  May be the same as ref; unchanged on failure.
 * \return LARDER_OK, also when it was split with the same numbers before: then split equals ref;
 *     LARDER_ESPLIT when it was split with other numbers; LARDER_EREF; LARDER_EINVAL (NULL, or a
 *     number out of bounds). */
int larder_ref_split (const larder_ref *ref, int via, int share, larder_ref *split,
                      larder_error *err);

#ifdef __cplusplus
}
#endif
#endif
