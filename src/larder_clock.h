/* SPDX-License-Identifier: Apache-2.0 */
/* The clock that deadlines are judged by: seconds that never go back, from an unspecified start.
 * A table of one function, so that tests can set the time. */
#ifndef LARDER_CLOCK_H
#define LARDER_CLOCK_H

struct larder_clock {
    double (*now) (void *self);
    void *self;
};

/* CLOCK_MONOTONIC. */
struct larder_clock larder_clock_monotonic (void);

/* A clock that shows fake->time, which the test sets. */
struct larder_clock_fake {
    double time;
};
struct larder_clock larder_clock_from_fake (struct larder_clock_fake *fake);

static inline double larder_clock_now (const struct larder_clock *clock)
{
    return clock->now (clock->self);
}

#endif
