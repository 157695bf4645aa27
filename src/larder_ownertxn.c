/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_ownertxn.h"
#include "larder_num.h"
#include "larder_ownerline.h"
#include "larder_ownermail.h"
#include "larder_ref.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* When all receivers are final, a line on which nobody is active is given so long to close. */
#define LINGER_S 1.0

/* ---------------------------------------------------------------- beginning */

static double budget (double asked, double fallback)
{
    return asked == 0 ? fallback : asked < 0 && isfinite (asked) ? 0 : asked;
}

/* Each budget is asked for, the session's, or none; the timeout has a floor. */
static int set_limits (const struct larder_owner *o, const larder_transaction_options *x,
                       struct larder_txn *txn, larder_error *err)
{
    struct larder_txn_limits limits = {
        .timeout_s = x->timeout_s == 0 ? o->settings->timeout_s : x->timeout_s,
        .acquire_s = budget (x->acquire_timeout_s, o->settings->acquire_timeout_s),
        .idle_s = budget (x->idle_timeout_s, o->settings->idle_timeout_s),
        .min_receivers = x->min_receivers};
    int rc = larder_txn_limit (txn, &limits, err);
    if (rc == LARDER_OK && !isfinite (x->progress_interval_s))
        rc = larder_error_set (err, LARDER_EINVAL, 0, "progress_interval_s: %g is no finite time",
                               x->progress_interval_s);
    if (rc == LARDER_OK && (x->forwarded < 0 || x->forwarded > 1))
        rc = larder_error_set (err, LARDER_EINVAL, 0, "forwarded: %d is neither 0 nor 1",
                               x->forwarded);
    txn->forwarded = x->forwarded;
    if (limits.timeout_s < o->settings->min_download_timeout_s)
        txn->limits.timeout_s = o->settings->min_download_timeout_s;
    return rc;
}

static void free_txn (struct larder_ownertxn *t)
{
    if (!t)
        return;
    larder_txn_free (&t->txn);
    larder_receipt_free (&t->blank);
    free (t->places);
    free (t->name);
    free (t);
}

int larder_ownertxn_begin (struct larder_owner *o, const larder_transaction_options *x,
                           struct larder_ownertxn **out, larder_error *err)
{
    const char *name = x->name ? x->name : "transaction";
    if (o->txn_count == o->settings->max_transactions)
        return larder_error_set (err, LARDER_EBUSY, 0,
                                 "%s: %d transactions are open already (max_transactions)", name,
                                 o->txn_count);
    struct larder_ownertxn *t = calloc (1, sizeof *t);
    if (!t)
        return larder_error_set (err, LARDER_ENOMEM, 0, "%s: no memory", name);
    int rc =
        larder_txn_init (&t->txn, x->receivers, o->words.nodecache->topology->size, o->rank, err);
    if (rc == LARDER_OK)
        rc = set_limits (o, x, &t->txn, err);
    if (rc == LARDER_OK)
        rc = larder_receipts_reserve (&o->receipts, 1 + o->txn_count, err);
    t->name = strdup (name);
    t->blank = calloc (1, sizeof *t->blank);
    t->places = calloc ((size_t)o->settings->max_objects, sizeof *t->places);
    if (rc == LARDER_OK && (!t->name || !t->blank || !t->places))
        rc = larder_error_set (err, LARDER_ENOMEM, 0, "%s: no memory", name);
    if (rc != LARDER_OK) {
        free_txn (t);
        return rc;
    }
    t->calls = *x;
    t->calls.name = NULL;
    t->calls.receivers = (larder_receivers){0};
    t->number = o->next_transaction++;
    o->txns[o->txn_count++] = t;
    *out = t;
    return LARDER_OK;
}

static int free_place (const struct larder_owner *o)
{
    int settled = -1;
    for (int i = 0; i < o->settings->max_objects; ++i) {
        if (o->objects[i].state == LARDER_OFFER_FREE)
            return i;
        if (o->objects[i].state == LARDER_OFFER_SETTLED &&
            (settled < 0 || o->objects[i].transaction < o->objects[settled].transaction))
            settled = i;
    }
    return settled;
}

