/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in front of the bytes of each item after the recipe.  An item without any bytes is a
 * chunk that was never written. */
#ifndef LARDER_H5ITEM_H
#define LARDER_H5ITEM_H

#include "larder_h5wire.h"
#include <stdint.h>

#define LARDER_H5ITEM_HEAD 32

enum larder_h5kind {
    LARDER_H5_CHUNK = 0x4b4e4843,  /* "CHNK": bytes as they are stored */
    LARDER_H5_PLACED = 0x43414c50, /* "PLAC": the same, after the offset of the chunk */
    LARDER_H5_SLAB = 0x42414c53,   /* "SLAB": values as they lie in memory */
    LARDER_H5_PACK = 0x4b434150,   /* "PACK": packed values */
    LARDER_H5_USER = 0x52455355    /* "USER": bytes of the user block */
};

struct larder_h5item {
    uint32_t kind;
    uint32_t dataset; /* counted in the recipe */
    uint64_t place;   /* item of that dataset, or of the user block */
    uint64_t length;  /* bytes that follow */
    uint32_t mask;    /* filters that were skipped */
};

static inline void larder_h5item_put (uint8_t *head, const struct larder_h5item *item)
{
    const uint64_t word[4] = {item->kind | (uint64_t)item->dataset << 32, item->place, item->length,
                              item->mask};
    for (int i = 0; i < LARDER_H5ITEM_HEAD; ++i)
        head[i] = (uint8_t)(word[i / 8] >> (8 * (i % 8)));
}

static inline struct larder_h5item larder_h5item_get (const uint8_t *head)
{
    struct larder_h5in in = {head, head + LARDER_H5ITEM_HEAD, 0};
    struct larder_h5item item;
    item.kind = larder_h5in_u32 (&in);
    item.dataset = larder_h5in_u32 (&in);
    item.place = larder_h5in_u64 (&in);
    item.length = larder_h5in_u64 (&in);
    item.mask = larder_h5in_u32 (&in);
    return item;
}

#endif
