/* SPDX-License-Identifier: Apache-2.0 */
/* Replaying a recipe; see larder_h5target.h. */
#include "larder_h5error.h"
#include "larder_h5filter.h"
#include "larder_h5map.h"
#include "larder_h5recipe.h"
#include "larder_h5space.h"
#include "larder_h5target.h"
#include "larder_h5type.h"

#include <stdlib.h>
#include <string.h>

/* One replay; nothing in it grows, what is made goes to the target. */
struct replay {
    struct larder_h5target *target;
    struct larder_h5in in; /* of the record */
    uint64_t items;        /* that the recipe promises */
    hid_t links;           /* link creation properties */
    hid_t attributes;      /* attribute creation properties */
    const char *name;      /* what the record makes */
    larder_error *err;
};

static int damaged (struct replay *r)
{
    return larder_error_set (r->err, LARDER_EINVAL, 0, "%s: the recipe is damaged at %s",
                             r->target->name, r->name);
}

/* Why a call failed: the bytes, or HDF5. */
static int failed (struct replay *r)
{
    if (r->in.bad)
        return damaged (r);
    return larder_h5error (r->err, LARDER_EHDF5, "%s: making %s", r->target->name, r->name);
}

/* ------------------------------------------------------------------ parts of records */

/* Count an object; hold: it has no name yet, so it stays open until the recipe ends. */
static int add_made (struct replay *r, hid_t object, int hold)
{
    struct larder_h5target *target = r->target;
    struct larder_h5made made = {0, hold ? object : -1};
    struct larder_h5made *grown =
        larder_h5grow (target->made, target->mades, &target->made_room, sizeof *grown);
    if (grown == NULL)
        return larder_error_set (r->err, LARDER_ENOMEM, 0, "%s: out of memory", target->name);
    target->made = grown;
    if (H5Rcreate (&made.reference, object, ".", H5R_OBJECT, -1) < 0)
        return failed (r);
    grown[target->mades++] = made;
    return LARDER_OK;
}

/* Parent and name of a link; negative: wrong.  *nameless: the object gets its link later. */
static hid_t get_link (struct replay *r, int *nameless)
{
    uint32_t parent = larder_h5in_u32 (&r->in);
    unsigned cset = larder_h5in_u8 (&r->in);
    r->name = larder_h5in_text (&r->in);
    if (nameless && !r->in.bad && parent == LARDER_H5MAP_NONE && r->name[0] == 0) {
        *nameless = 1;
        r->name = "an object without a name";
        return larder_h5target_object (r->target, 0);
    }
    if (r->in.bad || cset >= H5T_NCSET || r->name[0] == 0 || strchr (r->name, '/') ||
        H5Pset_char_encoding (r->links, (H5T_cset_t)cset) < 0)
        return -1;
    return larder_h5target_object (r->target, parent);
}

/* Object headers as the source's. */
static int get_headers (struct replay *r)
{
    static const H5F_libver_t low[] = {H5F_LIBVER_EARLIEST, H5F_LIBVER_V18, H5F_LIBVER_V110};
    unsigned headers = larder_h5in_u8 (&r->in);
    if (r->in.bad || headers >= sizeof low / sizeof low[0])
        return -1;
    return H5Fset_libver_bounds (r->target->file, low[headers], H5F_LIBVER_LATEST) < 0 ? -1 : 0;
}

/* A committed type, or one that the record spells out. */
static hid_t get_use (struct replay *r)
{
    if (larder_h5in_u8 (&r->in) == 0)
        return larder_h5type_get (&r->in);
    uint32_t number = larder_h5in_u32 (&r->in);
    if (r->in.bad || number >= r->target->mades || r->target->made[number].held < 0 ||
        H5Iget_type (r->target->made[number].held) != H5I_DATATYPE) {
        r->in.bad = 1;
        return -1;
    }
    return larder_h5target_object (r->target, number);
}

static void close_all (hid_t a, hid_t b, hid_t c, hid_t d)
{
    const hid_t id[4] = {a, b, c, d};
    for (int i = 0; i < 4; ++i)
        if (id[i] >= 0)
            (void)H5Idec_ref (id[i]);
}

/* ------------------------------------------------------------------ objects */

static int make_group (struct replay *r)
{
    int nameless = 0;
    hid_t parent = get_link (r, &nameless), list = H5Pcreate (H5P_GROUP_CREATE), group = -1;
    if (parent >= 0 && list >= 0 && get_headers (r) == 0 &&
        larder_h5props_get_group (&r->in, list, &r->target->stand_ins) == 0)
        group = nameless ? H5Gcreate_anon (parent, list, H5P_DEFAULT)
                         : H5Gcreate2 (parent, r->name, r->links, list, H5P_DEFAULT);
    int code = group < 0 ? failed (r) : add_made (r, group, nameless);
    close_all (parent, list, nameless && code == LARDER_OK ? -1 : group, -1);
    return code;
}

