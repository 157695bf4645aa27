/* SPDX-License-Identifier: Apache-2.0 */
/* The ranks of one node, each with its own handle on the same segment; the owner is on another node
 * (owner 0, rank 3) or on this one (owner 1, rank 0). */
#include "larder_detach.h"
#include "larder_guard.h"
#include "larder_nodecache.h"
#include "larder_test.h"
#include "larder_test_random.h"
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum { LOCALS = 3, LINES = 2, SLOTS = 8, AWAY = 0, HOME = 1, ITEMS = 40, CHUNKS = 20 };

static const int leader[4] = {0, 0, 0, 3}, owners[2] = {3, 0};
static int owner_home[2];

struct node {
    struct larder_topology topology;
    struct larder_wire_layout layout;
    unsigned char *base;
    struct larder_nodecache rank[LOCALS];
    struct larder_pool *pool;
};

static void open_node (struct node *n)
{
    struct larder_wire_shape shape = {2, LOCALS, 2, 1, LINES, 2, 64, SLOTS, SLOTS, 0};
    larder_error err;
    CU_ASSERT_EQUAL_FATAL (larder_topology_make (&n->topology, 4, leader, &err), LARDER_OK);
    CU_ASSERT_EQUAL_FATAL (larder_wire_layout_make (&shape, &n->layout, &err), LARDER_OK);
    n->base = aligned_alloc (4096, (n->layout.total + 4095) / 4096 * 4096);
    memset (n->base, 0, n->layout.total);
    n->pool = (struct larder_pool *)(void *)(n->base + n->layout.pool);
    larder_pool_init (n->pool, SLOTS);
    for (int i = 0; i < LOCALS; ++i)
        n->rank[i] = (struct larder_nodecache){n->base, n->layout, &n->topology, n->pool,    i,
                                               0,       i,         owners,       owner_home, 2};
}

static void close_node (struct node *n)
{
    free (n->base);
    larder_topology_free (&n->topology);
}

static struct larder_want want (int owner, uint64_t object, uint64_t first, uint64_t end)
{
    return (struct larder_want){owner, object, 5, first, end, 0, 0, 0};
}

/* The owner answers: chunks of two items each, from the one of the line's first item on. */
static void answer (struct node *n, int owner, int line, uint64_t life, uint64_t first,
                    uint64_t bits)
{
    struct larder_info info = {
        .life = life, .first_chunk = first, .end_item = ITEMS, .item_size = 2};
    larder_nodecache_begin (&n->rank[0], owner, line, &info, &bits);
}

/* A slot with a chunk in it is in the directory. */
static uint32_t fetch (struct node *n, int line, uint64_t life, uint64_t chunk)
{
    struct larder_line *ln = larder_nodecache_line (&n->rank[0], AWAY, line);
    uint32_t slot = larder_pool_take (n->pool, &ln->quota);
    CU_ASSERT_FATAL (slot != LARDER_POOL_NONE);
    *larder_nodecache_slot (&n->rank[0], slot) =
        (struct larder_slot_header){.chunk = chunk, .item = 2 * chunk, .count = 2};
    CU_ASSERT_EQUAL (larder_nodecache_publish (&n->rank[0], AWAY, line, life, chunk, slot), 0);
    return slot;
}

static int books (struct node *n)
{
    larder_word quotas[2 * LINES];
    for (int i = 0; i < 2 * LINES; ++i)
        quotas[i] = larder_load (&larder_nodecache_line (&n->rank[0], i / LINES, i % LINES)->quota);
    return larder_pool_selfcheck (n->pool, quotas, 2 * LINES);
}

