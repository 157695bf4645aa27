/* SPDX-License-Identifier: Apache-2.0 */
/* Types: H5Tequal, the order of members (to which it is blind), and, of committed ones, which
 * committed type they are. */
#include "larder_h5compare.h"

#include <stdio.h>
#include <string.h>

/* 1 equal, 0 not, -1 failed. */
static int same_names (const hid_t type[2], unsigned at)
{
    char *a = H5Tget_member_name (type[0], at), *b = H5Tget_member_name (type[1], at);
    int same = a && b ? strcmp (a, b) == 0 : -1;
    if ((a && H5free_memory (a) < 0) || (b && H5free_memory (b) < 0))
        same = -1;
    return same;
}

static int same_order (const hid_t type[2]);

static int same_part_order (hid_t a, hid_t b)
{
    int same = a < 0 || b < 0 ? -1 : same_order ((hid_t[]){a, b});
    if ((a >= 0 && H5Tclose (a) < 0) || (b >= 0 && H5Tclose (b) < 0))
        same = -1;
    return same;
}

/* Of types that H5Tequal holds equal, so that counts and classes are. */
static int same_order (const hid_t type[2])
{
    H5T_class_t kind = H5Tget_class (type[0]);
    if (kind == H5T_ARRAY || kind == H5T_VLEN)
        return same_part_order (H5Tget_super (type[0]), H5Tget_super (type[1]));
    if (kind != H5T_COMPOUND && kind != H5T_ENUM)
        return 1;
    int n = H5Tget_nmembers (type[0]), same = n < 0 ? -1 : 1;
    for (unsigned i = 0; same > 0 && i < (unsigned)n; ++i) {
        same = same_names (type, i);
        if (same > 0 && kind == H5T_COMPOUND)
            same =
                same_part_order (H5Tget_member_type (type[0], i), H5Tget_member_type (type[1], i));
    }
    return same;
}

/* H5Tequal holds variable-length types on disk of two files unequal always: compare decoded
 * copies, which lie in memory. */
static hid_t in_memory (hid_t type)
{
    unsigned char small[4096];
    size_t size = sizeof small;
    void *bytes = small;
    hid_t copy = H5I_INVALID_HID;
    if (H5Tencode (type, NULL, &size) < 0)
        return copy;
    if (size > sizeof small)
        bytes = H5allocate_memory (size, 0);
    if (bytes && H5Tencode (type, bytes, &size) >= 0)
        copy = H5Tdecode (bytes);
    if (bytes && bytes != small && H5free_memory (bytes) < 0 && copy >= 0) {
        (void)H5Tclose (copy);
        copy = H5I_INVALID_HID;
    }
    return copy;
}

static int equal (struct larder_h5compare *c, const hid_t type[2], const char *what)
{
    hid_t copy[2] = {in_memory (type[0]), in_memory (type[1])};
    int rc = LARDER_OK;
    htri_t same = copy[0] < 0 || copy[1] < 0 ? -1 : H5Tequal (copy[0], copy[1]);
    if (same > 0)
        same = same_order (copy);
    if (same < 0)
        rc = larder_h5compare_fail (c, what, "comparing types");
    else if (!same)
        rc = larder_h5compare_differ (c, "%s: types differ", what);
    for (int side = 0; side < 2; ++side)
        if (copy[side] >= 0 && H5Tclose (copy[side]) < 0 && rc >= 0)
            rc = larder_h5compare_fail (c, what, "closing a type");
    return rc;
}

int larder_h5compare_type (struct larder_h5compare *c, const hid_t type[2], const char *what)
{
    int rc = equal (c, type, what);
    if (rc)
        return rc;
    htri_t a = H5Tcommitted (type[0]), b = H5Tcommitted (type[1]);
    if (a < 0 || b < 0)
        return larder_h5compare_fail (c, what, "reading its type");
    if (a != b)
        return larder_h5compare_differ (c, "%s: its type is a committed one in one file only",
                                        what);
    if (!a)
        return LARDER_OK;
    char path[256];
    (void)snprintf (path, sizeof path, "of %s", what);
    return larder_h5compare_pair_ids (c, type, path, 1);
}
