/* SPDX-License-Identifier: Apache-2.0 */
/* Filters that this process lacks.  Stored chunks travel as they are, so a filter of the same
 * number and name is enough; it can neither compress nor read. */
#ifndef LARDER_H5FILTER_H
#define LARDER_H5FILTER_H

#include <hdf5.h>

/* 1 when values can be read and written through filter id: it is here, and no stand-in. */
int larder_h5filter_real (H5Z_filter_t id);

/* Make sure that datasets with filter id can be created; name is what the source calls it.  Each
 * success that sets *used to 1 is to be ended by one larder_h5filter_drop.
 * \return 0, or -1: memory ran out, or HDF5 does not take it. */
int larder_h5filter_need (H5Z_filter_t id, const char *name, int *used);

/* End one use; the last one takes the stand-in away, so that the real filter can be loaded. */
void larder_h5filter_drop (H5Z_filter_t id);

#endif
