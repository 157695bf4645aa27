/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_tell.h"

static struct larder_nodecache *cache (const struct larder_request *q)
{
    return q->reader->words.nodecache;
}

static int tell (const struct larder_reader *r, int owner, int line, size_t offset,
                 enum larder_write_op op, const uint64_t *values, size_t n, larder_error *err)
{
    const struct larder_nodecache *nc = r->words.nodecache;
    size_t at = larder_wire_request (&nc->layout, (uint64_t)nc->owner_home[owner],
                                     (uint64_t)nc->node, (uint64_t)line);
    return larder_words_write (&r->words, nc->owners[owner], at + offset, op, values, n, err);
}

int larder_tell (const struct larder_request *q, int line, size_t offset, enum larder_write_op op,
                 const uint64_t *values, size_t n, larder_error *err)
{
    return tell (q->reader, q->want.owner, line, offset, op, values, n, err);
}

int larder_tell_bind (struct larder_request *q, larder_error *err)
{
    const struct larder_line *ln = larder_nodecache_line (cache (q), q->want.owner, q->line);
    uint64_t first = larder_load (&ln->first_item);
    union {
        struct larder_bind bind;
        uint64_t words[8];
    } u = {.bind = {.life = q->life,
                    .transaction = q->want.transaction,
                    .object = q->want.object,
                    .first_item = first,
                    .item_count = larder_load (&ln->end) - first,
                    .from = larder_load (&ln->from),
                    .local = (uint64_t)cache (q)->local | q->want.split << LARDER_BIND_LOCAL_BITS}};
    u.bind.check = larder_wire_check (u.words, 8);
    q->told = 1;
    return larder_tell (q, q->line, LARDER_REQUEST_BIND, LARDER_WRITE_REPLACE, u.words, 8, err);
}

/* The state word of a local rank; before it, when its ref was split, the word that says by whom. */
static int tell_rank (const struct larder_reader *r, int owner, int line, int local, uint64_t word,
                      larder_error *err)
{
    const struct larder_nodecache *nc = r->words.nodecache;
    uint64_t split = larder_load (&larder_nodecache_splits (nc, owner, line)[local]);
    int rc = LARDER_OK;
    if (larder_wire_life (split) == larder_wire_life (word)) {
        rc = tell (r, owner, line, nc->layout.request_split + 8 * (size_t)local, LARDER_WRITE_MAX,
                   &split, 1, err);
        word += LARDER_STATE_SPLIT;
    }
    return rc == LARDER_OK ? tell (r, owner, line, nc->layout.request_state + 8 * (size_t)local,
                                   LARDER_WRITE_MAX, &word, 1, err)
                           : rc;
}

int larder_tell_state (struct larder_request *q, int local, uint64_t state, larder_error *err)
{
    q->told |= local == cache (q)->local;
    return tell_rank (q->reader, q->want.owner, q->line, local, larder_wire_word (q->life, state),
                      err);
}

int larder_tell_beat (struct larder_request *q, larder_error *err)
{
    return larder_tell_state (q, cache (q)->local, LARDER_STATE_ACQUIRED + ++q->beats, err);
}

int larder_tell_cursor (struct larder_request *q, int line, larder_error *err)
{
    uint64_t cursor = larder_nodecache_cursor (cache (q), q->want.owner, line);
    q->told = 1;
    return larder_tell (q, line, LARDER_REQUEST_CURSOR, LARDER_WRITE_MAX, &cursor, 1, err);
}

int larder_tell_want (struct larder_request *q, uint64_t word, larder_error *err)
{
    q->told = 1;
    return larder_tell (q, q->line, LARDER_REQUEST_WANT, LARDER_WRITE_MAX, &word, 1, err);
}

int larder_tell_end (const struct larder_reader *r, int owner, int line, larder_error *err)
{
    struct larder_nodecache *nc = r->words.nodecache;
    const larder_word *states = larder_nodecache_states (nc, owner, line);
    uint64_t life = larder_load (&larder_nodecache_line (nc, owner, line)->life), word;
    int rc = LARDER_OK;
    for (int i = 0; rc == LARDER_OK && i < larder_topology_node_size (nc->topology, nc->node);
         ++i) {
        word = larder_load (&states[i]);
        if (larder_wire_life (word) == life)
            rc = tell_rank (r, owner, line, i, word, err);
    }
    if (rc != LARDER_OK)
        return rc;
    word = larder_nodecache_cursor (nc, owner, line);
    return tell (r, owner, line, LARDER_REQUEST_CURSOR, LARDER_WRITE_MAX, &word, 1, err);
}
