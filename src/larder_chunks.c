/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_chunks.h"
#include "larder_num.h"
#include "larder_wire.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MARKS_MAX 65536
/* Items and chunks that words can count. */
#define CHUNKS_MAX (LARDER_COUNT_MAX / 2)

static const char *name_of (const struct larder_chunks *c)
{
    return c->object->name ? c->object->name : "object";
}

int larder_chunks_item_size (const struct larder_chunks *c, uint64_t item, uint64_t *size,
                             larder_error *err)
{
    const larder_object *o = c->object;
    if (c->item_size) {
        *size = item + 1 < c->item_count ? c->item_size : c->last_size;
        return LARDER_OK;
    }
    int rc = o->ops->item_size (o->self, item, size, err);
    if (rc == LARDER_OK && *size > INT64_MAX)
        rc = larder_error_set (err, LARDER_ERANGE, 0, "%s: item %" PRIu64 " is too large",
                               name_of (c), item);
    return rc;
}

static int add_mark (struct larder_chunks *c, uint64_t item, uint64_t offset, larder_error *err)
{
    if (c->mark_count == MARKS_MAX && !c->unknown) {
        for (uint64_t i = 0; i < MARKS_MAX / 2; ++i)
            c->marks[i] = c->marks[2 * i];
        c->mark_count = MARKS_MAX / 2;
        c->interval *= 2;
    }
    if (c->mark_count == c->mark_capacity) {
        uint64_t capacity = c->mark_capacity ? 2 * c->mark_capacity : 64;
        void *p = realloc (c->marks, capacity * sizeof *c->marks);
        if (!p)
            return larder_error_set (err, LARDER_ENOMEM, 0,
                                     "%s: no memory for the places of %" PRIu64 " chunks",
                                     name_of (c), capacity);
        c->marks = p;
        c->mark_capacity = capacity;
    }
    c->marks[c->mark_count++] = (struct larder_chunk_mark){item, offset};
    return LARDER_OK;
}

static int init_uniform (struct larder_chunks *c, larder_error *err)
{
    const larder_object *o = c->object;
    uint64_t bytes;
    c->item_size = c->last_size = o->uniform_item_size;
    if (o->ops->item_size && c->item_count) {
        int rc = o->ops->item_size (o->self, c->item_count - 1, &c->last_size, err);
        if (rc != LARDER_OK)
            return rc;
    }
    if (c->last_size > c->item_size || larder_num_mul (c->item_count, c->item_size, &bytes) ||
        bytes / c->payload >= CHUNKS_MAX)
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "%s: %" PRIu64 " items of %" PRIu64 " bytes, the last of %" PRIu64
                                 ", make no object",
                                 name_of (c), c->item_count, c->item_size, c->last_size);
    if (c->item_size <= c->payload)
        c->per_chunk = c->payload / c->item_size;
    else
        c->per_item = (c->item_size - 1) / c->payload + 1;
    return LARDER_OK;
}

int larder_chunks_init (struct larder_chunks *c, const larder_object *object, uint64_t payload,
                        larder_error *err)
{
    *c = (struct larder_chunks){.object = object, .payload = payload, .interval = 1};
    int rc = object->ops->item_count (object->self, &c->item_count, err);
    if (rc != LARDER_OK)
        return rc;
    if (c->item_count >= CHUNKS_MAX)
        return larder_error_set (err, LARDER_ERANGE, 0, "%s: too many items", name_of (c));
    if (object->uniform_item_size)
        return init_uniform (c, err);
    c->unknown = object->ops->item_size == NULL;
    return add_mark (c, 0, 0, err);
}

void larder_chunks_free (struct larder_chunks *c)
{
    free (c->marks);
    c->marks = NULL;
    c->mark_count = c->mark_capacity = 0;
}

uint64_t larder_chunks_table (uint64_t size, uint64_t count)
{
    return count > 1 ? (4 - size % 4) % 4 + 4 * count : 0;
}

uint64_t larder_chunks_bytes (const struct larder_chunks *c)
{
    return c->item_size && c->item_count ? (c->item_count - 1) * c->item_size + c->last_size : 0;
}

