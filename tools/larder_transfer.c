/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_transfer.h"
#include "larder_signal.h"
#include <stddef.h>

/* How long a rank stays inside one library call before it looks at signals and the bar. */
#define SLICE_S 0.05

/* How often a rank looks at them while it downloads together with the others. */
#define LOOK_S 0.01

static void draw (struct larder_transfer *t)
{
    const larder_offer_status *s = &t->status;
    struct larder_bar_view view = {.name = t->name,
                                   .bytes = s->bytes,
                                   .done = t->together ? t->watch->bytes
                                           : s->bytes  ? s->slowest_bytes
                                                       : s->bytes_produced,
                                   .seconds = MPI_Wtime () - t->start,
                                   .slowest_rank =
                                       !t->together && s->receivers > 1 ? s->slowest_receiver : -1,
                                   .slowest = NULL};
    if (view.slowest_rank >= 0)
        view.slowest = larder_team_host (t->team, view.slowest_rank);
    larder_bar_draw (&t->bar, &view);
}

/* Rank 0: has anything moved within timeout_s? */
static int stands_still (struct larder_transfer *t)
{
    const larder_offer_status *s = &t->status;
    uint64_t sum = s->bytes_produced + s->slowest_bytes + (uint64_t)s->receivers_done +
                   (uint64_t)s->receivers_failed;
    double now = MPI_Wtime ();
    if (sum != t->moved || t->moved_at <= 0) {
        t->moved = sum;
        t->moved_at = now;
    }
    return now - t->moved_at > t->timeout_s;
}

/* Rank 0: look at the offer; take it back when somebody cannot go on, so that all end now and not
 * after having moved the rest for nothing. */
static int look (struct larder_transfer *t, larder_error *err)
{
    int rc = larder_offer_get_status (t->team->session, &t->ref, &t->status, err);
    if (rc != LARDER_OK)
        return rc;
    draw (t);
    if (t->withdrawn || t->status.settled)
        return LARDER_OK;
    t->stalled = stands_still (t);
    if (!t->stalled && !larder_signal_seen () && !larder_team_told (t->team) &&
        t->status.receivers_failed == 0)
        return LARDER_OK;
    t->withdrawn = 1;
    return larder_withdraw (t->team->session, &t->ref, err);
}

/* Download, in slices. */
static int receive (struct larder_transfer *t, const larder_consumer *consumer, larder_error *err)
{
    larder_request *request = NULL;
    int rc = larder_download_start (t->team->session, &t->ref, consumer, &request, err);
    if (rc != LARDER_OK)
        return rc;
    for (;;) {
        rc = larder_download_wait (&request, SLICE_S, err);
        if (rc != LARDER_AGAIN)
            return rc;
        if (larder_signal_seen ()) {
            (void)larder_download_cancel (&request, NULL); /* fails inside callbacks only */
            return larder_team_interrupted (err);
        }
        larder_error why = {0};
        rc = t->team->rank == 0 ? look (t, &why) : LARDER_OK;
        if (rc < 0) {
            (void)larder_download_cancel (&request, NULL);
            *err = why;
            return rc;
        }
    }
}

/* ---------------------------------------------------------------- together */

/* This rank cannot go on.  It passes chunks on all the same; rank 0 stops producing, so that all end now and not after
 * having moved the rest for nothing. */
static void give_up (struct larder_transfer *t)
{
    larder_team_tell (t->team);
    if (t->team->rank == 0)
        t->watch->stop = 1;
}

static int together_consume (void *self, const larder_view *view, larder_error *err)
{
    struct larder_transfer *t = self;
    int rc = t->consumer ? t->consumer->consume_items (t->consumer->self, view, &t->failure) : 0;
    if (rc >= 0)
        return rc;
    t->failure.code = rc;
    if (err)
        *err = t->failure;
    give_up (t);
    return rc;
}

static int together_completed (void *self, larder_error *err)
{
    struct larder_transfer *t = self;
    return t->consumer ? t->consumer->download_completed (t->consumer->self, err) : LARDER_OK;
}

static void together_failed (void *self, const larder_error *why)
{
    struct larder_transfer *t = self;
    if (t->consumer)
        t->consumer->download_failed (t->consumer->self, why);
}

static int together_aborts (void *self)
{
    struct larder_transfer *t = self;
    double now = MPI_Wtime ();
    if (now - t->looked_at < LOOK_S)
        return 0;
    t->looked_at = now;
    if (larder_signal_seen ()) {
        give_up (t);
        return 1;
    }
    if (t->team->rank == 0) {
        if (larder_offer_get_status (t->team->session, &t->ref, &t->status, NULL) == LARDER_OK)
            draw (t);
        t->watch->stop |= larder_team_told (t->team);
    }
    return 0;
}

