/* SPDX-License-Identifier: Apache-2.0 */
/* A whole dataset for all ranks, the collective way: nodes pass its items on, and its chunks are decoded once per
 * node. */
#ifndef LARDER_H5ALL_H
#define LARDER_H5ALL_H

#include "larder_h5read.h"

enum larder_h5all_into {
    LARDER_H5ALL_OWN,   /* each rank's own memory, or NULL: it needs nothing */
    LARDER_H5ALL_SHARED /* memory that the ranks of a node share, and fill together */
};

/* Collective over the dataset's session; each rank has opened it with the same ref.  The same code on all ranks: as
 * larder_h5_dataset_read, larder_download_all, larder_shared_alloc.  What is written is seen by others of the node
 * after the next larder_shared_agree. */
int larder_h5all_read (larder_h5_dataset *dataset, hid_t mem_type, enum larder_h5all_into into,
                       void *buffer, larder_error *err);

#endif
