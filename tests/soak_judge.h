/* SPDX-License-Identifier: Apache-2.0 */
/* The model: what a receipt may say, given what each receiver drew and what it reports to have seen. */
#ifndef SOAK_JUDGE_H
#define SOAK_JUDGE_H

#include "soak_own.h"

/* A verdict may be on its way to the owner for so long. */
#define SOAK_UNDERWAY_S 0.3

enum { SOAK_CODES = 32, SOAK_CIRCLES = 50 };

static struct soak_totals {
    uint64_t rounds, downloads, succeeded, missing, failed, by_code[SOAK_CODES], done[4], completed,
        flavours[SOAK_FLAVOURS], innocent, orderly;
} soak_totals;

static inline const struct soak_result *soak_result (const struct soak_owner *w, int rank, int i)
{
    return &w->report[rank].result[i];
}

/* Seconds that could have been charged to a receiver: its own, and those in which the owner was away. */
static inline int soak_late (const struct soak_owner *w, const struct soak_result *x, double limit)
{
    return limit > 0 && x->still + w->books->still >= limit / 2;
}

static inline int soak_goes_away (enum soak_way way)
{
    return way == SOAK_NEVER || way == SOAK_LEAVE;
}

static inline int soak_canceled (const struct soak_owner *w, int rank)
{
    int yes = 0;
    for (int i = 0; i < w->plan->objects; ++i)
        yes |= soak_result (w, rank, i)->canceled;
    return yes;
}

/* Some receiver reads the object otherwise than from its begin to its end. */
static inline int soak_disorder (const struct soak_owner *w, int i)
{
    int yes = 0;
    for (int k = 0; k < soak_size_of_job; ++k) {
        enum soak_way way = w->plan->part[k][i].way;
        yes |= way == SOAK_RANGES || way == SOAK_INTERRUPT || way == SOAK_LEAVE ||
               soak_result (w, k, i)->busy;
    }
    return yes;
}

/* When the receiver's own verdict was on its way; a huge time: never. */
static inline double soak_final_at (const struct soak_owner *w, int rank, int i)
{
    const struct soak_result *x = soak_result (w, rank, i);
    double at = 1e300;
    for (int v = 0; v < 2; ++v) {
        int c = x->code[v];
        if (c == SOAK_NOTHING || c == LARDER_EGONE || c == LARDER_ESTALE || c == LARDER_EBUSY)
            continue;
        if (v == 0 && w->books->renewed_at > 0 && i == w->plan->special &&
            x->ended_at[0] > w->books->renewed_at - SOAK_UNDERWAY_S)
            continue; /* may have come too late to count */
        if (x->ended_at[v] < at)
            at = x->ended_at[v];
    }
    return at;
}

/* ---------------------------------------------------------------- a line */

static inline int soak_has_it (const struct soak_result *x)
{
    return x->code[0] == LARDER_OK || x->code[1] == LARDER_OK || x->said == LARDER_OK;
}

/* It took so long that somebody may have looked as if he stood still, on a machine with fewer processors
 * than ranks. */
static inline int soak_long (const struct soak_owner *w)
{
    return w->receipt->seconds >= SOAK_HOLD_S;
}

static inline int soak_held_ok (const struct soak_owner *w, const struct soak_result *x, int i)
{
    return w->plan->shape[i].policy == SOAK_ONCE &&
           (w->plan->to == SOAK_TO_UNKNOWN || soak_long (w) || !x->came || soak_disorder (w, i));
}

static inline int soak_may_fail (const struct soak_owner *w, int rank, int i, int code)
{
    const struct soak_result *x = soak_result (w, rank, i);
    const larder_transaction_options *t = &w->plan->times;
    int away = soak_goes_away (w->plan->part[rank][i].way) || !x->came;
    switch (code) {
    case LARDER_ECANCELED:
        return soak_canceled (w, rank);
    case LARDER_EOWNER:
        return w->books->object[i].failed;
    case LARDER_EHELD:
        return soak_held_ok (w, x, i);
    case LARDER_ETIMEDOUT:
        return (t->acquire_timeout_s > 0 && (away || soak_late (w, x, t->acquire_timeout_s))) ||
               (t->idle_timeout_s > 0 && (away || soak_late (w, x, t->idle_timeout_s)));
    case LARDER_ESTALE:
    case LARDER_EBUSY:
        return 0;
    default:
        return code < 0 && (x->code[0] == code || x->code[1] == code || x->said == code);
    }
}

static inline int soak_may_miss (const struct soak_owner *w, int rank, int i)
{
    const struct soak_result *x = soak_result (w, rank, i);
    if (w->books->object[i].failed && !soak_declared (w->plan, rank))
        return 1; /* it came when the object had failed */
    if (w->books->done == LARDER_DONE_FINISHED ||
        soak_final_at (w, rank, i) < w->books->ended_at - SOAK_UNDERWAY_S)
        return 0;
    return w->books->done == LARDER_DONE_DELETED || soak_goes_away (w->plan->part[rank][i].way) ||
           !x->came || soak_final_at (w, rank, i) < 1e299 ||
           soak_late (w, x, w->plan->times.timeout_s);
}

