/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_children.h"
#include "larder_num.h"
#include "larder_path.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <xxhash.h>

enum {
    FEW = 8, /* so many names are as quickly compared as hashed */
    ROOM_LEAST = 4
};
/* Numbers stand in the index as 32 bits, 0 is none. */
#define COUNT_MAX (UINT64_C (0xffffffff) - 1)

static uint64_t home_of (const struct larder_children *c, const char *name, size_t length)
{
    return XXH3_64bits_withSeed (name, length, c->seed) & (c->index_size - 1);
}

static void index_add (struct larder_children *c, uint64_t number)
{
    uint64_t mask = c->index_size - 1;
    uint64_t slot = home_of (c, c->names[number], strlen (c->names[number]));

    while (c->index[slot])
        slot = (slot + 1) & mask;
    c->index[slot] = (uint32_t)(number + 1);
}

static int index_grow (struct larder_children *c, uint64_t room)
{
    uint64_t size = 4 * FEW, bytes;
    uint32_t *index;
    size_t n;

    while (size < 2 * room)
        size *= 2;
    if (size <= c->index_size)
        return 0;
    if (larder_num_mul (size, sizeof *index, &bytes) || larder_num_to_size (bytes, &n) ||
        !(index = calloc (n, 1)))
        return -1;
    if (!c->index && getrandom (&c->seed, sizeof c->seed, GRND_NONBLOCK) != sizeof c->seed)
        c->seed = larder_num_mix ((uint64_t)(uintptr_t)c);
    free (c->index);
    c->index = index;
    c->index_size = size;
    for (uint64_t i = 0; i < c->count; ++i)
        index_add (c, i);
    return 0;
}

static int grow (struct larder_children *c, larder_kind kind, uint64_t room)
{
    size_t bytes;
    void *more;

    if (larder_num_to_size (room, &bytes) ||
        larder_num_mul_size (bytes, sizeof *c->nodes, &bytes) ||
        !(more = realloc (c->nodes, bytes)))
        return -1;
    c->nodes = more;
    if (kind == LARDER_KIND_MAP) {
        if (!(more = realloc (c->names, (size_t)room * sizeof *c->names)))
            return -1;
        c->names = more;
        if (room > FEW && index_grow (c, room))
            return -1;
    }
    c->room = room;
    return 0;
}

struct larder_children *larder_children_new (larder_kind kind, uint64_t room)
{
    struct larder_children *c = room <= COUNT_MAX ? calloc (1, sizeof *c) : NULL;

    if (c && room && grow (c, kind, room)) {
        larder_children_free (c);
        return NULL;
    }
    return c;
}

void larder_children_free (struct larder_children *c)
{
    if (!c)
        return;
    for (uint64_t i = 0; c->names && i < c->count; ++i)
        free (c->names[i]);
    free (c->names);
    free (c->nodes);
    free (c->index);
    free (c);
}

int larder_children_reserve (struct larder_children *c, larder_kind kind, uint64_t more,
                             larder_error *err)
{
    uint64_t room;

    if (larder_num_add (c->count, more, &room) || room > COUNT_MAX)
        return larder_error_set (err, LARDER_ERANGE, 0,
                                 "message: a %s of more than %" PRIu64 " values",
                                 larder_kind_name (kind), COUNT_MAX);
    if (room <= c->room)
        return LARDER_OK;
    room =
        larder_num_max (larder_num_max (room, ROOM_LEAST), larder_num_min (2 * c->room, COUNT_MAX));
    if (grow (c, kind, room))
        return larder_error_set (err, LARDER_ENOMEM, 0,
                                 "message: no memory for a %s of %" PRIu64 " values",
                                 larder_kind_name (kind), room);
    return LARDER_OK;
}

static int named (const struct larder_children *c, uint64_t number, const char *name, size_t length)
{
    const char *own = c->names[number];
    return strncmp (own, name, length) == 0 && own[length] == '\0';
}

int larder_children_find (const struct larder_children *c, larder_kind kind, const char *name,
                          size_t length, uint64_t *number)
{
    uint64_t n;

    if (kind == LARDER_KIND_LIST) {
        if (!larder_path_index (name, length, &n) || n >= c->count)
            return 0;
        *number = n;
        return 1;
    }
    if (!c->index) {
        for (n = 0; n < c->count; ++n)
            if (named (c, n, name, length)) {
                *number = n;
                return 1;
            }
        return 0;
    }
    for (uint64_t slot = home_of (c, name, length); c->index[slot];
         slot = (slot + 1) & (c->index_size - 1))
        if (named (c, c->index[slot] - 1, name, length)) {
            *number = c->index[slot] - 1;
            return 1;
        }
    return 0;
}

struct larder_node *larder_children_put (struct larder_children *c, char *name)
{
    uint64_t number = c->count;

    if (name) {
        c->names[number] = name;
        if (c->index)
            index_add (c, number);
    }
    c->nodes[number] = (struct larder_node){0};
    ++c->count;
    return &c->nodes[number];
}

int larder_children_add (struct larder_children *c, larder_kind kind, const char *name,
                         size_t length, struct larder_node **child, larder_error *err)
{
    char *own = NULL;
    int rc = larder_children_reserve (c, kind, 1, err);

    if (rc != LARDER_OK)
        return rc;
    if (kind == LARDER_KIND_MAP) {
        own = malloc (length + 1);
        if (!own)
            return larder_error_set (err, LARDER_ENOMEM, 0,
                                     "message: no memory for a name of %zu bytes", length);
        memcpy (own, name, length);
        own[length] = '\0';
    }
    *child = larder_children_put (c, own);
    return LARDER_OK;
}

/* Empty a place of the index; those that stand behind it because it was taken move up, so that there are no
 * marks of what was. */
static void index_take (struct larder_children *c, uint64_t number)
{
    uint64_t mask = c->index_size - 1;
    uint64_t hole = home_of (c, c->names[number], strlen (c->names[number]));

    while (c->index[hole] != number + 1)
        hole = (hole + 1) & mask;
    for (uint64_t slot = (hole + 1) & mask; c->index[slot]; slot = (slot + 1) & mask) {
        const char *name = c->names[c->index[slot] - 1];
        uint64_t home = home_of (c, name, strlen (name));
        if (((slot - home) & mask) >= ((slot - hole) & mask)) {
            c->index[hole] = c->index[slot];
            hole = slot;
        }
    }
    c->index[hole] = 0;
    if (number + 1 == c->count)
        return;
    for (uint64_t slot = 0; slot < c->index_size; ++slot)
        c->index[slot] -= c->index[slot] > number + 1;
}

void larder_children_take (struct larder_children *c, uint64_t number)
{
    uint64_t behind = c->count - number - 1;

    if (c->index)
        index_take (c, number);
    if (c->names) {
        free (c->names[number]);
        memmove (&c->names[number], &c->names[number + 1], (size_t)behind * sizeof *c->names);
    }
    memmove (&c->nodes[number], &c->nodes[number + 1], (size_t)behind * sizeof *c->nodes);
    --c->count;
}
