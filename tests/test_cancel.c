/* SPDX-License-Identifier: Apache-2.0 */
/* Giving up, for good or for a while: what one receiver's cancel does to its transaction, and an interrupted
 * download does not. */
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

/* The last rank has object 0, is in the middle of 1, and has not begun 2. */
static void test_cancel (void)
{
    static struct mpitxn t;
    struct mpiobject o[3];
    larder_error err = {0};
    larder_event e;
    larder_ref refs[3];
    if (mpitest_size == 1)
        return;
    make (o, 3);
    t = (struct mpitxn){0};
    larder *s = mpiobject_open (&roomy);
    larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
    if (mpitest_rank == 0)
        mpitxn_offer (s, &t, &x, o, 3, refs);
    mpitxn_share (refs, 3, 0);
    for (int i = 0; mpitest_rank && i < 3; ++i)
        if (i == 0 || mpitest_rank != last ())
            mpiobject_get (s, &refs[i], &o[i], LARDER_OK);
    if (mpitest_rank == last ()) {
        struct mpisink k = {.object = &o[1]};
        larder_request *request = NULL;
        mpiobject_start (s, &refs[1], &k, &request);
        while (k.views < 2)
            CU_ASSERT_EQUAL_FATAL (larder_download_test (&request, &err), LARDER_AGAIN);
        MPITEST_OK (larder_download_cancel (&request, &err), err);
        CU_ASSERT_PTR_NULL (request);
        mpisink_check_failed (&k, LARDER_ECANCELED);
    } else if (mpitest_rank == 0) {
        larder_receipt *r = mpitxn_wait (s, &t);
        mpitxn_check (r, LARDER_DONE_FINISHED, LARDER_VERDICT_FAILED,
                      LARDER_REASON_RECEIVER_FAILED);
        for (int n = 0; n < 3; ++n)
            for (int i = 1; i < mpitest_size; ++i) {
                int gave_up = n && i == last ();
                mpitxn_check_line (r, n, i,
                                   gave_up ? LARDER_RECEIVER_FAILED : LARDER_RECEIVER_SUCCEEDED,
                                   gave_up ? LARDER_ECANCELED : LARDER_OK);
                CU_ASSERT (events_of (&t, n, i, &e) >= (gave_up && n == 2 ? 1 : 2));
                CU_ASSERT_EQUAL (e.state, gave_up ? LARDER_EVENT_ABORTED : LARDER_EVENT_COMPLETED);
            }
        larder_receipt_free (&r);
    }
    MPITEST_OK (larder_agree (s, LARDER_OK, NULL, &err), err);
    mpiobject_close (&s);
}

/* Saying so does the same; and a rank that is not expected cannot do it for others. */
static void test_confirm_cancelled (void)
{
    static struct mpitxn t;
    struct mpiobject o[2];
    larder_error err = {0};
    larder_ref refs[2];
    int receiver = last ();
    if (mpitest_size < 3)
        return;
    make (o, 2);
    t = (struct mpitxn){0};
    larder *s = mpiobject_open (&roomy);
    larder_transaction_options x = mpitxn_options (&t, (larder_receivers){&receiver, 1});
    if (mpitest_rank == 0)
        mpitxn_offer (s, &t, &x, o, 2, refs);
    mpitxn_share (refs, 2, 0);
    if (mpitest_rank == 1) {
        MPITEST_OK (larder_confirm (s, &refs[0], LARDER_ECANCELED, &err), err);
        MPITEST_OK (larder_confirm (s, &refs[1], LARDER_OK, &err), err);
        mpiobject_tell (last (), TAG_GO);
    } else if (mpitest_rank == last ()) {
        mpiobject_hear (1, TAG_GO);
        mpiobject_get (s, &refs[1], &o[1], LARDER_OK);
        MPITEST_OK (larder_confirm (s, &refs[1], LARDER_ECANCELED, &err), err);
    } else if (mpitest_rank == 0) {
        larder_receipt *r = mpitxn_wait (s, &t);
        CU_ASSERT_EQUAL (r->receivers, 1);
        mpitxn_check_line (r, 0, last (), LARDER_RECEIVER_FAILED, LARDER_ECANCELED);
        mpitxn_check_line (r, 1, last (), LARDER_RECEIVER_SUCCEEDED, LARDER_OK);
        mpitxn_check_line (r, 0, 1, 0, 0);
        CU_ASSERT (o[0].ones == 1 && o[1].ones == 1);
        larder_receipt_free (&r);
    }
    mpiobject_close (&s);
}

