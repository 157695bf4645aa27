/* SPDX-License-Identifier: Apache-2.0 */
/* larder_download_all and larder_bcast: everybody gets everything, and all return the same. */
#define _GNU_SOURCE
#include "larder_mpiobject.h"
#include "larder_test_random.h"
#include <time.h>

enum { ITEMS = 400 };

/* Small rings and pieces, so that places are used again and again. */
static const larder_config small = {.chunk_size = 16 << 10,
                                    .cache_size = 512 << 10,
                                    .collective_size = 64 << 10,
                                    .piece_size = 4 << 10};

static uint64_t size_mixed (uint64_t item)
{
    return item % 50 == 7 ? 40000 : item % 3 ? 100 * item : 0;
}

static uint64_t size_equal (uint64_t item)
{
    (void)item;
    return 5000;
}

static uint64_t size_chunk (uint64_t item)
{
    (void)item;
    return 8000; /* a chunk each, in the rings of `small` */
}

static void offer (larder *s, struct mpiobject *o, const larder_object_ops *ops, int owner,
                   larder_receivers receivers, larder_ref *ref)
{
    larder_error err = {0};
    larder_object object = {.ops = ops, .self = o, .name = "thing"};
    if (mpitest_rank == owner)
        MPITEST_OK (larder_offer (s, &object, receivers, ref, &err), err);
    mpiobject_share (ref, owner);
}

/* Everybody but `without` takes part in the consuming; codes are what all get. */
static void get (larder *s, const larder_ref *ref, const struct mpiobject *o)
{
    larder_error err = {0};
    struct mpisink k = {.object = o};
    larder_consumer consumer = mpisink_consumer (&k);
    MPITEST_OK (larder_download_all (s, ref, &consumer, &err), err);
    mpisink_check_all (&k);
}

