/* SPDX-License-Identifier: Apache-2.0 */
/* The runs: way after way, round after round, each from a barrier to the slowest rank. */
#define _GNU_SOURCE
#include "larder_bench.h"
#include "larder_bench_sum.h"
#include "larder_text.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Ranks that are through wait without taking cores from those that are not. */
static int wait_for_all (struct larder_bench *b, larder_error *err)
{
    MPI_Request request;
    const struct timespec nap = {.tv_nsec = 200000};
    int done = 0;
    int rc = MPI_Ibarrier (b->team->comm, &request);
    while (rc == MPI_SUCCESS && !done) {
        rc = MPI_Test (&request, &done, MPI_STATUS_IGNORE);
        if (!done)
            (void)nanosleep (&nap, NULL);
    }
    return rc == MPI_SUCCESS ? LARDER_OK : larder_team_mpi_error (err, "MPI_Ibarrier", rc);
}

static int meet (struct larder_bench *b, larder_error *err)
{
    int rc = wait_for_all (b, err);
    int mpi = rc == LARDER_OK ? MPI_Barrier (b->team->comm) : MPI_SUCCESS;
    return mpi == MPI_SUCCESS ? rc : larder_team_mpi_error (err, "MPI_Barrier", mpi);
}

static int check_sum (const struct larder_bench *b, const struct larder_bench_way *way,
                      larder_error *err)
{
    if (b->sum == b->expected)
        return LARDER_OK;
    return larder_error_set (err, LARDER_ECHECKSUM, 0,
                             "%s: the words add up to %016llx instead of %016llx", way->name,
                             (unsigned long long)b->sum, (unsigned long long)b->expected);
}

/* One run.  seconds: to having it, and for reading every byte; of the slowest rank. */
static int run (struct larder_bench *b, const struct larder_bench_way *way, double seconds[2],
                larder_error *err)
{
    larder_error why = {0};
    double mine[2] = {0, 0};
    b->data = NULL;
    b->sum = b->expected;
    int rc = meet (b, err);
    if (rc != LARDER_OK)
        return rc; /* MPI itself: nobody can go on */
    double start = MPI_Wtime ();
    rc = way->deliver (b, err);
    mine[0] = MPI_Wtime () - start;
    int met = meet (b, &why);
    start = MPI_Wtime ();
    if (rc == LARDER_OK && b->data) {
        b->sum = larder_bench_sum_of (b->data, b->bytes);
        mine[1] = MPI_Wtime () - start;
    }
    if (met == LARDER_OK)
        met = wait_for_all (b, &why);
    int mpi = MPI_Allreduce (mine, seconds, 2, MPI_DOUBLE, MPI_MAX, b->team->comm);
    if (met == LARDER_OK && mpi != MPI_SUCCESS)
        met = larder_team_mpi_error (&why, "MPI_Allreduce", mpi);
    if (rc == LARDER_OK)
        rc = check_sum (b, way, err);
    if (rc == LARDER_OK && met != LARDER_OK) {
        rc = met;
        *err = why;
    }
    return rc;
}

static void show (struct larder_bench *b, const struct larder_bench_way *way, int round, int rounds)
{
    if (b->team->rank != 0 || b->bar.mode == LARDER_BAR_OFF)
        return;
    int line = b->bar.mode == LARDER_BAR_LINES;
    (void)fprintf (stderr, "%sround %d of %d: %s%s", line ? "" : "\r\033[K", round, rounds,
                   way->name, line ? "\n" : "");
    (void)fflush (stderr);
}

static void show_nothing (struct larder_bench *b)
{
    if (b->team->rank == 0 && b->bar.mode == LARDER_BAR_TERMINAL) {
        (void)fputs ("\r\033[K", stderr);
        (void)fflush (stderr);
    }
}

/* Bytes that all ranks have got from other nodes since the session began. */
static int fetched (struct larder_bench *b, uint64_t *bytes, larder_error *err)
{
    larder_stats stats;
    memset (&stats, 0, sizeof stats);
    int rc = larder_session_get_stats (b->team->session, &stats);
    if (rc != LARDER_OK)
        return larder_error_set (err, rc, 0, "%s", larder_code_text (rc));
    int mpi =
        MPI_Allreduce (&stats.bytes_from_owner, bytes, 1, MPI_UINT64_T, MPI_SUM, b->team->comm);
    return mpi == MPI_SUCCESS ? LARDER_OK : larder_team_mpi_error (err, "MPI_Allreduce", mpi);
}

static int one_row (struct larder_bench *b, const struct larder_bench_set *set, int i, int round,
                    struct larder_bench_row *row, larder_error *err)
{
    double seconds[2] = {0, 0};
    uint64_t before = 0, after = 0;
    show (b, &set->ways[i], round + 1, b->args->repeats);
    b->runs++;
    int rc = set->renew (b, i, err);
    if (rc == LARDER_OK)
        rc = fetched (b, &before, err);
    if (rc == LARDER_OK)
        rc = run (b, &set->ways[i], seconds, err);
    rc = larder_team_agree (b->team, rc, err);
    if (rc == LARDER_OK)
        rc = fetched (b, &after, err);
    if (rc != LARDER_OK || round < 0)
        return rc;
    row->ready[round] = seconds[0];
    row->total[round] = seconds[0] + seconds[1];
    row->fetched += after - before;
    return LARDER_OK;
}

int larder_bench_measure (struct larder_bench *b, const struct larder_bench_set *set,
                          struct larder_bench_result *result, larder_error *err)
{
    int rc = LARDER_OK;
    result->count = set->count;
    result->repeats = b->args->repeats;
    result->bytes = b->bytes;
    for (int i = 0; i < set->count; ++i)
        if (!(set->skip >> i & 1)) {
            result->rows[i].way = &set->ways[i];
            result->rows[i].base = set->base;
        }
    for (int round = -1; rc == LARDER_OK && round < b->args->repeats; ++round)
        for (int i = 0; rc == LARDER_OK && i < set->count; ++i)
            if (result->rows[i].way)
                rc = one_row (b, set, i, round, &result->rows[i], err);
    for (int i = 0; i < set->count; ++i)
        result->rows[i].fetched /= (uint64_t)b->args->repeats;
    show_nothing (b);
    return rc;
}
