/* SPDX-License-Identifier: Apache-2.0 */
/* The owner in a round: begins the transaction, deletes or renews in the middle, waits for its end. */
#ifndef SOAK_OWN_H
#define SOAK_OWN_H

#include "soak_act.h"

enum soak_owning { SOAK_O_BEGIN, SOAK_O_EARLY, SOAK_O_LIVE, SOAK_O_ENDED };

struct soak_owner {
    larder *session;
    const struct soak_plan *plan;
    struct soak_books *books;
    enum soak_owning stage;
    larder_ref ref[SOAK_OBJECTS];
    double begun_at, live_at;
    int met; /* the special thing in the middle has been done, or it is too late */
    int deleted, reported;
    struct soak_report report[SOAK_RANKS];
    larder_receipt *receipt;
    void (*tell) (const struct soak_news *news);
};

static inline larder_object soak_make_object (struct soak_owner *w, int i)
{
    const struct soak_shape *s = &w->plan->shape[i];
    struct soak_object *o = &w->books->object[i];
    *o = (struct soak_object){.plan = w->plan, .number = i, .books = w->books};
    for (int k = 0; k < SOAK_RANKS; ++k)
        o->pair[k].told = SOAK_NOT_TOLD;
    if (s->policy == SOAK_ONCE)
        o->made = calloc ((size_t)larder_num_max (s->items[0], s->items[1]) + 1, sizeof *o->made);
    return (larder_object){.ops = s->kind == SOAK_UNKNOWN_SIZES ? &soak_unsized : &soak_sized,
                           .self = o,
                           .name = "soaked",
                           .uniform_item_size = s->kind == SOAK_UNIFORM ? s->size : 0,
                           .chunk_size = s->chunk_size,
                           .type_tag = (uint32_t)i,
                           .once = s->policy == SOAK_ONCE,
                           .reproduce = s->policy == SOAK_REPRODUCE};
}

static inline larder_receivers soak_receivers_of (const struct soak_plan *p)
{
    switch (p->to) {
    case SOAK_TO_ALL:
        break;
    case SOAK_TO_EVERY_RANK:
        return LARDER_EVERY_RANK;
    case SOAK_TO_LIST:
        return (larder_receivers){p->ranks, p->count};
    case SOAK_TO_COUNT:
        return LARDER_COUNT (p->count);
    case SOAK_TO_UNKNOWN:
        return LARDER_UNKNOWN;
    }
    return LARDER_ALL;
}

static int soak_open_transaction (struct soak_owner *w, larder_error *err)
{
    larder_transaction_options x = w->plan->times;
    uint64_t number = 0;
    x.name = "soak";
    x.receivers = soak_receivers_of (w->plan);
    x.self = w->books;
    x.transaction_done = soak_all_done;
    x.outcome = soak_outcome;
    x.progress = w->plan->watched ? soak_event : NULL;
    int rc = larder_transaction_begin (w->session, &x, &number, err);
    w->books->number = number;
    for (int i = 0; rc == LARDER_OK && i < w->plan->objects; ++i) {
        larder_object object = soak_make_object (w, i);
        rc = larder_transaction_add (w->session, number, &object, &w->ref[i], err);
        soak_objects_offered += rc == LARDER_OK;
    }
    if (rc == LARDER_OK && w->books->number != number)
        soak_fault (w->plan, "set_transaction says another number");
    return rc;
}

static int soak_open_offer (struct soak_owner *w, larder_error *err)
{
    larder_object object = soak_make_object (w, 0);
    int rc = larder_offer (w->session, &object, soak_receivers_of (w->plan), &w->ref[0], err);
    soak_objects_offered += rc == LARDER_OK;
    return rc;
}

static void soak_tell_all (struct soak_owner *w, int version, int have)
{
    struct soak_news news = {
        .round = w->plan->round, .version = version, .have = have, .live_at = soak_now ()};
    memcpy (news.ref, w->ref, sizeof news.ref);
    w->tell (&news);
}

static void soak_live (struct soak_owner *w)
{
    larder_error err = {0};
    if (!w->plan->by_offer &&
        larder_transaction_live (w->session, w->books->number, &err) != LARDER_OK)
        soak_fault (w->plan, "larder_transaction_live: %s", err.text);
    w->live_at = w->books->live_at = soak_now ();
    w->stage = SOAK_O_LIVE;
}

