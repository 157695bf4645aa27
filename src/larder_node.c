/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_node.h"
#include "larder_children.h"
#include "larder_path.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int has_children (const struct larder_node *node)
{
    return node->kind == LARDER_KIND_LIST || node->kind == LARDER_KIND_MAP;
}

static int has_datum (const struct larder_node *node)
{
    return node->kind == LARDER_KIND_ARRAY || node->kind == LARDER_KIND_TYPED ||
           node->kind == LARDER_KIND_LAZY;
}

void larder_node_release (struct larder_node *node)
{
    struct larder_node old = *node;

    *node = (struct larder_node){.depth = old.depth};
    if (has_children (&old)) {
        for (uint64_t i = 0; i < old.u.children->count; ++i)
            larder_node_release (&old.u.children->nodes[i]);
        larder_children_free (old.u.children);
    } else if (has_datum (&old)) {
        if (--old.u.datum->users == 0)
            larder_datum_free (old.u.datum);
    } else if (old.kind == LARDER_KIND_STRING || old.kind == LARDER_KIND_BYTES) {
        free (old.u.text);
    }
}

void larder_node_move (struct larder_node *to, struct larder_node *from)
{
    struct larder_node old = *to;

    to->kind = from->kind;
    to->u = from->u;
    *from = (struct larder_node){.depth = from->depth};
    larder_node_release (&old);
}

int larder_node_height (const struct larder_node *node)
{
    int height = 0;

    if (has_children (node))
        for (uint64_t i = 0; i < node->u.children->count; ++i) {
            int below = 1 + larder_node_height (&node->u.children->nodes[i]);
            height = below > height ? below : height;
        }
    return height;
}

/* ---------------------------------------------------------------- building */

int larder_message_open (struct larder_node *node, larder_kind kind, uint64_t room,
                         larder_error *err)
{
    struct larder_children *children;

    if (kind != LARDER_KIND_LIST && kind != LARDER_KIND_MAP)
        return larder_error_set (err, LARDER_EINVAL, 0, "message: a %s has no values below it",
                                 larder_kind_name (kind));
    if (room && node->depth >= LARDER_DEPTH_MAX)
        return larder_error_set (err, LARDER_ERANGE, 0, "message: deeper than %d",
                                 LARDER_DEPTH_MAX);
    children = larder_children_new (kind, room);
    if (!children)
        return larder_error_set (err, LARDER_ENOMEM, 0,
                                 "message: no memory for a %s of %" PRIu64 " values",
                                 larder_kind_name (kind), room);
    larder_node_release (node);
    node->kind = kind;
    node->u.children = children;
    return LARDER_OK;
}

int larder_message_append (struct larder_node *node, const char *name, size_t length,
                           struct larder_node **child, larder_error *err)
{
    uint64_t there;
    int rc = LARDER_OK;

    if (!has_children (node))
        return larder_error_set (err, LARDER_EINVAL, 0, "message: a %s has no values below it",
                                 larder_kind_name (node->kind));
    if (node->depth >= LARDER_DEPTH_MAX)
        return larder_error_set (err, LARDER_ERANGE, 0, "message: deeper than %d",
                                 LARDER_DEPTH_MAX);
    if (node->kind == LARDER_KIND_MAP) {
        rc = larder_path_name (name, length, err);
        if (rc != LARDER_OK)
            return rc;
        if (larder_children_find (node->u.children, node->kind, name, length, &there))
            return larder_error_set (err, LARDER_EEXIST, 0,
                                     "message: the name \"%.*s\" twice in one map",
                                     larder_path_shown (length), name);
    }
    rc = larder_children_add (node->u.children, node->kind, name, length, child, err);
    if (rc == LARDER_OK)
        (*child)->depth = node->depth + 1;
    return rc;
}

int larder_message_put_text (struct larder_node *node, larder_kind kind, const void *bytes,
                             uint64_t size, larder_error *err)
{
    struct larder_text *text;

    if ((kind != LARDER_KIND_STRING && kind != LARDER_KIND_BYTES) || (!bytes && size))
        return larder_error_set (err, LARDER_EINVAL, 0, "message: a %s without bytes",
                                 larder_kind_name (kind));
    if (size > UINT32_MAX)
        return larder_error_set (err, LARDER_ERANGE, 0,
                                 "message: a %s of %" PRIu64 " bytes, at most 2^32 - 1",
                                 larder_kind_name (kind), size);
    text = size < SIZE_MAX - sizeof *text - 1 ? malloc (sizeof *text + (size_t)size + 1) : NULL;
    if (!text)
        return larder_error_set (err, LARDER_ENOMEM, 0,
                                 "message: no memory for a %s of %" PRIu64 " bytes",
                                 larder_kind_name (kind), size);
    text->size = size;
    if (size)
        memcpy (text->bytes, bytes, (size_t)size);
    text->bytes[size] = '\0';
    larder_node_release (node);
    node->kind = kind;
    node->u.text = text;
    return LARDER_OK;
}

