/* SPDX-License-Identifier: Apache-2.0 */
/* Paths by themselves, and what they lead to in lists and maps. */
#include "larder_path.h"
#include "larder_test.h"
#include <inttypes.h>
#include <larder/message.h>
#include <string.h>

static larder_error err;

static larder_message *new_message (void)
{
    larder_message *m = NULL;
    CU_ASSERT_EQUAL_FATAL (larder_message_new (&m, &err), LARDER_OK);
    return m;
}

static int set_int (larder_message *m, const char *path, int64_t value)
{
    return larder_message_set_int (m, path, value, &err);
}

static int set_kind (larder_message *m, const char *path, larder_kind kind)
{
    return larder_message_set (m, path, &(larder_value){.kind = kind}, &err);
}

/* An integer, or -1. */
static int64_t get_int (const larder_message *m, const char *path)
{
    int64_t i = -1;
    (void)larder_message_get_int (m, path, &i, NULL);
    return i;
}

static int get (const larder_message *m, const char *path)
{
    larder_value v;
    return larder_message_get (m, path, &v, &err);
}

static uint64_t count (const larder_message *m, const char *path)
{
    uint64_t n = UINT64_MAX;
    CU_ASSERT_EQUAL (larder_message_count (m, path, &n, &err), LARDER_OK);
    return n;
}

