/* SPDX-License-Identifier: Apache-2.0 */
/* Stored chunks: how large, and their bytes. */
#ifndef LARDER_H5CHUNK_H
#define LARDER_H5CHUNK_H

#include <hdf5.h>
#include <stdint.h>

/* Bytes of the chunk at `at` (elements, a multiple of the chunk's shape) as it is stored; 0 when it
 * was never written.  A look-up, not a walk through the index.  Returns 0, or -1 with HDF5's error
 * stack as the call left it.
 *
 * HDF5 also gives a size to a chunk without filters that was never written but has been read by
 * this process: it is in the dataset's cache.  Only larder_h5chunk_read tells. */
int larder_h5chunk_size (hid_t dataset, const hsize_t *at, hsize_t *size);

/* Read a chunk as it is stored into a buffer of that size.  *written is 0 when it was never
 * written.  Returns 0, or -1 with HDF5's error stack. */
int larder_h5chunk_read (hid_t dataset, const hsize_t *at, uint32_t *mask, void *buffer,
                         int *written);

#endif
