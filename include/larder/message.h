/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * Messages: a tree of named values, some carried inside, some by reference.
 *
 * A message is a map of named values: maps and lists of values, numbers, strings, byte strings, typed arrays,
 * values of types of the user's own (handler.h), and lazy refs: values that stand elsewhere and whose
 * data has not come.  Values are addressed by paths: names separated by `/`; in a list a name is an index
 * in decimal.  "" is the message itself.
 *
 *     larder_message *m;
 *     larder_message_new (&m, &err);
 *     larder_message_set_int (m, "round", 3, &err);
 *     larder_message_set_array (m, "model/weights", &shape, weights, &err);
 *
 * encode.h turns messages into bytes, and bytes into messages; resolve.h downloads lazy refs.  A
 * message is no MPI matter: nothing here needs a session.  Thread: one at a time per message; values that two
 * messages share (larder_message_copy) may be used by two threads. */
#ifndef LARDER_MESSAGE_H
#define LARDER_MESSAGE_H

#include <larder/error.h>
#include <larder/ref.h>
#include <larder/shape.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A message (opaque). */
typedef struct larder_message larder_message;

/** Kinds of values. */
typedef enum larder_kind {
    LARDER_KIND_NIL = 0,
    LARDER_KIND_BOOL,
    LARDER_KIND_INT,    /**< fits into int64_t */
    LARDER_KIND_UINT,   /**< above INT64_MAX */
    LARDER_KIND_FLOAT,  /**< a double */
    LARDER_KIND_STRING, /**< text of any encoding, may hold zeros */
    LARDER_KIND_BYTES,
    LARDER_KIND_ARRAY, /**< a typed array in memory */
    LARDER_KIND_TYPED, /**< a value of a handler's type */
    LARDER_KIND_LAZY,  /**< a lazy ref */
    LARDER_KIND_LIST,
    LARDER_KIND_MAP
} larder_kind;

/** Names are at least one byte, at most so many, without `/` and zero bytes. */
#define LARDER_NAME_MAX 255

/** A message is at most so deep: values of the message itself are at depth 1. */
#define LARDER_DEPTH_MAX 24

/** The type tag (DOT, datum object type) of arrays in memory. */
#define LARDER_DOT_ARRAY 1

/** A lazy ref: where a value stands, and what is known of it without its data.  Plain data. */
typedef struct larder_lazy {
    larder_ref ref; /**< the items that are the value; may be used by itself (larder_download) */
    int dot;        /**< type tag of the handler that reads it; arrays: LARDER_DOT_ARRAY */
    larder_shape shape; /**< what its handler says of it; for arrays its element type and extent */
    uint64_t size; /**< bytes of its data, as its handler counts them; for arrays those of shape */
} larder_lazy;

/** A value as it is set or got: kind says which members mean something, the others are zero. */
typedef struct larder_value {
    larder_kind kind;
    int boolean;      /**< BOOL: 0 or 1 */
    int64_t integer;  /**< INT */
    uint64_t natural; /**< UINT, and INT not below 0 */
    double real;      /**< FLOAT, INT and UINT */
    const void
        *data;     /**< STRING (a zero follows when got), BYTES, ARRAY; TYPED: the handler's value;
                            LAZY: its bytes where they stand on this node's disk, else NULL */
    uint64_t size; /**< bytes of data, without the zero; LIST, MAP: number of values */
    int dot;       /**< ARRAY, TYPED, LAZY: type tag */
    larder_shape shape;             /**< ARRAY, LAZY */
    larder_lazy lazy;               /**< LAZY */
    void (*free_data) (void *data); /**< when set, ARRAY and TYPED: NULL: data is borrowed until the
                                         message is freed and what it was encoded into has settled;
                                         else the message takes data over on success, and frees it after
                                         its last use.  Zero when got */
} larder_value;

/** Begin a message: an empty map.  Collective: no.  Thread: any.  Blocks: no.
 * \param [out] message  End it with larder_message_free.  Unchanged on failure.
 * \return LARDER_OK, LARDER_EINVAL, LARDER_ENOMEM. */
int larder_message_new (larder_message **message, larder_error *err);

/** End a message; pointers got from it end with it.  NULL is allowed; *message is NULL afterwards.
 * Collective: no.  Thread: any.  Blocks: no. */
void larder_message_free (larder_message **message);

/** Set a value.  Maps on the way to it are made where they are missing (lists are not: set LARDER_KIND_LIST first,
 * then "list/-" appends); a value that stood there is replaced.  In a list an index may be that of a value, or the number of values or "-": then it is
 * appended.  Strings and bytes are copied.  LIST and MAP make an empty one.
 * Collective: no.  Thread: any.  Blocks: no.
 * \param path  Not "".
 * \param value  Read during the call; see free_data.
 * \return LARDER_OK; LARDER_EINVAL (bad path, kind or dot; data NULL with a size); LARDER_EKIND (what is on
 *     the way is no map or list); LARDER_ERANGE (index behind the end of a list; shape; too deep; the size of
 *     a string or byte string passes 32 bits); LARDER_EREF (LAZY: its ref); LARDER_ENOMEM: the message
 *     is as it was. */
