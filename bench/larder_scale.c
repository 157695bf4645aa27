/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
/* larder_scale [--json] [--size SIZE] [--chunk-size SIZE] [--piece-size SIZE] [--ring SIZE] [--in-flight N] [--repeats N]
 * [--rate BYTES] [--read BYTES] [--expect RATIO] [--only larder|bcast]: one object from rank 0 to all ranks by larder_download_all and
 * by MPI_Bcast, against size / bandwidth.  Made for many hosts in the simulator (bench/simgrid.sh), runs under any mpirun.
 *
 * --rate: bytes per second of a link, for the ratio.  --read: bytes per second at which the consumer takes what it is
 * shown (the simulator's computing takes no time by itself); 0: at once.  --expect: exit code 1 when larder takes longer
 * than so many times size / rate, or when more than 1.05 times the object leaves the owner's host (where that is known).
 *
 * What is sent is zero but for its place in the first 8 bytes of each chunk: pages of zeros cost no memory, so that a thousand
 * simulated ranks fit.  Each rank looks whether every chunk is at its place. */
#include <getopt.h>
#include <larder/larder.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEM_MAX (UINT64_C (1) << 30)

struct scale {
    larder *session;
    int rank, ranks, json, repeats;
    uint64_t size, read;
    double rate, expect; /* expect 0: nothing */
    int missed;
    const char *only;
    uint64_t received, chunks, largest; /* of one run, at this rank */
};

struct figures {
    double seconds, bytes_out; /* bytes_out < 0: not known */
    uint64_t chunks, largest;
    int fed; /* nodes that the owner's node gave chunks to */
};

static void stop (const char *what, const larder_error *err)
{
    fprintf (stderr, "larder_scale: %s: %s\n", what, err->text);
    MPI_Abort (MPI_COMM_WORLD, 1);
}

static double bytes_out (void)
{
#ifdef LARDER_SMPI_H
    return larder_smpi_bytes_out ();
#else
    return -1;
#endif
}

static void pass_time (double seconds)
{
#ifdef LARDER_SMPI_H
    larder_smpi_work (seconds);
#else
    (void)seconds;
#endif
}

/* ---------------------------------------------------------------- the object and its consumer */

static int item_count (void *self, uint64_t *count, larder_error *err)
{
    const struct scale *s = self;
    (void)err;
    *count = (s->size + ITEM_MAX - 1) / ITEM_MAX;
    return LARDER_OK;
}

static int item_size (void *self, uint64_t item, uint64_t *size, larder_error *err)
{
    const struct scale *s = self;
    (void)err;
    *size = s->size - item * ITEM_MAX < ITEM_MAX ? s->size - item * ITEM_MAX : ITEM_MAX;
    return LARDER_OK;
}

/* The rest of the buffer is zero already where memory is fresh, or has such a chunk in it. */
static int produce (void *self, uint64_t item, uint64_t offset, void *buffer, size_t capacity,
                    size_t *produced, int *last, larder_error *err)
{
    uint64_t place = item * ITEM_MAX + offset;
    (void)self;
    (void)last;
    (void)err;
#ifndef LARDER_SMPI_H
    memset (buffer, 0, capacity);
#endif
    memcpy (buffer, &place, capacity < sizeof place ? capacity : sizeof place);
    *produced = capacity;
    return LARDER_OK;
}

static void release (void *self)
{
    (void)self;
}

static const larder_object_ops ops = {
    .item_count = item_count, .item_size = item_size, .produce_item = produce, .release = release};

static int consume (void *self, const larder_view *view, larder_error *err)
{
    struct scale *s = self;
    uint64_t place = view->item * ITEM_MAX + view->offset;
    (void)err;
    if (place != s->received ||
        memcmp (view->data, &place, view->size < sizeof place ? view->size : sizeof place) != 0)
        return LARDER_ECONSUMER;
    s->received += view->size;
    s->chunks += 1;
    if (view->size > s->largest)
        s->largest = view->size;
    if (s->read)
        pass_time ((double)view->size / (double)s->read);
    return LARDER_OK;
}

/* ---------------------------------------------------------------- the two ways */

static void by_larder (struct scale *s)
{
    larder_error err = {0};
    larder_ref ref;
    larder_object object = {.ops = &ops, .self = s, .name = "scale", .uniform_item_size = ITEM_MAX};
    larder_consumer consumer = {.self = s, .consume_items = consume};
    s->received = s->chunks = s->largest = 0;
    if (s->rank == 0 &&
        larder_offer (s->session, &object, LARDER_EVERY_RANK, &ref, &err) != LARDER_OK)
        stop ("offer", &err);
    MPI_Bcast (&ref, sizeof ref, MPI_BYTE, 0, MPI_COMM_WORLD);
    if (larder_download_all (s->session, &ref, &consumer, &err) != LARDER_OK)
        stop ("larder_download_all", &err);
    if (s->received != s->size)
        stop ("larder_download_all", &(larder_error){.text = "bytes are missing"});
}

