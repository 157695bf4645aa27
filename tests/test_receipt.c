/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts: the rules of the verdict in their order, quorum, lines, copies, and how long they are kept. */
#include "larder_receipt.h"
#include "larder_ref.h"
#include "larder_test.h"
#include "larder_test_random.h"
#include <math.h>
#include <string.h>

enum { SIZE = 6, OWNER = 0, PAGES = 3 };

static const char *const names[PAGES] = {"first", "", "the third"};
static larder_ref refs[PAGES];

struct books {
    struct larder_txn t;
    struct larder_page page[PAGES];
};

static void open_books (struct books *b, larder_receivers r, int pages, int min_receivers)
{
    larder_error err = {0};
    memset (b, 0, sizeof *b);
    CU_ASSERT_EQUAL_FATAL (larder_txn_init (&b->t, r, SIZE, OWNER, &err), LARDER_OK);
    struct larder_txn_limits limits = {100, 0, 0, min_receivers};
    CU_ASSERT_EQUAL_FATAL (larder_txn_limit (&b->t, &limits, &err), LARDER_OK);
    for (int i = 0; i < pages; ++i)
        CU_ASSERT_EQUAL_FATAL (larder_txn_add (&b->t, &b->page[i], &err), LARDER_OK);
    larder_txn_live (&b->t, 1);
}

static void acquire (struct books *b, int page, struct larder_presenter who)
{
    int lost;
    CU_ASSERT_EQUAL (larder_txn_acquired (&b->t, &b->page[page], &who, 1, &lost, NULL), LARDER_OK);
}

static void final (struct books *b, int page, int rank, int code)
{
    acquire (b, page, (struct larder_presenter){rank, -1, 0});
    larder_txn_final (&b->t, &b->page[page], rank, code);
}

static larder_receipt *receipt_of (const struct books *b, larder_done done)
{
    struct larder_receipt_facts facts = {.transaction = 42,
                                         .done = done,
                                         .seconds = 1.5,
                                         .time = 1700000000,
                                         .refs = refs,
                                         .names = names};
    larder_receipt *r = NULL;
    larder_error err = {0};
    CU_ASSERT_EQUAL_FATAL (larder_receipt_make (&facts, &b->t, &r, &err), LARDER_OK);
    CU_ASSERT (r->transaction == 42 && r->done == done && r->seconds == 1.5);
    CU_ASSERT_EQUAL (r->time, 1700000000);
    CU_ASSERT_EQUAL (r->expected, b->t.expected);
    CU_ASSERT_EQUAL (r->receivers, b->t.count);
    CU_ASSERT_EQUAL (r->objects, b->t.page_count);
    CU_ASSERT_EQUAL (r->callback_code, 0);
    return r;
}

static void says (const struct books *b, larder_done done, larder_verdict verdict,
                  larder_reason reason)
{
    larder_receipt *r = receipt_of (b, done);
    CU_ASSERT_EQUAL (r->verdict, verdict);
    CU_ASSERT_EQUAL (r->reason, reason);
    CU_ASSERT_EQUAL (r->quorum_met, verdict == LARDER_VERDICT_COMPLETED);
    larder_receipt_free (&r);
    CU_ASSERT_PTR_NULL (r);
}

/* ---------------------------------------------------------------- the rules, in their order */

/* Everybody has everything: however it ended. */
static void all_succeeded (void)
{
    static const larder_done dones[] = {LARDER_DONE_FINISHED, LARDER_DONE_TIMEOUT,
                                        LARDER_DONE_DELETED};
    static const int two[] = {1, 2};
    const larder_receivers kinds[] = {{two, 2}, LARDER_COUNT (2)};
    for (int kind = 0; kind < 2; ++kind)
        for (int d = 0; d < 3; ++d) {
            struct books b;
            open_books (&b, kinds[kind], 2, 0);
            for (int page = 0; page < 2; ++page)
                for (int rank = 1; rank < 3; ++rank)
                    final (&b, page, rank, LARDER_OK);
            final (&b, 0, 5, LARDER_EIO); /* nobody asked it */
            says (&b, dones[d], LARDER_VERDICT_COMPLETED, LARDER_REASON_ALL_SUCCEEDED);
            larder_txn_free (&b.t);
        }
}