/* The place has another object, or another version of it. */
static void name_version (struct larder_owner *o, int place)
{
    struct larder_offered *f = &o->objects[place];
    ++f->generation;
    f->key =
        larder_num_mix (larder_num_mix (o->session ^ (uint64_t)o->rank << 32 ^ (uint64_t)place) ^
                        f->transaction ^ (uint64_t)f->generation << 40);
    f->key += f->key == 0;
    larder_ref_write (&(larder_ref_info){.session = o->session,
                                         .transaction = f->transaction,
                                         .first_item = 0,
                                         .item_count = f->chunks.item_count,
                                         .generation = f->generation,
                                         .type_tag = f->object.type_tag,
                                         .owner = (uint32_t)o->rank,
                                         .object = (uint32_t)place},
                      &f->ref);
}

int larder_ownertxn_add (struct larder_owner *o, struct larder_ownertxn *t,
                         const larder_object *object, uint64_t chunk_size, int *place,
                         larder_error *err)
{
    int i = free_place (o);
    if (i < 0)
        return larder_error_set (err, LARDER_EBUSY, 0,
                                 "%s: %d objects are offered already (max_objects)",
                                 object->name ? object->name : "object", o->settings->max_objects);
    struct larder_offered *f = &o->objects[i];
    struct larder_offered before = *f; /* a settled offer can still be asked for its figures */
    int rc = larder_txn_add (&t->txn, &f->page, err);
    if (rc != LARDER_OK)
        return rc;
    f->transaction = t->number;
    rc = larder_offered_init (f, &o->env, object, chunk_size, err);
    if (rc != LARDER_OK) {
        larder_txn_remove (&t->txn, &f->page);
        *f = before;
        return rc;
    }
    f->txn = &t->txn;
    f->payload = chunk_size;
    name_version (o, i);
    f->watch = (struct larder_offered_watch){
        .progress = t->calls.progress,
        .self = t->calls.self,
        .interval_s = t->calls.progress_interval_s,
        .pair = {.transaction = t->number, .owner = o->rank, .object = i}};
    f->state = LARDER_OFFER_LIVE;
    t->places[t->place_count++] = i;
    *place = i;
    return LARDER_OK;
}

void larder_ownertxn_live (struct larder_owner *o, struct larder_ownertxn *t)
{
    (void)larder_owner_attend (o);
    larder_txn_live (&t->txn, o->now);
    ++o->live_count;
}

struct larder_ownertxn *larder_ownertxn_find (const struct larder_owner *o, uint64_t number)
{
    for (int i = 0; i < o->txn_count; ++i)
        if (o->txns[i]->number == number)
            return o->txns[i];
    return NULL;
}

int larder_ownertxn_renew (struct larder_owner *o, int place, larder_error *err)
{
    struct larder_offered *f = &o->objects[place];
    larder_error why;
    larder_error_set (&why, LARDER_ESTALE, 0, "%s: there is a newer version", f->name);
    for (int i = o->active_count; i-- > 0;)
        if (o->lines[o->active[i]].object == place)
            larder_ownerline_drop (o, &o->lines[o->active[i]], &why);
    int rc = larder_offered_renew (f, &o->env, f->payload);
    name_version (o, place);
    f->txn->moved = o->now;
    if (rc != LARDER_OK) {
        larder_error_set (err, rc, f->failed.detail, "%s", f->failed.text);
        larder_offered_give_up (f, &o->env, o->now);
    }
    return rc;
}

/* ---------------------------------------------------------------- the end */

void larder_ownertxn_forget (struct larder_owner *o, struct larder_ownertxn *t)
{
    for (int i = 0; i < o->txn_count; ++i)
        if (o->txns[i] == t) {
            memmove (&o->txns[i], &o->txns[i + 1],
                     (size_t)(--o->txn_count - i) * sizeof (struct larder_ownertxn *));
            break;
        }
    free_txn (t);
}

