/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads of memory objects by every rank, over the whole protocol; downloads that are interrupted, aborted,
 * watched, and pauses. */
#include "larder_mpiobject.h"
#include <math.h>

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

/* ---------------------------------------------------------------- interrupted and resumed */

enum { ITEMS = 60 };

static uint64_t size_different (uint64_t item)
{
    static const uint64_t sizes[] = {0, 1, 5000, 17, 4096, 0, 0, 13000, 300, 301, 302, 4095, 4097};
    return sizes[item * 7 % 13];
}

/* Rank 0 offers; everybody gets the ref. */
static void offer_object (larder *s, struct mpiobject *o, const larder_object_ops *ops,
                          larder_ref *ref)
{
    larder_error err = {0};
    larder_object object = {.ops = ops, .self = o, .name = "thing"};
    if (mpitest_rank == 0)
        MPITEST_OK (larder_offer (s, &object, LARDER_ALL, ref, &err), err);
    mpiobject_share (ref, 0);
}

static void serve (larder *s)
{
    larder_error err = {0};
    if (mpitest_rank == 0 && mpitest_size > 1)
        MPITEST_OK (larder_serve (s, 0, &err), err);
}

/* Interrupt after every so many views, until the download is complete. */
static void in_pieces (larder *s, const larder_ref *ref, struct mpisink *k, uint64_t views)
{
    larder_error err = {0};
    larder_consumer consumer = mpisink_consumer (k);
    larder_cursor cursor;
    larder_request *request = NULL;
    int rc = larder_download_start (s, ref, &consumer, &request, &err);
    MPITEST_OK (rc, err);
    for (int pieces = 0; rc == LARDER_OK && pieces < 10000; ++pieces) {
        uint64_t from = k->views;
        while ((rc = larder_download_test (&request, &err)) == LARDER_AGAIN)
            if (k->views >= from + views)
                break;
        if (rc != LARDER_AGAIN)
            break;
        CU_ASSERT_EQUAL (larder_download_interrupt (&request, NULL, &err), LARDER_EINVAL);
        rc = larder_download_interrupt (&request, &cursor, &err);
        if (rc == LARDER_EINVAL) { /* it had just ended */
            rc = larder_download_wait (&request, -1, &err);
            break;
        }
        MPITEST_OK (rc, err);
        CU_ASSERT_PTR_NULL (request);
        CU_ASSERT (cursor.item == k->next_item && cursor.offset == k->next_offset);
        CU_ASSERT_EQUAL (k->completed + k->failed, 0);
        rc = larder_download_resume (s, &cursor, &consumer, &request, &err);
    }
    MPITEST_OK (rc, err);
    CU_ASSERT_PTR_NULL (request);
}

static void interrupt (const larder_object_ops *ops, uint64_t views)
{
    larder_config config = small;
    config.hold_timeout_s = 0.1; /* who is away holds nothing */
    struct mpiobject o = mpiobject_make (ITEMS, size_different);
    larder_error err = {0};
    larder_ref ref, part;
    larder *s = open_session (&config);
    offer_object (s, &o, ops, &ref);
    if (mpitest_rank) {
        struct mpisink k = {.object = &o};
        if (ops->item_size) { /* a part first: it gives no verdict */
            struct mpisink p = {.object = &o, .next_item = 7};
            MPITEST_OK (larder_ref_items (&ref, 7, 40, &part, &err), err);
            in_pieces (s, &part, &p, views);
            CU_ASSERT (p.bad == 0 && p.completed == 1 && p.failed == 0 && p.next_item == 47);
        }
        in_pieces (s, &ref, &k, views);
        mpisink_check_all (&k);
    }
    serve (s);
    for (int i = 1; mpitest_rank == 0 && i < mpitest_size; ++i)
        CU_ASSERT_EQUAL (o.code_of[i], LARDER_OK);
    close_session (&s);
}

static void test_interrupt (void)
{
    interrupt (&mpiobject_sized, 1);
    interrupt (&mpiobject_sized, 2);
    interrupt (&mpiobject_sized, 7);
}

static void test_interrupt_unsized (void)
{
    interrupt (&mpiobject_unsized, 1);
    interrupt (&mpiobject_unsized, 4);
}

