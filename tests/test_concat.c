/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_concat.h"
#include "larder_test.h"
#include <string.h>

/* An object of items of given sizes, which counts what it is told. */
struct told {
    uint64_t count;
    const uint64_t *sizes;
    char first; /* of its bytes */
    int transactions, ones, alls, dones, releases, prefetched, count_code, transaction_code;
};

static int count_items (void *self, uint64_t *count, larder_error *err)
{
    const struct told *t = self;
    *count = t->count;
    return t->count_code ? larder_error_set (err, t->count_code, 0, "cannot count") : LARDER_OK;
}

static int item_size (void *self, uint64_t item, uint64_t *size, larder_error *err)
{
    const struct told *t = self;
    (void)err;
    CU_ASSERT (item < t->count);
    *size = t->sizes[item];
    return LARDER_OK;
}

static int produce_item (void *self, uint64_t item, uint64_t offset, void *buffer, size_t capacity,
                         size_t *produced, int *last, larder_error *err)
{
    const struct told *t = self;
    (void)last;
    (void)err;
    CU_ASSERT (item < t->count && offset + capacity <= t->sizes[item]);
    for (size_t i = 0; i < capacity; ++i)
        ((char *)buffer)[i] = (char)(t->first + (char)item);
    *produced = capacity;
    return LARDER_OK;
}

static void prefetch_item (void *self, uint64_t item)
{
    ((struct told *)self)->prefetched = (int)item;
}

static int set_transaction (void *self, uint64_t transaction, larder_error *err)
{
    struct told *t = self;
    ++t->transactions;
    return t->transaction_code
               ? larder_error_set (err, t->transaction_code, 0, "not in %d", (int)transaction)
               : LARDER_OK;
}

static void downloaded_to_one (void *self, int receiver, int code)
{
    ((struct told *)self)->ones += receiver + code;
}

static void downloaded_to_all (void *self)
{
    ++((struct told *)self)->alls;
}

static void transaction_done (void *self, uint64_t transaction, larder_done done)
{
    ((struct told *)self)->dones += (int)transaction + (int)done;
}

static void release (void *self)
{
    ++((struct told *)self)->releases;
}

static const larder_object_ops full = {count_items,       item_size,        produce_item,
                                       prefetch_item,     set_transaction,  downloaded_to_one,
                                       downloaded_to_all, transaction_done, release};
static const larder_object_ops bare = {.item_count = count_items, .produce_item = produce_item};

static const uint64_t sizes[] = {3, 0, 5, 4, 4, 4, 2};

static uint64_t size_at (const larder_object *o, uint64_t item)
{
    uint64_t size = 99;
    CU_ASSERT_EQUAL (o->ops->item_size (o->self, item, &size, NULL), LARDER_OK);
    return size;
}

