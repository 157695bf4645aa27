/* SPDX-License-Identifier: Apache-2.0 */
/* The ways of an object in rank 0's memory. */
#include "larder_bench.h"
#include "larder_bench_sum.h"
#include <larder/collective.h>
#include <larder/offer.h>
#include <stdlib.h>
#include <string.h>

/* Words between two that change from run to run: one of every page. */
enum { STRIDE = 512 };

/* ---------------------------------------------------------------- steps that ways share */

struct ticket {
    int code;
    larder_ref ref;
};

int larder_bench_offer (struct larder_bench *b, const larder_object *object, int rc,
                        larder_receivers receivers, larder_ref *ref, larder_error *err)
{
    struct ticket ticket;
    memset (&ticket, 0, sizeof ticket);
    if (b->team->rank == 0) {
        if (rc == LARDER_OK) {
            rc = larder_offer (b->team->session, object, receivers, &ticket.ref, err);
            if (rc != LARDER_OK && object->ops->release)
                object->ops->release (object->self);
        }
        ticket.code = rc;
    }
    int mpi = MPI_Bcast (&ticket, (int)sizeof ticket, MPI_BYTE, 0, b->team->comm);
    if (mpi != MPI_SUCCESS)
        return larder_team_mpi_error (err, "MPI_Bcast", mpi);
    *ref = ticket.ref;
    if (ticket.code != LARDER_OK && b->team->rank != 0)
        return larder_error_set (err, LARDER_EREMOTE, 0, "rank 0 could not offer the object");
    return ticket.code;
}

int larder_bench_settle (struct larder_bench *b, const larder_ref *ref, int rc, larder_error *err)
{
    if (b->team->rank != 0)
        return rc;
    if (rc == LARDER_OK)
        return larder_serve (b->team->session, 0, err);
    (void)larder_withdraw (b->team->session, ref, NULL); /* why it failed is the one to tell */
    return rc;
}

int larder_bench_bcast (struct larder_bench *b, void *data, uint64_t size, larder_error *err)
{
    const uint64_t most = UINT64_C (1) << 30; /* counts are int */
    for (uint64_t at = 0; at < size; at += most) {
        uint64_t n = size - at < most ? size - at : most;
        int mpi = MPI_Bcast ((char *)data + at, (int)n, MPI_BYTE, 0, b->team->comm);
        if (mpi != MPI_SUCCESS)
            return larder_team_mpi_error (err, "MPI_Bcast", mpi);
    }
    return LARDER_OK;
}

static int offer_source (struct larder_bench *b, larder_receivers receivers, larder_ref *ref,
                         larder_error *err)
{
    larder_object object = {.ops = NULL};
    int rc = LARDER_OK;
    if (b->team->rank == 0)
        rc = larder_object_memory (b->source, b->bytes, 1 << 20, "bench", &object, err);
    return larder_bench_offer (b, &object, rc, receivers, ref, err);
}

/* A rank alone is its own receiver. */
static int receives (const struct larder_bench *b)
{
    return b->team->rank != 0 || b->team->size == 1;
}

/* ---------------------------------------------------------------- the ways */

static int add_view (void *self, const larder_view *view, larder_error *err)
{
    (void)err;
    larder_bench_sum_add (self, view->data, view->size);
    return LARDER_OK;
}

static int by_view (struct larder_bench *b, larder_error *err)
{
    struct larder_bench_sum sum = {0, {0}, 0};
    larder_consumer consumer = {.self = &sum, .consume_items = add_view};
    larder_ref ref;
    int rc = offer_source (b, LARDER_EVERY_RANK, &ref, err);
    if (rc != LARDER_OK)
        return rc;
    rc = larder_download_all (b->team->session, &ref, &consumer, err);
    b->sum = larder_bench_sum_end (&sum);
    return larder_bench_settle (b, &ref, rc, err);
}

static int by_copy (struct larder_bench *b, larder_error *err)
{
    larder_memory_sink sink = {.buffer = b->target, .capacity = b->bytes};
    larder_consumer consumer = larder_consumer_memory (&sink);
    larder_ref ref;
    larder_receivers receivers = b->team->size == 1 ? LARDER_EVERY_RANK : LARDER_ALL;
    int rc = offer_source (b, receivers, &ref, err);
    if (rc != LARDER_OK)
        return rc;
    rc = larder_download_all (b->team->session, &ref, receives (b) ? &consumer : NULL, err);
    b->data = receives (b) ? b->target : b->source;
    return larder_bench_settle (b, &ref, rc, err);
}

