/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_test.h"
#include "larder_words.h"
#include <stdlib.h>
#include <string.h>

/* Ranks 0 and 1 on one node, 2 on another; this is rank 1. */
static const int leader[3] = {0, 0, 2};

/* What the transport was told last. */
static struct {
    int calls, rank, code;
    size_t offset, n;
    enum larder_write_op op;
    uint64_t words[8];
} sent;

static int write_elsewhere (void *self, int rank, size_t offset, enum larder_write_op op,
                            const uint64_t *words, size_t n, larder_error *err)
{
    CU_ASSERT_PTR_EQUAL (self, &sent);
    ++sent.calls;
    sent.rank = rank;
    sent.offset = offset;
    sent.op = op;
    sent.n = n;
    memcpy (sent.words, words, n * sizeof *words);
    return sent.code ? larder_error_set (err, sent.code, 0, "no network") : LARDER_OK;
}

static const struct larder_transport_ops ops = {.name = "recorded", .write = write_elsewhere};

struct fixture {
    struct larder_topology topology;
    struct larder_nodecache cache;
    struct larder_transport transport;
    struct larder_words words;
    larder_word segment[32];
};

static void open_fixture (struct fixture *f)
{
    larder_error err;
    memset (f, 0, sizeof *f);
    memset (&sent, 0, sizeof sent);
    CU_ASSERT_EQUAL_FATAL (larder_topology_make (&f->topology, 3, leader, &err), LARDER_OK);
    f->cache = (struct larder_nodecache){.base = (unsigned char *)f->segment,
                                         .topology = &f->topology,
                                         .rank = 1,
                                         .node = 0,
                                         .local = 1};
    f->transport = (struct larder_transport){&ops, &sent};
    f->words = (struct larder_words){&f->cache, &f->transport};
}

static void inside_the_node (void)
{
    struct fixture f;
    larder_error err;
    open_fixture (&f);
    for (int rank = 0; rank < 2; ++rank) {
        uint64_t a[2] = {7, 9}, b[2] = {5, 12}, c[2] = {1, 0};
        size_t at = 64 * (size_t)(rank + 1);
        CU_ASSERT_EQUAL (larder_words_write (&f.words, rank, at, LARDER_WRITE_REPLACE, a, 2, &err),
                         0);
        CU_ASSERT_EQUAL (larder_words_write (&f.words, rank, at, LARDER_WRITE_MAX, b, 2, &err), 0);
        CU_ASSERT (f.segment[at / 8] == 7 && f.segment[at / 8 + 1] == 12);
        CU_ASSERT_EQUAL (larder_words_write (&f.words, rank, at, LARDER_WRITE_OR, b, 2, &err), 0);
        CU_ASSERT (f.segment[at / 8] == 7 && f.segment[at / 8 + 1] == 12);
        CU_ASSERT_EQUAL (larder_words_write (&f.words, rank, at, LARDER_WRITE_OR, a, 2, &err), 0);
        CU_ASSERT (f.segment[at / 8] == 7 && f.segment[at / 8 + 1] == 13);
        CU_ASSERT_EQUAL (larder_words_write (&f.words, rank, at, LARDER_WRITE_REPLACE, c, 2, &err),
                         0);
        CU_ASSERT (f.segment[at / 8] == 1 && f.segment[at / 8 + 1] == 0);
        CU_ASSERT (f.segment[at / 8 + 2] == 0 && f.segment[at / 8 - 1] == 0);
    }
    CU_ASSERT_EQUAL (sent.calls, 0);
    larder_topology_free (&f.topology);
}

static void to_another_node (void)
{
    struct fixture f;
    larder_error err = {0};
    uint64_t a[3] = {1, 2, 3};
    open_fixture (&f);
    CU_ASSERT_EQUAL (larder_words_write (&f.words, 2, 40, LARDER_WRITE_MAX, a, 3, &err), LARDER_OK);
    CU_ASSERT (sent.calls == 1 && sent.rank == 2 && sent.offset == 40 && sent.n == 3);
    CU_ASSERT (sent.op == LARDER_WRITE_MAX && memcmp (sent.words, a, sizeof a) == 0);
    for (size_t i = 0; i < sizeof f.segment / 8; ++i)
        CU_ASSERT_EQUAL (f.segment[i], 0);
    sent.code = LARDER_EMPI;
    CU_ASSERT_EQUAL (larder_words_write (&f.words, 2, 40, LARDER_WRITE_MAX, a, 1, &err),
                     LARDER_EMPI);
    CU_ASSERT (strcmp (err.text, "no network") == 0);
    larder_topology_free (&f.topology);
}

/* A record counts when all of its words are there, whatever order they come in. */
static void records (void)
{
    struct fixture f;
    larder_error err;
    uint64_t first[8], second[8], seen[8];
    open_fixture (&f);
    for (uint64_t i = 0; i < 8; ++i) {
        first[i] = 100 + i;
        second[i] = 200 + i;
    }
    first[7] = larder_wire_check (first, 8);
    second[7] = larder_wire_check (second, 8);
    CU_ASSERT_EQUAL (larder_words_record (&f.cache, 64, seen, 8), -1); /* nothing was written yet */
    larder_words_write (&f.words, 0, 64, LARDER_WRITE_REPLACE, first, 8, &err);
    CU_ASSERT_EQUAL (larder_words_record (&f.cache, 64, seen, 8), 0);
    CU_ASSERT (memcmp (seen, first, sizeof seen) == 0);
    for (size_t i = 0; i < 8; ++i) {
        size_t word = (5 * i + 3) % 8;
        CU_ASSERT_EQUAL (larder_words_record (&f.cache, 64, seen, 8), i ? -1 : 0);
        larder_words_write (&f.words, 0, 64 + 8 * word, LARDER_WRITE_REPLACE, &second[word], 1,
                            &err);
    }
    CU_ASSERT_EQUAL (larder_words_record (&f.cache, 64, seen, 8), 0);
    CU_ASSERT (memcmp (seen, second, sizeof seen) == 0);
    larder_topology_free (&f.topology);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"inside the node", inside_the_node},
        {"to another node", to_another_node},
        {"records", records},
        {NULL, NULL},
    };
    return larder_test_main ("words", tests);
}
