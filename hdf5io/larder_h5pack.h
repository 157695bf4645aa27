/* SPDX-License-Identifier: Apache-2.0 */
/* Values that hold pointers or references, packed: variable-length data with its length in front,
 * references as numbers of objects in the recipe.  Everything else keeps its bytes. */
#ifndef LARDER_H5PACK_H
#define LARDER_H5PACK_H

#include "larder_h5wire.h"
#include <hdf5.h>

/* How values of a type lie in memory. */
struct larder_h5shape;

/* Translate references; region says which kind.  Each returns 0, or -1 when it failed. */
struct larder_h5refs {
    int (*put) (void *self, int region, const void *value, struct larder_h5out *out);
    int (*get) (void *self, int region, struct larder_h5in *in, void *value);
    void *self;
};

/* Memory that unpacked values point to; freed at once. */
struct larder_h5arena {
    struct larder_h5arena_block *blocks;
};

/* The shape of a type; NULL: out of memory, or nested too deep, or an HDF5 failure. */
struct larder_h5shape *larder_h5shape_new (hid_t type);
void larder_h5shape_free (struct larder_h5shape *shape);

/* 1 when the values hold neither pointers nor references: their bytes may travel as they are. */
int larder_h5shape_plain (const struct larder_h5shape *shape);
/* 1 when the values hold references. */
int larder_h5shape_refers (const struct larder_h5shape *shape);
/* Bytes of one value in memory, and the fewest it packs into. */
size_t larder_h5shape_size (const struct larder_h5shape *shape);
size_t larder_h5shape_least (const struct larder_h5shape *shape);

/* Append n values; -1: a reference could not be put. */
int larder_h5pack (const struct larder_h5shape *shape, const void *values, uint64_t n,
                   const struct larder_h5refs *refs, struct larder_h5out *out);

/* Fill room for n values (larder_h5shape_size each, zeroed); what they point to goes to the arena.
 * \return 0, or -1 with in->bad when the bytes are wrong, without when memory ran out. */
int larder_h5unpack (const struct larder_h5shape *shape, struct larder_h5in *in, uint64_t n,
                     const struct larder_h5refs *refs, struct larder_h5arena *arena, void *values);

void *larder_h5arena_take (struct larder_h5arena *arena, size_t n);
void larder_h5arena_free (struct larder_h5arena *arena);

#endif
