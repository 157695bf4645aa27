/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_progress.h"
#include "larder_backoff.h"
#include "larder_mpi.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Chunks that a rank consumes before it looks at its own duties again. */
#define CHUNKS_AT_A_TIME 4

int larder_progress_once (larder *s, int max_chunks, larder_error *err)
{
    int moved = 0, rc = LARDER_OK;
    if (s->transport.ops)
        rc = s->transport.ops->progress (s->transport.self, err);
    if (rc == LARDER_OK && s->owner) {
        rc = larder_owner_poll (s->owner, err);
        moved += rc > 0 ? rc : 0;
    }
    if (rc >= 0) {
        rc = larder_reader_poll (&s->reader, max_chunks > 0 ? max_chunks : 1, err);
        moved += rc > 0 ? rc : 0;
    }
    if (rc >= 0)
        rc = larder_progress_push (s, err);
    if (rc < 0) {
        s->broken = rc;
        return rc;
    }
    return moved;
}

int larder_progress_push (larder *s, larder_error *err)
{
    return s->transport.ops ? s->transport.ops->push (s->transport.self, err) : LARDER_OK;
}

int larder_progress_enter (const larder *s, const char *call, larder_error *err)
{
    if (!s)
        return larder_error_set (err, LARDER_EINVAL, 0, "%s: the session is NULL", call);
    if (s->in_callback)
        return larder_error_set (err, LARDER_ECALLBACK, 0, "%s: called from inside a callback",
                                 call);
    if (s->broken)
        return larder_error_set (err, LARDER_EBROKEN, 0, "%s: the session is broken: %s", call,
                                 larder_code_text (s->broken));
    return LARDER_OK;
}

int larder_progress_leave (const larder *s, int code, larder_error *err)
{
    if (code >= 0 || !err || !s || err->rank == s->rank) /* a call inside a call has said it */
        return code;
    char text[LARDER_ERROR_TEXT];
    snprintf (text, sizeof text, "rank %d: %.480s", s->rank,
              err->text[0] ? err->text : larder_code_text (code));
    memcpy (err->text, text, sizeof text);
    err->code = code;
    err->rank = s->rank;
    return code;
}

int larder_progress_until (larder *s, int (*done) (void *self), void *self, double timeout_s,
                           larder_error *err)
{
    struct larder_backoff backoff = {0};
    struct larder_clock_attention waiting = {0};
    while (!done (self)) {
        int moved = larder_progress_once (s, CHUNKS_AT_A_TIME, err);
        if (moved < 0)
            return moved;
        if (moved) {
            larder_backoff_reset (&backoff);
            continue;
        }
        if (backoff.looks == 0)
            waiting = larder_clock_attention (&s->clock);
        else if (larder_clock_attend (&waiting, &s->clock) > timeout_s)
            return LARDER_ETIMEDOUT;
        larder_backoff_wait (&backoff, timeout_s);
    }
    return LARDER_OK;
}

static int check_time (const char *call, double timeout_s, larder_error *err)
{
    return isnan (timeout_s)
               ? larder_error_set (err, LARDER_EINVAL, 0, "%s: timeout_s is not a number", call)
               : LARDER_OK;
}

int larder_progress (larder *s, int max_work, double timeout_s, larder_error *err)
{
    int rc = larder_progress_enter (s, "larder_progress", err);
    if (rc == LARDER_OK)
        rc = check_time ("larder_progress", timeout_s, err);
    if (rc != LARDER_OK)
        return rc == LARDER_EINVAL ? rc : larder_progress_leave (s, rc, err);
    int work = max_work > 0 ? max_work : 1, done = 0;
    struct larder_backoff backoff = {0};
    double start = 0;
    for (;;) {
        rc = larder_progress_once (s, work - done, err);
        if (rc < 0)
            return larder_progress_leave (s, rc, err);
        done += rc;
        if (done >= work || (rc == 0 && done))
            return LARDER_OK;
        if (rc == 0) {
            double now = larder_clock_now (&s->clock);
            start = start == 0 ? now : start;
            if (now - start >= timeout_s)
                return LARDER_AGAIN;
            larder_backoff_wait (&backoff, timeout_s - (now - start));
        }
    }
}

struct awaited {
    MPI_Request *request;
    int result, ended;
};

static int ended (void *self)
{
    struct awaited *a = self;
    a->result = MPI_Test (a->request, &a->ended, MPI_STATUS_IGNORE);
    return a->ended || a->result != MPI_SUCCESS;
}

int larder_progress_request (larder *s, MPI_Request *request, larder_error *err)
{
    struct awaited a = {.request = request, .result = MPI_SUCCESS};
    int rc = larder_progress_until (s, ended, &a, s->settings.timeout_s, err);
    return rc == LARDER_OK ? larder_mpi_check (a.result, "MPI_Test", err) : rc;
}

static int settled (void *self)
{
    const larder *s = self;
    return !s->owner || (s->owner->live_count == 0 && s->owner->active_count == 0 &&
                         (!s->transport.ops || s->transport.ops->pending (s->transport.self) == 0));
}

int larder_serve (larder *s, double timeout_s, larder_error *err)
{
    int rc = larder_progress_enter (s, "larder_serve", err);
    if (rc == LARDER_OK)
        rc = check_time ("larder_serve", timeout_s, err);
    if (rc != LARDER_OK)
        return larder_progress_leave (s, rc, err);
    if (timeout_s <= 0)
        timeout_s = s->settings.timeout_s;
    rc = larder_progress_until (s, settled, s, timeout_s, err);
    if (rc == LARDER_ETIMEDOUT)
        larder_error_set (
            err, rc, 0,
            "larder_serve: %d transactions have receivers that have not finished (who "
            "downloads parts says so by larder_confirm); nothing "
            "moved for %.3g s",
            s->owner->live_count, timeout_s);
    if (rc == LARDER_OK && s->owner && s->owner->last_failure.code) {
        rc = s->owner->last_failure.code;
        if (err)
            *err = s->owner->last_failure;
        s->owner->last_failure = (larder_error){0};
    }
    return larder_progress_leave (s, rc, err);
}
