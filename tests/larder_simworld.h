/* SPDX-License-Identifier: Apache-2.0 */
/* Random worlds for larder_simulate.h: nodes, ranks, settings and objects; and what must hold of every
 * world that has come to its end. */
#ifndef LARDER_SIMWORLD_H
#define LARDER_SIMWORLD_H

#include "larder_join.h"
#include "larder_simulate.h"

/* Bytes of slots and words are left as somebody else might have left them; control words are zero. */
static inline void sim_nodes (struct sim *s)
{
    size_t bytes = (s->layout.total + 4095) / 4096 * 4096;
    for (int n = 0; n < s->topology.node_count; ++n) {
        unsigned char *p = s->node_memory[n] = aligned_alloc (4096, bytes);
        memset (p, 0xa5, bytes);
        memset (p, 0, s->layout.control_size);
        larder_pool_init ((struct larder_pool *)(void *)(p + s->layout.pool),
                          (uint32_t)s->layout.shape.slot_count);
    }
    for (int r = 0; r < s->ranks; ++r)
        s->segment[r] = s->node_memory[s->topology.node[r]];
}

static inline void sim_rank_open (struct sim *s, int rank)
{
    struct sim_rank *r = &s->rank[rank];
    larder_error err = {0};
    r->cache = (struct larder_nodecache){.base = s->segment[rank],
                                         .layout = s->layout,
                                         .topology = &s->topology,
                                         .rank = rank,
                                         .node = s->topology.node[rank],
                                         .local = s->topology.local[rank],
                                         .owners = s->owners,
                                         .owner_home = s->owner_home,
                                         .owner_count = s->owner_count};
    r->cache.pool = (struct larder_pool *)(void *)(r->cache.base + s->layout.pool);
    r->port = (struct simnet_port){&s->net, rank};
    r->transport = (struct larder_transport){&simnet_ops, &r->port};
    r->reader = (struct larder_reader){.words = {&r->cache, &r->transport},
                                       .clock = larder_clock_from_fake (&s->clock),
                                       .settings = &s->settings,
                                       .stats = &r->stats,
                                       .in_callback = &r->in_callback};
    struct larder_owner_options options = {.words = {&r->cache, &r->transport},
                                           .clock = larder_clock_from_fake (&s->clock),
                                           .settings = &s->settings,
                                           .stats = &r->stats,
                                           .in_callback = &r->in_callback,
                                           .rank = rank,
                                           .session = 77};
    for (int i = 0; i < s->owner_count; ++i)
        if (s->owners[i] == rank) {
            options.index = i;
            options.home = s->owner_home[i];
            CU_ASSERT_EQUAL_FATAL (larder_owner_open (&options, &r->owner, &err), LARDER_OK);
        }
}

static inline void sim_topology (struct sim *s)
{
    int leader[SIM_RANKS];
    larder_error err = {0};
    uint64_t spread = 1 + sim_below (s, 4);
    for (int r = 0; r < s->ranks; ++r) {
        leader[r] = r ? leader[sim_below (s, (uint64_t)r)] : 0;
        if (sim_below (s, 4) < spread)
            leader[r] = r;
    }
    CU_ASSERT_EQUAL_FATAL (larder_topology_make (&s->topology, s->ranks, leader, &err), LARDER_OK);
    s->owner_count = 1 + (s->ranks > 1 && sim_below (s, 3) == 0);
    s->owners[0] = (int)sim_below (s, (uint64_t)s->ranks);
    s->owners[1] = (s->owners[0] + 1) % s->ranks;
    s->owner_home[0] = 0;
    s->owner_home[1] = s->topology.node[s->owners[0]] == s->topology.node[s->owners[1]];
}