static void test_cursors (void)
{
    larder_error err = {0};
    struct mpiobject o = mpiobject_make (ITEMS, size_different), last = o;
    larder_ref ref, last_ref;
    larder *s = open_session (&small), *t = open_session (&small);
    offer_object (s, &o, &mpiobject_sized, &ref);
    offer_object (s, &last, &mpiobject_sized, &last_ref);
    if (mpitest_rank) {
        struct mpisink k = {.object = &o};
        larder_consumer consumer = mpisink_consumer (&k), empty = {0};
        larder_request *request = NULL;
        larder_cursor cursor = {.ref = ref, .chunk = 5}, bad;
        MPITEST_OK (larder_download_start (s, &ref, &consumer, &request, &err), err);
        MPITEST_OK (larder_download_interrupt (&request, &cursor, &err), err);
        CU_ASSERT (cursor.item == 0 && cursor.offset == 0 && cursor.chunk == 0);
        CU_ASSERT_EQUAL (larder_download_interrupt (&request, &cursor, &err), LARDER_EINVAL);
        CU_ASSERT_EQUAL (larder_download_resume (s, NULL, &consumer, &request, &err),
                         LARDER_EINVAL);
        CU_ASSERT_EQUAL (larder_download_resume (s, &cursor, &empty, &request, &err),
                         LARDER_EINVAL);
        CU_ASSERT_EQUAL (larder_download_resume (s, &cursor, &consumer, NULL, &err), LARDER_EINVAL);
        CU_ASSERT_EQUAL (larder_download_resume (t, &cursor, &consumer, &request, &err),
                         LARDER_ESESSION);
        static const struct larder_cursor wrong[] = {{.item = ITEMS + 1, .chunk = 1},
                                                     {.item = ITEMS, .offset = 1, .chunk = 1},
                                                     {.item = 3},
                                                     {.offset = 1},
                                                     {.item = 3, .chunk = UINT64_MAX}};
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
            bad = wrong[i];
            bad.ref = ref;
            CU_ASSERT_EQUAL (larder_download_resume (s, &bad, &consumer, &request, &err),
                             LARDER_ERANGE);
        }
        bad = cursor;
        bad.ref.bytes[20] ^= 1;
        CU_ASSERT_EQUAL (larder_download_resume (s, &bad, &consumer, &request, &err), LARDER_EREF);
        CU_ASSERT_PTR_NULL (request);
        /* The item is not in that chunk: harmless where a neighbour's line comes by both. */
        bad = (larder_cursor){.ref = ref, .item = ITEMS - 1, .chunk = 1};
        k = (struct mpisink){.object = &o, .next_item = ITEMS - 1};
        MPITEST_OK (larder_download_resume (s, &bad, &consumer, &request, &err), err);
        int rc = larder_download_wait (&request, -1, &err);
        CU_ASSERT (rc != LARDER_OK || (k.bad == 0 && k.completed == 1 && k.next_item == ITEMS));
        if (rc != LARDER_OK) {
            mpisink_check_failed (&k, LARDER_EREF);
            k = (struct mpisink){.object = &o};
            MPITEST_OK (larder_download (s, &ref, &consumer, &err), err);
            mpisink_check_all (&k);
        }
        k = (struct mpisink){.object = &last, .next_item = ITEMS}; /* nothing is left */
        bad = (larder_cursor){.ref = last_ref, .item = ITEMS, .chunk = 9};
        MPITEST_OK (larder_download_resume (s, &bad, &consumer, &request, &err), err);
        MPITEST_OK (larder_download_wait (&request, -1, &err), err);
        CU_ASSERT (k.views == 0 && k.completed == 1 && k.failed == 0);
    }
    serve (s);
    for (int i = 1; mpitest_rank == 0 && i < mpitest_size; ++i) {
        CU_ASSERT_EQUAL (o.code_of[i], LARDER_OK);
        CU_ASSERT_EQUAL (last.code_of[i], LARDER_OK);
    }
    close_session (&s);
    close_session (&t);
}

/* ---------------------------------------------------------------- aborted by the consumer, and watched */

struct watched {
    struct mpisink k; /* first, so that its functions fit */
    uint64_t abort_after, events, active, bytes;
    int last, bad;
};

static int abort_requested (void *self)
{
    const struct watched *w = self;
    return w->k.views >= w->abort_after;
}

static void progress (void *self, const larder_event *e)
{
    struct watched *w = self;
    int ended = w->k.completed + w->k.failed;
    w->bad += e->sequence != ++w->events || e->owner != 0 || e->receiver != mpitest_rank ||
              e->bytes_done < w->bytes || e->bytes_done != w->k.bytes ||
              e->items_done != w->k.next_item || e->seconds < 0 ||
              w->last >= LARDER_EVENT_COMPLETED;
    w->bad += (e->state == LARDER_EVENT_STARTED) != (w->events == 1) && !ended;
    w->bad += (e->state >= LARDER_EVENT_COMPLETED) != ended;
    w->active += e->state == LARDER_EVENT_ACTIVE;
    w->bytes = e->bytes_done;
    w->last = (int)e->state;
}

