/* SPDX-License-Identifier: Apache-2.0 */
/* Refs that were passed on: who receives in the end are not the ranks that the owner declared.  Rank 0 owns,
 * rank 1 is declared and passes its refs on; all receipts are checked line by line. */
#include "larder_mpitxn.h"

enum { CHUNK = 4096, ITEMS = 60, TAG_GO = 1, TAG_DONE = 2, MANY = 16 };

/* Everything fits. */
static const larder_config roomy = {
    .chunk_size = CHUNK, .cache_size = 256 * CHUNK, .timeout_s = 60, .hold_timeout_s = 60};

/* Nothing does: who waits for a rank that does not come waits longer than the test may take. */
static const larder_config tight = {
    .chunk_size = CHUNK, .cache_size = 12 * CHUNK, .timeout_s = 250, .hold_timeout_s = 200};

static const int first[] = {1}, both[] = {1, 2};

static uint64_t size_mixed (uint64_t item)
{
    static const uint64_t sizes[] = {0, 1, 5000, 17, 4096, 0, 9000, 300, 301, 4095, 4097};
    return sizes[item * 7 % 11];
}

/* A session, a transaction of two objects on rank 0, and its refs on every rank. */
struct world {
    larder *s;
    struct mpitxn t;
    struct mpiobject o[2];
    larder_ref refs[2], split[2];
};

static struct world w;

static void open_world (const larder_config *config, larder_transaction_options x)
{
    w = (struct world){0};
    for (int i = 0; i < 2; ++i) {
        w.o[i] = mpiobject_make (ITEMS, size_mixed);
        w.o[i].salt = 1 + 31 * (uint64_t)i;
    }
    larder_transaction_options own = mpitxn_options (&w.t, x.receivers);
    x.self = own.self;
    x.transaction_done = own.transaction_done;
    x.outcome = own.outcome;
    w.s = mpiobject_open (config);
    if (mpitest_rank == 0)
        mpitxn_offer (w.s, &w.t, &x, w.o, 2, w.refs);
    mpitxn_share (w.refs, 2, 0);
}

static void close_world (void)
{
    mpiobject_close (&w.s);
    if (mpitest_rank == 0)
        CU_ASSERT (w.o[0].alls == 1 && w.o[1].alls == 1);
}

/* As a rank would that gets the refs by `via`. */
static void by (int via, int share)
{
    larder_error err = {0};
    for (int i = 0; i < 2; ++i)
        MPITEST_OK (larder_ref_split (&w.refs[i], via, share, &w.split[i], &err), err);
}

static void get (const larder_ref *refs, int object, int code)
{
    mpiobject_get (w.s, &refs[object], &w.o[object], code);
}

static void get_both (const larder_ref *refs)
{
    get (refs, 0, LARDER_OK);
    get (refs, 1, LARDER_OK);
}

static larder_receipt_line succeeded (int rank, int via)
{
    return (larder_receipt_line){rank, 1, LARDER_RECEIVER_SUCCEEDED, LARDER_OK, via};
}

/* The lines of both objects are these, and no others. */
static void check_lines (const larder_receipt *r, const larder_receipt_line *lines, int count)
{
    CU_ASSERT_EQUAL (r->receivers, count);
    CU_ASSERT_EQUAL (r->expected, count);
    CU_ASSERT_EQUAL (r->objects, 2);
    for (int i = 0; i < r->objects; ++i)
        for (int k = 0; k < count && k < r->receivers; ++k) {
            const larder_receipt_line *l = &r->object[i].lines[k];
            int same = l->rank == lines[k].rank && l->acquired == lines[k].acquired &&
                       l->verdict == lines[k].verdict && l->code == lines[k].code &&
                       l->via == lines[k].via;
            CU_ASSERT (same);
            if (!same)
                fprintf (stderr, "object %d, line %d: rank %d, acquired %d, %s, %s, via %d\n", i, k,
                         l->rank, l->acquired, larder_receiver_verdict_text (l->verdict),
                         larder_code_name (l->code), l->via);
        }
}

/* Rank 0: the transaction has ended, and everybody in the lines has got everything. */
static void all_have_it (const larder_receipt_line *lines, int count)
{
    larder_receipt *r = mpitxn_wait (w.s, &w.t);
    mpitxn_check (r, LARDER_DONE_FINISHED, LARDER_VERDICT_COMPLETED, LARDER_REASON_ALL_SUCCEEDED);
    check_lines (r, lines, count);
    larder_receipt_free (&r);
}

