/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_h5recipe.h"
#include "larder_h5error.h"
#include "larder_h5props.h"
#include "larder_h5record.h"
#include "larder_h5set.h"
#include "larder_h5space.h"

#include <stdlib.h>
#include <string.h>

/* How many datasets may wait for what their fill values refer to. */
#define EARLY_MOST 16

/* Where an object comes from: its first link, or none yet when a fill value refers to it. */
struct coming {
    const struct larder_h5link *link; /* NULL: its link is made later */
    uint32_t object;
    int depth;
};

static int put_first (struct larder_h5source *source, const struct coming *c, larder_error *err);

static void put_link (struct larder_h5source *source, const struct larder_h5link *link)
{
    uint32_t parent = LARDER_H5MAP_NONE;
    if (link)
        parent = larder_h5map_find (&source->numbers, source->tree.object[link->parent].address);
    larder_h5out_u32 (&source->recipe, parent);
    larder_h5out_u8 (&source->recipe, link ? (unsigned)link->cset : 0);
    larder_h5out_text (&source->recipe, link ? link->name : "");
}

/* ------------------------------------------------------------------ fill values */

/* Objects that a fill value refers to must be there when the dataset is made. */
struct early {
    struct larder_h5source *source;
    int depth;
    int code;
    larder_error *err;
};

static int early_reference (void *self, int region, const void *reference, struct larder_h5out *out)
{
    struct early *e = self;
    int dangling = 0;
    haddr_t address = larder_h5source_target (e->source, region, reference, &dangling);
    uint32_t object = address == HADDR_UNDEF
                          ? LARDER_H5MAP_NONE
                          : larder_h5map_find (&e->source->tree.numbers, address);
    (void)out;
    if (object == LARDER_H5MAP_NONE || e->depth >= EARLY_MOST ||
        e->source->tree.object[object].coming || /* it refers back: one of them has to be null */
        larder_h5map_find (&e->source->numbers, address) != LARDER_H5MAP_NONE)
        return 0;
    const struct coming c = {NULL, object, e->depth + 1};
    e->code = put_first (e->source, &c, e->err);
    return e->code == LARDER_OK ? 0 : -1;
}

static int put_early (struct larder_h5source *source, const struct larder_h5opened *o, int depth,
                      const char *where, larder_error *err)
{
    struct early e = {source, depth, LARDER_OK, err};
    const struct larder_h5refs refs = {early_reference, NULL, &e};
    struct larder_h5out nowhere = {NULL, 0, 0, 1};
    if (!larder_h5shape_refers (o->shape))
        return LARDER_OK;
    if (larder_h5props_put_fill (&nowhere, o->list, o->type, o->shape, &refs) != 0 &&
        e.code == LARDER_OK)
        return larder_h5error (err, LARDER_EHDF5, "dataset %s: its fill value", where);
    return e.code;
}

/* ------------------------------------------------------------------ objects */

static int put_group (struct larder_h5source *source, const struct coming *c, hid_t group,
                      const char *where, larder_error *err)
{
    hid_t list = H5Gget_create_plist (group);
    size_t from = larder_h5record_begin (source, LARDER_H5_GROUP);
    put_link (source, c->link);
    int code = LARDER_OK;
    if (list < 0 || larder_h5record_headers (source, group) != 0 ||
        larder_h5props_put_group (&source->recipe, list) != 0)
        code = larder_h5error (err, LARDER_EHDF5, "group %s", where);
    if (list >= 0)
        (void)H5Pclose (list);
    return code == LARDER_OK ? larder_h5record_end (source, from, err) : code;
}

static int put_dataset (struct larder_h5source *source, const struct coming *c, hid_t dataset,
                        const char *where, larder_error *err)
{
    struct larder_h5set set = {.object = c->object};
    struct larder_h5opened o;
    uint32_t number = LARDER_H5MAP_NONE;
    int code = larder_h5opened_take (&o, dataset, where, err);
    if (code != LARDER_OK)
        return code;
    code = larder_h5record_type (source, o.type, where, &number, err);
    if (code == LARDER_OK)
        code = put_early (source, &o, c->depth, where, err);
    size_t from = larder_h5record_begin (source, LARDER_H5_DATASET);
    if (code == LARDER_OK) {
        put_link (source, c->link);
        if (larder_h5record_headers (source, dataset) != 0)
            code = larder_h5error (err, LARDER_EHDF5, "dataset %s", where);
        else
            code = larder_h5record_use (source, o.type, number, where, err);
    }
    const struct larder_h5refs refs = larder_h5source_refs (source);
    source->outside = source->dangling = 0;
    if (code == LARDER_OK &&
        (larder_h5space_put (&source->recipe, o.space) != 0 ||
         larder_h5props_put_dataset (&source->recipe, o.list, o.type, o.shape, &refs) != 0))
        code = larder_h5error (err, LARDER_EHDF5, "dataset %s: its properties", where);
    if (code == LARDER_OK)
        code = larder_h5source_remark_nulls (source, source->outside, source->dangling, where, err);
    if (code == LARDER_OK)
        code = larder_h5set_lay (source, &set, &o, where, err);
    if (code == LARDER_OK) {
        larder_h5out_u8 (&source->recipe, set.mode);
        larder_h5out_u64 (&source->recipe, set.items);
        code = larder_h5record_end (source, from, err);
    }
    if (code == LARDER_OK)
        code = larder_h5set_add (source, &set, err);
    if (code != LARDER_OK)
        free (set.list);
    larder_h5opened_end (&o);
    return code;
}

