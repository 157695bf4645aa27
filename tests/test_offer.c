/* SPDX-License-Identifier: Apache-2.0 */
/* Offers: every kind of object, failures of the object, receivers, policies, several owners. */
#include "larder_mpiobject.h"

enum { CHUNK = 4096, SLOTS = 16, TAG_FAR = 1, TAG_GO = 2, TAG_DONE = 3 };

static const larder_config small = {
    .chunk_size = CHUNK, .cache_size = SLOTS * CHUNK, .timeout_s = 60};

/* ---------------------------------------------------------------- sizes of items */

static uint64_t size_equal (uint64_t item)
{
    (void)item;
    return 700;
}

static uint64_t size_last_shorter (uint64_t item)
{
    return item == 99 ? 333 : 1000;
}

static uint64_t size_spanning (uint64_t item)
{
    (void)item;
    return 2 * CHUNK + 17;
}

static uint64_t size_different (uint64_t item)
{
    static const uint64_t sizes[] = {0, 1, 5000, 17, 4096, 0, 0, 9000, 300, 301, 302, 4095, 4097};
    return sizes[item * 7 % 13];
}

static uint64_t size_huge (uint64_t item)
{
    return item == 1 ? 40 * CHUNK + 5 : 10;
}

static uint64_t size_nothing (uint64_t item)
{
    (void)item;
    return 0;
}

static uint64_t size_chunk (uint64_t item)
{
    (void)item;
    return CHUNK;
}

/* ---------------------------------------------------------------- one object to everybody */

static larder_object described (struct mpiobject *o, uint64_t uniform, int sized)
{
    return (larder_object){.ops = sized ? &mpiobject_sized : &mpiobject_unsized,
                           .self = o,
                           .name = "thing",
                           .uniform_item_size = uniform};
}

static void check_owner (const struct mpiobject *o)
{
    CU_ASSERT_EQUAL (o->counted, 1);
    CU_ASSERT_EQUAL (o->alls, mpitest_size > 1);
    CU_ASSERT_EQUAL (o->ones, mpitest_size - 1);
    CU_ASSERT_EQUAL (o->dones, 1);
    CU_ASSERT_EQUAL (o->releases, 1);
    CU_ASSERT_EQUAL (o->done, mpitest_size > 1 ? LARDER_DONE_FINISHED : LARDER_DONE_DELETED);
    for (int i = 1; i < mpitest_size; ++i)
        CU_ASSERT_EQUAL (o->code_of[i], LARDER_OK);
}

/* Rank 0 offers, the others download; what a session of one rank offers is withdrawn by its end. */
static void transfer (const larder_config *config, struct mpiobject *o, const larder_object *object)
{
    larder_error err = {0};
    larder_ref ref;
    larder_stats stats;
    larder *s = mpiobject_open (config);
    if (mpitest_rank == 0)
        MPITEST_OK (larder_offer (s, object, LARDER_ALL, &ref, &err), err);
    mpiobject_share (&ref, 0);
    if (mpitest_rank == 0 && mpitest_size > 1)
        MPITEST_OK (larder_serve (s, 0, &err), err);
    if (mpitest_rank || mpitest_size == 1) {
        struct mpisink k = {.object = o};
        larder_consumer consumer = mpisink_consumer (&k);
        MPITEST_OK (larder_download (s, &ref, &consumer, &err), err);
        mpisink_check_all (&k);
        if (object->chunk_size)
            CU_ASSERT (k.largest <= object->chunk_size);
    }
    CU_ASSERT_EQUAL (larder_session_get_stats (s, &stats), LARDER_OK);
    if (mpitest_rank == 0 && !object->reproduce) {
        CU_ASSERT_EQUAL (stats.items_produced, o->items);
        CU_ASSERT_EQUAL (stats.items_reproduced, 0);
        CU_ASSERT_EQUAL (stats.chunks_reproduced, 0);
        CU_ASSERT (stats.peak_cache_bytes <= config->cache_size);
    }
    mpiobject_close (&s);
    if (mpitest_rank == 0)
        check_owner (o);
}

static void transfer_kind (uint64_t items, uint64_t (*size) (uint64_t item), uint64_t uniform,
                           int sized)
{
    static const size_t parts[] = {0, 1000};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; ++i) {
        struct mpiobject o = mpiobject_make (items, size);
        o.part = parts[i];
        larder_object object = described (&o, uniform, sized);
        transfer (&small, &o, &object);
    }
}

static void test_equal_items (void)
{
    transfer_kind (500, size_equal, 700, 1);
    transfer_kind (500, size_equal, 700, 0);
    transfer_kind (1, size_equal, 700, 0);
    transfer_kind (100, size_last_shorter, 1000, 1);
    transfer_kind (50, size_spanning, 2 * CHUNK + 17, 0);
    transfer_kind (60, size_chunk, CHUNK, 0);
}

