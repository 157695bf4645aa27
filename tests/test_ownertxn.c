/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions of several objects in random simulated worlds (larder_simulate.h), with a fake clock:
 * receivers that are late, absent, give up or cancel; budgets and timeouts.  Every receipt must be
 * right, and nothing may be held at the end. */
#include "larder_simworld.h"

enum { TXNS = 4 };

/* A transaction, and what its callbacks were told. */
struct deal {
    struct sim *sim;
    uint64_t number;
    int owner, first, count; /* objects[first .. first + count) */
    int expected, named;     /* receivers; 1: by name */
    int passed_on;           /* refs come by other ranks than were declared */
    int quarrel;             /* one rank that passes on does not say the same to all */
    int by[SIM_RANKS], share[SIM_RANKS], declared[SIM_RANKS]; /* as in the objects */
    larder_transaction_options options;
    double live;
    int ended, outcomes, released_before;
    larder_receipt *receipt;
    uint64_t sequence[SIM_OBJECTS][SIM_RANKS], bytes[SIM_OBJECTS][SIM_RANKS];
    int final[SIM_OBJECTS][SIM_RANKS];
};

static struct deal deals[TXNS];
static int deal_count;

static int deal_done (void *self, uint64_t transaction, larder_done done)
{
    struct deal *d = self;
    (void)done;
    if (d->ended++ || d->outcomes || transaction != d->number)
        sim_wrong (d->sim, "transaction %d ends again", (int)transaction);
    for (int i = d->first; i < d->first + d->count; ++i)
        if (!d->sim->objects[i].done || d->sim->objects[i].released)
            sim_wrong (d->sim, "object %d: told late or released early", i);
    return d->number % 2 ? LARDER_EIO : LARDER_OK;
}

static int deal_outcome (void *self, const larder_receipt *receipt)
{
    struct deal *d = self;
    if (d->outcomes++ || !d->ended)
        sim_wrong (d->sim, "transaction %d: its outcome comes again", (int)d->number);
    for (int i = d->first; i < d->first + d->count; ++i)
        d->released_before += d->sim->objects[i].released;
    CU_ASSERT_EQUAL (larder_receipt_copy (receipt, &d->receipt, NULL), LARDER_OK);
    return LARDER_ENOSPC;
}

static void deal_progress (void *self, const larder_event *e)
{
    struct deal *d = self;
    int k = 0;
    while (k < d->count && d->sim->objects[d->first + k].place != e->object)
        ++k;
    if (k == d->count || e->receiver < 0 || e->receiver >= d->sim->ranks ||
        e->transaction != d->number || d->ended) {
        sim_wrong (d->sim, "an event of transaction %d", (int)e->transaction);
        return;
    }
    if (e->sequence != ++d->sequence[k][e->receiver] || d->final[k][e->receiver] ||
        e->bytes_done < d->bytes[k][e->receiver])
        sim_wrong (d->sim, "object %d, rank %d: event %d after %d, %d bytes", k, e->receiver,
                   (int)e->sequence, (int)d->sequence[k][e->receiver], (int)e->bytes_done);
    d->bytes[k][e->receiver] = e->bytes_done;
    d->final[k][e->receiver] = e->state >= LARDER_EVENT_COMPLETED;
}

/* ---------------------------------------------------------------- a world */

static larder_receivers draw_receivers (struct sim *s, struct deal *d, int *list, int *declared)
{
    uint64_t kind = sim_below (s, 5);
    int count = 0;
    d->named = kind < 3;
    for (int r = 0; r < s->ranks; ++r) {
        declared[r] = kind == 0   ? r != s->owners[d->owner]
                      : kind == 2 ? (int)sim_below (s, 2)
                      : kind == 1 ? 1
                                  : 2;
        if (declared[r])
            list[count++] = r;
    }
    d->expected = kind == 4 ? 0 : kind == 3 ? 1 + (int)sim_below (s, (uint64_t)s->ranks) : count;
    return kind == 0   ? LARDER_ALL
           : kind == 1 ? LARDER_EVERY_RANK
           : kind == 2 ? (larder_receivers){list, count}
           : kind == 3 ? LARDER_COUNT (d->expected)
                       : LARDER_UNKNOWN;
}

