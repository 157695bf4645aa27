/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_reader.h"
#include "larder_fetch.h"
#include "larder_num.h"
#include "larder_view.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A request that waits asks the owner again after this, then ever more rarely. */
#define PING_S     0.5
#define PING_MAX_S 10.0

static struct larder_nodecache *cache (const struct larder_request *q)
{
    return q->reader->words.nodecache;
}

static int remote (const struct larder_request *q)
{
    const struct larder_nodecache *nc = cache (q);
    return nc->topology->node[nc->owners[q->want.owner]] != nc->node;
}

static size_t mailbox (const struct larder_request *q, int line, int local)
{
    return larder_wire_mailbox (&cache (q)->layout, (uint64_t)q->want.owner, (uint64_t)line,
                                (uint64_t)local);
}

static int tell_cursor (struct larder_request *q, int line, larder_error *err)
{
    uint64_t cursor = larder_nodecache_cursor (cache (q), q->want.owner, line);
    return larder_fetch_tell (q, line, LARDER_REQUEST_CURSOR, LARDER_WRITE_MAX, &cursor, 1, err);
}

/* A line that is through: its verdicts once more, all together, then its end. */
static int tell_end (struct larder_request *q, int line, larder_error *err)
{
    struct larder_nodecache *nc = cache (q);
    const larder_word *states = larder_nodecache_states (nc, q->want.owner, line);
    uint64_t life = larder_load (&larder_nodecache_line (nc, q->want.owner, line)->life), word;
    int rc = LARDER_OK;
    for (int i = 0; rc == LARDER_OK && i < larder_topology_node_size (nc->topology, nc->node);
         ++i) {
        word = larder_load (&states[i]);
        if (larder_wire_life (word) == life)
            rc = larder_fetch_tell (q, line, LARDER_REQUEST_STATE + 8 * (size_t)i, LARDER_WRITE_MAX,
                                    &word, 1, err);
    }
    return rc == LARDER_OK ? tell_cursor (q, line, err) : rc;
}

static int tell_state (struct larder_request *q, uint64_t state, larder_error *err)
{
    uint64_t word = larder_wire_word (q->life, state);
    return larder_fetch_tell (q, q->line, LARDER_REQUEST_STATE + 8 * (size_t)cache (q)->local,
                              LARDER_WRITE_MAX, &word, 1, err);
}

/* ---------------------------------------------------------------- the end of a request */

static void clean_up (struct larder_request *q, uint64_t state)
{
    larder_error ignored; /* a transport that fails shows in the next poll */
    struct larder_nodecache *nc = cache (q);
    larder_fetch_abandon (q);
    larder_fetch_release (q);
    (void)tell_state (q, state, &ignored);
    int rc = larder_nodecache_leave (nc, q->want.owner, q->line, q->life, state);
    if (rc == 1)
        (void)tell_cursor (q, q->line, &ignored);
    else if (rc == 2)
        (void)tell_end (q, q->line, &ignored);
}

static uint64_t state_word (const struct larder_request *q, int code)
{
    /* Before the owner has answered nobody here knows how many items there are: who gives up then, and
     * has begun at the first item, is through with the object. */
    int whole = q->want.first_item == 0 &&
                (q->state == LARDER_REQUEST_INFO || q->want.end_item == q->info.end_item);
    if (q->verdict <= 0)
        code = q->verdict;
    else if (!whole)
        return LARDER_STATE_LEFT;
    return code == LARDER_OK ? LARDER_STATE_DONE : LARDER_STATE_FAILED + (uint64_t)-code;
}

void larder_reader_fail (struct larder_request *q, int code, const char *text)
{
    if (q->state == LARDER_REQUEST_OVER)
        return;
    enum larder_request_state was = q->state;
    larder_error_set (&q->result, code, 0, "%s", text);
    if (was != LARDER_REQUEST_JOIN)
        clean_up (q, state_word (q, code));
    q->state = LARDER_REQUEST_OVER;
    if (q->consumer.download_failed) {
        *q->reader->in_callback = 1;
        q->consumer.download_failed (q->consumer.self, &q->result);
        *q->reader->in_callback = 0;
    }
}

