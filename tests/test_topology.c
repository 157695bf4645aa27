/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_test.h"
#include "larder_test_random.h"
#include "larder_topology.h"
#include <string.h>

enum { RANKS = 40, ROUNDS = 200 };

static void random_nodes (void)
{
    struct larder_test_random r = larder_test_seed ();
    larder_error err = {0};
    for (int round = 0; round < ROUNDS; ++round) {
        struct larder_topology t;
        int leader[RANKS], size = 1 + (int)larder_test_below (&r, RANKS), nodes = 0, largest = 0;
        int wrong = 0;
        for (int i = 0; i < size; ++i) {
            leader[i] =
                larder_test_below (&r, 3) ? leader[larder_test_below (&r, (uint64_t)i + 1)] : i;
            if (i == 0 || leader[i] > i || leader[i] < 0 || leader[leader[i]] != leader[i])
                leader[i] = i;
            nodes += leader[i] == i;
        }
        CU_ASSERT_EQUAL_FATAL (larder_topology_make (&t, size, leader, &err), LARDER_OK);
        CU_ASSERT_EQUAL (t.node_count, nodes);
        CU_ASSERT_EQUAL (t.size, size);
        for (int i = 0; i < size; ++i) {
            wrong += t.node[i] != t.node[leader[i]];
            wrong += (leader[i] == i) != (t.local[i] == 0);
            wrong += larder_topology_rank (&t, t.node[i], t.local[i]) != i;
            wrong += i && leader[i] == i && t.node[i] <= t.node[0];
        }
        int ranks = 0;
        for (int n = 0; n < nodes; ++n) {
            int here = larder_topology_node_size (&t, n);
            ranks += here;
            largest = here > largest ? here : largest;
            for (int k = 1; k < here; ++k)
                wrong += larder_topology_rank (&t, n, k - 1) >= larder_topology_rank (&t, n, k);
        }
        CU_ASSERT_EQUAL (ranks, size);
        CU_ASSERT_EQUAL (largest, t.node_size_max);
        CU_ASSERT_EQUAL (wrong, 0);
        larder_topology_free (&t);
        CU_ASSERT (t.node == NULL && t.ranks == NULL);
    }
}

static void bad_leaders (void)
{
    static const int bad[][3] = {{0, 2, 2}, {0, 0, 1}, {0, -1, 0}, {1, 1, 1}, {0, 1, 7}};
    larder_error err;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
        struct larder_topology t;
        memset (&err, 0, sizeof err);
        CU_ASSERT_EQUAL (larder_topology_make (&t, 3, bad[i], &err), LARDER_EINVAL);
        CU_ASSERT (strstr (err.text, "names rank") != NULL);
        CU_ASSERT (t.node == NULL && t.local == NULL && t.ranks == NULL && t.node_first == NULL);
    }
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"random nodes", random_nodes},
        {"leaders that make no sense", bad_leaders},
        {NULL, NULL},
    };
    return larder_test_main ("topology", tests);
}
