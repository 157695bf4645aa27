/* SPDX-License-Identifier: Apache-2.0 */
/* larder_rates [--json] [SIZE [REPEATS]]: one object of SIZE bytes (256MiB) from rank 0 to every other rank, in one run and
 * in turn: larder with views that are read in place, larder copied into each rank's memory, and MPI_Bcast into each
 * rank's memory.  Medians over REPEATS (5); buffers are touched before. */
#include "larder_figures.h"
#include <larder/larder.h>

static const char usage[] =
    "use: mpirun -n 2.. larder_rates [--json] [SIZE [REPEATS 1..101]]\n"
    "one object of SIZE bytes (256MiB) to every other rank, medians over REPEATS (5)\n";

enum { VIEW, COPY, BCAST, WAYS, MOST = 101 };

struct bench {
    larder *session;
    int rank, ranks, repeats, json;
    uint64_t size;
    unsigned char *source, *target;
    volatile uint64_t sum;
    double times[WAYS][MOST];
};

static void must (int good, const char *what, const larder_error *err)
{
    larder_figures_must (good, "larder_rates", what, err);
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
    must (rc == LARDER_OK, "offer", &err);
    MPI_Bcast (&ref, sizeof ref, MPI_BYTE, 0, MPI_COMM_WORLD);
    rc = b->rank == 0 ? larder_serve (b->session, 0, &err)
                      : larder_download (b->session, &ref, &consumer, &err);
    must (rc == LARDER_OK, "transfer", &err);
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

static void print (struct bench *b)
{
    static const char *const names[WAYS] = {"larder, read in place", "larder, copied", "MPI_Bcast"};
    if (b->json)
        printf ("{\"bytes\": %llu, \"ranks\": %d, \"repeats\": %d, \"ways\": [",
                (unsigned long long)b->size, b->ranks, b->repeats);
    for (int way = 0; way < WAYS; ++way) {
        const double t = larder_figures_median (b->times[way], b->repeats);
        printf (b->json ? "%s{\"way\": \"%s\", \"seconds\": %.5f, \"bytes_per_s\": %.4g}"
                        : "%s%-24s %8.4f s  %7.2f GB/s to each of the other ranks\n",
                b->json && way ? ", " : "", names[way], t,
                (double)b->size / t / (b->json ? 1 : 1e9));
    }
    if (b->json)
        printf ("]}\n");
}

static int options (struct bench *b, int argc, char **argv)
{
    b->json = argc > 1 && strcmp (argv[1], "--json") == 0;
    argc -= b->json;
    argv += b->json;
    return argc < 4 && (argc < 2 || larder_figures_size (argv[1], &b->size)) &&
           (argc < 3 || larder_figures_number (argv[2], 1, MOST, &b->repeats)) && b->size > 0;
}

int main (int argc, char **argv)
{
    static struct bench b = {.size = UINT64_C (256) << 20, .repeats = 5};
    larder_error err = {0};
    MPI_Init (&argc, &argv);
    MPI_Comm_rank (MPI_COMM_WORLD, &b.rank);
    MPI_Comm_size (MPI_COMM_WORLD, &b.ranks);
    const int help = larder_figures_help (argc, argv);
    if (help || !options (&b, argc, argv) || b.ranks < 2)
        return larder_figures_usage (b.rank, help, usage);
    must (larder_open (MPI_COMM_WORLD, NULL, MPI_INFO_NULL, &b.session, &err) == LARDER_OK, "open",
          &err);
    b.source = malloc (b.size);
    b.target = malloc (b.size);
    must (b.source && b.target, "no memory", NULL);
    memset (b.source, 1, b.size);
    memset (b.target, 2, b.size);
    for (int i = -1; i < b.repeats; ++i) /* the first does not count */
        for (int way = 0; way < WAYS; ++way)
            b.times[way][i < 0 ? 0 : i] = run (&b, way);
    if (b.rank == 0)
        print (&b);
    must (larder_close (&b.session, &err) == LARDER_OK, "close", &err);
    free (b.source);
    free (b.target);
    return MPI_Finalize () != MPI_SUCCESS;
}
