/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks with shuffle, gzip, fletcher32, any of them in this order, without HDF5: it allocates some three times a chunk's size for
 * each and copies it about. */
#ifndef LARDER_H5UNZIP_H
#define LARDER_H5UNZIP_H

#include "larder_h5describe.h"

#include <stddef.h>
#include <stdint.h>

/* 1 when the filters are those; never in a build without zlib. */
int larder_h5unzip_can (const struct larder_h5describe *d, uint32_t mask);

/* Decode a chunk to `bytes` bytes; larder_h5unzip_can has been asked.  scratch: as large as elements.  Returns 1, or 0:
 * HDF5 is to do it, or to say what is wrong. */
int larder_h5unzip (const struct larder_h5describe *d, const void *data, size_t size,
                    void *elements, void *scratch, size_t bytes);

#endif
