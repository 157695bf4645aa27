/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * Handlers: how values of a type travel in a message, natively or by reference.
 *
 * A handler is a table of functions with a small number, the DOT (datum object type), which stands beside
 * each value in a message.  Arrays in memory have one built in; hdf5.h has one for HDF5 datasets; programs
 * may register others.  Functions return a larder_code and fill err when it is negative; they must not call
 * back into the session, except where it says so. */
#ifndef LARDER_HANDLER_H
#define LARDER_HANDLER_H

#include <larder/consumer.h>
#include <larder/error.h>
#include <larder/message.h>
#include <larder/object.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The session (larder/session.h); named here so that this header needs no MPI. */
struct larder;

/** Programs number their handlers from here on, to LARDER_DOT_MAX; lower ones are larder's. */
#define LARDER_DOT_USER 64
#define LARDER_DOT_MAX  65535

/** A value that a handler made: an array in memory, or a value of its type. */
typedef struct larder_made {
    void *value;        /**< array: its bytes.  NULL is an error unless it is an array of 0 bytes */
    int array;          /**< 1: shape says what value is; it becomes LARDER_KIND_ARRAY */
    larder_shape shape; /**< of an array: the one that describe gave */
    void (*free_value) (void *value); /**< called after the last use; NULL: nothing to free */
} larder_made;

/** A handler.  Zero-initialise, then set.  describe is required; make_object and receive for values by
 * reference; write_native and read_native for native ones: a function that is needed and missing is
 * LARDER_EHANDLER. */
typedef struct larder_handler {
    int dot; /**< LARDER_DOT_USER .. LARDER_DOT_MAX (lower ones: larder's own) */
    const char
        *name; /**< letters, digits and `_`, at most 31; in error texts and settings; copied */
    int64_t chunk_size; /**< most bytes of a chunk for values of this type; 0: the environment's
                             LARDER_<NAME>_CHUNK_SIZE, else the session's; < 0: values are always native,
                             as when the variable is 0 */
    void *self;         /**< handed to every function; must stay valid as long as the registry */

    /** What stands beside the value in a message, so that code in the middle can plan.
     * \param [out] shape  Zero when called, and may stay so; a known type, at most LARDER_MAX_DIMS dimensions. */
    int (*describe) (void *self, const void *value, larder_shape *shape, uint64_t *size,
                     larder_error *err);

    /** 1: two values are one and the same, and travel once.  Asked of values that are described alike.  NULL: when
     * their pointers are equal. */
    int (*same) (void *self, const void *a, const void *b);

    /** Make one object of some values: `items[i]` items for the i-th value, one value after another.  The
     * object must know its items' sizes (item_size or uniform_item_size).  Values stay valid until its
     * release.
     * \param [out] object  As larder_object_memory; release frees it, also when the encode fails.
     * \param [out] items  Room for count numbers; each may be 0. */
    int (*make_object) (void *self, const void *const *values, size_t count, larder_object *object,
                        uint64_t *items, larder_error *err);

    /** The value's bytes as they stand in a message: exactly `size` as describe said; not called for 0. */
    int (*write_native) (void *self, const void *value, void *buffer, uint64_t size,
                         larder_error *err);

    /** A value from such bytes, which are borrowed for the call and checked for nothing but damage on the
     * way: do not trust what they say. */
    int (*read_native) (void *self, const larder_shape *shape, const void *data, uint64_t size,
                        larder_made *made, larder_error *err);

    /** Begin to receive a value: fill a consumer for its items, which are numbered from 0.  Afterwards exactly
     * one of finish and abandon is called with consumer->self; download_completed and download_failed
     * are not. */
    int (*receive) (void *self, const larder_lazy *lazy, larder_consumer *consumer,
                    larder_error *err);
    /** All items have come: the value.  Frees consumer->self, whatever is returned. */
    int (*finish) (void *self, void *consumer_self, larder_made *made, larder_error *err);
    /** Some items will not come.  Frees consumer->self. */
    void (*abandon) (void *self, void *consumer_self);

    /** A placeholder that reads on demand, instead of receiving; NULL: there is none of this type.
     * May call into the session, and so may free_value of what it made. */
    int (*make_lazy_ref) (void *self, struct larder *session, const larder_lazy *lazy,
                          larder_made *made, larder_error *err);
} larder_handler;

/** A set of handlers (opaque). */
typedef struct larder_registry larder_registry;

/** Begin a registry, with the handler of arrays (LARDER_DOT_ARRAY) in it.  Collective: no.  Thread: any.  Blocks:
 * no.
 * \param [out] registry  End it with larder_registry_free, after all that was encoded with it has
 *     settled.  Unchanged on failure.
 * \return LARDER_OK, LARDER_EINVAL, LARDER_ERANGE (LARDER_ARRAY_CHUNK_SIZE in the environment is no size),
 *     LARDER_ENOMEM. */
int larder_registry_new (larder_registry **registry, larder_error *err);

/** End a registry.  NULL is allowed; *registry is NULL afterwards.  Collective: no.  Thread: any.  Blocks:
 * no. */
void larder_registry_free (larder_registry **registry);

/** Register a handler.  Collective: no.  Thread: any.  Blocks: no.
 * \param handler  Copied.
 * \return LARDER_OK; LARDER_EEXIST (a handler has this DOT or this name already); LARDER_EINVAL (DOT, name,
 *     no describe, make_object without receive, finish and abandon, or one of the native functions
 *     without the other); LARDER_ERANGE (the environment's chunk size is no size); LARDER_ENOMEM: the registry
 *     is as it was. */
int larder_registry_add (larder_registry *registry, const larder_handler *handler,
                         larder_error *err);

#ifdef __cplusplus
}
#endif
#endif
