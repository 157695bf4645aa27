/* SPDX-License-Identifier: Apache-2.0 */
/* Announced absences, as the owner treats them: no budget, timeout or hold timeout is charged to who is
 * away, and who is back is judged as before. */
#define _GNU_SOURCE
#include "larder_mpitxn.h"
#include <time.h>

enum { CHUNK = 4096, SLOTS = 16, ITEMS = 80, TAG_AT = 1, TAG_GO = 2, AWAY = 600 };

static uint64_t size_chunk (uint64_t item)
{
    (void)item;
    return CHUNK;
}

static int last (void)
{
    return mpitest_size - 1;
}

/* Say for how long one is away, then be away until the owner says so. */
static void be_away (larder *s, double announced_s)
{
    larder_error err = {0};
    MPITEST_OK (larder_pause (s, announced_s, &err), err);
    mpiobject_tell (0, TAG_AT);
    mpiobject_hear (0, TAG_GO);
}

/* Rank `last` goes away: -1: before it begins; else after so many views. */
static void download (larder *s, const larder_ref *ref, const struct mpiobject *o, int when)
{
    struct mpisink k = {.object = o};
    larder_request *request = NULL;
    if (mpitest_rank == last () && when < 0)
        be_away (s, AWAY);
    mpiobject_start (s, ref, &k, &request);
    while (mpitest_rank == last () && (int)k.views < when)
        CU_ASSERT_EQUAL_FATAL (larder_download_test (&request, NULL), LARDER_AGAIN);
    if (mpitest_rank == last () && when >= 0)
        be_away (s, AWAY);
    mpiobject_finish (&request, &k, LARDER_OK);
}

static void offer (larder *s, struct mpitxn *t, struct mpiobject *o, int once,
                   const larder_transaction_options *x, larder_ref *ref)
{
    larder_error err = {0};
    larder_object object = {.ops = &mpiobject_sized, .self = o, .name = "thing", .once = once};
    if (mpitest_rank == 0) {
        mpitxn_begin (s, t, x);
        MPITEST_OK (larder_transaction_add (s, t->number, &object, ref, &err), err);
        mpitxn_live (s, t);
    }
    mpitxn_share (ref, 1, 0);
}

/* Everything is short, and the last rank is away for longer than all of it. */
static void away (int when, int once)
{
    static struct mpitxn t;
    struct mpiobject o = mpiobject_make (ITEMS, size_chunk);
    larder_error err = {0};
    larder_ref ref;
    larder_config config = {.chunk_size = CHUNK,
                            .cache_size = SLOTS * CHUNK,
                            .timeout_s = 60,
                            .hold_timeout_s = 0.2,
                            .max_lines = 8};
    t = (struct mpitxn){0};
    larder *s = mpiobject_open (&config);
    larder_transaction_options x = mpitxn_options (&t, (larder_receivers){(int[]){last ()}, 1});
    x.timeout_s = x.acquire_timeout_s = x.idle_timeout_s = 1;
    offer (s, &t, &o, once, &x, &ref);
    if (mpitest_rank == last ()) {
        download (s, &ref, &o, when);
    } else if (mpitest_rank == 0) {
        mpiobject_serve_until (s, 1, TAG_AT);
        CU_ASSERT_EQUAL (larder_transaction_wait (s, t.number, 2.5, NULL, &err), LARDER_AGAIN);
        CU_ASSERT_EQUAL (o.ones, 0);
        mpiobject_tell (last (), TAG_GO);
        larder_receipt *r = mpitxn_wait (s, &t);
        CU_ASSERT_EQUAL (r->verdict, LARDER_VERDICT_COMPLETED);
        CU_ASSERT_EQUAL (o.calls, ITEMS);
        larder_receipt_free (&r);
    }
    mpiobject_close (&s);
}

static void test_nothing_is_charged (void)
{
    if (mpitest_size == 1)
        return;
    away (-1, 0);
    away (3, 1);
}

/* Others wait for it, and neither lose nor make it lose what cannot be made again. */
static void test_others_wait (void)
{
    static struct mpitxn t;
    struct mpiobject o;
    larder_error err = {0};
    larder_ref ref;
    larder_config config = {
        .chunk_size = CHUNK, .cache_size = SLOTS * CHUNK, .timeout_s = 60, .hold_timeout_s = 1};
    if (mpitest_size < 3)
        return;
    for (int when = -1; when < 4; when += 4) {
        t = (struct mpitxn){0};
        o = mpiobject_make (ITEMS, size_chunk);
        larder *s = mpiobject_open (&config);
        larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
        offer (s, &t, &o, 1, &x, &ref);
        if (mpitest_rank) {
            download (s, &ref, &o, when);
        } else {
            mpiobject_serve_until (s, 1, TAG_AT);
            CU_ASSERT_EQUAL (larder_transaction_wait (s, t.number, 2.5, NULL, &err), LARDER_AGAIN);
            CU_ASSERT_EQUAL (o.ones, 0);
            mpiobject_tell (last (), TAG_GO);
            larder_receipt *r = mpitxn_wait (s, &t);
            CU_ASSERT_EQUAL (r->verdict, LARDER_VERDICT_COMPLETED);
            CU_ASSERT_EQUAL (o.calls, ITEMS); /* each once */
            larder_receipt_free (&r);
        }
        mpiobject_close (&s);
    }
}