/* Ranks that want the same object share a line; its cursor is the slowest one's place. */
static void sharing (void)
{
    struct node n;
    struct larder_joined j[3];
    struct larder_info info;
    struct larder_want whole = want (AWAY, 1, 0, ITEMS);
    open_node (&n);
    CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[0], &whole, &j[0]), LARDER_OK);
    CU_ASSERT (j[0].binds && j[0].life == 1 && j[0].line == 0);
    CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[1], &whole, &j[1]), LARDER_OK);
    CU_ASSERT (!j[1].binds && j[1].life == 1 && j[1].line == 0 && !j[1].extended);
    CU_ASSERT_EQUAL (larder_nodecache_info (&n.rank[1], AWAY, 0, 1, &info), LARDER_AGAIN);
    answer (&n, AWAY, 0, 1, 0, 0);
    CU_ASSERT_EQUAL (larder_nodecache_info (&n.rank[1], AWAY, 0, 1, &info), LARDER_OK);
    CU_ASSERT_EQUAL (info.end_item, ITEMS);
    uint32_t slot = fetch (&n, 0, 1, 0);
    CU_ASSERT_EQUAL (larder_nodecache_lookup (&n.rank[1], AWAY, 0, 1, 0), slot);
    CU_ASSERT_EQUAL (larder_nodecache_lookup (&n.rank[1], AWAY, 0, 1, 1), LARDER_POOL_NONE);
    CU_ASSERT_EQUAL (larder_nodecache_lookup (&n.rank[1], AWAY, 0, 2, 0), LARDER_POOL_NONE);
    CU_ASSERT_EQUAL (larder_nodecache_publish (&n.rank[1], AWAY, 0, 1, 0, 7), -1); /* it is here */
    CU_ASSERT_EQUAL (larder_nodecache_advance (&n.rank[0], AWAY, 0, 1, 1), 0);     /* 1 is behind */
    CU_ASSERT_EQUAL (larder_nodecache_lookup (&n.rank[1], AWAY, 0, 1, 0), slot);
    CU_ASSERT_EQUAL (larder_nodecache_advance (&n.rank[1], AWAY, 0, 1, 1), 1);
    CU_ASSERT_EQUAL (larder_nodecache_lookup (&n.rank[1], AWAY, 0, 1, 0), LARDER_POOL_NONE);
    CU_ASSERT_EQUAL (larder_nodecache_cursor (&n.rank[0], AWAY, 0), larder_wire_word (1, 1));
    CU_ASSERT_EQUAL (n.pool->free, SLOTS);
    CU_ASSERT_EQUAL (larder_nodecache_publish (&n.rank[1], AWAY, 0, 1, 0, 7), -1); /* passed */
    /* Who comes now is too late for this line. */
    CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[2], &whole, &j[2]), LARDER_OK);
    CU_ASSERT (j[2].binds && j[2].line == 1);
    CU_ASSERT_EQUAL (books (&n), 0);
    close_node (&n);
}

/* A line ends with its last rank, and is free again when the owner has closed it. */
static void leaving (void)
{
    struct node n;
    struct larder_joined j;
    struct larder_want whole = want (AWAY, 1, 0, ITEMS), other = want (AWAY, 2, 0, ITEMS);
    open_node (&n);
    larder_nodecache_join (&n.rank[0], &whole, &j);
    larder_nodecache_join (&n.rank[1], &whole, &j);
    answer (&n, AWAY, 0, 1, 0, 0);
    fetch (&n, 0, 1, 0);
    larder_nodecache_advance (&n.rank[0], AWAY, 0, 1, 5);
    CU_ASSERT_EQUAL (larder_nodecache_leave (&n.rank[1], AWAY, 0, 1, LARDER_STATE_FAILED + 15), 1);
    CU_ASSERT_EQUAL (larder_nodecache_cursor (&n.rank[0], AWAY, 0), larder_wire_word (1, 5));
    fetch (&n, 0, 1, 5);
    CU_ASSERT_EQUAL (larder_nodecache_leave (&n.rank[0], AWAY, 0, 1, LARDER_STATE_DONE), 2);
    CU_ASSERT_EQUAL (larder_nodecache_cursor (&n.rank[0], AWAY, 0),
                     larder_wire_word (1, LARDER_CURSOR_END + 2)); /* two took part, 0 closes */
    CU_ASSERT (n.pool->free == SLOTS && n.pool->promised == 0);
    const larder_word *states = larder_nodecache_states (&n.rank[0], AWAY, 0);
    CU_ASSERT_EQUAL (states[0], larder_wire_word (1, LARDER_STATE_DONE));
    CU_ASSERT_EQUAL (states[1], larder_wire_word (1, LARDER_STATE_FAILED + 15));
    /* The second line is free, a third is not. */
    CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[0], &other, &j), LARDER_OK);
    CU_ASSERT_EQUAL (j.line, 1);
    CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[0], &whole, &j), LARDER_AGAIN);
    larder_nodecache_closed (&n.rank[0], AWAY, 0, 2); /* not this life */
    CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[0], &whole, &j), LARDER_AGAIN);
    larder_nodecache_closed (&n.rank[0], AWAY, 0, 1);
    CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[0], &whole, &j), LARDER_OK);
    CU_ASSERT (j.line == 0 && j.life == 2 && j.binds);
    CU_ASSERT_EQUAL (
        larder_nodecache_join (&n.rank[1], &(struct larder_want){AWAY, 3, 5, 0, 1, 0, 0, 0}, &j),
        LARDER_EBUSY);
    CU_ASSERT_EQUAL (books (&n), 0);
    close_node (&n);
}