static int make_type (struct replay *r)
{
    hid_t list = H5Pcreate (H5P_DATATYPE_CREATE), type = -1;
    r->name = "a type";
    if (list >= 0 && get_headers (r) == 0)
        type = larder_h5type_get (&r->in);
    int code = LARDER_OK;
    if (type < 0 || larder_h5props_get_object (&r->in, list) != 0 ||
        H5Tcommit_anon (r->target->file, type, list, H5P_DEFAULT) < 0)
        code = failed (r);
    if (code == LARDER_OK)
        code = add_made (r, type, 1);
    close_all (list, code == LARDER_OK ? -1 : type, -1, -1);
    return code;
}

/* What a dataset's items may be, given what it is. */
static int add_landing (struct replay *r, hid_t dataset, unsigned mode, uint64_t items)
{
    struct larder_h5target *target = r->target;
    struct larder_h5opened o;
    struct larder_h5plan plan;
    int code = larder_h5opened_take (&o, dataset, r->name, r->err), good = 0;
    if (code != LARDER_OK)
        return code;
    int plain = larder_h5shape_plain (o.shape);
    int chunked =
        mode == LARDER_H5_CHUNKS || mode == LARDER_H5_LISTED || mode == LARDER_H5_PACKED_CHUNKS;
    int packed = mode == LARDER_H5_PACKED || mode == LARDER_H5_PACKED_CHUNKS;
    if (mode == LARDER_H5_NOTHING)
        good = items == 0;
    else if (mode < LARDER_H5_MODES && packed == !plain && chunked == (o.layout == H5D_CHUNKED) &&
             o.layout != H5D_VIRTUAL)
        good = larder_h5set_plan (&o, (enum larder_h5mode)mode, target->slab, &plan) == 0 &&
               (mode == LARDER_H5_LISTED || items == plan.items);
    int filters = packed && good ? H5Pget_nfilters (o.list) : 0;
    for (unsigned i = 0; filters > 0 && i < (unsigned)filters && code == LARDER_OK; ++i) {
        size_t values = 0;
        char name[64] = "";
        unsigned flags;
        H5Z_filter_t id =
            H5Pget_filter2 (o.list, i, &flags, &values, NULL, sizeof name, name, NULL);
        if (id < 0 || !larder_h5filter_real (id))
            code = larder_error_set (r->err, LARDER_ENOTSUP, 0,
                                     "%s: dataset %s needs filter %d (%s), which is not installed "
                                     "here",
                                     target->name, r->name, (int)id, name);
    }
    larder_h5opened_end (&o);
    struct larder_h5landing *grown =
        larder_h5grow (target->landing, target->landings, &target->landing_room, sizeof *grown);
    if (code == LARDER_OK && grown == NULL)
        code = larder_error_set (r->err, LARDER_ENOMEM, 0, "%s: out of memory", target->name);
    target->landing = grown ? grown : target->landing;
    if (code == LARDER_OK && (!good || items > INT64_MAX - target->items))
        code = damaged (r);
    if (code != LARDER_OK)
        return code;
    grown[target->landings++] = (struct larder_h5landing){
        (uint32_t)target->mades, (enum larder_h5mode)mode, target->items, items};
    target->items += items;
    return LARDER_OK;
}

static int make_dataset (struct replay *r)
{
    const struct larder_h5refs refs = larder_h5target_refs (r->target);
    int nameless = 0;
    hid_t parent = get_link (r, &nameless), list = H5Pcreate (H5P_DATASET_CREATE);
    hid_t type = -1, space = -1, dataset = -1;
    struct larder_h5shape *shape = NULL;
    if (parent >= 0 && list >= 0 && get_headers (r) == 0 && (type = get_use (r)) >= 0 &&
        (space = larder_h5space_get (&r->in)) >= 0 && (shape = larder_h5shape_new (type)) != NULL &&
        larder_h5props_get_dataset (&r->in, list, type, shape, &refs, &r->target->stand_ins) == 0)
        dataset = nameless ? H5Dcreate_anon (parent, type, space, list, H5P_DEFAULT)
                           : H5Dcreate2 (parent, r->name, type, space, r->links, list, H5P_DEFAULT);
    unsigned mode = larder_h5in_u8 (&r->in);
    uint64_t items = larder_h5in_u64 (&r->in);
    int code = dataset < 0 ? failed (r) : LARDER_OK;
    if (code == LARDER_OK && r->in.bad)
        code = damaged (r);
    if (code == LARDER_OK)
        code = add_landing (r, dataset, mode, items);
    if (code == LARDER_OK)
        code = add_made (r, dataset, nameless);
    larder_h5shape_free (shape);
    close_all (parent, list, type, space);
    close_all (nameless && code == LARDER_OK ? -1 : dataset, -1, -1, -1);
    return code;
}

