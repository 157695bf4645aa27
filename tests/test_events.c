/* SPDX-License-Identifier: Apache-2.0 */
/* Progress events and hints at the owner. */
#include "larder_mpitxn.h"

enum { CHUNK = 4096, SLOTS = 256, ITEMS = 60, TAG_AT = 1, TAG_GO = 2, TAG_DONE = 3 };

static const larder_config roomy = {
    .chunk_size = CHUNK, .cache_size = SLOTS * CHUNK, .timeout_s = 60, .hold_timeout_s = 60};

static uint64_t size_mixed (uint64_t item)
{
    static const uint64_t sizes[] = {0, 1, 5000, 17, 4096, 0, 9000, 300, 301, 4095, 4097};
    return sizes[item * 7 % 11];
}

static uint64_t size_chunk (uint64_t item)
{
    (void)item;
    return CHUNK;
}

static int last (void)
{
    return mpitest_size - 1;
}

static void make (struct mpiobject *o, int count)
{
    for (int i = 0; i < count; ++i) {
        o[i] = mpiobject_make (ITEMS, size_mixed);
        o[i].salt = 1 + 31 * (uint64_t)i;
    }
}

static void stand_still (struct mpisink *k)
{
    if (k->user || k->next_item < 6)
        return;
    k->user = k;
    mpiobject_tell (0, TAG_AT);
    mpiobject_hear (0, TAG_GO);
}

/* The events of a pair: how many; *final is the last one.  Who never began may still end. */
static int events_of (const struct mpitxn *t, int object, int receiver, larder_event *final)
{
    int count = 0;
    *final = (larder_event){0};
    for (int i = 0; i < t->event_count; ++i)
        if (t->events[i].object == object && t->events[i].receiver == receiver) {
            CU_ASSERT_EQUAL (t->events[i].sequence, (uint64_t)++count);
            if (t->events[i].state < LARDER_EVENT_COMPLETED)
                CU_ASSERT_EQUAL (t->events[i].state == LARDER_EVENT_STARTED, count == 1);
            CU_ASSERT_EQUAL (t->events[i].owner, 0);
            *final = t->events[i];
        }
    return count;
}

/* ---------------------------------------------------------------- events */

/* Two events tell a whole story.  Where sizes need no asking the figures are exact at its end. */
static void whole_story (double interval_s, uint64_t (*size) (uint64_t item), uint64_t uniform)
{
    static struct mpitxn t;
    struct mpiobject o[2] = {mpiobject_make (ITEMS, size), mpiobject_make (ITEMS, size)};
    larder_error err = {0};
    larder_ref refs[2];
    t = (struct mpitxn){0};
    larder *s = mpiobject_open (&roomy);
    larder_transaction_options x = mpitxn_options (&t, LARDER_EVERY_RANK);
    x.progress_interval_s = interval_s;
    if (mpitest_rank == 0) {
        mpitxn_begin (s, &t, &x);
        for (int i = 0; i < 2; ++i) {
            larder_object object = {
                .ops = &mpiobject_sized, .self = &o[i], .uniform_item_size = uniform};
            MPITEST_OK (larder_transaction_add (s, t.number, &object, &refs[i], &err), err);
        }
        mpitxn_live (s, &t);
    }
    mpitxn_share (refs, 2, 0);
    mpiobject_get (s, &refs[0], &o[0], LARDER_OK);
    mpiobject_get (s, &refs[0], &o[0], LARDER_OK); /* of the second time nothing is said */
    mpiobject_get (s, &refs[1], &o[1], LARDER_OK);
    if (mpitest_rank == 0) {
        larder_receipt *r = mpitxn_wait (s, &t);
        for (int i = 0; i < 2 * mpitest_size; ++i) {
            larder_event e;
            int count = events_of (&t, i % 2, i / 2, &e);
            CU_ASSERT (interval_s < 0 ? count >= 2 : count == 2);
            CU_ASSERT_EQUAL (e.state, LARDER_EVENT_COMPLETED);
            CU_ASSERT_EQUAL (e.items_done, ITEMS);
            CU_ASSERT (e.bytes_done <= mpiobject_bytes (&o[0]));
            CU_ASSERT (!uniform || e.bytes_done == mpiobject_bytes (&o[0]));
        }
        larder_receipt_free (&r);
    }
    MPITEST_OK (larder_agree (s, LARDER_OK, NULL, &err), err);
    mpiobject_close (&s);
}

