/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_chunks.h"
#include "larder_test.h"
#include "larder_test_random.h"
#include "larder_wire.h"
#include <string.h>

enum { ITEMS = 300, ROUNDS = 150 };

struct source {
    uint64_t count;
    uint64_t size[ITEMS];
    uint64_t formula; /* not 0: sizes come from it */
    int broken;       /* item_size fails */
};

static int item_count (void *self, uint64_t *count, larder_error *err)
{
    (void)err;
    *count = ((struct source *)self)->count;
    return LARDER_OK;
}

static int item_size (void *self, uint64_t item, uint64_t *size, larder_error *err)
{
    const struct source *s = self;
    if (s->broken)
        return larder_error_set (err, LARDER_EIO, 5, "no size today");
    *size = s->formula ? s->formula + item % 2 : s->size[item];
    return LARDER_OK;
}

static int no_count (void *self, uint64_t *count, larder_error *err)
{
    (void)self;
    (void)count;
    return larder_error_set (err, LARDER_EIO, 0, "no count today");
}

static const larder_object_ops sized = {.item_count = item_count, .item_size = item_size};
static const larder_object_ops unsized = {.item_count = item_count};
static const larder_object_ops countless = {.item_count = no_count};

/* Where the walk through an object is. */
struct walk {
    uint64_t item, offset;
};

/* Does a chunk begin where the one before ended, and say the truth about itself? */
static int wrong_chunk (const struct larder_chunks *c, const struct source *s, struct walk *at,
                        const struct larder_chunk *k, uint64_t n)
{
    int wrong = k->number != n || k->item != at->item || k->offset != at->offset || k->count == 0;
    uint64_t bytes = 0;
    wrong += k->size > c->payload;
    wrong += k->item + k->count > s->count;
    if (wrong)
        return wrong;
    for (uint64_t i = 0; i < k->count; ++i)
        bytes += s->size[k->item + i];
    wrong += ((k->flags & LARDER_CHUNK_TABLE) != 0) != (k->count > 1 && c->item_size == 0);
    if (k->flags & LARDER_CHUNK_TABLE)
        wrong += k->size != bytes + larder_chunks_table (bytes, k->count) || k->size % 4 != 0;
    else if (k->count > 1)
        wrong += k->size != bytes;
    else
        wrong += k->size > bytes - k->offset ||
                 ((k->flags & LARDER_CHUNK_ENDS) != 0) != (k->offset + k->size == bytes);
    wrong += k->count > 1 && (k->offset || !(k->flags & LARDER_CHUNK_ENDS));
    wrong += !(k->flags & LARDER_CHUNK_ENDS) && k->size == 0; /* no chunk for nothing */
    if (k->flags & LARDER_CHUNK_ENDS)
        *at = (struct walk){k->item + k->count, 0};
    else
        at->offset += k->size;
    wrong += ((k->flags & LARDER_CHUNK_LAST) != 0) != (at->item == s->count);
    return wrong;
}

/* All chunks in order cover all items; then at random they are the same. */
static void check_all (struct larder_test_random *r, const struct source *s,
                       const larder_object *object, uint64_t payload)
{
    static struct larder_chunk chunks[ITEMS * 64];
    struct larder_chunks c;
    struct larder_chunk k;
    struct walk at = {0, 0};
    larder_error err = {0};
    uint64_t count = 0, n, number[ITEMS];
    int wrong = 0;
    CU_ASSERT_EQUAL_FATAL (larder_chunks_init (&c, object, payload, &err), LARDER_OK);
    for (n = 0; at.item < s->count && !wrong && n < sizeof chunks / sizeof *chunks; ++n) {
        uint64_t item = at.item;
        int rc = larder_chunks_plan (&c, n, &k, &err);
        if (rc == LARDER_ERANGE && c.item_size && at.offset == 0)
            continue; /* a hole: the short last item has fewer chunks */
        wrong = rc != LARDER_OK || wrong_chunk (&c, s, &at, &k, n);
        if (wrong)
            break;
        for (uint64_t i = item + (k.offset > 0); i < k.item + k.count; ++i)
            number[i] = n;
        chunks[count++] = k;
    }
    CU_ASSERT_EQUAL (wrong, 0);
    CU_ASSERT_EQUAL (at.item, s->count);
    CU_ASSERT_EQUAL (larder_chunks_plan (&c, n, &k, &err), LARDER_ERANGE);
    CU_ASSERT_EQUAL (larder_chunks_find (&c, s->count, &n, &err), LARDER_ERANGE);
    for (int i = 0; !wrong && count && i < 200; ++i) {
        const struct larder_chunk *want = &chunks[larder_test_below (r, count)];
        uint64_t item = larder_test_below (r, s->count);
        wrong += larder_chunks_plan (&c, want->number, &k, &err) != LARDER_OK ||
                 memcmp (&k, want, sizeof k) != 0;
        wrong += larder_chunks_find (&c, item, &n, &err) != LARDER_OK || n != number[item];
    }
    CU_ASSERT_EQUAL (wrong, 0);
    larder_chunks_free (&c);
}

