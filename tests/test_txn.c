/* SPDX-License-Identifier: Apache-2.0 */
/* A transaction's books: who has a place, what is final, and whose time has run out; against a plain
 * scan of everything. */
#include "larder_test.h"
#include "larder_test_random.h"
#include "larder_txn.h"
#include <math.h>
#include <string.h>

enum { SIZE = 12, OWNER = 3, PAGES = 3 };

struct books {
    struct larder_txn t;
    struct larder_page page[PAGES];
};

static void open_books (struct books *b, larder_receivers r, int pages)
{
    larder_error err = {0};
    memset (b, 0, sizeof *b);
    CU_ASSERT_EQUAL_FATAL (larder_txn_init (&b->t, r, SIZE, OWNER, &err), LARDER_OK);
    CU_ASSERT_EQUAL_FATAL (
        larder_txn_limit (&b->t, &(struct larder_txn_limits){.timeout_s = 100}, &err), LARDER_OK);
    for (int i = 0; i < pages; ++i)
        CU_ASSERT_EQUAL_FATAL (larder_txn_add (&b->t, &b->page[i], &err), LARDER_OK);
}

static larder_receivers list (const int *ranks, int count)
{
    return (larder_receivers){ranks, count};
}

/* Returns the rank that has lost its place. */
static int present (struct books *b, int page, int rank, int via, int share, double now)
{
    struct larder_presenter who = {rank, via, share};
    larder_error err = {0};
    int lost = -2;
    CU_ASSERT_EQUAL (larder_txn_acquired (&b->t, &b->page[page], &who, now, &lost, &err),
                     LARDER_OK);
    return lost;
}

static void acquire (struct books *b, int page, int rank, double now)
{
    CU_ASSERT_EQUAL (present (b, page, rank, -1, 0, now), -1);
}

static int state_of (const struct books *b, int page, int rank)
{
    int i = larder_txn_find (&b->t, rank);
    return i < 0 ? -1 : b->page[page].standing[i].state;
}

static int code_of (const struct books *b, int page, int rank)
{
    int i = larder_txn_find (&b->t, rank);
    return i < 0 ? 1 : b->page[page].standing[i].code;
}

/* ---------------------------------------------------------------- who is expected */

static void kinds (void)
{
    struct books b;
    open_books (&b, LARDER_ALL, 1);
    CU_ASSERT_EQUAL (b.t.expected, SIZE - 1);
    CU_ASSERT (b.t.declared && !b.t.unknown);
    for (int r = 0; r < SIZE; ++r)
        CU_ASSERT_EQUAL (state_of (&b, 0, r), r == OWNER ? -1 : LARDER_UNSEEN);
    CU_ASSERT_EQUAL (larder_txn_find (&b.t, -1), -1);
    CU_ASSERT_EQUAL (larder_txn_find (&b.t, SIZE), -1);
    larder_txn_free (&b.t);
    open_books (&b, LARDER_EVERY_RANK, 1);
    CU_ASSERT_EQUAL (b.t.expected, SIZE);
    CU_ASSERT_EQUAL (state_of (&b, 0, OWNER), LARDER_UNSEEN);
    larder_txn_free (&b.t);
    open_books (&b, list ((int[]){9, 0, 5}, 3), 1);
    CU_ASSERT_EQUAL (b.t.expected, 3);
    for (int r = 0; r < SIZE; ++r)
        CU_ASSERT_EQUAL (larder_txn_find (&b.t, r), r == 0 ? 0 : r == 5 ? 1 : r == 9 ? 2 : -1);
    larder_txn_free (&b.t);
    open_books (&b, LARDER_COUNT (4), 1);
    CU_ASSERT_EQUAL (b.t.expected, 4);
    CU_ASSERT (!b.t.declared && !b.t.unknown && b.t.count == 0);
    larder_txn_free (&b.t);
    open_books (&b, LARDER_UNKNOWN, 1);
    CU_ASSERT (b.t.expected == 0 && !b.t.declared && b.t.unknown && b.t.count == 0);
    larder_txn_free (&b.t);
    open_books (&b, list ((int[]){0}, 0), 1); /* nobody */
    CU_ASSERT (b.t.expected == 0 && b.t.declared && !b.t.unknown);
    CU_ASSERT_EQUAL (larder_txn_find (&b.t, 0), -1);
    larder_txn_free (&b.t);
}

/* A session of one rank has nobody to offer to. */
static void alone (void)
{
    struct larder_txn t;
    struct larder_page page;
    larder_error err = {0};
    CU_ASSERT_EQUAL_FATAL (larder_txn_init (&t, LARDER_ALL, 1, 0, &err), LARDER_OK);
    CU_ASSERT_EQUAL_FATAL (larder_txn_add (&t, &page, &err), LARDER_OK);
    larder_txn_live (&t, 1);
    CU_ASSERT (t.expected == 0 && t.count == 0);
    CU_ASSERT (!larder_txn_complete (&t, &page) && !larder_txn_finished (&t));
    larder_txn_free (&t);
}

