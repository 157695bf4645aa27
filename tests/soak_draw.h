/* SPDX-License-Identifier: Apache-2.0 */
/* What a round of the soak test is: everything follows from the seed and the number of the round, so all
 * ranks know it without a word, and one round can be run alone. */
#ifndef SOAK_DRAW_H
#define SOAK_DRAW_H

#include "larder_num.h"
#include "larder_test_random.h"
#include <larder/larder.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { SOAK_RANKS = 16, SOAK_OBJECTS = 3, SOAK_OWNERS = 3 };

/* A session lives for an era; in between all is quiet once per block. */
enum { SOAK_BLOCK = 20, SOAK_ERA = 3 * SOAK_BLOCK };

#define SOAK_HOLD_S    0.2
#define SOAK_SESSION_S 20.0

enum soak_flavour {
    SOAK_CALM,
    SOAK_MIXED,
    SOAK_STILL,   /* somebody stands still for longer than hold_timeout */
    SOAK_ABSENT,  /* somebody never comes, or goes away */
    SOAK_UNMADE,  /* an item cannot be produced */
    SOAK_DELETED, /* in the middle */
    SOAK_RENEWED, /* a new version in the middle */
    SOAK_PAUSED,  /* somebody announces that it stands still */
    SOAK_FLAVOURS
};

enum soak_way {
    SOAK_WHOLE, /* one blocking call */
    SOAK_TEST,
    SOAK_WAIT,
    SOAK_SLOW,
    SOAK_RANGES,
    SOAK_CONFIRM, /* takes nothing, and says so */
    SOAK_CANCEL,
    SOAK_REFUSE,     /* the consumer fails */
    SOAK_REFUSE_END, /* download_completed fails */
    SOAK_ABORT,      /* abort_requested */
    SOAK_INTERRUPT,
    SOAK_LEAVE,         /* interrupted, never resumed */
    SOAK_STILL_INSIDE,  /* in its consumer */
    SOAK_STILL_OUTSIDE, /* between two calls */
    SOAK_PAUSE,         /* the same, announced */
    SOAK_LATE,
    SOAK_NEVER,
    SOAK_WAYS
};

static const char *const soak_flavour_name[] = {"calm",   "mixed",   "still",   "absent",
                                                "unmade", "deleted", "renewed", "paused"};
static const char *const soak_way_name[] = {
    "whole",        "test",          "wait",       "slow",  "ranges",    "confirm",
    "cancel",       "refuse",        "refuse-end", "abort", "interrupt", "leave",
    "still-inside", "still-outside", "pause",      "late",  "never"};

enum soak_kind { SOAK_UNIFORM, SOAK_VARYING, SOAK_UNKNOWN_SIZES };
enum soak_policy { SOAK_HOLD, SOAK_REPRODUCE, SOAK_ONCE };
enum soak_to { SOAK_TO_ALL, SOAK_TO_EVERY_RANK, SOAK_TO_LIST, SOAK_TO_COUNT, SOAK_TO_UNKNOWN };

/* An object; the second version has other bytes, and perhaps another number of items. */
struct soak_shape {
    enum soak_kind kind;
    enum soak_policy policy;
    uint64_t items[2], size, last; /* uniform: size of each, of the last; varying: mean size */
    uint64_t salt, chunk_size;
    size_t part; /* bytes that one call makes; 0: all there is room for */
};

/* What a rank does about an object. */
struct soak_part {
    enum soak_way way;
    unsigned after; /* views, before it does something special */
    int times;      /* so often */
    int code;       /* confirm */
    double late_s, spend_s;
    uint64_t seed; /* for ranges */
};

struct soak_plan {
    uint64_t round;
    enum soak_flavour flavour;
    int owner, objects, window;
    struct soak_shape shape[SOAK_OBJECTS];
    enum soak_to to;
    int count, ranks[SOAK_RANKS]; /* list, or count */
    int expected;                 /* 0: unknown */
    larder_transaction_options times;
    int watched, by_offer, early;    /* early: refs are told before it is live */
    int special;                     /* object that cannot be made, or is renewed */
    uint64_t fail_item, after_calls; /* of produce_item, before it is deleted or renewed */
    int done_code, outcome_code;     /* what callbacks return */
    struct soak_part part[SOAK_RANKS][SOAK_OBJECTS];
};

static uint64_t soak_seed;

static inline struct larder_test_random soak_random (uint64_t what, uint64_t number)
{
    return (struct larder_test_random){
        larder_num_mix (larder_num_mix (soak_seed + what * 1000003) ^ larder_num_mix (number))};
}

static inline int soak_below (struct larder_test_random *r, int n)
{
    return (int)larder_test_below (r, (uint64_t)n);
}

