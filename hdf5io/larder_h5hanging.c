/* SPDX-License-Identifier: Apache-2.0 */
/* Records of what hangs on objects: attributes and comments. */
#include "larder_h5error.h"
#include "larder_h5record.h"
#include "larder_h5space.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ attributes */

/* Entries of REFERENCE_LIST whose dataset is not selected are dropped, not made null: tools open
 * all of them.  1: something was dropped. */
static int trim (struct larder_h5source *source, struct larder_h5values *values)
{
    size_t size = larder_h5shape_size (values->shape);
    uint8_t *entry = values->data;
    uint64_t kept = 0;
    if (H5Tget_class (values->type) != H5T_COMPOUND ||
        H5Tget_member_offset (values->type, 0) != 0 ||
        H5Tget_member_class (values->type, 0) != H5T_REFERENCE ||
        H5Sget_simple_extent_ndims (values->space) != 1)
        return 0;
    for (uint64_t i = 0; i < values->count; ++i) {
        int dangling;
        haddr_t address = larder_h5source_target (source, 0, entry + i * size, &dangling);
        if (address != HADDR_UNDEF &&
            larder_h5map_find (&source->numbers, address) == LARDER_H5MAP_NONE)
            continue;
        memmove (entry + kept * size, entry + i * size, size);
        ++kept;
    }
    if (kept == values->count)
        return 0;
    hsize_t dim = kept;
    if (kept && H5Sset_extent_simple (values->space, 1, &dim, NULL) < 0)
        return 0;
    values->count = kept;
    return 1;
}

static int put_values (struct larder_h5source *source, const struct larder_h5values *values,
                       const char *where, larder_error *err)
{
    const struct larder_h5refs refs = larder_h5source_refs (source);
    source->outside = source->dangling = 0;
    if (larder_h5space_put (&source->recipe, values->space) != 0 ||
        larder_h5pack (values->shape, values->data, values->count, &refs, &source->recipe) != 0)
        return larder_h5error (err, LARDER_EHDF5, "%s", where);
    return larder_h5source_remark_nulls (source, source->outside, source->dangling, where, err);
}

static int put_attribute (struct larder_h5source *source, uint32_t object, hid_t attribute,
                          const char *name, const char *where, larder_error *err)
{
    struct larder_h5values values;
    uint32_t number = LARDER_H5MAP_NONE;
    H5A_info_t info;
    if (H5Aget_info (attribute, &info) < 0)
        return larder_h5error (err, LARDER_EHDF5, "%s", where);
    int code = larder_h5source_values (attribute, where, &values, err);
    if (code != LARDER_OK)
        return code;
    if (source->wants && strcmp (name, "REFERENCE_LIST") == 0 && trim (source, &values) &&
        values.count == 0)
        goto done; /* an empty list is none */
    code = larder_h5record_type (source, values.type, where, &number, err);
    if (code != LARDER_OK)
        goto done;
    size_t from = larder_h5record_begin (source, LARDER_H5_ATTRIBUTE);
    larder_h5out_u32 (&source->recipe, object);
    larder_h5out_u8 (&source->recipe, (unsigned)info.cset);
    larder_h5out_text (&source->recipe, name);
    code = larder_h5record_use (source, values.type, number, where, err);
    if (code == LARDER_OK)
        code = put_values (source, &values, where, err);
    if (code == LARDER_OK)
        code = larder_h5record_end (source, from, err);
done:
    larder_h5source_values_free (&values);
    return code;
}

static int put_comment (struct larder_h5source *source, uint32_t number, hid_t object,
                        const char *where, larder_error *err)
{
    ssize_t n = H5Oget_comment (object, NULL, 0);
    if (n == 0)
        return LARDER_OK;
    char *text = n < 0 ? NULL : calloc (1, (size_t)n + 1);
    int code = LARDER_OK;
    if (text == NULL || H5Oget_comment (object, text, (size_t)n + 1) < 0) {
        code = larder_h5error (err, LARDER_EHDF5, "comment of %s", where);
    } else {
        size_t from = larder_h5record_begin (source, LARDER_H5_COMMENT);
        larder_h5out_u32 (&source->recipe, number);
        larder_h5out_text (&source->recipe, text);
        code = larder_h5record_end (source, from, err);
    }
    free (text);
    return code;
}

/* What hangs on an object.  Groups that are only the way to something come without. */
int larder_h5hanging (struct larder_h5source *source, uint32_t number, larder_error *err)
{
    const struct larder_h5emitted *e = &source->emitted[number];
    struct larder_h5names names = {NULL, 0, 0};
    char where[512] = "a committed type without a name", *at = where;
    if (source->wants && e->object != LARDER_H5MAP_NONE &&
        source->tree.object[e->object].type == H5O_TYPE_GROUP &&
        !larder_h5wants_all (source->wants, e->address))
        return LARDER_OK;
    if (e->object != LARDER_H5MAP_NONE)
        at = larder_h5tree_path (&source->tree, e->object, NULL, where, 256);
    size_t room = sizeof where - strlen (at);
    hid_t object = H5Oopen_by_addr (source->file, e->address);
    if (object < 0)
        return larder_h5error (err, LARDER_EHDF5, "object %s", where);
    int code = put_comment (source, number, object, where, err);
    if (code == LARDER_OK && larder_h5source_attributes (object, &names) != 0)
        code = larder_h5error (err, LARDER_EHDF5, "attributes of %s", where);
    size_t length = strlen (where);
    for (size_t i = 0; i < names.count && code == LARDER_OK; ++i) {
        strncpy (where + length, "@", room);
        strncat (where, names.name[i], room - 2);
        hid_t attribute = H5Aopen (object, names.name[i], H5P_DEFAULT);
        if (attribute < 0)
            code = larder_h5error (err, LARDER_EHDF5, "attribute %s", where);
        else
            code = put_attribute (source, number, attribute, names.name[i], where, err);
        if (attribute >= 0)
            (void)H5Aclose (attribute);
    }
    larder_h5source_names_free (&names);
    (void)H5Oclose (object);
    return code;
}
