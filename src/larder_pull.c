/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_pull.h"
#include "larder_backoff.h"
#include "larder_disk.h"
#include "larder_num.h"
#include "larder_progress.h"
#include "larder_registry.h"
#include <inttypes.h>
#include <larder/download.h>
#include <stdlib.h>
#include <string.h>

/* One value being pulled. */
struct pulled {
    const larder_handler *handler; /* NULL: to disk */
    larder_consumer consumer;
    int open; /* the consumer is to be finished or abandoned */
};

/* One batch being pulled.  Its present run is values[from .. to). */
struct puller {
    struct pulling *all;
    struct larder_batch *batch;
    struct pulled *values; /* as batch->values */
    uint64_t from, to;
    uint64_t at; /* in the run: the value whose items come next */
    uint64_t open;
    larder_request *request;
    int over, waits; /* waits: for a line, until another batch has ended */
};

struct pulling {
    larder *session;
    const larder_resolve_options *options;
    struct larder_pull_failure *failure;
    struct puller *pullers;
    uint64_t count, running;
};

void larder_pull_fail (struct larder_pull_failure *failure, uint64_t order, int code,
                       const larder_error *why)
{
    if (failure->set && failure->order <= order)
        return;
    *failure = (struct larder_pull_failure){.set = 1, .order = order, .error = *why};
    if (why->code != code || !why->text[0]) /* a handler that did not say why */
        larder_error_set (&failure->error, code, 0, "a handler failed: %s",
                          larder_code_text (code));
}

/* ---------------------------------------------------------------- values */

static struct larder_datum *datum_of (const struct puller *p, uint64_t i)
{
    return p->batch->values[i].datum;
}

static void abandon (struct puller *p, uint64_t i)
{
    struct pulled *v = &p->values[i];
    if (!v->open)
        return;
    v->open = 0;
    --p->open;
    if (v->handler)
        v->handler->abandon (v->handler->self, v->consumer.self);
    else
        larder_disk_abandon (v->consumer.self);
}

static void fail_value (struct puller *p, uint64_t i, int code, const larder_error *why)
{
    abandon (p, i);
    if (!p->batch->code)
        p->batch->code = code;
    larder_pull_fail (p->all->failure, p->batch->values[i].order, code, why);
}

static int receive (struct puller *p, uint64_t i, larder_error *err)
{
    const struct larder_datum *d = datum_of (p, i);
    const larder_resolve_options *o = p->all->options;
    struct pulled *v = &p->values[i];
    larder_lazy lazy;
    *v = (struct pulled){0};
    if (o->disk_dir && d->dot == LARDER_DOT_ARRAY && d->size && d->size >= o->disk_min)
        return larder_disk_receive (o->disk_dir, d->size, &v->consumer, err);
    int rc = larder_registry_need (o->registry, d->dot, &v->handler, err);
    if (rc != LARDER_OK)
        return rc;
    if (!v->handler->receive)
        return larder_error_set (err, LARDER_EHANDLER, 0,
                                 "handler %s (type tag %d) cannot receive by reference",
                                 v->handler->name, d->dot);
    larder_datum_lazy (d, &lazy);
    return v->handler->receive (v->handler->self, &lazy, &v->consumer, err);
}

