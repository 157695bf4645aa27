/* SPDX-License-Identifier: Apache-2.0 */
/* What a dataset is in memory: HDF5's native type, and what larder calls that. */
#ifndef LARDER_H5NATIVE_H
#define LARDER_H5NATIVE_H

#include "larder_h5describe.h"

#include <larder/shape.h>

/* The type in which a dataset's elements stand in memory, made from that of its file; to be closed with H5Tclose.
 * Half precision floats, which HDF5 has no native type for, stay such in native byte order; what has no native type
 * that holds it stands as in the file.  Returns LARDER_OK, LARDER_EHDF5. */
int larder_h5native_type (hid_t file_type, hid_t *native, larder_error *err);

/* Shape and bytes of a whole dataset in memory.  A null space has one dimension of 0.  name: in error texts.
 * Returns LARDER_OK, LARDER_EHDF5, LARDER_ERANGE (memory cannot hold it), LARDER_ENOTSUP. */
int larder_h5native_shape (const struct larder_h5describe *d, hid_t native, const char *name,
                           larder_shape *shape, uint64_t *size, larder_error *err);

/* As above, from the type of the file: what a value of the dataset is. */
int larder_h5native_describe (const struct larder_h5describe *d, const char *name,
                              larder_shape *shape, uint64_t *size, larder_error *err);

/* LARDER_EINCOMPLETE when a dataset is not what its message says of it. */
int larder_h5native_check (const larder_shape *shape, uint64_t size, const larder_shape *promised,
                           uint64_t promised_size, larder_error *err);

#endif
