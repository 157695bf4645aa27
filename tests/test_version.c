/* SPDX-License-Identifier: Apache-2.0 */
/* New versions of an object: the former one's refs and downloads end, verdicts stay. */
#include "larder_handle.h"
#include "larder_mpitxn.h"

enum { CHUNK = 4096, SLOTS = 256, ITEMS = 60, TAG_AT = 1, TAG_GO = 2, TAG_REF = 3, VERSIONS = 6 };

static const larder_config roomy = {
    .chunk_size = CHUNK, .cache_size = SLOTS * CHUNK, .timeout_s = 60, .hold_timeout_s = 60};

static uint64_t size_mixed (uint64_t item)
{
    static const uint64_t sizes[] = {0, 1, 5000, 17, 4096, 0, 9000, 300, 301, 4095, 4097};
    return sizes[item * 7 % 11];
}

/* Items and bytes of a version. */
static void become (struct mpiobject *o, int version)
{
    o->items = ITEMS + 7 * (uint64_t)version;
    o->salt = 1 + 1000 * (uint64_t)version;
}

static struct mpiobject version_of (int version)
{
    struct mpiobject o = mpiobject_make (ITEMS, size_mixed);
    become (&o, version);
    return o;
}

static void stand_still (struct mpisink *k)
{
    if (k->user || k->next_item < 3)
        return;
    k->user = k;
    mpiobject_tell (0, TAG_AT);
    mpiobject_hear (0, TAG_GO);
}

static void renew (larder *s, struct mpiobject *o, int version, larder_ref *ref)
{
    larder_error err = {0};
    larder_ref fresh;
    become (o, version);
    MPITEST_OK (larder_new_version (s, ref, &fresh, &err), err);
    CU_ASSERT_NOT_EQUAL (memcmp (&fresh, ref, sizeof fresh), 0);
    *ref = fresh;
}

/* Rank 1 has it, the last stands still in the middle, the others have not begun. */
static void test_in_the_middle (void)
{
    static struct mpitxn t;
    struct mpiobject o = version_of (0), next = version_of (1);
    larder_ref ref, fresh;
    if (mpitest_size == 1)
        return;
    t = (struct mpitxn){0};
    larder *s = mpiobject_open (&roomy);
    larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
    if (mpitest_rank == 0)
        mpitxn_offer (s, &t, &x, &o, 1, &ref);
    mpitxn_share (&ref, 1, 0);
    int stays = mpitest_rank == 1 && mpitest_size > 2;
    if (stays) {
        mpiobject_get (s, &ref, &o, LARDER_OK);
        mpiobject_tell (0, TAG_AT);
    } else if (mpitest_rank == mpitest_size - 1) {
        struct mpisink k = {.object = &o, .inside = stand_still};
        larder_request *request = NULL;
        mpiobject_start (s, &ref, &k, &request);
        mpiobject_finish (&request, &k, LARDER_ESTALE);
        CU_ASSERT (k.next_item < o.items);
    } else if (mpitest_rank == 0) {
        mpiobject_serve_until (s, mpitest_size > 2 ? 2 : 1, TAG_AT);
        while (mpitest_size > 2 && o.ones == 0)
            (void)larder_progress (s, 1, 0.01, NULL);
        fresh = ref;
        renew (s, &o, 1, &fresh);
        CU_ASSERT (o.counted == 2 && o.releases == 0 && o.dones == 0);
        mpiobject_tell (mpitest_size - 1, TAG_GO);
    }
    mpitxn_share (&fresh, 1, 0);
    if (mpitest_rank && !stays) { /* the transaction ends when these are through */
        mpiobject_get (s, &ref, &o, LARDER_ESTALE);
        mpiobject_get (s, &fresh, &next, LARDER_OK);
    } else if (mpitest_rank == 0) {
        larder_receipt *r = mpitxn_wait (s, &t);
        mpitxn_check (r, LARDER_DONE_FINISHED, LARDER_VERDICT_COMPLETED,
                      LARDER_REASON_ALL_SUCCEEDED);
        CU_ASSERT_EQUAL (memcmp (&r->object[0].ref, &fresh, sizeof fresh), 0);
        larder_receipt_free (&r);
        CU_ASSERT (o.ones == mpitest_size - 1 && o.alls == 1 && o.releases == 1);
    }
    mpiobject_close (&s);
}

