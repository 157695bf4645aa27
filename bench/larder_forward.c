/* SPDX-License-Identifier: Apache-2.0 */
/* larder_forward [--json] [SIZE [REPEATS [HOPS]]]: what it costs to download a message that ranks in the middle have
 * passed on, against the same message straight from its owner, in one run and in turn.  Rank 0 owns SIZE bytes (64MiB),
 * as one array and as 64; the last rank downloads them; the ranks between pass the message on, one after another, HOPS
 * (3) times: decode in pass-through mode, encode, send.  Medians over REPEATS (21).  larder_hop measures a hop by
 * itself.
 * Values come into memory that malloc gives.  Fresh pages cost several times what copying does and hide what is
 * measured; with glibc, MALLOC_MMAP_MAX_=0 and a large MALLOC_TRIM_THRESHOLD_ in the environment keep what was freed. */
#include "larder_figures.h"
#include <larder/larder.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAG = 1, MOST = 101, CASES = 2, WAYS = 2 };

static const struct {
    const char *name;
    uint64_t arrays;
} cases[CASES] = {{"one array", 1}, {"64 arrays", 64}};

/* What is measured: in seconds, from the first byte of the message at the last rank to its data; and from the owner's
 * encode to that. */
typedef struct result {
    double download[WAYS][MOST], whole[WAYS][MOST]; /* WAYS: straight, passed on */
    uint64_t message_size;
} result;

typedef struct bench {
    larder *session;
    int rank, last, hops, repeats;
    uint64_t size, runs;
    uint64_t *data;
    result results[CASES];
} bench;

static void stop (const char *what, const larder_error *err)
{
    fprintf (stderr, "larder_forward: %s: %s\n", what, err->text);
    MPI_Abort (MPI_COMM_WORLD, 1);
}

/* The rank that has the message after so many hops. */
static int rank_after (const bench *b, int hops)
{
    return hops == 0 ? 0 : 1 + (hops - 1) % (b->last - 1);
}

/* Content that tells where it is from, and when: memory is used again, so what came last time would do as well. */
static uint64_t word_at (const bench *b, uint64_t i)
{
    return (i ^ b->runs << 40) * UINT64_C (0x9e3779b97f4a7c15);
}

static void fill (bench *b)
{
    for (uint64_t i = 0; i < b->size / 8; ++i)
        b->data[i] = word_at (b, i);
}

static larder_encoded offer (bench *b, uint64_t arrays)
{
    larder_error err = {0};
    larder_message *m = NULL;
    larder_encoded e = {0};
    const larder_shape shape = larder_shape_make (LARDER_UINT8, b->size / arrays, 0, 0);
    int rc = larder_message_new (&m, &err);
    for (uint64_t i = 0; i < arrays && rc == LARDER_OK; ++i) {
        char name[32];
        snprintf (name, sizeof name, "layer%d", (int)i);
        rc = larder_message_set_array (m, name, &shape, b->data + i * shape.dims[0] / 8, &err);
    }
    const larder_encode_options options = {.inline_max = -1}; /* all by reference */
    if (rc == LARDER_OK)
        rc = larder_encode (b->session, m, LARDER_COUNT (1), &options, &e, &err);
    if (rc != LARDER_OK)
        stop ("offer", &err);
    larder_message_free (&m);
    return e;
}

static void send_message (int rank, larder_encoded *e)
{
    MPI_Send (e->bytes, (int)e->size, MPI_BYTE, rank, TAG, MPI_COMM_WORLD);
    larder_encoded_free (e);
}

/* Receive a message and decode it; its size is returned, and when it was here.  Ranks that receive own nothing, so they
 * may wait without making progress. */
