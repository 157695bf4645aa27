/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_bench.h"
#include "larder_bench_report.h"
#include "larder_collect.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct results {
    struct larder_bench_result memory, source;
};

/* Open the session.  LARDER_EINVAL and LARDER_ERANGE are about settings: usage errors. */
static int open_session (struct larder_bench *b, larder_error *err)
{
    const struct larder_args *args = b->args;
    larder_config config;
    memset (&config, 0, sizeof config);
    config.chunk_size = args->chunk_size;
    config.cache_size = args->cache_size;
    config.timeout_s = args->timeout_s;
    int rc = larder_open (b->team->comm, &config, MPI_INFO_NULL, &b->team->session, err);
    return rc == LARDER_OK ? larder_session_get_info (b->team->session, &b->info) : rc;
}

static void prepare (struct larder_bench *b)
{
    const struct larder_args *args = b->args;
    if (args->src) {
        b->from.kind =
            args->dataset_count > 0 ? &larder_bench_kind_dataset : &larder_bench_kind_file;
        b->from.path = args->src;
        b->from.dataset = args->dataset_count > 0 ? args->datasets[0] : NULL;
        b->from.page = b->info.chunk_size;
        if (args->dataset_count > 0) /* what fails is told in one line */
            (void)H5Eset_auto2 (H5E_DEFAULT, NULL, NULL);
    }
    if (b->team->rank == 0 && args->progress != LARDER_ARGS_QUIET)
        b->bar.mode = larder_bar_choose (args->progress == LARDER_ARGS_SHOW, isatty (STDERR_FILENO),
                                         getenv ("TERM"));
}

/* All steps, each agreed upon: a code is the same on all ranks. */
static int steps (struct larder_bench *b, struct results *results, larder_error *err)
{
    int rc = LARDER_OK;
    if (!results)
        rc = larder_error_set (err, LARDER_ENOMEM, 0, "bench: out of memory");
    else if (b->team->rank == 0)
        rc = larder_collect_check_json (b->args, err);
    rc = larder_team_agree (b->team, rc, err);
    if (rc == LARDER_OK)
        rc = larder_bench_fit (b, b->args->size, 0, err);
    if (rc == LARDER_OK && b->args->src)
        rc = larder_bench_source (b, &results->source, err);
    if (rc == LARDER_OK)
        rc = larder_bench_memory (b, &results->memory, err);
    if (rc != LARDER_OK || b->team->rank != 0)
        return larder_team_agree (b->team, rc, err);
    const struct larder_bench_result *source = b->args->src ? &results->source : NULL;
    if (b->args->json)
        rc = larder_bench_save (b, &results->memory, source, err);
    if (rc == LARDER_OK && !larder_collect_stdout (b->args))
        larder_bench_print (b, &results->memory, source);
    return larder_team_agree (b->team, rc, err);
}

int larder_bench_run (const struct larder_args *args, struct larder_team *team)
{
    struct larder_bench b;
    larder_error err = {0};
    int code = EXIT_DONE;
    memset (&b, 0, sizeof b);
    b.args = args;
    b.team = team;
    int rc = open_session (&b, &err);
    if (rc != LARDER_OK) {
        code = rc == LARDER_EINVAL || rc == LARDER_ERANGE ? EXIT_USAGE : EXIT_FAILED;
    } else {
        struct results *results = calloc (1, sizeof *results);
        prepare (&b);
        rc = steps (&b, results, &err);
        code = rc == LARDER_OK ? EXIT_DONE : EXIT_FAILED;
        free (results);
    }
    if (code == EXIT_USAGE && team->rank == 0)
        (void)fprintf (stderr, "larder: bench: %s; see larder bench --help\n", err.text);
    else if (code == EXIT_FAILED)
        larder_team_print (team, &err);
    return code;
}