static void bad_lists (void)
{
    struct larder_txn t;
    larder_error err = {0};
    static const struct {
        int ranks[3], listed, count;
        const char *text;
    } bad[] = {
        {{1, SIZE}, 1, 2, "no rank 12"},
        {{-1}, 1, 1, "no rank -1"},
        {{4, 2, 4}, 1, 3, "rank 4 is listed twice"},
        {{4}, 1, -1, "a count of -1"},
        {{0}, 0, -3, "a count of -3"},
        {{0}, 0, SIZE + 1, "13 are expected in a session of 12"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
        larder_receivers r = {bad[i].listed ? bad[i].ranks : NULL, bad[i].count};
        CU_ASSERT_EQUAL (larder_txn_init (&t, r, SIZE, OWNER, &err), LARDER_EINVAL);
        CU_ASSERT_PTR_NOT_NULL (strstr (err.text, bad[i].text));
    }
    CU_ASSERT_EQUAL (larder_txn_init (&t, LARDER_COUNT (SIZE), SIZE, OWNER, &err), LARDER_OK);
    larder_txn_free (&t);
}

static void limits (void)
{
    struct books b;
    larder_error err = {0};
    const struct larder_txn_limits bad[] = {
        {.timeout_s = 0},
        {.timeout_s = -1},
        {.timeout_s = HUGE_VAL},
        {.timeout_s = (double)NAN},
        {1, HUGE_VAL, 0, 0},
        {1, 0, (double)NAN, 0},
        {1, -HUGE_VAL, 0, 0},
        {.timeout_s = 1, .min_receivers = -1},
        {.timeout_s = 1, .min_receivers = 3},
    };
    open_books (&b, list ((int[]){1, 2}, 2), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
        CU_ASSERT_EQUAL (larder_txn_limit (&b.t, &bad[i], &err), LARDER_EINVAL);
        CU_ASSERT_EQUAL (b.t.limits.timeout_s, 100); /* as they were */
    }
    CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "min_receivers: 3 of 2"));
    struct larder_txn_limits good = {1, -1, 0.5, 2};
    CU_ASSERT_EQUAL (larder_txn_limit (&b.t, &good, &err), LARDER_OK);
    CU_ASSERT_EQUAL (b.t.limits.idle_s, 0.5);
    larder_txn_free (&b.t);
    open_books (&b, LARDER_UNKNOWN, 0); /* as many as one likes */
    good.min_receivers = 1000;
    CU_ASSERT_EQUAL (larder_txn_limit (&b.t, &good, &err), LARDER_OK);
    larder_txn_free (&b.t);
}

/* ---------------------------------------------------------------- places */

static void places_of_a_count (void)
{
    struct books b;
    open_books (&b, LARDER_COUNT (3), 2);
    larder_txn_live (&b.t, 1);
    CU_ASSERT_EQUAL (larder_txn_unseen (&b.t, &b.page[0]), 3);
    acquire (&b, 0, 7, 2);
    CU_ASSERT_EQUAL (larder_txn_final (&b.t, &b.page[0], 7, LARDER_EHELD), 1);
    acquire (&b, 1, 2, 2); /* goes before rank 7, whose standing moves along */
    acquire (&b, 0, 9, 2);
    acquire (&b, 0, 1, 2); /* too late */
    CU_ASSERT_EQUAL (larder_txn_final (&b.t, &b.page[0], 1, LARDER_OK), 0);
    CU_ASSERT_EQUAL (b.t.count, 3);
    CU_ASSERT_EQUAL (state_of (&b, 0, 1), -1);
    CU_ASSERT_EQUAL (state_of (&b, 0, 2), LARDER_UNSEEN);
    CU_ASSERT_EQUAL (state_of (&b, 1, 2), LARDER_ACQUIRED);
    CU_ASSERT_EQUAL (code_of (&b, 0, 7), LARDER_EHELD);
    CU_ASSERT_EQUAL (state_of (&b, 1, 7), LARDER_UNSEEN);
    CU_ASSERT_EQUAL (state_of (&b, 0, 9), LARDER_ACQUIRED);
    CU_ASSERT_EQUAL (larder_txn_unseen (&b.t, &b.page[0]), 1);
    CU_ASSERT_EQUAL (larder_txn_unseen (&b.t, &b.page[1]), 2);
    acquire (&b, 1, 7, 3); /* it has its place already */
    CU_ASSERT_EQUAL (b.t.count, 3);
    larder_txn_free (&b.t);
}

static void places_of_the_unknown (void)
{
    struct books b;
    open_books (&b, LARDER_UNKNOWN, 3);
    larder_txn_live (&b.t, 1);
    for (int i = 0; i < SIZE; ++i) {
        int rank = i * 5 % SIZE;
        acquire (&b, i % 3, rank, 2);
        for (int k = 0; k < 3; ++k)
            CU_ASSERT_EQUAL (larder_txn_final (&b.t, &b.page[k], rank, -rank - 1), 1);
    }
    CU_ASSERT_EQUAL (b.t.count, SIZE);
    for (int i = 0; i < SIZE; ++i) {
        CU_ASSERT_EQUAL (b.t.receivers[i].rank, i);
        for (int k = 0; k < 3; ++k)
            CU_ASSERT_EQUAL (b.page[k].standing[i].code, -i - 1);
    }
    CU_ASSERT_EQUAL (larder_txn_unseen (&b.t, &b.page[0]), 0);
    CU_ASSERT (!larder_txn_complete (&b.t, &b.page[0])); /* somebody may still come */
    CU_ASSERT (!larder_txn_finished (&b.t));
    for (int k = 0; k < 3; ++k)
        b.page[k].closed = 1;
    CU_ASSERT (larder_txn_finished (&b.t));
    larder_txn_free (&b.t);
}

/* ---------------------------------------------------------------- verdicts */

static void final_stays_final (void)
{
    struct books b;
    open_books (&b, list ((int[]){1, 2}, 2), 1);
    struct larder_page *p = &b.page[0];
    larder_txn_live (&b.t, 1);
    acquire (&b, 0, 1, 2);
    acquire (&b, 0, 1, 3);
    acquire (&b, 0, 7, 3); /* not declared */
    CU_ASSERT_EQUAL (larder_txn_unseen (&b.t, p), 1);
    CU_ASSERT_EQUAL (larder_txn_final (&b.t, p, 7, LARDER_OK), 0);
    CU_ASSERT_EQUAL (larder_txn_final (&b.t, p, 1, LARDER_OK), 1);
    CU_ASSERT_EQUAL (larder_txn_final (&b.t, p, 1, LARDER_EHELD), 0);
    CU_ASSERT_EQUAL (code_of (&b, 0, 1), LARDER_OK);
    CU_ASSERT (!larder_txn_complete (&b.t, p));
    CU_ASSERT_EQUAL (larder_txn_final (&b.t, p, 2, LARDER_EGONE), 1); /* never seen */
    acquire (&b, 0, 2, 4);
    CU_ASSERT_EQUAL (larder_txn_final (&b.t, p, 2, LARDER_OK), 0);
    CU_ASSERT_EQUAL (state_of (&b, 0, 2), LARDER_FINAL);
    CU_ASSERT_EQUAL (code_of (&b, 0, 2), LARDER_EGONE);
    CU_ASSERT (p->begun == 2 && p->done == 1 && p->failed == 1);
    CU_ASSERT (larder_txn_complete (&b.t, p));
    larder_txn_free (&b.t);
}

