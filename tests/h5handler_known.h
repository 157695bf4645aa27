/* SPDX-License-Identifier: Apache-2.0 */
/* Values of datasets, what HDF5 itself reads of them, and the handler's functions over a loopback. */
#ifndef H5HANDLER_KNOWN_H
#define H5HANDLER_KNOWN_H

#include "h5dataset_chosen.h"
#include "h5dataset_loopback.h"
#include "h5dataset_sample.h"
#include "larder_test.h"

#include <larder/hdf5.h>
#include <stdio.h>
#include <unistd.h>

static larder_handler handler; /* set by main */

/* A value, and the dataset as HDF5 itself reads it. */
struct known {
    larder_h5_value *value;
    hid_t native;
    int null, rank;
    hsize_t dims[H5S_MAX_RANK];
    size_t element, size;
    char *bytes;
};

/* native: H5I_INVALID_HID for HDF5's own. */
static inline void known_open (struct known *k, const char *file, const char *name, uint64_t slab,
                               hid_t native)
{
    larder_error err = {0};
    memset (k, 0, sizeof *k);
    CU_ASSERT_FATAL (larder_h5_value_new (file, name, slab, &k->value, &err) == LARDER_OK);
    hid_t f = H5Fopen (file, H5F_ACC_RDONLY, H5P_DEFAULT), d = H5Dopen2 (f, name, H5P_DEFAULT);
    hid_t type = H5Dget_type (d), space = H5Dget_space (d);
    k->native = native < 0 ? H5Tget_native_type (type, H5T_DIR_DEFAULT) : H5Tcopy (native);
    k->null = H5Sget_simple_extent_type (space) == H5S_NULL;
    k->rank = H5Sget_simple_extent_dims (space, k->dims, NULL);
    k->element = H5Tget_size (k->native);
    k->size = k->null ? 0 : (size_t)H5Sget_simple_extent_npoints (space) * k->element;
    k->bytes = calloc (1, k->size + 1);
    CU_ASSERT_FATAL (k->rank >= 0 && k->element > 0 && k->bytes != NULL);
    CU_ASSERT (H5Dread (d, k->native, H5S_ALL, H5S_ALL, H5P_DEFAULT, k->bytes) >= 0);
    CU_ASSERT (H5Tclose (type) >= 0 && H5Sclose (space) >= 0);
    CU_ASSERT (H5Dclose (d) >= 0 && H5Fclose (f) >= 0);
}

static inline void known_close (struct known *k)
{
    larder_h5_value_free (k->value);
    CU_ASSERT (H5Tclose (k->native) >= 0);
    free (k->bytes);
}

static inline int known_shape (const struct known *k, const larder_shape *s, larder_type type)
{
    int bad = s->type != type || s->ndims != (k->null ? 1 : k->rank);
    bad |= type == LARDER_OPAQUE ? s->element_size != k->element
                                 : larder_type_size (type) != k->element;
    bad |= k->null && s->dims[0] != 0;
    for (int i = 0; i < k->rank && !bad; ++i)
        bad = s->dims[i] != k->dims[i];
    return !bad;
}

/* It is what HDF5 reads; freed. */
static inline void check_made (const struct known *k, larder_made *made, larder_type type,
                               const char *what)
{
    int good = made->array == 1 && known_shape (k, &made->shape, type) &&
               (k->size == 0 || (made->value && memcmp (made->value, k->bytes, k->size) == 0));
    if (!good)
        (void)fprintf (stderr, "%s: is not what HDF5 reads\n", what);
    CU_ASSERT (good);
    if (made->free_value)
        made->free_value (made->value);
    memset (made, 0, sizeof *made);
}

/* ---------------------------------------------------------------- by reference */

/* Items of a range are numbered from 0 for the consumer of its value. */
struct part {
    larder_consumer to;
    uint64_t first;
    uint64_t stop; /* > 0: breaks off before this view */
    int code;
};

static inline int part_consume (void *self, const larder_view *view, larder_error *err)
{
    struct part *p = self;
    larder_view moved = *view;
    moved.item -= p->first;
    if (p->stop && --p->stop == 0)
        return LARDER_ECANCELED;
    p->code = p->to.consume_items (p->to.self, &moved, err);
    return p->code;
}

static inline int receive (const larder_lazy *lazy, larder_made *made, uint64_t stop,
                           larder_error *err)
{
    larder_ref_info info;
    struct part p = {.stop = stop};
    int rc = handler.receive (handler.self, lazy, &p.to, err);
    if (rc)
        return rc;
    CU_ASSERT (larder_ref_read (&lazy->ref, &info, err) == LARDER_OK);
    p.first = info.first_item;
    larder_consumer outer = {.self = &p, .consume_items = part_consume};
    rc = larder_download (loopback_session (), &lazy->ref, &outer, err);
    if (rc && larder_test_below (&loopback.random, 2)) {
        handler.abandon (handler.self, p.to.self);
        return rc;
    }
    int end = handler.finish (handler.self, p.to.self, made, err);
    if (rc && rc != LARDER_ECANCELED)
        CU_ASSERT (end == rc);
    if (rc == LARDER_ECANCELED)
        CU_ASSERT (end < 0); /* an item at least is missing */
    return end;
}

/* An object of some values, and the lazy refs of its ranges. */
static inline void offer (struct known *k, size_t count, larder_object *object, larder_lazy *lazy)
{
    const void *values[8];
    uint64_t items[8], first = 0, all = 0;
    larder_error err = {0};
    larder_ref whole;
    for (size_t i = 0; i < count; ++i)
        values[i] = k[i].value;
    int rc = handler.make_object (handler.self, values, count, object, items, &err);
    if (rc)
        (void)fprintf (stderr, "%s\n", err.text);
    CU_ASSERT_FATAL (rc == LARDER_OK);
    CU_ASSERT_FATAL (loopback_offer (object, &whole) == LARDER_OK);
    CU_ASSERT (object->ops->item_count (object->self, &all, &err) == LARDER_OK);
    for (size_t i = 0; i < count; ++i) {
        lazy[i].dot = handler.dot;
        CU_ASSERT (items[i] >= 1);
        CU_ASSERT_FATAL (larder_ref_items (&whole, first, items[i], &lazy[i].ref, &err) ==
                         LARDER_OK);
        CU_ASSERT_FATAL (handler.describe (NULL, values[i], &lazy[i].shape, &lazy[i].size, &err) ==
                         LARDER_OK);
        first += items[i];
    }
    CU_ASSERT (first == all);
}

/* Run in a folder of its own, with the sample in two versions. */
static inline int known_main (const char *suite, const struct larder_test *tests)
{
    char folder[] = "/tmp/test_h5handler.XXXXXX";
    if (!mkdtemp (folder) || chdir (folder) != 0)
        return 1;
    loopback.random = larder_test_seed ();
    handler = larder_h5_handler ();
    int bad = h5dataset_sample ("old.h5", 0) || h5dataset_sample ("new.h5", 1);
    bad = bad || larder_test_main (suite, tests);
    static const char *const made[] = {"old.h5", "new.h5", H5DATASET_EXTERNAL};
    for (size_t i = 0; i < sizeof made / sizeof *made; ++i)
        (void)unlink (made[i]);
    return chdir ("/") != 0 || rmdir (folder) != 0 || bad;
}

#endif
