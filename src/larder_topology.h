/* SPDX-License-Identifier: Apache-2.0 */
/* Which rank is on which node.  Nodes are numbered by their lowest rank. */
#ifndef LARDER_TOPOLOGY_H
#define LARDER_TOPOLOGY_H

#include <larder/error.h>

struct larder_topology {
    int size, node_count;
    int node_size_max;
    int *node;       /* of each rank */
    int *local;      /* number of each rank on its node */
    int *node_first; /* per node: where its ranks begin in `ranks`; node_count + 1 entries */
    int *ranks;      /* all ranks, node after node, ascending */
};

/* leader[r]: lowest rank of r's node.  On failure nothing is to be freed. */
int larder_topology_make (struct larder_topology *topology, int size, const int *leader,
                          larder_error *err);
void larder_topology_free (struct larder_topology *topology);

static inline int larder_topology_node_size (const struct larder_topology *t, int node)
{
    return t->node_first[node + 1] - t->node_first[node];
}

/* The rank with number `local` on a node. */
static inline int larder_topology_rank (const struct larder_topology *t, int node, int local)
{
    return t->ranks[t->node_first[node] + local];
}

#endif
