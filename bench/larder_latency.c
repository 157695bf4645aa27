/* SPDX-License-Identifier: Apache-2.0 */
/* larder_latency [options]: what small things cost.  The time from one view to the next when the node's cache holds the
 * chunks already, with the MPI calls that were made in it; one small object to all ranks; many small items.  Rank 0 owns.
 * larder's MPI calls are counted by standing in for the functions that move data or look for it. */
#define _GNU_SOURCE
#include "larder_figures.h"
#include <larder/larder.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "use: mpirun -n 3.. larder_latency [--json] [--repeats N] [--marks]\n"
    "  --repeats N  of each small object; the rest is repeated a tenth as often (201)\n"
    "  --marks      system calls that show a tracer where a view begins (getppid) and ends "
    "(getuid); nothing else\n"
    "               is measured.  latency_calls.sh does that\n"
    "  --json       one line of JSON\n";

enum { CACHED = 8 << 20, ITEMS = 10000, ITEM = 100, MOST_VIEWS = 1024 };
/* Ways of a small object; BARRIER: nothing, for comparison; EACH: an MPI_Bcast per item. */
enum { BARRIER, PULL, ALL, LBCAST, BCAST, EACH, WAYS };
enum { SIZES = 4, MOST_GAPS = 1 << 17 };

static const char *const names[WAYS] = {
    "nothing",   "larder_offer, larder_download", "larder_download_all", "larder_bcast",
    "MPI_Bcast", "MPI_Bcast of each item"};
static const uint64_t sizes[SIZES] = {8, 1024, 65536, ITEMS *ITEM};

typedef struct bench {
    larder *session;
    int rank, ranks, repeats, json, marks;
    unsigned char *data;
    /* Of the rank that reads what is cached. */
    double left, start, first[LARDER_FIGURES_MOST];
    int rounds;
    uint64_t calls_left;
    double *quiet, *polled; /* gaps in which larder made no MPI call, and the others */
    int quiet_count, polled_count;
    uint64_t views, words, calls_in_gaps;
    double seconds[SIZES][WAYS]; /* medians; 0: not measured */
} bench;

static void must (int good, const char *what, const larder_error *err)
{
    larder_figures_must (good, "larder_latency", what, err);
}

/* ---------------------------------------------------------------- MPI calls of larder, counted */

static uint64_t calls;

int MPI_Iprobe (int source, int tag, MPI_Comm comm, int *flag, MPI_Status *status)
{
    ++calls;
    return PMPI_Iprobe (source, tag, comm, flag, status);
}

int MPI_Win_sync (MPI_Win win)
{
    ++calls;
    return PMPI_Win_sync (win);
}

int MPI_Test (MPI_Request *request, int *flag, MPI_Status *status)
{
    ++calls;
    return PMPI_Test (request, flag, status);
}

int MPI_Rget (void *origin, int count, MPI_Datatype type, int target, MPI_Aint at, int target_count,
              MPI_Datatype target_type, MPI_Win win, MPI_Request *request)
{
    ++calls;
    return PMPI_Rget (origin, count, type, target, at, target_count, target_type, win, request);
}

int MPI_Raccumulate (const void *origin, int count, MPI_Datatype type, int target, MPI_Aint at,
                     int target_count, MPI_Datatype target_type, MPI_Op op, MPI_Win win,
                     MPI_Request *request)
{
    ++calls;
    return PMPI_Raccumulate (origin, count, type, target, at, target_count, target_type, op, win,
                             request);
}

int MPI_Win_flush_local (int rank, MPI_Win win)
{
    ++calls;
    return PMPI_Win_flush_local (rank, win);
}

/* ---------------------------------------------------------------- views of what is cached */

