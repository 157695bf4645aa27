/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_message.h"
#include "larder_children.h"
#include "larder_node.h"
#include "larder_path.h"
#include "larder_spot.h"
#include "larder_value.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int null_argument (const char *function, larder_error *err)
{
    return larder_error_set (err, LARDER_EINVAL, 0, "%s: NULL argument", function);
}

int larder_message_new (larder_message **message, larder_error *err)
{
    larder_message *m;
    int rc;

    if (!message)
        return null_argument ("larder_message_new", err);
    m = calloc (1, sizeof *m);
    if (!m)
        return larder_error_set (err, LARDER_ENOMEM, 0, "message: no memory for a new one");
    rc = larder_message_open (&m->root, LARDER_KIND_MAP, 0, err);
    if (rc == LARDER_OK)
        *message = m;
    else
        free (m);
    return rc;
}

void larder_message_free (larder_message **message)
{
    if (!message || !*message)
        return;
    larder_node_release (&(*message)->root);
    free (*message);
    *message = NULL;
}

/* ---------------------------------------------------------------- one value */

int larder_message_find (const larder_message *message, const char *path, struct larder_node **node,
                         larder_error *err)
{
    struct larder_spot spot;
    int steps, rc;

    if (!message || !node)
        return null_argument ("message", err);
    rc = larder_path_check (path, &steps, err);
    if (rc != LARDER_OK)
        return rc;
    larder_spot_reach (message, path, &spot);
    if (*spot.rest)
        return larder_spot_missing (path, &spot, err);
    *node = spot.node;
    return LARDER_OK;
}

/* A path to a value, not to the message itself. */
static int check_below (const char *path, int *steps, larder_error *err)
{
    int rc = larder_path_check (path, steps, err);
    if (rc == LARDER_OK && *steps == 0)
        rc = larder_error_set (err, LARDER_EINVAL, 0,
                               "message: the path is \"\", the message itself");
    return rc;
}

int larder_message_set (larder_message *message, const char *path, const larder_value *value,
                        larder_error *err)
{
    struct larder_node fresh = {0};
    int rc;

    if (!message || !value)
        return null_argument ("larder_message_set", err);
    rc = check_below (path, &fresh.depth, err);
    if (rc != LARDER_OK)
        return rc;
    rc = larder_value_take (value, &fresh, err);
    if (rc != LARDER_OK)
        return err ? larder_error_set (err, rc, err->detail, "%s (to be set at \"%.*s\")",
                                       err->text, larder_path_shown (strlen (path)), path)
                   : rc;
    rc = larder_spot_put (message, path, fresh.depth, &fresh, err);
    if (rc != LARDER_OK)
        larder_value_return (&fresh);
    return rc;
}

int larder_message_get (const larder_message *message, const char *path, larder_value *value,
                        larder_error *err)
{
    struct larder_node *node = NULL;
    int rc;

    if (!value)
        return null_argument ("larder_message_get", err);
    rc = larder_message_find (message, path, &node, err);
    if (rc == LARDER_OK)
        larder_value_show (node, value);
    return rc;
}

int larder_message_remove (larder_message *message, const char *path, larder_error *err)
{
    struct larder_spot spot;
    int steps, rc;

    if (!message)
        return null_argument ("larder_message_remove", err);
    rc = check_below (path, &steps, err);
    if (rc != LARDER_OK)
        return rc;
    larder_spot_reach (message, path, &spot);
    if (*spot.rest)
        return larder_spot_missing (path, &spot, err);
    /* Out of the tree first: what free_data does sees a message that is in order. */
    struct larder_node old = *spot.node;
    larder_children_take (spot.above->u.children, spot.number);
    larder_node_release (&old);
    return LARDER_OK;
}

/* ---------------------------------------------------------------- lists and maps */

static int find_children (const larder_message *message, const char *path,
                          struct larder_node **node, larder_error *err)
{
    int rc = larder_message_find (message, path, node, err);

    if (rc == LARDER_OK && (*node)->kind != LARDER_KIND_MAP && (*node)->kind != LARDER_KIND_LIST)
        rc = larder_error_set (
            err, LARDER_EKIND, 0, "message: \"%.*s\" is of kind %s, not a list or map",
            larder_path_shown (strlen (path)), path, larder_kind_name ((*node)->kind));
    return rc;
}

int larder_message_count (const larder_message *message, const char *path, uint64_t *count,
                          larder_error *err)
{
    struct larder_node *node = NULL;
    int rc;

    if (!count)
        return null_argument ("larder_message_count", err);
    rc = find_children (message, path, &node, err);
    if (rc == LARDER_OK)
        *count = node->u.children->count;
    return rc;
}

/* Write the name of a value, with its zero; returns its length. */
static size_t write_name (const struct larder_node *node, uint64_t index,
                          char name[LARDER_NAME_MAX + 1])
{
    size_t length;

    if (node->kind == LARDER_KIND_LIST) {
        (void)snprintf (name, LARDER_NAME_MAX + 1, "%" PRIu64, index);
        return strlen (name);
    }
    length = strlen (node->u.children->names[index]);
    memcpy (name, node->u.children->names[index], length + 1);
    return length;
}

int larder_message_name (const larder_message *message, const char *path, uint64_t index,
                         char name[LARDER_NAME_MAX + 1], larder_error *err)
{
    struct larder_node *node = NULL;
    int rc;

    if (!name)
        return null_argument ("larder_message_name", err);
    rc = find_children (message, path, &node, err);
    if (rc != LARDER_OK)
        return rc;
    if (index >= node->u.children->count)
        return larder_error_set (
            err, LARDER_ERANGE, 0, "message: \"%.*s\" has no value %" PRIu64 ", it has %" PRIu64,
            larder_path_shown (strlen (path)), path, index, node->u.children->count);
    (void)write_name (node, index, name);
    return LARDER_OK;
}