int larder_message_set (larder_message *message, const char *path, const larder_value *value,
                        larder_error *err);

/** Shorter ways to set, errors as larder_message_set.  An array's data is borrowed (free_data NULL).
 * A string ends at its zero. */
int larder_message_set_int (larder_message *message, const char *path, int64_t value,
                            larder_error *err);
int larder_message_set_float (larder_message *message, const char *path, double value,
                              larder_error *err);
int larder_message_set_string (larder_message *message, const char *path, const char *text,
                               larder_error *err);
int larder_message_set_bytes (larder_message *message, const char *path, const void *data,
                              uint64_t size, larder_error *err);
int larder_message_set_array (larder_message *message, const char *path, const larder_shape *shape,
                              const void *data, larder_error *err);
int larder_message_set_lazy (larder_message *message, const char *path, const larder_lazy *lazy,
                             larder_error *err);

/** Get a value.  Collective: no.  Thread: any.  Blocks: no.
 * \param [out] value  Pointers in it are borrowed: valid until the value is replaced, removed or resolved,
 *     or the message freed.  Unchanged on failure.
 * \return LARDER_OK; LARDER_ENOENT (nothing there; the text says how far the path goes); LARDER_EINVAL. */
int larder_message_get (const larder_message *message, const char *path, larder_value *value,
                        larder_error *err);

/** Shorter ways to get.  \return as larder_message_get; LARDER_EKIND when the value is of another kind, or
 *     (array) of another element type than `type`; LARDER_ERANGE when a number does not fit.  A float is
 *     got from integers too, an integer only from integers.  An array that is a lazy ref is LARDER_EKIND:
 *     resolve it first (one on disk has its bytes in larder_value.data). */
int larder_message_get_int (const larder_message *message, const char *path, int64_t *value,
                            larder_error *err);
int larder_message_get_float (const larder_message *message, const char *path, double *value,
                              larder_error *err);
int larder_message_get_string (const larder_message *message, const char *path, const char **text,
                               larder_error *err);
int larder_message_get_array (const larder_message *message, const char *path, larder_type type,
                              larder_shape *shape, const void **data, larder_error *err);

/** Number of values in a map or list.  Collective: no.  Thread: any.  Blocks: no.
 * \param [out] count  Unchanged on failure.
 * \return LARDER_OK, LARDER_ENOENT, LARDER_EKIND, LARDER_EINVAL. */
int larder_message_count (const larder_message *message, const char *path, uint64_t *count,
                          larder_error *err);

/** Name of a map's value by its number, in the order in which names were set; for lists the index itself.
 * Collective: no.  Thread: any.  Blocks: no.
 * \param [out] name  Ends with a zero; unchanged on failure.
 * \return LARDER_OK; LARDER_ENOENT, LARDER_EKIND; LARDER_ERANGE (index behind the last); LARDER_EINVAL. */
int larder_message_name (const larder_message *message, const char *path, uint64_t index,
                         char name[LARDER_NAME_MAX + 1], larder_error *err);

/** Remove a value with all below it; in a list those behind it move up.  Collective: no.  Thread: any.
 * Blocks: no.
 * \return LARDER_OK, LARDER_ENOENT, LARDER_EINVAL (path is ""). */
int larder_message_remove (larder_message *message, const char *path, larder_error *err);

/** Copy a value with all below it to another place, of the same or another message.  Data of arrays, of
 * typed values and of what stands on disk is shared, not copied; a value that was encoded once stays the
 * same value.  Collective: no.  Thread: any.  Blocks: no.
 * \param to_path  As larder_message_set; "" when from is a map: its values are set into `to`, one by one.
 * \param from  May be `to`, unless one place is inside the other.
 * \return LARDER_OK; LARDER_ENOENT; otherwise as larder_message_set: `to` is as it was. */
int larder_message_copy (larder_message *to, const char *to_path, const larder_message *from,
                         const char *from_path, larder_error *err);

/** 1 when a value is a lazy ref or has one below it; 0 when not, or when nothing is there.  Collective:
 * no.  Thread: any.  Blocks: no. */
int larder_message_has_lazy (const larder_message *message, const char *path);

/** Look at every value below a place, depth first, a map or list before its values.  Collective: no.
 * Thread: any.  Blocks: no.
 * \param visit  Gets each value's whole path; must not change the message.  A result other than 0 ends
 *     the walk.
 * \return what visit returned last, LARDER_OK at the end; LARDER_ENOENT, LARDER_ENOMEM, LARDER_EINVAL. */
int larder_message_walk (const larder_message *message, const char *path,
                         int (*visit) (void *self, const char *path, const larder_value *value),
                         void *self, larder_error *err);

/** "array" for example; static, never NULL.  Collective: no.  Thread: any.  Blocks: no. */
const char *larder_kind_name (larder_kind kind);

#ifdef __cplusplus
}
#endif
#endif
