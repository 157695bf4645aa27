/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_bench_report.h"
#include "larder_json.h"
#include "larder_mpienv.h"
#include "larder_text.h"
#include <larder/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_value (const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double larder_bench_median (const double *seconds, int count)
{
    double sorted[LARDER_ARGS_REPEATS];
    memcpy (sorted, seconds, (size_t)count * sizeof *sorted);
    qsort (sorted, (size_t)count, sizeof *sorted, by_value);
    return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

const struct larder_bench_row *larder_bench_row (const struct larder_bench_result *result,
                                                 const char *key)
{
    for (int i = 0; i < result->count; ++i)
        if (result->rows[i].way && strcmp (result->rows[i].way->key, key) == 0)
            return &result->rows[i];
    return NULL;
}

/* Everything that the table and the report say of a row. */
struct figures {
    double ready, total, gb_per_s, times_as_fast;
};

static struct figures figures_of (const struct larder_bench_result *result,
                                  const struct larder_bench_row *row)
{
    const struct larder_bench_row *base = larder_bench_row (result, row->base);
    struct figures f = {.ready = larder_bench_median (row->ready, result->repeats),
                        .total = larder_bench_median (row->total, result->repeats)};
    f.gb_per_s = f.total > 0 ? (double)result->bytes / f.total / 1e9 : 0;
    f.times_as_fast =
        f.total > 0 ? larder_bench_median (base->total, result->repeats) / f.total : 0;
    return f;
}

/* ---------------------------------------------------------------- the table */

static const char *plural (int count)
{
    return count == 1 ? "" : "s";
}

static void print_rows (const struct larder_bench_result *result)
{
    (void)printf ("%-22s %-31s %9s %9s %7s  %s\n", "", "what every rank has then", "ready s",
                  "read s", "GB/s", "x MPI_Bcast");
    for (int i = 0; i < result->count; ++i) {
        const struct larder_bench_row *row = &result->rows[i];
        char ready[32] = "-";
        if (!row->way)
            continue;
        struct figures f = figures_of (result, row);
        if (!row->way->in_place)
            (void)snprintf (ready, sizeof ready, "%.4f", f.ready);
        (void)printf ("%-22s %-31s %9s %9.4f %7.2f  %.2f\n", row->way->name, row->way->gives, ready,
                      f.total, f.gb_per_s, f.times_as_fast);
    }
}

void larder_bench_print (const struct larder_bench *b, const struct larder_bench_result *memory,
                         const struct larder_bench_result *source)
{
    char size[LARDER_TEXT_ROOM], advice[LARDER_BENCH_ADVICE];
    (void)printf ("%s in rank 0's memory, to %d rank%s on %d node%s; medians of %d round%s\n",
                  larder_text_size (memory->bytes, size), b->team->size, plural (b->team->size),
                  b->info.node_count, plural (b->info.node_count), memory->repeats,
                  plural (memory->repeats));
    print_rows (memory);
    if (source) {
        (void)printf ("\n%s%s%s, %s in memory\n", b->from.path, b->from.dataset ? ": " : "",
                      b->from.dataset ? b->from.dataset : "",
                      larder_text_size (source->bytes, size));
        print_rows (source);
        if (!b->from.everywhere)
            (void)printf ("note: not every rank can read %s, so none reads it for itself\n",
                          b->from.path);
    }
    (void)printf ("\nready: the slowest rank has it; read: and every rank has read every byte "
                  "once.  GB/s to each rank,\nand times as fast as MPI_Bcast%s, are by read.  "
                  "Memory that is not new was touched\nbefore.\n",
                  source ? " (SRC: as rank 0 and MPI_Bcast)" : "");
    larder_bench_advise (b, memory, source, advice);
    (void)printf ("advice: %s\n", advice);
    (void)fflush (stdout);
}

/* ---------------------------------------------------------------- JSON */

static void put_seconds (struct larder_json *json, const struct larder_bench_result *result)
{
    for (int i = 0; i < result->count; ++i) {
        const struct larder_bench_row *row = &result->rows[i];
        char name[64];
        if (!row->way)
            continue;
        struct figures f = figures_of (result, row);
        const char *key = row->way->key;
        (void)snprintf (name, sizeof name, "%s_s", key);
        larder_json_real (json, name, row->way->with_reading ? f.total : f.ready);
        (void)snprintf (name, sizeof name, "%s_%s_s", key,
                        row->way->with_reading ? "ready" : "read");
        if (!row->way->in_place)
            larder_json_real (json, name, row->way->with_reading ? f.ready : f.total);
    }
}

static void put_rounds (struct larder_json *json, const char *name, const double *seconds,
                        int count)
{
    larder_json_array (json, name);
    for (int i = 0; i < count; ++i)
        larder_json_real (json, NULL, seconds[i]);
    larder_json_end_array (json);
}

static void put_rows (struct larder_json *json, const char *name,
                      const struct larder_bench_result *result)
{
    larder_json_array (json, name);
    for (int i = 0; i < result->count; ++i) {
        const struct larder_bench_row *row = &result->rows[i];
        if (!row->way)
            continue;
        struct figures f = figures_of (result, row);
        larder_json_object (json, NULL);
        larder_json_string (json, "key", row->way->key);
        larder_json_string (json, "name", row->way->name);
        larder_json_string (json, "delivers", row->way->gives);
        larder_json_real (json, "gb_per_s", f.gb_per_s);
        larder_json_real (json, "times_as_fast_as_bcast", f.times_as_fast);
        larder_json_number (json, "bytes_between_nodes", row->fetched);
        if (!row->way->in_place)
            put_rounds (json, "ready", row->ready, result->repeats);
        put_rounds (json, "read", row->total, result->repeats);
        larder_json_end_object (json);
    }
    larder_json_end_array (json);
}

int larder_bench_save (const struct larder_bench *b, const struct larder_bench_result *memory,
                       const struct larder_bench_result *source, larder_error *err)
{
    struct larder_json json = {0};
    char advice[LARDER_BENCH_ADVICE];
    larder_json_object (&json, NULL);
    larder_json_string (&json, "version", LARDER_VERSION_STRING);
    larder_json_string (&json, "mpi", larder_mpienv_library ());
    larder_json_string (&json, "transport", b->info.transport);
    larder_json_integer (&json, "ranks", b->team->size);
    larder_json_integer (&json, "nodes", b->info.node_count);
    larder_json_number (&json, "chunk_size", b->info.chunk_size);
    larder_json_number (&json, "cache_size", b->info.cache_size);
    larder_json_integer (&json, "repeats", memory->repeats);
    larder_json_number (&json, "bytes", memory->bytes);
    put_seconds (&json, memory);
    larder_json_number (&json, "bytes_from_owner", larder_bench_row (memory, "view")->fetched);
    put_rows (&json, "rows", memory);
    if (source) {
        larder_json_string (&json, "src", b->from.path);
        larder_json_string (&json, "src_kind", b->from.kind->name);
        larder_json_string (&json, "dataset", b->from.dataset);
        larder_json_number (&json, "src_bytes", source->bytes);
        put_seconds (&json, source);
        put_rows (&json, "src_rows", source);
    }
    larder_bench_advise (b, memory, source, advice);
    larder_json_string (&json, "advice", advice);
    larder_json_end_object (&json);
    int rc = larder_json_save (&json, b->args->json_file, err);
    larder_json_free (&json);
    return rc;
}
