/* SPDX-License-Identifier: Apache-2.0 */
/* HDF5 datasets as values of messages: what the handler says of one, natively and by reference. */
#include "larder_h5dataset.h"
#include "larder_h5decode.h"
#include "larder_h5error.h"
#include "larder_h5native.h"
#include "larder_h5read.h"
#include "larder_h5receive.h"
#include "larder_h5several.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SLAB (UINT64_C (1) << 20)

struct larder_h5_value {
    struct larder_h5value_kind kind; /* first: handler functions know it by that */
    uint64_t slab_size;
    char *dataset;
    char file[];
};

/* ---------------------------------------------------------------- values */

int larder_h5_value_new (const char *file, const char *dataset, uint64_t slab_size,
                         larder_h5_value **value, larder_error *err)
{
    if (!file || !dataset || !value)
        return larder_error_set (err, LARDER_EINVAL, 0, "larder_h5_value_new: invalid argument");
    size_t a = strlen (file) + 1, b = strlen (dataset) + 1;
    larder_h5_value *v = malloc (sizeof *v + a + b);
    if (!v)
        return larder_error_set (err, LARDER_ENOMEM, 0, "dataset %s of %s: no memory", dataset,
                                 file);
    v->kind.is = LARDER_H5VALUE_FILE;
    v->slab_size = slab_size ? slab_size : SLAB;
    memcpy (v->file, file, a);
    v->dataset = memcpy (v->file + a, dataset, b);
    *value = v;
    return LARDER_OK;
}

void larder_h5_value_free (void *value)
{
    free (value);
}

/* NULL: there is none, or it is a placeholder. */
static const larder_h5_value *in_file (const void *value, larder_error *err)
{
    const larder_h5_value *v = value;
    if (v && v->kind.is == LARDER_H5VALUE_FILE)
        return v;
    (void)larder_error_set (err, LARDER_ENOTSUP, 0,
                            v ? "a placeholder of a dataset has no data of its own here"
                              : "a dataset's value is NULL");
    return NULL;
}

/* ---------------------------------------------------------------- what it is */

/* Open a value, for a call. */
static int open_value (const void *value, larder_object *object, larder_error *err)
{
    const larder_h5_value *v = in_file (value, err);
    if (!v)
        return LARDER_ENOTSUP;
    return larder_h5dataset_make (v->file, v->dataset, v->slab_size, NULL, object, err);
}

static int describe (void *self, const void *value, larder_shape *shape, uint64_t *size,
                     larder_error *err)
{
    (void)self;
    larder_object o;
    int rc = open_value (value, &o, err);
    if (rc)
        return rc;
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    rc = larder_h5native_describe (larder_h5dataset_describes (&o), o.name, shape, size, err);
    larder_h5error_loud (&quiet);
    o.ops->release (o.self);
    return rc;
}

/* The next component of a path that means something: "/a//./b/" is "a" and "b". */
static const char *component (const char *path, size_t *length)
{
    for (;;) {
        path += strspn (path, "/");
        *length = strcspn (path, "/");
        if (*length != 1 || *path != '.')
            return path;
        ++path;
    }
}

static int same_path (const char *a, const char *b)
{
    for (;;) {
        size_t x = 0, y = 0;
        a = component (a, &x);
        b = component (b, &y);
        if (x != y || memcmp (a, b, x) != 0)
            return 0;
        if (x == 0)
            return 1;
        a += x;
        b += y;
    }
}