void larder_chunks_before (const struct larder_chunks *c, uint64_t n, uint64_t *items,
                           uint64_t *bytes)
{
    uint64_t offset = c->per_item ? n % c->per_item * c->payload : 0;
    *items = larder_num_min (c->per_chunk ? n * c->per_chunk : n / c->per_item, c->item_count);
    *bytes = larder_num_min (*items * c->item_size + offset, larder_chunks_bytes (c));
}

static int beyond (const struct larder_chunks *c, uint64_t n, larder_error *err)
{
    return larder_error_set (err, LARDER_ERANGE, 0, "%s: there is no chunk %" PRIu64, name_of (c),
                             n);
}

static int plan_uniform (const struct larder_chunks *c, uint64_t n, struct larder_chunk *chunk,
                         larder_error *err)
{
    chunk->number = n;
    chunk->flags = LARDER_CHUNK_ENDS;
    chunk->count = 1;
    if (c->per_chunk) {
        if (n > c->item_count / c->per_chunk || n * c->per_chunk >= c->item_count)
            return beyond (c, n, err);
        chunk->item = n * c->per_chunk;
        chunk->offset = 0;
        chunk->count = larder_num_min (c->per_chunk, c->item_count - chunk->item);
        chunk->size = chunk->count * c->item_size;
        if (chunk->item + chunk->count == c->item_count)
            chunk->size -= c->item_size - c->last_size;
    } else {
        chunk->item = n / c->per_item;
        if (chunk->item >= c->item_count)
            return beyond (c, n, err);
        /* The last item may be shorter: it then has empty chunks at its end, but its first one. */
        uint64_t size = chunk->item + 1 < c->item_count ? c->item_size : c->last_size;
        chunk->offset = n % c->per_item * c->payload;
        if (chunk->offset && chunk->offset >= size)
            return beyond (c, n, err);
        chunk->size = larder_num_min (c->payload, size - chunk->offset);
        if (chunk->offset + chunk->size < size)
            chunk->flags = 0;
    }
    if ((chunk->flags & LARDER_CHUNK_ENDS) && chunk->item + chunk->count == c->item_count)
        chunk->flags |= LARDER_CHUNK_LAST;
    chunk->payload = chunk->size;
    return LARDER_OK;
}

/* The chunk that begins at a place, when sizes differ. */
static int plan_at (const struct larder_chunks *c, uint64_t n, struct larder_chunk_mark at,
                    struct larder_chunk *chunk, larder_error *err)
{
    uint64_t size;
    if (at.item >= c->item_count)
        return beyond (c, n, err);
    *chunk = (struct larder_chunk){.number = n, .item = at.item, .offset = at.offset, .count = 1};
    if (c->unknown) {
        chunk->size = c->payload;
        return LARDER_OK;
    }
    int rc = larder_chunks_item_size (c, at.item, &size, err);
    if (rc != LARDER_OK)
        return rc;
    if (at.offset > size)
        return larder_error_set (err, LARDER_ESTALE, 0, "%s: item %" PRIu64 " changed its size",
                                 name_of (c), at.item);
    chunk->size = larder_num_min (c->payload, size - at.offset);
    if (at.offset + chunk->size == size)
        chunk->flags = LARDER_CHUNK_ENDS;
    uint64_t bytes = chunk->size, next = at.item + 1;
    while (at.offset == 0 && (chunk->flags & LARDER_CHUNK_ENDS) && next < c->item_count) {
        rc = larder_chunks_item_size (c, next, &size, err);
        if (rc != LARDER_OK)
            return rc;
        uint64_t count = chunk->count + 1;
        if (size > c->payload ||
            bytes + size + larder_chunks_table (bytes + size, count) > c->payload)
            break;
        bytes += size;
        chunk->count = count;
        ++next;
    }
    chunk->payload = bytes;
    if (chunk->count > 1) {
        chunk->flags |= LARDER_CHUNK_TABLE;
        chunk->size = bytes + larder_chunks_table (bytes, chunk->count);
    }
    if ((chunk->flags & LARDER_CHUNK_ENDS) && chunk->item + chunk->count == c->item_count)
        chunk->flags |= LARDER_CHUNK_LAST;
    return LARDER_OK;
}

