/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_h5source.h"
#include "larder_h5error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ the file */

static int open_file (struct larder_h5source *source, larder_error *err)
{
    /* Where the file system knows no locks, reading works nevertheless. */
    hid_t access = H5Pcreate (H5P_FILE_ACCESS);
    /* Chunks of packed values are read slab by slab: one should stay decoded. */
    if (access < 0 || H5Pset_file_locking (access, 1, 1) < 0 ||
        H5Pset_cache (access, 0, 521, LARDER_H5_CHUNK_CACHE, 1.0) < 0)
        return larder_h5error (err, LARDER_EHDF5, "%s", source->path);
    source->file = H5Fopen (source->path, H5F_ACC_RDONLY, access);
    int code = LARDER_OK;
    if (source->file < 0) {
        htri_t is = H5Fis_hdf5 (source->path);
        if (is == 0)
            code = larder_error_set (err, LARDER_EHDF5, 0, "%s is not an HDF5 file", source->path);
        else {
            source->file = H5Fopen (source->path, H5F_ACC_RDONLY, access);
            code = larder_h5error (err, LARDER_EHDF5, "%s", source->path);
        }
        if (err && strstr (err->text, "consistency flag"))
            code = larder_error_set (err, LARDER_EHDF5, 0,
                                     "%s was not closed by its writer (h5clear -s clears the "
                                     "mark); or send it as a file object",
                                     source->path);
    }
    (void)H5Pclose (access);
    return code;
}

static int look_at_file (struct larder_h5source *source, larder_error *err)
{
    H5F_info2_t info;
    size_t length = 0;
    hsize_t user = 0;
    hid_t list = H5Fget_create_plist (source->file);
    int good = list >= 0 && H5Fget_info2 (source->file, &info) >= 0 &&
               H5Pget_sizes (list, &source->address_bytes, &length) >= 0 &&
               H5Pget_userblock (list, &user) >= 0;
    if (list >= 0)
        (void)H5Pclose (list);
    if (!good)
        return larder_h5error (err, LARDER_EHDF5, "%s", source->path);
    if (source->address_bytes > sizeof (haddr_t) || length > sizeof (haddr_t))
        return larder_error_set (err, LARDER_ENOTSUP, 0,
                                 "%s has addresses of %zu bytes, more than this library handles",
                                 source->path, source->address_bytes);
    source->superblock = (int)info.super.version;
    source->user_bytes = user;
    return LARDER_OK;
}

int larder_h5source_open (struct larder_h5source *source, const char *path, larder_error *err)
{
    source->file = -1;
    source->path = strdup (path);
    if (source->path == NULL)
        return larder_error_set (err, LARDER_ENOMEM, 0, "%s: out of memory", path);
    if (stat (path, &source->state) != 0)
        return larder_error_set (err, errno == ENOENT ? LARDER_ENOENT : LARDER_EIO, errno, "%s: %s",
                                 path, strerror (errno));
    int code = open_file (source, err);
    return code == LARDER_OK ? look_at_file (source, err) : code;
}

int larder_h5source_check (const struct larder_h5source *source, larder_error *err)
{
    struct stat now;
    const struct stat *then = &source->state;
    if (stat (source->path, &now) == 0 && now.st_size == then->st_size &&
        now.st_ino == then->st_ino && now.st_dev == then->st_dev &&
        now.st_mtim.tv_sec == then->st_mtim.tv_sec && now.st_mtim.tv_nsec == then->st_mtim.tv_nsec)
        return LARDER_OK;
    return larder_error_set (err, LARDER_ESTALE, 0, "%s changed after it was offered",
                             source->path);
}

void larder_h5source_close (struct larder_h5source *source)
{
    if (source->file >= 0)
        (void)H5Fclose (source->file);
    larder_h5wants_free (&source->wants);
    larder_h5tree_free (&source->tree);
    larder_h5map_free (&source->numbers);
    for (size_t i = 0; i < source->sets; ++i)
        free (source->set[i].list);
    for (size_t i = 0; i < source->remarks; ++i)
        free (source->remark[i]);
    larder_h5out_free (&source->recipe);
    free (source->set);
    free (source->emitted);
    free (source->remark);
    free (source->path);
}

/* ------------------------------------------------------------------ remarks */

int larder_h5source_remark (struct larder_h5source *source, larder_error *err, const char *format,
                            ...)
{
    va_list args;
    char *text = NULL;
    va_start (args, format);
    int n = vasprintf (&text, format, args);
    va_end (args);
    char **grown = n < 0 ? NULL
                         : larder_h5grow (source->remark, source->remarks, &source->remark_room,
                                          sizeof *source->remark);
    if (grown == NULL) {
        if (n >= 0)
            free (text);
        return larder_error_set (err, LARDER_ENOMEM, 0, "%s: out of memory", source->path);
    }
    source->remark = grown;
    source->remark[source->remarks++] = text;
    return LARDER_OK;
}