static void test_different_items (void)
{
    transfer_kind (200, size_different, 0, 1);
    transfer_kind (500, size_equal, 0, 1);
    transfer_kind (30, size_spanning, 0, 1);
    transfer_kind (3, size_huge, 0, 1);
    transfer_kind (1000, size_nothing, 0, 1);
    transfer_kind (1, size_nothing, 0, 1);
}

static void test_unknown_sizes (void)
{
    transfer_kind (100, size_different, 0, 0);
    transfer_kind (100, size_equal, 0, 0);
    transfer_kind (40, size_chunk, 0, 0);
    transfer_kind (3, size_huge, 0, 0);
    transfer_kind (20, size_nothing, 0, 0);
}

static void test_no_items (void)
{
    transfer_kind (0, size_equal, 700, 1);
    transfer_kind (0, size_different, 0, 1);
    transfer_kind (0, size_different, 0, 0);
}

static void test_own_chunk_size (void)
{
    larder_config config = {.chunk_size = 4 * CHUNK, .cache_size = 64 * CHUNK, .timeout_s = 60};
    static const uint64_t sizes[] = {CHUNK, 3 * CHUNK, 4 * CHUNK};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
        struct mpiobject o = mpiobject_make (30, size_spanning),
                         d = mpiobject_make (150, size_different);
        larder_object object = described (&o, 2 * CHUNK + 17, 0), different = described (&d, 0, 1);
        object.chunk_size = different.chunk_size = sizes[i];
        transfer (&config, &o, &object);
        transfer (&config, &d, &different);
    }
}

/* ---------------------------------------------------------------- objects that fail */

/* Everybody gets `code` and the text, on the owner larder_serve does. */
static void fails (struct mpiobject *o, const larder_object *object, int code, const char *text)
{
    larder_error err = {0};
    larder_ref ref;
    larder *s = mpiobject_open (&small);
    int rc;
    if (mpitest_rank == 0)
        MPITEST_OK (larder_offer (s, object, LARDER_ALL, &ref, &err), err);
    mpiobject_share (&ref, 0);
    if (mpitest_rank || mpitest_size == 1) {
        struct mpisink k = {.object = o};
        larder_consumer consumer = mpisink_consumer (&k);
        rc = larder_download (s, &ref, &consumer, &err);
        CU_ASSERT_EQUAL (rc, code);
        mpisink_check_failed (&k, code);
    } else {
        rc = larder_serve (s, 0, &err);
        CU_ASSERT_EQUAL (rc, code);
        CU_ASSERT_EQUAL (o->code_of[mpitest_size - 1], code);
        CU_ASSERT_EQUAL (o->releases, 1);
        CU_ASSERT_EQUAL (o->alls, 1);
    }
    CU_ASSERT_EQUAL (err.code, code);
    CU_ASSERT_EQUAL (err.rank, mpitest_rank);
    CU_ASSERT_PTR_NOT_NULL (strstr (err.text, text));
    CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "thing"));
    /* The session goes on. */
    MPITEST_OK (larder_agree (s, LARDER_OK, NULL, &err), err);
    mpiobject_close (&s);
    if (mpitest_rank == 0)
        CU_ASSERT_EQUAL (o->releases, 1);
}

static void test_produce_fails (void)
{
    static const uint64_t at[] = {0, 3, 49};
    for (size_t i = 0; i < 3; ++i)
        for (int sized = 0; sized < 2; ++sized) {
            struct mpiobject o = mpiobject_make (50, size_spanning);
            larder_object object = described (&o, 0, sized);
            o.fail_item = at[i];
            o.fail_code = LARDER_EIO;
            char text[64];
            snprintf (text, sizeof text, "item %d fell on the floor", (int)at[i]);
            fails (&o, &object, LARDER_EOWNER, text);
        }
}

static void test_object_changed (void)
{
    struct mpiobject o = mpiobject_make (50, size_spanning);
    larder_object object = described (&o, 2 * CHUNK + 17, 0);
    o.fail_item = 20;
    o.fail_code = LARDER_ESTALE;
    fails (&o, &object, LARDER_ESTALE, "item 20 fell on the floor");
}

static void test_produce_lies (void)
{
    struct mpiobject too_much = mpiobject_make (5, size_equal),
                     nothing = mpiobject_make (5, size_equal),
                     short_one = mpiobject_make (5, size_equal);
    too_much.too_much = 1;
    nothing.says_nothing = 1;
    short_one.ends_early = 1;
    larder_object object = described (&too_much, 700, 0);
    fails (&too_much, &object, LARDER_EOWNER, "item 0");
    object = described (&nothing, 0, 1);
    fails (&nothing, &object, LARDER_EOWNER, "item 0");
    object = described (&nothing, 0, 0);
    nothing = mpiobject_make (5, size_equal);
    nothing.says_nothing = 1;
    fails (&nothing, &object, LARDER_EOWNER, "item 0");
    object = described (&short_one, 0, 1);
    fails (&short_one, &object, LARDER_EOWNER, "item 0");
}

