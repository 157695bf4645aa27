/* SPDX-License-Identifier: Apache-2.0 */
/* Creation properties of datasets.
 *
 * One difference is accepted: data that A keeps in other files may be in B itself, since keeping
 * A's list would make a copy write into A's files. */
#include "larder_h5compare.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

static int fail (struct larder_h5compare *c, const char *what)
{
    return larder_h5compare_fail (c, what, "reading its creation properties");
}

static int chunks (struct larder_h5compare *c, const hid_t list[2], const char *what)
{
    hsize_t dims[2][H5S_MAX_RANK];
    unsigned options[2] = {0, 0};
    int rank[2];
    for (int side = 0; side < 2; ++side) {
        rank[side] = H5Pget_chunk (list[side], H5S_MAX_RANK, dims[side]);
        if (rank[side] < 0 || H5Pget_chunk_opts (list[side], &options[side]) < 0)
            return fail (c, what);
    }
    if (rank[0] != rank[1] || memcmp (dims[0], dims[1], (size_t)rank[0] * sizeof dims[0][0]) != 0)
        return larder_h5compare_differ (c, "%s: chunk sizes differ", what);
    if (options[0] != options[1])
        return larder_h5compare_differ (c, "%s: filtering of edge chunks differs", what);
    return LARDER_OK;
}

static int external_files (struct larder_h5compare *c, const hid_t list[2], int count,
                           const char *what)
{
    for (unsigned i = 0; i < (unsigned)count; ++i) {
        char name[2][1024] = {{0}};
        off_t offset[2] = {0, 0};
        hsize_t size[2] = {0, 0};
        for (int side = 0; side < 2; ++side)
            if (H5Pget_external (list[side], i, sizeof name[side], name[side], &offset[side],
                                 &size[side]) < 0)
                return fail (c, what);
        if (strncmp (name[0], name[1], sizeof name[0]) != 0 || offset[0] != offset[1] ||
            size[0] != size[1])
            return larder_h5compare_differ (c, "%s: its file %u for data differs", what, i);
    }
    return LARDER_OK;
}

static int external (struct larder_h5compare *c, const hid_t list[2], const char *what, int *moved)
{
    int n = H5Pget_external_count (list[0]), m = H5Pget_external_count (list[1]);
    if (n < 0 || m < 0)
        return fail (c, what);
    *moved = n > 0 && m == 0;
    if (*moved)
        return LARDER_OK;
    if (n != m)
        return larder_h5compare_differ (c, "%s: keeps its data in %d and in %d other files", what,
                                        n, m);
    return external_files (c, list, n, what);
}

/* A name of mapping i; NULL on failure. */
static char *mapping_name (hid_t list, size_t i,
                           ssize_t (*get) (hid_t list, size_t i, char *name, size_t size))
{
    ssize_t length = get (list, i, NULL, 0);
    char *name = length < 0 ? NULL : calloc ((size_t)length + 1, 1);
    if (name && get (list, i, name, (size_t)length + 1) < 0) {
        free (name);
        name = NULL;
    }
    return name;
}

static int mapping_names (struct larder_h5compare *c, const hid_t list[2], size_t i,
                          ssize_t (*get) (hid_t list, size_t i, char *name, size_t size),
                          const char *what)
{
    char *a = mapping_name (list[0], i, get), *b = mapping_name (list[1], i, get);
    int rc = LARDER_OK;
    if (!a || !b)
        rc = fail (c, what);
    else if (strcmp (a, b) != 0)
        rc = larder_h5compare_differ (c, "%s: source of its mapping %zu differs", what, i);
    free (a);
    free (b);
    return rc;
}

static int mapping_spaces (struct larder_h5compare *c, const hid_t list[2], size_t i,
                           hid_t (*get) (hid_t list, size_t i), const char *what)
{
    hid_t space[2] = {get (list[0], i), get (list[1], i)};
    int rc =
        space[0] < 0 || space[1] < 0 ? fail (c, what) : larder_h5compare_selected (c, space, what);
    for (int side = 0; side < 2; ++side)
        if (space[side] >= 0 && H5Sclose (space[side]) < 0 && rc >= 0)
            rc = fail (c, what);
    return rc;
}

