/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_relay.h"
#include "larder_num.h"
#include "larder_produce.h"
#include "larder_view.h"
#include <inttypes.h>
#include <stdio.h>

#define TRIES 3
/* A chain needs few places; two trees, whose branches run apart, need more. */
#define CHAIN_SLOTS 16
#define TREES_SLOTS LARDER_RELAY_PLACES

/* Filling the pipeline of a chain is to take this part of the time, where a chunk of one piece allows it. */
#define FILLS UINT64_C (64)

/* Who is through tells of movement below it so often while it may wait. */
#define BEATS 16

/* Ready words have no room for more. */
#define PAYLOAD_MAX (UINT64_C (32) << 20)

/* Everybody has got everything, or will not: a cursor that holds nothing. */
#define NOTHING LARDER_COUNT_MAX

/* ---------------------------------------------------------------- the plan */

void larder_relay_plan_make (int nodes, uint64_t size, uint64_t payload,
                             const struct larder_settings *s, struct larder_relay_plan *plan)
{
    uint64_t most = larder_num_min (larder_num_min (payload, s->collective_size / 8), PAYLOAD_MAX);
    uint64_t want = most;
    /* The chunk is the pipeline's unit: filling it is to take a small part of the time. */
    if (nodes > 2 && size)
        want = larder_num_min (most, size / (FILLS * (uint64_t)(nodes - 2)));
    uint64_t pieces = (want + LARDER_HEADER_BYTES) / s->piece_size;
    if (nodes > 1 && pieces)
        want = pieces * s->piece_size - LARDER_HEADER_BYTES;
    else if (nodes > 2)
        want = s->piece_size - LARDER_HEADER_BYTES;
    want = larder_num_max (larder_num_min (want, most), 1024);
    if (size) /* no more than there is */
        want = larder_num_min (want, size + 63);
    plan->payload = larder_num_max (want & ~UINT64_C (63), 64);
    plan->stride = LARDER_HEADER_BYTES + (size_t)plan->payload;
    plan->unit =
        64 * ((plan->stride + 64 * LARDER_RELAY_UNITS_MAX - 1) / (64 * LARDER_RELAY_UNITS_MAX));
    plan->trees = larder_tree_choose (nodes, size ? size / plan->payload : UINT64_MAX);
    plan->slots = larder_num_min (plan->trees == 1 ? CHAIN_SLOTS : TREES_SLOTS,
                                  s->collective_size / plan->stride / (uint64_t)plan->trees);
}

/* ---------------------------------------------------------------- places and words */

static int tree_of (const struct larder_relay *r, uint64_t chunk)
{
    return (int)(chunk % (uint64_t)r->plan.trees);
}

/* Its number in its tree. */
static uint64_t number_of (const struct larder_relay *r, uint64_t chunk)
{
    return chunk / (uint64_t)r->plan.trees;
}

static size_t place (const struct larder_relay *r, int tree, uint64_t number)
{
    uint64_t i = (uint64_t)tree * r->plan.slots + number % r->plan.slots;
    return r->words.nodecache->layout.collective + (size_t)i * r->plan.stride;
}

static struct larder_slot_header *slot (const struct larder_relay *r, int tree, uint64_t number)
{
    return (struct larder_slot_header *)(void *)(r->words.nodecache->base +
                                                 place (r, tree, number));
}

static larder_word *word (const struct larder_relay *r, size_t offset)
{
    return larder_nodecache_word (r->words.nodecache, r->words.nodecache->layout.relay + offset);
}

/* The count of a word of this life; 0 before. */
static uint64_t count (const struct larder_relay *r, size_t offset)
{
    uint64_t w = larder_load (word (r, offset));
    return larder_wire_life (w) == r->life ? larder_wire_count (w) : 0;
}

static void set (const struct larder_relay *r, size_t offset, uint64_t n)
{
    larder_store (word (r, offset), larder_wire_word (r->life, n));
}

static void tell (struct larder_relay *r, int rank, size_t offset, enum larder_write_op op,
                  uint64_t n)
{
    larder_error why;
    uint64_t w = larder_wire_word (r->life, n);
    int rc = larder_words_write (&r->words, rank, r->words.nodecache->layout.relay + offset, op, &w,
                                 1, &why);
    if (rc < 0 && r->result.code == 0)
        r->result = why;
}

static size_t cursor_word (int tree, int child)
{
    return LARDER_RELAY_CURSOR + 128 * (size_t)tree + 64 * (size_t)child;
}

