/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_h5exchange.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

/* Bytes of the ring, unless two cells take more. */
#define RING (UINT64_C (8) << 20)
/* Words that different ranks write stand apart. */
#define APART 64
/* A wait begins with so many looks, and goes on with naps. */
#define LOOKS  2000
#define NAP_NS 50000
/* Between two looks so many seconds of waiting count at most. */
#define ATTEND_S 1.0

/* The state of a place: the number of its cell, and how far that is. */
enum { CLAIMED = 1, READY = 2, NOTHING = 3 /* ready, and nothing to place */ };

typedef _Atomic uint64_t word;

static uint64_t state (uint64_t cell, int how)
{
    return 4 * cell + (uint64_t)how;
}

static unsigned char *at (const struct larder_h5exchange *x, size_t line)
{
    return (unsigned char *)larder_shared_data (x->memory) + APART * line;
}

static word *failed (const struct larder_h5exchange *x)
{
    return (word *)(void *)at (x, 0);
}

/* The first cell that a rank has not placed. */
static word *next_of (const struct larder_h5exchange *x, int rank)
{
    return (word *)(void *)at (x, 1 + (size_t)rank);
}

static word *state_of (const struct larder_h5exchange *x, uint64_t cell)
{
    return (word *)(void *)at (x, 1 + (size_t)x->ranks + (size_t)(cell % x->places));
}

static unsigned char *elements_of (const struct larder_h5exchange *x, uint64_t cell)
{
    return at (x, 1 + (size_t)x->ranks + (size_t)x->places) +
           (size_t)(cell % x->places) * x->stride;
}

/* ---------------------------------------------------------------- open and close */

static uint64_t places_for (size_t cell_bytes)
{
    uint64_t places = RING / (cell_bytes ? cell_bytes : 1);
    return places < 2 ? 2 : places > LARDER_H5EXCHANGE_PLACES ? LARDER_H5EXCHANGE_PLACES : places;
}

int larder_h5exchange_open (larder *session, uint64_t cells, size_t cell_bytes, int takes,
                            struct larder_h5exchange *x, larder_error *err)
{
    larder_session_info info;
    int rc = larder_session_get_info (session, &info);
    if (rc != LARDER_OK)
        return rc;
    x->cells = cells;
    x->bytes = cell_bytes;
    x->stride = (cell_bytes + APART - 1) / APART * APART;
    x->places = places_for (cell_bytes);
    x->me = info.node_rank;
    x->ranks = info.node_size;
    x->timeout_s = info.timeout_s;
    x->next = 0;
    x->heard = 0;
    memset (x->placed, 0, sizeof x->placed);
    /* The same size on all nodes, however many ranks each has. */
    uint64_t size = APART * (1 + (uint64_t)info.size + x->places) + x->places * x->stride;
    rc = larder_shared_alloc (session, size, &x->memory, err);
    if (rc != LARDER_OK)
        return rc;
    if (x->me == 0)
        memset (at (x, 0), 0, APART * (1 + (size_t)x->ranks + (size_t)x->places));
    rc = larder_shared_agree (x->memory, LARDER_OK, NULL, err);
    if (rc != LARDER_OK)
        larder_h5exchange_close (x);
    else if (!takes)
        atomic_store (next_of (x, x->me), UINT64_MAX);
    return rc;
}

void larder_h5exchange_close (struct larder_h5exchange *x)
{
    (void)larder_shared_free (&x->memory, NULL); /* what fails leaks, and the next call says why */
}

void larder_h5exchange_fail (struct larder_h5exchange *x)
{
    if (x->memory)
        atomic_store (failed (x), 1);
}

/* ---------------------------------------------------------------- placing */

