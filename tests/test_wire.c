/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_pool.h"
#include "larder_test.h"
#include "larder_test_random.h"
#include "larder_wire.h"
#include <string.h>

enum { ROUNDS = 100, REGIONS = 8 };

struct region {
    size_t at, size;
};

static int overlap (const struct region *a, const struct region *b)
{
    return a->at < b->at + b->size && b->at < a->at + a->size;
}

static struct larder_wire_shape random_shape (struct larder_test_random *r)
{
    return (struct larder_wire_shape){.node_count = 1 + larder_test_below (r, 5),
                                      .node_size = 1 + larder_test_below (r, 130),
                                      .owner_count = 1 + larder_test_below (r, 4),
                                      .owners_per_node = 1 + larder_test_below (r, 3),
                                      .max_lines = 1 + larder_test_below (r, 4),
                                      .max_objects = 1 + larder_test_below (r, 9),
                                      .chunk_size = 1 + larder_test_below (r, 5000),
                                      .slot_count = 4 + larder_test_below (r, 4000),
                                      .ring = 1 + larder_test_below (r, 40)};
}

/* Two blocks that the layout gives out, which must not share a byte unless they are the same one. */
static void blocks_apart (struct larder_test_random *r, const struct larder_wire_layout *l)
{
    const struct larder_wire_shape *s = &l->shape;
    int wrong = 0;
    for (int i = 0; i < 300; ++i) {
        struct region a[2];
        uint64_t same[2];
        uint64_t kind = larder_test_below (r, 4);
        for (int k = 0; k < 2; ++k) {
            uint64_t x = larder_test_below (r, kind == 0 ? s->owners_per_node : s->owner_count);
            uint64_t line = larder_test_below (r, s->max_lines);
            uint64_t z = larder_test_below (r, kind == 0 ? s->node_count : s->node_size);
            if (kind == 0)
                a[k] = (struct region){larder_wire_request (l, x, z, line), l->request_stride};
            else if (kind == 1)
                a[k] = (struct region){larder_wire_mailbox (l, x, line, z), l->mailbox_stride};
            else if (kind == 2)
                a[k] = (struct region){larder_wire_line (l, x, line), l->line_stride};
            else
                a[k] = (struct region){larder_wire_slot (l, larder_test_below (r, s->slot_count)),
                                       l->slot_stride};
            same[k] = kind == 3 ? a[k].at : (x * s->max_lines + line) * 1000 + (kind == 2 ? 0 : z);
            wrong += a[k].at % 64 != 0 || a[k].at + a[k].size > l->total;
            wrong += (kind == 3) != (a[k].at >= l->control_size);
        }
        wrong += overlap (&a[0], &a[1]) != (same[0] == same[1]);
    }
    CU_ASSERT_EQUAL (wrong, 0);
}

static void layouts (void)
{
    struct larder_test_random r = larder_test_seed ();
    int made = 0;
    for (int round = 0; round < ROUNDS; ++round) {
        struct larder_wire_shape s = random_shape (&r);
        struct larder_wire_layout l;
        larder_error err = {0};
        if (larder_wire_layout_make (&s, &l, &err) != LARDER_OK) {
            CU_ASSERT_EQUAL (err.code, LARDER_ERANGE);
            continue;
        }
        ++made;
        struct region regions[REGIONS] = {
            {l.pool, sizeof (struct larder_pool) + 4 * s.slot_count},
            {l.quota, 8 * s.owners_per_node * s.max_objects},
            {l.guard, 64 * s.node_size},
            {l.request, s.owners_per_node * s.max_lines * s.node_count * l.request_stride},
            {l.mailbox, s.owner_count * s.max_lines * s.node_size * l.mailbox_stride},
            {l.line, s.owner_count * s.max_lines * l.line_stride},
            {l.slot, s.slot_count * l.slot_stride},
            {l.total, 1},
        };
        for (int i = 0; i < REGIONS; ++i)
            for (int k = 0; k < i; ++k)
                CU_ASSERT (!overlap (&regions[i], &regions[k]));
        CU_ASSERT_EQUAL (l.total, l.slot + s.slot_count * l.slot_stride);
        CU_ASSERT (l.control_size == l.slot && l.slot % 4096 == 0);
        blocks_apart (&r, &l);
    }
    CU_ASSERT (made > ROUNDS / 2);
}