static void equal_items (void)
{
    struct larder_test_random r = larder_test_seed ();
    for (int round = 0; round < ROUNDS; ++round) {
        struct source s = {.count = larder_test_below (&r, ITEMS)};
        uint64_t size = 1 + larder_test_below (&r, 500), payload = 16 + larder_test_below (&r, 400);
        larder_object object = {.ops = &sized, .self = &s, .uniform_item_size = size};
        for (uint64_t i = 0; i < s.count; ++i)
            s.size[i] = size;
        if (s.count && round % 2)
            s.size[s.count - 1] = larder_test_below (&r, size + 1);
        check_all (&r, &s, &object, payload);
    }
}

static void other_sizes (void)
{
    struct larder_test_random r = larder_test_seed ();
    for (int round = 0; round < ROUNDS; ++round) {
        struct source s = {.count = larder_test_below (&r, ITEMS)};
        uint64_t largest = 1 + larder_test_below (&r, 900);
        larder_object object = {.ops = &sized, .self = &s};
        for (uint64_t i = 0; i < s.count; ++i)
            s.size[i] = larder_test_below (&r, 4) ? larder_test_below (&r, largest) : 0;
        check_all (&r, &s, &object, 16 + larder_test_below (&r, 400));
    }
}

/* Marks thin out when there are more chunks than they can be; places are found all the same. */
static void many_chunks (void)
{
    struct larder_test_random r = larder_test_seed ();
    struct source s = {.count = 200000, .formula = 100};
    larder_object object = {.ops = &sized, .self = &s};
    struct larder_chunks c;
    struct larder_chunk k;
    larder_error err;
    uint64_t n;
    CU_ASSERT_EQUAL_FATAL (larder_chunks_init (&c, &object, 101, &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_chunks_plan (&c, 199999, &k, &err), LARDER_OK);
    CU_ASSERT (k.item == 199999 && k.size == 101 && (k.flags & LARDER_CHUNK_LAST));
    CU_ASSERT (c.interval > 1 && c.mark_count <= 65536);
    for (int i = 0; i < 100; ++i) {
        uint64_t item = larder_test_below (&r, s.count);
        CU_ASSERT_EQUAL (larder_chunks_plan (&c, item, &k, &err), LARDER_OK);
        CU_ASSERT (k.item == item && k.size == 100 + item % 2);
        item = larder_test_below (&r, s.count);
        CU_ASSERT_EQUAL (larder_chunks_find (&c, item, &n, &err), LARDER_OK);
        CU_ASSERT_EQUAL (n, item);
    }
    larder_chunks_free (&c);
}

static void unknown_sizes (void)
{
    struct source s = {.count = 3};
    larder_object object = {.ops = &unsized, .self = &s};
    struct larder_chunks c;
    struct larder_chunk k;
    larder_error err;
    uint64_t n = 42;
    CU_ASSERT_EQUAL_FATAL (larder_chunks_init (&c, &object, 100, &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_chunks_plan (&c, 0, &k, &err), LARDER_OK);
    CU_ASSERT (k.item == 0 && k.offset == 0 && k.count == 1 && k.size == 100 && k.flags == 0);
    CU_ASSERT_EQUAL (larder_chunks_plan (&c, 1, &k, &err), LARDER_ENOTSUP);
    CU_ASSERT_EQUAL (larder_chunks_find (&c, 1, &n, &err), LARDER_ENOTSUP);
    CU_ASSERT_EQUAL (larder_chunks_learn (&c, 0, 100, 0, &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_chunks_plan (&c, 1, &k, &err), LARDER_OK);
    CU_ASSERT (k.item == 0 && k.offset == 100);
    CU_ASSERT_EQUAL (larder_chunks_find (&c, 1, &n, &err), LARDER_ENOTSUP);
    CU_ASSERT_EQUAL (larder_chunks_learn (&c, 1, 20, 1, &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_chunks_learn (&c, 0, 100, 0, &err), LARDER_OK); /* produced again */
    CU_ASSERT_EQUAL (larder_chunks_find (&c, 1, &n, &err), LARDER_OK);
    CU_ASSERT_EQUAL (n, 2);
    CU_ASSERT_EQUAL (larder_chunks_find (&c, 0, &n, &err), LARDER_OK);
    CU_ASSERT_EQUAL (n, 0);
    CU_ASSERT_EQUAL (larder_chunks_learn (&c, 2, 0, 1, &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_chunks_learn (&c, 3, 7, 1, &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_chunks_plan (&c, 4, &k, &err), LARDER_ERANGE); /* the end */
    CU_ASSERT_EQUAL (larder_chunks_plan (&c, 5, &k, &err), LARDER_ENOTSUP);
    CU_ASSERT_EQUAL (c.mark_count, 5);
    larder_chunks_free (&c);
}

static void refused (void)
{
    struct source s = {.count = 2, .size = {10, 11}};
    larder_object o = {.ops = &sized, .self = &s, .uniform_item_size = 10, .name = "thing"};
    struct larder_chunks c;
    struct larder_chunk k;
    larder_error err = {0};
    CU_ASSERT_EQUAL (larder_chunks_init (&c, &o, 100, &err), LARDER_EINVAL); /* a longer last one */
    CU_ASSERT (strstr (err.text, "thing") != NULL);
    s.broken = 1;
    CU_ASSERT_EQUAL (larder_chunks_init (&c, &o, 100, &err), LARDER_EIO);
    o.ops = &countless;
    CU_ASSERT_EQUAL (larder_chunks_init (&c, &o, 100, &err), LARDER_EIO);
    o.ops = &unsized;
    s.count = LARDER_COUNT_MAX + 1;
    CU_ASSERT_EQUAL (larder_chunks_init (&c, &o, 100, &err), LARDER_ERANGE);
    s.count = LARDER_COUNT_MAX / 4;
    o.uniform_item_size = 250;
    CU_ASSERT_EQUAL (larder_chunks_init (&c, &o, 100, &err), LARDER_EINVAL); /* too many chunks */
    o.uniform_item_size = UINT64_MAX / 2;
    CU_ASSERT_EQUAL (larder_chunks_init (&c, &o, 100, &err), LARDER_EINVAL); /* bytes overflow */
    /* A size that fails or changes later is an error, not a wrong chunk. */
    s = (struct source){.count = 2, .size = {250, 10}};
    o = (larder_object){.ops = &sized, .self = &s};
    CU_ASSERT_EQUAL_FATAL (larder_chunks_init (&c, &o, 100, &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_chunks_plan (&c, 1, &k, &err), LARDER_OK);
    s.broken = 1;
    CU_ASSERT_EQUAL (larder_chunks_plan (&c, 2, &k, &err), LARDER_EIO);
    s.broken = 0;
    s.size[0] = 150;
    CU_ASSERT_EQUAL (larder_chunks_plan (&c, 2, &k, &err), LARDER_ESTALE);
    s.size[0] = UINT64_MAX;
    CU_ASSERT_EQUAL (larder_chunks_plan (&c, 2, &k, &err), LARDER_ERANGE);
    larder_chunks_free (&c);
}

static void bytes_and_tables (void)
{
    struct source s = {.count = 3, .size = {10, 10, 4}};
    larder_object o = {.ops = &sized, .self = &s, .uniform_item_size = 10};
    struct larder_chunks c;
    larder_error err;
    CU_ASSERT_EQUAL (larder_chunks_init (&c, &o, 100, &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_chunks_bytes (&c), 24);
    larder_chunks_free (&c);
    s.count = 0;
    CU_ASSERT_EQUAL (larder_chunks_init (&c, &o, 100, &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_chunks_bytes (&c), 0);
    larder_chunks_free (&c);
    CU_ASSERT_EQUAL (larder_chunks_table (7, 1), 0);
    CU_ASSERT_EQUAL (larder_chunks_table (7, 2), 1 + 8);
    CU_ASSERT_EQUAL (larder_chunks_table (8, 3), 12);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"equal items, the last shorter", equal_items},
        {"other sizes", other_sizes},
        {"more chunks than marks", many_chunks},
        {"sizes known by producing", unknown_sizes},
        {"what is refused", refused},
        {"bytes and tables", bytes_and_tables},
        {NULL, NULL},
    };
    return larder_test_main ("chunks", tests);
}
