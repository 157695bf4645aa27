/* SPDX-License-Identifier: Apache-2.0 */
/* What a selection needs beyond what was named: dimension scales, committed types and, on request,
 * all that references point to.  Repeated until nothing is added; see larder_h5source.h. */
#define _GNU_SOURCE
#include "larder_h5error.h"
#include "larder_h5source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct closure {
    struct larder_h5source *source;
    struct larder_h5tree whole; /* of the file; walked when it is first needed */
    int walked;
    int added;
    const char *why; /* what makes the objects that are met now needed */
    char where[256];
    int code;
    larder_error *err;
};

/* Take an object along, unless it is selected or has no path. */
static int need (struct closure *c, haddr_t address)
{
    struct larder_h5source *source = c->source;
    if (larder_h5map_find (&source->tree.numbers, address) != LARDER_H5MAP_NONE)
        return LARDER_OK;
    if (!c->walked) {
        int code = larder_h5tree_walk (&c->whole, source->file, NULL, 0, c->err);
        if (code != LARDER_OK)
            return code;
        c->walked = 1;
    }
    uint32_t object = larder_h5map_find (&c->whole.numbers, address);
    if (object == LARDER_H5MAP_NONE || larder_h5wants_all (source->wants, address))
        return LARDER_OK;
    char path[256];
    if (larder_h5wants_object (source->wants, &c->whole, object) != 0)
        return larder_error_set (c->err, LARDER_ENOMEM, 0, "selection: out of memory");
    c->added = 1;
    return larder_h5source_remark (source, c->err, "%s is taken along: %s %s",
                                   larder_h5tree_path (&c->whole, object, NULL, path, sizeof path),
                                   c->where, c->why);
}

static int need_reference (void *self, int region, const void *reference, struct larder_h5out *out)
{
    struct closure *c = self;
    int dangling = 0;
    haddr_t address = larder_h5source_target (c->source, region, reference, &dangling);
    (void)out;
    if (address != HADDR_UNDEF && c->code == LARDER_OK)
        c->code = need (c, address);
    return c->code == LARDER_OK ? 0 : -1;
}

/* Every object that values refer to. */
static int need_targets (struct closure *c, const struct larder_h5shape *shape, const void *values,
                         uint64_t n)
{
    const struct larder_h5refs refs = {need_reference, NULL, c};
    struct larder_h5out nowhere = {NULL, 0, 0, 1};
    c->code = LARDER_OK;
    (void)larder_h5pack (shape, values, n, &refs, &nowhere);
    return c->code;
}

static int need_type (struct closure *c, hid_t type)
{
    H5O_info_t info;
    htri_t committed = H5Tcommitted (type);
    if (committed < 0 || (committed && H5Oget_info2 (type, &info, H5O_INFO_BASIC) < 0))
        return larder_h5error (c->err, LARDER_EHDF5, "type of %s", c->where);
    c->why = "has this type";
    return committed ? need (c, info.addr) : LARDER_OK;
}

static int close_attribute (struct closure *c, hid_t object, const char *name)
{
    struct larder_h5values values;
    hid_t attribute = H5Aopen (object, name, H5P_DEFAULT);
    hid_t type = attribute < 0 ? -1 : H5Aget_type (attribute);
    int code = type < 0
                   ? larder_h5error (c->err, LARDER_EHDF5, "attribute %s of %s", name, c->where)
                   : need_type (c, type);
    int scales = strcmp (name, "DIMENSION_LIST") == 0;
    /* The way back from a scale to all that use it is no reason to take them. */
    int back = strcmp (name, "REFERENCE_LIST") == 0;
    if (code == LARDER_OK && (scales || c->source->with_targets) && !back) {
        code = larder_h5source_values (attribute, c->where, &values, c->err);
        if (code == LARDER_OK) {
            c->why = scales ? "names it in DIMENSION_LIST" : "refers to it";
            if (larder_h5shape_refers (values.shape))
                code = need_targets (c, values.shape, values.data, values.count);
            larder_h5source_values_free (&values);
        }
    }
    if (type >= 0)
        (void)H5Tclose (type);
    if (attribute >= 0)
        (void)H5Aclose (attribute);
    return code;
}

