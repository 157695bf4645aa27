/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_h5record.h"
#include "larder_h5error.h"
#include "larder_h5props.h"
#include "larder_h5type.h"

/* ------------------------------------------------------------------ records */

size_t larder_h5record_begin (struct larder_h5source *source, enum larder_h5record kind)
{
    larder_h5out_u8 (&source->recipe, kind);
    larder_h5out_u64 (&source->recipe, 0);
    return source->recipe.size;
}

int larder_h5record_end (struct larder_h5source *source, size_t from, larder_error *err)
{
    if (source->recipe.failed)
        return larder_error_set (err, LARDER_ENOMEM, 0, "recipe of %s: out of memory",
                                 source->path);
    larder_h5out_set_u64 (&source->recipe, from - 8, source->recipe.size - from);
    return LARDER_OK;
}

/* Give the next number to an object. */
int larder_h5record_emit (struct larder_h5source *source, haddr_t address, uint32_t object,
                          larder_error *err)
{
    struct larder_h5emitted *grown =
        larder_h5grow (source->emitted, source->emits, &source->emit_room, sizeof *source->emitted);
    source->emitted = grown ? grown : source->emitted;
    if (grown == NULL || source->emits >= LARDER_H5MAP_NONE ||
        larder_h5map_set (&source->numbers, address, (uint32_t)source->emits) != 0)
        return larder_error_set (err, LARDER_ENOMEM, 0, "recipe of %s: out of memory",
                                 source->path);
    source->emitted[source->emits++] = (struct larder_h5emitted){address, object};
    return LARDER_OK;
}

int larder_h5record_headers (struct larder_h5source *source, hid_t object)
{
    H5O_info_t info;
    if (H5Oget_info2 (object, &info, H5O_INFO_HDR) < 0)
        return -1;
    unsigned newest = source->superblock >= 3 ? LARDER_H5_V110 : LARDER_H5_V18;
    larder_h5out_u8 (&source->recipe, info.hdr.version >= 2 ? newest : LARDER_H5_EARLIEST);
    return 0;
}

/* ------------------------------------------------------------------ types */

static int put_type (struct larder_h5source *source, hid_t type, const char *where,
                     larder_error *err)
{
    size_t from = source->recipe.size;
    if (larder_h5type_put (&source->recipe, type) == 0 &&
        larder_h5type_kept (&source->recipe, from, type))
        return LARDER_OK;
    return larder_error_set (err, LARDER_ENOTSUP, 0, "%s has a type that cannot be rebuilt", where);
}

/* The number of a committed type, made now if this is its first use; NONE: not committed. */
int larder_h5record_type (struct larder_h5source *source, hid_t type, const char *where,
                          uint32_t *number, larder_error *err)
{
    H5O_info_t info;
    htri_t committed = H5Tcommitted (type);
    *number = LARDER_H5MAP_NONE;
    if (committed == 0)
        return LARDER_OK;
    if (committed < 0 || H5Oget_info2 (type, &info, H5O_INFO_BASIC) < 0)
        return larder_h5error (err, LARDER_EHDF5, "type of %s", where);
    *number = larder_h5map_find (&source->numbers, info.addr);
    if (*number != LARDER_H5MAP_NONE)
        return LARDER_OK;
    size_t from = larder_h5record_begin (source, LARDER_H5_TYPE);
    hid_t list = H5Tget_create_plist (type);
    int code = LARDER_OK;
    if (list < 0 || larder_h5record_headers (source, type) != 0)
        code = larder_h5error (err, LARDER_EHDF5, "type of %s", where);
    if (code == LARDER_OK)
        code = put_type (source, type, where, err);
    if (code == LARDER_OK && larder_h5props_put_object (&source->recipe, list) != 0)
        code = larder_h5error (err, LARDER_EHDF5, "type of %s", where);
    if (list >= 0)
        (void)H5Pclose (list);
    if (code == LARDER_OK)
        code = larder_h5record_end (source, from, err);
    *number = (uint32_t)source->emits;
    if (code == LARDER_OK)
        code = larder_h5record_emit (source, info.addr,
                                     larder_h5map_find (&source->tree.numbers, info.addr), err);
    return code;
}

int larder_h5record_use (struct larder_h5source *source, hid_t type, uint32_t number,
                         const char *where, larder_error *err)
{
    larder_h5out_u8 (&source->recipe, number != LARDER_H5MAP_NONE);
    if (number == LARDER_H5MAP_NONE)
        return put_type (source, type, where, err);
    larder_h5out_u32 (&source->recipe, number);
    return LARDER_OK;
}