static inline int soak_chance (struct larder_test_random *r, int percent)
{
    return soak_below (r, 100) < percent;
}

static inline double soak_seconds (struct larder_test_random *r, double from, double to)
{
    return from + (to - from) * soak_below (r, 1000) / 1000;
}

/* One of n by weight. */
static inline int soak_pick (struct larder_test_random *r, const int *weights, int n)
{
    int sum = 0, at;
    for (int i = 0; i < n; ++i)
        sum += weights[i];
    at = soak_below (r, sum);
    for (int i = 0; i < n; ++i)
        if ((at -= weights[i]) < 0)
            return i;
    return 0;
}

/* ---------------------------------------------------------------- sessions */

static inline larder_config soak_config (uint64_t era, int size, int *owners, int *window)
{
    static const int sizes[] = {50, 15, 15, 10, 10};
    static const uint64_t chunks[] = {16384, 32768, 65536, 4096, 0};
    struct larder_test_random r = soak_random (1, era);
    larder_config c = {.timeout_s = SOAK_SESSION_S, .hold_timeout_s = SOAK_HOLD_S};
    int n = 1 + soak_below (&r, size < SOAK_OWNERS ? size : SOAK_OWNERS);
    for (int i = 0; i < n; ++i) {
        int again = 1;
        while (again) {
            owners[i] = soak_below (&r, size);
            again = 0;
            for (int k = 0; k < i; ++k)
                again |= owners[k] == owners[i];
        }
    }
    c.owners = owners;
    c.owner_count = n;
    c.chunk_size = chunks[soak_pick (&r, sizes, 5)];
    c.cache_size = c.chunk_size * (soak_chance (&r, 70) ? 16 : 12 + (uint64_t)soak_below (&r, 40));
    c.max_lines = soak_chance (&r, 25) ? 4 : 0;
    if (soak_chance (&r, 15)) {
        c.fault_every = 200;
        c.fault_seed = era + 1;
    }
    *window = 2 + soak_below (&r, 3);
    return c;
}

/* ---------------------------------------------------------------- objects */

static inline uint64_t soak_size (const struct soak_shape *o, int version, uint64_t item)
{
    uint64_t h = larder_num_mix (o->salt ^ larder_num_mix (item + 1));
    if (o->kind == SOAK_UNIFORM)
        return item + 1 == o->items[version] ? o->last : o->size;
    return h % 9 == 0 ? 0 : h / 9 % (2 * o->size);
}

static inline uint64_t soak_bytes (const struct soak_shape *o, int version)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < o->items[version]; ++i)
        sum += soak_size (o, version, i);
    return sum;
}

static inline unsigned char soak_byte (const struct soak_shape *o, int version, uint64_t item,
                                       uint64_t offset)
{
    uint64_t i = o->salt + (uint64_t)version * 7777777 + item * 1000003 + offset;
    return (unsigned char)((i * UINT64_C (0x9e3779b97f4a7c15)) >> 56);
}

static inline void soak_draw_shape (struct larder_test_random *r, struct soak_shape *o,
                                    uint64_t chunk)
{
    static const int totals[] = {5, 55, 32, 8}, kinds[] = {45, 35, 20}, policies[] = {60, 20, 20};
    static const uint64_t above[] = {1, 65536, 524288, 3 << 20};
    uint64_t total = larder_test_below (r, above[soak_pick (r, totals, 4)]);
    chunk = chunk ? chunk : 262144;
    o->kind = (enum soak_kind)soak_pick (r, kinds, 3);
    o->policy = (enum soak_policy)soak_pick (r, policies, 3);
    o->salt = larder_test_random (r) >> 20;
    /* Items of all sizes, but not too many. */
    o->size = 1 + larder_test_below (r, soak_chance (r, 50) ? 300 : 2 * chunk);
    uint64_t most = o->kind == SOAK_UNKNOWN_SIZES ? 40 : 3000;
    o->size = larder_num_max (o->size, total / most + 1);
    o->items[0] = total / o->size;
    o->items[1] = soak_chance (r, 50) ? o->items[0] : o->items[0] + (uint64_t)soak_below (r, 9);
    o->last = soak_chance (r, 50) ? o->size : larder_test_below (r, o->size) + 1;
    o->part = soak_chance (r, 70) ? 0 : 100 + (size_t)soak_below (r, 30000);
    o->chunk_size = chunk >= 8192 && soak_chance (r, 15) ? chunk / 2 : 0;
}

/* ---------------------------------------------------------------- who does what */

