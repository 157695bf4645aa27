/* SPDX-License-Identifier: Apache-2.0 */
/* One object of several dataset objects, the items of one after those of the other. */
#ifndef LARDER_H5SEVERAL_H
#define LARDER_H5SEVERAL_H

#include <larder/hdf5.h>

/* Where a dataset is, and how it is cut where it is not chunked. */
struct larder_h5several_part {
    const char *file, *dataset; /* read during the call */
    uint64_t slab_size;
};

/* items[i]: items of part i.  Errors as larder_h5_dataset_object. */
int larder_h5several_object (const struct larder_h5several_part *parts, size_t count,
                             larder_object *object, uint64_t *items, larder_error *err);

#endif