static struct watched watch (larder *s, const larder_ref *ref, const struct mpiobject *o,
                             uint64_t abort_after, uint64_t fail_item, double interval, int code)
{
    larder_error err = {0};
    struct watched w = {.k = {.object = o, .fail_item = fail_item}, .abort_after = abort_after};
    w.k.fail_code = fail_item < ITEMS ? LARDER_EIO : 0;
    larder_consumer consumer = mpisink_consumer (&w.k);
    consumer.abort_requested = abort_requested;
    consumer.download_progress = progress;
    consumer.progress_interval_s = interval;
    CU_ASSERT_EQUAL (larder_download (s, ref, &consumer, &err), code);
    CU_ASSERT_EQUAL (w.bad, 0);
    if (code == LARDER_OK)
        mpisink_check_all (&w.k);
    else
        mpisink_check_failed (&w.k, code);
    return w;
}

static void test_events (void)
{
    struct mpiobject o = mpiobject_make (ITEMS, size_different);
    larder_error err = {0};
    static const int nobody;
    larder_object object = {.ops = &mpiobject_sized, .self = &o, .name = "thing"};
    larder_ref ref;
    larder *s = open_session (&small);
    if (mpitest_rank == 0)
        MPITEST_OK (larder_offer (s, &object, (larder_receivers){&nobody, 0}, &ref, &err), err);
    mpiobject_share (&ref, 0);
    if (mpitest_rank) {
        struct watched w = watch (s, &ref, &o, UINT64_MAX, ITEMS, -1, LARDER_OK);
        CU_ASSERT (w.last == LARDER_EVENT_COMPLETED && w.active == w.k.views);
        CU_ASSERT_EQUAL (w.bytes, mpiobject_bytes (&o));
        w = watch (s, &ref, &o, UINT64_MAX, ITEMS, 1000, LARDER_OK);
        CU_ASSERT (w.last == LARDER_EVENT_COMPLETED && w.active == 0 && w.events == 2);
        w = watch (s, &ref, &o, UINT64_MAX, 30, -1, LARDER_ECONSUMER);
        CU_ASSERT_EQUAL (w.last, LARDER_EVENT_FAILED);
        w = watch (s, &ref, &o, 2, ITEMS, -1, LARDER_ECANCELED);
        CU_ASSERT_EQUAL (w.last, LARDER_EVENT_ABORTED);
        mpiobject_tell (0, 1);
    } else {
        mpiobject_serve_until (s, mpitest_size - 1, 1);
        MPITEST_OK (larder_withdraw (s, &ref, &err), err);
    }
    close_session (&s);
}

/* It is asked while the owner is away, too, and also for a part: that is a verdict on all. */
static void test_abort (void)
{
    larder_error err = {0};
    for (int part = 0; part < 2; ++part)
        for (uint64_t after = 0; after < 3; after += 2) {
            struct mpiobject o = mpiobject_make (ITEMS, size_different);
            larder_ref ref;
            larder *s = open_session (&small);
            offer_object (s, &o, &mpiobject_sized, &ref);
            if (part)
                MPITEST_OK (larder_ref_items (&ref, 0, ITEMS - 1, &ref, &err), err);
            if (mpitest_rank) {
                struct watched w = watch (s, &ref, &o, after, ITEMS, 0, LARDER_ECANCELED);
                CU_ASSERT (w.k.views >= after && w.k.views < after + (after ? 5 : 1));
                if (!after)
                    mpiobject_tell (0, 1);
            }
            for (int i = 1; !after && mpitest_rank == 0 && i < mpitest_size; ++i)
                mpiobject_hear (i, 1);
            serve (s);
            for (int i = 1; mpitest_rank == 0 && i < mpitest_size; ++i)
                CU_ASSERT_EQUAL (o.code_of[i], LARDER_ECANCELED);
            close_session (&s);
        }
}

static void test_pause_arguments (void)
{
    larder_error err = {0};
    larder *s = open_session (&small);
    CU_ASSERT_EQUAL (larder_pause (NULL, 1, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_pause (s, -1, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_pause (s, (double)NAN, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_pause (s, (double)INFINITY, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (err.rank, mpitest_rank);
    MPITEST_OK (larder_pause (s, 1e300, &err), err);
    MPITEST_OK (larder_pause (s, 0.5, &err), err);
    MPITEST_OK (larder_pause (s, 0, &err), err);
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
        {"interrupted and resumed", test_interrupt},
        {"interrupted and resumed, sizes unknown", test_interrupt_unsized},
        {"cursors", test_cursors},
        {"progress events", test_events},
        {"aborted by the consumer", test_abort},
        {"pauses", test_pause_arguments},
        {NULL, NULL},
    };
    return mpitest_main (argc, argv, "download", tests);
}
