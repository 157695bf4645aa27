/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_stage.h"
#include "larder_collect.h"
#include "larder_mpienv.h"
#include "larder_signal.h"
#include "larder_text.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* A file's pages.  Over several nodes chunks are made of whole pieces less a header: pages that fit a piece leave nothing over.
 * On one node a page is a chunk, so one that is read is one that is written. */
static uint64_t page_size (const larder_session_info *info)
{
    const uint64_t unit = 4096;
    uint64_t fits = (info->piece_size - 1) / unit * unit;
    return info->node_count > 1 && fits && fits <= info->chunk_size ? fits : info->chunk_size;
}

/* Open the session.  LARDER_EINVAL and LARDER_ERANGE are about settings: usage errors. */
static int open_session (struct larder_stage *stage, larder_error *err)
{
    const struct larder_args *args = stage->args;
    larder_config config;
    larder_session_info info;
    memset (&config, 0, sizeof config);
    config.chunk_size = args->chunk_size;
    config.cache_size = args->cache_size;
    config.timeout_s = args->timeout_s;
    int rc = larder_open (stage->team->comm, &config, MPI_INFO_NULL, &stage->team->session, err);
    if (rc != LARDER_OK)
        return rc;
    rc = larder_session_get_info (stage->team->session, &info);
    stage->page_size = page_size (&info);
    stage->report.transport = info.transport;
    stage->report.nodes = info.node_count;
    return rc;
}

/* The no-progress limit in force: the flag, or the environment's as the library reads it. */
static double timeout_in_force (const struct larder_args *args)
{
    double seconds = 300;
    const char *text = getenv ("LARDER_TIMEOUT");
    if (text)
        (void)larder_config_duration (text, &seconds, NULL);
    return args->timeout_s > 0 ? args->timeout_s : seconds > 0 ? seconds : 300;
}

/* Let the text name the object it is about. */
static int with_name (const char *path, int rc, larder_error *err)
{
    if (rc != LARDER_OK && !strstr (err->text, path)) {
        larder_error plain = *err;
        (void)larder_error_set (err, plain.code, plain.detail, "%s: %s", path, plain.text);
        err->rank = plain.rank;
    }
    return rc;
}

static void keep_remarks (void *context, const larder_object *inner)
{
    struct larder_stage *stage = context;
    int count = larder_h5_selection_remarks (inner);
    for (int i = 0; i < count; ++i) {
        const char *line = larder_h5_selection_remark (inner, i);
        if (line)
            larder_report_note (&stage->report, line);
    }
}

/* Rank 0: is SRC a file that can be read, and no file that this run would write over? */
static int check_source (struct larder_stage *stage, larder_error *err)
{
    struct stat status, json;
    const char *path = stage->args->src;
    if (stat (path, &status) != 0)
        return larder_error_set (err, errno == ENOENT ? LARDER_ENOENT : LARDER_EIO, errno, "%s: %s",
                                 path, strerror (errno));
    if (S_ISDIR (status.st_mode))
        return larder_error_set (err, LARDER_EINVAL, EISDIR, "%s: is a directory", path);
    if (!S_ISREG (status.st_mode))
        return larder_error_set (err, LARDER_EINVAL, 0, "%s: is not a regular file", path);
    larder_place_source_set (&stage->source, &status);
    const char *report = stage->args->json_file;
    if (report && stat (report, &json) == 0 && json.st_dev == status.st_dev &&
        json.st_ino == status.st_ino)
        return larder_error_set (err, LARDER_EEXIST, 0, "%s: --json would write over the source",
                                 report);
    return larder_collect_check_json (stage->args, err);
}

/* Rank 0 opens the source; all learn what it is. */
static int open_source (struct larder_stage *stage, larder_error *err)
{
    int rc = LARDER_OK;
    if (stage->team->rank == 0) {
        larder_object inner;
        rc = check_source (stage, err);
        if (rc == LARDER_OK)
            rc = with_name (stage->args->src, stage->kind->open_source (stage, &inner, err), err);
        if (rc == LARDER_OK)
            stage->object = larder_watch_object (
                &stage->watch, &inner, stage->kind == &larder_stage_dataset ? keep_remarks : NULL,
                stage);
    }
    rc = larder_team_agree (stage->team, rc, err);
    if (rc != LARDER_OK)
        return rc;
    int mpi = MPI_Bcast (&stage->source, (int)sizeof stage->source, MPI_BYTE, 0, stage->team->comm);
    return mpi == MPI_SUCCESS ? LARDER_OK : larder_team_mpi_error (err, "MPI_Bcast", mpi);
}