static void tell_parent (struct larder_relay *r, int tree, uint64_t n)
{
    if (r->node)
        tell (r, r->parent[tree], cursor_word (tree, r->number_at_parent[tree]), LARDER_WRITE_MAX,
              n);
}

static size_t passed_word (int local)
{
    return LARDER_RELAY_PASSED + 64 * (size_t)local;
}

/* ---------------------------------------------------------------- what goes wrong */

static void tell_failed (struct larder_relay *r)
{
    for (int t = 0; t < r->plan.trees; ++t) {
        for (int i = 0; i < r->child_count[t]; ++i)
            tell (r, r->child[t][i], LARDER_RELAY_FAILED, LARDER_WRITE_MAX, (uint64_t)-r->failed);
        tell_parent (r, t, NOTHING);
    }
}

void larder_relay_fail (struct larder_relay *r, int code, const char *text)
{
    if (r->result.code == 0)
        larder_error_set (&r->result, code, 0, "%s", text);
    if (!r->leads || r->failed)
        return;
    r->failed = code;
    set (r, LARDER_RELAY_FAILED, (uint64_t)-code);
    tell_failed (r);
}

/* Somebody above has failed: what is missing will not come. */
static int see_failed (struct larder_relay *r)
{
    uint64_t code = count (r, LARDER_RELAY_FAILED);
    if (!code || r->failed)
        return 0;
    r->failed = -(int)code;
    if (r->leads)
        tell_failed (r);
    return 1;
}

/* ---------------------------------------------------------------- a leader's work */

/* May the chunk's place be filled?  All who use what stands there must be through with it. */
static int is_free (const struct larder_relay *r, int tree, uint64_t number)
{
    const struct larder_nodecache *nc = r->words.nodecache;
    if (number < r->plan.slots)
        return 1;
    uint64_t old = number - r->plan.slots;
    uint64_t chunk = old * (uint64_t)r->plan.trees + (uint64_t)tree;
    for (int i = 0; i < r->child_count[tree]; ++i)
        if (count (r, cursor_word (tree, i)) <= old)
            return 0;
    for (int i = 0; i < larder_topology_node_size (nc->topology, nc->node); ++i)
        if (count (r, passed_word (i)) <= chunk)
            return 0;
    return 1;
}

static size_t ready_word (const struct larder_relay *r, int tree, uint64_t number)
{
    return LARDER_RELAY_READY +
           8 * (size_t)(LARDER_RELAY_PLACES * (uint64_t)tree + number % r->plan.slots);
}

/* A chunk is here: this node's ranks, the children, and then the parent hear of it. */
static void announce (struct larder_relay *r, int tree, uint64_t number)
{
    size_t used = LARDER_HEADER_BYTES + slot (r, tree, number)->size;
    uint64_t ready =
        larder_wire_relay_ready (number / r->plan.slots, (used + r->plan.unit - 1) / r->plan.unit);
    set (r, LARDER_RELAY_HAVE + 64 * (size_t)tree, number + 1);
    for (int i = 0; i < r->child_count[tree]; ++i)
        tell (r, r->child[tree][i], ready_word (r, tree, number), LARDER_WRITE_MAX, ready);
    tell_parent (r, tree, number + 1);
}

/* Nothing that is wanted comes after it. */
static int is_last (const struct larder_relay *r, const struct larder_chunk *chunk)
{
    uint64_t end = chunk->item + chunk->count;
    return end > r->end_item || (end == r->end_item && (chunk->flags & LARDER_CHUNK_ENDS));
}

