/* SPDX-License-Identifier: Apache-2.0 */
/* Building from below, data with several places, and copies. */
#include "larder_node.h"
#include "larder_ref.h"
#include "larder_test.h"
#include <inttypes.h>
#include <larder/handler.h>
#include <stdlib.h>
#include <string.h>

static larder_error err;
static int freed;

static void count_free (void *data)
{
    ++freed;
    free (data);
}

static larder_message *new_message (void)
{
    larder_message *m = NULL;
    CU_ASSERT_EQUAL_FATAL (larder_message_new (&m, &err), LARDER_OK);
    return m;
}

static void set_owned (larder_message *m, const char *path)
{
    larder_value v = {.kind = LARDER_KIND_ARRAY,
                      .shape = larder_shape_make (LARDER_INT8, 8, 0, 0),
                      .data = calloc (8, 1),
                      .free_data = count_free};
    CU_ASSERT_EQUAL_FATAL (larder_message_set (m, path, &v, &err), LARDER_OK);
}

static struct larder_datum *datum_of (const larder_message *m, const char *path)
{
    struct larder_node *node = NULL;
    CU_ASSERT_EQUAL_FATAL (larder_message_find (m, path, &node, &err), LARDER_OK);
    return node->u.datum;
}

static uint64_t count (const larder_message *m, const char *path)
{
    uint64_t n = UINT64_MAX;
    CU_ASSERT_EQUAL (larder_message_count (m, path, &n, &err), LARDER_OK);
    return n;
}

static int copy (larder_message *to, const char *to_path, const larder_message *from,
                 const char *from_path)
{
    return larder_message_copy (to, to_path, from, from_path, &err);
}

static larder_ref whole_ref (void)
{
    larder_ref_info info = {.session = 1, .transaction = 2, .owner = 3, .item_count = 100};
    larder_ref ref;
    larder_ref_write (&info, &ref);
    return ref;
}