static void complete (struct larder_request *q)
{
    larder_error why = {0};
    int rc = LARDER_OK;
    if (q->consumer.download_completed) {
        *q->reader->in_callback = 1;
        rc = q->consumer.download_completed (q->consumer.self, &why);
        *q->reader->in_callback = 0;
    }
    if (rc != LARDER_OK)
        larder_error_set (&q->result, LARDER_ECONSUMER, why.detail, "consumer: %s",
                          why.text[0] ? why.text : larder_code_text (rc));
    clean_up (q, state_word (q, rc != LARDER_OK ? LARDER_ECONSUMER : LARDER_OK));
    q->state = LARDER_REQUEST_OVER;
}

/* ---------------------------------------------------------------- joining */

/* Lines that the owner has closed meanwhile are free again. */
static void take_closed (struct larder_request *q)
{
    struct larder_nodecache *nc = cache (q);
    for (int l = 0; l < (int)nc->layout.shape.max_lines; ++l) {
        struct larder_line *ln = larder_nodecache_line (nc, q->want.owner, l);
        if (larder_load (&ln->state) != LARDER_LINE_DRAINING)
            continue;
        uint64_t life = larder_load (&ln->life);
        size_t at = mailbox (q, l, (int)larder_load (&ln->closing)) + nc->layout.mailbox_closed;
        if (larder_load (larder_nodecache_word (nc, at)) == life)
            larder_nodecache_closed (nc, q->want.owner, l, life);
    }
}

/* Said again when no answer comes: a word of the record before this one, which another rank wrote, may
 * have come late and stand between these. */
static int tell_bind (struct larder_request *q, larder_error *err)
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
                    .session = q->session_id,
                    .local = (uint64_t)cache (q)->local}};
    u.bind.check = larder_wire_check (u.words, 8);
    return larder_fetch_tell (q, q->line, LARDER_REQUEST_BIND, LARDER_WRITE_REPLACE, u.words, 8,
                              err);
}

/* Who holds a line must not wait for another: nothing could end such waits but a deadline. */
static int holds_something (const struct larder_request *q)
{
    for (const struct larder_request *r = q->reader->requests; r; r = r->next)
        if (r != q && r->state != LARDER_REQUEST_OVER)
            return 1;
    return 0;
}

static int join (struct larder_request *q, larder_error *err)
{
    struct larder_joined joined;
    take_closed (q);
    int rc = larder_nodecache_join (cache (q), &q->want, &joined), told = LARDER_OK;
    for (int l = 0; told == LARDER_OK && l < (int)cache (q)->layout.shape.max_lines; ++l)
        if (joined.raised >> l & 1)
            told = tell_end (q, l, err);
    if (told < 0 && rc != LARDER_OK)
        return told;
    if (rc == LARDER_EBUSY && !holds_something (q))
        return LARDER_AGAIN;
    if (rc == LARDER_EBUSY)
        return larder_error_set (
            err, rc, 0,
            "this node has %d downloads open at rank %d (max_lines), or no two slots "
            "are left in its cache",
            q->reader->settings->max_lines, cache (q)->owners[q->want.owner]);
    if (rc != LARDER_OK)
        return rc;
    q->line = joined.line;
    q->life = joined.life;
    q->state = LARDER_REQUEST_INFO;
    q->next_item = q->want.first_item;
    rc = joined.binds && told == LARDER_OK ? tell_bind (q, err) : told;
    if (rc == LARDER_OK)
        rc = tell_state (q, LARDER_STATE_ACQUIRED, err);
    if (rc == LARDER_OK && joined.extended) {
        uint64_t end = larder_wire_word (q->life, joined.end_item);
        rc = larder_fetch_tell (q, q->line, LARDER_REQUEST_END, LARDER_WRITE_MAX, &end, 1, err);
    }
    return rc;
}

