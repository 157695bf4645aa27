/* SPDX-License-Identifier: Apache-2.0 */
/* The shape in which nodes pass chunks on: who gets them from whom.
 *
 * Nodes are numbered from the owner's, which is 0.  One tree is a chain: each gets everything from the one before it.
 * Two trees are edge-complementary binary trees (P. Sanders, J. Speck, J. L. Traeff, "Two-tree algorithms
 * for full bandwidth broadcast, reduction and scan", Parallel Computing 35, 2009): even chunks go by one and odd
 * chunks by the other, and who passes chunks on in one is a leaf in the other, so each link carries each byte once. */
#ifndef LARDER_TREE_H
#define LARDER_TREE_H

#include <stdint.h>

enum { LARDER_TREES_MAX = 2, LARDER_TREE_CHILDREN = 2 };

/* The node that a node gets chunks from; node > 0. */
int larder_tree_parent (int nodes, int trees, int tree, int node);

/* The nodes that get chunks from it; their number. */
int larder_tree_children (int nodes, int trees, int tree, int node,
                          int children[LARDER_TREE_CHILDREN]);

/* How many trees for so many chunks: a chain while filling it takes at most a twentieth of the time. */
int larder_tree_choose (int nodes, uint64_t chunks);

#endif
