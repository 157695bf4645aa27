/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, wiring and closing a session. */
#define _GNU_SOURCE
#include "larder_mpi.h"
#include "larder_num.h"
#include "larder_ownertxn.h"
#include "larder_pause.h"
#include "larder_progress.h"
#include "larder_rma.h"
#include <inttypes.h>
#include <larder/offer.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* Entries of ready rings and directories: how far a node's slowest rank may be behind. */
#define RING_MAX 64
/* Ranks of a node, as bits in the owner's answer. */
#define NODE_SIZE_MAX 4096

/* Before a session can make progress: the lowest failing rank's code and text, on all ranks. */
static int agree (MPI_Comm comm, int code, larder_error *err)
{
    struct {
        int code, rank;
    } mine = {0, 0}, lowest = {0, 0};
    larder_error text = {0};
    int size = 0;
    if (err)
        text = *err;
    int rc = larder_mpi_check (MPI_Comm_rank (comm, &mine.rank), "MPI_Comm_rank", err);
    if (rc == LARDER_OK)
        rc = larder_mpi_check (MPI_Comm_size (comm, &size), "MPI_Comm_size", err);
    int first = code < 0 ? mine.rank : size;
    if (rc == LARDER_OK)
        rc = larder_mpi_check (MPI_Allreduce (&first, &lowest.rank, 1, MPI_INT, MPI_MIN, comm),
                               "MPI_Allreduce", err);
    if (rc != LARDER_OK || lowest.rank == size)
        return rc;
    text.code = code;
    text.rank = mine.rank;
    rc = larder_mpi_check (MPI_Bcast (&text, (int)sizeof text, MPI_BYTE, lowest.rank, comm),
                           "MPI_Bcast", err);
    if (rc != LARDER_OK)
        return rc;
    char line[LARDER_ERROR_TEXT];
    memcpy (line, text.text, sizeof line);
    line[sizeof line - 1] = 0;
    larder_error_set (err, text.code, text.detail, "rank %d: %.480s", text.rank,
                      line[0] ? line : larder_code_text (text.code));
    if (err)
        err->rank = text.rank;
    return text.code;
}

/* ---------------------------------------------------------------- settings */

struct hints {
    MPI_Info info;
    char value[MPI_MAX_INFO_VAL + 1];
};

static const char *hint (void *self, const char *name)
{
    struct hints *h = self;
    int flag = 0;
    if (MPI_Info_get (h->info, name, MPI_MAX_INFO_VAL, h->value, &flag) != MPI_SUCCESS)
        return NULL;
    return flag ? h->value : NULL;
}

static int check_owners (const larder *s, larder_error *err)
{
    for (int i = 0; i < s->settings.owner_count; ++i) {
        if (s->owners[i] < 0 || s->owners[i] >= s->size)
            return larder_error_set (err, LARDER_EINVAL, 0, "owners: there is no rank %d among %d",
                                     s->owners[i], s->size);
        for (int k = 0; k < i; ++k)
            if (s->owners[k] == s->owners[i])
                return larder_error_set (err, LARDER_EINVAL, 0, "owners: rank %d is listed twice",
                                         s->owners[i]);
    }
    return LARDER_OK;
}

static int settle_settings (larder *s, const larder_config *config, MPI_Info info,
                            larder_error *err)
{
    struct hints hints = {.info = info};
    int rc = larder_config_resolve (config, info == MPI_INFO_NULL ? NULL : hint, &hints,
                                    &s->settings, err);
    if (rc != LARDER_OK)
        return rc;
    s->owners = malloc ((size_t)s->settings.owner_count * sizeof *s->owners);
    if (!s->owners)
        return larder_error_set (err, LARDER_ENOMEM, 0, "session: no memory for %d owners",
                                 s->settings.owner_count);
    memcpy (s->owners, s->settings.owners, (size_t)s->settings.owner_count * sizeof *s->owners);
    s->settings.owners = s->owners;
    return check_owners (s, err);
}