/* The owner's answers stand in the holder's mailbox; the line's other ranks see them in the line. */
static void take_answers (struct larder_request *q)
{
    struct larder_nodecache *nc = cache (q);
    size_t bit_words = (nc->layout.shape.node_size + 63) / 64;
    size_t at = mailbox (q, q->line, nc->local);
    union {
        struct larder_info info;
        uint64_t words[8 + 64];
    } u;
    union {
        struct larder_failed record;
        uint64_t words[sizeof (struct larder_failed) / 8];
    } f;
    for (size_t i = 0; i < 8 + bit_words; ++i)
        u.words[i] = larder_load (larder_nodecache_word (nc, at + 8 * i));
    if (u.info.life == q->life && u.info.check == (larder_wire_check (u.words, 8) ^
                                                   larder_wire_check (&u.words[8], bit_words + 1)))
        larder_nodecache_begin (nc, q->want.owner, q->line, &u.info, &u.words[8]);
    if (larder_words_record (nc, at + nc->layout.mailbox_failed, f.words, sizeof f / 8) == 0 &&
        f.record.life == q->life) {
        f.record.text[LARDER_FAILED_TEXT - 1] = 0;
        larder_nodecache_fail (nc, q->want.owner, q->line, q->life, -(int)f.record.code,
                               f.record.text);
    }
}

static int given_up (struct larder_request *q)
{
    int code = larder_nodecache_failed (cache (q), q->want.owner, q->line, q->life);
    if (code) {
        char text[LARDER_FAILED_TEXT + 32];
        snprintf (text, sizeof text, "from rank %d: %s", cache (q)->owners[q->want.owner],
                  larder_nodecache_line (cache (q), q->want.owner, q->line)->text);
        larder_reader_fail (q, code, text);
    }
    return code != 0;
}

static int begin (struct larder_request *q)
{
    struct larder_nodecache *nc = cache (q);
    if (larder_nodecache_info (nc, q->want.owner, q->line, q->life, &q->info) != LARDER_OK)
        return 0;
    q->state = LARDER_REQUEST_RUN;
    q->position = atomic_load (&larder_nodecache_positions (nc, q->want.owner, q->line)[nc->local]);
    if (q->want.first_item == q->want.end_item)
        complete (q);
    return 1;
}

/* ---------------------------------------------------------------- viewing */

static int advance (struct larder_request *q, larder_error *err)
{
    struct larder_nodecache *nc = cache (q);
    struct larder_line *ln = larder_nodecache_line (nc, q->want.owner, q->line);
    ++q->position;
    uint64_t want = larder_wire_word (q->life, q->position);
    int highest = larder_raise (&ln->want, want);
    if (larder_nodecache_advance (nc, q->want.owner, q->line, q->position))
        return tell_cursor (q, q->line, err);
    if (highest)
        return larder_fetch_tell (q, q->line, LARDER_REQUEST_WANT, LARDER_WRITE_MAX, &want, 1, err);
    return LARDER_OK;
}

/* Show the next chunk to the consumer.  1: done; 0: it is not here; < 0: error. */
static int consume (struct larder_request *q, larder_error *err)
{
    struct larder_nodecache *nc = cache (q);
    uint32_t slot = larder_nodecache_lookup (nc, q->want.owner, q->line, q->life, q->position);
    if (slot == LARDER_POOL_NONE ||
        larder_nodecache_guard (nc, q->want.owner, q->line, q->life, q->position, slot) != 0)
        return 0;
    const struct larder_slot_header *h = larder_nodecache_slot (nc, slot);
    larder_view view;
    int ends = 0, rc = LARDER_OK;
    if (h->key != q->info.key || h->chunk != q->position) {
        larder_nodecache_unguard (nc);
        return 0;
    }
    int shown =
        larder_view_make (h, q->info.item_size, q->want.first_item, q->want.end_item, &view, &ends);
    if (shown < 0 || (shown && (view.item != q->next_item || view.offset != q->next_offset))) {
        larder_nodecache_unguard (nc);
        return larder_error_set (err, LARDER_ECHECKSUM, 0,
                                 "chunk %" PRIu64 " does not follow the one before", q->position);
    }
    if (shown) {
        q->reader->stats->bytes_consumed += view.size;
        *q->reader->in_callback = 1;
        rc = q->consumer.consume_items ? q->consumer.consume_items (q->consumer.self, &view, err)
                                       : LARDER_OK;
        *q->reader->in_callback = 0;
        q->next_item = view.item + view.count - (view.item_ends ? 0 : 1);
        q->next_offset = view.item_ends ? 0 : view.offset + view.size;
    }
    larder_nodecache_unguard (nc);
    if (rc != LARDER_OK) {
        char text[LARDER_ERROR_TEXT];
        snprintf (text, sizeof text, "consumer: %.400s",
                  err->text[0] ? err->text : larder_code_text (rc));
        return larder_error_set (err, LARDER_ECONSUMER, err->detail, "%s", text);
    }
    if (ends) {
        complete (q);
        return 1;
    }
    rc = advance (q, err);
    return rc < 0 ? rc : 1;
}

