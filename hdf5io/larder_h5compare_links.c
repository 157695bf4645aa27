/* SPDX-License-Identifier: Apache-2.0 */
/* The links of two groups: their names, order, kinds and character sets; where hard ones lead (as a
 * pair of objects, compared later), and the very bytes of the others, which are not followed. */
#include "larder_h5compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int equal_values (struct larder_h5compare *c, const hid_t id[2], const char *name,
                         const H5L_info_t info[2], const char *path)
{
    size_t size = info[0].u.val_size;
    if (size != info[1].u.val_size)
        return larder_h5compare_differ (c, "link %s: leads elsewhere", path);
    int rc = larder_h5compare_scratch (c, size);
    if (rc || !size)
        return rc;
    for (int side = 0; side < 2; ++side)
        if (H5Lget_val (id[side], name, c->scratch[side], size, H5P_DEFAULT) < 0)
            return larder_h5compare_fail (c, path, "reading a link");
    if (memcmp (c->scratch[0], c->scratch[1], size) != 0)
        return larder_h5compare_differ (c, "link %s: leads elsewhere", path);
    return LARDER_OK;
}

static int equal_targets (struct larder_h5compare *c, const H5L_info_t info[2], const char *path)
{
    hid_t id[2] = {H5I_INVALID_HID, H5I_INVALID_HID};
    int rc = LARDER_OK;
    for (int side = 0; side < 2 && !rc; ++side) {
        id[side] = H5Oopen_by_addr (c->file[side], info[side].u.address);
        if (id[side] < 0)
            rc = larder_h5compare_fail (c, path, "opening an object");
    }
    if (!rc)
        rc = larder_h5compare_pair_ids (c, id, path, 0);
    for (int side = 0; side < 2; ++side)
        if (id[side] >= 0 && H5Oclose (id[side]) < 0 && rc >= 0)
            rc = larder_h5compare_fail (c, path, "closing an object");
    return rc;
}

static int equal_links (struct larder_h5compare *c, const hid_t id[2], const char *name,
                        const char *path)
{
    H5L_info_t info[2];
    for (int side = 0; side < 2; ++side)
        if (H5Lget_info (id[side], name, &info[side], H5P_DEFAULT) < 0)
            return larder_h5compare_fail (c, path, "reading a link");
    if (info[0].type != info[1].type)
        return larder_h5compare_differ (c, "link %s: kinds differ (%d and %d)", path,
                                        (int)info[0].type, (int)info[1].type);
    if (info[0].cset != info[1].cset)
        return larder_h5compare_differ (c, "link %s: character sets of its name differ", path);
    if (info[0].corder_valid != info[1].corder_valid)
        return larder_h5compare_differ (c, "link %s: has a creation order in one file only", path);
    if (info[0].type == H5L_TYPE_HARD)
        return equal_targets (c, info, path);
    return equal_values (c, id, name, info, path);
}

static char *join (const char *path, const char *name)
{
    size_t a = strlen (path), b = strlen (name);
    int slash = a == 0 || path[a - 1] != '/';
    char *joined = malloc (a + b + 2);
    if (joined)
        (void)snprintf (joined, a + b + 2, "%s%s%s", path, slash ? "/" : "", name);
    return joined;
}

/* The first name that is not the same at the same place. */
static int equal_names (struct larder_h5compare *c, const struct larder_h5compare_names names[2],
                        const hid_t id[2], const char *path)
{
    for (size_t i = 0; i < names[0].count; ++i) {
        const char *name = names[0].name[i];
        if (i < names[1].count && strcmp (name, names[1].name[i]) == 0)
            continue;
        htri_t there = H5Lexists (id[1], name, H5P_DEFAULT);
        if (there < 0)
            return larder_h5compare_fail (c, path, "reading a group");
        if (!there)
            return larder_h5compare_differ (c, "group %s: link %s is in the first file only", path,
                                            name);
        if (names[0].count == names[1].count)
            return larder_h5compare_differ (c, "group %s: orders of links differ, at %s", path,
                                            name);
        break;
    }
    if (names[0].count == names[1].count)
        return LARDER_OK;
    for (size_t i = 0; i < names[1].count; ++i) {
        htri_t there = H5Lexists (id[0], names[1].name[i], H5P_DEFAULT);
        if (there < 0)
            return larder_h5compare_fail (c, path, "reading a group");
        if (!there)
            return larder_h5compare_differ (c, "group %s: link %s is in the second file only", path,
                                            names[1].name[i]);
    }
    return larder_h5compare_differ (c, "group %s: has %zu and %zu links", path, names[0].count,
                                    names[1].count);
}

int larder_h5compare_links (struct larder_h5compare *c, const hid_t id[2], const char *path)
{
    struct larder_h5compare_names names[2] = {{0}};
    int rc = LARDER_OK;
    for (int side = 0; side < 2 && !rc; ++side)
        if (larder_h5compare_names_links (&names[side], id[side]) < 0)
            rc = names[side].failed
                     ? larder_error_set (c->err, LARDER_ENOMEM, 0, "%s: no memory for names", path)
                     : larder_h5compare_fail (c, path, "reading a group");
    if (!rc)
        rc = equal_names (c, names, id, path);
    for (size_t i = 0; i < names[0].count && !rc; ++i) {
        char *joined = join (path, names[0].name[i]);
        rc = joined ? equal_links (c, id, names[0].name[i], joined)
                    : larder_error_set (c->err, LARDER_ENOMEM, 0, "%s: no memory for names", path);
        free (joined);
    }
    larder_h5compare_names_free (&names[0]);
    larder_h5compare_names_free (&names[1]);
    return rc;
}
