/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_arrays.h"
#include "larder_message.h"
#include "larder_num.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- what an array is */

static int describe (void *self, const void *value, larder_shape *shape, uint64_t *size,
                     larder_error *err)
{
    const struct larder_datum *datum = value;

    (void)self;
    (void)err;
    larder_datum_shape (datum, shape);
    *size = datum->size;
    return LARDER_OK;
}

static int write_native (void *self, const void *value, void *buffer, uint64_t size,
                         larder_error *err)
{
    const struct larder_datum *datum = value;

    (void)self;
    if (size != datum->size || (size > 0 && !datum->data))
        return larder_error_set (err, LARDER_EINVAL, 0, "array: it has no %" PRIu64 " bytes", size);
    if (size > 0)
        memcpy (buffer, datum->data, size);
    return LARDER_OK;
}

/* ---------------------------------------------------------------- by reference: one item an array */

struct offered {
    uint64_t count;
    struct {
        const unsigned char *data;
        uint64_t size;
    } arrays[];
};

static int item_count (void *self, uint64_t *count, larder_error *err)
{
    const struct offered *o = self;

    (void)err;
    *count = o->count;
    return LARDER_OK;
}

static int item_size (void *self, uint64_t item, uint64_t *size, larder_error *err)
{
    const struct offered *o = self;

    if (item >= o->count)
        return larder_error_set (err, LARDER_ERANGE, 0,
                                 "arrays: item %" PRIu64 " of %" PRIu64 " was asked for", item,
                                 o->count);
    *size = o->arrays[item].size;
    return LARDER_OK;
}

static int produce_item (void *self, uint64_t item, uint64_t offset, void *buffer, size_t capacity,
                         size_t *produced, int *last, larder_error *err)
{
    const struct offered *o = self;
    uint64_t size = 0;
    int code = item_size (self, item, &size, err);

    if (code != LARDER_OK)
        return code;
    if (offset > size)
        return larder_error_set (err, LARDER_ERANGE, 0,
                                 "arrays: byte %" PRIu64 " of item %" PRIu64
                                 " was asked for, which has %" PRIu64,
                                 offset, item, size);
    *produced = (size_t)larder_num_min (capacity, size - offset);
    if (*produced > 0)
        memcpy (buffer, o->arrays[item].data + offset, *produced);
    *last = *produced == size - offset;
    return LARDER_OK;
}

static int make_object (void *self, const void *const *values, size_t count, larder_object *object,
                        uint64_t *items, larder_error *err)
{
    static const larder_object_ops ops = {
        .item_count = item_count,
        .item_size = item_size,
        .produce_item = produce_item,
        .release = free,
    };
    struct offered *o = NULL;
    size_t bytes;

    (void)self;
    if (larder_num_mul_size (count, sizeof o->arrays[0], &bytes) == 0 &&
        larder_num_add_size (bytes, sizeof *o, &bytes) == 0)
        o = malloc (bytes);
    if (!o)
        return larder_error_set (err, LARDER_ENOMEM, 0, "arrays: no memory to offer %zu of them",
                                 count);
    o->count = count;
    for (size_t i = 0; i < count; ++i) {
        const struct larder_datum *datum = values[i];

        o->arrays[i].data = datum->data;
        o->arrays[i].size = datum->size;
        items[i] = 1;
    }
    *object = (larder_object){.ops = &ops, .self = o, .name = "arrays"};
    return LARDER_OK;
}

/* ---------------------------------------------------------------- receiving one */

struct received {
    unsigned char *data;
    uint64_t size, filled;
    larder_shape shape;
};

static int consume_items (void *self, const larder_view *view, larder_error *err)
{
    struct received *r = self;

    if (view->item != 0 || view->count != 1 || view->offset != r->filled)
        return larder_error_set (err, LARDER_EINCOMPLETE, 0,
                                 "array: is one item, but %" PRIu64 " from item %" PRIu64
                                 ", byte %" PRIu64 ", came",
                                 view->count, view->item, view->offset);
    if (view->size > r->size - r->filled)
        return larder_error_set (err, LARDER_EINCOMPLETE, 0,
                                 "array: more than its %" PRIu64 " bytes came", r->size);
    if (view->size > 0)
        memcpy (r->data + r->filled, view->data, view->size);
    r->filled += view->size;
    return LARDER_OK;
}

static void abandon (void *self, void *consumer_self)
{
    struct received *r = consumer_self;

    (void)self;
    free (r->data);
    free (r);
}

/* The size is what a message says: it may be more than there is memory. */
static int receive (void *self, const larder_lazy *lazy, larder_consumer *consumer,
                    larder_error *err)
{
    struct received *r;
    uint64_t size, room;
    size_t bytes;
    int code = larder_shape_size (&lazy->shape, &size, err);

    (void)self;
    if (code != LARDER_OK)
        return code;
    if (size != lazy->size)
        return larder_error_set (err, LARDER_EFORMAT, 0,
                                 "array: its shape has %" PRIu64 " bytes, but its size is %" PRIu64,
                                 size, lazy->size);
    r = calloc (1, sizeof *r);
    if (!r)
        return larder_error_set (err, LARDER_ENOMEM, 0, "array: no memory to receive it");
    if (size > 0 && larder_num_round_up (size, 64, &room) == 0 &&
        larder_num_to_size (room, &bytes) == 0)
        r->data = aligned_alloc (64, bytes);
    if (size > 0 && !r->data) {
        free (r);
        return larder_error_set (err, LARDER_ENOMEM, 0,
                                 "array: no memory for its %" PRIu64 " bytes", size);
    }
    r->size = size;
    r->shape = lazy->shape;
    *consumer = (larder_consumer){.self = r, .consume_items = consume_items};
    return LARDER_OK;
}

static int finish (void *self, void *consumer_self, larder_made *made, larder_error *err)
{
    struct received *r = consumer_self;
    int code = LARDER_OK;

    if (r->filled != r->size) {
        code = larder_error_set (err, LARDER_EINCOMPLETE, 0,
                                 "array: %" PRIu64 " of its %" PRIu64 " bytes came", r->filled,
                                 r->size);
    } else {
        *made = (larder_made){.value = r->data, .array = 1, .shape = r->shape, .free_value = free};
        r->data = NULL;
    }
    abandon (self, r);
    return code;
}

const larder_handler *larder_arrays_handler (void)
{
    static const larder_handler handler = {
        .dot = LARDER_DOT_ARRAY,
        .name = "array",
        .describe = describe,
        .make_object = make_object,
        .write_native = write_native,
        .receive = receive,
        .finish = finish,
        .abandon = abandon,
    };
    return &handler;
}
