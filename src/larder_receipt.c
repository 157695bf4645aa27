/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_receipt.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- texts */

const char *larder_verdict_text (larder_verdict verdict)
{
    switch (verdict) {
    case LARDER_VERDICT_COMPLETED:
        return "completed";
    case LARDER_VERDICT_FAILED:
        return "failed";
    case LARDER_VERDICT_ABORTED:
        return "aborted";
    }
    return "unknown";
}

const char *larder_reason_text (larder_reason reason)
{
    switch (reason) {
    case LARDER_REASON_ALL_SUCCEEDED:
        return "all_receivers_succeeded";
    case LARDER_REASON_DELETED:
        return "deleted";
    case LARDER_REASON_TIMEOUT:
        return "timeout";
    case LARDER_REASON_UNKNOWN_RECEIVER_COUNT:
        return "unknown_receiver_count";
    case LARDER_REASON_NO_OBJECTS:
        return "no_objects";
    case LARDER_REASON_RECEIVER_FAILED:
        return "receiver_failed";
    case LARDER_REASON_COMPUTATION_FAILED:
        return "computation_failed";
    }
    return "unknown";
}

const char *larder_receiver_verdict_text (larder_receiver_verdict verdict)
{
    switch (verdict) {
    case LARDER_RECEIVER_SUCCEEDED:
        return "succeeded";
    case LARDER_RECEIVER_FAILED:
        return "failed";
    case LARDER_RECEIVER_MISSING:
        return "missing";
    }
    return "unknown";
}

/* ---------------------------------------------------------------- the verdict */

static int all_succeeded (const struct larder_txn *t)
{
    for (int i = 0; i < t->page_count; ++i)
        if (t->pages[i]->done < t->expected || t->pages[i]->failed)
            return 0;
    return t->expected > 0 && t->page_count > 0;
}

static void judge (larder_receipt *r, const struct larder_txn *t)
{
    r->verdict = LARDER_VERDICT_FAILED;
    if (all_succeeded (t)) {
        r->verdict = LARDER_VERDICT_COMPLETED;
        r->reason = LARDER_REASON_ALL_SUCCEEDED;
    } else if (r->done == LARDER_DONE_DELETED) {
        r->verdict = LARDER_VERDICT_ABORTED;
        r->reason = LARDER_REASON_DELETED;
    } else if (r->done == LARDER_DONE_TIMEOUT) {
        r->reason = LARDER_REASON_TIMEOUT;
    } else if (t->expected == 0) {
        r->reason = LARDER_REASON_UNKNOWN_RECEIVER_COUNT;
    } else {
        r->reason = t->page_count ? LARDER_REASON_RECEIVER_FAILED : LARDER_REASON_NO_OBJECTS;
    }
}

static int quorum (const larder_receipt *r, const struct larder_txn *t)
{
    int have = 0;
    if (!r->min_receivers)
        return r->verdict == LARDER_VERDICT_COMPLETED;
    for (int i = 0; i < t->count && t->page_count; ++i) {
        int all = 1;
        for (int k = 0; k < t->page_count; ++k)
            all &= t->pages[k]->standing[i].state == LARDER_FINAL &&
                   t->pages[k]->standing[i].code == LARDER_OK;
        have += all;
    }
    return have >= r->min_receivers;
}

/* ---------------------------------------------------------------- making */

static larder_receipt_line line (const struct larder_receiver *who, const struct larder_standing *s,
                                 int closed, larder_done done)
{
    larder_receipt_line l = {.rank = who->rank,
                             .acquired = who->acquired,
                             .verdict = LARDER_RECEIVER_MISSING,
                             .code = closed                        ? closed
                                     : done == LARDER_DONE_TIMEOUT ? LARDER_ETIMEDOUT
                                                                   : LARDER_EGONE,
                             .via = who->via};
    if (s->state == LARDER_FINAL) {
        l.code = s->code;
        if (who->rank >= 0) /* else nobody came */
            l.verdict = l.code == LARDER_OK ? LARDER_RECEIVER_SUCCEEDED : LARDER_RECEIVER_FAILED;
    }
    return l;
}

void larder_receipt_blank (const struct larder_receipt_facts *f, const struct larder_txn *t,
                           larder_receipt *out)
{
    *out = (larder_receipt){.transaction = f->transaction,
                            .verdict = LARDER_VERDICT_FAILED,
                            .reason = LARDER_REASON_COMPUTATION_FAILED,
                            .done = f->done,
                            .expected = t->expected,
                            .min_receivers = t->limits.min_receivers,
                            .seconds = f->seconds,
                            .time = f->time};
}

