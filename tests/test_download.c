/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads of memory objects by every rank, over the whole protocol. */
#include "larder_mpitest.h"

static const larder_config small = {.chunk_size = 4096, .cache_size = 16 * 4096, .timeout_s = 60};

static larder *open_session (const larder_config *config)
{
    larder *s = NULL;
    larder_error err = {0};
    MPITEST_OK (larder_open (MPI_COMM_WORLD, config, MPI_INFO_NULL, &s, &err), err);
    return s;
}

static void close_session (larder **s)
{
    larder_error err = {0};
    MPITEST_OK (larder_close (s, &err), err);
    CU_ASSERT_PTR_NULL (*s);
}

/* Rank 0 offers bytes; everybody gets the ref. */
static void offer (larder *s, const void *data, uint64_t size, uint64_t item_size, larder_ref *ref)
{
    larder_error err = {0};
    larder_object object;
    if (mpitest_rank == 0) {
        MPITEST_OK (larder_object_memory (data, size, item_size, "bytes", &object, &err), err);
        MPITEST_OK (larder_offer (s, &object, LARDER_ALL, ref, &err), err);
    }
    MPI_Bcast (ref, sizeof *ref, MPI_BYTE, 0, MPI_COMM_WORLD);
}

static void download_all (const larder_config *config, uint64_t size, uint64_t item_size,
                          int owner_too)
{
    larder_error err = {0};
    larder_ref ref;
    larder_stats stats;
    unsigned char *source = mpitest_bytes (size), *target = calloc (1, size + 1);
    larder *s = open_session (config);
    offer (s, source, size, item_size, &ref);
    if (mpitest_rank != 0 || owner_too) {
        larder_memory_sink sink = {.buffer = target, .capacity = size};
        larder_consumer consumer = larder_consumer_memory (&sink);
        MPITEST_OK (larder_download (s, &ref, &consumer, &err), err);
        CU_ASSERT_EQUAL (sink.received, size);
        CU_ASSERT (memcmp (source, target, size) == 0);
    }
    if (mpitest_rank == 0 && mpitest_size > 1)
        MPITEST_OK (larder_serve (s, 0, &err), err);
    CU_ASSERT_EQUAL (larder_session_get_stats (s, &stats), LARDER_OK);
    if (mpitest_rank == 0 && (mpitest_size > 1 || owner_too)) {
        CU_ASSERT_EQUAL (stats.items_produced, (size + item_size - 1) / item_size);
        CU_ASSERT_EQUAL (stats.bytes_produced, size);
    }
    CU_ASSERT_EQUAL (stats.items_reproduced, 0);
    CU_ASSERT_EQUAL (stats.checksum_errors, 0);
    close_session (&s);
    free (source);
    free (target);
}

static void test_one_chunk (void)
{
    download_all (NULL, 1000, 100, 0);
}

static void test_sizes (void)
{
    static const uint64_t sizes[] = {0, 1, 4095, 4096, 4097, 65536, 100001, 1000003};
    static const uint64_t items[] = {1, 7, 4096, 5000, 70000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i)
        for (size_t k = 0; k < sizeof items / sizeof *items; ++k)
            download_all (&small, sizes[i], items[k], (i + k) % 2 != 0);
}

static void test_default_chunks (void)
{
    download_all (NULL, UINT64_C (5) << 20, UINT64_C (1) << 20, 1);
    download_all (NULL, (UINT64_C (5) << 20) + 17, 1000, 0);
}

/* Ranges in all orders through a cache that is much smaller: receivers hold chunks for each other, and
 * hold_timeout is the way out. */
