/* SPDX-License-Identifier: Apache-2.0 */
/* Receivers and what is said of them: who never comes, who stands still, one too many and one too few,
 * quorum, receipts, and downloading again. */
#include "larder_mpitxn.h"

enum { CHUNK = 4096, SLOTS = 256, ITEMS = 60, TAG_AT = 1, TAG_GO = 2, TAG_DONE = 3 };

/* All objects fit: nobody waits for a slot here. */
static const larder_config roomy = {
    .chunk_size = CHUNK, .cache_size = SLOTS * CHUNK, .timeout_s = 60, .hold_timeout_s = 60};

static uint64_t size_mixed (uint64_t item)
{
    static const uint64_t sizes[] = {0, 1, 5000, 17, 4096, 0, 9000, 300, 301, 4095, 4097};
    return sizes[item * 7 % 11];
}

static void make (struct mpiobject *o, int count)
{
    for (int i = 0; i < count; ++i) {
        o[i] = mpiobject_make (ITEMS, size_mixed);
        o[i].salt = 1 + 31 * (uint64_t)i;
    }
}

static int last (void)
{
    return mpitest_size - 1;
}

/* Stand still in the middle, and tell the owner. */
static void stand_still (struct mpisink *k)
{
    if (k->user || k->next_item < 3)
        return;
    k->user = k;
    mpiobject_tell (0, TAG_AT);
    mpiobject_hear (0, TAG_GO);
}

/* ---------------------------------------------------------------- nothing moves */

static void test_nobody_comes (void)
{
    static struct mpitxn t;
    larder_error err = {0};
    struct mpiobject o[2];
    larder_ref refs[2];
    make (o, 2);
    t = (struct mpitxn){0};
    larder *s = mpiobject_open (&roomy);
    larder_transaction_options x = mpitxn_options (&t, LARDER_EVERY_RANK);
    x.timeout_s = 0.3;
    if (mpitest_rank == 0) {
        mpitxn_offer (s, &t, &x, o, 2, refs);
        larder_receipt *r = mpitxn_wait (s, &t);
        mpitxn_check (r, LARDER_DONE_TIMEOUT, LARDER_VERDICT_FAILED, LARDER_REASON_TIMEOUT);
        CU_ASSERT (r->seconds > 0.3 && r->expected == mpitest_size);
        for (int i = 0; i < mpitest_size; ++i)
            mpitxn_check_line (r, 1, i, LARDER_RECEIVER_MISSING, LARDER_ETIMEDOUT);
        larder_receipt_free (&r);
        CU_ASSERT_STRING_EQUAL (t.log, "t0. c0. t1. c1. d0. d1. D.. O.. x0. x1. ");
        CU_ASSERT (t.done == LARDER_DONE_TIMEOUT && o[0].done == LARDER_DONE_TIMEOUT);
    }
    mpitxn_share (refs, 2, 0);
    if (mpitest_rank) { /* who comes now is told why */
        mpiobject_get (s, &refs[1], &o[1], LARDER_EGONE);
        struct mpisink k = {.object = &o[0]};
        larder_consumer consumer = mpisink_consumer (&k);
        CU_ASSERT_EQUAL (larder_download (s, &refs[0], &consumer, &err), LARDER_EGONE);
        CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "nothing moved for"));
        mpiobject_tell (0, TAG_DONE);
    } else
        mpiobject_serve_until (s, last (), TAG_DONE);
    mpiobject_close (&s);
}

