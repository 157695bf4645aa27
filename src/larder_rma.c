/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_rma.h"
#include "larder_mpi.h"
#include "larder_num.h"
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

/* Request-based operations under way at a time; some MPIs abort beyond 255. */
#define PIECES_MAX 64
#define WRITES_MAX 64
/* Longest record: 8 words and a bit per rank of a node of 4096. */
#define WRITE_WORDS 72
#define PAGE        4096

struct piece {
    MPI_Request request;
    struct larder_get *get;
    size_t size;
};

struct write {
    MPI_Request request;
    int rank, op;
    size_t offset, n;
    uint64_t words[WRITE_WORDS];
};

struct rma {
    MPI_Comm comm;
    MPI_Win window;
    struct larder_rma_options options;
    int *peer_pieces; /* in flight, per rank */
    struct piece pieces[PIECES_MAX];
    int piece_count;
    struct write **queue; /* a ring: [head, head + started) are under way, the rest waits */
    size_t capacity, head, count, started;
    size_t unflushed; /* the last of the started */
};

int larder_rma_segment_free (MPI_Win *window, larder_error *err)
{
    if (*window == MPI_WIN_NULL)
        return LARDER_OK;
    return larder_mpi_check (MPI_Win_free (window), "MPI_Win_free of the node segment", err);
}

static int room (size_t size, const char *what, const char *advice, larder_error *err)
{
    struct statvfs vfs;
    if (statvfs ("/dev/shm", &vfs) != 0)
        return LARDER_OK; /* no such place: MPI keeps its segments elsewhere */
    uint64_t bytes = (uint64_t)vfs.f_bavail * vfs.f_frsize;
    if (bytes < size + PAGE)
        return larder_error_set (err, LARDER_ENOMEM, 0,
                                 "%s needs %zu bytes of shared memory, /dev/shm has %llu free%s",
                                 what, size, (unsigned long long)bytes, advice);
    return LARDER_OK;
}

int larder_rma_segment (MPI_Comm node_comm, size_t size, size_t zero, const char *what,
                        const char *advice, MPI_Win *window, void **base, larder_error *err)
{
    int rank = 0, unit = 0, rc = LARDER_OK, all = LARDER_OK;
    MPI_Aint length = 0;
    *window = MPI_WIN_NULL;
    rc = larder_mpi_check (MPI_Comm_rank (node_comm, &rank), "MPI_Comm_rank", err);
    if (rc == LARDER_OK && rank == 0)
        rc = room (size, what, advice, err);
    int agreed = larder_mpi_check (MPI_Allreduce (&rc, &all, 1, MPI_INT, MPI_MIN, node_comm),
                                   "MPI_Allreduce over a node", err);
    if (agreed != LARDER_OK || all != LARDER_OK)
        return agreed != LARDER_OK ? agreed : all;
    /* Open MPI aligns shared segments to 8 bytes only.  Mappings begin at pages, so rounding up gives
     * the same place in every process. */
    size_t room_size = size + PAGE;
    rc = larder_mpi_check (MPI_Win_allocate_shared (rank == 0 ? (MPI_Aint)room_size : 0, 1,
                                                    MPI_INFO_NULL, node_comm, base, window),
                           "MPI_Win_allocate_shared", err);
    if (rc == LARDER_OK)
        rc = larder_mpi_check (MPI_Win_set_errhandler (*window, MPI_ERRORS_RETURN),
                               "MPI_Win_set_errhandler", err);
    if (rc == LARDER_OK)
        rc = larder_mpi_check (MPI_Win_shared_query (*window, 0, &length, &unit, base),
                               "MPI_Win_shared_query", err);
    if (rc == LARDER_OK && (size_t)length < room_size)
        rc = larder_error_set (err, LARDER_EMPI, 0, "MPI_Win_shared_query: segment of %lld bytes",
                               (long long)length);
    if (rc == LARDER_OK)
        *base = (unsigned char *)*base + (PAGE - (uintptr_t)*base % PAGE) % PAGE;
    if (rc == LARDER_OK && rank == 0)
        memset (*base, 0, zero);
    agreed = larder_mpi_check (MPI_Allreduce (&rc, &all, 1, MPI_INT, MPI_MIN, node_comm),
                               "MPI_Allreduce over a node", err);
    return agreed != LARDER_OK ? agreed : all;
}

/* ---------------------------------------------------------------- bytes */

static int issue (struct rma *r, struct larder_get *get, larder_error *err)
{
    while (get->issued < get->size && r->piece_count < PIECES_MAX &&
           r->peer_pieces[get->rank] < r->options.gets_in_flight) {
        struct piece *p = &r->pieces[r->piece_count];
        p->get = get;
        p->size = larder_num_min_size (get->size - get->issued, r->options.piece_size);
        int rc = larder_mpi_check (MPI_Rget (get->buffer + get->issued, (int)p->size, MPI_BYTE,
                                             get->rank, (MPI_Aint)(get->offset + get->issued),
                                             (int)p->size, MPI_BYTE, r->window, &p->request),
                                   "MPI_Rget", err);
        if (rc != LARDER_OK)
            return get->in_flight ? LARDER_AGAIN : (get->state = rc);
        get->issued += p->size;
        ++get->in_flight;
        ++r->peer_pieces[get->rank];
        ++r->piece_count;
    }
    return LARDER_AGAIN;
}

