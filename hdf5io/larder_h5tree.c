/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_h5tree.h"
#include "larder_h5error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one group gives while it is read. */
struct reading {
    struct larder_h5tree *tree;
    uint32_t parent;
    int memory; /* ran out */
};

/* ------------------------------------------------------------------ adding */

static uint32_t add_object (struct larder_h5tree *tree, haddr_t address, uint32_t link)
{
    struct larder_h5object *grown =
        larder_h5grow (tree->object, tree->objects, &tree->object_room, sizeof *tree->object);
    if (grown == NULL || tree->objects >= LARDER_H5MAP_NONE ||
        larder_h5map_set (&tree->numbers, address, (uint32_t)tree->objects) != 0) {
        tree->object = grown ? grown : tree->object;
        return LARDER_H5MAP_NONE;
    }
    tree->object = grown;
    tree->object[tree->objects] = (struct larder_h5object){address, link, H5O_TYPE_UNKNOWN, 0};
    return (uint32_t)tree->objects++;
}

static struct larder_h5link *add_link (struct larder_h5tree *tree, uint32_t parent,
                                       const char *name, const H5L_info_t *info)
{
    struct larder_h5link *grown =
        larder_h5grow (tree->link, tree->links, &tree->link_room, sizeof *tree->link);
    if (grown == NULL || tree->links >= LARDER_H5MAP_NONE)
        return NULL;
    tree->link = grown;
    struct larder_h5link *link = &grown[tree->links];
    memset (link, 0, sizeof *link);
    link->parent = parent;
    link->target = LARDER_H5MAP_NONE;
    link->type = info->type;
    link->cset = info->cset;
    link->name = strdup (name);
    if (link->name == NULL)
        return NULL;
    ++tree->links;
    return link;
}

static int add_hard (struct larder_h5tree *tree, uint32_t parent, const char *name,
                     const H5L_info_t *info, haddr_t address)
{
    struct larder_h5link *link = add_link (tree, parent, name, info);
    if (link == NULL)
        return -1;
    link->type = H5L_TYPE_HARD;
    link->target = larder_h5map_find (&tree->numbers, address);
    if (link->target == LARDER_H5MAP_NONE) {
        uint32_t target = add_object (tree, address, (uint32_t)(tree->links - 1));
        tree->link[tree->links - 1].target = target;
        return target == LARDER_H5MAP_NONE ? -1 : 0;
    }
    return 0;
}

/* ------------------------------------------------------------------ one group */

static herr_t every_link (hid_t group, const char *name, const H5L_info_t *info, void *data)
{
    struct reading *r = data;
    (void)group;
    int code = info->type == H5L_TYPE_HARD
                   ? add_hard (r->tree, r->parent, name, info, info->u.address)
                   : (add_link (r->tree, r->parent, name, info) ? 0 : -1);
    r->memory = r->memory || code != 0;
    return code;
}

static int read_all (struct reading *r, hid_t group)
{
    unsigned order = 0;
    hid_t list = H5Gget_create_plist (group);
    if (list < 0 || H5Pget_link_creation_order (list, &order) < 0)
        return -1;
    (void)H5Pclose (list);
    H5_index_t by = order & H5P_CRT_ORDER_TRACKED ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
    return H5Literate (group, by, H5_ITER_INC, NULL, every_link, r) < 0 ? -1 : 0;
}

/* A wanted link with its place in the order of creation. */
struct ordered {
    const struct larder_h5want_link *want;
    H5L_info_t info;
};

static int by_order (const void *a, const void *b)
{
    const struct ordered *x = a, *y = b;
    if (x->info.corder_valid && y->info.corder_valid && x->info.corder != y->info.corder)
        return x->info.corder < y->info.corder ? -1 : 1;
    return strcmp (x->want->name, y->want->name);
}

static int read_some (struct reading *r, hid_t group, const struct larder_h5want_link *want,
                      size_t count)
{
    struct ordered *some = calloc (count + 1, sizeof *some);
    int code = some ? 0 : -1;
    r->memory = r->memory || some == NULL;
    for (size_t i = 0; i < count && code == 0; ++i) {
        some[i].want = &want[i];
        if (H5Lget_info (group, want[i].name, &some[i].info, H5P_DEFAULT) < 0)
            code = -1;
    }
    if (code == 0)
        qsort (some, count, sizeof *some, by_order);
    for (size_t i = 0; i < count && code == 0; ++i) {
        const H5L_info_t *info = &some[i].info;
        if (some[i].want->follow != HADDR_UNDEF)
            code = add_hard (r->tree, r->parent, some[i].want->name, info, some[i].want->follow);
        else
            code = every_link (group, some[i].want->name, info, r);
        r->memory = r->memory || code != 0;
    }
    free (some);
    return code;
}