/* Nodes, network and ranks, by the settings and the topology. */
static inline void sim_build (struct sim *s)
{
    larder_error err = {0};
    s->settings.cache_size = s->settings.slot_count * s->settings.chunk_size;
    struct larder_wire_shape shape = {.node_count = (uint64_t)s->topology.node_count,
                                      .node_size = (uint64_t)s->topology.node_size_max,
                                      .owner_count = (uint64_t)s->owner_count,
                                      .owners_per_node = 1 + (uint64_t)s->owner_home[1],
                                      .max_lines = (uint64_t)s->settings.max_lines,
                                      .max_objects = (uint64_t)s->settings.max_objects,
                                      .chunk_size = s->settings.chunk_size,
                                      .slot_count = s->settings.slot_count,
                                      .ring = s->settings.slot_count};
    CU_ASSERT_EQUAL_FATAL (larder_wire_layout_make (&shape, &s->layout, &err), LARDER_OK);
    sim_nodes (s);
    s->net = (struct simnet){.random = &s->random,
                             .now = &s->clock.time,
                             .segment = s->segment,
                             .delay = sim_below (s, 3) ? 0.002 : 0.2,
                             .piece = 8 + sim_below (s, 200),
                             .meanwhile = sim_meanwhile,
                             .self = s};
    for (int r = 0; r < s->ranks; ++r)
        sim_rank_open (s, r);
}

/* A world without objects, drawn from a seed: with a line for everything that a rank may do (2: and slots for
 * that), or with few. */
static inline struct sim *sim_open (uint64_t seed, int many_lines)
{
    struct sim *s = calloc (1, sizeof *s);
    CU_ASSERT_FATAL (s != NULL);
    s->random.state = seed;
    s->clock.time = 1000;
    s->ranks = 1 + (int)sim_below (s, SIM_RANKS);
    s->parallel = 1;
    sim_topology (s);
    s->settings = (struct larder_settings){.chunk_size = 16 + sim_below (s, 300),
                                           .slot_count = 6 + sim_below (s, 14),
                                           .piece_size = 64,
                                           .gets_in_flight = 2,
                                           .max_objects = 1 + (int)sim_below (s, 3),
                                           .max_transactions = SIM_OBJECTS,
                                           .max_lines = 1 + (int)sim_below (s, 4),
                                           .owner_count = s->owner_count,
                                           .owners = s->owners,
                                           .timeout_s = 300,
                                           .hold_timeout_s = 60};
    if (many_lines)
        s->settings.max_lines = 3 * SIM_RANKS;
    if (many_lines > 1)
        s->settings.slot_count += 2 * SIM_RANKS;
    sim_build (s);
    return s;
}

/* ---------------------------------------------------------------- objects and jobs */

/* Draw an object's items: equal ones, small or large, the last shorter; different ones; or such whose
 * size only producing tells. */
static inline struct sim_object *sim_draw (struct sim *s)
{
    struct sim_object *o = &s->objects[s->object_count];
    uint64_t kind = sim_below (s, 4), chunk = s->settings.chunk_size;
    uint64_t size = 1 + sim_below (s, sim_below (s, 2) ? chunk / 4 : chunk * 3);
    *o = (struct sim_object){.sim = s, .id = (uint64_t)s->object_count + 1, .bad_item = SIM_ITEMS};
    ++s->object_count;
    o->count = sim_below (s, 10) ? 1 + sim_below (s, SIM_ITEMS) : sim_below (s, 2);
    o->ops = (larder_object_ops){.item_count = sim_item_count,
                                 .item_size = kind == 3 ? NULL : sim_item_size,
                                 .produce_item = sim_produce,
                                 .downloaded_to_one = sim_told,
                                 .downloaded_to_all = sim_all_told,
                                 .transaction_done = sim_done,
                                 .release = sim_release};
    o->object = (larder_object){.ops = &o->ops, .self = o, .name = "simulated"};
    for (uint64_t i = 0; i < o->count; ++i)
        o->size[i] = kind < 2 ? size : sim_below (s, 4) ? sim_below (s, size + 1) : 0;
    if (kind < 2)
        o->object.uniform_item_size = size;
    if (kind < 2 && o->count && sim_below (s, 2))
        o->size[o->count - 1] = sim_below (s, size + 1);
    o->owner = (int)sim_below (s, (uint64_t)s->owner_count);
    return o;
}

