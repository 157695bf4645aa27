/* SPDX-License-Identifier: Apache-2.0 */
/* The receiver's public functions. */
#include "larder_backoff.h"
#include "larder_num.h"
#include "larder_progress.h"
#include <inttypes.h>
#include <larder/download.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static int owner_index (const larder *s, uint32_t rank)
{
    for (int i = 0; i < s->settings.owner_count; ++i)
        if ((uint32_t)s->settings.owners[i] == rank)
            return i;
    return -1;
}

static int make (larder *s, const larder_ref *ref, struct larder_request **out, larder_error *err)
{
    larder_ref_info info;
    int rc = ref ? larder_ref_read (ref, &info, err)
                 : larder_error_set (err, LARDER_EINVAL, 0, "download: the ref is NULL");
    if (rc != LARDER_OK)
        return rc;
    if (info.session != s->id)
        return larder_error_set (err, LARDER_ESESSION, 0,
                                 "download: the ref is of another session (%016" PRIx64
                                 ", this is %016" PRIx64 ")",
                                 info.session, s->id);
    int owner = owner_index (s, info.owner);
    if (owner < 0)
        return larder_error_set (err, LARDER_EREF, 0,
                                 "download: the ref names rank %" PRIu32 ", which owns nothing",
                                 info.owner);
    if (info.share && (info.via >= s->size || info.share > (uint32_t)s->size))
        return larder_error_set (err, LARDER_EREF, 0,
                                 "download: the ref was split by rank %d among %" PRIu32
                                 " receivers, and this session has %d ranks",
                                 (int)info.via, info.share, s->size);
    struct larder_request *q = calloc (1, sizeof *q);
    if (!q)
        return larder_error_set (err, LARDER_ENOMEM, 0, "download: no memory");
    q->session = s;
    q->ref = *ref;
    q->verdict = 1;
    q->ping_after = 1;
    q->first_item = info.first_item;
    q->want = (struct larder_want){.owner = owner,
                                   .object = info.object | (uint64_t)info.generation << 32,
                                   .transaction = info.transaction,
                                   .first_item = info.first_item,
                                   .end_item = info.first_item + info.item_count};
    if (info.share)
        q->want.split = larder_wire_split ((uint64_t)info.via, info.share);
    *out = q;
    return LARDER_OK;
}

/* Begin a request that was made; it is freed when that fails. */
static int launch (struct larder_request *q, struct larder_request **out, larder_error *err)
{
    larder_error why = {0};
    int rc = larder_reader_start (&q->session->reader, q, &why);
    if (rc == LARDER_OK) {
        *out = q;
        return LARDER_OK;
    }
    if (err)
        *err = why;
    free (q);
    return rc;
}

static int start (larder *s, const larder_ref *ref, const larder_consumer *consumer,
                  struct larder_request **out, larder_error *err)
{
    struct larder_request *q = NULL;
    if (!consumer || !consumer->consume_items)
        return larder_error_set (err, LARDER_EINVAL, 0, "download: a consumer needs consume_items");
    int rc = make (s, ref, &q, err);
    if (rc != LARDER_OK)
        return rc;
    q->consumer = *consumer;
    return launch (q, out, err);
}

/* Where a download goes on must lie in its range, and may only be its beginning when nothing has come. */
static int go_on (struct larder_request *q, const larder_cursor *cursor, larder_error *err)
{
    uint64_t first = q->want.first_item, end = q->want.end_item;
    if (cursor->item < first || cursor->item > end || cursor->chunk > LARDER_COUNT_MAX ||
        (cursor->offset && (cursor->item == end || !cursor->chunk)) ||
        (cursor->item != first && !cursor->chunk))
        return larder_error_set (err, LARDER_ERANGE, 0,
                                 "download: item %" PRIu64 ", byte %" PRIu64
                                 " of it is no place to go on in items %" PRIu64 " to %" PRIu64,
                                 cursor->item, cursor->offset, first, end);
    q->want.first_item = cursor->item;
    q->want.from = cursor->item < end ? cursor->chunk : 0;
    q->next_offset = cursor->offset;
    q->bytes_done = cursor->bytes;
    return LARDER_OK;
}

static int resume (larder *s, const larder_cursor *cursor, const larder_consumer *consumer,
                   struct larder_request **out, larder_error *err)
{
    struct larder_request *q = NULL;
    if (!cursor || !consumer || !consumer->consume_items)
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "download: it takes a cursor and a consumer with consume_items");
    int rc = make (s, &cursor->ref, &q, err);
    if (rc != LARDER_OK)
        return rc;
    q->consumer = *consumer;
    rc = go_on (q, cursor, err);
    if (rc == LARDER_OK)
        return launch (q, out, err);
    free (q);
    return rc;
}

static int begin (larder *s, const char *call, larder_request **request, larder_error *err)
{
    int rc = larder_progress_enter (s, call, err);
    if (rc == LARDER_OK && !request)
        rc = larder_error_set (err, LARDER_EINVAL, 0, "%s: request is NULL", call);
    return rc;
}

static int begun (larder *s, int rc, struct larder_request *q, larder_request **request,
                  larder_error *err)
{
    if (rc == LARDER_OK) {
        *request = q;
        rc = larder_progress_push (s, err);
    }
    return larder_progress_leave (s, rc, err);
}

int larder_download_start (larder *s, const larder_ref *ref, const larder_consumer *consumer,
                           larder_request **request, larder_error *err)
{
    struct larder_request *q = NULL;
    int rc = begin (s, "larder_download_start", request, err);
    if (rc == LARDER_OK)
        rc = start (s, ref, consumer, &q, err);
    return begun (s, rc, q, request, err);
}

