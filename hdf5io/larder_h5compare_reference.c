/* SPDX-License-Identifier: Apache-2.0 */
/* References are equal when they point to the same pair of objects, or both to nothing: null, or
 * dangling, whose bytes mean nothing to anybody.  Below given paths, one that points out of these
 * may be null in the second file: a selection has nothing to point to. */
#include "larder_h5compare.h"

#include <stdio.h>
#include <string.h>

struct target {
    int exists;
    haddr_t address;
    hid_t id; /* open only where the object is in no pair yet */
};

static int is_null (H5R_type_t kind, const void *reference)
{
    static const unsigned char zero[sizeof (hdset_reg_ref_t)];
    hobj_ref_t address;
    if (kind == H5R_DATASET_REGION)
        return memcmp (reference, zero, sizeof zero) == 0;
    memcpy (&address, reference, sizeof address);
    return address == 0 || address == HADDR_UNDEF;
}

static void close_target (struct target *t)
{
    /* Opened for reading only: nothing can be lost here. */
    if (t->id >= 0)
        (void)H5Oclose (t->id);
    t->id = H5I_INVALID_HID;
}

/* What a reference leads to; a failure means that it leads to nothing. */
static struct target target_of (const struct larder_h5compare *c, int side, H5R_type_t kind,
                                const void *reference)
{
    struct target t = {0, HADDR_UNDEF, H5I_INVALID_HID};
    if (is_null (kind, reference))
        return t;
    if (kind == H5R_OBJECT) {
        hobj_ref_t address;
        memcpy (&address, reference, sizeof address);
        if (larder_h5compare_find (c, side, address)) {
            t.exists = 1;
            t.address = address;
            return t;
        }
    }
    H5O_info_t info;
    t.id = H5Rdereference2 (c->file[side], H5P_DEFAULT, kind, reference);
    if (t.id >= 0 && H5Oget_info2 (t.id, &info, H5O_INFO_BASIC) >= 0 && info.rc > 0) {
        t.exists = 1;
        t.address = info.addr;
    }
    if (!t.exists || larder_h5compare_find (c, side, t.address))
        close_target (&t);
    return t;
}

static int outside (const struct larder_h5compare *c, const struct target *t)
{
    if (!c->partial || !t->exists)
        return 0;
    const struct larder_h5pair *pair = larder_h5compare_find (c, 0, t->address);
    return !pair || pair->by_reference;
}

int larder_h5compare_outside (struct larder_h5compare *c, const void *reference)
{
    struct target t = target_of (c, 0, H5R_OBJECT, reference);
    int is_outside = outside (c, &t);
    close_target (&t);
    return is_outside;
}

/* *both is 1 when both lead to something, which then is the same. */
static int targets (struct larder_h5compare *c, H5R_type_t kind, const void *a, const void *b,
                    const char *what, int *both)
{
    struct target t[2] = {target_of (c, 0, kind, a), target_of (c, 1, kind, b)};
    int rc = LARDER_OK;
    *both = t[0].exists && t[1].exists;
    if (*both && t[0].id >= 0 && t[1].id >= 0) {
        char path[256];
        (void)snprintf (path, sizeof path, "that %s points to", what);
        rc = larder_h5compare_pair_ids (c, (hid_t[]){t[0].id, t[1].id}, path, 1);
    } else if (*both) {
        const struct larder_h5pair *p = larder_h5compare_find (c, 0, t[0].address);
        const struct larder_h5pair *q = larder_h5compare_find (c, 1, t[1].address);
        if (p != q)
            rc = larder_h5compare_differ (c, "%s: a reference points to %s and to %s", what,
                                          p ? p->what : "another object",
                                          q ? q->what : "another object");
    } else if (t[0].exists && !outside (c, &t[0])) {
        const struct larder_h5pair *p = larder_h5compare_find (c, 0, t[0].address);
        rc = larder_h5compare_differ (c, "%s: a reference to %s is null in the second file", what,
                                      p ? p->what : "an object");
    } else if (t[1].exists) {
        rc = larder_h5compare_differ (c, "%s: a reference is null in the first file only", what);
    }
    close_target (&t[0]);
    close_target (&t[1]);
    return rc;
}

int larder_h5compare_reference (struct larder_h5compare *c, const void *a, const void *b,
                                const char *what)
{
    int both = 0;
    return targets (c, H5R_OBJECT, a, b, what, &both);
}

int larder_h5compare_region (struct larder_h5compare *c, const void *a, const void *b,
                             const char *what)
{
    int both = 0, rc = targets (c, H5R_DATASET_REGION, a, b, what, &both);
    if (rc || !both)
        return rc;
    hid_t space[2] = {H5Rget_region (c->file[0], H5R_DATASET_REGION, a),
                      H5Rget_region (c->file[1], H5R_DATASET_REGION, b)};
    if (space[0] < 0 || space[1] < 0)
        rc = larder_h5compare_fail (c, what, "reading a region reference");
    else
        rc = larder_h5compare_selected (c, space, what);
    for (int side = 0; side < 2; ++side)
        if (space[side] >= 0 && H5Sclose (space[side]) < 0 && rc >= 0)
            rc = larder_h5compare_fail (c, what, "closing a space");
    return rc;
}