/* Equal settings on all ranks; the session's number comes from rank 0. */
static int compare_settings (larder *s, larder_error *err)
{
    uint64_t words[2] = {larder_config_hash (&s->settings), 0}, mine = words[0];
    if (s->rank == 0 && getrandom (&words[1], sizeof words[1], 0) != sizeof words[1])
        words[1] = larder_num_mix ((uint64_t)time (NULL) ^ (uint64_t)getpid () << 32);
    int rc = larder_mpi_check (MPI_Bcast (words, 2, MPI_UINT64_T, 0, s->comm), "MPI_Bcast", err);
    if (rc != LARDER_OK)
        return rc;
    s->id = words[1];
    if (words[0] != mine)
        rc = larder_error_set (
            err, LARDER_EMISMATCH, 0,
            "larder_open: the settings differ from those of rank 0 (chunk size here %" PRIu64
            ", cache size %" PRIu64 ")",
            s->settings.chunk_size, s->settings.cache_size);
    return agree (s->comm, rc, err);
}

/* ---------------------------------------------------------------- nodes and memory */

static int find_nodes (larder *s, larder_error *err)
{
    int leader = s->rank, rc;
    int *leaders = malloc ((size_t)s->size * sizeof *leaders);
    if (!leaders)
        return larder_error_set (err, LARDER_ENOMEM, 0, "session: no memory for %d ranks", s->size);
    rc = larder_mpi_check (MPI_Bcast (&leader, 1, MPI_INT, 0, s->node_comm),
                           "MPI_Bcast over a node", err);
    if (rc == LARDER_OK)
        rc = larder_mpi_check (MPI_Allgather (&leader, 1, MPI_INT, leaders, 1, MPI_INT, s->comm),
                               "MPI_Allgather", err);
    if (rc == LARDER_OK)
        rc = larder_topology_make (&s->topology, s->size, leaders, err);
    free (leaders);
    if (rc == LARDER_OK && s->topology.node_size_max > NODE_SIZE_MAX)
        rc = larder_error_set (err, LARDER_ERANGE, 0,
                               "session: %d ranks on a node, %d can be served",
                               s->topology.node_size_max, NODE_SIZE_MAX);
    return rc;
}

/* Number the owners of each node; returns the largest number on one. */
static int count_owners (larder *s, int *owner_home)
{
    int most = 0;
    for (int i = 0; i < s->settings.owner_count; ++i) {
        owner_home[i] = 0;
        for (int k = 0; k < i; ++k)
            owner_home[i] += s->topology.node[s->owners[k]] == s->topology.node[s->owners[i]];
        if (owner_home[i] >= most)
            most = owner_home[i] + 1;
    }
    return most;
}

static int lay_out (larder *s, larder_error *err)
{
    struct larder_nodecache *nc = &s->nodecache;
    nc->owner_home = calloc ((size_t)s->settings.owner_count, sizeof *nc->owner_home);
    if (!nc->owner_home)
        return larder_error_set (err, LARDER_ENOMEM, 0, "session: no memory for owners");
    struct larder_wire_shape shape = {.node_count = (uint64_t)s->topology.node_count,
                                      .node_size = (uint64_t)s->topology.node_size_max,
                                      .owner_count = (uint64_t)s->settings.owner_count,
                                      .owners_per_node = (uint64_t)count_owners (s, nc->owner_home),
                                      .max_lines = (uint64_t)s->settings.max_lines,
                                      .max_objects = (uint64_t)s->settings.max_objects,
                                      .chunk_size = s->settings.chunk_size,
                                      .slot_count = s->settings.slot_count,
                                      .ring = larder_num_min (RING_MAX, s->settings.slot_count),
                                      .collective_size = s->settings.collective_size};
    int rc = larder_wire_layout_make (&shape, &nc->layout, err);
    nc->topology = &s->topology;
    nc->rank = s->rank;
    nc->node = s->topology.node[s->rank];
    nc->local = s->topology.local[s->rank];
    nc->owners = s->owners;
    nc->owner_count = s->settings.owner_count;
    return rc;
}

static int make_segment (larder *s, larder_error *err)
{
    struct larder_nodecache *nc = &s->nodecache;
    void *base = NULL;
    int rc = larder_rma_segment (s->node_comm, nc->layout.total, nc->layout.control_size,
                                 "session: the node's cache", "; lower cache_size", &s->segment,
                                 &base, err);
    if (rc != LARDER_OK)
        return rc;
    nc->base = base;
    nc->pool = (struct larder_pool *)(void *)(nc->base + nc->layout.pool);
    if (nc->local == 0)
        larder_pool_init (nc->pool, (uint32_t)nc->layout.shape.slot_count);
    return larder_mpi_check (MPI_Barrier (s->node_comm), "MPI_Barrier over a node", err);
}