/* A rank that joins a line with a longer range extends it; one outside its range gets its own. */
static void ranges (void)
{
    struct node n;
    struct larder_joined j;
    struct larder_want middle = want (AWAY, 1, 10, 20), longer = want (AWAY, 1, 12, 30);
    struct larder_want before = want (AWAY, 1, 8, 12), empty = want (AWAY, 1, 0, 0);
    open_node (&n);
    larder_nodecache_join (&n.rank[0], &middle, &j);
    CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[1], &longer, &j), LARDER_OK);
    CU_ASSERT (j.line == 0 && j.extended && j.end_item == 30);
    CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[2], &before, &j), LARDER_OK);
    CU_ASSERT (j.line == 1 && j.binds && !j.extended);
    answer (&n, AWAY, 0, 1, 5, 0);
    CU_ASSERT_EQUAL (larder_nodecache_positions (&n.rank[0], AWAY, 0)[1], 5);
    close_node (&n);
    open_node (&n); /* nothing wanted takes no slots */
    n.pool->open = SLOTS / LARDER_POOL_PROMISE;
    CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[0], &middle, &j), LARDER_EBUSY);
    CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[0], &empty, &j), LARDER_OK);
    close_node (&n);
}

/* Chunks stay for ranks that the owner counts on, until they come, go elsewhere, or take too long. */
static void awaited (void)
{
    struct node n;
    struct larder_joined j;
    struct larder_want whole = want (AWAY, 1, 0, ITEMS), part = want (AWAY, 1, 0, 10);
    struct larder_want other = want (AWAY, 2, 0, ITEMS);
    for (int way = 0; way < 4; ++way) {
        open_node (&n);
        larder_nodecache_join (&n.rank[0], &whole, &j);
        answer (&n, AWAY, 0, 1, 0, way == 2 ? 7 : 3);
        uint32_t slot = fetch (&n, 0, 1, 0);
        CU_ASSERT_EQUAL (larder_nodecache_advance (&n.rank[0], AWAY, 0, 1, 3), 0);
        CU_ASSERT_EQUAL (larder_nodecache_lookup (&n.rank[1], AWAY, 0, 1, 0), slot);
        if (way == 0) { /* it comes */
            CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[1], &part, &j), LARDER_OK);
            CU_ASSERT (j.line == 0 && !j.binds && j.raised == 0);
            CU_ASSERT_EQUAL (larder_nodecache_advance (&n.rank[1], AWAY, 0, 1, 2), 1);
            CU_ASSERT_EQUAL (larder_nodecache_cursor (&n.rank[0], AWAY, 0),
                             larder_wire_word (1, 2));
        } else if (way == 1) { /* the others leave: the line stays for it */
            CU_ASSERT_EQUAL (larder_nodecache_leave (&n.rank[0], AWAY, 0, 1, LARDER_STATE_DONE), 0);
            CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[1], &whole, &j), LARDER_OK);
            CU_ASSERT (j.line == 0 && j.life == 1);
            CU_ASSERT_EQUAL (larder_nodecache_leave (&n.rank[1], AWAY, 0, 1, LARDER_STATE_DONE), 2);
        } else if (way == 2) { /* it takes too long */
            CU_ASSERT_EQUAL (larder_nodecache_do_without (&n.rank[0], AWAY, 0, 2, 0), 0);
            larder_guard_pause (&n.rank[1], 9);
            CU_ASSERT_EQUAL (larder_nodecache_do_without (&n.rank[0], AWAY, 0, 1, 8), 0);
            CU_ASSERT_EQUAL (larder_nodecache_do_without (&n.rank[0], AWAY, 0, 1, 9), 1);
            CU_ASSERT_EQUAL (larder_nodecache_cursor (&n.rank[0], AWAY, 0),
                             larder_wire_word (1, 3));
            CU_ASSERT_EQUAL (larder_nodecache_leave (&n.rank[0], AWAY, 0, 1, LARDER_STATE_DONE), 2);
        } else { /* it needs a line for something else, and there is none */
            CU_ASSERT_EQUAL (larder_nodecache_leave (&n.rank[0], AWAY, 0, 1, LARDER_STATE_DONE), 0);
            CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[2], &other, &j), LARDER_OK);
            answer (&n, AWAY, j.line, j.life, 0, 0);
            larder_nodecache_advance (&n.rank[2], AWAY, j.line, j.life, 1);
            CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[1], &other, &j), LARDER_AGAIN);
            CU_ASSERT_EQUAL (j.raised, 1);
            CU_ASSERT_EQUAL (larder_nodecache_cursor (&n.rank[1], AWAY, 0) & ~UINT64_C (0xffffffff),
                             larder_wire_word (1, LARDER_CURSOR_END));
        }
        CU_ASSERT_EQUAL (books (&n), 0);
        close_node (&n);
    }
}