static void deleted_comes_before_the_rest (void)
{
    struct books b;
    open_books (&b, LARDER_UNKNOWN, 0, 0); /* unknown, no objects */
    says (&b, LARDER_DONE_DELETED, LARDER_VERDICT_ABORTED, LARDER_REASON_DELETED);
    larder_txn_free (&b.t);
    open_books (&b, LARDER_ALL, 2, 0);
    final (&b, 0, 1, LARDER_EIO);
    says (&b, LARDER_DONE_DELETED, LARDER_VERDICT_ABORTED, LARDER_REASON_DELETED);
    larder_txn_free (&b.t);
}

static void timeout_comes_before_the_count (void)
{
    struct books b;
    open_books (&b, LARDER_UNKNOWN, 1, 0);
    final (&b, 0, 1, LARDER_OK);
    says (&b, LARDER_DONE_TIMEOUT, LARDER_VERDICT_FAILED, LARDER_REASON_TIMEOUT);
    larder_txn_free (&b.t);
    open_books (&b, LARDER_ALL, 1, 0);
    final (&b, 0, 1, LARDER_EIO);
    says (&b, LARDER_DONE_TIMEOUT, LARDER_VERDICT_FAILED, LARDER_REASON_TIMEOUT);
    larder_txn_free (&b.t);
}

static void the_count_comes_before_objects (void)
{
    struct books b;
    open_books (&b, LARDER_UNKNOWN, 0, 0);
    says (&b, LARDER_DONE_FINISHED, LARDER_VERDICT_FAILED, LARDER_REASON_UNKNOWN_RECEIVER_COUNT);
    larder_txn_free (&b.t);
    open_books (&b, LARDER_UNKNOWN, 1, 0);
    final (&b, 0, 1, LARDER_EIO);
    says (&b, LARDER_DONE_FINISHED, LARDER_VERDICT_FAILED, LARDER_REASON_UNKNOWN_RECEIVER_COUNT);
    larder_txn_free (&b.t);
    open_books (&b, LARDER_ALL, 0, 0);
    says (&b, LARDER_DONE_FINISHED, LARDER_VERDICT_FAILED, LARDER_REASON_NO_OBJECTS);
    larder_txn_free (&b.t);
}

/* One failed on one object; or a place of a count is taken by one that failed. */
static void a_receiver_failed (void)
{
    struct books b;
    open_books (&b, LARDER_COUNT (3), 2, 0);
    for (int page = 0; page < 2; ++page)
        for (int rank = 1; rank < 4; ++rank)
            final (&b, page, rank, page == 1 && rank == 2 ? LARDER_ECANCELED : LARDER_OK);
    says (&b, LARDER_DONE_FINISHED, LARDER_VERDICT_FAILED, LARDER_REASON_RECEIVER_FAILED);
    larder_txn_free (&b.t);
    open_books (&b, LARDER_ALL, 1, 0); /* nobody came, and the object was closed */
    b.page[0].closed = 1;
    says (&b, LARDER_DONE_FINISHED, LARDER_VERDICT_FAILED, LARDER_REASON_RECEIVER_FAILED);
    larder_txn_free (&b.t);
}

/* ---------------------------------------------------------------- quorum and lines */

static void quorum (void)
{
    for (int min = 1; min <= 4; ++min) {
        struct books b;
        open_books (&b, (larder_receivers){(int[]){1, 2, 3, 4}, 4}, 2, min);
        final (&b, 0, 1, LARDER_OK);
        final (&b, 1, 1, LARDER_OK);
        final (&b, 0, 2, LARDER_OK);
        final (&b, 1, 2, LARDER_OK);
        final (&b, 0, 3, LARDER_OK); /* one object is not enough */
        final (&b, 1, 3, LARDER_EIO);
        final (&b, 0, 5, LARDER_OK); /* a stranger does not count */
        final (&b, 1, 5, LARDER_OK);
        larder_receipt *r = receipt_of (&b, LARDER_DONE_TIMEOUT);
        CU_ASSERT_EQUAL (r->min_receivers, min);
        CU_ASSERT_EQUAL (r->quorum_met, min <= 2);
        CU_ASSERT_EQUAL (r->verdict, LARDER_VERDICT_FAILED); /* only the quorum is met */
        larder_receipt_free (&r);
        larder_txn_free (&b.t);
        open_books (&b, LARDER_UNKNOWN, 0, min);
        r = receipt_of (&b, LARDER_DONE_DELETED);
        CU_ASSERT_EQUAL (r->quorum_met, 0); /* without objects nobody has them */
        larder_receipt_free (&r);
        larder_txn_free (&b.t);
    }
}