static void built (void)
{
    larder_message *m = new_message ();
    struct larder_node *list, *child, leaf = {0};
    const char *text;
    char long_name[LARDER_NAME_MAX + 1];

    memset (long_name, 'n', sizeof long_name);
    CU_ASSERT_EQUAL (larder_message_append (&m->root, "list/", 4, &list, &err), LARDER_OK);
    CU_ASSERT (list->kind == LARDER_KIND_NIL && list->depth == 1);
    CU_ASSERT_EQUAL (larder_message_append (list, "x", 1, &child, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_open (list, LARDER_KIND_INT, 0, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_open (list, LARDER_KIND_LIST, UINT64_MAX, &err), LARDER_ENOMEM);
    CU_ASSERT_EQUAL (larder_message_open (list, LARDER_KIND_LIST, 3, &err), LARDER_OK);
    for (int i = 0; i < 5; ++i) {
        CU_ASSERT_EQUAL (larder_message_append (list, NULL, 0, &child, &err), LARDER_OK);
        CU_ASSERT_EQUAL (larder_message_put_text (child, LARDER_KIND_STRING, "abc", 2, &err),
                         LARDER_OK);
        CU_ASSERT_EQUAL (child->depth, 2);
    }
    CU_ASSERT_EQUAL (larder_message_put_text (child, LARDER_KIND_BYTES, "xyz", 3, &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_put_text (&leaf, LARDER_KIND_INT, "", 0, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_put_text (&leaf, LARDER_KIND_BYTES, NULL, 2, &err),
                     LARDER_EINVAL);
    CU_ASSERT_EQUAL (
        larder_message_put_text (&leaf, LARDER_KIND_BYTES, "", UINT64_C (1) << 32, &err),
        LARDER_ERANGE);
    CU_ASSERT_EQUAL (leaf.kind, LARDER_KIND_NIL);
    CU_ASSERT_EQUAL (larder_message_get_string (m, "list/3", &text, &err), LARDER_OK);
    CU_ASSERT_STRING_EQUAL (text, "ab");

    child = NULL;
    CU_ASSERT_EQUAL (larder_message_append (&m->root, "list", 4, &child, &err), LARDER_EEXIST);
    CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "\"list\""));
    CU_ASSERT_EQUAL (larder_message_append (&m->root, "", 0, &child, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_append (&m->root, "a/b", 3, &child, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_append (&m->root, "a\0b", 3, &child, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_append (&m->root, NULL, 1, &child, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_append (&m->root, long_name, sizeof long_name, &child, &err),
                     LARDER_EINVAL);
    CU_ASSERT_PTR_NULL (child);
    CU_ASSERT_EQUAL (count (m, ""), 1);
    CU_ASSERT_EQUAL (larder_message_append (&m->root, long_name, LARDER_NAME_MAX, &child, &err),
                     LARDER_OK);
    larder_message_free (&m);
}

static void built_deep (void)
{
    larder_message *m = new_message ();
    struct larder_node *node = &m->root, *child = NULL;

    for (int i = 1; i <= LARDER_DEPTH_MAX; ++i) {
        CU_ASSERT_EQUAL_FATAL (larder_message_append (node, "d", 1, &node, &err), LARDER_OK);
        CU_ASSERT_EQUAL (node->depth, i);
        CU_ASSERT_EQUAL (
            larder_message_open (node, i % 2 ? LARDER_KIND_MAP : LARDER_KIND_LIST, 0, &err),
            LARDER_OK);
    }
    CU_ASSERT_EQUAL (larder_message_append (node, "d", 1, &child, &err), LARDER_ERANGE);
    CU_ASSERT_EQUAL (larder_message_open (node, LARDER_KIND_MAP, 1, &err), LARDER_ERANGE);
    CU_ASSERT_PTR_NULL (child);
    CU_ASSERT_EQUAL (larder_node_height (&m->root), LARDER_DEPTH_MAX);
    larder_message_free (&m);
}

static void datums (void)
{
    larder_shape shape = {.type = LARDER_OPAQUE, .element_size = 3, .ndims = 2, .dims = {4, 5}};
    larder_shape out;
    larder_lazy lazy;
    larder_ref_info info;
    struct larder_datum *d = larder_datum_new (70, LARDER_KIND_LAZY, &shape);

    CU_ASSERT_PTR_NOT_NULL_FATAL (d);
    CU_ASSERT (d->users == 0 && d->dot == 70 && d->kind == LARDER_KIND_LAZY && d->mark == 0);
    CU_ASSERT (!d->blob && !d->data && !d->has_ref && d->size == 0);
    larder_datum_shape (d, &out);
    CU_ASSERT (larder_shape_equal (&out, &shape) && out.element_size == 3);
    d->size = 60;
    larder_datum_lazy (d, &lazy);
    CU_ASSERT (lazy.dot == 70 && lazy.size == 60 && larder_shape_equal (&lazy.shape, &shape));
    CU_ASSERT_EQUAL (larder_ref_read (&lazy.ref, &info, &err), LARDER_EREF);
    d->has_ref = 1;
    d->ref = whole_ref ();
    d->first = 30;
    d->count = 7;
    larder_datum_lazy (d, &lazy);
    CU_ASSERT_EQUAL (larder_ref_read (&lazy.ref, &info, &err), LARDER_OK);
    CU_ASSERT (info.first_item == 30 && info.item_count == 7 && info.owner == 3);
    d->count = 0; /* no ref says so */
    larder_datum_lazy (d, &lazy);
    CU_ASSERT_EQUAL (memcmp (&lazy.ref, &d->ref, sizeof d->ref), 0);
    larder_datum_free (d);
    larder_datum_free (NULL);

    d = larder_datum_new (70, LARDER_KIND_TYPED, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL (d);
    larder_datum_shape (d, &out);
    CU_ASSERT (out.type == LARDER_OPAQUE && out.ndims == 0 && out.element_size == 0);
    larder_datum_free (d);
    /* All dimensions there are. */
    shape.ndims = LARDER_MAX_DIMS;
    for (int i = 0; i < LARDER_MAX_DIMS; ++i)
        shape.dims[i] = (uint64_t)i + 1;
    d = larder_datum_new (70, LARDER_KIND_TYPED, &shape);
    CU_ASSERT_PTR_NOT_NULL_FATAL (d);
    larder_datum_shape (d, &out);
    CU_ASSERT (larder_shape_equal (&out, &shape));
    larder_datum_free (d);
}

static void sealed (void)
{
    larder_message *m = new_message (), *n = new_message ();
    struct larder_node *node;
    struct larder_datum *d = larder_datum_new (LARDER_DOT_USER, LARDER_KIND_TYPED, NULL);
    larder_value v;
    void *bytes;

    d->sealed = 1;
    d->size = 5;
    d->blob = larder_blob_alloc (5, &bytes);
    d->data = bytes;
    CU_ASSERT_EQUAL (larder_message_append (&m->root, "s", 1, &node, &err), LARDER_OK);
    larder_message_put_datum (node, d);
    CU_ASSERT (node->kind == LARDER_KIND_TYPED && d->users == 1);
    larder_message_put_datum (node, d); /* over itself */
    CU_ASSERT_EQUAL (d->users, 1);
    CU_ASSERT_EQUAL (larder_message_get (m, "s", &v, &err), LARDER_OK);
    CU_ASSERT (v.kind == LARDER_KIND_TYPED && v.dot == LARDER_DOT_USER && !v.data && v.size == 5);
    CU_ASSERT_EQUAL (copy (n, "t", m, "s"), LARDER_OK);
    larder_message_free (&m);
    d = datum_of (n, "t");
    CU_ASSERT (d->sealed && d->data == bytes && d->size == 5 && d->blob);
    larder_message_free (&n);
}

static int collect (void *self, struct larder_datum *datum)
{
    struct larder_datum ***at = self;
    *(*at)++ = datum;
    return 0;
}

static int stop (void *self, struct larder_datum *datum)
{
    (void)datum;
    return ++*(int *)self == 2 ? 7 : 0;
}

/* What a resolver does: the data of a lazy ref comes, in all its places. */
static void renewed (void)
{
    larder_message *m = new_message ();
    larder_lazy lazy = {.ref = whole_ref (), .dot = LARDER_DOT_ARRAY, .size = 8};
    struct larder_datum *all[8], **end = all, *d;
    larder_value v;
    int calls = 0;
    static const char bytes[8] = "1234567";

    lazy.shape = larder_shape_make (LARDER_INT8, 8, 0, 0);
    CU_ASSERT_EQUAL (larder_message_set_lazy (m, "a/l", &lazy, &err), LARDER_OK);
    set_owned (m, "o");
    CU_ASSERT_EQUAL (copy (m, "a/k", m, "a/l"), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_data (&m->root, collect, &end), 0);
    CU_ASSERT_EQUAL_FATAL (end - all, 3);
    CU_ASSERT (all[0] == all[1] && all[0] != all[2] && all[0]->users == 2 && all[2]->users == 1);
    CU_ASSERT_EQUAL (larder_message_data (&m->root, stop, &calls), 7);
    CU_ASSERT_EQUAL (calls, 2);
    d = datum_of (m, "a/l");
    CU_ASSERT (d->has_ref && d->first == 0 && d->count == 100);
    d->data = bytes;
    CU_ASSERT_EQUAL (larder_message_get (m, "a/k", &v, &err), LARDER_OK);
    CU_ASSERT (v.kind == LARDER_KIND_LAZY && v.data == bytes); /* as on disk */
    d->kind = LARDER_KIND_ARRAY;
    larder_message_renew (m);
    CU_ASSERT_EQUAL (larder_message_get (m, "a/k", &v, &err), LARDER_OK);
    CU_ASSERT (v.kind == LARDER_KIND_ARRAY && v.data == bytes && v.size == 8);
    CU_ASSERT_EQUAL (larder_message_has_lazy (m, ""), 0);
    larder_message_free (&m);
}

static void aliases (void)
{
    larder_message *m = new_message (), *n = new_message ();
    struct larder_datum *d;

    freed = 0;
    set_owned (m, "x/a");
    d = datum_of (m, "x/a");
    CU_ASSERT_EQUAL (copy (m, "x/b", m, "x/a"), LARDER_OK);
    CU_ASSERT_EQUAL (copy (m, "y", m, "x"), LARDER_OK);
    CU_ASSERT (datum_of (m, "y/a") == d && datum_of (m, "y/b") == d);
    CU_ASSERT_EQUAL (d->users, 4);

    CU_ASSERT_EQUAL (copy (n, "copied/here", m, ""), LARDER_OK);
    struct larder_datum *e = datum_of (n, "copied/here/x/a");
    CU_ASSERT (e != d && e->data == d->data && e->users == 4 && d->users == 4);
    CU_ASSERT (datum_of (n, "copied/here/y/b") == e);
    CU_ASSERT (d->mark == 0 && e->mark == 0);
    CU_ASSERT_EQUAL (larder_message_remove (m, "x", &err), LARDER_OK);
    CU_ASSERT_EQUAL (d->users, 2);
    CU_ASSERT_EQUAL (larder_message_set_int (m, "y/a", 1, &err), LARDER_OK);
    CU_ASSERT_EQUAL (d->users, 1);
    larder_message_free (&m);
    CU_ASSERT_EQUAL (freed, 0);
    CU_ASSERT_EQUAL (larder_message_remove (n, "copied/here/x", &err), LARDER_OK);
    CU_ASSERT_EQUAL (freed, 0);
    CU_ASSERT_EQUAL (larder_message_remove (n, "copied", &err), LARDER_OK);
    CU_ASSERT_EQUAL (freed, 1);
    larder_message_free (&n);
}

static void lazy_copies (void)
{
    larder_message *m = new_message (), *n = new_message ();
    larder_lazy lazy = {.dot = LARDER_DOT_USER, .size = 8, .shape.ndims = 1, .shape.dims = {9}};
    larder_ref whole = whole_ref ();
    larder_value v;

    CU_ASSERT_EQUAL (larder_ref_items (&whole, 40, 2, &lazy.ref, &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_set_lazy (m, "l", &lazy, &err), LARDER_OK);
    CU_ASSERT_EQUAL (copy (n, "k", m, "l"), LARDER_OK);
    larder_message_free (&m);
    CU_ASSERT_EQUAL (larder_message_get (n, "k", &v, &err), LARDER_OK);
    CU_ASSERT (v.kind == LARDER_KIND_LAZY && v.dot == LARDER_DOT_USER && v.size == 8);
    CU_ASSERT (v.shape.ndims == 1 && v.shape.dims[0] == 9);
    CU_ASSERT_EQUAL (memcmp (&v.lazy.ref, &lazy.ref, sizeof lazy.ref), 0);
    CU_ASSERT (datum_of (n, "k")->first == 40 && datum_of (n, "k")->count == 2);
    /* What was got can be set. */
    CU_ASSERT_EQUAL (larder_message_set (n, "j", &v, &err), LARDER_OK);
    CU_ASSERT (datum_of (n, "j") != datum_of (n, "k"));
    CU_ASSERT (datum_of (n, "j")->first == 40 && datum_of (n, "j")->count == 2);
    larder_message_free (&n);
}

static void copies (void)
{
    larder_message *m = new_message (), *n = new_message ();
    char name[LARDER_NAME_MAX + 1], deep[80] = "d";
    int64_t i = 0;

    CU_ASSERT_EQUAL (larder_message_set_int (m, "a/b", 1, &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_set_string (m, "a/c", "text", &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_set_int (m, "e", 2, &err), LARDER_OK);
    CU_ASSERT_EQUAL (copy (m, "f", m, "nothing/there"), LARDER_ENOENT);
    CU_ASSERT_EQUAL (copy (m, "a/b/x", m, "e"), LARDER_EKIND);
    CU_ASSERT_EQUAL (copy (m, "a//x", m, "e"), LARDER_EINVAL);
    CU_ASSERT_EQUAL (copy (m, "x", m, "e/"), LARDER_EINVAL);
    CU_ASSERT_EQUAL (copy (m, "", n, ""), LARDER_OK);
    CU_ASSERT_EQUAL (copy (n, "", m, "e"), LARDER_EINVAL);
    /* One inside the other, in either direction; the same place is no change. */
    CU_ASSERT_EQUAL (copy (m, "a/x", m, "a"), LARDER_EINVAL);
    CU_ASSERT_EQUAL (copy (m, "a", m, "a/b"), LARDER_EINVAL);
    CU_ASSERT_EQUAL (copy (m, "a", m, ""), LARDER_EINVAL);
    CU_ASSERT_EQUAL (copy (m, "", m, "a"), LARDER_EINVAL);
    CU_ASSERT_EQUAL (copy (m, "a", m, "a"), LARDER_OK);
    CU_ASSERT_EQUAL (copy (m, "", m, ""), LARDER_OK);
    CU_ASSERT_EQUAL (count (m, ""), 2);
    CU_ASSERT_EQUAL (count (m, "a"), 2);

    /* "": one by one; what was there keeps its place and is replaced whole. */
    CU_ASSERT_EQUAL (larder_message_set_int (n, "z", 5, &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_message_set_int (n, "a/old", 6, &err), LARDER_OK);
    CU_ASSERT_EQUAL (copy (n, "", m, ""), LARDER_OK);
    CU_ASSERT_EQUAL (count (n, ""), 3);
    CU_ASSERT_EQUAL (larder_message_name (n, "", 0, name, &err), LARDER_OK);
    CU_ASSERT_STRING_EQUAL (name, "z");
    CU_ASSERT_EQUAL (larder_message_name (n, "", 1, name, &err), LARDER_OK);
    CU_ASSERT_STRING_EQUAL (name, "a");
    CU_ASSERT_EQUAL (larder_message_get_int (n, "a/old", &i, &err), LARDER_ENOENT);
    CU_ASSERT_EQUAL (larder_message_get_int (n, "a/b", &i, &err), LARDER_OK);

    /* A copy is deep in its own place: what would be too deep is refused, and nothing is left. */
    for (int k = 0; k < LARDER_DEPTH_MAX - 2; ++k)
        strcat (deep, "/d");
    CU_ASSERT_EQUAL (copy (n, deep, m, "a"), LARDER_OK);
    CU_ASSERT_EQUAL (copy (m, "g", n, "d"), LARDER_OK);
    CU_ASSERT_EQUAL (copy (m, "h/g", n, "d"), LARDER_ERANGE);
    CU_ASSERT_EQUAL (copy (m, "h", n, ""), LARDER_ERANGE);
    CU_ASSERT_EQUAL (larder_message_get_int (m, "h", &i, &err), LARDER_ENOENT);
    CU_ASSERT_EQUAL (copy (m, "", n, "d"), LARDER_OK);
    strcat (deep, "/x");
    CU_ASSERT_EQUAL (copy (n, deep, m, "a"), LARDER_ERANGE);
    CU_ASSERT_EQUAL (copy (n, deep, m, "e"), LARDER_OK);
    strcat (deep, "/x");
    CU_ASSERT_EQUAL (copy (n, deep, m, "e"), LARDER_ERANGE);
    larder_message_free (&m);
    larder_message_free (&n);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"built from below", built},
        {"built too deep", built_deep},
        {"datums", datums},
        {"sealed values", sealed},
        {"lazy refs get their data", renewed},
        {"aliases", aliases},
        {"copies of lazy refs", lazy_copies},
        {"copies", copies},
        {NULL, NULL},
    };
    return larder_test_main ("node", tests);
}
