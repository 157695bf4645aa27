/* SPDX-License-Identifier: Apache-2.0 */
/* Which different values a message has; writing them is in larder_packwrite.c. */
#include "larder_pack.h"
#include "larder_num.h"
#include "larder_seen.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { ROOM_FIRST = 4 };

struct collector {
    struct larder_pack *pack;
    const larder_registry *registry;
    struct larder_seen seen;
    uint64_t seed; /* refs come from others: those made up to collide do not */
    larder_error *err;
};

const void *larder_pack_value (const struct larder_packed *packed)
{
    return packed->datum->kind == LARDER_KIND_ARRAY ? (const void *)packed->datum
                                                    : packed->datum->data;
}

/* ---------------------------------------------------------------- one and the same */

/* The two ways to tell by the data itself: an array and sealed bytes are what stands at an address. */
static int is_plain (const struct larder_packed *p)
{
    return p->datum->kind == LARDER_KIND_ARRAY || p->datum->sealed;
}

static int same_value (const struct larder_packed *a, const struct larder_packed *b)
{
    const struct larder_datum *x = a->datum, *y = b->datum;

    if (a->way != b->way || x->dot != y->dot || x->kind != y->kind)
        return 0;
    if (a->way == LARDER_WAY_FORWARD)
        return a->first == b->first && a->count == b->count && a->size == b->size &&
               memcmp (&x->ref, &y->ref, sizeof x->ref) == 0 &&
               larder_shape_equal (&a->shape, &b->shape);
    if (is_plain (a))
        return is_plain (b) && a->size > 0 && x->data == y->data && a->size == b->size &&
               larder_shape_equal (&a->shape, &b->shape);
    if (a->handler != b->handler)
        return 0;
    if (x->data == y->data)
        return 1;
    return a->handler->same && a->size == b->size && larder_shape_equal (&a->shape, &b->shape) &&
           a->handler->same (a->handler->self, x->data, y->data);
}

static int equal (const void *self, uint64_t number, const void *key)
{
    const struct collector *c = self;
    return same_value (&c->pack->values[number], key);
}

/* Values that are the same have the same; a type's own idea of it is not known, but its size and shape are. */
static uint64_t hash_of (const struct collector *c, const struct larder_packed *p)
{
    const struct larder_datum *d = p->datum;
    uint64_t h = larder_num_mix (c->seed ^ (uint64_t)d->dot);

    if (p->way == LARDER_WAY_FORWARD) {
        h ^= XXH3_64bits_withSeed (&d->ref, sizeof d->ref, c->seed);
        return larder_num_mix (larder_num_mix (h ^ p->first) ^ p->count);
    }
    if (is_plain (p) || !p->handler->same)
        h = larder_num_mix (h ^ (uint64_t)(uintptr_t)d->data);
    if (!is_plain (p) && !p->handler->same)
        return h;
    h = larder_num_mix (h ^ p->size);
    for (int i = 0; i < p->shape.ndims; ++i)
        h = larder_num_mix (h ^ p->shape.dims[i]);
    return larder_num_mix (h ^ (uint64_t)p->shape.type);
}

/* ---------------------------------------------------------------- collecting */

static int no_memory (const struct collector *c)
{
    return larder_error_set (c->err, LARDER_ENOMEM, 0,
                             "message: no memory to list its %" PRIu64 " values",
                             c->pack->count + 1);
}

/* What its handler says of it, and whether that can be written. */
static int describe (const struct collector *c, struct larder_packed *p)
{
    const larder_handler *h;
    const larder_shape *shape = &p->shape;
    int code = larder_registry_need (c->registry, p->datum->dot, &p->handler, c->err);

    if (code != LARDER_OK)
        return code;
    h = p->handler;
    code = h->describe (h->self, larder_pack_value (p), &p->shape, &p->size, c->err);
    if (code < 0)
        return code;
    if (shape->ndims < 0 || shape->ndims > LARDER_MAX_DIMS ||
        (shape->type != LARDER_OPAQUE && larder_type_size (shape->type) == 0))
        return larder_error_set (c->err, LARDER_EINVAL, 0,
                                 "handler '%s' describes a shape of type %d and %d dimensions",
                                 h->name, (int)shape->type, shape->ndims);
    return LARDER_OK;
}

