/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions, as their owner sees them: the order of calls, what is refused, what fails, and how time
 * and new versions end downloads. */
#include "larder_mpitxn.h"

enum { CHUNK = 4096, SLOTS = 16, ITEMS = 60, TAG_AT = 1, TAG_GO = 2, TAG_DONE = 3 };

static const larder_config small = {
    .chunk_size = CHUNK, .cache_size = SLOTS * CHUNK, .timeout_s = 60};

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

static void make (struct mpiobject *o, int count, uint64_t (*size) (uint64_t item))
{
    for (int i = 0; i < count; ++i) {
        o[i] = mpiobject_make (ITEMS, size);
        o[i].salt = 1 + 31 * (uint64_t)i;
    }
}

/* ---------------------------------------------------------------- the order of calls */

/* "tc" of each object; production; each receiver's verdict, then `all` with the last, then its event; then the
 * end in its order. */
static void check_story (const struct mpitxn *t, int objects, int receivers)
{
    static const char *const heads[] = {"t0. c0. ", "t0. c0. t1. c1. "};
    static const char *const tails[] = {"d0. D.. O.. x0. ", "d0. d1. D.. O.. x0. x1. "};
    const char *head = heads[objects - 1], *tail = tails[objects - 1], *at = t->log;
    size_t n = strlen (t->log);
    int ones[2] = {0, 0}, started = 0, completed = 0, wrong = 0;
    CU_ASSERT_FATAL (n > strlen (head) + strlen (tail));
    CU_ASSERT_EQUAL (strncmp (at, head, strlen (head)), 0);
    CU_ASSERT_STRING_EQUAL (at + n - strlen (tail), tail);
    for (at += strlen (head); at < t->log + n - strlen (tail); at += 4) {
        int object = at[1] - '0';
        const char *next = at + 4;
        CU_ASSERT_FATAL (object >= 0 && object < objects);
        wrong += ones[object] == receivers && (*at == 'p' || *at == 'S');
        started += *at == 'S';
        if (*at != '1')
            continue;
        if (++ones[object] == receivers) {
            wrong += next[0] != 'A' || next[1] != at[1];
            next += 4;
        }
        wrong += next[0] != 'C' || next[1] != at[1] || next[2] != at[2];
        ++completed;
    }
    CU_ASSERT_EQUAL (wrong, 0);
    CU_ASSERT_EQUAL (started, objects * receivers);
    CU_ASSERT_EQUAL (completed, objects * receivers);
    if (wrong)
        fprintf (stderr, "%s\n", t->log);
}

/* Two objects for every rank, the owner among them. */
static void bundle (struct mpitxn *t, larder_receipt **r)
{
    struct mpiobject o[2];
    larder_ref refs[2];
    struct mpisink k[2] = {{.object = &o[0]}, {.object = &o[1]}};
    larder_request *requests[2] = {NULL, NULL};
    larder *s = mpiobject_open (&small);
    larder_transaction_options x = mpitxn_options (t, LARDER_EVERY_RANK);
    make (o, 2, size_mixed);
    t->released = &o[0].releases;
    if (mpitest_rank == 0)
        mpitxn_offer (s, t, &x, o, 2, refs);
    mpitxn_share (refs, 2, 0);
    for (int i = 0; i < 2; ++i)
        mpiobject_start (s, &refs[i], &k[i], &requests[i]);
    for (int i = 2; i-- > 0;)
        mpiobject_finish (&requests[i], &k[i], LARDER_OK);
    if (mpitest_rank == 0) {
        *r = mpitxn_wait (s, t);
        CU_ASSERT (t->dones == 1 && t->outcomes == 1 && t->done == LARDER_DONE_FINISHED);
        CU_ASSERT (o[0].releases == 1 && o[1].releases == 1);
        CU_ASSERT (o[0].counted == 1 && o[1].counted == 1);
    }
    mpiobject_close (&s);
    CU_ASSERT_EQUAL (o[0].releases + o[1].releases, mpitest_rank ? 0 : 2);
}