static void test_whole_story (void)
{
    static const double intervals[] = {-1, 0, 3600};
    for (int i = 0; i < 3; ++i) {
        whole_story (intervals[i], size_mixed, 0);
        whole_story (intervals[i], size_chunk, CHUNK);
    }
}

/* All stand still in the middle until the owner has heard that they have begun to read. */
static void test_step_by_step (void)
{
    static struct mpitxn t;
    struct mpiobject o = mpiobject_make (ITEMS, size_chunk);
    struct mpisink k = {.object = &o, .inside = stand_still};
    larder_request *request = NULL;
    larder_event e;
    larder_ref ref;
    t = (struct mpitxn){0};
    larder *s = mpiobject_open (&roomy);
    larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
    x.progress_interval_s = -1;
    if (mpitest_rank == 0)
        mpitxn_offer (s, &t, &x, &o, 1, &ref);
    mpitxn_share (&ref, 1, 0);
    if (mpitest_rank) {
        mpiobject_start (s, &ref, &k, &request);
        mpiobject_finish (&request, &k, LARDER_OK);
    } else if (mpitest_size > 1) {
        mpiobject_serve_until (s, last (), TAG_AT);
        for (int i = 1; i < mpitest_size; ++i) {
            while (events_of (&t, 0, i, &e) < 2)
                (void)larder_progress (s, 1, 0.01, NULL);
            CU_ASSERT_EQUAL (e.state, LARDER_EVENT_ACTIVE);
            CU_ASSERT (e.items_done >= 1 && e.items_done <= 7);
            CU_ASSERT_EQUAL (e.bytes_done, e.items_done * CHUNK);
        }
        for (int i = 1; i < mpitest_size; ++i)
            mpiobject_tell (i, TAG_GO);
        larder_receipt *r = mpitxn_wait (s, &t);
        for (int i = 1; i < mpitest_size; ++i) {
            CU_ASSERT (events_of (&t, 0, i, &e) >= 3);
            CU_ASSERT_EQUAL (e.state, LARDER_EVENT_COMPLETED);
        }
        larder_receipt_free (&r);
    }
    mpiobject_close (&s);
}

/* Failed in the consumer, failed because the object did, and not begun at all. */
static void test_failures (void)
{
    static struct mpitxn t;
    struct mpiobject o[3];
    larder_error err = {0};
    larder_ref refs[3];
    if (mpitest_size == 1)
        return;
    make (o, 3);
    o[1].fail_item = 20;
    o[1].fail_code = LARDER_EIO;
    t = (struct mpitxn){0};
    larder *s = mpiobject_open (&roomy);
    larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
    x.timeout_s = 1;
    if (mpitest_rank == 0) {
        mpitxn_begin (s, &t, &x);
        for (int i = 0; i < 3; ++i)
            mpitxn_add (s, &t, &o[i], i, &refs[i]);
    }
    mpitxn_share (refs, 3, 0);
    if (mpitest_rank) {
        struct mpisink k[2] = {{.object = &o[0], .fail_code = LARDER_EIO, .fail_item = 9},
                               {.object = &o[1]}};
        larder_request *requests[2] = {NULL, NULL};
        for (int i = 0; i < 2; ++i)
            mpiobject_start (s, &refs[i], &k[i], &requests[i]);
        mpiobject_tell (0, TAG_AT);
        mpiobject_finish (&requests[0], &k[0], LARDER_ECONSUMER);
        mpiobject_finish (&requests[1], &k[1], LARDER_EOWNER);
        mpiobject_get (s, &refs[1], &o[1], LARDER_EOWNER); /* nothing is said of that any more */
    } else {
        larder_event e;
        mpiobject_serve_until (s, last (), TAG_AT);
        mpitxn_live (s, &t);
        larder_receipt *r = mpitxn_wait (s, &t);
        CU_ASSERT_EQUAL (r->reason, LARDER_REASON_TIMEOUT);
        for (int i = 1; i < mpitest_size; ++i) {
            mpitxn_check_line (r, 0, i, LARDER_RECEIVER_FAILED, LARDER_ECONSUMER);
            mpitxn_check_line (r, 1, i, LARDER_RECEIVER_FAILED, LARDER_EOWNER);
            mpitxn_check_line (r, 2, i, LARDER_RECEIVER_MISSING, LARDER_ETIMEDOUT);
            CU_ASSERT_EQUAL (events_of (&t, 0, i, &e), 2);
            CU_ASSERT_EQUAL (e.state, LARDER_EVENT_FAILED);
            CU_ASSERT (e.bytes_done < mpiobject_bytes (&o[0]));
            int events = events_of (&t, 1, i, &e); /* one where the object had failed before */
            CU_ASSERT (events == 1 || events == 2);
            CU_ASSERT_EQUAL (e.state, LARDER_EVENT_FAILED);
            CU_ASSERT_EQUAL (events_of (&t, 2, i, &e), 0); /* who never began says nothing */
        }
        larder_receipt_free (&r);
    }
    MPITEST_OK (larder_agree (s, LARDER_OK, NULL, &err), err);
    mpiobject_close (&s);
}

