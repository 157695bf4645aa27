/* SPDX-License-Identifier: Apache-2.0 */
/* Owners and readers against each other in random simulated worlds; see larder_simulate.h. */
#include "larder_simworld.h"

/* Run the world to its end and look whether all is well.  LARDER_TEST_SEED repeats a run, and
 * LARDER_TEST_WORLD one world of it. */
static void finish (struct sim *s, int world, double idle_s)
{
    int late = sim_run (s, idle_s);
    if (late)
        sim_wrong (s, "somebody waits for ever");
    else
        sim_check (s);
    if (s->wrong) {
        fprintf (stderr, "  LARDER_TEST_WORLD=%d\n", world);
        sim_print (s);
    }
    CU_ASSERT_EQUAL (s->wrong, 0);
}

static void each_world (int worlds, void (*run) (uint64_t seed, int world))
{
    struct larder_test_random r = larder_test_seed ();
    const char *only = getenv ("LARDER_TEST_WORLD");
    for (int world = 0; world < worlds; ++world) {
        uint64_t seed = larder_test_random (&r);
        if (!only || atoi (only) == world)
            run (seed, world);
    }
}

/* One object that everybody downloads from its first item to its last: each chunk is produced once,
 * whatever the cache's size, the network's delays and the ranks' pace. */
static void once_for_each (uint64_t seed, int world, int pass_on)
{
    struct sim *s = sim_open (seed, 2 * pass_on);
    struct sim_object *o = sim_draw (s);
    uint64_t made = 0, bytes = 0;
    s->sleepy = (int)sim_below (s, 2);
    sim_offer (s, o, 0);
    if (pass_on)
        sim_pass_on (s, o,
                     0); /* who comes by a second way later keeps the others waiting until then */
    for (int r = 0; r < s->ranks; ++r) {
        if (sim_wants (o, r))
            sim_job (s, o, r, 1)->start += (double)sim_below (s, 4000) / 1000;
    }
    finish (s, world, 55);
    for (int r = 0; r < s->ranks; ++r)
        CU_ASSERT_EQUAL (o->told[r], sim_wants (o, r));
    for (int i = 0; i < s->job_count; ++i)
        CU_ASSERT_EQUAL (s->jobs[i].code, LARDER_OK);
    for (int r = 0; r < s->ranks; ++r) {
        CU_ASSERT_EQUAL (s->rank[r].stats.chunks_reproduced, 0);
        CU_ASSERT_EQUAL (s->rank[r].stats.checksum_errors, 0);
        made += s->rank[r].stats.items_produced;
    }
    for (uint64_t i = 0; i < o->count; ++i)
        bytes += o->size[i];
    CU_ASSERT_EQUAL (made, s->job_count ? o->count : 0);
    for (int i = 0; i < s->job_count; ++i)
        CU_ASSERT (s->rank[s->jobs[i].rank].stats.bytes_consumed == bytes);
    sim_close (s);
}

static void run_once_each (uint64_t seed, int world)
{
    once_for_each (seed, world, 0);
}

static void once_each (void)
{
    each_world (200, run_once_each);
}

/* The same when those who come are not those who were declared: nobody waits for who has passed its ref on,
 * neither the owner nor the ranks of its node.  (A line does not wait for who comes by such a ref, so it
 * must find one of its own.) */
static void run_passed_on (uint64_t seed, int world)
{
    once_for_each (seed, world, 1);
}

static void passed_on (void)
{
    each_world (300, run_passed_on);
}

/* Several objects of one owner, downloaded in one order by everybody.  (An owner that downloads from
 * another may find its own cache full of what others hold, and has to wait for hold_timeout.) */
static void run_in_order (uint64_t seed, int world)
{
    struct sim *s = sim_open (seed, 1);
    s->sleepy = (int)sim_below (s, 2);
    for (int i = 0; i < s->settings.max_objects; ++i) {
        struct sim_object *o = sim_draw (s);
        o->owner = 0;
        sim_offer (s, o, 1);
    }
    for (int r = 0; r < s->ranks; ++r) {
        double start = (double)sim_below (s, 3000) / 1000;
        for (int i = 0; i < s->object_count; ++i)
            sim_job (s, &s->objects[i], r, 1)->start += start;
    }
    finish (s, world, 55);
    for (int i = 0; i < s->job_count; ++i)
        CU_ASSERT_EQUAL (s->jobs[i].code, LARDER_OK);
    for (int r = 0; r < s->ranks; ++r)
        CU_ASSERT_EQUAL (s->rank[r].stats.chunks_reproduced, 0);
    sim_close (s);
}

