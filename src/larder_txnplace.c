/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_txnplace.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static int no_memory (int rank, larder_error *err)
{
    return larder_error_set (err, LARDER_ENOMEM, 0, "transaction: no memory for rank %d", rank);
}

/* ---------------------------------------------------------------- the list of receivers */

/* Room for more receivers.  What has grown stays so. */
static int make_room (struct larder_txn *t, int more)
{
    int capacity = t->capacity;
    while (capacity - t->count < more)
        capacity *= 2;
    if (capacity == t->capacity)
        return 0;
    struct larder_receiver *r = realloc (t->receivers, (size_t)capacity * sizeof *r);
    if (!r)
        return -1;
    t->receivers = r;
    for (int i = 0; i < t->page_count; ++i) {
        struct larder_standing *s = realloc (t->pages[i]->standing, (size_t)capacity * sizeof *s);
        if (!s)
            return -1;
        t->pages[i]->standing = s;
    }
    t->capacity = capacity;
    return 0;
}

/* Where a receiver belongs: ascending by rank, places that nobody has taken by via. */
static int position (const struct larder_txn *t, int rank, int via)
{
    int at = 0;
    while (at < t->count && (t->receivers[at].rank < rank ||
                             (t->receivers[at].rank == rank && t->receivers[at].via < via)))
        ++at;
    return at;
}

/* The caller has made room. */
static int insert (struct larder_txn *t, int rank, int via, int count, double now)
{
    int at = position (t, rank, via);
    size_t behind = (size_t)(t->count - at);
    memmove (&t->receivers[at + count], &t->receivers[at], behind * sizeof *t->receivers);
    for (int k = at; k < at + count; ++k)
        t->receivers[k] = (struct larder_receiver){.rank = rank, .via = via, .seen = now};
    for (int i = 0; i < t->page_count; ++i) {
        struct larder_standing *s = t->pages[i]->standing;
        memmove (&s[at + count], &s[at], behind * sizeof *s);
        memset (&s[at], 0, (size_t)count * sizeof *s);
    }
    t->count += count;
    return at;
}

static void take_out (struct larder_txn *t, int at)
{
    size_t behind = (size_t)(t->count - at - 1);
    memmove (&t->receivers[at], &t->receivers[at + 1], behind * sizeof *t->receivers);
    for (int i = 0; i < t->page_count; ++i) {
        struct larder_page *p = t->pages[i];
        struct larder_standing *s = p->standing;
        if (s[at].state != LARDER_UNSEEN)
            --p->begun;
        if (s[at].state == LARDER_FINAL)
            --*(s[at].code == LARDER_OK ? &p->done : &p->failed);
        free (s[at].track);
        memmove (&s[at], &s[at + 1], behind * sizeof *s);
    }
    --t->count;
}

/* It has been decided already that this receiver does not get something that others may still get. */
static int judged (const struct larder_txn *t, int at)
{
    for (int i = 0; i < t->page_count; ++i)
        if (!t->pages[i]->closed && t->pages[i]->standing[at].state == LARDER_FINAL)
            return 1;
    return 0;
}

/* A place made by via that can be taken, or -1. */
static int open_place (const struct larder_txn *t, int via)
{
    for (int i = 0; i < t->count && t->receivers[i].rank < 0; ++i)
        if (t->receivers[i].via == via && !judged (t, i))
            return i;
    return -1;
}

/* ---------------------------------------------------------------- who has lost a place */

static int displaced (const struct larder_txn *t, int rank)
{
    for (int i = 0; i < t->displaced_count; ++i)
        if (t->displaced[i] == rank)
            return i;
    return -1;
}

static int displace (struct larder_txn *t, int rank)
{
    int *d = realloc (t->displaced, ((size_t)t->displaced_count + 1) * sizeof *d);
    if (!d)
        return -1;
    t->displaced = d;
    d[t->displaced_count++] = rank;
    return 0;
}

/* It comes after all: one more is expected. */
static int put_back (struct larder_txn *t, int rank, double now, int *at, larder_error *err)
{
    if (make_room (t, 1) != 0)
        return no_memory (rank, err);
    t->displaced[displaced (t, rank)] = t->displaced[t->displaced_count - 1];
    --t->displaced_count;
    *at = insert (t, rank, -1, 1, now);
    ++t->expected;
    return LARDER_OK;
}

/* ---------------------------------------------------------------- refs that were split */

static struct larder_via *find_via (const struct larder_txn *t, int rank)
{
    for (int i = 0; i < t->via_count; ++i)
        if (t->vias[i].rank == rank)
            return &t->vias[i];
    return NULL;
}

/* `share` places for the one of via, if that has not begun by itself. */
static int replace (struct larder_txn *t, struct larder_via *v, double now, int *lost)
{
    int at = larder_txn_find (t, v->rank), begun = at >= 0 && t->receivers[at].acquired;
    if (t->unknown)
        return 0;
    if (t->declared && at >= 0 && !begun && judged (t, at)) {
        v->left = 0; /* too late: they are served, and that is all */
        return 0;
    }
    int gives = t->declared ? at >= 0 && !begun : at < 0;
    if (v->share > INT_MAX / 4 - t->expected || (gives && displace (t, v->rank) != 0))
        return -1;
    if (t->declared && make_room (t, v->share) != 0) {
        t->displaced_count -= gives;
        return -1;
    }
    t->expected += v->share - gives;
    if (!t->declared)
        return 0;
    if (gives) {
        take_out (t, at);
        *lost = v->rank;
    }
    insert (t, -1, v->rank, v->share, now);
    if (t->limits.acquire_s > 0 && now + t->limits.acquire_s < t->look_at)
        t->look_at = now + t->limits.acquire_s;
    return 0;
}