static int produce (struct larder_relay *r)
{
    struct larder_chunk chunk;
    larder_error why = {0};
    int tree = tree_of (r, r->produced);
    uint64_t number = number_of (r, r->produced);
    if (r->failed || r->produced == r->end || !is_free (r, tree, number))
        return 0;
    if (number / r->plan.slots >= LARDER_RELAY_ROUNDS) {
        larder_relay_fail (r, LARDER_ERANGE, "more chunks than a collective download can count");
        return 1;
    }
    struct larder_slot_header *h = slot (r, tree, number);
    *r->in_callback = 1;
    int rc = larder_chunks_plan (r->chunks, r->base + r->produced, &chunk, &why);
    if (rc == LARDER_OK)
        rc = larder_produce (r->chunks, &chunk, (unsigned char *)(h + 1), &why);
    *r->in_callback = 0;
    if (rc != LARDER_OK) {
        larder_relay_fail (r, rc == LARDER_ESTALE || rc == LARDER_ENOMEM ? rc : LARDER_EOWNER,
                           why.text);
        return 1;
    }
    *h = (struct larder_slot_header){.key = r->key,
                                     .chunk = r->produced,
                                     .item = chunk.item,
                                     .offset = chunk.offset,
                                     .count = (uint32_t)chunk.count,
                                     .flags = chunk.flags & ~(uint32_t)LARDER_CHUNK_LAST,
                                     .size = (uint32_t)chunk.size};
    if (is_last (r, &chunk))
        h->flags |= LARDER_CHUNK_LAST;
    if (r->nodes > 1) {
        h->flags |= LARDER_CHUNK_CHECKED;
        h->check = larder_wire_slot_check (h, h + 1);
    }
    r->stats->chunks_produced += 1;
    r->stats->bytes_produced += chunk.payload;
    if (chunk.flags & LARDER_CHUNK_ENDS)
        r->stats->items_produced += chunk.count;
    ++r->produced;
    if (h->flags & LARDER_CHUNK_LAST)
        r->end = r->produced;
    announce (r, tree, number);
    return 1;
}

static struct larder_relay_fetch *fetch_of (struct larder_relay *r, int tree, uint64_t number)
{
    return &r->fetch[tree][number % LARDER_RELAY_FETCHES];
}

static int good (struct larder_relay *r, int tree, uint64_t number)
{
    const struct larder_slot_header *h = slot (r, tree, number);
    return fetch_of (r, tree, number)->get.state == LARDER_OK && h->key == r->key &&
           h->chunk == number * (uint64_t)r->plan.trees + (uint64_t)tree &&
           h->size <= r->plan.payload && (h->flags & LARDER_CHUNK_CHECKED) &&
           h->check == larder_wire_slot_check (h, h + 1);
}

static void damage (struct larder_relay *r, int tree, uint64_t number)
{
    const struct larder_settings *s = r->settings;
    uint64_t n = larder_num_mix (s->fault_seed + r->stats->chunks_fetched);
    if (s->fault_every && n % s->fault_every == 0)
        ((unsigned char *)slot (r, tree, number))[larder_num_mix (n) % LARDER_HEADER_BYTES] ^= 0x40;
}

static void start_get (struct larder_relay *r, int tree, uint64_t number, size_t size)
{
    larder_error why = {0};
    struct larder_transport *t = r->words.transport;
    struct larder_relay_fetch *f = fetch_of (r, tree, number);
    size_t at = place (r, tree, number);
    f->get = (struct larder_get){.rank = r->parent[tree],
                                 .offset = at, /* the same on every node */
                                 .buffer = r->words.nodecache->base + at,
                                 .size = size};
    f->under_way = t->ops->get (t->self, &f->get, &why) >= 0;
    if (!f->under_way)
        larder_relay_fail (r, why.code, why.text);
}

/* Ask for the next chunk when the parent has it and there is a place for it. */
static int ask (struct larder_relay *r, int tree)
{
    uint64_t number = r->asked[tree], ready = count (r, ready_word (r, tree, number));
    size_t size = r->plan.unit * (size_t)(ready & LARDER_RELAY_UNITS_MAX);
    if (r->failed || number == r->got[tree] + LARDER_RELAY_FETCHES || !ready ||
        ready >> LARDER_RELAY_UNITS_BITS != number / r->plan.slots || !is_free (r, tree, number))
        return 0;
    fetch_of (r, tree, number)->tries = 0;
    ++r->asked[tree];
    start_get (r, tree, number, larder_num_min (size, r->plan.stride));
    return 1;
}

/* The oldest chunk has come, well or not. */
static void came (struct larder_relay *r, int tree, uint64_t number, const larder_error *why)
{
    struct larder_relay_fetch *f = fetch_of (r, tree, number);
    damage (r, tree, number);
    r->stats->chunks_fetched += 1;
    if (good (r, tree, number)) {
        uint32_t size = slot (r, tree, number)->size;
        r->stats->bytes_fetched += size;
        if (r->parent[tree] == r->root)
            r->stats->bytes_from_owner += size;
        ++r->got[tree];
        announce (r, tree, number);
        return;
    }
    if (f->get.state != LARDER_OK) {
        larder_relay_fail (r, f->get.state, why->text);
        return;
    }
    r->stats->checksum_errors += 1;
    r->stats->retries += 1;
    if (f->tries++ < TRIES) {
        start_get (r, tree, number, f->get.size);
        return;
    }
    char text[128];
    snprintf (text, sizeof text, "chunk %" PRIu64 " of tree %d from rank %d came damaged %d times",
              number, tree, r->parent[tree], TRIES + 1);
    larder_relay_fail (r, LARDER_ECHECKSUM, text);
}