/* An offer that fails leaves the object with its maker, and the session as it was. */
static void test_offer_fails (void)
{
    larder_error err = {0};
    struct mpiobject count = mpiobject_make (5, size_equal), transaction = count, good = count;
    count.count_code = LARDER_ENOENT;
    transaction.transaction_code = LARDER_ENOSPC;
    larder *s = mpiobject_open (&small);
    larder_ref ref, before;
    memset (&ref, 0x5a, sizeof ref);
    before = ref;
    if (mpitest_rank == 0) {
        larder_object object = described (&count, 700, 0);
        CU_ASSERT_EQUAL (larder_offer (s, &object, LARDER_ALL, &ref, &err), LARDER_ENOENT);
        CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "the count is unknown"));
        object.self = &transaction;
        CU_ASSERT_EQUAL (larder_offer (s, &object, LARDER_ALL, &ref, &err), LARDER_ENOSPC);
        CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "no transactions today"));
        CU_ASSERT_EQUAL (transaction.counted, 0);
        object.self = &good;
        object.chunk_size = CHUNK + 1;
        CU_ASSERT_EQUAL (larder_offer (s, &object, LARDER_ALL, &ref, &err), LARDER_ERANGE);
        CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "4097"));
        object.chunk_size = 0;
        object.ops = NULL;
        CU_ASSERT_EQUAL (larder_offer (s, &object, LARDER_ALL, &ref, &err), LARDER_EINVAL);
        larder_object_ops ops = mpiobject_sized;
        ops.produce_item = NULL;
        object.ops = &ops;
        CU_ASSERT_EQUAL (larder_offer (s, &object, LARDER_ALL, &ref, &err), LARDER_EINVAL);
        CU_ASSERT_EQUAL (larder_offer (s, NULL, LARDER_ALL, &ref, &err), LARDER_EINVAL);
        CU_ASSERT (memcmp (&ref, &before, sizeof ref) == 0);
        CU_ASSERT_EQUAL (good.counted, 0);
        CU_ASSERT_EQUAL (good.releases + count.releases + transaction.releases, 0);
    } else {
        larder_object object = described (&good, 700, 0);
        CU_ASSERT_EQUAL (larder_offer (s, &object, LARDER_ALL, &ref, &err), LARDER_EINVAL);
        CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "owners"));
        CU_ASSERT_EQUAL (err.rank, mpitest_rank);
        CU_ASSERT_EQUAL (good.counted + good.releases, 0);
    }
    mpiobject_close (&s);
    CU_ASSERT_EQUAL (good.releases + count.releases + transaction.releases, 0);
}

/* ---------------------------------------------------------------- receivers */

static void test_bad_receivers (void)
{
    larder_error err = {0};
    larder *s = mpiobject_open (&small);
    if (mpitest_rank == 0) {
        struct mpiobject o = mpiobject_make (5, size_equal);
        larder_object object = described (&o, 700, 0);
        larder_ref ref;
        int twice[] = {0, 0}, above[] = {mpitest_size}, below[] = {-1};
        static const char *texts[] = {"twice", "no rank", "no rank", "", ""};
        const larder_receivers bad[] = {
            {twice, 2}, {above, 1}, {below, 1}, {twice, -1}, {NULL, mpitest_size + 1}};
        for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
            CU_ASSERT_EQUAL (larder_offer (s, &object, bad[i], &ref, &err), LARDER_EINVAL);
            CU_ASSERT_PTR_NOT_NULL (strstr (err.text, texts[i]));
        }
        CU_ASSERT_EQUAL (o.counted + o.releases, 0);
    }
    mpiobject_close (&s);
}

/* Only the last rank, then the owner itself and the last, are listed. */
static void test_listed_receivers (void)
{
    int last = mpitest_size - 1;
    for (int with_owner = 0; with_owner < 2; ++with_owner) {
        larder_error err = {0};
        larder_ref ref;
        larder_offer_status status;
        int ranks[] = {last, 0}, count = last && with_owner ? 2 : 1;
        struct mpiobject o = mpiobject_make (100, size_different);
        larder_object object = described (&o, 0, 1);
        larder *s = mpiobject_open (&small);
        if (mpitest_rank == 0)
            MPITEST_OK (larder_offer (s, &object, (larder_receivers){ranks, count}, &ref, &err),
                        err);
        mpiobject_share (&ref, 0);
        if (mpitest_rank == last || (mpitest_rank == 0 && with_owner)) {
            struct mpisink k = {.object = &o};
            larder_consumer consumer = mpisink_consumer (&k);
            MPITEST_OK (larder_download (s, &ref, &consumer, &err), err);
            mpisink_check_all (&k);
        }
        if (mpitest_rank == 0) {
            MPITEST_OK (larder_serve (s, 0, &err), err);
            MPITEST_OK (larder_offer_get_status (s, &ref, &status, &err), err);
            CU_ASSERT_EQUAL (status.receivers, count);
            CU_ASSERT_EQUAL (status.receivers_done, count);
            CU_ASSERT_EQUAL (status.settled, 1);
            CU_ASSERT_EQUAL (o.ones, count);
            CU_ASSERT_EQUAL (o.code_of[last], LARDER_OK);
            CU_ASSERT_EQUAL (o.releases, 1);
        }
        mpiobject_close (&s);
    }
}

