/* SPDX-License-Identifier: Apache-2.0 */
/* What a run of larder stage says of itself: the summary line and the JSON file.  Pure but for
 * larder_report_save. */
#ifndef LARDER_REPORT_H
#define LARDER_REPORT_H

#include "larder_args.h"
#include <larder/error.h>
#include <stddef.h>
#include <stdint.h>

struct larder_report {
    const char *mpi;       /* static */
    const char *transport; /* static; NULL: no session */
    int nodes, ranks, writers, candidates;
    uint64_t items, produced, reproduced, bytes, bytes_from_owner;
    uint64_t retries, checksum_errors, peak_cache_bytes;
    double seconds;
    int verified;
    int *failed; /* failed_count ranks; freed by larder_report_free */
    int failed_count;
    char **notes; /* note_count lines; freed by larder_report_free */
    int note_count;
};

/* Copy one line into notes; what memory cannot hold is left out. */
void larder_report_note (struct larder_report *report, const char *line);

/* "staged coast.nc (31.9 MiB) to 2 nodes in 0.21 s (152 MiB/s each), 128 items, verified" */
void larder_report_summary (const struct larder_report *report, const struct larder_args *args,
                            char *line, size_t room);

/* Write the JSON file.  why: the failure, or NULL; code: the exit code. */
int larder_report_save (const struct larder_report *report, const struct larder_args *args,
                        int code, const larder_error *why, larder_error *err);

void larder_report_free (struct larder_report *report);

#endif