static int wait_longer (struct larder_request *q, double now, larder_error *err)
{
    if (now - q->moved > q->reader->settings->timeout_s) {
        char text[96];
        snprintf (text, sizeof text, "nothing moved for %.3g s (waiting for chunk %" PRIu64 ")",
                  now - q->moved, q->position);
        larder_reader_fail (q, LARDER_ETIMEDOUT, text);
        return 1;
    }
    if (q->state == LARDER_REQUEST_RUN && now - q->moved > q->reader->settings->hold_timeout_s &&
        larder_nodecache_do_without (cache (q), q->want.owner, q->line, q->life)) {
        int rc = tell_cursor (q, q->line, err);
        return rc < 0 ? rc : 1;
    }
    double since = q->pinged > q->moved ? q->pinged : q->moved;
    if (q->pinged < q->moved)
        q->ping_after = PING_S;
    if (now - since < q->ping_after)
        return 0;
    q->pinged = now;
    q->ping_after = q->ping_after * 2 < PING_MAX_S ? q->ping_after * 2 : PING_MAX_S;
    int rc = larder_fetch_ping (q, err);
    if (rc == LARDER_OK && q->state == LARDER_REQUEST_INFO)
        rc = tell_bind (q, err);
    return rc < 0 ? rc : 0;
}

static int poll_request (struct larder_request *q, int max_chunks, double now, larder_error *err)
{
    int moved = 0, rc = 0;
    if (q->state == LARDER_REQUEST_JOIN) {
        rc = join (q, err);
        if (rc != LARDER_OK)
            return rc == LARDER_AGAIN ? wait_longer (q, now, err) : rc;
        moved = 1;
    }
    int hold = larder_fetch_hold (q, now, err);
    if (hold < 0)
        return hold;
    if (hold && remote (q))
        take_answers (q);
    else if (q->state == LARDER_REQUEST_INFO)
        take_answers (q);
    if (given_up (q))
        return 1;
    if (q->state == LARDER_REQUEST_INFO)
        moved += begin (q);
    if (q->state == LARDER_REQUEST_RUN && remote (q) && hold &&
        (rc = larder_fetch_poll (q, err)) < 0)
        return rc;
    moved += rc;
    for (int i = 0; i < max_chunks && q->state == LARDER_REQUEST_RUN; ++i) {
        rc = consume (q, err);
        if (rc < 0)
            return rc;
        if (rc == 0)
            break;
        ++moved;
    }
    if (moved)
        q->moved = now;
    else if (q->state != LARDER_REQUEST_OVER)
        return wait_longer (q, now, err);
    return moved;
}

/* ---------------------------------------------------------------- the reader */

int larder_reader_start (struct larder_reader *r, struct larder_request *q, larder_error *err)
{
    q->reader = r;
    q->moved = larder_clock_now (&r->clock);
    q->state = LARDER_REQUEST_JOIN;
    int rc = join (q, err);
    if (rc < 0 && q->state == LARDER_REQUEST_JOIN)
        return rc;
    if (rc < 0)
        larder_reader_fail (q, rc, err->text);
    q->next = r->requests;
    r->requests = q;
    return LARDER_OK;
}

int larder_reader_poll (struct larder_reader *r, int max_chunks, larder_error *err)
{
    int moved = 0;
    double now = larder_clock_now (&r->clock);
    for (struct larder_request *q = r->requests; q; q = q->next) {
        larder_error why = {0};
        if (q->state == LARDER_REQUEST_OVER)
            continue;
        int rc = poll_request (q, max_chunks, now, &why);
        if (rc < 0)
            larder_reader_fail (q, rc, why.text);
        moved += rc != 0;
    }
    if (r->abandoned)
        moved += larder_fetch_sweep (r, err);
    return moved;
}

void larder_reader_remove (struct larder_request *q)
{
    for (struct larder_request **link = &q->reader->requests; *link; link = &(*link)->next)
        if (*link == q) {
            *link = q->next;
            return;
        }
}

int larder_reader_abandoned (const struct larder_reader *r)
{
    return r->abandoned != NULL;
}
