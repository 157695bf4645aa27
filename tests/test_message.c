/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_message.h"
#include "larder_ref.h"
#include "larder_test.h"
#include <inttypes.h>
#include <larder/handler.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static larder_error err;

static larder_message *new_message (void)
{
    larder_message *m = NULL;
    CU_ASSERT_EQUAL_FATAL (larder_message_new (&m, &err), LARDER_OK);
    return m;
}

static larder_value got (const larder_message *m, const char *path)
{
    larder_value v = {.kind = (larder_kind)-1};
    CU_ASSERT_EQUAL (larder_message_get (m, path, &v, &err), LARDER_OK);
    return v;
}

static int set (larder_message *m, const char *path, larder_value value)
{
    return larder_message_set (m, path, &value, &err);
}

/* The last error names these. */
static int says (const char *a, const char *b)
{
    return strstr (err.text, a) && strstr (err.text, b);
}

static larder_ref some_ref (uint64_t first, uint64_t count)
{
    larder_ref_info info = {.session = 1, .transaction = 2, .owner = 3, .object = 4};
    larder_ref ref;
    info.first_item = first;
    info.item_count = count;
    larder_ref_write (&info, &ref);
    return ref;
}

static void numbers (void)
{
    larder_message *m = new_message ();
    larder_value v;
    int64_t i = 0;
    double f = 0;

    CU_ASSERT_EQUAL (set (m, "nil", (larder_value){.integer = 3}), LARDER_OK);
    CU_ASSERT_EQUAL (set (m, "bool", (larder_value){.kind = LARDER_KIND_BOOL, .boolean = 5}),
                     LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_set_int (m, "int", INT64_MIN, &err), LARDER_OK);
    CU_ASSERT_EQUAL (set (m, "small", (larder_value){.kind = LARDER_KIND_UINT, .natural = 7}),
                     LARDER_OK);
    CU_ASSERT_EQUAL (
        set (m, "large", (larder_value){.kind = LARDER_KIND_UINT, .natural = UINT64_MAX}),
        LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_set_float (m, "float", -0.5, &err), LARDER_OK);

    v = got (m, "nil");
    CU_ASSERT (v.kind == LARDER_KIND_NIL && v.integer == 0);
    v = got (m, "bool");
    CU_ASSERT (v.kind == LARDER_KIND_BOOL && v.boolean == 1);
    v = got (m, "int");
    CU_ASSERT (v.kind == LARDER_KIND_INT && v.integer == INT64_MIN && v.natural == 0);
    CU_ASSERT_EQUAL (v.real, -ldexp (1, 63));
    v = got (m, "small");
    CU_ASSERT (v.kind == LARDER_KIND_INT && v.integer == 7 && v.natural == 7 && v.real == 7.0);
    v = got (m, "large");
    CU_ASSERT (v.kind == LARDER_KIND_UINT && v.integer == 0 && v.natural == UINT64_MAX);
    CU_ASSERT_EQUAL (v.real, ldexp (1, 64));
    v = got (m, "float");
    CU_ASSERT (v.kind == LARDER_KIND_FLOAT && v.real == -0.5);

    CU_ASSERT_EQUAL (larder_message_get_int (m, "int", &i, &err), LARDER_OK);
    CU_ASSERT_EQUAL (i, INT64_MIN);
    CU_ASSERT_EQUAL (larder_message_get_int (m, "large", &i, &err), LARDER_ERANGE);
    CU_ASSERT (says ("large", "18446744073709551615"));
    CU_ASSERT_EQUAL (larder_message_get_int (m, "float", &i, &err), LARDER_EKIND);
    CU_ASSERT (says ("\"float\"", "not int"));
    CU_ASSERT_EQUAL (larder_message_get_int (m, "none", &i, &err), LARDER_ENOENT);
    CU_ASSERT_EQUAL (i, INT64_MIN);
    CU_ASSERT_EQUAL (larder_message_get_float (m, "small", &f, &err), LARDER_OK);
    CU_ASSERT_EQUAL (f, 7.0);
    CU_ASSERT_EQUAL (larder_message_get_float (m, "large", &f, &err), LARDER_OK);
    CU_ASSERT_EQUAL (f, ldexp (1, 64));
    CU_ASSERT_EQUAL (larder_message_get_float (m, "bool", &f, &err), LARDER_EKIND);
    CU_ASSERT_EQUAL (f, ldexp (1, 64));
    larder_message_free (&m);
    CU_ASSERT_PTR_NULL (m);
}