int larder_txnplace_split (struct larder_txn *t, int via, int share, double now, int *lost,
                           larder_error *err)
{
    struct larder_via *v = find_via (t, via);
    *lost = -1;
    if (via < 0 || via >= t->size || share < 1 || share > t->size)
        return larder_error_set (err, LARDER_EREF, 0,
                                 "the ref was split by rank %d among %d in a session of %d", via,
                                 share, t->size);
    if (v && v->share != share)
        return larder_error_set (err, LARDER_ESPLIT, 0,
                                 "rank %d has split refs of the transaction among %d receivers, "
                                 "and this one among %d",
                                 via, v->share, share);
    if (v || larder_txn_finished (t))
        return LARDER_OK;
    v = realloc (t->vias, ((size_t)t->via_count + 1) * sizeof *v);
    if (!v)
        return no_memory (via, err);
    t->vias = v;
    v[t->via_count] = (struct larder_via){.rank = via, .share = share, .left = share};
    if (replace (t, &v[t->via_count], now, lost) != 0)
        return no_memory (via, err);
    ++t->via_count;
    return LARDER_OK;
}

/* The rank has presented a ref that v has split for the first time.  0: it did before, or too many
 * have; < 0: no memory. */
static int arrive (struct larder_via *v, int rank)
{
    for (int i = 0; i < v->arrived; ++i)
        if (v->come[i] == rank)
            return 0;
    if (v->left == 0)
        return 0;
    int *come = realloc (v->come, ((size_t)v->arrived + 1) * sizeof *come);
    if (!come)
        return -1;
    v->come = come;
    come[v->arrived++] = rank;
    --v->left;
    return 1;
}

/* It has a place: one of those that v has made is not needed. */
static void one_less (struct larder_txn *t, const struct larder_via *v)
{
    int spare = t->declared ? open_place (t, v->rank) : -1;
    if (t->declared ? spare < 0 : t->expected <= t->count)
        return;
    if (t->declared)
        take_out (t, spare);
    --t->expected;
}

static int present (struct larder_txn *t, struct larder_via *v, int rank, double now, int *at,
                    larder_error *err)
{
    int spare, rc = t->unknown ? 1 : arrive (v, rank);
    if (rc == 0)
        return LARDER_OK;
    if (rc < 0 || make_room (t, 1) != 0)
        return no_memory (rank, err);
    if (*at >= 0) {
        if (!t->unknown)
            one_less (t, v);
        *at = larder_txn_find (t, rank);
    } else if (!t->declared) {
        if (t->unknown || t->count < t->expected)
            *at = insert (t, rank, v->rank, 1, now);
    } else if ((spare = open_place (t, v->rank)) >= 0) {
        take_out (t, spare);
        *at = insert (t, rank, v->rank, 1, now);
    }
    return LARDER_OK;
}

/* ---------------------------------------------------------------- refs that were not */

/* Refs may be passed on without saying so: who comes takes the place of the first who has not. */
static int step_in (struct larder_txn *t, int rank, double now, int *at, int *lost,
                    larder_error *err)
{
    int i = 0;
    while (i < t->count && (t->receivers[i].rank < 0 || t->receivers[i].acquired || judged (t, i)))
        ++i;
    if (i == t->count)
        return LARDER_OK;
    if (displace (t, t->receivers[i].rank) != 0 || make_room (t, 1) != 0)
        return no_memory (rank, err);
    *lost = t->receivers[i].rank;
    take_out (t, i);
    *at = insert (t, rank, -1, 1, now);
    return LARDER_OK;
}

int larder_txnplace_take (struct larder_txn *t, const struct larder_presenter *who, double now,
                          int *at, int *lost, larder_error *err)
{
    int rc = LARDER_OK;
    *lost = -1;
    if (who->share)
        rc = larder_txnplace_split (t, who->via, who->share, now, lost, err);
    *at = larder_txn_find (t, who->rank);
    if (rc != LARDER_OK || larder_txn_finished (t)) /* then nothing begins anew */
        return rc;
    struct larder_via *v = who->share ? find_via (t, who->via) : NULL;
    if (v)
        return present (t, v, who->rank, now, at, err);
    if (*at >= 0)
        return LARDER_OK;
    if (displaced (t, who->rank) >= 0)
        return put_back (t, who->rank, now, at, err);
    if (t->declared)
        return t->forwarded ? step_in (t, who->rank, now, at, lost, err) : LARDER_OK;
    if (!t->unknown && t->count == t->expected)
        return LARDER_OK;
    if (make_room (t, 1) != 0)
        return no_memory (who->rank, err);
    *at = insert (t, who->rank, -1, 1, now);
    return LARDER_OK;
}

void larder_txnplace_free (struct larder_txn *t)
{
    for (int i = 0; i < t->via_count; ++i)
        free (t->vias[i].come);
    free (t->vias);
    free (t->displaced);
}
