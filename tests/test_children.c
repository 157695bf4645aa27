/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_children.h"
#include "larder_test.h"
#include "larder_test_random.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 100000, NAMES = 60, ROUNDS = 20000 };

static larder_error err;

static int find (const struct larder_children *c, const char *name, uint64_t *number)
{
    return larder_children_find (c, LARDER_KIND_MAP, name, strlen (name), number);
}

static void add (struct larder_children *c, const char *name, int64_t value)
{
    struct larder_node *node = NULL;
    CU_ASSERT_EQUAL_FATAL (
        larder_children_add (c, LARDER_KIND_MAP, name, strlen (name), &node, &err), LARDER_OK);
    CU_ASSERT (node->kind == LARDER_KIND_NIL && node->depth == 0);
    node->u.integer = value;
}

/* Everything stands where it is found; the index has as many entries as there are values. */
static int wrong (const struct larder_children *c)
{
    uint64_t entries = 0, number;
    int bad = c->count > c->room || (c->room > 8) != (c->index != NULL);

    for (uint64_t i = 0; i < c->count; ++i)
        bad += !find (c, c->names[i], &number) || number != i;
    for (uint64_t i = 0; i < c->index_size; ++i)
        entries += c->index[i] != 0;
    return bad + (c->index && (entries != c->count || c->index_size < 2 * c->room));
}

static void names (void)
{
    struct larder_children *c = larder_children_new (LARDER_KIND_MAP, 0);
    uint64_t number = 99;
    char name[16];

    CU_ASSERT_PTR_NOT_NULL_FATAL (c);
    CU_ASSERT (!find (c, "0", &number));
    for (int i = 0; i < 40; ++i) {
        (void)snprintf (name, sizeof name, "%d", i);
        CU_ASSERT (!find (c, name, &number));
        add (c, name, i);
        CU_ASSERT_EQUAL (wrong (c), 0);
    }
    CU_ASSERT_EQUAL (number, 99);
    CU_ASSERT (find (c, "39", &number) && number == 39);
    /* The length counts, not the zero. */
    CU_ASSERT (larder_children_find (c, LARDER_KIND_MAP, "12/3", 2, &number) && number == 12);
    CU_ASSERT (larder_children_find (c, LARDER_KIND_MAP, "12", 1, &number) && number == 1);
    larder_children_free (c);
    larder_children_free (NULL);
}

static void lists (void)
{
    struct larder_children *c = larder_children_new (LARDER_KIND_LIST, 2);
    struct larder_node *node;
    uint64_t number = 9;

    CU_ASSERT_PTR_NOT_NULL_FATAL (c);
    for (int i = 0; i < 20; ++i) {
        CU_ASSERT_EQUAL_FATAL (larder_children_add (c, LARDER_KIND_LIST, NULL, 0, &node, &err),
                               LARDER_OK);
        node->u.integer = i;
    }
    CU_ASSERT (c->names == NULL && c->index == NULL);
    CU_ASSERT (larder_children_find (c, LARDER_KIND_LIST, "19", 2, &number) && number == 19);
    CU_ASSERT (!larder_children_find (c, LARDER_KIND_LIST, "20", 2, &number));
    larder_children_take (c, 0);
    larder_children_take (c, 18);
    CU_ASSERT (c->count == 18 && c->nodes[0].u.integer == 1 && c->nodes[17].u.integer == 18);
    larder_children_free (c);
}

static void too_many (void)
{
    struct larder_children *c = larder_children_new (LARDER_KIND_MAP, 0);

    CU_ASSERT_PTR_NULL (larder_children_new (LARDER_KIND_MAP, UINT64_MAX));
    CU_ASSERT_PTR_NULL (larder_children_new (LARDER_KIND_LIST, UINT64_C (1) << 32));
    CU_ASSERT_EQUAL (larder_children_reserve (c, LARDER_KIND_MAP, UINT64_MAX, &err), LARDER_ERANGE);
    CU_ASSERT_EQUAL (larder_children_reserve (c, LARDER_KIND_LIST, UINT32_MAX, &err),
                     LARDER_ERANGE);
    CU_ASSERT_EQUAL (c->room, 0);
    CU_ASSERT_EQUAL (larder_children_reserve (c, LARDER_KIND_MAP, 100, &err), LARDER_OK);
    CU_ASSERT (c->room >= 100 && c->count == 0);
    CU_ASSERT_EQUAL (wrong (c), 0);
    larder_children_free (c);
}

/* Names come and go at random; a plain array of names in order is the model. */
static void come_and_go (void)
{
    struct larder_test_random r = larder_test_seed ();
    struct larder_children *c = larder_children_new (LARDER_KIND_MAP, 0);
    uint64_t model[NAMES], count = 0, number;
    int bad = 0;
    char name[16];

    CU_ASSERT_PTR_NOT_NULL_FATAL (c);
    for (int i = 0; i < ROUNDS && !bad; ++i) {
        uint64_t which = larder_test_below (&r, NAMES), at = 0;
        (void)snprintf (name, sizeof name, "name%" PRIu64, which);
        while (at < count && model[at] != which)
            ++at;
        number = UINT64_MAX;
        bad += find (c, name, &number) != (at < count) || (at < count && number != at);
        if (at < count) {
            larder_children_take (c, at);
            memmove (&model[at], &model[at + 1], (--count - at) * sizeof *model);
        } else {
            add (c, name, (int64_t)which);
            model[count++] = which;
        }
        bad += c->count != count;
        for (uint64_t k = 0; k < count && !bad; ++k)
            bad += (uint64_t)c->nodes[k].u.integer != model[k];
        bad += wrong (c);
    }
    CU_ASSERT_EQUAL (bad, 0);
    larder_children_free (c);
}

static void hundred_thousand (void)
{
    larder_message *m = NULL;
    char path[32], name[LARDER_NAME_MAX + 1];
    int bad = 0;
    int64_t value;

    CU_ASSERT_EQUAL_FATAL (larder_message_new (&m, &err), LARDER_OK);
    for (int i = 0; i < MANY; ++i) {
        (void)snprintf (path, sizeof path, "m/%d", i);
        bad += larder_message_set_int (m, path, i, &err) != LARDER_OK;
    }
    /* The last half goes, from the end; then a few from the front. */
    for (int i = MANY - 1; i >= MANY / 2; --i) {
        (void)snprintf (path, sizeof path, "m/%d", i);
        bad += larder_message_remove (m, path, &err) != LARDER_OK;
    }
    for (int i = 0; i < 20; ++i) {
        (void)snprintf (path, sizeof path, "m/%d", i);
        bad += larder_message_remove (m, path, &err) != LARDER_OK;
    }
    for (int i = 0; i < MANY; ++i) {
        (void)snprintf (path, sizeof path, "m/%d", i);
        int rc = larder_message_get_int (m, path, &value, &err);
        bad += i < 20 || i >= MANY / 2 ? rc != LARDER_ENOENT : rc != LARDER_OK || value != i;
    }
    CU_ASSERT_EQUAL (bad, 0);
    CU_ASSERT_EQUAL (larder_message_name (m, "m", 7, name, &err), LARDER_OK);
    CU_ASSERT_STRING_EQUAL (name, "27");
    larder_message_free (&m);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"names", names},
        {"lists", lists},
        {"too many", too_many},
        {"names come and go", come_and_go},
        {"a hundred thousand names", hundred_thousand},
        {NULL, NULL},
    };
    return larder_test_main ("children", tests);
}
