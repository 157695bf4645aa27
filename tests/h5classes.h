/* SPDX-License-Identifier: Apache-2.0 */
/* Files of each class that a selection has to carry: one small function makes one class. */
#ifndef H5CLASSES_H
#define H5CLASSES_H

#include "h5classes_data.h"
#include "h5classes_links.h"

struct h5class {
    const char *name;
    void (*make) (hid_t file);
    void (*create) (hid_t fcpl); /* NULL: as usual */
};

static const struct h5class h5classes[] = {
    {"filters", h5class_filters, NULL},
    {"mask", h5class_mask, NULL},
    {"plugins", h5class_plugins, NULL},
    {"holes", h5class_holes, NULL},
    {"sparse", h5class_sparse, NULL},
    {"layouts", h5class_layouts, NULL},
    {"types", h5class_types, NULL},
    {"variable", h5class_variable, NULL},
    {"committed", h5class_committed, NULL},
    {"objects", h5class_objects, NULL},
    {"regions", h5class_regions, NULL},
    {"links", h5class_links, h5create_order},
    {"attributes", h5class_attributes, NULL},
    {"virtual", h5class_virtual, NULL},
    {"sizes", h5class_objects, h5create_sizes},
    {"shared", h5class_attributes, h5create_shared},
    {"paged", h5class_filters, h5create_paged},
};
enum { H5CLASSES = sizeof h5classes / sizeof h5classes[0] };

/* Make the file of a class with a lowest library version.  Returns the number of failed calls. */
static inline int h5class_make (const struct h5class *c, const char *path, H5F_libver_t low)
{
    h5bad = 0;
    hid_t fcpl = H5Pcreate (H5P_FILE_CREATE), fapl = H5Pcreate (H5P_FILE_ACCESS);
    if (c->create)
        c->create (fcpl);
    H5 (H5Pset_libver_bounds (fapl, low, H5F_LIBVER_LATEST));
    hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, fcpl, fapl);
    H5 (file);
    c->make (file);
    H5 (H5Fclose (file));
    H5 (H5Pclose (fcpl));
    H5 (H5Pclose (fapl));
    return h5bad;
}

#endif
