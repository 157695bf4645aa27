/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_h5map.h"

#include <stdlib.h>
#include <string.h>

struct larder_h5map_entry {
    uint64_t address;
    uint32_t number;
    uint32_t taken;
};

static size_t place_of (const struct larder_h5map *map, uint64_t address)
{
    size_t at = (size_t)((address * 0x9e3779b97f4a7c15u) >> 20) & (map->room - 1);
    while (map->entry[at].taken && map->entry[at].address != address)
        at = (at + 1) & (map->room - 1);
    return at;
}

uint32_t larder_h5map_find (const struct larder_h5map *map, uint64_t address)
{
    if (map->room == 0)
        return LARDER_H5MAP_NONE;
    const struct larder_h5map_entry *entry = &map->entry[place_of (map, address)];
    return entry->taken ? entry->number : LARDER_H5MAP_NONE;
}

static int map_grow (struct larder_h5map *map)
{
    struct larder_h5map bigger = {NULL, map->room ? map->room * 2 : 64, map->used};
    bigger.entry = calloc (bigger.room, sizeof *bigger.entry);
    if (bigger.entry == NULL)
        return -1;
    for (size_t i = 0; i < map->room; ++i)
        if (map->entry[i].taken)
            bigger.entry[place_of (&bigger, map->entry[i].address)] = map->entry[i];
    free (map->entry);
    *map = bigger;
    return 0;
}

int larder_h5map_set (struct larder_h5map *map, uint64_t address, uint32_t number)
{
    if (map->used + map->used / 2 + 1 >= map->room && map_grow (map) != 0)
        return -1;
    struct larder_h5map_entry *entry = &map->entry[place_of (map, address)];
    map->used += !entry->taken;
    *entry = (struct larder_h5map_entry){address, number, 1};
    return 0;
}

void larder_h5map_free (struct larder_h5map *map)
{
    free (map->entry);
    memset (map, 0, sizeof *map);
}

void *larder_h5grow (void *array, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return array;
    size_t more = *room ? *room * 2 : 16;
    if (more > SIZE_MAX / size)
        return NULL;
    void *grown = realloc (array, more * size);
    if (grown)
        *room = more;
    return grown;
}
