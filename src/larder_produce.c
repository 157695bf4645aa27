/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_produce.h"
#include "larder_wire.h"
#include <inttypes.h>
#include <string.h>

/* Ask the object for [offset, offset + room) of one item.  Returns bytes by *size. */
static int produce_part (struct larder_chunks *c, uint64_t item, uint64_t offset, unsigned char *to,
                         uint64_t room, uint64_t *size, int *last, larder_error *err)
{
    int whole = !c->unknown;
    *size = 0;
    *last = 0;
    while (*size < room && !*last) {
        size_t got = 0;
        int rc = c->object->ops->produce_item (c->object->self, item, offset + *size, to + *size,
                                               (size_t)(room - *size), &got, last, err);
        if (rc != LARDER_OK)
            return rc < 0 ? rc : LARDER_EOWNER;
        if (got > room - *size || (got == 0 && !*last))
            return larder_error_set (err, LARDER_EOWNER, 0,
                                     "item %" PRIu64 ": %zu bytes came for %" PRIu64, item, got,
                                     room - *size);
        *size += got;
    }
    if (whole && *size < room)
        return larder_error_set (err, LARDER_EOWNER, 0,
                                 "item %" PRIu64 ": it ends %" PRIu64 " bytes before its size",
                                 item, room - *size);
    return LARDER_OK;
}

/* Several whole items and the table of their sizes. */
static int produce_many (struct larder_chunks *c, const struct larder_chunk *chunk,
                         unsigned char *to, larder_error *err)
{
    uint64_t at = 0, size = 0;
    int last, table = (chunk->flags & LARDER_CHUNK_TABLE) != 0;
    uint32_t *sizes = (uint32_t *)(void *)(to + chunk->size - 4 * chunk->count);
    for (uint64_t i = 0; i < chunk->count; ++i) {
        int rc = larder_chunks_item_size (c, chunk->item + i, &size, err);
        if (rc == LARDER_OK && size > chunk->size - at)
            rc = larder_error_set (err, LARDER_ESTALE, 0, "item %" PRIu64 " changed its size",
                                   chunk->item + i);
        if (rc == LARDER_OK && size)
            rc = produce_part (c, chunk->item + i, 0, to + at, size, &size, &last, err);
        if (rc != LARDER_OK)
            return rc;
        at += size;
        if (table)
            sizes[i] = (uint32_t)size;
    }
    if (table)
        memset (to + at, 0, chunk->size - 4 * chunk->count - at);
    return LARDER_OK;
}

int larder_produce (struct larder_chunks *c, struct larder_chunk *chunk, unsigned char *to,
                    larder_error *err)
{
    uint64_t size = 0;
    int last = 0, rc;
    if (chunk->count > 1)
        return produce_many (c, chunk, to, err);
    if (chunk->size == 0)
        return LARDER_OK;
    rc = produce_part (c, chunk->item, chunk->offset, to, chunk->size, &size, &last, err);
    if (rc != LARDER_OK || !c->unknown)
        return rc;
    chunk->size = chunk->payload = size;
    if (last)
        chunk->flags |= LARDER_CHUNK_ENDS;
    if (last && chunk->item + 1 == c->item_count)
        chunk->flags |= LARDER_CHUNK_LAST;
    return larder_chunks_learn (c, chunk->number, size, last, err);
}