/* The transaction's own time has a floor, also where it is the session's. */
static void test_floor (void)
{
    for (int own = 0; own < 2; ++own) {
        struct mpitxn t = {0};
        struct mpiobject o = mpiobject_make (ITEMS, size_mixed);
        larder_config config = roomy;
        larder_ref ref;
        config.min_download_timeout_s = 0.6;
        config.timeout_s = own ? 60 : 0.1;
        larder *s = mpiobject_open (&config);
        larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
        x.timeout_s = own ? 0.01 : 0;
        if (mpitest_rank == 0) {
            mpitxn_offer (s, &t, &x, &o, 1, &ref);
            larder_receipt *r = mpitxn_wait (s, &t);
            CU_ASSERT_EQUAL (r->done, LARDER_DONE_TIMEOUT);
            CU_ASSERT (r->seconds > 0.6);
            larder_receipt_free (&r);
        }
        MPI_Barrier (MPI_COMM_WORLD); /* the session's 0.1 s are not enough for meeting */
        mpiobject_close (&s);
    }
}

/* A receiver stands still in the middle until the transaction has ended. */
static void test_stalled_until_timeout (void)
{
    static struct mpitxn t;
    struct mpiobject o = mpiobject_make (ITEMS, size_mixed);
    struct mpisink k = {.object = &o, .inside = mpitest_rank == last () ? stand_still : NULL};
    larder_request *request = NULL;
    larder_ref ref;
    if (mpitest_size == 1)
        return;
    t = (struct mpitxn){0};
    larder *s = mpiobject_open (&roomy);
    larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
    x.timeout_s = 2;
    x.progress_interval_s = -1;
    if (mpitest_rank == 0)
        mpitxn_offer (s, &t, &x, &o, 1, &ref);
    mpitxn_share (&ref, 1, 0);
    if (mpitest_rank) {
        mpiobject_start (s, &ref, &k, &request);
        mpiobject_finish (&request, &k, mpitest_rank == last () ? LARDER_EGONE : LARDER_OK);
    } else {
        mpiobject_serve_until (s, 1, TAG_AT);
        larder_receipt *r = mpitxn_wait (s, &t);
        mpitxn_check (r, LARDER_DONE_TIMEOUT, LARDER_VERDICT_FAILED, LARDER_REASON_TIMEOUT);
        mpitxn_check_line (r, 0, last (), LARDER_RECEIVER_MISSING, LARDER_ETIMEDOUT);
        for (int i = 1; i < last (); ++i)
            mpitxn_check_line (r, 0, i, LARDER_RECEIVER_SUCCEEDED, LARDER_OK);
        larder_receipt_free (&r);
        char end[64]; /* its last event comes before all other ends */
        snprintf (end, sizeof end, "F0%d d0. D.. O.. x0. ", last ());
        CU_ASSERT_STRING_EQUAL (t.log + strlen (t.log) - strlen (end), end);
        CU_ASSERT_EQUAL (o.ones, last () - 1);
        CU_ASSERT_EQUAL (o.alls, 0);
        mpiobject_tell (last (), TAG_GO);
    }
    mpiobject_close (&s);
}

/* ---------------------------------------------------------------- budgets */

