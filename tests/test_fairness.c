/* SPDX-License-Identifier: Apache-2.0 */
/* Several transactions and owners at once: nobody's trouble becomes somebody else's, and nothing hangs. */
#include "larder_mpitxn.h"

enum { CHUNK = 4096, SLOTS = 16, ITEMS = 80, TAG_AT = 1, TAG_GO = 2, TAG_DONE = 3, NEVER = 3600 };

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

/* A session with `count` owners, ranks 0, 1, ... */
static larder *open_session (int count, uint64_t slots, double hold_timeout_s, int max_lines)
{
    static const int ranks[] = {0, 1, 2, 3, 4, 5, 6, 7};
    larder_config config = {.chunk_size = CHUNK,
                            .cache_size = slots * CHUNK,
                            .timeout_s = 60,
                            .hold_timeout_s = hold_timeout_s,
                            .max_lines = max_lines,
                            .owners = ranks,
                            .owner_count = count < mpitest_size ? count : mpitest_size};
    return mpiobject_open (&config);
}

static void stand_still (struct mpisink *k)
{
    if (k->user || k->next_item < 3)
        return;
    k->user = k;
    mpiobject_tell (0, TAG_AT);
    mpiobject_hear (0, TAG_GO);
}

static void completed (larder *s, const struct mpitxn *t, int receivers)
{
    larder_receipt *r = mpitxn_wait (s, t);
    mpitxn_check (r, LARDER_DONE_FINISHED, LARDER_VERDICT_COMPLETED, LARDER_REASON_ALL_SUCCEEDED);
    CU_ASSERT_EQUAL (r->receivers, receivers);
    larder_receipt_free (&r);
}

/* ---------------------------------------------------------------- both directions */

