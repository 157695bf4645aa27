/* SPDX-License-Identifier: Apache-2.0 */
/* A receiver in a round: each of its downloads is a small machine that is moved on from the main loop, so
 * that several rounds overlap. */
#ifndef SOAK_ACT_H
#define SOAK_ACT_H

#include "soak_sink.h"

enum { SOAK_RANGES_MAX = 4, SOAK_NOTHING = 1 }; /* SOAK_NOTHING: no result */

enum soak_stage { SOAK_S_REF, SOAK_S_REST, SOAK_S_RUN, SOAK_S_FRESH, SOAK_S_OVER };

/* What a receiver reports to the owner about one object. */
struct soak_result {
    int came;               /* it began a download, or confirmed */
    int code[2];            /* of each version: what the whole ended with; SOAK_NOTHING */
    int said;               /* what it confirmed; SOAK_NOTHING */
    int canceled;           /* it gave the transaction up here */
    double ended_at[2];     /* when each was known */
    double begun_at, still; /* still: seconds that it let pass without need */
    uint64_t busy;          /* LARDER_EBUSY came so often */
};

struct soak_report {
    uint64_t round;
    int rank, objects;
    struct soak_result result[SOAK_OBJECTS];
};

/* What the owner tells a receiver. */
struct soak_news {
    uint64_t round;
    int version, have; /* have 0: there will be no such version */
    double live_at;
    larder_ref ref[SOAK_OBJECTS];
};

struct soak_taker {
    enum soak_stage stage;
    struct soak_sink sink;
    larder_request *request;
    larder_cursor cursor;
    int interrupted, interrupts, range, ranges, dropped;
    uint64_t first[SOAK_RANGES_MAX], count[SOAK_RANGES_MAX];
    double rest_until, idle_since, tried_since;
    struct soak_result result;
};

struct soak_receiver {
    const struct soak_plan *plan;
    larder *session;
    const struct soak_news *news[2]; /* NULL: not heard yet */
    struct soak_taker taker[SOAK_OBJECTS];
    int canceled;
};

static inline const struct soak_part *soak_part (const struct soak_receiver *r, int i)
{
    return &r->plan->part[soak_rank][i];
}

/* ---------------------------------------------------------------- ranges */

static inline void soak_draw_ranges (struct soak_receiver *r, int i)
{
    struct soak_taker *t = &r->taker[i];
    const struct soak_shape *s = &r->plan->shape[i];
    uint64_t items = s->items[t->sink.version];
    struct larder_test_random random = {soak_part (r, i)->seed};
    t->range = 0;
    t->ranges = items < 2 ? 0 : 2 + soak_below (&random, SOAK_RANGES_MAX - 1);
    if (items < (uint64_t)t->ranges)
        t->ranges = (int)items;
    uint64_t at = 0, n = (uint64_t)t->ranges;
    int in_order = s->kind == SOAK_UNKNOWN_SIZES || soak_chance (&random, 50);
    for (uint64_t k = 0; k < n; ++k) {
        t->first[k] = in_order ? at : larder_test_below (&random, items);
        t->count[k] = in_order ? items / n + (k + 1 == n ? items % n : 0)
                               : 1 + larder_test_below (&random, items - t->first[k]);
        if (t->count[k] == items)
            t->count[k] = 1; /* never the whole */
        at += t->count[k];
    }
}

/* ---------------------------------------------------------------- beginning and ending */

/* The object's number of the receiver's clock: it held nothing from idle_since on. */
static inline void soak_idle (struct soak_taker *t)
{
    double now = soak_now ();
    if (t->idle_since > 0 && now - t->idle_since > t->result.still)
        t->result.still = now - t->idle_since;
}

static inline void soak_end_taker (struct soak_receiver *r, int i, int code)
{
    struct soak_taker *t = &r->taker[i];
    int v = t->sink.version;
    t->result.code[v] = code;
    t->result.ended_at[v] = soak_now ();
    t->idle_since = t->result.ended_at[v];
    t->stage = SOAK_S_OVER;
    /* With a new version in the middle, it takes that one too. */
    if (v == 0 && r->plan->flavour == SOAK_RENEWED && r->plan->special == i)
        t->stage = SOAK_S_FRESH;
}

static inline void soak_give_up (struct soak_receiver *r, int i)
{
    r->taker[i].result.canceled = 1;
    r->canceled = 1;
}

static inline void soak_rest (struct soak_taker *t, double seconds)
{
    t->stage = SOAK_S_REST;
    t->rest_until = soak_now () + seconds;
}

static void soak_say (struct soak_receiver *r, int i, int code)
{
    larder_error err = {0};
    struct soak_taker *t = &r->taker[i];
    t->result.came = 1;
    t->result.said = code;
    soak_idle (t);
    soak_enter ();
    int rc = larder_confirm (r->session, &r->news[t->sink.version]->ref[i], code, &err);
    soak_leave ();
    if (rc == LARDER_EBUSY) {
        ++t->result.busy;
        t->result.said = SOAK_NOTHING;
        soak_rest (t, 0.003);
        return;
    }
    soak_end_taker (r, i, rc == LARDER_OK ? code : rc);
}