static int fetch (struct larder_relay *r, int tree)
{
    int moved = 0;
    for (uint64_t n = r->got[tree]; n < r->asked[tree]; ++n) {
        larder_error why = {0};
        struct larder_relay_fetch *f = fetch_of (r, tree, n);
        size_t done = f->get.done;
        if (f->under_way &&
            larder_transport_test (r->words.transport, &f->get, &why) != LARDER_AGAIN)
            f->under_way = 0;
        moved += f->get.done != done;
        if (f->under_way || n != r->got[tree] || r->failed)
            continue;
        came (r, tree, n, &why);
        ++moved;
    }
    return moved + ask (r, tree);
}

/* ---------------------------------------------------------------- consuming */

static int show (struct larder_relay *r, const struct larder_slot_header *h, int *ends)
{
    larder_view view;
    larder_error why = {0};
    int shown = larder_view_make (h, r->item_size, r->first_item, r->end_item, &view, ends);
    if (shown < 0 || (shown && (view.item != r->next_item || view.offset != r->next_offset)))
        return larder_error_set (&r->result, LARDER_ECHECKSUM, 0,
                                 "chunk %" PRIu64 " does not follow the one before", r->passed);
    if (!shown)
        return LARDER_OK;
    *r->in_callback = 1;
    int rc = r->consumer->consume_items (r->consumer->self, &view, &why);
    *r->in_callback = 0;
    if (rc < 0)
        return larder_error_set (&r->result, LARDER_ECONSUMER, why.detail, "%s",
                                 why.text[0] ? why.text : "the consumer failed");
    r->bytes += view.size;
    r->stats->bytes_consumed += view.size;
    r->next_item = view.item + view.count - (view.item_ends ? 0 : 1);
    r->next_offset = view.item_ends ? 0 : (view.count == 1 ? view.offset : 0) + view.size;
    return LARDER_OK;
}

/* Who fails passes chunks all the same, so that others go on. */
static int consume (struct larder_relay *r)
{
    int tree = tree_of (r, r->passed), ends = 0;
    uint64_t number = number_of (r, r->passed);
    if (r->passed == r->end || count (r, LARDER_RELAY_HAVE + 64 * (size_t)tree) <= number)
        return 0;
    const struct larder_slot_header *h = slot (r, tree, number);
    if (r->consumer && r->result.code == 0)
        (void)show (r, h, &ends);
    if (h->flags & LARDER_CHUNK_LAST)
        r->end = r->passed + 1;
    ++r->passed;
    set (r, passed_word (r->words.nodecache->local), r->passed);
    return 1;
}

/* ---------------------------------------------------------------- from begin to end */

static int leader_of (const struct larder_relay *r, int node, int root)
{
    const struct larder_topology *t = r->words.nodecache->topology;
    return node == 0 ? root : larder_topology_rank (t, (t->node[root] + node) % t->node_count, 0);
}

/* Which of its parent's children a node is. */
static int child_number (const struct larder_relay *r, int tree, int parent)
{
    int children[LARDER_TREE_CHILDREN];
    int n = larder_tree_children (r->nodes, r->plan.trees, tree, parent, children);
    for (int i = 0; i < n; ++i)
        if (children[i] == r->node)
            return i;
    return 0;
}

void larder_relay_begin (struct larder_relay *r, int root)
{
    const struct larder_nodecache *nc = r->words.nodecache;
    const struct larder_topology *t = nc->topology;
    r->root = root;
    r->nodes = t->node_count;
    r->node = (nc->node - t->node[root] + t->node_count) % t->node_count;
    r->leads = leader_of (r, r->node, root) == nc->rank;
    for (int tree = 0; tree < r->plan.trees; ++tree) {
        int children[LARDER_TREE_CHILDREN];
        r->child_count[tree] =
            larder_tree_children (r->nodes, r->plan.trees, tree, r->node, children);
        for (int i = 0; i < r->child_count[tree]; ++i)
            r->child[tree][i] = leader_of (r, children[i], root);
        if (r->node) {
            int parent = larder_tree_parent (r->nodes, r->plan.trees, tree, r->node);
            r->parent[tree] = leader_of (r, parent, root);
            r->number_at_parent[tree] = child_number (r, tree, parent);
        }
    }
    r->end = r->end_item > r->first_item ? UINT64_MAX : 0;
    if (!r->consumer && !r->leads) { /* it holds nothing, and waits only for the others' end */
        r->end = 0;
        set (r, passed_word (nc->local), NOTHING);
    }
    r->next_item = r->first_item;
}