/* This rank's own result: what is another's is left to it to tell. */
static int together_result (struct larder_transfer *t, int rc, larder_error *err)
{
    int interrupted = larder_team_interrupted (err);
    if (interrupted != LARDER_OK)
        return interrupted;
    if (t->failure.code != LARDER_OK) {
        *err = t->failure;
        return err->code;
    }
    if (rc == LARDER_OK || rc == LARDER_ETIMEDOUT)
        return rc; /* who timed out was not told of any failure */
    if (err->rank == t->team->rank && !(t->team->rank == 0 && t->watch->stop))
        return rc;
    return larder_error_set (err, LARDER_EREMOTE, 0, "another rank failed");
}

static int receive_together (struct larder_transfer *t, larder_error *err)
{
    larder_consumer consumer = {.self = t,
                                .consume_items = together_consume,
                                .download_completed = together_completed,
                                .download_failed = together_failed,
                                .abort_requested = together_aborts};
    larder_session_info info = {0};
    (void)larder_session_get_info (t->team->session, &info); /* worked before */
    /* A node's lowest rank reads or fetches, so it looks around; who neither does that nor writes sleeps until the end. */
    int works = t->consumer || info.node_rank == 0;
    int rc = larder_download_all (t->team->session, &t->ref, works ? &consumer : NULL, err);
    if (rc == LARDER_ETIMEDOUT && t->team->rank == 0)
        t->stalled = 1;
    return together_result (t, rc, err);
}

/* ---------------------------------------------------------------- the end of both */

/* Rank 0: serve until every receiver is final. */
static int serve (struct larder_transfer *t, larder_error *err)
{
    for (;;) {
        int rc = look (t, err);
        if (rc != LARDER_OK || t->status.settled)
            return rc;
        rc = larder_progress (t->team->session, 64, SLICE_S, err);
        if (rc < 0)
            return rc;
    }
}

/* Rank 0: the reason behind a failed offer, most telling first. */
static int owner_result (struct larder_transfer *t, int rc, larder_error *err)
{
    int interrupted = larder_team_interrupted (err);
    if (interrupted != LARDER_OK)
        return interrupted;
    if (t->watch->failure.code != LARDER_OK) {
        *err = t->watch->failure;
        return err->code;
    }
    if (t->stalled && t->together)
        return larder_error_set (err, LARDER_ETIMEDOUT, 0, "%s: nothing moved for %.0f s", t->name,
                                 t->timeout_s);
    if (t->stalled)
        return larder_error_set (err, LARDER_ETIMEDOUT, 0,
                                 "%s: nothing moved for %.0f s; furthest behind is rank %d (%s)",
                                 t->name, t->timeout_s, t->status.slowest_receiver,
                                 larder_team_host (t->team, t->status.slowest_receiver));
    if (rc == LARDER_OK && (t->withdrawn || t->status.receivers_failed > 0))
        return larder_error_set (err, LARDER_EREMOTE, 0, "%s: another rank failed", t->name);
    return rc;
}

int larder_transfer_run (struct larder_transfer *t, const larder_consumer *consumer,
                         larder_error *err)
{
    int rc = LARDER_OK;
    t->consumer = consumer;
    if (t->together)
        rc = receive_together (t, err);
    else if (consumer)
        rc = receive (t, consumer, err);
    if (rc != LARDER_OK)
        larder_team_tell (t->team);
    if (t->team->rank == 0) {
        larder_error why = {0};
        if (rc != LARDER_OK && !t->withdrawn) {
            t->withdrawn = 1;
            (void)larder_withdraw (t->team->session, &t->ref, &why);
        }
        int served = serve (t, &why);
        if (rc == LARDER_OK && served != LARDER_OK) {
            rc = served;
            *err = why;
        }
        rc = owner_result (t, rc, err);
        larder_bar_end (&t->bar);
    }
    /* Every receiver is final for rank 0 by now, so the others are on their way here. */
    larder_error why = {0};
    double limit = t->team->rank == 0 ? 2 * t->timeout_s + 10 : -1;
    int met = larder_team_meet (t->team, limit, &why);
    if (met == LARDER_ETIMEDOUT)
        larder_team_abandon (t->team, &why);
    if (met == LARDER_OK)
        met = larder_team_settle (t->team, &why);
    if (rc == LARDER_OK && met != LARDER_OK) {
        rc = met;
        *err = why;
    }
    return rc;
}