int larder_download_resume (larder *s, const larder_cursor *cursor, const larder_consumer *consumer,
                            larder_request **request, larder_error *err)
{
    struct larder_request *q = NULL;
    int rc = begin (s, "larder_download_resume", request, err);
    if (rc == LARDER_OK)
        rc = resume (s, cursor, consumer, &q, err);
    return begun (s, rc, q, request, err);
}

/* Take a request's result and free it. */
static int reap (larder_request **request, larder_error *err)
{
    struct larder_request *q = *request;
    larder *s = q->session;
    larder_error ignored; /* a transport that fails shows in the next call */
    int rc = q->result.code;
    *request = NULL;
    (void)larder_progress_push (s, &ignored);
    larder_reader_remove (q);
    if (rc < 0 && err)
        *err = q->result;
    free (q);
    return larder_progress_leave (s, rc, err);
}

static int over (void *self)
{
    const struct larder_request *q = self;
    return q->state == LARDER_REQUEST_OVER;
}

/* The transport failed: requests cannot end by themselves any more. */
static void break_off (larder_request *q, int code, const larder_error *why)
{
    larder_reader_fail (q, code, why->text);
}

static int check (larder_request **request, const char *call, larder_error *err)
{
    if (!request || !*request)
        return larder_error_set (err, LARDER_EINVAL, 0, "%s: the request is NULL", call);
    if ((*request)->session->in_callback)
        return larder_error_set (err, LARDER_ECALLBACK, 0, "%s: called from inside a callback",
                                 call);
    return LARDER_OK;
}

int larder_download_test (larder_request **request, larder_error *err)
{
    larder_error why = {0};
    int rc = check (request, "larder_download_test", err);
    if (rc != LARDER_OK)
        return rc;
    if (!over (*request)) {
        rc = larder_progress_once ((*request)->session, 1, &why);
        if (rc < 0)
            break_off (*request, rc, &why);
    }
    return over (*request) ? reap (request, err) : LARDER_AGAIN;
}

int larder_download_wait (larder_request **request, double timeout_s, larder_error *err)
{
    larder_error why = {0};
    struct larder_backoff backoff = {0};
    int rc = check (request, "larder_download_wait", err);
    if (rc != LARDER_OK)
        return rc;
    larder *s = (*request)->session;
    double start_at = larder_clock_now (&s->clock);
    while (!over (*request)) {
        rc = larder_progress_once (s, 4, &why);
        if (rc < 0) {
            break_off (*request, rc, &why);
            break;
        }
        if (timeout_s >= 0 && larder_clock_now (&s->clock) - start_at >= timeout_s &&
            !over (*request))
            return LARDER_AGAIN;
        if (rc > 0)
            larder_backoff_reset (&backoff);
        else
            larder_backoff_wait (&backoff, 1);
    }
    return reap (request, err);
}

int larder_download_cancel (larder_request **request, larder_error *err)
{
    if (!request || !*request)
        return LARDER_OK;
    int rc = check (request, "larder_download_cancel", err);
    if (rc != LARDER_OK)
        return rc;
    larder_reader_cancel (*request, "cancelled by the caller");
    (void)reap (request, NULL);
    return LARDER_OK;
}

int larder_download_interrupt (larder_request **request, larder_cursor *cursor, larder_error *err)
{
    int rc = check (request, "larder_download_interrupt", err);
    if (rc == LARDER_OK && !cursor)
        rc = larder_error_set (err, LARDER_EINVAL, 0, "larder_download_interrupt: cursor is NULL");
    if (rc != LARDER_OK)
        return rc;
    struct larder_request *q = *request;
    if (larder_reader_interrupt (q) != 0)
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "larder_download_interrupt: the download has ended");
    *cursor = (larder_cursor){.ref = q->ref,
                              .item = q->next_item,
                              .offset = q->next_offset,
                              .chunk = q->from,
                              .bytes = q->bytes_done};
    (void)reap (request, NULL);
    return LARDER_OK;
}

int larder_download (larder *s, const larder_ref *ref, const larder_consumer *consumer,
                     larder_error *err)
{
    struct larder_request *q = NULL;
    int rc = larder_download_start (s, ref, consumer, &q, err);
    return rc == LARDER_OK ? larder_download_wait (&q, -1, err) : rc;
}

static int confirm (larder *s, const larder_ref *ref, int code, struct larder_request **out,
                    larder_error *err)
{
    struct larder_request *q = NULL;
    int known = code <= 0 && strcmp (larder_code_name (code), larder_code_name (INT_MIN)) != 0;
    int rc =
        !known ? larder_error_set (err, LARDER_EINVAL, 0, "larder_confirm: %d is no verdict", code)
               : make (s, ref, &q, err);
    if (rc != LARDER_OK)
        return rc;
    q->verdict = code;
    q->want.first_item = q->want.end_item = 0;
    q->want.from = (uint64_t)-code;
    return launch (q, out, err);
}

int larder_confirm (larder *s, const larder_ref *ref, int code, larder_error *err)
{
    struct larder_request *q = NULL;
    int rc = larder_progress_enter (s, "larder_confirm", err);
    if (rc == LARDER_OK)
        rc = confirm (s, ref, code, &q, err);
    if (rc != LARDER_OK)
        return larder_progress_leave (s, rc, err);
    rc = larder_download_wait (&q, -1, err);
    return rc == LARDER_EGONE ? LARDER_OK : rc;
}