/* One block: the receipt, its objects, their lines, their names. */
static larder_receipt *block (int objects, int receivers, size_t names)
{
    size_t n = (size_t)objects;
    return calloc (1, sizeof (larder_receipt) + n * sizeof (larder_receipt_object) +
                          n * (size_t)receivers * sizeof (larder_receipt_line) + names);
}

int larder_receipt_make (const struct larder_receipt_facts *f, const struct larder_txn *t,
                         larder_receipt **out, larder_error *err)
{
    size_t names = 0;
    for (int i = 0; i < t->page_count; ++i)
        names += strlen (f->names[i]) + 1;
    larder_receipt *r = block (t->page_count, t->count, names);
    if (!r)
        return larder_error_set (err, LARDER_ENOMEM, 0, "transaction: no memory for its receipt");
    larder_receipt_blank (f, t, r);
    r->receivers = t->count;
    r->objects = t->page_count;
    larder_receipt_object *objects = (larder_receipt_object *)(void *)(r + 1);
    larder_receipt_line *lines = (larder_receipt_line *)(void *)(objects + t->page_count);
    char *text = (char *)(lines + (size_t)t->page_count * (size_t)t->count);
    r->object = objects;
    for (int i = 0; i < t->page_count; ++i) {
        size_t n = strlen (f->names[i]) + 1;
        objects[i] = (larder_receipt_object){f->refs[i], text, lines};
        memcpy (text, f->names[i], n);
        text += n;
        for (int k = 0; k < t->count; ++k)
            *lines++ =
                line (&t->receivers[k], &t->pages[i]->standing[k], t->pages[i]->closed, f->done);
    }
    judge (r, t);
    r->quorum_met = quorum (r, t);
    *out = r;
    return LARDER_OK;
}

int larder_receipt_copy (const larder_receipt *from, larder_receipt **out, larder_error *err)
{
    size_t names = 0, count = (size_t)from->objects * (size_t)from->receivers;
    for (int i = 0; i < from->objects; ++i)
        names += strlen (from->object[i].name) + 1;
    larder_receipt *r = block (from->objects, from->receivers, names);
    if (!r)
        return larder_error_set (err, LARDER_ENOMEM, 0, "transaction: no memory for its receipt");
    *r = *from;
    larder_receipt_object *objects = (larder_receipt_object *)(void *)(r + 1);
    larder_receipt_line *lines = (larder_receipt_line *)(void *)(objects + from->objects);
    char *text = (char *)(lines + count);
    r->object = objects;
    for (int i = 0; i < from->objects; ++i) {
        size_t n = strlen (from->object[i].name) + 1;
        objects[i] = (larder_receipt_object){from->object[i].ref, text, lines};
        memcpy (text, from->object[i].name, n);
        memcpy (lines, from->object[i].lines, (size_t)from->receivers * sizeof *lines);
        text += n;
        lines += from->receivers;
    }
    *out = r;
    return LARDER_OK;
}

void larder_receipt_free (larder_receipt **receipt)
{
    if (!receipt)
        return;
    free (*receipt);
    *receipt = NULL;
}

/* ---------------------------------------------------------------- keeping */

int larder_receipts_reserve (struct larder_receipts *k, int more, larder_error *err)
{
    if (k->count + more <= k->capacity)
        return LARDER_OK;
    int capacity = 2 * k->capacity + more;
    struct larder_receipt_entry *e = realloc (k->entries, (size_t)capacity * sizeof *e);
    if (!e)
        return larder_error_set (err, LARDER_ENOMEM, 0, "transaction: no memory for its receipt");
    k->entries = e;
    k->capacity = capacity;
    return LARDER_OK;
}

void larder_receipts_add (struct larder_receipts *k, larder_receipt *receipt, double now)
{
    if (k->first + k->count == k->capacity) {
        memmove (k->entries, k->entries + k->first, (size_t)k->count * sizeof *k->entries);
        k->first = 0;
    }
    k->entries[k->first + k->count++] = (struct larder_receipt_entry){receipt, now};
}

const larder_receipt *larder_receipts_find (const struct larder_receipts *k, uint64_t transaction)
{
    for (int i = k->first + k->count; i-- > k->first;)
        if (k->entries[i].receipt->transaction == transaction)
            return k->entries[i].receipt;
    return NULL;
}

void larder_receipts_expire (struct larder_receipts *k, double now)
{
    while (k->count && now - k->entries[k->first].at > LARDER_RECEIPT_KEPT_S) {
        larder_receipt_free (&k->entries[k->first].receipt);
        ++k->first;
        --k->count;
    }
}

void larder_receipts_free (struct larder_receipts *k)
{
    larder_receipts_expire (k, HUGE_VAL);
    free (k->entries);
    *k = (struct larder_receipts){0};
}
