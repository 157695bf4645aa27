/* SPDX-License-Identifier: Apache-2.0 */
/* larder bench: one object to every rank by several ways, in turn, in one run. */
#ifndef LARDER_BENCH_H
#define LARDER_BENCH_H

#include "larder_args.h"
#include "larder_bar.h"
#include "larder_bench_reader.h"
#include "larder_team.h"
#include <larder/object.h>
#include <larder/receivers.h>
#include <larder/ref.h>
#include <larder/shared.h>

struct larder_bench;

/* A way to bring the object to the ranks. */
struct larder_bench_way {
    const char *key;   /* in the JSON report: KEY_s */
    const char *name;  /* in the table */
    const char *gives; /* what there is afterwards */
    int in_place;      /* 1: reading is the delivery; it leaves b->sum, and nothing to read */
    int with_reading;  /* 1: KEY_s is until every byte was read, 0: until it can be read */
    /* Bring it; sets b->data where this rank can read it then.  Returns this rank's own result. */
    int (*deliver) (struct larder_bench *b, larder_error *err);
};

/* The ways of one kind of object, and what came of them. */
struct larder_bench_set {
    const struct larder_bench_way *ways;
    int count;
    const char *base; /* key of the way that the others are compared with */
    unsigned skip;    /* bit i: way i is not run */
    /* Before each run of a way: make sure that what stands in memory now cannot pass.  Collective; the
     * same result on all ranks. */
    int (*renew) (struct larder_bench *b, int way, larder_error *err);
};

enum { LARDER_BENCH_WAYS = 8 };

struct larder_bench_row {
    const struct larder_bench_way *way; /* NULL: not run */
    double ready[LARDER_ARGS_REPEATS];  /* rank 0: seconds to the slowest rank's having it */
    double total[LARDER_ARGS_REPEATS];  /* and to its having read every byte */
    uint64_t fetched;                   /* rank 0: bytes that crossed from node to node */
    const char *base;                   /* as in the set */
};

struct larder_bench_result {
    struct larder_bench_row rows[LARDER_BENCH_WAYS];
    int count, repeats;
    uint64_t bytes;
};

struct larder_bench {
    const struct larder_args *args;
    struct larder_team *team;
    larder_session_info info;
    struct larder_bar bar; /* rank 0 */
    uint64_t bytes;        /* of the object that is being brought */
    unsigned char *source; /* rank 0: the object, where it is one of memory */
    unsigned char *target; /* this rank's own memory for it, touched; NULL where it needs none */
    uint64_t expected;     /* sum of its words */
    uint64_t sum;          /* as this rank has read them */
    const void *data;      /* what this rank has got */
    larder_shared *shared; /* one copy per node */
    uint64_t runs;
    struct larder_bench_source from; /* SRC */
};

/* Run the command.  Collective; returns the same exit code on all ranks; rank 0 has printed. */
int larder_bench_run (const struct larder_args *args, struct larder_team *team);

/* ---------------------------------------------------------------- larder_bench_measure.c */

/* All ways of a set, in turn, repeats times and once before.  Collective; the same result on all. */
int larder_bench_measure (struct larder_bench *b, const struct larder_bench_set *set,
                          struct larder_bench_result *result, larder_error *err);

/* ---------------------------------------------------------------- larder_bench_memory.c */

/* An object of --size bytes in rank 0's memory; larder_bench_fit has said that there is room. */
int larder_bench_memory (struct larder_bench *b, struct larder_bench_result *result,
                         larder_error *err);

/* Rank 0 has made an object, or failed (rc): offer it and tell all the ref.  The same on all. */
int larder_bench_offer (struct larder_bench *b, const larder_object *object, int rc,
                        larder_receivers receivers, larder_ref *ref, larder_error *err);

/* Rank 0: serve until all receivers are through, or withdraw when it failed itself (rc). */
int larder_bench_settle (struct larder_bench *b, const larder_ref *ref, int rc, larder_error *err);

/* MPI_Bcast of any number of bytes from rank 0. */
int larder_bench_bcast (struct larder_bench *b, void *data, uint64_t size, larder_error *err);

/* ---------------------------------------------------------------- larder_bench_source.c */

/* An object in a file. */
int larder_bench_source (struct larder_bench *b, struct larder_bench_result *result,
                         larder_error *err);

/* ---------------------------------------------------------------- larder_bench_fit.c */

/* Is there room on every node for a copy per rank and one per node?  Collective; the same result on all
 * ranks.  is_source: it is SRC that is to fit. */
int larder_bench_fit (struct larder_bench *b, uint64_t bytes, int is_source, larder_error *err);

#endif
