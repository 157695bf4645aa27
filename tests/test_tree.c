/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_test.h"
#include "larder_tree.h"
#include <string.h>

enum { MOST = 2049 };

/* Every node's parent knows it, and following parents ends at the owner. */
static int check (int nodes, int trees, int tree, int *depth, int *passes)
{
    int bad = 0, children[LARDER_TREE_CHILDREN], total = 0;
    memset (passes, 0, (size_t)nodes * sizeof *passes);
    for (int v = 0; v < nodes; ++v) {
        int count = larder_tree_children (nodes, trees, tree, v, children);
        total += count;
        passes[v] = count;
        bad += count < 0 || count > (v == 0 || trees == 1 ? 1 : 2);
        for (int i = 0; i < count; ++i)
            bad += children[i] < 1 || children[i] >= nodes ||
                   larder_tree_parent (nodes, trees, tree, children[i]) != v;
    }
    bad += total != nodes - 1;
    *depth = 0;
    for (int v = 1; v < nodes; ++v) {
        int steps = 0;
        for (int u = v; u && steps <= nodes; ++steps)
            u = larder_tree_parent (nodes, trees, tree, u);
        *depth = steps > *depth ? steps : *depth;
    }
    return bad + (*depth >= nodes && nodes > 1);
}

static void test_chain (void)
{
    static int passes[MOST];
    int depth, bad = 0;
    for (int nodes = 1; nodes < 100; ++nodes)
        bad += check (nodes, 1, 0, &depth, passes) + (depth != nodes - 1);
    CU_ASSERT_EQUAL (bad, 0);
}

static void test_two (void)
{
    static int first[MOST], second[MOST];
    int depth, bad = 0, both = 0, deep = 0;
    for (int nodes = 2; nodes < MOST; nodes += nodes < 300 ? 1 : 97) {
        int log = 0;
        while (1 << log < nodes)
            ++log;
        bad += check (nodes, 2, 0, &depth, first);
        deep += depth > log + 1;
        bad += check (nodes, 2, 1, &depth, second);
        deep += depth > log + 1;
        for (int v = 1; v < nodes; ++v)
            both += first[v] && second[v];
    }
    CU_ASSERT_EQUAL (bad, 0);
    CU_ASSERT_EQUAL (both, 0); /* who passes on in one tree is a leaf in the other */
    CU_ASSERT_EQUAL (deep, 0);
}

static void test_choose (void)
{
    CU_ASSERT_EQUAL (larder_tree_choose (1, 0), 1);
    CU_ASSERT_EQUAL (larder_tree_choose (3, 0), 1);
    CU_ASSERT_EQUAL (larder_tree_choose (8, 119), 2);
    CU_ASSERT_EQUAL (larder_tree_choose (8, 120), 1);
    CU_ASSERT_EQUAL (larder_tree_choose (1000, 19959), 2);
    CU_ASSERT_EQUAL (larder_tree_choose (1000, 19960), 1);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"chain", test_chain}, {"two trees", test_two}, {"choose", test_choose}, {NULL, NULL}};
    return larder_test_main ("tree", tests);
}