/* The second item fails when the receiver has the first one, and stands still. */
static void fail_behind (struct mpiobject *o)
{
    if (o->calls == 2)
        mpiobject_hear (last (), TAG_AT);
}

/* The object that is being downloaded fails, and its receiver gives up before it hears of that: the rest of
 * the transaction is given up all the same. */
static void test_cancel_failed (void)
{
    static struct mpitxn t;
    struct mpiobject o[2];
    larder_error err = {0};
    larder_ref refs[2];
    int receiver = last ();
    if (mpitest_size == 1)
        return;
    for (int i = 0; i < 2; ++i)
        o[i] = mpiobject_make (ITEMS, size_chunk);
    o[0].inside = fail_behind;
    o[0].fail_code = LARDER_EIO;
    o[0].fail_item = 1;
    t = (struct mpitxn){0};
    larder *s = mpiobject_open (&roomy);
    larder_transaction_options x = mpitxn_options (&t, (larder_receivers){&receiver, 1});
    x.timeout_s = 10; /* it does not come to that */
    if (mpitest_rank == 0)
        mpitxn_offer (s, &t, &x, o, 2, refs);
    mpitxn_share (refs, 2, 0);
    if (mpitest_rank == last ()) {
        struct mpisink k = {.object = &o[0]};
        larder_request *request = NULL;
        mpiobject_start (s, &refs[0], &k, &request);
        while (k.views < 1)
            CU_ASSERT_EQUAL_FATAL (larder_download_test (&request, &err), LARDER_AGAIN);
        mpiobject_tell (0, TAG_AT);
        mpiobject_hear (0, TAG_GO);
        MPITEST_OK (larder_download_cancel (&request, &err), err);
        mpisink_check_failed (&k, LARDER_ECANCELED);
    } else if (mpitest_rank == 0) {
        while (o[0].ones == 0)
            (void)larder_progress (s, 1, 0.01, NULL);
        mpiobject_tell (last (), TAG_GO);
        larder_receipt *r = mpitxn_wait (s, &t);
        mpitxn_check (r, LARDER_DONE_FINISHED, LARDER_VERDICT_FAILED,
                      LARDER_REASON_RECEIVER_FAILED);
        mpitxn_check_line (r, 0, last (), LARDER_RECEIVER_FAILED, LARDER_EOWNER);
        mpitxn_check_line (r, 1, last (), LARDER_RECEIVER_FAILED, LARDER_ECANCELED);
        larder_receipt_free (&r);
    }
    MPITEST_OK (larder_agree (s, LARDER_OK, NULL, &err), err);
    mpiobject_close (&s);
}

static int after_two_views (void *self)
{
    const struct mpisink *k = self;
    return k->views >= 2;
}

