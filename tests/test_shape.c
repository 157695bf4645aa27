/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_test.h"
#include "larder_test_random.h"
#include <larder/shape.h>
#include <string.h>

enum { ROUNDS = 5000 };

/* The numbers stand in messages and files: they must not drift. */
static void types (void)
{
    static const struct {
        larder_type type;
        int number;
        uint32_t size;
        const char *name;
    } want[] = {
        {LARDER_OPAQUE, 0, 0, "opaque"},        {LARDER_INT8, 1, 1, "int8"},
        {LARDER_INT16, 2, 2, "int16"},          {LARDER_INT32, 3, 4, "int32"},
        {LARDER_INT64, 4, 8, "int64"},          {LARDER_UINT8, 5, 1, "uint8"},
        {LARDER_UINT16, 6, 2, "uint16"},        {LARDER_UINT32, 7, 4, "uint32"},
        {LARDER_UINT64, 8, 8, "uint64"},        {LARDER_FLOAT16, 9, 2, "float16"},
        {LARDER_FLOAT32, 10, 4, "float32"},     {LARDER_FLOAT64, 11, 8, "float64"},
        {LARDER_COMPLEX64, 12, 8, "complex64"}, {LARDER_COMPLEX128, 13, 16, "complex128"},
    };

    for (size_t i = 0; i < sizeof want / sizeof *want; ++i) {
        CU_ASSERT_EQUAL ((int)want[i].type, want[i].number);
        CU_ASSERT_EQUAL (larder_type_size (want[i].type), want[i].size);
        CU_ASSERT_STRING_EQUAL (larder_type_name (want[i].type), want[i].name);
    }
    for (int i = -3; i < 40; ++i)
        if (i < 0 || i > 13) {
            CU_ASSERT_EQUAL (larder_type_size ((larder_type)i), 0);
            CU_ASSERT_STRING_EQUAL (larder_type_name ((larder_type)i), "unknown type");
        }
}

static void make (void)
{
    larder_shape s = larder_shape_make (LARDER_FLOAT64, 2, 3, 4);
    CU_ASSERT_EQUAL (s.type, LARDER_FLOAT64);
    CU_ASSERT_EQUAL (s.ndims, 3);
    CU_ASSERT (s.dims[0] == 2 && s.dims[1] == 3 && s.dims[2] == 4);
    s = larder_shape_make (LARDER_INT8, 5, 0, 7);
    CU_ASSERT_EQUAL (s.ndims, 1);
    CU_ASSERT (s.dims[0] == 5 && s.dims[1] == 0 && s.dims[2] == 0);
    CU_ASSERT_EQUAL (larder_shape_make (LARDER_INT8, 0, 2, 7).ndims, 0);
    CU_ASSERT_EQUAL (larder_shape_make (LARDER_INT8, 1, 2, 0).ndims, 2);
}

static void sizes (void)
{
    larder_error err = {0};
    larder_shape s = larder_shape_make (LARDER_COMPLEX128, 10, 20, 30);
    uint64_t size = 1;

    CU_ASSERT_EQUAL (larder_shape_size (&s, &size, &err), LARDER_OK);
    CU_ASSERT_EQUAL (size, 16 * 6000);
    s = larder_shape_make (LARDER_FLOAT32, 0, 0, 0);
    CU_ASSERT_EQUAL (larder_shape_size (&s, &size, &err), LARDER_OK);
    CU_ASSERT_EQUAL (size, 4); /* no dimension: one element */
    s = (larder_shape){.type = LARDER_OPAQUE, .element_size = 7, .ndims = 1, .dims = {3}};
    CU_ASSERT_EQUAL (larder_shape_size (&s, &size, &err), LARDER_OK);
    CU_ASSERT_EQUAL (size, 21);
    s = (larder_shape){.type = LARDER_INT8, .ndims = LARDER_MAX_DIMS};
    for (int i = 0; i < LARDER_MAX_DIMS; ++i)
        s.dims[i] = 2;
    CU_ASSERT_EQUAL (larder_shape_size (&s, &size, &err), LARDER_OK);
    CU_ASSERT_EQUAL (size, UINT64_C (1) << 32);
    /* Nothing times too much is nothing, in any order. */
    s = (larder_shape){.type = LARDER_INT64, .ndims = 3, .dims = {UINT64_MAX, UINT64_MAX, 0}};
    CU_ASSERT_EQUAL (larder_shape_size (&s, &size, &err), LARDER_OK);
    CU_ASSERT_EQUAL (size, 0);
    CU_ASSERT_EQUAL (err.code, 0); /* untouched */
}

