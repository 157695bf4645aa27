/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_txnplace.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_rank (const void *a, const void *b)
{
    const struct larder_receiver *x = a, *y = b;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

/* ---------------------------------------------------------------- receivers */

static int check (const struct larder_txn *t, int size, larder_error *err)
{
    for (int i = 0; i < t->count; ++i) {
        if (t->receivers[i].rank < 0 || t->receivers[i].rank >= size)
            return larder_error_set (err, LARDER_EINVAL, 0,
                                     "receivers: there is no rank %d in a session of %d",
                                     t->receivers[i].rank, size);
        if (i && t->receivers[i].rank == t->receivers[i - 1].rank)
            return larder_error_set (err, LARDER_EINVAL, 0, "receivers: rank %d is listed twice",
                                     t->receivers[i].rank);
    }
    return LARDER_OK;
}

int larder_txn_init (struct larder_txn *t, larder_receivers r, int size, int owner,
                     larder_error *err)
{
    *t = (struct larder_txn){0};
    if (r.ranks ? r.count < 0 : r.count < -2)
        return larder_error_set (err, LARDER_EINVAL, 0, "receivers: a count of %d", r.count);
    if (r.count > size)
        return larder_error_set (
            err, LARDER_EINVAL, 0, "receivers: %d%s in a session of %d", r.count,
            r.ranks ? " ranks are listed, so one twice," : " are expected", size);
    t->unknown = !r.ranks && r.count == -2;
    t->declared = r.ranks || r.count == 0 || r.count == -1;
    t->expected = t->unknown ? 0 : r.ranks || r.count > 0 ? r.count : size - (r.count == 0);
    t->count = t->declared ? t->expected : 0;
    t->size = size;
    t->capacity = t->count + 1;
    t->receivers = calloc ((size_t)t->capacity, sizeof *t->receivers);
    if (!t->receivers)
        return larder_error_set (err, LARDER_ENOMEM, 0, "receivers: no memory for %d", t->count);
    for (int i = 0; i < t->count; ++i)
        t->receivers[i] = (struct larder_receiver){
            .rank = r.ranks ? r.ranks[i] : i + (r.count == 0 && i >= owner), .via = -1};
    qsort (t->receivers, (size_t)t->count, sizeof *t->receivers, by_rank);
    int rc = check (t, size, err);
    if (rc != LARDER_OK)
        larder_txn_free (t);
    return rc;
}

void larder_txn_free (struct larder_txn *t)
{
    while (t->page_count)
        larder_txn_remove (t, t->pages[t->page_count - 1]);
    larder_txnplace_free (t);
    free (t->pages);
    free (t->receivers);
    *t = (struct larder_txn){0};
}

int larder_txn_limit (struct larder_txn *t, const struct larder_txn_limits *x, larder_error *err)
{
    if (!isfinite (x->timeout_s) || x->timeout_s <= 0)
        return larder_error_set (err, LARDER_EINVAL, 0, "timeout_s: %g is no finite time above 0",
                                 x->timeout_s);
    if (!isfinite (x->acquire_s) || !isfinite (x->idle_s))
        return larder_error_set (err, LARDER_EINVAL, 0, "a budget of %g s is no finite time",
                                 isfinite (x->idle_s) ? x->acquire_s : x->idle_s);
    if (x->min_receivers < 0 || (!t->unknown && x->min_receivers > t->expected))
        return larder_error_set (err, LARDER_EINVAL, 0, "min_receivers: %d of %d receivers",
                                 x->min_receivers, t->expected);
    t->limits = *x;
    return LARDER_OK;
}

int larder_txn_find (const struct larder_txn *t, int rank)
{
    struct larder_receiver key = {.rank = rank}, *found;
    if (!t->count || rank < 0)
        return -1;
    found = bsearch (&key, t->receivers, (size_t)t->count, sizeof key, by_rank);
    return found ? (int)(found - t->receivers) : -1;
}

/* ---------------------------------------------------------------- objects */

int larder_txn_add (struct larder_txn *t, struct larder_page *page, larder_error *err)
{
    struct larder_page **pages =
        realloc (t->pages, ((size_t)t->page_count + 1) * sizeof (struct larder_page *));
    if (pages)
        t->pages = pages;
    *page = (struct larder_page){0};
    page->standing = pages ? calloc ((size_t)t->capacity, sizeof *page->standing) : NULL;
    if (!page->standing)
        return larder_error_set (err, LARDER_ENOMEM, 0, "transaction: no memory for %d receivers",
                                 t->count);
    t->pages[t->page_count++] = page;
    return LARDER_OK;
}

void larder_txn_remove (struct larder_txn *t, struct larder_page *page)
{
    for (int i = 0; i < t->page_count; ++i)
        if (t->pages[i] == page) {
            --t->page_count;
            memmove (&t->pages[i], &t->pages[i + 1],
                     (size_t)(t->page_count - i) * sizeof (struct larder_page *));
            break;
        }
    for (int i = 0; page->standing && i < t->count; ++i)
        free (page->standing[i].track);
    free (page->standing);
    page->standing = NULL;
}

int larder_txn_unseen (const struct larder_txn *t, const struct larder_page *page)
{
    return t->expected > page->begun ? t->expected - page->begun : 0;
}

/* ---------------------------------------------------------------- what receivers do */

void larder_txn_live (struct larder_txn *t, double now)
{
    t->live = 1;
    t->live_at = t->moved = t->look_at = now;
}

static void sign (struct larder_txn *t, struct larder_receiver *r, double now)
{
    r->seen = now;
    if (!r->acquired && t->limits.idle_s > 0 && now + t->limits.idle_s < t->look_at)
        t->look_at = now + t->limits.idle_s;
    r->acquired = 1;
}

void larder_txn_sign (struct larder_txn *t, int rank, double now)
{
    int i = larder_txn_find (t, rank);
    t->moved = now;
    if (i >= 0)
        sign (t, &t->receivers[i], now);
}

int larder_txn_split (struct larder_txn *t, int via, int share, double now, int *lost,
                      larder_error *err)
{
    return larder_txnplace_split (t, via, share, now, lost, err);
}

int larder_txn_acquired (struct larder_txn *t, struct larder_page *page,
                         const struct larder_presenter *who, double now, int *lost,
                         larder_error *err)
{
    int i = -1, rc = larder_txnplace_take (t, who, now, &i, lost, err);
    t->moved = now;
    if (rc != LARDER_OK || i < 0)
        return rc;
    sign (t, &t->receivers[i], now);
    if (page->standing[i].state == LARDER_UNSEEN) {
        page->standing[i].state = LARDER_ACQUIRED;
        ++page->begun;
    }
    return LARDER_OK;
}

int larder_txn_final_at (struct larder_txn *t, struct larder_page *page, int i, int code)
{
    (void)t;
    if (page->standing[i].state == LARDER_FINAL)
        return 0;
    if (page->standing[i].state == LARDER_UNSEEN)
        ++page->begun;
    page->standing[i].state = LARDER_FINAL;
    page->standing[i].code = code;
    ++*(code == LARDER_OK ? &page->done : &page->failed);
    return 1;
}

int larder_txn_final (struct larder_txn *t, struct larder_page *page, int rank, int code)
{
    int i = larder_txn_find (t, rank);
    return i >= 0 && larder_txn_final_at (t, page, i, code);
}

void larder_txn_anew (struct larder_txn *t, struct larder_page *page)
{
    for (int i = 0; i < t->count; ++i)
        if (page->standing[i].state == LARDER_ACQUIRED) {
            page->standing[i].state = LARDER_UNSEEN;
            --page->begun;
        }
}

/* ---------------------------------------------------------------- the end */

int larder_txn_complete (const struct larder_txn *t, const struct larder_page *page)
{
    return page->closed || (t->expected > 0 && page->done + page->failed >= t->expected);
}

int larder_txn_finished (const struct larder_txn *t)
{
    for (int i = 0; i < t->page_count; ++i)
        if (!larder_txn_complete (t, t->pages[i]))
            return 0;
    return t->live && t->page_count > 0;
}

static double later (double a, double b)
{
    return a > b ? a : b;
}

/* Who is to come by a rank that is away is not late either. */
static double pause_end (const double *paused, const struct larder_receiver *r)
{
    return paused ? paused[r->rank < 0 ? r->via : r->rank] : 0;
}

/* Final on every object. */
static int through (const struct larder_txn *t, int i)
{
    for (int k = 0; k < t->page_count; ++k)
        if (!t->pages[k]->closed && t->pages[k]->standing[i].state != LARDER_FINAL)
            return 0;
    return 1;
}

int larder_txn_overdue (struct larder_txn *t, const double *paused, double now, int *from,
                        double *late)
{
    if (*from == 0) {
        if (!t->live || now < t->look_at)
            return -1;
        t->look_at = HUGE_VAL;
    }
    while (*from < t->count) {
        const struct larder_receiver *r = &t->receivers[(*from)++];
        double budget = r->acquired ? t->limits.idle_s : t->limits.acquire_s;
        if (budget <= 0 || through (t, *from - 1))
            continue;
        double since = later (later (r->seen, t->live_at), pause_end (paused, r));
        if (now - since > budget) {
            *late = now - since;
            return *from - 1;
        }
        if (since + budget < t->look_at)
            t->look_at = since + budget;
    }
    return -1;
}

void larder_txn_again (struct larder_txn *t)
{
    t->look_at = 0;
}

int larder_txn_expired (const struct larder_txn *t, const double *paused, double now)
{
    if (!t->live || now - t->moved <= t->limits.timeout_s)
        return 0;
    for (int i = 0; paused && i < t->count; ++i)
        if (now - pause_end (paused, &t->receivers[i]) <= t->limits.timeout_s && !through (t, i))
            return 0;
    return 1;
}
