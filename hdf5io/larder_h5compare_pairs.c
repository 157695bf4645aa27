/* SPDX-License-Identifier: Apache-2.0 */
/* Which object of A is which of B: a list that only grows, and two tables that find an entry by the
 * object's address.  Each object stands in one pair only, so what has two names in one file and is
 * two objects in the other is found here. */
#include "larder_h5compare.h"

#include <stdlib.h>
#include <string.h>

static const char *kind (H5O_type_t type)
{
    switch (type) {
    case H5O_TYPE_GROUP:
        return "group";
    case H5O_TYPE_DATASET:
        return "dataset";
    case H5O_TYPE_NAMED_DATATYPE:
        return "committed type";
    default:
        return "object";
    }
}

static size_t slot_of (const struct larder_h5compare *c, int side, haddr_t address)
{
    uint64_t h = (uint64_t)address * UINT64_C (0x9E3779B97F4A7C15);
    size_t i = (size_t)(h >> 20) & (c->table_size - 1);
    while (c->table[side][i] && c->pairs[c->table[side][i] - 1].address[side] != address)
        i = (i + 1) & (c->table_size - 1);
    return i;
}

const struct larder_h5pair *larder_h5compare_find (const struct larder_h5compare *c, int side,
                                                   haddr_t address)
{
    if (!c->table_size)
        return NULL;
    size_t at = c->table[side][slot_of (c, side, address)];
    return at ? &c->pairs[at - 1] : NULL;
}

/* Room for one pair more, with tables at most half full. */
static int grow (struct larder_h5compare *c)
{
    if (c->count == c->capacity) {
        size_t capacity = c->capacity ? 2 * c->capacity : 64;
        struct larder_h5pair *pairs = realloc (c->pairs, capacity * sizeof *pairs);
        if (!pairs)
            return 0;
        c->pairs = pairs;
        c->capacity = capacity;
    }
    if (2 * (c->count + 1) <= c->table_size)
        return 1;
    size_t size = c->table_size ? 2 * c->table_size : 256;
    size_t *a = calloc (size, sizeof *a), *b = calloc (size, sizeof *b);
    if (!a || !b) {
        free (a);
        free (b);
        return 0;
    }
    free (c->table[0]);
    free (c->table[1]);
    c->table[0] = a;
    c->table[1] = b;
    c->table_size = size;
    for (size_t i = 0; i < c->count; ++i)
        for (int side = 0; side < 2; ++side)
            c->table[side][slot_of (c, side, c->pairs[i].address[side])] = i + 1;
    return 1;
}

static int no_memory (struct larder_h5compare *c)
{
    return larder_error_set (c->err, LARDER_ENOMEM, 0, "no memory to compare %zu objects",
                             c->count + 1);
}

static int append (struct larder_h5compare *c, const haddr_t address[2], H5O_type_t type,
                   const char *path, int by_reference)
{
    const char *k = kind (type);
    size_t head = strlen (k) + 1, size = head + strlen (path) + 1;
    if (!grow (c))
        return no_memory (c);
    char *what = malloc (size);
    if (!what)
        return no_memory (c);
    memcpy (what, k, head - 1);
    what[head - 1] = ' ';
    memcpy (what + head, path, size - head);
    c->pairs[c->count] =
        (struct larder_h5pair){{address[0], address[1]}, type, by_reference, what, what + head};
    for (int side = 0; side < 2; ++side)
        c->table[side][slot_of (c, side, address[side])] = c->count + 1;
    ++c->count;
    return LARDER_OK;
}

int larder_h5compare_pair (struct larder_h5compare *c, const haddr_t address[2], H5O_type_t type,
                           const char *path, int by_reference)
{
    const struct larder_h5pair *a = larder_h5compare_find (c, 0, address[0]);
    const struct larder_h5pair *b = larder_h5compare_find (c, 1, address[1]);
    if (!a && !b)
        return append (c, address, type, path, by_reference);
    if (a == b)
        return LARDER_OK;
    if (a)
        return larder_h5compare_differ (c, "%s: is the same object as %s in the first file only",
                                        path, a->path);
    return larder_h5compare_differ (c, "%s: is the same object as %s in the second file only", path,
                                    b->path);
}

int larder_h5compare_pair_ids (struct larder_h5compare *c, const hid_t id[2], const char *path,
                               int by_reference)
{
    H5O_info_t info[2];
    for (int side = 0; side < 2; ++side)
        if (H5Oget_info2 (id[side], &info[side], H5O_INFO_BASIC) < 0)
            return larder_h5compare_fail (c, path, "reading an object header");
    if (info[0].type != info[1].type)
        return larder_h5compare_differ (c, "%s: is a %s and a %s", path, kind (info[0].type),
                                        kind (info[1].type));
    return larder_h5compare_pair (c, (haddr_t[]){info[0].addr, info[1].addr}, info[0].type, path,
                                  by_reference);
}

void larder_h5compare_pairs_free (struct larder_h5compare *c)
{
    for (size_t i = 0; i < c->count; ++i)
        free (c->pairs[i].what);
    free (c->pairs);
    free (c->table[0]);
    free (c->table[1]);
}
