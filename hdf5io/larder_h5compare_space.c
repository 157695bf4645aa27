/* SPDX-License-Identifier: Apache-2.0 */
/* Spaces: their extents with limits, and what is selected in them. */
#include "larder_h5compare.h"

#include <stdlib.h>
#include <string.h>

int larder_h5compare_extent (struct larder_h5compare *c, const hid_t space[2], const char *what)
{
    H5S_class_t kind[2];
    hsize_t dims[2][H5S_MAX_RANK], max[2][H5S_MAX_RANK];
    int rank[2];
    for (int side = 0; side < 2; ++side) {
        kind[side] = H5Sget_simple_extent_type (space[side]);
        rank[side] = H5Sget_simple_extent_dims (space[side], dims[side], max[side]);
        if (kind[side] == H5S_NO_CLASS || rank[side] < 0)
            return larder_h5compare_fail (c, what, "reading its space");
    }
    if (kind[0] != kind[1])
        return larder_h5compare_differ (c, "%s: kinds of space differ (null, scalar, simple)",
                                        what);
    if (rank[0] != rank[1])
        return larder_h5compare_differ (c, "%s: has %d and %d dimensions", what, rank[0], rank[1]);
    for (int i = 0; i < rank[0]; ++i) {
        if (dims[0][i] != dims[1][i])
            return larder_h5compare_differ (c, "%s: dimension %d is %llu and %llu", what, i,
                                            (unsigned long long)dims[0][i],
                                            (unsigned long long)dims[1][i]);
        if (max[0][i] != max[1][i])
            return larder_h5compare_differ (c, "%s: limit of dimension %d differs", what, i);
    }
    htri_t equal = H5Sextent_equal (space[0], space[1]);
    if (equal < 0)
        return larder_h5compare_fail (c, what, "comparing spaces");
    return equal ? LARDER_OK : larder_h5compare_differ (c, "%s: spaces differ", what);
}

static int regular (struct larder_h5compare *c, const hid_t space[2], const char *what)
{
    hsize_t s[2][4][H5S_MAX_RANK];
    memset (s, 0, sizeof s);
    for (int side = 0; side < 2; ++side)
        if (H5Sget_regular_hyperslab (space[side], s[side][0], s[side][1], s[side][2], s[side][3]) <
            0)
            return larder_h5compare_fail (c, what, "reading a selection");
    if (memcmp (s[0], s[1], sizeof s[0]) != 0)
        return larder_h5compare_differ (c, "%s: selections differ", what);
    return LARDER_OK;
}

/* Blocks of an irregular hyperslab, or points: lists of 64-bit numbers. */
static int listed (struct larder_h5compare *c, const hid_t space[2], H5S_sel_type kind,
                   const char *what)
{
    hssize_t n[2];
    int rank = H5Sget_simple_extent_ndims (space[0]);
    for (int side = 0; side < 2; ++side)
        n[side] = kind == H5S_SEL_POINTS ? H5Sget_select_elem_npoints (space[side])
                                         : H5Sget_select_hyper_nblocks (space[side]);
    if (rank < 0 || n[0] < 0 || n[1] < 0)
        return larder_h5compare_fail (c, what, "reading a selection");
    if (n[0] != n[1])
        return larder_h5compare_differ (c, "%s: selections differ", what);
    size_t each = (size_t)rank * (kind == H5S_SEL_POINTS ? 1 : 2) * sizeof (hsize_t);
    if (each == 0 || n[0] == 0)
        return LARDER_OK;
    if ((uint64_t)n[0] > SIZE_MAX / each)
        return larder_error_set (c->err, LARDER_ENOMEM, 0, "%s: no memory for its selection", what);
    /* Not the scratch buffers: a region reference comes here while the values are in them. */
    hsize_t *list[2] = {malloc (each * (size_t)n[0]), malloc (each * (size_t)n[0])};
    int rc = list[0] && list[1] ? LARDER_OK
                                : larder_error_set (c->err, LARDER_ENOMEM, 0,
                                                    "%s: no memory for its selection", what);
    for (int side = 0; side < 2 && !rc; ++side) {
        herr_t ok = kind == H5S_SEL_POINTS
                        ? H5Sget_select_elem_pointlist (space[side], 0, (hsize_t)n[0], list[side])
                        : H5Sget_select_hyper_blocklist (space[side], 0, (hsize_t)n[0], list[side]);
        if (ok < 0)
            rc = larder_h5compare_fail (c, what, "reading a selection");
    }
    if (!rc && memcmp (list[0], list[1], each * (size_t)n[0]) != 0)
        rc = larder_h5compare_differ (c, "%s: selections differ", what);
    free (list[0]);
    free (list[1]);
    return rc;
}

int larder_h5compare_selected (struct larder_h5compare *c, const hid_t space[2], const char *what)
{
    H5S_sel_type kind = H5Sget_select_type (space[0]), other = H5Sget_select_type (space[1]);
    if (kind == H5S_SEL_ERROR || other == H5S_SEL_ERROR)
        return larder_h5compare_fail (c, what, "reading a selection");
    if (kind != other)
        return larder_h5compare_differ (c, "%s: selections differ", what);
    if (kind == H5S_SEL_ALL || kind == H5S_SEL_NONE)
        return LARDER_OK;
    if (kind == H5S_SEL_HYPERSLABS) {
        htri_t a = H5Sis_regular_hyperslab (space[0]), b = H5Sis_regular_hyperslab (space[1]);
        if (a < 0 || b < 0)
            return larder_h5compare_fail (c, what, "reading a selection");
        if (a && b)
            return regular (c, space, what);
    }
    return listed (c, space, kind, what);
}