static void check_line (const larder_receipt *r, int object, int at, larder_receipt_line want)
{
    const larder_receipt_line *l = &r->object[object].lines[at];
    CU_ASSERT_EQUAL (l->rank, want.rank);
    CU_ASSERT_EQUAL (l->acquired, want.acquired);
    CU_ASSERT_EQUAL (l->verdict, want.verdict);
    CU_ASSERT_EQUAL (l->code, want.code);
    CU_ASSERT_EQUAL (l->via, want.via);
}

static void lines (void)
{
    struct books b;
    open_books (&b, (larder_receivers){(int[]){4, 1, 2}, 3}, 3, 0);
    final (&b, 0, 1, LARDER_OK);
    final (&b, 1, 1, LARDER_ECONSUMER);
    acquire (&b, 2, (struct larder_presenter){2, -1, 0});
    for (int d = 0; d < 2; ++d) {
        larder_receipt *r = receipt_of (&b, d ? LARDER_DONE_TIMEOUT : LARDER_DONE_DELETED), *copy;
        int code = d ? LARDER_ETIMEDOUT : LARDER_EGONE;
        CU_ASSERT_EQUAL_FATAL (larder_receipt_copy (r, &copy, NULL), LARDER_OK);
        CU_ASSERT_PTR_NOT_EQUAL (copy->object, r->object);
        memset ((void *)(uintptr_t)r->object[0].lines, 0x55, sizeof (larder_receipt_line));
        larder_receipt_free (&r); /* the copy stands alone */
        check_line (copy, 0, 0,
                    (larder_receipt_line){1, 1, LARDER_RECEIVER_SUCCEEDED, LARDER_OK, -1});
        check_line (copy, 1, 0,
                    (larder_receipt_line){1, 1, LARDER_RECEIVER_FAILED, LARDER_ECONSUMER, -1});
        check_line (copy, 2, 0, (larder_receipt_line){1, 1, LARDER_RECEIVER_MISSING, code, -1});
        for (int i = 0; i < 3; ++i) {
            check_line (copy, i, 1, (larder_receipt_line){2, 1, LARDER_RECEIVER_MISSING, code, -1});
            check_line (copy, i, 2, (larder_receipt_line){4, 0, LARDER_RECEIVER_MISSING, code, -1});
            CU_ASSERT_STRING_EQUAL (copy->object[i].name, names[i]);
            CU_ASSERT_PTR_NOT_EQUAL (copy->object[i].name, names[i]);
            CU_ASSERT_EQUAL (memcmp (&copy->object[i].ref, &refs[i], sizeof refs[i]), 0);
        }
        CU_ASSERT (copy->transaction == 42 && copy->seconds == 1.5);
        larder_receipt_free (&copy);
    }
    larder_txn_free (&b.t);
    larder_receipt *none = NULL;
    larder_receipt_free (&none);
    larder_receipt_free (NULL);
}

/* A ref that rank 1 passed on to three of which one came; and one that somebody else is to have. */
static void passed_on (void)
{
    struct books b;
    open_books (&b, (larder_receivers){(int[]){1, 5}, 2}, 2, 0);
    acquire (&b, 0, (struct larder_presenter){3, 1, 3});
    CU_ASSERT_EQUAL (larder_txn_final (&b.t, &b.page[0], 3, LARDER_OK), 1);
    CU_ASSERT_EQUAL (larder_txn_final_at (&b.t, &b.page[0], 0, LARDER_ETIMEDOUT), 1);
    larder_receipt *r = receipt_of (&b, LARDER_DONE_DELETED), *copy;
    CU_ASSERT_EQUAL (r->expected, 4);
    CU_ASSERT_EQUAL (r->receivers, 4);
    CU_ASSERT_EQUAL (r->verdict, LARDER_VERDICT_ABORTED);
    CU_ASSERT_EQUAL_FATAL (larder_receipt_copy (r, &copy, NULL), LARDER_OK);
    larder_receipt_free (&r);
    for (int i = 0; i < 2; ++i)
        for (int at = 0; at < 2; ++at) /* nobody has failed there */
            check_line (copy, i, at,
                        (larder_receipt_line){-1, 0, LARDER_RECEIVER_MISSING,
                                              i + at ? LARDER_EGONE : LARDER_ETIMEDOUT, 1});
    check_line (copy, 0, 2, (larder_receipt_line){3, 1, LARDER_RECEIVER_SUCCEEDED, LARDER_OK, 1});
    check_line (copy, 1, 2, (larder_receipt_line){3, 1, LARDER_RECEIVER_MISSING, LARDER_EGONE, 1});
    for (int i = 0; i < 2; ++i)
        check_line (copy, i, 3,
                    (larder_receipt_line){5, 0, LARDER_RECEIVER_MISSING, LARDER_EGONE, -1});
    larder_receipt_free (&copy);
    larder_txn_free (&b.t);
}

