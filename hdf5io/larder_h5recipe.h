/* SPDX-License-Identifier: Apache-2.0 */
/* The recipe: what a file has to be made of before the data comes.  Records in the order in which
 * they are replayed: groups, types, datasets and links as they are met, then attributes and
 * comments.  Objects are counted from 0, the root, as they are made. */
#ifndef LARDER_H5RECIPE_H
#define LARDER_H5RECIPE_H

#include <stdint.h>

#define LARDER_H5RECIPE_MAGIC   "larder\r5"
#define LARDER_H5RECIPE_VERSION 1
/* magic 8, version 4, superblock 4, size 8, items 8, slab 8; a checksum of 8 at the end */
#define LARDER_H5RECIPE_HEAD  40
#define LARDER_H5RECIPE_TAIL  8
#define LARDER_H5RECIPE_LEAST (LARDER_H5RECIPE_HEAD + LARDER_H5RECIPE_TAIL)

/* A record: kind 1, bytes that follow 8. */
enum larder_h5record {
    LARDER_H5_FILE = 'F',      /* creation properties of file and root */
    LARDER_H5_GROUP = 'G',     /* link, headers, properties */
    LARDER_H5_TYPE = 'T',      /* headers, type, properties: made without a name */
    LARDER_H5_DATASET = 'D',   /* link, headers, type, space, properties, mode, items */
    LARDER_H5_HARD = 'H',      /* link, object */
    LARDER_H5_SOFT = 'S',      /* link, path */
    LARDER_H5_EXTERNAL = 'E',  /* link, file, path */
    LARDER_H5_ATTRIBUTE = 'A', /* object, character set, name, type, space, packed values */
    LARDER_H5_COMMENT = 'C'    /* object, text */
};

/* A link: parent 4, character set 1, name.  Headers 1: oldest library version that writes object
 * headers as the source's are. */
enum larder_h5headers { LARDER_H5_EARLIEST, LARDER_H5_V18, LARDER_H5_V110 };

#endif
