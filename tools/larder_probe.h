/* SPDX-License-Identifier: Apache-2.0 */
/* Is it the same directory?  Ranks on several hosts find out by leaving a mark in it. */
#ifndef LARDER_PROBE_H
#define LARDER_PROBE_H

#include "larder_team.h"

/* The lowest rank that sees the same file under its path as this rank does under its own.
 * Collective over the team; ranks without a path give NULL.  Each rank with a path makes an empty
 * file in a directory `.larder-probe-ID` beside its path, looks whose files stand there, and takes
 * its own away again.  Returns the same code on all ranks. */
int larder_probe_lowest (struct larder_team *team, const char *path, int *lowest,
                         larder_error *err);

#endif