/* ------------------------------------------------------------------ links */

static int make_link (struct replay *r, enum larder_h5record kind)
{
    hid_t parent = get_link (r, NULL), object = -1;
    herr_t made = -1;
    if (parent < 0)
        return failed (r);
    if (kind == LARDER_H5_HARD) {
        object = larder_h5target_object (r->target, larder_h5in_u32 (&r->in));
        if (object >= 0)
            made = H5Olink (object, parent, r->name, r->links, H5P_DEFAULT);
    } else {
        const char *file = kind == LARDER_H5_EXTERNAL ? larder_h5in_text (&r->in) : NULL;
        const char *path = larder_h5in_text (&r->in);
        if (r->in.bad)
            made = -1;
        else if (file)
            made = H5Lcreate_external (file, path, parent, r->name, r->links, H5P_DEFAULT);
        else
            made = H5Lcreate_soft (path, parent, r->name, r->links, H5P_DEFAULT);
    }
    int code = made < 0 ? failed (r) : LARDER_OK;
    close_all (parent, object, -1, -1);
    return code;
}

/* ------------------------------------------------------------------ attributes */

static int write_values (struct replay *r, hid_t attribute, hid_t type, hid_t space)
{
    const struct larder_h5refs refs = larder_h5target_refs (r->target);
    struct larder_h5arena arena = {NULL};
    struct larder_h5shape *shape = larder_h5shape_new (type);
    hssize_t n = H5Sget_simple_extent_npoints (space);
    int good = 0;
    if (H5Sget_simple_extent_type (space) == H5S_NULL)
        n = 0;
    if (shape && n >= 0 &&
        (uint64_t)n <= larder_h5in_left (&r->in) / larder_h5shape_least (shape)) {
        void *values = larder_h5arena_take (&arena, (size_t)n * larder_h5shape_size (shape));
        good = values && larder_h5unpack (shape, &r->in, (uint64_t)n, &refs, &arena, values) == 0 &&
               (n == 0 || H5Awrite (attribute, type, values) >= 0);
    } else {
        r->in.bad = 1;
    }
    int code = good ? LARDER_OK : failed (r);
    larder_h5shape_free (shape);
    larder_h5arena_free (&arena);
    return code;
}

static int make_attribute (struct replay *r)
{
    hid_t object = larder_h5target_object (r->target, larder_h5in_u32 (&r->in));
    unsigned cset = larder_h5in_u8 (&r->in);
    hid_t type = -1, space = -1, attribute = -1;
    r->name = larder_h5in_text (&r->in);
    if (object >= 0 && !r->in.bad && cset < H5T_NCSET &&
        H5Pset_char_encoding (r->attributes, (H5T_cset_t)cset) >= 0 && (type = get_use (r)) >= 0)
        space = larder_h5space_get (&r->in);
    if (space >= 0)
        attribute = H5Acreate2 (object, r->name, type, space, r->attributes, H5P_DEFAULT);
    int code = attribute < 0 ? failed (r) : write_values (r, attribute, type, space);
    close_all (object, type, space, attribute);
    return code;
}

static int make_comment (struct replay *r)
{
    r->name = "a comment";
    hid_t object = larder_h5target_object (r->target, larder_h5in_u32 (&r->in));
    const char *text = larder_h5in_text (&r->in);
    int code = LARDER_OK;
    if (object < 0 || r->in.bad || H5Oset_comment (object, text) < 0)
        code = failed (r);
    close_all (object, -1, -1, -1);
    return code;
}

/* ------------------------------------------------------------------ the file */

static int make_file (struct replay *r)
{
    struct larder_h5target *target = r->target;
    hid_t list = H5Pcreate (H5P_FILE_CREATE), access = H5Pcreate (H5P_FILE_ACCESS);
    hsize_t user = 0;
    H5F_libver_t low = target->superblock >= 3
                           ? H5F_LIBVER_V110
                           : (target->superblock == 2 ? H5F_LIBVER_V18 : H5F_LIBVER_EARLIEST);
    r->name = "the file";
    /* The sink holds its own lock, and closes all or nothing. */
    if (list >= 0 && access >= 0 &&
        larder_h5props_get_file (&r->in, list, &target->stand_ins) == 0 &&
        H5Pget_userblock (list, &user) >= 0 && user / target->slab <= r->items &&
        H5Pset_file_locking (access, 0, 1) >= 0 &&
        H5Pset_fclose_degree (access, H5F_CLOSE_STRONG) >= 0 &&
        H5Pset_cache (access, 0, 521, LARDER_H5_CHUNK_CACHE, 1.0) >= 0 &&
        H5Pset_libver_bounds (access, low, H5F_LIBVER_LATEST) >= 0)
        target->file = H5Fcreate (target->path, H5F_ACC_TRUNC, list, access);
    int code = target->file < 0 ? failed (r) : LARDER_OK;
    target->user_bytes = user;
    hid_t root = target->file < 0 ? -1 : H5Gopen2 (target->file, "/", H5P_DEFAULT);
    if (code == LARDER_OK)
        code = root < 0 ? failed (r) : add_made (r, root, 0);
    close_all (list, access, root, -1);
    return code;
}

