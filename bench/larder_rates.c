/* SPDX-License-Identifier: Apache-2.0 */
/* larder_rates [SIZE [REPEATS]]: one object of SIZE bytes (256MiB) from rank 0 to every other rank, in one run and in turn:
 * larder with views that are read in place, larder copied into each rank's memory, and MPI_Bcast into each
 * rank's memory.  Medians over REPEATS (5); buffers are touched before. */
#include <larder/larder.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VIEW, COPY, BCAST, WAYS };

struct bench {
    larder *session;
    int rank;
    uint64_t size;
    unsigned char *source, *target;
    volatile uint64_t sum;
};

static void stop (const char *what, const larder_error *err)
{
    fprintf (stderr, "larder_rates: %s: %s\n", what, err->text);
    MPI_Abort (MPI_COMM_WORLD, 1);
}

/* One memory pass over the view. */
static int read_view (void *self, const larder_view *view, larder_error *err)
{
    struct bench *b = self;
    const uint64_t *words = view->data;
    uint64_t sum = 0;
    (void)err;
    for (size_t i = 0; i < view->size / 8; ++i)
        sum += words[i];
    b->sum += sum;
    return LARDER_OK;
}

static void by_larder (struct bench *b, int way)
{
    larder_error err = {0};
    larder_ref ref;
    larder_object object;
    larder_memory_sink sink = {.buffer = b->target, .capacity = b->size};
    larder_consumer consumer = {.self = b, .consume_items = read_view};
    int rc = LARDER_OK;
    if (way == COPY)
        consumer = larder_consumer_memory (&sink);
    if (b->rank == 0)
        rc = larder_object_memory (b->source, b->size, 1 << 20, "bench", &object, &err);
    if (b->rank == 0 && rc == LARDER_OK)
        rc = larder_offer (b->session, &object, LARDER_ALL, &ref, &err);
    if (rc != LARDER_OK)
        stop ("offer", &err);
    MPI_Bcast (&ref, sizeof ref, MPI_BYTE, 0, MPI_COMM_WORLD);
    rc = b->rank == 0 ? larder_serve (b->session, 0, &err)
                      : larder_download (b->session, &ref, &consumer, &err);
    if (rc != LARDER_OK)
        stop ("transfer", &err);
}

static double run (struct bench *b, int way)
{
    double start, mine, all;
    MPI_Barrier (MPI_COMM_WORLD);
    start = MPI_Wtime ();
    if (way != BCAST)
        by_larder (b, way);
    for (uint64_t at = 0; way == BCAST && at < b->size; at += 1 << 30) {
        uint64_t n = b->size - at < 1 << 30 ? b->size - at : 1 << 30;
        MPI_Bcast ((b->rank ? b->target : b->source) + at, (int)n, MPI_BYTE, 0, MPI_COMM_WORLD);
    }
    mine = MPI_Wtime () - start;
    MPI_Allreduce (&mine, &all, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    return all;
}

static int by_value (const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main (int argc, char **argv)
{
    static const char *const names[WAYS] = {"larder, read in place", "larder, copied", "MPI_Bcast"};
    struct bench b = {.size = UINT64_C (256) << 20};
    larder_error err = {0};
    int repeats = argc > 2 ? atoi (argv[2]) : 5, ranks;
    double times[WAYS][101];
    MPI_Init (&argc, &argv);
    MPI_Comm_rank (MPI_COMM_WORLD, &b.rank);
    MPI_Comm_size (MPI_COMM_WORLD, &ranks);
    if ((argc > 1 && larder_config_size (argv[1], &b.size, &err) != LARDER_OK) || repeats < 1 ||
        repeats > 101 || ranks < 2)
        stop ("use: mpirun -n 2.. larder_rates [SIZE [REPEATS 1..101]]", &err);
    if (larder_open (MPI_COMM_WORLD, NULL, MPI_INFO_NULL, &b.session, &err) != LARDER_OK)
        stop ("open", &err);
    b.source = malloc (b.size);
    b.target = malloc (b.size);
    if (!b.source || !b.target)
        stop ("no memory", &err);
    memset (b.source, 1, b.size);
    memset (b.target, 2, b.size);
    for (int i = -1; i < repeats; ++i)
        for (int way = 0; way < WAYS; ++way) {
            double t = run (&b, way);
            if (i >= 0)
                times[way][i] = t;
        }
    for (int way = 0; way < WAYS && b.rank == 0; ++way) {
        qsort (times[way], (size_t)repeats, sizeof (double), by_value);
        printf ("%-24s %8.4f s  %7.2f GB/s to each of %d receivers\n", names[way],
                times[way][repeats / 2], (double)b.size / times[way][repeats / 2] / 1e9, ranks - 1);
    }
    larder_close (&b.session, NULL);
    free (b.source);
    free (b.target);
    return MPI_Finalize () != MPI_SUCCESS;
}