/* Rank 2i and rank 2i + 1 offer to each other and download from each other, in blocking calls. */
static void test_each_other (void)
{
    int peer = mpitest_rank ^ 1;
    if (mpitest_size > 8 || mpitest_size == 1)
        return;
    larder *s = open_session (mpitest_size, 4 * 8, NEVER, 0);
    if (peer < mpitest_size) {
        static struct mpitxn t;
        struct mpiobject mine[2], its[2];
        larder_ref refs[2], other[2];
        for (int i = 0; i < 2; ++i) {
            mine[i] = its[i] = mpiobject_make (ITEMS, size_mixed);
            mine[i].salt = 100 + (uint64_t)(2 * mpitest_rank + i);
            its[i].salt = 100 + (uint64_t)(2 * peer + i);
        }
        t = (struct mpitxn){0};
        larder_transaction_options x = mpitxn_options (&t, (larder_receivers){&peer, 1});
        mpitxn_offer (s, &t, &x, mine, 2, refs);
        MPI_Sendrecv (refs, sizeof refs, MPI_BYTE, peer, 0, other, sizeof other, MPI_BYTE, peer, 0,
                      MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        for (int i = 0; i < 2; ++i)
            mpiobject_get (s, &other[i ^ (mpitest_rank & 1)], &its[i ^ (mpitest_rank & 1)],
                           LARDER_OK);
        completed (s, &t, 1);
    }
    mpiobject_close (&s);
}

/* Two owners and everybody else, all at once: each downloads from the other owners. */
static void test_cross (void)
{
    static struct mpitxn t;
    struct mpiobject o[2];
    struct mpisink k[2] = {{.object = &o[0]}, {.object = &o[1]}};
    larder_request *requests[2] = {NULL, NULL};
    larder_ref refs[2];
    if (mpitest_size == 1)
        return;
    t = (struct mpitxn){0};
    larder *s = open_session (2, SLOTS, 0.2, 0);
    for (int i = 0; i < 2; ++i) {
        o[i] = mpiobject_make (ITEMS, size_mixed);
        o[i].salt = 7 + (uint64_t)i;
    }
    larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
    if (mpitest_rank < 2)
        mpitxn_offer (s, &t, &x, &o[mpitest_rank], 1, &refs[mpitest_rank]);
    mpiobject_share (&refs[0], 0);
    mpiobject_share (&refs[1], 1);
    for (int i = 0; i < 2; ++i)
        if ((i ^ (mpitest_rank & 1)) != mpitest_rank)
            mpiobject_start (s, &refs[i ^ (mpitest_rank & 1)], &k[i ^ (mpitest_rank & 1)],
                             &requests[i ^ (mpitest_rank & 1)]);
    for (int i = 0; i < 2; ++i)
        if (requests[i])
            mpiobject_finish (&requests[i], &k[i], LARDER_OK);
    if (mpitest_rank < 2)
        completed (s, &t, last ());
    mpiobject_close (&s);
}

/* ---------------------------------------------------------------- opposite orders */

/* Objects A and B of one transaction, in a cache that is too small for both; odd ranks read A first, even
 * ones B.  What each got is what the receipt says of it. */
static void opposite (int once, int owners)
{
    static struct mpitxn t;
    struct mpiobject o[2];
    larder_error err = {0};
    larder_ref refs[2];
    int got[2] = {LARDER_OK, LARDER_OK}, all[2 * 8] = {0};
    t = (struct mpitxn){0};
    larder *s = open_session (owners, 8, 0.2, 0);
    for (int i = 0; i < 2; ++i) {
        o[i] = mpiobject_make (ITEMS, size_chunk);
        o[i].salt = 7 + (uint64_t)i;
    }
    larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
    if (mpitest_rank < owners)
        mpitxn_begin (s, &t, &x);
    for (int i = 0; i < 2; ++i) {
        larder_object object = {.ops = &mpiobject_sized, .self = &o[i], .once = once};
        if (mpitest_rank == i % owners)
            MPITEST_OK (larder_transaction_add (s, t.number, &object, &refs[i], &err), err);
        mpiobject_share (&refs[i], i % owners);
    }
    if (mpitest_rank < owners)
        mpitxn_live (s, &t);
    for (int n = 0; n < 2; ++n) {
        int i = n ^ (mpitest_rank & 1) ^ 1;
        struct mpisink k = {.object = &o[i]};
        larder_consumer consumer = mpisink_consumer (&k);
        if (mpitest_rank == i % owners)
            continue; /* its own */
        got[i] = larder_download (s, &refs[i], &consumer, &err);
        CU_ASSERT (got[i] == LARDER_OK || (once && got[i] == LARDER_EHELD));
        if (got[i] == LARDER_OK)
            mpisink_check_all (&k);
        else
            mpisink_check_failed (&k, got[i]);
    }
    larder_receipt *r = mpitest_rank < owners ? mpitxn_wait (s, &t) : NULL;
    MPITEST_OK (larder_agree (s, LARDER_OK, NULL, &err), err); /* meanwhile owners serve */
    MPI_Allgather (got, 2, MPI_INT, all, 2, MPI_INT, MPI_COMM_WORLD);
    for (int n = 0; r && n < r->objects; ++n)
        for (int i = 0; i < mpitest_size; ++i) {
            int code = all[2 * i + (owners == 2 ? mpitest_rank : n)];
            if (i != mpitest_rank)
                mpitxn_check_line (r, n, i,
                                   code ? LARDER_RECEIVER_FAILED : LARDER_RECEIVER_SUCCEEDED, code);
        }
    larder_receipt_free (&r);
    mpiobject_close (&s);
}

static void test_opposite_orders (void)
{
    if (mpitest_size == 1 || mpitest_size > 8)
        return;
    opposite (0, 1);
    opposite (0, 2);
}

static void test_opposite_orders_once (void)
{
    if (mpitest_size == 1 || mpitest_size > 8)
        return;
    opposite (1, 1);
    opposite (1, 2);
}

/* ---------------------------------------------------------------- who stands still */

/* The last rank stands still in one transaction, and its chunks fill what they may of the cache.  Another
 * transaction goes from begin to receipt meanwhile, and nothing times out for it: the hold timeout is an
 * hour. */
static void test_stalled_and_live (void)
{
    static struct mpitxn t[2];
    struct mpiobject o[2];
    struct mpisink k = {.object = &o[0], .inside = mpitest_rank == last () ? stand_still : NULL};
    larder_request *request = NULL;
    larder_ref refs[2];
    int others[8], count = 0;
    if (mpitest_size < 3)
        return;
    t[0] = t[1] = (struct mpitxn){0};
    larder *s = open_session (1, SLOTS, NEVER, 0);
    for (int i = 0; i < 2; ++i) {
        o[i] = mpiobject_make (ITEMS, size_chunk);
        o[i].salt = 7 + (uint64_t)i;
    }
    for (int i = 1; i < last () && i < 8; ++i)
        others[count++] = i;
    if (mpitest_rank == 0) {
        larder_transaction_options x = mpitxn_options (&t[0], LARDER_ALL);
        mpitxn_offer (s, &t[0], &x, &o[0], 1, &refs[0]);
    }
    mpiobject_share (&refs[0], 0);
    if (mpitest_rank)
        mpiobject_start (s, &refs[0], &k, &request);
    if (mpitest_rank == 0) {
        mpiobject_serve_until (s, 1, TAG_AT); /* the others read as far as the cache reaches */
        while (larder_progress (s, 100, 0.02, NULL) == LARDER_OK)
            ;
        larder_transaction_options x = mpitxn_options (&t[1], (larder_receivers){others, count});
        mpitxn_offer (s, &t[1], &x, &o[1], 1, &refs[1]);
        for (int i = 0; i < count; ++i)
            MPI_Send (&refs[1], sizeof refs[1], MPI_BYTE, others[i], TAG_DONE, MPI_COMM_WORLD);
        completed (s, &t[1], count);
        CU_ASSERT_EQUAL (o[0].ones, 0);
        mpiobject_tell (last (), TAG_GO);
        completed (s, &t[0], last ());
        CU_ASSERT_EQUAL (o[0].calls, ITEMS); /* and nothing was produced twice */
        CU_ASSERT_EQUAL (o[1].calls, ITEMS);
    } else if (mpitest_rank != last ()) {
        int flag = 0;
        while (!flag) {
            CU_ASSERT_EQUAL_FATAL (larder_download_test (&request, NULL), LARDER_AGAIN);
            MPI_Iprobe (0, TAG_DONE, MPI_COMM_WORLD, &flag, MPI_STATUS_IGNORE);
        }
        MPI_Recv (&refs[1], sizeof refs[1], MPI_BYTE, 0, TAG_DONE, MPI_COMM_WORLD,
                  MPI_STATUS_IGNORE);
        mpiobject_get (s, &refs[1], &o[1], LARDER_OK);
    }
    if (mpitest_rank)
        mpiobject_finish (&request, &k, LARDER_OK);
    mpiobject_close (&s);
}

/* All but one have finished and the last stands still: what is kept for it is bounded by the cache, and
 * it gets all of it when it goes on. */
static void test_all_but_one (void)
{
    static struct mpitxn t;
    struct mpiobject o = mpiobject_make (5 * SLOTS, size_chunk);
    struct mpisink k = {.object = &o, .inside = mpitest_rank == last () ? stand_still : NULL};
    larder_request *request = NULL;
    larder_stats stats;
    larder_ref ref;
    if (mpitest_size < 3)
        return;
    t = (struct mpitxn){0};
    larder *s = open_session (1, SLOTS, 0.2, 0);
    if (mpitest_rank == 0) {
        larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
        mpitxn_offer (s, &t, &x, &o, 1, &ref);
    }
    mpiobject_share (&ref, 0);
    if (mpitest_rank) {
        mpiobject_start (s, &ref, &k, &request);
        mpiobject_finish (&request, &k, LARDER_OK);
    } else {
        mpiobject_serve_until (s, 1, TAG_AT);
        while (o.ones < last () - 1)
            if (larder_progress (s, 1, 0.01, NULL) < 0)
                break;
        CU_ASSERT_EQUAL (o.alls, 0);
        mpiobject_tell (last (), TAG_GO);
        completed (s, &t, last ());
    }
    CU_ASSERT_EQUAL (larder_session_get_stats (s, &stats), LARDER_OK);
    CU_ASSERT (stats.peak_cache_bytes <= SLOTS * CHUNK);
    if (mpitest_rank == 0) {
        CU_ASSERT_EQUAL (stats.items_produced, 5 * SLOTS);
        CU_ASSERT (stats.items_reproduced > 0); /* it was not kept somewhere else */
    }
    mpiobject_close (&s);
}

/* ---------------------------------------------------------------- lines */

/* A node has two lines at the owner: who has two downloads open is refused a third, at once and with no
 * harm to the transaction. */
static void test_more_than_lines (void)
{
    static struct mpitxn t;
    struct mpiobject o[3];
    struct mpisink k[3] = {{.object = &o[0]}, {.object = &o[1]}, {.object = &o[2]}};
    larder_request *requests[3] = {NULL};
    larder_error err = {0};
    larder_ref refs[3];
    t = (struct mpitxn){0};
    larder *s = open_session (1, 8 * SLOTS, NEVER, 2);
    for (int i = 0; i < 3; ++i) {
        o[i] = mpiobject_make (ITEMS, size_mixed);
        o[i].salt = 7 + (uint64_t)i;
    }
    if (mpitest_rank == 0) {
        larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
        mpitxn_offer (s, &t, &x, o, 3, refs);
    }
    mpitxn_share (refs, 3, 0);
    if (mpitest_rank) {
        larder_consumer consumer = mpisink_consumer (&k[2]);
        mpiobject_start (s, &refs[0], &k[0], &requests[0]);
        mpiobject_start (s, &refs[1], &k[1], &requests[1]);
        MPI_Barrier (MPI_COMM_WORLD); /* the owner has not answered yet */
        CU_ASSERT_EQUAL (larder_download_start (s, &refs[2], &consumer, &requests[2], &err),
                         LARDER_EBUSY);
        CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "max_lines"));
        MPI_Barrier (MPI_COMM_WORLD);
        for (int i = 0; i < 2; ++i)
            mpiobject_finish (&requests[i], &k[i], LARDER_OK);
        mpiobject_get (s, &refs[2], &o[2], LARDER_OK);
    } else {
        MPI_Barrier (MPI_COMM_WORLD);
        MPI_Barrier (MPI_COMM_WORLD);
        if (mpitest_size > 1)
            completed (s, &t, last ());
    }
    mpiobject_close (&s);
}

int main (int argc, char **argv)
{
    static const struct larder_test tests[] = {
        {"each other", test_each_other},
        {"cross", test_cross},
        {"opposite orders", test_opposite_orders},
        {"opposite orders, once", test_opposite_orders_once},
        {"stalled and live", test_stalled_and_live},
        {"all but one", test_all_but_one},
        {"more than lines", test_more_than_lines},
        {NULL, NULL},
    };
    return mpitest_main (argc, argv, "fairness", tests);
}