/* The lines of the ranks from `from` on, all by one via; returns how many. */
static int lines_from (larder_receipt_line *lines, int from, int via)
{
    int count = 0;
    for (int r = from; r < mpitest_size && count < MANY; ++r)
        lines[count++] = succeeded (r, via);
    return count;
}

static void never_made_again (void)
{
    larder_stats stats;
    CU_ASSERT_EQUAL (larder_session_get_stats (w.s, &stats), LARDER_OK);
    CU_ASSERT_EQUAL (stats.chunks_reproduced, 0);
}

/* ---------------------------------------------------------------- the tests */

/* Every rank splits its ref for itself alone. */
static void test_itself (void)
{
    larder_receipt_line lines[MANY];
    open_world (&roomy, (larder_transaction_options){.receivers = LARDER_EVERY_RANK});
    by (mpitest_rank, 1);
    get_both (w.split);
    for (int r = 0; r < mpitest_size; ++r)
        lines[r] = succeeded (r, r);
    if (mpitest_rank == 0)
        all_have_it (lines, mpitest_size);
    close_world ();
}

/* Rank 1 passes on and downloads nothing: nobody waits for it, neither at the owner nor on its node, and each
 * chunk is made once. */
static void test_aggregator (void)
{
    larder_receipt_line lines[MANY];
    if (mpitest_size < 3)
        return;
    open_world (&tight, (larder_transaction_options){.receivers = {first, 1}});
    by (1, mpitest_size - 2);
    if (mpitest_rank > 1) {
        larder_error err = {0};
        get (w.split, 0, LARDER_OK);
        MPITEST_OK (larder_confirm (w.s, &w.split[0], LARDER_OK, &err), err); /* once more */
        get (w.split, 1, LARDER_OK);
    } else if (mpitest_rank == 0) {
        all_have_it (lines, lines_from (lines, 2, 1));
        never_made_again ();
    }
    close_world ();
}

/* Another declared rank shares rank 1's node, or does not, and began before anybody heard that rank 1 passes
 * its refs on. */
static void test_beside_others (void)
{
    larder_receipt_line lines[MANY];
    if (mpitest_size < 4)
        return;
    open_world (&tight, (larder_transaction_options){.receivers = {(const int[]){1, 3}, 2}});
    by (1, 1);
    if (mpitest_rank == 3) {
        struct mpisink k = {.object = &w.o[0]};
        larder_request *request = NULL;
        mpiobject_start (w.s, &w.refs[0], &k, &request);
        while (!k.views && request) /* its line waits for rank 1, if it is a neighbour */
            CU_ASSERT_EQUAL_FATAL (larder_download_test (&request, NULL), LARDER_AGAIN);
        mpiobject_tell (2, TAG_GO);
        mpiobject_finish (&request, &k, LARDER_OK);
        get (w.refs, 1, LARDER_OK);
    } else if (mpitest_rank == 2) {
        mpiobject_hear (3, TAG_GO);
        get_both (w.split);
    } else if (mpitest_rank == 0) {
        lines[0] = succeeded (2, 1);
        lines[1] = succeeded (3, -1);
        all_have_it (lines, 2);
        never_made_again ();
    }
    close_world ();
}

/* Parts, an interruption, a retry: one place all the same. */
static void test_retries (void)
{
    larder_receipt_line lines[MANY];
    if (mpitest_size < 3)
        return;
    open_world (&roomy, (larder_transaction_options){.receivers = {first, 1}});
    by (1, mpitest_size - 2);
    if (mpitest_rank > 1) {
        struct mpisink part = {.object = &w.o[0], .next_item = 7}, k = {.object = &w.o[1]};
        larder_consumer c = mpisink_consumer (&part), whole = mpisink_consumer (&k);
        larder_request *request = NULL;
        larder_cursor cursor;
        larder_error err = {0};
        larder_ref ref;
        MPITEST_OK (larder_ref_items (&w.split[0], 7, 20, &ref, &err), err);
        MPITEST_OK (larder_download (w.s, &ref, &c, &err), err);
        CU_ASSERT (part.bad == 0 && part.next_item == 27);
        get (w.split, 0, LARDER_OK);
        get (w.split, 0, LARDER_OK);
        MPITEST_OK (larder_download_start (w.s, &w.split[1], &whole, &request, &err), err);
        int rc = LARDER_AGAIN;
        while (k.views < 3 && rc == LARDER_AGAIN)
            rc = larder_download_test (&request, &err);
        if (rc == LARDER_AGAIN && larder_download_interrupt (&request, &cursor, &err) == LARDER_OK)
            MPITEST_OK (larder_download_resume (w.s, &cursor, &whole, &request, &err), err);
        if (request)
            rc = larder_download_wait (&request, -1, &err);
        MPITEST_OK (rc, err);
        mpisink_check_all (&k);
    } else if (mpitest_rank == 0) {
        all_have_it (lines, lines_from (lines, 2, 1));
    }
    close_world ();
}

