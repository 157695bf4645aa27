/* SPDX-License-Identifier: Apache-2.0 */
/* larder_hosts [options]: one object of SIZE bytes from rank 0 to every rank over several hosts, by larder and by
 * MPI_Bcast, as it comes and with the best algorithm that Open MPI can be told to use, all in one run and in turn.  Times
 * are from a barrier to the last rank's end; bytes out of rank 0's host are those of its network devices. */
#define _GNU_SOURCE
#include "larder_figures.h"
#include <larder/larder.h>

static const char usage[] =
    "use: mpirun -n 2.. larder_hosts [--json] [--size SIZE] [--repeats N] [--rate RATE] "
    "[--no-sweep]\n"
    "  --size SIZE    of the object, as 64MiB (64MiB)\n"
    "  --repeats N    rounds that count; each runs every way once (5)\n"
    "  --rate RATE    what a host's link carries, as 500mbit or 25gbit: shows times as multiples "
    "of SIZE/RATE\n"
    "  --item SIZE    of the object's items, where it has some (4KiB)\n"
    "  --no-sweep     do not look for MPI_Bcast's best algorithm (Open MPI only)\n"
    "  --larder-only  neither that nor MPI_Bcast as it comes\n"
    "  --json         one line of JSON\n";

enum { VIEW, LBCAST, BCAST, BEST, WAYS };
enum { FINALISTS = 3 };

static const char *const names[WAYS] = {
    [VIEW] = "larder_download_all, read in place",
    [LBCAST] = "larder_bcast",
    [BCAST] = "MPI_Bcast as it comes",
    [BEST] = "MPI_Bcast at its best",
};

/* Open MPI's, by number; those that are left out or have no segments are as their authors made them. */
static const struct {
    const char *name;
    int number, segments;
} algorithms[] = {
    {"chain", 2, 1},
    {"pipeline", 3, 1},
    {"split binary", 4, 1},
    {"binary", 5, 1},
    {"binomial", 6, 1},
    {"scatter, allgather", 8, 0},
    {"scatter, ring allgather", 9, 0},
};
static const int segments[] = {16 << 10, 64 << 10, 256 << 10, 1 << 20};
enum {
    ALGORITHMS = sizeof algorithms / sizeof *algorithms,
    SEGMENTS = sizeof segments / sizeof *segments,
    CANDIDATES = ALGORITHMS * SEGMENTS
};

struct candidate {
    char name[64];
    MPI_Comm comm;
    double seconds;
};

typedef struct bench {
    larder *session;
    int rank, ranks, hosts, repeats, json, sweep, larder_only;
    uint64_t size, item, runs, expected, sum;
    double bytes_per_s; /* 0: not known */
    unsigned char *source, *target;
    struct candidate candidates[CANDIDATES];
    int candidate_count;
    double seconds[WAYS][LARDER_FIGURES_MOST], out[WAYS][LARDER_FIGURES_MOST];
} bench;

static void must (int good, const char *what, const larder_error *err)
{
    larder_figures_must (good, "larder_hosts", what, err);
}

/* ---------------------------------------------------------------- content */

/* A sum that knows each word's value, added up in any order. */
static uint64_t sum_of (const void *data, uint64_t size)
{
    uint64_t sum = 0, word;
    for (uint64_t at = 0; at + 8 <= size; at += 8) {
        memcpy (&word, (const char *)data + at, 8);
        sum += word;
    }
    return sum;
}

/* New content for each run, or what came last time would do as well. */
static void renew (bench *b)
{
    ++b->runs;
    for (uint64_t i = 0; b->rank == 0 && i < b->size / 8; ++i) {
        uint64_t word = (i ^ b->runs << 40) * UINT64_C (0x9e3779b97f4a7c15);
        memcpy (b->source + 8 * i, &word, 8);
    }
    if (b->rank == 0)
        b->expected = sum_of (b->source, b->size);
    MPI_Bcast (&b->expected, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);
}

/* ---------------------------------------------------------------- the link */