int larder_pull_take (struct larder_datum *d, const larder_made *made, int keep_ref,
                      larder_error *err)
{
    uint64_t size = d->size;
    larder_shape shape;
    int rc = LARDER_OK;
    larder_datum_shape (d, &shape);
    if (made->array)
        rc = larder_shape_size (&made->shape, &size, err);
    if (rc == LARDER_OK && made->array && !larder_shape_equal (&shape, &made->shape))
        rc = larder_error_set (err, LARDER_EINCOMPLETE, 0,
                               "what came has another shape than its ref says");
    if (rc == LARDER_OK && !made->value && !(made->array && size == 0))
        rc = larder_error_set (err, LARDER_ENOVALUE, 0, "the handler of type tag %d gave no value",
                               d->dot);
    struct larder_blob *blob = rc == LARDER_OK && made->value && made->free_value
                                   ? larder_blob_new (made->value, made->free_value)
                                   : NULL;
    if (rc == LARDER_OK && made->value && made->free_value && !blob)
        rc = larder_error_set (err, LARDER_ENOMEM, 0, "no memory for a value");
    if (rc != LARDER_OK) {
        if (made->value && made->free_value)
            made->free_value (made->value);
        return rc;
    }
    larder_blob_drop (d->blob);
    d->blob = blob;
    d->data = made->value;
    d->size = size;
    d->kind = made->array ? LARDER_KIND_ARRAY : LARDER_KIND_TYPED;
    d->dot = made->array ? LARDER_DOT_ARRAY : d->dot;
    d->has_ref = keep_ref;
    return LARDER_OK;
}

static int finish (struct puller *p, uint64_t i, larder_error *err)
{
    struct pulled *v = &p->values[i];
    struct larder_datum *d = datum_of (p, i);
    larder_made made = {0};
    v->open = 0;
    --p->open;
    if (v->handler) {
        int rc = v->handler->finish (v->handler->self, v->consumer.self, &made, err);
        return rc == LARDER_OK ? larder_pull_take (d, &made, 0, err) : rc;
    }
    struct larder_blob *blob = NULL;
    int rc = larder_disk_finish (v->consumer.self, &d->data, &blob, err);
    if (rc == LARDER_OK)
        d->blob = blob; /* a lazy ref had none */
    return rc;
}

/* The present run has ended with a code: values that are open have all their items, or will not get them. */
static void end_run (struct puller *p, int rc, const larder_error *why)
{
    int inside = p->all->session->in_callback;
    p->all->session->in_callback = 1;
    for (uint64_t i = p->from; i < p->to; ++i) {
        larder_error mine = {0};
        int code = rc;
        if (!p->values[i].open)
            continue;
        if (rc == LARDER_OK)
            code = finish (p, i, &mine);
        if (code < 0)
            fail_value (p, i, code, rc == LARDER_OK ? &mine : why);
    }
    p->all->session->in_callback = inside;
}

/* ---------------------------------------------------------------- views */

static uint64_t end_of (const struct larder_datum *d)
{
    return d->first + d->count;
}

/* Items from .. from + n of a view, numbered from `first` on. */
static larder_view slice (const larder_view *view, uint64_t from, uint64_t n, uint64_t first)
{
    larder_view v = *view;
    uint64_t skip = from * view->item_size, size = n * view->item_size;
    if (view->item_sizes) {
        skip = size = 0;
        for (uint64_t i = 0; i < from; ++i)
            skip += view->item_sizes[i];
        for (uint64_t i = from; i < from + n; ++i)
            size += view->item_sizes[i];
        v.item_sizes = n > 1 ? view->item_sizes + from : NULL;
        v.item_size = n > 1 ? view->item_size : size;
    }
    if (from + n == view->count && !view->item_sizes)
        size = view->size - skip; /* the last one may be shorter, or a part */
    v.item = view->item + from - first;
    v.count = n;
    v.data = (const char *)view->data + skip;
    v.size = (size_t)size;
    v.item_ends = from + n < view->count || view->item_ends;
    return v;
}

static void deliver (struct puller *p, uint64_t i, const larder_view *view)
{
    struct pulled *v = &p->values[i];
    larder_error why = {0};
    int rc = v->open ? v->consumer.consume_items (v->consumer.self, view, &why) : LARDER_OK;
    if (rc < 0)
        fail_value (p, i, rc, &why);
}