static inline enum soak_way soak_draw_way (struct larder_test_random *r, int calm)
{
    static const int calm_ways[] = {25, 40, 25, 10};
    static const int ways[SOAK_WAYS] = {12, 20, 10, 8, 14, 4, 6, 6, 3, 5, 10, 0, 0, 0, 0, 4, 0};
    return (enum soak_way) (calm ? soak_pick (r, calm_ways, 4) : soak_pick (r, ways, SOAK_WAYS));
}

static inline void soak_draw_part (struct larder_test_random *r, const struct soak_plan *p,
                                   struct soak_part *t, int rank)
{
    int calm = p->flavour == SOAK_CALM || p->flavour == SOAK_STILL || p->flavour == SOAK_PAUSED ||
               p->flavour == SOAK_RENEWED;
    (void)rank;
    t->way = soak_draw_way (r, calm);
    t->after = (unsigned)soak_below (r, soak_chance (r, 50) ? 3 : 20);
    t->times = 1 + soak_below (r, 3);
    t->code = soak_chance (r, 60) ? LARDER_OK : LARDER_EIO;
    t->seed = larder_test_random (r);
    t->late_s = soak_chance (r, 80) ? 0 : soak_seconds (r, 0, 0.02);
    t->spend_s = soak_seconds (r, 0.0005, 0.004);
}

/* One of those who are to come does what the flavour is about. */
static inline void soak_draw_culprit (struct larder_test_random *r, struct soak_plan *p, int size)
{
    int rank = p->to == SOAK_TO_LIST ? p->ranks[soak_below (r, p->count)] : soak_below (r, size);
    if (p->to == SOAK_TO_ALL && rank == p->owner)
        rank = (rank + 1) % size;
    for (int i = 0; i < p->objects; ++i) {
        struct soak_part *t = &p->part[rank][i];
        if (i && soak_chance (r, 40))
            continue;
        if (p->flavour == SOAK_STILL) {
            t->way = (enum soak_way) (SOAK_STILL_INSIDE + soak_below (r, 2));
            if (soak_chance (r, 20))
                t->way = SOAK_LATE;
            t->spend_s = soak_seconds (r, 0.3, 0.5) + (p->times.idle_timeout_s > 0 ? 0.5 : 0);
            t->times = 1;
        } else if (p->flavour == SOAK_PAUSED) {
            t->way = SOAK_PAUSE;
            t->spend_s = soak_seconds (r, 0.3, 0.5);
        } else if (p->flavour == SOAK_ABSENT) {
            t->way = soak_chance (r, 70) ? SOAK_NEVER : SOAK_LEAVE;
        }
        if (t->way == SOAK_LATE)
            t->late_s = t->spend_s;
    }
}

static inline void soak_draw_receivers (struct larder_test_random *r, struct soak_plan *p, int size)
{
    static const int kinds[] = {35, 15, 20, 15, 15};
    p->to = (enum soak_to)soak_pick (r, kinds, 5);
    p->count = 0;
    for (int i = 0; p->to == SOAK_TO_LIST && i < size; ++i)
        if (soak_chance (r, i == p->owner ? 30 : 70))
            p->ranks[p->count++] = i;
    if (p->to == SOAK_TO_LIST && p->count == 0)
        p->ranks[p->count++] = (p->owner + 1) % size;
    if (p->to == SOAK_TO_COUNT)
        p->count = 1 + soak_below (r, size);
    p->expected = p->to == SOAK_TO_ALL          ? size - 1
                  : p->to == SOAK_TO_EVERY_RANK ? size
                  : p->to == SOAK_TO_UNKNOWN    ? 0
                                                : p->count;
}

/* Whether a rank is a receiver by name. */
static inline int soak_declared (const struct soak_plan *p, int rank)
{
    for (int i = 0; p->to == SOAK_TO_LIST && i < p->count; ++i)
        if (p->ranks[i] == rank)
            return 1;
    return p->to == SOAK_TO_EVERY_RANK || (p->to == SOAK_TO_ALL && rank != p->owner);
}

static inline void soak_draw_times (struct larder_test_random *r, struct soak_plan *p)
{
    larder_transaction_options *t = &p->times;
    t->timeout_s = 5;
    if (p->flavour == SOAK_ABSENT && soak_chance (r, 50))
        t->acquire_timeout_s = t->idle_timeout_s = soak_seconds (r, 0.4, 0.6);
    else if (p->flavour == SOAK_ABSENT || p->to == SOAK_TO_UNKNOWN || p->to == SOAK_TO_COUNT)
        t->timeout_s = soak_seconds (r, 0.65, 0.85); /* some hold timeouts may come first */
    else if (p->flavour == SOAK_STILL && soak_chance (r, 30))
        t->idle_timeout_s = soak_seconds (r, 0.4, 0.6);
    else if (soak_chance (r, 10))
        t->idle_timeout_s = t->acquire_timeout_s = 4;
    t->min_receivers = p->expected && soak_chance (r, 30) ? 1 + soak_below (r, p->expected) : 0;
    t->progress_interval_s = soak_chance (r, 60) ? -1 : 0;
    p->watched = soak_chance (r, 80);
}