static void finished (void)
{
    struct books b;
    open_books (&b, list ((int[]){1, 2}, 2), 0);
    larder_error err = {0};
    larder_txn_live (&b.t, 1);
    CU_ASSERT (!larder_txn_finished (&b.t)); /* nothing to be had */
    b.t.live = 0;
    for (int k = 0; k < 2; ++k)
        CU_ASSERT_EQUAL (larder_txn_add (&b.t, &b.page[k], &err), LARDER_OK);
    for (int k = 0; k < 2; ++k)
        for (int r = 1; r < 3; ++r) {
            CU_ASSERT (!larder_txn_complete (&b.t, &b.page[k]));
            larder_txn_final (&b.t, &b.page[k], r, r == 1 ? LARDER_OK : LARDER_EIO);
        }
    CU_ASSERT (!larder_txn_finished (&b.t)); /* not live */
    larder_txn_live (&b.t, 1);
    CU_ASSERT (larder_txn_finished (&b.t)); /* failures count */
    CU_ASSERT_EQUAL (larder_txn_add (&b.t, &b.page[2], &err), LARDER_OK);
    CU_ASSERT (!larder_txn_finished (&b.t));
    b.page[2].closed = 1;
    CU_ASSERT (larder_txn_finished (&b.t));
    b.page[2].closed = 0;
    larder_txn_remove (&b.t, &b.page[2]);
    CU_ASSERT (larder_txn_finished (&b.t));
    CU_ASSERT_PTR_NULL (b.page[2].standing);
    larder_txn_remove (&b.t, &b.page[0]); /* from the middle */
    CU_ASSERT (b.t.page_count == 1 && b.t.pages[0] == &b.page[1]);
    larder_txn_free (&b.t);
    CU_ASSERT_EQUAL (b.t.page_count, 0);
    CU_ASSERT_PTR_NULL (b.page[1].standing);
}

static void anew (void)
{
    struct books b;
    open_books (&b, list ((int[]){1, 2, 4}, 3), 2);
    larder_txn_live (&b.t, 1);
    for (int k = 0; k < 2; ++k) {
        acquire (&b, k, 1, 2);
        acquire (&b, k, 2, 2);
        larder_txn_final (&b.t, &b.page[k], 2, LARDER_OK);
    }
    larder_txn_anew (&b.t, &b.page[0]);
    CU_ASSERT_EQUAL (state_of (&b, 0, 1), LARDER_UNSEEN);
    CU_ASSERT_EQUAL (state_of (&b, 0, 2), LARDER_FINAL);
    CU_ASSERT_EQUAL (state_of (&b, 1, 1), LARDER_ACQUIRED); /* another object */
    CU_ASSERT_EQUAL (larder_txn_unseen (&b.t, &b.page[0]), 2);
    CU_ASSERT_EQUAL (larder_txn_unseen (&b.t, &b.page[1]), 1);
    CU_ASSERT (b.t.receivers[0].acquired); /* of the transaction it is not new */
    acquire (&b, 0, 1, 3);
    CU_ASSERT_EQUAL (larder_txn_unseen (&b.t, &b.page[0]), 1);
    larder_txn_free (&b.t);
}

/* Whatever comes in whatever order: the page's counts are those of its standings. */
static void counts_add_up (void)
{
    static const int counts[] = {0, -1, -2, 1, 5, SIZE};
    struct larder_test_random r = larder_test_seed ();
    for (int round = 0; round < 300; ++round) {
        struct books b;
        int wrong = 0, steps = 200;
        open_books (&b, (larder_receivers){NULL, counts[round % 6]}, 2);
        larder_txn_live (&b.t, 0);
        while (steps-- && !larder_txn_finished (&b.t)) {
            int rank = (int)larder_test_below (&r, SIZE), k = (int)larder_test_below (&r, 2);
            struct larder_page *p = &b.page[k];
            int begun = 0, done = 0, failed = 0;
            uint64_t what = larder_test_below (&r, 20);
            if (what == 0)
                larder_txn_anew (&b.t, p);
            else if (what % 2)
                acquire (&b, k, rank, 200 - steps);
            else
                larder_txn_final (&b.t, p, rank, what % 4 ? LARDER_OK : LARDER_EGONE);
            for (int i = 0; i < b.t.count; ++i) {
                const struct larder_standing *s = &p->standing[i];
                begun += s->state != LARDER_UNSEEN;
                done += s->state == LARDER_FINAL && s->code == LARDER_OK;
                failed += s->state == LARDER_FINAL && s->code < 0;
                wrong += i && b.t.receivers[i].rank <= b.t.receivers[i - 1].rank;
            }
            wrong += begun != p->begun || done != p->done || failed != p->failed;
            wrong += larder_txn_unseen (&b.t, p) != (b.t.unknown ? 0 : b.t.expected - begun);
            wrong += !b.t.unknown && b.t.count > b.t.expected;
        }
        CU_ASSERT_EQUAL (wrong, 0);
        larder_txn_free (&b.t);
    }
}

/* ---------------------------------------------------------------- time */

/* The ranks that are overdue, as bits; each is then final everywhere, as the owner does. */
static unsigned overdue (struct books *b, const double *paused, double now)
{
    unsigned found = 0;
    int from = 0, i;
    double late = 0;
    while ((i = larder_txn_overdue (&b->t, paused, now, &from, &late)) >= 0) {
        found |= 1u << b->t.receivers[i].rank;
        CU_ASSERT (late > 0);
        for (int k = 0; k < b->t.page_count; ++k)
            larder_txn_final (&b->t, b->t.pages[k], b->t.receivers[i].rank, LARDER_ETIMEDOUT);
    }
    return found;
}

static void set_budgets (struct books *b, double acquire_s, double idle_s)
{
    larder_error err = {0};
    struct larder_txn_limits x = {100, acquire_s, idle_s, 0};
    CU_ASSERT_EQUAL_FATAL (larder_txn_limit (&b->t, &x, &err), LARDER_OK);
}