/* An empty list: nobody is expected, anybody may, and only withdrawing ends it.  Who begins late finds
 * the cache full of what others still hold: hold_timeout is the way out. */
static void test_no_receivers (void)
{
    larder_config config = small;
    config.hold_timeout_s = 0.1;
    larder_error err = {0};
    larder_ref ref;
    larder_offer_status status;
    int nobody = 0;
    struct mpiobject o = mpiobject_make (100, size_different);
    larder_object object = described (&o, 0, 1);
    larder *s = mpiobject_open (&config);
    if (mpitest_rank == 0)
        MPITEST_OK (larder_offer (s, &object, (larder_receivers){&nobody, 0}, &ref, &err), err);
    mpiobject_share (&ref, 0);
    struct mpisink k = {.object = &o};
    larder_consumer consumer = mpisink_consumer (&k);
    MPITEST_OK (larder_download (s, &ref, &consumer, &err), err);
    mpisink_check_all (&k);
    MPITEST_OK (larder_agree (s, LARDER_OK, NULL, &err), err); /* all have it */
    if (mpitest_rank == 0) {
        CU_ASSERT_EQUAL (o.ones, 0);
        CU_ASSERT_EQUAL (o.releases, 0);
        MPITEST_OK (larder_offer_get_status (s, &ref, &status, &err), err);
        CU_ASSERT_EQUAL (status.settled, 0);
        CU_ASSERT_EQUAL (status.receivers, 0);
        MPITEST_OK (larder_withdraw (s, &ref, &err), err);
        CU_ASSERT_EQUAL (o.done, LARDER_DONE_DELETED);
        CU_ASSERT_EQUAL (o.releases, 1);
    }
    mpiobject_close (&s);
}

/* ---------------------------------------------------------------- callbacks, places, status */

static void test_order_of_calls (void)
{
    struct mpiobject o = mpiobject_make (30, size_spanning);
    larder_object object = described (&o, 0, 1);
    transfer (&small, &o, &object);
    if (mpitest_rank || mpitest_size == 1)
        return;
    /* Receivers that are done early may be reported between productions for others. */
    size_t n = strlen (o.log), ones = 0;
    CU_ASSERT (strncmp (o.log, "tcp", 3) == 0);
    CU_ASSERT_FATAL (n > 3 + 3);
    CU_ASSERT_STRING_EQUAL (o.log + n - 3, "Adx");
    for (size_t i = 3; i < n - 3; ++i) {
        CU_ASSERT (o.log[i] == '1' || o.log[i] == 'p');
        ones += o.log[i] == '1';
    }
    CU_ASSERT_EQUAL (ones, (size_t)mpitest_size - 1);
    CU_ASSERT_EQUAL (o.log[n - 4], '1');
}

static void test_max_objects (void)
{
    larder_config config = small;
    config.max_objects = 3;
    larder_error err = {0};
    larder *s = mpiobject_open (&config);
    if (mpitest_rank == 0) {
        struct mpiobject o[5];
        larder_object object[5];
        larder_ref ref[5];
        larder_offer_status status;
        for (int i = 0; i < 5; ++i) {
            o[i] = mpiobject_make (10, size_equal);
            object[i] = described (&o[i], 700, 0);
        }
        for (int i = 0; i < 3; ++i)
            MPITEST_OK (larder_offer (s, &object[i], LARDER_ALL, &ref[i], &err), err);
        CU_ASSERT_EQUAL (larder_offer (s, &object[3], LARDER_ALL, &ref[3], &err), LARDER_EBUSY);
        CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "max_objects"));
        CU_ASSERT_EQUAL (o[3].counted + o[3].releases, 0);
        MPITEST_OK (larder_withdraw (s, &ref[1], &err), err);
        MPITEST_OK (larder_withdraw (s, &ref[1], &err), err); /* once more does no harm */
        CU_ASSERT_EQUAL (o[1].releases, 1);
        CU_ASSERT_EQUAL (o[1].alls, 0);
        CU_ASSERT_EQUAL (o[1].ones, 0); /* nobody was final */
        MPITEST_OK (larder_offer_get_status (s, &ref[1], &status, &err), err);
        CU_ASSERT_EQUAL (status.settled, 1);
        CU_ASSERT_EQUAL (status.receivers_failed, mpitest_size - 1);
        MPITEST_OK (larder_offer (s, &object[3], LARDER_ALL, &ref[3], &err), err);
        CU_ASSERT_EQUAL (larder_offer_get_status (s, &ref[1], &status, &err), LARDER_EGONE);
        MPITEST_OK (larder_withdraw (s, &ref[1], &err),
                    err); /* that of a place used again neither */
        MPITEST_OK (larder_offer_get_status (s, &ref[3], &status, &err), err);
        CU_ASSERT_EQUAL (status.settled, 0);
        CU_ASSERT_EQUAL (larder_offer (s, &object[4], LARDER_ALL, &ref[4], &err), LARDER_EBUSY);
        mpiobject_close (&s);
        for (int i = 0; i < 5; ++i)
            CU_ASSERT_EQUAL (o[i].releases, i < 4);
    } else
        mpiobject_close (&s);
}

