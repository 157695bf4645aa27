/* SPDX-License-Identifier: Apache-2.0 */
/* larder_node [--json] [--size SIZE] [--repeats N] [--dir DIR] [--cache SIZE]: one HDF5 dataset of doubles (512MiB) for
 * every rank, by seven ways, in one run and in turn, as contiguous data and as chunks with shuffle and gzip.  The file is
 * made in DIR (/dev/shm), so it is read from memory.  Memory was touched before, except in the rows
 * that say so.  Medians over N (7); ratios are medians of what ran in the same
 * round.  The first round is not counted, but its values are compared. */
#define _GNU_SOURCE
#include "larder_figures.h"
#include <larder/hdf5.h>
#include <larder/larder.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ONE, FRESH, BCAST, EVERY, PRIVATE, NODE, AGAIN, WAYS };
enum { CONTIGUOUS, ZIPPED, LAYOUTS };
enum { MOST = 101, COLUMNS = 8192, CHUNK_ROWS = 256, CHUNK_COLUMNS = 512 };

static const struct {
    const char *name, *gives;
} ways[WAYS] = {
    {"H5Dread by one rank", "rank 0 alone has it"},
    {"the same, new memory", "rank 0 alone has it, in memory not touched before"},
    {"H5Dread, MPI_Bcast", "a private copy in every rank"},
    {"H5Dread by every rank", "a private copy in every rank, each opens the file"},
    {"larder, private copies", "a private copy in every rank"},
    {"larder, one per node", "one copy per node, read in place, in memory not touched before"},
    {"the same memory again", "one copy per node, read in place"},
};
static const char *const layouts[LAYOUTS] = {"contiguous", "gzip+shuffle"};

typedef struct bench {
    larder *session;
    int rank, ranks, nodes, repeats, json;
    uint64_t size, sum[LAYOUTS], stored[LAYOUTS];
    uint64_t cache_size;
    const char *dir;
    char path[4096];
    void *buffer;          /* private */
    larder_shared *shared; /* for AGAIN */
    double seconds[LAYOUTS][WAYS][MOST];
    double core[LAYOUTS][WAYS][MOST]; /* seconds of all ranks' cores, waiting included */
} bench;

static void stop (const char *what, const larder_error *err)
{
    fprintf (stderr, "larder_node: %s%s%s\n", what, err ? ": " : "", err ? err->text : "");
    MPI_Abort (MPI_COMM_WORLD, 1);
}

static void must (int good, const char *what)
{
    if (!good)
        stop (what, NULL);
}

static uint64_t sum_of (const void *data, uint64_t size)
{
    const uint64_t *words = data;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < size / 8; ++i)
        sum = (sum << 1 | sum >> 63) ^ words[i];
    return sum;
}

/* ---------------------------------------------------------------- the file */

/* A wave with three decimal digits of noise below it: about the ratio that measured fields have. */
static double value (uint64_t i, uint64_t *random)
{
    *random = *random * UINT64_C (6364136223846793005) + 1442695040888963407u;
    double smooth = 280 + 20 * (double)(i % 65536) / 65536;
    return smooth + (double)(*random >> 42) / (1 << 26);
}

