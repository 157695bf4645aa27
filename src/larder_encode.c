/* SPDX-License-Identifier: Apache-2.0 */
/* Encoding with a session: large values become one object of one transaction, which is begun last. */
#include "larder_concat.h"
#include "larder_ownertxn.h"
#include "larder_pack.h"
#include "larder_progress.h"
#include "larder_unpack.h"
#include <inttypes.h>
#include <larder/resolve.h>
#include <stdlib.h>
#include <string.h>

struct encoding {
    larder *session;
    const larder_encode_options *options;
    struct larder_pack pack;
    struct larder_concat *concat; /* of what goes by reference; NULL: nothing does */
    uint64_t items;
};

/* ---------------------------------------------------------------- choosing */

static int by_reference (const struct encoding *e, const struct larder_packed *v, int *own,
                         larder_error *err)
{
    const larder_handler *h = v->handler;
    uint64_t chunk_size, inline_max = e->session->settings.inline_max;
    int native = 0;
    *own = 0;
    if (v->way != LARDER_WAY_NATIVE || !h || !h->make_object)
        return LARDER_OK;
    int rc = larder_registry_chunk_size (h, &chunk_size, &native, err);
    if (e->options->inline_max)
        inline_max = e->options->inline_max < 0 ? 0 : (uint64_t)e->options->inline_max;
    *own = !native && (v->size >= inline_max || !h->write_native);
    return rc;
}

static int choose (struct encoding *e, uint64_t *own, larder_error *err)
{
    int rc = LARDER_OK;
    *own = 0;
    for (uint64_t i = 0; rc == LARDER_OK && i < e->pack.count; ++i) {
        int is_own = 0;
        rc = by_reference (e, &e->pack.values[i], &is_own, err);
        if (is_own)
            e->pack.values[i].way = LARDER_WAY_OWN;
        *own += (uint64_t)is_own;
    }
    return rc;
}

/* ---------------------------------------------------------------- objects */

/* Values of one handler, on their way to become an object. */
struct set {
    const larder_handler *handler;
    const void **values;
    uint64_t *items;
    struct larder_packed **packed;
    size_t count;
};

static int add_object (struct encoding *e, const struct set *set, larder_error *err)
{
    larder_object object = {0};
    const larder_handler *h = set->handler;
    uint64_t items = 0, chunk_size = 0;
    int native, rc = larder_registry_chunk_size (h, &chunk_size, &native, err);
    if (rc == LARDER_OK)
        rc = h->make_object (h->self, set->values, set->count, &object, set->items, err);
    if (rc != LARDER_OK)
        return rc;
    if (!object.ops || !object.ops->item_count || !object.ops->produce_item)
        return larder_error_set (err, LARDER_EHANDLER, 0,
                                 "handler %s: what it made of %zu values is no object", h->name,
                                 set->count);
    if (!object.chunk_size)
        object.chunk_size = chunk_size;
    rc = larder_concat_add (e->concat, &object, &items, err);
    for (size_t i = 0; rc == LARDER_OK && i < set->count; ++i) {
        set->packed[i]->first = e->items;
        set->packed[i]->count = set->items[i];
        if (set->items[i] > items)
            break;
        items -= set->items[i];
        e->items += set->items[i];
    }
    if (rc == LARDER_OK && items)
        rc = larder_error_set (err, LARDER_EHANDLER, 0,
                               "handler %s: its object's items are not those of its %zu values",
                               h->name, set->count);
    return rc;
}

/* All values of the handler that the i-th one has. */
static int add_set (struct encoding *e, uint64_t i, struct set *set, larder_error *err)
{
    int rc = LARDER_OK;
    set->handler = e->pack.values[i].handler;
    set->count = 0;
    for (; rc == LARDER_OK && i < e->pack.count; ++i) {
        struct larder_packed *v = &e->pack.values[i];
        if (v->way != LARDER_WAY_OWN || v->handler != set->handler)
            continue;
        set->packed[set->count] = v;
        set->values[set->count++] = larder_pack_value (v);
        rc = larder_concat_keep (e->concat, v->datum->blob, err);
    }
    return rc == LARDER_OK ? add_object (e, set, err) : rc;
}

static int make_objects (struct encoding *e, uint64_t own, larder_error *err)
{
    struct set set = {.values = calloc (own, sizeof *set.values),
                      .items = calloc (own, sizeof *set.items),
                      .packed = calloc (own, sizeof *set.packed)};
    int rc = LARDER_OK;
    e->concat = larder_concat_new ();
    if (!e->concat || !set.values || !set.items || !set.packed)
        rc = larder_error_set (err, LARDER_ENOMEM, 0, "larder_encode: no memory");
    for (uint64_t i = 0; rc == LARDER_OK && i < e->pack.count; ++i) {
        const struct larder_packed *v = &e->pack.values[i];
        int first = v->way == LARDER_WAY_OWN;
        for (uint64_t k = 0; first && k < i; ++k)
            first =
                e->pack.values[k].way != LARDER_WAY_OWN || e->pack.values[k].handler != v->handler;
        if (first)
            rc = add_set (e, i, &set, err);
    }
    free (set.values);
    free (set.items);
    free (set.packed);
    return rc;
}

