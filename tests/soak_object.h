/* SPDX-License-Identifier: Apache-2.0 */
/* The owner's side of a round: objects and a transaction whose callbacks note what came in which order. */
#ifndef SOAK_OBJECT_H
#define SOAK_OBJECT_H

#include "soak_watch.h"
#include <stdlib.h>

enum { SOAK_LOG = 512, SOAK_NOT_TOLD = 1 };

/* What was heard of a pair of object and receiver. */
struct soak_pair {
    larder_event last;
    int over, told; /* told: what downloaded_to_one said; SOAK_NOT_TOLD */
};

struct soak_object {
    const struct soak_plan *plan;
    int number, version, alls, failed;
    uint64_t bytes_made, calls; /* of this version */
    struct soak_pair pair[SOAK_RANKS];
    struct soak_books *books;
    uint64_t *made; /* once: bytes made of each item */
};

/* What the owner notes of a transaction. */
struct soak_books {
    const struct soak_plan *plan;
    char log[SOAK_LOG]; /* t: set_transaction, c: item_count, 1: one has it, A: all, d: done, D: the
                           transaction's, O: outcome, x: release; the object's number goes before */
    uint64_t number;
    larder_done done;
    double live_at, ended_at, renewed_at, still;
    int objects_done, place[SOAK_OBJECTS]; /* place: the object's number in its refs */
    struct soak_object object[SOAK_OBJECTS];
    larder_receipt shown; /* by outcome: nothing but its figures */
};

static uint64_t soak_objects_offered, soak_objects_released;

static inline const struct soak_shape *soak_shape (const struct soak_object *o)
{
    return &o->plan->shape[o->number];
}

static inline void soak_note (struct soak_books *b, int object, char what)
{
    size_t n = strlen (b->log);
    if (n + 3 < SOAK_LOG) {
        b->log[n] = (char)('0' + object);
        b->log[n + 1] = what;
        b->log[n + 2] = 0;
    } else
        soak_fault (b->plan, "more callbacks than the log has room for");
    if (b->log[0] && object >= 0 && what != 'x' && strchr (b->log, 'x')) {
        char released[3] = {(char)('0' + object), 'x', 0};
        if (strstr (b->log, released))
            soak_fault (b->plan, "object %d: callback %c after release", object, what);
    }
}

static int soak_item_count (void *self, uint64_t *count, larder_error *err)
{
    struct soak_object *o = self;
    (void)err;
    soak_note (o->books, o->number, 'c');
    *count = soak_shape (o)->items[o->version];
    return LARDER_OK;
}

static int soak_item_size (void *self, uint64_t item, uint64_t *size, larder_error *err)
{
    struct soak_object *o = self;
    if (item >= soak_shape (o)->items[o->version])
        return larder_error_set (err, LARDER_ERANGE, 0, "no item %llu", (unsigned long long)item);
    *size = soak_size (soak_shape (o), o->version, item);
    return LARDER_OK;
}

static int soak_produce (void *self, uint64_t item, uint64_t offset, void *buffer, size_t capacity,
                         size_t *produced, int *last, larder_error *err)
{
    struct soak_object *o = self;
    const struct soak_shape *s = soak_shape (o);
    unsigned char *to = buffer;
    ++o->calls;
    if (item >= s->items[o->version] || offset > soak_size (s, o->version, item)) {
        soak_fault (o->plan, "object %d: asked for item %llu byte %llu, which is not there",
                    o->number, (unsigned long long)item, (unsigned long long)offset);
        return larder_error_set (err, LARDER_ERANGE, 0, "no such byte");
    }
    if (o->books->objects_done)
        soak_fault (o->plan, "object %d: produced after its end", o->number);
    if (o->plan->flavour == SOAK_UNMADE && o->plan->special == o->number &&
        item == o->plan->fail_item) {
        o->failed = 1;
        return larder_error_set (err, LARDER_EIO, 0, "item %llu fell on the floor",
                                 (unsigned long long)item);
    }
    uint64_t size = soak_size (s, o->version, item);
    uint64_t n = larder_num_min (size - offset, capacity);
    if (s->part)
        n = larder_num_min (n, s->part);
    for (uint64_t i = 0; i < n; ++i)
        to[i] = soak_byte (s, o->version, item, offset + i);
    *produced = (size_t)n;
    *last = offset + n == size;
    o->bytes_made += n;
    if (o->made && (o->made[item] += n) > size)
        soak_fault (o->plan, "object %d: item %llu is made a second time", o->number,
                    (unsigned long long)item);
    return LARDER_OK;
}