/* What soft and external links say; other classes only their own library understands. */
static int read_values (struct reading *r, hid_t group, size_t first, int strict, larder_error *err)
{
    struct larder_h5tree *tree = r->tree;
    char path[256];
    for (size_t i = first; i < tree->links; ++i) {
        struct larder_h5link *link = &tree->link[i];
        H5L_info_t info;
        if (link->type == H5L_TYPE_HARD)
            continue;
        if (link->type != H5L_TYPE_SOFT && link->type != H5L_TYPE_EXTERNAL) {
            if (strict)
                return larder_error_set (
                    err, LARDER_ENOTSUP, 0,
                    "link %s has class %d, which only its own library understands",
                    larder_h5tree_path (tree, r->parent, link->name, path, sizeof path),
                    (int)link->type);
            continue;
        }
        if (H5Lget_info (group, link->name, &info, H5P_DEFAULT) < 0)
            return larder_h5error (err, LARDER_EHDF5, "link %s", link->name);
        link->value = calloc (1, info.u.val_size + 1);
        link->size = info.u.val_size;
        if (link->value == NULL)
            return larder_error_set (err, LARDER_ENOMEM, 0, "link %s: out of memory", link->name);
        if (H5Lget_val (group, link->name, link->value, info.u.val_size, H5P_DEFAULT) < 0)
            return larder_h5error (err, LARDER_EHDF5, "link %s", link->name);
    }
    return LARDER_OK;
}

static int read_group (struct larder_h5tree *tree, uint32_t number, hid_t group,
                       const struct larder_h5wants *wants, int strict, larder_error *err)
{
    struct reading r = {tree, number, 0};
    size_t first = tree->links, count = 0;
    const struct larder_h5want_link *some =
        wants ? larder_h5wants_links (wants, tree->object[number].address, &count) : NULL;
    char path[256];
    if ((some ? read_some (&r, group, some, count) : read_all (&r, group)) != 0) {
        larder_h5tree_path (tree, number, NULL, path, sizeof path);
        if (r.memory)
            return larder_error_set (err, LARDER_ENOMEM, 0, "group %s: out of memory", path);
        return larder_h5error (err, LARDER_EHDF5, "group %s", path);
    }
    return read_values (&r, group, first, strict, err);
}

/* ------------------------------------------------------------------ the walk */

static int read_object (struct larder_h5tree *tree, uint32_t number, hid_t file,
                        const struct larder_h5wants *wants, int strict, larder_error *err)
{
    char path[256];
    hid_t object = H5Oopen_by_addr (file, tree->object[number].address);
    if (object < 0)
        return larder_h5error (err, LARDER_EHDF5, "object %s",
                               larder_h5tree_path (tree, number, NULL, path, sizeof path));
    int code = LARDER_OK;
    switch (H5Iget_type (object)) {
    case H5I_GROUP:
        tree->object[number].type = H5O_TYPE_GROUP;
        code = read_group (tree, number, object, wants, strict, err);
        break;
    case H5I_DATASET:
        tree->object[number].type = H5O_TYPE_DATASET;
        break;
    case H5I_DATATYPE:
        tree->object[number].type = H5O_TYPE_NAMED_DATATYPE;
        break;
    default:
        code = larder_error_set (err, LARDER_ENOTSUP, 0,
                                 "object %s is neither a group nor a dataset nor a type",
                                 larder_h5tree_path (tree, number, NULL, path, sizeof path));
    }
    (void)H5Oclose (object);
    return code;
}

int larder_h5tree_walk (struct larder_h5tree *tree, hid_t file, const struct larder_h5wants *wants,
                        int strict, larder_error *err)
{
    H5O_info_t info;
    memset (tree, 0, sizeof *tree);
    if (H5Oget_info2 (file, &info, H5O_INFO_BASIC) < 0)
        return larder_h5error (err, LARDER_EHDF5, "the root group");
    if (add_object (tree, info.addr, LARDER_H5MAP_NONE) == LARDER_H5MAP_NONE)
        return larder_error_set (err, LARDER_ENOMEM, 0, "out of memory");
    /* Objects are appended as they are found, so this is breadth first and needs no recursion. */
    int code = LARDER_OK;
    for (uint32_t i = 0; i < tree->objects && code == LARDER_OK; ++i)
        code = read_object (tree, i, file, wants, strict, err);
    if (code != LARDER_OK)
        larder_h5tree_free (tree);
    return code;
}

void larder_h5tree_free (struct larder_h5tree *tree)
{
    for (size_t i = 0; i < tree->links; ++i) {
        free (tree->link[i].name);
        free (tree->link[i].value);
    }
    free (tree->link);
    free (tree->object);
    larder_h5map_free (&tree->numbers);
    memset (tree, 0, sizeof *tree);
}

char *larder_h5tree_path (const struct larder_h5tree *tree, uint32_t object, const char *name,
                          char *path, size_t room)
{
    size_t at = room - 1;
    path[at] = 0;
    int more = 1;
    while (more) {
        if (name) {
            size_t n = strlen (name);
            if (n + 4 > at) {
                memcpy (path, "...", 3);
                memmove (path + 3, path + at, room - at);
                return path;
            }
            memcpy (path + at - n, name, n);
            at -= n;
            path[--at] = '/';
        }
        uint32_t link = tree->object[object].link;
        more = link != LARDER_H5MAP_NONE;
        name = more ? tree->link[link].name : NULL;
        object = more ? tree->link[link].parent : object;
    }
    if (path[at] == 0)
        path[--at] = '/';
    memmove (path, path + at, room - at);
    return path;
}
