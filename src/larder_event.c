/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_event.h"

static void send (struct larder_request *q, larder_event_state state)
{
    const struct larder_nodecache *nc = q->reader->words.nodecache;
    larder_event event = {.transaction = q->want.transaction,
                          .owner = nc->owners[q->want.owner],
                          .object = (int)(q->want.object & UINT32_MAX),
                          .receiver = nc->rank};
    if (!q->consumer.download_progress ||
        !larder_track_event (&q->track, state, q->bytes_done, q->next_item - q->first_item,
                             q->consumer.progress_interval_s, larder_clock_now (&q->reader->clock),
                             &event))
        return;
    *q->reader->in_callback = 1;
    q->consumer.download_progress (q->consumer.self, &event);
    *q->reader->in_callback = 0;
}

void larder_event_started (struct larder_request *q)
{
    send (q, LARDER_EVENT_STARTED);
}

void larder_event_active (struct larder_request *q)
{
    send (q, LARDER_EVENT_ACTIVE);
}

void larder_event_final (struct larder_request *q, int code)
{
    send (q, code == LARDER_OK                                  ? LARDER_EVENT_COMPLETED
             : code == LARDER_ECANCELED || code == LARDER_EGONE ? LARDER_EVENT_ABORTED
                                                                : LARDER_EVENT_FAILED);
}
