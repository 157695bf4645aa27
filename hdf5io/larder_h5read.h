/* SPDX-License-Identifier: Apache-2.0 */
/* Datasets that are read on demand (larder/hdf5.h has the public side). */
#ifndef LARDER_H5READ_H
#define LARDER_H5READ_H

#include "larder_h5decode.h"
#include "larder_h5describe.h"
#include "larder_h5value.h"

#include <larder/hdf5.h>

struct larder_h5_dataset {
    struct larder_h5value_kind kind; /* first: messages know it by that */
    larder *session;
    larder_ref ref;
    uint64_t base; /* number of its item 0 in the object that has it */
    struct larder_h5describe d;
    struct larder_h5decode decode;
    int not_it; /* what it is called when the ref names something else */
    int open;   /* its owner counts on hearing that this rank is done */
    int failed; /* the code of the first read that failed; its owner hears that */
};

/* Open a dataset whose items are a range of a larger object.  As larder_h5_dataset_open, but the owner is told
 * nothing, neither here nor by larder_h5_dataset_close: who has the message does that, for all of it.
 * LARDER_EINCOMPLETE: the items are not the dataset that lazy says. */
int larder_h5read_placeholder (larder *session, const larder_lazy *lazy,
                               larder_h5_dataset **dataset, larder_error *err);

/* The cell that an item of the object is; LARDER_ERANGE. */
int larder_h5read_cell (const larder_h5_dataset *dataset, uint64_t item, uint64_t *cell,
                        larder_error *err);

#endif
