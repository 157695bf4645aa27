/* SPDX-License-Identifier: Apache-2.0 */
/* SIGTERM, SIGINT and SIGHUP: the first is remembered for the loops to look at, the second ends. */
#ifndef LARDER_SIGNAL_H
#define LARDER_SIGNAL_H

/* Start to remember.  Returns 0, or -1 when a handler could not be set. */
int larder_signal_watch (void);

/* Name of the signal that came, NULL if none did. */
const char *larder_signal_seen (void);

#endif