static int complete_pieces (struct rma *r, larder_error *err)
{
    for (int i = 0; i < r->piece_count;) {
        struct piece *p = &r->pieces[i];
        int flag = 0;
        int rc =
            larder_mpi_check (MPI_Test (&p->request, &flag, MPI_STATUS_IGNORE), "MPI_Test", err);
        if (rc == LARDER_OK && !flag) {
            ++i;
            continue;
        }
        struct larder_get *get = p->get;
        --get->in_flight;
        --r->peer_pieces[get->rank];
        get->done += p->size;
        r->pieces[i] = r->pieces[--r->piece_count];
        if (rc != LARDER_OK)
            get->state = rc;
        else if (get->state == LARDER_AGAIN && get->done == get->size)
            get->state = LARDER_OK;
    }
    return LARDER_OK;
}

static int rma_get (void *self, struct larder_get *get, larder_error *err)
{
    get->state = LARDER_AGAIN;
    get->issued = get->done = 0;
    get->in_flight = 0;
    return issue (self, get, err);
}

static int rma_test (void *self, struct larder_get *get, larder_error *err)
{
    complete_pieces (self, err);
    if (get->state == LARDER_AGAIN && get->issued < get->size)
        issue (self, get, err);
    return get->in_flight ? LARDER_AGAIN : get->state;
}

/* ---------------------------------------------------------------- words */

static struct write *queued (struct rma *r, size_t i)
{
    return r->queue[(r->head + i) % r->capacity];
}

static int start_writes (struct rma *r, larder_error *err)
{
    while (r->started < r->count && r->started < WRITES_MAX) {
        struct write *w = queued (r, r->started);
        MPI_Op op = w->op == LARDER_WRITE_MAX  ? MPI_MAX
                    : w->op == LARDER_WRITE_OR ? MPI_BOR
                                               : MPI_REPLACE;
        int rc = larder_mpi_check (MPI_Raccumulate (w->words, (int)w->n, MPI_UINT64_T, w->rank,
                                                    (MPI_Aint)w->offset, (int)w->n, MPI_UINT64_T,
                                                    op, r->window, &w->request),
                                   "MPI_Raccumulate", err);
        if (rc != LARDER_OK)
            return rc;
        ++r->started;
        ++r->unflushed;
    }
    return LARDER_OK;
}

/* Some MPIs (Open MPI's pt2pt) gather small writes and send them only when asked to; what is asked for
 * here is no more than that they leave. */
static int rma_push (void *self, larder_error *err)
{
    struct rma *r = self;
    int rc = start_writes (r, err);
    while (rc == LARDER_OK && r->unflushed) {
        int rank = queued (r, r->started - r->unflushed)->rank;
        rc = larder_mpi_check (MPI_Win_flush_local (rank, r->window), "MPI_Win_flush_local", err);
        while (r->unflushed && queued (r, r->started - r->unflushed)->rank == rank)
            --r->unflushed;
    }
    return rc;
}

static int complete_writes (struct rma *r, larder_error *err)
{
    while (r->started > r->unflushed) {
        int flag = 0;
        int rc = larder_mpi_check (MPI_Test (&queued (r, 0)->request, &flag, MPI_STATUS_IGNORE),
                                   "MPI_Test", err);
        if (rc != LARDER_OK)
            return rc;
        if (!flag)
            return LARDER_OK;
        free (queued (r, 0));
        r->head = (r->head + 1) % r->capacity;
        --r->started;
        --r->count;
    }
    return LARDER_OK;
}

static int grow_queue (struct rma *r, larder_error *err)
{
    size_t capacity = r->capacity ? 2 * r->capacity : 64;
    struct write **queue = malloc (capacity * sizeof *queue);
    if (!queue)
        return larder_error_set (err, LARDER_ENOMEM, 0, "transport: no memory for %zu writes",
                                 capacity);
    for (size_t i = 0; i < r->count; ++i)
        queue[i] = queued (r, i);
    free (r->queue);
    r->queue = queue;
    r->capacity = capacity;
    r->head = 0;
    return LARDER_OK;
}

static int rma_write (void *self, int rank, size_t offset, enum larder_write_op op,
                      const uint64_t *words, size_t n, larder_error *err)
{
    struct rma *r = self;
    int rc = LARDER_OK;
    if (n > WRITE_WORDS)
        return larder_error_set (err, LARDER_ERANGE, 0, "transport: a record of %zu words", n);
    if (r->count == r->capacity && (rc = grow_queue (r, err)) != LARDER_OK)
        return rc;
    struct write *w = malloc (sizeof *w);
    if (!w)
        return larder_error_set (err, LARDER_ENOMEM, 0, "transport: no memory for a write");
    w->rank = rank;
    w->op = op;
    w->offset = offset;
    w->n = n;
    memcpy (w->words, words, n * sizeof *words);
    r->queue[(r->head + r->count++) % r->capacity] = w;
    return LARDER_OK;
}

