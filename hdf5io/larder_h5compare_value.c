/* SPDX-License-Identifier: Apache-2.0 */
/* Values in memory.  Where they are bytes, bytes are compared; variable-length data is compared by
 * what it holds (the null string is not the empty one), references by what they point to. */
#include "larder_h5compare.h"

#include <stdlib.h>
#include <string.h>

enum plan_kind {
    PLAN_BYTES,
    PLAN_STRING,
    PLAN_SEQUENCE,
    PLAN_OBJECT,
    PLAN_REGION,
    PLAN_COMPOUND,
    PLAN_ARRAY
};

struct larder_h5compare_plan {
    enum plan_kind kind;
    size_t size;                         /* bytes in memory */
    unsigned count;                      /* of parts */
    size_t *offset;                      /* of each part of a compound */
    struct larder_h5compare_plan **part; /* members, or the one element type */
};

void larder_h5compare_plan_free (struct larder_h5compare_plan *plan)
{
    if (!plan)
        return;
    for (unsigned i = 0; plan->part && i < plan->count; ++i)
        larder_h5compare_plan_free (plan->part[i]);
    free (plan->part);
    free (plan->offset);
    free (plan);
}

int larder_h5compare_plan_fixed (const struct larder_h5compare_plan *plan)
{
    return plan->kind == PLAN_BYTES;
}

/* Plan of a member or element type, whose id is closed here. */
static struct larder_h5compare_plan *part_of (hid_t type)
{
    if (type < 0)
        return NULL;
    struct larder_h5compare_plan *part = larder_h5compare_plan_make (type);
    if (H5Tclose (type) < 0) {
        larder_h5compare_plan_free (part);
        return NULL;
    }
    return part;
}

static int add_parts (struct larder_h5compare_plan *plan, hid_t type, unsigned count)
{
    int all_fixed = 1;
    plan->part = calloc (count + 1u, sizeof *plan->part);
    plan->offset = calloc (count + 1u, sizeof *plan->offset);
    if (!plan->part || !plan->offset)
        return -1;
    for (; plan->count < count; ++plan->count) {
        unsigned i = plan->count;
        if (plan->kind == PLAN_COMPOUND)
            plan->offset[i] = H5Tget_member_offset (type, i);
        plan->part[i] = part_of (plan->kind == PLAN_COMPOUND ? H5Tget_member_type (type, i)
                                                             : H5Tget_super (type));
        if (!plan->part[i])
            return -1;
        all_fixed &= larder_h5compare_plan_fixed (plan->part[i]);
    }
    /* Gaps between members of fixed size are stored, and so are part of the bytes. */
    if (all_fixed && plan->kind != PLAN_SEQUENCE)
        plan->kind = PLAN_BYTES;
    return 0;
}

struct larder_h5compare_plan *larder_h5compare_plan_make (hid_t type)
{
    struct larder_h5compare_plan *plan = calloc (1, sizeof *plan);
    if (!plan)
        return NULL;
    plan->size = H5Tget_size (type);
    H5T_class_t kind = H5Tget_class (type);
    int ok = plan->size > 0 && kind != H5T_NO_CLASS;
    if (ok && kind == H5T_COMPOUND) {
        int members = H5Tget_nmembers (type);
        plan->kind = PLAN_COMPOUND;
        ok = members >= 0 && add_parts (plan, type, (unsigned)members) == 0;
    } else if (ok && (kind == H5T_ARRAY || kind == H5T_VLEN)) {
        plan->kind = kind == H5T_ARRAY ? PLAN_ARRAY : PLAN_SEQUENCE;
        ok = add_parts (plan, type, 1) == 0;
    } else if (ok && kind == H5T_STRING) {
        htri_t variable = H5Tis_variable_str (type);
        ok = variable >= 0;
        plan->kind = variable > 0 ? PLAN_STRING : PLAN_BYTES;
    } else if (ok && kind == H5T_REFERENCE) {
        htri_t region = H5Tequal (type, H5T_STD_REF_DSETREG);
        htri_t object = H5Tequal (type, H5T_STD_REF_OBJ);
        plan->kind = region > 0 ? PLAN_REGION : PLAN_OBJECT;
        ok = region > 0 || object > 0;
    }
    if (ok)
        return plan;
    larder_h5compare_plan_free (plan);
    return NULL;
}

static int differ (struct larder_h5compare *c, const char *what)
{
    return larder_h5compare_differ (c, "%s: values differ", what);
}

static int one (struct larder_h5compare *c, const struct larder_h5compare_plan *plan, const char *a,
                const char *b, const char *what)
{
    int rc = LARDER_OK;
    switch (plan->kind) {
    case PLAN_STRING: {
        const char *s, *t;
        memcpy (&s, a, sizeof s);
        memcpy (&t, b, sizeof t);
        return s == t || (s && t && strcmp (s, t) == 0) ? LARDER_OK : differ (c, what);
    }
    case PLAN_SEQUENCE: {
        hvl_t s, t;
        memcpy (&s, a, sizeof s);
        memcpy (&t, b, sizeof t);
        if (s.len != t.len)
            return differ (c, what);
        return s.len ? larder_h5compare_values (c, plan->part[0], s.p, t.p, s.len, what)
                     : LARDER_OK;
    }
    case PLAN_OBJECT:
        return larder_h5compare_reference (c, a, b, what);
    case PLAN_REGION:
        return larder_h5compare_region (c, a, b, what);
    case PLAN_COMPOUND:
        for (unsigned i = 0; i < plan->count && !rc; ++i)
            rc = larder_h5compare_values (c, plan->part[i], a + plan->offset[i],
                                          b + plan->offset[i], 1, what);
        return rc;
    case PLAN_ARRAY:
        return larder_h5compare_values (c, plan->part[0], a, b, plan->size / plan->part[0]->size,
                                        what);
    default:
        return memcmp (a, b, plan->size) == 0 ? LARDER_OK : differ (c, what);
    }
}

int larder_h5compare_values (struct larder_h5compare *c, const struct larder_h5compare_plan *plan,
                             const void *a, const void *b, uint64_t count, const char *what)
{
    const char *s = a, *t = b;
    if (larder_h5compare_plan_fixed (plan))
        return memcmp (s, t, (size_t)count * plan->size) == 0 ? LARDER_OK : differ (c, what);
    int rc = LARDER_OK;
    for (uint64_t i = 0; i < count && !rc; ++i)
        rc = one (c, plan, s + i * plan->size, t + i * plan->size, what);
    return rc;
}
