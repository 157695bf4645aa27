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

/* Time that counts as waiting: between two looks at most LARDER_CLOCK_ATTEND_S.  Who was stopped, or had
 * something else to do, is not late when it comes back. */
#define LARDER_CLOCK_ATTEND_S 1.0

struct larder_clock_attention {
    double looked, now;
};

/* From here on. */
static inline struct larder_clock_attention larder_clock_attention (
    const struct larder_clock *clock)
{
    return (struct larder_clock_attention){larder_clock_now (clock), 0};
}

static inline double larder_clock_attend (struct larder_clock_attention *attention,
                                          const struct larder_clock *clock)
{
    double now = larder_clock_now (clock), away = now - attention->looked;
    attention->looked = now;
    attention->now += away < LARDER_CLOCK_ATTEND_S ? away : LARDER_CLOCK_ATTEND_S;
    return attention->now;
}

#endif
