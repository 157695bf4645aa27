/* SPDX-License-Identifier: Apache-2.0 */
/* All attributes of two objects: names, order, types, spaces, values.
 *
 * Below given paths one attribute may differ in one way: REFERENCE_LIST (which lists the datasets
 * that use a scale) may lack, or have as null, the entries that point out of these paths, and be
 * absent when no entry is left. */
#include "larder_h5compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct attribute {
    hid_t id, type, space;
    hssize_t points;
    void *values;
};

static int open_attribute (struct larder_h5compare *c, hid_t object, const char *name,
                           const char *what, struct attribute *a)
{
    a->id = H5Aopen (object, name, H5P_DEFAULT);
    if (a->id < 0)
        return larder_h5compare_fail (c, what, "opening it");
    a->type = H5Aget_type (a->id);
    a->space = H5Aget_space (a->id);
    a->points = a->space < 0 ? -1 : H5Sget_simple_extent_npoints (a->space);
    if (a->type < 0 || a->points < 0)
        return larder_h5compare_fail (c, what, "reading its type");
    return LARDER_OK;
}

static int read_values (struct larder_h5compare *c, const char *what, struct attribute *a)
{
    size_t size = H5Tget_size (a->type);
    if (size == 0 || (uint64_t)a->points > SIZE_MAX / size)
        return larder_h5compare_fail (c, what, "reading its type");
    a->values = calloc ((size_t)a->points + 1, size);
    if (!a->values)
        return larder_error_set (c->err, LARDER_ENOMEM, 0, "%s: no memory for its values", what);
    if (a->points && H5Aread (a->id, a->type, a->values) < 0)
        return larder_h5compare_fail (c, what, "reading its values");
    return LARDER_OK;
}

static int close_attribute (struct attribute *a)
{
    int bad = 0;
    if (a->values && a->points > 0)
        bad |= H5Dvlen_reclaim (a->type, a->space, H5P_DEFAULT, a->values) < 0;
    free (a->values);
    if (a->type >= 0)
        bad |= H5Tclose (a->type) < 0;
    if (a->space >= 0)
        bad |= H5Sclose (a->space) < 0;
    if (a->id >= 0)
        bad |= H5Aclose (a->id) < 0;
    return bad ? -1 : 0;
}

/* A list of scales' users: compound {object reference, integer}, one dimension. */
static int is_reference_list (const struct larder_h5compare *c, const char *name,
                              const struct attribute *a)
{
    if (!c->partial || strcmp (name, "REFERENCE_LIST") != 0 ||
        H5Tget_class (a->type) != H5T_COMPOUND || H5Sget_simple_extent_ndims (a->space) != 1)
        return 0;
    hid_t first = H5Tget_member_type (a->type, 0);
    int yes = first >= 0 && H5Tequal (first, H5T_STD_REF_OBJ) > 0;
    if (first >= 0 && H5Tclose (first) < 0)
        return 0;
    return yes;
}

/* Entries of a that point outside may be missing or null in b; the others stand in their order. */
static int shortened (struct larder_h5compare *c, const struct larder_h5compare_plan *plan,
                      size_t size, const struct attribute *a, const struct attribute *b,
                      const char *what)
{
    size_t at = H5Tget_member_offset (a->type, 0);
    const char *p = a->values, *q = b->values;
    hssize_t j = 0;
    for (hssize_t i = 0; i < a->points; ++i, p += size) {
        hobj_ref_t other = 0;
        if (j < b->points)
            memcpy (&other, q + at, sizeof other);
        const struct larder_h5pair *pair =
            other ? larder_h5compare_find (c, 1, (haddr_t)other) : NULL;
        int known = pair && !pair->by_reference;
        if (larder_h5compare_outside (c, p + at) && (j == b->points || known))
            continue;
        if (j == b->points)
            return larder_h5compare_differ (c, "%s: an entry is missing in the second file", what);
        int rc = larder_h5compare_values (c, plan, p, q, 1, what);
        if (rc)
            return rc;
        ++j;
        q += size;
    }
    if (j < b->points)
        return larder_h5compare_differ (c, "%s: has more entries in the second file", what);
    return LARDER_OK;
}

static int equal_values (struct larder_h5compare *c, const char *name, struct attribute a[2],
                         const char *what)
{
    int list = is_reference_list (c, name, &a[0]) && is_reference_list (c, name, &a[1]);
    int rc =
        list ? LARDER_OK : larder_h5compare_extent (c, (hid_t[]){a[0].space, a[1].space}, what);
    struct larder_h5compare_plan *plan = rc ? NULL : larder_h5compare_plan_make (a[0].type);
    if (!rc && !plan)
        rc = larder_h5compare_fail (c, what, "reading its type");
    for (int side = 0; side < 2 && !rc; ++side)
        rc = read_values (c, what, &a[side]);
    if (!rc)
        rc = list ? shortened (c, plan, H5Tget_size (a[0].type), &a[0], &a[1], what)
                  : larder_h5compare_values (c, plan, a[0].values, a[1].values,
                                             (uint64_t)a[0].points, what);
    larder_h5compare_plan_free (plan);
    return rc;
}