static void acquire_budget (void)
{
    struct books b;
    open_books (&b, list ((int[]){1, 2, 4, 5}, 4), 2);
    set_budgets (&b, 4, 0);
    CU_ASSERT_EQUAL (overdue (&b, NULL, 1000), 0); /* no clock runs before live */
    larder_txn_live (&b.t, 10);
    acquire (&b, 0, 1, 12);
    larder_txn_sign (&b.t, 2, 13); /* whatever object it is about */
    larder_txn_final (&b.t, &b.page[0], 5, LARDER_OK);
    larder_txn_final (&b.t, &b.page[1], 5, LARDER_OK);
    CU_ASSERT_EQUAL (overdue (&b, NULL, 14), 0);           /* not later than the budget */
    CU_ASSERT_EQUAL (overdue (&b, NULL, 14.125), 1u << 4); /* rank 5 is through */
    CU_ASSERT_EQUAL (code_of (&b, 0, 4), LARDER_ETIMEDOUT);
    CU_ASSERT_EQUAL (code_of (&b, 1, 4), LARDER_ETIMEDOUT);
    CU_ASSERT_EQUAL (overdue (&b, NULL, 90), 0);
    larder_txn_free (&b.t);
}

/* A sign with one object is a sign for all of them. */
static void idle_budget (void)
{
    struct books b;
    open_books (&b, list ((int[]){1, 2, 4}, 3), 2);
    set_budgets (&b, 0, 4);
    larder_txn_live (&b.t, 10);
    acquire (&b, 0, 1, 10);
    acquire (&b, 1, 2, 10);
    CU_ASSERT_EQUAL (overdue (&b, NULL, 11), 0);
    acquire (&b, 1, 1, 13);
    larder_txn_sign (&b.t, 2, 13.5);
    CU_ASSERT_EQUAL (overdue (&b, NULL, 17), 0);
    larder_txn_final (&b.t, &b.page[1], 1, LARDER_OK);
    CU_ASSERT_EQUAL (overdue (&b, NULL, 17.25), 1u << 1);
    CU_ASSERT_EQUAL (code_of (&b, 0, 1), LARDER_ETIMEDOUT);
    CU_ASSERT_EQUAL (code_of (&b, 1, 1), LARDER_OK); /* what it had stays */
    larder_txn_final (&b.t, &b.page[0], 2, LARDER_OK);
    b.page[1].closed = 1;                        /* rank 2 has nothing left to get */
    CU_ASSERT_EQUAL (overdue (&b, NULL, 99), 0); /* rank 4 never began: not idle */
    larder_txn_free (&b.t);
}

static void pause_moves_deadlines (void)
{
    double paused[SIZE] = {0};
    struct books b;
    open_books (&b, list ((int[]){1, 2}, 2), 1);
    set_budgets (&b, 2, 4);
    larder_txn_live (&b.t, 10);
    acquire (&b, 0, 1, 10);
    paused[1] = 20;
    paused[2] = 15;
    CU_ASSERT_EQUAL (overdue (&b, paused, 14.5), 0);
    CU_ASSERT_EQUAL (overdue (&b, paused, 17), 0);
    CU_ASSERT_EQUAL (overdue (&b, paused, 17.5), 1u << 2);
    CU_ASSERT_EQUAL (overdue (&b, paused, 24), 0);
    CU_ASSERT_EQUAL (overdue (&b, paused, 24.5), 1u << 1);
    larder_txn_free (&b.t);
}

/* Who comes back early is judged by that. */
static void pause_ends_early (void)
{
    double paused[SIZE] = {0};
    struct books b;
    open_books (&b, list ((int[]){1, 2}, 2), 1);
    set_budgets (&b, 2, 4);
    larder_txn_live (&b.t, 10);
    acquire (&b, 0, 1, 10);
    paused[1] = paused[2] = 1000;
    CU_ASSERT_EQUAL (overdue (&b, paused, 30), 0);
    paused[1] = paused[2] = 31;
    larder_txn_again (&b.t);
    CU_ASSERT_EQUAL (overdue (&b, paused, 33), 0);
    CU_ASSERT_EQUAL (overdue (&b, paused, 33.5), 1u << 2);
    CU_ASSERT_EQUAL (overdue (&b, paused, 35.5), 1u << 1);
    larder_txn_free (&b.t);
}

/* Until somebody's time can have run out nobody is looked at. */
static void looks_rarely (void)
{
    struct books b;
    open_books (&b, LARDER_ALL, 1);
    set_budgets (&b, 8, 4);
    larder_txn_live (&b.t, 10);
    CU_ASSERT_EQUAL (overdue (&b, NULL, 10), 0);
    b.t.receivers[0].acquired = 1;
    b.t.receivers[0].seen = -1000;
    CU_ASSERT_EQUAL (overdue (&b, NULL, 17.5), 0); /* it would be found */
    b.t.receivers[0].acquired = 0;
    acquire (&b, 0, 0, 11); /* its four seconds are over before the eight of the others */
    CU_ASSERT_EQUAL (overdue (&b, NULL, 15.5), 1);
    larder_txn_free (&b.t);
}