/* Some ranks come when the others must be through: the chunks that are held for them go meanwhile. */
static void run_absent (uint64_t seed, int world)
{
    struct sim *s = sim_open (seed, 0);
    double begun = s->clock.time, through = begun;
    s->settings.hold_timeout_s = 0.5;
    sim_offer (s, sim_draw (s), 0);
    for (int r = 0; r < s->ranks; ++r)
        if (s->objects[0].declared[r])
            sim_job (s, &s->objects[0], r, 1)->start += r % 2 ? 290 : 0;
    while (s->clock.time < begun + 280 && !sim_over (s)) {
        int open = 0;
        (void)sim_run (s, 1);
        for (int i = 0; i < s->job_count; ++i)
            open += s->jobs[i].rank % 2 == 0 && s->jobs[i].state != 2;
        through = open ? s->clock.time : through;
    }
    CU_ASSERT (through < begun + 270);
    finish (s, world, 300);
    for (int i = 0; i < s->job_count; ++i)
        CU_ASSERT_EQUAL (s->jobs[i].code, LARDER_OK);
    sim_close (s);
}

static void absent (void)
{
    each_world (40, run_absent);
}

/* A rank that is not the owner and shares its node with another that downloads; -1: there is none. */
static int neighbour (struct sim *s, int owner)
{
    int first = (int)sim_below (s, (uint64_t)s->ranks);
    for (int i = 0; i < s->ranks; ++i) {
        int rank = (first + i) % s->ranks, node = s->topology.node[rank];
        int others = larder_topology_node_size (&s->topology, node) - 1;
        if (rank != owner && others - (node == s->topology.node[owner]) > 0)
            return rank;
    }
    return -1;
}

static int detached (const struct sim *s, int owner, int rank)
{
    const struct larder_nodecache *nc = &s->rank[rank].cache;
    int count = 0;
    for (int l = 0; l < s->settings.max_lines; ++l)
        count += (int)larder_load (&larder_nodecache_line (nc, owner, l)->detached);
    return count;
}

static int stood_still; /* worlds in which a node went on without one of its ranks */

/* One rank of a node stands still for long, in its consumer or outside: its neighbours are through before
 * it wakes, and it gets the rest when it does; what cannot be made again it loses. */
static void run_stands_still (uint64_t seed, int world)
{
    struct sim *s = sim_open (seed, 1);
    struct sim_object *o = sim_draw (s);
    double wakes = s->clock.time + 150;
    int slow = neighbour (s, s->owners[o->owner]), went_on;
    if (slow < 0) {
        sim_close (s);
        return;
    }
    s->settings.hold_timeout_s = 2;
    o->object.once = (int)sim_below (s, 2);
    sim_offer (s, o, 1);
    for (int r = 0; r < s->ranks; ++r) {
        struct sim_job *j = r == s->owners[o->owner] ? NULL : sim_job (s, o, r, 1);
        if (r != slow)
            continue;
        j->stands = (int)sim_below (s, 12);
        j->stands_inside = (int)sim_below (s, 2);
        j->stand_s = 150;
    }
    if (o->declared[s->owners[o->owner]])
        sim_job (s, o, s->owners[o->owner], LARDER_OK);
    while (s->clock.time < wakes - 1 && !sim_over (s))
        (void)sim_run (s, 1);
    for (int i = 0; i < s->job_count; ++i)
        CU_ASSERT (s->jobs[i].rank == slow || s->jobs[i].state == 2);
    went_on = detached (s, o->owner, slow);
    stood_still += went_on != 0;
    finish (s, world, 300);
    for (int i = 0; i < s->job_count; ++i) {
        const struct sim_job *j = &s->jobs[i];
        int held = j->rank == slow && went_on && o->object.once;
        CU_ASSERT_EQUAL (j->code, held ? LARDER_EHELD : LARDER_OK);
        if (o->declared[j->rank])
            CU_ASSERT_EQUAL (o->code[j->rank], j->code);
    }
    sim_close (s);
}

static void stands_still (void)
{
    stood_still = 0;
    each_world (100, run_stands_still);
    CU_ASSERT (stood_still > 0 || getenv ("LARDER_TEST_WORLD"));
}

/* Four nodes of one rank; the first owns an object of 12 chunks and has four slots.  Ranks 1 and (if
 * two stand) 2 stand still for long at different chunks, while rank 3 wants to go on. */