/* ---------------------------------------------------------------- copying */

/* Set the values of a map into another message, all or none. */
static int merge (larder_message *to, const struct larder_node *from, larder_error *err)
{
    struct larder_node copy = {0};
    struct larder_children *own = to->root.u.children, *new;
    uint64_t number, more = 0;
    int rc = larder_node_copy (from, &copy, 0, err);

    if (rc != LARDER_OK)
        return rc;
    new = copy.u.children;
    for (uint64_t i = 0; i < new->count; ++i)
        more += !larder_children_find (own, LARDER_KIND_MAP, new->names[i], strlen (new->names[i]),
                                       &number);
    rc = larder_children_reserve (own, LARDER_KIND_MAP, more, err);
    for (uint64_t i = 0; i < new->count &&rc == LARDER_OK; ++i) {
        struct larder_node *node;
        if (larder_children_find (own, LARDER_KIND_MAP, new->names[i], strlen (new->names[i]),
                                  &number)) {
            node = &own->nodes[number];
        } else {
            node = larder_children_put (own, new->names[i]);
            node->depth = 1;
            new->names[i] = NULL;
        }
        larder_node_move (node, &new->nodes[i]);
    }
    larder_node_release (&copy);
    return rc;
}

int larder_message_copy (larder_message *to, const char *to_path, const larder_message *from,
                         const char *from_path, larder_error *err)
{
    struct larder_node *source = NULL, fresh = {0};
    int rc;

    if (!to)
        return null_argument ("larder_message_copy", err);
    rc = larder_message_find (from, from_path, &source, err);
    if (rc == LARDER_OK)
        rc = larder_path_check (to_path, &fresh.depth, err);
    if (rc != LARDER_OK)
        return rc;
    if (to == from && strcmp (to_path, from_path) == 0)
        return LARDER_OK;
    if (to == from &&
        (larder_path_inside (to_path, from_path) || larder_path_inside (from_path, to_path)))
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "message: \"%.*s\" cannot be copied to \"%.*s\": one is inside "
                                 "the other",
                                 larder_path_shown (strlen (from_path)), from_path,
                                 larder_path_shown (strlen (to_path)), to_path);
    if (fresh.depth == 0) {
        if (source->kind == LARDER_KIND_MAP)
            return merge (to, source, err);
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "message: \"%.*s\" is of kind %s, only a map's values can be "
                                 "copied to \"\"",
                                 larder_path_shown (strlen (from_path)), from_path,
                                 larder_kind_name (source->kind));
    }
    if (fresh.depth + larder_node_height (source) > LARDER_DEPTH_MAX)
        return larder_error_set (err, LARDER_ERANGE, 0,
                                 "message: \"%.*s\" cannot be copied to \"%.*s\": it would be "
                                 "deeper than %d",
                                 larder_path_shown (strlen (from_path)), from_path,
                                 larder_path_shown (strlen (to_path)), to_path, LARDER_DEPTH_MAX);
    rc = larder_node_copy (source, &fresh, to == from, err);
    if (rc == LARDER_OK)
        rc = larder_spot_put (to, to_path, fresh.depth, &fresh, err);
    larder_node_release (&fresh);
    return rc;
}

/* ---------------------------------------------------------------- looking at all */

static int has_lazy (const struct larder_node *node)
{
    if (node->kind == LARDER_KIND_LIST || node->kind == LARDER_KIND_MAP)
        for (uint64_t i = 0; i < node->u.children->count; ++i)
            if (has_lazy (&node->u.children->nodes[i]))
                return 1;
    return node->kind == LARDER_KIND_LAZY;
}

int larder_message_has_lazy (const larder_message *message, const char *path)
{
    struct larder_node *node = NULL;
    return larder_message_find (message, path, &node, NULL) == LARDER_OK && has_lazy (node);
}

struct walk {
    int (*visit) (void *self, const char *path, const larder_value *value);
    void *self;
    char path[LARDER_DEPTH_MAX * (LARDER_NAME_MAX + 1) + 1];
};

/* The walk's path is that of the node, of so many bytes, and is so again afterwards. */
static int walk_below (struct walk *w, const struct larder_node *node, size_t length)
{
    int rc = LARDER_OK;

    if (node->kind != LARDER_KIND_LIST && node->kind != LARDER_KIND_MAP)
        return rc;
    for (uint64_t i = 0; i < node->u.children->count && rc == LARDER_OK; ++i) {
        const struct larder_node *child = &node->u.children->nodes[i];
        size_t at = length;
        larder_value value;
        if (length)
            w->path[at++] = '/';
        at += write_name (node, i, w->path + at);
        larder_value_show (child, &value);
        rc = w->visit (w->self, w->path, &value);
        if (rc == LARDER_OK)
            rc = walk_below (w, child, at);
    }
    w->path[length] = '\0';
    return rc;
}

int larder_message_walk (const larder_message *message, const char *path,
                         int (*visit) (void *self, const char *path, const larder_value *value),
                         void *self, larder_error *err)
{
    struct walk w = {.visit = visit, .self = self};
    struct larder_node *node = NULL;
    int rc;

    if (!visit)
        return null_argument ("larder_message_walk", err);
    rc = larder_message_find (message, path, &node, err);
    if (rc != LARDER_OK)
        return rc;
    memcpy (w.path, path, strlen (path) + 1);
    return walk_below (&w, node, strlen (path));
}