/* The rank of this node that leads it. */
static int leader_here (const struct larder_relay *r)
{
    return r->node == 0 ? r->words.nodecache->topology->local[r->root] : 0;
}

/* Chunks that go by a tree, once that is known. */
static uint64_t chunks_of (const struct larder_relay *r, int tree)
{
    uint64_t trees = (uint64_t)r->plan.trees, first = (uint64_t)tree;
    return r->end > first ? (r->end - first + trees - 1) / trees : 0;
}

/* All ranks of the node have passed everything. */
static int node_has_all (const struct larder_relay *r)
{
    const struct larder_nodecache *nc = r->words.nodecache;
    for (int i = 0; i < larder_topology_node_size (nc->topology, nc->node); ++i)
        if (count (r, passed_word (i)) < r->end)
            return 0;
    return r->passed == r->end;
}

static int children_are_through (const struct larder_relay *r, int tree)
{
    for (int i = 0; i < r->child_count[tree]; ++i)
        if (count (r, cursor_word (tree, i)) != NOTHING)
            return 0;
    return 1;
}

/* A leader is through with a tree when its node is, and all that stand below it there; it says so upwards.  1: it is so
 * now. */
static int see_end (struct larder_relay *r)
{
    int all = 1, moved = 0;
    if (r->failed || r->ended || !node_has_all (r))
        return 0;
    for (int t = 0; t < r->plan.trees; ++t) {
        if (!r->through[t] && children_are_through (r, t)) {
            r->through[t] = moved = 1;
            tell_parent (r, t, NOTHING);
        }
        all &= r->through[t];
    }
    r->ended = all;
    if (all)
        set (r, passed_word (leader_here (r)), NOTHING);
    return moved;
}

/* Those above have nothing to do but to wait: they see that something moves below. */
static void beat (struct larder_relay *r)
{
    double now = larder_clock_now (&r->clock);
    if (now - r->beat_at < r->settings->timeout_s / BEATS)
        return;
    r->beat_at = now;
    ++r->beats;
    for (int t = 0; t < r->plan.trees; ++t)
        if (r->end != UINT64_MAX && r->got[t] >= chunks_of (r, t) && !r->through[t])
            tell_parent (r, t, chunks_of (r, t) + r->beats);
}

int larder_relay_stirs (struct larder_relay *r)
{
    const struct larder_nodecache *nc = r->words.nodecache;
    uint64_t sum = 0;
    for (int i = 0; i < larder_topology_node_size (nc->topology, nc->node); ++i)
        sum += count (r, passed_word (i));
    for (int t = 0; t < r->plan.trees; ++t) {
        sum += count (r, LARDER_RELAY_HAVE + 64 * (size_t)t);
        for (int i = 0; i < LARDER_TREE_CHILDREN; ++i)
            sum += count (r, cursor_word (t, i));
    }
    int stirs = sum != r->stirred;
    r->stirred = sum;
    if (stirs && r->leads && r->node && !r->failed)
        beat (r);
    return stirs;
}

int larder_relay_poll (struct larder_relay *r)
{
    int moved = see_failed (r);
    if (r->leads && r->node)
        for (int t = 0; t < r->plan.trees; ++t)
            moved += fetch (r, t);
    else if (r->leads && produce (r))
        return moved + 1; /* what others wait for goes before what this rank does with it */
    if (!r->failed)
        moved += consume (r);
    return moved + (r->leads && see_end (r));
}

int larder_relay_over (const struct larder_relay *r)
{
    for (int t = 0; t < r->plan.trees; ++t)
        for (int i = 0; i < LARDER_RELAY_FETCHES; ++i)
            if (r->fetch[t][i].under_way)
                return 0; /* its place must not be left to MPI */
    if (r->failed)
        return 1;
    /* Who is through waits for its leader here, where it sees that something moves. */
    return r->passed == r->end && count (r, passed_word (leader_here (r))) == NOTHING;
}