/* The words inside a block do not share a byte either. */
static void inside_blocks (void)
{
    struct larder_wire_shape s = {3, 70, 2, 1, 2, 4, 1000, 4000, 11, 0};
    struct larder_wire_layout l;
    larder_error err;
    CU_ASSERT_EQUAL_FATAL (larder_wire_layout_make (&s, &l, &err), LARDER_OK);
    CU_ASSERT (LARDER_REQUEST_BIND + sizeof (struct larder_bind) <= LARDER_REQUEST_CURSOR);
    CU_ASSERT (LARDER_REQUEST_HOLDER + 8 <= l.request_state);
    CU_ASSERT (l.request_state + 8 * 70 <= l.request_split);
    CU_ASSERT (l.request_split + 8 * 70 <= l.request_stride);
    CU_ASSERT (sizeof (struct larder_info) + 2 * 8 <= l.mailbox_closed);
    CU_ASSERT (l.mailbox_closed + 8 <= l.mailbox_failed);
    CU_ASSERT (l.mailbox_failed + sizeof (struct larder_failed) <= l.mailbox_ring);
    CU_ASSERT (l.mailbox_ring + 11 * sizeof (struct larder_ready) <= l.mailbox_stride);
    CU_ASSERT (sizeof (struct larder_line) <= l.line_position);
    CU_ASSERT (l.line_position + 70 * 8 <= l.line_state);
    CU_ASSERT (l.line_state + 70 * 8 <= l.line_split);
    CU_ASSERT (l.line_split + 70 * 8 <= l.line_directory);
    CU_ASSERT (l.line_directory + 11 * 8 <= l.line_stride);
    CU_ASSERT (LARDER_HEADER_BYTES + 1000 <= l.slot_stride);
    CU_ASSERT_EQUAL (sizeof (struct larder_slot_header), LARDER_HEADER_BYTES);
    CU_ASSERT_EQUAL (sizeof (struct larder_bind), 64);
    CU_ASSERT_EQUAL (sizeof (struct larder_info), 64);
}

static void refused (void)
{
    struct larder_wire_shape s = {64, 128, 4, 2, 16, 64, 65536, 64, 64, 0};
    struct larder_wire_layout l;
    larder_error err = {0};
    CU_ASSERT_EQUAL (larder_wire_layout_make (&s, &l, &err), LARDER_ERANGE);
    CU_ASSERT (strstr (err.text, "64 nodes, up to 128 ranks") != NULL);
    CU_ASSERT (strstr (err.text, "max_lines 16") != NULL);
    s.slot_count = 16384;
    CU_ASSERT_EQUAL (larder_wire_layout_make (&s, &l, &err), LARDER_OK);
    s.chunk_size = UINT64_C (1) << 62;
    CU_ASSERT_EQUAL (larder_wire_layout_make (&s, &l, &err), LARDER_ERANGE);
    CU_ASSERT (strstr (err.text, "overflow") != NULL);
    s.chunk_size = 65536;
    s.owner_count = UINT64_MAX / 2;
    CU_ASSERT_EQUAL (larder_wire_layout_make (&s, &l, &err), LARDER_ERANGE);
}

static void growing_words (void)
{
    struct larder_test_random r = larder_test_seed ();
    larder_word word = 0;
    int wrong = 0;
    for (int i = 0; i < 1000; ++i) {
        uint64_t life = larder_test_below (&r, LARDER_LIFE_MAX + 1);
        uint64_t count = larder_test_any_size (&r) & LARDER_COUNT_MAX;
        uint64_t w = larder_wire_word (life, count);
        wrong += larder_wire_life (w) != life || larder_wire_count (w) != count;
        /* A new life is above everything of the one before. */
        wrong += life > 0 && w <= larder_wire_word (life - 1, LARDER_COUNT_MAX);
        uint64_t before = larder_load (&word);
        wrong += larder_raise (&word, w) != (w > before);
        wrong += larder_load (&word) != (w > before ? w : before);
    }
    CU_ASSERT_EQUAL (wrong, 0);
    CU_ASSERT (LARDER_CURSOR_END + UINT32_MAX <= LARDER_COUNT_MAX);
}