static void run_stands_alone (uint64_t seed, int once, int two)
{
    static const int leader[] = {0, 1, 2, 3};
    struct sim *s = calloc (1, sizeof *s);
    larder_error err = {0};
    CU_ASSERT_FATAL (s != NULL);
    s->random.state = seed;
    s->clock.time = 1000;
    s->ranks = 4;
    s->parallel = s->owner_count = 1;
    CU_ASSERT_EQUAL_FATAL (larder_topology_make (&s->topology, 4, leader, &err), LARDER_OK);
    s->settings = (struct larder_settings){.chunk_size = 64,
                                           .slot_count = 4,
                                           .piece_size = 64,
                                           .gets_in_flight = 2,
                                           .max_objects = 1,
                                           .max_transactions = 1,
                                           .max_lines = 2,
                                           .owner_count = 1,
                                           .owners = s->owners,
                                           .timeout_s = 1000,
                                           .hold_timeout_s = 60};
    sim_build (s);
    struct sim_object *o = sim_draw (s);
    o->count = 12;
    o->object.uniform_item_size = 64;
    o->ops.item_size = sim_item_size;
    for (int i = 0; i < 12; ++i)
        o->size[i] = 64;
    o->object.once = once;
    sim_offer (s, o, 1);
    sim_job (s, o, 0, LARDER_OK);
    for (int r = 1; r < 4; ++r) {
        struct sim_job *j = sim_job (s, o, r, 1);
        j->stands = r == 1 ? 0 : r == 2 && two ? 1 : -1;
        j->stand_s = 500;
    }
    double begun = s->clock.time;
    while (s->clock.time < begun + 400 && !sim_over (s) && s->jobs[3].state != 2)
        (void)sim_run (s, 1);
    CU_ASSERT_EQUAL (s->jobs[3].state, 2); /* long before the others wake */
    finish (s, -1, 600);
    CU_ASSERT_EQUAL (s->jobs[1].code, once ? LARDER_EHELD : LARDER_OK);
    CU_ASSERT_EQUAL (s->jobs[2].code, once && two ? LARDER_EHELD : LARDER_OK);
    CU_ASSERT_EQUAL (s->jobs[3].code, LARDER_OK);
    sim_close (s);
}

static void stands_alone (void)
{
    struct larder_test_random r = larder_test_seed ();
    for (int i = 0; i < 40; ++i)
        run_stands_alone (larder_test_random (&r), i % 2, i / 2 % 2);
}

static void in_order (void)
{
    each_world (150, run_in_order);
}

/* What a rank may do with an object: the whole or ranges of it, given up or not, and a verdict. */
static void some_jobs (struct sim *s, struct sim_object *o, int rank)
{
    double start = (double)sim_below (s, 3000) / 1000;
    if (o->share[rank] && !o->by[rank])
        return; /* it only passes it on */
    for (uint64_t n = sim_below (s, 3); n > 0; --n) {
        struct sim_job *j = sim_job (s, o, rank, 1);
        j->start += start;
        if (o->count && sim_below (s, 2)) {
            j->first = sim_below (s, o->count);
            j->end = j->first + 1 + sim_below (s, o->count - j->first);
        }
        if (sim_below (s, 8) == 0)
            j->gives_up = (int)sim_below (s, 10);
        j->aborts = (int)sim_below (s, 2);
        if (sim_below (s, 8) == 0)
            j->fails = (int)sim_below (s, 10);
        if (sim_below (s, 6) == 0)
            j->interrupts = (int)sim_below (s, 15);
        if (sim_below (s, 4) == 0)
            j->stands = (int)sim_below (s, 15);
        j->stands_inside = (int)sim_below (s, 2);
        j->stand_s = 1 + (double)sim_below (s, 2000) / 1000;
    }
    if (o->declared[rank])
        sim_job (s, o, rank, sim_below (s, 9) ? LARDER_OK : LARDER_ENOSPC)->start += start;
    if (o->also[rank])
        sim_job (s, o, rank, LARDER_OK)->by = o->also[rank];
}

/* Anything: ranges, late ranks, downloads that are given up or fail, all policies, damage on the way,
 * bad items, objects that are withdrawn.  Bytes, ends and verdicts must be right all the same, and
 * nobody may wait for ever. */
static void run_anything (uint64_t seed, int world)
{
    struct sim *s = sim_open (seed, 0);
    int objects = 1 + (int)sim_below (s, 2);
    s->sleepy = (int)sim_below (s, 2);
    s->parallel = 1 + (int)sim_below (s, 3);
    s->settings.hold_timeout_s = 0.5;
    if (sim_below (s, 3) == 0)
        s->settings.fault_every = 5 + sim_below (s, 50);
    s->settings.fault_seed = seed;
    for (int i = 0; i < objects && i < s->settings.max_objects; ++i) {
        struct sim_object *o = sim_draw (s);
        uint64_t policy = sim_below (s, 4);
        o->object.once = policy == 0;
        o->object.reproduce = policy == 1;
        if (sim_below (s, 8) == 0)
            o->bad_item = sim_below (s, SIM_ITEMS);
        if (sim_below (s, 8) == 0)
            o->withdraw = s->clock.time + (double)sim_below (s, 3000) / 1000;
        sim_offer (s, o, 0);
        if (sim_below (s, 2))
            sim_pass_on (s, o, 1);
    }
    for (int r = 0; r < s->ranks; ++r)
        for (int i = 0; i < s->object_count; ++i)
            some_jobs (s, &s->objects[i], r);
    finish (s, world, 3000);
    sim_close (s);
}

static void anything (void)
{
    each_world (200, run_anything);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"whole downloads: everything is produced once", once_each},
        {"refs that are passed on: the same", passed_on},
        {"several objects, one order: the same", in_order},
        {"some come late: the others do not wait for ever", absent},
        {"one stands still: its node goes on", stands_still},
        {"nodes stand still at different chunks: the others go on", stands_alone},
        {"anything may happen", anything},
        {NULL, NULL},
    };
    return larder_test_main ("owner", tests);
}