static void refused (void)
{
    larder_error err = {0};
    larder_shape s = larder_shape_make ((larder_type)14, 3, 0, 0);
    uint64_t size = 77;

    CU_ASSERT_EQUAL (larder_shape_size (&s, &size, &err), LARDER_EINVAL);
    CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "14"));
    s.type = (larder_type)-1;
    CU_ASSERT_EQUAL (larder_shape_size (&s, &size, NULL), LARDER_EINVAL);
    s = larder_shape_make (LARDER_OPAQUE, 3, 0, 0);
    CU_ASSERT_EQUAL (larder_shape_size (&s, &size, &err), LARDER_EINVAL);
    s = larder_shape_make (LARDER_INT8, 3, 0, 0);
    s.ndims = LARDER_MAX_DIMS + 1;
    CU_ASSERT_EQUAL (larder_shape_size (&s, &size, &err), LARDER_EINVAL);
    s.ndims = -1;
    CU_ASSERT_EQUAL (larder_shape_size (&s, &size, &err), LARDER_EINVAL);
    s = larder_shape_make (LARDER_INT16, UINT64_C (1) << 63, 0, 0);
    CU_ASSERT_EQUAL (larder_shape_size (&s, &size, &err), LARDER_ERANGE);
    CU_ASSERT_EQUAL (err.code, LARDER_ERANGE);
    s = larder_shape_make (LARDER_INT8, UINT64_MAX, 2, 0);
    CU_ASSERT_EQUAL (larder_shape_size (&s, &size, &err), LARDER_ERANGE);
    CU_ASSERT_EQUAL (larder_shape_size (NULL, &size, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_shape_size (&s, NULL, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (size, 77);
}

static void any_sizes (void)
{
    struct larder_test_random r = larder_test_seed ();
    int wrong = 0;

    for (int i = 0; i < ROUNDS; ++i) {
        larder_shape s = {.type = (larder_type)(1 + larder_test_below (&r, 13))};
        unsigned __int128 want = larder_type_size (s.type);
        uint64_t size = 5;
        s.ndims = (int)larder_test_below (&r, 4);
        for (int d = 0; d < s.ndims; ++d) {
            s.dims[d] = larder_test_any_size (&r) >> (s.ndims > 1 ? 32 : 0);
            want = want >> 64 ? want : want * s.dims[d];
        }
        for (int d = 0; d < s.ndims; ++d)
            want = s.dims[d] ? want : 0;
        int rc = larder_shape_size (&s, &size, NULL);
        wrong += want >> 64 ? rc != LARDER_ERANGE || size != 5 : rc != LARDER_OK || size != want;
    }
    CU_ASSERT_EQUAL (wrong, 0);
}

static void equal (void)
{
    larder_shape a = larder_shape_make (LARDER_INT8, 2, 3, 0), b = a;

    CU_ASSERT (larder_shape_equal (&a, &b));
    CU_ASSERT (larder_shape_equal (&a, &a));
    b.element_size = 99; /* not looked at */
    b.dims[2] = 4;       /* not in use */
    CU_ASSERT (larder_shape_equal (&a, &b));
    b.ndims = 3;
    CU_ASSERT (!larder_shape_equal (&a, &b));
    b = a;
    b.dims[1] = 4;
    CU_ASSERT (!larder_shape_equal (&a, &b));
    b = a;
    b.type = LARDER_UINT8;
    CU_ASSERT (!larder_shape_equal (&a, &b));
    a = b = (larder_shape){.type = LARDER_OPAQUE, .element_size = 3};
    CU_ASSERT (larder_shape_equal (&a, &b));
    b.element_size = 4;
    CU_ASSERT (!larder_shape_equal (&a, &b));
    CU_ASSERT (!larder_shape_equal (&a, NULL));
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"types", types},         {"make", make},   {"sizes", sizes}, {"refused", refused},
        {"any sizes", any_sizes}, {"equal", equal}, {NULL, NULL},
    };
    return larder_test_main ("shape", tests);
}
