/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of a message, for who encodes, decodes and resolves it (larder/message.h is the public side). */
#ifndef LARDER_MESSAGE_PRIVATE_H
#define LARDER_MESSAGE_PRIVATE_H

#include "larder_blob.h"
#include <larder/message.h>

/* Data of an array or typed value, a lazy ref, or both (received to disk).  Shared by all places that
 * name the same value; pure data apart from `users`. */
struct larder_datum {
    int users; /* nodes of one message; a copy into another message makes a datum of its own */
    int dot;
    larder_kind kind; /* LARDER_KIND_ARRAY, _TYPED or _LAZY: what its nodes are */
    int sealed;       /* TYPED: native bytes of a type without a handler; they stand in data */
    const void *data; /* NULL: lazy, or no bytes */
    uint64_t size;    /* as its handler counts them */
    struct larder_blob *blob; /* keeps data; NULL: borrowed, or there is none */
    /* LAZY, and TYPED made as a placeholder of one. */
    int has_ref;
    larder_ref ref;        /* to the whole object */
    uint64_t first, count; /* items of it that are the value */
    int refused;        /* scratch of resolving: no placeholder could be made of it; 0 otherwise */
    uint64_t mark;      /* scratch of a walk over one message, 0 between walks */
    larder_shape shape; /* last: only `ndims` of its dims are allocated */
};

struct larder_node {
    larder_kind kind;
    int depth; /* of the message itself 0 */
    union {
        int boolean;
        int64_t integer;
        uint64_t natural;
        double real;
        struct larder_text *text;         /* STRING, BYTES */
        struct larder_datum *datum;       /* ARRAY, TYPED, LAZY */
        struct larder_children *children; /* LIST, MAP */
    } u;
};

struct larder_text {
    uint64_t size;
    char bytes[]; /* and a zero */
};

/* Values of a list or map, in order. */
struct larder_children {
    uint64_t count, room;
    struct larder_node *nodes;
    char **names;    /* MAP: one allocation each */
    uint32_t *index; /* MAP of more than a few: open addressing by a hash of the name; number + 1 */
    uint64_t index_size; /* a power of two, at least twice the room; 0: no index yet */
    uint64_t seed;       /* of the hash: names made up to collide do not */
};

struct larder_message {
    struct larder_node root; /* a MAP */
};

/* Build from below, as a decoder does: no paths, no second look. */

/* A node becomes an empty list or map with room for so many values.  LARDER_EINVAL (kind), LARDER_ERANGE (too
 * deep), LARDER_ENOMEM. */
int larder_message_open (struct larder_node *node, larder_kind kind, uint64_t room,
                         larder_error *err);
/* One more value, NIL at first; the pointer is valid until the next is added.  name: of a map, `length`
 * bytes, checked here.  LARDER_EINVAL (name, or no list or map), LARDER_EEXIST (a name twice), LARDER_ERANGE
 * (too deep, or too many), LARDER_ENOMEM. */
int larder_message_append (struct larder_node *node, const char *name, size_t length,
                           struct larder_node **child, larder_error *err);
int larder_message_put_text (struct larder_node *node, larder_kind kind, const void *bytes,
                             uint64_t size, larder_error *err);
/* The node takes one use of datum over (users + 1). */
void larder_message_put_datum (struct larder_node *node, struct larder_datum *datum);

/* A datum without users; its shape is copied (NULL: all zero).  NULL: no memory. */
struct larder_datum *larder_datum_new (int dot, larder_kind kind, const larder_shape *shape);
/* Free a datum that has no users. */
void larder_datum_free (struct larder_datum *datum);
void larder_datum_shape (const struct larder_datum *datum, larder_shape *shape);
void larder_datum_lazy (const struct larder_datum *datum, larder_lazy *lazy);

/* The node at a path.  LARDER_ENOENT, LARDER_EINVAL. */
int larder_message_find (const larder_message *message, const char *path, struct larder_node **node,
                         larder_error *err);

/* Call `visit` for each datum at a node and below it, in order; those named twice come twice.  A result other
 * than 0 ends the walk and is returned. */
int larder_message_data (const struct larder_node *node,
                         int (*visit) (void *self, struct larder_datum *datum), void *self);

/* The datum is now what its data member, or its ref, says: nodes that have it get its kind. */
void larder_message_renew (larder_message *message);

#endif
