/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting politely: pause, then yield, then sleep, so that more ranks than cores work. */
#ifndef LARDER_BACKOFF_H
#define LARDER_BACKOFF_H

#include <stdint.h>

struct larder_backoff {
    uint32_t looks; /* since something last moved; start with {0} */
};

/* Nothing moved: wait a little, longer each time, at most max_s seconds. */
void larder_backoff_wait (struct larder_backoff *backoff, double max_s);

/* Something moved. */
static inline void larder_backoff_reset (struct larder_backoff *backoff)
{
    backoff->looks = 0;
}

#endif
