/* SPDX-License-Identifier: Apache-2.0 */
/* Owners and readers of several simulated nodes in one process, with a fake clock.  Ranks are polled
 * in random order, and other ranks run in the middle of a rank's library call wherever that calls
 * out: in callbacks and in the transport. */
#ifndef LARDER_SIMULATE_H
#define LARDER_SIMULATE_H

#include "larder_ownertxn.h"
#include "larder_reader.h"
#include "larder_simnet.h"
#include "larder_test.h"
#include <stdarg.h>

enum {
    SIM_RANKS = 9,
    SIM_OWNERS = 2,
    SIM_OBJECTS = 8,
    SIM_JOBS = 60,
    SIM_ITEMS = 120,
    SIM_ROUNDS = 1000000
};

/* An object and what it was told. */
struct sim_object {
    struct sim *sim;
    uint64_t id, count, size[SIM_ITEMS];
    uint64_t bad_item;                     /* its production fails; SIM_ITEMS: none */
    double withdraw;                       /* when its owner withdraws it; 0: never */
    int owner, place, declared[SIM_RANKS]; /* declared: 2: may come */
    int by[SIM_RANKS];    /* who passes the ref on to this rank, + 1; 0: it comes from the owner */
    int also[SIM_RANKS];  /* the same, of a second one */
    int share[SIM_RANKS]; /* among how many this rank splits it */
    int reopens;          /* that may be known only when all others have it */
    uint64_t transaction, generation;
    larder_object object;
    larder_object_ops ops;
    int told[SIM_RANKS], code[SIM_RANKS], all_told, done, released;
};

/* What a rank does with an object: a download of a range, or a verdict. */
struct sim_job {
    struct sim *sim;
    struct sim_object *object;
    int rank, verdict; /* 1: a download */
    int by;            /* who has passed the ref on, + 1; 0: nobody */
    int more;          /* to so many more than it said to others */
    uint64_t first, end;
    double start;
    int gives_up;   /* after so many views, -1: never */
    int aborts;     /* it does so by abort_requested */
    int fails;      /* the consumer does, after so many views, -1: never */
    int interrupts; /* after so many views it goes on later, -1: never */
    int stands;     /* still for stand_s after so many views, -1: never */
    double stand_s;
    int stands_inside; /* in its consumer; else outside the library */
    double stood_until;
    int state, code; /* 0 not started, 1 under way, 2 over */
    int views, ended;
    uint64_t next_item, next_offset;
    uint64_t from, events, bytes, event_bytes;
    struct larder_request q;
};

struct sim_rank {
    struct larder_nodecache cache;
    struct larder_transport transport;
    struct simnet_port port;
    larder_stats stats;
    int in_callback, inside;
    double asleep; /* until then */
    struct larder_owner *owner;
    struct larder_reader reader;
};

struct sim {
    struct larder_test_random random;
    struct larder_clock_fake clock;
    struct larder_settings settings;
    struct larder_topology topology;
    struct larder_wire_layout layout;
    struct simnet net;
    int ranks, owner_count, owners[SIM_OWNERS], owner_home[SIM_OWNERS];
    unsigned char *node_memory[SIM_RANKS], *segment[SIM_RANKS];
    struct sim_rank rank[SIM_RANKS];
    struct sim_object objects[SIM_OBJECTS];
    struct sim_job jobs[SIM_JOBS];
    int object_count, job_count;
    int parallel; /* downloads that a rank has under way */
    int sleepy;   /* ranks leave the library for long */
    int nested, wrong, quiet, rounds;
    uint64_t views;
};

/* Say what is wrong, but not for ever. */
static inline void sim_wrong (struct sim *s, const char *format, ...)
{
    va_list list;
    va_start (list, format);
    if (++s->wrong <= 5) {
        fprintf (stderr, "  at %.6f: ", s->clock.time);
        vfprintf (stderr, format, list);
        fputc ('\n', stderr);
    }
    va_end (list);
}