/* Nothing is missed, and nothing is found too early. */
static void like_a_scan (void)
{
    static const int counts[] = {0, -1, -2, 4};
    static const double budgets[] = {0, 0, 1, 2.5, 6, 20};
    struct larder_test_random r = larder_test_seed ();
    int found = 0;
    for (int round = 0; round < 2000; ++round) {
        struct books b;
        double paused[SIZE] = {0}, now = 10;
        int wrong = 0;
        open_books (&b, (larder_receivers){NULL, counts[round % 4]}, 2);
        set_budgets (&b, budgets[larder_test_below (&r, 6)], budgets[larder_test_below (&r, 6)]);
        larder_txn_live (&b.t, now);
        for (int step = 0; step < 120; ++step) {
            int rank = (int)larder_test_below (&r, SIZE), k = (int)larder_test_below (&r, 2);
            unsigned plain = 0;
            now += (double)larder_test_below (&r, 8) / 8; /* exact in binary */
            switch (larder_test_below (&r, 12)) {
            case 0:
                larder_txn_final (&b.t, &b.page[k], rank, LARDER_OK);
                break;
            case 1:
                paused[rank] = now + (double)larder_test_below (&r, 40) / 4; /* or ends one */
                larder_txn_again (&b.t);
                break;
            case 2:
                larder_txn_anew (&b.t, &b.page[k]);
                break;
            case 3:
                acquire (&b, k, rank, now);
                break;
            case 4:
                larder_txn_sign (&b.t, rank, now);
                break;
            default:
                break;
            }
            for (int i = 0; i < b.t.count; ++i) {
                const struct larder_receiver *x = &b.t.receivers[i];
                double budget = x->acquired ? b.t.limits.idle_s : b.t.limits.acquire_s;
                double since = x->acquired ? x->seen : b.t.live_at;
                since = paused[x->rank] > since ? paused[x->rank] : since;
                int open = b.page[0].standing[i].state != LARDER_FINAL ||
                           b.page[1].standing[i].state != LARDER_FINAL;
                if (open && budget > 0 && now - since > budget)
                    plain |= 1u << x->rank;
            }
            found += plain != 0;
            wrong += overdue (&b, paused, now) != plain;
        }
        CU_ASSERT_EQUAL (wrong, 0);
        if (wrong)
            printf ("round %d: %d\n", round, wrong);
        larder_txn_free (&b.t);
        if (wrong)
            break;
    }
    CU_ASSERT (found > 1000);
}

static void expired (void)
{
    double paused[SIZE] = {0};
    struct books b;
    open_books (&b, list ((int[]){1, 2}, 2), 1);
    CU_ASSERT (!larder_txn_expired (&b.t, paused, 1e9)); /* not live */
    larder_txn_live (&b.t, 10);
    CU_ASSERT (!larder_txn_expired (&b.t, paused, 110));
    CU_ASSERT (larder_txn_expired (&b.t, paused, 110.5));
    CU_ASSERT (larder_txn_expired (&b.t, NULL, 110.5));
    acquire (&b, 0, 9, 20); /* any sign of anybody */
    CU_ASSERT (!larder_txn_expired (&b.t, paused, 120));
    CU_ASSERT (larder_txn_expired (&b.t, paused, 120.5));
    larder_txn_sign (&b.t, 1, 30);
    CU_ASSERT (!larder_txn_expired (&b.t, paused, 130));
    paused[2] = 50; /* who is expected to be away is waited for */
    CU_ASSERT (!larder_txn_expired (&b.t, paused, 150));
    CU_ASSERT (larder_txn_expired (&b.t, paused, 150.5));
    larder_txn_final (&b.t, &b.page[0], 2, LARDER_OK);
    CU_ASSERT (larder_txn_expired (&b.t, paused, 130.5)); /* not who has it all */
    paused[9] = 1000;
    CU_ASSERT (larder_txn_expired (&b.t, paused, 130.5)); /* nor who is not expected */
    larder_txn_free (&b.t);
}

/* ---------------------------------------------------------------- refs that are passed on */

static int via_of (const struct books *b, int rank)
{
    int i = larder_txn_find (&b->t, rank);
    return i < 0 ? -2 : b->t.receivers[i].via;
}

/* Places of a via that nobody has taken. */
static int untaken (const struct books *b, int via)
{
    int count = 0;
    for (int i = 0; i < b->t.count; ++i)
        count += b->t.receivers[i].rank < 0 && b->t.receivers[i].via == via;
    return count;
}

static void open_live (struct books *b, larder_receivers r, int pages)
{
    open_books (b, r, pages);
    larder_txn_live (&b->t, 1);
}

/* The places of a split are known by who split it and who presents it. */
static void split_places (void)
{
    struct books b;
    open_live (&b, list ((int[]){1, 6}, 2), 2);
    acquire (&b, 0, 6, 2);
    CU_ASSERT_EQUAL (present (&b, 0, 9, 1, 3, 2), 1);
    CU_ASSERT (b.t.expected == 4 && b.t.count == 4);
    CU_ASSERT_EQUAL (state_of (&b, 0, 1), -1);
    CU_ASSERT_EQUAL (via_of (&b, 9), 1);
    CU_ASSERT_EQUAL (via_of (&b, 6), -1);
    CU_ASSERT_EQUAL (state_of (&b, 0, 9), LARDER_ACQUIRED);
    CU_ASSERT_EQUAL (state_of (&b, 1, 9), LARDER_UNSEEN);
    CU_ASSERT_EQUAL (untaken (&b, 1), 2);
    CU_ASSERT_EQUAL (larder_txn_unseen (&b.t, &b.page[0]), 2);
    CU_ASSERT_EQUAL (larder_txn_unseen (&b.t, &b.page[1]), 4);
    /* Again, with another object, by a retry: the same place. */
    CU_ASSERT_EQUAL (present (&b, 0, 9, 1, 3, 3), -1);
    CU_ASSERT_EQUAL (present (&b, 1, 9, 1, 3, 3), -1);
    CU_ASSERT (b.t.expected == 4 && untaken (&b, 1) == 2);
    CU_ASSERT_EQUAL (present (&b, 0, 2, 1, 3, 3), -1);
    CU_ASSERT_EQUAL (present (&b, 1, 0, 1, 3, 3), -1);
    CU_ASSERT (b.t.expected == 4 && untaken (&b, 1) == 0);
    /* One more than it was split among is not accounted for. */
    CU_ASSERT_EQUAL (present (&b, 0, 5, 1, 3, 3), -1);
    CU_ASSERT_EQUAL (state_of (&b, 0, 5), -1);
    CU_ASSERT_EQUAL (larder_txn_final (&b.t, &b.page[0], 5, LARDER_OK), 0);
    static const int all[] = {0, 2, 6, 9};
    for (int i = 0; i < 4; ++i)
        for (int k = 0; k < 2; ++k) {
            CU_ASSERT_EQUAL (b.t.receivers[i].rank, all[i]);
            CU_ASSERT (!larder_txn_finished (&b.t));
            CU_ASSERT_EQUAL (larder_txn_final (&b.t, &b.page[k], all[i], LARDER_OK), 1);
        }
    CU_ASSERT (larder_txn_finished (&b.t));
    larder_txn_free (&b.t);
}

