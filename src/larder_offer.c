/* SPDX-License-Identifier: Apache-2.0 */
/* The owner's public functions. */
#include "larder_object.h"
#include "larder_progress.h"
#include "larder_ref.h"
#include <inttypes.h>
#include <larder/offer.h>

static const char *name_of (const larder_object *object)
{
    return object->name ? object->name : "object";
}

static int offer (larder *s, const larder_object *object, larder_receivers receivers,
                  larder_ref *ref, larder_error *err)
{
    if (!object || !ref)
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "larder_offer: object and ref must not be NULL");
    if (!s->owner)
        return larder_error_set (
            err, LARDER_EINVAL, 0,
            "%s: this rank is not among the session's owners (larder_config.owners)",
            name_of (object));
    int rc = larder_object_check (object, err);
    if (rc != LARDER_OK)
        return rc;
    if (object->chunk_size > s->settings.chunk_size)
        return larder_error_set (err, LARDER_ERANGE, 0,
                                 "%s: its chunk size %" PRIu64 " is above the session's %" PRIu64,
                                 name_of (object), object->chunk_size, s->settings.chunk_size);
    int place = 0;
    rc = larder_owner_offer (s->owner, object,
                             object->chunk_size ? object->chunk_size : s->settings.chunk_size,
                             receivers, &place, err);
    if (rc != LARDER_OK)
        return rc;
    const struct larder_offered *f = &s->owner->objects[place];
    larder_ref_write (&(larder_ref_info){.session = s->id,
                                         .transaction = f->transaction,
                                         .first_item = 0,
                                         .item_count = f->chunks.item_count,
                                         .generation = f->generation,
                                         .type_tag = object->type_tag,
                                         .owner = (uint32_t)s->rank,
                                         .object = (uint32_t)place},
                      ref);
    return LARDER_OK;
}

int larder_offer (larder *s, const larder_object *object, larder_receivers receivers,
                  larder_ref *ref, larder_error *err)
{
    int rc = larder_progress_enter (s, "larder_offer", err);
    if (rc == LARDER_OK)
        rc = offer (s, object, receivers, ref, err);
    return larder_progress_leave (s, rc, err);
}

/* The place a ref of this rank names; NULL when it is used for another offer by now. */
static int find (const larder *s, const larder_ref *ref, struct larder_offered **found, int *place,
                 larder_error *err)
{
    larder_ref_info info;
    int rc = ref ? larder_ref_read (ref, &info, err)
                 : larder_error_set (err, LARDER_EINVAL, 0, "the ref is NULL");
    if (rc != LARDER_OK)
        return rc;
    if (info.session != s->id)
        return larder_error_set (err, LARDER_ESESSION, 0, "the ref is of another session");
    if (info.owner != (uint32_t)s->rank || !s->owner ||
        info.object >= (uint32_t)s->settings.max_objects)
        return larder_error_set (err, LARDER_EINVAL, 0, "the ref's owner is rank %" PRIu32,
                                 info.owner);
    struct larder_offered *f = &s->owner->objects[info.object];
    *found = f->transaction == info.transaction && f->state != LARDER_OFFER_FREE ? f : NULL;
    *place = (int)info.object;
    return LARDER_OK;
}

int larder_withdraw (larder *s, const larder_ref *ref, larder_error *err)
{
    struct larder_offered *f = NULL;
    int place = 0;
    int rc = larder_progress_enter (s, "larder_withdraw", err);
    if (rc == LARDER_OK)
        rc = find (s, ref, &f, &place, err);
    if (rc == LARDER_OK && f && f->state == LARDER_OFFER_LIVE)
        larder_owner_end (s->owner, place, LARDER_DONE_DELETED, LARDER_EGONE,
                          "withdrawn by its owner");
    if (rc == LARDER_OK)
        rc = larder_progress_push (s, err);
    return larder_progress_leave (s, rc, err);
}

/* Bytes that chunk n of the object has before it; exact for equal items, else nothing is said. */
static uint64_t bytes_before (const struct larder_chunks *c, uint64_t n)
{
    uint64_t item = c->per_chunk ? n * c->per_chunk : c->per_item ? n / c->per_item : 0;
    uint64_t offset = c->per_item ? n % c->per_item * c->payload : 0;
    uint64_t all = larder_chunks_bytes (c), bytes = item * c->item_size + offset;
    return bytes < all ? bytes : all;
}

static void slowest (const larder *s, int place, larder_offer_status *status)
{
    const struct larder_owner *o = s->owner;
    const struct larder_offered *f = &o->objects[place];
    const struct larder_topology *t = &s->topology;
    status->slowest_receiver = -1;
    status->slowest_bytes = f->bytes_produced;
    for (int i = 0; i < f->txn.count; ++i)
        if (f->txn.receivers[i].state == LARDER_UNSEEN) {
            status->slowest_receiver = f->txn.receivers[i].rank;
            status->slowest_bytes = 0;
            return;
        }
    for (int i = 0; i < o->active_count; ++i) {
        const struct larder_owner_line *ln = &o->lines[o->active[i]];
        if (ln->object != place)
            continue;
        uint64_t bytes = f->chunks.item_size ? bytes_before (&f->chunks, ln->cursor) : 0;
        for (int k = 0; k < larder_topology_node_size (t, ln->node); ++k)
            if (ln->seen[k] == LARDER_STATE_ACQUIRED &&
                (status->slowest_receiver < 0 || bytes < status->slowest_bytes)) {
                status->slowest_receiver = larder_topology_rank (t, ln->node, k);
                status->slowest_bytes = bytes;
            }
    }
}

int larder_offer_get_status (const larder *s, const larder_ref *ref, larder_offer_status *status,
                             larder_error *err)
{
    struct larder_offered *f = NULL;
    int place = 0;
    if (!s || !status)
        return larder_error_set (err, LARDER_EINVAL, 0, "larder_offer_get_status: NULL argument");
    int rc = find (s, ref, &f, &place, err);
    if (rc == LARDER_OK && !f)
        rc = larder_error_set (err, LARDER_EGONE, 0, "the offer's place is used by another one");
    if (rc != LARDER_OK)
        return larder_progress_leave (s, rc, err);
    *status = (larder_offer_status){.items = f->chunks.item_count,
                                    .bytes = larder_chunks_bytes (&f->chunks),
                                    .bytes_produced = f->bytes_produced,
                                    .slowest_receiver = -1,
                                    .receivers = f->txn.count,
                                    .receivers_done = f->txn.done,
                                    .receivers_failed = f->txn.failed,
                                    .settled = f->state == LARDER_OFFER_SETTLED};
    if (!status->settled)
        slowest (s, place, status);
    return LARDER_OK;
}
