/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads as requests: several at once, given up, failing, refused, damaged on the way, and receivers
 * that stand still. */
#include "larder_mpiobject.h"
#include "larder_test_random.h"
#include <limits.h>
#include <math.h>

enum { CHUNK = 4096, SLOTS = 16, ITEMS = 100, TAG_DONE = 1, TAG_GO = 2, MANY = 5 };

/* hold_timeout is short: receivers read in different orders here. */
static const larder_config small = {
    .chunk_size = CHUNK, .cache_size = SLOTS * CHUNK, .timeout_s = 20, .hold_timeout_s = 0.1};

static uint64_t size_different (uint64_t item)
{
    static const uint64_t sizes[] = {0, 1, 5000, 17, 4096, 0, 0, 9000, 300, 301, 302, 4095, 4097};
    return sizes[item * 7 % 13];
}

static uint64_t size_chunk (uint64_t item)
{
    (void)item;
    return CHUNK;
}

/* Rank 0 offers, to everybody or to whom it may concern; all get the ref. */
static void offer (larder *s, struct mpiobject *o, int to_nobody, int once, larder_ref *ref)
{
    static const int nobody;
    larder_error err = {0};
    if (mpitest_rank == 0) {
        larder_object object = {.ops = &mpiobject_sized, .self = o, .name = "thing", .once = once};
        larder_receivers receivers = {&nobody, 0};
        MPITEST_OK (larder_offer (s, &object, to_nobody ? receivers : LARDER_ALL, ref, &err), err);
    }
    mpiobject_share (ref, 0);
}

static void serve (larder *s)
{
    larder_error err = {0};
    if (mpitest_rank == 0 && mpitest_size > 1)
        MPITEST_OK (larder_serve (s, 0, &err), err);
}

static void start (larder *s, const larder_ref *ref, struct mpisink *k, larder_request **request)
{
    larder_error err = {0};
    larder_consumer consumer = mpisink_consumer (k);
    MPITEST_OK (larder_download_start (s, ref, &consumer, request, &err), err);
    CU_ASSERT_PTR_NOT_NULL (*request);
    CU_ASSERT_EQUAL (k->views + (uint64_t)k->completed + (uint64_t)k->failed,
                     0); /* nothing is called inside */
}

static void wait_all (larder_request **request, const struct mpisink *k)
{
    larder_error err = {0};
    MPITEST_OK (larder_download_wait (request, -1, &err), err);
    CU_ASSERT_PTR_NULL (*request);
    mpisink_check_all (k);
}

static void download (larder *s, const larder_ref *ref, const struct mpiobject *o)
{
    larder_error err = {0};
    struct mpisink k = {.object = o};
    larder_consumer consumer = mpisink_consumer (&k);
    MPITEST_OK (larder_download (s, ref, &consumer, &err), err);
    mpisink_check_all (&k);
}

/* ---------------------------------------------------------------- several at once */

static void test_several (void)
{
    struct mpiobject o[MANY];
    larder_ref refs[MANY];
    larder *s = mpiobject_open (&small);
    for (int i = 0; i < MANY; ++i) {
        o[i] = mpiobject_make (ITEMS, i % 2 ? size_different : size_chunk);
        o[i].salt = (uint64_t)i * 31;
        offer (s, &o[i], 0, 0, &refs[i]);
    }
    if (mpitest_rank) {
        struct mpisink k[MANY];
        larder_request *requests[MANY] = {NULL};
        for (int i = 0; i < MANY; ++i) {
            k[i] = (struct mpisink){.object = &o[i]};
            start (s, &refs[i], &k[i], &requests[i]);
        }
        for (int i = MANY - 1; i >= 0; --i)
            wait_all (&requests[i], &k[i]);
    }
    serve (s);
    mpiobject_close (&s);
    for (int i = 0; i < MANY; ++i)
        CU_ASSERT_EQUAL (o[i].releases, mpitest_rank == 0);
}

static void test_twice_the_same (void)
{
    struct mpiobject o = mpiobject_make (ITEMS, size_different);
    larder_ref ref;
    larder *s = mpiobject_open (&small);
    offer (s, &o, 0, 0, &ref);
    if (mpitest_rank) {
        struct mpisink a = {.object = &o}, b = a;
        larder_request *first = NULL, *second = NULL;
        start (s, &ref, &a, &first);
        start (s, &ref, &b, &second);
        wait_all (&second, &b);
        wait_all (&first, &a);
    }
    serve (s);
    mpiobject_close (&s);
    if (mpitest_rank == 0)
        CU_ASSERT_EQUAL (o.ones, mpitest_size - 1); /* each receiver is final once */
}

