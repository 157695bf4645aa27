/* SPDX-License-Identifier: Apache-2.0 */
/* One line of advice, from the figures alone. */
#include "larder_bench_report.h"
#include "larder_text.h"
#include <stdio.h>
#include <string.h>

struct pair {
    const struct larder_bench_row *a, *b;
    int repeats;
};

static double total (const struct larder_bench_row *row, int repeats)
{
    return larder_bench_median (row->total, repeats);
}

/* 1: a is faster than b by more than the rounds differ, -1: slower, 0: cannot be said. */
static int clearly (struct pair p)
{
    int wins = 0;
    double a = total (p.a, p.repeats), b = total (p.b, p.repeats);
    for (int i = 0; i < p.repeats; ++i)
        wins += p.a->total[i] < p.b->total[i];
    if (a * 1.05 < b && wins * 4 >= p.repeats * 3)
        return 1;
    return b * 1.05 < a && wins * 4 <= p.repeats ? -1 : 0;
}

static size_t add (char *text, size_t at, const char *more)
{
    (void)snprintf (text + at, LARDER_BENCH_ADVICE - at, "%s", more);
    return strlen (text);
}

/* Private copies: larder's or MPI_Bcast's? */
static size_t advise_copy (const struct larder_bench_result *r, char *text)
{
    static const char *const verdicts[] = {
        "MPI_Bcast is faster here for private copies of this size",
        "for private copies of this size larder and MPI_Bcast are equally fast here",
        "for private copies of this size larder is faster here"};
    struct pair p = {larder_bench_row (r, "copy"), larder_bench_row (r, "bcast"), r->repeats};
    char line[256];
    (void)snprintf (line, sizeof line, "%s (%.3g s against %.3g s for larder)",
                    verdicts[clearly (p) + 1], total (p.b, p.repeats), total (p.a, p.repeats));
    if (clearly (p) >= 0)
        (void)snprintf (line, sizeof line, "%s (%.3g s against %.3g s for MPI_Bcast)",
                        verdicts[clearly (p) + 1], total (p.a, p.repeats), total (p.b, p.repeats));
    return add (text, 0, line);
}

/* Data that is only read. */
static size_t advise_place (const struct larder_bench_result *r, int node_size, char *text,
                            size_t at)
{
    struct pair view = {larder_bench_row (r, "view"), larder_bench_row (r, "bcast"), r->repeats};
    struct pair node = {larder_bench_row (r, "node"), larder_bench_row (r, "bcast"), r->repeats};
    double bcast = total (view.b, r->repeats);
    char line[256];
    if (clearly (view) > 0)
        (void)snprintf (line, sizeof line, "; data that is read once: larder's views (%.3g s)",
                        total (view.a, r->repeats));
    else
        (void)snprintf (line, sizeof line, "; views do not help here (%.3g s)",
                        total (view.a, r->repeats));
    at = add (text, at, line);
    (void)snprintf (line, sizeof line,
                    "; data that all ranks look up: one copy per node takes %.3g s (MPI_Bcast %.3g "
                    "s) and 1/%d of the memory",
                    total (node.a, r->repeats), bcast, node_size);
    return add (text, at, line);
}

/* The ways that put SRC into every rank's memory. */
static size_t advise_source (const struct larder_bench_result *r, char *text, size_t at)
{
    static const char *const keys[] = {"h5_larder", "h5_rank0_bcast", "h5_pipelined_bcast",
                                       "h5_every_rank"};
    const struct larder_bench_row *best = NULL;
    char line[256];
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; ++i) {
        const struct larder_bench_row *row = larder_bench_row (r, keys[i]);
        if (row && (!best || total (row, r->repeats) < total (best, r->repeats)))
            best = row;
    }
    const struct larder_bench_row *node = larder_bench_row (r, "h5_larder_node");
    if (!best || !node)
        return at;
    (void)snprintf (line, sizeof line,
                    "; SRC comes fastest into every rank's memory by '%s' (%.3g s), and once per "
                    "node in %.3g s",
                    best->way->name, total (best, r->repeats), total (node, r->repeats));
    return add (text, at, line);
}

void larder_bench_advise (const struct larder_bench *b, const struct larder_bench_result *memory,
                          const struct larder_bench_result *source, char text[LARDER_BENCH_ADVICE])
{
    if (b->team->size == 1) {
        (void)add (text, 0,
                   "one rank alone has nobody to share with: run it under mpirun or srun to learn "
                   "about the cluster");
        return;
    }
    size_t at = advise_copy (memory, text);
    at = advise_place (memory, b->info.node_size, text, at);
    if (source)
        at = advise_source (source, text, at);
    if (memory->repeats < 3)
        (void)add (text, at, "; fewer than 3 rounds say little");
}