/* The copy stays for by_memcpy. */
static int by_node (struct larder_bench *b, larder_error *err)
{
    larder_ref ref;
    int rc = offer_source (b, LARDER_EVERY_RANK, &ref, err);
    if (rc != LARDER_OK)
        return rc;
    rc = larder_download_node (b->team->session, &ref, &b->shared, err);
    if (rc == LARDER_OK)
        b->data = larder_shared_data (b->shared);
    return larder_bench_settle (b, &ref, rc, err);
}

static int by_bcast (struct larder_bench *b, larder_error *err)
{
    b->data = b->team->rank == 0 ? b->source : b->target;
    return larder_bench_bcast (b, b->team->rank == 0 ? b->source : b->target, b->bytes, err);
}

static int by_memcpy (struct larder_bench *b, larder_error *err)
{
    (void)err;
    if (!receives (b))
        return LARDER_OK;
    memcpy (b->target, larder_shared_data (b->shared), b->bytes);
    b->data = b->target;
    return LARDER_OK;
}

enum { VIEW, COPY, BCAST, NODE, MEMCPY, WAYS };

static const struct larder_bench_way ways[WAYS] = {
    [VIEW] = {"view", "larder, read in place", "views; nothing is kept", 1, 1, by_view},
    [COPY] = {"copy", "larder, copied", "a private copy", 0, 0, by_copy},
    [BCAST] = {"bcast", "MPI_Bcast", "a private copy", 0, 1, by_bcast},
    [NODE] = {"node", "larder, one per node", "one copy per node, new memory", 0, 0, by_node},
    [MEMCPY] = {"memcpy_limit", "memcpy alone", "a private copy, from the node's", 0, 0, by_memcpy},
};

/* ---------------------------------------------------------------- the object */

/* Numbers that no stretch of the object shares with another. */
static void fill (struct larder_bench *b)
{
    uint64_t word = UINT64_C (0x9e3779b97f4a7c15);
    memset (b->source, 0, b->bytes);
    for (uint64_t at = 0; at + 8 <= b->bytes; at += 8) {
        word = word * UINT64_C (6364136223846793005) + UINT64_C (1442695040888963407);
        memcpy (b->source + at, &word, 8);
    }
}

static void change (struct larder_bench *b)
{
    const uint64_t step = UINT64_C (0xd1b54a32d192ed03);
    for (uint64_t i = b->runs * 37 % STRIDE; i < b->bytes / 8; i += STRIDE) {
        uint64_t word;
        memcpy (&word, b->source + i * 8, 8);
        word += step;
        memcpy (b->source + i * 8, &word, 8);
        b->expected += step;
    }
}

/* Rank 0 changes a word of every page, so what an earlier run left behind has another sum.  Not before
 * memcpy: it takes what the way before has put into the node's memory. */
static int renew (struct larder_bench *b, int way, larder_error *err)
{
    if (way == MEMCPY)
        return LARDER_OK;
    int rc = larder_shared_free (&b->shared, err);
    if (b->team->rank == 0)
        change (b);
    int mpi = MPI_Bcast (&b->expected, 1, MPI_UINT64_T, 0, b->team->comm);
    if (rc == LARDER_OK && mpi != MPI_SUCCESS)
        rc = larder_team_mpi_error (err, "MPI_Bcast", mpi);
    return rc;
}

static int make (struct larder_bench *b, larder_error *err)
{
    if (b->team->rank == 0)
        b->source = malloc (b->bytes);
    if (receives (b))
        b->target = malloc (b->bytes);
    if ((b->team->rank == 0 && !b->source) || (receives (b) && !b->target))
        return larder_error_set (err, LARDER_ENOMEM, 0, "bench: no memory for %llu bytes",
                                 (unsigned long long)b->bytes);
    if (b->source) {
        fill (b);
        b->expected = larder_bench_sum_of (b->source, b->bytes);
    }
    if (b->target)
        memset (b->target, 0xa5, b->bytes);
    return LARDER_OK;
}

int larder_bench_memory (struct larder_bench *b, struct larder_bench_result *result,
                         larder_error *err)
{
    const struct larder_bench_set set = {
        .ways = ways, .count = WAYS, .base = "bcast", .renew = renew};
    larder_error why = {0};
    b->bytes = b->args->size;
    int rc = larder_team_agree (b->team, make (b, err), err);
    if (rc == LARDER_OK)
        rc = larder_bench_measure (b, &set, result, err);
    if (larder_shared_free (&b->shared, &why) != LARDER_OK && rc == LARDER_OK) {
        rc = why.code;
        *err = why;
    }
    free (b->source);
    free (b->target);
    b->source = NULL;
    b->target = NULL;
    return rc;
}
