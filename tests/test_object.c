/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_object.h"
#include "larder_test.h"
#include "larder_test_random.h"
#include <string.h>

enum { ROUNDS = 300, MOST = 5000 };

static int no_count (void *self, uint64_t *count, larder_error *err)
{
    (void)self;
    (void)err;
    *count = 0;
    return LARDER_OK;
}

static int no_produce (void *self, uint64_t item, uint64_t offset, void *buffer, size_t capacity,
                       size_t *produced, int *last, larder_error *err)
{
    (void)self;
    (void)offset;
    (void)buffer;
    (void)capacity;
    (void)produced;
    (void)last;
    return larder_error_set (err, LARDER_ERANGE, 0, "item %d", (int)item);
}

static void check (void)
{
    static const larder_object_ops full = {.item_count = no_count, .produce_item = no_produce};
    static const larder_object_ops no_counter = {.produce_item = no_produce};
    static const larder_object_ops no_producer = {.item_count = no_count};
    larder_error e;

    CU_ASSERT_EQUAL (larder_object_check (&(larder_object){.ops = &full}, &e), LARDER_OK);
    CU_ASSERT_EQUAL (larder_object_check (&(larder_object){.ops = &full, .once = 1}, &e),
                     LARDER_OK);
    CU_ASSERT_EQUAL (larder_object_check (NULL, &e), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_object_check (&(larder_object){.name = "soup"}, &e), LARDER_EINVAL);
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "soup"));
    CU_ASSERT_EQUAL (larder_object_check (&(larder_object){.ops = &no_counter}, &e), LARDER_EINVAL);
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "item_count"));
    CU_ASSERT_EQUAL (larder_object_check (&(larder_object){.ops = &no_producer}, &e),
                     LARDER_EINVAL);
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "produce_item"));
    CU_ASSERT_EQUAL (
        larder_object_check (&(larder_object){.ops = &full, .once = 1, .reproduce = 1}, &e),
        LARDER_EINVAL);
}

/* Read a whole object in parts of random capacity, as the owner does. */
static uint64_t read_all (const larder_object *o, struct larder_test_random *r, unsigned char *to)
{
    uint64_t count = 0, total = 0;
    larder_error e;

    CU_ASSERT_EQUAL (o->ops->item_count (o->self, &count, &e), LARDER_OK);
    for (uint64_t item = 0; item < count; ++item) {
        uint64_t size = 0, offset = 0;
        int last = 0;

        CU_ASSERT_EQUAL (o->ops->item_size (o->self, item, &size, &e), LARDER_OK);
        CU_ASSERT (item + 1 == count ? size <= o->uniform_item_size : size == o->uniform_item_size);
        while (offset < size) {
            size_t capacity = 1 + larder_test_below (r, size - offset), produced = 0;

            CU_ASSERT (!last);
            CU_ASSERT_EQUAL (o->ops->produce_item (o->self, item, offset, to + total, capacity,
                                                   &produced, &last, &e),
                             LARDER_OK);
            CU_ASSERT_EQUAL (produced, capacity);
            if (produced != capacity)
                return total;
            offset += produced;
            total += produced;
        }
        CU_ASSERT_EQUAL (last, 1);
    }
    return total;
}

static void memory_round_trip (void)
{
    static unsigned char data[MOST], copy[MOST];
    struct larder_test_random r = larder_test_seed ();
    larder_object o;
    larder_error e;

    larder_test_fill (&r, data, sizeof data);
    for (int i = 0; i < ROUNDS; ++i) {
        uint64_t size = larder_test_below (&r, MOST + 1);
        uint64_t item_size = 1 + larder_test_below (&r, i % 2 ? 20 : MOST + 100);
        uint64_t count = 0;

        CU_ASSERT_EQUAL (larder_object_memory (data, size, item_size, NULL, &o, &e), LARDER_OK);
        CU_ASSERT_EQUAL (larder_object_check (&o, &e), LARDER_OK);
        CU_ASSERT_EQUAL (o.uniform_item_size, item_size);
        CU_ASSERT_EQUAL (o.ops->item_count (o.self, &count, &e), LARDER_OK);
        CU_ASSERT_EQUAL (count, (size + item_size - 1) / item_size);
        memset (copy, 0, sizeof copy);
        CU_ASSERT_EQUAL (read_all (&o, &r, copy), size);
        CU_ASSERT (memcmp (data, copy, size) == 0);
        o.ops->release (o.self);
    }
}

static void memory_empty (void)
{
    larder_object o;
    uint64_t count = 42, size;
    larder_error e;

    CU_ASSERT_EQUAL (larder_object_memory (NULL, 0, 8, "nothing", &o, &e), LARDER_OK);
    CU_ASSERT_EQUAL (o.ops->item_count (o.self, &count, &e), LARDER_OK);
    CU_ASSERT_EQUAL (count, 0);
    CU_ASSERT_EQUAL (o.ops->item_size (o.self, 0, &size, &e), LARDER_ERANGE);
    o.ops->release (o.self);
}

static void memory_refusals (void)
{
    char name[] = "tide table";
    unsigned char data[10] = {0}, to[10];
    larder_object o = {.type_tag = 4711};
    size_t produced = 42;
    int last = 0;
    larder_error e;

    CU_ASSERT_EQUAL (larder_object_memory (NULL, 1, 8, NULL, &o, &e), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_object_memory (data, 10, 0, NULL, &o, &e), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_object_memory (data, 10, 1, NULL, NULL, &e), LARDER_EINVAL);
    CU_ASSERT_EQUAL (o.type_tag, 4711);

    CU_ASSERT_EQUAL (larder_object_memory (data, 10, 4, name, &o, &e), LARDER_OK);
    name[0] = 'X'; /* it has a copy */
    CU_ASSERT_STRING_EQUAL (o.name, "tide table");
    CU_ASSERT_EQUAL (o.ops->produce_item (o.self, 3, 0, to, 1, &produced, &last, &e),
                     LARDER_ERANGE);
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "tide table"));
    CU_ASSERT_EQUAL (o.ops->produce_item (o.self, 2, 3, to, 1, &produced, &last, &e),
                     LARDER_ERANGE);
    CU_ASSERT_EQUAL (produced, 42);
    CU_ASSERT_EQUAL (o.ops->produce_item (o.self, UINT64_MAX, 0, to, 1, &produced, &last, &e),
                     LARDER_ERANGE);
    o.ops->release (o.self);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"what an object must have", check},
        {"memory: read in parts", memory_round_trip},
        {"memory: empty", memory_empty},
        {"memory: refusals", memory_refusals},
        {NULL, NULL},
    };
    return larder_test_main ("object", tests);
}
