/* SPDX-License-Identifier: Apache-2.0 */
/* Creation properties of files, groups, types and datasets as bytes.  Property by property, not
 * H5Pencode: that drops filter names and root properties, and H5Pdecode trusts its bytes. */
#ifndef LARDER_H5PROPS_H
#define LARDER_H5PROPS_H

#include "larder_h5pack.h"
#include "larder_h5wire.h"
#include <hdf5.h>

/* What any object has: attribute creation order, tracked times.  -1: HDF5 failed. */
int larder_h5props_put_object (struct larder_h5out *out, hid_t list);
int larder_h5props_get_object (struct larder_h5in *in, hid_t list);

/* The filters of a list, by themselves.  Getting registers stand-ins for those that are not here
 * and appends their numbers to stand_in. */
struct larder_h5standins {
    H5Z_filter_t *id;
    size_t count, room;
};
int larder_h5props_put_filters (struct larder_h5out *out, hid_t list);
int larder_h5props_get_filters (struct larder_h5in *in, hid_t list, struct larder_h5standins *s);

/* A group's, those of any object included. */
int larder_h5props_put_group (struct larder_h5out *out, hid_t list);
int larder_h5props_get_group (struct larder_h5in *in, hid_t list, struct larder_h5standins *s);

/* A file's, and those of its root group, which the file's own list lacks. */
int larder_h5props_put_file (struct larder_h5out *out, hid_t file);
int larder_h5props_get_file (struct larder_h5in *in, hid_t list, struct larder_h5standins *s);

/* A dataset's.  Data in external files becomes contiguous. */
int larder_h5props_put_dataset (struct larder_h5out *out, hid_t list, hid_t type,
                                const struct larder_h5shape *shape,
                                const struct larder_h5refs *refs);
/* Its fill value alone. */
int larder_h5props_put_fill (struct larder_h5out *out, hid_t list, hid_t type,
                             const struct larder_h5shape *shape, const struct larder_h5refs *refs);
int larder_h5props_get_dataset (struct larder_h5in *in, hid_t list, hid_t type,
                                const struct larder_h5shape *shape,
                                const struct larder_h5refs *refs, struct larder_h5standins *s);

#endif
