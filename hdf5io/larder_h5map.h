/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of objects in a file, each with a number. */
#ifndef LARDER_H5MAP_H
#define LARDER_H5MAP_H

#include <stddef.h>
#include <stdint.h>

#define LARDER_H5MAP_NONE UINT32_MAX

struct larder_h5map {
    struct larder_h5map_entry *entry;
    size_t room; /* a power of two, or 0 */
    size_t used;
};

/* The number of an address, or LARDER_H5MAP_NONE. */
uint32_t larder_h5map_find (const struct larder_h5map *map, uint64_t address);
/* Set or replace; -1: out of memory. */
int larder_h5map_set (struct larder_h5map *map, uint64_t address, uint32_t number);
void larder_h5map_free (struct larder_h5map *map);

/* Grow an array to hold one more than n; NULL: out of memory (the old one stays). */
void *larder_h5grow (void *array, size_t n, size_t *room, size_t size);

#endif