/* Who has come back early is judged from then on. */
static void test_back_early (void)
{
    static struct mpitxn t;
    struct mpiobject o = mpiobject_make (ITEMS, size_chunk);
    larder_error err = {0};
    larder_ref ref;
    larder_config config = {
        .chunk_size = CHUNK, .cache_size = 2 * ITEMS * CHUNK, .timeout_s = 60, .hold_timeout_s = 1};
    if (mpitest_size == 1)
        return;
    t = (struct mpitxn){0};
    larder *s = mpiobject_open (&config);
    larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
    x.idle_timeout_s = 1.5;
    offer (s, &t, &o, 0, &x, &ref);
    if (mpitest_rank == last ()) {
        struct mpisink k = {.object = &o};
        larder_request *request = NULL;
        mpiobject_start (s, &ref, &k, &request);
        while (k.views < 3)
            CU_ASSERT_EQUAL_FATAL (larder_download_test (&request, NULL), LARDER_AGAIN);
        be_away (s, AWAY);
        be_away (s, 0);
        mpiobject_finish (&request, &k, LARDER_ETIMEDOUT);
    } else if (mpitest_rank) {
        mpiobject_get (s, &ref, &o, LARDER_OK);
    } else {
        mpiobject_serve_until (s, 1, TAG_AT);
        CU_ASSERT_EQUAL (larder_transaction_wait (s, t.number, 2, NULL, &err), LARDER_AGAIN);
        mpiobject_tell (last (), TAG_GO);
        mpiobject_serve_until (s, 1, TAG_AT);
        while (o.code_of[last ()] == 1 && larder_progress (s, 1, 0.01, NULL) >= 0)
            ;
        mpiobject_tell (last (), TAG_GO);
        larder_receipt *r = mpitxn_wait (s, &t);
        mpitxn_check_line (r, 0, last (), LARDER_RECEIVER_FAILED, LARDER_ETIMEDOUT);
        CU_ASSERT (r->seconds < AWAY / 2);
        larder_receipt_free (&r);
    }
    mpiobject_close (&s);
}

/* Who did not look for longer than the session's timeout_s, and announced nothing, has not waited. */
static void test_nobody_looked (void)
{
    static struct mpitxn t;
    const larder_config impatient = {
        .chunk_size = CHUNK, .cache_size = SLOTS * CHUNK, .timeout_s = 1.5};
    struct mpiobject o = mpiobject_make (ITEMS, size_chunk);
    struct mpisink k = {.object = &o};
    larder_request *request = NULL;
    larder_error err = {0};
    larder_ref ref;
    int receiver = last ();
    if (mpitest_size == 1)
        return;
    t = (struct mpitxn){0};
    larder *s = mpiobject_open (&impatient);
    larder_transaction_options x = mpitxn_options (&t, (larder_receivers){&receiver, 1});
    if (mpitest_rank == 0)
        mpitxn_offer (s, &t, &x, &o, 1, &ref);
    mpitxn_share (&ref, 1, 0);
    if (mpitest_rank == last ()) {
        mpiobject_start (s, &ref, &k, &request);
        (void)nanosleep (&(struct timespec){2, 0}, NULL); /* the owner does not look either */
        CU_ASSERT_EQUAL_FATAL (larder_download_test (&request, &err), LARDER_AGAIN);
        mpiobject_tell (0, TAG_AT);
        mpiobject_finish (&request, &k, LARDER_OK);
    } else if (mpitest_rank == 0) {
        mpiobject_hear (last (), TAG_AT);
        larder_receipt *r = mpitxn_wait (s, &t);
        CU_ASSERT_EQUAL (r->verdict, LARDER_VERDICT_COMPLETED);
        larder_receipt_free (&r);
    }
    MPI_Barrier (MPI_COMM_WORLD); /* the others do not wait by the session */
    mpiobject_close (&s);
}

int main (int argc, char **argv)
{
    static const struct larder_test tests[] = {
        {"nothing is charged", test_nothing_is_charged},
        {"others wait", test_others_wait},
        {"back early", test_back_early},
        {"nobody looked", test_nobody_looked},
        {NULL, NULL},
    };
    return mpitest_main (argc, argv, "pause", tests);
}