static void test_life (void)
{
    static struct mpitxn t;
    larder_receipt *r = NULL;
    t = (struct mpitxn){0};
    bundle (&t, &r);
    if (mpitest_rank)
        return;
    check_story (&t, 2, mpitest_size);
    mpitxn_check (r, LARDER_DONE_FINISHED, LARDER_VERDICT_COMPLETED, LARDER_REASON_ALL_SUCCEEDED);
    CU_ASSERT (r->expected == mpitest_size && r->receivers == mpitest_size && r->objects == 2);
    CU_ASSERT (r->quorum_met == 1 && r->callback_code == 0 && r->seconds >= 0 && r->time > 0);
    CU_ASSERT (t.receipt.verdict == r->verdict && t.receipt.time == r->time);
    for (int i = 0; i < 2; ++i) {
        CU_ASSERT_STRING_EQUAL (r->object[i].name, "thing");
        for (int k = 0; k < mpitest_size; ++k) {
            mpitxn_check_line (r, i, k, LARDER_RECEIVER_SUCCEEDED, LARDER_OK);
            CU_ASSERT (r->object[i].lines[k].rank == k && r->object[i].lines[k].acquired == 1);
        }
    }
    larder_receipt_free (&r);
}

/* It is noted, the first that failed, and changes nothing else. */
static void test_callbacks_that_fail (void)
{
    for (int first = 0; first < 2; ++first) {
        static struct mpitxn t;
        larder_receipt *r = NULL;
        t = (struct mpitxn){.done_code = first ? LARDER_EIO : 0, .outcome_code = LARDER_ENOSPC};
        bundle (&t, &r);
        if (mpitest_rank)
            continue;
        check_story (&t, 2, mpitest_size);
        CU_ASSERT_EQUAL (r->verdict, LARDER_VERDICT_COMPLETED);
        CU_ASSERT_EQUAL (r->callback_code, first ? LARDER_EIO : LARDER_ENOSPC);
        CU_ASSERT_EQUAL (t.receipt.callback_code, first ? LARDER_EIO : 0);
        larder_receipt_free (&r);
    }
}

/* ---------------------------------------------------------------- what is refused */

static void refused (larder *s)
{
    struct mpiobject o = mpiobject_make (5, size_chunk);
    struct mpitxn t = {0};
    larder_object object = {.ops = &mpiobject_sized, .self = &o, .name = "late"};
    larder_transaction_options x = mpitxn_options (&t, LARDER_EVERY_RANK);
    larder_error err = {0};
    larder_receipt *r = NULL;
    larder_ref ref;
    mpitxn_begin (s, &t, &x);
    CU_ASSERT_EQUAL (larder_transaction_live (s, t.number, &err), LARDER_EINVAL);
    CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "no objects"));
    CU_ASSERT_EQUAL (larder_transaction_add (s, t.number, NULL, &ref, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_transaction_add (s, t.number, &object, NULL, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_transaction_add (s, t.number + 1, &object, &ref, &err), LARDER_EGONE);
    mpitxn_add (s, &t, &o, 0, &ref);
    CU_ASSERT_EQUAL (larder_transaction_wait (s, t.number, -1, &r, &err), LARDER_EINVAL);
    CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "not live"));
    CU_ASSERT_EQUAL (larder_transaction_wait (s, t.number, 0, &r, &err), LARDER_AGAIN);
    mpitxn_live (s, &t);
    CU_ASSERT_EQUAL (larder_transaction_live (s, t.number, &err), LARDER_EINVAL);
    CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "live already"));
    CU_ASSERT_EQUAL (larder_transaction_add (s, t.number, &object, &ref, &err), LARDER_EINVAL);
    CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "late"));
    CU_ASSERT_EQUAL (larder_transaction_live (s, t.number + 1, &err), LARDER_EGONE);
    CU_ASSERT_EQUAL (larder_transaction_wait (s, t.number + 1, 0, &r, &err), LARDER_EGONE);
    CU_ASSERT_EQUAL (larder_transaction_wait (s, 0, -1, &r, &err), LARDER_EGONE);
    CU_ASSERT_PTR_NULL (r);
    CU_ASSERT_EQUAL (larder_transaction_delete (s, t.number + 1, &err), LARDER_OK);
    MPITEST_OK (larder_transaction_delete (s, t.number, &err), err);
    MPITEST_OK (larder_transaction_delete (s, t.number, &err), err);
    CU_ASSERT_EQUAL (larder_transaction_live (s, t.number, &err), LARDER_EGONE);
    CU_ASSERT_EQUAL (larder_transaction_add (s, t.number, &object, &ref, &err), LARDER_EGONE);
    MPITEST_OK (larder_transaction_wait (s, t.number, -1, NULL, &err), err);
    CU_ASSERT_EQUAL (o.releases, 1);
}

