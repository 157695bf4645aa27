/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_backoff.h"
#include <sched.h>
#include <time.h>

#define PAUSES 50
#define YIELDS 1000
#define NAP_NS 20000
/* Each nap is a little longer than the one before: 0.2 ms after 10 ms, 2 ms after a second. */
#define NAP_MORE_NS 2000
#define NAP_MAX_NS  2000000

void larder_backoff_wait (struct larder_backoff *backoff, double max_s)
{
    uint32_t n = backoff->looks++;
    if (n < PAUSES) {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause ();
#endif
    } else if (n < PAUSES + YIELDS) {
        sched_yield ();
    } else {
        long ns = NAP_NS + (long)(n - PAUSES - YIELDS) * NAP_MORE_NS;
        if (ns > NAP_MAX_NS)
            ns = NAP_MAX_NS;
        if (max_s < (double)ns * 1e-9)
            ns = max_s > 0 ? (long)(max_s * 1e9) : 0;
        nanosleep (&(struct timespec){0, ns}, NULL);
        if (backoff->looks > 1000000)
            backoff->looks = 1000000;
    }
}
