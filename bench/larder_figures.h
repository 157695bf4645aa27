/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs of this folder share: options, medians, the end when something fails. */
#ifndef LARDER_FIGURES_H
#define LARDER_FIGURES_H

#include <larder/config.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARDER_FIGURES_MOST = 1001 }; /* repeats */

/* A failure ends the job: a figure of a run that failed is none. */
static inline void larder_figures_must (int good, const char *program, const char *what,
                                        const larder_error *err)
{
    if (good)
        return;
    fprintf (stderr, "%s: %s%s%s\n", program, what, err ? ": " : "", err ? err->text : "");
    MPI_Abort (MPI_COMM_WORLD, 1);
}

static inline int larder_figures_help (int argc, char **argv)
{
    for (int i = 1; i < argc; ++i)
        if (strcmp (argv[i], "--help") == 0 || strcmp (argv[i], "-h") == 0)
            return 1;
    return 0;
}

/* What main does where it does not measure: 0 after --help, 2 after anything that is not understood. */
static inline int larder_figures_usage (int rank, int help, const char *usage)
{
    if (rank == 0)
        fputs (usage, help ? stdout : stderr);
    return MPI_Finalize () != MPI_SUCCESS ? 1 : help ? 0 : 2;
}

static inline int larder_figures_number (const char *text, int low, int high, int *n)
{
    char rest;
    return sscanf (text, "%d%c", n, &rest) == 1 && *n >= low && *n <= high;
}

static inline int larder_figures_size (const char *text, uint64_t *size)
{
    larder_error err;
    return larder_config_size (text, size, &err) == LARDER_OK;
}

static inline int larder_figures_by_value (const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts the values. */
static inline double larder_figures_median (double *values, int count)
{
    qsort (values, (size_t)count, sizeof *values, larder_figures_by_value);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

#endif