/* A download has ended with a code. */
static void soak_take_end (struct soak_receiver *r, int i, int code)
{
    struct soak_taker *t = &r->taker[i];
    if (code != LARDER_EBUSY || t->sink.completed + t->sink.failed)
        soak_check_end (&t->sink, code);
    if (code == LARDER_EBUSY) {
        ++t->result.busy;
        t->idle_since = t->tried_since; /* it has been without it all the time */
        if (t->sink.completed + t->sink.failed)
            t->interrupted = 0; /* what it had is undone */
        soak_rest (t, 0.003);
        return;
    }
    t->idle_since = t->tried_since = soak_now ();
    if (t->sink.aborted || code == LARDER_ECANCELED)
        soak_give_up (r, i);
    t->interrupted = 0;
    if (soak_part (r, i)->way != SOAK_RANGES || t->ranges == 0)
        soak_end_taker (r, i, code);
    else if (code == LARDER_OK && ++t->range < t->ranges)
        soak_rest (t, 0);
    else if (code == LARDER_ESTALE)
        soak_end_taker (r, i, code);
    else {
        t->dropped = code;
        t->range = t->ranges; /* now to be said */
        soak_rest (t, 0);
    }
}

static int soak_begin (struct soak_receiver *r, int i, larder_error *err)
{
    struct soak_taker *t = &r->taker[i];
    larder_ref ref = r->news[t->sink.version]->ref[i];
    larder_consumer consumer;
    soak_idle (t);
    if (!t->interrupted) {
        int version = t->sink.version, napped = t->sink.napped;
        t->sink = (struct soak_sink){.plan = r->plan,
                                     .part = soak_part (r, i),
                                     .object = i,
                                     .version = version,
                                     .napped = napped,
                                     .end_item = r->plan->shape[i].items[version]};
        if (t->ranges &&
            larder_ref_items (&ref, t->first[t->range], t->count[t->range], &ref, err) != LARDER_OK)
            soak_fault (r->plan, "larder_ref_items: %s", err->text);
        if (t->ranges) {
            t->sink.next_item = t->first[t->range];
            t->sink.end_item = t->sink.next_item + t->count[t->range];
        }
    }
    t->sink.progress = (struct soak_pair){.over = 0};
    t->sink.bytes_before = t->sink.bytes;
    t->sink.items_before = t->sink.items;
    consumer = soak_consumer (&t->sink);
    t->result.came = 1;
    if (t->result.begun_at == 0)
        t->result.begun_at = soak_now ();
    soak_enter ();
    int rc = t->interrupted
                 ? larder_download_resume (r->session, &t->cursor, &consumer, &t->request, err)
             : soak_part (r, i)->way == SOAK_WHOLE
                 ? larder_download (r->session, &ref, &consumer, err)
                 : larder_download_start (r->session, &ref, &consumer, &t->request, err);
    soak_leave ();
    return rc;
}

static void soak_start (struct soak_receiver *r, int i)
{
    larder_error err = {0};
    struct soak_taker *t = &r->taker[i];
    const struct soak_part *x = soak_part (r, i);
    if (x->way == SOAK_CONFIRM) {
        soak_say (r, i, x->code);
        return;
    }
    if (x->way == SOAK_RANGES && t->ranges && t->range == t->ranges) {
        soak_say (r, i, t->dropped);
        return;
    }
    int rc = soak_begin (r, i, &err);
    if (t->request) {
        t->idle_since = 0;
        t->stage = SOAK_S_RUN;
        if (rc != LARDER_OK)
            soak_fault (r->plan, "a request and %s", larder_code_name (rc));
    } else
        soak_take_end (r, i, rc);
}

/* ---------------------------------------------------------------- under way */

static void soak_interrupt (struct soak_receiver *r, int i)
{
    larder_error err = {0};
    struct soak_taker *t = &r->taker[i];
    struct larder_test_random random = {soak_part (r, i)->seed + t->sink.views};
    soak_enter ();
    int rc = larder_download_interrupt (&t->request, &t->cursor, &err);
    soak_leave ();
    ++t->interrupts;
    if (rc == LARDER_EINVAL)
        return; /* it has ended by itself */
    if (rc != LARDER_OK || t->request)
        soak_fault (r->plan, "larder_download_interrupt: %s", err.text);
    t->idle_since = t->tried_since = soak_now ();
    t->interrupted = 1;
    if (soak_part (r, i)->way == SOAK_LEAVE) {
        t->stage = SOAK_S_OVER;
        return;
    }
    if (t->cursor.item != t->sink.next_item || t->cursor.offset != t->sink.next_offset)
        soak_fault (r->plan, "object %d: interrupted at item %llu offset %llu, not %llu, %llu", i,
                    (unsigned long long)t->cursor.item, (unsigned long long)t->cursor.offset,
                    (unsigned long long)t->sink.next_item, (unsigned long long)t->sink.next_offset);
    soak_rest (t, soak_chance (&random, 15) ? 0.3 : soak_seconds (&random, 0, 0.02));
}

