/* SPDX-License-Identifier: Apache-2.0 */
/* Chunked data: chunk by chunk as it is stored, with its filter mask; where the type holds
 * pointers into the file, by values.
 *
 * A grid of up to GRID cells is walked with larder_h5chunk_size, a look-up of microseconds;
 * H5Dget_chunk_info walks the index for each call.  Beyond GRID only an index whose size follows
 * from what is stored (a B-tree) can be listed, and only while the list is short. */
#include "larder_h5compare.h"

#include "larder_h5box.h"
#include "larder_h5chunk.h"

#include <stdio.h>
#include <string.h>

#define GRID   UINT64_C (10000000)
#define LISTED UINT64_C (20000)

static void offset_text (const struct larder_h5data *d, const hsize_t *at, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < d->rank && used + 1 < size; ++i) {
        int n =
            snprintf (text + used, size - used, "%s%llu", i ? "," : "", (unsigned long long)at[i]);
        if (n < 0)
            return;
        used += (size_t)n;
    }
}

static int by_values (struct larder_h5compare *c, const struct larder_h5data *d, const hsize_t *at)
{
    hsize_t count[H5S_MAX_RANK];
    uint64_t points = 1;
    for (int i = 0; i < d->rank; ++i) {
        hsize_t left = d->dims[i] - at[i];
        count[i] = left < d->chunk[i] ? left : d->chunk[i];
        points *= count[i];
    }
    return larder_h5compare_box (c, d, at, count, points);
}

/* Both sides' bytes, of the sizes found, into scratch. */
static int read_stored (struct larder_h5compare *c, const struct larder_h5data *d,
                        const hsize_t *at, const hsize_t size[2], uint32_t mask[2], int written[2])
{
    hsize_t most = size[0] > size[1] ? size[0] : size[1];
    if (most > SIZE_MAX)
        return larder_error_set (c->err, LARDER_ENOMEM, 0, "%s: no memory for a chunk", d->what);
    int rc = larder_h5compare_scratch (c, (size_t)most);
    for (int side = 0; side < 2 && !rc; ++side)
        if (size[side] && larder_h5chunk_read (d->id[side], at, &mask[side], c->scratch[side],
                                               &written[side]) < 0)
            rc = larder_h5compare_fail (c, d->what, "reading a chunk of it");
    return rc;
}

static int chunk (struct larder_h5compare *c, const struct larder_h5data *d, const hsize_t *at)
{
    hsize_t size[2] = {0, 0};
    uint32_t mask[2] = {0, 0};
    int written[2] = {0, 0};
    for (int side = 0; side < 2; ++side)
        if (larder_h5chunk_size (d->id[side], at, &size[side]) < 0)
            return larder_h5compare_fail (c, d->what, "looking for a chunk of it");
    if (!size[0] && !size[1])
        return LARDER_OK;
    int rc = read_stored (c, d, at, size, mask, written);
    if (rc)
        return rc;
    char text[256];
    offset_text (d, at, text, sizeof text);
    if (written[0] != written[1])
        return larder_h5compare_differ (c, "%s: chunk %s was written in the %s file only", d->what,
                                        text, written[0] ? "first" : "second");
    if (!written[0])
        return LARDER_OK;
    if (mask[0] != mask[1])
        return larder_h5compare_differ (c, "%s: filter masks of chunk %s differ (%x and %x)",
                                        d->what, text, (unsigned)mask[0], (unsigned)mask[1]);
    /* Addresses of values outside of the chunk compress differently. */
    if (!larder_h5compare_plan_fixed (d->plan))
        return by_values (c, d, at);
    if (size[0] != size[1])
        return larder_h5compare_differ (c, "%s: sizes of chunk %s differ (%llu and %llu)", d->what,
                                        text, (unsigned long long)size[0],
                                        (unsigned long long)size[1]);
    if (memcmp (c->scratch[0], c->scratch[1], (size_t)size[0]) != 0)
        return larder_h5compare_differ (c, "%s: bytes of chunk %s differ", d->what, text);
    return LARDER_OK;
}

static int listable (struct larder_h5compare *c, const struct larder_h5data *d, uint64_t cells)
{
    for (int side = 0; side < 2; ++side) {
        H5D_chunk_index_t index;
        if (H5Dget_chunk_index_type (d->id[side], &index) < 0)
            return larder_h5compare_fail (c, d->what, "reading its chunk index");
        if (index != H5D_CHUNK_IDX_BTREE && index != H5D_CHUNK_IDX_BT2)
            return larder_error_set (c->err, LARDER_ENOTSUP, 0,
                                     "%s: its chunk index has %llu slots, more than can be "
                                     "searched",
                                     d->what, (unsigned long long)cells);
    }
    return LARDER_OK;
}

static int count_stored (struct larder_h5compare *c, const struct larder_h5data *d, hid_t space,
                         hsize_t *count)
{
    hsize_t n[2] = {0, 0};
    for (int side = 0; side < 2; ++side)
        if (H5Dget_num_chunks (d->id[side], space, &n[side]) < 0)
            return larder_h5compare_fail (c, d->what, "counting its chunks");
    if (n[0] != n[1])
        return larder_h5compare_differ (c, "%s: has %llu and %llu stored chunks", d->what,
                                        (unsigned long long)n[0], (unsigned long long)n[1]);
    if (n[0] > LISTED)
        return larder_error_set (c->err, LARDER_ENOTSUP, 0,
                                 "%s: has %llu chunks in a sparse index, more than can be listed",
                                 d->what, (unsigned long long)n[0]);
    *count = n[0];
    return LARDER_OK;
}

/* As many in both files, and each of A also in B: then none is in B only. */
static int sparse (struct larder_h5compare *c, const struct larder_h5data *d, uint64_t cells)
{
    int rc = listable (c, d, cells);
    if (rc)
        return rc;
    hsize_t count = 0;
    hid_t space = H5Dget_space (d->id[0]);
    rc = space < 0 ? larder_h5compare_fail (c, d->what, "reading its space")
                   : count_stored (c, d, space, &count);
    for (hsize_t i = 0; i < count && !rc; ++i) {
        hsize_t at[H5S_MAX_RANK], size = 0;
        unsigned mask = 0;
        haddr_t address = HADDR_UNDEF;
        if (H5Dget_chunk_info (d->id[0], space, i, at, &mask, &address, &size) < 0)
            rc = larder_h5compare_fail (c, d->what, "listing its chunks");
        else
            rc = chunk (c, d, at);
    }
    if (space >= 0 && H5Sclose (space) < 0 && rc >= 0)
        rc = larder_h5compare_fail (c, d->what, "closing a space");
    return rc;
}

int larder_h5compare_chunks (struct larder_h5compare *c, const struct larder_h5data *d)
{
    uint64_t cells = larder_h5box_boxes (d->rank, d->dims, d->chunk);
    if (cells > GRID)
        return sparse (c, d, cells);
    struct larder_h5box box;
    int rc = LARDER_OK;
    for (int more = larder_h5box_first (&box, d->rank, d->dims, d->chunk); more && !rc;
         more = larder_h5box_next (&box))
        rc = chunk (c, d, box.start);
    return rc;
}