/* The first number counts; a ref with another is refused, and does no harm to who presents it. */
static void test_other_numbers (void)
{
    larder_error err = {0};
    if (mpitest_size < 4)
        return;
    open_world (&roomy, (larder_transaction_options){.receivers = {first, 1}});
    by (1, 2);
    CU_ASSERT_EQUAL (larder_ref_split (&w.split[0], 2, 2, &w.split[0], &err), LARDER_ESPLIT);
    if (mpitest_rank == 2) {
        get (w.split, 0, LARDER_OK);
        mpiobject_tell (3, TAG_GO);
        get (w.split, 1, LARDER_OK);
    } else if (mpitest_rank == 3) {
        mpiobject_hear (2, TAG_GO);
        by (1, 3);
        get (w.split, 0, LARDER_ESPLIT);
        CU_ASSERT_EQUAL (larder_confirm (w.s, &w.split[1], LARDER_OK, &err), LARDER_ESPLIT);
        CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "rank 1 has split"));
        by (1, mpitest_size + 1); /* nobody has so many ranks */
        CU_ASSERT_EQUAL (larder_confirm (w.s, &w.split[0], LARDER_OK, &err), LARDER_EREF);
        by (1, 2);
        get_both (w.split);
    } else if (mpitest_rank == 0) {
        larder_receipt_line lines[] = {succeeded (2, 1), succeeded (3, 1)};
        all_have_it (lines, 2);
    }
    close_world ();
}

/* Who passes on may download too, before or after those behind it; with its own split ref it is one of
 * them. */
static void via_downloads (int how)
{
    larder_receipt_line lines[MANY];
    if (mpitest_size < 3)
        return;
    open_world (&roomy, (larder_transaction_options){.receivers = {first, 1}});
    by (1, mpitest_size - 2 + (how == 2));
    if (mpitest_rank == 1) {
        if (how == 1)
            mpiobject_hear (2, TAG_GO);
        get (how == 2 ? w.split : w.refs, 0, LARDER_OK);
        mpiobject_tell (2, TAG_GO);
        mpiobject_hear (2, TAG_DONE); /* else it might have been the only one */
        get (how == 2 ? w.split : w.refs, 1, LARDER_OK);
    } else if (mpitest_rank == 2) {
        if (how == 0)
            mpiobject_hear (1, TAG_GO);
        get (w.split, 0, LARDER_OK);
        if (how == 1)
            mpiobject_tell (1, TAG_GO);
        if (how)
            mpiobject_hear (1, TAG_GO); /* likewise */
        mpiobject_tell (1, TAG_DONE);
        get (w.split, 1, LARDER_OK);
    } else if (mpitest_rank == 3) {
        get_both (w.split);
    } else {
        int count = 1 + lines_from (lines + 1, 2, 1);
        lines[0] = succeeded (1, how == 2 ? 1 : -1);
        all_have_it (lines, count);
    }
    close_world ();
}

static void test_via_before (void)
{
    via_downloads (0);
}

static void test_via_after (void)
{
    via_downloads (1);
}

static void test_via_among_them (void)
{
    via_downloads (2);
}

/* Ranks 1 and 2 both pass on, and rank 3 gets refs from both: it is one receiver. */
static void test_two_ways (void)
{
    if (mpitest_size < 4)
        return;
    open_world (&roomy, (larder_transaction_options){.receivers = {both, 2}});
    if (mpitest_rank == 3) {
        by (1, 2);
        get_both (w.split);
        by (2, 2);
        get (w.split, 0, LARDER_OK);
        mpiobject_tell (1, TAG_GO);
        mpiobject_tell (2, TAG_GO);
    } else if (mpitest_rank) {
        by (mpitest_rank, 2);
        mpiobject_hear (3, TAG_GO);
        get_both (w.split);
    } else {
        larder_receipt_line lines[] = {succeeded (1, 1), succeeded (2, 2), succeeded (3, 1)};
        all_have_it (lines, 3);
    }
    close_world ();
}