static void test_ranges (void)
{
    larder_config config = small;
    config.hold_timeout_s = 0.1;
    larder_error err = {0};
    larder_ref ref, part;
    uint64_t size = 200000, item = 1000;
    unsigned char *source = mpitest_bytes (size), *target = calloc (1, size + 1);
    larder *s = open_session (&config);
    offer (s, source, size, item, &ref);
    for (uint64_t n = 0; mpitest_rank && n < 10; ++n) {
        uint64_t first = (n * 37 + (uint64_t)mpitest_rank * 11) % 150, count = 1 + n * 5;
        larder_memory_sink sink = {.buffer = target, .capacity = size};
        larder_consumer consumer = larder_consumer_memory (&sink);
        MPITEST_OK (larder_ref_items (&ref, first, count, &part, &err), err);
        MPITEST_OK (larder_download (s, &part, &consumer, &err), err);
        CU_ASSERT_EQUAL (sink.received, count * item);
        CU_ASSERT (memcmp (source + first * item, target, count * item) == 0);
    }
    if (mpitest_rank)
        MPITEST_OK (larder_confirm (s, &ref, LARDER_OK, &err), err);
    else if (mpitest_size > 1)
        MPITEST_OK (larder_serve (s, 0, &err), err);
    close_session (&s);
    free (source);
    free (target);
}

static void test_many_in_turn (void)
{
    larder_error err = {0};
    larder_ref ref;
    unsigned char target[3000], *source = mpitest_bytes (3000);
    larder *s = open_session (&small);
    for (int i = 0; i < 40; ++i) {
        offer (s, source, 3000, 500, &ref);
        larder_memory_sink sink = {.buffer = target, .capacity = sizeof target};
        larder_consumer consumer = larder_consumer_memory (&sink);
        if (mpitest_rank)
            MPITEST_OK (larder_download (s, &ref, &consumer, &err), err);
        else if (mpitest_size > 1)
            MPITEST_OK (larder_serve (s, 0, &err), err);
        if (mpitest_rank)
            CU_ASSERT (memcmp (source, target, 3000) == 0);
    }
    close_session (&s);
    free (source);
}

static void test_bad_refs (void)
{
    larder_error err = {0};
    larder_ref ref, other, damaged;
    unsigned char target[100], *source = mpitest_bytes (100);
    larder_memory_sink sink = {.buffer = target, .capacity = sizeof target};
    larder_consumer consumer = larder_consumer_memory (&sink);
    larder *s = open_session (&small), *t = open_session (&small);
    offer (s, source, 100, 10, &ref);
    offer (t, source, 100, 10, &other);
    damaged = ref;
    damaged.bytes[20] ^= 1;
    CU_ASSERT_EQUAL (larder_download (s, &damaged, &consumer, &err), LARDER_EREF);
    CU_ASSERT_EQUAL (err.rank, mpitest_rank);
    CU_ASSERT_EQUAL (larder_download (s, &other, &consumer, &err), LARDER_ESESSION);
    if (mpitest_rank == 0)
        CU_ASSERT_EQUAL (larder_withdraw (s, &ref, &err), LARDER_OK);
    MPI_Barrier (MPI_COMM_WORLD);
    if (mpitest_rank) {
        int rc = larder_download (s, &ref, &consumer, &err);
        CU_ASSERT_EQUAL (rc, LARDER_EGONE);
        CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "withdrawn"));
    }
    MPITEST_OK (larder_agree (s, LARDER_OK, NULL, &err), err);
    close_session (&s);
    close_session (&t);
    free (source);
}

static void test_agree (void)
{
    larder_error err = {0}, mine = {0};
    larder *s = open_session (&small);
    int last = mpitest_size - 1;
    if (mpitest_rank == last)
        larder_error_set (&mine, LARDER_EIO, 5, "the disk is on fire");
    int rc = larder_agree (s, mine.code, &mine, &err);
    CU_ASSERT_EQUAL (rc, LARDER_EIO);
    CU_ASSERT_EQUAL (err.rank, last);
    CU_ASSERT_STRING_EQUAL (err.text, "the disk is on fire");
    MPITEST_OK (larder_agree (s, LARDER_OK, NULL, &err), err);
    close_session (&s);
}

int main (int argc, char **argv)
{
    static const struct larder_test tests[] = {
        {"one chunk", test_one_chunk},
        {"sizes", test_sizes},
        {"default chunks", test_default_chunks},
        {"ranges", test_ranges},
        {"many in turn", test_many_in_turn},
        {"bad refs", test_bad_refs},
        {"agree", test_agree},
        {NULL, NULL},
    };
    return mpitest_main (argc, argv, "download", tests);
}
