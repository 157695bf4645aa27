/* SPDX-License-Identifier: Apache-2.0 */
/* A network between the segments of simulated nodes, all in one process: a transport whose words and
 * bytes arrive late, in parts, and in another order than they were sent, as far as the protocol must
 * bear it: only words that one rank writes to one place stay in order. */
#ifndef LARDER_SIMNET_H
#define LARDER_SIMNET_H

#include "larder_atomic.h"
#include "larder_num.h"
#include "larder_test_random.h"
#include "larder_transport.h"
#include <stdlib.h>
#include <string.h>

struct simnet_word {
    int from, sent;
    larder_word *at;
    enum larder_write_op op;
    uint64_t value;
    double due;
};

struct simnet_get {
    struct larder_get *get;
    const unsigned char *source;
    int backwards; /* the last piece comes first */
    double due;
};

struct simnet {
    struct larder_test_random *random;
    const double *now;
    unsigned char **segment; /* of each rank's node */
    double delay;            /* longest, in seconds */
    size_t piece;            /* bytes that come at once */
    struct simnet_word *words;
    size_t word_count, word_room;
    struct simnet_get *gets;
    size_t get_count, get_room;
    /* Called in the middle of a rank's library call: others may run now. */
    void (*meanwhile) (void *self, int rank);
    void *self;
};

/* One rank's end of it. */
struct simnet_port {
    struct simnet *net;
    int rank;
};

/* Mostly soon, sometimes late. */
static inline double simnet_due (struct simnet *n)
{
    double part = (double)larder_test_below (n->random, 1000) / 1000;
    return *n->now + n->delay * (larder_test_below (n->random, 10) ? part / 50 : part);
}

static inline int simnet_get (void *self, struct larder_get *get, larder_error *err)
{
    struct simnet_port *p = self;
    struct simnet *n = p->net;
    (void)err;
    if (n->get_count == n->get_room) {
        n->get_room = n->get_room ? 2 * n->get_room : 16;
        n->gets = realloc (n->gets, n->get_room * sizeof *n->gets);
    }
    get->state = LARDER_AGAIN;
    get->issued = get->size;
    get->done = 0;
    n->gets[n->get_count++] =
        (struct simnet_get){get, n->segment[get->rank] + get->offset,
                            (int)larder_test_below (n->random, 2), simnet_due (n)};
    n->meanwhile (n->self, p->rank);
    return get->state;
}

static inline int simnet_test (void *self, struct larder_get *get, larder_error *err)
{
    struct simnet_port *p = self;
    (void)err;
    p->net->meanwhile (p->net->self, p->rank);
    return get->state;
}

static inline int simnet_write (void *self, int rank, size_t offset, enum larder_write_op op,
                                const uint64_t *words, size_t count, larder_error *err)
{
    struct simnet_port *p = self;
    struct simnet *n = p->net;
    (void)err;
    n->meanwhile (n->self, p->rank);
    for (size_t i = 0; i < count; ++i) {
        if (n->word_count == n->word_room) {
            n->word_room = n->word_room ? 2 * n->word_room : 64;
            n->words = realloc (n->words, n->word_room * sizeof *n->words);
        }
        n->words[n->word_count++] = (struct simnet_word){
            p->rank, 0,        (larder_word *)(void *)(n->segment[rank] + offset + 8 * i),
            op,      words[i], 0};
    }
    return LARDER_OK;
}

static inline int simnet_push (void *self, larder_error *err)
{
    struct simnet_port *p = self;
    (void)err;
    for (size_t i = 0; i < p->net->word_count; ++i) {
        struct simnet_word *w = &p->net->words[i];
        if (w->from == p->rank && !w->sent) {
            w->sent = 1;
            w->due = simnet_due (p->net);
        }
    }
    return LARDER_OK;
}

static inline int simnet_pending (void *self)
{
    struct simnet_port *p = self;
    int count = 0;
    for (size_t i = 0; i < p->net->word_count; ++i)
        count += p->net->words[i].from == p->rank;
    return count;
}

static inline int simnet_progress (void *self, larder_error *err)
{
    (void)self;
    (void)err;
    return LARDER_OK;
}

static inline void simnet_close (void **self)
{
    *self = NULL;
}

static const struct larder_transport_ops simnet_ops = {
    .name = "simulated",
    .get = simnet_get,
    .test = simnet_test,
    .write = simnet_write,
    .push = simnet_push,
    .pending = simnet_pending,
    .progress = simnet_progress,
    .close = simnet_close,
};

static inline void simnet_apply (const struct simnet_word *w)
{
    if (w->op == LARDER_WRITE_MAX)
        (void)larder_raise (w->at, w->value);
    else if (w->op == LARDER_WRITE_OR)
        atomic_fetch_or (w->at, w->value);
    else
        larder_store (w->at, w->value);
}

/* An older word of the same rank to the same place is still under way. */
static inline int simnet_behind (const struct simnet *n, size_t kept, const struct simnet_word *w)
{
    for (size_t i = 0; i < kept; ++i)
        if (n->words[i].at == w->at && n->words[i].from == w->from)
            return 1;
    return 0;
}

static inline void simnet_copy (struct simnet *n, struct simnet_get *g)
{
    struct larder_get *get = g->get;
    size_t part = larder_num_min_size (n->piece, get->size - get->done);
    size_t at = g->backwards ? get->size - get->done - part : get->done;
    memcpy (get->buffer + at, g->source + at, part);
    get->done += part;
    if (get->done == get->size)
        get->state = LARDER_OK;
}

/* Let some of what is due arrive.  Returns what did. */
static inline int simnet_step (struct simnet *n)
{
    size_t kept = 0;
    int moved = 0;
    for (size_t i = 0; i < n->word_count; ++i) {
        struct simnet_word w = n->words[i];
        if (w.sent && w.due <= *n->now && larder_test_below (n->random, 4) &&
            !simnet_behind (n, kept, &w)) {
            simnet_apply (&w);
            ++moved;
        } else {
            n->words[kept++] = w;
        }
    }
    n->word_count = kept;
    for (size_t i = 0; i < n->get_count;) {
        struct simnet_get *g = &n->gets[i];
        if (g->due <= *n->now && larder_test_below (n->random, 3)) {
            simnet_copy (n, g);
            ++moved;
        }
        if (g->get->state == LARDER_OK)
            *g = n->gets[--n->get_count];
        else
            ++i;
    }
    return moved;
}

static inline void simnet_free (struct simnet *n)
{
    free (n->words);
    free (n->gets);
}

#endif
