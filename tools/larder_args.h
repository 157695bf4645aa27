/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of larder, read into a struct.  Pure: no MPI, no I/O, no printing. */
#ifndef LARDER_ARGS_H
#define LARDER_ARGS_H

#include <larder/error.h>
#include <stdint.h>

enum larder_args_command {
    LARDER_ARGS_HELP,
    LARDER_ARGS_VERSION,
    LARDER_ARGS_STAGE,
    LARDER_ARGS_BENCH,
    LARDER_ARGS_INFO
};

/* Most repeats of a bench. */
enum { LARDER_ARGS_REPEATS = 101 };

enum larder_args_progress { LARDER_ARGS_AUTO, LARDER_ARGS_SHOW, LARDER_ARGS_QUIET };

/* All texts are borrowed from argv. */
struct larder_args {
    enum larder_args_command command;
    const char *
        topic; /* whose help to show or to point at: "stage", "bench", "info", or "" for larder's */
    const char *src;
    const char *dest;
    const char **datasets; /* dataset_count entries; freed by larder_args_free */
    int dataset_count;
    int with_targets;
    int per_rank;        /* 0: one copy a node */
    uint64_t chunk_size; /* bytes; 0: not given */
    uint64_t cache_size; /* bytes; 0: not given */
    double timeout_s;    /* 0: not given */
    uint64_t size;       /* bench: bytes */
    int repeats;         /* bench */
    int verify;
    int force;
    enum larder_args_progress progress;
    int json;              /* 1: --json was given */
    const char *json_file; /* NULL or "-": stdout */
};

/* Read argv.  Returns LARDER_OK, or LARDER_EINVAL / LARDER_ERANGE / LARDER_ENOMEM with the reason
 * in err; args->topic is right in both cases, and larder_args_free is due in both. */
int larder_args_parse (int argc, char *const *argv, struct larder_args *args, larder_error *err);

void larder_args_free (struct larder_args *args);

/* A number that differs when the arguments differ (argv[0] apart: it may be a path of the host). */
uint64_t larder_args_hash (int argc, char *const *argv);

#endif
