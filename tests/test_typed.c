/* SPDX-License-Identifier: Apache-2.0 */
/* Values of types with a handler, and of types without, in messages that need no session. */
#include "larder_pack.h"
#include "larder_test_codec.h"

static larder_registry *registry_of (struct codec_points *points)
{
    const larder_handler handler = codec_handler (points);
    larder_registry *registry = NULL;

    CU_ASSERT_EQUAL_FATAL (larder_registry_new (&registry, NULL), LARDER_OK);
    CU_ASSERT_EQUAL_FATAL (larder_registry_add (registry, &handler, NULL), LARDER_OK);
    return registry;
}

static void set_point (larder_message *m, const char *path, const struct codec_point *point)
{
    codec_set (m, path,
               (larder_value){.kind = LARDER_KIND_TYPED, .dot = CODEC_DOT_POINT, .data = point});
}

static void a_type_comes_back (void)
{
    const struct codec_point p = {3, -4}, same_as_p = {3, -4}, q = {5, 6};
    struct codec_points points = {0};
    larder_registry *registry = registry_of (&points);
    larder_message *m = codec_new (), *back = NULL;
    larder_encoded encoded, again;
    larder_value v, w;

    set_point (m, "p", &p);
    set_point (m, "also p", &p);
    set_point (m, "equal to p", &same_as_p);
    set_point (m, "q", &q);
    encoded = codec_encode (m, registry);
    CU_ASSERT_EQUAL (encoded.native, 2);
    CU_ASSERT_EQUAL (points.written, 2);
    CU_ASSERT_EQUAL_FATAL (codec_decode (encoded.bytes, encoded.size, registry, &back, NULL),
                           LARDER_OK);
    CU_ASSERT_EQUAL (points.read, 2);
    CU_ASSERT_EQUAL (larder_message_get (back, "q", &v, NULL), LARDER_OK);
    CU_ASSERT (v.kind == LARDER_KIND_TYPED && v.dot == CODEC_DOT_POINT);
    CU_ASSERT (codec_same (NULL, v.data, &q));
    CU_ASSERT_EQUAL (larder_message_get (back, "p", &v, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_get (back, "equal to p", &w, NULL), LARDER_OK);
    CU_ASSERT (v.data == w.data && codec_same (NULL, v.data, &p));
    again = codec_encode (back, registry);
    CU_ASSERT (codec_equal (&encoded, &again));
    larder_encoded_free (&encoded);
    larder_encoded_free (&again);
    larder_message_free (&m);
    larder_message_free (&back);
    larder_registry_free (&registry);
}

/* Code in the middle need not know the type. */
static void a_type_without_a_handler_passes (void)
{
    const struct codec_point p = {3, -4};
    struct codec_points points = {0};
    larder_registry *registry = registry_of (&points);
    larder_message *m = codec_new (), *middle = NULL, *copy = codec_new (), *back = NULL;
    larder_encoded encoded, again;
    larder_error e = {0};
    larder_value v;

    set_point (m, "p", &p);
    encoded = codec_encode (m, registry);
    CU_ASSERT_EQUAL_FATAL (codec_decode (encoded.bytes, encoded.size, NULL, &middle, NULL),
                           LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_get (middle, "p", &v, NULL), LARDER_OK);
    CU_ASSERT (v.kind == LARDER_KIND_TYPED && v.dot == CODEC_DOT_POINT);
    again = codec_encode (middle, NULL);
    CU_ASSERT (codec_equal (&encoded, &again));
    larder_encoded_free (&again);

    CU_ASSERT_EQUAL (larder_message_copy (copy, "p", middle, "p", NULL), LARDER_OK);
    larder_message_free (&middle);
    CU_ASSERT_EQUAL (larder_message_copy (copy, "again", copy, "p", NULL), LARDER_OK);
    again = codec_encode (copy, registry);
    CU_ASSERT_EQUAL (again.native, 1);
    CU_ASSERT_EQUAL (codec_decode (again.bytes, again.size, registry, &back, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_get (back, "again", &v, NULL), LARDER_OK);
    CU_ASSERT (codec_same (NULL, v.data, &p));
    larder_message_free (&back);
    larder_encoded_free (&again);

    CU_ASSERT_EQUAL (larder_unpack (encoded.bytes, encoded.size, NULL, 1, &back, NULL, &e),
                     LARDER_EHANDLER);
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "value 0"));
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "70"));
    CU_ASSERT_PTR_NULL (back);
    CU_ASSERT_EQUAL (larder_message_encode (m, NULL, NULL, &again, &e), LARDER_EHANDLER);
    larder_encoded_free (&encoded);
    larder_message_free (&m);
    larder_message_free (&copy);
    larder_registry_free (&registry);
}

