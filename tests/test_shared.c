/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that a node shares, and one copy of an object in it. */
#include "larder_mpiobject.h"

enum { ITEMS = 300 };

static const larder_config config = {.chunk_size = 16 << 10, .cache_size = 512 << 10};

static uint64_t size_mixed (uint64_t item)
{
    return item % 50 == 7 ? 40000 : item % 3 ? 100 * item : 0;
}

static void check_items (const larder_shared *m, const struct mpiobject *o)
{
    uint64_t at = 0, bad = 0;
    CU_ASSERT_EQUAL (larder_shared_items (m), o->items);
    CU_ASSERT_EQUAL (larder_shared_size (m), mpiobject_bytes (o));
    for (uint64_t i = 0; i < o->items; ++i) {
        uint64_t size = 99;
        const unsigned char *p = larder_shared_item (m, i, &size);
        bad += p != (unsigned char *)larder_shared_data (m) + at || size != o->size (i);
        for (uint64_t k = 0; k < size && !bad; ++k)
            bad += p[k] != mpiobject_byte (o, i, k);
        at += o->size (i);
    }
    CU_ASSERT_EQUAL (bad, 0);
    CU_ASSERT_PTR_NULL (larder_shared_item (m, o->items, NULL));
}

/* Objects with items of different sizes, and with equal ones. */
static void test_mixed (void)
{
    larder_error err = {0};
    struct mpiobject o = mpiobject_make (ITEMS, size_mixed);
    larder_object object = {.ops = &mpiobject_sized, .self = &o, .name = "mixed"};
    larder_shared *m = NULL;
    larder_ref ref;
    larder *s = mpiobject_open (&config);
    if (mpitest_rank == 0)
        MPITEST_OK (larder_offer (s, &object, LARDER_EVERY_RANK, &ref, &err), err);
    mpiobject_share (&ref, 0);
    MPITEST_OK (larder_download_node (s, &ref, &m, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL (m);
    check_items (m, &o);
    if (mpitest_rank == 0) {
        MPITEST_OK (larder_serve (s, 0, &err), err);
        for (int i = 0; i < mpitest_size; ++i)
            CU_ASSERT_EQUAL (o.code_of[i], LARDER_OK);
    }
    MPITEST_OK (larder_shared_free (&m, &err), err);
    CU_ASSERT_PTR_NULL (m);
    mpiobject_close (&s);
}

static void bytes (uint64_t size, uint64_t item_size)
{
    larder_error err = {0};
    unsigned char *data = mpitest_bytes (size);
    larder_shared *m = NULL;
    larder_object object;
    larder_ref ref;
    larder *s = mpiobject_open (&config);
    if (mpitest_rank == 0) {
        MPITEST_OK (larder_object_memory (data, size, item_size, "bytes", &object, &err), err);
        MPITEST_OK (larder_offer (s, &object, LARDER_ALL, &ref, &err), err);
    }
    mpiobject_share (&ref, 0);
    /* The owner was not declared, and has it all the same. */
    MPITEST_OK (larder_download_node (s, &ref, &m, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL (m);
    CU_ASSERT_EQUAL (larder_shared_size (m), size);
    CU_ASSERT (mpitest_same (larder_shared_data (m), 0, size));
    uint64_t items = larder_shared_items (m), last = 0;
    CU_ASSERT_EQUAL (items, (size + item_size - 1) / item_size);
    if (items) {
        const unsigned char *p = larder_shared_item (m, items - 1, &last);
        CU_ASSERT (p == (unsigned char *)larder_shared_data (m) + (items - 1) * item_size);
        CU_ASSERT_EQUAL (last, size - (items - 1) * item_size);
    }
    if (mpitest_rank == 0 && mpitest_size > 1)
        MPITEST_OK (larder_serve (s, 0, &err), err);
    MPITEST_OK (larder_shared_free (&m, &err), err);
    mpiobject_close (&s);
    free (data);
}

static void test_bytes (void)
{
    bytes (0, 100);
    bytes (1, 100);
    bytes (5 << 20, 1000); /* more than the cache */
    bytes ((3 << 20) + 7, 1 << 20);
}

/* The ranks of a node see each other's writes after they have agreed, and nobody else's. */
static void test_alloc (void)
{
    larder_error err = {0};
    larder_session_info info;
    larder_shared *m = NULL;
    larder *s = mpiobject_open (&config);
    CU_ASSERT_EQUAL (larder_session_get_info (s, &info), LARDER_OK);
    MPITEST_OK (larder_shared_alloc (s, 1000 * sizeof (int), &m, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL (m);
    int *a = larder_shared_data (m);
    CU_ASSERT ((uintptr_t)a % 4096 == 0 && larder_shared_items (m) == 0);
    CU_ASSERT_EQUAL (larder_shared_size (m), 1000 * sizeof (int));
    for (int i = info.node_rank; i < 1000; i += info.node_size)
        a[i] = 1000 * info.node + i;
    MPITEST_OK (larder_shared_agree (m, LARDER_OK, NULL, &err), err);
    int bad = 0;
    for (int i = 0; i < 1000; ++i)
        bad += a[i] != 1000 * info.node + i;
    CU_ASSERT_EQUAL (bad, 0);
    MPITEST_OK (larder_shared_agree (m, LARDER_OK, NULL, &err), err);
    MPITEST_OK (larder_shared_free (&m, &err), err);
    MPITEST_OK (larder_shared_free (&m, &err), err);
    MPITEST_OK (larder_shared_alloc (s, 0, &m, &err), err);
    MPITEST_OK (larder_shared_free (&m, &err), err);
    mpiobject_close (&s);
}

/* ---------------------------------------------------------------- what goes wrong goes wrong for all */

static void test_refused (void)
{
    larder_error err = {0};
    struct mpiobject o = mpiobject_make (ITEMS, size_mixed), u = o;
    larder_object object = {.ops = &mpiobject_sized, .self = &o, .name = "mixed"},
                  unsized = {.ops = &mpiobject_unsized, .self = &u, .name = "unsized"};
    larder_shared *m = NULL;
    larder_ref ref[3], part, bad;
    larder *s = mpiobject_open (&config), *other = mpiobject_open (&config);
    if (mpitest_rank == 0) {
        MPITEST_OK (larder_offer (s, &object, LARDER_EVERY_RANK, &ref[0], &err), err);
        MPITEST_OK (larder_offer (s, &unsized, LARDER_EVERY_RANK, &ref[1], &err), err);
    }
    mpiobject_share (&ref[0], 0);
    mpiobject_share (&ref[1], 0);
    CU_ASSERT_EQUAL (larder_download_node (s, &ref[1], &m, &err), LARDER_ENOTSUP);
    CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "by producing"));
    MPITEST_OK (larder_ref_items (&ref[0], 1, 5, &part, &err), err);
    CU_ASSERT_EQUAL (larder_download_node (s, &part, &m, &err), LARDER_ENOTSUP);
    CU_ASSERT_EQUAL (larder_download_node (other, &ref[0], &m, &err), LARDER_ESESSION);
    bad = ref[0];
    bad.bytes[20] ^= mpitest_rank == mpitest_size - 1; /* one rank has a damaged one */
    CU_ASSERT_EQUAL (larder_download_node (s, &bad, &m, &err), LARDER_EREF);
    CU_ASSERT_EQUAL (
        larder_download_node (s, mpitest_rank == mpitest_size - 1 ? NULL : &ref[0], &m, &err),
        LARDER_EINVAL);
    CU_ASSERT_EQUAL (
        larder_download_node (s, &ref[0], mpitest_rank == mpitest_size - 1 ? NULL : &m, &err),
        LARDER_EINVAL);
    if (mpitest_size > 1) {
        CU_ASSERT_EQUAL (larder_download_node (s, &ref[mpitest_rank == 0], &m, &err),
                         LARDER_EMISMATCH);
        CU_ASSERT_EQUAL (larder_shared_alloc (s, (uint64_t)mpitest_rank, &m, &err),
                         LARDER_EMISMATCH);
    }
    CU_ASSERT_EQUAL (larder_shared_alloc (s, UINT64_MAX - 5, &m, &err), LARDER_ENOMEM);
    CU_ASSERT_EQUAL (larder_shared_alloc (s, UINT64_C (1) << 50, &m, &err), LARDER_ENOMEM);
    CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "/dev/shm"));
    CU_ASSERT_EQUAL (larder_shared_alloc (NULL, 1, &m, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_download_node (NULL, &ref[0], &m, &err), LARDER_EINVAL);
    CU_ASSERT_PTR_NULL (m);
    /* After all that it works. */
    MPITEST_OK (larder_download_node (s, &ref[0], &m, &err), err);
    check_items (m, &o);
    MPITEST_OK (larder_shared_free (&m, &err), err);
    if (mpitest_rank == 0)
        MPITEST_OK (larder_withdraw (s, &ref[0], &err), err);
    MPITEST_OK (larder_agree (s, LARDER_OK, NULL, &err), err);
    CU_ASSERT_EQUAL (larder_download_node (s, &ref[0], &m, &err), LARDER_EGONE);
    mpiobject_close (&other);
    mpiobject_close (&s);
}

static void test_produce_fails (void)
{
    larder_error err = {0};
    struct mpiobject o = mpiobject_make (ITEMS, size_mixed);
    larder_object object = {.ops = &mpiobject_sized, .self = &o, .name = "mixed"};
    larder_shared *m = NULL;
    larder_ref ref;
    larder *s = mpiobject_open (&config);
    o.fail_item = 200;
    o.fail_code = LARDER_EIO;
    if (mpitest_rank == 0)
        MPITEST_OK (larder_offer (s, &object, LARDER_EVERY_RANK, &ref, &err), err);
    mpiobject_share (&ref, 0);
    CU_ASSERT_EQUAL (larder_download_node (s, &ref, &m, &err), LARDER_EOWNER);
    CU_ASSERT_PTR_NULL (m);
    mpiobject_close (&s);
}

int main (int argc, char **argv)
{
    static const struct larder_test tests[] = {
        {"mixed sizes", test_mixed},
        {"bytes", test_bytes},
        {"alloc", test_alloc},
        {"refused", test_refused},
        {"produce fails", test_produce_fails},
        {NULL, NULL},
    };
    return mpitest_main (argc, argv, "shared", tests);
}
