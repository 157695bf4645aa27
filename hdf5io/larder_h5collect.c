/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_h5collect.h"

#include <stdlib.h>
#include <string.h>

/* Keep a part of an item. */
static int keep (struct larder_h5collect *c, const void *data, size_t size, uint64_t expected,
                 larder_error *err)
{
    if (size > c->room - c->size) {
        size_t room = c->size + size;
        if (expected > room && expected <= c->limit && expected <= SIZE_MAX)
            room = (size_t)expected;
        else if (room < 2 * c->room)
            room = 2 * c->room;
        char *buffer = realloc (c->buffer, room);
        if (!buffer)
            return larder_error_set (err, LARDER_ENOMEM, 0, "no memory for an item of %zu bytes",
                                     room);
        c->buffer = buffer;
        c->room = room;
    }
    if (size)
        memcpy (c->buffer + c->size, data, size);
    c->size += size;
    return LARDER_OK;
}

static int take (struct larder_h5collect *c, uint64_t item, uint64_t offset, const char *data,
                 size_t size, int ends, uint64_t expected, larder_error *err)
{
    if (offset > c->limit || size > c->limit - offset)
        return larder_error_set (err, LARDER_ERANGE, 0, "item %llu is longer than it can be",
                                 (unsigned long long)item);
    if (c->take_part)
        return c->take_part (c->self, item, offset, data, size, err);
    if (c->wants_item && !c->wants_item (c->self, item))
        return LARDER_OK;
    if (offset == 0) {
        c->size = 0;
        if (ends)
            return c->take_item (c->self, item, data, size, err);
    }
    if (offset != c->size)
        return larder_error_set (err, LARDER_ERANGE, 0, "item %llu came with a gap",
                                 (unsigned long long)item);
    int rc = keep (c, data, size, expected, err);
    if (!rc && ends)
        rc = c->take_item (c->self, item, c->buffer, c->size, err);
    return rc;
}

static int consume (void *self, const larder_view *view, larder_error *err)
{
    struct larder_h5collect *c = self;
    const char *data = view->data;
    size_t left = view->size;
    int rc = LARDER_OK;
    if (view->count == 1)
        rc = take (c, view->item, view->offset, data, left, view->item_ends, view->item_size, err);
    for (uint64_t i = 0; view->count > 1 && i < view->count && !rc; ++i) {
        uint64_t size = view->item_sizes ? view->item_sizes[i] : view->item_size;
        if (size > left)
            size = left;
        rc = take (c, view->item + i, 0, data, (size_t)size, 1, size, err);
        data += size;
        left -= (size_t)size;
    }
    if (rc && !c->code) {
        c->code = rc;
        if (err)
            c->why = *err;
    }
    return rc;
}

larder_consumer larder_h5collect_consumer (struct larder_h5collect *collect)
{
    return (larder_consumer){.self = collect, .consume_items = consume};
}

int larder_h5collect_end (struct larder_h5collect *collect, int code, larder_error *err)
{
    free (collect->buffer);
    collect->buffer = NULL;
    collect->size = collect->room = 0;
    if (code >= 0 || !collect->code)
        return code;
    if (err)
        *err = collect->why;
    return collect->code;
}
