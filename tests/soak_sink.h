/* SPDX-License-Identifier: Apache-2.0 */
/* A receiver's consumer: checks every byte, and misbehaves as it was drawn. */
#ifndef SOAK_SINK_H
#define SOAK_SINK_H

#include "soak_object.h"

struct soak_sink {
    const struct soak_plan *plan;
    const struct soak_part *part;
    int object, version;
    uint64_t next_item, next_offset, end_item;
    uint64_t bytes, items, views;        /* since the download began, interruptions included */
    uint64_t bytes_before, items_before; /* it was interrupted */
    int completed, failed, napped, aborted;
    larder_error why;
    struct soak_pair progress;
};

static uint64_t soak_bytes_got, soak_views_got;

static inline const struct soak_shape *soak_sink_shape (const struct soak_sink *k)
{
    return &k->plan->shape[k->object];
}

/* The bytes of one item, or of a part of it. */
static inline int soak_check_item (struct soak_sink *k, const unsigned char *p, uint64_t n,
                                   int ends)
{
    const struct soak_shape *s = soak_sink_shape (k);
    uint64_t size = soak_size (s, k->version, k->next_item);
    int bad = 0;
    for (uint64_t i = 0; i < n; ++i)
        bad |= p[i] != soak_byte (s, k->version, k->next_item, k->next_offset + i);
    k->next_offset += n;
    bad |= ends ? k->next_offset != size : k->next_offset > size;
    if (ends) {
        ++k->next_item;
        k->next_offset = 0;
        ++k->items;
    }
    return bad;
}

static inline int soak_check_view (struct soak_sink *k, const larder_view *v)
{
    const unsigned char *p = v->data;
    uint64_t left = v->size;
    if (v->count < 1 || v->item != k->next_item || v->offset != k->next_offset ||
        v->item + v->count > k->end_item || (v->count > 1 && (v->offset || !v->item_ends)))
        return 1;
    for (uint64_t i = 0; i < v->count; ++i) {
        uint64_t n = v->count == 1 ? left : v->item_sizes ? v->item_sizes[i] : v->item_size;
        if (v->count > 1 && !v->item_sizes)
            n = larder_num_min (n, left); /* the last one is shorter */
        if (n > left || soak_check_item (k, p, n, i + 1 < v->count || v->item_ends))
            return 1;
        p += n;
        left -= n;
    }
    return left != 0;
}

static int soak_misbehave (struct soak_sink *k, larder_error *err)
{
    const struct soak_part *t = k->part;
    if (t->way == SOAK_SLOW && k->views < 40)
        soak_nap (t->spend_s);
    if (t->way == SOAK_STILL_INSIDE && k->views > t->after && !k->napped) {
        k->napped = 1;
        soak_nap (t->spend_s);
    }
    if (t->way == SOAK_REFUSE && k->views > t->after)
        return larder_error_set (err, LARDER_ENOSPC, 0, "no appetite");
    return LARDER_OK;
}

static int soak_consume (void *self, const larder_view *view, larder_error *err)
{
    struct soak_sink *k = self;
    double from = soak_now ();
    if (k->completed || k->failed)
        soak_fault (k->plan, "object %d: a view after the end", k->object);
    else if (soak_check_view (k, view))
        soak_fault (k->plan,
                    "object %d version %d: wrong bytes: view of items %llu+%llu offset %llu size "
                    "%zu, due item %llu offset %llu",
                    k->object, k->version, (unsigned long long)view->item,
                    (unsigned long long)view->count, (unsigned long long)view->offset, view->size,
                    (unsigned long long)k->next_item, (unsigned long long)k->next_offset);
    ++k->views;
    ++soak_views_got;
    k->bytes += view->size;
    soak_bytes_got += view->size;
    int rc = soak_misbehave (k, err);
    soak_away (soak_now () - from);
    return rc;
}

static int soak_completed (void *self, larder_error *err)
{
    struct soak_sink *k = self;
    ++k->completed;
    if (k->next_item != k->end_item || k->next_offset)
        soak_fault (k->plan, "object %d: completed at item %llu of %llu", k->object,
                    (unsigned long long)k->next_item, (unsigned long long)k->end_item);
    return k->part->way == SOAK_REFUSE_END
               ? larder_error_set (err, LARDER_ENOSPC, 0, "no room for it")
               : LARDER_OK;
}

static void soak_failed (void *self, const larder_error *why)
{
    struct soak_sink *k = self;
    ++k->failed;
    k->why = *why;
}

static int soak_abort_requested (void *self)
{
    struct soak_sink *k = self;
    k->aborted = k->part->way == SOAK_ABORT && k->views >= k->part->after;
    return k->aborted;
}

static void soak_progress (void *self, const larder_event *e)
{
    struct soak_sink *k = self;
    const char *wrong = soak_follows (&k->progress, e);
    if (!wrong && (e->receiver != soak_rank || e->owner != k->plan->owner))
        wrong = "of another pair";
    if (!wrong && (e->bytes_done != k->bytes || e->items_done != k->items) &&
        (e->bytes_done != k->bytes - k->bytes_before ||
         e->items_done != k->items - k->items_before))
        wrong = "its figures are not what the consumer got";
    if (!wrong && k->completed + k->failed && e->state != LARDER_EVENT_COMPLETED &&
        e->state != LARDER_EVENT_FAILED && e->state != LARDER_EVENT_ABORTED)
        wrong = "not final after the end";
    if (wrong)
        soak_fault (k->plan,
                    "object %d: own progress: %s (state %d, number %llu, %llu bytes of %llu, %llu "
                    "items of %llu)",
                    k->object, wrong, (int)e->state, (unsigned long long)e->sequence,
                    (unsigned long long)e->bytes_done, (unsigned long long)k->bytes,
                    (unsigned long long)e->items_done, (unsigned long long)k->items);
}

static inline larder_consumer soak_consumer (struct soak_sink *k)
{
    return (larder_consumer){.self = k,
                             .consume_items = soak_consume,
                             .download_completed = soak_completed,
                             .download_failed = soak_failed,
                             .abort_requested = soak_abort_requested,
                             .download_progress = k->plan->watched ? soak_progress : NULL,
                             .progress_interval_s = k->plan->times.progress_interval_s};
}

/* A download has ended with a code: exactly one end was told, and it got everything or not. */
static inline void soak_check_end (struct soak_sink *k, int code)
{
    int ok = code == LARDER_OK, told = k->completed + k->failed;
    if (told != 1 || (ok && !k->completed) || (k->failed && k->why.code != code))
        soak_fault (k->plan, "object %d ended with %s, told completed %d failed %d (%s)", k->object,
                    larder_code_name (code), k->completed, k->failed,
                    larder_code_name (k->why.code));
    if (ok && (k->next_item != k->end_item || k->next_offset))
        soak_fault (k->plan, "object %d is all right at item %llu of %llu", k->object,
                    (unsigned long long)k->next_item, (unsigned long long)k->end_item);
    if (k->progress.last.sequence && !k->progress.over)
        soak_fault (k->plan, "object %d ended with %s, but its own progress did not", k->object,
                    larder_code_name (code));
}

#endif