static void texts (void)
{
    larder_message *m = new_message ();
    const char *text = NULL;
    larder_value v;

    CU_ASSERT_EQUAL (larder_message_set_string (m, "s", "larder", &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_get_string (m, "s", &text, &err), LARDER_OK);
    CU_ASSERT_STRING_EQUAL (text, "larder");
    /* A value of the message itself may be set, also over itself. */
    CU_ASSERT_EQUAL (larder_message_set_string (m, "s", text + 3, &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_get_string (m, "s", &text, &err), LARDER_OK);
    CU_ASSERT_STRING_EQUAL (text, "der");
    CU_ASSERT_EQUAL (
        set (m, "z", (larder_value){.kind = LARDER_KIND_STRING, .data = "a\0b", .size = 3}),
        LARDER_OK);
    v = got (m, "z");
    CU_ASSERT (v.size == 3 && memcmp (v.data, "a\0b", 4) == 0);
    CU_ASSERT_EQUAL (larder_message_set_bytes (m, "b", "\1\2", 2, &err), LARDER_OK);
    v = got (m, "b");
    CU_ASSERT (v.kind == LARDER_KIND_BYTES && v.size == 2 && memcmp (v.data, "\1\2", 2) == 0);
    CU_ASSERT_EQUAL (larder_message_set_bytes (m, "b", NULL, 0, &err), LARDER_OK);
    v = got (m, "b");
    CU_ASSERT (v.size == 0 && v.data && *(const char *)v.data == 0);
    CU_ASSERT_EQUAL (larder_message_get_string (m, "b", &text, &err), LARDER_EKIND);
    CU_ASSERT_STRING_EQUAL (text, "der");

    CU_ASSERT_EQUAL (larder_message_set_bytes (m, "b", NULL, 1, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_set_string (m, "b", NULL, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_set_bytes (m, "b", "x", UINT64_C (1) << 32, &err),
                     LARDER_ERANGE);
    CU_ASSERT (says ("4294967296", "\"b\""));
    CU_ASSERT_EQUAL (got (m, "b").size, 0);
    larder_message_free (&m);
}

static int freed;

static void count_free (void *data)
{
    ++freed;
    free (data);
}

static larder_value array_value (int owned)
{
    larder_value v = {.kind = LARDER_KIND_ARRAY,
                      .shape = larder_shape_make (LARDER_FLOAT32, 2, 3, 0),
                      .free_data = owned ? count_free : NULL};
    v.data = calloc (6, sizeof (float));
    return v;
}

static void arrays (void)
{
    static const double borrowed[4] = {1, 2, 3, 4};
    larder_shape shape = larder_shape_make (LARDER_FLOAT64, 2, 2, 0), out = {0};
    larder_message *m = new_message ();
    const void *data = NULL;
    larder_value v;

    CU_ASSERT_EQUAL (larder_message_set_array (m, "a", &shape, borrowed, &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_get_array (m, "a", LARDER_FLOAT64, &out, &data, &err),
                     LARDER_OK);
    CU_ASSERT (larder_shape_equal (&shape, &out) && data == borrowed);
    data = NULL;
    CU_ASSERT_EQUAL (larder_message_get_array (m, "a", LARDER_INT64, &out, &data, &err),
                     LARDER_EKIND);
    CU_ASSERT (says ("float64", "int64"));
    v = got (m, "a");
    CU_ASSERT (v.kind == LARDER_KIND_ARRAY && v.dot == LARDER_DOT_ARRAY && v.size == 32);
    CU_ASSERT (v.data == borrowed && larder_shape_equal (&v.shape, &shape) && !v.free_data);
    CU_ASSERT_EQUAL (larder_message_set_int (m, "i", 1, &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_get_array (m, "i", LARDER_INT64, &out, &data, &err),
                     LARDER_EKIND);
    CU_ASSERT_PTR_NULL (data);

    /* What is handed over is freed once: when replaced, removed, or with the message. */
    freed = 0;
    CU_ASSERT_EQUAL (set (m, "a", array_value (1)), LARDER_OK);
    CU_ASSERT_EQUAL (set (m, "x/y/b", array_value (1)), LARDER_OK);
    CU_ASSERT_EQUAL (set (m, "c", array_value (1)), LARDER_OK);
    CU_ASSERT_EQUAL (freed, 0);
    CU_ASSERT_EQUAL (larder_message_set_int (m, "a", 1, &err), LARDER_OK);
    CU_ASSERT_EQUAL (freed, 1);
    CU_ASSERT_EQUAL (larder_message_remove (m, "x", &err), LARDER_OK);
    CU_ASSERT_EQUAL (freed, 2);

    /* On failure it stays the caller's. */
    v = array_value (1);
    CU_ASSERT_EQUAL (set (m, "i/no/map", v), LARDER_EKIND);
    v.size = 23;
    CU_ASSERT_EQUAL (set (m, "x", v), LARDER_EINVAL);
    v.size = 24;
    v.dot = LARDER_DOT_USER;
    CU_ASSERT_EQUAL (set (m, "x", v), LARDER_EINVAL);
    v.dot = 0;
    v.shape.dims[0] = UINT64_MAX;
    CU_ASSERT_EQUAL (set (m, "x", v), LARDER_ERANGE);
    v.shape.type = (larder_type)99;
    CU_ASSERT_EQUAL (set (m, "x", v), LARDER_EINVAL);
    CU_ASSERT_EQUAL (freed, 2);
    free ((void *)(uintptr_t)v.data);
    CU_ASSERT_EQUAL (larder_message_set_array (m, "x", &shape, NULL, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_set_array (m, "x", NULL, borrowed, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_get (m, "x", &v, &err), LARDER_ENOENT);
    shape = (larder_shape){.type = LARDER_INT8, .ndims = 2, .dims = {5, 0}};
    CU_ASSERT_EQUAL (larder_message_set_array (m, "none", &shape, NULL, &err), LARDER_OK);
    CU_ASSERT_EQUAL (got (m, "none").size, 0);
    larder_message_free (&m);
    CU_ASSERT_EQUAL (freed, 3);
}

static void typed (void)
{
    larder_message *m = new_message ();
    larder_value v = {.kind = LARDER_KIND_TYPED, .dot = LARDER_DOT_USER, .free_data = count_free};

    freed = 0;
    CU_ASSERT_EQUAL (set (m, "t", v), LARDER_EINVAL);
    v.data = malloc (1);
    v.dot = LARDER_DOT_ARRAY;
    CU_ASSERT_EQUAL (set (m, "t", v), LARDER_EINVAL);
    v.dot = LARDER_DOT_MAX + 1;
    CU_ASSERT_EQUAL (set (m, "t", v), LARDER_EINVAL);
    v.dot = LARDER_DOT_MAX;
    CU_ASSERT_EQUAL (set (m, "t", v), LARDER_OK);
    larder_value out = got (m, "t");
    CU_ASSERT (out.kind == LARDER_KIND_TYPED && out.dot == v.dot && out.data == v.data);
    CU_ASSERT_PTR_NULL (out.free_data);
    CU_ASSERT_EQUAL (freed, 0);
    larder_message_free (&m);
    CU_ASSERT_EQUAL (freed, 1);

    v = (larder_value){.kind = (larder_kind)77};
    m = new_message ();
    CU_ASSERT_EQUAL (set (m, "t", v), LARDER_EINVAL);
    v.kind = (larder_kind)-1;
    CU_ASSERT_EQUAL (set (m, "t", v), LARDER_EINVAL);
    CU_ASSERT (says ("kind -1", "\"t\""));
    larder_message_free (&m);
}

static void lazy (void)
{
    larder_lazy l = {.ref = some_ref (10, 20), .dot = LARDER_DOT_ARRAY, .size = 48};
    larder_message *m = new_message ();
    larder_shape shape;
    const void *data = NULL;
    larder_value v;

    l.shape = larder_shape_make (LARDER_FLOAT64, 6, 0, 0);
    CU_ASSERT_EQUAL (larder_message_has_lazy (m, ""), 0);
    CU_ASSERT_EQUAL (larder_message_set_lazy (m, "a/b/l", &l, &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_set_int (m, "a/c", 1, &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_has_lazy (m, ""), 1);
    CU_ASSERT_EQUAL (larder_message_has_lazy (m, "a/b/l"), 1);
    CU_ASSERT_EQUAL (larder_message_has_lazy (m, "a/c"), 0);
    CU_ASSERT_EQUAL (larder_message_has_lazy (m, "nothing"), 0);
    CU_ASSERT_EQUAL (larder_message_has_lazy (m, "//"), 0);
    CU_ASSERT_EQUAL (larder_message_has_lazy (NULL, ""), 0);
    v = got (m, "a/b/l");
    CU_ASSERT (v.kind == LARDER_KIND_LAZY && v.dot == LARDER_DOT_ARRAY && v.size == 48 && !v.data);
    CU_ASSERT (larder_shape_equal (&v.shape, &l.shape) &&
               larder_shape_equal (&v.lazy.shape, &l.shape));
    CU_ASSERT (v.lazy.dot == l.dot && v.lazy.size == 48);
    CU_ASSERT_EQUAL (memcmp (&v.lazy.ref, &l.ref, sizeof l.ref), 0);
    CU_ASSERT_EQUAL (larder_message_get_array (m, "a/b/l", LARDER_FLOAT64, &shape, &data, &err),
                     LARDER_EKIND);

    l.size = 47;
    CU_ASSERT_EQUAL (larder_message_set_lazy (m, "x", &l, &err), LARDER_EINVAL);
    l.size = 48;
    l.ref.bytes[12] ^= 1;
    CU_ASSERT_EQUAL (larder_message_set_lazy (m, "x", &l, &err), LARDER_EREF);
    l.ref.bytes[12] ^= 1;
    l.dot = 0;
    CU_ASSERT_EQUAL (larder_message_set_lazy (m, "x", &l, &err), LARDER_EINVAL);
    /* What another type's handler says of its values need not be an array's shape. */
    l.dot = LARDER_DOT_USER;
    l.shape = (larder_shape){0};
    l.size = 5;
    CU_ASSERT_EQUAL (larder_message_set_lazy (m, "u", &l, &err), LARDER_OK);
    CU_ASSERT_EQUAL (got (m, "u").lazy.size, 5);
    l.shape.ndims = LARDER_MAX_DIMS + 1;
    CU_ASSERT_EQUAL (larder_message_set_lazy (m, "x", &l, &err), LARDER_EINVAL);
    l.shape.ndims = 1;
    l.shape.type = (larder_type)14;
    CU_ASSERT_EQUAL (larder_message_set_lazy (m, "x", &l, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_set_lazy (m, "x", NULL, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_get (m, "x", &v, &err), LARDER_ENOENT);
    larder_message_free (&m);
}

static void null_arguments (void)
{
    larder_message *m = new_message (), *none = NULL;
    larder_value v = {0};
    uint64_t n = 9;
    char name[LARDER_NAME_MAX + 1] = "n";

    CU_ASSERT_EQUAL (larder_message_new (NULL, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_set (NULL, "a", &v, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_set (m, NULL, &v, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_set (m, "a", NULL, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_set (m, "", &v, NULL), LARDER_EINVAL);
    v.kind = (larder_kind)55;
    CU_ASSERT_EQUAL (larder_message_set (m, "a", &v, NULL), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_get (NULL, "a", &v, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_get (m, NULL, &v, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_get (m, "", NULL, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_get_int (m, "a", NULL, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_get_float (m, "a", NULL, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_get_string (m, "a", NULL, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_get_array (m, "a", LARDER_INT8, NULL, NULL, &err),
                     LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_count (m, "", NULL, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_count (NULL, "", &n, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_name (m, "", 0, NULL, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_name (NULL, "", 0, name, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_remove (NULL, "a", &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_remove (m, NULL, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_remove (m, "", &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_copy (NULL, "a", m, "", &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_copy (m, "a", NULL, "", &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_copy (m, NULL, m, "", &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_walk (m, "", NULL, NULL, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (n, 9);
    CU_ASSERT_STRING_EQUAL (name, "n");
    larder_message_free (&m);
    larder_message_free (&none);
    larder_message_free (NULL);
}

static void kind_names (void)
{
    static const char *const names[] = {"nil",   "bool",  "int",   "uint", "float", "string",
                                        "bytes", "array", "typed", "lazy", "list",  "map"};
    for (int i = 0; i < 12; ++i)
        CU_ASSERT_STRING_EQUAL (larder_kind_name ((larder_kind)i), names[i]);
    CU_ASSERT_STRING_EQUAL (larder_kind_name ((larder_kind)12), "unknown kind");
    CU_ASSERT_STRING_EQUAL (larder_kind_name ((larder_kind)-1), "unknown kind");
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"numbers", numbers},       {"texts", texts},
        {"arrays", arrays},         {"typed", typed},
        {"lazy refs", lazy},        {"arguments that are NULL", null_arguments},
        {"kind names", kind_names}, {NULL, NULL},
    };
    return larder_test_main ("message", tests);
}
