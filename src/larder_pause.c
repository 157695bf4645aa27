/* SPDX-License-Identifier: Apache-2.0 */
/* Announcing a pause: to the ranks of this node, and to every owner. */
#include "larder_pause.h"
#include "larder_guard.h"
#include "larder_progress.h"
#include <math.h>

/* More than any pause takes, and far from what a word holds. */
#define PAUSE_MAX_S 1e9

static int announce (larder *s, uint64_t count, larder_error *err)
{
    struct larder_nodecache *nc = &s->nodecache;
    int rc = LARDER_OK;
    s->reader.pauses = s->reader.pauses % LARDER_LIFE_MAX + 1;
    uint64_t word = larder_wire_word (s->reader.pauses, count);
    for (int i = 0; rc == LARDER_OK && i < nc->owner_count; ++i)
        rc = larder_words_write (&s->reader.words, nc->owners[i],
                                 larder_wire_pause (&nc->layout, (uint64_t)nc->owner_home[i],
                                                    (uint64_t)nc->node, (uint64_t)nc->local),
                                 LARDER_WRITE_REPLACE, &word, 1, err);
    return rc == LARDER_OK ? larder_progress_push (s, err) : rc;
}

int larder_pause_leave (larder *s, larder_error *err)
{
    larder_guard_pause (&s->nodecache, 0);
    return announce (s, LARDER_PAUSE_LEFT, err);
}

int larder_pause (larder *s, double seconds, larder_error *err)
{
    int rc = larder_progress_enter (s, "larder_pause", err);
    if (rc == LARDER_OK && !(isfinite (seconds) && seconds >= 0))
        rc = larder_error_set (err, LARDER_EINVAL, 0, "larder_pause: %g s is no time to pause for",
                               seconds);
    if (rc == LARDER_OK) {
        double length = seconds < PAUSE_MAX_S ? seconds : PAUSE_MAX_S;
        larder_guard_pause (&s->nodecache,
                            (uint64_t)ceil ((larder_clock_now (&s->clock) + length) * 1e6));
        rc = announce (s, (uint64_t)ceil (length * 1e3), err);
    }
    return larder_progress_leave (s, rc, err);
}