/* --per rank writes several files on a node: their names must differ.  A usage error. */
static int check_names (struct larder_stage *stage, larder_error *err)
{
    larder_session_info info = {0};
    (void)larder_session_get_info (stage->team->session, &info); /* worked before */
    int most = info.node_size;
    int mpi = MPI_Allreduce (MPI_IN_PLACE, &most, 1, MPI_INT, MPI_MAX, stage->team->comm);
    if (mpi != MPI_SUCCESS)
        return larder_team_mpi_error (err, "MPI_Allreduce", mpi);
    if (!stage->args->per_rank || most == 1 || larder_place_has (stage->args->dest, 'r'))
        return LARDER_OK;
    return larder_error_set (err, LARDER_EINVAL, 0,
                             "--per rank with several ranks a node needs %%r in DEST '%s'",
                             stage->args->dest);
}

static int open_sinks (struct larder_stage *stage, larder_consumer *consumer, larder_error *err)
{
    int rc = LARDER_OK;
    if (stage->writers.writes) {
        larder_consumer inner;
        rc =
            with_name (stage->writers.place.path, stage->kind->open_sink (stage, &inner, err), err);
        if (rc == LARDER_OK)
            *consumer = larder_landing_consumer (&stage->landing, &inner);
        else
            stage->failed_itself = 1;
    }
    return larder_team_agree (stage->team, rc, err);
}

static int offer (struct larder_stage *stage, larder_error *err)
{
    int rc = LARDER_OK;
    if (stage->team->rank == 0) {
        larder_receivers receivers = {.ranks = stage->writers.ranks, .count = stage->writers.count};
        rc = larder_offer (stage->team->session, &stage->object, receivers, &stage->ref, err);
    }
    rc = larder_team_agree (stage->team, rc, err);
    if (rc != LARDER_OK)
        return rc;
    int mpi = MPI_Bcast (stage->ref.bytes, LARDER_REF_BYTES, MPI_BYTE, 0, stage->team->comm);
    return mpi == MPI_SUCCESS ? LARDER_OK : larder_team_mpi_error (err, "MPI_Bcast", mpi);
}

/* Move the bytes; then, when all have them, give the files their names. */
static int transfer (struct larder_stage *stage, const larder_consumer *consumer, larder_error *err)
{
    const struct larder_args *args = stage->args;
    struct larder_transfer *t = &stage->transfer;
    t->team = stage->team;
    t->ref = stage->ref;
    t->timeout_s = stage->timeout_s;
    t->together = stage->writers.together;
    t->name = larder_text_basename (args->src);
    t->watch = &stage->watch;
    if (stage->team->rank == 0 && args->progress != LARDER_ARGS_QUIET)
        t->bar.mode = larder_bar_choose (args->progress == LARDER_ARGS_SHOW, isatty (STDERR_FILENO),
                                         getenv ("TERM"));
    int rc = larder_transfer_run (t, stage->writers.writes ? consumer : NULL, err);
    stage->failed_itself = stage->writers.writes && rc != LARDER_OK && !larder_team_follows (rc);
    rc = larder_team_agree (stage->team, rc, err);
    if (rc == LARDER_OK && stage->writers.writes) {
        rc = larder_landing_commit (&stage->landing, err);
        rc = with_name (stage->writers.place.path, rc, err);
        stage->failed_itself = rc != LARDER_OK;
        stage->seconds = MPI_Wtime () - t->start;
    }
    return larder_team_agree (stage->team, rc, err);
}

/* All steps, each agreed upon: a code is the same on all ranks.  *usage is set to 1 when the
 * command line is to blame. */