static inline void soak_draw (uint64_t round, int size, const larder_config *config, int window,
                              struct soak_plan *p)
{
    static const int flavours[] = {28, 46, 6, 5, 5, 5, 5, 2};
    struct larder_test_random r = soak_random (2, round);
    memset (p, 0, sizeof *p);
    p->round = round;
    p->window = window;
    p->flavour = (enum soak_flavour)soak_pick (&r, flavours, SOAK_FLAVOURS);
    p->owner = config->owners[soak_below (&r, config->owner_count)];
    p->objects = 1 + soak_below (&r, SOAK_OBJECTS);
    for (int i = 0; i < p->objects; ++i)
        soak_draw_shape (&r, &p->shape[i], config->chunk_size);
    soak_draw_receivers (&r, p, size);
    soak_draw_times (&r, p);
    for (int i = 0; i < size; ++i)
        for (int k = 0; k < p->objects; ++k) {
            soak_draw_part (&r, p, &p->part[i][k], i);
            /* Who is not asked comes sometimes all the same. */
            int asked = soak_declared (p, i);
            int chance = p->to == SOAK_TO_COUNT || p->to == SOAK_TO_UNKNOWN ? 80 : 10;
            if (!asked && !soak_chance (&r, i == p->owner ? chance / 2 : chance))
                p->part[i][k].way = SOAK_NEVER;
        }
    if (p->flavour == SOAK_STILL || p->flavour == SOAK_ABSENT || p->flavour == SOAK_PAUSED)
        soak_draw_culprit (&r, p, size);
    p->special = soak_below (&r, p->objects);
    uint64_t items = p->shape[p->special].items[0];
    p->fail_item = items ? larder_test_below (&r, items) : 0;
    p->after_calls = larder_test_below (&r, 40);
    p->early = soak_chance (&r, 15);
    p->done_code = soak_chance (&r, 4) ? LARDER_EIO : 0;
    p->outcome_code = soak_chance (&r, 4) ? LARDER_ENOSPC : 0;
    /* Who blocks in a call until an object is live could be the one who is to make it so. */
    for (int i = 0; p->early && i < size; ++i)
        for (int k = 0; k < p->objects; ++k)
            if (p->part[i][k].way == SOAK_WHOLE || p->part[i][k].way == SOAK_CONFIRM)
                p->part[i][k].way = SOAK_TEST;
    p->by_offer = p->objects == 1 && p->times.timeout_s == 5 && p->flavour != SOAK_ABSENT &&
                  soak_chance (&r, 30);
    if (p->by_offer)
        p->watched = p->early = p->done_code = p->outcome_code = p->times.min_receivers = 0;
    if (p->by_offer)
        p->times = (larder_transaction_options){.timeout_s = SOAK_SESSION_S};
}

/* ---------------------------------------------------------------- in words */

static inline void soak_describe (const struct soak_plan *p, int size, char *text, size_t room)
{
    static const char *const to[] = {"all", "every rank", "list", "count", "unknown"};
    static const char *const kinds[] = {"uniform", "varying", "unknown"};
    static const char *const policies[] = {"hold", "reproduce", "once"};
    size_t n = (size_t)snprintf (
        text, room,
        "%s, owner %d to %s %d (expected %d), timeout %.2g acquire %.2g idle %.2g%s%s\n",
        soak_flavour_name[p->flavour], p->owner, to[p->to], p->count, p->expected,
        p->times.timeout_s, p->times.acquire_timeout_s, p->times.idle_timeout_s,
        p->by_offer ? ", larder_offer" : "", p->early ? ", refs told early" : "");
    for (int i = 0; i < p->objects && n < room; ++i) {
        const struct soak_shape *o = &p->shape[i];
        n += (size_t)snprintf (text + n, room - n, "    object %d: %s %s, %llu items of %llu%s:", i,
                               policies[o->policy], kinds[o->kind], (unsigned long long)o->items[0],
                               (unsigned long long)o->size,
                               i == p->special && p->flavour >= SOAK_UNMADE ? " (special)" : "");
        for (int k = 0; k < size && n < room; ++k)
            n += (size_t)snprintf (text + n, room - n, " %d:%s%s", k,
                                   soak_way_name[p->part[k][i].way],
                                   soak_declared (p, k) || p->expected == 0 ? "" : "*");
        if (n < room)
            n += (size_t)snprintf (text + n, room - n, "\n");
    }
}

#endif