static inline uint64_t sim_below (struct sim *s, uint64_t below)
{
    return larder_test_below (&s->random, below);
}

/* ---------------------------------------------------------------- objects */

static inline void sim_poll (struct sim *s, int rank);
static inline void sim_round (struct sim *s);

/* Others run while a rank is in a callback or waits for the network. */
static inline void sim_meanwhile (void *self, int rank)
{
    struct sim *s = self;
    (void)rank;
    if (s->nested == 2 || sim_below (s, 8))
        return;
    ++s->nested;
    for (uint64_t n = sim_below (s, 4); n > 0; --n) {
        (void)simnet_step (&s->net);
        sim_poll (s, (int)sim_below (s, (uint64_t)s->ranks));
    }
    --s->nested;
}

/* A rank stands still in a callback: the others go on. */
static inline void sim_stand (struct sim *s, double seconds)
{
    double until = s->clock.time + seconds;
    if (s->nested)
        return; /* it would keep another rank that runs this one */
    s->nested = 2;
    while (s->clock.time < until && ++s->rounds < SIM_ROUNDS)
        sim_round (s);
    s->nested = 0;
}

static inline unsigned char sim_byte (const struct sim_object *o, uint64_t item, uint64_t offset)
{
    return (unsigned char)larder_num_mix (o->id << 48 ^ item << 24 ^ offset);
}

static inline int sim_item_count (void *self, uint64_t *count, larder_error *err)
{
    (void)err;
    *count = ((struct sim_object *)self)->count;
    return LARDER_OK;
}

static inline int sim_item_size (void *self, uint64_t item, uint64_t *size, larder_error *err)
{
    const struct sim_object *o = self;
    (void)err;
    if (item >= o->count)
        sim_wrong (o->sim, "object %d: item %d is asked for", (int)o->id, (int)item);
    *size = o->size[item < o->count ? item : 0];
    return LARDER_OK;
}

static inline int sim_produce (void *self, uint64_t item, uint64_t offset, void *buffer,
                               size_t capacity, size_t *produced, int *last, larder_error *err)
{
    struct sim_object *o = self;
    if (o->released || item >= o->count || offset > o->size[item])
        return larder_error_set (err, LARDER_EINVAL, 0, "no such bytes");
    if (item == o->bad_item)
        return larder_error_set (err, LARDER_EIO, 0, "a bad item");
    size_t n = larder_num_min_size (capacity, (size_t)(o->size[item] - offset));
    if (n > 1 && sim_below (o->sim, 4) == 0)
        n = 1 + (size_t)sim_below (o->sim, n);
    for (size_t i = 0; i < n; ++i)
        ((unsigned char *)buffer)[i] = sim_byte (o, item, offset + i);
    *produced = n;
    *last = offset + n == o->size[item];
    sim_meanwhile (o->sim, o->sim->owners[o->owner]);
    return LARDER_OK;
}

static inline void sim_told (void *self, int rank, int code)
{
    struct sim_object *o = self;
    if (o->told[rank]++ || !o->declared[rank] || (o->all_told && !o->reopens) || o->done)
        sim_wrong (o->sim, "object %d: it is told of rank %d again", (int)o->id, rank);
    o->code[rank] = code;
}

static inline void sim_all_told (void *self)
{
    struct sim_object *o = self;
    if (o->all_told++ || o->done)
        sim_wrong (o->sim, "object %d: it is told of all again", (int)o->id);
    for (int r = 0; r < o->sim->ranks; ++r)
        if (o->declared[r] == 1 && !o->told[r])
            sim_wrong (o->sim, "object %d: all are said to have it, but rank %d", (int)o->id, r);
}

static inline void sim_done (void *self, uint64_t transaction, larder_done done)
{
    struct sim_object *o = self;
    if (o->done || transaction != o->transaction)
        sim_wrong (o->sim, "object %d: transaction %d ends", (int)o->id, (int)transaction);
    o->done = (int)done;
}