/* The last rank never begins; it fails alone, on every object. */
static void test_acquire_budget (void)
{
    static struct mpitxn t;
    struct mpiobject o[2];
    struct mpisink k[2] = {{.object = &o[0]}, {.object = &o[1]}};
    larder_request *requests[2] = {NULL, NULL};
    larder_ref refs[2];
    if (mpitest_size == 1)
        return;
    make (o, 2);
    t = (struct mpitxn){0};
    larder *s = mpiobject_open (&roomy);
    larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
    x.acquire_timeout_s = 1;
    if (mpitest_rank == 0) {
        mpitxn_begin (s, &t, &x);
        mpitxn_add (s, &t, &o[0], 0, &refs[0]);
        mpitxn_add (s, &t, &o[1], 1, &refs[1]);
    }
    mpitxn_share (refs, 2, 0);
    if (mpitest_rank && mpitest_rank != last ()) {
        /* Only one of them; begun is begun. */
        mpiobject_start (s, &refs[1], &k[1], &requests[1]);
        mpiobject_tell (0, TAG_AT);
        mpiobject_finish (&requests[1], &k[1], LARDER_OK);
        mpiobject_hear (0, TAG_GO);
        mpiobject_get (s, &refs[0], &o[0], LARDER_OK);
    } else if (mpitest_rank == 0) {
        mpiobject_serve_until (s, last () - 1, TAG_AT);
        mpitxn_live (s, &t);
        while (o[0].ones == 0)
            (void)larder_progress (s, 1, 0.01, NULL);
        CU_ASSERT_EQUAL (o[0].code_of[last ()], LARDER_ETIMEDOUT);
        for (int i = 1; i < last (); ++i)
            mpiobject_tell (i, TAG_GO);
        larder_receipt *r = mpitxn_wait (s, &t);
        mpitxn_check (r, LARDER_DONE_FINISHED, LARDER_VERDICT_FAILED,
                      LARDER_REASON_RECEIVER_FAILED);
        for (int i = 1; i < mpitest_size; ++i)
            for (int n = 0; n < 2; ++n)
                mpitxn_check_line (r, n, i,
                                   i < last () ? LARDER_RECEIVER_SUCCEEDED : LARDER_RECEIVER_FAILED,
                                   i < last () ? LARDER_OK : LARDER_ETIMEDOUT);
        CU_ASSERT_EQUAL (r->object[0].lines[last () - 1].acquired, 0);
        larder_receipt_free (&r);
        CU_ASSERT_PTR_NULL (strchr (t.log, 'B'));
        mpiobject_tell (last (), TAG_GO);
    } else {
        mpiobject_hear (0, TAG_GO);
        mpiobject_get (s, &refs[0], &o[0], LARDER_ETIMEDOUT);
    }
    mpiobject_close (&s);
}

/* The last rank has one object and stands still in the other: what it has stays. */
static void test_idle_budget (void)
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
    x.idle_timeout_s = 2;
    if (mpitest_rank == 0)
        mpitxn_offer (s, &t, &x, o, 3, refs);
    mpitxn_share (refs, 3, 0);
    for (int i = 0; mpitest_rank && i < 3; ++i)
        if (mpitest_rank != last () || i == 0)
            mpiobject_get (s, &refs[i], &o[i], LARDER_OK);
    if (mpitest_rank == last ()) {
        struct mpisink k = {.object = &o[1], .inside = stand_still};
        larder_request *request = NULL;
        mpiobject_start (s, &refs[1], &k, &request);
        mpiobject_finish (&request, &k, LARDER_ETIMEDOUT);
    } else if (mpitest_rank == 0) {
        mpiobject_serve_until (s, 1, TAG_AT);
        while (o[2].code_of[last ()] == 1)
            (void)larder_progress (s, 1, 0.01, NULL);
        mpiobject_tell (last (), TAG_GO);
        larder_receipt *r = mpitxn_wait (s, &t);
        mpitxn_check (r, LARDER_DONE_FINISHED, LARDER_VERDICT_FAILED,
                      LARDER_REASON_RECEIVER_FAILED);
        for (int n = 0; n < 3; ++n)
            for (int i = 1; i < mpitest_size; ++i)
                mpitxn_check_line (
                    r, n, i, n && i == last () ? LARDER_RECEIVER_FAILED : LARDER_RECEIVER_SUCCEEDED,
                    n && i == last () ? LARDER_ETIMEDOUT : LARDER_OK);
        larder_receipt_free (&r);
    }
    mpiobject_close (&s);
}

/* ---------------------------------------------------------------- how many there are */