/* Some ranks get their refs by others; now and then not as many as those have said. */
static void pass_on (struct sim *s, struct deal *d, int *declared)
{
    if (sim_below (s, 2))
        return;
    d->passed_on = 1;
    memcpy (d->declared, declared, sizeof d->declared);
    d->options.forwarded = sim_below (s, 3) == 0;
    for (int v = 0; v < s->ranks; ++v) {
        if (d->by[v] || sim_below (s, 3))
            continue;
        for (int r = 0; r < s->ranks; ++r)
            if (!d->by[r] && (!d->share[r] || r == v) && sim_below (s, 3) == 0) {
                d->by[r] = v + 1;
                ++d->share[v];
            }
        if (d->share[v] && sim_below (s, 5) == 0)
            d->share[v] +=
                d->share[v] < s->ranks && (d->share[v] == 1 || sim_below (s, 2)) ? 1 : -1;
        d->share[v] = d->share[v] > 0 ? d->share[v] : 0;
    }
    for (int r = 0; r < s->ranks; ++r) {
        if (d->by[r] && !d->share[d->by[r] - 1])
            d->by[r] = 0;
        declared[r] = 2;
    }
    d->quarrel = sim_below (s, 8) == 0;
}

static void offer_deal (struct sim *s, int owner_index, int left)
{
    struct deal *d = &deals[deal_count++];
    struct larder_ownertxn *txn = NULL;
    int list[SIM_RANKS], declared[SIM_RANKS];
    larder_error err = {0};
    *d = (struct deal){.sim = s, .owner = owner_index};
    struct larder_owner *owner = s->rank[s->owners[d->owner]].owner;
    d->options = (larder_transaction_options){
        .receivers = draw_receivers (s, d, list, declared),
        .timeout_s = 5 + (double)sim_below (s, 20),
        .acquire_timeout_s = sim_below (s, 2) ? 1 + (double)sim_below (s, 8) : -1,
        .idle_timeout_s = sim_below (s, 2) ? 1 + (double)sim_below (s, 8) : -1,
        .min_receivers = d->expected ? (int)sim_below (s, (uint64_t)d->expected + 1) : 0,
        .self = d,
        .transaction_done = deal_done,
        .outcome = deal_outcome,
        .progress = sim_below (s, 2) ? deal_progress : NULL,
        .progress_interval_s = sim_below (s, 2) ? -1 : 0.01};
    pass_on (s, d, declared);
    CU_ASSERT_EQUAL_FATAL (larder_ownertxn_begin (owner, &d->options, &txn, &err), LARDER_OK);
    d->number = txn->number;
    d->first = s->object_count;
    for (uint64_t n = 1 + sim_below (s, (uint64_t)left); n > 0; --n) {
        struct sim_object *o = sim_draw (s);
        o->owner = d->owner;
        o->object.once = sim_below (s, 5) == 0;
        if (sim_below (s, 10) == 0)
            o->bad_item = sim_below (s, SIM_ITEMS);
        memcpy (o->declared, declared, sizeof declared);
        o->reopens = d->passed_on;
        memcpy (o->by, d->by, sizeof o->by);
        memcpy (o->share, d->share, sizeof o->share);
        int rc =
            larder_ownertxn_add (owner, txn, &o->object, s->settings.chunk_size, &o->place, &err);
        CU_ASSERT_EQUAL_FATAL (rc, LARDER_OK);
        o->transaction = d->number;
        o->generation = owner->objects[o->place].generation;
        if (sim_below (s, 30) == 0)
            o->withdraw = s->clock.time + (double)sim_below (s, 3000) / 1000;
        ++d->count;
    }
    d->live = s->clock.time;
    larder_ownertxn_live (owner, txn);
}

static int quarrels (const struct sim_object *o)
{
    for (int i = 0; i < deal_count; ++i)
        if (deals[i].number == o->transaction && deals[i].owner == o->owner)
            return deals[i].quarrel;
    return 0;
}