/* The first number counts; numbers that make no sense do not. */
static void split_otherwise (void)
{
    static const struct {
        int via, share, code;
    } cases[] = {{1, 3, LARDER_ESPLIT}, {1, 1, LARDER_ESPLIT}, {SIZE, 2, LARDER_EREF},
                 {-1, 2, LARDER_EREF},  {2, -1, LARDER_EREF},  {2, SIZE + 1, LARDER_EREF}};
    struct books b;
    larder_error err = {0};
    int lost;
    open_live (&b, list ((int[]){1, 6}, 2), 1);
    CU_ASSERT_EQUAL (larder_txn_split (&b.t, 1, 2, 2, &lost, &err), LARDER_OK);
    CU_ASSERT (lost == 1 && untaken (&b, 1) == 2);
    CU_ASSERT_EQUAL (larder_txn_split (&b.t, 1, 2, 2, &lost, &err), LARDER_OK);
    CU_ASSERT (lost == -1 && untaken (&b, 1) == 2);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i)
        for (int rank = 5; rank < 7; ++rank) {
            struct larder_presenter who = {rank, cases[i].via, cases[i].share};
            CU_ASSERT_EQUAL (larder_txn_acquired (&b.t, &b.page[0], &who, 3, &lost, &err),
                             cases[i].code);
            CU_ASSERT_EQUAL (lost, -1);
            CU_ASSERT_EQUAL (state_of (&b, 0, rank), rank == 5 ? -1 : LARDER_UNSEEN);
        }
    CU_ASSERT (b.t.expected == 3 && untaken (&b, 1) == 2);
    CU_ASSERT_EQUAL (present (&b, 0, 5, 1, 2, 3), -1);
    CU_ASSERT_EQUAL (state_of (&b, 0, 5), LARDER_ACQUIRED);
    larder_txn_free (&b.t);
}

/* Who splits a ref may download too: whenever it does, the same are expected. */
static void split_by_a_receiver (void)
{
    struct books b;
    for (int late = 0; late < 2; ++late) {
        open_live (&b, list ((int[]){1}, 1), 2);
        if (!late)
            acquire (&b, 1, 1, 2);
        CU_ASSERT_EQUAL (present (&b, 0, 5, 1, 2, 2), late ? 1 : -1);
        if (late) {
            CU_ASSERT_EQUAL (state_of (&b, 0, 1), -1);
            acquire (&b, 1, 1, 2);
        }
        CU_ASSERT (b.t.expected == 3 && untaken (&b, 1) == 1);
        CU_ASSERT_EQUAL (state_of (&b, 1, 1), LARDER_ACQUIRED);
        CU_ASSERT_EQUAL (via_of (&b, 1), -1);
        larder_txn_free (&b.t);
    }
    /* With its own split ref it is one of those it is split among. */
    open_live (&b, list ((int[]){1}, 1), 1);
    CU_ASSERT_EQUAL (present (&b, 0, 1, 1, 2, 2), 1);
    CU_ASSERT (b.t.expected == 2 && untaken (&b, 1) == 1 && via_of (&b, 1) == 1);
    larder_txn_free (&b.t);
    /* Nobody expected who passes it on: those behind it come in addition. */
    open_live (&b, list ((int[]){1}, 1), 1);
    CU_ASSERT_EQUAL (present (&b, 0, 5, 4, 2, 2), -1);
    CU_ASSERT (b.t.expected == 3 && untaken (&b, 4) == 1 && state_of (&b, 0, 1) == LARDER_UNSEEN);
    larder_txn_free (&b.t);
}

/* A rank is one receiver, by however many ways refs come to it; nobody waits for the other places. */
static void split_two_ways (void)
{
    struct books b;
    open_live (&b, list ((int[]){1, 2, 7}, 3), 1);
    present (&b, 0, 5, 1, 2, 2);
    present (&b, 0, 5, 2, 2, 2); /* it has a place by rank 1 */
    CU_ASSERT (untaken (&b, 1) == 1 && untaken (&b, 2) == 1 && b.t.expected == 4);
    CU_ASSERT_EQUAL (via_of (&b, 5), 1);
    present (&b, 0, 5, 2, 2, 3); /* once */
    CU_ASSERT (untaken (&b, 2) == 1 && b.t.expected == 4);
    present (&b, 0, 7, 1, 2, 3); /* it was declared */
    CU_ASSERT (untaken (&b, 1) == 0 && b.t.expected == 3 && via_of (&b, 7) == -1);
    present (&b, 0, 8, 2, 2, 3);
    CU_ASSERT (untaken (&b, 2) == 0 && b.t.expected == 3 && b.t.count == 3);
    CU_ASSERT_EQUAL (via_of (&b, 8), 2);
    static const int all[] = {5, 7, 8};
    for (int i = 0; i < 3; ++i) {
        CU_ASSERT (!larder_txn_finished (&b.t));
        larder_txn_final (&b.t, &b.page[0], all[i], LARDER_OK);
    }
    CU_ASSERT (larder_txn_finished (&b.t));
    /* What is finished stays so. */
    CU_ASSERT_EQUAL (present (&b, 0, 9, 3, 2, 4), -1);
    acquire (&b, 0, 1, 4);
    CU_ASSERT (b.t.expected == 3 && larder_txn_finished (&b.t));
    larder_txn_free (&b.t);
}

