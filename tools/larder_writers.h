/* SPDX-License-Identifier: Apache-2.0 */
/* Which ranks write a copy.  Each rank that could write has a place; where several of them see the
 * same file, because a file system is shared, only the lowest of them is chosen.  A copy for a whole node is written by the
 * neighbour of its lowest rank, if that has one: the lowest reads, or fetches, at the same time. */
#ifndef LARDER_WRITERS_H
#define LARDER_WRITERS_H

#include "larder_args.h"
#include "larder_place.h"
#include "larder_team.h"

struct larder_writers {
    int writes;     /* 1: this rank writes a copy */
    int candidates; /* ranks that had a place */
    int count;      /* ranks that write */
    int *ranks;     /* rank 0: those, ascending; others: NULL */
    int together;   /* 1: all ranks download together; the same on all */
    struct larder_place
        place; /* of a candidate, and of all ranks of its node; path NULL elsewhere */
};

/* Find the writers.  Collective over the team, whose session is open; the same result on all ranks.
 * Leaves nothing behind in any directory.  End with larder_writers_free, also after a failure. */
int larder_writers_find (struct larder_team *team, const struct larder_args *args,
                         const struct larder_place_source *source, struct larder_writers *writers,
                         larder_error *err);

void larder_writers_free (struct larder_writers *writers);

#endif
