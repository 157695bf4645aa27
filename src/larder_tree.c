/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_tree.h"

/* The first tree has its n nodes at places 1 .. n in order: the lowest set bit of a place is its height, so
 * odd places are leaves.  The second tree is the first one with all nodes one place further, so that odd and
 * even change. */

static int place_of (int n, int tree, int node)
{
    return tree == 0 ? node : node % n + 1;
}

static int node_at (int n, int tree, int place)
{
    return tree == 0 ? place : (place + n - 2) % n + 1;
}

static int height (int place)
{
    return place & -place;
}

/* The place above, 0 at the top.  Of the two places at its distance one is exactly one level higher; where
 * that is beyond the last one, it is the other. */
static int above (int n, int place)
{
    int h = height (place), right = place + h, left = place - h;
    int up = left && height (left) == 2 * h ? left : right;
    return up <= n ? up : left;
}

int larder_tree_parent (int nodes, int trees, int tree, int node)
{
    if (trees == 1)
        return node - 1;
    int up = above (nodes - 1, place_of (nodes - 1, tree, node));
    return up ? node_at (nodes - 1, tree, up) : 0;
}

int larder_tree_children (int nodes, int trees, int tree, int node,
                          int children[LARDER_TREE_CHILDREN])
{
    int n = nodes - 1, count = 0, top = 1;
    if (trees == 1) {
        children[0] = node + 1;
        return node + 1 < nodes;
    }
    while (2 * top <= n)
        top *= 2;
    if (node == 0) {
        children[0] = n ? node_at (n, tree, top) : 0;
        return n > 0;
    }
    int place = place_of (n, tree, node);
    for (int h = height (place) / 2; h && count < LARDER_TREE_CHILDREN; h /= 2) {
        if (above (n, place - h) == place)
            children[count++] = node_at (n, tree, place - h);
        if (place + h <= n && above (n, place + h) == place && count < LARDER_TREE_CHILDREN)
            children[count++] = node_at (n, tree, place + h);
    }
    return count;
}

int larder_tree_choose (int nodes, uint64_t chunks)
{
    return nodes <= 3 || (uint64_t)(nodes - 2) <= chunks / 20 ? 1 : LARDER_TREES_MAX;
}