static void split_a_count (void)
{
    struct books b;
    open_live (&b, LARDER_COUNT (2), 1);
    CU_ASSERT_EQUAL (present (&b, 0, 5, 1, 3, 2), -1);
    CU_ASSERT (b.t.expected == 4 && b.t.count == 1);
    CU_ASSERT_EQUAL (via_of (&b, 5), 1);
    present (&b, 0, 5, 1, 3, 2);
    CU_ASSERT_EQUAL (b.t.expected, 4);
    acquire (&b, 0, 8, 2);
    present (&b, 0, 8, 1, 3, 2); /* it has a place, so there is one less */
    CU_ASSERT (b.t.expected == 3 && b.t.count == 2);
    acquire (&b, 0, 1, 2); /* who passed it on comes after all */
    CU_ASSERT (b.t.expected == 4 && b.t.count == 3);
    present (&b, 0, 9, 1, 3, 2);
    CU_ASSERT (b.t.expected == 4 && b.t.count == 4);
    present (&b, 0, 10, 1, 3, 2); /* more than it was split among */
    CU_ASSERT (b.t.expected == 4 && b.t.count == 4 && state_of (&b, 0, 10) == -1);
    larder_txn_free (&b.t);
    open_live (&b, LARDER_COUNT (2), 1); /* it has begun before: the others come in addition */
    acquire (&b, 0, 1, 2);
    present (&b, 0, 5, 1, 3, 2);
    CU_ASSERT (b.t.expected == 5 && b.t.count == 2);
    larder_txn_free (&b.t);
    open_live (&b, LARDER_COUNT (1), 1); /* strangers may have all places: none is taken away */
    present (&b, 0, 5, 1, 2, 2);
    acquire (&b, 0, 6, 2);
    present (&b, 0, 6, 1, 2, 2);
    CU_ASSERT (b.t.expected == 2 && b.t.count == 2);
    larder_txn_free (&b.t);
    open_live (&b, LARDER_UNKNOWN, 1);
    for (int r = 0; r < 5; ++r)
        present (&b, 0, r, 1, 2, 2);
    CU_ASSERT (b.t.expected == 0 && b.t.count == 5 && via_of (&b, 4) == 1);
    larder_txn_free (&b.t);
}

/* What was decided of who passes it on is not undone by those who come later. */
static void split_too_late (void)
{
    struct books b;
    open_live (&b, list ((int[]){1, 6}, 2), 2);
    larder_txn_final (&b.t, &b.page[0], 1, LARDER_ETIMEDOUT);
    CU_ASSERT_EQUAL (present (&b, 0, 5, 1, 2, 2), -1);
    CU_ASSERT (b.t.expected == 2 && state_of (&b, 0, 5) == -1);
    CU_ASSERT_EQUAL (code_of (&b, 0, 1), LARDER_ETIMEDOUT);
    CU_ASSERT_EQUAL (present (&b, 1, 5, 1, 2, 2), -1);
    CU_ASSERT_EQUAL (state_of (&b, 1, 5), -1);
    larder_txn_free (&b.t);
    open_live (&b, list ((int[]){1, 6}, 2), 2); /* an object that nobody gets decides nothing */
    for (int r = 1; r < 7; r += 5)
        larder_txn_final (&b.t, &b.page[0], r, LARDER_EOWNER);
    b.page[0].closed = LARDER_EOWNER;
    CU_ASSERT_EQUAL (present (&b, 1, 5, 1, 2, 2), 1);
    CU_ASSERT (b.t.expected == 3 && state_of (&b, 1, 5) == LARDER_ACQUIRED);
    CU_ASSERT (b.page[0].failed == 1 && b.page[0].begun == 1);
    larder_txn_free (&b.t);
}

static void forwarded (void)
{
    struct books b;
    open_live (&b, list ((int[]){1, 4, 6}, 3), 2);
    b.t.forwarded = 1;
    acquire (&b, 0, 4, 2);
    CU_ASSERT_EQUAL (present (&b, 0, 9, -1, 0, 2), 1);
    CU_ASSERT (b.t.expected == 3 && state_of (&b, 0, 1) == -1);
    CU_ASSERT_EQUAL (present (&b, 1, 9, -1, 0, 2), -1); /* it has its place */
    CU_ASSERT_EQUAL (present (&b, 0, 2, -1, 0, 2), 6);
    CU_ASSERT_EQUAL (present (&b, 0, 3, -1, 0, 2), -1); /* all have begun */
    CU_ASSERT_EQUAL (state_of (&b, 0, 3), -1);
    acquire (&b, 1, 1, 3); /* after all */
    CU_ASSERT (b.t.expected == 4 && state_of (&b, 1, 1) == LARDER_ACQUIRED);
    static const int all[] = {1, 2, 4, 9};
    for (int i = 0; i < 4; ++i)
        CU_ASSERT_EQUAL (b.t.receivers[i].rank, all[i]);
    larder_txn_free (&b.t);
    open_live (&b, list ((int[]){1, 4}, 2), 1); /* not from whom time has run out */
    b.t.forwarded = 1;
    larder_txn_final (&b.t, &b.page[0], 1, LARDER_ETIMEDOUT);
    CU_ASSERT_EQUAL (present (&b, 0, 9, -1, 0, 2), 4);
    CU_ASSERT_EQUAL (code_of (&b, 0, 1), LARDER_ETIMEDOUT);
    larder_txn_free (&b.t);
    open_live (&b, list ((int[]){1}, 1), 1); /* nor a place that another is to take */
    b.t.forwarded = 1;
    present (&b, 0, 5, 1, 2, 2);
    CU_ASSERT_EQUAL (present (&b, 0, 9, -1, 0, 2), -1);
    CU_ASSERT (untaken (&b, 1) == 1 && state_of (&b, 0, 9) == -1);
    larder_txn_free (&b.t);
}

/* Who never comes by a split runs out of time, from when it could have come. */
static void split_acquire_budget (void)
{
    double paused[SIZE] = {0}, late = 0;
    struct books b;
    int from = 0;
    open_books (&b, list ((int[]){1}, 1), 2);
    set_budgets (&b, 4, 0);
    larder_txn_live (&b.t, 10);
    present (&b, 0, 5, 1, 3, 13);
    CU_ASSERT_EQUAL (larder_txn_overdue (&b.t, NULL, 16, &from, &late), -1);
    paused[1] = 15; /* nor does it when the one it comes by is away */
    larder_txn_again (&b.t);
    from = 0;
    CU_ASSERT_EQUAL (larder_txn_overdue (&b.t, paused, 18.5, &from, &late), -1);
    larder_txn_again (&b.t);
    from = 0;
    for (int n = 0; n < 2; ++n) {
        int i = larder_txn_overdue (&b.t, NULL, 19.5, &from, &late);
        CU_ASSERT_FATAL (i >= 0 && b.t.receivers[i].rank == -1);
        CU_ASSERT_EQUAL (late, 6.5);
        for (int k = 0; k < 2; ++k)
            CU_ASSERT_EQUAL (larder_txn_final_at (&b.t, &b.page[k], i, LARDER_ETIMEDOUT), 1);
    }
    CU_ASSERT_EQUAL (larder_txn_overdue (&b.t, NULL, 19.5, &from, &late), -1);
    present (&b, 0, 7, 1, 3, 20); /* too late */
    CU_ASSERT_EQUAL (state_of (&b, 0, 7), -1);
    for (int k = 0; k < 2; ++k) {
        CU_ASSERT (!larder_txn_finished (&b.t));
        larder_txn_final (&b.t, &b.page[k], 5, LARDER_OK);
    }
    CU_ASSERT (larder_txn_finished (&b.t) && b.page[0].done == 1 && b.page[0].failed == 2);
    larder_txn_free (&b.t);
}