static void by_bcast (const struct scale *s, unsigned char *buffer)
{
    for (uint64_t at = 0; at < s->size; at += ITEM_MAX)
        MPI_Bcast (buffer + at, (int)(s->size - at < ITEM_MAX ? s->size - at : ITEM_MAX), MPI_BYTE,
                   0, MPI_COMM_WORLD);
}

static int by_value (const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Medians over the repeats, of the slowest rank. */
static struct figures measure (struct scale *s, int ours, unsigned char *buffer)
{
    struct figures f = {0};
    larder_stats before, after;
    double *times = calloc ((size_t)s->repeats, sizeof *times);
    if (!times)
        stop ("measure", &(larder_error){.text = "no memory"});
    for (int i = 0; i < s->repeats; ++i) {
        (void)larder_session_get_stats (s->session, &before);
        MPI_Barrier (MPI_COMM_WORLD);
        double start = MPI_Wtime (), mine, out = bytes_out ();
        if (ours)
            by_larder (s);
        else
            by_bcast (s, buffer);
        mine = MPI_Wtime () - start;
        f.bytes_out = out < 0 ? -1 : bytes_out () - out;
        MPI_Reduce (&mine, &times[i], 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
        (void)larder_session_get_stats (s->session, &after);
        int fed = after.bytes_from_owner > before.bytes_from_owner;
        MPI_Reduce (&fed, &f.fed, 1, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
    }
    f.chunks = s->chunks;
    f.largest = s->largest;
    qsort (times, (size_t)s->repeats, sizeof *times, by_value);
    f.seconds = times[s->repeats / 2];
    free (times);
    return f;
}

/* ---------------------------------------------------------------- what is printed */

static const char *shape (const struct figures *f, int nodes)
{
    return nodes == 1 ? "one node" : f->fed == 1 ? "chain" : "two trees";
}

static void print_json (const struct scale *s, const char *way, const struct figures *f, int nodes,
                        int ours)
{
    printf ("{\"way\": \"%s\", \"nodes\": %d, \"ranks\": %d, \"size\": %llu, \"seconds\": %.9f",
            way, nodes, s->ranks, (unsigned long long)s->size, f->seconds);
    if (s->rate > 0)
        printf (", \"ratio\": %.4f", f->seconds * s->rate / (double)s->size);
    if (f->bytes_out >= 0)
        printf (", \"owner_bytes_out\": %.4f", f->bytes_out / (double)s->size);
    if (ours)
        printf (", \"shape\": \"%s\", \"chunk\": %llu, \"chunks\": %llu", shape (f, nodes),
                (unsigned long long)f->largest, (unsigned long long)f->chunks);
    printf ("}\n");
}

static void print_row (const struct scale *s, const char *way, const struct figures *f, int nodes,
                       int ours)
{
    printf ("%6d %6d %12.3f  %-9s %12.6f", nodes, s->ranks, (double)s->size / (1 << 20), way,
            f->seconds);
    if (s->rate > 0)
        printf (" %8.3f", f->seconds * s->rate / (double)s->size);
    else
        printf (" %8s", "-");
    if (f->bytes_out >= 0)
        printf (" %9.4f", f->bytes_out / (double)s->size);
    else
        printf (" %9s", "-");
    if (ours)
        printf ("  %s, %llu chunks of %.1f KiB", shape (f, nodes), (unsigned long long)f->chunks,
                (double)f->largest / 1024);
    printf ("\n");
}

static void run (struct scale *s)
{
    larder_session_info info = {0};
    (void)larder_session_get_info (s->session, &info);
    if (s->rank == 0 && !s->json)
        printf ("%6s %6s %12s  %-9s %12s %8s %9s  %s\n", "nodes", "ranks", "MiB", "way", "seconds",
                "x bound", "owner out", "shape");
    for (int ours = 1; ours >= 0; --ours) {
        const char *way = ours ? "larder" : "MPI_Bcast";
        if (s->only && strcmp (s->only, ours ? "larder" : "bcast") != 0)
            continue;
#ifdef LARDER_SMPI_H
        unsigned char *buffer = ours ? NULL : SMPI_SHARED_MALLOC (s->size);
#else
        unsigned char *buffer = ours ? NULL : calloc (1, s->size);
#endif
        if (!ours && !buffer)
            stop ("MPI_Bcast", &(larder_error){.text = "no memory"});
        struct figures f = measure (s, ours, buffer);
        if (s->rank == 0)
            (s->json ? print_json : print_row) (s, way, &f, info.node_count, ours);
        fflush (stdout);
        s->missed |= ours && s->rank == 0 && s->expect > 0 &&
                     (f.seconds * s->rate > s->expect * (double)s->size ||
                      f.bytes_out > 1.05 * (double)s->size);
#ifdef LARDER_SMPI_H
        if (buffer)
            SMPI_SHARED_FREE (buffer);
#else
        free (buffer);
#endif
    }
}

/* ---------------------------------------------------------------- begin */

static void usage (int rank, int help)
{
    if (rank == 0)
        fprintf (
            help ? stdout : stderr,
            "use: larder_scale [--json] [--size SIZE] [--chunk-size SIZE] [--piece-size SIZE]\n"
            "                  [--ring SIZE] [--in-flight N] [--repeats N] [--rate BYTES]\n"
            "                  [--read BYTES] [--expect RATIO] [--only larder|bcast]\n"
            "  --ring         collective_size\n"
            "  --in-flight    gets_in_flight\n"
            "  --rate         bytes per second of a link: times are printed as multiples of "
            "size/rate\n"
            "  --read         bytes per second at which every rank reads what it is shown; without "
            "it\n"
            "                 larder's ranks only look at each chunk's place, MPI_Bcast fills a "
            "buffer\n"
            "  --expect       exit code 1 when larder takes longer than so many times size/rate\n"
            "Made for simgrid.sh; under mpirun times are real ones.\n");
    MPI_Finalize ();
    exit (help ? 0 : 2);
}

static void options (struct scale *s, larder_config *config, int argc, char **argv)
{
    static const struct option known[] = {{"json", no_argument, NULL, 'j'},
                                          {"size", required_argument, NULL, 's'},
                                          {"chunk-size", required_argument, NULL, 'c'},
                                          {"piece-size", required_argument, NULL, 'p'},
                                          {"ring", required_argument, NULL, 'g'},
                                          {"in-flight", required_argument, NULL, 'f'},
                                          {"repeats", required_argument, NULL, 'n'},
                                          {"rate", required_argument, NULL, 'r'},
                                          {"read", required_argument, NULL, 'm'},
                                          {"expect", required_argument, NULL, 'e'},
                                          {"only", required_argument, NULL, 'o'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int option, rc = LARDER_OK;
    while (rc == LARDER_OK && (option = getopt_long (argc, argv, "", known, NULL)) != -1) {
        if (option == 'h')
            usage (s->rank, 1);
        else if (option == 'j')
            s->json = 1;
        else if (option == 's')
            rc = larder_config_size (optarg, &s->size, NULL);
        else if (option == 'm')
            rc = larder_config_size (optarg, &s->read, NULL);
        else if (option == 'c')
            rc = larder_config_set (config, "chunk_size", optarg, NULL);
        else if (option == 'p')
            rc = larder_config_set (config, "piece_size", optarg, NULL);
        else if (option == 'g')
            rc = larder_config_set (config, "collective_size", optarg, NULL);
        else if (option == 'f')
            rc = larder_config_set (config, "gets_in_flight", optarg, NULL);
        else if (option == 'n')
            s->repeats = atoi (optarg);
        else if (option == 'r')
            s->rate = strtod (optarg, NULL);
        else if (option == 'e')
            s->expect = strtod (optarg, NULL);
        else if (option == 'o')
            s->only = optarg;
        else
            rc = LARDER_EINVAL;
    }
    if (rc != LARDER_OK || optind < argc || s->repeats < 1 || s->size < 1)
        usage (s->rank, 0);
}

int main (int argc, char **argv)
{
    larder_error err = {0};
    struct scale s = {.size = 64 << 20, .repeats = 1};
    larder_config config = {.max_lines = 1};
    MPI_Init (&argc, &argv);
    MPI_Comm_rank (MPI_COMM_WORLD, &s.rank);
    MPI_Comm_size (MPI_COMM_WORLD, &s.ranks);
    options (&s, &config, argc, argv);
    if (larder_open (MPI_COMM_WORLD, &config, MPI_INFO_NULL, &s.session, &err) != LARDER_OK)
        stop ("larder_open", &err);
    run (&s);
    if (larder_close (&s.session, &err) != LARDER_OK)
        stop ("larder_close", &err);
    MPI_Bcast (&s.missed, 1, MPI_INT, 0, MPI_COMM_WORLD);
    if (s.rank == 0 && s.missed)
        fprintf (stderr, "larder_scale: more than was expected (--expect %g)\n", s.expect);
    MPI_Finalize ();
    return s.missed;
}