static void soak_judge_line (struct soak_owner *w, int i, const larder_receipt_line *l)
{
    const struct soak_result *x = soak_result (w, l->rank, i);
    int done = w->books->done, right = 0;
    switch (l->verdict) {
    case LARDER_RECEIVER_SUCCEEDED:
        right = l->code == LARDER_OK && soak_has_it (x) && l->acquired;
        ++soak_totals.succeeded;
        break;
    case LARDER_RECEIVER_FAILED:
        right = soak_may_fail (w, l->rank, i, l->code);
        ++soak_totals.failed;
        soak_totals.by_code[l->code < 0 && l->code > -SOAK_CODES ? -l->code : 0]++;
        break;
    case LARDER_RECEIVER_MISSING:
        right = soak_may_miss (w, l->rank, i) &&
                l->code == (w->books->object[i].failed    ? LARDER_EOWNER
                            : done == LARDER_DONE_TIMEOUT ? LARDER_ETIMEDOUT
                                                          : LARDER_EGONE);
        ++soak_totals.missing;
        break;
    }
    if (l->acquired && !x->came) {
        int came = 0;
        for (int k = 0; k < w->plan->objects; ++k)
            came |= soak_result (w, l->rank, k)->came;
        right &= came;
    }
    if (!right)
        soak_fault (w->plan,
                    "object %d, receiver %d: receipt %s %s acquired %d, done %d; it reports %s and "
                    "%s, said %s, came %d, still %.3g s (owner %.3g s), own end %.3g s before the "
                    "transaction's, busy %llu",
                    i, l->rank, larder_receiver_verdict_text (l->verdict),
                    larder_code_name (l->code), l->acquired, done,
                    x->code[0] == SOAK_NOTHING ? "nothing" : larder_code_name (x->code[0]),
                    x->code[1] == SOAK_NOTHING ? "nothing" : larder_code_name (x->code[1]),
                    x->said == SOAK_NOTHING ? "nothing" : larder_code_name (x->said), x->came,
                    x->still, w->books->still, w->books->ended_at - soak_final_at (w, l->rank, i),
                    (unsigned long long)x->busy);
}

/* Who does nothing wrong gets the object, whatever the others do. */
static void soak_judge_innocent (struct soak_owner *w, int rank, int i)
{
    const struct soak_plan *p = w->plan;
    const struct soak_result *x = soak_result (w, rank, i);
    enum soak_way way = p->part[rank][i].way;
    int ends = way == SOAK_CONFIRM || way == SOAK_CANCEL || way == SOAK_REFUSE ||
               way == SOAK_REFUSE_END || way == SOAK_ABORT || way == SOAK_LEAVE ||
               way == SOAK_NEVER;
    int once = p->shape[i].policy == SOAK_ONCE;
    if (ends || soak_canceled (w, rank) || w->books->object[i].failed ||
        p->flavour == SOAK_DELETED || (p->flavour == SOAK_RENEWED && i == p->special) ||
        soak_late (w, x, p->times.timeout_s) || soak_late (w, x, p->times.idle_timeout_s) ||
        soak_late (w, x, p->times.acquire_timeout_s) || (once && soak_held_ok (w, x, i)))
        return;
    ++soak_totals.innocent;
    if (x->code[0] != LARDER_OK)
        soak_fault (p, "object %d, receiver %d got %s for nothing (still %.3g s, owner %.3g s)", i,
                    rank, x->code[0] == SOAK_NOTHING ? "nothing" : larder_code_name (x->code[0]),
                    x->still, w->books->still);
}

/* Under hold everything is made once, as long as nobody stands still or reads otherwise than in order. */
static void soak_judge_production (struct soak_owner *w, int i)
{
    const struct soak_plan *p = w->plan;
    int orderly = p->shape[i].policy == SOAK_HOLD && !soak_disorder (w, i) &&
                  w->books->renewed_at == 0 && !soak_long (w);
    for (int k = 0; orderly && k < soak_size_of_job; ++k) {
        const struct soak_result *x = soak_result (w, k, i);
        enum soak_way way = p->part[k][i].way;
        orderly = (x->came == soak_declared (p, k)) && way != SOAK_CANCEL && way != SOAK_ABORT &&
                  !soak_canceled (w, k) && !soak_late (w, x, SOAK_HOLD_S);
    }
    uint64_t bytes = soak_bytes (&p->shape[i], w->books->object[i].version);
    soak_totals.orderly += (uint64_t)orderly;
    /* However often chunks go early, each making serves somebody. */
    if (w->books->object[i].bytes_made > SOAK_CIRCLES * (bytes + (1 << 20)))
        soak_fault (p, "object %d: %llu bytes were made of %llu", i,
                    (unsigned long long)w->books->object[i].bytes_made, (unsigned long long)bytes);
    if (orderly && w->books->object[i].bytes_made > bytes)
        soak_fault (p, "object %d: %llu bytes were made of %llu", i,
                    (unsigned long long)w->books->object[i].bytes_made, (unsigned long long)bytes);
}