static void whole (const larder_object_ops *ops, uint64_t items, uint64_t (*size) (uint64_t),
                   const larder_config *config)
{
    larder_error err = {0};
    struct mpiobject o = mpiobject_make (items, size);
    larder_ref ref;
    larder *s = mpiobject_open (config);
    offer (s, &o, ops, 0, LARDER_EVERY_RANK, &ref);
    get (s, &ref, &o);
    if (mpitest_rank == 0) {
        larder_stats stats;
        MPITEST_OK (larder_serve (s, 0, &err), err);
        for (int i = 0; i < mpitest_size; ++i)
            CU_ASSERT_EQUAL (o.code_of[i], LARDER_OK);
        CU_ASSERT (o.alls == 1 && o.dones == 1 && o.releases == 1);
        CU_ASSERT_EQUAL (larder_session_get_stats (s, &stats), LARDER_OK);
        CU_ASSERT_EQUAL (stats.bytes_produced, mpiobject_bytes (&o)); /* once, for all */
        CU_ASSERT_EQUAL (stats.items_produced, items);
    }
    /* Each byte left the owner's node once. */
    larder_stats mine;
    uint64_t sums[2] = {0, 0};
    CU_ASSERT_EQUAL (larder_session_get_stats (s, &mine), LARDER_OK);
    uint64_t each[2] = {mine.bytes_from_owner, mine.bytes_fetched};
    MPI_Allreduce (each, sums, 2, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
    larder_session_info info;
    CU_ASSERT_EQUAL (larder_session_get_info (s, &info), LARDER_OK);
    CU_ASSERT (info.node_count == 1 ? sums[0] == 0
                                    : sums[0] >= mpiobject_bytes (&o) &&
                                          sums[1] == sums[0] * (uint64_t)(info.node_count - 1));
    mpiobject_close (&s);
}

static void test_whole (void)
{
    whole (&mpiobject_sized, ITEMS, size_mixed, &small);
    whole (&mpiobject_sized, ITEMS, size_equal, &small);
    whole (&mpiobject_sized, 1, size_equal, &small);
    whole (&mpiobject_sized, 0, size_equal, &small);
    whole (&mpiobject_sized, ITEMS, size_mixed, NULL);
}

static void test_unsized (void)
{
    whole (&mpiobject_unsized, ITEMS, size_mixed, &small);
    whole (&mpiobject_unsized, 3, size_equal, NULL);
}

/* One after another, from every owner, mixed with the independent way. */
static void test_owners (void)
{
    static int everybody[64];
    larder_config config = small;
    larder_error err = {0};
    for (int i = 0; i < 64; ++i)
        everybody[i] = i;
    config.owners = everybody;
    config.owner_count = mpitest_size;
    config.max_lines = 2;
    larder *s = mpiobject_open (&config);
    for (int round = 0; round < 2; ++round)
        for (int owner = 0; owner < mpitest_size; ++owner) {
            struct mpiobject o = mpiobject_make (ITEMS, size_mixed);
            larder_ref ref;
            o.salt = (uint64_t)owner * 77;
            offer (s, &o, &mpiobject_sized, owner, LARDER_EVERY_RANK, &ref);
            get (s, &ref, &o);
            if (mpitest_rank == owner)
                MPITEST_OK (larder_serve (s, 0, &err), err);
        }
    struct mpiobject o = mpiobject_make (ITEMS, size_mixed);
    larder_ref ref;
    offer (s, &o, &mpiobject_sized, 0, LARDER_EVERY_RANK, &ref);
    mpiobject_get (s, &ref, &o, LARDER_OK); /* independently */
    if (mpitest_rank == 0)
        MPITEST_OK (larder_serve (s, 0, &err), err);
    mpiobject_close (&s);
}

/* ---------------------------------------------------------------- what goes wrong */

static void expect (larder *s, const larder_ref *ref, struct mpisink *k, int code, int mine)
{
    larder_error err = {0};
    larder_consumer consumer = mpisink_consumer (k);
    int rc = larder_download_all (s, ref, &consumer, &err);
    CU_ASSERT_EQUAL (rc, code);
    if (rc != code)
        fprintf (stderr, "rank %d: %s: %s\n", mpitest_rank, larder_code_name (rc), err.text);
    if (mine == LARDER_OK)
        mpisink_check_all (k);
    else
        mpisink_check_failed (k, mine);
}

/* The consumer of the last rank fails: the others have everything, and all hear of it. */
static void test_consumer_fails (void)
{
    larder_error err = {0};
    int last = mpitest_size - 1;
    struct mpiobject o = mpiobject_make (ITEMS, size_mixed);
    larder_ref ref;
    larder *s = mpiobject_open (&small);
    offer (s, &o, &mpiobject_sized, 0, LARDER_EVERY_RANK, &ref);
    struct mpisink k = {.object = &o};
    if (mpitest_rank == last) {
        k.fail_code = LARDER_EIO;
        k.fail_item = 60;
    }
    expect (s, &ref, &k, LARDER_ECONSUMER, mpitest_rank == last ? LARDER_ECONSUMER : LARDER_OK);
    if (mpitest_rank == 0) {
        MPITEST_OK (larder_serve (s, 0, &err), err);
        for (int i = 0; i <= last; ++i)
            CU_ASSERT_EQUAL (o.code_of[i], i == last ? LARDER_ECONSUMER : LARDER_OK);
    }
    mpiobject_close (&s);
}

static void test_produce_fails (void)
{
    struct mpiobject o = mpiobject_make (ITEMS, size_mixed);
    larder_ref ref;
    larder *s = mpiobject_open (&small);
    o.fail_item = 301; /* one with bytes */
    o.fail_code = LARDER_EIO;
    offer (s, &o, &mpiobject_sized, 0, LARDER_EVERY_RANK, &ref);
    struct mpisink k = {.object = &o};
    expect (s, &ref, &k, LARDER_EOWNER, LARDER_EOWNER);
    /* The next one works. */
    struct mpiobject fine = mpiobject_make (ITEMS, size_mixed);
    offer (s, &fine, &mpiobject_sized, 0, LARDER_EVERY_RANK, &ref);
    get (s, &ref, &fine);
    mpiobject_close (&s);
}

static void test_damage (void)
{
    larder_config config = small;
    larder_stats stats;
    struct mpiobject o = mpiobject_make (ITEMS, size_mixed);
    larder_session_info info;
    larder_ref ref;
    config.fault_every = 20;
    config.fault_seed = 99;
    larder *s = mpiobject_open (&config);
    CU_ASSERT_EQUAL (larder_session_get_info (s, &info), LARDER_OK);
    offer (s, &o, &mpiobject_sized, 0, LARDER_EVERY_RANK, &ref);
    get (s, &ref, &o);
    CU_ASSERT_EQUAL (larder_session_get_stats (s, &stats), LARDER_OK);
    CU_ASSERT ((stats.checksum_errors > 0) == (info.node > 0 && info.node_rank == 0));
    mpiobject_close (&s);
    /* Nothing but damage ends it. */
    config.fault_every = 1;
    s = mpiobject_open (&config);
    struct mpiobject p = mpiobject_make (ITEMS, size_mixed);
    offer (s, &p, &mpiobject_sized, 0, LARDER_EVERY_RANK, &ref);
    struct mpisink k = {.object = &p};
    larder_consumer consumer = mpisink_consumer (&k);
    larder_error err = {0};
    int rc = larder_download_all (s, &ref, &consumer, &err);
    CU_ASSERT_EQUAL (rc, info.node_count > 1 ? LARDER_ECHECKSUM : LARDER_OK);
    CU_ASSERT_EQUAL (k.bad, 0);
    CU_ASSERT_EQUAL (k.completed + k.failed, 1);
    mpiobject_close (&s);
}

static void test_refused (void)
{
    larder_error err = {0};
    struct mpiobject o = mpiobject_make (ITEMS, size_mixed);
    larder_ref ref, part, bad;
    larder *s = mpiobject_open (&small), *other = mpiobject_open (&small);
    int last = mpitest_rank == mpitest_size - 1;
    struct mpisink k = {.object = &o};
    larder_consumer consumer = mpisink_consumer (&k), none = {0};
    offer (s, &o, &mpiobject_sized, 0, LARDER_EVERY_RANK, &ref);
    bad = ref;
    bad.bytes[20] ^= (unsigned char)last;
    CU_ASSERT_EQUAL (larder_download_all (s, &bad, &consumer, &err), LARDER_EREF);
    CU_ASSERT_EQUAL (larder_download_all (s, last ? NULL : &ref, &consumer, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_download_all (s, &ref, last ? &none : &consumer, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_download_all (other, &ref, &consumer, &err), LARDER_ESESSION);
    CU_ASSERT_EQUAL (larder_download_all (NULL, &ref, &consumer, &err), LARDER_EINVAL);
    MPITEST_OK (larder_ref_items (&ref, last ? 3 : 4, 7, &part, &err), err);
    if (mpitest_size > 1)
        CU_ASSERT_EQUAL (larder_download_all (s, &part, &consumer, &err), LARDER_EMISMATCH);
    CU_ASSERT (k.views == 0 && k.completed == 0 && k.failed == 0); /* none of them began */
    MPITEST_OK (larder_download_all (s, &ref, last ? NULL : &consumer, &err), err);
    if (mpitest_rank == 0)
        MPITEST_OK (larder_serve (s, 0, &err), err);
    MPITEST_OK (larder_agree (s, LARDER_OK, NULL, &err), err);
    CU_ASSERT_EQUAL (larder_download_all (s, &ref, &consumer, &err), LARDER_EGONE);
    mpiobject_close (&other);
    mpiobject_close (&s);
}

/* ---------------------------------------------------------------- a slow one */

static int consume_slowly (void *self, const larder_view *v, larder_error *err)
{
    (void)nanosleep (&(struct timespec){0, 30000000}, NULL);
    return mpisink_consume (self, v, err);
}

/* One consumer takes longer than the session's timeout_s in all, but never for one chunk; who needs nothing, and is
 * through at once, waits all the same. */
static void test_slow_consumer (void)
{
    larder_error err = {0};
    larder_config config = small;
    config.timeout_s = 1.5;
    struct mpiobject o = mpiobject_make (80, size_chunk);
    struct mpisink k = {.object = &o};
    larder_consumer consumer = mpisink_consumer (&k);
    larder_ref ref;
    int slow = mpitest_rank == mpitest_size - 1;
    larder *s = mpiobject_open (&config);
    offer (s, &o, &mpiobject_sized, 0, LARDER_EVERY_RANK, &ref);
    consumer.consume_items = consume_slowly;
    MPITEST_OK (larder_download_all (s, &ref, slow ? &consumer : NULL, &err), err);
    if (slow)
        mpisink_check_all (&k);
    MPITEST_OK (larder_agree (s, LARDER_OK, NULL, &err), err);
    if (mpitest_rank == 0)
        MPITEST_OK (larder_serve (s, 0, &err), err);
    mpiobject_close (&s);
}

/* ---------------------------------------------------------------- parts */

static void get_part (larder *s, const larder_ref *ref, const struct mpiobject *o, uint64_t first,
                      uint64_t count)
{
    larder_error err = {0};
    larder_ref part;
    struct mpisink k = {.object = o, .next_item = first};
    larder_consumer consumer = mpisink_consumer (&k);
    MPITEST_OK (larder_ref_items (ref, first, count, &part, &err), err);
    MPITEST_OK (larder_download_all (s, &part, &consumer, &err), err);
    CU_ASSERT (k.bad == 0 && k.completed == 1 && k.failed == 0);
    CU_ASSERT (k.next_item == first + count && k.next_offset == 0);
}

/* Parts settle nothing; each rank says when it has what it wants. */
static void parts (uint64_t (*size) (uint64_t), uint64_t uniform)
{
    larder_error err = {0};
    struct larder_test_random random = larder_test_seed ();
    struct mpiobject o = mpiobject_make (ITEMS, size);
    larder_object object = {
        .ops = &mpiobject_sized, .self = &o, .name = "thing", .uniform_item_size = uniform};
    larder_ref ref;
    larder *s = mpiobject_open (&small);
    if (mpitest_rank == 0)
        MPITEST_OK (larder_offer (s, &object, LARDER_EVERY_RANK, &ref, &err), err);
    mpiobject_share (&ref, 0);
    MPI_Bcast (&random.state, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);
    get_part (s, &ref, &o, 0, 1);
    get_part (s, &ref, &o, ITEMS - 1, 1);
    for (int i = 0; i < 10; ++i) {
        uint64_t first = larder_test_below (&random, ITEMS);
        get_part (s, &ref, &o, first, 1 + larder_test_below (&random, ITEMS - first));
    }
    for (int i = 0; mpitest_rank == 0 && i < mpitest_size; ++i)
        CU_ASSERT_EQUAL (o.code_of[i], 1); /* nothing was booked */
    if (mpitest_rank)
        MPITEST_OK (larder_confirm (s, &ref, mpitest_rank == 1 ? LARDER_EIO : LARDER_OK, &err),
                    err);
    else
        MPITEST_OK (larder_confirm (s, &ref, LARDER_OK, &err), err);
    if (mpitest_rank == 0)
        MPITEST_OK (larder_serve (s, 0, &err), err);
    for (int i = 0; mpitest_rank == 0 && i < mpitest_size; ++i)
        CU_ASSERT_EQUAL (o.code_of[i], i == 1 ? LARDER_EIO : LARDER_OK);
    mpiobject_close (&s);
}

static void test_parts (void)
{
    parts (size_mixed, 0);
    parts (size_equal, 5000);
}

/* Where an item stands is known only by producing those before it. */
static void test_parts_unsized (void)
{
    larder_error err = {0};
    struct mpiobject o = mpiobject_make (ITEMS, size_mixed);
    struct mpisink k = {.object = &o, .next_item = 2};
    larder_consumer consumer = mpisink_consumer (&k);
    larder_ref ref, part;
    larder *s = mpiobject_open (&small);
    offer (s, &o, &mpiobject_unsized, 0, LARDER_EVERY_RANK, &ref);
    get_part (s, &ref, &o, 0, ITEMS / 2);
    MPITEST_OK (larder_ref_items (&ref, 2, 3, &part, &err), err);
    CU_ASSERT_EQUAL (larder_download_all (s, &part, &consumer, &err), LARDER_ENOTSUP);
    CU_ASSERT (k.views == 0 && k.failed == 0);
    get (s, &ref, &o);
    if (mpitest_rank == 0)
        MPITEST_OK (larder_serve (s, 0, &err), err);
    mpiobject_close (&s);
}

/* ---------------------------------------------------------------- broadcast */

static void broadcast (larder *s, uint64_t size, int root)
{
    larder_error err = {0};
    unsigned char *buffer = mpitest_rank == root ? mpitest_bytes (size) : calloc (1, size + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL (buffer);
    MPITEST_OK (larder_bcast (s, buffer, size, root, &err), err);
    CU_ASSERT (mpitest_same (buffer, 0, size));
    free (buffer);
}

static void test_bcast (void)
{
    static const uint64_t sizes[] = {0, 1, 1000, 70000, (3 << 20) + 5};
    larder_error err = {0};
    char c = 0;
    const int owners[] = {0, mpitest_size - 1};
    larder_config config = small;
    config.owners = owners;
    config.owner_count = mpitest_size > 1 ? 2 : 1;
    for (int i = 0; i < 2; ++i) {
        larder *s = mpiobject_open (&config);
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; ++k) {
            broadcast (s, sizes[k], 0);
            broadcast (s, sizes[k], mpitest_size - 1);
        }
        CU_ASSERT_EQUAL (larder_bcast (s, &c, 1, -1, &err), LARDER_EINVAL);
        CU_ASSERT_EQUAL (larder_bcast (s, NULL, 1, 0, &err), LARDER_EINVAL);
        if (mpitest_size > 1)
            CU_ASSERT_EQUAL (larder_bcast (s, &c, (uint64_t)(mpitest_rank == 0), 0, &err),
                             LARDER_EMISMATCH);
        if (mpitest_size > 2)
            CU_ASSERT_EQUAL (larder_bcast (s, &c, 1, 1, &err), LARDER_EINVAL); /* no owner */
        broadcast (s, 5000, 0);
        mpiobject_close (&s);
        config.collective_size = config.piece_size = 0; /* then with the defaults */
        config.chunk_size = config.cache_size = 0;
    }
}

int main (int argc, char **argv)
{
    static const struct larder_test tests[] = {
        {"whole", test_whole},
        {"sizes unknown", test_unsized},
        {"owners", test_owners},
        {"a consumer fails", test_consumer_fails},
        {"production fails", test_produce_fails},
        {"damage", test_damage},
        {"refused", test_refused},
        {"a slow consumer", test_slow_consumer},
        {"parts", test_parts},
        {"parts of unknown size", test_parts_unsized},
        {"broadcast", test_bcast},
        {NULL, NULL},
    };
    return mpitest_main (argc, argv, "collective", tests);
}