/* All begin before it is live; the owner expects `expected` of them. */
static void counted (int expected, double timeout_s, larder_receipt **r)
{
    static struct mpitxn t;
    struct mpiobject o = mpiobject_make (ITEMS, size_mixed);
    struct mpisink k = {.object = &o};
    larder_request *request = NULL;
    larder_ref ref;
    t = (struct mpitxn){0};
    larder *s = mpiobject_open (&roomy);
    larder_transaction_options x = mpitxn_options (&t, LARDER_COUNT (expected));
    x.timeout_s = timeout_s;
    if (mpitest_rank == 0) {
        mpitxn_begin (s, &t, &x);
        mpitxn_add (s, &t, &o, 0, &ref);
    }
    mpitxn_share (&ref, 1, 0);
    if (mpitest_rank) {
        mpiobject_start (s, &ref, &k, &request);
        mpiobject_tell (0, TAG_AT);
        mpiobject_finish (&request, &k, LARDER_OK);
    } else {
        mpiobject_serve_until (s, last (), TAG_AT);
        mpitxn_live (s, &t);
        *r = mpitxn_wait (s, &t);
        CU_ASSERT_EQUAL ((*r)->expected, expected);
        CU_ASSERT_EQUAL (o.ones, (*r)->receivers);
    }
    mpiobject_close (&s);
}

/* One more than expected is served all the same, and not accounted for. */
static void test_one_more (void)
{
    larder_receipt *r = NULL;
    if (mpitest_size < 3)
        return;
    counted (last () - 1, 0, &r);
    if (mpitest_rank)
        return;
    mpitxn_check (r, LARDER_DONE_FINISHED, LARDER_VERDICT_COMPLETED, LARDER_REASON_ALL_SUCCEEDED);
    CU_ASSERT_EQUAL (r->receivers, last () - 1);
    for (int i = 0; i < r->receivers; ++i)
        CU_ASSERT_EQUAL (r->object[0].lines[i].verdict, LARDER_RECEIVER_SUCCEEDED);
    larder_receipt_free (&r);
}

/* One fewer: those that came have it; the end is the timeout's. */
static void test_one_fewer (void)
{
    larder_receipt *r = NULL;
    if (mpitest_size == 1)
        return;
    counted (mpitest_size, 2, &r);
    if (mpitest_rank)
        return;
    mpitxn_check (r, LARDER_DONE_TIMEOUT, LARDER_VERDICT_FAILED, LARDER_REASON_TIMEOUT);
    CU_ASSERT_EQUAL (r->receivers, last ());
    for (int i = 1; i < mpitest_size; ++i)
        mpitxn_check_line (r, 0, i, LARDER_RECEIVER_SUCCEEDED, LARDER_OK);
    larder_receipt_free (&r);
}

/* Nobody knows how many: the owner decides when it is over. */
static void test_unknown (void)
{
    struct mpitxn t = {0};
    struct mpiobject o = mpiobject_make (ITEMS, size_mixed);
    larder_offer_status status;
    larder_error err = {0};
    larder_ref ref;
    larder *s = mpiobject_open (&roomy);
    larder_transaction_options x = mpitxn_options (&t, LARDER_UNKNOWN);
    x.min_receivers = mpitest_size;
    if (mpitest_rank == 0)
        mpitxn_offer (s, &t, &x, &o, 1, &ref);
    mpitxn_share (&ref, 1, 0);
    mpiobject_get (s, &ref, &o, LARDER_OK); /* the owner, too */
    if (mpitest_rank) {
        mpiobject_tell (0, TAG_DONE);
    } else {
        mpiobject_serve_until (s, last (), TAG_DONE);
        while (o.ones < mpitest_size)
            (void)larder_progress (s, 1, 0.01, NULL);
        CU_ASSERT_EQUAL (larder_transaction_wait (s, t.number, 0, NULL, &err), LARDER_AGAIN);
        MPITEST_OK (larder_offer_get_status (s, &ref, &status, &err), err);
        CU_ASSERT (status.receivers == mpitest_size && status.receivers_done == mpitest_size);
        CU_ASSERT_EQUAL (o.alls, 0);
        MPITEST_OK (larder_transaction_delete (s, t.number, &err), err);
        larder_receipt *r = mpitxn_wait (s, &t);
        mpitxn_check (r, LARDER_DONE_DELETED, LARDER_VERDICT_ABORTED, LARDER_REASON_DELETED);
        CU_ASSERT (r->expected == 0 && r->receivers == mpitest_size && r->quorum_met == 1);
        for (int i = 0; i < mpitest_size; ++i)
            mpitxn_check_line (r, 0, i, LARDER_RECEIVER_SUCCEEDED, LARDER_OK);
        larder_receipt_free (&r);
    }
    mpiobject_close (&s);
}

