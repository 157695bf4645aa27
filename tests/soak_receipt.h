/* SPDX-License-Identifier: Apache-2.0 */
/* The model, as far as the whole receipt goes. */
#ifndef SOAK_RECEIPT_H
#define SOAK_RECEIPT_H

#include "soak_judge.h"

static int soak_all_have (const larder_receipt *r, int rank_at)
{
    int all = 1;
    for (int i = 0; i < r->objects; ++i)
        all &= r->object[i].lines[rank_at].verdict == LARDER_RECEIVER_SUCCEEDED;
    return all;
}

/* Verdict, reason and quorum follow from the lines. */
static void soak_judge_whole (struct soak_owner *w)
{
    const larder_receipt *r = w->receipt;
    int have = 0;
    for (int k = 0; k < r->receivers; ++k)
        have += soak_all_have (r, k);
    int all = r->expected > 0 && have == r->expected && r->objects > 0;
    int deleted = r->done == LARDER_DONE_DELETED;
    larder_verdict verdict = all       ? LARDER_VERDICT_COMPLETED
                             : deleted ? LARDER_VERDICT_ABORTED
                                       : LARDER_VERDICT_FAILED;
    larder_reason reason = all                              ? LARDER_REASON_ALL_SUCCEEDED
                           : deleted                        ? LARDER_REASON_DELETED
                           : r->done == LARDER_DONE_TIMEOUT ? LARDER_REASON_TIMEOUT
                           : r->expected == 0               ? LARDER_REASON_UNKNOWN_RECEIVER_COUNT
                                                            : LARDER_REASON_RECEIVER_FAILED;
    int quorum = r->min_receivers ? have >= r->min_receivers : all;
    if (r->verdict != verdict || r->reason != reason || r->quorum_met != quorum)
        soak_fault (w->plan, "the receipt says %s, %s, quorum %d; expected %s, %s, %d",
                    larder_verdict_text (r->verdict), larder_reason_text (r->reason), r->quorum_met,
                    larder_verdict_text (verdict), larder_reason_text (reason), quorum);
    if (r->done == LARDER_DONE_DELETED && !w->deleted)
        soak_fault (w->plan, "nobody deleted it");
    soak_totals.completed += (uint64_t)all;
    soak_totals.done[r->done & 3]++;
}

static void soak_judge_figures (struct soak_owner *w)
{
    const struct soak_plan *p = w->plan;
    const larder_receipt *r = w->receipt, *o = &w->books->shown;
    double took = w->books->ended_at - w->books->live_at;
    int code = p->by_offer ? 0 : p->done_code ? p->done_code : p->outcome_code;
    if (r->transaction != w->books->number || r->done != w->books->done ||
        r->expected != p->expected || r->objects != p->objects ||
        r->min_receivers != p->times.min_receivers || r->callback_code != code)
        soak_fault (p,
                    "the receipt's figures: transaction %llu of %llu, done %d of %d, expected %d, "
                    "objects %d, callback code %d of %d",
                    (unsigned long long)r->transaction, (unsigned long long)w->books->number,
                    (int)r->done, (int)w->books->done, r->expected, r->objects, r->callback_code,
                    code);
    if (r->seconds < 0 || r->seconds > took + 0.1)
        soak_fault (p, "the receipt says %.3g s, it was %.3g s", r->seconds, took);
    if (!p->by_offer && (o->transaction != r->transaction || o->verdict != r->verdict ||
                         o->reason != r->reason || o->receivers != r->receivers ||
                         o->quorum_met != r->quorum_met || o->seconds != r->seconds))
        soak_fault (p, "outcome was shown another receipt");
    if (r->done == LARDER_DONE_TIMEOUT && took < 0.9 * p->times.timeout_s)
        soak_fault (p, "timed out after %.3g s", took);
}

/* Receivers by name have a line, others only where none are named. */
static void soak_judge_receivers (struct soak_owner *w)
{
    const struct soak_plan *p = w->plan;
    const larder_receipt *r = w->receipt;
    int listed[SOAK_RANKS] = {0}, before = -1;
    for (int k = 0; k < r->receivers; ++k) {
        int rank = r->object[0].lines[k].rank;
        if (rank <= before || rank >= soak_size_of_job)
            soak_fault (p, "the receipt's lines are not in order: rank %d", rank);
        else
            listed[rank] = 1;
        before = rank;
        for (int i = 1; i < r->objects; ++i)
            if (r->object[i].lines[k].rank != rank ||
                r->object[i].lines[k].acquired != r->object[0].lines[k].acquired)
                soak_fault (p, "lines of objects 0 and %d differ", i);
    }
    for (int k = 0; k < soak_size_of_job; ++k) {
        int came = 0;
        for (int i = 0; i < p->objects; ++i)
            came |= soak_result (w, k, i)->came;
        if (p->to < SOAK_TO_COUNT ? listed[k] != soak_declared (p, k) : listed[k] && !came)
            soak_fault (p, "rank %d has %s line", k, listed[k] ? "a" : "no");
        for (int i = 0; i < p->objects; ++i)
            if (listed[k])
                soak_judge_innocent (w, k, i);
    }
    if (p->to == SOAK_TO_COUNT && r->receivers > p->count)
        soak_fault (p, "%d lines", r->receivers);
}

static void soak_judge (struct soak_owner *w)
{
    const larder_receipt *r = w->receipt;
    ++soak_totals.rounds;
    ++soak_totals.flavours[w->plan->flavour];
    for (int k = 0; k < soak_size_of_job; ++k)
        for (int i = 0; i < w->plan->objects; ++i)
            soak_totals.downloads += (uint64_t)soak_result (w, k, i)->came;
    if (!r)
        return;
    soak_judge_figures (w);
    soak_judge_order (w);
    if (r->objects != w->plan->objects || r->receivers > soak_size_of_job)
        return;
    soak_judge_whole (w);
    soak_judge_receivers (w);
    for (int i = 0; i < r->objects; ++i) {
        const larder_receipt_object *page = &r->object[i];
        if (memcmp (&page->ref, &w->ref[i], sizeof page->ref) != 0 ||
            strcmp (page->name, "soaked") != 0)
            soak_fault (w->plan, "object %d: another ref or name (%s) in the receipt", i,
                        page->name);
        for (int k = 0; k < r->receivers; ++k)
            soak_judge_line (w, i, &page->lines[k]);
        soak_judge_callbacks (w, i, page);
        soak_judge_events (w, i, page);
        soak_judge_production (w, i);
    }
}

#endif
