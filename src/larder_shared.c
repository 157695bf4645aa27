/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that the ranks of a node share, and one copy of an object in it. */
#include "larder_mpi.h"
#include "larder_num.h"
#include "larder_progress.h"
#include "larder_rma.h"
#include "larder_terms.h"
#include <inttypes.h>
#include <larder/collective.h>
#include <larder/shared.h>
#include <stdlib.h>
#include <string.h>

/* Blocks of the memory that its ranks fill: each block by the rank that comes to it first, so that who has
 * more to do elsewhere does less here. */
#define BLOCK (UINT64_C (256) << 10)

struct larder_shared {
    larder *session;
    MPI_Win window;
    unsigned char *base;
    uint64_t size;
    uint64_t items;
    uint64_t
        item_size;  /* of all but the last one; 0: they differ, and `ends` says where each ends */
    uint64_t *ends; /* behind the data, in the same memory */
    larder_word *claims; /* behind them: of each block, 1 + the rank of the node that fills it */
};

static int round_up (uint64_t size, uint64_t *rounded)
{
    return larder_num_add (size, 63, rounded) ? -1 : (*rounded &= ~UINT64_C (63), 0);
}

/* ---------------------------------------------------------------- memory */

/* With room for claims, and for a table of items when their sizes differ.  The same code on all ranks of the
 * session. */
static int make (larder *s, const struct larder_terms *t, larder_shared **out, larder_error *err)
{
    larder_error why = {0};
    uint64_t data = 0, table = 0, all = 0, claims = (t->size / BLOCK + 1) * sizeof (larder_word);
    void *base = NULL;
    larder_shared *m = calloc (1, sizeof *m);
    int rc = m ? LARDER_OK : larder_error_set (&why, LARDER_ENOMEM, 0, "shared memory: no memory");
    if (rc == LARDER_OK &&
        (round_up (t->size, &data) ||
         (t->item_size == 0 && larder_num_mul (t->items, sizeof *m->ends, &table)) ||
         larder_num_add (data, table, &all) || larder_num_add (all, claims, &all) ||
         all > SIZE_MAX / 2))
        rc = larder_error_set (&why, LARDER_ENOMEM, 0,
                               "shared memory: %" PRIu64 " bytes are too many", t->size);
    rc = larder_agree (s, rc, &why, err); /* all of a node, or none, make it */
    if (rc == LARDER_OK) {
        m->window = MPI_WIN_NULL;
        rc = larder_rma_segment (s->node_comm, (size_t)all, 0, "shared memory", "", &m->window,
                                 &base, &why);
        if (rc == LARDER_OK && s->nodecache.local == 0)
            memset ((unsigned char *)base + data + table, 0, (size_t)claims);
        rc = larder_agree (s, rc, &why, err);
    }
    if (rc != LARDER_OK) {
        if (m && base)
            (void)larder_rma_segment_free (&m->window, &why);
        free (m);
        return rc;
    }
    m->session = s;
    m->base = base;
    m->size = t->size;
    m->items = t->items;
    m->item_size = t->item_size;
    m->ends = (uint64_t *)(void *)(m->base + data);
    m->claims = (larder_word *)(void *)(m->base + data + table);
    *out = m;
    return LARDER_OK;
}

int larder_shared_alloc (larder *s, uint64_t size, larder_shared **shared, larder_error *err)
{
    struct larder_terms t = {.size = size, .item_size = 1};
    larder_error why = {0};
    int rc = larder_progress_enter (s, "larder_shared_alloc", err);
    if (rc != LARDER_OK)
        return larder_progress_leave (s, rc, err);
    if (!shared)
        rc = larder_error_set (&why, LARDER_EINVAL, 0, "larder_shared_alloc: shared is NULL");
    rc = larder_terms_compare (s, size, rc, &why, "larder_shared_alloc: size", err);
    return rc == LARDER_OK ? make (s, &t, shared, err) : rc;
}

int larder_shared_free (larder_shared **shared, larder_error *err)
{
    if (!shared || !*shared)
        return LARDER_OK;
    larder_shared *m = *shared;
    larder *s = m->session;
    MPI_Request request;
    if (s->in_callback)
        return larder_error_set (err, LARDER_ECALLBACK, 0,
                                 "larder_shared_free: called from inside a callback");
    *shared = NULL;
    int rc = larder_progress_enter (s, "larder_shared_free", err);
    if (rc == LARDER_OK)
        rc = larder_mpi_check (MPI_Ibarrier (s->node_comm, &request), "MPI_Ibarrier over a node",
                               err);
    if (rc == LARDER_OK) {
        rc = larder_progress_request (s, &request, err);
        if (rc == LARDER_ETIMEDOUT)
            larder_error_set (err, rc, 0,
                              "larder_shared_free: not all ranks of the node came; the memory is "
                              "leaked");
    }
    if (rc == LARDER_OK)
        rc = larder_rma_segment_free (&m->window, err);
    free (m);
    return larder_progress_leave (s, rc, err);
}

