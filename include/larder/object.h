/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * Objects: something with items, described by a table of functions.
 *
 * The owner calls the functions; receivers never see them.  Items are counted from 0.  All calls
 * for one object come from the thread that calls into the session, one at a time, and may come from
 * inside any larder function that makes progress.  A function must not call back into the session.
 * A function that fails returns a negative larder_code and fills err (larder_error_set). */
#ifndef LARDER_OBJECT_H
#define LARDER_OBJECT_H

#include <larder/error.h>
#include <larder/ref.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How a transaction ended. */
typedef enum larder_done {
    LARDER_DONE_FINISHED = 1, /**< every receiver is accounted for */
    LARDER_DONE_TIMEOUT = 2,  /**< no progress for too long */
    LARDER_DONE_DELETED = 3   /**< withdrawn by its owner, or the session closed */
} larder_done;

/** The functions of an object.  item_count and produce_item are required, the others may be NULL.
 */
typedef struct larder_object_ops {
    /** Number of items; asked once, when the object is offered. */
    int (*item_count) (void *self, uint64_t *count, larder_error *err);

    /** Exact size of one item in bytes, without producing it.  NULL: either uniform_item_size says
     * it, or sizes are known only by producing; then every item starts a chunk of its own and a
     * download can begin only at item 0 or at an item that was produced before. */
    int (*item_size) (void *self, uint64_t item, uint64_t *size, larder_error *err);

    /** Write bytes [offset, offset + *produced) of an item straight into the cache.  Called in
     * parts, normally with ascending offsets; an object that can be produced again may later be
     * asked for any part that it produced before.
     * \param capacity  Room in buffer; where the size is known never more than is left of it, and
     *     then all of it must be filled.
     * \param [out] produced Bytes written, <= capacity.
     * \param [out] last  Set to 1 when the item ends with these bytes; preset to 0.  Where the
     *     size is known it need not be set. On failure nothing of the item is passed on and the
     *     receivers of it fail with LARDER_EOWNER. */
    int (*produce_item) (void *self, uint64_t item, uint64_t offset, void *buffer, size_t capacity,
                         size_t *produced, int *last, larder_error *err);

    /** Hint: this item will be asked for next. */
    void (*prefetch_item) (void *self, uint64_t item);

    /** The object is now part of a transaction; called before the first item_count. A failure makes
     * the offer fail. */
    int (*set_transaction) (void *self, uint64_t transaction, larder_error *err);

    /** One receiver is final: code is LARDER_OK or what it failed with. */
    void (*downloaded_to_one) (void *self, int receiver, int code);

    /** All receivers are final; called once. */
    void (*downloaded_to_all) (void *self);

    /** The transaction ended; the source is still alive. */
    void (*transaction_done) (void *self, uint64_t transaction, larder_done done);

    /** Last call: larder will not touch self again.  Frees what self owns. */
    void (*release) (void *self);
} larder_object_ops;

/** An object as it is offered; larder copies the struct and the name. */
typedef struct larder_object {
    const larder_object_ops *ops; /**< must stay valid until release */
    void *self;                   /**< handed to every function */
    const char *name;             /**< for error texts; NULL: "object" */
    uint64_t uniform_item_size;   /**< > 0: every item has this size, the last may be shorter (then
                                       item_size gives the last one's); 0: see item_size */
    uint64_t chunk_size;          /**< upper limit of its own, <= the session's; 0: the session's */
    uint32_t type_tag;            /**< free for the user, travels in the ref */
    int once;                     /**< 1: items cannot be produced a second time */
    int reproduce;                /**< 1: policy `reproduce`: chunks may go early; 0: `hold` */
} larder_object;

/** Make an object of bytes in memory, cut into items of equal size (the last may be shorter).
 * Collective: no.  Thread: any.  Blocks: no.
 * \param data  Borrowed until release; not written to.
 * \param size  Bytes, may be 0: then the object has no items.
 * \param item_size  Bytes per item, >= 1.
 * \param name  Copied; NULL: "memory".
 * \param [out] object To be given to larder_offer, which takes it over; if it is not offered, or
 *     the offer fails, call object->ops->release (object->self).  Unchanged on failure.
 * \return LARDER_OK, LARDER_EINVAL, LARDER_ENOMEM. */
int larder_object_memory (const void *data, uint64_t size, uint64_t item_size, const char *name,
                          larder_object *object, larder_error *err);

#ifdef __cplusplus
}
#endif
#endif