/* To every rank; or by chance to all others, every rank, or some. */
static inline void sim_offer (struct sim *s, struct sim_object *o, int every_rank)
{
    struct larder_owner *owner = s->rank[s->owners[o->owner]].owner;
    int list[SIM_RANKS], count = 0;
    uint64_t kind = s->ranks == 1 || every_rank ? 1 : sim_below (s, 3);
    larder_receivers receivers = {NULL, kind == 1 ? -1 : 0};
    larder_error err = {0};
    for (int r = 0; r < s->ranks; ++r) {
        o->declared[r] = kind == 2 ? (int)sim_below (s, 2) : kind == 1 || r != s->owners[o->owner];
        if (o->declared[r])
            list[count++] = r;
    }
    if (kind == 2 && count)
        receivers = (larder_receivers){list, count};
    for (int r = 0; kind == 2 && !count && r < s->ranks; ++r)
        o->declared[r] = r != s->owners[o->owner];
    uint64_t chunk = s->settings.chunk_size;
    if (sim_below (s, 2))
        chunk = 16 + sim_below (s, chunk - 15);
    larder_transaction_options options = {.receivers = receivers};
    struct larder_ownertxn *txn = NULL;
    int rc = larder_ownertxn_begin (owner, &options, &txn, &err);
    CU_ASSERT_EQUAL_FATAL (rc, LARDER_OK);
    rc = larder_ownertxn_add (owner, txn, &o->object, chunk, &o->place, &err);
    CU_ASSERT_EQUAL_FATAL (rc, LARDER_OK);
    larder_ownertxn_live (owner, txn);
    o->transaction = owner->objects[o->place].transaction;
    o->generation = owner->objects[o->place].generation;
}

/* Some of the ranks that are declared pass the ref on to others, and only keep it for themselves when they
 * are among those. */
static inline void sim_pass_on (struct sim *s, struct sim_object *o, int two_ways)
{
    for (int v = 0; v < s->ranks; ++v) {
        if (o->declared[v] != 1 || o->by[v] || sim_below (s, 3))
            continue;
        for (int r = 0; r < s->ranks; ++r) {
            if (o->share[r] && r != v) /* that one has passed it on */
                continue;
            if (!o->by[r] && sim_below (s, 2))
                o->by[r] = v + 1;
            else if (two_ways && !o->also[r] && o->by[r] && sim_below (s, 6) == 0)
                o->also[r] = v + 1;
            o->share[v] += o->by[r] == v + 1 || o->also[r] == v + 1;
        }
    }
    int uncertain = o->object.once || o->bad_item < o->count;
    for (int r = 0; r < s->ranks; ++r)
        if (o->by[r])
            o->declared[r] = uncertain ? 2 : 1;
        else if (o->share[r])
            o->declared[r] = 2;
}

/* Does this rank want the object? */
static inline int sim_wants (const struct sim_object *o, int rank)
{
    return o->declared[rank] == 1 || o->by[rank];
}

static inline struct sim_job *sim_job (struct sim *s, struct sim_object *o, int rank, int verdict)
{
    struct sim_job *j = &s->jobs[s->job_count++];
    CU_ASSERT_FATAL (s->job_count <= SIM_JOBS);
    *j = (struct sim_job){.sim = s,
                          .object = o,
                          .rank = rank,
                          .verdict = verdict,
                          .by = o->by[rank],
                          .end = verdict == 1 ? o->count : 0,
                          .start = s->clock.time,
                          .gives_up = -1,
                          .fails = -1,
                          .interrupts = -1,
                          .stands = -1};
    return j;
}

/* ---------------------------------------------------------------- the end */