static larder *status_session;
static larder_ref status_ref;

/* Looking at an offer is allowed inside a callback. */
static void look_inside (struct mpiobject *o)
{
    larder_offer_status status = {0};
    larder_error err = {0};
    CU_ASSERT_EQUAL (larder_offer_get_status (status_session, &status_ref, &status, &err),
                     LARDER_OK);
    CU_ASSERT_EQUAL (status.items, o->items);
    CU_ASSERT (status.bytes_produced <= status.bytes);
    CU_ASSERT (status.slowest_bytes <= status.bytes);
    CU_ASSERT_EQUAL (status.settled, 0);
}

static void test_status (void)
{
    larder_error err = {0};
    larder_offer_status status;
    struct mpiobject o = mpiobject_make (100, size_last_shorter);
    uint64_t bytes = mpiobject_bytes (&o);
    larder_object object = described (&o, 1000, 1);
    larder *s = mpiobject_open (&small);
    if (mpitest_rank == 0) {
        MPITEST_OK (larder_offer (s, &object, LARDER_ALL, &status_ref, &err), err);
        status_session = s;
        o.inside = look_inside;
        MPITEST_OK (larder_offer_get_status (s, &status_ref, &status, &err), err);
        CU_ASSERT_EQUAL (status.items, 100);
        CU_ASSERT_EQUAL (status.bytes, bytes);
        CU_ASSERT_EQUAL (status.bytes_produced, 0);
        CU_ASSERT_EQUAL (status.slowest_bytes, 0);
        CU_ASSERT_EQUAL (status.receivers, mpitest_size - 1);
        CU_ASSERT_EQUAL (status.receivers_done + status.receivers_failed, 0);
        CU_ASSERT_EQUAL (status.slowest_receiver >= 1, mpitest_size > 1);
        larder_ref damaged = status_ref;
        damaged.bytes[9] ^= 4;
        CU_ASSERT_EQUAL (larder_offer_get_status (s, &damaged, &status, &err), LARDER_EREF);
        CU_ASSERT_EQUAL (larder_withdraw (s, &damaged, &err), LARDER_EREF);
    }
    mpiobject_share (&status_ref, 0);
    if (mpitest_rank) {
        CU_ASSERT_EQUAL (larder_offer_get_status (s, &status_ref, &status, &err), LARDER_EINVAL);
        CU_ASSERT_EQUAL (larder_withdraw (s, &status_ref, &err), LARDER_EINVAL);
        struct mpisink k = {.object = &o};
        larder_consumer consumer = mpisink_consumer (&k);
        k.fail_code = mpitest_rank == mpitest_size - 1 ? LARDER_EIO : 0;
        k.fail_item = 0;
        int rc = larder_download (s, &status_ref, &consumer, &err);
        CU_ASSERT_EQUAL (rc, k.fail_code ? LARDER_ECONSUMER : LARDER_OK);
    } else if (mpitest_size > 1) {
        MPITEST_OK (larder_serve (s, 0, &err), err);
        MPITEST_OK (larder_offer_get_status (s, &status_ref, &status, &err), err);
        CU_ASSERT_EQUAL (status.settled, 1);
        CU_ASSERT_EQUAL (status.receivers_done, mpitest_size - 2);
        CU_ASSERT_EQUAL (status.receivers_failed, 1);
        CU_ASSERT_EQUAL (status.slowest_receiver, -1);
        CU_ASSERT_EQUAL (o.code_of[mpitest_size - 1], LARDER_ECONSUMER);
        if (mpitest_size > 2)
            CU_ASSERT_EQUAL (status.bytes_produced, bytes);
    }
    mpiobject_close (&s);
}

/* ---------------------------------------------------------------- several owners */

