/* SPDX-License-Identifier: Apache-2.0 */
/* A transaction that keeps a log of what it and its objects are told, and checks of its receipt. */
#ifndef LARDER_MPITXN_H
#define LARDER_MPITXN_H

#include "larder_mpiobject.h"

enum { MPITXN_EVENTS = 1024 };

/* A transaction that keeps one log for its objects and for itself: words of a letter, an object's
 * number (its mpiobject's id) and a receiver's, such as "p1. " or "102 "; '.' where there is none. */
struct mpitxn {
    uint64_t number;
    char log[MPIOBJECT_LOG];
    int done_code, outcome_code; /* what its functions return */
    int dones, outcomes;
    larder_done done;
    larder_receipt receipt; /* as outcome saw it, without what it points to */
    const int *released;    /* releases of an object that must not have come before outcome */
    larder_event events[MPITXN_EVENTS];
    int event_count;
};

static inline void mpitxn_note (struct mpitxn *t, char what, char object, char receiver)
{
    size_t n = strlen (t->log);
    char word[5] = {what, object, receiver, ' ', 0};
    if (n + 4 < MPIOBJECT_LOG && (n < 4 || what != 'p' || strcmp (t->log + n - 4, word) != 0))
        memcpy (t->log + n, word, sizeof word);
}

static inline void mpitxn_told (struct mpiobject *o, char what, int receiver)
{
    mpitxn_note (o->txn, what, o->id, (char)(receiver < 0 ? '.' : '0' + receiver));
}

static inline int mpitxn_on_done (void *self, uint64_t transaction, larder_done done)
{
    struct mpitxn *t = self;
    mpitxn_note (t, 'D', '.', '.');
    ++t->dones;
    t->done = done;
    CU_ASSERT_EQUAL (transaction, t->number);
    return t->done_code;
}

static inline int mpitxn_on_outcome (void *self, const larder_receipt *receipt)
{
    struct mpitxn *t = self;
    mpitxn_note (t, 'O', '.', '.');
    ++t->outcomes;
    t->receipt = *receipt;
    CU_ASSERT_EQUAL (receipt->transaction, t->number);
    CU_ASSERT (!t->released || *t->released == 0); /* sources are alive */
    return t->outcome_code;
}

/* 'S'tarted, '+' more, 'C'ompleted, 'F'ailed, a'B'orted. */
static inline void mpitxn_on_event (void *self, const larder_event *e)
{
    struct mpitxn *t = self;
    mpitxn_note (t, "?S+CFB"[e->state], (char)('0' + e->object), (char)('0' + e->receiver));
    for (int i = t->event_count; i-- > 0;) {
        const larder_event *b = &t->events[i];
        if (b->object != e->object || b->receiver != e->receiver)
            continue;
        CU_ASSERT_EQUAL (e->sequence, b->sequence + 1);
        CU_ASSERT (e->bytes_done >= b->bytes_done && e->items_done >= b->items_done);
        CU_ASSERT (e->seconds >= b->seconds && b->state < LARDER_EVENT_COMPLETED);
        break;
    }
    CU_ASSERT_EQUAL (e->transaction, t->number);
    if (t->event_count < MPITXN_EVENTS)
        t->events[t->event_count++] = *e;
}

/* Its functions, and who receives. */
static inline larder_transaction_options mpitxn_options (struct mpitxn *t, larder_receivers r)
{
    return (larder_transaction_options){.name = "bundle",
                                        .receivers = r,
                                        .self = t,
                                        .transaction_done = mpitxn_on_done,
                                        .outcome = mpitxn_on_outcome,
                                        .progress = mpitxn_on_event};
}

static inline void mpitxn_begin (larder *s, struct mpitxn *t,
                                 const larder_transaction_options *options)
{
    larder_error err = {0};
    MPITEST_OK (larder_transaction_begin (s, options, &t->number, &err), err);
}

/* Object number `id` of a transaction. */
static inline void mpitxn_add (larder *s, struct mpitxn *t, struct mpiobject *o, int id,
                               larder_ref *ref)
{
    larder_error err = {0};
    larder_object object = {.ops = &mpiobject_sized, .self = o, .name = "thing"};
    o->txn = t;
    o->told = mpitxn_told;
    o->id = (char)('0' + id);
    MPITEST_OK (larder_transaction_add (s, t->number, &object, ref, &err), err);
    CU_ASSERT_EQUAL (o->transaction, t->number);
}

static inline void mpitxn_live (larder *s, const struct mpitxn *t)
{
    larder_error err = {0};
    MPITEST_OK (larder_transaction_live (s, t->number, &err), err);
}

/* Begin, add and start. */
static inline void mpitxn_offer (larder *s, struct mpitxn *t,
                                 const larder_transaction_options *options, struct mpiobject *o,
                                 int objects, larder_ref *refs)
{
    mpitxn_begin (s, t, options);
    for (int i = 0; i < objects; ++i)
        mpitxn_add (s, t, &o[i], i, &refs[i]);
    mpitxn_live (s, t);
}

/* Its receipt, which the caller frees. */
static inline larder_receipt *mpitxn_wait (larder *s, const struct mpitxn *t)
{
    larder_error err = {0};
    larder_receipt *r = NULL;
    MPITEST_OK (larder_transaction_wait (s, t->number, -1, &r, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL (r);
    CU_ASSERT_EQUAL (r->transaction, t->number);
    return r;
}

static inline void mpitxn_check (const larder_receipt *r, larder_done done, larder_verdict verdict,
                                 larder_reason reason)
{
    CU_ASSERT_EQUAL (r->done, done);
    CU_ASSERT_EQUAL (r->verdict, verdict);
    CU_ASSERT_EQUAL (r->reason, reason);
}

/* The receipt says of a rank: this code, in this way.  verdict 0: it is not mentioned. */
static inline void mpitxn_check_line (const larder_receipt *r, int object, int rank, int verdict,
                                      int code)
{
    const larder_receipt_line *l = NULL;
    CU_ASSERT_FATAL (object < r->objects);
    for (int i = 0; i < r->receivers; ++i)
        if (r->object[object].lines[i].rank == rank)
            l = &r->object[object].lines[i];
    CU_ASSERT_EQUAL (l ? (int)l->verdict : 0, verdict);
    CU_ASSERT_EQUAL (l ? l->code : 0, code);
    if (l && ((int)l->verdict != verdict || l->code != code))
        fprintf (stderr, "rank %d: object %d, receiver %d: %s, %s\n", mpitest_rank, object, rank,
                 larder_receiver_verdict_text (l->verdict), larder_code_name (l->code));
}

/* The owner's refs, on all ranks. */
static inline void mpitxn_share (larder_ref *refs, int count, int owner)
{
    MPI_Bcast (refs, count * (int)sizeof *refs, MPI_BYTE, owner, MPI_COMM_WORLD);
}

#endif