static int stage_steps (struct larder_stage *stage, int *usage, larder_error *err)
{
    larder_consumer consumer;
    int rc = open_session (stage, err);
    if (rc != LARDER_OK) {
        *usage = rc == LARDER_EINVAL || rc == LARDER_ERANGE;
        return rc;
    }
    rc = check_names (stage, err);
    if (rc != LARDER_OK) {
        *usage = rc == LARDER_EINVAL;
        return rc;
    }
    rc = open_source (stage, err);
    if (rc == LARDER_OK)
        rc = larder_writers_find (stage->team, stage->args, &stage->source, &stage->writers, err);
    stage->transfer.start = MPI_Wtime (); /* all ranks have met just before */
    if (rc == LARDER_OK)
        rc = open_sinks (stage, &consumer, err);
    if (rc == LARDER_OK)
        rc = offer (stage, err);
    if (rc == LARDER_OK)
        rc = transfer (stage, &consumer, err);
    if (rc == LARDER_OK && stage->args->verify) {
        rc = stage->kind->verify (stage, err);
        stage->report.verified = rc == LARDER_OK;
    }
    return rc;
}

/* Leave no copy behind when the run failed, not even a whole one: the next run would stumble over
 * it. */
static void undo (struct larder_stage *stage, const larder_error *why)
{
    larder_landing_drop (&stage->landing, why);
    stage->kind->close_sink (stage); /* now: a launcher that was told to stop does not wait long */
    if (stage->landing.committed)
        (void)unlink (stage->writers.place.path); /* what cannot be removed is whole, at least */
}

/* The session goes first: it may still hold the object. */
static void clean_up (struct larder_stage *stage)
{
    (void)larder_close (&stage->team->session, NULL); /* the copies are named, or gone, by now */
    stage->kind->close_sink (stage);
    if (stage->object.ops)
        larder_watch_release (&stage->watch);
    larder_writers_free (&stage->writers);
    larder_report_free (&stage->report);
}

/* Rank 0: everything that is printed and written at the end.  Returns the exit code. */
static int tell (struct larder_stage *stage, int code, const larder_error *err)
{
    const struct larder_args *args = stage->args;
    larder_error json_error = {0};
    char line[1024];
    if (code == EXIT_USAGE) {
        (void)fprintf (stderr, "larder: stage: %s; see larder stage --help\n", err->text);
        return code;
    }
    int json = LARDER_OK;
    if (args->json)
        json = larder_report_save (&stage->report, args, code, code ? err : NULL, &json_error);
    if (args->progress != LARDER_ARGS_QUIET)
        for (int i = 0; i < stage->report.note_count; ++i)
            (void)fprintf (stderr, "note: %s\n", stage->report.notes[i]);
    if (code == EXIT_DONE && args->progress != LARDER_ARGS_QUIET && !larder_collect_stdout (args)) {
        larder_report_summary (&stage->report, args, line, sizeof line);
        (void)printf ("%s\n", line);
        (void)fflush (stdout);
    }
    if (code != EXIT_DONE)
        larder_team_print (stage->team, err);
    else if (json != LARDER_OK)
        larder_team_print (stage->team, &json_error);
    return code == EXIT_DONE && json != LARDER_OK ? EXIT_FAILED : code;
}

int larder_stage_run (const struct larder_args *args, struct larder_team *team)
{
    struct larder_stage stage;
    larder_error err = {0};
    int usage = 0;
    memset (&stage, 0, sizeof stage);
    stage.args = args;
    stage.team = team;
    stage.kind = args->dataset_count > 0 ? &larder_stage_dataset : &larder_stage_file;
    stage.timeout_s = timeout_in_force (args);
    stage.report.mpi = larder_mpienv_library ();
    stage.report.ranks = team->size;
    (void)larder_signal_watch (); /* where it fails a signal ends the process as it always did */
    int rc = stage_steps (&stage, &usage, &err);
    int code = usage ? EXIT_USAGE : rc != LARDER_OK ? EXIT_FAILED : EXIT_DONE;
    if (rc != LARDER_OK)
        undo (&stage, &err);
    if (team->session)
        larder_collect (&stage);
    if (team->rank == 0)
        code = tell (&stage, code, &err);
    (void)MPI_Bcast (&code, 1, MPI_INT, 0, team->comm); /* on failure the code of the steps stays */
    clean_up (&stage);
    return code;
}
