/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_txn.h"
#include <stdlib.h>

static int by_rank (const void *a, const void *b)
{
    const struct larder_receiver *x = a, *y = b;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

static int check (const struct larder_txn *t, int size, larder_error *err)
{
    for (int i = 0; i < t->count; ++i) {
        if (t->receivers[i].rank < 0 || t->receivers[i].rank >= size)
            return larder_error_set (err, LARDER_EINVAL, 0,
                                     "receivers: there is no rank %d in a session of %d",
                                     t->receivers[i].rank, size);
        if (i && t->receivers[i].rank == t->receivers[i - 1].rank)
            return larder_error_set (err, LARDER_EINVAL, 0, "receivers: rank %d is listed twice",
                                     t->receivers[i].rank);
    }
    return LARDER_OK;
}

int larder_txn_init (struct larder_txn *t, const int *ranks, int count, int size, int owner,
                     larder_error *err)
{
    *t = (struct larder_txn){0};
    int with_owner = !ranks && count == -1;
    if (!with_owner && (count < 0 || (!ranks && count)))
        return larder_error_set (err, LARDER_EINVAL, 0, "receivers: a count of %d without a list",
                                 count);
    t->count = ranks ? count : size - !with_owner;
    t->receivers = calloc ((size_t)t->count + 1, sizeof *t->receivers);
    if (!t->receivers)
        return larder_error_set (err, LARDER_ENOMEM, 0, "receivers: no memory for %d", t->count);
    for (int i = 0; i < t->count; ++i)
        t->receivers[i].rank = ranks ? ranks[i] : i + (i >= owner && !with_owner);
    qsort (t->receivers, (size_t)t->count, sizeof *t->receivers, by_rank);
    t->unseen = t->count;
    int rc = check (t, size, err);
    if (rc != LARDER_OK)
        larder_txn_free (t);
    return rc;
}

void larder_txn_free (struct larder_txn *t)
{
    free (t->receivers);
    t->receivers = NULL;
}

struct larder_receiver *larder_txn_find (const struct larder_txn *t, int rank)
{
    struct larder_receiver key = {.rank = rank};
    return t->count ? bsearch (&key, t->receivers, (size_t)t->count, sizeof key, by_rank) : NULL;
}

void larder_txn_acquired (struct larder_txn *t, int rank)
{
    struct larder_receiver *r = larder_txn_find (t, rank);
    if (r && r->state == LARDER_UNSEEN) {
        r->state = LARDER_ACQUIRED;
        --t->unseen;
    }
}

int larder_txn_final (struct larder_txn *t, int rank, int code)
{
    struct larder_receiver *r = larder_txn_find (t, rank);
    if (!r || r->state == LARDER_FINAL)
        return 0;
    if (r->state == LARDER_UNSEEN)
        --t->unseen;
    r->state = LARDER_FINAL;
    r->code = code;
    ++*(code == LARDER_OK ? &t->done : &t->failed);
    return 1;
}

int larder_txn_complete (const struct larder_txn *t)
{
    return t->count > 0 && t->done + t->failed == t->count;
}
