/* SPDX-License-Identifier: Apache-2.0 */
/* What came of larder bench: a table, one line of advice, JSON.  Rank 0. */
#ifndef LARDER_BENCH_REPORT_H
#define LARDER_BENCH_REPORT_H

#include "larder_bench.h"

/* Room for the advice. */
#define LARDER_BENCH_ADVICE 800

/* The row of a way, NULL if it was not run. */
const struct larder_bench_row *larder_bench_row (const struct larder_bench_result *result,
                                                 const char *key);

double larder_bench_median (const double *seconds, int count);

/* source NULL: there was no SRC. */
void larder_bench_print (const struct larder_bench *b, const struct larder_bench_result *memory,
                         const struct larder_bench_result *source);

int larder_bench_save (const struct larder_bench *b, const struct larder_bench_result *memory,
                       const struct larder_bench_result *source, larder_error *err);

/* One line of advice, from the figures alone. */
void larder_bench_advise (const struct larder_bench *b, const struct larder_bench_result *memory,
                          const struct larder_bench_result *source, char text[LARDER_BENCH_ADVICE]);

#endif
