/* SPDX-License-Identifier: Apache-2.0 */
/* Datasets as values of messages: what is refused, what is promised and not kept, and what is damaged on the way:
 * each an error, none does harm. */
#define _GNU_SOURCE
#include "h5handler_known.h"
#include "larder_h5wire.h"

/* ---------------------------------------------------------------- refusals and damage */

static void test_refused (void)
{
    static const struct {
        const char *file, *name, *text;
        int code;
    } refused[] = {
        {"old.h5", "strings", "dataset strings of old.h5: holds variable-length strings",
         LARDER_ENOTSUP},
        {"old.h5", "sequences", "holds variable-length data", LARDER_ENOTSUP},
        {"old.h5", "references", "holds references", LARDER_ENOTSUP},
        {"old.h5", "huge", "places", LARDER_ENOTSUP},
        {"old.h5", "nowhere", "nowhere", LARDER_ENOENT},
        {"old.h5", "/", "is no dataset", LARDER_ENOENT},
        {"no.h5", "a", "no.h5", LARDER_ENOENT},
        {H5DATASET_EXTERNAL, "a", H5DATASET_EXTERNAL, LARDER_EHDF5},
    };
    struct known good;
    known_open (&good, "old.h5", "gzip", 0, H5I_INVALID_HID);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; ++i) {
        larder_h5_value *v = NULL;
        larder_object object = {0};
        larder_error err = {0};
        larder_shape shape;
        uint64_t size, items[2];
        char byte;
        CU_ASSERT_FATAL (larder_h5_value_new (refused[i].file, refused[i].name, 0, &v, &err) ==
                         LARDER_OK);
        CU_ASSERT (handler.describe (NULL, v, &shape, &size, &err) == refused[i].code);
        CU_ASSERT (strstr (err.text, refused[i].text) != NULL);
        CU_ASSERT (handler.write_native (NULL, v, &byte, 1, &err) == refused[i].code);
        const void *const values[2] = {good.value, v};
        CU_ASSERT (handler.make_object (NULL, values, 2, &object, items, &err) == refused[i].code);
        CU_ASSERT (object.ops == NULL);
        larder_h5_value_free (v);
    }
    known_close (&good);
    larder_h5_value *v = NULL;
    larder_error err = {0};
    CU_ASSERT (larder_h5_value_new (NULL, "a", 0, &v, &err) == LARDER_EINVAL);
    CU_ASSERT (larder_h5_value_new ("a", NULL, 0, &v, &err) == LARDER_EINVAL);
    CU_ASSERT (larder_h5_value_new ("a", "b", 0, NULL, &err) == LARDER_EINVAL && v == NULL);
    CU_ASSERT (H5Fget_obj_count ((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL) == 0);
}