static void soak_own_begin (struct soak_owner *w)
{
    larder_error err = {0};
    larder_ref_info info;
    int rc = w->plan->by_offer ? soak_open_offer (w, &err) : soak_open_transaction (w, &err);
    if (rc != LARDER_OK)
        soak_fault (w->plan, "cannot offer: %s", err.text);
    for (int i = 0; i < w->plan->objects; ++i)
        if (larder_ref_read (&w->ref[i], &info, &err) == LARDER_OK)
            w->books->place[i] = (int)info.object;
        else
            soak_fault (w->plan, "object %d: its ref: %s", i, err.text);
    w->begun_at = soak_now ();
    if (!w->plan->early)
        soak_live (w);
    soak_tell_all (w, 0, 1);
    if (w->plan->early)
        w->stage = SOAK_O_EARLY;
}

/* ---------------------------------------------------------------- in the middle */

static void soak_delete (struct soak_owner *w)
{
    larder_error err = {0};
    int rc = w->plan->by_offer ? larder_withdraw (w->session, &w->ref[0], &err)
                               : larder_transaction_delete (w->session, w->books->number, &err);
    if (rc != LARDER_OK)
        soak_fault (w->plan, "cannot delete: %s", err.text);
    w->deleted = 1;
}

static void soak_renew (struct soak_owner *w)
{
    larder_error err = {0};
    int i = w->plan->special;
    struct soak_object *o = &w->books->object[i];
    o->version = 1;
    o->bytes_made = 0;
    if (o->made)
        memset (o->made, 0, (size_t)soak_shape (o)->items[0] * sizeof *o->made);
    int rc = larder_new_version (w->session, &w->ref[i], &w->ref[i], &err);
    if (rc != LARDER_OK && (rc != LARDER_EGONE || !w->books->objects_done))
        soak_fault (w->plan, "larder_new_version: %s: %s", larder_code_name (rc), err.text);
    if (rc != LARDER_OK)
        o->version = 0;
    else
        w->books->renewed_at = soak_now ();
    soak_tell_all (w, 1, rc == LARDER_OK);
}

static void soak_meddle (struct soak_owner *w)
{
    const struct soak_plan *p = w->plan;
    int middle = p->flavour == SOAK_DELETED || p->flavour == SOAK_RENEWED;
    int due = w->books->object[p->special].calls >= p->after_calls ||
              soak_now () - w->live_at > 0.06 || w->books->objects_done;
    if (middle && !w->met && due) {
        w->met = 1;
        if (p->flavour == SOAK_DELETED)
            soak_delete (w);
        else
            soak_renew (w);
    }
    /* Nobody knows when all have come: the owner says it, or time does. */
    if (p->to == SOAK_TO_UNKNOWN && !w->deleted && w->reported == soak_size_of_job && p->round % 3)
        soak_delete (w);
}

/* Move the owner on.  1: the transaction has ended, and all have reported. */
static int soak_owner_step (struct soak_owner *w)
{
    larder_error err = {0};
    if (w->stage == SOAK_O_BEGIN)
        soak_own_begin (w);
    if (w->stage == SOAK_O_EARLY && soak_now () - w->begun_at > 0.01)
        soak_live (w);
    if (w->stage == SOAK_O_LIVE) {
        soak_meddle (w);
        int rc = larder_transaction_wait (w->session, w->books->number, 0, &w->receipt, &err);
        if (rc == LARDER_OK) {
            w->stage = SOAK_O_ENDED;
            soak_pat ();
        } else if (rc != LARDER_AGAIN) {
            soak_fault (w->plan, "larder_transaction_wait: %s", err.text);
            w->stage = SOAK_O_ENDED;
        }
    }
    if (w->stage == SOAK_O_ENDED && w->plan->flavour == SOAK_RENEWED && !w->met) {
        w->met = 1;
        soak_tell_all (w, 1, 0);
    }
    return w->stage == SOAK_O_ENDED && w->reported == soak_size_of_job;
}

#endif