static inline void sim_release (void *self)
{
    struct sim_object *o = self;
    if (o->released++ || !o->done)
        sim_wrong (o->sim, "object %d: it is released", (int)o->id);
}

/* ---------------------------------------------------------------- consumers */

static inline int sim_consume (void *self, const larder_view *v, larder_error *err)
{
    struct sim_job *j = self;
    struct sim_object *o = j->object;
    const unsigned char *data = v->data;
    uint64_t at = 0, offset = v->offset;
    if (j->ended || v->item != j->next_item || v->offset != j->next_offset || v->count == 0 ||
        v->item + v->count > j->end)
        sim_wrong (j->sim, "object %d, rank %d: item %d+%d follows %d+%d", (int)o->id, j->rank,
                   (int)v->item, (int)v->offset, (int)j->next_item, (int)j->next_offset);
    if (j->views == j->stands && j->stands_inside) {
        j->stood_until = j->sim->clock.time + j->stand_s;
        sim_stand (j->sim, j->stand_s);
    }
    sim_meanwhile (j->sim, j->rank); /* the view must bear that */
    for (uint64_t i = 0; i < v->count && v->item + i < o->count; ++i) {
        uint64_t size = o->size[v->item + i], rest = size - offset;
        uint64_t part = larder_num_min (rest, v->size - at);
        if (v->item_sizes && v->item_sizes[i] != size)
            sim_wrong (j->sim, "object %d: item %d has %d bytes", (int)o->id, (int)(v->item + i),
                       (int)v->item_sizes[i]);
        if (part < rest && (i + 1 < v->count || v->item_ends))
            sim_wrong (j->sim, "object %d: item %d is cut", (int)o->id, (int)(v->item + i));
        for (uint64_t k = 0; k < part; ++k)
            if (data[at + k] != sim_byte (o, v->item + i, offset + k)) {
                sim_wrong (j->sim, "object %d, rank %d: wrong byte %d of item %d", (int)o->id,
                           j->rank, (int)(offset + k), (int)(v->item + i));
                break;
            }
        at += part;
        offset = v->item_ends || i + 1 < v->count ? 0 : offset + part;
    }
    if (at != v->size)
        sim_wrong (j->sim, "object %d: a view is too long", (int)o->id);
    j->next_item = v->item + v->count - (v->item_ends ? 0 : 1);
    j->next_offset = offset;
    j->bytes += v->size;
    ++j->sim->views;
    if (j->views++ == j->fails)
        return larder_error_set (err, LARDER_ENOSPC, 0, "the consumer's disk is full");
    return LARDER_OK;
}

static inline int sim_completed (void *self, larder_error *err)
{
    struct sim_job *j = self;
    (void)err;
    if (j->ended++ || j->next_item != j->end || j->next_offset != 0)
        sim_wrong (j->sim, "object %d, rank %d: said to be complete at item %d of [%d, %d)",
                   (int)j->object->id, j->rank, (int)j->next_item, (int)j->first, (int)j->end);
    return LARDER_OK;
}

static inline void sim_failed (void *self, const larder_error *why)
{
    struct sim_job *j = self;
    if (j->ended++ || why->code >= 0 || why->text[0] == 0)
        sim_wrong (j->sim, "object %d, rank %d: failed again", (int)j->object->id, j->rank);
}

static inline int sim_abort (void *self)
{
    const struct sim_job *j = self;
    return j->aborts && j->gives_up >= 0 && j->views >= j->gives_up;
}

static inline void sim_progress (void *self, const larder_event *e)
{
    struct sim_job *j = self;
    struct sim *s = j->sim;
    int final = e->state >= LARDER_EVENT_COMPLETED;
    if (e->sequence != ++j->events || (e->sequence == 1) != (e->state == LARDER_EVENT_STARTED) ||
        e->bytes_done < j->event_bytes || e->receiver != j->rank || final != j->ended ||
        e->owner != s->owners[j->object->owner] || e->object != j->object->place)
        if (e->sequence != 1 || !final) /* it may fail before it starts */
            sim_wrong (s, "object %d, rank %d: event %d says %d", (int)j->object->id, j->rank,
                       (int)e->sequence, (int)e->state);
    j->event_bytes = e->bytes_done;
}