static int make_owner (larder *s, larder_error *err)
{
    struct larder_owner_options options = {.words = {&s->nodecache, &s->transport},
                                           .clock = s->clock,
                                           .settings = &s->settings,
                                           .stats = &s->stats,
                                           .in_callback = &s->in_callback,
                                           .rank = s->rank,
                                           .session = s->id};
    for (int i = 0; i < s->settings.owner_count; ++i)
        if (s->owners[i] == s->rank) {
            options.index = i;
            options.home = s->nodecache.owner_home[i];
            return larder_owner_open (&options, &s->owner, err);
        }
    return LARDER_OK;
}

/* ---------------------------------------------------------------- open */

static void tear_down (larder *s)
{
    larder_error ignored;
    larder_owner_close (&s->owner);
    if (s->transport.ops)
        s->transport.ops->close (&s->transport.self);
    (void)larder_rma_segment_free (&s->segment, &ignored);
    if (s->node_comm != MPI_COMM_NULL)
        (void)larder_mpi_check (MPI_Comm_free (&s->node_comm), "MPI_Comm_free", &ignored);
    if (s->comm != MPI_COMM_NULL)
        (void)larder_mpi_check (MPI_Comm_free (&s->comm), "MPI_Comm_free", &ignored);
    larder_topology_free (&s->topology);
    free (s->nodecache.owner_home);
    free (s->owners);
    free (s);
}

static int duplicate (larder *s, MPI_Comm comm, larder_error *err)
{
    int rc = larder_mpi_meet (comm, err);
    if (rc == LARDER_OK)
        rc = larder_mpi_check (MPI_Comm_dup (comm, &s->comm), "MPI_Comm_dup", err);
    if (rc == LARDER_OK)
        rc = larder_mpi_check (MPI_Comm_set_errhandler (s->comm, MPI_ERRORS_RETURN),
                               "MPI_Comm_set_errhandler", err);
    if (rc == LARDER_OK)
        rc = larder_mpi_check (MPI_Comm_rank (s->comm, &s->rank), "MPI_Comm_rank", err);
    if (rc == LARDER_OK)
        rc = larder_mpi_check (MPI_Comm_size (s->comm, &s->size), "MPI_Comm_size", err);
    if (rc == LARDER_OK)
        rc = larder_mpi_check (
            MPI_Comm_split_type (s->comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &s->node_comm),
            "MPI_Comm_split_type", err);
    if (rc == LARDER_OK)
        rc = larder_mpi_check (MPI_Comm_set_errhandler (s->node_comm, MPI_ERRORS_RETURN),
                               "MPI_Comm_set_errhandler", err);
    return rc;
}

/* Steps that are collective one by one; each is agreed on before the next. */
static int build (larder *s, const larder_config *config, MPI_Info info, larder_error *err)
{
    int rc = agree (s->comm, settle_settings (s, config, info, err), err);
    if (rc == LARDER_OK)
        rc = compare_settings (s, err);
    if (rc == LARDER_OK)
        rc = agree (s->comm, find_nodes (s, err), err);
    if (rc == LARDER_OK)
        rc = agree (s->comm, lay_out (s, err), err);
    if (rc == LARDER_OK)
        rc = agree (s->comm, make_segment (s, err), err);
    if (rc == LARDER_OK && s->topology.node_count > 1) {
        struct larder_rma_options options = {.piece_size = (size_t)s->settings.piece_size,
                                             .gets_in_flight = s->settings.gets_in_flight};
        rc = larder_rma_open (s->comm, s->nodecache.base, s->nodecache.layout.total, &options,
                              &s->transport, err);
        rc = agree (s->comm, rc, err);
    }
    if (rc == LARDER_OK)
        rc = agree (s->comm, make_owner (s, err), err);
    return rc;
}