/* ---------------------------------------------------------------- who comes next */

static int find_next (struct encoding *e, larder_receivers receivers, larder_next *next,
                      larder_error *err)
{
    const larder *s = e->session;
    larder_ref_info info;
    next->via = s->rank;
    next->share = receivers.ranks || receivers.count > 0 ? receivers.count : 0;
    if (next->share < 1) /* LARDER_ALL has the refs' owner in it, who needs nothing */
        return larder_error_set (err, LARDER_ESPLIT, 0,
                                 "refs are to be split: list the next receivers, or say how many "
                                 "(LARDER_COUNT)");
    for (uint64_t i = 0; i < e->pack.count; ++i) {
        if (e->pack.values[i].way != LARDER_WAY_FORWARD)
            continue;
        int rc = larder_ref_read (&e->pack.values[i].datum->ref, &info, err);
        if (rc != LARDER_OK)
            return rc;
        if (info.session != s->id)
            return larder_error_set (err, LARDER_ESESSION, 0,
                                     "a ref of another session cannot be split in this one");
    }
    return LARDER_OK;
}

/* ---------------------------------------------------------------- the transaction */

/* Offers the object.  On failure it is still the caller's. */
static int offer (struct encoding *e, larder_receivers receivers, larder_encoded *out,
                  larder_error *err)
{
    larder *s = e->session;
    larder_transaction_options options = e->options->transaction;
    larder_object object;
    if (!options.name)
        options.name = "message";
    options.receivers = receivers;
    options.forwarded = 1;
    larder_concat_object (e->concat, options.name, &object);
    uint64_t transaction = 0;
    int rc = larder_transaction_begin (s, &options, &transaction, err);
    if (rc != LARDER_OK)
        return rc;
    rc = larder_transaction_add (s, transaction, &object, &out->ref, err);
    if (rc != LARDER_OK) { /* nobody has heard of it: it leaves no receipt and calls nothing */
        larder_ownertxn_forget (s->owner, larder_ownertxn_find (s->owner, transaction));
        return rc;
    }
    e->concat = NULL; /* the transaction's from here on */
    out->transaction = transaction;
    return larder_transaction_live (s, transaction, err);
}

static int prepare (struct encoding *e, const larder_message *message, larder_receivers receivers,
                    uint64_t *own, larder_encoded *out, larder_error *err)
{
    larder_next next = {0};
    int rc = larder_pack_begin (&e->pack, message, e->options->registry, err);
    if (rc != LARDER_OK)
        return rc;
    rc = choose (e, own, err);
    if (rc == LARDER_OK && *own && !e->session->owner)
        rc = larder_error_set (err, LARDER_EINVAL, 0,
                               "larder_encode: %" PRIu64
                               " values go by reference (inline_max), and this "
                               "rank is not among the session's owners (larder_config.owners)",
                               *own);
    if (rc == LARDER_OK && *own)
        rc = make_objects (e, *own, err);
    if (rc == LARDER_OK && e->options->split)
        rc = find_next (e, receivers, &next, err);
    if (rc == LARDER_OK)
        rc = larder_pack_write (&e->pack, next.share ? &next : NULL,
                                e->options->pass_through ? LARDER_MESSAGE_PASS_THROUGH : 0, out,
                                err);
    larder_pack_end (&e->pack);
    return rc;
}

int larder_encode (larder *s, const larder_message *message, larder_receivers receivers,
                   const larder_encode_options *options, larder_encoded *encoded, larder_error *err)
{
    static const larder_encode_options defaults;
    struct encoding e = {.session = s, .options = options ? options : &defaults};
    larder_encoded out = {0};
    uint64_t own = 0;
    int rc = larder_progress_enter (s, "larder_encode", err);
    if (rc == LARDER_OK && (!message || !encoded))
        rc = larder_error_set (err, LARDER_EINVAL, 0,
                               "larder_encode: message and encoded must not be NULL");
    if (rc != LARDER_OK)
        return larder_progress_leave (s, rc, err);
    s->in_callback = 1; /* handlers run */
    rc = prepare (&e, message, receivers, &own, &out, err);
    s->in_callback = 0;
    if (rc != LARDER_OK)
        rc = larder_progress_leave (s, rc, err);
    else if (own)
        rc = offer (&e, receivers, &out, err);
    s->in_callback = 1;
    larder_concat_free (e.concat);
    s->in_callback = 0;
    if (rc != LARDER_OK) {
        larder_encoded_free (&out);
        return rc;
    }
    larder_pack_seal (&out, own ? &out.ref : NULL);
    *encoded = out;
    return LARDER_OK;
}
