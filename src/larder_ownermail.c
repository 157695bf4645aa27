/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_ownermail.h"
#include <string.h>

#define INFO_WORDS   (sizeof (struct larder_info) / 8)
#define FAILED_WORDS (sizeof (struct larder_failed) / 8)
#define BITS_MAX     64

static const struct larder_wire_layout *layout (const struct larder_owner *o)
{
    return &o->words.nodecache->layout;
}

static int holder (const struct larder_owner_line *ln)
{
    return (int)(ln->holder & LARDER_HOLDER_NOBODY);
}

/* Write into the mailbox of a local rank of the line's node. */
static int mail (const struct larder_owner *o, const struct larder_owner_line *ln, int local,
                 size_t offset, const uint64_t *values, size_t n, larder_error *err)
{
    const struct larder_topology *t = o->words.nodecache->topology;
    size_t at =
        larder_wire_mailbox (layout (o), (uint64_t)o->index, (uint64_t)ln->line, (uint64_t)local);
    if (local >= larder_topology_node_size (t, ln->node))
        return LARDER_OK; /* a holder word that makes no sense is not believed */
    return larder_words_write (&o->words, larder_topology_rank (t, ln->node, local), at + offset,
                               LARDER_WRITE_REPLACE, values, n, err);
}

/* Write a failed record into the mailbox of a local rank. */
static int write_failed (const struct larder_owner *o, const struct larder_owner_line *ln,
                         int local, uint64_t code, const char *text, larder_error *err)
{
    union {
        struct larder_failed record;
        uint64_t words[FAILED_WORDS];
    } u;
    memset (&u, 0, sizeof u);
    u.record.life = ln->life;
    u.record.code = code;
    strncpy (u.record.text, text, LARDER_FAILED_TEXT - 1);
    u.record.check = larder_wire_check (u.words, FAILED_WORDS);
    return mail (o, ln, local, layout (o)->mailbox_failed, u.words, FAILED_WORDS, err);
}

int larder_ownermail_failed (struct larder_owner *o, struct larder_owner_line *ln, int code,
                             const char *text, larder_error *err)
{
    if (!larder_ownermail_home (o, ln))
        return write_failed (o, ln, holder (ln), (uint64_t)-code, text, err);
    larder_nodecache_fail (o->words.nodecache, o->index, ln->line, ln->life, code, text);
    return LARDER_OK;
}

int larder_ownermail_dismissed (struct larder_owner *o, struct larder_owner_line *ln, int local,
                                int code, const char *text, larder_error *err)
{
    return write_failed (o, ln, local, (uint64_t)-code | LARDER_FAILED_RANK, text, err);
}

/* Often enough for the budgets, and not more than once a second. */
static uint64_t beat_ms (const struct larder_offered *f)
{
    double least = f->txn->limits.timeout_s;
    if (f->txn->limits.idle_s > 0 && f->txn->limits.idle_s < least)
        least = f->txn->limits.idle_s;
    return least >= 4 ? 1000 : least < 0.04 ? 10 : (uint64_t)(least * 250);
}

int larder_ownermail_info (struct larder_owner *o, struct larder_owner_line *ln, larder_error *err)
{
    const struct larder_topology *t = o->words.nodecache->topology;
    struct larder_offered *f = &o->objects[ln->object];
    int ranks = larder_topology_node_size (t, ln->node);
    size_t bit_words = (layout (o)->shape.node_size + 63) / 64;
    union {
        struct larder_info info;
        uint64_t words[INFO_WORDS + BITS_MAX];
    } u;
    memset (&u, 0, sizeof u);
    u.info.life = ln->life;
    u.info.flags = (f->object.once ? LARDER_INFO_ONCE : 0) | beat_ms (f) << LARDER_INFO_BEAT_SHIFT;
    u.info.first_chunk = ln->first_chunk;
    u.info.end_item = f->chunks.item_count;
    u.info.item_size = f->chunks.item_size;
    u.info.last_size = f->chunks.last_size;
    u.info.key = f->key;
    /* Ranks that have not begun are expected where the whole object is: there most will come.  Nobody
     * can join a line without items. */
    int whole = !ln->resumed && ln->first_item == 0 && ln->end_item > 0 &&
                ln->end_item == f->chunks.item_count;
    for (int i = 0; whole && i < ranks && i < 64 * BITS_MAX; ++i) {
        int k = larder_txn_find (f->txn, larder_topology_rank (t, ln->node, i));
        if (k >= 0 && f->page.standing[k].state == LARDER_UNSEEN && !f->let_go)
            u.words[INFO_WORDS + (size_t)i / 64] |= UINT64_C (1) << (i % 64);
    }
    u.info.check = larder_wire_check (u.words, INFO_WORDS) ^
                   larder_wire_check (&u.words[INFO_WORDS], bit_words + 1);
    return mail (o, ln, holder (ln), 0, u.words, INFO_WORDS + bit_words, err);
}

int larder_ownermail_closed (struct larder_owner *o, struct larder_owner_line *ln, uint64_t end,
                             larder_error *err)
{
    uint64_t life = ln->life;
    ln->closed = 1;
    int rc = mail (o, ln, (int)(end >> 16 & 0xffff), layout (o)->mailbox_closed, &life, 1, err);
    return rc < 0 ? rc : 1;
}

int larder_ownermail_ready (struct larder_owner *o, struct larder_owner_line *ln,
                            struct larder_cached *entry, larder_error *err)
{
    uint64_t n = entry->chunk.number;
    if (larder_ownermail_home (o, ln)) {
        larder_nodecache_show (o->words.nodecache, o->index, ln->line, ln->life, n, entry->slot);
        return LARDER_OK;
    }
    uint64_t words[2] = {larder_wire_word (ln->life, n), 0};
    words[1] = larder_wire_place (words[0], entry->slot, entry->chunk.size);
    larder_offered_check (&o->objects[ln->object], &o->env, entry);
    return mail (o, ln, holder (ln),
                 layout (o)->mailbox_ring + 16 * (size_t)(n % layout (o)->shape.ring), words, 2,
                 err);
}

/* What a chunk's entry says is not true any more, or was written for a holder before this one. */
int larder_ownermail_gone (struct larder_owner *o, struct larder_owner_line *ln, uint64_t n,
                           larder_error *err)
{
    static const uint64_t nothing[2];
    if (larder_ownermail_home (o, ln))
        return LARDER_OK;
    return mail (o, ln, holder (ln),
                 layout (o)->mailbox_ring + 16 * (size_t)(n % layout (o)->shape.ring), nothing, 2,
                 err);
}