/* Each rank takes each object, or not; late, or not; and may give up on the way. */
static void draw_jobs (struct sim *s)
{
    for (int r = 0; r < s->ranks; ++r) {
        double late = sim_below (s, 4) ? 0 : (double)sim_below (s, 12);
        for (int i = 0; i < s->object_count; ++i) {
            if (sim_below (s, 10) == 0 || (s->objects[i].share[r] && !s->objects[i].by[r] && r % 3))
                continue;
            struct sim_job *j = sim_job (s, &s->objects[i], r, 1);
            j->start += late + (double)sim_below (s, 1000) / 1000;
            j->more = quarrels (&s->objects[i]) && sim_below (s, 3) == 0;
            if (sim_below (s, 8) == 0)
                j->gives_up = (int)sim_below (s, 10);
            if (sim_below (s, 8) == 0)
                j->fails = (int)sim_below (s, 10);
        }
    }
}

/* ---------------------------------------------------------------- what must hold */

static const struct sim_job *job_of (const struct sim *s, int object, int rank)
{
    for (int i = 0; i < s->job_count; ++i)
        if (s->jobs[i].object == &s->objects[object] && s->jobs[i].rank == rank)
            return &s->jobs[i];
    return NULL;
}

static int cancelled (const struct sim *s, const struct deal *d, int rank)
{
    for (int i = d->first; i < d->first + d->count; ++i) {
        const struct sim_job *j = job_of (s, i, rank);
        if (j && j->code == LARDER_ECANCELED)
            return 1;
    }
    return 0;
}

/* A place that nobody has taken. */
static void check_untaken (struct sim *s, const struct deal *d, int object,
                           const larder_receipt_line *l)
{
    const struct sim_object *o = &s->objects[object];
    int late = d->options.acquire_timeout_s > 0 || d->receipt->done == LARDER_DONE_TIMEOUT;
    if (!d->named || l->verdict != LARDER_RECEIVER_MISSING || l->acquired || l->via < 0 ||
        l->via >= s->ranks || !d->share[l->via] ||
        !((l->code == LARDER_ETIMEDOUT && late) ||
          (l->code == LARDER_EGONE && d->receipt->done == LARDER_DONE_DELETED) ||
          (l->code == LARDER_EOWNER && o->bad_item < o->count)))
        sim_wrong (s, "transaction %d object %d via %d: %s %s", (int)d->number, object, l->via,
                   larder_receiver_verdict_text (l->verdict), larder_code_name (l->code));
}

static const larder_receipt_line *line_of (const struct deal *d, int rank)
{
    for (int k = 0; d->receipt->objects && k < d->receipt->receivers; ++k)
        if (d->receipt->object[0].lines[k].rank == rank)
            return &d->receipt->object[0].lines[k];
    return NULL;
}

/* Its time had run out, perhaps before it began; rank -1: that of a place by via. */
static int judged (const struct deal *d, int rank, int via)
{
    for (int i = 0; i < d->receipt->objects; ++i)
        for (int k = 0; k < d->receipt->receivers; ++k) {
            const larder_receipt_line *l = &d->receipt->object[i].lines[k];
            if (l->rank == rank && (rank >= 0 || l->via == via) &&
                (l->code == LARDER_ETIMEDOUT || l->code == LARDER_EHELD))
                return 1;
        }
    return 0;
}

