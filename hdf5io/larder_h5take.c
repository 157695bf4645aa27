/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_h5take.h"

uint64_t larder_h5take_limit (const struct larder_h5describe *d)
{
    uint64_t bytes = larder_h5describe_cell_bytes (d);
    /* A filter may make a chunk longer, but not by much. */
    return d->chunked ? 2 * bytes + (1u << 20) : bytes;
}

uint64_t larder_h5take_slab (const struct larder_h5describe *d, uint64_t cell)
{
    struct larder_h5box box;
    larder_h5describe_box (d, cell, &box);
    return larder_h5box_points (&box) * d->element;
}

int larder_h5take_elements (const struct larder_h5describe *d, struct larder_h5decode *decode,
                            uint64_t cell, const void *data, size_t size, const void **elements,
                            larder_error *err)
{
    struct larder_h5box box;
    int partial = 0;
    larder_h5describe_box (d, cell, &box);
    for (int i = 0; i < d->rank; ++i)
        partial |= box.count[i] != d->shape[i];
    return larder_h5decode_chunk (decode, data, size, partial, elements, err);
}

static int take_chunk (const struct larder_h5describe *d, struct larder_h5decode *decode,
                       struct larder_h5place *place, uint64_t cell, const void *data, size_t size,
                       larder_error *err)
{
    const void *elements = NULL;
    if (!larder_h5place_touches (place, cell))
        return LARDER_OK;
    int rc = larder_h5take_elements (d, decode, cell, data, size, &elements, err);
    if (!rc && elements)
        rc = larder_h5place_cell (place, cell, elements, err);
    return rc;
}

int larder_h5take_cell (const struct larder_h5describe *d, struct larder_h5decode *decode,
                        struct larder_h5place *place, uint64_t cell, const void *data, size_t size,
                        larder_error *err)
{
    if (d->chunked)
        return take_chunk (d, decode, place, cell, data, size, err);
    uint64_t expected = larder_h5take_slab (d, cell);
    if (size != expected)
        return larder_error_set (err, LARDER_EHDF5, 0, "a slab has %zu bytes, not %llu", size,
                                 (unsigned long long)expected);
    return larder_h5place_cell (place, cell, data, err);
}