static int consume (void *self, const larder_view *view, larder_error *err)
{
    struct puller *p = self;
    for (uint64_t done = 0; done < view->count;) {
        uint64_t item = view->item + done;
        while (p->at < p->to && end_of (datum_of (p, p->at)) <= item)
            ++p->at;
        if (p->at == p->to || datum_of (p, p->at)->first > item)
            return larder_error_set (err, LARDER_EINCOMPLETE, 0,
                                     "item %" PRIu64 " came and was not asked for", item);
        const struct larder_datum *d = datum_of (p, p->at);
        uint64_t n = larder_num_min (view->count - done, end_of (d) - item);
        larder_view part = slice (view, done, n, d->first);
        for (uint64_t i = p->at; i < p->to && datum_of (p, i)->first == d->first; ++i)
            deliver (p, i, &part);
        done += n;
    }
    if (p->open)
        return LARDER_OK;
    p->request->partial = 1; /* what to say of it is for the end */
    return larder_error_set (err, LARDER_ECONSUMER, 0, "%s", p->all->failure->error.text);
}

/* Before this rank's verdict goes: it must not say that all is well when a value cannot be made, or when
 * more of the object is to come. */
static int completed (void *self, larder_error *err)
{
    struct puller *p = self;
    struct larder_request *q = p->request;
    (void)err;
    end_run (p, LARDER_OK, NULL);
    q->partial = p->batch->code || p->batch->rest || p->to < p->batch->count;
    p->batch->whole = !q->partial && q->first_item == 0 && q->want.end_item == q->info.end_item;
    return LARDER_OK;
}

static int abort_requested (void *self)
{
    const struct puller *p = self;
    const larder_resolve_options *o = p->all->options;
    return o->abort_requested && o->abort_requested (o->self);
}

static void progress (void *self, const larder_event *event)
{
    const struct puller *p = self;
    p->all->options->progress (p->all->options->self, event);
}

/* ---------------------------------------------------------------- runs */

/* The next run: neighbours by the same ref.  Values that are the same items come together. */
static void next_run (struct puller *p)
{
    const struct larder_datum *last = NULL;
    p->from = p->at = p->to;
    for (; p->to < p->batch->count; ++p->to) {
        const struct larder_datum *d = datum_of (p, p->to);
        if (last &&
            (memcmp (&last->ref, &d->ref, sizeof d->ref) != 0 ||
             (d->first != end_of (last) && (d->first != last->first || d->count != last->count))))
            break;
        last = d;
    }
}

/* Nothing more can come of this batch. */
static void give_up (struct puller *p, int code, const larder_error *why)
{
    for (uint64_t i = p->to; i < p->batch->count; ++i)
        fail_value (p, i, code, why);
    p->to = p->batch->count;
}

static void begin_values (struct puller *p)
{
    p->all->session->in_callback = 1;
    for (uint64_t i = p->from; i < p->to; ++i) {
        larder_error why = {0};
        int rc = receive (p, i, &why);
        p->values[i].open = rc == LARDER_OK;
        p->open += rc == LARDER_OK;
        if (rc != LARDER_OK)
            fail_value (p, i, rc, &why);
    }
    p->all->session->in_callback = 0;
}

/* Begin the download of the present run.  1: there is nothing to download. */
static int start (struct puller *p, larder_error *err)
{
    const larder_resolve_options *o = p->all->options;
    const struct larder_datum *first = datum_of (p, p->from), *last = datum_of (p, p->to - 1);
    larder_consumer consumer = {.self = p,
                                .consume_items = consume,
                                .download_completed = completed,
                                .abort_requested = o->abort_requested ? abort_requested : NULL,
                                .download_progress = o->progress ? progress : NULL,
                                .progress_interval_s = o->progress_interval_s};
    larder_ref part;
    if (p->open == 0 || end_of (last) == first->first)
        return 1;
    int rc = larder_ref_items (&first->ref, first->first, end_of (last) - first->first, &part, err);
    if (rc == LARDER_ERANGE)
        rc = larder_error_set (err, LARDER_EINCOMPLETE, 0,
                               "a value needs items that its ref does not name");
    p->all->session->in_callback = 1;
    if (rc == LARDER_OK && abort_requested (p))
        rc = larder_error_set (err, LARDER_ECANCELED, 0, "aborted by the caller");
    p->all->session->in_callback = 0;
    return rc == LARDER_OK
               ? larder_download_start (p->all->session, &part, &consumer, &p->request, err)
               : rc;
}

