/* SPDX-License-Identifier: Apache-2.0 */
/* When an event of an (object, receiver) pair is due, and what it says. */
#include "larder_test.h"
#include "larder_test_random.h"
#include "larder_track.h"

static const larder_event pair = {.transaction = 7, .owner = 1, .object = 2, .receiver = 3};

static int event (struct larder_track *t, larder_event_state state, uint64_t bytes, double interval,
                  double now, larder_event *e)
{
    *e = pair;
    return larder_track_event (t, state, bytes, bytes / 10, interval, now, e);
}

static void a_life (void)
{
    struct larder_track t = {0};
    larder_event e;
    CU_ASSERT_EQUAL (event (&t, LARDER_EVENT_STARTED, 0, 2, 100, &e), 1);
    CU_ASSERT (e.state == LARDER_EVENT_STARTED && e.sequence == 1 && e.seconds == 0);
    CU_ASSERT (e.transaction == 7 && e.owner == 1 && e.object == 2 && e.receiver == 3);
    CU_ASSERT_EQUAL (event (&t, LARDER_EVENT_STARTED, 0, 2, 105, &e), 0);   /* once */
    CU_ASSERT_EQUAL (event (&t, LARDER_EVENT_ACTIVE, 50, 2, 101.5, &e), 0); /* too early */
    CU_ASSERT_EQUAL (event (&t, LARDER_EVENT_ACTIVE, 50, 2, 102, &e), 1);
    CU_ASSERT (e.state == LARDER_EVENT_ACTIVE && e.sequence == 2 && e.seconds == 2);
    CU_ASSERT (e.bytes_done == 50 && e.items_done == 5);
    CU_ASSERT_EQUAL (event (&t, LARDER_EVENT_ACTIVE, 50, 2, 200, &e), 0); /* nothing came */
    CU_ASSERT_EQUAL (event (&t, LARDER_EVENT_ACTIVE, 60, 2, 200, &e), 1);
    CU_ASSERT_EQUAL (e.sequence, 3);
    CU_ASSERT_EQUAL (event (&t, LARDER_EVENT_COMPLETED, 70, 2, 200, &e), 1); /* at once */
    CU_ASSERT (e.state == LARDER_EVENT_COMPLETED && e.sequence == 4 && e.seconds == 100);
    CU_ASSERT_EQUAL (e.bytes_done, 70);
    CU_ASSERT_EQUAL (event (&t, LARDER_EVENT_ACTIVE, 900, 2, 900, &e), 0);
    CU_ASSERT_EQUAL (event (&t, LARDER_EVENT_FAILED, 900, 2, 900, &e), 0);
    CU_ASSERT_EQUAL (event (&t, LARDER_EVENT_STARTED, 900, 2, 900, &e), 0);
}

static void figures_never_fall (void)
{
    struct larder_track t = {0};
    larder_event e;
    event (&t, LARDER_EVENT_STARTED, 0, -1, 1, &e);
    event (&t, LARDER_EVENT_ACTIVE, 80, -1, 1, &e);
    CU_ASSERT_EQUAL (event (&t, LARDER_EVENT_ACTIVE, 70, -1, 2, &e), 0);
    e = pair;
    CU_ASSERT_EQUAL (larder_track_event (&t, LARDER_EVENT_ACTIVE, 10, 9, -1, 2, &e), 1); /* items */
    CU_ASSERT (e.bytes_done == 80 && e.items_done == 9);
    CU_ASSERT_EQUAL (event (&t, LARDER_EVENT_FAILED, 0, -1, 3, &e), 1);
    CU_ASSERT (e.bytes_done == 80 && e.items_done == 9);
}

static void intervals (void)
{
    struct larder_track t = {0}, u = {0};
    larder_event e;
    event (&t, LARDER_EVENT_STARTED, 0, 0, 1, &e);
    CU_ASSERT_EQUAL (event (&t, LARDER_EVENT_ACTIVE, 1, 0, 30.5, &e), 0);
    CU_ASSERT_EQUAL (event (&t, LARDER_EVENT_ACTIVE, 1, 0, 31, &e), 1); /* 30 s by default */
    event (&u, LARDER_EVENT_STARTED, 0, -1, 1, &e);
    CU_ASSERT_EQUAL (event (&u, LARDER_EVENT_ACTIVE, 1, -1, 1, &e), 1);
    CU_ASSERT_EQUAL (event (&u, LARDER_EVENT_ACTIVE, 1, -1, 1, &e), 0); /* still: when more came */
    CU_ASSERT_EQUAL (event (&u, LARDER_EVENT_ACTIVE, 2, -1, 1, &e), 1);
    CU_ASSERT_EQUAL (e.sequence, 3);
}

/* It ends before anything else was said. */
static void only_the_end (void)
{
    static const larder_event_state ends[] = {LARDER_EVENT_COMPLETED, LARDER_EVENT_FAILED,
                                              LARDER_EVENT_ABORTED};
    for (int i = 0; i < 3; ++i) {
        struct larder_track t = {0};
        larder_event e;
        CU_ASSERT_EQUAL (event (&t, ends[i], 0, 0, 50, &e), 1);
        CU_ASSERT (e.state == ends[i] && e.sequence == 1 && e.seconds == 0);
        for (int k = 0; k < 3; ++k)
            CU_ASSERT_EQUAL (event (&t, ends[k], 5, -1, 60, &e), 0);
    }
}

static void in_any_order (void)
{
    struct larder_test_random r = larder_test_seed ();
    for (int round = 0; round < 500; ++round) {
        struct larder_track t = {0};
        larder_event e, last = pair;
        int over = 0, wrong = 0;
        for (int i = 0; i < 60; ++i) {
            uint64_t what = larder_test_below (&r, 40);
            larder_event_state state = what ? 1 + (larder_event_state)(what % 2)
                                            : 3 + (larder_event_state)larder_test_below (&r, 3);
            if (!event (&t, state, larder_test_below (&r, 100), -1, i, &e))
                continue;
            wrong += over || e.sequence != last.sequence + 1 || e.bytes_done < last.bytes_done ||
                     e.items_done < last.items_done || e.seconds < last.seconds || e.state != state;
            over = state >= LARDER_EVENT_COMPLETED;
            last = e;
        }
        CU_ASSERT_EQUAL (wrong, 0);
    }
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"a life", a_life},
        {"figures never fall", figures_never_fall},
        {"intervals", intervals},
        {"only the end", only_the_end},
        {"in any order", in_any_order},
        {NULL, NULL},
    };
    return larder_test_main ("track", tests);
}