/* Every rank owns an object and downloads those of all others at the same time. */
static void test_all_own (void)
{
    larder_error err = {0};
    int *ranks = calloc ((size_t)mpitest_size, sizeof *ranks);
    for (int i = 0; i < mpitest_size; ++i)
        ranks[i] = i;
    larder_config config = {.chunk_size = CHUNK,
                            .cache_size = 64 * CHUNK,
                            .timeout_s = 60,
                            .owners = ranks,
                            .owner_count = mpitest_size};
    struct mpiobject *o = calloc ((size_t)mpitest_size, sizeof *o);
    struct mpisink *k = calloc ((size_t)mpitest_size, sizeof *k);
    larder_ref *refs = calloc ((size_t)mpitest_size, sizeof *refs), mine;
    larder_request **requests = calloc ((size_t)mpitest_size, sizeof *requests);
    larder *s = mpiobject_open (&config);
    for (int i = 0; i < mpitest_size; ++i) {
        o[i] = mpiobject_make (120, size_different);
        o[i].salt = (uint64_t)i * 777;
        k[i] = (struct mpisink){.object = &o[i]};
    }
    larder_object object = described (&o[mpitest_rank], 0, mpitest_rank % 2);
    MPITEST_OK (larder_offer (s, &object, LARDER_ALL, &mine, &err), err);
    MPI_Allgather (&mine, sizeof mine, MPI_BYTE, refs, sizeof mine, MPI_BYTE, MPI_COMM_WORLD);
    for (int i = 0; i < mpitest_size; ++i) {
        larder_consumer consumer = mpisink_consumer (&k[i]);
        if (i != mpitest_rank)
            MPITEST_OK (larder_download_start (s, &refs[i], &consumer, &requests[i], &err), err);
    }
    for (int i = 0; i < mpitest_size; ++i)
        if (requests[i]) {
            MPITEST_OK (larder_download_wait (&requests[i], -1, &err), err);
            mpisink_check_all (&k[i]);
        }
    if (mpitest_size > 1)
        MPITEST_OK (larder_serve (s, 0, &err), err);
    mpiobject_close (&s);
    CU_ASSERT_EQUAL (o[mpitest_rank].releases, 1);
    CU_ASSERT_EQUAL (o[mpitest_rank].ones, mpitest_size - 1);
    free (o);
    free (k);
    free (refs);
    free (requests);
    free (ranks);
}

/* Rank 2i and rank 2i + 1 download from each other, each in one blocking call. */
static void test_each_other (void)
{
    larder_error err = {0};
    int *ranks = calloc ((size_t)mpitest_size, sizeof *ranks), peer = mpitest_rank ^ 1;
    for (int i = 0; i < mpitest_size; ++i)
        ranks[i] = mpitest_size - 1 - i;
    larder_config config = small;
    config.owners = ranks;
    config.owner_count = mpitest_size;
    larder *s = mpiobject_open (&config);
    struct mpiobject mine = mpiobject_make (150, size_spanning), its = mine;
    if (peer < mpitest_size) {
        larder_ref ref, other;
        struct mpisink k = {.object = &its};
        larder_consumer consumer = mpisink_consumer (&k);
        mine.salt = (uint64_t)mpitest_rank * 99;
        its.salt = (uint64_t)peer * 99;
        larder_object object = described (&mine, 0, 1);
        MPITEST_OK (larder_offer (s, &object, (larder_receivers){&peer, 1}, &ref, &err), err);
        MPI_Sendrecv (&ref, sizeof ref, MPI_BYTE, peer, 0, &other, sizeof other, MPI_BYTE, peer, 0,
                      MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPITEST_OK (larder_download (s, &other, &consumer, &err), err);
        mpisink_check_all (&k);
        MPITEST_OK (larder_serve (s, 0, &err), err);
        CU_ASSERT_EQUAL (mine.releases, 1);
        CU_ASSERT_EQUAL (mine.code_of[peer], LARDER_OK);
    }
    mpiobject_close (&s);
    free (ranks);
}

/* ---------------------------------------------------------------- withdrawing in the middle */

static void stand_in_the_middle (struct mpisink *k)
{
    if (k->user || k->next_item < 5)
        return;
    k->user = k;
    mpiobject_tell (0, TAG_FAR);
    mpiobject_hear (0, TAG_GO);
    /* The view is mine until I return, whatever happened meanwhile. */
}

static void test_withdraw_in_the_middle (void)
{
    larder_error err = {0};
    larder_ref ref;
    struct mpiobject o = mpiobject_make (100, size_chunk);
    larder_object object = described (&o, CHUNK, 0);
    larder *s = mpiobject_open (&small);
    if (mpitest_rank == 0)
        MPITEST_OK (larder_offer (s, &object, LARDER_ALL, &ref, &err), err);
    mpiobject_share (&ref, 0);
    if (mpitest_rank == 0) {
        mpiobject_serve_until (s, mpitest_size - 1, TAG_FAR);
        MPITEST_OK (larder_withdraw (s, &ref, &err), err);
        CU_ASSERT_EQUAL (o.releases, 1);
        CU_ASSERT_EQUAL (o.done, LARDER_DONE_DELETED);
        CU_ASSERT_EQUAL (o.ones, 0);
        for (int i = 1; i < mpitest_size; ++i)
            mpiobject_tell (i, TAG_GO);
        /* A new object may use the slots at once. */
        struct mpiobject next = mpiobject_make (50, size_chunk);
        next.salt = 5555;
        object = described (&next, CHUNK, 0);
        MPITEST_OK (larder_offer (s, &object, LARDER_ALL, &ref, &err), err);
        for (int i = 1; i < mpitest_size; ++i)
            MPI_Send (&ref, sizeof ref, MPI_BYTE, i, 0, MPI_COMM_WORLD);
        if (mpitest_size > 1)
            MPITEST_OK (larder_serve (s, 0, &err), err);
        mpiobject_close (&s);
        return;
    }
    struct mpisink k = {.object = &o, .inside = stand_in_the_middle};
    larder_consumer consumer = mpisink_consumer (&k);
    CU_ASSERT_EQUAL (larder_download (s, &ref, &consumer, &err), LARDER_EGONE);
    CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "withdrawn"));
    mpisink_check_failed (&k, LARDER_EGONE);
    CU_ASSERT (k.next_item < 100);
    MPI_Recv (&ref, sizeof ref, MPI_BYTE, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    struct mpiobject next = mpiobject_make (50, size_chunk);
    next.salt = 5555;
    k = (struct mpisink){.object = &next};
    MPITEST_OK (larder_download (s, &ref, &consumer, &err), err);
    mpisink_check_all (&k);
    mpiobject_close (&s);
}

