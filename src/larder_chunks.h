/* SPDX-License-Identifier: Apache-2.0 */
/* How an object is cut into chunks: which bytes of which items chunk n carries.
 *
 * Equal items: by formula.  Small ones share a chunk, as many as fit; a large one spans several.
 * Other sizes: chunks are numbered in the order of production, by one rule that depends only on the
 * sizes, so a chunk that is produced again is the same chunk.  Small items share a chunk, with a table
 * of their sizes behind the bytes; a large one has chunks of its own.  Places are found from marks
 * (every k-th chunk; k doubles when the marks pass 64 Ki, so 10 TB need 1 MiB).
 * Items whose size is known only by producing: one item or part of it a chunk, every place is kept. */
#ifndef LARDER_CHUNKS_H
#define LARDER_CHUNKS_H

#include <larder/error.h>
#include <larder/object.h>
#include <stdint.h>

struct larder_chunk_mark {
    uint64_t item, offset;
};

struct larder_chunks {
    const larder_object *object;
    uint64_t payload; /* bytes a chunk carries at most */
    uint64_t item_count;
    uint64_t item_size; /* uniform, 0: sizes differ */
    uint64_t last_size;
    uint64_t per_chunk; /* uniform: items per chunk, 0: chunks per item instead */
    uint64_t per_item;
    int unknown; /* sizes are known only by producing */
    struct larder_chunk_mark *marks;
    uint64_t mark_count, mark_capacity;
    uint64_t interval;   /* chunks between marks */
    uint64_t memo_chunk; /* where the last plan ended, to go on from */
    struct larder_chunk_mark memo;
};

/* What a chunk carries. */
struct larder_chunk {
    uint64_t number;
    uint64_t item, offset; /* its first byte */
    uint64_t count;        /* items, or 1 for a part */
    uint64_t size;         /* bytes, the table included; unknown sizes: room */
    uint64_t payload;      /* bytes of items; unknown sizes: set after producing */
    uint32_t flags; /* LARDER_CHUNK_ENDS, _TABLE, _LAST; unknown sizes: set after producing */
};

/* Ask the object for its count and sizes.  On failure nothing is to be freed. */
int larder_chunks_init (struct larder_chunks *chunks, const larder_object *object, uint64_t payload,
                        larder_error *err);
void larder_chunks_free (struct larder_chunks *chunks);

/* Plan chunk n.  LARDER_ERANGE beyond the end; LARDER_ENOTSUP where an unknown size stands between. */
int larder_chunks_plan (struct larder_chunks *chunks, uint64_t n, struct larder_chunk *chunk,
                        larder_error *err);

/* The chunk in which an item begins.  LARDER_ENOTSUP when sizes are unknown and it was not produced. */
int larder_chunks_find (struct larder_chunks *chunks, uint64_t item, uint64_t *n,
                        larder_error *err);

/* Unknown sizes: chunk n carried `size` bytes and `ends` its item or not. */
int larder_chunks_learn (struct larder_chunks *chunks, uint64_t n, uint64_t size, int ends,
                         larder_error *err);

/* Bytes of the table behind `count` items that have `size` bytes together. */
uint64_t larder_chunks_table (uint64_t size, uint64_t count);

/* Items and bytes that chunk n of a uniform object has before it. */
void larder_chunks_before (const struct larder_chunks *chunks, uint64_t n, uint64_t *items,
                           uint64_t *bytes);

/* All bytes of a uniform object; 0 otherwise. */
uint64_t larder_chunks_bytes (const struct larder_chunks *chunks);

/* Reads one item's size through the object. */
int larder_chunks_item_size (const struct larder_chunks *chunks, uint64_t item, uint64_t *size,
                             larder_error *err);

#endif