/* No line was free.  Other downloads that this rank has open may hold them, and end. */
static int may_wait (const struct puller *p)
{
    int open = p->all->running > 0;
    for (const larder_request *q = p->all->session->reader.requests; q; q = q->next)
        open |= !q->orphan && q->state != LARDER_REQUEST_OVER;
    return open;
}

/* Runs go on until one waits for its download; returns 1 when something has ended. */
static int go_on (struct puller *p)
{
    larder_error why = {0};
    int ended = 0, rc = LARDER_OK;
    while (!p->over && !p->request) {
        if (!p->waits) {
            next_run (p);
            if (p->from == p->to) {
                p->over = 1;
                break;
            }
            begin_values (p);
        }
        rc = start (p, &why);
        p->waits = rc == LARDER_EBUSY && may_wait (p);
        if (p->waits)
            return ended;
        if (rc == LARDER_OK) {
            ++p->all->running;
            break;
        }
        ended = 1;
        end_run (p, rc < 0 ? rc : LARDER_OK, &why);
        if (rc < 0)
            give_up (p, rc, &why);
    }
    return ended;
}

static int step (struct puller *p)
{
    larder_error why = {0};
    if (p->over)
        return 0;
    if (!p->request)
        return go_on (p);
    if (p->request->state != LARDER_REQUEST_OVER)
        return 0;
    int rc = larder_download_test (&p->request, &why); /* takes the result */
    --p->all->running;
    if (rc == LARDER_EBUSY && may_wait (p)) {
        p->waits = 1; /* it was waiting for a line that another batch took */
        return 0;
    }
    end_run (p, rc, &why);
    if (rc < 0 && rc != LARDER_ECONSUMER)
        give_up (p, rc, &why);
    (void)go_on (p);
    return 1;
}

static void drive (struct pulling *all)
{
    struct larder_backoff backoff = {0};
    for (;;) {
        larder_error why = {0};
        int moved = 0, left = 0;
        for (uint64_t i = 0; i < all->count; ++i) {
            moved |= step (&all->pullers[i]);
            left |= !all->pullers[i].over;
        }
        if (!left)
            return;
        int rc = larder_progress_once (all->session, 4, &why);
        for (uint64_t i = 0; rc < 0 && i < all->count; ++i)
            if (all->pullers[i].request) /* it cannot end by itself any more */
                larder_reader_fail (all->pullers[i].request, rc, why.text);
        if (moved || rc != 0)
            larder_backoff_reset (&backoff);
        else
            larder_backoff_wait (&backoff, 1);
    }
}

void larder_pull (larder *s, struct larder_batches *batches, const larder_resolve_options *options,
                  struct larder_pull_failure *failure)
{
    struct pulling all = {.session = s,
                          .options = options,
                          .failure = failure,
                          .pullers = calloc (batches->count + 1, sizeof *all.pullers),
                          .count = batches->count};
    struct pulled *values = calloc (batches->value_count + 1, sizeof *values);
    if (all.pullers && values) {
        for (uint64_t i = 0, k = 0; i < batches->count; k += batches->batch[i++].count)
            all.pullers[i] =
                (struct puller){.all = &all, .batch = &batches->batch[i], .values = &values[k]};
        drive (&all);
    } else {
        larder_error why;
        larder_error_set (&why, LARDER_ENOMEM, 0, "no memory to download a message");
        larder_pull_fail (failure, 0, LARDER_ENOMEM, &why);
        for (uint64_t i = 0; i < batches->count; ++i)
            batches->batch[i].code = LARDER_ENOMEM;
    }
    free (all.pullers);
    free (values);
}