/* Who is in the middle when the transaction is deleted gets a last event, before everything else. */
static void test_deleted (void)
{
    static struct mpitxn t;
    struct mpiobject o = mpiobject_make (ITEMS, size_mixed);
    struct mpisink k = {.object = &o, .inside = stand_still};
    larder_request *request = NULL;
    larder_error err = {0};
    larder_event e;
    larder_ref ref;
    t = (struct mpitxn){0};
    larder *s = mpiobject_open (&roomy);
    larder_transaction_options x = mpitxn_options (&t, LARDER_COUNT (mpitest_size));
    x.progress_interval_s = -1;
    if (mpitest_rank == 0)
        mpitxn_offer (s, &t, &x, &o, 1, &ref);
    mpitxn_share (&ref, 1, 0);
    if (mpitest_rank) {
        mpiobject_start (s, &ref, &k, &request);
        mpiobject_finish (&request, &k, LARDER_EGONE);
    } else {
        mpiobject_serve_until (s, last (), TAG_AT);
        MPITEST_OK (larder_transaction_delete (s, t.number, &err), err);
        const char *end = t.log + strlen (t.log) - 16;
        CU_ASSERT_STRING_EQUAL (end, "d0. D.. O.. x0. ");
        for (int i = 1; i < mpitest_size; ++i)
            CU_ASSERT_EQUAL (*(end - 4 * i), 'B');
        for (int i = 1; i < mpitest_size; ++i) {
            CU_ASSERT (events_of (&t, 0, i, &e) >= 2);
            CU_ASSERT_EQUAL (e.state, LARDER_EVENT_ABORTED);
            mpiobject_tell (i, TAG_GO);
        }
    }
    mpiobject_close (&s);
}

/* ---------------------------------------------------------------- hints */

static uint64_t hinted[ITEMS];
static uint64_t hint_count;

static void hint (void *self, uint64_t item)
{
    (void)self;
    if (hint_count < ITEMS)
        hinted[hint_count++] = item;
}

/* Of items that have chunks of their own each but the first is named before it is produced, once. */
static void test_hints (void)
{
    larder_object_ops ops = mpiobject_sized;
    struct mpiobject o = mpiobject_make (ITEMS, size_chunk);
    larder_object object = {.ops = &ops, .self = &o};
    larder_error err = {0};
    larder_ref ref;
    ops.prefetch_item = hint;
    hint_count = 0;
    larder *s = mpiobject_open (&roomy);
    if (mpitest_rank == 0)
        MPITEST_OK (larder_offer (s, &object, LARDER_EVERY_RANK, &ref, &err), err);
    mpitxn_share (&ref, 1, 0);
    mpiobject_get (s, &ref, &o, LARDER_OK);
    if (mpitest_rank == 0) {
        MPITEST_OK (larder_serve (s, 0, &err), err);
        CU_ASSERT_EQUAL (hint_count, ITEMS - 1);
        for (uint64_t i = 0; i < hint_count; ++i)
            CU_ASSERT_EQUAL (hinted[i], i + 1);
    }
    mpiobject_close (&s);
}

int main (int argc, char **argv)
{
    static const struct larder_test tests[] = {
        {"whole story", test_whole_story},
        {"step by step", test_step_by_step},
        {"failures", test_failures},
        {"deleted", test_deleted},
        {"hints", test_hints},
        {NULL, NULL},
    };
    return mpitest_main (argc, argv, "events", tests);
}