void *larder_shared_data (const larder_shared *shared)
{
    return shared->base;
}

uint64_t larder_shared_size (const larder_shared *shared)
{
    return shared->size;
}

int larder_shared_agree (larder_shared *shared, int code, const larder_error *mine,
                         larder_error *err)
{
    if (!shared)
        return larder_error_set (err, LARDER_EINVAL, 0, "larder_shared_agree: shared is NULL");
    atomic_thread_fence (memory_order_seq_cst);
    int rc = larder_agree (shared->session, code, mine, err);
    atomic_thread_fence (memory_order_seq_cst);
    return rc;
}

/* ---------------------------------------------------------------- items */

uint64_t larder_shared_items (const larder_shared *shared)
{
    return shared->items;
}

const void *larder_shared_item (const larder_shared *m, uint64_t item, uint64_t *size)
{
    if (item >= m->items)
        return NULL;
    uint64_t begin = m->item_size ? item * m->item_size : item ? m->ends[item - 1] : 0;
    uint64_t end = !m->item_size          ? m->ends[item]
                   : item + 1 == m->items ? m->size
                                          : begin + m->item_size;
    if (size)
        *size = end - begin;
    return m->base + begin;
}

/* ---------------------------------------------------------------- filling it */

struct filling {
    larder_shared *shared;
    uint64_t rank; /* on the node */
    uint64_t at;   /* bytes of the object that were shown */
};

static int is_mine (const struct filling *f, uint64_t at)
{
    larder_word *claim = &f->shared->claims[at / BLOCK];
    uint64_t by = larder_load (claim);
    if (by == 0 && atomic_compare_exchange_strong (claim, &by, f->rank + 1))
        return 1;
    return by == f->rank + 1;
}

static void copy_mine (const struct filling *f, const unsigned char *from, uint64_t size)
{
    for (uint64_t done = 0; done < size;) {
        uint64_t at = f->at + done;
        uint64_t n = larder_num_min (size - done, BLOCK - at % BLOCK);
        if (is_mine (f, at))
            memcpy (f->shared->base + at, from + done, (size_t)n);
        done += n;
    }
}

/* Where items end: the rank that has an item's last byte, or would have it, writes it down. */
static void note_ends (const struct filling *f, const larder_view *v)
{
    uint64_t end = f->at;
    for (uint64_t i = 0; i < v->count; ++i) {
        end += v->count == 1 ? v->size : v->item_sizes ? v->item_sizes[i] : v->item_size;
        if ((i + 1 < v->count || v->item_ends) && is_mine (f, end))
            f->shared->ends[v->item + i] = end;
    }
}

static int consume (void *self, const larder_view *v, larder_error *err)
{
    struct filling *f = self;
    if (v->size > f->shared->size - f->at || v->item + v->count > f->shared->items)
        return larder_error_set (err, LARDER_ESTALE, 0,
                                 "the object has become larger than its owner said");
    copy_mine (f, v->data, v->size);
    if (!f->shared->item_size)
        note_ends (f, v);
    f->at += v->size;
    return LARDER_OK;
}

static int completed (void *self, larder_error *err)
{
    const struct filling *f = self;
    if (f->at == f->shared->size)
        return LARDER_OK;
    return larder_error_set (err, LARDER_ESTALE, 0,
                             "the object has become smaller than its owner said");
}

int larder_download_node (larder *s, const larder_ref *ref, larder_shared **shared,
                          larder_error *err)
{
    struct larder_terms terms;
    larder_error why = {0};
    larder_shared *m = NULL;
    int rc = larder_progress_enter (s, "larder_download_node", err);
    if (rc != LARDER_OK)
        return larder_progress_leave (s, rc, err);
    if (!shared)
        rc = larder_error_set (&why, LARDER_EINVAL, 0, "larder_download_node: shared is NULL");
    rc = larder_terms_ask (s, ref, rc, &why, &terms, err);
    if (rc == LARDER_OK && terms.end_item - terms.first_item != terms.items)
        return larder_error_set (
            err, LARDER_ENOTSUP, 0,
            "rank %d: larder_download_node: the ref names a part of the object", s->rank);
    if (rc == LARDER_OK && terms.unknown)
        return larder_error_set (err, LARDER_ENOTSUP, 0,
                                 "rank %d: larder_download_node: the sizes of the object's items "
                                 "are known only by producing them",
                                 s->rank);
    if (rc == LARDER_OK)
        rc = make (s, &terms, &m, err);
    if (rc != LARDER_OK)
        return rc;
    struct filling f = {.shared = m, .rank = (uint64_t)s->nodecache.local};
    larder_consumer consumer = {
        .self = &f, .consume_items = consume, .download_completed = completed};
    rc = larder_download_all (s, ref, &consumer, &why);
    rc = larder_shared_agree (m, rc, &why, err);
    if (rc == LARDER_OK)
        *shared = m;
    else
        (void)larder_shared_free (&m, NULL);
    return rc;
}