/* The references in a dataset's values, slab by slab. */
static int close_slabs (struct closure *c, hid_t dataset, hid_t space, hid_t type,
                        const struct larder_h5shape *shape)
{
    struct larder_h5plan plan;
    hsize_t start[H5S_MAX_RANK], count[H5S_MAX_RANK];
    size_t bytes = larder_h5shape_size (shape);
    if (larder_h5plan_make (&plan, LARDER_H5_PACKED, space, NULL, bytes, c->source->slab) != 0)
        return larder_error_set (c->err, LARDER_ENOTSUP, 0, "dataset %s is too large", c->where);
    int code = LARDER_OK;
    for (uint64_t i = 0; i < plan.items && code == LARDER_OK; ++i) {
        uint64_t n = larder_h5plan_slab (&plan, i, start, count);
        hid_t memory = -1;
        void *values = calloc ((size_t)n, bytes);
        if (values == NULL)
            code = larder_error_set (c->err, LARDER_ENOMEM, 0, "%s: out of memory", c->where);
        else if (larder_h5plan_select (&plan, space, start, count, &memory) != 0 ||
                 H5Dread (dataset, type, memory, space, H5P_DEFAULT, values) < 0)
            code = larder_h5error (c->err, LARDER_EHDF5, "dataset %s", c->where);
        else {
            code = need_targets (c, shape, values, n);
            (void)H5Dvlen_reclaim (type, memory, H5P_DEFAULT, values);
        }
        if (memory >= 0)
            (void)H5Sclose (memory);
        free (values);
    }
    return code;
}

static int close_dataset (struct closure *c, hid_t dataset)
{
    hid_t type = H5Dget_type (dataset), space = H5Dget_space (dataset);
    int code = type < 0 || space < 0 ? larder_h5error (c->err, LARDER_EHDF5, "dataset %s", c->where)
                                     : need_type (c, type);
    if (code == LARDER_OK && c->source->with_targets) {
        struct larder_h5shape *shape = larder_h5shape_new (type);
        c->why = "refers to it";
        if (shape && larder_h5shape_refers (shape))
            code = close_slabs (c, dataset, space, type, shape);
        larder_h5shape_free (shape);
    }
    if (type >= 0)
        (void)H5Tclose (type);
    if (space >= 0)
        (void)H5Sclose (space);
    return code;
}

static int close_object (struct closure *c, uint32_t number)
{
    struct larder_h5source *source = c->source;
    const struct larder_h5object *o = &source->tree.object[number];
    struct larder_h5names names = {NULL, 0, 0};
    larder_h5tree_path (&source->tree, number, NULL, c->where, sizeof c->where);
    if (o->type == H5O_TYPE_GROUP && !larder_h5wants_all (source->wants, o->address))
        return LARDER_OK;
    hid_t object = H5Oopen_by_addr (source->file, o->address);
    int code =
        object < 0 ? larder_h5error (c->err, LARDER_EHDF5, "object %s", c->where) : LARDER_OK;
    if (code == LARDER_OK && o->type == H5O_TYPE_DATASET)
        code = close_dataset (c, object);
    if (code == LARDER_OK && larder_h5source_attributes (object, &names) != 0)
        code = larder_h5error (c->err, LARDER_EHDF5, "attributes of %s", c->where);
    for (size_t i = 0; i < names.count && code == LARDER_OK; ++i)
        code = close_attribute (c, object, names.name[i]);
    larder_h5source_names_free (&names);
    if (object >= 0)
        (void)H5Oclose (object);
    return code;
}

int larder_h5closure (struct larder_h5source *source, larder_error *err)
{
    struct closure c = {.source = source, .err = err};
    int code = LARDER_OK;
    do {
        c.added = 0;
        larder_h5tree_free (&source->tree);
        if (source->wants)
            code = larder_h5wants_spread (source->wants, source->file, err);
        if (code == LARDER_OK)
            code = larder_h5tree_walk (&source->tree, source->file, source->wants, 1, err);
        for (uint32_t i = 0; source->wants && code == LARDER_OK && i < source->tree.objects; ++i)
            code = close_object (&c, i);
    } while (code == LARDER_OK && c.added);
    larder_h5tree_free (&c.whole);
    return code;
}