/* Bytes that this host has sent, by all its devices but the loopback; -1: not known. */
static double sent (void)
{
    char line[512], name[64];
    unsigned long long bytes;
    double all = 0;
    int devices = 0;
    FILE *file = fopen ("/proc/net/dev", "re");
    while (file && fgets (line, sizeof line, file)) {
        char *colon = strchr (line, ':');
        if (!colon)
            continue;
        *colon = ' ';
        if (sscanf (line, "%63s %*u %*u %*u %*u %*u %*u %*u %*u %llu", name, &bytes) == 2 &&
            strcmp (name, "lo") != 0) {
            all += (double)bytes;
            ++devices;
        }
    }
    if (file)
        (void)fclose (file);
    return devices ? all : -1;
}

/* "500mbit" as bytes a second. */
static int rate (const char *text, double *bytes_per_s)
{
    static const struct {
        const char *name;
        double bits;
    } units[] = {{"bit", 1}, {"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}};
    char *end;
    double n = strtod (text, &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; ++i)
        if (strcmp (end, units[i].name) == 0 && n > 0) {
            *bytes_per_s = n * units[i].bits / 8;
            return 1;
        }
    return 0;
}

/* ---------------------------------------------------------------- the ways */

static int read_view (void *self, const larder_view *view, larder_error *err)
{
    (void)err;
    ((bench *)self)->sum += sum_of (view->data, view->size); /* chunks are whole words */
    return LARDER_OK;
}

static void by_view (bench *b)
{
    larder_error err = {0};
    larder_ref ref = {{0}};
    const larder_consumer consumer = {.self = b, .consume_items = read_view};
    if (b->rank == 0) {
        larder_object object;
        int rc = larder_object_memory (b->source, b->size, b->item, "bench", &object, &err);
        if (rc == LARDER_OK)
            rc = larder_offer (b->session, &object, LARDER_EVERY_RANK, &ref, &err);
        must (rc == LARDER_OK, "offer", &err);
    }
    MPI_Bcast (&ref, sizeof ref, MPI_BYTE, 0, MPI_COMM_WORLD);
    must (larder_download_all (b->session, &ref, &consumer, &err) == LARDER_OK,
          "larder_download_all", &err);
}

static void mpi_bcast (bench *b, void *data, uint64_t size, MPI_Comm comm)
{
    const uint64_t most = UINT64_C (1) << 30; /* counts are int */
    (void)b;
    for (uint64_t at = 0; at < size; at += most)
        MPI_Bcast ((char *)data + at, (int)(size - at < most ? size - at : most), MPI_BYTE, 0,
                   comm);
}

static void run (bench *b, int way, MPI_Comm comm, uint64_t size, double *seconds, double *out)
{
    larder_error err = {0};
    unsigned char *data = b->rank == 0 ? b->source : b->target;
    renew (b);
    b->sum = 0;
    MPI_Barrier (MPI_COMM_WORLD);
    const double before = sent ();
    MPI_Barrier (MPI_COMM_WORLD);
    const double start = MPI_Wtime ();
    if (way == VIEW)
        by_view (b);
    else if (way == LBCAST)
        must (larder_bcast (b->session, data, size, 0, &err) == LARDER_OK, "larder_bcast", &err);
    else
        mpi_bcast (b, data, size, comm);
    double mine = MPI_Wtime () - start;
    MPI_Allreduce (&mine, seconds, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    const double after = sent ();
    *out = before < 0 || after < 0 ? -1 : after - before;
    if (way != VIEW && size == b->size)
        b->sum = sum_of (data, size);
    must (size != b->size || b->sum == b->expected, "the data differs", NULL);
}

/* ---------------------------------------------------------------- MPI_Bcast's best algorithm */

static int write_variable (const char *name, int value)
{
    MPI_T_cvar_handle handle;
    int index, count;
    if (MPI_T_cvar_get_index (name, &index) != MPI_SUCCESS ||
        MPI_T_cvar_handle_alloc (index, NULL, &handle, &count) != MPI_SUCCESS)
        return 0;
    const int good = MPI_T_cvar_write (handle, &value) == MPI_SUCCESS;
    (void)MPI_T_cvar_handle_free (&handle);
    return good;
}

/* A communicator takes over the algorithm that is set when it is made. */
static void add_candidate (bench *b, int algorithm, int segment)
{
    struct candidate *c = &b->candidates[b->candidate_count];
    if (!write_variable ("coll_tuned_bcast_algorithm", algorithms[algorithm].number) ||
        !write_variable ("coll_tuned_bcast_algorithm_segmentsize", segment) ||
        MPI_Comm_dup (MPI_COMM_WORLD, &c->comm) != MPI_SUCCESS)
        return;
    if (segment)
        snprintf (c->name, sizeof c->name, "%s, %d KiB segments", algorithms[algorithm].name,
                  segment >> 10);
    else
        snprintf (c->name, sizeof c->name, "%s", algorithms[algorithm].name);
    ++b->candidate_count;
}

static int by_seconds (const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    return (x->seconds > y->seconds) - (x->seconds < y->seconds);
}

/* All with a quarter of the object, the best few with the whole of it. */
static void find_best (bench *b)
{
    double out;
    for (int i = 0; i < ALGORITHMS; ++i)
        for (int k = 0; k < (algorithms[i].segments ? SEGMENTS : 1); ++k)
            add_candidate (b, i, algorithms[i].segments ? segments[k] : 0);
    (void)write_variable ("coll_tuned_bcast_algorithm", 0);
    for (int i = 0; i < b->candidate_count; ++i)
        run (b, BEST, b->candidates[i].comm, b->size / 4, &b->candidates[i].seconds, &out);
    qsort (b->candidates, (size_t)b->candidate_count, sizeof *b->candidates, by_seconds);
    const int finalists = b->candidate_count < FINALISTS ? b->candidate_count : FINALISTS;
    for (int i = 0; i < finalists; ++i)
        run (b, BEST, b->candidates[i].comm, b->size, &b->candidates[i].seconds, &out);
    qsort (b->candidates, (size_t)finalists, sizeof *b->candidates, by_seconds);
}

static int measured (const bench *b, int way)
{
    return way == BEST ? b->candidate_count > 0 : way != BCAST || !b->larder_only;
}

/* ---------------------------------------------------------------- what is told */

static void print (bench *b)
{
    const double size = (double)b->size, bound = b->bytes_per_s > 0 ? size / b->bytes_per_s : 0;
    if (b->json)
        printf ("{\"bytes\": %llu, \"hosts\": %d, \"ranks\": %d, \"repeats\": %d, \"bytes_per_s\": "
                "%.0f, \"ways\": [",
                (unsigned long long)b->size, b->hosts, b->ranks, b->repeats, b->bytes_per_s);
    else {
        printf ("%llu bytes to %d ranks on %d hosts, medians of %d rounds\n",
                (unsigned long long)b->size, b->ranks, b->hosts, b->repeats);
        if (bound > 0)
            printf ("size/bandwidth is %.3f s; Ethernet, IP and TCP headers alone make 1.046 of it "
                    "at MTU 1500\n",
                    bound);
        printf ("%-36s %9s %9s %9s  %s\n", "", "seconds", bound > 0 ? "ratio" : "", "sent", "");
    }
    for (int way = 0; way < WAYS; ++way) {
        if (!measured (b, way))
            continue;
        const char *how = way == BEST ? b->candidates[0].name : "";
        const double seconds = larder_figures_median (b->seconds[way], b->repeats);
        const double fastest = b->seconds[way][0];
        const double out = larder_figures_median (b->out[way], b->repeats);
        if (b->json)
            printf ("%s{\"way\": \"%s\", \"how\": \"%s\", \"seconds\": %.4f, \"fastest\": %.4f, "
                    "\"ratio\": %.3f, "
                    "\"sent\": %.0f, \"sent_ratio\": %.4f}",
                    way ? ", " : "", names[way], how, seconds, fastest,
                    bound > 0 ? seconds / bound : 0, out, out / size);
        else {
            char ratio[32] = "";
            if (bound > 0)
                snprintf (ratio, sizeof ratio, "%.3f", seconds / bound);
            printf ("%-36s %9.4f %9s %9.4f  %s\n", names[way], seconds, ratio, out / size, how);
        }
    }
    if (b->json)
        printf ("]}\n");
    else
        printf ("ratio: to size/bandwidth; sent: bytes that left rank 0's host, as multiples of "
                "the size\n");
}

static int options (bench *b, int argc, char **argv)
{
    int good = 1;
    for (int i = 1; i < argc && good; ++i) {
        const char *text = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp (argv[i], "--json") == 0)
            b->json = 1;
        else if (strcmp (argv[i], "--no-sweep") == 0)
            b->sweep = 0;
        else if (strcmp (argv[i], "--larder-only") == 0)
            b->larder_only = 1, b->sweep = 0;
        else if (strcmp (argv[i], "--size") == 0)
            good = larder_figures_size (text, &b->size), ++i;
        else if (strcmp (argv[i], "--item") == 0)
            good = larder_figures_size (text, &b->item), ++i;
        else if (strcmp (argv[i], "--repeats") == 0)
            good = larder_figures_number (text, 1, LARDER_FIGURES_MOST, &b->repeats), ++i;
        else if (strcmp (argv[i], "--rate") == 0)
            good = rate (text, &b->bytes_per_s), ++i;
        else
            good = 0;
    }
    return good && b->size >= 4096 && b->size % 32 == 0 && b->item && b->item % 8 == 0;
}

int main (int argc, char **argv)
{
    larder_error err = {0};
    larder_session_info info;
    int level;
    bench *b = calloc (1, sizeof *b);
    /* Without it Open MPI looks at no other setting of MPI_Bcast. */
    if (!b || setenv ("OMPI_MCA_coll_tuned_use_dynamic_rules", "1", 0) != 0)
        return 1;
    MPI_Init (&argc, &argv);
    *b = (bench){.repeats = 5, .size = UINT64_C (64) << 20, .item = 4096, .sweep = 1};
    MPI_Comm_rank (MPI_COMM_WORLD, &b->rank);
    MPI_Comm_size (MPI_COMM_WORLD, &b->ranks);
    const int help = larder_figures_help (argc, argv);
    if (help || !options (b, argc, argv) || b->ranks < 2) {
        int rank = b->rank;
        free (b);
        return larder_figures_usage (rank, help, usage);
    }
    must (MPI_T_init_thread (MPI_THREAD_SINGLE, &level) == MPI_SUCCESS, "MPI_T_init_thread", NULL);
    must (larder_open (MPI_COMM_WORLD, NULL, MPI_INFO_NULL, &b->session, &err) == LARDER_OK, "open",
          &err);
    (void)larder_session_get_info (b->session, &info);
    b->hosts = info.node_count;
    b->source = b->rank ? NULL : malloc (b->size);
    b->target = malloc (b->size);
    must (b->target && (b->rank || b->source), "no memory", NULL);
    memset (b->target, 0, b->size);
    if (b->sweep)
        find_best (b);
    for (int i = -1; i < b->repeats; ++i) /* the first does not count */
        for (int way = 0; way < WAYS; ++way)
            if (measured (b, way))
                run (b, way, way == BEST ? b->candidates[0].comm : MPI_COMM_WORLD, b->size,
                     &b->seconds[way][i < 0 ? 0 : i], &b->out[way][i < 0 ? 0 : i]);
    if (b->rank == 0)
        print (b);
    must (larder_close (&b->session, &err) == LARDER_OK, "close", &err);
    for (int i = 0; i < b->candidate_count; ++i)
        MPI_Comm_free (&b->candidates[i].comm);
    (void)MPI_T_finalize ();
    free (b->source);
    free (b->target);
    free (b);
    return MPI_Finalize () != MPI_SUCCESS;
}