/* One of three never comes: its time runs out, or the transaction is deleted. */
static void never_comes (int deleted)
{
    static const int three = 3;
    larder_receipt_line lines[] = {
        {-1, 0, LARDER_RECEIVER_MISSING, deleted ? LARDER_EGONE : LARDER_ETIMEDOUT, 1},
        {-1, 0, LARDER_RECEIVER_MISSING, deleted ? LARDER_EGONE : LARDER_ETIMEDOUT, 1},
        succeeded (2, 1)};
    if (mpitest_size < 3)
        return;
    larder_transaction_options x = {.receivers = {first, 1}};
    x.acquire_timeout_s = deleted ? 0 : 4;
    open_world (&roomy, x);
    by (1, three);
    if (mpitest_rank == 2) {
        get_both (w.split);
        mpiobject_tell (0, TAG_DONE);
    } else if (mpitest_rank == 0) {
        larder_error err = {0};
        mpiobject_serve_until (w.s, 1, TAG_DONE);
        if (deleted) {
            CU_ASSERT_EQUAL (larder_transaction_wait (w.s, w.t.number, 0, NULL, &err),
                             LARDER_AGAIN);
            MPITEST_OK (larder_transaction_delete (w.s, w.t.number, &err), err);
        }
        larder_receipt *r = mpitxn_wait (w.s, &w.t);
        mpitxn_check (r, deleted ? LARDER_DONE_DELETED : LARDER_DONE_FINISHED,
                      deleted ? LARDER_VERDICT_ABORTED : LARDER_VERDICT_FAILED,
                      deleted ? LARDER_REASON_DELETED : LARDER_REASON_RECEIVER_FAILED);
        check_lines (r, lines, three);
        larder_receipt_free (&r);
        CU_ASSERT (w.o[0].ones == 1 &&
                   w.o[0].alls == !deleted); /* nobody is told of who nobody is */
    }
    mpiobject_close (&w.s);
}

static void test_never_comes (void)
{
    never_comes (0);
}

static void test_never_comes_and_deleted (void)
{
    never_comes (1);
}

/* One more than it was split among gets everything and is not mentioned. */
static void test_one_more (void)
{
    if (mpitest_size < 4)
        return;
    open_world (&roomy, (larder_transaction_options){.receivers = {first, 1}});
    by (1, 1);
    if (mpitest_rank == 2) {
        get (w.split, 0, LARDER_OK);
        mpiobject_tell (3, TAG_GO);
        mpiobject_hear (3, TAG_DONE);
        get (w.split, 1, LARDER_OK);
    } else if (mpitest_rank == 3) {
        mpiobject_hear (2, TAG_GO);
        get_both (w.split);
        mpiobject_tell (2, TAG_DONE);
    } else if (mpitest_rank == 0) {
        larder_receipt_line lines[] = {succeeded (2, 1)};
        all_have_it (lines, 1);
    }
    close_world ();
}

/* Without names: one is expected, and that one passes on. */
static void test_count (void)
{
    larder_receipt_line lines[MANY];
    if (mpitest_size < 3)
        return;
    open_world (&roomy, (larder_transaction_options){.receivers = LARDER_COUNT (1)});
    by (1, mpitest_size - 2);
    if (mpitest_rank > 1)
        get_both (w.split);
    else if (mpitest_rank == 0)
        all_have_it (lines, lines_from (lines, 2, 1));
    close_world ();
}

/* Refs go on as they are: rank 2 steps in for rank 1, which comes after all. */
static void test_forwarded (void)
{
    if (mpitest_size < 3)
        return;
    larder_transaction_options x = {.receivers = {first, 1}, .forwarded = 1};
    open_world (&roomy, x);
    if (mpitest_rank == 2) {
        get (w.refs, 0, LARDER_OK);
        mpiobject_tell (1, TAG_GO);
        mpiobject_hear (1, TAG_DONE);
        get (w.refs, 1, LARDER_OK);
    } else if (mpitest_rank == 1) {
        mpiobject_hear (2, TAG_GO);
        get (w.refs, 0, LARDER_OK);
        mpiobject_tell (2, TAG_DONE);
        get (w.refs, 1, LARDER_OK);
    } else if (mpitest_rank == 0) {
        larder_receipt_line lines[] = {succeeded (1, -1), succeeded (2, -1)};
        all_have_it (lines, 2);
    }
    mpiobject_close (&w.s);
}