int larder_open (MPI_Comm comm, const larder_config *config, MPI_Info info, larder **session,
                 larder_error *err)
{
    larder_error local = {0};
    larder_error *e = err ? err : &local;
    larder_error before = *e;
    if (!session)
        return larder_error_set (e, LARDER_EINVAL, 0, "larder_open: session is NULL");
    larder *s = calloc (1, sizeof *s);
    if (!s)
        return larder_error_set (e, LARDER_ENOMEM, 0, "larder_open: no memory");
    s->comm = s->node_comm = MPI_COMM_NULL;
    s->segment = MPI_WIN_NULL;
    s->clock = larder_clock_monotonic ();
    memset (e->text, 0, sizeof e->text);
    int rc = duplicate (s, comm, e);
    if (rc == LARDER_OK)
        rc = build (s, config, info, e);
    if (rc != LARDER_OK) {
        tear_down (s);
        return rc;
    }
    s->reader = (struct larder_reader){.words = {&s->nodecache, &s->transport},
                                       .clock = s->clock,
                                       .settings = &s->settings,
                                       .stats = &s->stats,
                                       .in_callback = &s->in_callback};
    *e = before;
    *session = s;
    return LARDER_OK;
}

/* ---------------------------------------------------------------- close */

static int quiet (void *self)
{
    const larder *s = self;
    return (!s->transport.ops || s->transport.ops->pending (s->transport.self) == 0) &&
           !larder_reader_abandoned (&s->reader);
}

static int meet_once (larder *s, larder_error *err)
{
    MPI_Request request;
    int rc = larder_progress_until (s, quiet, s, s->settings.timeout_s, err);
    if (rc == LARDER_OK)
        rc = larder_mpi_check (MPI_Ibarrier (s->comm, &request), "MPI_Ibarrier", err);
    if (rc == LARDER_OK)
        rc = larder_progress_request (s, &request, err);
    return rc;
}

/* Windows are freed by all or by none.  Who waits for the others still answers them, and may have words
 * under way when they have come; so they meet again, now without an owner that would write more. */
static int meet (larder *s, larder_error *err)
{
    int rc = meet_once (s, err);
    if (rc != LARDER_OK)
        return rc;
    larder_owner_close (&s->owner);
    return meet_once (s, err);
}

int larder_close (larder **session, larder_error *err)
{
    if (!session || !*session)
        return LARDER_OK;
    larder *s = *session;
    if (s->in_callback)
        return larder_error_set (err, LARDER_ECALLBACK, 0,
                                 "larder_close: called from inside a callback");
    *session = NULL;
    while (s->owner && s->owner->txn_count)
        larder_ownertxn_end (s->owner, s->owner->txns[0], LARDER_DONE_DELETED, LARDER_EGONE,
                             "its owner closed the session");
    for (larder_request *q = s->reader.requests; q; q = q->next)
        larder_reader_fail (q, LARDER_ECANCELED, "the session is closed");
    int rc = s->broken ? LARDER_ETIMEDOUT : larder_pause_leave (s, err);
    if (rc == LARDER_OK)
        rc = meet (s, err);
    if (rc == LARDER_OK) {
        while (s->reader.requests) {
            larder_request *q = s->reader.requests;
            larder_reader_remove (q);
            free (q);
        }
        tear_down (s);
        return LARDER_OK;
    }
    /* Others may still write into the windows, and MPI into the buffers: nothing is freed. */
    if (rc == LARDER_ETIMEDOUT)
        larder_error_set (err, rc, 0,
                          "rank %d: larder_close: not all ranks came; the session's windows are "
                          "leaked",
                          s->rank);
    return rc;
}

/* ---------------------------------------------------------------- looking */

int larder_session_get_info (const larder *s, larder_session_info *info)
{
    if (!s || !info)
        return LARDER_EINVAL;
    const struct larder_wire_layout *l = &s->nodecache.layout;
    *info = (larder_session_info){
        .rank = s->rank,
        .size = s->size,
        .node = s->nodecache.node,
        .node_count = s->topology.node_count,
        .node_rank = s->nodecache.local,
        .node_size = larder_topology_node_size (&s->topology, s->nodecache.node),
        .transport = s->transport.ops ? s->transport.ops->name : "shared memory",
        .id = s->id,
        .chunk_size = s->settings.chunk_size,
        .cache_size = s->settings.cache_size,
        .piece_size = s->settings.piece_size,
        .control_size = l->control_size,
        .slot_count = l->shape.slot_count,
        .timeout_s = s->settings.timeout_s};
    return LARDER_OK;
}

int larder_session_get_stats (const larder *s, larder_stats *stats)
{
    if (!s || !stats)
        return LARDER_EINVAL;
    *stats = s->stats;
    stats->peak_cache_bytes = s->nodecache.pool->peak * s->settings.chunk_size;
    return LARDER_OK;
}