static int look_at (const struct collector *c, struct larder_datum *datum, struct larder_packed *p)
{
    *p = (struct larder_packed){.datum = datum, .way = LARDER_WAY_NATIVE};
    if (!datum->has_ref && !datum->sealed)
        return describe (c, p);
    larder_datum_shape (datum, &p->shape);
    p->size = datum->size;
    if (datum->has_ref) {
        p->way = LARDER_WAY_FORWARD;
        p->first = datum->first;
        p->count = datum->count;
    }
    return LARDER_OK;
}

/* Room for one more. */
static int reserve (struct larder_pack *pack)
{
    uint64_t room = pack->room ? 2 * pack->room : ROOM_FIRST;
    struct larder_packed *values;
    uint64_t bytes;
    size_t n;

    if (pack->count < pack->room)
        return 0;
    if (larder_num_mul (room, sizeof *values, &bytes) || larder_num_to_size (bytes, &n))
        return -1;
    values = realloc (pack->values, n);
    if (!values)
        return -1;
    pack->values = values;
    pack->room = room;
    return 0;
}

static int collect (void *self, struct larder_datum *datum)
{
    struct collector *c = self;
    struct larder_pack *pack = c->pack;
    struct larder_packed *p;
    uint64_t hash, number;
    int code;

    if (datum->mark)
        return LARDER_OK;
    if (reserve (pack))
        return no_memory (c);
    p = &pack->values[pack->count];
    code = look_at (c, datum, p);
    if (code != LARDER_OK)
        return code;
    hash = hash_of (c, p);
    if (!larder_seen_find (&c->seen, hash, equal, c, p, &number)) {
        if (larder_seen_add (&c->seen, hash, pack->count) != LARDER_OK)
            return no_memory (c);
        number = pack->count++;
    }
    datum->mark = number + 1;
    return LARDER_OK;
}

int larder_pack_begin (struct larder_pack *pack, const larder_message *message,
                       const larder_registry *registry, larder_error *err)
{
    struct collector c = {.pack = pack, .registry = registry, .err = err};
    int code;

    c.seed = larder_num_mix ((uint64_t)(uintptr_t)message ^ (uint64_t)(uintptr_t)pack << 16);
    *pack = (struct larder_pack){.message = message};
    code = larder_message_data (&message->root, collect, &c);
    larder_seen_free (&c.seen);
    if (code != LARDER_OK)
        larder_pack_end (pack);
    return code;
}

static int forget (void *self, struct larder_datum *datum)
{
    (void)self;
    datum->mark = 0;
    return 0;
}

void larder_pack_end (struct larder_pack *pack)
{
    if (pack->message)
        (void)larder_message_data (&pack->message->root, forget, NULL); /* forget never fails */
    free (pack->values);
    *pack = (struct larder_pack){0};
}

/* ---------------------------------------------------------------- without a session */

int larder_message_encode (const larder_message *message, const larder_registry *registry,
                           const larder_next *next, larder_encoded *encoded, larder_error *err)
{
    struct larder_pack pack;
    larder_encoded out = {0};
    int code;

    if (!message || !encoded)
        return larder_error_set (err, LARDER_EINVAL, 0, "larder_message_encode: NULL argument");
    code = larder_pack_begin (&pack, message, registry, err);
    if (code != LARDER_OK)
        return code;
    code = larder_pack_write (&pack, next, 0, &out, err);
    larder_pack_end (&pack);
    if (code != LARDER_OK)
        return code;
    larder_pack_seal (&out, NULL);
    *encoded = out;
    return LARDER_OK;
}

void larder_encoded_free (larder_encoded *encoded)
{
    if (!encoded)
        return;
    free (encoded->bytes);
    *encoded = (larder_encoded){0};
}
