/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_collect.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int larder_collect_stdout (const struct larder_args *args)
{
    return args->json && (!args->json_file || strcmp (args->json_file, "-") == 0);
}

int larder_collect_check_json (const struct larder_args *args, larder_error *err)
{
    if (!args->json || larder_collect_stdout (args))
        return LARDER_OK;
    struct stat status;
    char *directory = larder_place_directory (args->json_file);
    if (!directory)
        return larder_error_set (err, LARDER_ENOMEM, 0, "out of memory");
    int error = access (directory, W_OK | X_OK) != 0 ? errno : 0;
    if (!error && stat (args->json_file, &status) == 0 && S_ISDIR (status.st_mode))
        error = EISDIR;
    free (directory);
    if (!error)
        return LARDER_OK;
    return larder_error_set (err, LARDER_EIO, error, "%s: cannot write the JSON file: %s",
                             args->json_file, strerror (error));
}

/* Sums and maxima over all ranks. */
static void collect_stats (struct larder_stage *stage)
{
    larder_stats stats;
    memset (&stats, 0, sizeof stats);
    if (larder_session_get_stats (stage->team->session, &stats) != LARDER_OK)
        memset (&stats, 0, sizeof stats);
    uint64_t mine[3] = {stats.bytes_from_owner, stats.retries, stats.checksum_errors};
    uint64_t sums[3] = {0, 0, 0};
    uint64_t most_mine[2] = {stats.peak_cache_bytes, stats.bytes_consumed};
    uint64_t most[2] = {0, 0};
    double seconds = 0;
    struct larder_report *report = &stage->report;
    int rc = MPI_Reduce (mine, sums, 3, MPI_UINT64_T, MPI_SUM, 0, stage->team->comm);
    if (rc == MPI_SUCCESS)
        rc = MPI_Reduce (most_mine, most, 2, MPI_UINT64_T, MPI_MAX, 0, stage->team->comm);
    if (rc == MPI_SUCCESS)
        rc = MPI_Reduce (&stage->seconds, &seconds, 1, MPI_DOUBLE, MPI_MAX, 0, stage->team->comm);
    if (rc != MPI_SUCCESS || stage->team->rank != 0)
        return;
    report->bytes_from_owner = sums[0];
    report->retries = sums[1];
    report->checksum_errors = sums[2];
    report->peak_cache_bytes = most[0];
    report->seconds = seconds;
    report->produced = stats.items_produced;
    report->reproduced = stats.items_reproduced;
    report->items = stage->transfer.status.items;
    report->bytes = stage->transfer.status.bytes;
    if (report->bytes == 0) /* not known beforehand: what a receiver was given is the whole */
        report->bytes = most[1];
}

static void collect_failed (struct larder_stage *stage)
{
    struct larder_team *team = stage->team;
    struct larder_report *report = &stage->report;
    int *flags = team->rank == 0 ? calloc ((size_t)team->size, sizeof *flags) : NULL;
    int ready = team->rank != 0 || flags != NULL;
    int rc = MPI_Bcast (&ready, 1, MPI_INT, 0, team->comm);
    if (rc == MPI_SUCCESS && ready)
        rc = MPI_Gather (&stage->failed_itself, 1, MPI_INT, flags, 1, MPI_INT, 0, team->comm);
    if (rc != MPI_SUCCESS || !flags) {
        free (flags);
        return;
    }
    for (int r = 0; r < team->size; ++r) /* the list grows into the flags it was read from */
        if (flags[r])
            flags[report->failed_count++] = r;
    report->failed = flags;
}

void larder_collect (struct larder_stage *stage)
{
    stage->report.writers = stage->writers.count;
    stage->report.candidates = stage->writers.candidates;
    collect_stats (stage);
    collect_failed (stage);
}