/* ---------------------------------------------------------------- policies */

/* Chunks may go early, the cache has four, and receivers look at different rates. */
static void test_reproduce (void)
{
    larder_config config = {.chunk_size = CHUNK, .cache_size = 4 * CHUNK, .timeout_s = 60};
    larder_error err = {0};
    larder_ref ref;
    larder_stats stats;
    struct mpiobject o = mpiobject_make (60, size_spanning);
    larder_object object = described (&o, 0, 1);
    object.reproduce = 1;
    larder *s = mpiobject_open (&config);
    if (mpitest_rank == 0)
        MPITEST_OK (larder_offer (s, &object, LARDER_ALL, &ref, &err), err);
    mpiobject_share (&ref, 0);
    if (mpitest_rank == 0 && mpitest_size > 1) {
        MPITEST_OK (larder_serve (s, 0, &err), err);
        CU_ASSERT_EQUAL (o.ones, mpitest_size - 1);
        CU_ASSERT_EQUAL (o.releases, 1);
    } else if (mpitest_rank) {
        struct mpisink k = {.object = &o};
        larder_consumer consumer = mpisink_consumer (&k);
        larder_request *request = NULL;
        int rc = LARDER_AGAIN, flag;
        MPITEST_OK (larder_download_start (s, &ref, &consumer, &request, &err), err);
        while (rc == LARDER_AGAIN) {
            rc = larder_download_test (&request, &err);
            for (int i = 0; i < 50 * mpitest_rank; ++i) /* inside MPI, but not inside larder */
                MPI_Iprobe (MPI_ANY_SOURCE, 99, MPI_COMM_WORLD, &flag, MPI_STATUS_IGNORE);
        }
        MPITEST_OK (rc, err);
        mpisink_check_all (&k);
    }
    CU_ASSERT_EQUAL (larder_session_get_stats (s, &stats), LARDER_OK);
    if (mpitest_rank == 0 && mpitest_size > 1) {
        CU_ASSERT_EQUAL (stats.items_produced, 60);
        CU_ASSERT (stats.peak_cache_bytes <= 4 * CHUNK);
    }
    mpiobject_close (&s);
}

static uint64_t far_item; /* early receivers tell the late ones when they have come so far */

static void tell_when_far (struct mpisink *k)
{
    if (k->user || k->next_item <= far_item)
        return;
    k->user = k;
    for (int i = 2; i < mpitest_size; i += 2)
        mpiobject_tell (i, TAG_FAR);
}

/* Even ranks start when every odd one has come to item `far`: each item is produced once. */
static void late_receivers (uint64_t items, uint64_t far, uint64_t (*size) (uint64_t item))
{
    larder_error err = {0};
    larder_ref ref;
    larder_stats stats;
    struct mpiobject o = mpiobject_make (items, size);
    larder_object object = described (&o, 0, 1);
    larder *s = mpiobject_open (&small);
    far_item = far;
    if (mpitest_rank == 0)
        MPITEST_OK (larder_offer (s, &object, LARDER_ALL, &ref, &err), err);
    mpiobject_share (&ref, 0);
    if (mpitest_rank) {
        struct mpisink k = {.object = &o, .inside = mpitest_rank % 2 ? tell_when_far : NULL};
        larder_consumer consumer = mpisink_consumer (&k);
        for (int i = 1; mpitest_rank % 2 == 0 && i < mpitest_size; i += 2)
            mpiobject_hear (i, TAG_FAR);
        MPITEST_OK (larder_download (s, &ref, &consumer, &err), err);
        mpisink_check_all (&k);
        for (int i = 2; mpitest_rank % 2 && !k.user && i < mpitest_size; i += 2)
            mpiobject_tell (i, TAG_FAR); /* far is the end */
    } else if (mpitest_size > 1) {
        MPITEST_OK (larder_serve (s, 0, &err), err);
        CU_ASSERT_EQUAL (larder_session_get_stats (s, &stats), LARDER_OK);
        CU_ASSERT_EQUAL (stats.items_produced, items);
        CU_ASSERT_EQUAL (stats.items_reproduced, 0);
        CU_ASSERT_EQUAL (stats.chunks_reproduced, 0);
        CU_ASSERT_EQUAL (stats.bytes_produced, mpiobject_bytes (&o));
        CU_ASSERT_EQUAL (o.ones, mpitest_size - 1);
    }
    mpiobject_close (&s);
}