static int make_record (struct replay *r, unsigned kind)
{
    if ((kind == LARDER_H5_FILE) != (r->target->file < 0))
        return damaged (r);
    switch (kind) {
    case LARDER_H5_FILE:
        return make_file (r);
    case LARDER_H5_GROUP:
        return make_group (r);
    case LARDER_H5_TYPE:
        return make_type (r);
    case LARDER_H5_DATASET:
        return make_dataset (r);
    case LARDER_H5_HARD:
    case LARDER_H5_SOFT:
    case LARDER_H5_EXTERNAL:
        return make_link (r, (enum larder_h5record)kind);
    case LARDER_H5_ATTRIBUTE:
        return make_attribute (r);
    case LARDER_H5_COMMENT:
        return make_comment (r);
    default:
        return damaged (r);
    }
}

static int make_records (struct replay *r, struct larder_h5in *all)
{
    int code = LARDER_OK;
    while (larder_h5in_left (all) > 0 && code == LARDER_OK) {
        unsigned kind = larder_h5in_u8 (all);
        uint64_t length = larder_h5in_u64 (all);
        const uint8_t *body = larder_h5in_bytes (all, length);
        r->name = "a record";
        if (body == NULL)
            return damaged (r);
        r->in = (struct larder_h5in){body, body + length, 0};
        code = make_record (r, kind);
        if (code == LARDER_OK && (r->in.bad || r->in.at != r->in.end))
            code = damaged (r);
    }
    return code;
}

/* Held objects may go now: those with neither a link nor a user vanish. */
static void release_held (struct larder_h5target *target)
{
    for (size_t i = 0; i < target->mades; ++i)
        if (target->made[i].held >= 0) {
            (void)H5Idec_ref (target->made[i].held);
            target->made[i].held = -1;
        }
}

int larder_h5replay (struct larder_h5target *target, const void *bytes, size_t size,
                     larder_error *err)
{
    struct replay r = {.target = target, .name = "its head", .err = err};
    struct larder_h5in in = {bytes, (const uint8_t *)bytes + size, 0};
    const uint8_t *magic = larder_h5in_bytes (&in, 8);
    if (magic == NULL || memcmp (magic, LARDER_H5RECIPE_MAGIC, 8) != 0)
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "%s: what comes is not a selection of an HDF5 file", target->name);
    uint32_t version = larder_h5in_u32 (&in);
    if (version != LARDER_H5RECIPE_VERSION)
        return larder_error_set (err, LARDER_ENOTSUP, 0, "%s: recipe of version %u, not %d",
                                 target->name, version, LARDER_H5RECIPE_VERSION);
    target->superblock = (int)(larder_h5in_u32 (&in) & 0xff);
    uint64_t says = larder_h5in_u64 (&in), items = larder_h5in_u64 (&in);
    target->slab = larder_h5in_u64 (&in);
    r.items = items;
    if (size < LARDER_H5RECIPE_LEAST || says != size || target->slab == 0)
        return damaged (&r);
    struct larder_h5in tail = {in.end - LARDER_H5RECIPE_TAIL, in.end, 0};
    if (larder_h5in_u64 (&tail) != larder_h5wire_sum (bytes, size - LARDER_H5RECIPE_TAIL))
        return damaged (&r);
    in.end -= LARDER_H5RECIPE_TAIL;
    r.links = H5Pcreate (H5P_LINK_CREATE);
    r.attributes = H5Pcreate (H5P_ATTRIBUTE_CREATE);
    target->items = 1;
    int code = r.links < 0 || r.attributes < 0 ? failed (&r) : make_records (&r, &in);
    uint64_t users = target->user_bytes / target->slab + (target->user_bytes % target->slab != 0);
    target->items += users;
    if (code == LARDER_OK && (target->file < 0 || target->items != items))
        code = damaged (&r);
    release_held (target);
    close_all (r.links, r.attributes, -1, -1);
    return code;
}