void larder_message_put_datum (struct larder_node *node, struct larder_datum *datum)
{
    ++datum->users;
    larder_node_release (node);
    node->kind = datum->kind;
    node->u.datum = datum;
}

/* ---------------------------------------------------------------- data */

int larder_message_data (const struct larder_node *node,
                         int (*visit) (void *self, struct larder_datum *datum), void *self)
{
    int rc = 0;

    if (has_datum (node))
        return visit (self, node->u.datum);
    if (has_children (node))
        for (uint64_t i = 0; i < node->u.children->count && rc == 0; ++i)
            rc = larder_message_data (&node->u.children->nodes[i], visit, self);
    return rc;
}

static void renew (struct larder_node *node)
{
    if (has_datum (node))
        node->kind = node->u.datum->kind;
    else if (has_children (node))
        for (uint64_t i = 0; i < node->u.children->count; ++i)
            renew (&node->u.children->nodes[i]);
}

void larder_message_renew (larder_message *message)
{
    renew (&message->root);
}

/* ---------------------------------------------------------------- copying */

/* The same value for another message. */
static struct larder_datum *datum_copy (const struct larder_datum *from)
{
    larder_shape shape;
    struct larder_datum *d;

    larder_datum_shape (from, &shape);
    d = larder_datum_new (from->dot, from->kind, &shape);
    if (!d)
        return NULL;
    d->sealed = from->sealed;
    d->data = from->data;
    d->size = from->size;
    d->blob = larder_blob_keep (from->blob);
    d->has_ref = from->has_ref;
    d->ref = from->ref;
    d->first = from->first;
    d->count = from->count;
    return d;
}

static int copy_datum (struct larder_datum *from, struct larder_node *to, int same_message,
                       larder_error *err)
{
    struct larder_datum *d = same_message ? from : (struct larder_datum *)(uintptr_t)from->mark;

    if (!d) {
        d = datum_copy (from);
        if (!d)
            return larder_error_set (err, LARDER_ENOMEM, 0, "message: no memory for a value");
        from->mark = (uint64_t)(uintptr_t)d;
    }
    larder_message_put_datum (to, d);
    return LARDER_OK;
}

static int copy (const struct larder_node *from, struct larder_node *to, int same_message,
                 larder_error *err)
{
    const struct larder_children *c;
    struct larder_node *child;
    int rc;

    if (has_datum (from))
        return copy_datum (from->u.datum, to, same_message, err);
    if (from->kind == LARDER_KIND_STRING || from->kind == LARDER_KIND_BYTES)
        return larder_message_put_text (to, from->kind, from->u.text->bytes, from->u.text->size,
                                        err);
    if (!has_children (from)) {
        to->kind = from->kind;
        to->u = from->u;
        return LARDER_OK;
    }
    c = from->u.children;
    rc = larder_message_open (to, from->kind, c->count, err);
    for (uint64_t i = 0; i < c->count && rc == LARDER_OK; ++i) {
        const char *name = from->kind == LARDER_KIND_MAP ? c->names[i] : NULL;
        rc = larder_children_add (to->u.children, from->kind, name, name ? strlen (name) : 0,
                                  &child, err);
        if (rc == LARDER_OK) {
            child->depth = to->depth + 1;
            rc = copy (&c->nodes[i], child, same_message, err);
        }
    }
    return rc;
}

static int unmark (void *self, struct larder_datum *datum)
{
    (void)self;
    datum->mark = 0;
    return 0;
}

int larder_node_copy (const struct larder_node *from, struct larder_node *to, int same_message,
                      larder_error *err)
{
    int rc = copy (from, to, same_message, err);

    if (!same_message)
        (void)larder_message_data (from, unmark, NULL);
    if (rc != LARDER_OK)
        larder_node_release (to);
    return rc;
}