/* ---------------------------------------------------------------- callbacks and events */

static void soak_judge_callbacks (struct soak_owner *w, int i, const larder_receipt_object *page)
{
    const char *log = w->books->log;
    const struct soak_object *o = &w->books->object[i];
    char mine[SOAK_LOG], expect[SOAK_LOG] = "t";
    size_t n = 0;
    int finals = 0;
    for (size_t k = 0; log[k]; k += 2)
        if (log[k] == '0' + i)
            mine[n++] = log[k + 1];
    mine[n] = 0;
    for (int k = 0; k < w->receipt->receivers; ++k) {
        const larder_receipt_line *l = &page->lines[k];
        int final = l->verdict != LARDER_RECEIVER_MISSING;
        finals += final;
        if (o->pair[l->rank].told != (final ? l->code : SOAK_NOT_TOLD))
            soak_fault (w->plan, "object %d: rank %d was told %d, the receipt says %d", i, l->rank,
                        o->pair[l->rank].told, l->code);
    }
    int all = o->failed || (w->receipt->expected > 0 && finals == w->receipt->expected);
    int ones = 0, seconds = 0;
    for (size_t k = 0; k < n; ++k) {
        ones += mine[k] == '1';
        seconds += mine[k] == 'c';
    }
    /* t c 1... A d x, with another c anywhere before the end. */
    size_t m = 1;
    expect[m++] = 'c';
    for (int k = 0; k < finals; ++k)
        expect[m++] = '1';
    if (all)
        expect[m++] = 'A';
    expect[m++] = 'd';
    expect[m++] = 'x';
    expect[m] = 0;
    char *second = seconds > 1 ? strchr (strchr (mine, 'c') + 1, 'c') : NULL;
    if (second)
        memmove (second, second + 1, strlen (second));
    if (strcmp (mine, expect) != 0 ||
        seconds != 1 + (w->books->renewed_at > 0 && w->plan->special == i) || o->alls != all ||
        ones != finals)
        soak_fault (w->plan, "object %d: callbacks '%s', expected '%s', in all '%s'", i, mine,
                    expect, log);
}

/* All objects' transaction_done, the transaction's own, its outcome, all releases. */
static void soak_judge_order (struct soak_owner *w)
{
    const char *log = w->books->log;
    char got[SOAK_LOG], expect[SOAK_LOG];
    size_t n = 0, m = 0;
    for (size_t k = 0; log[k]; k += 2)
        if (strchr ("dDOx", log[k + 1]))
            got[n++] = log[k + 1];
    got[n] = 0;
    for (int i = 0; i < w->plan->objects; ++i)
        expect[m++] = 'd';
    if (!w->plan->by_offer) {
        expect[m++] = 'D';
        expect[m++] = 'O';
    }
    for (int i = 0; i < w->plan->objects; ++i)
        expect[m++] = 'x';
    expect[m] = 0;
    if (strcmp (got, expect) != 0)
        soak_fault (w->plan, "the end is '%s', expected '%s'", got, expect);
}

static void soak_judge_events (struct soak_owner *w, int i, const larder_receipt_object *page)
{
    struct soak_object *o = &w->books->object[i];
    for (int k = 0; w->plan->watched && k < soak_size_of_job; ++k) {
        const struct soak_pair *p = &o->pair[k];
        const larder_receipt_line *l = NULL;
        for (int n = 0; n < w->receipt->receivers; ++n)
            if (page->lines[n].rank == k)
                l = &page->lines[n];
        if (p->last.sequence && (!l || !p->over))
            soak_fault (w->plan, "object %d: events of rank %d, %s", i, k,
                        l ? "but no final one" : "which has no line");
        if (!p->last.sequence) {
            if (l && l->verdict == LARDER_RECEIVER_SUCCEEDED)
                soak_fault (w->plan, "object %d: no event of rank %d", i, k);
            continue;
        }
        int aborted = l && (l->code == LARDER_ECANCELED || (l->verdict == LARDER_RECEIVER_MISSING &&
                                                            w->books->done == LARDER_DONE_DELETED));
        int state = !l || l->verdict == LARDER_RECEIVER_SUCCEEDED ? LARDER_EVENT_COMPLETED
                    : aborted                                     ? LARDER_EVENT_ABORTED
                                                                  : LARDER_EVENT_FAILED;
        uint64_t bytes = soak_bytes (soak_shape (o), o->version);
        int exact = state == LARDER_EVENT_COMPLETED && soak_shape (o)->kind == SOAK_UNIFORM;
        if ((int)p->last.state != state ||
            (w->books->renewed_at == 0 &&
             (p->last.bytes_done > bytes || (exact && p->last.bytes_done != bytes))))
            soak_fault (w->plan,
                        "object %d, receiver %d: the last event is %d with %llu bytes, not %d", i,
                        k, (int)p->last.state, (unsigned long long)p->last.bytes_done, state);
    }
}

#endif
