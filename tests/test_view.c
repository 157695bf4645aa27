/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_chunks.h"
#include "larder_test.h"
#include "larder_test_random.h"
#include "larder_view.h"
#include <stdlib.h>
#include <string.h>

enum { ITEMS = 60, ROUNDS = 3000, ROOM = 2000 };

/* A slot with one chunk; exactly as long as the chunk, so that a sanitizer sees who reads beyond. */
struct slot {
    struct larder_slot_header *h;
    unsigned char *bytes;
    uint64_t sizes[ITEMS];
};

static struct slot make_slot (struct larder_test_random *r, uint64_t count, uint64_t item_size,
                              int last)
{
    struct slot s = {NULL, NULL, {0}};
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < count; ++i) {
        s.sizes[i] = item_size ? item_size : larder_test_below (r, 30);
        if (item_size && last && i + 1 == count)
            s.sizes[i] = larder_test_below (r, item_size + 1);
        bytes += s.sizes[i];
    }
    uint64_t table = item_size ? 0 : larder_chunks_table (bytes, count);
    s.h = calloc (1, sizeof *s.h + bytes + table + (bytes + table == 0));
    s.bytes = (unsigned char *)(s.h + 1);
    *s.h =
        (struct larder_slot_header){.item = 100,
                                    .count = (uint32_t)count,
                                    .size = (uint32_t)(bytes + table),
                                    .flags = LARDER_CHUNK_ENDS | (table ? LARDER_CHUNK_TABLE : 0)};
    larder_test_fill (r, s.bytes, bytes);
    for (uint64_t i = 0; table && i < count; ++i)
        ((uint32_t *)(void *)(s.bytes + bytes + table - 4 * count))[i] = (uint32_t)s.sizes[i];
    return s;
}

static int wrong_view (const struct slot *s, const larder_view *v, uint64_t low, uint64_t high)
{
    uint64_t before = 0, bytes = 0;
    int wrong = v->item != low || v->count != high - low || v->offset != 0 || !v->item_ends;
    for (uint64_t i = s->h->item; i < high; ++i)
        *(i < low ? &before : &bytes) += s->sizes[i - s->h->item];
    wrong += v->data != s->bytes + before || v->size != bytes;
    for (uint64_t i = low; i < high; ++i) {
        uint64_t size = v->item_sizes ? v->item_sizes[i - low] : v->item_size;
        uint64_t true_size = s->sizes[i - s->h->item];
        wrong += size != true_size && !(!v->item_sizes && i + 1 == high && true_size < size);
    }
    return wrong;
}

static void several_items (void)
{
    struct larder_test_random r = larder_test_seed ();
    int wrong = 0, shown = 0, empty = 0;
    for (int round = 0; round < ROUNDS; ++round) {
        uint64_t count = 1 + larder_test_below (&r, ITEMS);
        uint64_t item_size = round % 2 ? 1 + larder_test_below (&r, 30) : 0;
        struct slot s = make_slot (&r, count, item_size, round % 4 == 1);
        uint64_t first = 80 + larder_test_below (&r, 100), end = first + larder_test_below (&r, 80);
        uint64_t low = first > 100 ? first : 100, high = end < 100 + count ? end : 100 + count;
        larder_view v = {.size = 77};
        int ends = -1, rc = larder_view_make (s.h, item_size, first, end, &v, &ends);
        wrong += rc != (low < high) || ends != (100 + count >= end);
        wrong += rc == 1 && wrong_view (&s, &v, low, high);
        wrong += rc == 0 && v.size != 77;
        shown += rc;
        empty += rc == 0;
        free (s.h);
    }
    CU_ASSERT_EQUAL (wrong, 0);
    CU_ASSERT (shown > 0 && empty > 0);
}

static void parts (void)
{
    struct {
        struct larder_slot_header h;
        unsigned char bytes[50];
    } s = {.h = {.item = 7, .offset = 100, .count = 1, .size = 50}};
    larder_view v;
    int ends = -1;
    CU_ASSERT_EQUAL (larder_view_make (&s.h, 1000, 5, 8, &v, &ends), 1);
    CU_ASSERT (v.item == 7 && v.offset == 100 && v.count == 1 && v.size == 50 && v.data == s.bytes);
    CU_ASSERT (!v.item_ends && !ends && v.item_sizes == NULL && v.item_size == 1000);
    s.h.flags = LARDER_CHUNK_ENDS;
    CU_ASSERT_EQUAL (larder_view_make (&s.h, 0, 5, 8, &v, &ends), 1);
    CU_ASSERT (v.item_ends && ends && v.item_size == 0);
    CU_ASSERT_EQUAL (larder_view_make (&s.h, 0, 5, 9, &v, &ends), 1);
    CU_ASSERT (!ends);
    CU_ASSERT_EQUAL (larder_view_make (&s.h, 0, 8, 9, &v, &ends), 0);
    CU_ASSERT (!ends);
    /* An item without bytes is an item. */
    s.h = (struct larder_slot_header){.item = 7, .count = 1, .flags = LARDER_CHUNK_ENDS};
    CU_ASSERT_EQUAL (larder_view_make (&s.h, 0, 7, 8, &v, &ends), 1);
    CU_ASSERT (v.count == 1 && v.size == 0 && v.item_ends && ends);
}

static void nonsense (void)
{
    struct {
        struct larder_slot_header h;
        uint32_t words[16];
    } s = {
        .h = {.item = 0, .count = 3, .size = 64, .flags = LARDER_CHUNK_ENDS | LARDER_CHUNK_TABLE}};
    larder_view v;
    int ends;
    s.words[13] = 10, s.words[14] = 20, s.words[15] = 22;
    CU_ASSERT_EQUAL (larder_view_make (&s.h, 0, 0, 3, &v, &ends), 1);
    s.words[15] = 23; /* more bytes than there are before the table */
    CU_ASSERT_EQUAL (larder_view_make (&s.h, 0, 0, 3, &v, &ends), -1);
    s.words[15] = UINT32_MAX;
    CU_ASSERT_EQUAL (larder_view_make (&s.h, 0, 0, 3, &v, &ends), -1);
    s.h.count = 17; /* a table longer than the chunk */
    CU_ASSERT_EQUAL (larder_view_make (&s.h, 0, 0, 3, &v, &ends), -1);
    s.h.count = UINT32_MAX;
    CU_ASSERT_EQUAL (larder_view_make (&s.h, 0, 0, 3, &v, &ends), -1);
    s.h.count = 0;
    CU_ASSERT_EQUAL (larder_view_make (&s.h, 0, 0, 3, &v, &ends), -1);
    s.h = (struct larder_slot_header){.count = 2, .size = 20, .offset = 5};
    CU_ASSERT_EQUAL (larder_view_make (&s.h, 10, 0, 3, &v, &ends), -1);
    s.h.offset = 0;
    CU_ASSERT_EQUAL (larder_view_make (&s.h, 0, 0, 3, &v, &ends), -1); /* neither size nor table */
    CU_ASSERT_EQUAL (larder_view_make (&s.h, 9, 0, 3, &v, &ends), -1);
    CU_ASSERT_EQUAL (larder_view_make (&s.h, 21, 0, 3, &v, &ends), -1);
    CU_ASSERT_EQUAL (larder_view_make (&s.h, 20, 0, 3, &v, &ends), 1);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"several items, random ranges", several_items},
        {"parts of an item", parts},
        {"headers that make no sense", nonsense},
        {NULL, NULL},
    };
    return larder_test_main ("view", tests);
}
