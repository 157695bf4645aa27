/* SPDX-License-Identifier: Apache-2.0 */
/* larder_memory WAY [SIZE]: every rank gets one object of SIZE bytes by one way and uses it (adds it up), for memory.sh to
 * watch from outside how much memory the node's ranks take together.  Rank 0 makes the object's bytes as they are asked
 * for, so no other copy is counted. */
#define _GNU_SOURCE
#include "larder_figures.h"
#include <larder/larder.h>
#include <time.h>

static const char usage[] = "use: mpirun -n N larder_memory WAY [SIZE]\n"
                            "  WAY   bcast  MPI_Bcast into each rank's memory\n"
                            "        copy   larder_download_all, copied into each rank's memory\n"
                            "        view   larder_download_all, read in place: nothing is kept\n"
                            "        pull   larder_download, read in place: nothing is kept\n"
                            "        node   larder_download_node: one copy per node\n"
                            "  SIZE  a multiple of 1MiB (512MiB)\n";

enum { ITEM = 1 << 20, STAY_MS = 500 };
enum { BCAST, COPY, VIEW, PULL, NODE, WAYS };
static const char *const names[WAYS] = {"bcast", "copy", "view", "pull", "node"};

typedef struct job {
    larder *session;
    int rank, way;
    uint64_t size, sum;
} job;

static void must (int good, const char *what, const larder_error *err)
{
    larder_figures_must (good, "larder_memory", what, err);
}

/* ---------------------------------------------------------------- the object */

static uint64_t word_at (uint64_t i)
{
    return (i + 1) * UINT64_C (0x9e3779b97f4a7c15);
}

static void make (uint64_t from, void *data, uint64_t size)
{
    uint64_t *words = data;
    for (uint64_t i = 0; i < size / 8; ++i)
        words[i] = word_at (from / 8 + i);
}

static int item_count (void *self, uint64_t *count, larder_error *err)
{
    (void)err;
    *count = ((job *)self)->size / ITEM;
    return LARDER_OK;
}

static int produce_item (void *self, uint64_t item, uint64_t offset, void *buffer, size_t capacity,
                         size_t *produced, int *last, larder_error *err)
{
    (void)self;
    (void)last;
    (void)err;
    make (item * ITEM + offset, buffer, capacity);
    *produced = capacity;
    return LARDER_OK;
}

static const larder_object_ops ops = {.item_count = item_count, .produce_item = produce_item};

/* ---------------------------------------------------------------- the ways */

static void add (job *j, const void *data, uint64_t size)
{
    const uint64_t *words = data;
    for (uint64_t i = 0; i < size / 8; ++i)
        j->sum += words[i];
}

static int look (void *self, const larder_view *view, larder_error *err)
{
    (void)err;
    add (self, view->data, view->size);
    return LARDER_OK;
}

/* What was got is there, and in use, while others look. */
static void stay (void)
{
    const struct timespec t = {STAY_MS / 1000, STAY_MS % 1000 * 1000000L};
    MPI_Barrier (MPI_COMM_WORLD);
    (void)nanosleep (&t, NULL);
    MPI_Barrier (MPI_COMM_WORLD);
}

static void by_mpi (job *j)
{
    char *data = malloc (j->size);
    must (data != NULL, "no memory", NULL);
    if (j->rank == 0)
        make (0, data, j->size);
    for (uint64_t at = 0; at < j->size; at += 1 << 30)
        MPI_Bcast (data + at, (int)(j->size - at < 1 << 30 ? j->size - at : 1 << 30), MPI_BYTE, 0,
                   MPI_COMM_WORLD);
    add (j, data, j->size);
    stay ();
    free (data);
}

static void by_larder (job *j)
{
    larder_error err = {0};
    larder_ref ref = {{0}};
    larder_shared *shared = NULL;
    larder_memory_sink sink = {.capacity = j->size};
    larder_consumer consumer = {.self = j, .consume_items = look};
    int rc = LARDER_OK;
    if (j->rank == 0) {
        const larder_object object = {
            .ops = &ops, .self = j, .name = "memory", .uniform_item_size = ITEM};
        must (larder_offer (j->session, &object, j->way == PULL ? LARDER_ALL : LARDER_EVERY_RANK,
                            &ref, &err) == LARDER_OK,
              "offer", &err);
    }
    MPI_Bcast (&ref, sizeof ref, MPI_BYTE, 0, MPI_COMM_WORLD);
    if (j->way == COPY) {
        must ((sink.buffer = malloc (j->size)) != NULL, "no memory", NULL);
        consumer = larder_consumer_memory (&sink);
    }
    if (j->way == NODE)
        rc = larder_download_node (j->session, &ref, &shared, &err);
    else if (j->way == PULL)
        rc = j->rank ? larder_download (j->session, &ref, &consumer, &err)
                     : larder_serve (j->session, 0, &err);
    else
        rc = larder_download_all (j->session, &ref, &consumer, &err);
    must (rc == LARDER_OK, names[j->way], &err);
    if (j->way == COPY)
        add (j, sink.buffer, j->size);
    if (j->way == NODE)
        add (j, larder_shared_data (shared), j->size);
    stay ();
    free (sink.buffer);
    must (larder_shared_free (&shared, &err) == LARDER_OK, "free", &err);
}

static int options (job *j, int argc, char **argv)
{
    for (j->way = 0; argc > 1 && j->way < WAYS && strcmp (argv[1], names[j->way]) != 0;)
        ++j->way;
    return argc > 1 && argc < 4 && j->way < WAYS &&
           (argc < 3 || larder_figures_size (argv[2], &j->size)) && j->size && j->size % ITEM == 0;
}

int main (int argc, char **argv)
{
    larder_error err = {0};
    job j = {.size = UINT64_C (512) << 20};
    uint64_t expected = 0;
    MPI_Init (&argc, &argv);
    MPI_Comm_rank (MPI_COMM_WORLD, &j.rank);
    const int help = larder_figures_help (argc, argv);
    if (help || !options (&j, argc, argv))
        return larder_figures_usage (j.rank, help, usage);
    if (j.way != BCAST)
        must (larder_open (MPI_COMM_WORLD, NULL, MPI_INFO_NULL, &j.session, &err) == LARDER_OK,
              "open", &err);
    if (j.way == BCAST)
        by_mpi (&j);
    else
        by_larder (&j);
    for (uint64_t i = 0; i < j.size / 8; ++i)
        expected += word_at (i);
    must (j.sum == expected || (j.way == PULL && j.rank == 0), "the data differs", NULL);
    if (j.session)
        must (larder_close (&j.session, &err) == LARDER_OK, "close", &err);
    return MPI_Finalize () != MPI_SUCCESS;
}