static int equal_attributes (struct larder_h5compare *c, const hid_t id[2], const char *name,
                             const char *what)
{
    struct attribute a[2] = {{-1, -1, -1, 0, NULL}, {-1, -1, -1, 0, NULL}};
    H5A_info_t info[2];
    int rc = LARDER_OK;
    for (int side = 0; side < 2 && !rc; ++side) {
        rc = open_attribute (c, id[side], name, what, &a[side]);
        if (!rc && H5Aget_info (a[side].id, &info[side]) < 0)
            rc = larder_h5compare_fail (c, what, "reading it");
    }
    if (!rc && info[0].cset != info[1].cset)
        rc = larder_h5compare_differ (c, "%s: character sets of its name differ", what);
    if (!rc)
        rc = larder_h5compare_type (c, (hid_t[]){a[0].type, a[1].type}, what);
    if (!rc)
        rc = equal_values (c, name, a, what);
    for (int side = 0; side < 2; ++side)
        if (close_attribute (&a[side]) < 0 && rc >= 0)
            rc = larder_h5compare_fail (c, what, "closing it");
    return rc;
}

/* 1 when A's attribute may be missing in B: a list with no entry that points inside. */
static int may_be_missing (struct larder_h5compare *c, hid_t object, const char *name,
                           const char *what)
{
    struct attribute a = {-1, -1, -1, 0, NULL};
    int may = 0, rc = open_attribute (c, object, name, what, &a);
    if (!rc && is_reference_list (c, name, &a)) {
        rc = read_values (c, what, &a);
        size_t size = H5Tget_size (a.type), at = H5Tget_member_offset (a.type, 0);
        may = 1;
        for (hssize_t i = 0; i < a.points && !rc && may; ++i)
            may = larder_h5compare_outside (c, (char *)a.values + (size_t)i * size + at);
    }
    if (close_attribute (&a) < 0 && !rc)
        rc = larder_h5compare_fail (c, what, "closing an attribute");
    return rc ? rc : may;
}

/* Take what may be missing in B out of A's names. */
static int drop_missing (struct larder_h5compare *c, const hid_t id[2],
                         struct larder_h5compare_names *a, const char *what)
{
    for (size_t i = 0; i < a->count; ++i) {
        if (!c->partial || strcmp (a->name[i], "REFERENCE_LIST") != 0)
            continue;
        htri_t there = H5Aexists (id[1], a->name[i]);
        int may = there < 0 ? larder_h5compare_fail (c, what, "reading its attributes")
                            : !there && may_be_missing (c, id[0], a->name[i], what);
        if (may < 0)
            return may;
        if (!may)
            continue;
        free (a->name[i]);
        memmove (&a->name[i], &a->name[i + 1], (a->count - i - 1) * sizeof *a->name);
        --a->count;
        break;
    }
    return LARDER_OK;
}

/* A name of one side that the other lacks. */
static int missing (struct larder_h5compare *c, const hid_t id[2],
                    const struct larder_h5compare_names names[2], int side, const char *what)
{
    for (size_t i = 0; i < names[side].count; ++i) {
        htri_t there = H5Aexists (id[!side], names[side].name[i]);
        if (there < 0)
            return larder_h5compare_fail (c, what, "reading its attributes");
        if (!there)
            return larder_h5compare_differ (c, "%s: attribute %s is in the %s file only", what,
                                            names[side].name[i], side ? "second" : "first");
    }
    return LARDER_OK;
}

static int equal_names (struct larder_h5compare *c, const hid_t id[2],
                        const struct larder_h5compare_names names[2], const char *what)
{
    size_t i = 0;
    while (i < names[0].count && i < names[1].count &&
           strcmp (names[0].name[i], names[1].name[i]) == 0)
        ++i;
    if (i == names[0].count && i == names[1].count)
        return LARDER_OK;
    int rc = missing (c, id, names, 0, what);
    if (!rc)
        rc = missing (c, id, names, 1, what);
    return rc ? rc : larder_h5compare_differ (c, "%s: orders of attributes differ", what);
}

int larder_h5compare_attributes (struct larder_h5compare *c, const hid_t id[2], const char *what)
{
    struct larder_h5compare_names names[2] = {{0}};
    int rc = LARDER_OK;
    for (int side = 0; side < 2 && !rc; ++side)
        if (larder_h5compare_names_attributes (&names[side], id[side]) < 0)
            rc = larder_h5compare_fail (c, what, "reading its attributes");
    if (!rc)
        rc = drop_missing (c, id, &names[0], what);
    if (!rc)
        rc = equal_names (c, id, names, what);
    for (size_t i = 0; i < names[0].count && !rc; ++i) {
        char text[512];
        (void)snprintf (text, sizeof text, "attribute %s of %s", names[0].name[i], what);
        rc = equal_attributes (c, id, names[0].name[i], text);
    }
    larder_h5compare_names_free (&names[0]);
    larder_h5compare_names_free (&names[1]);
    return rc;
}
