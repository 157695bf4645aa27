/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_signal.h"
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t first_signal;
static struct timespec first_time;

/* Launchers may hand the same signal on twice (a terminal's Ctrl-C reaches the process group and
 * the launcher); only one that comes later is somebody's second wish. */
static int is_echo (void)
{
    struct timespec now = {0, 0};
    (void)clock_gettime (CLOCK_MONOTONIC, &now);
    double passed = (double)(now.tv_sec - first_time.tv_sec) +
                    (double)(now.tv_nsec - first_time.tv_nsec) * 1e-9;
    return passed < 0.3;
}

static void on_signal (int number)
{
    if (first_signal && !is_echo ())
        _exit (1);
    if (!first_signal) {
        (void)clock_gettime (CLOCK_MONOTONIC, &first_time);
        first_signal = number;
    }
}

int larder_signal_watch (void)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; ++i) {
        struct sigaction action, before;
        memset (&action, 0, sizeof action);
        action.sa_handler = on_signal;
        action.sa_flags = SA_RESTART;
        (void)sigemptyset (&action.sa_mask);
        if (sigaction (numbers[i], NULL, &before) != 0)
            return -1;
        if (before.sa_handler != SIG_IGN && sigaction (numbers[i], &action, NULL) != 0)
            return -1; /* what was ignored (nohup) stays ignored */
    }
    return 0;
}

const char *larder_signal_seen (void)
{
    switch (first_signal) {
    case 0:
        return NULL;
    case SIGTERM:
        return "SIGTERM";
    case SIGINT:
        return "SIGINT";
    default:
        return "SIGHUP";
    }
}
