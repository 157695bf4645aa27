/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_test.h"
#include "larder_test_random.h"
#include "larder_txn.h"
#include <string.h>

enum { SIZE = 12, OWNER = 3 };

static void lists (void)
{
    struct larder_txn t;
    larder_error err = {0};
    CU_ASSERT_EQUAL (larder_txn_init (&t, NULL, 0, SIZE, OWNER, &err), LARDER_OK);
    CU_ASSERT_EQUAL (t.count, SIZE - 1);
    for (int r = 0; r < SIZE; ++r) {
        struct larder_receiver *x = larder_txn_find (&t, r);
        CU_ASSERT_EQUAL (x != NULL, r != OWNER);
        CU_ASSERT (!x || (x->rank == r && x->state == LARDER_UNSEEN));
    }
    larder_txn_free (&t);
    CU_ASSERT_EQUAL (larder_txn_init (&t, NULL, -1, SIZE, OWNER, &err), LARDER_OK);
    CU_ASSERT_EQUAL (t.count, SIZE);
    CU_ASSERT_PTR_NOT_NULL (larder_txn_find (&t, OWNER));
    larder_txn_free (&t);
    CU_ASSERT_EQUAL (larder_txn_init (&t, (int[]){9, 0, 5}, 3, SIZE, OWNER, &err), LARDER_OK);
    CU_ASSERT_PTR_NOT_NULL (larder_txn_find (&t, 0));
    CU_ASSERT_PTR_NOT_NULL (larder_txn_find (&t, 5));
    CU_ASSERT_PTR_NOT_NULL (larder_txn_find (&t, 9));
    CU_ASSERT_PTR_NULL (larder_txn_find (&t, 4));
    larder_txn_free (&t);
    /* A session of one rank has nobody to offer to. */
    CU_ASSERT_EQUAL (larder_txn_init (&t, NULL, 0, 1, 0, &err), LARDER_OK);
    CU_ASSERT_EQUAL (t.count, 0);
    CU_ASSERT_PTR_NULL (larder_txn_find (&t, 0));
    CU_ASSERT (!larder_txn_complete (&t));
    larder_txn_free (&t);
}

static void bad_lists (void)
{
    struct larder_txn t;
    larder_error err = {0};
    CU_ASSERT_EQUAL (larder_txn_init (&t, (int[]){1, SIZE}, 2, SIZE, OWNER, &err), LARDER_EINVAL);
    CU_ASSERT (strstr (err.text, "no rank 12") != NULL);
    CU_ASSERT_EQUAL (larder_txn_init (&t, (int[]){-1}, 1, SIZE, OWNER, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_txn_init (&t, (int[]){4, 2, 4}, 3, SIZE, OWNER, &err), LARDER_EINVAL);
    CU_ASSERT (strstr (err.text, "rank 4 is listed twice") != NULL);
    CU_ASSERT_EQUAL (larder_txn_init (&t, NULL, 2, SIZE, OWNER, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_txn_init (&t, NULL, -2, SIZE, OWNER, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_txn_init (&t, (int[]){4}, -1, SIZE, OWNER, &err), LARDER_EINVAL);
}

static void final_stays_final (void)
{
    struct larder_txn t;
    larder_error err;
    CU_ASSERT_EQUAL_FATAL (larder_txn_init (&t, (int[]){1, 2}, 2, SIZE, OWNER, &err), LARDER_OK);
    larder_txn_acquired (&t, 1);
    larder_txn_acquired (&t, 1);
    larder_txn_acquired (&t, 7); /* not declared */
    CU_ASSERT_EQUAL (t.unseen, 1);
    CU_ASSERT_EQUAL (larder_txn_final (&t, 7, LARDER_OK), 0);
    CU_ASSERT_EQUAL (larder_txn_final (&t, 1, LARDER_OK), 1);
    CU_ASSERT_EQUAL (larder_txn_final (&t, 1, LARDER_EHELD), 0);
    CU_ASSERT_EQUAL (larder_txn_find (&t, 1)->code, LARDER_OK);
    CU_ASSERT (!larder_txn_complete (&t));
    CU_ASSERT_EQUAL (larder_txn_final (&t, 2, LARDER_EGONE), 1); /* never seen */
    larder_txn_acquired (&t, 2);
    CU_ASSERT_EQUAL (larder_txn_find (&t, 2)->state, LARDER_FINAL);
    CU_ASSERT_EQUAL (larder_txn_find (&t, 2)->code, LARDER_EGONE);
    CU_ASSERT (t.unseen == 0 && t.done == 1 && t.failed == 1);
    CU_ASSERT (larder_txn_complete (&t));
    larder_txn_free (&t);
}

static void counts_add_up (void)
{
    struct larder_test_random r = larder_test_seed ();
    larder_error err;
    for (int round = 0; round < 200; ++round) {
        struct larder_txn t;
        int wrong = 0;
        CU_ASSERT_EQUAL_FATAL (larder_txn_init (&t, NULL, -1, SIZE, OWNER, &err), LARDER_OK);
        while (!larder_txn_complete (&t)) {
            int rank = (int)larder_test_below (&r, SIZE + 2) - 1, unseen = 0, done = 0, failed = 0;
            if (larder_test_below (&r, 2))
                larder_txn_acquired (&t, rank);
            else
                larder_txn_final (&t, rank, larder_test_below (&r, 2) ? LARDER_OK : LARDER_EGONE);
            for (int i = 0; i < t.count; ++i) {
                unseen += t.receivers[i].state == LARDER_UNSEEN;
                done += t.receivers[i].state == LARDER_FINAL && t.receivers[i].code == LARDER_OK;
                failed += t.receivers[i].state == LARDER_FINAL && t.receivers[i].code < 0;
            }
            wrong += unseen != t.unseen || done != t.done || failed != t.failed;
        }
        CU_ASSERT_EQUAL (wrong, 0);
        larder_txn_free (&t);
    }
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"who is declared", lists},
        {"lists that make no sense", bad_lists},
        {"a final state never changes", final_stays_final},
        {"the counts add up", counts_add_up},
        {NULL, NULL},
    };
    return larder_test_main ("txn", tests);
}