/* What receivers have said before counts, though nobody has looked at it yet. */
static void take_successes (struct larder_owner *o, struct larder_ownertxn *t)
{
    const struct larder_topology *topology = o->words.nodecache->topology;
    for (int i = o->active_count; i-- > 0;) {
        struct larder_owner_line *ln = &o->lines[o->active[i]];
        if (o->objects[ln->object].txn != &t->txn)
            continue;
        for (int k = 0; k < larder_topology_node_size (topology, ln->node); ++k)
            larder_ownerline_success (o, ln, larder_topology_rank (topology, ln->node, k));
    }
}

/* From here on nobody is served, and no verdict counts. */
static void close_gate (struct larder_owner *o, struct larder_ownertxn *t, int code,
                        const char *text)
{
    for (int i = 0; i < t->place_count; ++i) {
        struct larder_offered *f = &o->objects[t->places[i]];
        larder_error why;
        if (code != LARDER_OK && f->failed.code == 0)
            larder_error_set (&f->failed, code, 0, "%s: %s", f->name, text);
        larder_error_set (&why, f->failed.code ? f->failed.code : LARDER_EGONE, 0, "%s",
                          f->failed.code ? f->failed.text : "everybody has the object");
        f->state = LARDER_OFFER_SETTLED;
        f->receivers = t->txn.expected > t->txn.count ? t->txn.expected : t->txn.count;
        f->done = f->page.done;
        for (int k = o->active_count; k-- > 0;)
            if (o->lines[o->active[k]].object == t->places[i])
                larder_ownerline_fail (o, &o->lines[o->active[k]], &why);
    }
}

/* A receipt of what the books say now. */
static larder_receipt *make_receipt (struct larder_owner *o, struct larder_ownertxn *t,
                                     larder_done done)
{
    size_t n = (size_t)t->place_count + 1;
    larder_ref *refs = calloc (n, sizeof *refs);
    const char **names = calloc (n, sizeof *names);
    struct larder_receipt_facts facts = {.transaction = t->number,
                                         .done = done,
                                         .seconds = t->txn.live ? o->now - t->txn.live_at : 0,
                                         .time = (int64_t)time (NULL),
                                         .refs = refs,
                                         .names = names};
    larder_receipt *receipt = NULL;
    for (int i = 0; refs && names && i < t->place_count; ++i) {
        refs[i] = o->objects[t->places[i]].ref;
        names[i] = o->objects[t->places[i]].name;
    }
    if (!refs || !names || larder_receipt_make (&facts, &t->txn, &receipt, NULL) != LARDER_OK) {
        larder_receipt_blank (&facts, &t->txn, t->blank);
        receipt = t->blank;
        t->blank = NULL;
    }
    free (refs);
    free (names);
    return receipt;
}

static void last_events (struct larder_owner *o, struct larder_ownertxn *t, larder_done done)
{
    larder_event_state state = done == LARDER_DONE_FINISHED  ? LARDER_EVENT_COMPLETED
                               : done == LARDER_DONE_DELETED ? LARDER_EVENT_ABORTED
                                                             : LARDER_EVENT_FAILED;
    for (int i = 0; t->calls.progress && i < t->place_count; ++i)
        for (int k = 0; k < t->txn.count; ++k)
            if (t->txn.pages[i]->standing[k].track)
                larder_offered_progress (&o->objects[t->places[i]], &o->env,
                                         t->txn.receivers[k].rank, state, 0, 0, o->now);
}

static void call_back (struct larder_owner *o, struct larder_ownertxn *t, larder_done done,
                       larder_receipt *receipt)
{
    int first = LARDER_OK, second = LARDER_OK;
    *o->env.in_callback = 1;
    if (t->calls.transaction_done)
        first = t->calls.transaction_done (t->calls.self, t->number, done);
    receipt->callback_code = first < 0 ? first : LARDER_OK;
    if (t->calls.outcome)
        second = t->calls.outcome (t->calls.self, receipt);
    if (second < 0 && first >= 0)
        receipt->callback_code = second;
    *o->env.in_callback = 0;
}

