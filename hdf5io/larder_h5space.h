/* SPDX-License-Identifier: Apache-2.0 */
/* Data spaces and selections in them as bytes (not H5Sencode: H5Sdecode does not know where its
 * bytes end). */
#ifndef LARDER_H5SPACE_H
#define LARDER_H5SPACE_H

#include "larder_h5wire.h"
#include <hdf5.h>

/* Append the extent of a space; -1: HDF5 failed. */
int larder_h5space_put (struct larder_h5out *out, hid_t space);

/* Rebuild a space, everything selected; negative and in->bad when the bytes are wrong. */
hid_t larder_h5space_get (struct larder_h5in *in);

/* Append the selection of a space; -1: HDF5 failed, or more blocks than may travel. */
int larder_h5space_put_selection (struct larder_h5out *out, hid_t space);

/* Apply a selection to a space that has its extent; -1 and in->bad when it does not fit. */
int larder_h5space_get_selection (struct larder_h5in *in, hid_t space);

#endif