static void add (bench *b, hid_t file, int layout)
{
    const hsize_t dims[2] = {b->size / 8 / COLUMNS, COLUMNS},
                  chunk[2] = {CHUNK_ROWS, CHUNK_COLUMNS};
    hid_t space = H5Screate_simple (2, dims, NULL), list = H5Pcreate (H5P_DATASET_CREATE);
    int bad = 0;
    if (layout == ZIPPED)
        bad = H5Pset_chunk (list, 2, chunk) < 0 || H5Pset_shuffle (list) < 0 ||
              H5Pset_deflate (list, 4) < 0;
    hid_t d =
        H5Dcreate2 (file, layouts[layout], H5T_IEEE_F64LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    bad |= d < 0 || H5Dwrite (d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, b->buffer) < 0;
    b->stored[layout] = H5Dget_storage_size (d);
    must (!bad && H5Dclose (d) >= 0 && H5Sclose (space) >= 0 && H5Pclose (list) >= 0, "the file");
}

static void make_file (bench *b)
{
    struct stat info;
    uint64_t random = 1;
    must (stat (b->dir, &info) == 0 && S_ISDIR (info.st_mode), "--dir is no directory");
    (void)snprintf (b->path, sizeof b->path, "%s/larder-node-%d.h5", b->dir, (int)getpid ());
    for (uint64_t i = 0; i < b->size / 8; ++i)
        ((double *)b->buffer)[i] = value (i, &random);
    hid_t file = H5Fcreate (b->path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    for (int layout = 0; layout < LAYOUTS; ++layout) {
        add (b, file, layout);
        b->sum[layout] = sum_of (b->buffer, b->size);
    }
    must (file >= 0 && H5Fclose (file) >= 0, "the file");
}

/* ---------------------------------------------------------------- the ways */

static void read_file (const bench *b, int layout, void *buffer)
{
    hid_t file = H5Fopen (b->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t d = H5Dopen2 (file, layouts[layout], H5P_DEFAULT);
    must (d >= 0 && H5Dread (d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer) >= 0 &&
              H5Dclose (d) >= 0 && H5Fclose (file) >= 0,
          "H5Dread");
}

static void broadcast (const bench *b)
{
    for (uint64_t at = 0; at < b->size; at += 1 << 30) {
        uint64_t n = b->size - at < 1 << 30 ? b->size - at : 1 << 30;
        MPI_Bcast ((char *)b->buffer + at, (int)n, MPI_BYTE, 0, MPI_COMM_WORLD);
    }
}

/* From opening the file to the owner's knowing that all have it. */
static void by_larder (bench *b, int layout, int way, larder_shared **shared)
{
    larder_error err = {0};
    larder_object object;
    larder_ref ref;
    larder_h5_dataset *d = NULL;
    int rc = LARDER_OK;
    if (b->rank == 0)
        rc = larder_h5_dataset_object (b->path, layouts[layout], 1 << 20, &object, &err);
    if (b->rank == 0 && rc == LARDER_OK)
        rc = larder_offer (b->session, &object, LARDER_EVERY_RANK, &ref, &err);
    if (rc != LARDER_OK)
        stop ("offer", &err);
    MPI_Bcast (&ref, sizeof ref, MPI_BYTE, 0, MPI_COMM_WORLD);
    rc = larder_h5_dataset_open (b->session, &ref, &d, &err);
    if (rc == LARDER_OK && way == NODE)
        rc = larder_h5_dataset_node (d, H5T_NATIVE_DOUBLE, shared, &err);
    else if (rc == LARDER_OK && way == AGAIN)
        rc = larder_h5_dataset_read_shared (d, H5T_NATIVE_DOUBLE, b->shared, &err);
    else if (rc == LARDER_OK)
        rc = larder_h5_dataset_read_all (d, H5T_NATIVE_DOUBLE, b->buffer, &err);
    if (rc != LARDER_OK)
        stop ("larder", &err);
    larder_h5_dataset_close (&d);
    if (b->rank == 0 && larder_serve (b->session, 0, &err) != LARDER_OK)
        stop ("serve", &err);
}

/* All ranks meet; those that wait leave the cores to the others. */
static void meet (void)
{
    MPI_Request request;
    const struct timespec while_ = {.tv_nsec = 200000};
    int done = 0;
    MPI_Ibarrier (MPI_COMM_WORLD, &request);
    for (MPI_Test (&request, &done, MPI_STATUS_IGNORE); !done;
         MPI_Test (&request, &done, MPI_STATUS_IGNORE))
        (void)nanosleep (&while_, NULL);
}

static double core_seconds (void)
{
    struct rusage r;
    must (getrusage (RUSAGE_SELF, &r) == 0, "getrusage");
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           1e-6 * (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

static void run (bench *b, int layout, int way, int repeat)
{
    larder_error err = {0};
    larder_shared *shared = NULL;
    void *fresh = NULL, *data = b->buffer;
    const int reads = b->rank == 0 || way > FRESH;
    meet ();
    double start = MPI_Wtime (), core = core_seconds ();
    if (way == FRESH && reads) {
        fresh = mmap (NULL, b->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        must (fresh != MAP_FAILED, "no memory");
        data = fresh;
    }
    if (way >= PRIVATE)
        by_larder (b, layout, way, &shared);
    else if (b->rank == 0 || way == EVERY)
        read_file (b, layout, data);
    if (way == BCAST)
        broadcast (b);
    double mine = reads ? MPI_Wtime () - start : 0, all = 0, cores = 0;
    core = core_seconds () - core;
    meet ();
    MPI_Reduce (&mine, &all, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
    MPI_Reduce (&core, &cores, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
    if (repeat >= 0) {
        b->seconds[layout][way][repeat] = all;
        b->core[layout][way][repeat] = cores;
    }
    if (way >= NODE)
        data = larder_shared_data (way == NODE ? shared : b->shared);
    if (repeat < 0 && reads)
        must (sum_of (data, b->size) == b->sum[layout], "the values differ");
    meet (); /* all have compared */
    if (repeat < 0 && reads)
        memset (way == AGAIN ? data : b->buffer, 0xff, b->size);
    if (fresh)
        must (munmap (fresh, b->size) == 0, "munmap");
    if (larder_shared_free (&shared, &err) != LARDER_OK)
        stop ("free", &err);
}

/* ---------------------------------------------------------------- what came of it */

static double median (const double *values, int count)
{
    double sorted[MOST];
    memcpy (sorted, values, (size_t)count * sizeof *values);
    return larder_figures_median (sorted, count);
}

static double ratio (const bench *b, int layout, int way)
{
    double of[MOST];
    for (int i = 0; i < b->repeats; ++i)
        of[i] = b->seconds[layout][way][i] / b->seconds[layout][ONE][i];
    return median (of, b->repeats);
}

static void print_table (const bench *b)
{
    printf ("%llu bytes of float64, %d ranks on %d node%s, %d repeats\n",
            (unsigned long long)b->size, b->ranks, b->nodes, b->nodes == 1 ? "" : "s", b->repeats);
    for (int layout = 0; layout < LAYOUTS; ++layout) {
        printf ("%-13s %5.2f : 1      seconds   ratio    cores\n", layouts[layout],
                (double)b->size / (double)b->stored[layout]);
        for (int way = 0; way < WAYS; ++way)
            printf ("  %-24s %8.4f %7.2f %8.3f  %s\n", ways[way].name,
                    median (b->seconds[layout][way], b->repeats), ratio (b, layout, way),
                    median (b->core[layout][way], b->repeats), ways[way].gives);
    }
}

static void print_json (const bench *b)
{
    printf ("{\"bytes\": %llu, \"ranks\": %d, \"nodes\": %d, \"repeats\": %d, \"layouts\": [",
            (unsigned long long)b->size, b->ranks, b->nodes, b->repeats);
    for (int layout = 0; layout < LAYOUTS; ++layout) {
        printf ("%s{\"layout\": \"%s\", \"stored_bytes\": %llu, \"ways\": [", layout ? ", " : "",
                layouts[layout], (unsigned long long)b->stored[layout]);
        for (int way = 0; way < WAYS; ++way)
            printf (
                "%s{\"way\": \"%s\", \"seconds\": %.6f, \"ratio\": %.4f, \"core_seconds\": %.6f}",
                way ? ", " : "", ways[way].name, median (b->seconds[layout][way], b->repeats),
                ratio (b, layout, way), median (b->core[layout][way], b->repeats));
        printf ("]}");
    }
    printf ("]}\n");
}

static int options (bench *b, int argc, char **argv)
{
    larder_error err = {0};
    char rest;
    int bad = 0;
    for (int i = 1; i < argc && !bad; ++i) {
        const char *name = argv[i], *text = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp (name, "--json") == 0) {
            b->json = 1;
            continue;
        }
        ++i;
        if (!text)
            bad = 1;
        else if (strcmp (name, "--size") == 0)
            bad = larder_config_size (text, &b->size, &err) != LARDER_OK;
        else if (strcmp (name, "--cache") == 0)
            bad = larder_config_size (text, &b->cache_size, &err) != LARDER_OK;
        else if (strcmp (name, "--dir") == 0)
            b->dir = text;
        else if (strcmp (name, "--repeats") == 0)
            bad = sscanf (text, "%d%c", &b->repeats, &rest) != 1;
        else
            bad = 1;
    }
    return bad || b->repeats < 1 || b->repeats > MOST || b->size < 8 * COLUMNS * CHUNK_ROWS ||
           b->size % (8 * COLUMNS);
}

int main (int argc, char **argv)
{
    bench *b = calloc (1, sizeof *b);
    larder_error err = {0};
    larder_session_info info;
    MPI_Init (&argc, &argv);
    must (b != NULL, "no memory");
    *b = (bench){.repeats = 7, .size = UINT64_C (512) << 20, .dir = "/dev/shm"};
    MPI_Comm_rank (MPI_COMM_WORLD, &b->rank);
    MPI_Comm_size (MPI_COMM_WORLD, &b->ranks);
    int help = larder_figures_help (argc, argv), rank = b->rank;
    if (help || options (b, argc, argv)) {
        free (b);
        return larder_figures_usage (
            rank, help,
            "use: mpirun -n 4 larder_node [--json] [--size SIZE] [--repeats 1..101] [--dir DIR] "
            "[--cache SIZE]\nSIZE in bytes, as 512MiB; that of the data a multiple of 64KiB "
            "from 16MiB on\n");
    }
    const larder_config config = {.cache_size = b->cache_size};
    if (larder_open (MPI_COMM_WORLD, &config, MPI_INFO_NULL, &b->session, &err) != LARDER_OK)
        stop ("open", &err);
    (void)larder_session_get_info (b->session, &info);
    b->nodes = info.node_count;
    b->buffer = malloc (b->size);
    must (b->buffer != NULL, "no memory");
    memset (b->buffer, 0xff, b->size);
    if (larder_shared_alloc (b->session, b->size, &b->shared, &err) != LARDER_OK)
        stop ("shared memory", &err);
    memset (larder_shared_data (b->shared), 0xff, b->size);
    if (b->rank == 0)
        make_file (b);
    meet ();
    MPI_Bcast (b->path, sizeof b->path, MPI_BYTE, 0, MPI_COMM_WORLD);
    MPI_Bcast (b->sum, LAYOUTS, MPI_UINT64_T, 0, MPI_COMM_WORLD);
    for (int layout = 0; layout < LAYOUTS; ++layout)
        for (int repeat = -1; repeat < b->repeats; ++repeat)
            for (int way = 0; way < WAYS; ++way)
                run (b, layout, way, repeat);
    if (b->rank == 0) {
        (void)unlink (b->path);
        if (b->json)
            print_json (b);
        else
            print_table (b);
    }
    if (larder_shared_free (&b->shared, &err) != LARDER_OK)
        stop ("free", &err);
    if (larder_close (&b->session, &err) != LARDER_OK)
        stop ("close", &err);
    free (b->buffer);
    free (b);
    return MPI_Finalize () != MPI_SUCCESS;
}