/* Every slot is back, and every line can be bound again. */
static inline void sim_check_node (struct sim *s, struct larder_nodecache *nc)
{
    larder_word quota[100];
    uint32_t n = 0;
    const struct larder_wire_shape *shape = &s->layout.shape;
    const larder_word *own = larder_nodecache_word (nc, s->layout.quota);
    for (int owner = 0; owner < s->owner_count; ++owner)
        larder_join_sweep (nc, owner);
    for (uint64_t i = 0; i < shape->owners_per_node * shape->max_objects; ++i)
        quota[n++] = larder_load (&own[i]);
    for (int owner = 0; owner < s->owner_count; ++owner)
        for (int l = 0; l < s->settings.max_lines; ++l) {
            const struct larder_line *ln = larder_nodecache_line (nc, owner, l);
            size_t at = larder_wire_mailbox (&s->layout, (uint64_t)owner, (uint64_t)l,
                                             larder_load (&ln->closing)) +
                        s->layout.mailbox_closed;
            quota[n++] = larder_load (&ln->quota);
            if (larder_load (&ln->state) == LARDER_LINE_OPEN || larder_load (&ln->members))
                sim_wrong (s, "node %d: line %d is still in use", nc->node, l);
            if (larder_load (&ln->state) == LARDER_LINE_DRAINING &&
                larder_load (larder_nodecache_word (nc, at)) != larder_load (&ln->life))
                sim_wrong (s, "node %d: line %d was never closed", nc->node, l);
        }
    if (larder_pool_selfcheck (nc->pool, quota, n) || nc->pool->free != nc->pool->slots ||
        nc->pool->promised)
        sim_wrong (s, "node %d: %d of %d slots are free, %d promised", nc->node,
                   (int)nc->pool->free, (int)nc->pool->slots, (int)nc->pool->promised);
}

/* Why a rank may have got a verdict that is not the one of its own downloads. */
static inline int sim_excused (const struct sim_object *o, int code)
{
    return code == LARDER_EOWNER  ? o->bad_item < o->count
           : code == LARDER_EGONE ? o->done == LARDER_DONE_DELETED
                                  : code == LARDER_EHELD && o->object.once;
}

static inline void sim_check_verdicts (struct sim *s, const struct sim_object *o)
{
    if (o->released != 1 || !o->done || (!o->all_told && o->done != LARDER_DONE_DELETED))
        sim_wrong (s, "object %d: it was not released", (int)o->id);
    for (int r = 0; r < s->ranks; ++r) {
        int own = 0;
        if (!o->declared[r] ||
            (!o->told[r] && (o->declared[r] == 2 || o->done == LARDER_DONE_DELETED)))
            continue;
        if (o->told[r] != 1)
            sim_wrong (s, "object %d: it was told %d times of rank %d", (int)o->id, o->told[r], r);
        for (int i = 0; i < s->job_count; ++i) {
            const struct sim_job *j = &s->jobs[i];
            /* Who gives up before the owner has answered, from the first item on, is through. */
            int whole = (j->first == 0 && (j->end == o->count || j->code < 0)) ||
                        j->code == LARDER_ECANCELED;
            if (j->object == o && j->rank == r && (j->verdict == 1 ? whole : 1))
                own |= o->code[r] == (j->verdict == 1 ? j->code : j->verdict);
        }
        if (!own && !sim_excused (o, o->code[r]))
            sim_wrong (s, "object %d: rank %d got the verdict %d", (int)o->id, r, o->code[r]);
    }
}

/* Who gives one download up gives up all of the transaction. */
static inline int sim_cancelled (const struct sim *s, const struct sim_job *j)
{
    for (int i = 0; i < s->job_count; ++i)
        if (s->jobs[i].object == j->object && s->jobs[i].rank == j->rank &&
            s->jobs[i].gives_up >= 0)
            return 1;
    return 0;
}

/* How a job may have ended. */
static inline void sim_check_job (struct sim *s, const struct sim_job *j)
{
    const struct sim_object *o = j->object;
    int fine = j->code == LARDER_OK || sim_excused (o, j->code) ||
               (j->code == LARDER_ECANCELED && sim_cancelled (s, j)) ||
               (j->code == LARDER_ECONSUMER && j->fails >= 0) ||
               (j->code == LARDER_EGONE && o->done) ||
               (j->code == LARDER_ENOTSUP && !o->ops.item_size && j->first) ||
               (j->code == LARDER_ECHECKSUM && s->settings.fault_every);
    if (!fine)
        sim_wrong (s, "object %d, rank %d: it ended with %s", (int)o->id, j->rank,
                   larder_code_name (j->code));
}

