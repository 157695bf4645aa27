/* SPDX-License-Identifier: Apache-2.0 */
/* Datasets: type, space, creation properties, data.  What was never written must not have been
 * written in the other file either.  Data of a virtual dataset is that of its sources, which the
 * mapping names. */
#include "larder_h5compare.h"

#include "larder_h5box.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of each file's data in memory at a time, but for single elements larger than that. */
#define SLAB (UINT64_C (1) << 20)

static int read_box (struct larder_h5compare *c, const struct larder_h5data *d, int side,
                     const hsize_t *start, const hsize_t *count, hid_t memory)
{
    int rc = LARDER_OK;
    hid_t space = H5S_ALL;
    if (d->rank > 0) {
        space = H5Dget_space (d->id[side]);
        if (space < 0 || H5Sselect_hyperslab (space, H5S_SELECT_SET, start, NULL, count, NULL) < 0)
            rc = larder_h5compare_fail (c, d->what, "selecting in it");
    }
    if (!rc &&
        H5Dread (d->id[side], d->type[side], memory, space, H5P_DEFAULT, c->scratch[side]) < 0)
        rc = larder_h5compare_fail (c, d->what, "reading it");
    if (d->rank > 0 && space >= 0 && H5Sclose (space) < 0 && !rc)
        rc = larder_h5compare_fail (c, d->what, "closing a space");
    return rc;
}

int larder_h5compare_box (struct larder_h5compare *c, const struct larder_h5data *d,
                          const hsize_t *start, const hsize_t *count, uint64_t points)
{
    if (points > SIZE_MAX / d->element)
        return larder_error_set (c->err, LARDER_ENOMEM, 0, "%s: no memory for its data", d->what);
    size_t size = (size_t)points * d->element;
    int rc = larder_h5compare_scratch (c, size), fixed = larder_h5compare_plan_fixed (d->plan);
    if (rc)
        return rc;
    hid_t memory =
        d->rank ? H5Screate_simple (1, (hsize_t[]){points}, NULL) : H5Screate (H5S_SCALAR);
    if (memory < 0)
        return larder_h5compare_fail (c, d->what, "making a space");
    int got[2] = {0, 0};
    for (int side = 0; side < 2 && !rc; ++side) {
        /* Else a fill time of "never" would leave what an earlier box left here. */
        memset (c->scratch[side], 0, size);
        rc = read_box (c, d, side, start, count, memory);
        got[side] = !rc;
    }
    if (!rc)
        rc = larder_h5compare_values (c, d->plan, c->scratch[0], c->scratch[1], points, d->what);
    for (int side = 0; side < 2; ++side)
        if (got[side] && !fixed &&
            H5Dvlen_reclaim (d->type[side], memory, H5P_DEFAULT, c->scratch[side]) < 0 && rc >= 0)
            rc = larder_h5compare_fail (c, d->what, "freeing its values");
    if (H5Sclose (memory) < 0 && rc >= 0)
        rc = larder_h5compare_fail (c, d->what, "closing a space");
    return rc;
}

static int slabs (struct larder_h5compare *c, const struct larder_h5data *d)
{
    hsize_t shape[H5S_MAX_RANK];
    struct larder_h5box box;
    int rc = LARDER_OK;
    larder_h5box_shape (d->rank, d->dims, SLAB / d->element, shape);
    for (int more = larder_h5box_first (&box, d->rank, d->dims, shape); more && !rc;
         more = larder_h5box_next (&box))
        rc = larder_h5compare_box (c, d, box.start, box.count, larder_h5box_points (&box));
    return rc;
}

/* Contiguous or compact data.  (H5Dget_space_status walks the index of chunked data only.) */
static int unchunked (struct larder_h5compare *c, const struct larder_h5data *d, int moved)
{
    H5D_space_status_t status[2];
    for (int side = 0; side < 2; ++side)
        if (H5Dget_space_status (d->id[side], &status[side]) < 0)
            return larder_h5compare_fail (c, d->what, "reading its space status");
    if (!moved && status[0] != status[1])
        return larder_h5compare_differ (c, "%s: its data was written in the %s file only", d->what,
                                        status[0] == H5D_SPACE_STATUS_NOT_ALLOCATED ? "second"
                                                                                    : "first");
    if (!moved && status[0] == H5D_SPACE_STATUS_NOT_ALLOCATED)
        return LARDER_OK;
    return slabs (c, d);
}

static int data (struct larder_h5compare *c, struct larder_h5data *d, const hid_t list[2],
                 hid_t space, int moved)
{
    H5D_layout_t layout = H5Pget_layout (list[0]);
    d->rank = H5Sget_simple_extent_dims (space, d->dims, NULL);
    hssize_t points = H5Sget_simple_extent_npoints (space);
    d->element = H5Tget_size (d->type[0]);
    if (layout < 0 || d->rank < 0 || points < 0 || d->element == 0)
        return larder_h5compare_fail (c, d->what, "reading its space");
    if (points == 0 || layout == H5D_VIRTUAL)
        return LARDER_OK;
    struct larder_h5compare_plan *plan = larder_h5compare_plan_make (d->type[0]);
    if (!plan)
        return larder_h5compare_fail (c, d->what, "reading its type");
    d->plan = plan;
    int rc = LARDER_OK;
    if (layout != H5D_CHUNKED)
        rc = unchunked (c, d, moved);
    else if (H5Pget_chunk (list[0], H5S_MAX_RANK, d->chunk) != d->rank)
        rc = larder_h5compare_fail (c, d->what, "reading its chunk sizes");
    else
        rc = larder_h5compare_chunks (c, d);
    larder_h5compare_plan_free (plan);
    return rc;
}

int larder_h5compare_dataset (struct larder_h5compare *c, const hid_t id[2], const hid_t list[2],
                              const char *what)
{
    struct larder_h5data d = {{id[0], id[1]}, {-1, -1}, 0, {0}, {0}, 0, NULL, what};
    hid_t space[2] = {-1, -1};
    int rc = LARDER_OK, moved = 0;
    for (int side = 0; side < 2 && !rc; ++side) {
        d.type[side] = H5Dget_type (id[side]);
        space[side] = H5Dget_space (id[side]);
        if (d.type[side] < 0 || space[side] < 0)
            rc = larder_h5compare_fail (c, what, "reading its type and space");
    }
    if (!rc)
        rc = larder_h5compare_type (c, d.type, what);
    if (!rc)
        rc = larder_h5compare_extent (c, space, what);
    if (!rc)
        rc = larder_h5compare_dcpl (c, list, d.type, what, &moved);
    if (!rc)
        rc = data (c, &d, list, space[0], moved);
    for (int side = 0; side < 2; ++side) {
        int bad = d.type[side] >= 0 && H5Tclose (d.type[side]) < 0;
        bad |= space[side] >= 0 && H5Sclose (space[side]) < 0;
        if (bad && rc >= 0)
            rc = larder_h5compare_fail (c, what, "closing its type and space");
    }
    return rc;
}
