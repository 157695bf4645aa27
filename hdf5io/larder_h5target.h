/* SPDX-License-Identifier: Apache-2.0 */
/* The file that a selection lands in: made by replaying the recipe, then filled item by item. All
 * bytes are checked before they are believed. */
#ifndef LARDER_H5TARGET_H
#define LARDER_H5TARGET_H

#include "larder_h5item.h"
#include "larder_h5plan.h"
#include "larder_h5props.h"
#include "larder_h5set.h"
#include <hdf5.h>
#include <larder/error.h>

struct larder_h5made {
    hobj_ref_t reference;
    hid_t held; /* what is made without a name, while the recipe is replayed; else negative */
};

struct larder_h5landing {
    uint32_t object;
    enum larder_h5mode mode;
    uint64_t first, items;
};

struct larder_h5target {
    const char *path; /* of the temporary file; borrowed */
    const char *name; /* of the destination, for texts; borrowed */
    int descriptor;   /* of the temporary file; borrowed */
    hid_t file;       /* negative: not made */
    int superblock;
    uint64_t slab, items, user_bytes;
    struct larder_h5made *made;
    size_t mades, made_room;
    struct larder_h5landing *landing;
    size_t landings, landing_room;
    struct larder_h5standins stand_ins;

    uint32_t open; /* landing, or LARDER_H5MAP_NONE */
    struct larder_h5opened opened;
    struct larder_h5plan plan;
    char where[256];              /* its path, for texts */
    hsize_t placed[H5S_MAX_RANK]; /* LISTED: the last chunk that was written */
};

/* Make the file from a recipe; target is zeroed before but for the borrowed members, file and open
 * are negative and NONE.  larder_h5target_close ends it also after a failure. */
int larder_h5replay (struct larder_h5target *target, const void *bytes, size_t size,
                     larder_error *err);

/* Write an item (not the recipe). */
int larder_h5fill (struct larder_h5target *target, uint64_t item, const void *bytes, size_t size,
                   larder_error *err);

/* Close the file; LARDER_OK, or what HDF5 could not write. */
int larder_h5target_close (struct larder_h5target *target, larder_error *err);

/* Translate numbers of the recipe to references into the file. */
struct larder_h5refs larder_h5target_refs (struct larder_h5target *target);
/* Open an object of the recipe (H5Oclose); negative: there is none. */
hid_t larder_h5target_object (const struct larder_h5target *target, uint32_t number);

#endif
