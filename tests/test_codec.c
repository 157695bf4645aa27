/* SPDX-License-Identifier: Apache-2.0 */
/* What is encoded is decoded: kinds of values, sizes, values that are one, refs that are passed on, handlers. */
#include "larder_pack.h"
#include "larder_test_codec.h"
#include <math.h>

/* ---------------------------------------------------------------- what comes back */

static void fill_tree (larder_message *m, const double *weights)
{
    const larder_shape shape = larder_shape_make (LARDER_FLOAT64, 2, 3, 0);

    CU_ASSERT_EQUAL (larder_message_set_int (m, "round", 3, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_set_int (m, "least", INT64_MIN, NULL), LARDER_OK);
    codec_set (m, "most", (larder_value){.kind = LARDER_KIND_UINT, .natural = UINT64_MAX});
    codec_set (m, "yes", (larder_value){.kind = LARDER_KIND_BOOL, .boolean = 1});
    codec_set (m, "no", (larder_value){.kind = LARDER_KIND_BOOL});
    codec_set (m, "nothing", (larder_value){.kind = LARDER_KIND_NIL});
    CU_ASSERT_EQUAL (larder_message_set_float (m, "rate", -0.125, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_set_float (m, "not a number", NAN, NULL), LARDER_OK);
    codec_set (m, "text",
               (larder_value){.kind = LARDER_KIND_STRING, .data = "a\0b\xff", .size = 4});
    CU_ASSERT_EQUAL (larder_message_set_bytes (m, "bytes", "\0\1\2", 3, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_set_bytes (m, "no bytes", "", 0, NULL), LARDER_OK);
    codec_set (m, "list", (larder_value){.kind = LARDER_KIND_LIST});
    CU_ASSERT_EQUAL (larder_message_set_int (m, "list/-", 1, NULL), LARDER_OK);
    codec_set (m, "list/-", (larder_value){.kind = LARDER_KIND_LIST});
    codec_set (m, "list/-", (larder_value){.kind = LARDER_KIND_MAP});
    CU_ASSERT_EQUAL (larder_message_set_array (m, "model/weights", &shape, weights, NULL),
                     LARDER_OK);
}

static void every_kind_comes_back (void)
{
    const double weights[6] = {1, 2, 3, 4, 5, INFINITY};
    larder_message *m = codec_new (), *back = NULL;
    larder_encoded first, second;
    larder_value v;
    larder_shape shape;
    const void *data;
    int64_t number;
    uint64_t count;

    fill_tree (m, weights);
    first = codec_encode (m, NULL);
    CU_ASSERT_EQUAL (first.native, 1);
    CU_ASSERT_EQUAL (first.forwarded, 0);
    CU_ASSERT_EQUAL (first.transaction, 0);
    CU_ASSERT_EQUAL_FATAL (codec_decode (first.bytes, first.size, NULL, &back, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_get_int (back, "least", &number, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (number, INT64_MIN);
    CU_ASSERT_EQUAL (larder_message_get (back, "most", &v, NULL), LARDER_OK);
    CU_ASSERT (v.kind == LARDER_KIND_UINT && v.natural == UINT64_MAX);
    CU_ASSERT_EQUAL (larder_message_get (back, "yes", &v, NULL), LARDER_OK);
    CU_ASSERT (v.kind == LARDER_KIND_BOOL && v.boolean == 1);
    CU_ASSERT_EQUAL (larder_message_get (back, "nothing", &v, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (v.kind, LARDER_KIND_NIL);
    CU_ASSERT_EQUAL (larder_message_get (back, "not a number", &v, NULL), LARDER_OK);
    CU_ASSERT (v.kind == LARDER_KIND_FLOAT && isnan (v.real));
    CU_ASSERT_EQUAL (larder_message_get (back, "text", &v, NULL), LARDER_OK);
    CU_ASSERT (v.kind == LARDER_KIND_STRING && v.size == 4 && memcmp (v.data, "a\0b\xff", 5) == 0);
    CU_ASSERT_EQUAL (larder_message_get (back, "no bytes", &v, NULL), LARDER_OK);
    CU_ASSERT (v.kind == LARDER_KIND_BYTES && v.size == 0);
    CU_ASSERT_EQUAL (larder_message_count (back, "list", &count, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (count, 3);
    CU_ASSERT_EQUAL (larder_message_get (back, "list/2", &v, NULL), LARDER_OK);
    CU_ASSERT (v.kind == LARDER_KIND_MAP && v.size == 0);
    CU_ASSERT_EQUAL (
        larder_message_get_array (back, "model/weights", LARDER_FLOAT64, &shape, &data, NULL),
        LARDER_OK);
    CU_ASSERT (shape.ndims == 2 && shape.dims[0] == 2 && shape.dims[1] == 3);
    CU_ASSERT_EQUAL (memcmp (data, weights, sizeof weights), 0);
    CU_ASSERT_EQUAL ((uintptr_t)data % 64, 0);

    second = codec_encode (back, NULL);
    CU_ASSERT (codec_equal (&first, &second));
    larder_encoded_free (&first);
    larder_encoded_free (&second);
    larder_encoded_free (&second);
    CU_ASSERT_PTR_NULL (second.bytes);
    larder_message_free (&m);
    larder_message_free (&back);
}

static void every_shape_comes_back (void)
{
    const unsigned char data[1 << 12] = {1, 2, 3};
    larder_message *m = codec_new (), *back = NULL;
    larder_encoded encoded;
    larder_value v;
    int n = 0;

    codec_set (m, "arrays", (larder_value){.kind = LARDER_KIND_LIST});
    for (int type = LARDER_OPAQUE; type <= LARDER_COMPLEX128; ++type) {
        for (int ndims = 0; ndims <= LARDER_MAX_DIMS; ndims += 4) {
            larder_value a = {.kind = LARDER_KIND_ARRAY, .data = data};
            a.shape = (larder_shape){.type = (larder_type)type, .element_size = 5, .ndims = ndims};
            for (int i = 0; i < ndims; ++i)
                a.shape.dims[i] = ndims % 8 == 4 && i == 1 ? (uint64_t)type % 3 : 1 + (i == 2);
            codec_set (m, "arrays/-", a);
            ++n;
        }
    }
    encoded = codec_encode (m, NULL);
    CU_ASSERT_EQUAL_FATAL (codec_decode (encoded.bytes, encoded.size, NULL, &back, NULL),
                           LARDER_OK);
    for (int i = 0; i < n; ++i) {
        char path[32];
        larder_value was;
        (void)snprintf (path, sizeof path, "arrays/%d", i);
        CU_ASSERT_EQUAL (larder_message_get (m, path, &was, NULL), LARDER_OK);
        CU_ASSERT_EQUAL (larder_message_get (back, path, &v, NULL), LARDER_OK);
        CU_ASSERT (larder_shape_equal (&v.shape, &was.shape));
        CU_ASSERT_EQUAL (v.size, was.size);
        CU_ASSERT (v.size == 0 || memcmp (v.data, data, v.size) == 0);
    }
    larder_encoded_free (&encoded);
    larder_message_free (&m);
    larder_message_free (&back);
}

/* The format travels between programs and stands in files: it must not drift. */
static void golden (void)
{
    const uint16_t numbers[3] = {0x0102, 0x0304, 0x0506};
    const larder_shape shape = larder_shape_make (LARDER_UINT16, 3, 0, 0);
    const larder_lazy lazy = codec_lazy (5, 300, 1000);
    larder_message *m = codec_new ();
    larder_encoded encoded;
    /* clang-format off */
    static const char golden_text[] =
        /* header */ "4c4d53470100000065000000000000000600000000000000795366090e69a6f0"
        /* refs */ "93c440"
        "4c520100047d7f7defcdab896745230100000000050000000700000000000000"
        "01000000000000002c010000000000000100000000000000ffffffff00000000"
        /* values */ "92940192060300069601920bcd03e800cd012c01cd1f40"
        /* body */ "82a161d40100a17ad40101"
        /* zeros */ "0000000000000000000000000000000000000000000000000000000000000000"
        "000000000000000000000000000000000000000000000000000000"
        /* data */ "020104030605";
    /* clang-format on */
    char text[1000] = "";

    if (larder_message_byte_order () != 0) {
        CU_PASS ("its arrays are little-endian");
        larder_message_free (&m);
        return;
    }
    CU_ASSERT_EQUAL (larder_message_set_array (m, "a", &shape, numbers, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_set_lazy (m, "z", &lazy, NULL), LARDER_OK);
    encoded = codec_encode (m, NULL);
    for (size_t i = 0; i < encoded.size && i < 300; ++i)
        (void)snprintf (text + 2 * i, 3, "%02x", ((unsigned char *)encoded.bytes)[i]);
    CU_ASSERT_STRING_EQUAL (text, golden_text);
    if (CU_get_number_of_failures ())
        printf ("\n    is %s\n", text);
    larder_encoded_free (&encoded);
    larder_message_free (&m);
}

static void nothing_at_all (void)
{
    larder_message *m = codec_new (), *back = NULL;
    larder_encoded encoded = codec_encode (m, NULL), untouched = {.size = 77};
    larder_error e;

    CU_ASSERT_EQUAL (encoded.size, LARDER_MESSAGE_HEADER + 1 + 2 + 1 + 1);
    CU_ASSERT_EQUAL (codec_decode (encoded.bytes, encoded.size, NULL, &back, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_encode (NULL, NULL, NULL, &untouched, &e), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_encode (m, NULL, NULL, NULL, &e), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_decode (NULL, 5, NULL, &back, &e), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_decode (encoded.bytes, encoded.size, NULL, NULL, &e),
                     LARDER_EINVAL);
    CU_ASSERT_EQUAL (untouched.size, 77);
    larder_encoded_free (NULL);
    larder_encoded_free (&encoded);
    larder_message_free (&m);
    larder_message_free (&back);
}

/* ---------------------------------------------------------------- what is one value */

static void a_value_travels_once (void)
{
    double numbers[64] = {1, 2, 3};
    const larder_shape row = larder_shape_make (LARDER_FLOAT64, 64, 0, 0);
    const larder_shape square = larder_shape_make (LARDER_FLOAT64, 8, 8, 0);
    const larder_shape empty = {.type = LARDER_INT8, .ndims = 1};
    const larder_lazy lazy = codec_lazy (1, 3, 10), other = codec_lazy (1, 4, 10);
    larder_message *m = codec_new (), *back = NULL;
    larder_encoded encoded, again;
    larder_value a, b;

    CU_ASSERT_EQUAL (larder_message_set_array (m, "a", &row, numbers, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_set_array (m, "b", &row, numbers, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_copy (m, "c", m, "a", NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_set_array (m, "square", &square, numbers, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_set_array (m, "none", &empty, numbers, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_set_array (m, "none2", &empty, numbers, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_copy (m, "none3", m, "none2", NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_set_lazy (m, "x", &lazy, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_set_lazy (m, "y", &lazy, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_set_lazy (m, "z", &other, NULL), LARDER_OK);
    encoded = codec_encode (m, NULL);
    CU_ASSERT_EQUAL (encoded.native, 4);
    CU_ASSERT_EQUAL (encoded.forwarded, 2);
    CU_ASSERT (encoded.size < 2 * sizeof numbers + 512);

    CU_ASSERT_EQUAL_FATAL (codec_decode (encoded.bytes, encoded.size, NULL, &back, NULL),
                           LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_get (back, "a", &a, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_get (back, "c", &b, NULL), LARDER_OK);
    CU_ASSERT_PTR_EQUAL (a.data, b.data);
    again = codec_encode (back, NULL);
    CU_ASSERT (codec_equal (&encoded, &again));
    larder_encoded_free (&encoded);
    larder_encoded_free (&again);
    larder_message_free (&back);

    /* The message can be encoded again, changed or not. */
    again = codec_encode (m, NULL);
    CU_ASSERT_EQUAL (again.native, 4);
    larder_encoded_free (&again);
    CU_ASSERT_EQUAL (larder_message_remove (m, "square", NULL), LARDER_OK);
    again = codec_encode (m, NULL);
    CU_ASSERT_EQUAL (again.native, 3);
    larder_encoded_free (&again);
    larder_message_free (&m);
}

static void many_values (void)
{
    enum { MANY = 3000 };
    static unsigned char data[MANY];
    const larder_shape shape = larder_shape_make (LARDER_INT8, 1, 0, 0);
    larder_message *m = codec_new (), *back = NULL;
    larder_encoded encoded, again;

    codec_set (m, "list", (larder_value){.kind = LARDER_KIND_LIST});
    for (unsigned i = 0; i < MANY; ++i) {
        const larder_lazy lazy = codec_lazy (i / 2, i % 7, 10 + i % 3);
        data[i] = (unsigned char)i;
        CU_ASSERT_EQUAL (larder_message_set_array (m, "list/-", &shape, data + i, NULL), LARDER_OK);
        CU_ASSERT_EQUAL (larder_message_set_lazy (m, "list/-", &lazy, NULL), LARDER_OK);
    }
    encoded = codec_encode (m, NULL);
    CU_ASSERT_EQUAL (encoded.native, MANY);
    CU_ASSERT_EQUAL (encoded.forwarded, MANY);
    CU_ASSERT_EQUAL_FATAL (codec_decode (encoded.bytes, encoded.size, NULL, &back, NULL),
                           LARDER_OK);
    again = codec_encode (back, NULL);
    CU_ASSERT (codec_equal (&encoded, &again));
    for (unsigned i = 0; i < MANY; i += 97) {
        char path[32];
        larder_value v;
        (void)snprintf (path, sizeof path, "list/%u", 2 * i);
        CU_ASSERT_EQUAL (larder_message_get (back, path, &v, NULL), LARDER_OK);
        CU_ASSERT_EQUAL (*(const unsigned char *)v.data, data[i]);
    }
    larder_encoded_free (&encoded);
    larder_encoded_free (&again);
    larder_message_free (&m);
    larder_message_free (&back);
}

/* ---------------------------------------------------------------- what a lazy ref costs */

static larder_lazy five_dims (uint32_t object, uint64_t first)
{
    larder_lazy lazy = codec_lazy (object, 0, 1);
    larder_ref whole = codec_ref (object, UINT64_C (1) << 40);

    CU_ASSERT_EQUAL (larder_ref_items (&whole, first, UINT64_C (1) << 33, &lazy.ref, NULL),
                     LARDER_OK);
    /* As many bytes as 64 bits hold, and the longest numbers. */
    lazy.shape = (larder_shape){.type = LARDER_OPAQUE, .element_size = 1, .ndims = 5};
    for (int i = 0; i < 5; ++i)
        lazy.shape.dims[i] = i < 3 ? 70000 : 130;
    CU_ASSERT_EQUAL (larder_shape_size (&lazy.shape, &lazy.size, NULL), LARDER_OK);
    return lazy;
}

static void a_lazy_ref_is_small (void)
{
    larder_message *m = codec_new ();
    larder_encoded empty = codec_encode (m, NULL), encoded;
    larder_lazy lazy = five_dims (UINT32_MAX, UINT64_C (1) << 34);
    size_t names = strlen ("weights");

    CU_ASSERT_EQUAL (larder_message_set_lazy (m, "weights", &lazy, NULL), LARDER_OK);
    encoded = codec_encode (m, NULL);
    CU_ASSERT (encoded.size - empty.size - names <= 128);
    printf ("\n    one lazy ref: %zu bytes beside its name", encoded.size - empty.size - names);
    larder_encoded_free (&encoded);
    CU_ASSERT_EQUAL (larder_message_remove (m, "weights", NULL), LARDER_OK);

    names = 0;
    for (unsigned i = 0; i < 64; ++i) {
        char name[32];
        (void)snprintf (name, sizeof name, "layer%u", i);
        names += strlen (name);
        lazy = five_dims (1, (UINT64_C (1) << 33) * (1 + i % 3));
        lazy.shape.dims[4] = 130 + i;
        CU_ASSERT_EQUAL (larder_shape_size (&lazy.shape, &lazy.size, NULL), LARDER_OK);
        CU_ASSERT_EQUAL (larder_message_set_lazy (m, name, &lazy, NULL), LARDER_OK);
    }
    encoded = codec_encode (m, NULL);
    CU_ASSERT_EQUAL (encoded.forwarded, 64);
    CU_ASSERT ((encoded.size - empty.size - names) <= 64 * 128);
    printf ("\n    64 of three refs: %zu bytes each ", (encoded.size - empty.size - names) / 64);
    larder_encoded_free (&encoded);
    larder_encoded_free (&empty);
    larder_message_free (&m);
}

static void next_receivers_split_refs_once (void)
{
    const larder_lazy lazy = codec_lazy (1, 3, 10), other = codec_lazy (2, 3, 10);
    const larder_next next = {.via = 4, .share = 9}, none = {.via = 4},
                      others = {.via = 5, .share = 9};
    larder_message *m = codec_new (), *back = NULL;
    larder_encoded split = {0}, again = {0}, plain = {0};
    larder_ref_info info;
    larder_value v;
    larder_error e = {0};

    CU_ASSERT_EQUAL (larder_message_set_lazy (m, "x", &lazy, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_set_lazy (m, "y", &other, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_encode (m, NULL, &next, &split, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_encode (m, NULL, &none, &plain, NULL), LARDER_OK);
    again = codec_encode (m, NULL);
    CU_ASSERT (codec_equal (&plain, &again));
    larder_encoded_free (&again);

    CU_ASSERT_EQUAL_FATAL (codec_decode (split.bytes, split.size, NULL, &back, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_get (back, "y", &v, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_ref_read (&v.lazy.ref, &info, NULL), LARDER_OK);
    CU_ASSERT (info.via == 4 && info.share == 9 && info.first_item == 3 && info.item_count == 1);
    again = codec_encode (back, NULL); /* later hops pass it on */
    CU_ASSERT (codec_equal (&split, &again));
    larder_encoded_free (&again);
    CU_ASSERT_EQUAL (larder_message_encode (back, NULL, &next, &again, NULL), LARDER_OK);
    CU_ASSERT (codec_equal (&split, &again));
    larder_encoded_free (&again);
    CU_ASSERT_EQUAL (larder_message_encode (back, NULL, &others, &again, &e), LARDER_ESPLIT);
    CU_ASSERT_PTR_NULL (again.bytes);
    /* A failed encode leaves nothing behind. */
    CU_ASSERT_EQUAL (larder_message_encode (back, NULL, &next, &again, NULL), LARDER_OK);
    larder_encoded_free (&again);
    larder_encoded_free (&split);
    larder_encoded_free (&plain);
    larder_message_free (&m);
    larder_message_free (&back);
}

/* ---------------------------------------------------------------- values that become an object */

static void own_values_get_their_ref (unsigned others)
{
    const double numbers[2][8] = {{1}, {2}};
    const larder_shape shape = larder_shape_make (LARDER_FLOAT64, 8, 0, 0);
    const larder_ref own = codec_ref (77, 20);
    larder_message *m = codec_new (), *back = NULL;
    struct larder_pack pack;
    larder_encoded encoded = {0};
    larder_ref_info info;
    larder_value v;

    codec_set (m, "lazy", (larder_value){.kind = LARDER_KIND_LIST});
    for (unsigned i = 0; i < others; ++i) {
        const larder_lazy lazy = codec_lazy (100 + i, 1, 8);
        CU_ASSERT_EQUAL (larder_message_set_lazy (m, "lazy/-", &lazy, NULL), LARDER_OK);
    }
    CU_ASSERT_EQUAL (larder_message_set_array (m, "a", &shape, numbers[0], NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_set_array (m, "b", &shape, numbers[1], NULL), LARDER_OK);
    CU_ASSERT_EQUAL_FATAL (larder_pack_begin (&pack, m, NULL, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (pack.count, others + 2);
    CU_ASSERT_EQUAL (pack.values[others].way, LARDER_WAY_NATIVE);
    CU_ASSERT_PTR_EQUAL (larder_pack_value (&pack.values[others]), pack.values[others].datum);
    pack.values[others + 1].way = LARDER_WAY_OWN;
    pack.values[others + 1].first = 15;
    pack.values[others + 1].count = 5;
    CU_ASSERT_EQUAL (larder_pack_write (&pack, NULL, LARDER_MESSAGE_PASS_THROUGH, &encoded, NULL),
                     LARDER_OK);
    larder_pack_end (&pack);
    larder_pack_seal (&encoded, &own);
    CU_ASSERT_EQUAL (encoded.native, 1);
    CU_ASSERT_EQUAL (encoded.by_reference, 1);
    CU_ASSERT_EQUAL (encoded.forwarded, others);

    unsigned flags = 0;
    CU_ASSERT_EQUAL_FATAL (
        larder_unpack (encoded.bytes, encoded.size, NULL, 1, &back, &flags, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (flags, LARDER_MESSAGE_PASS_THROUGH);
    CU_ASSERT_EQUAL (larder_message_get (back, "b", &v, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (v.kind, LARDER_KIND_LAZY);
    CU_ASSERT_EQUAL (v.lazy.size, 64);
    CU_ASSERT_EQUAL (larder_ref_read (&v.lazy.ref, &info, NULL), LARDER_OK);
    CU_ASSERT (info.object == 77 && info.first_item == 15 && info.item_count == 5);
    larder_encoded_free (&encoded);
    larder_message_free (&m);
    larder_message_free (&back);
}

static void own_values (void)
{
    own_values_get_their_ref (0);
    own_values_get_their_ref (2);
    own_values_get_their_ref (3); /* 4 refs have more than 255 bytes, 1024 more than 65535 */
    own_values_get_their_ref (1022);
    own_values_get_their_ref (1023);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"every kind comes back", every_kind_comes_back},
        {"every shape comes back", every_shape_comes_back},
        {"golden bytes", golden},
        {"an empty message, and no arguments", nothing_at_all},
        {"a value named twice travels once", a_value_travels_once},
        {"thousands of values", many_values},
        {"a lazy ref takes 128 bytes at most", a_lazy_ref_is_small},
        {"refs are split once", next_receivers_split_refs_once},
        {"values that become an object", own_values},
        {NULL, NULL},
    };
    return larder_test_main ("codec", tests);
}