static void handlers_that_fail (void)
{
    const struct codec_point p = {3, -4};
    struct codec_points points = {0};
    larder_registry *registry = registry_of (&points), *poor = NULL;
    larder_handler describes = codec_handler (&points);
    larder_message *m = codec_new (), *back = NULL;
    larder_encoded encoded, untouched = {0};
    larder_error e = {0};

    set_point (m, "p", &p);
    encoded = codec_encode (m, registry);
    points.fail = LARDER_EIO;
    CU_ASSERT_EQUAL (larder_message_encode (m, registry, NULL, &untouched, &e), LARDER_EIO);
    CU_ASSERT_STRING_EQUAL (e.text, "describe fails");
    CU_ASSERT_EQUAL (codec_decode (encoded.bytes, encoded.size, registry, &back, &e), LARDER_EIO);
    CU_ASSERT_STRING_EQUAL (e.text, "read fails");
    points.fail = 0;
    points.no_value = 1;
    CU_ASSERT_EQUAL (codec_decode (encoded.bytes, encoded.size, registry, &back, &e),
                     LARDER_ENOVALUE);
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "value 0"));
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "point"));
    points.no_value = 0;

    describes.write_native = NULL;
    describes.read_native = NULL;
    CU_ASSERT_EQUAL_FATAL (larder_registry_new (&poor, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_registry_add (poor, &describes, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_encode (m, poor, NULL, &untouched, &e), LARDER_EHANDLER);
    CU_ASSERT_EQUAL (codec_decode (encoded.bytes, encoded.size, poor, &back, &e), LARDER_EHANDLER);
    CU_ASSERT_PTR_NULL (back);
    CU_ASSERT_PTR_NULL (untouched.bytes);
    larder_encoded_free (&encoded);
    larder_message_free (&m);
    larder_registry_free (&registry);
    larder_registry_free (&poor);
}

/* ---------------------------------------------------------------- a handler whose values become arrays */

static int read_array (void *self, const larder_shape *shape, const void *data, uint64_t size,
                       larder_made *made, larder_error *err)
{
    const int *state = self;
    uint64_t bytes = 0;
    (void)data;
    (void)size;
    (void)err;
    made->array = 1;
    made->shape = *shape;
    CU_ASSERT_EQUAL (larder_shape_size (shape, &bytes, NULL), LARDER_OK);
    made->value = calloc (1, bytes + 1);
    made->free_value = free;
    if (*state == 1)
        made->shape.ndims = 99;
    if (*state == 2) {
        made->shape.ndims = 1;
        made->shape.dims[0] = 1 + shape->dims[0];
    }
    return made->value ? LARDER_OK : LARDER_ENOMEM;
}

static void a_type_becomes_an_array (void)
{
    const struct codec_point p = {3, -4};
    struct codec_points points = {0};
    int state = 0;
    larder_registry *registry = registry_of (&points), *other = NULL;
    larder_handler handler = codec_handler (NULL);
    larder_message *m = codec_new (), *back = NULL;
    larder_encoded encoded, again;
    larder_error e = {0};
    larder_value v;

    set_point (m, "p", &p);
    encoded = codec_encode (m, registry);
    handler.self = &state;
    handler.read_native = read_array;
    CU_ASSERT_EQUAL_FATAL (larder_registry_new (&other, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_registry_add (other, &handler, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (codec_decode (encoded.bytes, encoded.size, other, &back, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_get (back, "p", &v, NULL), LARDER_OK);
    CU_ASSERT (v.kind == LARDER_KIND_ARRAY && v.dot == LARDER_DOT_ARRAY);
    again = codec_encode (back, NULL); /* it is an array like others */
    CU_ASSERT_EQUAL (again.native, 1);
    larder_encoded_free (&again);
    larder_message_free (&back);
    for (state = 1; state <= 2;
         ++state) { /* of an impossible shape, of another one than described */
        CU_ASSERT_EQUAL (codec_decode (encoded.bytes, encoded.size, other, &back, &e),
                         LARDER_ENOVALUE);
        CU_ASSERT_PTR_NULL (back);
    }
    larder_encoded_free (&encoded);
    larder_message_free (&m);
    larder_registry_free (&registry);
    larder_registry_free (&other);
}

/* ---------------------------------------------------------------- what has a ref is passed on by it */

static void data_that_came_by_ref_goes_by_ref (void)
{
    const struct codec_point p = {3, -4};
    const double numbers[4] = {1, 2, 3, 4};
    const larder_lazy array = codec_lazy (1, 5, 4);
    larder_lazy point = codec_lazy (1, 6, 1);
    larder_message *m = codec_new ();
    struct larder_node *node = NULL;
    larder_encoded before, after;

    point.dot = CODEC_DOT_POINT;
    CU_ASSERT_EQUAL (larder_message_set_lazy (m, "on disk", &array, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_set_lazy (m, "placeholder", &point, NULL), LARDER_OK);
    before = codec_encode (m, NULL);
    CU_ASSERT_EQUAL (larder_message_find (m, "on disk", &node, NULL), LARDER_OK);
    node->u.datum->data = numbers;
    CU_ASSERT_EQUAL (larder_message_find (m, "placeholder", &node, NULL), LARDER_OK);
    node->u.datum->data = &p;
    node->u.datum->kind = LARDER_KIND_TYPED;
    larder_message_renew (m);
    after = codec_encode (m, NULL);
    CU_ASSERT_EQUAL (after.forwarded, 2);
    CU_ASSERT (codec_equal (&before, &after));
    larder_encoded_free (&before);
    larder_encoded_free (&after);
    larder_message_free (&m);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"a type comes back", a_type_comes_back},
        {"a type without a handler passes", a_type_without_a_handler_passes},
        {"handlers that fail", handlers_that_fail},
        {"a type becomes an array", a_type_becomes_an_array},
        {"data that came by ref goes by ref", data_that_came_by_ref_goes_by_ref},
        {NULL, NULL},
    };
    return larder_test_main ("typed", tests);
}