/* ---------------------------------------------------------------- verdicts, quorum, receipts */

/* The last rank's consumer fails at the very end: that is the verdict, though it had all bytes, and
 * what it does later changes nothing.  Meanwhile the others download a second time. */
static void test_verdict_wins (void)
{
    struct mpitxn t = {0};
    struct mpiobject o[2];
    larder_error err = {0};
    larder_ref refs[2];
    make (o, 2);
    if (mpitest_size == 1)
        return;
    larder *s = mpiobject_open (&roomy);
    larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
    x.min_receivers = mpitest_size > 2 ? last () - 1 : 1;
    if (mpitest_rank == 0)
        mpitxn_offer (s, &t, &x, o, 2, refs);
    mpitxn_share (refs, 2, 0);
    if (mpitest_rank) {
        struct mpisink k = {.object = &o[0]};
        larder_consumer consumer = mpisink_consumer (&k);
        k.completed_code = mpitest_rank == last () ? LARDER_ENOSPC : 0;
        CU_ASSERT_EQUAL (larder_download (s, &refs[0], &consumer, &err),
                         k.completed_code ? LARDER_ECONSUMER : LARDER_OK);
        CU_ASSERT (k.completed == 1 && k.failed == 0 && k.bad == 0);
        mpiobject_get (s, &refs[0], &o[0], LARDER_OK); /* with all its bytes */
        MPITEST_OK (larder_confirm (s, &refs[0], LARDER_EIO, &err), err);
        mpiobject_get (s, &refs[1], &o[1], LARDER_OK);
        mpiobject_hear (0, TAG_GO);
        k = (struct mpisink){.object = &o[0]}; /* when it is over there is an error, not silence */
        CU_ASSERT_EQUAL (larder_download (s, &refs[0], &consumer, &err), LARDER_EGONE);
        mpisink_check_failed (&k, LARDER_EGONE);
        CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "no longer offered"));
    } else {
        larder_receipt *r = mpitxn_wait (s, &t);
        mpitxn_check (r, LARDER_DONE_FINISHED, LARDER_VERDICT_FAILED,
                      LARDER_REASON_RECEIVER_FAILED);
        CU_ASSERT_EQUAL (r->quorum_met, mpitest_size > 2);
        for (int i = 1; i < mpitest_size; ++i) {
            mpitxn_check_line (r, 0, i, i == last () ? LARDER_RECEIVER_FAILED : 1,
                               i == last () ? LARDER_ECONSUMER : LARDER_OK);
            mpitxn_check_line (r, 1, i, LARDER_RECEIVER_SUCCEEDED, LARDER_OK);
            mpiobject_tell (i, TAG_GO);
        }
        larder_receipt_free (&r);
    }
    mpiobject_close (&s);
}