/* Lines that all have left wait for others; who has waited for a line itself ends them. */
static void impatient (void)
{
    struct node n;
    struct larder_joined j;
    open_node (&n);
    for (int l = 0; l < LINES; ++l) {
        struct larder_want w = want (AWAY, 1 + (uint64_t)l, 0, ITEMS);
        CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[0], &w, &j), LARDER_OK);
        answer (&n, AWAY, j.line, j.life, 0, 3);
        fetch (&n, j.line, j.life, 0);
        if (l == 0)
            CU_ASSERT_EQUAL (larder_nodecache_leave (&n.rank[0], AWAY, 0, 1, LARDER_STATE_DONE), 0);
    }
    struct larder_want more = want (AWAY, 9, 0, ITEMS);
    CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[0], &more, &j), LARDER_EBUSY);
    CU_ASSERT_EQUAL (j.raised, 0);
    more.impatient = 1;
    CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[0], &more, &j), LARDER_AGAIN);
    CU_ASSERT_EQUAL (j.raised, 1); /* not the one that it is in itself */
    CU_ASSERT_EQUAL (larder_load (&larder_nodecache_line (&n.rank[0], AWAY, 0)->state),
                     LARDER_LINE_DRAINING);
    larder_nodecache_closed (&n.rank[0], AWAY, 0, 1);
    CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[0], &more, &j), LARDER_OK);
    CU_ASSERT (j.line == 0 && j.life == 2 && j.binds);
    CU_ASSERT_EQUAL (books (&n), 0);
    close_node (&n);
}

static void given_up (void)
{
    struct node n;
    struct larder_joined j;
    struct larder_want whole = want (AWAY, 1, 0, ITEMS);
    open_node (&n);
    larder_nodecache_join (&n.rank[0], &whole, &j);
    answer (&n, AWAY, 0, 1, 0, 2);
    fetch (&n, 0, 1, 0);
    CU_ASSERT_EQUAL (larder_nodecache_failed (&n.rank[0], AWAY, 0, 1), 0);
    larder_nodecache_fail (&n.rank[0], AWAY, 0, 7, LARDER_EGONE, "another life");
    CU_ASSERT_EQUAL (larder_nodecache_failed (&n.rank[0], AWAY, 0, 1), 0);
    larder_nodecache_fail (&n.rank[0], AWAY, 0, 1, LARDER_EOWNER, "the disk is gone");
    larder_nodecache_fail (&n.rank[1], AWAY, 0, 1, LARDER_EGONE, "too late to say that");
    CU_ASSERT_EQUAL (larder_nodecache_failed (&n.rank[1], AWAY, 0, 1), LARDER_EOWNER);
    CU_ASSERT (strcmp (larder_nodecache_line (&n.rank[1], AWAY, 0)->text, "the disk is gone") == 0);
    CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[1], &whole, &j), LARDER_OK);
    CU_ASSERT (j.line == 1 && j.binds); /* a failed line is not joined */
    /* Nobody is waited for, and the owner need not close it. */
    CU_ASSERT_EQUAL (larder_nodecache_leave (&n.rank[0], AWAY, 0, 1, LARDER_STATE_LEFT), 0);
    CU_ASSERT_EQUAL (larder_nodecache_line (&n.rank[0], AWAY, 0)->state, LARDER_LINE_FREE);
    CU_ASSERT_EQUAL (n.pool->free, SLOTS);
    CU_ASSERT_EQUAL (books (&n), 0);
    close_node (&n);
}