/* Where the chunk behind this one begins. */
static struct larder_chunk_mark behind (const struct larder_chunk *chunk)
{
    if (chunk->flags & LARDER_CHUNK_ENDS)
        return (struct larder_chunk_mark){chunk->item + chunk->count, 0};
    return (struct larder_chunk_mark){chunk->item, chunk->offset + chunk->size};
}

/* Go on from the memo by one chunk. */
static int step (struct larder_chunks *c, struct larder_chunk *chunk, larder_error *err)
{
    *chunk = (struct larder_chunk){0};
    int rc = plan_at (c, c->memo_chunk, c->memo, chunk, err);
    if (rc != LARDER_OK)
        return rc;
    uint64_t next = c->memo_chunk + 1;
    struct larder_chunk_mark at = behind (chunk);
    if (next == c->mark_count * c->interval) {
        rc = add_mark (c, at.item, at.offset, err);
        if (rc != LARDER_OK)
            return rc;
    }
    c->memo_chunk = next;
    c->memo = at;
    return LARDER_OK;
}

static void memo_from_mark (struct larder_chunks *c, uint64_t i)
{
    c->memo_chunk = i * c->interval;
    c->memo = c->marks[i];
}

int larder_chunks_plan (struct larder_chunks *c, uint64_t n, struct larder_chunk *chunk,
                        larder_error *err)
{
    if (c->item_size)
        return plan_uniform (c, n, chunk, err);
    if (c->unknown) {
        if (n >= c->mark_count)
            return larder_error_set (err, LARDER_ENOTSUP, 0,
                                     "%s: chunk %" PRIu64 " begins behind an item of unknown size",
                                     name_of (c), n);
        return plan_at (c, n, c->marks[n], chunk, err);
    }
    uint64_t i = larder_num_min (n / c->interval, c->mark_count - 1);
    if (c->memo_chunk > n || c->memo_chunk < i * c->interval)
        memo_from_mark (c, i);
    for (;;) {
        uint64_t at = c->memo_chunk;
        int rc = step (c, chunk, err);
        if (rc != LARDER_OK || at == n)
            return rc;
    }
}

int larder_chunks_find (struct larder_chunks *c, uint64_t item, uint64_t *n, larder_error *err)
{
    if (item >= c->item_count)
        return larder_error_set (err, LARDER_ERANGE, 0, "%s: there is no item %" PRIu64,
                                 name_of (c), item);
    if (c->item_size) {
        *n = c->per_chunk ? item / c->per_chunk : item * c->per_item;
        return LARDER_OK;
    }
    /* The last mark that is not behind the item's first byte. */
    uint64_t low = 0, high = c->mark_count;
    while (high - low > 1) {
        uint64_t mid = low + (high - low) / 2;
        const struct larder_chunk_mark *m = &c->marks[mid];
        if (m->item < item || (m->item == item && m->offset == 0))
            low = mid;
        else
            high = mid;
    }
    if (c->unknown) {
        if (c->marks[low].item != item || c->marks[low].offset)
            return larder_error_set (
                err, LARDER_ENOTSUP, 0,
                "%s: item %" PRIu64
                " stands behind items whose size is not known yet; begin at item 0",
                name_of (c), item);
        *n = low;
        return LARDER_OK;
    }
    memo_from_mark (c, low);
    for (;;) {
        struct larder_chunk chunk = {0};
        int rc = step (c, &chunk, err);
        if (rc != LARDER_OK)
            return rc;
        if (item < chunk.item + chunk.count) {
            *n = chunk.number;
            return LARDER_OK;
        }
    }
}

int larder_chunks_learn (struct larder_chunks *c, uint64_t n, uint64_t size, int ends,
                         larder_error *err)
{
    if (!c->unknown || n + 1 != c->mark_count)
        return LARDER_OK;
    struct larder_chunk_mark m = c->marks[n];
    return ends ? add_mark (c, m.item + 1, 0, err) : add_mark (c, m.item, m.offset + size, err);
}
