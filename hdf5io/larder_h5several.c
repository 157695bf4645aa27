/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_h5several.h"

#include "larder_h5dataset.h"

#include <stdlib.h>
#include <string.h>

struct part {
    larder_object object;
    uint64_t first, count; /* items */
};

/* So many datasets keep an item that they hand out in parts; receivers may be at different ones. */
#define BUSY 8

struct several {
    size_t parts;
    uint64_t items;
    struct part *busy[BUSY]; /* in turn */
    unsigned turn;
    struct part part[];
};

/* The part that has an item, and the item's number there. */
static struct part *find (struct several *s, uint64_t *item, larder_error *err)
{
    size_t from = 0, to = s->parts;
    if (*item >= s->items) {
        (void)larder_error_set (err, LARDER_ERANGE, 0,
                                "datasets of a message: there is no item %llu",
                                (unsigned long long)*item);
        return NULL;
    }
    while (to - from > 1) { /* each part has an item at least, its description */
        size_t middle = from + (to - from) / 2;
        if (s->part[middle].first <= *item)
            from = middle;
        else
            to = middle;
    }
    *item -= s->part[from].first;
    return &s->part[from];
}

static int item_count (void *self, uint64_t *count, larder_error *err)
{
    (void)err;
    *count = ((struct several *)self)->items;
    return LARDER_OK;
}

static int item_size (void *self, uint64_t item, uint64_t *size, larder_error *err)
{
    struct part *p = find (self, &item, err);
    return p ? p->object.ops->item_size (p->object.self, item, size, err) : LARDER_ERANGE;
}

static void keep_busy (struct several *s, struct part *p)
{
    for (unsigned i = 0; i < BUSY; ++i)
        if (s->busy[i] == p)
            return;
    struct part **at = &s->busy[s->turn++ % BUSY];
    if (*at)
        larder_h5dataset_rest (&(*at)->object);
    *at = p;
}

static int produce_item (void *self, uint64_t item, uint64_t offset, void *buffer, size_t capacity,
                         size_t *produced, int *last, larder_error *err)
{
    struct part *p = find (self, &item, err);
    if (!p)
        return LARDER_ERANGE;
    keep_busy (self, p);
    return p->object.ops->produce_item (p->object.self, item, offset, buffer, capacity, produced,
                                        last, err);
}

static void release (void *self)
{
    struct several *s = self;
    for (size_t i = 0; i < s->parts; ++i)
        s->part[i].object.ops->release (s->part[i].object.self);
    free (s);
}

/* A part of the same file that is open already; NULL: there is none. */
static const larder_object *beside (const struct several *s,
                                    const struct larder_h5several_part *parts)
{
    for (size_t i = s->parts; i-- > 0;)
        if (strcmp (parts[i].file, parts[s->parts].file) == 0)
            return &s->part[i].object;
    return NULL;
}

/* The next part. */
static int add (struct several *s, const struct larder_h5several_part *parts, larder_error *err)
{
    struct part *p = &s->part[s->parts];
    const struct larder_h5several_part *what = &parts[s->parts];
    int rc = larder_h5dataset_make (what->file, what->dataset, what->slab_size, beside (s, parts),
                                    &p->object, err);
    if (rc)
        return rc;
    ++s->parts;
    p->first = s->items;
    rc = p->object.ops->item_count (p->object.self, &p->count, err);
    if (!rc && p->count > UINT64_MAX - s->items)
        rc = larder_error_set (err, LARDER_ERANGE, 0, "datasets of a message: too many items");
    if (!rc)
        s->items += p->count;
    return rc;
}

int larder_h5several_object (const struct larder_h5several_part *parts, size_t count,
                             larder_object *object, uint64_t *items, larder_error *err)
{
    static const larder_object_ops ops = {
        .item_count = item_count,
        .item_size = item_size,
        .produce_item = produce_item,
        .release = release,
    };
    struct several *s = NULL;
    if (count <= (SIZE_MAX - sizeof *s) / sizeof *s->part)
        s = calloc (1, sizeof *s + count * sizeof *s->part);
    if (!s)
        return larder_error_set (err, LARDER_ENOMEM, 0, "no memory for %zu datasets", count);
    for (size_t i = 0; i < count; ++i) {
        int rc = add (s, parts, err);
        if (rc) {
            release (s);
            return rc;
        }
    }
    for (size_t i = 0; i < count; ++i)
        items[i] = s->part[i].count;
    *object = (larder_object){.ops = &ops, .self = s, .name = "datasets of a message"};
    return LARDER_OK;
}