/* How the places of a transaction must add up, whatever came. */
static int split_wrong (const struct books *b, const int *share)
{
    int wrong = 0;
    for (int i = 0; i < b->t.count; ++i) {
        const struct larder_receiver *x = &b->t.receivers[i];
        wrong += i && (x->rank < x[-1].rank || (x->rank >= 0 && x->rank == x[-1].rank));
        wrong += x->rank < 0 && (x->via < 0 || !share[x->via] || x->acquired);
    }
    for (int via = 0; via < SIZE; ++via) {
        int of = 0;
        for (int i = 0; i < b->t.count; ++i)
            of += b->t.receivers[i].via == via;
        wrong += !b->t.unknown && of > share[via];
    }
    for (int k = 0; k < b->t.page_count; ++k) {
        const struct larder_page *p = &b->page[k];
        int begun = 0, done = 0, failed = 0;
        for (int i = 0; i < b->t.count; ++i) {
            begun += p->standing[i].state != LARDER_UNSEEN;
            done += p->standing[i].state == LARDER_FINAL && p->standing[i].code == LARDER_OK;
            failed += p->standing[i].state == LARDER_FINAL && p->standing[i].code < 0;
        }
        wrong += begun != p->begun || done != p->done || failed != p->failed;
    }
    wrong += b->t.declared && b->t.expected != b->t.count;
    wrong += !b->t.declared && !b->t.unknown && b->t.count > b->t.expected;
    return wrong;
}

/* Random presenters: the places add up after each, and once everybody has come by all its ways nobody is
 * waited for. */
static void split_anyhow (void)
{
    static const int counts[] = {0, -1, -2, 1, 3, SIZE};
    struct larder_test_random r = larder_test_seed ();
    for (int round = 0; round < 600; ++round) {
        struct books b;
        int wrong = 0, share[SIZE] = {0}, next[SIZE][SIZE] = {{0}}, lost;
        open_live (&b, (larder_receivers){NULL, counts[round % 6]}, 2);
        b.t.forwarded = round % 4 == 0;
        for (int n = 0; n < 3; ++n) {
            int via = (int)larder_test_below (&r, SIZE);
            for (int rank = 0; rank < SIZE && !share[via]; ++rank)
                next[via][rank] = larder_test_below (&r, 3) == 0;
            for (int rank = share[via] = 0; rank < SIZE; ++rank)
                share[via] += next[via][rank];
        }
        for (int step = 0; step < 150; ++step) {
            int rank = (int)larder_test_below (&r, SIZE), k = (int)larder_test_below (&r, 2);
            int via = (int)larder_test_below (&r, SIZE);
            if (larder_test_below (&r, 30) == 0)
                larder_txn_anew (&b.t, &b.page[k]);
            else if (larder_test_below (&r, 40) == 0)
                (void)larder_txn_final (&b.t, &b.page[k], rank, LARDER_EGONE);
            else if (next[via][rank])
                (void)present (&b, k, rank, via, share[via], step);
            else if (larder_test_below (&r, 8) == 0)
                (void)present (&b, k, rank, -1, 0, step);
            wrong += split_wrong (&b, share);
        }
        for (int k = 0; k < 2; ++k)
            for (int rank = 0; rank < SIZE; ++rank) {
                for (int via = 0; via < SIZE; ++via)
                    if (next[via][rank])
                        (void)present (&b, k, rank, via, share[via], 200);
                struct larder_presenter who = {rank, -1, 0};
                (void)larder_txn_acquired (&b.t, &b.page[k], &who, 200, &lost, NULL);
                (void)larder_txn_final (&b.t, &b.page[k], rank, LARDER_OK);
                wrong += split_wrong (&b, share);
            }
        if (b.t.declared)
            for (int i = 0; i < b.t.count; ++i)
                wrong += b.t.receivers[i].rank < 0;
        wrong += b.t.declared && !larder_txn_finished (&b.t);
        CU_ASSERT_EQUAL (wrong, 0);
        if (wrong)
            printf ("round %d: %d\n", round, wrong);
        larder_txn_free (&b.t);
        if (wrong)
            break;
    }
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"who is expected", kinds},
        {"alone", alone},
        {"lists that make no sense", bad_lists},
        {"limits", limits},
        {"places of a count", places_of_a_count},
        {"places of the unknown", places_of_the_unknown},
        {"a final state never changes", final_stays_final},
        {"finished", finished},
        {"anew", anew},
        {"the counts add up", counts_add_up},
        {"acquire budget", acquire_budget},
        {"idle budget", idle_budget},
        {"a pause moves deadlines", pause_moves_deadlines},
        {"a pause that ends early", pause_ends_early},
        {"looks rarely", looks_rarely},
        {"like a scan", like_a_scan},
        {"expired", expired},
        {"split: places", split_places},
        {"split: other numbers", split_otherwise},
        {"split: by a receiver", split_by_a_receiver},
        {"split: two ways", split_two_ways},
        {"split: a count", split_a_count},
        {"split: too late", split_too_late},
        {"split: acquire budget", split_acquire_budget},
        {"split: anyhow", split_anyhow},
        {"forwarded", forwarded},
        {NULL, NULL},
    };
    return larder_test_main ("txn", tests);
}