static int receive_message (bench *b, int rank, int lazily, double *start, larder_message **m)
{
    const larder_resolve_options options = {.pass_through = lazily};
    larder_error err = {0};
    MPI_Status status;
    int size = 0;
    MPI_Probe (rank, TAG, MPI_COMM_WORLD, &status);
    MPI_Get_count (&status, MPI_BYTE, &size);
    void *bytes = malloc ((size_t)size + 1);
    if (!bytes)
        stop ("no memory", &err);
    MPI_Recv (bytes, size, MPI_BYTE, rank, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    *start = MPI_Wtime ();
    if (larder_decode (b->session, bytes, (size_t)size, &options, m, &err) != LARDER_OK)
        stop ("decode", &err);
    free (bytes);
    return size;
}

static void check (bench *b, const larder_message *m, uint64_t arrays)
{
    larder_error err = {0};
    const uint64_t each = b->size / arrays;
    for (uint64_t i = 0; i < arrays; ++i) {
        char name[32];
        const void *data = NULL;
        larder_shape shape;
        snprintf (name, sizeof name, "layer%d", (int)i);
        if (larder_message_get_array (m, name, LARDER_UINT8, &shape, &data, &err) != LARDER_OK)
            stop (name, &err);
        if (shape.dims[0] != each)
            stop ("the data has another size", &err);
        for (uint64_t k = 0; k < each / 8; ++k)
            if (((const uint64_t *)data)[k] != word_at (b, i * each / 8 + k))
                stop ("the data differs", &err);
    }
}

/* One download.  hops 0: straight from the owner.  repeat < 0: a warm-up. */
static void run (bench *b, int which, int hops, int repeat)
{
    larder_error err = {0};
    larder_message *m = NULL;
    larder_encoded e = {0};
    result *r = &b->results[which];
    double from = 0;
    ++b->runs;
    if (b->rank == 0)
        fill (b);
    MPI_Barrier (MPI_COMM_WORLD);
    const double began = MPI_Wtime ();
    if (b->rank == 0) {
        e = offer (b, cases[which].arrays);
        send_message (hops ? rank_after (b, 1) : b->last, &e);
        if (larder_serve (b->session, 0, &err) != LARDER_OK)
            stop ("serve", &err);
    }
    for (int hop = 1; hop <= hops; ++hop)
        if (b->rank == rank_after (b, hop)) {
            receive_message (b, rank_after (b, hop - 1), 1, &from, &m);
            if (larder_encode (b->session, m, LARDER_ALL, NULL, &e, &err) != LARDER_OK)
                stop ("encode", &err);
            send_message (hop == hops ? b->last : rank_after (b, hop + 1), &e);
            larder_message_free (&m);
        }
    if (b->rank == b->last) {
        int size = receive_message (b, rank_after (b, hops), 0, &from, &m);
        const double end = MPI_Wtime ();
        r->message_size = (uint64_t)size;
        if (repeat >= 0) {
            r->download[hops > 0][repeat] = end - from;
            r->whole[hops > 0][repeat] = end - began;
        }
        check (b, m, cases[which].arrays);
        larder_message_free (&m);
    }
    MPI_Barrier (MPI_COMM_WORLD);
}

/* Bytes of values that any rank in the middle produced, fetched or looked at; on the last rank. */
static uint64_t touched (bench *b)
{
    larder_stats stats = {0};
    if (b->rank > 0 && b->rank < b->last)
        (void)larder_session_get_stats (b->session, &stats);
    uint64_t most = 0, mine = stats.bytes_produced + stats.bytes_fetched + stats.bytes_consumed;
    MPI_Reduce (&mine, &most, 1, MPI_UINT64_T, MPI_MAX, b->last, MPI_COMM_WORLD);
    return most;
}

/* Leaves the values as they are. */
static double median (const double *values, int count)
{
    double sorted[MOST];
    memcpy (sorted, values, (size_t)count * sizeof *values);
    return larder_figures_median (sorted, count);
}

/* Of what was measured back to back. */
static double median_ratio (const double *passed, const double *straight, int count)
{
    double ratio[MOST];
    for (int i = 0; i < count; ++i)
        ratio[i] = passed[i] / straight[i];
    return median (ratio, count);
}

static void print (const bench *b, int json, uint64_t by_middle)
{
    const double more = (double)(b->results[1].message_size - b->results[0].message_size) /
                        (double)(cases[1].arrays - cases[0].arrays);
    printf (json ? "{\"bytes\": %llu, \"ranks\": %d, \"hops\": %d, \"repeats\": %d, \"cases\": ["
                 : "%llu bytes, %d ranks, %d hops, %d repeats\n",
            (unsigned long long)b->size, b->last + 1, b->hops, b->repeats);
    if (!json)
        printf ("%-10s %13s %13s %7s %13s %13s %7s %9s\n", "", "download ms", "passed on ms",
                "ratio", "from encode", "passed on ms", "ratio", "message B");
    for (int i = 0; i < CASES; ++i) {
        const result *r = &b->results[i];
        const int n = b->repeats;
        printf (json ? "%s{\"arrays\": %s\"download_ms\": %.3f, \"passed_on_ms\": %.3f, "
                       "\"ratio\": %.4f, \"whole_ms\": %.3f, \"whole_passed_on_ms\": %.3f, "
                       "\"whole_ratio\": %.4f, \"message_bytes\": %llu}"
                     : "%s%-10s %13.3f %13.3f %7.3f %13.3f %13.3f %7.3f %9llu\n",
                json && i ? ", " : "", json ? (i ? "64, " : "1, ") : cases[i].name,
                median (r->download[0], n) * 1e3, median (r->download[1], n) * 1e3,
                median_ratio (r->download[1], r->download[0], n), median (r->whole[0], n) * 1e3,
                median (r->whole[1], n) * 1e3, median_ratio (r->whole[1], r->whole[0], n),
                (unsigned long long)r->message_size);
    }
    printf (
        json
            ? "], \"bytes_per_value\": %.1f, \"bytes_touched_by_middle\": %llu}\n"
            : "each further value makes the message %.1f bytes longer; ranks in the middle touched "
              "%llu bytes of values\n",
        more, (unsigned long long)by_middle);
}

static int whole_number (const char *text, int high, int *n)
{
    char rest;
    return sscanf (text, "%d%c", n, &rest) == 1 && *n >= 1 && *n <= high;
}

int main (int argc, char **argv)
{
    bench *b = calloc (1, sizeof *b);
    larder_error err = {0};
    int ranks, bad = 0;
    MPI_Init (&argc, &argv);
    MPI_Comm_size (MPI_COMM_WORLD, &ranks);
    if (!b)
        stop ("no memory", &err);
    MPI_Comm_rank (MPI_COMM_WORLD, &b->rank);
    *b = (bench){.rank = b->rank, .last = ranks - 1, .hops = 3, .repeats = 21, .size = 64 << 20};
    const int json = argc > 1 && strcmp (argv[1], "--json") == 0, at = 1 + json;
    const int help = argc > 1 && strcmp (argv[1], "--help") == 0;
    if (help || (argc > at && larder_config_size (argv[at], &b->size, &err) != LARDER_OK) ||
        (argc > at + 1 && !whole_number (argv[at + 1], MOST, &b->repeats)) ||
        (argc > at + 2 && !whole_number (argv[at + 2], 1000, &b->hops)) || argc > at + 3 ||
        ranks < 4 || b->size < 512 || b->size % 512 != 0) {
        if (b->rank == 0)
            fprintf (help ? stdout : stderr,
                     "use: mpirun -n 4.. larder_forward [--json] [SIZE [REPEATS 1..%d [HOPS]]]\n"
                     "SIZE in bytes, a multiple of 512, as 64MiB\n",
                     MOST);
        free (b);
        return MPI_Finalize () != MPI_SUCCESS ? 1 : help ? 0 : 2;
    }
    if (larder_open (MPI_COMM_WORLD, NULL, MPI_INFO_NULL, &b->session, &err) != LARDER_OK)
        stop ("open", &err);
    if (b->rank == 0 && (b->data = malloc (b->size)) == NULL)
        stop ("no memory", &err);
    for (int repeat = -1; repeat < b->repeats; ++repeat)
        for (int which = 0; which < CASES; ++which)
            for (int way = 0; way < WAYS; ++way) /* each goes first as often as the other */
                run (b, which, (way ^ (repeat & 1)) ? b->hops : 0, repeat);
    const uint64_t by_middle = touched (b);
    if (b->rank == b->last)
        print (b, json, by_middle);
    bad = by_middle != 0;
    if (larder_close (&b->session, &err) != LARDER_OK)
        stop ("close", &err);
    free (b->data);
    free (b);
    return MPI_Finalize () != MPI_SUCCESS || bad;
}
