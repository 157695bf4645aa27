/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_spot.h"
#include "larder_children.h"
#include "larder_node.h"
#include "larder_path.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void larder_spot_reach (const larder_message *message, const char *path, struct larder_spot *spot)
{
    /* Who only reads gets the node from a const message, and does not change it. */
    *spot =
        (struct larder_spot){.node = &((larder_message *)(uintptr_t)message)->root, .rest = path};
    while (*spot->rest) {
        struct larder_node *node = spot->node;
        size_t step = larder_path_step (spot->rest);
        uint64_t number;
        if ((node->kind != LARDER_KIND_MAP && node->kind != LARDER_KIND_LIST) ||
            !larder_children_find (node->u.children, node->kind, spot->rest, step, &number))
            return;
        spot->above = node;
        spot->number = number;
        spot->node = &node->u.children->nodes[number];
        spot->rest = larder_path_rest (spot->rest, step);
    }
}

/* How much of the path is there. */
static size_t reached (const char *path, const struct larder_spot *spot)
{
    return spot->rest == path ? 0 : (size_t)(spot->rest - path) - 1;
}

/* What stops the path. */
static void tell (const struct larder_spot *spot, char *text, size_t room)
{
    const struct larder_node *node = spot->node;
    size_t step = larder_path_step (spot->rest);

    if (node->kind == LARDER_KIND_MAP)
        (void)snprintf (text, room, "a map without \"%.*s\"", larder_path_shown (step), spot->rest);
    else if (node->kind == LARDER_KIND_LIST)
        (void)snprintf (text, room, "a list of %" PRIu64 " values", node->u.children->count);
    else
        (void)snprintf (text, room, "whose kind is %s", larder_kind_name (node->kind));
}

int larder_spot_missing (const char *path, const struct larder_spot *spot, larder_error *err)
{
    size_t there = reached (path, spot);
    char text[160];

    tell (spot, text, sizeof text);
    return larder_error_set (err, LARDER_ENOENT, 0,
                             "message: \"%.*s\" is not there: the path goes as far as \"%.*s\", %s",
                             larder_path_shown (strlen (path)), path, larder_path_shown (there),
                             path, text);
}

/* May a value be added here under the first name of the rest? */
static int check_add (const char *path, const struct larder_spot *spot, larder_error *err)
{
    const struct larder_node *node = spot->node;
    size_t step = larder_path_step (spot->rest), there = reached (path, spot);
    uint64_t index;
    char text[160];
    int rc = LARDER_OK;

    if (node->kind == LARDER_KIND_LIST) {
        if (step == 1 && *spot->rest == '-')
            return LARDER_OK;
        if (!larder_path_index (spot->rest, step, &index))
            rc = LARDER_EINVAL;
        else if (index != node->u.children->count)
            rc = LARDER_ERANGE;
    } else if (node->kind != LARDER_KIND_MAP) {
        rc = LARDER_EKIND;
    }
    if (rc == LARDER_OK)
        return LARDER_OK;
    tell (spot, text, sizeof text);
    return larder_error_set (err, rc, 0,
                             "message: \"%.*s\" cannot be set: the path goes as far as \"%.*s\", "
                             "%s",
                             larder_path_shown (strlen (path)), path, larder_path_shown (there),
                             path, text);
}

int larder_spot_put (larder_message *message, const char *path, int steps,
                     struct larder_node *fresh, larder_error *err)
{
    struct larder_spot spot;
    struct larder_node top, *leaf = &top, *child;
    size_t step;
    int rc;

    if (steps + larder_node_height (fresh) > LARDER_DEPTH_MAX)
        return larder_error_set (err, LARDER_ERANGE, 0,
                                 "message: \"%.*s\" cannot be set: it would be deeper than %d",
                                 larder_path_shown (strlen (path)), path, LARDER_DEPTH_MAX);
    larder_spot_reach (message, path, &spot);
    if (!*spot.rest) {
        larder_node_move (spot.node, fresh);
        return LARDER_OK;
    }
    rc = check_add (path, &spot, err);
    if (rc != LARDER_OK)
        return rc;
    /* Maps on the way are made aside, so that only the last step changes the message. */
    top = (struct larder_node){.depth = spot.node->depth + 1};
    step = larder_path_step (spot.rest);
    for (const char *at = larder_path_rest (spot.rest, step); *at && rc == LARDER_OK;) {
        size_t length = larder_path_step (at);
        rc = larder_message_open (leaf, LARDER_KIND_MAP, 1, err);
        if (rc == LARDER_OK)
            rc = larder_message_append (leaf, at, length, &leaf, err);
        at = larder_path_rest (at, length);
    }
    if (rc == LARDER_OK)
        rc = larder_children_add (spot.node->u.children, spot.node->kind, spot.rest, step, &child,
                                  err);
    if (rc == LARDER_OK) {
        child->depth = top.depth;
        larder_node_move (leaf, fresh);
        larder_node_move (child, &top);
    }
    larder_node_release (&top);
    return rc;
}