static void bad_options (larder *s)
{
    larder_error err = {0};
    uint64_t number = 77;
    int twice[] = {0, 0};
    const larder_transaction_options bad[] = {
        {.receivers = {twice, 2}},
        {.receivers = LARDER_COUNT (mpitest_size + 1)},
        {.timeout_s = -1},
        {.timeout_s = 1.0 / 0.0},
        {.acquire_timeout_s = 0.0 / 0.0},
        {.idle_timeout_s = 1.0 / 0.0},
        {.min_receivers = -1},
        {.receivers = LARDER_EVERY_RANK, .min_receivers = mpitest_size + 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i)
        CU_ASSERT_EQUAL (larder_transaction_begin (s, &bad[i], &number, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_transaction_begin (s, NULL, NULL, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (number, 77);
    MPITEST_OK (larder_transaction_begin (s, NULL, &number, &err), err); /* all as zero */
}

static void test_refused (void)
{
    larder_error err = {0};
    larder_receipt *r = NULL;
    uint64_t number = 0;
    larder *s = mpiobject_open (&small);
    if (mpitest_rank == 0) {
        refused (s);
        bad_options (s);
    } else {
        CU_ASSERT_EQUAL (larder_transaction_begin (s, NULL, &number, &err), LARDER_EINVAL);
        CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "owners"));
        CU_ASSERT_EQUAL (larder_transaction_live (s, 1, &err), LARDER_EINVAL);
        CU_ASSERT_EQUAL (larder_transaction_delete (s, 1, &err), LARDER_EINVAL);
        CU_ASSERT_EQUAL (larder_transaction_wait (s, 1, 0, &r, &err), LARDER_EINVAL);
        CU_ASSERT_EQUAL (number, 0);
    }
    mpiobject_close (&s);
}

/* A transaction that is full, and too many of them: what is there goes on. */
static void test_limits (void)
{
    larder_config config = small;
    config.max_objects = 3;
    config.max_transactions = 2;
    larder_error err = {0};
    struct mpitxn t[3] = {{0}};
    struct mpiobject o[4];
    larder_ref refs[4];
    make (o, 4, size_mixed);
    larder *s = mpiobject_open (&config);
    larder_transaction_options x = mpitxn_options (&t[0], LARDER_ALL);
    larder_object object = {.ops = &mpiobject_sized, .self = &o[3]};
    if (mpitest_rank == 0) {
        mpitxn_begin (s, &t[0], &x);
        mpitxn_begin (s, &t[1], NULL);
        CU_ASSERT_EQUAL (larder_transaction_begin (s, &x, &t[2].number, &err), LARDER_EBUSY);
        CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "bundle: 2 transactions"));
        CU_ASSERT_EQUAL (larder_offer (s, &object, LARDER_ALL, &refs[3], &err), LARDER_EBUSY);
        MPITEST_OK (larder_transaction_delete (s, t[1].number, &err), err);
        mpitxn_begin (s, &t[1], NULL);
        for (int i = 0; i < 3; ++i)
            mpitxn_add (s, &t[0], &o[i], i, &refs[i]);
        CU_ASSERT_EQUAL (larder_transaction_add (s, t[1].number, &object, &refs[3], &err),
                         LARDER_EBUSY);
        CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "max_objects"));
        CU_ASSERT_STRING_EQUAL (o[3].log, "");
        mpitxn_live (s, &t[0]);
    }
    mpitxn_share (refs, 3, 0);
    for (int i = 0; mpitest_rank && i < 3; ++i)
        mpiobject_get (s, &refs[i], &o[i], LARDER_OK);
    if (mpitest_rank == 0 && mpitest_size > 1) {
        larder_receipt *r = mpitxn_wait (s, &t[0]);
        CU_ASSERT_EQUAL (r->verdict, LARDER_VERDICT_COMPLETED);
        CU_ASSERT_EQUAL (r->objects, 3);
        larder_receipt_free (&r);
        mpitxn_add (s, &t[1], &o[3], 0, &refs[3]); /* now there is room */
    }
    mpiobject_close (&s);
    CU_ASSERT_EQUAL (o[3].releases, mpitest_rank == 0 && mpitest_size > 1);
}

/* ---------------------------------------------------------------- what fails */

