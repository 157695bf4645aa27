/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_test.h"
#include "larder_test_random.h"
#include <larder/consumer.h>
#include <string.h>

static void memory_collects (void)
{
    struct larder_test_random r = larder_test_seed ();
    unsigned char data[3000], copy[3001];
    larder_memory_sink sink = {.buffer = copy, .capacity = 3000};
    larder_consumer c = larder_consumer_memory (&sink);
    larder_error e;

    larder_test_fill (&r, data, sizeof data);
    copy[3000] = 0x5a;
    CU_ASSERT_PTR_EQUAL (c.self, &sink);
    for (size_t at = 0; at < sizeof data;) {
        size_t n = larder_test_below (&r, sizeof data - at + 1);
        larder_view view = {.item = 7, .offset = at, .count = 1, .data = data + at, .size = n};

        CU_ASSERT_EQUAL (c.consume_items (c.self, &view, &e), LARDER_OK);
        at += n;
        CU_ASSERT_EQUAL (sink.received, at);
    }
    CU_ASSERT (memcmp (data, copy, sizeof data) == 0);
    CU_ASSERT_EQUAL (copy[3000], 0x5a);
}

static void memory_too_small (void)
{
    unsigned char data[4] = {1, 2, 3, 4}, copy[5] = {0};
    larder_memory_sink sink = {.buffer = copy, .capacity = 3};
    larder_consumer c = larder_consumer_memory (&sink);
    larder_view view = {.count = 1, .data = data, .size = 2};
    larder_error e;

    CU_ASSERT_EQUAL (c.consume_items (c.self, &view, &e), LARDER_OK);
    CU_ASSERT_EQUAL (c.consume_items (c.self, &view, &e), LARDER_ERANGE);
    CU_ASSERT_EQUAL (e.code, LARDER_ERANGE);
    CU_ASSERT_EQUAL (sink.received, 2);
    CU_ASSERT_EQUAL (copy[2], 0);
    view.size = SIZE_MAX;
    CU_ASSERT_EQUAL (c.consume_items (c.self, &view, &e), LARDER_ERANGE);
}

static void memory_empty_views (void)
{
    larder_memory_sink sink = {0};
    larder_consumer c = larder_consumer_memory (&sink);
    larder_view view = {.count = 1, .item_ends = 1};

    CU_ASSERT_EQUAL (c.consume_items (c.self, &view, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (sink.received, 0);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"memory: collects the bytes", memory_collects},
        {"memory: a buffer that is too small", memory_too_small},
        {"memory: empty views", memory_empty_views},
        {NULL, NULL},
    };
    return larder_test_main ("consumer", tests);
}