/* Who got something by a ref that a declared rank has split among enough is in the receipt. */
static void check_passed_on (struct sim *s, const struct deal *d)
{
    int next[SIM_RANKS] = {0}, has[SIM_RANKS] = {0}, takes_part[SIM_RANKS] = {0};
    for (int i = d->first; i < d->first + d->count; ++i)
        for (int r = 0; r < s->ranks; ++r) {
            const struct sim_job *j = job_of (s, i, r);
            takes_part[r] |= j != NULL;
            has[r] |= j && j->code == LARDER_OK;
        }
    for (int r = 0; r < s->ranks; ++r)
        if (d->by[r])
            ++next[d->by[r] - 1];
    for (int v = 0; v < s->ranks; ++v) {
        int of = 0;
        for (int k = 0; k < d->receipt->receivers; ++k)
            of += d->receipt->objects && d->receipt->object[0].lines[k].via == v;
        if (d->named && of > d->share[v] + d->quarrel)
            sim_wrong (s, "transaction %d: %d lines by rank %d", (int)d->number, of, v);
    }
    for (int r = 0; r < s->ranks; ++r) {
        int v = d->by[r] - 1;
        if (!d->named || d->quarrel || v < 0 || !has[r] || d->options.forwarded ||
            d->share[v] < next[v] || !d->declared[v] || (takes_part[v] && v != r && !d->by[v]) ||
            judged (d, v, 0) || judged (d, -1, v) || line_of (d, r))
            continue;
        sim_wrong (s, "transaction %d: rank %d came by rank %d and is not in the receipt",
                   (int)d->number, r, v);
    }
}

static void check_line (struct sim *s, const struct deal *d, int object,
                        const larder_receipt_line *l)
{
    const struct sim_object *o = &s->objects[object];
    if (l->rank < 0) {
        check_untaken (s, d, object, l);
        return;
    }
    const struct sim_job *j = job_of (s, object, l->rank);
    int budget = d->options.acquire_timeout_s > 0 || d->options.idle_timeout_s > 0, fine = 0;
    int again = d->passed_on && l->code == LARDER_EOWNER; /* it had lost its place since */
    if (l->verdict == LARDER_RECEIVER_MISSING)
        fine = (!o->told[l->rank] || (again && o->code[l->rank] == l->code)) &&
               (d->receipt->done != LARDER_DONE_FINISHED ||
                (l->code == LARDER_EOWNER && o->bad_item < o->count));
    else if (o->told[l->rank] != 1 || o->code[l->rank] != l->code)
        fine = 0;
    else if (l->code == LARDER_OK)
        fine = j && j->code == LARDER_OK;
    else
        fine = (l->code == LARDER_ETIMEDOUT && budget) ||
               (l->code == LARDER_ECANCELED && cancelled (s, d, l->rank)) ||
               (l->code == LARDER_EOWNER && o->bad_item < o->count) ||
               (l->code == LARDER_EHELD && o->object.once) || (j && j->code == l->code);
    if (!fine)
        sim_wrong (s, "transaction %d object %d rank %d: %s %s, told %d of %d, job %d",
                   (int)d->number, object, l->rank, larder_receiver_verdict_text (l->verdict),
                   larder_code_name (l->code), o->told[l->rank], o->code[l->rank], j ? j->code : 1);
}

static void check_deal (struct sim *s, const struct deal *d)
{
    const larder_receipt *r = d->receipt;
    if (d->ended != 1 || d->outcomes != 1 || d->released_before || !r) {
        sim_wrong (s, "transaction %d: ended %d, outcomes %d", (int)d->number, d->ended,
                   d->outcomes);
        return;
    }
    int all = r->expected > 0, failed = 0, quorum = 0;
    for (int i = 0; i < r->objects; ++i) {
        int have = 0;
        for (int k = 0; k < r->receivers; ++k) {
            check_line (s, d, d->first + i, &r->object[i].lines[k]);
            have += r->object[i].lines[k].verdict == LARDER_RECEIVER_SUCCEEDED;
            failed += r->object[i].lines[k].verdict == LARDER_RECEIVER_FAILED;
        }
        all &= have >= r->expected;
    }
    for (int k = 0; k < r->receivers; ++k) {
        int have = 1;
        for (int i = 0; i < r->objects; ++i)
            have &= r->object[i].lines[k].verdict == LARDER_RECEIVER_SUCCEEDED;
        quorum += have;
    }
    all &= failed == 0;
    CU_ASSERT_EQUAL (r->objects, d->count);
    CU_ASSERT (d->passed_on || r->expected == d->expected);
    CU_ASSERT (!d->named || r->expected == r->receivers);
    check_passed_on (s, d);
    CU_ASSERT_EQUAL (r->verdict == LARDER_VERDICT_COMPLETED, all);
    CU_ASSERT_EQUAL (r->verdict == LARDER_VERDICT_ABORTED, !all && r->done == LARDER_DONE_DELETED);
    CU_ASSERT_EQUAL (r->reason == LARDER_REASON_TIMEOUT, !all && r->done == LARDER_DONE_TIMEOUT);
    CU_ASSERT_EQUAL (r->quorum_met, d->options.min_receivers
                                        ? quorum >= d->options.min_receivers
                                        : r->verdict == LARDER_VERDICT_COMPLETED);
    const larder_receipt *kept =
        larder_receipts_find (&s->rank[s->owners[d->owner]].owner->receipts, d->number);
    CU_ASSERT_FATAL (kept != NULL);
    CU_ASSERT_EQUAL (kept->callback_code, d->number % 2 ? LARDER_EIO : LARDER_ENOSPC);
}