/* An object that cannot be added is not in the transaction, and heard nothing more. */
static void test_failed_add (void)
{
    larder_error err = {0};
    struct mpitxn t = {0};
    struct mpiobject o[2], bad = mpiobject_make (5, size_chunk);
    larder_object object = {.ops = &mpiobject_sized, .self = &bad, .name = "broken"};
    larder_ref refs[2], none, before;
    make (o, 2, size_mixed);
    memset (&none, 0x5a, sizeof none);
    before = none;
    larder *s = mpiobject_open (&small);
    larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
    if (mpitest_rank == 0) {
        mpitxn_begin (s, &t, &x);
        for (int i = 0; i < 200; ++i) { /* more often than there are places */
            bad.transaction_code = i % 2 ? LARDER_ENOSPC : 0;
            bad.count_code = i % 2 ? 0 : LARDER_ENOENT;
            if (i == 70 || i == 171)
                mpitxn_add (s, &t, &o[i > 100], i > 100, &refs[i > 100]);
            CU_ASSERT_EQUAL (larder_transaction_add (s, t.number, &object, &none, &err),
                             i % 2 ? LARDER_ENOSPC : LARDER_ENOENT);
        }
        CU_ASSERT_EQUAL (memcmp (&none, &before, sizeof none), 0);
        CU_ASSERT (bad.releases + bad.dones + bad.ones == 0 && bad.calls == 0);
        mpitxn_live (s, &t);
    }
    mpitxn_share (refs, 2, 0);
    for (int i = 0; mpitest_rank && i < 2; ++i)
        mpiobject_get (s, &refs[i], &o[i], LARDER_OK);
    if (mpitest_rank == 0 && mpitest_size > 1) {
        larder_receipt *r = mpitxn_wait (s, &t);
        check_story (&t, 2, mpitest_size - 1);
        CU_ASSERT_EQUAL (r->verdict, LARDER_VERDICT_COMPLETED);
        CU_ASSERT_EQUAL (r->objects, 2);
        larder_receipt_free (&r);
    }
    mpiobject_close (&s);
    CU_ASSERT (bad.releases + bad.dones + bad.ones == 0 && bad.calls == 0);
}

/* One object cannot be produced: all get the reason at once, also who comes later; the other goes on. */
static void produce_fails (uint64_t item, larder_receivers receivers)
{
    struct mpitxn t = {0};
    struct mpiobject o[2];
    larder_ref refs[2];
    make (o, 2, size_mixed);
    o[0].fail_item = item;
    o[0].fail_code = LARDER_EIO;
    larder *s = mpiobject_open (&small);
    larder_transaction_options x = mpitxn_options (&t, receivers);
    if (mpitest_rank == 0)
        mpitxn_offer (s, &t, &x, o, 2, refs);
    mpitxn_share (refs, 2, 0);
    if (mpitest_rank) {
        mpiobject_get (s, &refs[0], &o[0], LARDER_EOWNER);
        mpiobject_get (s, &refs[0], &o[0], LARDER_EOWNER);
        mpiobject_get (s, &refs[1], &o[1], LARDER_OK);
    } else {
        larder_receipt *r = mpitxn_wait (s, &t);
        mpitxn_check (r, LARDER_DONE_FINISHED, LARDER_VERDICT_FAILED,
                      LARDER_REASON_RECEIVER_FAILED);
        CU_ASSERT_EQUAL (r->receivers, mpitest_size - 1);
        for (int i = 1; i < mpitest_size; ++i) {
            mpitxn_check_line (r, 0, i, LARDER_RECEIVER_FAILED, LARDER_EOWNER);
            mpitxn_check_line (r, 1, i, LARDER_RECEIVER_SUCCEEDED, LARDER_OK);
        }
        CU_ASSERT (o[0].alls == 1 && o[1].alls == 1);
        larder_receipt_free (&r);
    }
    mpiobject_close (&s);
}

static void test_produce_fails (void)
{
    if (mpitest_size == 1)
        return;
    produce_fails (1, LARDER_ALL);
    produce_fails (30, LARDER_ALL);
    produce_fails (ITEMS - 1, LARDER_COUNT (mpitest_size - 1));
}

/* ---------------------------------------------------------------- before live, and deleted */