/* What a rank says of itself keeps its order and its parts, whatever it presents. */
static void states_and_splits (void)
{
    static const uint64_t counts[] = {LARDER_STATE_ACQUIRED,   LARDER_STATE_SPLIT - 1,
                                      LARDER_STATE_LEFT,       LARDER_STATE_DONE,
                                      LARDER_STATE_FAILED + 1, LARDER_STATE_FAILED + 1000};
    struct larder_test_random r = larder_test_seed ();
    int wrong = 0;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; ++i) {
        wrong += (counts[i] & LARDER_STATE_SPLIT) != 0;
        wrong += (counts[i] | LARDER_STATE_SPLIT) > LARDER_COUNT_MAX;
        wrong += i && counts[i] <= counts[i - 1];
        wrong += i && (counts[i] | LARDER_STATE_SPLIT) <= (counts[i - 1] | LARDER_STATE_SPLIT);
    }
    for (int i = 0; i < 1000; ++i) {
        uint64_t via = larder_test_below (&r, 1 << 20), share = 1 + larder_test_below (&r, 0xfffff);
        uint64_t split = larder_wire_split (via, share), local = larder_test_below (&r, 1 << 24);
        uint64_t life = larder_test_below (&r, LARDER_LIFE_MAX + 1);
        struct larder_bind bind = {.local = local | split << LARDER_BIND_LOCAL_BITS};
        wrong += larder_wire_split_via (split) != (int)via;
        wrong += larder_wire_split_share (split) != (int)share || split == 0;
        wrong += larder_wire_count (larder_wire_word (life, split)) != split;
        wrong += larder_bind_local (&bind) != local || larder_bind_split (&bind) != split;
        bind.local = local;
        wrong += larder_bind_local (&bind) != local || larder_bind_split (&bind) != 0;
    }
    CU_ASSERT_EQUAL (wrong, 0);
}

static void places (void)
{
    struct larder_test_random r = larder_test_seed ();
    int wrong = 0, taken_for_it = 0;
    for (int i = 0; i < 10000; ++i) {
        uint64_t word =
            larder_wire_word (1 + larder_test_below (&r, 9), larder_test_below (&r, 500));
        uint64_t slot = larder_test_below (&r, 1 << 24), size = larder_test_below (&r, UINT32_MAX);
        uint64_t place = larder_wire_place (word, slot, size), s = 0, n = 0;
        wrong += !larder_wire_place_read (word, place, &s, &n) || s != slot || n != size;
        /* What stood there before belongs to the same entry, a ring's length or a life away. */
        taken_for_it += larder_wire_place_read (word + 16, place, &s, &n);
        taken_for_it +=
            larder_wire_place_read (word + (UINT64_C (1) << LARDER_COUNT_BITS), place, &s, &n);
    }
    CU_ASSERT_EQUAL (wrong, 0);
    CU_ASSERT (taken_for_it < 20000 / 100);
}

static void checks (void)
{
    struct larder_test_random r = larder_test_seed ();
    unsigned char bytes[100];
    struct larder_slot_header h = {
        .key = 1, .chunk = 2, .item = 3, .count = 1, .size = sizeof bytes, .generation = 9};
    uint64_t words[8];
    int missed = 0;
    larder_test_fill (&r, bytes, sizeof bytes);
    larder_test_fill (&r, words, sizeof words);
    h.check = larder_wire_slot_check (&h, bytes);
    words[7] = larder_wire_check (words, 8);
    for (size_t bit = 0; bit < 8 * sizeof bytes; ++bit) {
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        missed += larder_wire_slot_check (&h, bytes) == h.check;
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * offsetof (struct larder_slot_header, check); ++bit) {
        struct larder_slot_header damaged = h;
        ((unsigned char *)&damaged)[bit / 8] ^= (unsigned char)(1 << bit % 8);
        damaged.size = h.size; /* the caller has compared it */
        missed +=
            memcmp (&damaged, &h, sizeof h) && larder_wire_slot_check (&damaged, bytes) == h.check;
    }
    for (size_t bit = 0; bit < 8 * 56; ++bit) {
        words[bit / 64] ^= UINT64_C (1) << bit % 64;
        missed += larder_wire_check (words, 8) == words[7];
        words[bit / 64] ^= UINT64_C (1) << bit % 64;
    }
    CU_ASSERT_EQUAL (missed, 0);
    CU_ASSERT_EQUAL (larder_wire_slot_check (&h, bytes), h.check);
    CU_ASSERT_EQUAL (larder_wire_check (words, 8), words[7]);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"random layouts", layouts},
        {"words inside a block", inside_blocks},
        {"layouts that are refused", refused},
        {"growing words", growing_words},
        {"states and splits", states_and_splits},
        {"places", places},
        {"checks see every flipped bit", checks},
        {NULL, NULL},
    };
    return larder_test_main ("wire", tests);
}