/* The same when rank 1 never comes. */
static void test_stepped_in (void)
{
    if (mpitest_size < 3)
        return;
    larder_transaction_options x = {.receivers = {first, 1}, .forwarded = 1};
    open_world (&tight, x);
    if (mpitest_rank == 2)
        get_both (w.refs);
    else if (mpitest_rank == 0) {
        larder_receipt_line lines[] = {succeeded (2, -1)};
        all_have_it (lines, 1);
    }
    close_world ();
}

/* A verdict alone takes a place, and so does a cancel. */
static void test_verdicts (void)
{
    if (mpitest_size < 3)
        return;
    open_world (&roomy, (larder_transaction_options){.receivers = {first, 1}});
    by (1, 2);
    if (mpitest_rank == 2) {
        larder_error err = {0};
        MPITEST_OK (larder_confirm (w.s, &w.split[0], LARDER_OK, &err), err);
        MPITEST_OK (larder_confirm (w.s, &w.split[1], LARDER_ENOSPC, &err), err);
    } else if (mpitest_rank == 1) {
        struct mpisink k = {.object = &w.o[0]};
        larder_request *request = NULL;
        larder_error err = {0};
        mpiobject_start (w.s, &w.split[0], &k, &request);
        MPITEST_OK (larder_download_cancel (&request, &err), err);
        mpiobject_tell (0, TAG_DONE);
    } else if (mpitest_rank == 0) {
        larder_receipt *r = mpitxn_wait (w.s, &w.t);
        mpiobject_hear (1, TAG_DONE);
        mpitxn_check (r, LARDER_DONE_FINISHED, LARDER_VERDICT_FAILED,
                      LARDER_REASON_RECEIVER_FAILED);
        CU_ASSERT (r->expected == 2 && r->receivers == 2);
        for (int i = 0; i < 2; ++i) {
            mpitxn_check_line (r, i, 1, LARDER_RECEIVER_FAILED, LARDER_ECANCELED);
            mpitxn_check_line (r, i, 2, i ? LARDER_RECEIVER_FAILED : LARDER_RECEIVER_SUCCEEDED,
                               i ? LARDER_ENOSPC : LARDER_OK);
            CU_ASSERT (r->object[i].lines[0].via == 1 && r->object[i].lines[1].via == 1);
        }
        larder_receipt_free (&r);
    }
    close_world ();
}

/* A new version: refs to it are split anew, with the same numbers. */
static void test_new_version (void)
{
    larder_receipt_line lines[MANY];
    larder_error err = {0};
    if (mpitest_size < 3)
        return;
    open_world (&roomy, (larder_transaction_options){.receivers = {first, 1}});
    by (1, mpitest_size - 2);
    if (mpitest_rank > 1) {
        get (w.split, 1, LARDER_OK);
        mpiobject_tell (0, TAG_DONE);
    } else if (mpitest_rank == 0) {
        mpiobject_serve_until (w.s, mpitest_size - 2, TAG_DONE);
        MPITEST_OK (larder_new_version (w.s, &w.split[0], &w.refs[0], &err), err);
    }
    mpitxn_share (w.refs, 1, 0);
    if (mpitest_rank > 1) {
        get (w.split, 0, LARDER_ESTALE);
        by (1, mpitest_size - 2);
        get (w.split, 0, LARDER_OK);
    } else if (mpitest_rank == 0) {
        all_have_it (lines, lines_from (lines, 2, 1));
    }
    close_world ();
}

int main (int argc, char **argv)
{
    static const struct larder_test tests[] = {
        {"each for itself", test_itself},
        {"an aggregator that downloads nothing", test_aggregator},
        {"others on its node", test_beside_others},
        {"retries, parts, an interruption", test_retries},
        {"other numbers are refused", test_other_numbers},
        {"the one between downloads before", test_via_before},
        {"the one between downloads after", test_via_after},
        {"the one between is among them", test_via_among_them},
        {"two ways to one rank", test_two_ways},
        {"one never comes: acquire budget", test_never_comes},
        {"one never comes: deleted", test_never_comes_and_deleted},
        {"one more", test_one_more},
        {"a count", test_count},
        {"forwarded: it comes after all", test_forwarded},
        {"forwarded: it never comes", test_stepped_in},
        {"verdicts alone", test_verdicts},
        {"a new version", test_new_version},
        {NULL, NULL},
    };
    return mpitest_main (argc, argv, "split", tests);
}
