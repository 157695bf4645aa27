/* SPDX-License-Identifier: Apache-2.0 */
/* Progress events of one (object, receiver) pair: when one is due, and its figures. */
#ifndef LARDER_TRACK_H
#define LARDER_TRACK_H

#include <larder/event.h>

#define LARDER_TRACK_INTERVAL_S 30.0

struct larder_track {
    uint64_t sequence, bytes, items;
    double first, last; /* when events were made */
    int over;           /* the final one was */
};

/* Is an event due?  1: *event (which names the pair already) has its state, sequence, figures and time.
 * Figures never fall; `active` is due when they rose and interval_s has passed (0: the default, negative:
 * always); the others at once; nothing after a final one. */
int larder_track_event (struct larder_track *track, larder_event_state state, uint64_t bytes,
                        uint64_t items, double interval_s, double now, larder_event *event);

#endif
