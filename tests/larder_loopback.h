/* SPDX-License-Identifier: Apache-2.0 */
/* An object given straight to a consumer, without a session: items are produced in parts of a small
 * random capacity and come in views cut as the core cuts them: small items together in a chunk,
 * large ones split.  Each view is a block of its own, so that a sanitizer sees who reads beyond. */
#ifndef LARDER_LOOPBACK_H
#define LARDER_LOOPBACK_H

#include <larder/consumer.h>
#include <larder/object.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct larder_loopback {
    size_t chunk;        /* bytes of the largest view */
    unsigned seed;       /* of the capacities, and of what is asked again */
    uint64_t stop;       /* > 0: the transfer breaks off before this item */
    uint64_t bytes;      /* that were passed on */
    uint64_t items;      /* the object has */
    uint64_t largest;    /* item */
    uint64_t production; /* parts */
    /* not NULL: may change the bytes of a view, or do something to the source */
    void (*meddle) (void *self, uint64_t item, uint64_t offset, uint8_t *data, size_t size);
    void *meddler;
};

#define LARDER_LOOPBACK_ITEMS 512

/* Produce bytes [offset, offset + size) of an item in parts, now and then from its start again. */
static inline int larder_loopback_produce (struct larder_loopback *loop, const larder_object *o,
                                           uint64_t item, uint64_t offset, uint64_t total,
                                           uint8_t *to, size_t size, larder_error *err)
{
    size_t done = 0;
    if (offset == 0 && size > 0 && rand_r (&loop->seed) % 8 == 0) { /* a reader that was too late */
        size_t made = 0;
        int last = 0, code = o->ops->produce_item (o->self, item, 0, to, size, &made, &last, err);
        if (code != LARDER_OK)
            return code;
    }
    do {
        size_t made = 0, room = 1 + (size_t)rand_r (&loop->seed) % (loop->chunk);
        int last = 0;
        if (room > size - done)
            room = size - done;
        int code =
            o->ops->produce_item (o->self, item, offset + done, to + done, room, &made, &last, err);
        ++loop->production;
        if (code != LARDER_OK)
            return code;
        if (made != room || (last && offset + done + made != total))
            return larder_error_set (err, LARDER_EOWNER, 0, "item %llu: wrong size",
                                     (unsigned long long)item);
        done += made;
    } while (done < size);
    return LARDER_OK;
}

static inline int larder_loopback_give (struct larder_loopback *loop, const larder_consumer *c,
                                        const larder_view *view, larder_error *err)
{
    larder_view copy = *view;
    uint8_t *data = malloc (view->size ? view->size : 1);
    if (data == NULL)
        return larder_error_set (err, LARDER_ENOMEM, 0, "out of memory");
    memcpy (data, view->data, view->size);
    if (loop->meddle)
        loop->meddle (loop->meddler, view->item, view->offset, data, view->size);
    copy.data = data;
    loop->bytes += view->size;
    int code = c->consume_items (c->self, &copy, err);
    free (data);
    return code;
}

/* One item that does not fit into a chunk, in parts. */
static inline int larder_loopback_large (struct larder_loopback *loop, const larder_object *o,
                                         const larder_consumer *c, uint64_t item, uint64_t size,
                                         uint8_t *buffer, larder_error *err)
{
    uint64_t offset = 0;
    do {
        size_t n = size - offset < loop->chunk ? (size_t)(size - offset) : loop->chunk;
        int code = larder_loopback_produce (loop, o, item, offset, size, buffer, n, err);
        if (code != LARDER_OK)
            return code;
        larder_view view = {.item = item,
                            .offset = offset,
                            .count = 1,
                            .data = buffer,
                            .size = n,
                            .item_ends = offset + n == size};
        code = larder_loopback_give (loop, c, &view, err);
        if (code != LARDER_OK)
            return code;
        offset += n;
    } while (offset < size);
    return LARDER_OK;
}

static inline int larder_loopback_items (struct larder_loopback *loop, const larder_object *o,
                                         const larder_consumer *c, uint8_t *buffer,
                                         larder_error *err)
{
    uint32_t sizes[LARDER_LOOPBACK_ITEMS];
    uint64_t first = 0, n = 0, size = 0;
    size_t used = 0;
    int code = LARDER_OK;
    for (uint64_t item = 0; item <= loop->items && code == LARDER_OK; ++item) {
        int over = item == loop->items || (loop->stop > 0 && item == loop->stop);
        if (!over)
            code = o->ops->item_size (o->self, item, &size, err);
        if (code != LARDER_OK)
            break;
        if (n > 0 && (over || n == LARDER_LOOPBACK_ITEMS || size > loop->chunk - used)) {
            int equal = 1;
            for (uint64_t i = 1; i < n; ++i)
                equal = equal && sizes[i] == sizes[0];
            larder_view view = {.item = first,
                                .count = n,
                                .data = buffer,
                                .size = used,
                                .item_size = sizes[0],
                                .item_sizes = equal ? NULL : sizes,
                                .item_ends = 1};
            code = larder_loopback_give (loop, c, &view, err);
            n = used = 0;
        }
        if (over || code != LARDER_OK)
            break;
        loop->largest = size > loop->largest ? size : loop->largest;
        if (size > loop->chunk) {
            code = larder_loopback_large (loop, o, c, item, size, buffer, err);
            continue;
        }
        code = larder_loopback_produce (loop, o, item, 0, size, buffer + used, (size_t)size, err);
        first = n == 0 ? item : first;
        sizes[n++] = (uint32_t)size;
        used += (size_t)size;
    }
    return code;
}

/* Transfer all items and end the consumer.  Returns what failed first. */
static inline int larder_loopback_run (struct larder_loopback *loop, const larder_object *o,
                                       const larder_consumer *c, larder_error *err)
{
    uint8_t *buffer = malloc (loop->chunk);
    int code = buffer ? o->ops->item_count (o->self, &loop->items, err)
                      : larder_error_set (err, LARDER_ENOMEM, 0, "out of memory");
    if (code == LARDER_OK)
        code = larder_loopback_items (loop, o, c, buffer, err);
    free (buffer);
    if (code == LARDER_OK && loop->stop == 0 && c->download_completed)
        return c->download_completed (c->self, err);
    larder_error why = {.code = code};
    if (c->download_failed)
        c->download_failed (c->self, err ? err : &why);
    return code == LARDER_OK ? LARDER_ECANCELED : code;
}

#endif