static int soak_set_transaction (void *self, uint64_t transaction, larder_error *err)
{
    struct soak_object *o = self;
    (void)err;
    soak_note (o->books, o->number, 't');
    if (o->number && o->books->number != transaction)
        soak_fault (o->plan, "object %d: another transaction", o->number);
    o->books->number = transaction;
    return LARDER_OK;
}

static void soak_downloaded_to_one (void *self, int receiver, int code)
{
    struct soak_object *o = self;
    soak_note (o->books, o->number, '1');
    if (receiver < 0 || receiver >= soak_size_of_job)
        soak_fault (o->plan, "object %d: downloaded to rank %d", o->number, receiver);
    else if (o->pair[receiver].told != SOAK_NOT_TOLD)
        soak_fault (o->plan, "object %d: rank %d is final twice", o->number, receiver);
    else
        o->pair[receiver].told = code;
}

static void soak_downloaded_to_all (void *self)
{
    struct soak_object *o = self;
    soak_note (o->books, o->number, 'A');
    ++o->alls;
}

static void soak_transaction_done (void *self, uint64_t transaction, larder_done done)
{
    struct soak_object *o = self;
    soak_note (o->books, o->number, 'd');
    if (transaction != o->books->number)
        soak_fault (o->plan, "object %d: transaction_done of another", o->number);
    ++o->books->objects_done;
    o->books->done = done;
    o->books->ended_at = soak_now ();
}

static void soak_release (void *self)
{
    struct soak_object *o = self;
    soak_note (o->books, o->number, 'x');
    ++soak_objects_released;
}

#define SOAK_OPS(sizes)                                                                            \
    {                                                                                              \
        .item_count = soak_item_count, .item_size = sizes, .produce_item = soak_produce,           \
        .set_transaction = soak_set_transaction, .downloaded_to_one = soak_downloaded_to_one,      \
        .downloaded_to_all = soak_downloaded_to_all, .transaction_done = soak_transaction_done,    \
        .release = soak_release                                                                    \
    }
static const larder_object_ops soak_sized = SOAK_OPS (soak_item_size);
static const larder_object_ops soak_unsized = SOAK_OPS (NULL);

/* ---------------------------------------------------------------- the transaction's own callbacks */

static int soak_all_done (void *self, uint64_t transaction, larder_done done)
{
    struct soak_books *b = self;
    soak_note (b, -1, 'D');
    if (transaction != b->number || (b->objects_done && done != b->done))
        soak_fault (b->plan, "transaction_done says %d of another or otherwise than the objects'",
                    (int)done);
    return b->plan->done_code;
}

static int soak_outcome (void *self, const larder_receipt *receipt)
{
    struct soak_books *b = self;
    soak_note (b, -1, 'O');
    b->shown = *receipt;
    b->shown.object = NULL;
    return b->plan->outcome_code;
}

/* Events of a pair: one after another, figures that never fall, nothing after the final one. */
static inline const char *soak_follows (struct soak_pair *p, const larder_event *e)
{
    const char *wrong = NULL;
    if (p->over)
        wrong = "an event after the final one";
    else if (e->sequence != p->last.sequence + 1)
        wrong = "a sequence number is left out or twice";
    else if (e->bytes_done < p->last.bytes_done || e->items_done < p->last.items_done ||
             e->seconds < p->last.seconds)
        wrong = "a figure fell";
    else if ((e->state == LARDER_EVENT_STARTED) != (e->sequence == 1) &&
             e->state < LARDER_EVENT_COMPLETED)
        wrong = "the first event does not say that it started";
    p->last = *e;
    p->over |= e->state >= LARDER_EVENT_COMPLETED;
    return wrong;
}

static void soak_event (void *self, const larder_event *e)
{
    struct soak_books *b = self;
    int at = -1;
    for (int i = 0; i < b->plan->objects; ++i)
        if (b->place[i] == e->object)
            at = i;
    if (at < 0 || e->receiver < 0 || e->receiver >= soak_size_of_job || e->owner != soak_rank ||
        e->transaction != b->number) {
        soak_fault (b->plan, "an event of object %d, receiver %d, owner %d", e->object, e->receiver,
                    e->owner);
        return;
    }
    const char *wrong = soak_follows (&b->object[at].pair[e->receiver], e);
    if (wrong)
        soak_fault (b->plan, "object %d, receiver %d: %s (%d, number %llu)", at, e->receiver, wrong,
                    (int)e->state, (unsigned long long)e->sequence);
    if (b->objects_done)
        soak_fault (b->plan, "an event after transaction_done");
}

#endif