static inline void sim_check (struct sim *s)
{
    for (int r = 0; r < s->ranks; ++r) {
        if (s->topology.local[r] == 0)
            sim_check_node (s, &s->rank[r].cache);
        if (s->rank[r].owner && s->rank[r].owner->env.quarantined)
            sim_wrong (s, "rank %d: slots are in quarantine", r);
    }
    for (int i = 0; i < s->job_count; ++i)
        sim_check_job (s, &s->jobs[i]);
    for (int i = 0; i < s->object_count; ++i)
        sim_check_verdicts (s, &s->objects[i]);
}

static inline void sim_close (struct sim *s)
{
    for (int i = 0; i < s->object_count; ++i) /* in a world that did not come to its end */
        if (s->objects[i].transaction && !s->objects[i].released)
            sim_delete (s, &s->objects[i], "the world ends");
    for (int r = 0; r < s->ranks; ++r)
        larder_owner_close (&s->rank[r].owner);
    for (int n = 0; n < s->topology.node_count; ++n)
        free (s->node_memory[n]);
    larder_topology_free (&s->topology);
    simnet_free (&s->net);
    free (s);
}

/* What stands where when a world does not come to its end. */
static inline void sim_print (const struct sim *s)
{
    fprintf (stderr,
             "  %d ranks, %d nodes, %d owners, %d lines, chunks of %d, %d slots; time %.3f\n",
             s->ranks, s->topology.node_count, s->owner_count, s->settings.max_lines,
             (int)s->settings.chunk_size, (int)s->settings.slot_count, s->clock.time);
    for (int i = 0; i < s->object_count; ++i)
        fprintf (stderr, "  object %d of rank %d: %d items, done %d, once %d, reproduce %d\n",
                 (int)s->objects[i].id, s->owners[s->objects[i].owner], (int)s->objects[i].count,
                 s->objects[i].done, s->objects[i].object.once, s->objects[i].object.reproduce);
    for (int i = 0; i < s->owner_count; ++i) {
        const struct larder_owner *o = s->rank[s->owners[i]].owner;
        for (int k = 0; k < s->settings.max_objects; ++k) {
            const struct larder_offered *f = &o->objects[k];
            fprintf (stderr, "  place %d: state %d, %d chunks, %d slots, let go %d, loose %d\n", k,
                     f->state, (int)f->cache.count, (int)larder_pool_held (f->quota), f->let_go,
                     f->loose);
        }
        for (int l = 0; l < o->line_count; ++l) {
            const struct larder_owner_line *ln = &o->lines[l];
            if (ln->active)
                fprintf (
                    stderr,
                    "  line %d of node %d life %d: place %d, cursor %d, want %d, sent %d, next "
                    "%d, to item %d, waits %d, lagging %d, all sent %d\n",
                    ln->line, ln->node, (int)ln->life, ln->object, (int)ln->cursor, (int)ln->want,
                    (int)ln->sent, (int)ln->next, (int)ln->end_item, ln->waits, ln->lagging,
                    ln->all_sent);
        }
    }
    for (int i = 0; i < s->job_count; ++i) {
        const struct sim_job *j = &s->jobs[i];
        fprintf (
            stderr,
            "  rank %d (node %d): object %d [%d, %d) verdict %d: state %d.%d code %d, item %d, "
            "chunk %d, line %d life %d: %s\n",
            j->rank, s->topology.node[j->rank], (int)j->object->id, (int)j->first, (int)j->end,
            j->verdict, j->state, (int)j->q.state, j->code, (int)j->next_item, (int)j->q.position,
            j->q.line, (int)j->q.life, j->q.result.text);
    }
}

#endif
