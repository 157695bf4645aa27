/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_arrays.h"
#include "larder_registry.h"
#include "larder_test_codec.h"

static int refused (larder_registry *registry, larder_handler handler, int code, const char *text)
{
    larder_error e = {0};
    int got = larder_registry_add (registry, &handler, &e);

    if (got == code && e.code == code && strstr (e.text, text))
        return 1;
    fprintf (stderr, "%d, %s\n", got, e.text);
    return 0;
}

static int receive (void *self, const larder_lazy *lazy, larder_consumer *consumer,
                    larder_error *err)
{
    (void)self;
    (void)lazy;
    (void)consumer;
    return larder_error_set (err, LARDER_ENOTSUP, 0, "not called");
}

static int make_object (void *self, const void *const *values, size_t count, larder_object *object,
                        uint64_t *items, larder_error *err)
{
    (void)self;
    (void)values;
    (void)count;
    (void)object;
    (void)items;
    return larder_error_set (err, LARDER_ENOTSUP, 0, "not called");
}

static void what_is_refused (void)
{
    larder_registry *r = NULL;
    larder_handler good = codec_handler (NULL), h;

    CU_ASSERT_EQUAL_FATAL (larder_registry_new (&r, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_registry_add (r, &good, NULL), LARDER_OK);
    CU_ASSERT (refused (r, good, LARDER_EEXIST, "point"));
    h = good;
    h.name = "other";
    CU_ASSERT (refused (r, h, LARDER_EEXIST, "70"));
    h.dot = LARDER_DOT_ARRAY;
    CU_ASSERT (refused (r, h, LARDER_EEXIST, "array"));
    h = good;
    h.dot = 71;
    CU_ASSERT (refused (r, h, LARDER_EEXIST, "point"));
    h.name = "POINT"; /* would have the same variable in the environment */
    CU_ASSERT (refused (r, h, LARDER_EEXIST, "point"));
    h.name = "Array";
    CU_ASSERT (refused (r, h, LARDER_EEXIST, "array"));

    h.name = NULL;
    CU_ASSERT (refused (r, h, LARDER_EINVAL, "71"));
    h.name = "";
    CU_ASSERT (refused (r, h, LARDER_EINVAL, "71"));
    h.name = "a name";
    CU_ASSERT (refused (r, h, LARDER_EINVAL, "71"));
    h.name = "abcdefghijklmnopqrstuvwxyz_01234"; /* 32 */
    CU_ASSERT (refused (r, h, LARDER_EINVAL, "31"));
    h.name = "abcdefghijklmnopqrstuvwxyz_0123"; /* 31 */
    CU_ASSERT_EQUAL (larder_registry_add (r, &h, NULL), LARDER_OK);

    h.name = "other";
    h.dot = 0;
    CU_ASSERT (refused (r, h, LARDER_EINVAL, "DOT"));
    h.dot = LARDER_DOT_MAX + 1;
    CU_ASSERT (refused (r, h, LARDER_EINVAL, "DOT"));
    h.dot = LARDER_DOT_MAX;
    h.describe = NULL;
    CU_ASSERT (refused (r, h, LARDER_EINVAL, "describe"));
    h.describe = good.describe;
    h.write_native = NULL;
    CU_ASSERT (refused (r, h, LARDER_EINVAL, "native"));
    h.read_native = NULL;
    h.make_object = make_object;
    CU_ASSERT (refused (r, h, LARDER_EINVAL, "make_object"));
    h.make_object = NULL;
    h.receive = receive;
    CU_ASSERT (refused (r, h, LARDER_EINVAL, "receive"));
    h.receive = NULL;
    CU_ASSERT_EQUAL (larder_registry_add (r, &h, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_registry_add (NULL, &h, NULL), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_registry_add (r, NULL, NULL), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_registry_new (NULL, NULL), LARDER_EINVAL);
    larder_registry_free (&r);
    CU_ASSERT_PTR_NULL (r);
    larder_registry_free (&r);
    larder_registry_free (NULL);
}

static void what_is_found (void)
{
    larder_registry *r = NULL;
    const larder_handler *found = NULL, *kept[20];
    char name[] = "point";
    larder_error e = {0};

    CU_ASSERT_PTR_EQUAL (larder_registry_find (NULL, LARDER_DOT_ARRAY), larder_arrays_handler ());
    CU_ASSERT_PTR_NULL (larder_registry_find (NULL, CODEC_DOT_POINT));
    CU_ASSERT_EQUAL (larder_registry_need (NULL, CODEC_DOT_POINT, &found, &e), LARDER_EHANDLER);
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "70"));

    CU_ASSERT_EQUAL_FATAL (larder_registry_new (&r, NULL), LARDER_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL (larder_registry_find (r, LARDER_DOT_ARRAY));
    CU_ASSERT_STRING_EQUAL (larder_registry_find (r, LARDER_DOT_ARRAY)->name, "array");
    for (int i = 0; i < 20; ++i) {
        larder_handler h = codec_handler (NULL);
        h.name = name;
        name[0] = (char)('a' + i);
        h.dot = CODEC_DOT_POINT + i;
        CU_ASSERT_EQUAL (larder_registry_add (r, &h, NULL), LARDER_OK);
        kept[i] = larder_registry_find (r, h.dot);
    }
    name[0] = '?';
    /* Handlers stay where they are, their names too. */
    for (int i = 0; i < 20; ++i) {
        CU_ASSERT_EQUAL (larder_registry_need (r, CODEC_DOT_POINT + i, &found, NULL), LARDER_OK);
        CU_ASSERT_PTR_EQUAL (found, kept[i]);
        CU_ASSERT_EQUAL (found->name[0], 'a' + i);
    }
    found = NULL;
    CU_ASSERT_EQUAL (larder_registry_need (r, 9999, &found, &e), LARDER_EHANDLER);
    CU_ASSERT_PTR_NULL (found);
    larder_registry_free (&r);
}

/* ---------------------------------------------------------------- chunk sizes */

static int chunk_size_is (const larder_handler *handler, uint64_t size, int native)
{
    uint64_t got = 77;
    int got_native = 77;

    return larder_registry_chunk_size (handler, &got, &got_native, NULL) == LARDER_OK &&
           got == size && got_native == native;
}

static int added_has (int64_t own, const char *environment, uint64_t size, int native)
{
    larder_registry *r = NULL;
    larder_handler h = codec_handler (NULL);
    int good;

    if (environment)
        CU_ASSERT_EQUAL (setenv ("LARDER_POINT_CHUNK_SIZE", environment, 1), 0);
    h.chunk_size = own;
    good = larder_registry_new (&r, NULL) == LARDER_OK &&
           larder_registry_add (r, &h, NULL) == LARDER_OK;
    CU_ASSERT_EQUAL (unsetenv ("LARDER_POINT_CHUNK_SIZE"), 0);
    good = good && chunk_size_is (larder_registry_find (r, h.dot), size, native);
    larder_registry_free (&r);
    return good;
}

static void chunk_sizes (void)
{
    larder_registry *r = NULL;
    larder_handler h = codec_handler (NULL);

    CU_ASSERT (added_has (0, NULL, 0, 0));
    CU_ASSERT (added_has (4096, NULL, 4096, 0));
    CU_ASSERT (added_has (-1, NULL, 0, 1));
    CU_ASSERT (added_has (0, "64KiB", 65536, 0));
    CU_ASSERT (added_has (0, "0", 0, 1));
    CU_ASSERT (added_has (4096, "64KiB", 4096, 0));
    CU_ASSERT (added_has (-1, "64KiB", 0, 1));
    CU_ASSERT_EQUAL_FATAL (larder_registry_new (&r, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (setenv ("LARDER_POINT_CHUNK_SIZE", "sixty", 1), 0);
    CU_ASSERT (refused (r, h, LARDER_ERANGE, "LARDER_POINT_CHUNK_SIZE='sixty'"));
    CU_ASSERT_EQUAL (setenv ("LARDER_POINT_CHUNK_SIZE", "9999999T", 1), 0);
    CU_ASSERT (refused (r, h, LARDER_ERANGE, "LARDER_POINT_CHUNK_SIZE"));
    CU_ASSERT_EQUAL (unsetenv ("LARDER_POINT_CHUNK_SIZE"), 0);
    CU_ASSERT_EQUAL (larder_registry_add (r, &h, NULL), LARDER_OK);
    larder_registry_free (&r);
}

static void chunk_sizes_of_arrays (void)
{
    larder_registry *r = NULL;
    larder_error e = {0};
    uint64_t size = 77;
    int native = 77;

    CU_ASSERT (chunk_size_is (larder_registry_find (NULL, LARDER_DOT_ARRAY), 0, 0));
    CU_ASSERT_EQUAL (setenv ("LARDER_ARRAY_CHUNK_SIZE", "16K", 1), 0);
    CU_ASSERT (chunk_size_is (larder_registry_find (NULL, LARDER_DOT_ARRAY), 16384, 0));
    CU_ASSERT_EQUAL_FATAL (larder_registry_new (&r, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (setenv ("LARDER_ARRAY_CHUNK_SIZE", "0", 1), 0);
    CU_ASSERT (chunk_size_is (larder_registry_find (NULL, LARDER_DOT_ARRAY), 0, 1));
    CU_ASSERT (chunk_size_is (larder_registry_find (r, LARDER_DOT_ARRAY), 16384, 0));
    larder_registry_free (&r);

    CU_ASSERT_EQUAL (setenv ("LARDER_ARRAY_CHUNK_SIZE", "-3", 1), 0);
    CU_ASSERT_EQUAL (larder_registry_new (&r, &e), LARDER_ERANGE);
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "LARDER_ARRAY_CHUNK_SIZE='-3'"));
    CU_ASSERT_PTR_NULL (r);
    CU_ASSERT_EQUAL (larder_registry_chunk_size (larder_registry_find (NULL, LARDER_DOT_ARRAY),
                                                 &size, &native, &e),
                     LARDER_ERANGE);
    CU_ASSERT (size == 77 && native == 77);
    CU_ASSERT_EQUAL (unsetenv ("LARDER_ARRAY_CHUNK_SIZE"), 0);
    CU_ASSERT (chunk_size_is (larder_registry_find (NULL, LARDER_DOT_ARRAY), 0, 0));
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"what is refused", what_is_refused},
        {"what is found", what_is_found},
        {"chunk sizes of types", chunk_sizes},
        {"chunk sizes of arrays", chunk_sizes_of_arrays},
        {NULL, NULL},
    };
    return larder_test_main ("registry", tests);
}