static double now (void)
{
    struct timespec t;
    (void)clock_gettime (CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* From the return of one call to the beginning of the next nothing runs but larder. */
static int look (void *self, const larder_view *view, larder_error *err)
{
    bench *b = self;
    const double came = now (), from = b->left;
    const uint64_t made = calls - b->calls_left;
    (void)err;
    if (b->marks && b->rounds >= 0)
        (void)getppid ();
    b->words += *(const unsigned char *)view->data;
    if (from == 0 && b->rounds >= 0)
        b->first[b->rounds] = came - b->start;
    else if (b->rounds >= 0 && made == 0 && b->quiet_count < MOST_GAPS)
        b->quiet[b->quiet_count++] = came - from;
    else if (b->rounds >= 0 && made && b->polled_count < MOST_GAPS)
        b->polled[b->polled_count++] = came - from;
    if (from != 0 && b->rounds >= 0)
        b->calls_in_gaps += made;
    ++b->views;
    if (b->marks && b->rounds >= 0)
        (void)getuid ();
    b->calls_left = calls;
    b->left = now ();
    return LARDER_OK;
}

static int take (void *self, const larder_view *view, larder_error *err)
{
    (void)err;
    ((bench *)self)->words += *(const unsigned char *)view->data;
    return LARDER_OK;
}

static void download (bench *b, const larder_ref *ref, const larder_consumer *consumer)
{
    larder_error err = {0};
    must (larder_download (b->session, ref, consumer, &err) == LARDER_OK, "download", &err);
}

static larder_ref offer (bench *b, uint64_t size, uint64_t item, larder_receivers receivers)
{
    larder_error err = {0};
    larder_ref ref = {{0}};
    if (b->rank == 0) {
        larder_object object;
        int rc = larder_object_memory (b->data, size, item, "bench", &object, &err);
        if (rc == LARDER_OK)
            rc = larder_offer (b->session, &object, receivers, &ref, &err);
        must (rc == LARDER_OK, "offer", &err);
    }
    MPI_Bcast (&ref, sizeof ref, MPI_BYTE, 0, MPI_COMM_WORLD);
    return ref;
}

/* The last rank but one fills the cache; everything stays there for the last, which looks at it afterwards. */
static void cached (bench *b, int round)
{
    const int last = b->ranks - 1, both[] = {last - 1, last};
    larder_error err = {0};
    const larder_consumer first = {.self = b, .consume_items = take};
    const larder_consumer second = {.self = b, .consume_items = look};
    const larder_ref ref = offer (b, CACHED, 1 << 20, (larder_receivers){both, 2});
    if (b->rank == 0)
        must (larder_serve (b->session, 0, &err) == LARDER_OK, "serve", &err);
    if (b->rank == last - 1) {
        download (b, &ref, &first);
        MPI_Send (NULL, 0, MPI_BYTE, last, 0, MPI_COMM_WORLD);
    } else if (b->rank == last) {
        MPI_Recv (NULL, 0, MPI_BYTE, last - 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        b->rounds = round;
        b->left = 0;
        b->start = now ();
        download (b, &ref, &second);
    }
    MPI_Barrier (MPI_COMM_WORLD);
}

/* ---------------------------------------------------------------- small objects */

/* Rank 0's time from a barrier to another when all have it: it alone would leave before they do. */
static double once (bench *b, int way, uint64_t size, uint64_t item)
{
    larder_error err = {0};
    larder_memory_sink sink = {.buffer = b->data, .capacity = size};
    const larder_consumer consumer = larder_consumer_memory (&sink);
    int rc = LARDER_OK;
    memset (b->data, b->rank ? 0 : 7, size);
    MPI_Barrier (MPI_COMM_WORLD);
    const double start = now ();
    if (way == PULL || way == ALL) {
        const larder_ref ref = offer (b, size, item, LARDER_ALL);
        if (way == ALL)
            rc = larder_download_all (b->session, &ref, b->rank ? &consumer : NULL, &err);
        else
            rc = b->rank ? larder_download (b->session, &ref, &consumer, &err)
                         : larder_serve (b->session, 0, &err);
    } else if (way == LBCAST)
        rc = larder_bcast (b->session, b->data, size, 0, &err);
    else if (way == BCAST)
        MPI_Bcast (b->data, (int)size, MPI_BYTE, 0, MPI_COMM_WORLD);
    else if (way == EACH)
        for (uint64_t at = 0; at < size; at += item)
            MPI_Bcast (b->data + at, (int)item, MPI_BYTE, 0, MPI_COMM_WORLD);
    MPI_Barrier (MPI_COMM_WORLD);
    const double seconds = now () - start;
    must (rc == LARDER_OK, names[way], &err);
    for (uint64_t i = 0; way != BARRIER && i < size; ++i)
        must (b->data[i] == 7, "the data differs", NULL);
    return seconds;
}

static void small (bench *b, int s)
{
    static double seconds[WAYS][LARDER_FIGURES_MOST];
    const int many = sizes[s] == ITEMS * ITEM;
    const int repeats = many ? b->repeats / 10 + 1 : b->repeats;
    for (int i = -3; i < repeats; ++i)
        for (int way = 0; way < (many ? WAYS : EACH); ++way) {
            const double t = once (b, way, sizes[s], many ? ITEM : sizes[s]);
            if (i >= 0)
                seconds[way][i] = t;
        }
    for (int way = 0; way < (many ? WAYS : EACH); ++way)
        b->seconds[s][way] = larder_figures_median (seconds[way], repeats);
}

/* ---------------------------------------------------------------- what is told */

struct figures {
    double first_us, quiet_us, quiet_99_us, polled_us, quiet_share, calls_per_gap;
};

/* The last rank has them, rank 0 tells them. */
static struct figures collect (bench *b)
{
    struct figures f = {0};
    const int gaps = b->quiet_count + b->polled_count;
    if (b->rank == b->ranks - 1) {
        must (b->quiet_count > 0, "no view followed another without an MPI call", NULL);
        f.first_us = 1e6 * larder_figures_median (b->first, b->rounds + 1);
        f.quiet_us = 1e6 * larder_figures_median (b->quiet, b->quiet_count);
        f.quiet_99_us = 1e6 * b->quiet[(size_t)b->quiet_count * 99 / 100];
        f.polled_us =
            b->polled_count ? 1e6 * larder_figures_median (b->polled, b->polled_count) : 0;
        f.quiet_share = (double)b->quiet_count / gaps;
        f.calls_per_gap = (double)b->calls_in_gaps / gaps;
        MPI_Send (&f, sizeof f, MPI_BYTE, 0, 0, MPI_COMM_WORLD);
    } else if (b->rank == 0)
        MPI_Recv (&f, sizeof f, MPI_BYTE, b->ranks - 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return f;
}

static void print_json (const bench *b, const struct figures *f)
{
    printf ("{\"ranks\": %d, \"repeats\": %d, \"cached\": {\"first_us\": %.3f, \"view_us\": %.3f, "
            "\"view_99_us\": "
            "%.3f, \"share_without_mpi\": %.4f, \"view_after_mpi_us\": %.3f, "
            "\"mpi_calls_per_view\": %.3f}, \"small\": [",
            b->ranks, b->repeats, f->first_us, f->quiet_us, f->quiet_99_us, f->quiet_share,
            f->polled_us, f->calls_per_gap);
    for (int way = 0, n = 0; way < WAYS; ++way)
        for (int s = 0; s < SIZES; ++s)
            if (b->seconds[s][way] > 0)
                printf ("%s{\"way\": \"%s\", \"bytes\": %llu, \"items\": %d, \"us\": %.2f}",
                        n++ ? ", " : "", names[way], (unsigned long long)sizes[s],
                        s == SIZES - 1 ? ITEMS : 1, 1e6 * b->seconds[s][way]);
    printf ("]}\n");
}

static void print_table (const bench *b, const struct figures *f)
{
    printf ("Views of chunks of %d MiB that the node's cache holds, microseconds\n", CACHED >> 20);
    printf ("%-58s %9.3f\n", "from larder_download to the first view", f->first_us);
    printf ("%-58s %9.3f\n", "from one view to the next, no MPI call between them", f->quiet_us);
    printf ("%-58s %9.3f\n", "  99 of 100 are below", f->quiet_99_us);
    if (f->quiet_share < 1)
        printf ("%-58s %9.3f\n", "from one view to the next, with MPI calls between them",
                f->polled_us);
    printf ("%-58s %9.3f\n", "share of views with no MPI call before them", f->quiet_share);
    printf ("%-58s %9.3f\n\n", "MPI calls per view", f->calls_per_gap);
    printf ("One object to all of %d ranks, microseconds\n%-32s %10s %10s %10s %10s\n", b->ranks,
            "", "8 B", "1 KiB", "64 KiB", "10000x100");
    for (int way = 0; way < WAYS; ++way) {
        printf ("%-32s", names[way]);
        for (int s = 0; s < SIZES; ++s)
            if (b->seconds[s][way] > 0)
                printf (" %10.1f", 1e6 * b->seconds[s][way]);
            else
                printf (" %10s", "");
        printf ("\n");
    }
}

static int options (bench *b, int argc, char **argv)
{
    int good = 1;
    for (int i = 1; i < argc && good; ++i)
        if (strcmp (argv[i], "--json") == 0)
            b->json = 1;
        else if (strcmp (argv[i], "--marks") == 0)
            b->marks = 1;
        else if (strcmp (argv[i], "--repeats") == 0 && ++i < argc)
            good = larder_figures_number (argv[i], 1, LARDER_FIGURES_MOST, &b->repeats);
        else
            good = 0;
    return good;
}

int main (int argc, char **argv)
{
    larder_error err = {0};
    bench *b = calloc (1, sizeof *b);
    MPI_Init (&argc, &argv);
    must (b != NULL, "no memory", NULL);
    b->repeats = 201;
    MPI_Comm_rank (MPI_COMM_WORLD, &b->rank);
    MPI_Comm_size (MPI_COMM_WORLD, &b->ranks);
    const int help = larder_figures_help (argc, argv);
    if (help || !options (b, argc, argv) || b->ranks < 3) {
        const int rank = b->rank;
        free (b);
        return larder_figures_usage (rank, help, usage);
    }
    b->data = malloc (CACHED);
    b->quiet = calloc (MOST_GAPS, sizeof *b->quiet);
    b->polled = calloc (MOST_GAPS, sizeof *b->polled);
    must (b->data && b->quiet && b->polled, "no memory", NULL);
    memset (b->data, 1, CACHED);
    must (larder_open (MPI_COMM_WORLD, NULL, MPI_INFO_NULL, &b->session, &err) == LARDER_OK, "open",
          &err);
    for (int round = -1; round < (b->marks ? 1 : b->repeats / 10 + 1); ++round)
        cached (b, round);
    const struct figures f = collect (b);
    for (int s = 0; s < SIZES && !b->marks; ++s)
        small (b, s);
    if (b->rank == 0 && b->json)
        print_json (b, &f);
    else if (b->rank == 0 && !b->marks)
        print_table (b, &f);
    must (larder_close (&b->session, &err) == LARDER_OK, "close", &err);
    free (b->data);
    free (b->quiet);
    free (b->polled);
    free (b);
    return MPI_Finalize () != MPI_SUCCESS;
}
