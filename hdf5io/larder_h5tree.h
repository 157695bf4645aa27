/* SPDX-License-Identifier: Apache-2.0 */
/* Links and objects of a file, as far as they are wanted: walked once, by address, so that cycles
 * and second names are found. */
#ifndef LARDER_H5TREE_H
#define LARDER_H5TREE_H

#include "larder_h5map.h"
#include <hdf5.h>
#include <larder/error.h>

struct larder_h5object {
    haddr_t address;
    uint32_t link; /* the first link that led here; LARDER_H5MAP_NONE for the root */
    H5O_type_t type;
    int coming; /* its record is being written */
};

struct larder_h5link {
    uint32_t parent; /* object */
    uint32_t target; /* object of a hard link */
    H5L_type_t type;
    H5T_cset_t cset;
    char *name;
    char *value; /* of a soft or external link: as H5Lget_val gives it */
    size_t size;
};

/* Links of one group stand together, in the order in which they were made where that is known. */
struct larder_h5tree {
    struct larder_h5object *object; /* [0] is the root */
    size_t objects, object_room;
    struct larder_h5link *link;
    size_t links, link_room;
    struct larder_h5map numbers; /* address to object */
};

/* What is wanted of a group: everything below, or some links. */
struct larder_h5wants;

/* Walk.  wants == NULL: everything; strict == 0: what cannot be carried is left out. */
int larder_h5tree_walk (struct larder_h5tree *tree, hid_t file, const struct larder_h5wants *wants,
                        int strict, larder_error *err);
void larder_h5tree_free (struct larder_h5tree *tree);

/* The path of an object, or of a name in it; too long ones are cut in front.
 * \return path. */
char *larder_h5tree_path (const struct larder_h5tree *tree, uint32_t object, const char *name,
                          char *path, size_t room);

/* Want a path with all below it; wants start as NULL.  LARDER_ENOENT when there is no such. */
int larder_h5wants_path (struct larder_h5wants **wants, hid_t file, const char *path,
                         larder_error *err);
/* Want object of a whole tree at its path there. */
int larder_h5wants_object (struct larder_h5wants *wants, const struct larder_h5tree *whole,
                           uint32_t object);
/* What is below groups that are wanted whole is wanted whole too, whichever way it is reached. */
int larder_h5wants_spread (struct larder_h5wants *wants, hid_t file, larder_error *err);
void larder_h5wants_free (struct larder_h5wants **wants);

/* One link that is wanted; address is that of what a soft link leads to, else HADDR_UNDEF. */
struct larder_h5want_link {
    char *name;
    haddr_t follow;
};
/* The links wanted of a group; NULL: all of them. */
const struct larder_h5want_link *larder_h5wants_links (const struct larder_h5wants *wants,
                                                       haddr_t group, size_t *count);
/* 1 when an object is wanted with all that hangs on it, not only as the way to another. */
int larder_h5wants_all (const struct larder_h5wants *wants, haddr_t object);

#endif