void larder_ownertxn_end (struct larder_owner *o, struct larder_ownertxn *t, larder_done done,
                          int code, const char *text)
{
    o->live_count -= t->txn.live;
    take_successes (o, t);
    close_gate (o, t, code, text);
    larder_receipt *receipt = make_receipt (o, t, done);
    t->txn.live = 0;
    last_events (o, t, done);
    for (int i = 0; i < t->place_count; ++i)
        larder_offered_close (&o->objects[t->places[i]], &o->env);
    for (int i = 0; i < t->place_count; ++i)
        larder_offered_tell_done (&o->objects[t->places[i]], &o->env, done);
    call_back (o, t, done, receipt);
    for (int i = 0; i < t->place_count; ++i)
        larder_offered_release (&o->objects[t->places[i]], &o->env);
    larder_receipts_add (&o->receipts, receipt, o->now);
    larder_ownertxn_forget (o, t);
}

/* ---------------------------------------------------------------- time */

void larder_ownertxn_cancel (struct larder_owner *o, struct larder_txn *txn, int rank)
{
    /* What it had before stays, though the owner may look at that line only now. */
    for (int i = 0; i < o->active_count; ++i)
        if (o->objects[o->lines[o->active[i]].object].txn == txn)
            larder_ownerline_success (o, &o->lines[o->active[i]], rank);
    for (int i = 0; i < o->settings->max_objects; ++i)
        if (o->objects[i].state == LARDER_OFFER_LIVE && o->objects[i].txn == txn)
            larder_offered_dismiss (&o->objects[i], &o->env, rank, LARDER_ECANCELED, o->now);
}

/* A rank is not expected any more, and what passes for it elsewhere was told: lines of its node do not
 * wait for it, and an object may be complete by that. */
int larder_ownertxn_lost (struct larder_owner *o, struct larder_txn *txn, int rank,
                          larder_error *err)
{
    const struct larder_topology *t = o->words.nodecache->topology;
    int rc = LARDER_OK;
    for (int i = 0; i < o->settings->max_objects; ++i)
        if (o->objects[i].state == LARDER_OFFER_LIVE && o->objects[i].txn == txn)
            larder_offered_all (&o->objects[i], &o->env);
    for (int i = 0; rank >= 0 && rc == LARDER_OK && i < o->active_count; ++i) {
        struct larder_owner_line *ln = &o->lines[o->active[i]];
        if (o->objects[ln->object].txn == txn && ln->node == t->node[rank] &&
            ln->seen[t->local[rank]] == LARDER_STATE_ABSENT)
            rc = larder_ownermail_info (o, ln, err);
    }
    return rc;
}

/* The owner gives a rank up: it is told so where it takes part.  Lines on which everybody is final
 * already hold nothing any more. */
static void dismiss (struct larder_owner *o, struct larder_txn *txn, int rank, int code,
                     const char *text)
{
    const struct larder_topology *t = o->words.nodecache->topology;
    larder_error why, ignored; /* a transport that fails shows in the next poll */
    for (int i = 0; i < o->settings->max_objects; ++i)
        if (o->objects[i].state == LARDER_OFFER_LIVE && o->objects[i].txn == txn)
            larder_offered_dismiss (&o->objects[i], &o->env, rank, code, o->now);
    for (int i = o->active_count; i-- > 0;) {
        struct larder_owner_line *ln = &o->lines[o->active[i]];
        struct larder_offered *f = &o->objects[ln->object];
        if (f->txn != txn || ln->node != t->node[rank])
            continue;
        larder_error_set (&why, code, 0, "%s: %s", f->name, text);
        if (larder_owner_seen (ln->seen[t->local[rank]]) == LARDER_SEEN_ACQUIRED)
            (void)larder_ownermail_dismissed (o, ln, t->local[rank], why.code, why.text, &ignored);
        if (larder_ownerline_forsaken (o, ln))
            larder_ownerline_fail (o, ln, &why);
    }
}

/* Ranks that have left the session will not get anything any more.  Their last words may still be on
 * their way for a while. */
