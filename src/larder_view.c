/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_view.h"
#include "larder_num.h"

/* Bytes of `count` items from the i-th on.  The last of a uniform object may be shorter. */
static uint64_t bytes_of (const struct larder_slot_header *h, uint64_t item_size,
                          const uint32_t *table, uint64_t bytes, uint64_t i, uint64_t count)
{
    uint64_t sum = 0;
    if (h->count == 1)
        return count ? bytes : 0;
    if (!table)
        return i + count == h->count ? bytes - i * item_size : count * item_size;
    for (uint64_t k = 0; k < count; ++k)
        sum += table[i + k];
    return sum;
}

int larder_view_make (const struct larder_slot_header *h, uint64_t item_size, uint64_t first_item,
                      uint64_t end_item, larder_view *view, int *ends)
{
    const unsigned char *data = (const unsigned char *)(h + 1);
    const uint32_t *table = NULL;
    uint64_t bytes = h->size, end = h->item + h->count;
    if (h->count == 0 || (h->offset && h->count > 1))
        return -1;
    if (h->flags & LARDER_CHUNK_TABLE) {
        uint64_t room = 4 * (uint64_t)h->count;
        if (room > bytes)
            return -1;
        table = (const uint32_t *)(const void *)(data + bytes - room);
        bytes = 0;
        for (uint32_t i = 0; i < h->count; ++i)
            bytes += table[i];
        if (bytes > h->size - room)
            return -1;
    } else if (h->count > 1 && (item_size == 0 || bytes > h->count * item_size ||
                                bytes < (uint64_t)(h->count - 1) * item_size)) {
        return -1;
    }
    *ends = end > end_item || (end == end_item && (h->flags & LARDER_CHUNK_ENDS));
    uint64_t low = larder_num_max (h->item, first_item), high = larder_num_min (end, end_item);
    if (low >= high)
        return 0;
    uint64_t skip = low - h->item, count = high - low;
    *view = (larder_view){.item = low,
                          .offset = h->offset,
                          .count = count,
                          .data = data + bytes_of (h, item_size, table, bytes, 0, skip),
                          .size = (size_t)bytes_of (h, item_size, table, bytes, skip, count),
                          .item_size = item_size,
                          .item_sizes = table && count > 1 ? table + skip : NULL,
                          .item_ends = high < end || (h->flags & LARDER_CHUNK_ENDS)};
    if (!view->item_size || table)
        view->item_size = count == 1 && h->offset == 0 && view->item_ends ? view->size : 0;
    return 1;
}