static int same_file (const char *a, const char *b)
{
    struct stat x, y;
    if (strcmp (a, b) == 0)
        return 1;
    return stat (a, &x) == 0 && stat (b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int same (void *self, const void *a, const void *b)
{
    (void)self;
    const larder_h5_value *x = in_file (a, NULL), *y = in_file (b, NULL);
    if (!x || !y)
        return a == b;
    return same_path (x->dataset, y->dataset) && same_file (x->file, y->file);
}

/* ---------------------------------------------------------------- by reference */

static int make_object (void *self, const void *const *values, size_t count, larder_object *object,
                        uint64_t *items, larder_error *err)
{
    (void)self;
    struct larder_h5several_part *parts = calloc (count ? count : 1, sizeof *parts);
    int rc = LARDER_OK;
    if (!parts)
        return larder_error_set (err, LARDER_ENOMEM, 0, "no memory for %zu datasets", count);
    for (size_t i = 0; i < count && !rc; ++i) {
        const larder_h5_value *v = in_file (values[i], err);
        if (v)
            parts[i] = (struct larder_h5several_part){v->file, v->dataset, v->slab_size};
        else
            rc = LARDER_ENOTSUP;
    }
    if (!rc)
        rc = larder_h5several_object (parts, count, object, items, err);
    free (parts);
    return rc;
}

static void free_placeholder (void *value)
{
    larder_h5_dataset *dataset = value;
    larder_h5_dataset_close (&dataset);
}

static int make_lazy_ref (void *self, struct larder *session, const larder_lazy *lazy,
                          larder_made *made, larder_error *err)
{
    (void)self;
    larder_h5_dataset *dataset = NULL;
    int rc = larder_h5read_placeholder (session, lazy, &dataset, err);
    if (!rc)
        *made =
            (larder_made){.value = dataset, .shape = lazy->shape, .free_value = free_placeholder};
    return rc;
}

/* ---------------------------------------------------------------- natively */

static int read_all (const larder_object *o, hid_t native, void *buffer, uint64_t size,
                     larder_error *err)
{
    larder_shape shape;
    uint64_t now = 0;
    const struct larder_h5describe *d = larder_h5dataset_describes (o);
    int rc = larder_h5native_shape (d, native, o->name, &shape, &now, err);
    if (!rc)
        rc = larder_h5decode_check (d, err);
    if (!rc && now != size)
        rc = larder_error_set (err, LARDER_ESTALE, 0, "dataset %s: it has %llu bytes now, not %llu",
                               o->name, (unsigned long long)now, (unsigned long long)size);
    if (rc || size == 0)
        return rc;
    /* What was never written, and is not filled, must not show what memory was before. */
    memset (buffer, 0, (size_t)size);
    if (H5Dread (larder_h5dataset_id (o), native, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer) < 0)
        return larder_h5error (err, LARDER_EHDF5, "dataset %s: reading it", o->name);
    return LARDER_OK;
}

static int write_native (void *self, const void *value, void *buffer, uint64_t size,
                         larder_error *err)
{
    (void)self;
    larder_object o;
    hid_t native = H5I_INVALID_HID;
    int rc = open_value (value, &o, err);
    if (rc)
        return rc;
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    rc = larder_h5native_type (larder_h5dataset_describes (&o)->type, &native, err);
    if (!rc)
        rc = read_all (&o, native, buffer, size, err);
    if (native >= 0 && H5Tclose (native) < 0 && !rc)
        rc = larder_h5error (err, LARDER_EHDF5, "dataset %s: closing its type", o.name);
    larder_h5error_loud (&quiet);
    o.ops->release (o.self);
    return rc;
}

static int read_native (void *self, const larder_shape *shape, const void *data, uint64_t size,
                        larder_made *made, larder_error *err)
{
    (void)self;
    uint64_t expected = 0;
    int rc = larder_shape_size (shape, &expected, err);
    if (!rc && expected != size)
        rc = larder_error_set (err, LARDER_EFORMAT, 0,
                               "a dataset has %llu bytes in a message, not %llu",
                               (unsigned long long)size, (unsigned long long)expected);
    if (rc)
        return rc;
    void *copy = size < SIZE_MAX ? malloc ((size_t)size + 1) : NULL;
    if (!copy)
        return larder_error_set (err, LARDER_ENOMEM, 0, "no memory for a dataset of %llu bytes",
                                 (unsigned long long)size);
    if (size)
        memcpy (copy, data, (size_t)size);
    *made = (larder_made){.value = copy, .array = 1, .shape = *shape, .free_value = free};
    return LARDER_OK;
}

larder_handler larder_h5_handler (void)
{
    return (larder_handler){
        .dot = LARDER_DOT_H5_DATASET,
        .name = "h5dataset",
        .describe = describe,
        .same = same,
        .make_object = make_object,
        .write_native = write_native,
        .read_native = read_native,
        .receive = larder_h5receive_begin,
        .finish = larder_h5receive_finish,
        .abandon = larder_h5receive_abandon,
        .make_lazy_ref = make_lazy_ref,
    };
}