static void test_before_live (void)
{
    for (int deleted = 0; deleted < 2; ++deleted) {
        larder_error err = {0};
        static struct mpitxn t;
        struct mpiobject o = mpiobject_make (ITEMS, size_mixed);
        struct mpisink k = {.object = &o};
        larder_request *request = NULL;
        larder_ref ref;
        t = (struct mpitxn){0};
        larder *s = mpiobject_open (&small);
        larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
        x.timeout_s = 1;
        if (mpitest_rank == 0) {
            mpitxn_begin (s, &t, &x);
            mpitxn_add (s, &t, &o, 0, &ref);
        }
        mpitxn_share (&ref, 1, 0);
        if (mpitest_rank) {
            mpiobject_start (s, &ref, &k, &request);
            CU_ASSERT_EQUAL (larder_download_wait (&request, 0.05, &err), LARDER_AGAIN);
            mpiobject_tell (0, TAG_DONE);
            mpiobject_finish (&request, &k, deleted ? LARDER_EGONE : LARDER_OK);
        } else {
            mpiobject_serve_until (s, mpitest_size - 1, TAG_DONE);
            /* No clock runs yet. */
            CU_ASSERT_EQUAL (larder_transaction_wait (s, t.number, 1.1, NULL, &err), LARDER_AGAIN);
            CU_ASSERT_STRING_EQUAL (t.log, "t0. c0. ");
            if (deleted)
                MPITEST_OK (larder_transaction_delete (s, t.number, &err), err);
            else if (mpitest_size > 1)
                mpitxn_live (s, &t);
            if (deleted)
                CU_ASSERT_STRING_EQUAL (t.log, "t0. c0. d0. D.. O.. x0. ");
        }
        if (mpitest_rank == 0 && (deleted || mpitest_size > 1)) {
            larder_receipt *r = mpitxn_wait (s, &t);
            CU_ASSERT_EQUAL (r->verdict,
                             deleted ? LARDER_VERDICT_ABORTED : LARDER_VERDICT_COMPLETED);
            CU_ASSERT (!deleted || (r->seconds == 0 && r->reason == LARDER_REASON_DELETED));
            larder_receipt_free (&r);
        }
        mpiobject_close (&s);
        CU_ASSERT_EQUAL (o.releases, mpitest_rank == 0);
    }
}

/* Withdrawing one object, or closing the session, deletes all of it. */
static void test_deleted (void)
{
    for (int closed = 0; closed < 2; ++closed) {
        larder_error err = {0};
        struct mpitxn t = {0};
        struct mpiobject o[2];
        larder_ref refs[2];
        larder_config config = small;
        config.cache_size = 4 * ITEMS * CHUNK; /* rank 1 does not wait for the others */
        make (o, 2, size_mixed);
        larder *s = mpiobject_open (&config);
        larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
        if (mpitest_rank == 0)
            mpitxn_offer (s, &t, &x, o, 2, refs);
        mpitxn_share (refs, 2, 0);
        if (mpitest_rank == 1) {
            mpiobject_get (s, &refs[0], &o[0], LARDER_OK);
            mpiobject_tell (0, TAG_DONE);
        } else if (mpitest_rank == 0) {
            mpiobject_serve_until (s, mpitest_size > 1, TAG_DONE);
            if (!closed) {
                MPITEST_OK (larder_withdraw (s, &refs[1], &err), err);
                larder_receipt *r = mpitxn_wait (s, &t);
                mpitxn_check (r, LARDER_DONE_DELETED, LARDER_VERDICT_ABORTED,
                              LARDER_REASON_DELETED);
                for (int i = 1; i < mpitest_size; ++i) {
                    mpitxn_check_line (r, 1, i, LARDER_RECEIVER_MISSING, LARDER_EGONE);
                    mpitxn_check_line (r, 0, i, 3 - 2 * (i == 1), i == 1 ? 0 : LARDER_EGONE);
                }
                larder_receipt_free (&r);
            }
        }
        if (mpitest_rank == 0 && !closed)
            for (int i = 1; i < mpitest_size; ++i)
                mpiobject_tell (i, TAG_GO);
        if (mpitest_rank && !closed) {
            mpiobject_hear (0, TAG_GO);
            mpiobject_get (s, &refs[0], &o[0], LARDER_EGONE);
        }
        mpiobject_close (&s);
        if (mpitest_rank)
            continue;
        CU_ASSERT (o[0].releases == 1 && o[1].releases == 1 && t.dones == 1 && t.outcomes == 1);
        CU_ASSERT (o[0].done == LARDER_DONE_DELETED && o[0].ones == (mpitest_size > 1));
        CU_ASSERT_EQUAL (t.receipt.verdict, LARDER_VERDICT_ABORTED);
    }
}

int main (int argc, char **argv)
{
    static const struct larder_test tests[] = {
        {"life", test_life},
        {"callbacks that fail", test_callbacks_that_fail},
        {"refused", test_refused},
        {"limits", test_limits},
        {"failed add", test_failed_add},
        {"produce fails", test_produce_fails},
        {"before live", test_before_live},
        {"deleted", test_deleted},
        {NULL, NULL},
    };
    return mpitest_main (argc, argv, "transaction", tests);
}
