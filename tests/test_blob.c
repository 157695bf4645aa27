/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_blob.h"
#include "larder_test.h"
#include <pthread.h>
#include <string.h>

enum { THREADS = 4, ROUNDS = 20000 };

static int freed;

static void count_free (void *data)
{
    ++freed;
    ++*(int *)data;
}

static void freed_once (void)
{
    int data = 0;
    struct larder_blob *blob = larder_blob_new (&data, count_free);

    freed = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL (blob);
    CU_ASSERT_PTR_EQUAL (larder_blob_keep (blob), blob);
    CU_ASSERT_PTR_EQUAL (larder_blob_keep (blob), blob);
    larder_blob_drop (blob);
    larder_blob_drop (blob);
    CU_ASSERT_EQUAL (freed, 0);
    larder_blob_drop (blob);
    CU_ASSERT_EQUAL (freed, 1);
    CU_ASSERT_EQUAL (data, 1);
}

static void nothing_to_free (void)
{
    int data = 7;
    struct larder_blob *blob = larder_blob_new (&data, NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL (blob);
    larder_blob_drop (blob);
    CU_ASSERT_EQUAL (data, 7);
    CU_ASSERT_PTR_NULL (larder_blob_keep (NULL));
    larder_blob_drop (NULL);
}

static void forgotten (void)
{
    int data = 0;

    freed = 0;
    larder_blob_forget (larder_blob_new (&data, count_free));
    larder_blob_forget (NULL);
    CU_ASSERT_EQUAL (freed, 0);
    CU_ASSERT_EQUAL (data, 0);
}

static void room_of_its_own (void)
{
    const uint64_t sizes[] = {0, 1, 63, 64, 65, 1000, 1 << 20};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
        void *data = NULL;
        struct larder_blob *blob = larder_blob_alloc (sizes[i], &data);
        CU_ASSERT_PTR_NOT_NULL_FATAL (blob);
        CU_ASSERT_PTR_NOT_NULL_FATAL (data);
        CU_ASSERT_EQUAL ((uintptr_t)data % 64, 0);
        CU_ASSERT_EQUAL (((char *)data)[sizes[i]], 0);
        memset (data, 0x5a, sizes[i]);
        (void)larder_blob_keep (blob);
        larder_blob_drop (blob);
        CU_ASSERT (sizes[i] == 0 || ((char *)data)[sizes[i] - 1] == 0x5a);
        CU_ASSERT_EQUAL (((char *)data)[sizes[i]], 0);
        larder_blob_drop (blob);
    }
}

static void too_large (void)
{
    int mine = 0;
    void *data = &mine;

    for (uint64_t less = 0; less < 70; ++less)
        CU_ASSERT_PTR_NULL (larder_blob_alloc (UINT64_MAX - less, &data));
    CU_ASSERT_PTR_NULL (larder_blob_alloc (UINT64_MAX / 2, &data));
    CU_ASSERT_PTR_EQUAL (data, &mine);
}

static void *keep_and_drop (void *blob)
{
    for (int i = 0; i < ROUNDS; ++i) {
        (void)larder_blob_keep (blob);
        larder_blob_drop (blob);
    }
    larder_blob_drop (blob);
    return NULL;
}

static void many_threads (void)
{
    int data = 0;
    struct larder_blob *blob = larder_blob_new (&data, count_free);
    pthread_t threads[THREADS];

    freed = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL (blob);
    for (int i = 0; i < THREADS; ++i)
        CU_ASSERT_EQUAL_FATAL (
            pthread_create (&threads[i], NULL, keep_and_drop, larder_blob_keep (blob)), 0);
    larder_blob_drop (blob);
    for (int i = 0; i < THREADS; ++i)
        CU_ASSERT_EQUAL (pthread_join (threads[i], NULL), 0);
    CU_ASSERT_EQUAL (freed, 1);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"freed once, after the last user", freed_once},
        {"nothing to free", nothing_to_free},
        {"forgotten, not freed", forgotten},
        {"room of its own", room_of_its_own},
        {"too large", too_large},
        {"many threads", many_threads},
        {NULL, NULL},
    };
    return larder_test_main ("blob", tests);
}
