/* SPDX-License-Identifier: Apache-2.0 */
/* Lazy refs over hops: ranks in the middle pass them on, and the data goes straight from its owner to
 * who resolves it. */
#include "larder_mpimessage.h"

enum { TAG_MESSAGE = 7, TAG_DONE = 8, LARGE = 50000, VALUES = 8 };

static const int everybody[] = {0, 1, 2, 3};
static const larder_resolve_options lazily = {.pass_through = 1};

/* All ranks may own. */
static larder *open_session (void)
{
    larder_config config = {.chunk_size = 64 << 10,
                            .cache_size = 8 << 20,
                            .owners = everybody,
                            .owner_count = mpitest_size};
    return mpiobject_open (&config);
}

static larder_encoded encode (larder *s, const larder_message *m, larder_receivers receivers,
                              const larder_encode_options *options)
{
    larder_encoded e = {0};
    larder_error err = {0};
    MPITEST_OK (larder_encode (s, m, receivers, options, &e, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL (e.bytes);
    return e;
}

static void name_of (char *name, int i)
{
    sprintf (name, "layers/%d", i);
}

/* A message of several large values, and a small one. */
static larder_encoded offer_layers (larder *s, uint64_t salt, larder_receivers receivers)
{
    char name[32];
    larder_message *m = mpimessage_new ();
    for (int i = 0; i < VALUES; ++i) {
        name_of (name, i);
        mpimessage_put (m, name, salt + (uint64_t)i, LARGE);
    }
    mpimessage_put (m, "small", salt + 100, 10);
    larder_encoded e = encode (s, m, receivers, NULL);
    CU_ASSERT (e.by_reference == VALUES && e.native == 1);
    larder_message_free (&m);
    return e;
}

/* Bytes that this rank has fetched or looked at. */
static uint64_t touched (larder *s)
{
    larder_stats stats;
    CU_ASSERT_EQUAL (larder_session_get_stats (s, &stats), LARDER_OK);
    return stats.bytes_fetched + stats.bytes_consumed;
}

static uint64_t produced (larder *s)
{
    larder_stats stats;
    CU_ASSERT_EQUAL (larder_session_get_stats (s, &stats), LARDER_OK);
    return stats.bytes_produced;
}

static void check_lazy (const larder_message *m, const char *name)
{
    larder_value v;
    larder_error err = {0};
    larder_ref_info info;
    MPITEST_OK (larder_message_get (m, name, &v, &err), err);
    CU_ASSERT_EQUAL (v.kind, LARDER_KIND_LAZY);
    CU_ASSERT (v.lazy.shape.type == LARDER_FLOAT64 && v.lazy.shape.ndims == 1);
    CU_ASSERT (v.lazy.shape.dims[0] == LARGE && v.lazy.size == 8 * LARGE && !v.data);
    MPITEST_OK (larder_ref_read (&v.lazy.ref, &info, &err), err);
    CU_ASSERT (info.item_count == 1 && info.owner == 0);
}

/* 0 -> 1 -> 2 -> ... -> last: the middle touches nothing, the last has everything. */
static void test_hops (void)
{
    larder_encoded e = {0};
    char name[32];
    if (mpitest_size < 2)
        return;
    int last = mpitest_size - 1;
    larder *s = open_session ();
    if (mpitest_rank == 0) {
        e = offer_layers (s, 1, LARDER_COUNT (1));
        mpimessage_send (&e, 1, TAG_MESSAGE);
        larder_encoded_free (&e);
        mpimessage_serve (s);
    } else {
        e = mpimessage_receive (s, mpitest_rank - 1, TAG_MESSAGE);
        larder_message *m = mpimessage_decode (s, &e, mpitest_rank < last ? &lazily : NULL);
        if (mpitest_rank < last) {
            /* What goes on is byte for byte what came: the tree is the same. */
            for (int i = 0; i < VALUES; ++i) {
                name_of (name, i);
                check_lazy (m, name);
            }
            larder_encoded next = encode (s, m, LARDER_ALL, NULL);
            CU_ASSERT (next.transaction == 0 && next.forwarded == VALUES && next.native == 1);
            CU_ASSERT (next.size == e.size && memcmp (next.bytes, e.bytes, e.size) == 0);
            mpimessage_send (&next, mpitest_rank + 1, TAG_MESSAGE);
            larder_encoded_free (&next);
            CU_ASSERT_EQUAL (touched (s), 0);
        } else {
            for (int i = 0; i < VALUES; ++i) {
                name_of (name, i);
                mpimessage_has (m, name, 1 + (uint64_t)i, LARGE);
            }
        }
        mpimessage_has (m, "small", 101, 10);
        larder_message_free (&m);
        larder_encoded_free (&e);
    }
    mpiobject_close (&s);
}

/* Who is in the middle passes 1 of 8 on: the receiver pulls 1, and the owner produces no more. */
static void test_one_of_eight (void)
{
    larder_error err = {0};
    larder_encoded e = {0};
    if (mpitest_size < 3)
        return;
    larder *s = open_session ();
    if (mpitest_rank == 0) {
        e = offer_layers (s, 1, LARDER_COUNT (1));
        mpimessage_send (&e, 1, TAG_MESSAGE);
        mpimessage_serve (s); /* one receiver is all it waits for */
        uint64_t bytes = produced (s);
        CU_ASSERT (bytes >= 8 * LARGE && bytes < 8 * LARGE + 2 * (64 << 10));
    } else if (mpitest_rank == 1) {
        e = mpimessage_receive (s, 0, TAG_MESSAGE);
        larder_message *all = mpimessage_decode (s, &e, &lazily), *one = mpimessage_new ();
        MPITEST_OK (larder_message_copy (one, "picked", all, "layers/5", &err), err);
        larder_encoded next = encode (s, one, LARDER_ALL, NULL);
        CU_ASSERT_EQUAL (next.forwarded, 1);
        mpimessage_send (&next, 2, TAG_MESSAGE);
        larder_encoded_free (&next);
        larder_message_free (&all);
        larder_message_free (&one);
    } else if (mpitest_rank == 2) {
        e = mpimessage_receive (s, 1, TAG_MESSAGE);
        larder_message *m = mpimessage_decode (s, &e, NULL);
        mpimessage_has (m, "picked", 6, LARGE);
        larder_message_free (&m);
        larder_stats stats;
        CU_ASSERT_EQUAL (larder_session_get_stats (s, &stats), LARDER_OK);
        CU_ASSERT_EQUAL (stats.bytes_consumed, 8 * LARGE);
    }
    larder_encoded_free (&e);
    mpiobject_close (&s);
}

/* The last rank merges lazy values of all others with one of its own and native ones, under one name space, and
 * rank 0 resolves them: nothing collides. */
static void test_merge (void)
{
    larder_error err = {0};
    larder_encoded e = {0};
    char name[32];
    if (mpitest_size < 2)
        return;
    int merger = mpitest_size - 1;
    larder *s = open_session ();
    if (mpitest_rank < merger) {
        e = offer_layers (s, 1000 * (uint64_t)(mpitest_rank + 1), LARDER_COUNT (1));
        mpimessage_send (&e, merger, TAG_MESSAGE);
        larder_encoded_free (&e);
    }
    if (mpitest_rank == merger) {
        larder_message *all = mpimessage_new ();
        for (int r = 0; r < merger; ++r) {
            e = mpimessage_receive (s, r, TAG_MESSAGE);
            larder_message *m = mpimessage_decode (s, &e, &lazily);
            sprintf (name, "from/%d", r);
            MPITEST_OK (larder_message_copy (all, name, m, "layers", &err), err);
            sprintf (name, "small/%d", r);
            MPITEST_OK (larder_message_copy (all, name, m, "small", &err), err);
            larder_message_free (&m);
            larder_encoded_free (&e);
        }
        mpimessage_put (all, "own", 9, LARGE);
        MPITEST_OK (larder_message_set_string (all, "text", "and a native one", &err), err);
        const int receiver[] = {0};
        e = encode (s, all, (larder_receivers){receiver, 1}, NULL);
        CU_ASSERT_EQUAL (e.forwarded, (uint64_t)merger * VALUES);
        CU_ASSERT (e.by_reference == 1 && e.native == (uint64_t)merger);
        larder_message_free (&all);
        mpimessage_send (&e, 0, TAG_MESSAGE);
        larder_encoded_free (&e);
    }
    if (mpitest_rank == 0) {
        e = mpimessage_receive (s, merger, TAG_MESSAGE);
        larder_message *m = mpimessage_decode (s, &e, NULL);
        for (int r = 0; r < merger; ++r)
            for (int i = 0; i <= VALUES; ++i) {
                sprintf (name, i < VALUES ? "from/%d/%d" : "small/%d", r, i);
                mpimessage_has (m, name,
                                1000 * (uint64_t)(r + 1) + (uint64_t)(i < VALUES ? i : 100),
                                i < VALUES ? LARGE : 10);
            }
        mpimessage_has (m, "own", 9, LARGE);
        larder_message_free (&m);
        larder_encoded_free (&e);
    }
    mpimessage_serve (s);
    mpiobject_close (&s);
}

/* Rank 1 is declared, and names two next receivers. */
static void test_split (void)
{
    static const int first[] = {1}, next[] = {2, 3};
    larder_error err = {0};
    larder_encoded e = {0};
    if (mpitest_size < 4)
        return;
    larder *s = open_session ();
    if (mpitest_rank == 0) {
        larder_receipt *r = NULL;
        e = offer_layers (s, 1, (larder_receivers){first, 1});
        mpimessage_send (&e, 1, TAG_MESSAGE);
        mpimessage_receipt (s, &e, &r);
        CU_ASSERT_PTR_NOT_NULL_FATAL (r);
        CU_ASSERT_EQUAL (r->verdict, LARDER_VERDICT_COMPLETED);
        CU_ASSERT_EQUAL (r->receivers, 2);
        for (int i = 0; i < r->receivers; ++i) {
            CU_ASSERT_EQUAL (r->object[0].lines[i].rank, next[i]);
            CU_ASSERT_EQUAL (r->object[0].lines[i].via, 1);
            CU_ASSERT_EQUAL (r->object[0].lines[i].verdict, LARDER_RECEIVER_SUCCEEDED);
        }
        larder_receipt_free (&r);
    } else if (mpitest_rank == 1) {
        larder_encode_options options = {.split = 1};
        e = mpimessage_receive (s, 0, TAG_MESSAGE);
        larder_message *m = mpimessage_decode (s, &e, &lazily);
        larder_encoded split = encode (s, m, (larder_receivers){next, 2}, &options);
        larder_message *again = mpimessage_decode (s, &split, &lazily);
        larder_encoded refused = {0};
        /* The same split once more is the same; another one is refused. */
        larder_encoded same = encode (s, again, (larder_receivers){next, 2}, &options);
        CU_ASSERT (same.size == split.size && memcmp (same.bytes, split.bytes, same.size) == 0);
        CU_ASSERT_EQUAL (larder_encode (s, again, LARDER_COUNT (3), &options, &refused, &err),
                         LARDER_ESPLIT);
        CU_ASSERT_EQUAL (larder_encode (s, m, LARDER_UNKNOWN, &options, &refused, &err),
                         LARDER_ESPLIT);
        CU_ASSERT_EQUAL (larder_encode (s, m, LARDER_ALL, &options, &refused, &err), LARDER_ESPLIT);
        for (int i = 0; i < 2; ++i)
            mpimessage_send (&split, next[i], TAG_MESSAGE);
        larder_encoded_free (&split);
        larder_encoded_free (&same);
        larder_message_free (&again);
        larder_message_free (&m);
    } else {
        e = mpimessage_receive (s, 1, TAG_MESSAGE);
        larder_message *m = mpimessage_decode (s, &e, NULL);
        mpimessage_has (m, "layers/3", 4, LARGE);
        larder_message_free (&m);
    }
    larder_encoded_free (&e);
    mpiobject_close (&s);
}

/* A rank in the middle that passes nothing on says so, and the owner need not wait for a timeout. */
static void test_not_passed_on (void)
{
    larder_error err = {0};
    larder_encoded e = {0};
    larder *s = open_session ();
    if (mpitest_rank == 0)
        e = offer_layers (s, 1, LARDER_ALL);
    mpimessage_share (&e, 0);
    if (mpitest_rank) {
        larder_message *m = mpimessage_decode (s, &e, &lazily);
        MPITEST_OK (larder_message_confirm (s, m, "", LARDER_OK, &err), err);
        larder_message_free (&m);
        CU_ASSERT_EQUAL (touched (s), 0);
    } else if (mpitest_size > 1) {
        larder_receipt *r = NULL;
        mpimessage_receipt (s, &e, &r);
        CU_ASSERT (r && r->verdict == LARDER_VERDICT_COMPLETED);
        larder_receipt_free (&r);
        CU_ASSERT_EQUAL (produced (s), 0);
    }
    larder_encoded_free (&e);
    mpiobject_close (&s);
}

/* The sender may ask for pass-through; a hop without a session re-encodes as well. */
static void test_sender_asks (void)
{
    larder_error err = {0};
    larder_encoded e = {0};
    larder *s = open_session ();
    if (mpitest_rank == 0) {
        larder_encode_options options = {.pass_through = 1};
        larder_message *m = mpimessage_new ();
        mpimessage_put (m, "layers/0", 1, LARGE);
        e = encode (s, m, LARDER_ALL, &options);
        larder_message_free (&m);
    }
    mpimessage_share (&e, 0);
    larder_message *m = mpimessage_decode (s, &e, NULL), *plain = NULL;
    check_lazy (m, "layers/0");
    CU_ASSERT_EQUAL (larder_message_has_lazy (m, "layers"), 1);
    MPITEST_OK (larder_message_decode (e.bytes, e.size, NULL, &plain, &err), err);
    check_lazy (plain, "layers/0");
    larder_encoded next = {0};
    MPITEST_OK (larder_message_encode (plain, NULL, NULL, &next, &err), err);
    CU_ASSERT_EQUAL (next.forwarded, 1);
    larder_encoded_free (&next);
    larder_message_free (&plain);
    if (mpitest_rank) {
        MPITEST_OK (larder_resolve (s, m, "", NULL, &err), err);
        mpimessage_has (m, "layers/0", 1, LARGE);
    } else if (mpitest_size > 1) {
        mpimessage_serve (s);
    }
    larder_message_free (&m);
    larder_encoded_free (&e);
    mpiobject_close (&s);
}

int main (int argc, char **argv)
{
    static const struct larder_test tests[] = {
        {"hops", test_hops},
        {"one of eight", test_one_of_eight},
        {"merge", test_merge},
        {"split", test_split},
        {"not passed on", test_not_passed_on},
        {"the sender asks", test_sender_asks},
        {NULL, NULL},
    };
    return mpitest_main (argc, argv, "forward", tests);
}
