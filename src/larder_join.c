/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_join.h"
#include "larder_fetch.h"
#include "larder_tell.h"
#include <string.h>

/* An object that is not offered yet is asked for again after this, then ever more rarely. */
#define ASK_S     0.002
#define ASK_MAX_S 0.2

static struct larder_nodecache *cache (const struct larder_request *q)
{
    return q->reader->words.nodecache;
}

static size_t mailbox (const struct larder_nodecache *nc, int owner, int line, int local)
{
    return larder_wire_mailbox (&nc->layout, (uint64_t)owner, (uint64_t)line, (uint64_t)local);
}

/* Who has waited so long for a line does not wait for ranks that may not come. */
#define PATIENCE_S 0.05

/* What the owner says in the mailbox of a local rank about the end of a life.  0, or -1: nothing. */
static int read_failed (const struct larder_nodecache *nc, int owner, int line, uint64_t life,
                        int local, struct larder_failed *record)
{
    union {
        struct larder_failed record;
        uint64_t words[sizeof (struct larder_failed) / 8];
    } f;
    size_t at = mailbox (nc, owner, line, local) + nc->layout.mailbox_failed;
    if (larder_load (larder_nodecache_word (nc, at)) != life ||
        larder_words_record (nc, at, f.words, sizeof f / 8) != 0 || f.record.life != life)
        return -1;
    f.record.text[LARDER_FAILED_TEXT - 1] = 0;
    *record = f.record;
    return 0;
}

static void take_failed (struct larder_nodecache *nc, int owner, int line, uint64_t life, int local)
{
    struct larder_failed record;
    if (read_failed (nc, owner, line, life, local, &record) == 0 &&
        !(record.code & LARDER_FAILED_RANK))
        larder_nodecache_fail (nc, owner, line, life, -(int)record.code, record.text);
}

int larder_join_dismissed (const struct larder_request *q, char *text)
{
    struct larder_failed record;
    if (read_failed (cache (q), q->want.owner, q->line, q->life, cache (q)->local, &record) != 0 ||
        !(record.code & LARDER_FAILED_RANK))
        return LARDER_OK;
    memcpy (text, record.text, sizeof record.text);
    return -(int)(record.code & UINT32_MAX);
}

static void sweep_line (struct larder_nodecache *nc, int owner, int line)
{
    struct larder_line *ln = larder_nodecache_line (nc, owner, line);
    uint64_t life = larder_load (&ln->life), state = larder_load (&ln->state);
    if (state == LARDER_LINE_DRAINING) {
        size_t at =
            mailbox (nc, owner, line, (int)larder_load (&ln->closing)) + nc->layout.mailbox_closed;
        if (larder_load (larder_nodecache_word (nc, at)) == life)
            larder_nodecache_closed (nc, owner, line, life);
    } else if (state == LARDER_LINE_OPEN && larder_load (&ln->members) == 0) {
        /* It waits for ranks that the owner counted on, and nobody looks into its mailboxes. */
        for (int i = 0; i < larder_topology_node_size (nc->topology, nc->node); ++i)
            take_failed (nc, owner, line, life, i);
    }
}

void larder_join_sweep (struct larder_nodecache *nc, int owner)
{
    for (int l = 0; l < (int)nc->layout.shape.max_lines; ++l)
        sweep_line (nc, owner, l);
}

/* Who holds a line must not wait for another: nothing could end such waits but a deadline.  Who had one
 * and lost it waits all the same, since its consumer has data already; so does a verdict. */
static int may_wait (const struct larder_request *q)
{
    if (q->rejoins)
        return 1;
    for (const struct larder_request *r = q->reader->requests; r; r = r->next)
        if (r != q && r->state != LARDER_REQUEST_OVER && !r->orphan)
            return 0;
    return 1;
}

static int enter (struct larder_request *q, const struct larder_joined *joined, larder_error *err)
{
    q->line = joined->line;
    q->life = joined->life;
    q->state = LARDER_REQUEST_INFO;
    q->next_item = q->want.first_item;
    q->fetch_next = q->beats = 0;
    q->bad_tries = 0;
    q->beat_seen = 0;
    int rc = joined->binds ? larder_tell_bind (q, err) : LARDER_OK;
    if (rc == LARDER_OK)
        rc = larder_tell_state (q, cache (q)->local, LARDER_STATE_ACQUIRED, err);
    if (rc == LARDER_OK && joined->extended) {
        uint64_t end = larder_wire_word (q->life, joined->end_item);
        rc = larder_tell (q, q->line, LARDER_REQUEST_END, LARDER_WRITE_MAX, &end, 1, err);
    }
    return rc;
}

