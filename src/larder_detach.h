/* SPDX-License-Identifier: Apache-2.0 */
/* Going on without ranks of the node that stand still: the chunks they need next hold slots that the
 * others wait for.  A rank is charged only where its chunk stands in the node's directory; where it
 * does not, all wait for the owner. */
#ifndef LARDER_DETACH_H
#define LARDER_DETACH_H

#include "larder_nodecache.h"

/* Where each local rank of the line stands, as far as its chunk is here; else LARDER_POSITION_NONE. */
void larder_detach_look (const struct larder_nodecache *nc, int owner, int line, uint64_t life,
                         uint64_t *stood);

/* Take those ranks out of the line that still stand where they stood when larder_detach_look looked, at
 * `since` (microseconds of the host's monotonic clock), and did not pause meanwhile.  state: the count
 * that their state words get.  Returns how many; stood then holds the positions of those, and
 * LARDER_POSITION_NONE for the others. */
int larder_detach_ranks (struct larder_nodecache *nc, int owner, int line, uint64_t life,
                         uint64_t *stood, uint64_t since, uint64_t state);

#endif