/* Place what stands next in line and is there, of the cells below `end`. */
static int settle (struct larder_h5exchange *x, uint64_t end, larder_error *err)
{
    uint64_t before = x->next;
    int rc = LARDER_OK;
    while (rc == LARDER_OK && x->next < end) {
        unsigned char *placed = &x->placed[x->next % x->places];
        uint64_t now = atomic_load_explicit (state_of (x, x->next), memory_order_acquire);
        if (!*placed && now != state (x->next, READY) && now != state (x->next, NOTHING))
            break;
        if (!*placed && now == state (x->next, READY))
            rc = x->place (x->self, x->next, elements_of (x, x->next), err);
        *placed = 0;
        ++x->next;
    }
    if (x->next != before)
        atomic_store_explicit (next_of (x, x->me), x->next, memory_order_release);
    return rc;
}

static double seconds (void)
{
    struct timespec t;
    (void)clock_gettime (CLOCK_MONOTONIC, &t); /* it cannot fail */
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct waiting {
    uint64_t looks;
    double looked, waited;
};

/* Nothing has changed: wait a little. */
static int wait (struct larder_h5exchange *x, struct waiting *w, larder_error *err)
{
    x->heard = (int)atomic_load_explicit (failed (x), memory_order_relaxed);
    if (x->heard)
        return larder_error_set (err, LARDER_ECONSUMER, 0,
                                 "another rank of the node could not decode chunks");
    if (w->looks++ < LOOKS) {
        (void)sched_yield ();
        return LARDER_OK;
    }
    double now = seconds (), away = w->looked > 0 ? now - w->looked : 0;
    w->looked = now;
    w->waited += away < ATTEND_S ? away : ATTEND_S; /* who is stopped does not wait */
    if (w->waited > x->timeout_s)
        return larder_error_set (err, LARDER_ETIMEDOUT, 0,
                                 "another rank of the node has not moved for %.3g s", x->timeout_s);
    (void)nanosleep (&(struct timespec){0, NAP_NS}, NULL);
    return LARDER_OK;
}

/* Until all cells below `end` are placed. */
static int settle_all (struct larder_h5exchange *x, uint64_t end, larder_error *err)
{
    struct waiting w = {0};
    for (;;) {
        uint64_t before = x->next;
        int rc = settle (x, end, err);
        if (rc != LARDER_OK || x->next >= end)
            return rc;
        if (x->next != before)
            w = (struct waiting){0};
        rc = wait (x, &w, err);
        if (rc != LARDER_OK)
            return rc;
    }
}

/* ---------------------------------------------------------------- cells that come by */

/* All ranks have placed what stood there before. */
static int is_free (const struct larder_h5exchange *x, uint64_t cell)
{
    for (int i = 0; cell >= x->places && i < x->ranks; ++i)
        if (atomic_load_explicit (next_of (x, i), memory_order_acquire) <= cell - x->places)
            return 0;
    return 1;
}

int larder_h5exchange_ask (struct larder_h5exchange *x, uint64_t cell, larder_error *err)
{
    struct waiting w = {0};
    int rc = cell < x->places ? LARDER_OK : settle_all (x, cell - x->places + 1, err);
    if (rc == LARDER_OK)
        rc = settle (x, cell, err);
    while (rc == LARDER_OK) {
        uint64_t now = atomic_load_explicit (state_of (x, cell), memory_order_relaxed);
        if (now >= state (cell, CLAIMED))
            return 0;
        if (!is_free (x, cell))
            rc = wait (x, &w, err);
        else if (atomic_compare_exchange_strong (state_of (x, cell), &now, state (cell, CLAIMED)))
            return 1;
    }
    return rc;
}

void larder_h5exchange_give (struct larder_h5exchange *x, uint64_t cell, const void *elements)
{
    x->placed[cell % x->places] = 1;
    if (elements)
        memcpy (elements_of (x, cell), elements, x->bytes);
    atomic_store_explicit (state_of (x, cell), state (cell, elements ? READY : NOTHING),
                           memory_order_release);
}

int larder_h5exchange_finish (struct larder_h5exchange *x, larder_error *err)
{
    return settle_all (x, x->cells, err);
}
