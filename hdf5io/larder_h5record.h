/* SPDX-License-Identifier: Apache-2.0 */
/* What the records of a recipe are put together from. */
#ifndef LARDER_H5RECORD_H
#define LARDER_H5RECORD_H

#include "larder_h5recipe.h"
#include "larder_h5source.h"

/* Begin a record; what is returned goes to larder_h5record_end. */
size_t larder_h5record_begin (struct larder_h5source *source, enum larder_h5record kind);
int larder_h5record_end (struct larder_h5source *source, size_t from, larder_error *err);

/* Give the next number to an object. */
int larder_h5record_emit (struct larder_h5source *source, haddr_t address, uint32_t object,
                          larder_error *err);

/* Append what kind of object headers an object has; -1: HDF5 failed. */
int larder_h5record_headers (struct larder_h5source *source, hid_t object);

/* The number of a committed type, which gets its record now if this is its first use;
 * LARDER_H5MAP_NONE: not committed.  Not inside of a record. */
int larder_h5record_type (struct larder_h5source *source, hid_t type, const char *where,
                          uint32_t *number, larder_error *err);

/* Append the use of a type: its number, or all of it. */
int larder_h5record_use (struct larder_h5source *source, hid_t type, uint32_t number,
                         const char *where, larder_error *err);

/* Append the records of what hangs on an object of the recipe. */
int larder_h5hanging (struct larder_h5source *source, uint32_t number, larder_error *err);

#endif
