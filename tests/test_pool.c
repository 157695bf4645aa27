/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_pool.h"
#include "larder_test.h"
#include "larder_test_random.h"
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SLOTS = 9, QUOTAS = 6, STEPS = 20000, CHILDREN = 4 };

struct shared {
    larder_word quota[QUOTAS];
    larder_word taken[SLOTS]; /* by how many */
    larder_word clashes;
    struct larder_pool pool; /* its stack comes last */
};

static size_t shared_size (void)
{
    return sizeof (struct shared) + SLOTS * sizeof (uint32_t);
}

static void promises (void)
{
    struct shared *s = calloc (1, shared_size ());
    struct larder_pool *p = &s->pool;
    uint32_t slot[SLOTS];
    larder_pool_init (p, 4);
    CU_ASSERT_EQUAL (larder_pool_open (p, &s->quota[0]), 0);
    CU_ASSERT_EQUAL (larder_pool_open (p, &s->quota[0]), 0); /* twice is once */
    CU_ASSERT_EQUAL (larder_pool_open (p, &s->quota[1]), 0);
    CU_ASSERT_EQUAL (larder_pool_open (p, &s->quota[2]), -1);
    CU_ASSERT_EQUAL (larder_pool_take (p, &s->quota[2]), LARDER_POOL_NONE); /* all are promised */
    for (int i = 0; i < 2; ++i)
        CU_ASSERT ((slot[i] = larder_pool_take (p, &s->quota[0])) < 4);
    CU_ASSERT_EQUAL (larder_pool_take (p, &s->quota[0]), LARDER_POOL_NONE);
    CU_ASSERT_EQUAL (larder_pool_held (&s->quota[0]), 2);
    larder_pool_close (p, &s->quota[1]);
    CU_ASSERT_EQUAL (larder_pool_open (p, &s->quota[2]), 0);
    CU_ASSERT_EQUAL (p->peak, 2);
    CU_ASSERT_EQUAL (larder_pool_selfcheck (p, s->quota, QUOTAS), 0);
    free (s);
}

/* Who borrows leaves two, so that somebody else can begin; one more may begin, and waits. */
static void borrowing (void)
{
    struct shared *s = calloc (1, shared_size ());
    struct larder_pool *p = &s->pool;
    uint32_t last = LARDER_POOL_NONE;
    larder_pool_init (p, SLOTS);
    CU_ASSERT_EQUAL (larder_pool_open (p, &s->quota[0]), 0);
    for (int i = 0; i < SLOTS - LARDER_POOL_PROMISE; ++i)
        CU_ASSERT ((last = larder_pool_take (p, &s->quota[0])) != LARDER_POOL_NONE);
    CU_ASSERT_EQUAL (larder_pool_take (p, &s->quota[0]), LARDER_POOL_NONE);
    CU_ASSERT_EQUAL (larder_pool_open (p, &s->quota[1]), 0);
    CU_ASSERT_EQUAL (larder_pool_open (p, &s->quota[2]), 0);
    CU_ASSERT (larder_pool_take (p, &s->quota[1]) != LARDER_POOL_NONE);
    CU_ASSERT (larder_pool_take (p, &s->quota[1]) != LARDER_POOL_NONE);
    CU_ASSERT_EQUAL (larder_pool_take (p, &s->quota[2]), LARDER_POOL_NONE); /* none is free */
    larder_pool_give (p, &s->quota[0], last);
    CU_ASSERT_EQUAL (larder_pool_take (p, &s->quota[0]), LARDER_POOL_NONE); /* it is promised */
    CU_ASSERT (larder_pool_take (p, &s->quota[2]) != LARDER_POOL_NONE);
    CU_ASSERT_EQUAL (larder_pool_selfcheck (p, s->quota, QUOTAS), 0);
    free (s);
}

static void last_in_first_out (void)
{
    struct shared *s = calloc (1, shared_size ());
    larder_pool_init (&s->pool, SLOTS);
    uint32_t a = larder_pool_take (&s->pool, &s->quota[0]);
    uint32_t b = larder_pool_take (&s->pool, &s->quota[0]);
    CU_ASSERT (a != b);
    larder_pool_give (&s->pool, &s->quota[0], a);
    CU_ASSERT_EQUAL (larder_pool_take (&s->pool, &s->quota[0]), a);
    free (s);
}

