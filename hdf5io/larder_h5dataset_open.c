/* SPDX-License-Identifier: Apache-2.0 */
/* One dataset as an object: opening it, and cutting it into cells. */
#define _GNU_SOURCE
#include "larder_h5dataset.h"

#include "larder_h5error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* A grid beyond this is not worth items: their list alone would take seconds and more. */
#define GRID UINT64_C (10000000)

/* A descriptor of the file: another dataset's, or one of its own. */
static int open_from (struct larder_h5dataset_object *s, const char *file,
                      struct larder_h5dataset_file *beside, larder_error *err)
{
    struct stat now;
    if (beside && stat (file, &now) == 0 && now.st_dev == beside->state.st_dev &&
        now.st_ino == beside->state.st_ino && larder_h5dataset_same_state (&now, &beside->state)) {
        s->from = beside;
        ++beside->users;
        return LARDER_OK;
    }
    s->from = calloc (1, sizeof *s->from);
    if (!s->from)
        return larder_error_set (err, LARDER_ENOMEM, 0, "dataset %s: no memory", s->name);
    s->from->users = 1;
    s->from->fd = open (file, O_RDONLY | O_CLOEXEC);
    if (s->from->fd < 0 || fstat (s->from->fd, &s->from->state) != 0)
        return larder_error_set (err, errno == ENOENT ? LARDER_ENOENT : LARDER_EIO, errno,
                                 "file %s: %s", file, strerror (errno));
    return LARDER_OK;
}

static int open_dataset (struct larder_h5dataset_object *s, const char *file, const char *dataset,
                         larder_error *err)
{
    hid_t list = H5Pcreate (H5P_FILE_ACCESS);
    if (list < 0 || H5Pset_fapl_sec2 (list) < 0)
        return larder_h5dataset_fail (s, err, "making an access list");
    s->file = H5Fopen (file, H5F_ACC_RDONLY, list);
    int rc =
        s->file < 0 ? larder_h5error (err, LARDER_EHDF5, "file %s: cannot open", file) : LARDER_OK;
    if (H5Pclose (list) < 0 && !rc)
        rc = larder_h5dataset_fail (s, err, "closing an access list");
    if (rc)
        return rc;
    hid_t id = H5Oopen (s->file, dataset, H5P_DEFAULT);
    if (id < 0)
        return larder_h5error (err, LARDER_ENOENT, "dataset %s: not there", s->name);
    if (H5Iget_type (id) != H5I_DATASET) {
        (void)H5Oclose (id);
        return larder_error_set (err, LARDER_ENOENT, 0, "%s: is no dataset", s->name);
    }
    s->id = id;
    return LARDER_OK;
}

/* Cut the dataset into cells. */
static int lay_out (struct larder_h5dataset_object *s, uint64_t slab_size, larder_error *err)
{
    struct larder_h5describe *d = &s->d;
    const char *why = larder_h5describe_reason (d->type);
    if (why)
        return larder_error_set (err, LARDER_ENOTSUP, 0,
                                 "dataset %s: holds %s, which have no meaning outside of the file",
                                 s->name, why);
    if (!d->chunked)
        larder_h5box_shape (d->rank, d->dims, slab_size / d->element, d->shape);
    H5S_class_t kind = H5Sget_simple_extent_type (d->space);
    if (kind == H5S_NO_CLASS)
        return larder_h5dataset_fail (s, err, "reading its space");
    d->cells = kind == H5S_NULL ? 0 : larder_h5box_boxes (d->rank, d->dims, d->shape);
    if (d->chunked && d->cells > GRID)
        return larder_error_set (err, LARDER_ENOTSUP, 0,
                                 "dataset %s: its grid of chunks has %llu places, too many to be "
                                 "items",
                                 s->name, (unsigned long long)d->cells);
    if (d->cells > UINT64_MAX / 2 || (d->cells && larder_h5describe_cell_bytes (d) == 0))
        return larder_error_set (err, LARDER_ENOTSUP, 0, "dataset %s: too large for memory",
                                 s->name);
    if (d->chunked && d->filters == 0 && d->cells) {
        s->said = calloc ((size_t)d->cells, 1);
        if (!s->said)
            return larder_error_set (err, LARDER_ENOMEM, 0, "dataset %s: no memory", s->name);
    }
    return LARDER_OK;
}

