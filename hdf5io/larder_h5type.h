/* SPDX-License-Identifier: Apache-2.0 */
/* Data types as bytes.  Not H5Tencode: H5Tdecode of 1.10 does not know where its bytes end. */
#ifndef LARDER_H5TYPE_H
#define LARDER_H5TYPE_H

#include "larder_h5wire.h"
#include <hdf5.h>

/* Types nested deeper than this do not travel. */
#define LARDER_H5TYPE_DEPTH 32

/* Append a type, its committed identity left out; -1: a class this library does not know. */
int larder_h5type_put (struct larder_h5out *out, hid_t type);

/* Rebuild a type (close it with H5Tclose); negative and in->bad when the bytes are wrong. */
hid_t larder_h5type_get (struct larder_h5in *in);

/* 1 when what larder_h5type_get makes of the bytes is the same type. */
int larder_h5type_kept (const struct larder_h5out *out, size_t from, hid_t type);

#endif