/* At the owner's home: who views a chunk keeps it from being retracted. */
static void guards (void)
{
    struct node n;
    struct larder_joined j;
    struct larder_want whole = want (HOME, 1, 0, ITEMS);
    open_node (&n);
    larder_nodecache_join (&n.rank[1], &whole, &j);
    answer (&n, HOME, 0, 1, 0, 0);
    CU_ASSERT_EQUAL (n.pool->promised, 0); /* the slots are the owner's */
    larder_nodecache_show (&n.rank[0], HOME, 0, 1, 0, 6);
    CU_ASSERT_EQUAL (larder_nodecache_guard (&n.rank[1], HOME, 0, 1, 0, 5), -1);
    CU_ASSERT_EQUAL (larder_nodecache_guarded (&n.rank[0], 5), 0);
    CU_ASSERT_EQUAL (larder_nodecache_guard (&n.rank[1], HOME, 0, 1, 0, 6), 0);
    CU_ASSERT_EQUAL (larder_nodecache_guarded (&n.rank[0], 6), 1);
    CU_ASSERT_EQUAL (larder_nodecache_retract (&n.rank[0], HOME, 0, 1, 0, 6, 0), -1);
    CU_ASSERT_EQUAL (larder_nodecache_lookup (&n.rank[1], HOME, 0, 1, 0), 6);
    CU_ASSERT_EQUAL (larder_nodecache_retract (&n.rank[0], HOME, 0, 1, 0, 6, 1), -1);
    CU_ASSERT_EQUAL (larder_nodecache_lookup (&n.rank[1], HOME, 0, 1, 0), LARDER_POOL_NONE);
    larder_nodecache_unguard (&n.rank[1]);
    CU_ASSERT_EQUAL (larder_nodecache_guarded (&n.rank[0], 6), 0);
    larder_nodecache_show (&n.rank[0], HOME, 0, 1, 0, 6);
    CU_ASSERT_EQUAL (larder_nodecache_retract (&n.rank[0], HOME, 0, 1, 0, 6, 0), 0);
    CU_ASSERT_EQUAL (larder_nodecache_guard (&n.rank[1], HOME, 0, 1, 0, 6), -1);
    /* The cursor takes entries out, but gives nothing back to the pool. */
    larder_nodecache_show (&n.rank[0], HOME, 0, 1, 0, 6);
    CU_ASSERT_EQUAL (larder_nodecache_advance (&n.rank[1], HOME, 0, 1, 1), 1);
    CU_ASSERT_EQUAL (larder_nodecache_lookup (&n.rank[1], HOME, 0, 1, 0), LARDER_POOL_NONE);
    CU_ASSERT_EQUAL (n.pool->free, SLOTS);
    close_node (&n);
}

/* ---------------------------------------------------------------- ranks that stand still */

/* All three ranks in a line of their own, with chunks 0 to 3 here; rank 0 has passed them. */
static void stand (struct node *n, uint32_t *slots)
{
    struct larder_joined j;
    struct larder_want whole = want (AWAY, 1, 0, ITEMS);
    open_node (n);
    for (int i = 0; i < LOCALS; ++i)
        larder_nodecache_join (&n->rank[i], &whole, &j);
    answer (n, AWAY, 0, 1, 0, 0);
    for (uint64_t c = 0; c < 4; ++c)
        slots[c] = fetch (n, 0, 1, c);
    larder_nodecache_advance (&n->rank[0], AWAY, 0, 1, 4);
}

static int detach (struct node *n, uint64_t *stood, uint64_t since)
{
    return larder_detach_ranks (&n->rank[0], AWAY, 0, 1, stood, since, LARDER_STATE_LEFT);
}

static uint64_t members (struct node *n)
{
    return larder_load (&larder_nodecache_line (&n->rank[0], AWAY, 0)->members);
}

static uint64_t cursor (struct node *n)
{
    return larder_wire_count (larder_nodecache_cursor (&n->rank[0], AWAY, 0));
}

/* Several go at once, wherever they stand; they are out, and can go on in a line of their own. */
static void standing_still (void)
{
    struct node n;
    uint32_t slots[4];
    uint64_t stood[LOCALS];
    struct larder_joined j;
    struct larder_want rest = want (AWAY, 1, 4, ITEMS), whole = want (AWAY, 1, 0, ITEMS);
    stand (&n, slots);
    larder_nodecache_advance (&n.rank[2], AWAY, 0, 1, 2);
    larder_detach_look (&n.rank[0], AWAY, 0, 1, stood);
    CU_ASSERT (stood[0] == LARDER_POSITION_NONE && stood[1] == 0 && stood[2] == 2);
    CU_ASSERT_EQUAL (detach (&n, stood, 0), 2);
    CU_ASSERT (stood[0] == LARDER_POSITION_NONE && stood[1] == 0 && stood[2] == 2);
    CU_ASSERT (members (&n) == 1 && cursor (&n) == 4 && n.pool->free == SLOTS);
    for (int i = 1; i < LOCALS; ++i) {
        CU_ASSERT_EQUAL (larder_load (&larder_nodecache_states (&n.rank[i], AWAY, 0)[i]),
                         larder_wire_word (1, LARDER_STATE_LEFT));
        CU_ASSERT_EQUAL (larder_nodecache_member (&n.rank[i], AWAY, 0, 1), 0);
        CU_ASSERT_EQUAL (larder_nodecache_advance (&n.rank[i], AWAY, 0, 1, 5),
                         LARDER_NODECACHE_DETACHED);
        CU_ASSERT_EQUAL (larder_nodecache_leave (&n.rank[i], AWAY, 0, 1, LARDER_STATE_DONE),
                         LARDER_NODECACHE_DETACHED);
    }
    CU_ASSERT (members (&n) == 1 && larder_nodecache_member (&n.rank[0], AWAY, 0, 1));
    rest.from = 3; /* chunk 2 */
    CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[2], &rest, &j), LARDER_OK);
    CU_ASSERT (j.line == 1 && j.binds);
    CU_ASSERT_EQUAL (larder_nodecache_line (&n.rank[2], AWAY, 1)->from, 3);
    CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[1], &whole, &j), LARDER_EBUSY);
    rest.from = 4; /* chunk 3: the other one's line comes by there */
    CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[1], &rest, &j), LARDER_OK);
    CU_ASSERT (j.line == 1 && !j.binds);
    CU_ASSERT_EQUAL (larder_nodecache_leave (&n.rank[0], AWAY, 0, 1, LARDER_STATE_DONE), 2);
    CU_ASSERT_EQUAL (larder_nodecache_cursor (&n.rank[0], AWAY, 0),
                     larder_wire_word (1, LARDER_CURSOR_END + LOCALS));
    CU_ASSERT_EQUAL (books (&n), 0);
    close_node (&n);
}