static char byte_at (const larder_object *o, uint64_t item)
{
    char c = 0;
    size_t n = 0;
    int last = 0;
    CU_ASSERT_EQUAL (o->ops->produce_item (o->self, item, 0, &c, 1, &n, &last, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (n, 1);
    return c;
}

static int freed;

static void count_free (void *data)
{
    (void)data;
    ++freed;
}

static void test_items (void)
{
    struct told a = {.count = 3, .sizes = sizes, .first = 'a'}, none = {.sizes = sizes},
                b = {.count = 4, .sizes = sizes + 3, .first = 'p'}, c = a;
    larder_object o, parts[] = {{.ops = &full, .self = &a, .chunk_size = 8192},
                                {.ops = &full, .self = &none},
                                {.ops = &full, .self = &b, .uniform_item_size = 4},
                                {.ops = &full, .self = &none, .chunk_size = 4096},
                                {.ops = &full, .self = &c}};
    struct larder_concat *concat = larder_concat_new ();
    CU_ASSERT_PTR_NOT_NULL_FATAL (concat);
    uint64_t items = 0, total = 0;
    for (int i = 0; i < 5; ++i) {
        CU_ASSERT_EQUAL (larder_concat_add (concat, &parts[i], &items, NULL), LARDER_OK);
        total += items;
    }
    int some = 0;
    struct larder_blob *blob = larder_blob_new (&some, count_free);
    CU_ASSERT_EQUAL (larder_concat_keep (concat, blob, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_concat_keep (concat, NULL, NULL), LARDER_OK);
    larder_blob_drop (blob);
    larder_concat_object (concat, "all", &o);
    CU_ASSERT (total == 10 && o.chunk_size == 4096 && !o.once && !o.reproduce);
    CU_ASSERT_EQUAL (o.ops->item_count (o.self, &items, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (items, 10);
    static const uint64_t expected[] = {3, 0, 5, 4, 4, 4, 2, 3, 0, 5};
    for (int round = 0; round < 2; ++round) /* forwards, then jumping about */
        for (uint64_t i = 0; i < 10; ++i) {
            uint64_t k = round ? i * 7 % 10 : i;
            CU_ASSERT_EQUAL (size_at (&o, k), expected[k]);
            if (expected[k])
                CU_ASSERT_EQUAL (byte_at (&o, k), "abcpqrsabc"[k]);
        }
    larder_error err = {0};
    CU_ASSERT_EQUAL (o.ops->item_size (o.self, 10, &items, &err), LARDER_ERANGE);
    CU_ASSERT_EQUAL (o.ops->set_transaction (o.self, 3, NULL), LARDER_OK);
    o.ops->downloaded_to_one (o.self, 5, 0);
    o.ops->downloaded_to_all (o.self);
    o.ops->prefetch_item (o.self, 6);
    o.ops->transaction_done (o.self, 3, LARDER_DONE_FINISHED);
    CU_ASSERT (b.transactions == 1 && b.ones == 5 && b.alls == 1 && b.dones == 4);
    CU_ASSERT_EQUAL (b.prefetched, 3);
    CU_ASSERT_EQUAL (freed, 0);
    o.ops->release (o.self);
    CU_ASSERT (a.releases == 1 && b.releases == 1 && c.releases == 1 && none.releases == 2);
    CU_ASSERT_EQUAL (freed, 1);
}

static void test_faults (void)
{
    struct told good = {.count = 2, .sizes = sizes}, bad = {.count = 1, .count_code = LARDER_EIO},
                late = {.count = 1, .sizes = sizes, .transaction_code = LARDER_EBUSY},
                huge = {.count = UINT64_MAX};
    larder_object parts[] = {{.ops = &full, .self = &good},
                             {.ops = &full, .self = &bad},
                             {.ops = &bare, .self = &good},
                             {.ops = &full, .self = &huge},
                             {.ops = &full, .self = &late, .once = 1}},
                  o;
    struct larder_concat *concat = larder_concat_new ();
    CU_ASSERT_PTR_NOT_NULL_FATAL (concat);
    uint64_t items = 7;
    larder_error err = {0};
    CU_ASSERT_EQUAL (larder_concat_add (concat, &parts[0], &items, &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_concat_add (concat, &parts[1], &items, &err), LARDER_EIO);
    CU_ASSERT_EQUAL (bad.releases, 1);
    CU_ASSERT_EQUAL (larder_concat_add (concat, &parts[2], &items, &err), LARDER_ENOTSUP);
    CU_ASSERT_EQUAL (larder_concat_add (concat, &parts[3], &items, &err), LARDER_ERANGE);
    CU_ASSERT_EQUAL (larder_concat_add (concat, &parts[4], &items, &err), LARDER_OK);
    larder_concat_object (concat, "some", &o);
    CU_ASSERT (o.once && !o.reproduce);
    CU_ASSERT_EQUAL (o.ops->set_transaction (o.self, 1, &err), LARDER_EBUSY);
    larder_concat_free (concat);
    CU_ASSERT (good.releases == 1 && late.releases == 1);
    larder_concat_free (NULL);
    concat = larder_concat_new ();
    larder_concat_object (concat, "empty", &o);
    CU_ASSERT_EQUAL (o.ops->item_count (o.self, &items, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (items, 0);
    CU_ASSERT (o.ops->item_size (o.self, 0, &items, &err) == LARDER_ERANGE);
    larder_concat_free (concat);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"items", test_items}, {"faults", test_faults}, {NULL, NULL}};
    return larder_test_main ("concat", tests);
}
