/* SPDX-License-Identifier: Apache-2.0 */
/* The owner's public functions for objects. */
#include "larder_ownertxn.h"
#include "larder_progress.h"
#include <inttypes.h>
#include <larder/offer.h>
#include <larder/transaction.h>

int larder_offer (larder *s, const larder_object *object, larder_receivers receivers,
                  larder_ref *ref, larder_error *err)
{
    larder_transaction_options options = {.name = object ? object->name : NULL,
                                          .receivers = receivers};
    uint64_t transaction = 0;
    int rc = larder_progress_enter (s, "larder_offer", err);
    if (rc == LARDER_OK && (!object || !ref))
        rc = larder_error_set (err, LARDER_EINVAL, 0,
                               "larder_offer: object and ref must not be NULL");
    if (rc != LARDER_OK)
        return larder_progress_leave (s, rc, err);
    rc = larder_transaction_begin (s, &options, &transaction, err);
    if (rc != LARDER_OK)
        return rc;
    larder_ref made;
    rc = larder_transaction_add (s, transaction, object, &made, err);
    if (rc == LARDER_OK)
        rc = larder_transaction_live (s, transaction, err);
    if (rc == LARDER_OK)
        *ref = made;
    else
        larder_ownertxn_forget (s->owner, larder_ownertxn_find (s->owner, transaction));
    return rc;
}

/* The place a ref of this rank names; NULL when it is used for another offer by now. */
static int find (const larder *s, const larder_ref *ref, struct larder_offered **found,
                 larder_ref_info *out, larder_error *err)
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
    *out = info;
    return LARDER_OK;
}

int larder_withdraw (larder *s, const larder_ref *ref, larder_error *err)
{
    struct larder_offered *f = NULL;
    larder_ref_info info;
    int rc = larder_progress_enter (s, "larder_withdraw", err);
    if (rc == LARDER_OK)
        rc = find (s, ref, &f, &info, err);
    if (rc != LARDER_OK)
        return larder_progress_leave (s, rc, err);
    return larder_transaction_delete (s, info.transaction, err);
}

int larder_new_version (larder *s, const larder_ref *ref, larder_ref *fresh, larder_error *err)
{
    struct larder_offered *f = NULL;
    larder_ref_info info = {0};
    int rc = larder_progress_enter (s, "larder_new_version", err);
    if (rc == LARDER_OK && !fresh)
        rc = larder_error_set (err, LARDER_EINVAL, 0, "larder_new_version: fresh is NULL");
    if (rc == LARDER_OK)
        rc = find (s, ref, &f, &info, err);
    if (rc == LARDER_OK && (!f || f->state != LARDER_OFFER_LIVE || f->failed.code))
        rc = larder_error_set (err, LARDER_EGONE, 0, "larder_new_version: the object is gone");
    if (rc == LARDER_OK && info.generation != f->generation)
        rc = larder_error_set (err, LARDER_ESTALE, 0,
                               "%s: the ref is of version %" PRIu32 ", the present one is %" PRIu32,
                               f->name, info.generation, f->generation);
    if (rc == LARDER_OK)
        rc = larder_ownertxn_renew (s->owner, (int)info.object, err);
    if (rc == LARDER_OK) {
        *fresh = f->ref;
        rc = larder_progress_push (s, err);
    }
    return larder_progress_leave (s, rc, err);
}

static void slowest (const larder *s, int place, larder_offer_status *status)
{
    const struct larder_owner *o = s->owner;
    const struct larder_offered *f = &o->objects[place];
    const struct larder_topology *t = &s->topology;
    status->slowest_receiver = -1;
    status->slowest_bytes = f->bytes_produced;
    for (int i = 0; i < f->txn->count; ++i)
        if (f->page.standing[i].state == LARDER_UNSEEN) {
            status->slowest_receiver = f->txn->receivers[i].rank;
            status->slowest_bytes = 0;
            return;
        }
    for (int i = 0; i < o->active_count; ++i) {
        const struct larder_owner_line *ln = &o->lines[o->active[i]];
        if (ln->object != place)
            continue;
        uint64_t bytes = 0, items;
        if (f->chunks.item_size)
            larder_chunks_before (&f->chunks, ln->cursor, &items, &bytes);
        for (int k = 0; k < larder_topology_node_size (t, ln->node); ++k)
            if (larder_owner_seen (ln->seen[k]) == LARDER_SEEN_ACQUIRED &&
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
    larder_ref_info info;
    if (!s || !status)
        return larder_error_set (err, LARDER_EINVAL, 0, "larder_offer_get_status: NULL argument");
    int rc = find (s, ref, &f, &info, err);
    if (rc == LARDER_OK && !f)
        rc = larder_error_set (err, LARDER_EGONE, 0, "the offer's place is used by another one");
    if (rc != LARDER_OK)
        return larder_progress_leave (s, rc, err);
    *status = (larder_offer_status){.items = f->chunks.item_count,
                                    .bytes = larder_chunks_bytes (&f->chunks),
                                    .bytes_produced = f->bytes_produced,
                                    .slowest_receiver = -1,
                                    .settled = f->state == LARDER_OFFER_SETTLED};
    if (status->settled) {
        status->receivers = f->receivers;
        status->receivers_done = f->done;
        status->receivers_failed = f->receivers - f->done;
    } else {
        status->receivers = f->txn->expected ? f->txn->expected : f->txn->count;
        status->receivers_done = f->page.done;
        status->receivers_failed = f->page.failed;
        slowest (s, (int)info.object, status);
    }
    return LARDER_OK;
}
