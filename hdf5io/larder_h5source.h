/* SPDX-License-Identifier: Apache-2.0 */
/* The file that a selection is taken from: what is selected, its recipe, how its items lie. */
#ifndef LARDER_H5SOURCE_H
#define LARDER_H5SOURCE_H

#include "larder_h5item.h"
#include "larder_h5pack.h"
#include "larder_h5plan.h"
#include "larder_h5tree.h"
#include "larder_h5wire.h"
#include <hdf5.h>
#include <larder/error.h>
#include <larder/hdf5.h>
#include <sys/stat.h>

/* A dataset of the recipe. */
struct larder_h5set {
    uint32_t object; /* of the tree */
    enum larder_h5mode mode;
    uint64_t first, items; /* of the object that is offered */
    hsize_t *list;         /* LISTED: where each stored chunk starts, in ascending order */
    uint64_t counted;      /* items whose references have been counted */
    uint64_t outside, dangling;
};

/* An object of the recipe. */
struct larder_h5emitted {
    haddr_t address;
    uint32_t object; /* of the tree, or LARDER_H5MAP_NONE: a type without a name */
};

struct larder_h5source {
    char *path;
    hid_t file;
    struct stat state; /* when it was opened */
    uint64_t slab;
    int superblock; /* version */
    size_t address_bytes;
    int with_targets;

    struct larder_h5wants *wants; /* NULL: everything */
    struct larder_h5tree tree;
    struct larder_h5map numbers; /* address to number in the recipe */
    struct larder_h5emitted *emitted;
    size_t emits, emit_room;
    struct larder_h5set *set;
    size_t sets, set_room;
    struct larder_h5out recipe;
    uint64_t user_bytes; /* of the user block */
    uint64_t items;      /* the recipe included */

    uint64_t outside, dangling; /* references met since they were last set to 0 */
    char **remark;
    size_t remarks, remark_room;
};

/* Open a file and check that it can be sent; source is zeroed before.  larder_h5source_close ends
 * it also after a failure. */
int larder_h5source_open (struct larder_h5source *source, const char *path, larder_error *err);
void larder_h5source_close (struct larder_h5source *source);

/* LARDER_ESTALE when the file is no longer the one that was opened. */
int larder_h5source_check (const struct larder_h5source *source, larder_error *err);

/* Keep a line for the user.  LARDER_ENOMEM */
int larder_h5source_remark (struct larder_h5source *source, larder_error *err, const char *format,
                            ...) __attribute__ ((format (printf, 3, 4)));
/* Remark on the references that where holds, and set the counts to 0. */
int larder_h5source_remark_nulls (struct larder_h5source *source, uint64_t outside,
                                  uint64_t dangling, const char *where, larder_error *err);

/* Translate references to numbers of the recipe; counts those that become null. */
struct larder_h5refs larder_h5source_refs (struct larder_h5source *source);
/* The address that an object reference holds, HADDR_UNDEF: null. */
haddr_t larder_h5source_address (const struct larder_h5source *source, const void *reference);
/* Address of the object that a reference of either kind points to; HADDR_UNDEF: none.
 * *dangling is set when there is a reference and no object. */
haddr_t larder_h5source_target (const struct larder_h5source *source, int region,
                                const void *reference, int *dangling);

/* All values of an attribute, to be ended by larder_h5source_values_free. */
struct larder_h5values {
    hid_t type, space;
    struct larder_h5shape *shape;
    uint64_t count;
    void *data;
};
int larder_h5source_values (hid_t attribute, const char *where, struct larder_h5values *values,
                            larder_error *err);
void larder_h5source_values_free (struct larder_h5values *values);

/* Names of an object's attributes, in order of creation where that is known. */
struct larder_h5names {
    char **name;
    size_t count, room;
};
int larder_h5source_attributes (hid_t object, struct larder_h5names *names);
void larder_h5source_names_free (struct larder_h5names *names);

/* Walk the selection into source->tree, with everything that has to be taken along. */
int larder_h5closure (struct larder_h5source *source, larder_error *err);

/* Write the recipe and lay out the items. */
int larder_h5recipe (struct larder_h5source *source, larder_error *err);

#endif