/* Waiting for a receipt: too early, again and again, and long after its places were used again. */
static void test_receipts (void)
{
    larder_config config = roomy;
    config.max_objects = 1;
    struct mpitxn t[4] = {{0}};
    struct mpiobject o[4];
    larder_error err = {0};
    larder_receipt *r = NULL, *again = NULL;
    larder_ref ref;
    make (o, 4);
    larder *s = mpiobject_open (&config);
    for (int i = 0; i < 4; ++i) {
        larder_transaction_options x = mpitxn_options (&t[i], LARDER_EVERY_RANK);
        if (mpitest_rank == 0) {
            mpitxn_offer (s, &t[i], &x, &o[i], 1, &ref);
            CU_ASSERT (i == 0 || t[i].number > t[i - 1].number);
            CU_ASSERT_EQUAL (larder_transaction_wait (s, t[i].number, 0, &r, &err), LARDER_AGAIN);
            CU_ASSERT_EQUAL (larder_transaction_wait (s, t[i].number, 0.02, &r, &err),
                             LARDER_AGAIN);
            CU_ASSERT_PTR_NULL (r);
        }
        mpitxn_share (&ref, 1, 0);
        mpiobject_get (s, &ref, &o[i], LARDER_OK);
        if (mpitest_rank == 0)
            MPITEST_OK (larder_transaction_wait (s, t[i].number, -1, NULL, &err), err);
    }
    for (int i = 0; mpitest_rank == 0 && i < 4; ++i) {
        MPITEST_OK (larder_transaction_wait (s, t[i].number, 0, &r, &err), err);
        MPITEST_OK (larder_transaction_wait (s, t[i].number, -1, &again, &err), err);
        CU_ASSERT (r && again && r != again && r->transaction == t[i].number);
        CU_ASSERT (again->time == r->time && again->object[0].lines != r->object[0].lines);
        mpitxn_check_line (again, 0, last (), LARDER_RECEIVER_SUCCEEDED, LARDER_OK);
        larder_receipt_free (&r);
        larder_receipt_free (&again);
    }
    mpiobject_close (&s);
}

/* A transaction of which the last rank, which has closed or is about to, takes nothing. */
static void without_last (larder *s, struct mpitxn *t, struct mpiobject *o, larder_ref *ref)
{
    if (mpitest_rank) {
        mpiobject_get (s, ref, o, LARDER_OK);
        return;
    }
    larder_receipt *r = mpitxn_wait (s, t);
    mpitxn_check_line (r, 0, last (), LARDER_RECEIVER_FAILED, LARDER_EGONE);
    CU_ASSERT_EQUAL (r->done, LARDER_DONE_FINISHED);
    larder_receipt_free (&r);
}

/* The last rank closes without a download: its owner need not wait for any timeout, and does not count on
 * it in what it offers later. */
static void test_leaves (void)
{
    static struct mpitxn t[2];
    struct mpiobject o[2];
    larder_ref refs[2];
    larder *s = mpiobject_open (&roomy);
    make (o, 2);
    t[0] = t[1] = (struct mpitxn){0};
    larder_transaction_options x[2] = {mpitxn_options (&t[0], LARDER_ALL),
                                       mpitxn_options (&t[1], LARDER_ALL)};
    if (mpitest_rank == 0)
        mpitxn_offer (s, &t[0], &x[0], &o[0], 1, &refs[0]);
    mpitxn_share (refs, 1, 0);
    if (mpitest_size > 1 && mpitest_rank != last ()) {
        without_last (s, &t[0], &o[0], &refs[0]);
        if (mpitest_rank == 0)
            mpitxn_offer (s, &t[1], &x[1], &o[1], 1, &refs[1]);
        for (int i = 1; mpitest_rank == 0 && i < last (); ++i)
            MPI_Send (&refs[1], sizeof refs[1], MPI_BYTE, i, TAG_GO, MPI_COMM_WORLD);
        if (mpitest_rank)
            MPI_Recv (&refs[1], sizeof refs[1], MPI_BYTE, 0, TAG_GO, MPI_COMM_WORLD,
                      MPI_STATUS_IGNORE);
        without_last (s, &t[1], &o[1], &refs[1]);
    }
    mpiobject_close (&s);
}

int main (int argc, char **argv)
{
    static const struct larder_test tests[] = {
        {"nobody comes", test_nobody_comes},
        {"floor", test_floor},
        {"stalled until timeout", test_stalled_until_timeout},
        {"acquire budget", test_acquire_budget},
        {"idle budget", test_idle_budget},
        {"one more", test_one_more},
        {"one fewer", test_one_fewer},
        {"unknown", test_unknown},
        {"verdict wins", test_verdict_wins},
        {"receipts", test_receipts},
        {"leaves", test_leaves},
        {NULL, NULL},
    };
    return mpitest_main (argc, argv, "receivers", tests);
}