/* An open quota gets its two slots as soon as slots are free, whatever the others do. */
static void random_steps (void)
{
    struct larder_test_random r = larder_test_seed ();
    struct shared *s = calloc (1, shared_size ());
    uint32_t held[QUOTAS][SLOTS], count[QUOTAS] = {0};
    int open[QUOTAS] = {0}, wrong = 0, refused = 0;
    larder_pool_init (&s->pool, SLOTS);
    for (int step = 0; step < STEPS; ++step) {
        uint64_t q = larder_test_below (&r, QUOTAS);
        uint32_t slot;
        switch (larder_test_below (&r, 6)) {
        case 0:
            open[q] = larder_pool_open (&s->pool, &s->quota[q]) == 0 || open[q];
            break;
        case 1:
            larder_pool_close (&s->pool, &s->quota[q]);
            open[q] = 0;
            break;
        case 2:
        case 3:
            slot = larder_pool_take (&s->pool, &s->quota[q]);
            refused += slot == LARDER_POOL_NONE;
            wrong += slot == LARDER_POOL_NONE && open[q] && s->pool.free &&
                     count[q] < LARDER_POOL_PROMISE;
            if (slot == LARDER_POOL_NONE)
                break;
            wrong += slot >= SLOTS || larder_load (&s->taken[slot]);
            larder_store (&s->taken[slot], 1);
            held[q][count[q]++] = slot;
            break;
        default:
            if (count[q] == 0)
                break;
            slot = held[q][--count[q]];
            larder_store (&s->taken[slot], 0);
            larder_pool_give (&s->pool, &s->quota[q], slot);
        }
        wrong += larder_pool_held (&s->quota[q]) != count[q];
        wrong += larder_pool_selfcheck (&s->pool, s->quota, QUOTAS) != 0;
    }
    CU_ASSERT_EQUAL (wrong, 0);
    CU_ASSERT (refused > 0);
    free (s);
}

static void selfcheck_sees (void)
{
    struct shared *s = calloc (1, shared_size ());
    larder_pool_init (&s->pool, SLOTS);
    (void)larder_pool_take (&s->pool, &s->quota[0]);
    CU_ASSERT_EQUAL (larder_pool_selfcheck (&s->pool, s->quota, QUOTAS), 0);
    CU_ASSERT (larder_pool_selfcheck (&s->pool, s->quota + 1, QUOTAS - 1) != 0);
    ++s->pool.promised;
    CU_ASSERT (larder_pool_selfcheck (&s->pool, s->quota, QUOTAS) != 0);
    free (s);
}

static void child (struct shared *s, int me, struct larder_test_random r)
{
    uint32_t slot[SLOTS], count = 0;
    for (int step = 0; step < STEPS; ++step) {
        if (larder_test_below (&r, 2) == 0 || count == SLOTS) {
            if (count == 0)
                continue;
            atomic_fetch_sub (&s->taken[slot[--count]], 1);
            larder_pool_give (&s->pool, &s->quota[me], slot[count]);
        } else {
            uint32_t got = larder_pool_take (&s->pool, &s->quota[me]);
            if (got == LARDER_POOL_NONE)
                continue;
            if (atomic_fetch_add (&s->taken[got], 1) != 0)
                atomic_fetch_add (&s->clashes, 1);
            slot[count++] = got;
        }
    }
    while (count) {
        atomic_fetch_sub (&s->taken[slot[--count]], 1);
        larder_pool_give (&s->pool, &s->quota[me], slot[count]);
    }
}

static void several_processes (void)
{
    struct larder_test_random r = larder_test_seed ();
    struct shared *s =
        mmap (NULL, shared_size (), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pids[CHILDREN];
    CU_ASSERT_FATAL (s != MAP_FAILED);
    larder_pool_init (&s->pool, SLOTS);
    for (int i = 0; i < CHILDREN; ++i) {
        r.state = larder_test_random (&r);
        if ((pids[i] = fork ()) == 0) {
            child (s, i, r);
            _exit (0);
        }
        CU_ASSERT (pids[i] > 0);
    }
    for (int i = 0; i < CHILDREN; ++i) {
        int status = -1;
        CU_ASSERT_EQUAL (waitpid (pids[i], &status, 0), pids[i]);
        CU_ASSERT_EQUAL (status, 0);
    }
    CU_ASSERT_EQUAL (larder_load (&s->clashes), 0);
    CU_ASSERT_EQUAL (s->pool.free, SLOTS);
    CU_ASSERT_EQUAL (larder_pool_selfcheck (&s->pool, s->quota, QUOTAS), 0);
    munmap (s, shared_size ());
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"two slots are promised", promises},
        {"borrowing leaves two", borrowing},
        {"the slot given last is taken first", last_in_first_out},
        {"random steps against a table", random_steps},
        {"selfcheck sees wrong books", selfcheck_sees},
        {"several processes", several_processes},
        {NULL, NULL},
    };
    return larder_test_main ("pool", tests);
}