/* Who moved, who pauses, who waits for the owner as all do, and who is done is not charged. */
static void not_charged (void)
{
    struct node n;
    uint32_t slots[4];
    uint64_t stood[LOCALS];
    stand (&n, slots);
    larder_detach_look (&n.rank[0], AWAY, 0, 1, stood);
    larder_nodecache_advance (&n.rank[1], AWAY, 0, 1, 1);
    larder_guard_pause (&n.rank[2], 51);
    CU_ASSERT_EQUAL (detach (&n, stood, 50), 0);
    CU_ASSERT (members (&n) == LOCALS && cursor (&n) == 0);
    larder_detach_look (&n.rank[0], AWAY, 0, 1, stood);
    CU_ASSERT_EQUAL (larder_detach_ranks (&n.rank[1], AWAY, 0, 1, stood, 51, LARDER_STATE_LEFT), 1);
    CU_ASSERT (stood[1] == LARDER_POSITION_NONE && stood[2] == 0); /* not the caller */
    CU_ASSERT (members (&n) == 2 && cursor (&n) == 1);
    larder_nodecache_advance (&n.rank[1], AWAY, 0, 1, 4);
    larder_detach_look (&n.rank[0], AWAY, 0, 1, stood);
    CU_ASSERT_EQUAL (stood[1], LARDER_POSITION_NONE); /* chunk 4 is not here */
    CU_ASSERT_EQUAL (detach (&n, stood, 100), 0);
    (void)fetch (&n, 0, 1, 4);
    larder_detach_look (&n.rank[0], AWAY, 0, 1, stood);
    CU_ASSERT_EQUAL (stood[1], 4);
    CU_ASSERT_EQUAL (larder_detach_ranks (&n.rank[0], AWAY, 0, 7, stood, 100, LARDER_STATE_LEFT),
                     0); /* another life */
    larder_detach_look (&n.rank[0], AWAY, 0, 1, stood);
    CU_ASSERT_EQUAL (larder_nodecache_advance (&n.rank[1], AWAY, 0, 1, LARDER_POSITION_DONE), 0);
    CU_ASSERT_EQUAL (detach (&n, stood, 100), 0);
    CU_ASSERT_EQUAL (larder_nodecache_advance (&n.rank[0], AWAY, 0, 1, LARDER_POSITION_DONE), 0);
    CU_ASSERT_EQUAL (cursor (&n), 4); /* nobody needs anything: it stays */
    CU_ASSERT_EQUAL (larder_nodecache_leave (&n.rank[1], AWAY, 0, 1, LARDER_STATE_DONE), 0);
    CU_ASSERT_EQUAL (larder_nodecache_leave (&n.rank[0], AWAY, 0, 1, LARDER_STATE_DONE), 2);
    CU_ASSERT (n.pool->free == SLOTS && books (&n) == 0);
    close_node (&n);
}

/* What cannot be made again: the verdict stands in the state word. */
static void standing_still_once (void)
{
    struct node n;
    uint32_t slots[4];
    uint64_t stood[LOCALS], held = LARDER_STATE_FAILED + (uint64_t)-LARDER_EHELD;
    stand (&n, slots);
    larder_detach_look (&n.rank[0], AWAY, 0, 1, stood);
    CU_ASSERT_EQUAL (larder_detach_ranks (&n.rank[0], AWAY, 0, 1, stood, 0, held), 2);
    CU_ASSERT_EQUAL (larder_load (&larder_nodecache_states (&n.rank[0], AWAY, 0)[2]),
                     larder_wire_word (1, held));
    close_node (&n);
}

