/* SPDX-License-Identifier: Apache-2.0 */
/* The names of a group's links or of an object's attributes: in the order of their creation where
 * that is kept, else sorted.  (The numbers of that order cannot be compared: what was deleted left
 * gaps that no other file can have.) */
#define _GNU_SOURCE
#include "larder_h5compare.h"

#include <stdlib.h>
#include <string.h>

void larder_h5compare_names_free (struct larder_h5compare_names *names)
{
    for (size_t i = 0; i < names->count; ++i)
        free (names->name[i]);
    free (names->name);
    memset (names, 0, sizeof *names);
}

int larder_h5compare_names_add (struct larder_h5compare_names *names, const char *name)
{
    if (names->count == names->capacity) {
        size_t capacity = names->capacity ? 2 * names->capacity : 32;
        char **grown = realloc (names->name, capacity * sizeof *grown);
        if (!grown) {
            names->failed = 1;
            return -1;
        }
        names->name = grown;
        names->capacity = capacity;
    }
    names->name[names->count] = strdup (name);
    if (!names->name[names->count]) {
        names->failed = 1;
        return -1;
    }
    ++names->count;
    return 0;
}

static herr_t on_link (hid_t group, const char *name, const H5L_info_t *info, void *data)
{
    (void)group;
    (void)info;
    return larder_h5compare_names_add (data, name);
}

static herr_t on_attribute (hid_t object, const char *name, const H5A_info_t *info, void *data)
{
    (void)object;
    (void)info;
    return larder_h5compare_names_add (data, name);
}

int larder_h5compare_names_links (struct larder_h5compare_names *names, hid_t group)
{
    unsigned order = 0;
    hid_t list = H5Gget_create_plist (group);
    herr_t ok = list < 0 ? -1 : H5Pget_link_creation_order (list, &order);
    if (list >= 0)
        ok = H5Pclose (list) < 0 ? -1 : ok;
    H5_index_t index = order & H5P_CRT_ORDER_TRACKED ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
    return ok < 0 ? -1 : H5Literate (group, index, H5_ITER_INC, NULL, on_link, names);
}

static hid_t create_list (hid_t object)
{
    switch (H5Iget_type (object)) {
    case H5I_GROUP:
        return H5Gget_create_plist (object);
    case H5I_DATASET:
        return H5Dget_create_plist (object);
    case H5I_DATATYPE:
        return H5Tget_create_plist (object);
    default:
        return H5I_INVALID_HID;
    }
}

int larder_h5compare_names_attributes (struct larder_h5compare_names *names, hid_t object)
{
    unsigned order = 0;
    hid_t list = create_list (object);
    herr_t ok = list < 0 ? -1 : H5Pget_attr_creation_order (list, &order);
    if (list >= 0)
        ok = H5Pclose (list) < 0 ? -1 : ok;
    H5_index_t index = order & H5P_CRT_ORDER_TRACKED ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
    return ok < 0 ? -1 : H5Aiterate2 (object, index, H5_ITER_INC, NULL, on_attribute, names);
}