/* ---------------------------------------------------------------- ranks */

static inline void sim_start (struct sim *s, struct sim_job *j)
{
    struct sim_object *o = j->object;
    larder_error why = {0};
    if (!j->from) {
        j->next_item = j->first;
        j->next_offset = 0;
        j->views = 0;
    }
    j->ended = 0;
    j->events = j->event_bytes = 0;
    j->q = (struct larder_request){.verdict = j->verdict, .ping_after = 1, .first_item = j->first};
    j->q.want = (struct larder_want){.owner = o->owner,
                                     .object = (uint64_t)o->place | o->generation << 32,
                                     .transaction = o->transaction,
                                     .first_item = j->next_item,
                                     .end_item = j->end,
                                     .from = j->next_item < j->end ? j->from : 0};
    j->q.next_offset = j->next_offset;
    if (j->by)
        j->q.want.split =
            larder_wire_split ((uint64_t)j->by - 1, (uint64_t)(o->share[j->by - 1] + j->more));
    if (j->verdict == 1)
        j->q.consumer = (larder_consumer){.self = j,
                                          .consume_items = sim_consume,
                                          .download_completed = sim_completed,
                                          .download_failed = sim_failed,
                                          .abort_requested = sim_abort,
                                          .download_progress = sim_progress,
                                          .progress_interval_s = -1};
    int rc = larder_reader_start (&s->rank[j->rank].reader, &j->q, &why);
    if (rc == LARDER_OK)
        j->state = 1;
    else if (rc != LARDER_EBUSY)
        sim_wrong (s, "object %d, rank %d: start: %d %s", (int)o->id, j->rank, rc, why.text);
    if (rc == LARDER_EBUSY)
        j->start = s->clock.time + 0.01; /* later, then */
}

static inline void sim_end (struct sim *s, struct sim_job *j)
{
    larder_reader_remove (&j->q);
    j->code = j->q.result.code;
    if (j->verdict == 1 && j->ended != 1)
        sim_wrong (s, "object %d, rank %d: the consumer was told %d times", (int)j->object->id,
                   j->rank, j->ended);
    j->state = 2;
    if (j->code == LARDER_EBUSY) { /* later, then */
        j->state = 0;
        j->start = s->clock.time + 0.05;
    }
}

/* What a rank does with a download of its own accord. */
static inline void sim_whim (struct sim *s, struct sim_job *j)
{
    if (j->gives_up >= 0 && !j->aborts && j->views >= j->gives_up)
        larder_reader_cancel (&j->q, "cancelled by the caller");
    if (j->interrupts >= 0 && j->views >= j->interrupts && larder_reader_interrupt (&j->q) == 0) {
        if (j->q.next_item != j->next_item || j->q.next_offset != j->next_offset)
            sim_wrong (s, "object %d, rank %d: interrupted at item %d", (int)j->object->id, j->rank,
                       (int)j->q.next_item);
        j->interrupts = -1;
        j->from = j->q.from;
        larder_reader_remove (&j->q);
        j->state = 0;
        j->start = s->clock.time + (double)sim_below (s, 2000) / 1000;
    }
    if (j->state == 1 && j->stands >= 0 && !j->stands_inside && j->views >= j->stands) {
        j->stands = -1;
        j->stood_until = s->rank[j->rank].asleep = s->clock.time + j->stand_s;
    }
}