/* Versions come while receivers read: each download is of one version from its first byte to its last. */
static void test_again_and_again (void)
{
    static struct mpitxn t;
    struct mpiobject o = version_of (0);
    larder_ref ref;
    if (mpitest_size == 1)
        return;
    t = (struct mpitxn){0};
    larder *s = mpiobject_open (&roomy);
    larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
    if (mpitest_rank == 0)
        mpitxn_offer (s, &t, &x, &o, 1, &ref);
    for (int v = 0; v < VERSIONS; ++v) {
        if (mpitest_rank == 0) {
            if (v)
                renew (s, &o, v, &ref);
            for (int i = 1; i < mpitest_size; ++i)
                MPI_Send (&ref, sizeof ref, MPI_BYTE, i, TAG_REF, MPI_COMM_WORLD);
            for (uint64_t made = o.calls; v < VERSIONS - 1 && o.calls < made + 5 * (uint64_t)v;)
                (void)larder_progress (s, 1, 0, NULL);
            continue;
        }
        struct mpiobject now = version_of (v);
        struct mpisink k = {.object = &now};
        larder_consumer consumer = mpisink_consumer (&k);
        MPI_Recv (&ref, sizeof ref, MPI_BYTE, 0, TAG_REF, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        int rc = larder_download (s, &ref, &consumer, NULL);
        CU_ASSERT (rc == LARDER_OK || (rc == LARDER_ESTALE && v < VERSIONS - 1));
        CU_ASSERT_EQUAL (k.bad, 0);
        if (rc == LARDER_OK)
            mpisink_check_all (&k);
    }
    if (mpitest_rank == 0) {
        larder_receipt *r = mpitxn_wait (s, &t);
        CU_ASSERT_EQUAL (r->verdict, LARDER_VERDICT_COMPLETED);
        larder_receipt_free (&r);
        CU_ASSERT (o.ones == mpitest_size - 1 && o.alls == 1 && o.counted == VERSIONS);
    }
    mpiobject_close (&s);
}

/* The ref that was presented before it is live is of the former version. */
static void test_before_live (void)
{
    static struct mpitxn t;
    struct mpiobject o = version_of (0), next = version_of (1);
    struct mpisink k = {.object = &o};
    larder_request *request = NULL;
    larder_ref ref, fresh, part;
    larder_error err = {0};
    t = (struct mpitxn){0};
    larder *s = mpiobject_open (&roomy);
    larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
    if (mpitest_rank == 0) {
        mpitxn_begin (s, &t, &x);
        mpitxn_add (s, &t, &o, 0, &ref);
        fresh = ref;
        renew (s, &o, 1, &fresh);
    }
    mpitxn_share (&ref, 1, 0);
    mpitxn_share (&fresh, 1, 0);
    if (mpitest_rank) {
        mpiobject_start (s, &ref, &k, &request);
        mpiobject_tell (0, TAG_AT);
        mpiobject_finish (&request, &k, LARDER_ESTALE);
        k = (struct mpisink){.object = &next, .next_item = ITEMS};
        MPITEST_OK (larder_ref_items (&fresh, ITEMS, 7, &part, &err), err); /* what is new */
        mpiobject_start (s, &part, &k, &request);
        MPITEST_OK (larder_download_wait (&request, -1, &err), err);
        CU_ASSERT (k.bad == 0 && k.completed == 1 && k.next_item == ITEMS + 7);
        CU_ASSERT_EQUAL (larder_confirm (s, &ref, LARDER_OK, &err), LARDER_ESTALE);
        MPITEST_OK (larder_confirm (s, &fresh, LARDER_OK, &err), err);
    } else {
        mpiobject_serve_until (s, mpitest_size - 1, TAG_AT);
        mpitxn_live (s, &t);
        if (mpitest_size > 1) {
            larder_receipt *r = mpitxn_wait (s, &t);
            CU_ASSERT_EQUAL (r->verdict, LARDER_VERDICT_COMPLETED);
            larder_receipt_free (&r);
        }
    }
    mpiobject_close (&s);
}

/* Its items cannot be counted again: nobody can get it any more, and everybody is told. */
static void test_the_count_fails (void)
{
    static struct mpitxn t;
    struct mpiobject o[2] = {version_of (0), version_of (1)};
    larder_error err = {0};
    larder_ref refs[2], fresh;
    if (mpitest_size == 1)
        return;
    t = (struct mpitxn){0};
    memset (&fresh, 0x5a, sizeof fresh);
    larder *s = mpiobject_open (&roomy);
    larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
    if (mpitest_rank == 0) {
        larder_ref before = fresh;
        mpitxn_offer (s, &t, &x, o, 2, refs);
        o[0].count_code = LARDER_ENOENT;
        CU_ASSERT_EQUAL (larder_new_version (s, &refs[0], &fresh, &err), LARDER_EOWNER);
        CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "the count is unknown"));
        CU_ASSERT_EQUAL (memcmp (&fresh, &before, sizeof fresh), 0);
        CU_ASSERT (o[0].ones == mpitest_size - 1 && o[0].alls == 1 && o[0].releases == 0);
        CU_ASSERT_EQUAL (larder_new_version (s, &refs[0], &fresh, &err), LARDER_EGONE);
    }
    mpitxn_share (refs, 2, 0);
    if (mpitest_rank) {
        mpiobject_get (s, &refs[0], &o[0], LARDER_EOWNER);
        mpiobject_get (s, &refs[1], &o[1], LARDER_OK);
    } else {
        larder_receipt *r = mpitxn_wait (s, &t);
        mpitxn_check (r, LARDER_DONE_FINISHED, LARDER_VERDICT_FAILED,
                      LARDER_REASON_RECEIVER_FAILED);
        mpitxn_check_line (r, 0, 1, LARDER_RECEIVER_FAILED, LARDER_EOWNER);
        mpitxn_check_line (r, 1, 1, LARDER_RECEIVER_SUCCEEDED, LARDER_OK);
        larder_receipt_free (&r);
    }
    mpiobject_close (&s);
}

