/* SPDX-License-Identifier: Apache-2.0 */
/* The handler of arrays: what it offers, and what it believes of what comes. */
#include "larder_arrays.h"
#include "larder_message.h"
#include "larder_test.h"
#include "larder_test_random.h"
#include <string.h>

/* A size that cannot be had is an answer here, also under the address sanitizer. */
const char *__asan_default_options (void);
const char *__asan_default_options (void)
{
    return "allocator_may_return_null=1";
}

enum { ARRAYS = 3 };

static struct larder_datum *array_of (const void *data, uint64_t elements)
{
    const larder_shape shape = {.type = LARDER_UINT8, .ndims = 1, .dims = {elements}};
    struct larder_datum *d = larder_datum_new (LARDER_DOT_ARRAY, LARDER_KIND_ARRAY, &shape);

    CU_ASSERT_PTR_NOT_NULL_FATAL (d);
    d->data = data;
    d->size = elements;
    return d;
}

static void values_become_items (void)
{
    static unsigned char data[1000];
    const uint64_t sizes[ARRAYS] = {1000, 0, 77};
    const larder_handler *h = larder_arrays_handler ();
    struct larder_test_random r = larder_test_seed ();
    struct larder_datum *datums[ARRAYS];
    const void *values[ARRAYS];
    uint64_t items[ARRAYS] = {0}, count = 0, size = 77;
    larder_object object = {0};
    larder_shape shape;
    larder_error e = {0};

    larder_test_fill (&r, data, sizeof data);
    for (int i = 0; i < ARRAYS; ++i) {
        datums[i] = array_of (data + i, sizes[i]);
        values[i] = datums[i];
        CU_ASSERT_EQUAL (h->describe (h->self, values[i], &shape, &size, NULL), LARDER_OK);
        CU_ASSERT (size == sizes[i] && shape.ndims == 1 && shape.dims[0] == sizes[i]);
    }
    CU_ASSERT_EQUAL_FATAL (h->make_object (h->self, values, ARRAYS, &object, items, NULL),
                           LARDER_OK);
    for (int i = 0; i < ARRAYS; ++i)
        larder_datum_free (datums[i]); /* the message may be freed: only its data stays */
    CU_ASSERT_EQUAL (object.ops->item_count (object.self, &count, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (count, ARRAYS);
    for (uint64_t i = 0; i < ARRAYS; ++i) {
        unsigned char buffer[1000];
        uint64_t at = 0;
        int last = 0;
        CU_ASSERT_EQUAL (items[i], 1);
        CU_ASSERT_EQUAL (object.ops->item_size (object.self, i, &size, NULL), LARDER_OK);
        CU_ASSERT_EQUAL (size, sizes[i]);
        while (!last && at <= size) {
            size_t produced = 0, capacity = 1 + larder_test_below (&r, 400);
            CU_ASSERT_EQUAL_FATAL (
                object.ops->produce_item (object.self, i, at, buffer + at,
                                          capacity < size - at ? capacity : size - at, &produced,
                                          &last, NULL),
                LARDER_OK);
            at += produced;
        }
        CU_ASSERT (at == size && memcmp (buffer, data + i, size) == 0);
        CU_ASSERT_EQUAL (
            object.ops->produce_item (object.self, i, size + 1, buffer, 1, &(size_t){0}, &last, &e),
            LARDER_ERANGE);
    }
    CU_ASSERT_EQUAL (object.ops->item_size (object.self, ARRAYS, &size, &e), LARDER_ERANGE);
    CU_ASSERT_EQUAL (
        object.ops->produce_item (object.self, ARRAYS, 0, NULL, 0, &(size_t){0}, &(int){0}, &e),
        LARDER_ERANGE);
    object.ops->release (object.self);
}

static void written_natively (void)
{
    const unsigned char data[4] = {1, 2, 3, 4};
    const larder_handler *h = larder_arrays_handler ();
    struct larder_datum *d = array_of (data, 4);
    unsigned char buffer[4] = {0};
    larder_error e = {0};

    CU_ASSERT_EQUAL (h->write_native (h->self, d, buffer, 4, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (memcmp (buffer, data, 4), 0);
    CU_ASSERT_EQUAL (h->write_native (h->self, d, buffer, 3, &e), LARDER_EINVAL);
    d->data = NULL;
    CU_ASSERT_EQUAL (h->write_native (h->self, d, buffer, 4, &e), LARDER_EINVAL);
    larder_datum_free (d);
}

/* ---------------------------------------------------------------- receiving */

static larder_lazy lazy_of (uint64_t elements)
{
    return (larder_lazy){.dot = LARDER_DOT_ARRAY,
                         .shape = {.type = LARDER_UINT8, .ndims = 1, .dims = {elements}},
                         .size = elements};
}

static larder_consumer begin (uint64_t elements)
{
    const larder_handler *h = larder_arrays_handler ();
    const larder_lazy lazy = lazy_of (elements);
    larder_consumer c = {0};

    CU_ASSERT_EQUAL_FATAL (h->receive (h->self, &lazy, &c, NULL), LARDER_OK);
    return c;
}

static int give (const larder_consumer *c, uint64_t item, uint64_t offset, const void *data,
                 size_t size)
{
    const larder_view view = {
        .item = item, .offset = offset, .count = 1, .data = data, .size = size};
    larder_error e = {0};
    int code = c->consume_items (c->self, &view, &e);

    CU_ASSERT (code == LARDER_OK || strlen (e.text) > 0);
    return code;
}

static void what_comes_is_the_array (void)
{
    const larder_handler *h = larder_arrays_handler ();
    larder_consumer c = begin (10);
    larder_made made = {0};

    CU_ASSERT_EQUAL (give (&c, 0, 0, "abcd", 4), LARDER_OK);
    CU_ASSERT_EQUAL (give (&c, 0, 4, NULL, 0), LARDER_OK);
    CU_ASSERT_EQUAL (give (&c, 0, 4, "efghij", 6), LARDER_OK);
    CU_ASSERT_EQUAL_FATAL (h->finish (h->self, c.self, &made, NULL), LARDER_OK);
    CU_ASSERT (made.array && made.shape.dims[0] == 10);
    CU_ASSERT_EQUAL (memcmp (made.value, "abcdefghij", 10), 0);
    CU_ASSERT_EQUAL ((uintptr_t)made.value % 64, 0);
    made.free_value (made.value);

    c = begin (0);
    made = (larder_made){0};
    CU_ASSERT_EQUAL (h->finish (h->self, c.self, &made, NULL), LARDER_OK);
    CU_ASSERT (made.array && made.value == NULL && made.shape.ndims == 1);
    c = begin (10);
    CU_ASSERT_EQUAL (give (&c, 0, 0, "abcd", 4), LARDER_OK);
    h->abandon (h->self, c.self);
}

static void what_comes_is_something_else (void)
{
    const larder_handler *h = larder_arrays_handler ();
    larder_consumer c = begin (10);
    larder_made made = {0};
    larder_error e = {0};
    const larder_view two = {.count = 2, .data = "ab", .size = 2, .item_size = 1};

    CU_ASSERT_EQUAL (give (&c, 0, 0, "abcdefghijk", 11), LARDER_EINCOMPLETE);
    CU_ASSERT_EQUAL (give (&c, 1, 0, "a", 1), LARDER_EINCOMPLETE);
    CU_ASSERT_EQUAL (give (&c, 0, 1, "a", 1), LARDER_EINCOMPLETE);
    CU_ASSERT_EQUAL (c.consume_items (c.self, &two, &e), LARDER_EINCOMPLETE);
    CU_ASSERT_EQUAL (give (&c, 0, 0, "abcdefghi", 9), LARDER_OK);
    CU_ASSERT_EQUAL (give (&c, 0, 9, "jk", 2), LARDER_EINCOMPLETE);
    CU_ASSERT_EQUAL (h->finish (h->self, c.self, &made, &e), LARDER_EINCOMPLETE);
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "9 of its 10 bytes"));
    CU_ASSERT_PTR_NULL (made.value);
}

/* What a message says of a size is not believed. */
static void sizes_that_cannot_be (void)
{
    const larder_handler *h = larder_arrays_handler ();
    larder_lazy lazy = lazy_of (UINT64_C (1) << 62);
    larder_consumer c = {0};
    larder_error e = {0};

    CU_ASSERT_EQUAL (h->receive (h->self, &lazy, &c, &e), LARDER_ENOMEM);
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "4611686018427387904"));
    lazy = lazy_of (UINT64_MAX);
    CU_ASSERT_EQUAL (h->receive (h->self, &lazy, &c, &e), LARDER_ENOMEM);
    lazy = lazy_of (100);
    lazy.size = 99;
    CU_ASSERT_EQUAL (h->receive (h->self, &lazy, &c, &e), LARDER_EFORMAT);
    lazy = lazy_of (UINT64_MAX);
    lazy.shape.type = LARDER_FLOAT64;
    CU_ASSERT_EQUAL (h->receive (h->self, &lazy, &c, &e), LARDER_ERANGE);
    CU_ASSERT_PTR_NULL (c.self);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"values become items", values_become_items},
        {"written natively", written_natively},
        {"what comes is the array", what_comes_is_the_array},
        {"what comes is something else", what_comes_is_something_else},
        {"sizes that cannot be", sizes_that_cannot_be},
        {NULL, NULL},
    };
    return larder_test_main ("arrays", tests);
}