/* The verdict can be told from the lines alone. */
static void verdicts_fit_lines (void)
{
    static const int counts[] = {0, -1, -2, 1, 3};
    struct larder_test_random x = larder_test_seed ();
    int completed = 0;
    for (int round = 0; round < 3000; ++round) {
        struct books b;
        int pages = 1 + (int)larder_test_below (&x, PAGES), most = (int)larder_test_below (&x, 20);
        int min = (int)larder_test_below (&x, 2), ok_everywhere = 0, perfect = 1;
        open_books (&b, (larder_receivers){NULL, counts[round % 5]}, pages, min);
        for (int rank = 0; rank < SIZE; ++rank)
            for (int p = 0; p < pages; ++p)
                if (larder_test_below (&x, 20) >= (uint64_t)most / 4)
                    final (&b, p, rank, larder_test_below (&x, 20) < (uint64_t)most / 8 ? -4 : 0);
        larder_receipt *r = receipt_of (&b, 1 + (larder_done)larder_test_below (&x, 3));
        for (int i = 0; i < r->receivers; ++i) {
            int ok = 1;
            for (int p = 0; p < pages; ++p)
                ok &= r->object[p].lines[i].verdict == LARDER_RECEIVER_SUCCEEDED;
            ok_everywhere += ok;
        }
        perfect = r->expected > 0 && r->receivers == r->expected && ok_everywhere == r->expected;
        CU_ASSERT_EQUAL (r->verdict == LARDER_VERDICT_COMPLETED, perfect);
        CU_ASSERT_EQUAL (r->verdict == LARDER_VERDICT_ABORTED,
                         !perfect && r->done == LARDER_DONE_DELETED);
        CU_ASSERT_EQUAL (r->quorum_met, min ? ok_everywhere >= min : perfect);
        completed += perfect;
        larder_receipt_free (&r);
        larder_txn_free (&b.t);
    }
    CU_ASSERT (completed > 100 && completed < 2900);
}