int larder_h5source_remark_nulls (struct larder_h5source *source, uint64_t outside,
                                  uint64_t dangling, const char *where, larder_error *err)
{
    int code = LARDER_OK;
    if (outside)
        code = larder_h5source_remark (
            source, err, "%llu reference%s in %s point%s outside the selection; written as null",
            (unsigned long long)outside, outside == 1 ? "" : "s", where, outside == 1 ? "s" : "");
    if (dangling && code == LARDER_OK)
        code = larder_h5source_remark (
            source, err, "%llu reference%s in %s point%s to no object; written as null",
            (unsigned long long)dangling, dangling == 1 ? "" : "s", where,
            dangling == 1 ? "s" : "");
    return code;
}

/* ------------------------------------------------------------------ attributes */

int larder_h5source_values (hid_t attribute, const char *where, struct larder_h5values *values,
                            larder_error *err)
{
    memset (values, 0, sizeof *values);
    values->type = H5Aget_type (attribute);
    values->space = H5Aget_space (attribute);
    hssize_t n = values->space < 0 ? -1 : H5Sget_simple_extent_npoints (values->space);
    int code = LARDER_OK;
    if (values->type < 0 || n < 0) {
        code = larder_h5error (err, LARDER_EHDF5, "%s", where);
        goto done;
    }
    values->shape = larder_h5shape_new (values->type);
    if (values->shape == NULL) {
        code = larder_error_set (err, LARDER_ENOTSUP, 0, "%s: its type is not understood", where);
        goto done;
    }
    values->count = H5Sget_simple_extent_type (values->space) == H5S_NULL ? 0 : (uint64_t)n;
    size_t size = larder_h5shape_size (values->shape);
    if (values->count == 0)
        return LARDER_OK;
    values->data = values->count > SIZE_MAX / size ? NULL : calloc ((size_t)values->count, size);
    if (values->data == NULL) {
        code = larder_error_set (err, LARDER_ENOMEM, 0, "%s: out of memory", where);
    } else if (H5Aread (attribute, values->type, values->data) < 0) {
        code = larder_h5error (err, LARDER_EHDF5, "%s", where);
        free (values->data);
        values->data = NULL;
    }
done:
    if (code != LARDER_OK)
        larder_h5source_values_free (values);
    return code;
}

void larder_h5source_values_free (struct larder_h5values *values)
{
    if (values->data && !larder_h5shape_plain (values->shape))
        (void)H5Dvlen_reclaim (values->type, values->space, H5P_DEFAULT, values->data);
    free (values->data);
    larder_h5shape_free (values->shape);
    if (values->type >= 0)
        (void)H5Tclose (values->type);
    if (values->space >= 0)
        (void)H5Sclose (values->space);
    *values = (struct larder_h5values){-1, -1, NULL, 0, NULL};
}

static herr_t keep_name (hid_t object, const char *name, const H5A_info_t *info, void *data)
{
    struct larder_h5names *names = data;
    (void)object;
    (void)info;
    char **grown = larder_h5grow (names->name, names->count, &names->room, sizeof *grown);
    if (grown == NULL)
        return -1;
    names->name = grown;
    grown[names->count] = strdup (name);
    return grown[names->count] && ++names->count ? 0 : -1;
}

/* 1 when the order in which attributes were made is known. */
static int ordered (hid_t object)
{
    unsigned order = 0;
    hid_t list = -1;
    switch (H5Iget_type (object)) {
    case H5I_GROUP:
        list = H5Gget_create_plist (object);
        break;
    case H5I_DATASET:
        list = H5Dget_create_plist (object);
        break;
    default:
        list = H5Tget_create_plist (object);
    }
    if (list < 0)
        return 0;
    if (H5Pget_attr_creation_order (list, &order) < 0)
        order = 0;
    (void)H5Pclose (list);
    return (order & H5P_CRT_ORDER_TRACKED) != 0;
}

int larder_h5source_attributes (hid_t object, struct larder_h5names *names)
{
    hsize_t from = 0;
    H5_index_t by = H5_INDEX_NAME;
    H5_iter_order_t order = H5_ITER_NATIVE;
    memset (names, 0, sizeof *names);
    if (ordered (object)) {
        by = H5_INDEX_CRT_ORDER;
        order = H5_ITER_INC;
    }
    return H5Aiterate2 (object, by, order, &from, keep_name, names) < 0 ? -1 : 0;
}

void larder_h5source_names_free (struct larder_h5names *names)
{
    for (size_t i = 0; i < names->count; ++i)
        free (names->name[i]);
    free (names->name);
    memset (names, 0, sizeof *names);
}
