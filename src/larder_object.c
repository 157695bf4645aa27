/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_object.h"
#include "larder_num.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int larder_object_check (const larder_object *object, larder_error *err)
{
    const char *name;

    if (!object)
        return larder_error_set (err, LARDER_EINVAL, 0, "object: NULL");
    name = object->name ? object->name : "object";
    if (!object->ops)
        return larder_error_set (err, LARDER_EINVAL, 0, "%s: has no table of functions", name);
    if (!object->ops->item_count || !object->ops->produce_item)
        return larder_error_set (err, LARDER_EINVAL, 0, "%s: its table lacks %s", name,
                                 object->ops->item_count ? "produce_item" : "item_count");
    if (object->once && object->reproduce)
        return larder_error_set (err, LARDER_EINVAL, 0, "%s: once and reproduce exclude each other",
                                 name);
    return LARDER_OK;
}

/* -- bytes in memory ------------------------------------------------------------------------ */

struct memory_object {
    const unsigned char *data;
    uint64_t size;
    uint64_t item_size;
    uint64_t item_count;
    char name[];
};

static int memory_item_count (void *self, uint64_t *count, larder_error *err)
{
    const struct memory_object *m = self;

    (void)err;
    *count = m->item_count;
    return LARDER_OK;
}

static int memory_item_size (void *self, uint64_t item, uint64_t *size, larder_error *err)
{
    const struct memory_object *m = self;

    if (item >= m->item_count)
        return larder_error_set (err, LARDER_ERANGE, 0,
                                 "%s: item %" PRIu64 " of %" PRIu64 " does not exist", m->name,
                                 item, m->item_count);
    *size = larder_num_min (m->item_size, m->size - item * m->item_size);
    return LARDER_OK;
}

static int memory_produce_item (void *self, uint64_t item, uint64_t offset, void *buffer,
                                size_t capacity, size_t *produced, int *last, larder_error *err)
{
    const struct memory_object *m = self;
    uint64_t size = 0;
    size_t n;
    int code = memory_item_size (self, item, &size, err);

    if (code != LARDER_OK)
        return code;
    if (offset > size)
        return larder_error_set (err, LARDER_ERANGE, 0,
                                 "%s: offset %" PRIu64 " is behind the end of item %" PRIu64,
                                 m->name, offset, item);
    n = (size_t)larder_num_min (capacity, size - offset);
    if (n)
        memcpy (buffer, m->data + item * m->item_size + offset, n);
    *produced = n;
    *last = offset + n == size;
    return LARDER_OK;
}

int larder_object_memory (const void *data, uint64_t size, uint64_t item_size, const char *name,
                          larder_object *object, larder_error *err)
{
    static const larder_object_ops ops = {
        .item_count = memory_item_count,
        .item_size = memory_item_size,
        .produce_item = memory_produce_item,
        .release = free,
    };
    struct memory_object *m;
    size_t in_memory, name_size;

    if (!name)
        name = "memory";
    if (!object || (!data && size))
        return larder_error_set (err, LARDER_EINVAL, 0, "%s: NULL argument", name);
    if (item_size == 0)
        return larder_error_set (err, LARDER_EINVAL, 0, "%s: item_size 0", name);
    if (larder_num_to_size (size, &in_memory))
        return larder_error_set (err, LARDER_EINVAL, 0, "%s: %" PRIu64 " bytes cannot be in memory",
                                 name, size);
    name_size = strlen (name) + 1;
    m = malloc (sizeof *m + name_size);
    if (!m)
        return larder_error_set (err, LARDER_ENOMEM, 0, "%s: out of memory", name);
    *m = (struct memory_object){
        .data = data,
        .size = size,
        .item_size = item_size,
        .item_count = larder_num_ceil_div (size, item_size),
    };
    memcpy (m->name, name, name_size);
    *object = (larder_object){
        .ops = &ops,
        .self = m,
        .name = m->name,
        .uniform_item_size = item_size,
    };
    return LARDER_OK;
}
