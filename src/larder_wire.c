/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_wire.h"
#include "larder_num.h"
#include <inttypes.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

static size_t up64 (size_t n)
{
    return (n + 63) & ~(size_t)63;
}

/* Put `count` things of `stride` bytes at *offset and move it behind them. */
static int place (size_t *offset, uint64_t count, uint64_t stride, size_t *where)
{
    uint64_t bytes, end;
    if (larder_num_mul (count, stride, &bytes) || larder_num_add (*offset, bytes, &end) ||
        end > (uint64_t)PTRDIFF_MAX - 64)
        return -1;
    *where = *offset;
    *offset = up64 ((size_t)end);
    return 0;
}

static int too_big (larder_error *err)
{
    return larder_error_set (err, LARDER_ERANGE, 0, "session: the node segment's size overflows");
}

int larder_wire_layout_make (const struct larder_wire_shape *s, struct larder_wire_layout *out,
                             larder_error *err)
{
    struct larder_wire_layout l = {.shape = *s};
    size_t at = 0;
    uint64_t n;

    l.request_state = LARDER_REQUEST_STATE;
    l.request_split = up64 (l.request_state + 8 * (size_t)s->node_size);
    l.request_stride = up64 (l.request_split + 8 * (size_t)s->node_size);
    l.mailbox_closed = up64 (sizeof (struct larder_info) + ((size_t)s->node_size + 63) / 64 * 8);
    l.mailbox_failed = l.mailbox_closed + 64;
    l.mailbox_ring = l.mailbox_failed + up64 (sizeof (struct larder_failed));
    l.mailbox_stride = up64 (l.mailbox_ring + (size_t)s->ring * sizeof (struct larder_ready));
    l.line_position = up64 (sizeof (struct larder_line));
    l.line_state = up64 (l.line_position + 8 * (size_t)s->node_size);
    l.line_split = up64 (l.line_state + 8 * (size_t)s->node_size);
    l.line_directory = up64 (l.line_split + 8 * (size_t)s->node_size);
    l.line_stride = up64 (l.line_directory + 8 * (size_t)s->ring);
    l.slot_stride = LARDER_HEADER_BYTES + up64 ((size_t)s->chunk_size);

    if (place (&at, 1, 64 + 4 * s->slot_count, &l.pool) ||
        place (&at, s->owners_per_node * s->max_objects, 8, &l.quota) ||
        place (&at, s->node_size, 64, &l.guard) ||
        larder_num_mul (s->owners_per_node * s->node_count, s->node_size, &n) ||
        place (&at, n, 8, &l.pause) ||
        larder_num_mul (s->owners_per_node * s->max_lines, s->node_count, &n) ||
        place (&at, n, l.request_stride, &l.request) ||
        larder_num_mul (s->owner_count * s->max_lines, s->node_size, &n) ||
        place (&at, n, l.mailbox_stride, &l.mailbox) ||
        place (&at, s->owner_count * s->max_lines, l.line_stride, &l.line) ||
        place (&at, LARDER_RELAY_PASSED / 64 + s->node_size, 64, &l.relay))
        return too_big (err);
    at = (at + 4095) & ~(size_t)4095;
    l.control_size = at;
    if (place (&at, s->slot_count, l.slot_stride, &l.slot) ||
        place (&at, 1, s->collective_size, &l.collective))
        return too_big (err);
    l.total = at;

    uint64_t slots = s->slot_count * s->chunk_size;
    if (l.control_size > slots / 8 && l.control_size > LARDER_CONTROL_FREE)
        return larder_error_set (
            err, LARDER_ERANGE, 0,
            "session: control words need %zu bytes per node, more than 1/8 of cache_size (%" PRIu64
            "): %" PRIu64 " nodes, up to %" PRIu64 " ranks on one, %" PRIu64
            " owners, max_lines %" PRIu64 "; raise cache_size or lower max_lines",
            l.control_size, slots, s->node_count, s->node_size, s->owner_count, s->max_lines);
    *out = l;
    return LARDER_OK;
}

size_t larder_wire_request (const struct larder_wire_layout *l, uint64_t local_owner, uint64_t node,
                            uint64_t line)
{
    uint64_t i = (local_owner * l->shape.node_count + node) * l->shape.max_lines + line;
    return l->request + (size_t)i * l->request_stride;
}

size_t larder_wire_mailbox (const struct larder_wire_layout *l, uint64_t owner, uint64_t line,
                            uint64_t local_rank)
{
    uint64_t i = (owner * l->shape.max_lines + line) * l->shape.node_size + local_rank;
    return l->mailbox + (size_t)i * l->mailbox_stride;
}

size_t larder_wire_line (const struct larder_wire_layout *l, uint64_t owner, uint64_t line)
{
    return l->line + (size_t)(owner * l->shape.max_lines + line) * l->line_stride;
}

size_t larder_wire_pause (const struct larder_wire_layout *l, uint64_t local_owner, uint64_t node,
                          uint64_t local_rank)
{
    uint64_t i = (local_owner * l->shape.node_count + node) * l->shape.node_size + local_rank;
    return l->pause + 8 * (size_t)i;
}

size_t larder_wire_slot (const struct larder_wire_layout *l, uint64_t slot)
{
    return l->slot + (size_t)slot * l->slot_stride;
}

uint64_t larder_wire_check (const uint64_t *words, size_t n)
{
    return XXH3_64bits (words, (n - 1) * sizeof *words);
}

static uint64_t tag (uint64_t chunk_word)
{
    return chunk_word * UINT64_C (0x9e3779b97f4a7c15) >> 56;
}

uint64_t larder_wire_place (uint64_t chunk_word, uint64_t slot, uint64_t size)
{
    return slot << 40 | size << 8 | tag (chunk_word);
}

int larder_wire_place_read (uint64_t chunk_word, uint64_t place_word, uint64_t *slot,
                            uint64_t *size)
{
    *slot = place_word >> 40;
    *size = place_word >> 8 & UINT32_MAX;
    return (place_word & 0xff) == tag (chunk_word);
}

uint64_t larder_wire_slot_check (const struct larder_slot_header *header, const void *bytes)
{
    uint64_t seed = XXH3_64bits (header, offsetof (struct larder_slot_header, check));
    return XXH3_64bits_withSeed (bytes, header->size, seed);
}