/* A rank's jobs come in the order of the list, so many at a time. */
static inline void sim_jobs (struct sim *s, int rank)
{
    int open = 0;
    for (int i = 0; i < s->job_count && open < s->parallel; ++i) {
        struct sim_job *j = &s->jobs[i];
        if (j->rank != rank || j->state == 2)
            continue;
        ++open;
        if (j->state == 0 && j->start <= s->clock.time)
            sim_start (s, j);
        if (j->state == 1 && j->q.state != LARDER_REQUEST_OVER)
            sim_whim (s, j);
        if (j->state == 1 && j->q.state == LARDER_REQUEST_OVER)
            sim_end (s, j);
    }
}

/* Delete the transaction that an object belongs to. */
static inline void sim_delete (struct sim *s, struct sim_object *o, const char *text)
{
    struct larder_owner *owner = s->rank[s->owners[o->owner]].owner;
    larder_ownertxn_end (owner, larder_ownertxn_find (owner, o->transaction), LARDER_DONE_DELETED,
                         LARDER_EGONE, text);
}

static inline void sim_withdraw (struct sim *s, int rank)
{
    for (int i = 0; i < s->object_count; ++i) {
        struct sim_object *o = &s->objects[i];
        if (s->owners[o->owner] != rank || o->withdraw == 0 || o->withdraw > s->clock.time)
            continue;
        o->withdraw = 0;
        if (!o->done)
            sim_delete (s, o, "withdrawn by its owner");
    }
}

static inline void sim_poll (struct sim *s, int rank)
{
    struct sim_rank *r = &s->rank[rank];
    larder_error err = {0};
    if (r->inside || r->asleep > s->clock.time)
        return;
    r->inside = 1;
    sim_jobs (s, rank);
    sim_withdraw (s, rank);
    int rc = r->owner ? larder_owner_poll (r->owner, &err) : 0;
    if (rc >= 0)
        rc = larder_reader_poll (&r->reader, 1 + (int)sim_below (s, 4), &err);
    if (rc < 0 || r->in_callback)
        sim_wrong (s, "rank %d: %d %s", rank, rc, err.text);
    (void)simnet_push (&r->port, &err);
    if (s->sleepy && sim_below (s, 60) == 0)
        r->asleep = s->clock.time + (double)sim_below (s, 200) / 1000;
    r->inside = 0;
}

/* ---------------------------------------------------------------- time */

static inline int sim_over (const struct sim *s)
{
    if (s->net.word_count || s->net.get_count)
        return 0;
    for (int i = 0; i < s->job_count; ++i)
        if (s->jobs[i].state != 2)
            return 0;
    for (int i = 0; i < s->object_count; ++i)
        if (!s->objects[i].released)
            return 0;
    for (int r = 0; r < s->ranks; ++r)
        if (s->rank[r].inside || s->rank[r].asleep > s->clock.time ||
            larder_reader_abandoned (&s->rank[r].reader) || s->rank[r].reader.requests ||
            (s->rank[r].owner && s->rank[r].owner->active_count))
            return 0;
    return 1;
}

/* Everybody runs, words and bytes arrive, and time goes on. */
static inline void sim_round (struct sim *s)
{
    uint64_t before = s->views;
    for (int n = 0; n < s->ranks; ++n)
        sim_poll (s, (int)sim_below (s, (uint64_t)s->ranks));
    s->quiet = simnet_step (&s->net) || s->views != before ? 0 : s->quiet + 1;
    s->clock.time += s->quiet > 200  ? 0.25
                     : s->quiet > 50 ? 0.02
                                     : (double)sim_below (s, 1000) * 1e-6;
}

/* Run until everything has ended, and a little longer.  0, or -1 when nothing was viewed for idle_s
 * seconds of fake time. */
static inline int sim_run (struct sim *s, double idle_s)
{
    double moved = s->clock.time;
    for (int over = 0; over < 50; over = sim_over (s) ? over + 1 : 0) {
        uint64_t before = s->views;
        if (s->clock.time > moved + idle_s || ++s->rounds > SIM_ROUNDS)
            return -1;
        sim_round (s);
        moved = s->views != before ? s->clock.time : moved;
    }
    return 0;
}

#endif