static int rma_pending (void *self)
{
    struct rma *r = self;
    return r->count > (size_t)INT32_MAX ? INT32_MAX : (int)r->count;
}

static int rma_progress (void *self, larder_error *err)
{
    struct rma *r = self;
    int flag = 0;
    int rc = larder_mpi_check (MPI_Win_sync (r->window), "MPI_Win_sync", err);
    if (rc == LARDER_OK)
        rc = larder_mpi_check (
            MPI_Iprobe (MPI_ANY_SOURCE, MPI_ANY_TAG, r->comm, &flag, MPI_STATUS_IGNORE),
            "MPI_Iprobe", err);
    return rc == LARDER_OK ? complete_writes (r, err) : rc;
}

/* ---------------------------------------------------------------- open and close */

/* Windows are freed only when nothing is under way; else they are leaked, since MPI may still write. */
static void rma_close (void **self)
{
    struct rma *r = *self;
    *self = NULL;
    if (!r)
        return;
    larder_error ignored;
    if (r->piece_count == 0 && r->count == 0 && r->window != MPI_WIN_NULL) {
        if (larder_mpi_check (MPI_Win_unlock_all (r->window), "MPI_Win_unlock_all", &ignored) ==
            LARDER_OK)
            (void)larder_mpi_check (MPI_Win_free (&r->window), "MPI_Win_free", &ignored);
    } else if (r->window != MPI_WIN_NULL) {
        return;
    }
    for (size_t i = 0; i < r->count; ++i)
        free (queued (r, i));
    free (r->queue);
    free (r->peer_pieces);
    free (r);
}

static const struct larder_transport_ops ops = {
    .name = "one-sided",
    .get = rma_get,
    .test = rma_test,
    .write = rma_write,
    .push = rma_push,
    .pending = rma_pending,
    .progress = rma_progress,
    .close = rma_close,
};

static int check_model (MPI_Win window, larder_error *err)
{
    int *model = NULL, flag = 0;
    int rc = larder_mpi_check (MPI_Win_get_attr (window, MPI_WIN_MODEL, &model, &flag),
                               "MPI_Win_get_attr", err);
    if (rc == LARDER_OK && (!flag || *model != MPI_WIN_UNIFIED))
        rc = larder_error_set (
            err, LARDER_ENOWINDOW, 0,
            "session: MPI's windows have no unified memory model here, larder needs it");
    return rc;
}

int larder_rma_open (MPI_Comm comm, void *base, size_t size,
                     const struct larder_rma_options *options, struct larder_transport *transport,
                     larder_error *err)
{
    int ranks = 0;
    int rc = larder_mpi_check (MPI_Comm_size (comm, &ranks), "MPI_Comm_size", err);
    if (rc != LARDER_OK)
        return rc;
    struct rma *r = calloc (1, sizeof *r);
    int *peer_pieces = calloc ((size_t)ranks, sizeof *peer_pieces);
    if (!r || !peer_pieces)
        rc = larder_error_set (err, LARDER_ENOMEM, 0, "transport: no memory for %d ranks", ranks);
    int all = LARDER_OK;
    int agreed = larder_mpi_check (MPI_Allreduce (&rc, &all, 1, MPI_INT, MPI_MIN, comm),
                                   "MPI_Allreduce", err);
    if (agreed != LARDER_OK || all != LARDER_OK) {
        free (r);
        free (peer_pieces);
        return agreed != LARDER_OK ? agreed : all;
    }
    *r = (struct rma){
        .comm = comm, .window = MPI_WIN_NULL, .options = *options, .peer_pieces = peer_pieces};
    larder_error why = {0};
    rc =
        larder_mpi_check (MPI_Win_create (base, (MPI_Aint)size, 1, MPI_INFO_NULL, comm, &r->window),
                          "MPI_Win_create", &why);
    if (rc != LARDER_OK) {
        r->window = MPI_WIN_NULL;
        rc = larder_error_set (
            err, LARDER_ENOWINDOW, why.detail,
            "session: no one-sided window over these hosts (%s); with Open MPI 4 over "
            "Ethernet export OMPI_MCA_osc=sm,pt2pt before mpirun",
            why.text);
    }
    if (rc == LARDER_OK)
        rc = larder_mpi_check (MPI_Win_set_errhandler (r->window, MPI_ERRORS_RETURN),
                               "MPI_Win_set_errhandler", err);
    if (rc == LARDER_OK)
        rc = check_model (r->window, err);
    if (rc == LARDER_OK)
        rc = larder_mpi_check (MPI_Win_lock_all (MPI_MODE_NOCHECK, r->window), "MPI_Win_lock_all",
                               err);
    if (rc != LARDER_OK) {
        if (r->window != MPI_WIN_NULL)
            (void)larder_mpi_check (MPI_Win_free (&r->window), "MPI_Win_free", &why);
        free (r->peer_pieces);
        free (r);
        return rc;
    }
    *transport = (struct larder_transport){&ops, r};
    return LARDER_OK;
}