/* ---------------------------------------------------------------- giving up, and again */

static void cancel (larder_request **request, const struct mpisink *k)
{
    larder_error err = {0};
    MPITEST_OK (larder_download_cancel (request, &err), err);
    CU_ASSERT_PTR_NULL (*request);
    mpisink_check_failed (k, LARDER_ECANCELED);
}

static void test_cancel (void)
{
    larder_error err = {0};
    struct mpiobject o = mpiobject_make (ITEMS, size_chunk);
    larder_ref ref;
    larder_request *request = NULL;
    larder *s = mpiobject_open (&small);
    offer (s, &o, 1, 0, &ref);
    if (mpitest_rank) {
        struct mpisink k = {.object = &o};
        start (s, &ref, &k, &request);
        cancel (&request, &k);
        CU_ASSERT_EQUAL (k.views, 0);
        k = (struct mpisink){.object = &o};
        start (s, &ref, &k, &request);
        while (k.views < 3)
            CU_ASSERT_EQUAL_FATAL (larder_download_test (&request, &err), LARDER_AGAIN);
        cancel (&request, &k);
        uint64_t views = k.views;
        MPITEST_OK (larder_progress (s, 10, 0, &err) < 0, err);
        CU_ASSERT_EQUAL (k.views, views);
        download (s, &ref, &o);
        mpiobject_tell (0, TAG_DONE);
    } else {
        mpiobject_serve_until (s, mpitest_size - 1, TAG_DONE);
        MPITEST_OK (larder_withdraw (s, &ref, &err), err);
        CU_ASSERT_EQUAL (o.releases, 1);
    }
    CU_ASSERT_EQUAL (larder_download_cancel (NULL, &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_download_cancel (&request, &err), LARDER_OK);
    mpiobject_close (&s);
}

/* Who gives one download up gives up the transaction: its other downloads end, and stay to be reaped. */
static void test_cancel_all (void)
{
    larder_error err = {0};
    struct mpiobject o[3] = {mpiobject_make (ITEMS, size_chunk),
                             mpiobject_make (ITEMS, size_different),
                             mpiobject_make (ITEMS, size_chunk)};
    larder_ref refs[3];
    uint64_t transaction = 0;
    larder *s = mpiobject_open (&small);
    offer (s, &o[2], 0, 0, &refs[2]); /* a transaction of its own */
    if (mpitest_rank == 0)
        MPITEST_OK (larder_transaction_begin (s, NULL, &transaction, &err), err);
    for (int i = 0; i < 2; ++i) {
        larder_object object = {.ops = &mpiobject_sized, .self = &o[i], .name = "thing"};
        if (mpitest_rank == 0)
            MPITEST_OK (larder_transaction_add (s, transaction, &object, &refs[i], &err), err);
        mpiobject_share (&refs[i], 0);
    }
    if (mpitest_rank == 0)
        MPITEST_OK (larder_transaction_live (s, transaction, &err), err);
    if (mpitest_rank) {
        struct mpisink k[3] = {{.object = &o[0]}, {.object = &o[1]}, {.object = &o[2]}};
        larder_request *requests[3] = {NULL};
        for (int i = 0; i < 3; ++i)
            start (s, &refs[i], &k[i], &requests[i]);
        cancel (&requests[0], &k[0]);
        mpisink_check_failed (&k[1], LARDER_ECANCELED);
        CU_ASSERT_EQUAL (larder_download_wait (&requests[1], -1, &err), LARDER_ECANCELED);
        CU_ASSERT_PTR_NULL (requests[1]);
        wait_all (&requests[2], &k[2]);
    }
    serve (s);
    for (int i = 1; mpitest_rank == 0 && i < mpitest_size; ++i) {
        CU_ASSERT_EQUAL (o[0].code_of[i], LARDER_ECANCELED);
        CU_ASSERT_EQUAL (o[1].code_of[i], LARDER_ECANCELED);
        CU_ASSERT_EQUAL (o[2].code_of[i], LARDER_OK);
    }
    mpiobject_close (&s);
}

/* The owner stands still: waiting comes back, and the request lives. */
static void test_wait_with_timeout (void)
{
    larder_error err = {0};
    struct mpiobject o = mpiobject_make (ITEMS, size_different);
    larder_ref ref;
    larder *s = mpiobject_open (&small);
    offer (s, &o, 0, 0, &ref);
    if (mpitest_rank) {
        struct mpisink k = {.object = &o};
        larder_request *request = NULL, *before;
        start (s, &ref, &k, &request);
        before = request;
        CU_ASSERT_EQUAL (larder_download_wait (&request, 0.01, &err), LARDER_AGAIN);
        CU_ASSERT_EQUAL (larder_download_wait (&request, 0, &err), LARDER_AGAIN);
        CU_ASSERT_EQUAL (larder_download_test (&request, &err), LARDER_AGAIN);
        CU_ASSERT_PTR_EQUAL (request, before);
        CU_ASSERT_EQUAL (k.views, 0);
        mpiobject_tell (0, TAG_DONE);
        int rc;
        while ((rc = larder_download_wait (&request, 0.001, &err)) == LARDER_AGAIN)
            CU_ASSERT_PTR_NOT_NULL (request);
        MPITEST_OK (rc, err);
        mpisink_check_all (&k);
    } else
        for (int i = 1; i < mpitest_size; ++i)
            mpiobject_hear (i, TAG_DONE);
    serve (s);
    mpiobject_close (&s);
}

/* Nothing moves at all: the session's own timeout ends the download. */
static void test_timeout_of_the_session (void)
{
    larder_config config = small;
    config.timeout_s = 2;
    larder_error err = {0};
    struct mpiobject o = mpiobject_make (ITEMS, size_different);
    larder_ref ref;
    larder *s = mpiobject_open (&config);
    offer (s, &o, 0, 0, &ref);
    if (mpitest_rank) {
        struct mpisink k = {.object = &o};
        larder_consumer consumer = mpisink_consumer (&k);
        CU_ASSERT_EQUAL (larder_download (s, &ref, &consumer, &err), LARDER_ETIMEDOUT);
        CU_ASSERT_EQUAL (err.code, LARDER_ETIMEDOUT);
        CU_ASSERT_EQUAL (err.rank, mpitest_rank);
        mpisink_check_failed (&k, LARDER_ETIMEDOUT);
        mpiobject_tell (0, TAG_DONE);
        /* The owner never answered, so it is told what it missed. */
        MPITEST_OK (larder_confirm (s, &ref, LARDER_ETIMEDOUT, &err), err);
    } else {
        for (int i = 1; i < mpitest_size; ++i)
            mpiobject_hear (i, TAG_DONE);
        serve (s);
        CU_ASSERT_EQUAL (o.releases, mpitest_size > 1);
        for (int i = 1; i < mpitest_size; ++i)
            CU_ASSERT_EQUAL (o.code_of[i], LARDER_ETIMEDOUT);
    }
    MPITEST_OK (larder_agree (s, LARDER_OK, NULL, &err), err);
    mpiobject_close (&s);
}

/* ---------------------------------------------------------------- consumers that fail */

static void test_consumer_fails (void)
{
    larder_error err = {0};
    struct mpiobject o[2] = {mpiobject_make (ITEMS, size_chunk),
                             mpiobject_make (ITEMS, size_different)};
    larder_ref refs[2];
    int bad = mpitest_rank == mpitest_size - 1;
    for (int at_end = 0; at_end < 2; ++at_end) {
        o[0] = mpiobject_make (ITEMS, size_chunk);
        o[1] = mpiobject_make (ITEMS, size_different);
        larder *s = mpiobject_open (&small);
        offer (s, &o[0], 0, 0, &refs[0]);
        offer (s, &o[1], 0, 0, &refs[1]);
        if (mpitest_rank) {
            struct mpisink k[2] = {{.object = &o[0]}, {.object = &o[1]}};
            larder_request *requests[2] = {NULL, NULL};
            k[0].fail_code = bad && !at_end ? LARDER_EIO : 0;
            k[0].fail_item = 30;
            k[0].completed_code = bad && at_end ? LARDER_ENOSPC : 0;
            start (s, &refs[0], &k[0], &requests[0]);
            start (s, &refs[1], &k[1], &requests[1]);
            int rc = larder_download_wait (&requests[0], -1, &err);
            if (!bad) {
                MPITEST_OK (rc, err);
                mpisink_check_all (&k[0]);
            } else {
                CU_ASSERT_EQUAL (rc, LARDER_ECONSUMER);
                CU_ASSERT_EQUAL (err.code, LARDER_ECONSUMER);
                CU_ASSERT_PTR_NOT_NULL (
                    strstr (err.text, at_end ? "cannot finish" : "no appetite"));
                CU_ASSERT_EQUAL (k[0].bad, 0);
                CU_ASSERT_EQUAL (k[0].failed, !at_end); /* completed is not followed by failed */
                CU_ASSERT_EQUAL (k[0].completed, at_end);
            }
            wait_all (&requests[1], &k[1]); /* the other download goes on */
        }
        serve (s);
        mpiobject_close (&s);
        if (mpitest_rank == 0)
            for (int i = 1; i < mpitest_size; ++i) {
                CU_ASSERT_EQUAL (o[0].code_of[i],
                                 i == mpitest_size - 1 ? LARDER_ECONSUMER : LARDER_OK);
                CU_ASSERT_EQUAL (o[1].code_of[i], LARDER_OK);
            }
    }
}

/* ---------------------------------------------------------------- calls from inside callbacks */

static struct {
    larder *session;
    larder_ref ref;
    larder_request *request;
    int calls;
} inside;

static void call_everything (void)
{
    larder_error err = {0};
    larder_session_info info;
    larder_stats stats;
    struct mpiobject o = mpiobject_make (1, size_chunk);
    struct mpisink k = {.object = &o};
    larder_consumer consumer = mpisink_consumer (&k);
    larder_object object = {.ops = &mpiobject_sized, .self = &o};
    larder_request *request = NULL, *kept = inside.request;
    larder_cursor cursor = {.ref = inside.ref};
    larder_ref ref;
    larder *s = inside.session;
    ++inside.calls;
    CU_ASSERT_EQUAL (larder_progress (s, 1, 0, &err), LARDER_ECALLBACK);
    CU_ASSERT_EQUAL (err.code, LARDER_ECALLBACK);
    CU_ASSERT_EQUAL (larder_serve (s, 0, &err), LARDER_ECALLBACK);
    CU_ASSERT_EQUAL (larder_agree (s, LARDER_OK, NULL, &err), LARDER_ECALLBACK);
    CU_ASSERT_EQUAL (larder_offer (s, &object, LARDER_ALL, &ref, &err), LARDER_ECALLBACK);
    CU_ASSERT_EQUAL (larder_withdraw (s, &inside.ref, &err), LARDER_ECALLBACK);
    CU_ASSERT_EQUAL (larder_download (s, &inside.ref, &consumer, &err), LARDER_ECALLBACK);
    CU_ASSERT_EQUAL (larder_download_start (s, &inside.ref, &consumer, &request, &err),
                     LARDER_ECALLBACK);
    CU_ASSERT_EQUAL (larder_download_resume (s, &cursor, &consumer, &request, &err),
                     LARDER_ECALLBACK);
    CU_ASSERT_PTR_NULL (request);
    CU_ASSERT_EQUAL (larder_pause (s, 1, &err), LARDER_ECALLBACK);
    CU_ASSERT_EQUAL (larder_confirm (s, &inside.ref, LARDER_OK, &err), LARDER_ECALLBACK);
    if (inside.request) {
        CU_ASSERT_EQUAL (larder_download_test (&inside.request, &err), LARDER_ECALLBACK);
        CU_ASSERT_EQUAL (larder_download_wait (&inside.request, 0, &err), LARDER_ECALLBACK);
        CU_ASSERT_EQUAL (larder_download_cancel (&inside.request, &err), LARDER_ECALLBACK);
        CU_ASSERT_EQUAL (larder_download_interrupt (&inside.request, &cursor, &err),
                         LARDER_ECALLBACK);
        CU_ASSERT_PTR_EQUAL (inside.request, kept);
    }
    CU_ASSERT_EQUAL (larder_close (&inside.session, &err), LARDER_ECALLBACK);
    CU_ASSERT_PTR_EQUAL (inside.session, s);
    CU_ASSERT_EQUAL (larder_session_get_info (s, &info), LARDER_OK); /* looking is allowed */
    CU_ASSERT_EQUAL (larder_session_get_stats (s, &stats), LARDER_OK);
    CU_ASSERT_EQUAL (k.completed + k.failed + o.releases + o.counted, 0);
}

static void inside_consumer (struct mpisink *k)
{
    (void)k;
    call_everything ();
}

static void inside_object (struct mpiobject *o)
{
    (void)o;
    call_everything ();
}

static void test_calls_inside_callbacks (void)
{
    struct mpiobject o = mpiobject_make (20, size_chunk);
    o.inside = inside_object;
    larder *s = mpiobject_open (&small);
    offer (s, &o, 0, 0, &inside.ref);
    inside.session = s;
    inside.calls = 0;
    inside.request = NULL;
    if (mpitest_rank) {
        struct mpisink k = {.object = &o, .inside = inside_consumer};
        start (s, &inside.ref, &k, &inside.request);
        wait_all (&inside.request, &k);
    }
    serve (s);
    CU_ASSERT_EQUAL (inside.calls > 0, mpitest_size > 1);
    mpiobject_close (&s);
}

static void test_bad_arguments (void)
{
    larder_error err = {0};
    struct mpiobject o = mpiobject_make (20, size_chunk);
    struct mpisink k = {.object = &o};
    larder_consumer consumer = mpisink_consumer (&k), empty = {0};
    larder_request *request = NULL;
    larder_ref ref, nonsense = {{0}}, part;
    larder *s = mpiobject_open (&small);
    offer (s, &o, 0, 0, &ref);
    CU_ASSERT_EQUAL (larder_download_start (s, &ref, NULL, &request, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_download_start (s, &ref, &empty, &request, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_download_start (s, &ref, &consumer, NULL, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_download_start (s, NULL, &consumer, &request, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_download_start (NULL, &ref, &consumer, &request, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_download_start (s, &nonsense, &consumer, &request, &err), LARDER_EREF);
    CU_ASSERT_EQUAL (larder_download_test (&request, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_download_wait (NULL, 0, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_confirm (s, &ref, LARDER_AGAIN, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_confirm (s, &ref, -999, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_confirm (s, &ref, INT_MIN, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_progress (s, 1, NAN, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_serve (s, NAN, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_ref_items (&ref, 19, 2, &part, &err), LARDER_ERANGE);
    CU_ASSERT_PTR_NULL (request);
    CU_ASSERT_EQUAL (k.views + (uint64_t)k.completed + (uint64_t)k.failed, 0);
    if (mpitest_rank)
        MPITEST_OK (larder_confirm (s, &ref, LARDER_EIO, &err), err); /* not wanted, and said so */
    serve (s);
    for (int i = 1; mpitest_rank == 0 && i < mpitest_size; ++i)
        CU_ASSERT_EQUAL (o.code_of[i], LARDER_EIO);
    mpiobject_close (&s);
}

/* ---------------------------------------------------------------- more downloads than lines */

/* A node has two lines: who holds two is refused a third, who holds nothing waits for one, whatever it
 * begins meanwhile.  On each node the highest rank begins with nothing, unless it is the only receiver
 * there. */
static void test_more_than_lines (void)
{
    larder_config config = small;
    config.max_lines = 2;
    larder_error err = {0};
    larder_session_info info;
    struct mpiobject o[3];
    larder_ref refs[3];
    struct mpisink k[3];
    larder_request *requests[3] = {NULL};
    larder *s = mpiobject_open (&config);
    CU_ASSERT_EQUAL (larder_session_get_info (s, &info), LARDER_OK);
    int receivers = info.node_size - (info.node == 0);
    int idle = receivers > 1 && info.node_rank == info.node_size - 1;
    for (int i = 0; i < 3; ++i) {
        o[i] = mpiobject_make (ITEMS, size_different);
        o[i].salt = (uint64_t)i * 31;
        k[i] = (struct mpisink){.object = &o[i]};
        offer (s, &o[i], 0, 0, &refs[i]);
    }
    for (int i = 0; mpitest_rank && !idle && i < 2; ++i)
        start (s, &refs[i], &k[i], &requests[i]);
    MPI_Barrier (MPI_COMM_WORLD); /* the owner does not answer yet */
    if (mpitest_rank) {
        larder_consumer consumer = mpisink_consumer (&k[2]);
        int rc = larder_download_start (s, &refs[2], &consumer, &requests[2], &err);
        if (idle) {
            MPITEST_OK (rc, err);
            start (s, &refs[0], &k[0], &requests[0]); /* the neighbour's line: the other waits on */
        } else {
            CU_ASSERT_EQUAL (rc, LARDER_EBUSY);
            CU_ASSERT_PTR_NULL (requests[2]);
            CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "max_lines"));
            CU_ASSERT_EQUAL (k[2].failed, 0); /* it never began */
        }
    }
    MPI_Barrier (MPI_COMM_WORLD);
    if (mpitest_rank) {
        for (int i = 0; i < 3; ++i)
            if (requests[i])
                wait_all (&requests[i], &k[i]);
        for (int i = 0; i < 3; ++i)
            if (!k[i].completed)
                download (s, &refs[i], &o[i]); /* nothing is lost */
    }
    serve (s);
    for (int i = 0; mpitest_rank == 0 && i < 3; ++i)
        for (int r = 1; r < mpitest_size; ++r)
            CU_ASSERT_EQUAL (o[i].code_of[r], LARDER_OK);
    mpiobject_close (&s);
}

/* ---------------------------------------------------------------- ranges */

static void download_range (larder *s, const larder_ref *ref, struct mpiobject *o, uint64_t first,
                            uint64_t count)
{
    larder_error err = {0};
    larder_ref part;
    struct mpisink k = {.object = o, .next_item = first};
    larder_consumer consumer = mpisink_consumer (&k);
    MPITEST_OK (larder_ref_items (ref, first, count, &part, &err), err);
    MPITEST_OK (larder_download (s, &part, &consumer, &err), err);
    CU_ASSERT_EQUAL (k.bad, 0);
    CU_ASSERT_EQUAL (k.completed, 1);
    CU_ASSERT_EQUAL (k.failed, 0);
    CU_ASSERT_EQUAL (k.next_item, first + count);
    CU_ASSERT_EQUAL (k.next_offset, 0);
}

static void test_ranges (void)
{
    larder_error err = {0};
    struct larder_test_random random = larder_test_seed ();
    struct mpiobject o = mpiobject_make (ITEMS, size_different);
    larder_ref ref;
    larder *s = mpiobject_open (&small);
    random.state += (uint64_t)mpitest_rank << 32; /* ranges of its own */
    offer (s, &o, 0, 0, &ref);
    if (mpitest_rank) {
        download_range (s, &ref, &o, 0, 1);
        download_range (s, &ref, &o, ITEMS - 1, 1);
        download_range (s, &ref, &o, 10, 50);
        for (int i = 0; i < 12; ++i) {
            uint64_t first = larder_test_below (&random, ITEMS);
            download_range (s, &ref, &o, first, 1 + larder_test_below (&random, ITEMS - first));
        }
        MPITEST_OK (larder_confirm (s, &ref, LARDER_OK, &err), err);
    }
    serve (s);
    for (int i = 1; mpitest_rank == 0 && i < mpitest_size; ++i)
        CU_ASSERT_EQUAL (o.code_of[i], LARDER_OK);
    mpiobject_close (&s);
}

/* ---------------------------------------------------------------- damage on the way */

static larder_stats sum_of_stats (const larder *s)
{
    larder_stats mine, all = {0};
    CU_ASSERT_EQUAL (larder_session_get_stats (s, &mine), LARDER_OK);
    uint64_t words[3] = {mine.checksum_errors, mine.retries, mine.chunks_fetched}, sums[3] = {0};
    MPI_Allreduce (words, sums, 3, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
    all.checksum_errors = sums[0];
    all.retries = sums[1];
    all.chunks_fetched = sums[2];
    return all;
}

/* One in 200 of 2,000 chunks comes damaged: nobody sees it but the counters. */
static void test_damage (void)
{
    struct larder_test_random random = larder_test_seed ();
    larder_config config = small;
    larder_session_info info;
    uint64_t seed = larder_test_random (&random);
    MPI_Bcast (&seed, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);
    config.fault_every = 200;
    config.fault_seed = seed;
    config.cache_size = 64 * CHUNK;
    struct mpiobject o = mpiobject_make (2000, size_chunk);
    larder_ref ref;
    larder *s = mpiobject_open (&config);
    offer (s, &o, 0, 0, &ref);
    if (mpitest_rank)
        download (s, &ref, &o);
    serve (s);
    larder_stats all = sum_of_stats (s);
    CU_ASSERT_EQUAL (larder_session_get_info (s, &info), LARDER_OK);
    CU_ASSERT_EQUAL (all.checksum_errors > 0, info.node_count > 1);
    CU_ASSERT (all.retries >= all.checksum_errors);
    CU_ASSERT (all.checksum_errors * 10 < all.chunks_fetched + 1);
    mpiobject_close (&s);
}

/* Every chunk comes damaged: receivers on other nodes say so. */
static void test_nothing_but_damage (void)
{
    larder_config config = small;
    larder_error err = {0};
    larder_session_info info;
    config.fault_every = 1;
    struct mpiobject o = mpiobject_make (ITEMS, size_chunk);
    larder_ref ref;
    larder *s = mpiobject_open (&config);
    CU_ASSERT_EQUAL (larder_session_get_info (s, &info), LARDER_OK);
    offer (s, &o, 0, 0, &ref);
    if (mpitest_rank && info.node == 0)
        download (s, &ref, &o);
    else if (mpitest_rank) {
        struct mpisink k = {.object = &o};
        larder_consumer consumer = mpisink_consumer (&k);
        CU_ASSERT_EQUAL (larder_download (s, &ref, &consumer, &err), LARDER_ECHECKSUM);
        mpisink_check_failed (&k, LARDER_ECHECKSUM);
    }
    serve (s);
    larder_stats all = sum_of_stats (s);
    CU_ASSERT_EQUAL (all.checksum_errors > 0, info.node_count > 1);
    CU_ASSERT (all.checksum_errors <= all.chunks_fetched);
    mpiobject_close (&s);
}

/* ---------------------------------------------------------------- receivers that stand still */

enum where { BEFORE_START, BETWEEN_CALLS, IN_CONSUMER };

static int slow; /* the rank that stands still, or -1 */

/* The highest rank that is its node's only receiver; -1: there is none. */
static int alone (const larder *s)
{
    larder_session_info info;
    int mine = -1, highest = -1;
    CU_ASSERT_EQUAL (larder_session_get_info (s, &info), LARDER_OK);
    if (mpitest_rank && info.node_size - (info.node == 0) == 1)
        mine = mpitest_rank;
    MPI_Allreduce (&mine, &highest, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    return highest;
}

/* The highest rank whose node has another receiver; -1: there is none. */
static int crowded (const larder *s)
{
    larder_session_info info;
    int mine = -1, highest = -1;
    CU_ASSERT_EQUAL (larder_session_get_info (s, &info), LARDER_OK);
    if (mpitest_rank && info.node_size - (info.node == 0) > 1)
        mine = mpitest_rank;
    MPI_Allreduce (&mine, &highest, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    return highest;
}

static void hear_all (void)
{
    for (int i = 1; i < mpitest_size; ++i)
        if (i != slow)
            mpiobject_hear (i, TAG_DONE);
}

static void stand_still (struct mpisink *k)
{
    if (k->user || k->next_item < 4)
        return;
    k->user = k;
    hear_all ();
}

/* One rank stands still until all others have the whole object, which does not fit. */
static void slow_receiver (enum where where, int once)
{
    larder_config config = small;
    config.hold_timeout_s = 0.2;
    config.timeout_s = 20;
    larder_error err = {0};
    struct mpiobject o = mpiobject_make (ITEMS, size_chunk);
    larder_ref ref;
    larder *s = mpiobject_open (&config);
    slow = where == BEFORE_START && !once && mpitest_size > 1 ? mpitest_size - 1 : alone (s);
    offer (s, &o, 0, once, &ref);
    if (mpitest_rank && mpitest_rank != slow) {
        download (s, &ref, &o);
        if (slow >= 0)
            mpiobject_tell (slow, TAG_DONE);
    } else if (mpitest_rank) {
        struct mpisink k = {.object = &o, .inside = where == IN_CONSUMER ? stand_still : NULL};
        larder_request *request = NULL;
        int rc = LARDER_AGAIN;
        if (where == BEFORE_START)
            hear_all ();
        start (s, &ref, &k, &request);
        while (where == BETWEEN_CALLS && rc == LARDER_AGAIN && k.views < 4)
            rc = larder_download_test (&request, &err);
        if (where == BETWEEN_CALLS)
            hear_all ();
        if (rc == LARDER_AGAIN)
            rc = larder_download_wait (&request, -1, &err);
        if (once && mpitest_size > 2 && where == BEFORE_START) {
            CU_ASSERT_EQUAL (k.bad, 0); /* it comes when its verdict has fallen */
            CU_ASSERT_EQUAL (k.completed + k.failed, 1);
        } else if (once && mpitest_size > 2) {
            CU_ASSERT_EQUAL (rc, LARDER_EHELD);
            mpisink_check_failed (&k, LARDER_EHELD);
        } else {
            MPITEST_OK (rc, err);
            mpisink_check_all (&k);
        }
    }
    serve (s);
    if (mpitest_rank == 0) {
        CU_ASSERT_EQUAL (o.ones, mpitest_size - 1);
        for (int i = 1; i < mpitest_size; ++i)
            CU_ASSERT_EQUAL (o.code_of[i],
                             i == slow && once && mpitest_size > 2 ? LARDER_EHELD : LARDER_OK);
    }
    mpiobject_close (&s);
}

static void test_slow_before_start (void)
{
    slow_receiver (BEFORE_START, 0);
}

static void test_slow_between_calls (void)
{
    slow_receiver (BETWEEN_CALLS, 0);
}

static void test_slow_in_consumer (void)
{
    slow_receiver (IN_CONSUMER, 0);
}

static void test_slow_before_start_once (void)
{
    slow_receiver (BEFORE_START, 1);
}

static void test_slow_between_calls_once (void)
{
    slow_receiver (BETWEEN_CALLS, 1);
}

static void test_slow_in_consumer_once (void)
{
    slow_receiver (IN_CONSUMER, 1);
}

/* One rank stands still until all others, also those of its node, have the whole object, which does not
 * fit: the node goes on without it, and it gets the rest when it is back. */
static void slow_neighbour (enum where where)
{
    larder_config config = small;
    config.hold_timeout_s = 0.3;
    larder_error err = {0};
    struct mpiobject o = mpiobject_make (ITEMS, size_chunk);
    larder_ref ref;
    larder *s = mpiobject_open (&config);
    slow = crowded (s);
    offer (s, &o, 0, 0, &ref);
    if (mpitest_rank && mpitest_rank != slow) {
        download (s, &ref, &o);
        if (slow >= 0)
            mpiobject_tell (slow, TAG_DONE);
    } else if (mpitest_rank) {
        struct mpisink k = {.object = &o, .inside = where == IN_CONSUMER ? stand_still : NULL};
        larder_request *request = NULL;
        int rc = LARDER_AGAIN;
        start (s, &ref, &k, &request);
        while (where == BETWEEN_CALLS && rc == LARDER_AGAIN && k.views < 4)
            rc = larder_download_test (&request, &err);
        CU_ASSERT_EQUAL (rc, LARDER_AGAIN);
        if (where == BETWEEN_CALLS)
            hear_all ();
        wait_all (&request, &k);
    }
    serve (s);
    if (mpitest_rank == 0) {
        CU_ASSERT_EQUAL (o.ones, mpitest_size - 1);
        for (int i = 1; i < mpitest_size; ++i)
            CU_ASSERT_EQUAL (o.code_of[i], LARDER_OK);
    }
    mpiobject_close (&s);
}

static void test_slow_neighbour_between_calls (void)
{
    slow_neighbour (BETWEEN_CALLS);
}

static void test_slow_neighbour_in_consumer (void)
{
    slow_neighbour (IN_CONSUMER);
}

int main (int argc, char **argv)
{
    static const struct larder_test tests[] = {
        {"several at once", test_several},
        {"twice the same", test_twice_the_same},
        {"cancel", test_cancel},
        {"cancel all of a transaction", test_cancel_all},
        {"wait with a timeout", test_wait_with_timeout},
        {"timeout of the session", test_timeout_of_the_session},
        {"consumer fails", test_consumer_fails},
        {"calls inside callbacks", test_calls_inside_callbacks},
        {"bad arguments", test_bad_arguments},
        {"more than lines", test_more_than_lines},
        {"ranges", test_ranges},
        {"damage", test_damage},
        {"nothing but damage", test_nothing_but_damage},
        {"slow before the start", test_slow_before_start},
        {"slow between calls", test_slow_between_calls},
        {"slow in its consumer", test_slow_in_consumer},
        {"slow before the start, once", test_slow_before_start_once},
        {"slow between calls, once", test_slow_between_calls_once},
        {"slow in its consumer, once", test_slow_in_consumer_once},
        {"a neighbour is slow between calls", test_slow_neighbour_between_calls},
        {"a neighbour is slow in its consumer", test_slow_neighbour_in_consumer},
        {NULL, NULL},
    };
    return mpitest_main (argc, argv, "request", tests);
}