/* The slots that detached ranks view come back when the last view of each has ended, once. */
static void kept_slots (void)
{
    struct node n;
    uint32_t slots[4];
    uint64_t stood[LOCALS];
    struct larder_joined j;
    struct larder_want other = want (AWAY, 2, 0, ITEMS);
    for (int way = 0; way < 5; ++way) {
        stand (&n, slots);
        CU_ASSERT_EQUAL (larder_nodecache_guard (&n.rank[1], AWAY, 0, 1, 0, slots[0]), 0);
        if (way == 2 || way == 3)
            CU_ASSERT_EQUAL (larder_nodecache_guard (&n.rank[2], AWAY, 0, 1, 0, slots[0]), 0);
        if (way == 0)
            larder_nodecache_unguard (&n.rank[1]); /* the view ended before */
        larder_detach_look (&n.rank[0], AWAY, 0, 1, stood);
        CU_ASSERT_EQUAL (detach (&n, stood, 0), 2);
        CU_ASSERT_EQUAL (cursor (&n), 4);
        CU_ASSERT_EQUAL (n.pool->free, SLOTS - (way > 0));
        CU_ASSERT_EQUAL (books (&n), 0);
        if (way == 4) { /* the line ends, and is bound again, before the view does */
            CU_ASSERT_EQUAL (larder_nodecache_leave (&n.rank[0], AWAY, 0, 1, LARDER_STATE_DONE), 2);
            larder_nodecache_closed (&n.rank[0], AWAY, 0, 1);
            CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[2], &other, &j), LARDER_OK);
            CU_ASSERT (j.line == 0 && j.life == 2 && books (&n) == 0);
        }
        int first = way == 3 ? 2 : 1;
        if (way > 0)
            larder_nodecache_unguard (&n.rank[first]);
        CU_ASSERT_EQUAL (n.pool->free, SLOTS - (way == 2 || way == 3));
        larder_nodecache_unguard (&n.rank[3 - first]);
        larder_nodecache_unguard (&n.rank[first]);
        CU_ASSERT_EQUAL (n.pool->free, SLOTS);
        CU_ASSERT_EQUAL (books (&n), 0);
        close_node (&n);
    }
}

struct viewer {
    struct node *n;
    int local;
    _Atomic int *stop;
    uint64_t views, wrong;
};

/* A detached rank that still looks at whatever chunk is in the directory. */
static void *view_on (void *self)
{
    struct viewer *v = self;
    struct larder_nodecache *nc = &v->n->rank[v->local];
    while (!*v->stop) {
        uint64_t chunk = cursor (v->n);
        uint32_t slot = larder_nodecache_lookup (nc, AWAY, 0, 1, chunk);
        if (slot == LARDER_POOL_NONE || larder_nodecache_guard (nc, AWAY, 0, 1, chunk, slot) != 0) {
            sched_yield ();
            continue;
        }
        const volatile struct larder_slot_header *h = larder_nodecache_slot (nc, slot);
        for (int i = 0; i < 50; ++i)
            v->wrong += h->chunk != chunk;
        ++v->views;
        larder_nodecache_unguard (nc);
    }
    return NULL;
}

/* Two ranks view while a third fetches, advances and so takes chunks out: no slot is used again under a
 * view, none is lost and none comes back twice. */
static void kept_at_the_same_time (void)
{
    enum { ROUNDS = 20000 };
    struct node n;
    uint32_t slots[4];
    uint64_t stood[LOCALS];
    _Atomic int stop = 0;
    struct viewer v[2] = {{&n, 1, &stop, 0, 0}, {&n, 2, &stop, 0, 0}};
    pthread_t threads[2];
    stand (&n, slots);
    larder_detach_look (&n.rank[0], AWAY, 0, 1, stood);
    CU_ASSERT_EQUAL_FATAL (detach (&n, stood, 0), 2);
    larder_word *quota = &larder_nodecache_line (&n.rank[0], AWAY, 0)->quota;
    for (int i = 0; i < 2; ++i)
        CU_ASSERT_EQUAL_FATAL (pthread_create (&threads[i], NULL, view_on, &v[i]), 0);
    for (uint64_t c = 4; c < ROUNDS; ++c) {
        uint32_t slot = larder_pool_take (n.pool, quota);
        CU_ASSERT_FATAL (slot != LARDER_POOL_NONE);
        *larder_nodecache_slot (&n.rank[0], slot) = (struct larder_slot_header){.chunk = c};
        CU_ASSERT_FATAL (larder_nodecache_publish (&n.rank[0], AWAY, 0, 1, c, slot) == 0);
        if (c % 8 == 0)
            sched_yield ();
        larder_nodecache_advance (&n.rank[0], AWAY, 0, 1, c + 1);
    }
    stop = 1;
    for (int i = 0; i < 2; ++i) {
        CU_ASSERT_EQUAL (pthread_join (threads[i], NULL), 0);
        CU_ASSERT_EQUAL (v[i].wrong, 0);
    }
    CU_ASSERT (n.pool->free == SLOTS && books (&n) == 0);
    close_node (&n);
}