int larder_join (struct larder_request *q, larder_error *err)
{
    struct larder_joined joined;
    larder_join_sweep (cache (q), q->want.owner);
    q->want.impatient = q->reader->attention.now - q->moved > PATIENCE_S;
    int rc = larder_nodecache_join (cache (q), &q->want, &joined), told = LARDER_OK;
    for (int l = 0; told == LARDER_OK && l < (int)cache (q)->layout.shape.max_lines; ++l)
        if (joined.raised >> l & 1)
            told = larder_tell_end (q->reader, q->want.owner, l, err);
    if (rc == LARDER_OK) {
        rc = enter (q, &joined, err);
        return told < 0 ? told : rc;
    }
    if (told < 0)
        return told;
    if (rc == LARDER_EBUSY && may_wait (q))
        return LARDER_AGAIN;
    if (rc == LARDER_EBUSY)
        return larder_error_set (
            err, rc, 0,
            "this node has %d downloads open at rank %d (max_lines), or no two slots "
            "are left in its cache",
            q->reader->settings->max_lines, cache (q)->owners[q->want.owner]);
    return rc;
}

union info {
    struct larder_info info;
    uint64_t words[8 + 64]; /* behind it a bit per local rank */
};

/* What the owner has answered, in the mailbox of a local rank.  0, or -1: nothing. */
static int read_info (const struct larder_nodecache *nc, int owner, int line, uint64_t life,
                      int local, union info *u)
{
    size_t bit_words = (nc->layout.shape.node_size + 63) / 64;
    size_t at = mailbox (nc, owner, line, local);
    for (size_t i = 0; i < 8 + bit_words; ++i)
        u->words[i] = larder_load (larder_nodecache_word (nc, at + 8 * i));
    return u->info.life == life &&
                   u->info.check == (larder_wire_check (u->words, 8) ^
                                     larder_wire_check (&u->words[8], bit_words + 1))
               ? 0
               : -1;
}

/* The owner's answers stand in the holder's mailbox; the line's other ranks see them in the line. */
int larder_join_answers (struct larder_request *q, larder_error *err)
{
    struct larder_nodecache *nc = cache (q);
    int rc = 0;
    union info u;
    if (read_info (nc, q->want.owner, q->line, q->life, nc->local, &u) == 0) {
        larder_nodecache_begin (nc, q->want.owner, q->line, &u.info, &u.words[8]);
        int less = larder_nodecache_expect (nc, q->want.owner, q->line, q->life, &u.words[8]);
        if (less == 2) /* this rank is not in it any more either */
            rc = larder_tell_end (q->reader, q->want.owner, q->line, err);
        else if (less)
            rc = larder_tell_cursor (q, q->line, err);
    }
    take_failed (nc, q->want.owner, q->line, q->life, nc->local);
    return rc;
}

/* Which of the mailboxes is the latest holder's nobody knows; former ones only expect more. */
static int unawaited (const struct larder_reader *r, int owner, int line, larder_error *err)
{
    struct larder_nodecache *nc = r->words.nodecache;
    struct larder_line *ln = larder_nodecache_line (nc, owner, line);
    uint64_t life = larder_load (&ln->life);
    union info u;
    for (int i = 0;
         larder_load (&ln->state) == LARDER_LINE_OPEN && larder_load (&ln->members) == 0 &&
         larder_load (&ln->owed) && i < larder_topology_node_size (nc->topology, nc->node);
         ++i)
        if (read_info (nc, owner, line, life, i, &u) == 0 &&
            larder_nodecache_expect (nc, owner, line, life, &u.words[8]) == 2)
            return larder_tell_end (r, owner, line, err);
    return LARDER_OK;
}

int larder_join_unawaited (const struct larder_reader *r, int owner, larder_error *err)
{
    int rc = LARDER_OK;
    for (int l = 0; rc == LARDER_OK && l < (int)r->words.nodecache->layout.shape.max_lines; ++l)
        rc = unawaited (r, owner, l, err);
    return rc;
}

int larder_join_begin (struct larder_request *q)
{
    struct larder_nodecache *nc = cache (q);
    if (larder_nodecache_info (nc, q->want.owner, q->line, q->life, &q->info) != LARDER_OK)
        return 0;
    q->position = larder_load (&larder_nodecache_positions (nc, q->want.owner, q->line)[nc->local]);
    q->state = LARDER_REQUEST_RUN;
    q->not_live_since = 0;
    return 1;
}

void larder_join_later (struct larder_request *q, double now)
{
    (void)larder_nodecache_leave (cache (q), q->want.owner, q->line, q->life, LARDER_STATE_LEFT);
    if (q->not_live_since == 0)
        q->not_live_since = now;
    double waited = now - q->not_live_since;
    q->ask_at = now + (waited < ASK_S ? ASK_S : waited < ASK_MAX_S ? waited : ASK_MAX_S);
    q->rejoins = 1;
    q->state = LARDER_REQUEST_JOIN;
}

void larder_join_again (struct larder_request *q)
{
    larder_fetch_abandon (q);
    larder_fetch_release (q);
    q->want.first_item = q->next_item;
    q->want.from = q->from;
    q->rejoins = 1;
    q->state = LARDER_REQUEST_JOIN;
}