static void soak_cancel (struct soak_receiver *r, int i)
{
    larder_error err = {0};
    struct soak_taker *t = &r->taker[i];
    soak_give_up (r, i);
    soak_enter ();
    int rc = larder_download_cancel (&t->request, &err);
    soak_leave ();
    if (rc != LARDER_OK || t->request)
        soak_fault (r->plan, "larder_download_cancel: %s", larder_code_name (rc));
    if (t->sink.completed + t->sink.failed != 1)
        soak_fault (r->plan, "object %d cancelled: told completed %d failed %d", i,
                    t->sink.completed, t->sink.failed);
    t->result.busy += t->sink.why.code == LARDER_EBUSY;
    soak_end_taker (r, i, t->sink.completed ? LARDER_OK : t->sink.why.code);
}

static void soak_stand_still (struct soak_receiver *r, int i)
{
    larder_error err = {0};
    struct soak_taker *t = &r->taker[i];
    int pause = soak_part (r, i)->way == SOAK_PAUSE;
    t->sink.napped = 1;
    if (pause && larder_pause (r->session, 2, &err) != LARDER_OK)
        soak_fault (r->plan, "larder_pause: %s", err.text);
    if (pause) /* so that it is read */
        (void)larder_progress (r->session, 1, 0.02, &err);
    soak_left = soak_now ();
    soak_nap (soak_part (r, i)->spend_s);
    if (pause && larder_pause (r->session, 0, &err) != LARDER_OK)
        soak_fault (r->plan, "larder_pause: %s", err.text);
}

static void soak_run (struct soak_receiver *r, int i)
{
    larder_error err = {0};
    struct soak_taker *t = &r->taker[i];
    const struct soak_part *x = soak_part (r, i);
    int due = t->sink.views >= x->after;
    if (due && x->way == SOAK_CANCEL) {
        soak_cancel (r, i);
        return;
    }
    if (due && ((x->way == SOAK_INTERRUPT && t->interrupts < x->times) ||
                (x->way == SOAK_LEAVE && t->interrupts == 0))) {
        soak_interrupt (r, i);
        return;
    }
    if (due && (x->way == SOAK_STILL_OUTSIDE || x->way == SOAK_PAUSE) && !t->sink.napped)
        soak_stand_still (r, i);
    soak_enter ();
    int rc = x->way == SOAK_WAIT ? larder_download_wait (&t->request, 0.005, &err)
                                 : larder_download_test (&t->request, &err);
    soak_leave ();
    if (rc == LARDER_AGAIN)
        return;
    if (t->request)
        soak_fault (r->plan, "the request stays after %s", larder_code_name (rc));
    soak_take_end (r, i, rc);
}

/* Move a receiver on.  1: it is through with the round. */
static int soak_receiver_step (struct soak_receiver *r)
{
    int over = 0;
    for (int i = 0; i < r->plan->objects; ++i) {
        struct soak_taker *t = &r->taker[i];
        const struct soak_part *x = soak_part (r, i);
        switch (t->stage) {
        case SOAK_S_REF:
            if (x->way == SOAK_NEVER)
                t->stage = SOAK_S_OVER;
            if (x->way == SOAK_NEVER || !r->news[0])
                break;
            t->idle_since = t->tried_since = r->news[0]->live_at;
            if (x->way == SOAK_RANGES)
                soak_draw_ranges (r, i);
            soak_rest (t, x->late_s);
            break;
        case SOAK_S_REST:
            if (soak_now () >= t->rest_until)
                soak_start (r, i);
            break;
        case SOAK_S_RUN:
            soak_run (r, i);
            break;
        case SOAK_S_FRESH:
            if (r->news[1] && !r->news[1]->have)
                t->stage = SOAK_S_OVER;
            else if (r->news[1]) {
                t->sink.version = 1;
                t->dropped = LARDER_OK;
                t->result.said = SOAK_NOTHING;
                if (x->way == SOAK_RANGES)
                    soak_draw_ranges (r, i);
                soak_rest (t, 0);
            }
            break;
        case SOAK_S_OVER:
            break;
        }
        over += t->stage == SOAK_S_OVER;
    }
    return over == r->plan->objects;
}

static inline void soak_receiver_init (struct soak_receiver *r, larder *session,
                                       const struct soak_plan *plan)
{
    memset (r, 0, sizeof *r);
    r->plan = plan;
    r->session = session;
    for (int i = 0; i < SOAK_OBJECTS; ++i)
        r->taker[i].result =
            (struct soak_result){.code = {SOAK_NOTHING, SOAK_NOTHING}, .said = SOAK_NOTHING};
}

#endif