static int put_hard (struct larder_h5source *source, const struct larder_h5link *link,
                     larder_error *err)
{
    haddr_t target = source->tree.object[link->target].address;
    size_t from = larder_h5record_begin (source, LARDER_H5_HARD);
    put_link (source, link);
    larder_h5out_u32 (&source->recipe, larder_h5map_find (&source->numbers, target));
    return larder_h5record_end (source, from, err);
}

/* An object that is not in the recipe yet. */
static int put_first (struct larder_h5source *source, const struct coming *c, larder_error *err)
{
    char where[256];
    uint32_t number;
    struct larder_h5object *o = &source->tree.object[c->object];
    larder_h5tree_path (&source->tree, c->object, NULL, where, sizeof where);
    hid_t object = H5Oopen_by_addr (source->file, o->address);
    if (object < 0)
        return larder_h5error (err, LARDER_EHDF5, "object %s", where);
    int code;
    o->coming = 1;
    if (o->type == H5O_TYPE_NAMED_DATATYPE)
        code = larder_h5record_type (source, object, where, &number, err);
    else
        code = o->type == H5O_TYPE_GROUP ? put_group (source, c, object, where, err)
                                         : put_dataset (source, c, object, where, err);
    if (code == LARDER_OK && o->type != H5O_TYPE_NAMED_DATATYPE)
        code = larder_h5record_emit (source, o->address, c->object, err);
    (void)H5Oclose (object);
    return code;
}

/* What a hard link leads to, unless it is there already, and the link. */
static int put_object (struct larder_h5source *source, const struct larder_h5link *link,
                       larder_error *err)
{
    const struct larder_h5object *o = &source->tree.object[link->target];
    const struct coming c = {link, link->target, 0};
    int there = larder_h5map_find (&source->numbers, o->address) != LARDER_H5MAP_NONE;
    int code = there ? LARDER_OK : put_first (source, &c, err);
    if (code == LARDER_OK && (there || o->type == H5O_TYPE_NAMED_DATATYPE))
        code = put_hard (source, link, err);
    return code;
}

static int put_named (struct larder_h5source *source, const struct larder_h5link *link,
                      larder_error *err)
{
    int external = link->type == H5L_TYPE_EXTERNAL;
    const char *file = "", *path = link->value;
    if (external && H5Lunpack_elink_val (link->value, link->size, NULL, &file, &path) < 0)
        return larder_h5error (err, LARDER_EHDF5, "link %s", link->name);
    size_t from = larder_h5record_begin (source, external ? LARDER_H5_EXTERNAL : LARDER_H5_SOFT);
    put_link (source, link);
    if (external)
        larder_h5out_text (&source->recipe, file);
    larder_h5out_text (&source->recipe, path);
    return larder_h5record_end (source, from, err);
}

/* ------------------------------------------------------------------ all of it */

static int put_head (struct larder_h5source *source, larder_error *err)
{
    struct larder_h5out *out = &source->recipe;
    larder_h5out_bytes (out, LARDER_H5RECIPE_MAGIC, 8);
    larder_h5out_u32 (out, LARDER_H5RECIPE_VERSION);
    larder_h5out_u32 (out, (uint32_t)source->superblock);
    larder_h5out_u64 (out, 0); /* size */
    larder_h5out_u64 (out, 0); /* items */
    larder_h5out_u64 (out, source->slab);
    size_t from = larder_h5record_begin (source, LARDER_H5_FILE);
    if (larder_h5props_put_file (out, source->file) != 0)
        return larder_h5error (err, LARDER_EHDF5, "%s", source->path);
    return larder_h5record_end (source, from, err);
}

static int put_tail (struct larder_h5source *source, larder_error *err)
{
    struct larder_h5out *out = &source->recipe;
    source->items += source->user_bytes / source->slab + (source->user_bytes % source->slab != 0);
    larder_h5out_set_u64 (out, 16, out->size + LARDER_H5RECIPE_TAIL);
    larder_h5out_set_u64 (out, 24, source->items);
    if (!out->failed)
        larder_h5out_u64 (out, larder_h5wire_sum (out->data, out->size));
    return out->failed ? larder_error_set (err, LARDER_ENOMEM, 0, "recipe of %s: out of memory",
                                           source->path)
                       : LARDER_OK;
}

int larder_h5recipe (struct larder_h5source *source, larder_error *err)
{
    source->items = 1;
    int code = put_head (source, err);
    if (code == LARDER_OK)
        code = larder_h5record_emit (source, source->tree.object[0].address, 0, err);
    for (size_t i = 0; i < source->tree.links && code == LARDER_OK; ++i) {
        const struct larder_h5link *link = &source->tree.link[i];
        code = link->type == H5L_TYPE_HARD ? put_object (source, link, err)
                                           : put_named (source, link, err);
    }
    /* Types that only attributes use are added while this runs. */
    for (size_t i = 0; i < source->emits && code == LARDER_OK; ++i)
        code = larder_h5hanging (source, (uint32_t)i, err);
    return code == LARDER_OK ? put_tail (source, err) : code;
}
