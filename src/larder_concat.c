/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_concat.h"
#include "larder_num.h"
#include <inttypes.h>
#include <stdlib.h>

struct part {
    larder_object object;
    uint64_t first, count; /* its items in the whole */
};

struct larder_concat {
    struct part *parts;
    size_t count, room;
    struct larder_blob **blobs;
    size_t blob_count, blob_room;
    uint64_t items;
    size_t last; /* the part that was asked last: the next question is likely to be for it, too */
};

struct larder_concat *larder_concat_new (void)
{
    return calloc (1, sizeof (struct larder_concat));
}

static const char *name_of (const larder_object *o)
{
    return o->name ? o->name : "object";
}

static void release_part (const larder_object *o)
{
    if (o->ops->release)
        o->ops->release (o->self);
}

/* Room for one element more. */
static int grow (void **array, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return 0;
    size_t more = *room ? 2 * *room : 8;
    void *p = realloc (*array, more * size);
    if (!p)
        return -1;
    *array = p;
    *room = more;
    return 0;
}

static int add (struct larder_concat *c, const larder_object *o, uint64_t *items, larder_error *err)
{
    uint64_t count = 0, end;
    void *parts = c->parts;
    if (!o->ops->item_size && !o->uniform_item_size)
        return larder_error_set (err, LARDER_ENOTSUP, 0,
                                 "%s: it does not know the sizes of its items, so it cannot be one "
                                 "of several objects",
                                 name_of (o));
    int rc = o->ops->item_count (o->self, &count, err);
    if (rc != LARDER_OK)
        return rc;
    if (larder_num_add (c->items, count, &end))
        return larder_error_set (err, LARDER_ERANGE, 0, "%s: %" PRIu64 " items are too many",
                                 name_of (o), count);
    if (grow (&parts, c->count, &c->room, sizeof *c->parts) != 0)
        return larder_error_set (err, LARDER_ENOMEM, 0, "%s: no memory", name_of (o));
    c->parts = parts;
    c->parts[c->count++] = (struct part){.object = *o, .first = c->items, .count = count};
    c->items = end;
    *items = count;
    return LARDER_OK;
}

int larder_concat_add (struct larder_concat *c, const larder_object *part, uint64_t *items,
                       larder_error *err)
{
    int rc = add (c, part, items, err);
    if (rc != LARDER_OK)
        release_part (part);
    return rc;
}

int larder_concat_keep (struct larder_concat *c, struct larder_blob *blob, larder_error *err)
{
    void *blobs = c->blobs;
    if (!blob)
        return LARDER_OK;
    if (grow (&blobs, c->blob_count, &c->blob_room, sizeof (struct larder_blob *)) != 0)
        return larder_error_set (err, LARDER_ENOMEM, 0, "no memory to keep data");
    c->blobs = blobs;
    c->blobs[c->blob_count++] = larder_blob_keep (blob);
    return LARDER_OK;
}

void larder_concat_free (struct larder_concat *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->count; ++i)
        release_part (&c->parts[i].object);
    for (size_t i = 0; i < c->blob_count; ++i)
        larder_blob_drop (c->blobs[i]);
    free (c->parts);
    free (c->blobs);
    free (c);
}

/* ---------------------------------------------------------------- the object's functions */

/* The part that an item is of; its number there in *item. */
static const struct part *find (struct larder_concat *c, uint64_t *item, larder_error *err)
{
    size_t low = 0, high = c->count;
    if (*item >= c->items) {
        larder_error_set (err, LARDER_ERANGE, 0, "item %" PRIu64 " of %" PRIu64 " does not exist",
                          *item, c->items);
        return NULL;
    }
    if (!larder_num_inside (*item - c->parts[c->last].first, 1, c->parts[c->last].count)) {
        while (high - low > 1) { /* parts[low].first <= *item; empty parts are passed over */
            size_t middle = low + (high - low) / 2;
            if (c->parts[middle].first <= *item)
                low = middle;
            else
                high = middle;
        }
        c->last = low;
    }
    *item -= c->parts[c->last].first;
    return &c->parts[c->last];
}

static int item_count (void *self, uint64_t *count, larder_error *err)
{
    const struct larder_concat *c = self;
    (void)err;
    *count = c->items;
    return LARDER_OK;
}

static int item_size (void *self, uint64_t item, uint64_t *size, larder_error *err)
{
    const struct part *p = find (self, &item, err);
    if (!p)
        return LARDER_ERANGE;
    const larder_object *o = &p->object;
    if (o->ops->item_size && (!o->uniform_item_size || item + 1 == p->count))
        return o->ops->item_size (o->self, item, size, err);
    *size = o->uniform_item_size;
    return LARDER_OK;
}

static int produce_item (void *self, uint64_t item, uint64_t offset, void *buffer, size_t capacity,
                         size_t *produced, int *last, larder_error *err)
{
    const struct part *p = find (self, &item, err);
    return !p ? LARDER_ERANGE
              : p->object.ops->produce_item (p->object.self, item, offset, buffer, capacity,
                                             produced, last, err);
}

static void prefetch_item (void *self, uint64_t item)
{
    const struct part *p = find (self, &item, NULL);
    if (p && p->object.ops->prefetch_item)
        p->object.ops->prefetch_item (p->object.self, item);
}

static int set_transaction (void *self, uint64_t transaction, larder_error *err)
{
    const struct larder_concat *c = self;
    int rc = LARDER_OK;
    for (size_t i = 0; rc == LARDER_OK && i < c->count; ++i)
        if (c->parts[i].object.ops->set_transaction)
            rc =
                c->parts[i].object.ops->set_transaction (c->parts[i].object.self, transaction, err);
    return rc;
}

static void downloaded_to_one (void *self, int receiver, int code)
{
    const struct larder_concat *c = self;
    for (size_t i = 0; i < c->count; ++i)
        if (c->parts[i].object.ops->downloaded_to_one)
            c->parts[i].object.ops->downloaded_to_one (c->parts[i].object.self, receiver, code);
}

static void downloaded_to_all (void *self)
{
    const struct larder_concat *c = self;
    for (size_t i = 0; i < c->count; ++i)
        if (c->parts[i].object.ops->downloaded_to_all)
            c->parts[i].object.ops->downloaded_to_all (c->parts[i].object.self);
}

static void transaction_done (void *self, uint64_t transaction, larder_done done)
{
    const struct larder_concat *c = self;
    for (size_t i = 0; i < c->count; ++i)
        if (c->parts[i].object.ops->transaction_done)
            c->parts[i].object.ops->transaction_done (c->parts[i].object.self, transaction, done);
}

static void release (void *self)
{
    larder_concat_free (self);
}

void larder_concat_object (struct larder_concat *c, const char *name, larder_object *object)
{
    static const larder_object_ops ops = {.item_count = item_count,
                                          .item_size = item_size,
                                          .produce_item = produce_item,
                                          .prefetch_item = prefetch_item,
                                          .set_transaction = set_transaction,
                                          .downloaded_to_one = downloaded_to_one,
                                          .downloaded_to_all = downloaded_to_all,
                                          .transaction_done = transaction_done,
                                          .release = release};
    *object = (larder_object){.ops = &ops, .self = c, .name = name, .reproduce = 1};
    for (size_t i = 0; i < c->count; ++i) {
        const larder_object *o = &c->parts[i].object;
        if (o->chunk_size && (!object->chunk_size || o->chunk_size < object->chunk_size))
            object->chunk_size = o->chunk_size;
        object->once |= o->once != 0;
        object->reproduce &= o->reproduce != 0;
    }
    object->reproduce &= c->count > 0;
}