static void test_refused (void)
{
    static struct mpitxn t;
    struct mpiobject o = version_of (0);
    larder_error err = {0};
    larder_ref ref, old, fresh;
    t = (struct mpitxn){0};
    memset (&fresh, 0x5a, sizeof fresh);
    larder *s = mpiobject_open (&roomy);
    larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
    if (mpitest_rank == 0) {
        mpitxn_offer (s, &t, &x, &o, 1, &ref);
        old = ref;
        renew (s, &o, 1, &ref);
        CU_ASSERT_EQUAL (larder_new_version (s, &old, &fresh, &err), LARDER_ESTALE);
        CU_ASSERT_EQUAL (larder_new_version (s, &ref, NULL, &err), LARDER_EINVAL);
        CU_ASSERT_EQUAL (larder_new_version (s, NULL, &fresh, &err), LARDER_EINVAL);
        larder_ref damaged = ref;
        damaged.bytes[9] ^= 4;
        CU_ASSERT_EQUAL (larder_new_version (s, &damaged, &fresh, &err), LARDER_EREF);
        CU_ASSERT_EQUAL (o.counted, 2);
        MPITEST_OK (larder_transaction_delete (s, t.number, &err), err);
        CU_ASSERT_EQUAL (larder_new_version (s, &ref, &fresh, &err), LARDER_EGONE);
    }
    mpitxn_share (&ref, 1, 0);
    if (mpitest_rank)
        CU_ASSERT_EQUAL (larder_new_version (s, &ref, &fresh, &err), LARDER_EINVAL);
    mpiobject_close (&s);
}

/* Who is refused holds no slots at the owner, nor a promise of them. */
static void test_refused_holds_nothing (void)
{
    static struct mpitxn t;
    struct mpiobject o = version_of (0);
    larder_ref refs[2];
    t = (struct mpitxn){0};
    larder *s = mpiobject_open (&roomy);
    larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
    if (mpitest_rank == 0) {
        mpitxn_offer (s, &t, &x, &o, 1, &refs[0]);
        refs[1] = refs[0];
        renew (s, &o, 1, &refs[1]);
    }
    mpitxn_share (refs, 2, 0);
    if (mpitest_rank) {
        mpiobject_get (s, &refs[0], &o, LARDER_ESTALE);
        mpiobject_tell (0, TAG_AT);
    } else {
        mpiobject_serve_until (s, mpitest_size - 1, TAG_AT);
        CU_ASSERT (larder_progress (s, 1, 0, NULL) >= 0);
        CU_ASSERT_EQUAL (s->nodecache.pool->promised, 0);
        CU_ASSERT_EQUAL (s->owner->objects[0].quota_open, 0);
    }
    mpiobject_close (&s);
}

int main (int argc, char **argv)
{
    static const struct larder_test tests[] = {
        {"in the middle", test_in_the_middle},
        {"again and again", test_again_and_again},
        {"before live", test_before_live},
        {"the count fails", test_the_count_fails},
        {"refused", test_refused},
        {"refused holds nothing", test_refused_holds_nothing},
        {NULL, NULL},
    };
    return mpitest_main (argc, argv, "version", tests);
}