static void blank (void)
{
    struct books b;
    larder_receipt out, *copy;
    open_books (&b, LARDER_COUNT (2), 1, 1);
    final (&b, 0, 1, LARDER_OK);
    struct larder_receipt_facts facts = {.transaction = 9, .done = LARDER_DONE_FINISHED, .time = 5};
    larder_receipt_blank (&facts, &b.t, &out);
    CU_ASSERT_EQUAL (out.verdict, LARDER_VERDICT_FAILED);
    CU_ASSERT_EQUAL (out.reason, LARDER_REASON_COMPUTATION_FAILED);
    CU_ASSERT (out.transaction == 9 && out.done == LARDER_DONE_FINISHED && out.time == 5);
    CU_ASSERT (out.expected == 2 && out.min_receivers == 1 && out.quorum_met == 0);
    CU_ASSERT (out.objects == 0 && out.receivers == 0); /* nothing is known */
    CU_ASSERT_EQUAL_FATAL (larder_receipt_copy (&out, &copy, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (copy->reason, LARDER_REASON_COMPUTATION_FAILED);
    larder_receipt_free (&copy);
    larder_txn_free (&b.t);
}

static void texts (void)
{
    CU_ASSERT_STRING_EQUAL (larder_verdict_text (LARDER_VERDICT_COMPLETED), "completed");
    CU_ASSERT_STRING_EQUAL (larder_verdict_text (LARDER_VERDICT_ABORTED), "aborted");
    CU_ASSERT_STRING_EQUAL (larder_verdict_text ((larder_verdict)99), "unknown");
    CU_ASSERT_STRING_EQUAL (larder_reason_text (LARDER_REASON_ALL_SUCCEEDED),
                            "all_receivers_succeeded");
    CU_ASSERT_STRING_EQUAL (larder_reason_text ((larder_reason)0), "unknown");
    CU_ASSERT_STRING_EQUAL (larder_receiver_verdict_text (LARDER_RECEIVER_MISSING), "missing");
    CU_ASSERT_STRING_EQUAL (larder_receiver_verdict_text ((larder_receiver_verdict)0), "unknown");
    for (int i = 1; i <= LARDER_REASON_COMPUTATION_FAILED; ++i) /* each has its own */
        for (int k = 0; k < i; ++k)
            CU_ASSERT_STRING_NOT_EQUAL (larder_reason_text ((larder_reason)i),
                                        larder_reason_text ((larder_reason)k));
}

/* ---------------------------------------------------------------- keeping */

static void keep (struct larder_receipts *k, uint64_t transaction, double now)
{
    larder_receipt *r = calloc (1, sizeof *r);
    CU_ASSERT_PTR_NOT_NULL_FATAL (r);
    r->transaction = transaction;
    CU_ASSERT_EQUAL_FATAL (larder_receipts_reserve (k, 1, NULL), LARDER_OK);
    larder_receipts_add (k, r, now);
}

static void kept_for_half_an_hour (void)
{
    struct larder_receipts k = {0};
    CU_ASSERT_PTR_NULL (larder_receipts_find (&k, 1));
    larder_receipts_expire (&k, 1e9);
    keep (&k, 1, 100);
    keep (&k, 2, 200);
    CU_ASSERT_EQUAL (larder_receipts_find (&k, 2)->transaction, 2);
    CU_ASSERT_PTR_NULL (larder_receipts_find (&k, 3));
    larder_receipts_expire (&k, 1900); /* not older than that */
    CU_ASSERT_PTR_NOT_NULL (larder_receipts_find (&k, 1));
    larder_receipts_expire (&k, 1900.5);
    CU_ASSERT_PTR_NULL (larder_receipts_find (&k, 1));
    CU_ASSERT_PTR_NOT_NULL (larder_receipts_find (&k, 2));
    larder_receipts_free (&k);
    CU_ASSERT (k.count == 0 && k.capacity == 0);
    CU_ASSERT_PTR_NULL (larder_receipts_find (&k, 2));
}

/* Many come and go: what is there is found, and room is used again. */
static void many (void)
{
    struct larder_test_random x = larder_test_seed ();
    struct larder_receipts k = {0};
    double at[2001] = {0}, now = 0;
    int wrong = 0, largest = 0;
    for (uint64_t n = 1; n <= 2000; ++n) {
        now += (double)larder_test_below (&x, 200);
        larder_receipts_expire (&k, now);
        keep (&k, n, now);
        at[n] = now;
        uint64_t ask = 1 + larder_test_below (&x, n);
        const larder_receipt *found = larder_receipts_find (&k, ask);
        wrong += (found != NULL) != (now - at[ask] <= LARDER_RECEIPT_KEPT_S);
        wrong += found && found->transaction != ask;
        largest = k.count > largest ? k.count : largest;
    }
    CU_ASSERT_EQUAL (wrong, 0);
    CU_ASSERT (k.capacity <= 4 * largest + 4);
    /* What was reserved for later is still there when it is needed. */
    int room = k.capacity + 5;
    CU_ASSERT_EQUAL (larder_receipts_reserve (&k, room, NULL), LARDER_OK);
    CU_ASSERT (k.capacity >= k.count + room);
    larder_receipts_free (&k);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"all succeeded", all_succeeded},
        {"deleted comes before the rest", deleted_comes_before_the_rest},
        {"timeout comes before the count", timeout_comes_before_the_count},
        {"the count comes before objects", the_count_comes_before_objects},
        {"a receiver failed", a_receiver_failed},
        {"quorum", quorum},
        {"lines", lines},
        {"lines of refs that were passed on", passed_on},
        {"verdicts fit lines", verdicts_fit_lines},
        {"blank", blank},
        {"texts", texts},
        {"kept for half an hour", kept_for_half_an_hour},
        {"many", many},
        {NULL, NULL},
    };
    for (int i = 0; i < PAGES; ++i)
        memset (&refs[i], i + 1, sizeof refs[i]);
    return larder_test_main ("receipt", tests);
}
