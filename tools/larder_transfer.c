/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_transfer.h"
#include "larder_signal.h"
#include <stddef.h>

/* How long a rank stays inside one library call before it looks at signals and the bar. */
#define SLICE_S 0.05

static void draw (struct larder_transfer *t)
{
    const larder_offer_status *s = &t->status;
    struct larder_bar_view view = {.name = t->name,
                                   .bytes = s->bytes,
                                   .done = s->bytes ? s->slowest_bytes : s->bytes_produced,
                                   .seconds = MPI_Wtime () - t->start,
                                   .slowest_rank = s->receivers > 1 ? s->slowest_receiver : -1,
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
    t->start = MPI_Wtime ();
    if (consumer)
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