static void checked (void)
{
    static const char *const bad[] = {"/", "a/", "/a", "a//b", "//", "a/b/"};
    char name[LARDER_NAME_MAX + 2];
    int steps = 9;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
        CU_ASSERT_EQUAL (larder_path_check (bad[i], &steps, &err), LARDER_EINVAL);
        CU_ASSERT_PTR_NOT_NULL (strstr (err.text, bad[i]));
    }
    CU_ASSERT_EQUAL (larder_path_check (NULL, &steps, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (steps, 9);
    CU_ASSERT_EQUAL (larder_path_check ("", &steps, &err), LARDER_OK);
    CU_ASSERT_EQUAL (steps, 0);
    CU_ASSERT_EQUAL (larder_path_check ("a", &steps, &err), LARDER_OK);
    CU_ASSERT_EQUAL (steps, 1);
    CU_ASSERT_EQUAL (larder_path_check ("a/ /-/.", &steps, &err), LARDER_OK);
    CU_ASSERT_EQUAL (steps, 4);
    memset (name, 'x', sizeof name);
    name[LARDER_NAME_MAX + 1] = '\0';
    CU_ASSERT_EQUAL (larder_path_check (name, &steps, &err), LARDER_EINVAL);
    name[LARDER_NAME_MAX] = '\0';
    CU_ASSERT_EQUAL (larder_path_check (name, &steps, &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_path_name (name, LARDER_NAME_MAX, &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_path_name (name, LARDER_NAME_MAX + 1, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_path_name (name, 0, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_path_name (NULL, 3, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_path_name ("a/b", 3, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_path_name ("a\0b", 3, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_path_name ("a/b", 1, &err), LARDER_OK);
}

static void indices (void)
{
    static const char *const bad[] = {"", "-", "-1", "+1", "01", "00", "1a", "a", " 1", "1."};
    uint64_t n = 5;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i)
        CU_ASSERT_EQUAL (larder_path_index (bad[i], strlen (bad[i]), &n), 0);
    CU_ASSERT_EQUAL (n, 5);
    CU_ASSERT (larder_path_index ("0", 1, &n) && n == 0);
    CU_ASSERT (larder_path_index ("1234", 4, &n) && n == 1234);
    CU_ASSERT (larder_path_index ("1234", 2, &n) && n == 12);
    CU_ASSERT (larder_path_index ("18446744073709551616", 20, &n) && n == UINT64_MAX);
    CU_ASSERT (larder_path_index ("99999999999999999999999", 23, &n) && n == UINT64_MAX);
}

static void inside (void)
{
    CU_ASSERT (larder_path_inside ("a", "a"));
    CU_ASSERT (larder_path_inside ("a", "a/b"));
    CU_ASSERT (larder_path_inside ("", "a/b"));
    CU_ASSERT (larder_path_inside ("", ""));
    CU_ASSERT (!larder_path_inside ("a/b", "a"));
    CU_ASSERT (!larder_path_inside ("a", "ab"));
    CU_ASSERT (!larder_path_inside ("a", ""));
    CU_ASSERT (!larder_path_inside ("a/b", "a/c"));
}

static void maps (void)
{
    larder_message *m = new_message ();
    char name[LARDER_NAME_MAX + 1] = "untouched";
    larder_value v;

    CU_ASSERT_EQUAL (count (m, ""), 0);
    CU_ASSERT_EQUAL (set_int (m, "z/y/x", 1), LARDER_OK);
    CU_ASSERT_EQUAL (set_int (m, "z/a", 2), LARDER_OK);
    CU_ASSERT_EQUAL (set_int (m, "b", 3), LARDER_OK);
    CU_ASSERT_EQUAL (set_int (m, "z/y/x", 4), LARDER_OK);
    CU_ASSERT_EQUAL (get_int (m, "z/y/x"), 4);
    CU_ASSERT_EQUAL (count (m, ""), 2);
    CU_ASSERT_EQUAL (count (m, "z"), 2);
    CU_ASSERT_EQUAL (larder_message_get (m, "", &v, &err), LARDER_OK);
    CU_ASSERT (v.kind == LARDER_KIND_MAP && v.size == 2);
    /* In order of insertion. */
    CU_ASSERT_EQUAL (larder_message_name (m, "z", 1, name, &err), LARDER_OK);
    CU_ASSERT_STRING_EQUAL (name, "a");
    CU_ASSERT_EQUAL (larder_message_name (m, "z", 0, name, &err), LARDER_OK);
    CU_ASSERT_STRING_EQUAL (name, "y");
    CU_ASSERT_EQUAL (larder_message_name (m, "z", 2, name, &err), LARDER_ERANGE);
    CU_ASSERT_EQUAL (larder_message_name (m, "b", 0, name, &err), LARDER_EKIND);
    CU_ASSERT_EQUAL (larder_message_name (m, "c", 0, name, &err), LARDER_ENOENT);
    CU_ASSERT_EQUAL (larder_message_name (m, "c/", 0, name, &err), LARDER_EINVAL);
    CU_ASSERT_STRING_EQUAL (name, "y");
    uint64_t n = 5;
    CU_ASSERT_EQUAL (larder_message_count (m, "b", &n, &err), LARDER_EKIND);
    CU_ASSERT_EQUAL (larder_message_count (m, "c", &n, &err), LARDER_ENOENT);
    CU_ASSERT_EQUAL (n, 5);
    /* A map in place of a value, a value in place of a map. */
    CU_ASSERT_EQUAL (set_kind (m, "b", LARDER_KIND_MAP), LARDER_OK);
    CU_ASSERT_EQUAL (count (m, "b"), 0);
    CU_ASSERT_EQUAL (set_int (m, "z", 1), LARDER_OK);
    CU_ASSERT_EQUAL (get (m, "z/y"), LARDER_ENOENT);
    CU_ASSERT_EQUAL (set_int (m, "z/y", 1), LARDER_EKIND);
    CU_ASSERT_EQUAL (larder_message_remove (m, "z", &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_remove (m, "z", &err), LARDER_ENOENT);
    CU_ASSERT_EQUAL (count (m, ""), 1);
    larder_message_free (&m);
}

static void lists (void)
{
    larder_message *m = new_message ();
    char name[LARDER_NAME_MAX + 1];

    CU_ASSERT_EQUAL (set_kind (m, "l", LARDER_KIND_LIST), LARDER_OK);
    CU_ASSERT_EQUAL (set_int (m, "l/1", 9), LARDER_ERANGE);
    CU_ASSERT_EQUAL (set_int (m, "l/0", 10), LARDER_OK);
    CU_ASSERT_EQUAL (set_int (m, "l/-", 11), LARDER_OK);
    CU_ASSERT_EQUAL (set_int (m, "l/2", 12), LARDER_OK);
    CU_ASSERT_EQUAL (set_int (m, "l/-/a/b", 13), LARDER_OK); /* a map with a map */
    CU_ASSERT_EQUAL (set_int (m, "l/5", 9), LARDER_ERANGE);
    CU_ASSERT_EQUAL (set_int (m, "l/99999999999999999999", 9), LARDER_ERANGE);
    CU_ASSERT_EQUAL (set_int (m, "l/x", 9), LARDER_EINVAL);
    CU_ASSERT_EQUAL (set_int (m, "l/01", 9), LARDER_EINVAL);
    CU_ASSERT_EQUAL (set_int (m, "l/5/x", 9), LARDER_ERANGE);
    CU_ASSERT_EQUAL (set_int (m, "l/--", 9), LARDER_EINVAL);
    CU_ASSERT_EQUAL (count (m, "l"), 4);
    CU_ASSERT_EQUAL (get_int (m, "l/1"), 11);
    CU_ASSERT_EQUAL (get_int (m, "l/3/a/b"), 13);
    CU_ASSERT_EQUAL (get (m, "l/-"), LARDER_ENOENT);
    CU_ASSERT_EQUAL (get (m, "l/4"), LARDER_ENOENT);
    CU_ASSERT_EQUAL (get (m, "l/x"), LARDER_ENOENT);
    CU_ASSERT_EQUAL (get (m, "l/01"), LARDER_ENOENT);
    CU_ASSERT_EQUAL (larder_message_name (m, "l", 3, name, &err), LARDER_OK);
    CU_ASSERT_STRING_EQUAL (name, "3");
    CU_ASSERT_EQUAL (larder_message_name (m, "l", 4, name, &err), LARDER_ERANGE);
    /* Those behind move up. */
    CU_ASSERT_EQUAL (larder_message_remove (m, "l/1", &err), LARDER_OK);
    CU_ASSERT_EQUAL (get_int (m, "l/1"), 12);
    CU_ASSERT_EQUAL (get_int (m, "l/2/a/b"), 13);
    CU_ASSERT_EQUAL (larder_message_remove (m, "l/3", &err), LARDER_ENOENT);
    CU_ASSERT_EQUAL (larder_message_remove (m, "l/-", &err), LARDER_ENOENT);
    CU_ASSERT_EQUAL (set_int (m, "l/0", 20), LARDER_OK);
    CU_ASSERT_EQUAL (get_int (m, "l/0"), 20);
    CU_ASSERT_EQUAL (count (m, "l"), 3);
    /* In a map these are names. */
    CU_ASSERT_EQUAL (set_int (m, "m/-/0", 21), LARDER_OK);
    CU_ASSERT_EQUAL (get_int (m, "m/-/0"), 21);
    larder_message_free (&m);
}

/* What fails leaves nothing behind; the text says how far the path goes. */
static void how_far (void)
{
    larder_message *m = new_message ();
    char deep[3 * LARDER_NAME_MAX];

    CU_ASSERT_EQUAL (set_int (m, "a/b", 1), LARDER_OK);
    CU_ASSERT_EQUAL (set_kind (m, "a/l", LARDER_KIND_LIST), LARDER_OK);
    CU_ASSERT_EQUAL (get (m, "a/c/d"), LARDER_ENOENT);
    CU_ASSERT_STRING_EQUAL (err.text, "message: \"a/c/d\" is not there: the path goes as far as "
                                      "\"a\", a map without \"c\"");
    CU_ASSERT_EQUAL (get (m, "x"), LARDER_ENOENT);
    CU_ASSERT_STRING_EQUAL (
        err.text, "message: \"x\" is not there: the path goes as far as \"\", a map without \"x\"");
    CU_ASSERT_EQUAL (larder_message_remove (m, "a/l/0", &err), LARDER_ENOENT);
    CU_ASSERT_STRING_EQUAL (err.text, "message: \"a/l/0\" is not there: the path goes as far as "
                                      "\"a/l\", a list of 0 values");
    CU_ASSERT_EQUAL (set_int (m, "a/b/c/d", 1), LARDER_EKIND);
    CU_ASSERT_STRING_EQUAL (err.text, "message: \"a/b/c/d\" cannot be set: the path goes as far "
                                      "as \"a/b\", whose kind is int");
    CU_ASSERT_EQUAL (set_int (m, "a/l/7/x", 1), LARDER_ERANGE);
    CU_ASSERT_STRING_EQUAL (err.text, "message: \"a/l/7/x\" cannot be set: the path goes as far "
                                      "as \"a/l\", a list of 0 values");
    CU_ASSERT_EQUAL (count (m, "a/l"), 0);
    CU_ASSERT_EQUAL (larder_message_set_bytes (m, "n/e/w", NULL, 3, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (get (m, "n"), LARDER_ENOENT);
    CU_ASSERT_EQUAL (count (m, ""), 1);
    /* The reason is there also when the path is long. */
    memset (deep, 'x', sizeof deep);
    deep[200] = deep[400] = '/';
    deep[600] = '\0';
    CU_ASSERT_EQUAL (get (m, deep), LARDER_ENOENT);
    CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "a map without"));
    CU_ASSERT (strlen (err.text) < LARDER_ERROR_TEXT - 1);
    larder_message_free (&m);
}

static void depth (void)
{
    larder_message *m = new_message ();
    char path[5 * LARDER_DEPTH_MAX] = "0";

    for (int i = 1; i < LARDER_DEPTH_MAX; ++i)
        strcat (path, i % 2 ? "/odd" : "/m");
    CU_ASSERT_EQUAL (set_kind (m, path, LARDER_KIND_MAP), LARDER_OK);
    CU_ASSERT_EQUAL (count (m, path), 0);
    strcat (path, "/x");
    CU_ASSERT_EQUAL (set_int (m, path, 1), LARDER_ERANGE);
    CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "deeper than 24"));
    CU_ASSERT_EQUAL (get (m, path), LARDER_ENOENT);
    path[0] = 'y';
    CU_ASSERT_EQUAL (set_int (m, path, 1), LARDER_ERANGE);
    CU_ASSERT_EQUAL (count (m, ""), 1);
    larder_message_free (&m);
}

static int write_down (void *self, const char *path, const larder_value *value)
{
    char *text = self;
    (void)snprintf (text + strlen (text), 40, "%s:%s%" PRId64 " ", path,
                    larder_kind_name (value->kind), value->integer);
    return strcmp (path, "stop") == 0 ? 5 : 0;
}

static void walk (void)
{
    larder_message *m = new_message ();
    char text[400] = "";

    CU_ASSERT_EQUAL (larder_message_walk (m, "", write_down, text, &err), LARDER_OK);
    CU_ASSERT_STRING_EQUAL (text, "");
    (void)set_int (m, "a/b/c", 1);
    (void)set_int (m, "d", 2);
    (void)set_kind (m, "a/l", LARDER_KIND_LIST);
    (void)set_int (m, "a/l/-", 3);
    (void)set_int (m, "a/l/-/e", 4);
    CU_ASSERT_EQUAL (larder_message_walk (m, "", write_down, text, &err), LARDER_OK);
    CU_ASSERT_STRING_EQUAL (text, "a:map0 a/b:map0 a/b/c:int1 a/l:list0 a/l/0:int3 a/l/1:map0 "
                                  "a/l/1/e:int4 d:int2 ");
    text[0] = '\0';
    CU_ASSERT_EQUAL (larder_message_walk (m, "a/l", write_down, text, &err), LARDER_OK);
    CU_ASSERT_STRING_EQUAL (text, "a/l/0:int3 a/l/1:map0 a/l/1/e:int4 ");
    text[0] = '\0';
    CU_ASSERT_EQUAL (larder_message_walk (m, "d", write_down, text, &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_walk (m, "x", write_down, text, &err), LARDER_ENOENT);
    CU_ASSERT_EQUAL (larder_message_walk (m, "/", write_down, text, &err), LARDER_EINVAL);
    CU_ASSERT_STRING_EQUAL (text, "");
    (void)set_int (m, "stop", 5);
    (void)set_int (m, "more", 6);
    CU_ASSERT_EQUAL (larder_message_walk (m, "", write_down, text, &err), 5);
    CU_ASSERT_PTR_NULL (strstr (text, "more"));
    larder_message_free (&m);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"checked", checked}, {"indices", indices}, {"inside", inside},
        {"maps", maps},       {"lists", lists},     {"how far a path goes", how_far},
        {"depth", depth},     {"walk", walk},       {NULL, NULL},
    };
    return larder_test_main ("path", tests);
}