/* A line that goes on with a download is none for who wants its first item from the beginning. */
static void resumed (void)
{
    struct node n;
    struct larder_joined j;
    struct larder_want rest = want (AWAY, 1, 10, ITEMS), same = want (AWAY, 1, 10, ITEMS);
    struct larder_want behind = want (AWAY, 1, 11, ITEMS), later = rest;
    rest.from = 21;
    later.from = 22;
    for (int answered = 0; answered < 2; ++answered) {
        open_node (&n);
        CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[0], &rest, &j), LARDER_OK);
        if (answered)
            answer (&n, AWAY, 0, 1, 20, 0);
        CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[1], &same, &j), LARDER_OK);
        CU_ASSERT (j.line == 1 && j.binds);
        CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[2], answered ? &behind : &later, &j),
                         LARDER_OK);
        CU_ASSERT (j.line == 0 && !j.binds);
        close_node (&n);
    }
    open_node (&n); /* and one that has passed the place is none for who goes on there */
    larder_nodecache_join (&n.rank[0], &rest, &j);
    answer (&n, AWAY, 0, 1, 20, 0);
    larder_nodecache_advance (&n.rank[0], AWAY, 0, 1, 21);
    CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[1], &rest, &j), LARDER_OK);
    CU_ASSERT_EQUAL (j.line, 1);
    CU_ASSERT_EQUAL (larder_nodecache_join (&n.rank[2], &later, &j), LARDER_OK);
    CU_ASSERT_EQUAL (j.line, 0);
    close_node (&n);
}

/* Ranks that advance in random steps: the cursor is the lowest place, chunks below are gone, the rest
 * is there. */
static void random_steps (void)
{
    struct larder_test_random r = larder_test_seed ();
    for (int round = 0; round < 100; ++round) {
        struct node n;
        struct larder_joined j;
        struct larder_want whole = want (AWAY, 1, 0, ITEMS);
        uint64_t place[LOCALS] = {0}, fetched = 0, low = 0;
        int wrong = 0;
        open_node (&n);
        for (int i = 0; i < LOCALS; ++i)
            larder_nodecache_join (&n.rank[i], &whole, &j);
        answer (&n, AWAY, 0, 1, 0, 0);
        while (low < CHUNKS) {
            uint64_t i = larder_test_below (&r, LOCALS), before = low;
            if (fetched < CHUNKS && fetched < low + SLOTS - LARDER_POOL_PROMISE)
                (void)fetch (&n, 0, 1, fetched++);
            if (place[i] == fetched)
                continue;
            wrong += larder_nodecache_lookup (&n.rank[i], AWAY, 0, 1, place[i]) == LARDER_POOL_NONE;
            int raised = larder_nodecache_advance (&n.rank[i], AWAY, 0, 1, ++place[i]);
            low = place[0];
            for (int k = 1; k < LOCALS; ++k)
                low = place[k] < low ? place[k] : low;
            wrong += raised != (low > before);
            wrong += larder_nodecache_cursor (&n.rank[i], AWAY, 0) != larder_wire_word (1, low);
            wrong += SLOTS - n.pool->free != fetched - low;
            wrong += low &&
                     larder_nodecache_lookup (&n.rank[i], AWAY, 0, 1, low - 1) != LARDER_POOL_NONE;
        }
        for (int i = 0; i < LOCALS; ++i)
            CU_ASSERT_EQUAL (larder_nodecache_leave (&n.rank[i], AWAY, 0, 1, LARDER_STATE_DONE),
                             i + 1 < LOCALS ? 0 : 2);
        CU_ASSERT_EQUAL (wrong, 0);
        CU_ASSERT (n.pool->free == SLOTS && books (&n) == 0);
        close_node (&n);
    }
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"ranks share a line", sharing},
        {"the last one ends it", leaving},
        {"ranges", ranges},
        {"ranks that are waited for", awaited},
        {"lines that only wait", impatient},
        {"a line that the owner gives up", given_up},
        {"views guard chunks", guards},
        {"ranks that stand still", standing_still},
        {"ranks that only seem to", not_charged},
        {"ranks that stand still, once", standing_still_once},
        {"slots that they view", kept_slots},
        {"slots that they view, at the same time", kept_at_the_same_time},
        {"lines that go on with a download", resumed},
        {"random steps", random_steps},
        {NULL, NULL},
    };
    return larder_test_main ("nodecache", tests);
}