static int mappings (struct larder_h5compare *c, const hid_t list[2], const char *what)
{
    size_t n[2] = {0, 0};
    for (int side = 0; side < 2; ++side)
        if (H5Pget_virtual_count (list[side], &n[side]) < 0)
            return fail (c, what);
    if (n[0] != n[1])
        return larder_h5compare_differ (c, "%s: has %zu and %zu mappings", what, n[0], n[1]);
    int rc = LARDER_OK;
    for (size_t i = 0; i < n[0] && !rc; ++i) {
        rc = mapping_names (c, list, i, H5Pget_virtual_filename, what);
        if (!rc)
            rc = mapping_names (c, list, i, H5Pget_virtual_dsetname, what);
        if (!rc)
            rc = mapping_spaces (c, list, i, H5Pget_virtual_vspace, what);
        if (!rc)
            rc = mapping_spaces (c, list, i, H5Pget_virtual_srcspace, what);
    }
    return rc;
}

static int layout (struct larder_h5compare *c, const hid_t list[2], const char *what, int *moved)
{
    H5D_layout_t a = H5Pget_layout (list[0]), b = H5Pget_layout (list[1]);
    if (a < 0 || b < 0)
        return fail (c, what);
    if (a != b)
        return larder_h5compare_differ (c, "%s: layouts differ (%d and %d)", what, (int)a, (int)b);
    if (a == H5D_CHUNKED)
        return chunks (c, list, what);
    if (a == H5D_CONTIGUOUS)
        return external (c, list, what, moved);
    return a == H5D_VIRTUAL ? mappings (c, list, what) : LARDER_OK;
}

static int fill_values (struct larder_h5compare *c, const hid_t list[2], const hid_t type[2],
                        const char *what)
{
    size_t size = H5Tget_size (type[0]);
    struct larder_h5compare_plan *plan = larder_h5compare_plan_make (type[0]);
    hid_t one = plan ? H5Screate (H5S_SCALAR) : H5I_INVALID_HID;
    int rc = size && one >= 0 ? larder_h5compare_scratch (c, size) : fail (c, what), got = 0;
    while (got < 2 && !rc) {
        if (H5Pget_fill_value (list[got], type[got], c->scratch[got]) < 0)
            rc = fail (c, what);
        else
            ++got;
    }
    if (!rc)
        rc = larder_h5compare_values (c, plan, c->scratch[0], c->scratch[1], 1, what);
    if (rc == LARDER_H5DIFFERS)
        rc = larder_h5compare_differ (c, "%s: fill value differs", what);
    while (got-- > 0) /* HDF5 hands out copies of variable-length data */
        if (H5Dvlen_reclaim (type[got], one, H5P_DEFAULT, c->scratch[got]) < 0 && rc >= 0)
            rc = fail (c, what);
    if (one >= 0 && H5Sclose (one) < 0 && rc >= 0)
        rc = fail (c, what);
    larder_h5compare_plan_free (plan);
    return rc;
}

static int fill (struct larder_h5compare *c, const hid_t list[2], const hid_t type[2],
                 const char *what, int moved)
{
    H5D_fill_value_t defined[2];
    H5D_fill_time_t when[2];
    H5D_alloc_time_t alloc[2];
    for (int side = 0; side < 2; ++side)
        if (H5Pfill_value_defined (list[side], &defined[side]) < 0 ||
            H5Pget_fill_time (list[side], &when[side]) < 0 ||
            H5Pget_alloc_time (list[side], &alloc[side]) < 0)
            return fail (c, what);
    if (defined[0] != defined[1])
        return larder_h5compare_differ (c, "%s: fill value is defined in one file only", what);
    if (when[0] != when[1])
        return larder_h5compare_differ (c, "%s: fill time differs (%d and %d)", what, (int)when[0],
                                        (int)when[1]);
    if (alloc[0] != alloc[1] && !moved)
        return larder_h5compare_differ (c, "%s: allocation time differs (%d and %d)", what,
                                        (int)alloc[0], (int)alloc[1]);
    return defined[0] == H5D_FILL_VALUE_USER_DEFINED ? fill_values (c, list, type, what)
                                                     : LARDER_OK;
}

int larder_h5compare_dcpl (struct larder_h5compare *c, const hid_t list[2], const hid_t type[2],
                           const char *what, int *moved)
{
    *moved = 0;
    int rc = layout (c, list, what, moved);
    if (!rc)
        rc = larder_h5compare_filters (c, list, what);
    if (!rc)
        rc = fill (c, list, type, what, *moved);
    return rc ? rc : larder_h5compare_object_list (c, list, what);
}
