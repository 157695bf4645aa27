/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_topology.h"
#include <stdlib.h>

int larder_topology_make (struct larder_topology *t, int size, const int *leader, larder_error *err)
{
    *t = (struct larder_topology){.size = size};
    size_t n = (size_t)size;
    t->node = calloc (n, sizeof (int));
    t->local = calloc (n, sizeof (int));
    t->ranks = calloc (n, sizeof (int));
    t->node_first = calloc (n + 1, sizeof (int));
    if (!t->node || !t->local || !t->ranks || !t->node_first) {
        larder_topology_free (t);
        return larder_error_set (err, LARDER_ENOMEM, 0, "session: no memory for %d ranks", size);
    }
    for (int r = 0; r < size; ++r) {
        if (leader[r] < 0 || leader[r] > r || leader[leader[r]] != leader[r]) {
            int bad = leader[r];
            larder_topology_free (t);
            return larder_error_set (err, LARDER_EINVAL, 0,
                                     "session: rank %d names rank %d as lowest rank of its node", r,
                                     bad);
        }
        t->node[r] = leader[r] == r ? t->node_count++ : t->node[leader[r]];
        t->local[r] = t->node_first[t->node[r] + 1]++;
    }
    for (int i = 0; i < t->node_count; ++i) {
        if (t->node_first[i + 1] > t->node_size_max)
            t->node_size_max = t->node_first[i + 1];
        t->node_first[i + 1] += t->node_first[i];
    }
    for (int r = 0; r < size; ++r)
        t->ranks[t->node_first[t->node[r]] + t->local[r]] = r;
    return LARDER_OK;
}

void larder_topology_free (struct larder_topology *t)
{
    free (t->node);
    free (t->local);
    free (t->ranks);
    free (t->node_first);
    *t = (struct larder_topology){0};
}
