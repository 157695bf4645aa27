/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_track.h"
#include "larder_num.h"

int larder_track_event (struct larder_track *t, larder_event_state state, uint64_t bytes,
                        uint64_t items, double interval_s, double now, larder_event *event)
{
    int risen = bytes > t->bytes || items > t->items;
    if (interval_s == 0)
        interval_s = LARDER_TRACK_INTERVAL_S;
    if (t->over || (state == LARDER_EVENT_STARTED && t->sequence) ||
        (state == LARDER_EVENT_ACTIVE && (!risen || now - t->last < interval_s)))
        return 0;
    if (t->sequence == 0)
        t->first = now;
    t->last = now;
    t->bytes = larder_num_max (bytes, t->bytes);
    t->items = larder_num_max (items, t->items);
    t->over = state >= LARDER_EVENT_COMPLETED;
    event->state = state;
    event->sequence = ++t->sequence;
    event->bytes_done = t->bytes;
    event->items_done = t->items;
    event->seconds = now - t->first;
    return 1;
}
