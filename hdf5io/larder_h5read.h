/* SPDX-License-Identifier: Apache-2.0 */
/* Datasets that are read on demand, for messages (larder/hdf5.h has the public side). */
#ifndef LARDER_H5READ_H
#define LARDER_H5READ_H

#include "larder_h5value.h"

#include <larder/hdf5.h>

/* Open a dataset whose items are a range of a larger object.  As larder_h5_dataset_open, but the owner is told
 * nothing, neither here nor by larder_h5_dataset_close: who has the message does that, for all of it.
 * LARDER_EINCOMPLETE: the items are not the dataset that lazy says. */
int larder_h5read_placeholder (larder *session, const larder_lazy *lazy,
                               larder_h5_dataset **dataset, larder_error *err);

#endif
