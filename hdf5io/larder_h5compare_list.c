/* SPDX-License-Identifier: Apache-2.0 */
/* Creation properties of any object, of groups, and filter lists.  Property by property: H5Pequal
 * says neither which one differs nor, for groups, the truth (it compares addresses of heaps). */
#include "larder_h5compare.h"

#include <stdlib.h>
#include <string.h>

static int same (struct larder_h5compare *c, int failed, int equal, const char *what,
                 const char *property)
{
    if (failed)
        return larder_h5compare_fail (c, what, "reading its creation properties");
    if (!equal)
        return larder_h5compare_differ (c, "%s: %s differs", what, property);
    return LARDER_OK;
}

static int attribute_order (struct larder_h5compare *c, const hid_t list[2], const char *what)
{
    unsigned a = 0, b = 0;
    int bad = H5Pget_attr_creation_order (list[0], &a) < 0 ||
              H5Pget_attr_creation_order (list[1], &b) < 0;
    return same (c, bad, a == b, what, "creation order of attributes (tracked, indexed)");
}

static int attribute_phases (struct larder_h5compare *c, const hid_t list[2], const char *what)
{
    unsigned a[2] = {0}, b[2] = {0};
    int bad = H5Pget_attr_phase_change (list[0], &a[0], &a[1]) < 0 ||
              H5Pget_attr_phase_change (list[1], &b[0], &b[1]) < 0;
    return same (c, bad, a[0] == b[0] && a[1] == b[1], what, "phase change of attributes");
}

static int times (struct larder_h5compare *c, const hid_t list[2], const char *what)
{
    hbool_t a = 0, b = 0;
    int bad = H5Pget_obj_track_times (list[0], &a) < 0 || H5Pget_obj_track_times (list[1], &b) < 0;
    return same (c, bad, a == b, what, "tracking of times");
}

int larder_h5compare_object_list (struct larder_h5compare *c, const hid_t list[2], const char *what)
{
    int rc = attribute_order (c, list, what);
    if (!rc)
        rc = attribute_phases (c, list, what);
    return rc ? rc : times (c, list, what);
}

struct filter {
    H5Z_filter_t id;
    unsigned flags;
    size_t count;
    unsigned *values;
    char name[1024];
};

/* Returns -1 on an HDF5 failure or without memory; values is to be freed in any case. */
static int get_filter (hid_t list, unsigned at, struct filter *f)
{
    memset (f, 0, sizeof *f);
    if (H5Pget_filter2 (list, at, &f->flags, &f->count, NULL, 0, NULL, NULL) < 0)
        return -1;
    f->values = calloc (f->count + 1, sizeof *f->values);
    if (!f->values)
        return -1;
    f->id =
        H5Pget_filter2 (list, at, &f->flags, &f->count, f->values, sizeof f->name, f->name, NULL);
    f->name[sizeof f->name - 1] = '\0';
    return f->id < 0 ? -1 : 0;
}

static int equal_filters (struct larder_h5compare *c, const struct filter *a,
                          const struct filter *b, unsigned at, const char *what)
{
    if (a->id != b->id)
        return larder_h5compare_differ (c, "%s: filter %u differs (%d and %d)", what, at,
                                        (int)a->id, (int)b->id);
    if (a->flags != b->flags)
        return larder_h5compare_differ (c, "%s: flags of filter %d differ", what, (int)a->id);
    if (strcmp (a->name, b->name) != 0)
        return larder_h5compare_differ (c, "%s: name of filter %d differs (\"%s\" and \"%s\")",
                                        what, (int)a->id, a->name, b->name);
    if (a->count != b->count || memcmp (a->values, b->values, a->count * sizeof *a->values) != 0)
        return larder_h5compare_differ (c, "%s: values of filter %d differ", what, (int)a->id);
    return LARDER_OK;
}

int larder_h5compare_filters (struct larder_h5compare *c, const hid_t list[2], const char *what)
{
    int n = H5Pget_nfilters (list[0]), m = H5Pget_nfilters (list[1]);
    if (n < 0 || m < 0)
        return larder_h5compare_fail (c, what, "reading its filters");
    if (n != m)
        return larder_h5compare_differ (c, "%s: has %d and %d filters", what, n, m);
    int rc = LARDER_OK;
    for (unsigned i = 0; i < (unsigned)n && !rc; ++i) {
        struct filter a, b;
        int bad = get_filter (list[0], i, &a);
        bad |= get_filter (list[1], i, &b);
        rc = bad ? larder_h5compare_fail (c, what, "reading its filters")
                 : equal_filters (c, &a, &b, i, what);
        free (a.values);
        free (b.values);
    }
    return rc;
}

static int link_order (struct larder_h5compare *c, const hid_t list[2], const char *what)
{
    unsigned a = 0, b = 0;
    int bad = H5Pget_link_creation_order (list[0], &a) < 0 ||
              H5Pget_link_creation_order (list[1], &b) < 0;
    return same (c, bad, a == b, what, "creation order of links (tracked, indexed)");
}

static int link_phases (struct larder_h5compare *c, const hid_t list[2], const char *what)
{
    unsigned a[2] = {0}, b[2] = {0};
    int bad = H5Pget_link_phase_change (list[0], &a[0], &a[1]) < 0 ||
              H5Pget_link_phase_change (list[1], &b[0], &b[1]) < 0;
    return same (c, bad, a[0] == b[0] && a[1] == b[1], what, "phase change of links");
}

static int link_estimates (struct larder_h5compare *c, const hid_t list[2], const char *what)
{
    unsigned a[2] = {0}, b[2] = {0};
    int bad = H5Pget_est_link_info (list[0], &a[0], &a[1]) < 0 ||
              H5Pget_est_link_info (list[1], &b[0], &b[1]) < 0;
    return same (c, bad, a[0] == b[0] && a[1] == b[1], what, "estimate of links");
}

int larder_h5compare_group_list (struct larder_h5compare *c, const hid_t list[2], const char *what)
{
    int rc = larder_h5compare_object_list (c, list, what);
    if (!rc)
        rc = link_order (c, list, what);
    if (!rc)
        rc = link_phases (c, list, what);
    if (!rc)
        rc = link_estimates (c, list, what);
    return rc ? rc : larder_h5compare_filters (c, list, what);
}
