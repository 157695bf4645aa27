/* SPDX-License-Identifier: Apache-2.0 */
/* Datasets as values of messages, without a session: what comes out, by every way, is what H5Dread gets in the native
 * type. */
#define _GNU_SOURCE
#include "h5handler_known.h"

#include <dirent.h>

/* What is in the sample, and what it is called in a message. */
static const struct {
    const char *name;
    larder_type type;
} cases[] = {
    {"contiguous", LARDER_FLOAT32}, {"big_endian", LARDER_FLOAT32},   {"long_rows", LARDER_INT16},
    {"compact", LARDER_INT16},      {"external", LARDER_INT32},       {"scalar", LARDER_INT32},
    {"empty", LARDER_INT32},        {"opaque", LARDER_OPAQUE},        {"text", LARDER_OPAQUE},
    {"compound", LARDER_OPAQUE},    {"enum", LARDER_OPAQUE},          {"unwritten", LARDER_FLOAT64},
    {"null", LARDER_FLOAT64},       {"chunked", LARDER_INT32},        {"gzip", LARDER_INT32},
    {"fletcher32", LARDER_INT32},   {"szip", LARDER_INT32},           {"nbit", LARDER_INT16},
    {"scaleoffset", LARDER_INT32},  {"plain_edges", LARDER_INT32},    {"holes", LARDER_INT32},
    {"no_fill", LARDER_INT32},      {"compound_gzip", LARDER_OPAQUE}, {"gzip_be", LARDER_FLOAT64},
    {"scale_filled", LARDER_INT32}, {"four", LARDER_INT16},           {"four_plain", LARDER_INT16},
    {"masked", LARDER_INT32},       {"virtual", LARDER_INT32},
};
#define CASES (sizeof cases / sizeof *cases)

/* ---------------------------------------------------------------- what it is, and natively */

static void natively (const struct known *k, larder_type type, const char *what)
{
    larder_error err = {0};
    larder_shape shape;
    larder_made made = {0};
    uint64_t size = 77;
    int rc = handler.describe (handler.self, k->value, &shape, &size, &err);
    if (rc)
        (void)fprintf (stderr, "%s: %s\n", what, err.text);
    CU_ASSERT_FATAL (rc == LARDER_OK);
    CU_ASSERT (size == k->size);
    if (!known_shape (k, &shape, type))
        (void)fprintf (stderr, "%s: is %s, %d dimensions\n", what, larder_type_name (shape.type),
                       shape.ndims);
    CU_ASSERT (known_shape (k, &shape, type));
    char *bytes = malloc (k->size + 1);
    memset (bytes, 0x5a, k->size + 1);
    CU_ASSERT (handler.write_native (handler.self, k->value, bytes, size, &err) == LARDER_OK);
    CU_ASSERT (bytes[k->size] == 0x5a);
    CU_ASSERT (handler.read_native (handler.self, &shape, bytes, size, &made, &err) == LARDER_OK);
    memset (bytes, 0, k->size); /* they were borrowed */
    free (bytes);
    check_made (k, &made, type, what);
}