static int without_those_who_left (struct larder_owner *o, struct larder_ownertxn *t)
{
    if (t->without == o->left_count || o->now - o->left_at < LINGER_S)
        return 0;
    for (int r = 0; r < o->words.nodecache->topology->size; ++r)
        if (o->left[r] && larder_txn_find (&t->txn, r) >= 0)
            dismiss (o, &t->txn, r, LARDER_EGONE, "the receiver has left the session");
    t->without = o->left_count;
    return 1;
}

static int overdue (struct larder_owner *o, struct larder_ownertxn *t)
{
    int from = 0, i, moved = 0;
    double late = 0;
    while ((i = larder_txn_overdue (&t->txn, o->paused, o->now, &from, &late)) >= 0) {
        char text[64];
        moved = 1;
        if (t->txn.receivers[i].rank < 0) { /* nobody took the place that was kept for it */
            for (int k = 0; k < t->place_count; ++k)
                larder_offered_untaken (&o->objects[t->places[k]], &o->env, i, LARDER_ETIMEDOUT);
            continue;
        }
        snprintf (text, sizeof text, "no sign of rank %d for %.3g s", t->txn.receivers[i].rank,
                  late);
        dismiss (o, &t->txn, t->txn.receivers[i].rank, LARDER_ETIMEDOUT, text);
    }
    return moved;
}

/* Somebody is downloading, or a node may still be about to close its line. */
static int in_use (const struct larder_owner *o, const struct larder_ownertxn *t)
{
    for (int i = 0; i < o->active_count; ++i) {
        const struct larder_owner_line *ln = &o->lines[o->active[i]];
        if (o->objects[ln->object].txn != &t->txn)
            continue;
        if (o->now - ln->moved < LINGER_S)
            return 1;
        for (uint64_t k = 0; k < o->words.nodecache->layout.shape.node_size; ++k)
            if (larder_owner_seen (ln->seen[k]) == LARDER_SEEN_ACQUIRED)
                return 1;
    }
    return 0;
}

int larder_ownertxn_poll (struct larder_owner *o)
{
    int moved = 0;
    for (int i = o->txn_count; i-- > 0;) {
        struct larder_ownertxn *t = o->txns[i];
        char text[96];
        if (!t->txn.live)
            continue;
        moved += without_those_who_left (o, t) + overdue (o, t);
        if (larder_txn_finished (&t->txn)) {
            if (in_use (o, t))
                continue;
            larder_ownertxn_end (o, t, LARDER_DONE_FINISHED, LARDER_OK, "");
        } else if (larder_txn_expired (&t->txn, o->paused, o->now)) {
            snprintf (text, sizeof text,
                      "transaction %" PRIu64 " has ended: nothing moved for %.3g s", t->number,
                      o->now - t->txn.moved);
            larder_ownertxn_end (o, t, LARDER_DONE_TIMEOUT, LARDER_EGONE, text);
        } else {
            continue;
        }
        ++moved;
    }
    larder_receipts_expire (&o->receipts, o->now);
    return moved;
}

void larder_ownertxn_collected (struct larder_owner *o, int place, int rank, int via, int share,
                                int code)
{
    struct larder_offered *f = &o->objects[place];
    struct larder_presenter who = {.rank = rank, .via = via, .share = share};
    larder_error ignored; /* who has no place was served, and is not accounted for */
    int lost = -1;
    (void)larder_owner_attend (o);
    f->txn->moved = o->now;
    if (larder_txn_acquired (f->txn, &f->page, &who, o->now, &lost, &ignored) != LARDER_OK)
        return;
    if (via >= 0 || lost >= 0)
        (void)larder_ownertxn_lost (o, f->txn, lost, &ignored);
    f->stale_needs = 1;
    larder_offered_progress (f, &o->env, rank, LARDER_EVENT_STARTED, 0, 0, o->now);
    if (code == LARDER_ECANCELED)
        larder_ownertxn_cancel (o, f->txn, rank);
    else if (code <= 0)
        larder_offered_final (f, &o->env, rank, code, o->now);
}