/* It fits into the cache: the early ones are through before the late ones start. */
static void test_hold_fits (void)
{
    late_receivers (10, 10, size_chunk);
    late_receivers (4, 4, size_spanning);
}

/* It does not fit: early ones come as far as the cache reaches, then wait for the late ones. */
static void test_hold_does_not_fit (void)
{
    late_receivers (100, 6, size_chunk);
    late_receivers (60, 1, size_spanning);
    late_receivers (100, 0, size_chunk);
}

static void test_stats (void)
{
    larder_error err = {0};
    larder_ref ref;
    larder_stats stats;
    larder_session_info info;
    struct mpiobject o = mpiobject_make (64, size_chunk);
    larder_object object = described (&o, CHUNK, 0);
    larder *s = mpiobject_open (&small);
    CU_ASSERT_EQUAL (larder_session_get_info (s, &info), LARDER_OK);
    if (mpitest_rank == 0)
        MPITEST_OK (larder_offer (s, &object, LARDER_ALL, &ref, &err), err);
    mpiobject_share (&ref, 0);
    if (mpitest_rank) {
        struct mpisink k = {.object = &o};
        larder_consumer consumer = mpisink_consumer (&k);
        MPITEST_OK (larder_download (s, &ref, &consumer, &err), err);
    } else if (mpitest_size > 1)
        MPITEST_OK (larder_serve (s, 0, &err), err);
    CU_ASSERT_EQUAL (larder_session_get_stats (s, &stats), LARDER_OK);
    uint64_t mine = info.node == 0 ? 0 : stats.chunks_fetched, of_node = 0;
    CU_ASSERT_EQUAL (stats.chunks_produced, mpitest_rank || mpitest_size == 1 ? 0 : 64);
    CU_ASSERT_EQUAL (stats.bytes_produced, mpitest_rank || mpitest_size == 1 ? 0 : 64 * CHUNK);
    CU_ASSERT_EQUAL (stats.bytes_consumed, mpitest_rank ? 64 * CHUNK : 0);
    CU_ASSERT_EQUAL (stats.bytes_fetched, stats.chunks_fetched * CHUNK);
    CU_ASSERT_EQUAL (stats.checksum_errors, 0);
    if (info.node == 0)
        CU_ASSERT_EQUAL (stats.chunks_fetched, 0); /* the owner's cache is the node's */
    /* A node gets each chunk at least once, and few twice (when another rank takes over). */
    MPI_Comm node;
    MPI_Comm_split (MPI_COMM_WORLD, info.node, 0, &node);
    MPI_Allreduce (&mine, &of_node, 1, MPI_UINT64_T, MPI_SUM, node);
    MPI_Comm_free (&node);
    if (info.node) {
        CU_ASSERT (of_node >= 64);
        if (info.node_size == 1)
            CU_ASSERT_EQUAL (of_node, 64);
    }
    CU_ASSERT_EQUAL (larder_session_get_stats (NULL, &stats), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_session_get_stats (s, NULL), LARDER_EINVAL);
    mpiobject_close (&s);
}

int main (int argc, char **argv)
{
    static const struct larder_test tests[] = {
        {"equal items", test_equal_items},
        {"items of different sizes", test_different_items},
        {"items of unknown sizes", test_unknown_sizes},
        {"no items", test_no_items},
        {"chunk size of its own", test_own_chunk_size},
        {"produce fails", test_produce_fails},
        {"the object changed", test_object_changed},
        {"produce lies", test_produce_lies},
        {"the offer fails", test_offer_fails},
        {"bad receivers", test_bad_receivers},
        {"listed receivers", test_listed_receivers},
        {"no receivers", test_no_receivers},
        {"order of calls", test_order_of_calls},
        {"max_objects", test_max_objects},
        {"status", test_status},
        {"all own", test_all_own},
        {"each other", test_each_other},
        {"withdraw in the middle", test_withdraw_in_the_middle},
        {"reproduce", test_reproduce},
        {"hold, it fits", test_hold_fits},
        {"hold, it does not fit", test_hold_does_not_fit},
        {"stats", test_stats},
        {NULL, NULL},
    };
    return mpitest_main (argc, argv, "offer", tests);
}