/* Where contiguous data lies in this very file. */
static int find_data (struct larder_h5dataset_object *s, larder_error *err)
{
    hid_t list = H5Dget_create_plist (s->id);
    if (list < 0)
        return larder_h5dataset_fail (s, err, "reading its creation properties");
    H5D_layout_t layout = H5Pget_layout (list);
    int external = layout == H5D_CONTIGUOUS ? H5Pget_external_count (list) : 0;
    int rc = layout < 0 || external < 0 ? larder_h5dataset_fail (s, err, "reading its layout")
                                        : LARDER_OK;
    if (!rc && layout == H5D_CONTIGUOUS && external == 0) {
        /* H5Dget_offset adds the user block to "undefined", so ask first. */
        H5D_space_status_t status = H5D_SPACE_STATUS_ERROR;
        if (H5Dget_space_status (s->id, &status) < 0)
            rc = larder_h5dataset_fail (s, err, "reading its space status");
        haddr_t at = status == H5D_SPACE_STATUS_ALLOCATED ? H5Dget_offset (s->id) : HADDR_UNDEF;
        s->direct = at != HADDR_UNDEF && at <= INT64_MAX;
        s->place = s->direct ? (off_t)at : 0;
    }
    if (H5Pclose (list) < 0 && !rc)
        rc = larder_h5dataset_fail (s, err, "closing its properties");
    return rc;
}

static int open_all (struct larder_h5dataset_object *s, const char *file, const char *dataset,
                     uint64_t slab_size, struct larder_h5dataset_file *beside, larder_error *err)
{
    int rc = open_from (s, file, beside, err);
    if (!rc)
        rc = open_dataset (s, file, dataset, err);
    if (!rc)
        rc = larder_h5describe_dataset (&s->d, s->id, s->name, err);
    if (!rc)
        rc = lay_out (s, slab_size, err);
    if (!rc)
        rc = find_data (s, err);
    if (!rc)
        rc = larder_h5describe_encode (&s->d, s->name, &s->description, &s->description_size, err);
    return rc;
}

int larder_h5dataset_make (const char *file, const char *dataset, uint64_t slab_size,
                           const larder_object *beside, larder_object *object, larder_error *err)
{
    struct larder_h5dataset_object *s = calloc (1, sizeof *s);
    if (!s)
        return larder_error_set (err, LARDER_ENOMEM, 0, "dataset %s: no memory", dataset);
    s->file = s->id = s->d.type = s->d.space = H5I_INVALID_HID;
    s->scratch_item = UINT64_MAX;
    size_t room = strlen (file) + strlen (dataset) + 5;
    s->name = malloc (room);
    if (!s->name) {
        free (s);
        return larder_error_set (err, LARDER_ENOMEM, 0, "dataset %s: no memory", dataset);
    }
    (void)stpcpy (stpcpy (stpcpy (s->name, dataset), " of "), file);
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    struct larder_h5dataset_object *other = beside ? beside->self : NULL;
    int rc = open_all (s, file, dataset, slab_size, other ? other->from : NULL, err);
    larder_h5error_loud (&quiet);
    if (rc) {
        larder_h5dataset_ops.release (s);
        return rc;
    }
    *object = (larder_object){.ops = &larder_h5dataset_ops, .self = s, .name = s->name};
    return LARDER_OK;
}

int larder_h5_dataset_object (const char *file, const char *dataset, uint64_t slab_size,
                              larder_object *object, larder_error *err)
{
    if (!file || !dataset || !object || slab_size < 1)
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "larder_h5_dataset_object: invalid argument");
    return larder_h5dataset_make (file, dataset, slab_size, NULL, object, err);
}
