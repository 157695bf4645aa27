/* SPDX-License-Identifier: Apache-2.0 */
/* Who waits inside the library for a rank that computes takes little of a processor, in every call that waits.
 * Processor time is compared, not time: a loaded machine makes both sides slower.  As a program by hand it tells the figures
 * (LARDER_IDLE_SECONDS: how much the rank computes). */
#define _GNU_SOURCE
#include "larder_mpiobject.h"
#include <larder/collective.h>
#include <larder/shared.h>
#include <time.h>

static double compute_s = 0.5;

static double now (clockid_t clock)
{
    struct timespec t;
    CU_ASSERT_EQUAL (clock_gettime (clock, &t), 0);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t size_small (uint64_t item)
{
    (void)item;
    return 1000;
}

/* A wait: the late rank computes, all others are inside the library. */
struct wait {
    const char *what;
    int late;
    double cpu, wall;
};

static struct wait begin (const char *what, int late)
{
    MPI_Barrier (MPI_COMM_WORLD);
    struct wait w = {what, late, now (CLOCK_PROCESS_CPUTIME_ID), now (CLOCK_MONOTONIC)};
    if (mpitest_rank == late)
        while (now (CLOCK_PROCESS_CPUTIME_ID) < w.cpu + compute_s)
            ;
    return w;
}

/* To be called as soon as the call that waited has returned. */
static void end (const struct wait *w)
{
    double cpu = now (CLOCK_PROCESS_CPUTIME_ID) - w->cpu, most = 0, sum = 0;
    double wall = now (CLOCK_MONOTONIC) - w->wall;
    double mine = mpitest_rank == w->late ? 0 : cpu;
    CU_ASSERT (mine <
               (wall > compute_s ? wall : compute_s) / 3); /* some wait for their node only */
    MPI_Reduce (&mine, &most, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
    MPI_Reduce (&mine, &sum, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
    printf ("%-20s %5.2f s: waiting ranks took %6.1f ms of a processor each, %6.1f ms at most\n",
            w->what, wall, 1e3 * sum / (mpitest_size > 1 ? mpitest_size - 1 : 1), 1e3 * most);
}

static larder_ref offer (larder *s, struct mpiobject *o)
{
    larder_object object = {.ops = &mpiobject_sized, .self = o, .name = "thing"};
    larder_error err = {0};
    larder_ref ref = {0};
    if (mpitest_rank == 0)
        MPITEST_OK (larder_offer (s, &object, LARDER_EVERY_RANK, &ref, &err), err);
    mpiobject_share (&ref, 0);
    return ref;
}

static int last (void)
{
    return mpitest_size - 1;
}

static void test_open_close (void)
{
    larder_error err = {0};
    larder *s = NULL;
    struct wait w = begin ("larder_open", last ());
    MPITEST_OK (larder_open (MPI_COMM_WORLD, NULL, MPI_INFO_NULL, &s, &err), err);
    end (&w);
    w = begin ("larder_close", last ());
    MPITEST_OK (larder_close (&s, &err), err);
    end (&w);
}

/* All wait for an owner that does not look; then the owner waits for one that does not ask. */
static void test_independent (void)
{
    struct mpiobject o = mpiobject_make (100, size_small);
    larder_error err = {0};
    larder *s = mpiobject_open (NULL);
    larder_ref ref = offer (s, &o);
    struct mpisink k = {.object = &o};
    larder_consumer consumer = mpisink_consumer (&k);
    struct wait w = begin ("larder_download", 0);
    MPITEST_OK (larder_download (s, &ref, &consumer, &err), err);
    MPITEST_OK (larder_agree (s, LARDER_OK, NULL, &err), err);
    end (&w);
    struct mpiobject again = mpiobject_make (100, size_small);
    ref = offer (s, &again);
    k = (struct mpisink){.object = &again};
    w = begin ("larder_serve", last ());
    MPITEST_OK (larder_download (s, &ref, &consumer, &err), err);
    if (mpitest_rank == 0)
        MPITEST_OK (larder_serve (s, 0, &err), err);
    MPITEST_OK (larder_agree (s, LARDER_OK, NULL, &err), err);
    end (&w);
    mpiobject_close (&s);
}

static void test_collective (void)
{
    struct mpiobject o = mpiobject_make (100, size_small);
    larder_error err = {0};
    unsigned char bytes[1000] = {0};
    larder *s = mpiobject_open (NULL);
    larder_ref ref = offer (s, &o);
    struct mpisink k = {.object = &o};
    larder_consumer consumer = mpisink_consumer (&k);
    struct wait w = begin ("larder_download_all", last ());
    MPITEST_OK (larder_download_all (s, &ref, &consumer, &err), err);
    end (&w);
    w = begin ("larder_bcast", 0);
    MPITEST_OK (larder_bcast (s, bytes, sizeof bytes, 0, &err), err);
    end (&w);
    w = begin ("larder_agree", last ());
    MPITEST_OK (larder_agree (s, LARDER_OK, NULL, &err), err);
    end (&w);
    mpiobject_close (&s);
}

/* A consumer that computes: the others wait for places in the ring, and at the end. */
static int consume_slowly (void *self, const larder_view *view, larder_error *err)
{
    struct wait *w = self;
    (void)err;
    if (mpitest_rank == w->late && view->item == 0)
        while (now (CLOCK_PROCESS_CPUTIME_ID) < w->cpu + compute_s)
            ;
    return LARDER_OK;
}

static void test_consumer (void)
{
    struct mpiobject o = mpiobject_make (2000, size_small);
    larder_error err = {0};
    static const larder_config small = {.chunk_size = 16 << 10,
                                        .cache_size = 512 << 10,
                                        .collective_size = 64 << 10,
                                        .piece_size = 4 << 10};
    larder *s = mpiobject_open (&small);
    larder_ref ref = offer (s, &o);
    struct wait w = begin ("a slow consumer", MPIOBJECT_NOBODY);
    w.late = last ();
    larder_consumer consumer = {.self = &w, .consume_items = consume_slowly};
    MPITEST_OK (larder_download_all (s, &ref, &consumer, &err), err);
    end (&w);
    mpiobject_close (&s);
}

static void test_shared (void)
{
    struct mpiobject o = mpiobject_make (100, size_small);
    larder_error err = {0};
    larder_shared *shared = NULL;
    larder *s = mpiobject_open (NULL);
    larder_ref ref = offer (s, &o);
    struct wait w = begin ("larder_download_node", last ());
    MPITEST_OK (larder_download_node (s, &ref, &shared, &err), err);
    end (&w);
    w = begin ("larder_shared_free", last ());
    MPITEST_OK (larder_shared_free (&shared, &err), err);
    end (&w);
    mpiobject_close (&s);
}

int main (int argc, char **argv)
{
    static const struct larder_test tests[] = {
        {"opening and closing", test_open_close}, {"the independent way", test_independent},
        {"the collective way", test_collective},  {"a slow consumer", test_consumer},
        {"one copy per node", test_shared},       {NULL, NULL},
    };
    const char *seconds = getenv ("LARDER_IDLE_SECONDS");
    if (seconds)
        compute_s = atof (seconds);
    return mpitest_main (argc, argv, "idle", tests);
}
