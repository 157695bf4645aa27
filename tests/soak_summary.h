/* SPDX-License-Identifier: Apache-2.0 */
/* What came of a run, summed up over ranks; and what a process holds when no session is open. */
#ifndef SOAK_SUMMARY_H
#define SOAK_SUMMARY_H

#include "soak_judge.h"

/* Pages that come and go with malloc and MPI. */
#define SOAK_GROWTH_BYTES (4 << 20)

static struct soak_holdings soak_first, soak_quarter, soak_last;
static larder_stats soak_stats;
static uint64_t soak_peak_percent;

static void soak_add_stats (const larder *session)
{
    larder_stats s;
    larder_session_info info;
    if (larder_session_get_stats (session, &s) != LARDER_OK ||
        larder_session_get_info (session, &info) != LARDER_OK) {
        soak_fault (NULL, "no stats");
        return;
    }
    soak_stats.chunks_produced += s.chunks_produced;
    soak_stats.chunks_reproduced += s.chunks_reproduced;
    soak_stats.chunks_fetched += s.chunks_fetched;
    soak_stats.bytes_consumed += s.bytes_consumed;
    soak_stats.retries += s.retries;
    soak_stats.checksum_errors += s.checksum_errors;
    soak_stats.peak_cache_bytes = larder_num_max (soak_stats.peak_cache_bytes, s.peak_cache_bytes);
    soak_peak_percent =
        larder_num_max (soak_peak_percent, 100 * s.peak_cache_bytes / info.cache_size);
}

/* After each session: as after the first one. */
static void soak_check_holdings (uint64_t done, uint64_t rounds)
{
    struct soak_holdings h = soak_holdings ();
    if (soak_first.resident_bytes == 0)
        soak_first = h;
    if (soak_quarter.resident_bytes == 0 && done >= rounds / 4)
        soak_quarter = h;
    soak_last = h;
    if (h.files > soak_first.files || h.shared_bytes > soak_first.shared_bytes)
        soak_fault (NULL,
                    "after %llu rounds: %ld open files, %ld bytes of shared memory; first %ld, %ld",
                    (unsigned long long)done, h.files, h.shared_bytes, soak_first.files,
                    soak_first.shared_bytes);
    if (done == rounds && rounds >= 200 &&
        h.resident_bytes > soak_quarter.resident_bytes + SOAK_GROWTH_BYTES)
        soak_fault (NULL, "resident memory grew from %ld to %ld", soak_quarter.resident_bytes,
                    h.resident_bytes);
}

static inline uint64_t soak_reduce (uint64_t mine, MPI_Op op)
{
    uint64_t all = 0;
    MPI_Allreduce (&mine, &all, 1, MPI_UINT64_T, op, MPI_COMM_WORLD);
    return all;
}

static inline void soak_row (const char *name, uint64_t mine, MPI_Op op)
{
    uint64_t all = soak_reduce (mine, op);
    if (soak_rank == 0)
        printf ("  %-34s %12llu\n", name, (unsigned long long)all);
}

static int soak_summary (double seconds)
{
    const struct soak_totals *t = &soak_totals;
    char name[64];
    soak_row ("rounds", t->rounds, MPI_SUM);
    for (int i = 0; i < SOAK_FLAVOURS; ++i) {
        snprintf (name, sizeof name, "  %s", soak_flavour_name[i]);
        soak_row (name, t->flavours[i], MPI_SUM);
    }
    soak_row ("finished", t->done[LARDER_DONE_FINISHED], MPI_SUM);
    soak_row ("  completed", t->completed, MPI_SUM);
    soak_row ("timed out", t->done[LARDER_DONE_TIMEOUT], MPI_SUM);
    soak_row ("deleted", t->done[LARDER_DONE_DELETED], MPI_SUM);
    soak_row ("downloads", t->downloads, MPI_SUM);
    soak_row ("bytes", soak_bytes_got, MPI_SUM);
    soak_row ("views", soak_views_got, MPI_SUM);
    soak_row ("succeeded", t->succeeded, MPI_SUM);
    soak_row ("missing", t->missing, MPI_SUM);
    soak_row ("failed", t->failed, MPI_SUM);
    for (int i = 0; i < SOAK_CODES; ++i) {
        snprintf (name, sizeof name, "  %s", larder_code_name (-i));
        if (soak_reduce (t->by_code[i], MPI_SUM))
            soak_row (name, t->by_code[i], MPI_SUM);
    }
    soak_row ("that had to succeed", t->innocent, MPI_SUM);
    soak_row ("that had to be made only once", t->orderly, MPI_SUM);
    soak_row ("chunks produced", soak_stats.chunks_produced, MPI_SUM);
    soak_row ("chunks reproduced", soak_stats.chunks_reproduced, MPI_SUM);
    soak_row ("chunks fetched", soak_stats.chunks_fetched, MPI_SUM);
    soak_row ("checksum errors", soak_stats.checksum_errors, MPI_SUM);
    soak_row ("peak of the cache, %", soak_peak_percent, MPI_MAX);
    soak_row ("resident memory, KiB: first", (uint64_t)soak_first.resident_bytes >> 10, MPI_MAX);
    soak_row ("  at a quarter", (uint64_t)soak_quarter.resident_bytes >> 10, MPI_MAX);
    soak_row ("  at the end", (uint64_t)soak_last.resident_bytes >> 10, MPI_MAX);
    soak_row ("seconds", (uint64_t)seconds, MPI_MAX);
    soak_row ("faults", soak_faults, MPI_SUM);
    return soak_reduce (soak_faults, MPI_SUM) != 0;
}

#endif