static void test_native (void)
{
    for (size_t i = 0; i < CASES; ++i) {
        struct known k;
        known_open (&k, i % 2 ? "old.h5" : "new.h5", cases[i].name, 0, H5I_INVALID_HID);
        natively (&k, cases[i].type, cases[i].name);
        known_close (&k);
    }
    struct known k;
    larder_error err = {0};
    larder_made made = {0};
    known_open (&k, "old.h5", "gzip", 0, H5I_INVALID_HID);
    CU_ASSERT (handler.write_native (NULL, k.value, k.bytes, k.size - 1, &err) == LARDER_ESTALE);
    CU_ASSERT (strstr (err.text, "dataset gzip of old.h5: it has 3108 bytes now, not 3107") !=
               NULL);
    larder_shape shape = larder_shape_make (LARDER_INT32, 37, 21, 0);
    CU_ASSERT (handler.read_native (NULL, &shape, k.bytes, k.size - 1, &made, &err) ==
               LARDER_EFORMAT);
    shape.ndims = LARDER_MAX_DIMS + 1;
    CU_ASSERT (handler.read_native (NULL, &shape, k.bytes, k.size, &made, &err) == LARDER_EINVAL);
    CU_ASSERT (made.value == NULL);
    known_close (&k);
    CU_ASSERT (H5Fget_obj_count ((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL) == 0);
}

/* ---------------------------------------------------------------- types that the sample lacks */

static hid_t pair_of (const char *a, const char *b, hid_t part)
{
    hid_t type = H5Tcreate (H5T_COMPOUND, 2 * H5Tget_size (part));
    int bad = H5Tinsert (type, a, 0, part) < 0 || H5Tinsert (type, b, H5Tget_size (part), part) < 0;
    return bad ? H5I_INVALID_HID : type;
}

static hid_t half (H5T_order_t order, int bfloat)
{
    hid_t type = H5Tcopy (H5T_IEEE_F32LE);
    int bad = bfloat ? H5Tset_fields (type, 15, 7, 8, 0, 7) < 0
                     : H5Tset_fields (type, 15, 10, 5, 0, 10) < 0;
    bad |= H5Tset_size (type, 2) < 0 || H5Tset_ebias (type, bfloat ? 127 : 15) < 0;
    return bad || H5Tset_order (type, order) < 0 ? H5I_INVALID_HID : type;
}

static hid_t wide_integer (void)
{
    hid_t type = H5Tcopy (H5T_STD_I64BE);
    return H5Tset_size (type, 16) < 0 || H5Tset_precision (type, 128) < 0 ? H5I_INVALID_HID : type;
}

static void test_types (void)
{
    const hid_t ours = half (H5Tget_order (H5T_NATIVE_FLOAT), 0), wide = wide_integer ();
    const struct {
        hid_t type, native; /* native < 0: HDF5's own */
        larder_type is;
    } each[] = {
        {H5Tcopy (H5T_STD_U8BE), -1, LARDER_UINT8},
        {H5Tcopy (H5T_STD_I8LE), -1, LARDER_INT8},
        {H5Tcopy (H5T_STD_U16BE), -1, LARDER_UINT16},
        {H5Tcopy (H5T_STD_U32BE), -1, LARDER_UINT32},
        {H5Tcopy (H5T_STD_U64LE), -1, LARDER_UINT64},
        {H5Tcopy (H5T_STD_I64BE), -1, LARDER_INT64},
        {H5Tcopy (H5T_IEEE_F64BE), -1, LARDER_FLOAT64},
        {half (H5T_ORDER_LE, 0), ours, LARDER_FLOAT16},
        {half (H5T_ORDER_BE, 0), ours, LARDER_FLOAT16},
        {half (H5T_ORDER_LE, 1), -1, LARDER_FLOAT32},
        {pair_of ("r", "i", H5T_IEEE_F32LE), -1, LARDER_COMPLEX64},
        {pair_of ("r", "i", H5T_IEEE_F64BE), -1, LARDER_COMPLEX128},
        {pair_of ("i", "r", H5T_IEEE_F64LE), -1, LARDER_OPAQUE},
        {pair_of ("r", "j", H5T_IEEE_F32LE), -1, LARDER_OPAQUE},
        {pair_of ("r", "i", H5T_STD_I32LE), -1, LARDER_OPAQUE},
        {H5Tcopy (H5T_NATIVE_LDOUBLE), -1, LARDER_OPAQUE},
        {H5Tcopy (H5T_STD_B16BE), -1, LARDER_OPAQUE},
        {wide_integer (), wide, LARDER_OPAQUE},
        {H5Tcopy (H5T_UNIX_D32LE), H5T_UNIX_D32LE, LARDER_OPAQUE},
        {H5Tarray_create2 (H5T_STD_I16BE, 1, (hsize_t[]){5}), -1, LARDER_OPAQUE},
    };
    hid_t f = H5Fcreate ("types.h5", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    char name[16];
    for (size_t i = 0; i < sizeof each / sizeof *each; ++i) {
        (void)snprintf (name, sizeof name, "%zu", i);
        CU_ASSERT_FATAL (each[i].type >= 0);
        CU_ASSERT (
            h5dataset_add (f, name, each[i].type, 2, (hsize_t[]){3, 5}, NULL, H5P_DEFAULT, 0) == 0);
    }
    CU_ASSERT (H5Fclose (f) >= 0);
    for (size_t i = 0; i < sizeof each / sizeof *each; ++i) {
        struct known k;
        (void)snprintf (name, sizeof name, "%zu", i);
        known_open (&k, "types.h5", name, 0, each[i].native);
        natively (&k, each[i].is, name);
        known_close (&k);
        CU_ASSERT (H5Tclose (each[i].type) >= 0);
    }
    CU_ASSERT (H5Tclose (ours) >= 0 && H5Tclose (wide) >= 0);
    CU_ASSERT (unlink ("types.h5") == 0);
}

/* ---------------------------------------------------------------- by reference */

/* A placeholder reads all of it, and a hyperslab. */
static void on_demand (const struct known *k, const larder_lazy *lazy, const char *what)
{
    larder_error err = {0};
    larder_made made = {0};
    char *bytes = calloc (1, k->size + 1);
    int rc = handler.make_lazy_ref (handler.self, loopback_session (), lazy, &made, &err);
    if (rc)
        (void)fprintf (stderr, "%s: %s\n", what, err.text);
    CU_ASSERT_FATAL (rc == LARDER_OK && made.array == 0 && made.value && made.free_value);
    larder_h5_dataset *d = made.value;
    rc = larder_h5_dataset_read (d, k->native, H5S_ALL, H5S_ALL, bytes, &err);
    CU_ASSERT (rc == LARDER_OK && memcmp (bytes, k->bytes, k->size) == 0);
    if (k->rank == 2 && k->size) {
        hid_t space = H5Scopy (larder_h5_dataset_space (d));
        hsize_t start[2], count[2];
        for (int i = 0; i < 2; ++i) {
            start[i] = below (k->dims[i]);
            count[i] = 1 + below (k->dims[i] - start[i]);
        }
        memset (bytes, 0, k->size);
        CU_ASSERT (H5Sselect_hyperslab (space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0);
        CU_ASSERT (larder_h5_dataset_read (d, k->native, H5S_ALL, space, bytes, &err) == LARDER_OK);
        size_t bad = 0, row = (size_t)(k->dims[1] * k->element);
        for (hsize_t y = 0; y < k->dims[0]; ++y)
            for (hsize_t x = 0; x < k->dims[1]; ++x) {
                size_t at = (size_t)y * row + (size_t)x * k->element;
                int in = y - start[0] < count[0] && x - start[1] < count[1];
                for (size_t b = 0; b < k->element; ++b)
                    bad += bytes[at + b] != (in ? k->bytes[at + b] : 0);
            }
        CU_ASSERT (bad == 0);
        CU_ASSERT (H5Sclose (space) >= 0);
    }
    free (bytes);
    made.free_value (made.value);
}

static void test_reference (void)
{
    static const uint64_t slabs[] = {1, 100, 0};
    static const char *const files[] = {"old.h5", "new.h5"};
    for (size_t round = 0; round < 3 * CASES; ++round) {
        struct known k[3];
        larder_lazy lazy[3];
        larder_object object;
        size_t which[3];
        for (size_t i = 0; i < 3; ++i) {
            which[i] = (round + i * (1 + round / CASES)) % CASES;
            known_open (&k[i], files[below (2)], cases[which[i]].name, slabs[below (3)],
                        H5I_INVALID_HID);
        }
        offer (k, 3, &object, lazy);
        for (size_t n = 0; n < 4; ++n) {
            size_t i = n < 3 ? 2 - n : (size_t)below (3);
            larder_error err = {0};
            larder_made made = {0};
            loopback.big = (int)below (2);
            int rc = receive (&lazy[i], &made, 0, &err);
            if (rc)
                (void)fprintf (stderr, "%s: %s\n", cases[which[i]].name, err.text);
            CU_ASSERT_FATAL (rc == LARDER_OK);
            check_made (&k[i], &made, cases[which[i]].type, cases[which[i]].name);
            on_demand (&k[i], &lazy[i], cases[which[i]].name);
        }
        object.ops->release (object.self);
        for (size_t i = 0; i < 3; ++i)
            known_close (&k[i]);
    }
    loopback.big = 0;
    CU_ASSERT (H5Fget_obj_count ((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL) == 0);
}

static int descriptors (void)
{
    int n = 0;
    DIR *dir = opendir ("/proc/self/fd");
    while (dir && readdir (dir))
        ++n;
    return dir ? closedir (dir) + n : 0;
}

/* Many datasets of two files are two files, whatever their order. */
static void test_many (void)
{
    struct known k, other;
    const void *values[300];
    uint64_t items[300], all = 0, size = 0;
    larder_object object;
    larder_error err = {0};
    known_open (&k, "old.h5", "gzip", 0, H5I_INVALID_HID);
    known_open (&other, "new.h5", "gzip", 0, H5I_INVALID_HID);
    for (size_t i = 0; i < 300; ++i)
        values[i] = i % 2 ? other.value : k.value;
    int before = descriptors ();
    CU_ASSERT_FATAL (handler.make_object (NULL, values, 300, &object, items, &err) == LARDER_OK);
    CU_ASSERT (descriptors () <= before + 4);
    CU_ASSERT (object.ops->item_count (object.self, &all, &err) == LARDER_OK);
    CU_ASSERT (all == 300 * 21 && items[299] == 21);
    CU_ASSERT (object.ops->item_size (object.self, all, &size, &err) == LARDER_ERANGE);
    char byte;
    size_t got = 0;
    int last = 0;
    CU_ASSERT (object.ops->produce_item (object.self, all, 0, &byte, 1, &got, &last, &err) ==
               LARDER_ERANGE);
    object.ops->release (object.self);
    CU_ASSERT (descriptors () == before);
    CU_ASSERT_FATAL (handler.make_object (NULL, values, 0, &object, items, &err) == LARDER_OK);
    CU_ASSERT (object.ops->item_count (object.self, &all, &err) == LARDER_OK && all == 0);
    object.ops->release (object.self);
    known_close (&other);
    known_close (&k);
}

/* Receivers at many datasets at once: parts of items, here and there. */
static void test_turns (void)
{
    enum { EACH = 12 };
    static const char *const some[] = {"gzip", "chunked", "compact", "compound"};
    const void *values[EACH];
    larder_h5_value *made[EACH];
    uint64_t items[EACH], all = 0;
    larder_object object;
    larder_error err = {0};
    for (size_t i = 0; i < EACH; ++i) {
        CU_ASSERT_FATAL (larder_h5_value_new (i % 2 ? "old.h5" : "new.h5", some[i % 4], 300,
                                              &made[i], &err) == LARDER_OK);
        values[i] = made[i];
    }
    CU_ASSERT_FATAL (handler.make_object (NULL, values, EACH, &object, items, &err) == LARDER_OK);
    CU_ASSERT (object.ops->item_count (object.self, &all, &err) == LARDER_OK);
    loopback.object = object;
    char **whole = calloc (all, sizeof *whole);
    size_t *size = calloc (all, sizeof *size), bad = 0;
    for (uint64_t i = 0; i < all; ++i)
        CU_ASSERT_FATAL (loopback_item (i, &whole[i], &size[i], &err) == LARDER_OK);
    for (int round = 0; round < 20000; ++round) {
        char part[64];
        uint64_t item = below (all);
        size_t from = (size_t)below (size[item] + 1), got = 0;
        size_t room = size[item] - from < sizeof part ? size[item] - from : sizeof part;
        int last = 0;
        bad +=
            object.ops->produce_item (object.self, item, from, part, room, &got, &last, &err) != 0;
        bad += got != room || memcmp (part, whole[item] + from, room) != 0;
    }
    CU_ASSERT (bad == 0);
    object.ops->release (object.self);
    for (uint64_t i = 0; i < all; ++i)
        free (whole[i]);
    for (size_t i = 0; i < EACH; ++i)
        larder_h5_value_free (made[i]);
    free (whole);
    free (size);
}

/* ---------------------------------------------------------------- what is one and the same */

static int is_same (const char *file, const char *dataset, const char *file2, const char *dataset2)
{
    larder_h5_value *a = NULL, *b = NULL;
    larder_error err = {0};
    CU_ASSERT_FATAL (larder_h5_value_new (file, dataset, 0, &a, &err) == LARDER_OK);
    CU_ASSERT_FATAL (larder_h5_value_new (file2, dataset2, 99, &b, &err) == LARDER_OK);
    int is = handler.same (handler.self, a, b);
    CU_ASSERT (handler.same (handler.self, b, a) == is && handler.same (handler.self, a, a) == 1);
    larder_h5_value_free (a);
    larder_h5_value_free (b);
    return is;
}

static void test_same (void)
{
    CU_ASSERT (link ("old.h5", "same.h5") == 0);
    CU_ASSERT (is_same ("old.h5", "gzip", "old.h5", "gzip") == 1);
    CU_ASSERT (is_same ("old.h5", "gzip", "./old.h5", "/gzip") == 1);
    CU_ASSERT (is_same ("old.h5", "a/b", "same.h5", "/./a//b/") == 1);
    CU_ASSERT (is_same ("old.h5", "gzip", "new.h5", "gzip") == 0);
    CU_ASSERT (is_same ("old.h5", "gzip", "old.h5", "gzip_be") == 0);
    CU_ASSERT (is_same ("old.h5", "a/b", "old.h5", "ab") == 0);
    CU_ASSERT (is_same ("old.h5", "a/.b", "old.h5", "a/b") == 0);
    CU_ASSERT (is_same ("old.h5", "a/b", "old.h5", "a") == 0);
    CU_ASSERT (is_same ("no.h5", "a", "no.h5", "a") == 1);
    CU_ASSERT (is_same ("no.h5", "a", "nor.h5", "a") == 0);
    CU_ASSERT (unlink ("same.h5") == 0);
}

/* ---------------------------------------------------------------- registries and messages */

static void test_registry (void)
{
    larder_registry *r = NULL;
    larder_error err = {0};
    CU_ASSERT_FATAL (larder_registry_new (&r, &err) == LARDER_OK);
    CU_ASSERT (larder_h5_registry_add (r, &err) == LARDER_OK);
    CU_ASSERT (larder_h5_registry_add (r, &err) == LARDER_EEXIST);
    larder_registry_free (&r);
}

static void test_message (void)
{
    larder_message *m = NULL;
    larder_error err = {0};
    larder_value v;
    larder_h5_dataset *d = NULL;
    CU_ASSERT_FATAL (larder_message_new (&m, &err) == LARDER_OK);
    CU_ASSERT (larder_message_set_h5_dataset (m, "a/b", "old.h5", "gzip", &err) == LARDER_OK);
    CU_ASSERT (larder_message_set_h5_dataset (m, "", "old.h5", "gzip", &err) == LARDER_EINVAL);
    CU_ASSERT (larder_message_set_h5_dataset (m, "c", "old.h5", NULL, &err) == LARDER_EINVAL);
    CU_ASSERT (larder_message_get (m, "a/b", &v, &err) == LARDER_OK);
    CU_ASSERT (v.kind == LARDER_KIND_TYPED && v.dot == LARDER_DOT_H5_DATASET && v.data != NULL);
    CU_ASSERT (larder_message_get_h5_dataset (m, "a/b", &d, &err) == LARDER_EKIND);
    CU_ASSERT (larder_message_get_h5_dataset (m, "a", &d, &err) == LARDER_EKIND);
    CU_ASSERT (larder_message_get_h5_dataset (m, "x", &d, &err) == LARDER_ENOENT);
    CU_ASSERT (larder_message_get_h5_dataset (m, "x", NULL, &err) == LARDER_EINVAL && d == NULL);
    struct known k;
    larder_lazy lazy;
    larder_object object;
    larder_made made = {0};
    known_open (&k, "old.h5", "gzip", 0, H5I_INVALID_HID);
    offer (&k, 1, &object, &lazy);
    CU_ASSERT_FATAL (handler.make_lazy_ref (NULL, loopback_session (), &lazy, &made, &err) ==
                     LARDER_OK);
    v = (larder_value){.kind = LARDER_KIND_TYPED,
                       .dot = LARDER_DOT_H5_DATASET,
                       .data = made.value,
                       .free_data = made.free_value};
    CU_ASSERT (larder_message_set (m, "p", &v, &err) == LARDER_OK);
    CU_ASSERT (larder_message_get_h5_dataset (m, "p", &d, &err) == LARDER_OK && d == made.value);
    larder_message_free (&m);
    object.ops->release (object.self);
    known_close (&k);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"what it is, and natively", test_native},
        {"types", test_types},
        {"by reference and on demand", test_reference},
        {"many datasets of two files", test_many},
        {"many datasets in turns", test_turns},
        {"one and the same", test_same},
        {"registry", test_registry},
        {"message", test_message},
        {NULL, NULL},
    };
    return known_main ("h5handler", tests);
}