static void check_job (struct sim *s, const struct sim_job *j)
{
    const struct sim_object *o = j->object;
    int cancels = j->gives_up >= 0; /* it, or another download of its transaction */
    for (int i = 0; i < s->job_count; ++i)
        cancels |= s->jobs[i].rank == j->rank && s->jobs[i].gives_up >= 0 &&
                   s->jobs[i].object->owner == o->owner &&
                   s->jobs[i].object->transaction == o->transaction;
    int fine = j->code == LARDER_OK || (j->code == LARDER_ECANCELED && cancels) ||
               (j->code == LARDER_ECONSUMER && j->fails >= 0) ||
               (j->code == LARDER_EOWNER && o->bad_item < o->count) ||
               (j->code == LARDER_EHELD && o->object.once) || j->code == LARDER_ETIMEDOUT ||
               j->code == LARDER_EGONE ||
               (quarrels (o) && j->by && (j->code == LARDER_ESPLIT || j->code == LARDER_EREF));
    if (!fine)
        sim_wrong (s, "object %d, rank %d: it ended with %s", (int)o->id, j->rank,
                   larder_code_name (j->code));
}

static void check (struct sim *s)
{
    for (int r = 0; r < s->ranks; ++r)
        if (s->topology.local[r] == 0)
            sim_check_node (s, &s->rank[r].cache);
    for (int i = 0; i < s->job_count; ++i)
        check_job (s, &s->jobs[i]);
    for (int i = 0; i < deal_count; ++i)
        check_deal (s, &deals[i]);
    for (int i = 0; i < s->owner_count; ++i)
        CU_ASSERT_EQUAL (s->rank[s->owners[i]].owner->txn_count, 0);
}

static void run_world (uint64_t seed, int world)
{
    struct sim *s = sim_open (seed, 0);
    s->settings.hold_timeout_s = 0.5;
    s->sleepy = (int)sim_below (s, 2);
    s->parallel = 1 + (int)sim_below (s, 2);
    deal_count = 0;
    for (int i = 0; i < s->owner_count; ++i)
        for (int left = s->settings.max_objects; left > 0 && deal_count < TXNS;
             left -= deals[deal_count - 1].count)
            offer_deal (s, i, left);
    draw_jobs (s);
    if (sim_run (s, 3000))
        sim_wrong (s, "somebody waits for ever");
    else
        check (s);
    if (s->wrong) {
        fprintf (stderr, "  LARDER_TEST_WORLD=%d\n", world);
        sim_print (s);
    }
    CU_ASSERT_EQUAL (s->wrong, 0);
    for (int i = 0; i < deal_count; ++i)
        larder_receipt_free (&deals[i].receipt);
    sim_close (s);
}

static void receipts (void)
{
    struct larder_test_random r = larder_test_seed ();
    const char *only = getenv ("LARDER_TEST_WORLD"), *worlds = getenv ("LARDER_TEST_WORLDS");
    for (int world = 0; world < (worlds ? atoi (worlds) : 400); ++world) {
        uint64_t seed = larder_test_random (&r);
        if (!only || atoi (only) == world)
            run_world (seed, world);
    }
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"receivers of all kinds: receipts are right, nothing is held", receipts},
        {NULL, NULL},
    };
    return larder_test_main ("ownertxn", tests);
}