/* A filter that this process lacks, where the dataset is decoded. */
static void test_filter (void)
{
    CU_ASSERT_FATAL (H5Zfilter_avail (300) == 0);
    hid_t list = H5Pcreate (H5P_DATASET_CREATE);
    CU_ASSERT (H5Pset_chunk (list, 1, (hsize_t[]){8}) >= 0);
    CU_ASSERT (H5Pset_filter (list, 300, H5Z_FLAG_OPTIONAL, 0, NULL) >= 0);
    hid_t file = H5Fcreate ("filter.h5", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT (h5dataset_add (file, "d", H5T_STD_I32LE, 1, (hsize_t[]){20}, NULL, list, 0) == 0);
    CU_ASSERT (H5Fclose (file) >= 0 && H5Pclose (list) >= 0);
    struct known k;
    larder_lazy lazy;
    larder_object object;
    larder_made made = {0};
    larder_error err = {0};
    memset (&k, 0, sizeof k);
    CU_ASSERT_FATAL (larder_h5_value_new ("filter.h5", "d", 0, &k.value, &err) == LARDER_OK);
    offer (&k, 1, &object, &lazy);
    CU_ASSERT (lazy.shape.type == LARDER_INT32 && lazy.size == 80);
    CU_ASSERT (receive (&lazy, &made, 0, &err) == LARDER_ENOTSUP);
    CU_ASSERT (strstr (err.text, "filter 300") != NULL);
    CU_ASSERT (handler.make_lazy_ref (NULL, loopback_session (), &lazy, &made, &err) ==
               LARDER_ENOTSUP);
    CU_ASSERT (strstr (err.text, "filter 300") != NULL);
    char bytes[80];
    CU_ASSERT (handler.write_native (NULL, k.value, bytes, 80, &err) == LARDER_ENOTSUP);
    CU_ASSERT (strstr (err.text, "filter 300") != NULL && made.value == NULL);
    object.ops->release (object.self);
    larder_h5_value_free (k.value);
    CU_ASSERT (unlink ("filter.h5") == 0);
}

/* Both ways must say EINCOMPLETE. */
static void incomplete (const larder_lazy *lazy)
{
    larder_error err = {0};
    larder_made made = {0};
    int rc = receive (lazy, &made, 0, &err);
    if (rc != LARDER_EINCOMPLETE)
        (void)fprintf (stderr, "%d: %s\n", rc, err.text);
    CU_ASSERT (rc == LARDER_EINCOMPLETE && err.code == rc);
    rc = handler.make_lazy_ref (NULL, loopback_session (), lazy, &made, &err);
    CU_ASSERT (rc == LARDER_EINCOMPLETE && err.code == rc && made.value == NULL);
}

/* A message that says something else than the object is. */
static void test_promises (void)
{
    struct known k[2];
    larder_lazy lazy[2], other;
    larder_object object;
    larder_error err = {0};
    larder_ref_info info;
    known_open (&k[0], "old.h5", "chunked", 0, H5I_INVALID_HID);
    known_open (&k[1], "old.h5", "compound", 64, H5I_INVALID_HID);
    offer (k, 2, &object, lazy);
    for (int i = 0; i < 2; ++i) {
        CU_ASSERT (larder_ref_read (&lazy[i].ref, &info, &err) == LARDER_OK);
        other = lazy[i];
        other.shape.dims[1] = 20;
        incomplete (&other);
        other = lazy[i];
        other.shape.ndims = 1;
        incomplete (&other);
        other = lazy[i];
        other.shape.type = LARDER_UINT32;
        incomplete (&other);
        other = lazy[i];
        other.size = UINT64_MAX;
        incomplete (&other);
        CU_ASSERT (larder_ref_items (&lazy[i].ref, info.first_item, 1, &other.ref, &err) ==
                   LARDER_OK);
        incomplete (&other);
        other = lazy[i];
        CU_ASSERT (larder_ref_items (&lazy[i].ref, info.first_item, info.item_count - 1, &other.ref,
                                     &err) == LARDER_OK);
        incomplete (&other);
        other = lazy[i];
        CU_ASSERT (larder_ref_items (&lazy[i].ref, info.first_item + 1, info.item_count - 1,
                                     &other.ref, &err) == LARDER_OK);
        incomplete (&other); /* begins with no description */
        other = lazy[1 - i];
        other.ref = lazy[i].ref;
        incomplete (&other);
    }
    info.item_count = 0;
    larder_ref_write (&info, &other.ref);
    incomplete (&other);
    memset (&other.ref, 0, sizeof other.ref);
    larder_made made = {0};
    CU_ASSERT (receive (&other, &made, 0, &err) == LARDER_EREF);
    CU_ASSERT (handler.make_lazy_ref (NULL, loopback_session (), &other, &made, &err) ==
               LARDER_EREF);
    /* A placeholder has no file to encode. */
    CU_ASSERT (handler.make_lazy_ref (NULL, loopback_session (), &lazy[0], &made, &err) ==
               LARDER_OK);
    uint64_t size;
    const void *value = made.value;
    CU_ASSERT (handler.describe (NULL, value, &other.shape, &size, &err) == LARDER_ENOTSUP);
    CU_ASSERT (handler.make_object (NULL, &value, 1, &object, &size, &err) == LARDER_ENOTSUP);
    CU_ASSERT (handler.same (NULL, value, k[0].value) == 0 &&
               handler.same (NULL, value, value) == 1);
    made.free_value (made.value);
    object.ops->release (object.self);
    known_close (&k[0]);
    known_close (&k[1]);
}

/* A byte of each item is changed. */
static void test_damage (void)
{
    static const char *const some[] = {"contiguous", "fletcher32", "gzip", "compound_gzip",
                                       "compact"};
    struct known k[5];
    larder_lazy lazy[5];
    larder_object object;
    int failed = 0;
    for (size_t i = 0; i < 5; ++i)
        known_open (&k[i], "old.h5", some[i], 64, H5I_INVALID_HID);
    offer (k, 5, &object, lazy);
    for (loopback.damage = 1; loopback.damage < 40; ++loopback.damage)
        for (size_t i = 0; i < 5; ++i) {
            larder_error err = {0};
            larder_made made = {0};
            int rc = receive (&lazy[i], &made, 0, &err);
            CU_ASSERT ((rc == LARDER_OK) == (made.value != NULL));
            CU_ASSERT (rc == LARDER_OK || err.code == rc);
            /* Of the first dataset the description is whole, and a slab has no check of its own. */
            CU_ASSERT (rc < 0 || i == 0);
            failed += rc < 0;
            if (made.value)
                made.free_value (made.value);
        }
    CU_ASSERT (failed >= 4 * 39);
    loopback.damage = 0;
    for (size_t i = 0; i < 5; ++i) /* what breaks off */
        for (uint64_t stop = 1; stop < 8; ++stop) {
            larder_error err = {0};
            larder_made made = {0};
            int rc = receive (&lazy[i], &made, stop, &err);
            CU_ASSERT ((rc == LARDER_OK) == (made.value != NULL));
            if (made.value)
                check_made (&k[i], &made, lazy[i].shape.type, some[i]);
        }
    object.ops->release (object.self);
    for (size_t i = 0; i < 5; ++i)
        known_close (&k[i]);
    CU_ASSERT (H5Fget_obj_count ((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL) == 0);
}

/* ---------------------------------------------------------------- made up items */

#define MANY 512

struct items {
    uint64_t count;
    unsigned char *data[MANY];
    size_t size[MANY];
};

static void items_of (const char *name, uint64_t slab, struct items *items, larder_lazy *lazy)
{
    struct known k;
    larder_object object;
    larder_error err = {0};
    known_open (&k, "old.h5", name, slab, H5I_INVALID_HID);
    offer (&k, 1, &object, lazy);
    CU_ASSERT (object.ops->item_count (object.self, &items->count, &err) == LARDER_OK);
    CU_ASSERT_FATAL (items->count <= MANY);
    for (uint64_t i = 0; i < items->count; ++i)
        CU_ASSERT (loopback_item (i, (char **)&items->data[i], &items->size[i], &err) == LARDER_OK);
    object.ops->release (object.self);
    known_close (&k);
}

/* Change some bytes, mend the check of a description, and now and then another length. */
static void spoil (const unsigned char *good, size_t size, unsigned char *bad, size_t *cut,
                   int description)
{
    memcpy (bad, good, size);
    memset (bad + size, 7, 16);
    *cut = size;
    if (below (4) == 0)
        *cut = below (2) ? (size_t)below (size + 1) : size + 1 + (size_t)below (16);
    else
        for (uint64_t n = 1 + below (3); n > 0; --n)
            bad[below (size)] ^= (unsigned char)(1 + below (255));
    if (!description || *cut <= 24 || below (4) == 0)
        return;
    uint64_t sum = larder_h5wire_sum (bad + 24, *cut - 24);
    for (int j = 0; j < 8; ++j) {
        bad[8 + j] = (unsigned char)((uint64_t)*cut >> (8 * j));
        bad[16 + j] = (unsigned char)(sum >> (8 * j));
    }
}

static int feed (const larder_lazy *lazy, const struct items *items, uint64_t victim)
{
    larder_error err = {0};
    larder_consumer c;
    larder_made made = {0};
    int rc = handler.receive (NULL, lazy, &c, &err);
    for (uint64_t i = 0; i < items->count && !rc; ++i) {
        unsigned char *bytes = malloc (items->size[i] + 16);
        size_t size = items->size[i];
        memcpy (bytes, items->data[i], size);
        if (i == victim)
            spoil (items->data[i], items->size[i], bytes, &size, i == 0);
        larder_view view = {
            .item = i, .count = 1, .data = bytes, .size = size, .item_size = size, .item_ends = 1};
        rc = loopback_view (&c, &view, &err);
        free (bytes);
    }
    if (below (2)) {
        handler.abandon (NULL, c.self);
        return rc;
    }
    int end = handler.finish (NULL, c.self, &made, &err);
    CU_ASSERT (end == rc || rc == LARDER_OK);
    CU_ASSERT ((end == LARDER_OK) == (made.value != NULL));
    if (made.value) {
        memset (made.value, 1, (size_t)lazy->size); /* so large it must be */
        made.free_value (made.value);
    }
    return end;
}

static void test_made_up (void)
{
    static const char *const some[] = {"contiguous", "gzip",   "compound_gzip",
                                       "holes",      "scalar", "scaleoffset"};
    CU_ASSERT (H5Eset_auto2 (H5E_DEFAULT, NULL, NULL) >= 0);
    for (size_t s = 0; s < sizeof some / sizeof *some; ++s) {
        struct items items = {0};
        larder_lazy lazy;
        int failed = 0;
        items_of (some[s], 100, &items, &lazy);
        CU_ASSERT (feed (&lazy, &items, UINT64_MAX) == LARDER_OK);
        for (int i = 0; i < 600; ++i)
            failed += feed (&lazy, &items, below (2) ? 0 : below (items.count)) < 0;
        CU_ASSERT (failed > 200);
        /* Views that leave something out, come twice, or have no items of this dataset. */
        for (int i = 0; i < 50; ++i) {
            larder_error err = {0};
            larder_consumer c;
            larder_made made = {0};
            CU_ASSERT_FATAL (handler.receive (NULL, &lazy, &c, &err) == LARDER_OK);
            uint64_t at = 0, wrong = below (items.count);
            int rc = LARDER_OK;
            for (; at < wrong && !rc; ++at) {
                larder_view view = {.item = at,
                                    .count = 1,
                                    .data = items.data[at],
                                    .size = items.size[at],
                                    .item_ends = 1};
                rc = loopback_view (&c, &view, &err);
            }
            CU_ASSERT (rc == LARDER_OK);
            uint64_t item = below (2) ? items.count + below (3) : (wrong + 1) % items.count;
            size_t from = (size_t)(item % items.count);
            larder_view view = {.item = item,
                                .count = 1,
                                .data = items.data[from],
                                .size = items.size[from],
                                .item_ends = 1};
            rc = loopback_view (&c, &view, &err);
            CU_ASSERT (rc == LARDER_ERANGE || (wrong == 0 && rc == LARDER_EINCOMPLETE));
            CU_ASSERT (handler.finish (NULL, c.self, &made, &err) == rc && made.value == NULL);
        }
        for (uint64_t i = 0; i < items.count; ++i)
            free (items.data[i]);
    }
    CU_ASSERT (H5Eset_auto2 (H5E_DEFAULT, (H5E_auto2_t)H5Eprint2, NULL) >= 0);
    CU_ASSERT (H5Fget_obj_count ((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL) == 0);
}

/* One view of bytes of an item. */
static int give (const larder_consumer *c, const struct items *items, uint64_t item, size_t offset,
                 size_t size, larder_error *err)
{
    size_t whole = items->size[item % items->count];
    larder_view view = {.item = item,
                        .offset = offset,
                        .count = 1,
                        .data = items->data[item % items->count] + offset,
                        .size = size,
                        .item_ends = offset + size == whole};
    return loopback_view (c, &view, err);
}

/* Parts with a gap, and an item behind the last. */
static void test_parts (void)
{
    static const char *const some[] = {"contiguous", "compound", "gzip"};
    for (size_t s = 0; s < 3; ++s) {
        struct items items = {0};
        larder_lazy lazy;
        larder_consumer c;
        larder_made made = {0};
        larder_error err = {0};
        items_of (some[s], 100, &items, &lazy);
        for (size_t from = 9; from < 12; from += 2) {
            CU_ASSERT_FATAL (handler.receive (NULL, &lazy, &c, &err) == LARDER_OK);
            CU_ASSERT (give (&c, &items, 0, 0, items.size[0], &err) == LARDER_OK);
            CU_ASSERT (give (&c, &items, 1, 0, 10, &err) == LARDER_OK);
            CU_ASSERT (give (&c, &items, 1, from, 5, &err) == LARDER_ERANGE);
            CU_ASSERT (give (&c, &items, 1, 10, 5, &err) == LARDER_ERANGE); /* it is over */
            CU_ASSERT (handler.finish (NULL, c.self, &made, &err) == LARDER_ERANGE);
        }
        for (int over = 0; over < 2; ++over) {
            int rc = handler.receive (NULL, &lazy, &c, &err);
            for (uint64_t i = 0; i < items.count + over && !rc; ++i)
                rc = give (&c, &items, i, 0, items.size[i % items.count], &err);
            CU_ASSERT (rc == (over ? LARDER_ERANGE : LARDER_OK));
            CU_ASSERT (handler.finish (NULL, c.self, &made, &err) == rc);
        }
        CU_ASSERT_FATAL (made.value != NULL);
        made.free_value (made.value);
        for (uint64_t i = 0; i < items.count; ++i)
            free (items.data[i]);
    }
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"refused", test_refused},
        {"a filter that is not here", test_filter},
        {"a message that promises something else", test_promises},
        {"damage", test_damage},
        {"made up items", test_made_up},
        {"parts and items too many", test_parts},
        {NULL, NULL},
    };
    return known_main ("h5handler_bad", tests);
}