/* The consumer of one download says so; the other downloads of the transaction end likewise. */
static void test_abort_requested (void)
{
    static struct mpitxn t;
    struct mpiobject o[3];
    larder_ref refs[3];
    if (mpitest_size == 1)
        return;
    make (o, 3);
    t = (struct mpitxn){0};
    larder *s = mpiobject_open (&roomy);
    larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
    if (mpitest_rank == 0)
        mpitxn_offer (s, &t, &x, o, 3, refs);
    mpitxn_share (refs, 3, 0);
    for (int i = 0; mpitest_rank && i < 3; ++i)
        if (i == 0 || mpitest_rank != last ())
            mpiobject_get (s, &refs[i], &o[i], LARDER_OK);
    if (mpitest_rank == last ()) {
        struct mpisink k[2] = {{.object = &o[1]}, {.object = &o[2]}};
        larder_consumer consumer = mpisink_consumer (&k[0]);
        larder_request *requests[2] = {NULL, NULL};
        larder_error err = {0};
        consumer.abort_requested = after_two_views;
        MPITEST_OK (larder_download_start (s, &refs[1], &consumer, &requests[0], &err), err);
        mpiobject_start (s, &refs[2], &k[1], &requests[1]);
        mpiobject_finish (&requests[1], &k[1], LARDER_ECANCELED);
        mpiobject_finish (&requests[0], &k[0], LARDER_ECANCELED);
    } else if (mpitest_rank == 0) {
        larder_receipt *r = mpitxn_wait (s, &t);
        for (int n = 0; n < 3; ++n)
            for (int i = 1; i < mpitest_size; ++i)
                mpitxn_check_line (
                    r, n, i, n && i == last () ? LARDER_RECEIVER_FAILED : LARDER_RECEIVER_SUCCEEDED,
                    n && i == last () ? LARDER_ECANCELED : LARDER_OK);
        larder_receipt_free (&r);
    }
    mpiobject_close (&s);
}

/* An interrupted download is no verdict: the others finish, the owner waits, and going on completes it. */
static void test_interrupted (void)
{
    static struct mpitxn t;
    struct mpiobject o = mpiobject_make (ITEMS, size_chunk);
    struct mpisink k = {.object = &o};
    larder_consumer consumer = mpisink_consumer (&k);
    larder_request *request = NULL;
    larder_cursor cursor;
    larder_error err = {0};
    larder_ref ref;
    if (mpitest_size == 1)
        return;
    t = (struct mpitxn){0};
    larder *s = mpiobject_open (&roomy);
    larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
    if (mpitest_rank == 0)
        mpitxn_offer (s, &t, &x, &o, 1, &ref);
    mpitxn_share (&ref, 1, 0);
    if (mpitest_rank) {
        mpiobject_start (s, &ref, &k, &request);
        while (mpitest_rank == last () && k.views < 5)
            CU_ASSERT_EQUAL_FATAL (larder_download_test (&request, &err), LARDER_AGAIN);
        if (mpitest_rank == last ()) {
            MPITEST_OK (larder_download_interrupt (&request, &cursor, &err), err);
            mpiobject_tell (0, TAG_AT);
            mpiobject_hear (0, TAG_GO);
            MPITEST_OK (larder_download_resume (s, &cursor, &consumer, &request, &err), err);
        }
        mpiobject_finish (&request, &k, LARDER_OK);
    } else {
        mpiobject_serve_until (s, 1, TAG_AT);
        while (o.ones < last () - 1)
            (void)larder_progress (s, 1, 0.01, NULL);
        CU_ASSERT_EQUAL (larder_transaction_wait (s, t.number, 1.5, NULL, &err), LARDER_AGAIN);
        CU_ASSERT_EQUAL (o.code_of[last ()], 1);
        mpiobject_tell (last (), TAG_GO);
        larder_receipt *r = mpitxn_wait (s, &t);
        larder_event e;
        CU_ASSERT_EQUAL (r->verdict, LARDER_VERDICT_COMPLETED);
        CU_ASSERT (events_of (&t, 0, last (), &e) >= 2);
        CU_ASSERT_EQUAL (e.items_done, ITEMS);
        larder_receipt_free (&r);
    }
    mpiobject_close (&s);
}

int main (int argc, char **argv)
{
    static const struct larder_test tests[] = {
        {"cancel", test_cancel},
        {"cancel failed", test_cancel_failed},
        {"confirm cancelled", test_confirm_cancelled},
        {"abort requested", test_abort_requested},
        {"interrupted", test_interrupted},
        {NULL, NULL},
    };
    return mpitest_main (argc, argv, "cancel", tests);
}
