/* SPDX-License-Identifier: Apache-2.0 */
/* What larder believes of MPI, without larder: windows of all ranks of a node over one shared segment,
 * words that only grow, and words that arrive while their reader looks.  Each with a control that
 * shows what the test would see if it were otherwise. */
#include "larder_mpitest.h"
#include "larder_wire.h"

enum { PAGE = 4096, WORDS = 2048, DATA = 200000, PIECE = 60000, RECORD = 8 };

/* Some MPIs (Open MPI 4 with osc rdma, MPICH 4.0) compare unsigned words as signed ones, so the highest bit
 * of a growing word must not be used. */
#define SIGN UINT64_C (0x8000000000000000)

static MPI_Comm node_comm;
static MPI_Win segment = MPI_WIN_NULL, window = MPI_WIN_NULL;
static unsigned char *base;
static int node_rank, node_size;
static int *leader_of; /* lowest rank of each rank's node */

/* The segment: words, then bytes that the node's leader writes, then a landing place per rank. */
static size_t data_at (void)
{
    return WORDS * sizeof (uint64_t);
}

static size_t landing (int local)
{
    return data_at () + DATA + (size_t)local * (PIECE + 2 * PAGE) + PAGE;
}

static larder_word *word (size_t i)
{
    return (larder_word *)(void *)(base + i * sizeof (uint64_t));
}

static unsigned char byte_of (int leader, size_t i)
{
    return mpitest_byte (i + (uint64_t)leader * 1000003);
}

/* Look once, as larder does: load after this. */
static void look (void)
{
    int flag;
    CU_ASSERT_EQUAL (MPI_Win_sync (window), MPI_SUCCESS);
    CU_ASSERT_EQUAL (
        MPI_Iprobe (MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &flag, MPI_STATUS_IGNORE),
        MPI_SUCCESS);
}

static void barrier (void)
{
    MPI_Request request;
    int done = 0;
    MPI_Win_sync (window);
    MPI_Ibarrier (MPI_COMM_WORLD, &request);
    while (!done) {
        MPI_Test (&request, &done, MPI_STATUS_IGNORE);
        MPI_Win_sync (window);
    }
}

static void make_segment (void)
{
    MPI_Aint length;
    int unit, mine;
    MPI_Comm_split_type (MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node_comm);
    MPI_Comm_rank (node_comm, &node_rank);
    MPI_Comm_size (node_comm, &node_size);
    leader_of = calloc ((size_t)mpitest_size, sizeof *leader_of);
    mine = mpitest_rank;
    MPI_Bcast (&mine, 1, MPI_INT, 0, node_comm);
    MPI_Allgather (&mine, 1, MPI_INT, leader_of, 1, MPI_INT, MPI_COMM_WORLD);
    MPI_Aint size = (MPI_Aint)landing (node_size) + PAGE;
    CU_ASSERT_EQUAL_FATAL (MPI_Win_allocate_shared (node_rank == 0 ? size : 0, 1, MPI_INFO_NULL,
                                                    node_comm, &base, &segment),
                           MPI_SUCCESS);
    CU_ASSERT_EQUAL_FATAL (MPI_Win_shared_query (segment, 0, &length, &unit, &base), MPI_SUCCESS);
    CU_ASSERT_FATAL (length >= size);
    base += (PAGE - (uintptr_t)base % PAGE) % PAGE;
    if (node_rank == 0) {
        memset (base, 0, landing (node_size));
        for (size_t i = 0; i < DATA; ++i)
            base[data_at () + i] = byte_of (mpitest_rank, i);
    }
}

/* Every rank makes its window over the same segment. */
static void test_create (void)
{
    int *model = NULL, flag = 0, last = mpitest_rank, rc;
    make_segment ();
    MPI_Comm_set_errhandler (MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    rc = MPI_Win_create (base, (MPI_Aint)landing (node_size), 1, MPI_INFO_NULL, MPI_COMM_WORLD,
                         &window);
    MPI_Comm_set_errhandler (MPI_COMM_WORLD, MPI_ERRORS_ARE_FATAL);
    if (rc != MPI_SUCCESS && node_size == mpitest_size) {
        /* larder has no such window on one node. */
        fprintf (stderr, "NOT RUN: this MPI makes no window of %d ranks on one node\n",
                 mpitest_size);
        window = MPI_WIN_NULL;
        return;
    }
    CU_ASSERT_EQUAL_FATAL (rc, MPI_SUCCESS);
    CU_ASSERT_EQUAL (MPI_Win_set_errhandler (window, MPI_ERRORS_RETURN), MPI_SUCCESS);
    CU_ASSERT_EQUAL (MPI_Win_get_attr (window, MPI_WIN_MODEL, &model, &flag), MPI_SUCCESS);
    CU_ASSERT (flag && *model == MPI_WIN_UNIFIED);
    CU_ASSERT_EQUAL (MPI_Win_lock_all (MPI_MODE_NOCHECK, window), MPI_SUCCESS);
    /* It is one segment: what the last rank of the node stores, all of it load. */
    if (node_rank == node_size - 1)
        atomic_store (word (0), (uint64_t)mpitest_rank + 77);
    MPI_Bcast (&last, 1, MPI_INT, node_size - 1, node_comm);
    MPI_Win_sync (window);
    CU_ASSERT_EQUAL (atomic_load (word (0)), (uint64_t)last + 77);
}

/* An error comes back: the window's handler, not the communicator's, decides. */
static void test_errors_return (void)
{
    if (window == MPI_WIN_NULL)
        return;
    MPI_Request request;
    char byte;
    int rc = MPI_Rget (&byte, 1, MPI_BYTE, mpitest_size, 0, 1, MPI_BYTE, window, &request);
    CU_ASSERT_NOT_EQUAL (rc, MPI_SUCCESS);
    rc = MPI_Rget (&byte, 1, MPI_BYTE, mpitest_rank, (MPI_Aint)data_at (), 1, MPI_BYTE, window,
                   &request);
    CU_ASSERT_EQUAL (rc, MPI_SUCCESS);
    CU_ASSERT_EQUAL (MPI_Wait (&request, MPI_STATUS_IGNORE), MPI_SUCCESS);
    CU_ASSERT_EQUAL ((unsigned char)byte, byte_of (leader_of[mpitest_rank], 0));
    barrier ();
}

/* Rget from the segment of any rank's node, through that rank, into this node's shared segment. */
static void test_rget (void)
{
    if (window == MPI_WIN_NULL)
        return;
    unsigned char *to = base + landing (node_rank);
    for (int target = 0; target < mpitest_size; ++target) {
        size_t from = (size_t)(mpitest_rank * 17 + target * 4096) % (DATA - PIECE);
        MPI_Request request;
        int done = 0, differs = 0, wrong = 0, outside = 0;
        memset (to - 8, 0xee, PIECE + 16);
        CU_ASSERT_EQUAL (MPI_Rget (to, PIECE, MPI_BYTE, target, (MPI_Aint)(data_at () + from),
                                   PIECE, MPI_BYTE, window, &request),
                         MPI_SUCCESS);
        while (!done)
            CU_ASSERT_EQUAL_FATAL (MPI_Test (&request, &done, MPI_STATUS_IGNORE), MPI_SUCCESS);
        MPI_Win_sync (window);
        for (size_t i = 0; i < PIECE; ++i) {
            wrong += to[i] != byte_of (leader_of[target], from + i);
            differs += to[i] != byte_of (leader_of[target] + 1, from + i);
        }
        for (size_t i = 1; i <= 8; ++i)
            outside += (to[-(ptrdiff_t)i] != 0xee) + (to[PIECE + i - 1] != 0xee);
        CU_ASSERT_EQUAL (wrong, 0);
        CU_ASSERT_EQUAL (outside, 0);
        CU_ASSERT (differs > PIECE / 2); /* control: another node's bytes would be seen */
    }
    barrier ();
}

static void accumulate (size_t at, int target, const uint64_t *values, int n, MPI_Op op)
{
    MPI_Request request;
    CU_ASSERT_EQUAL (MPI_Raccumulate (values, n, MPI_UINT64_T, target,
                                      (MPI_Aint)(at * sizeof *values), n, MPI_UINT64_T, op, window,
                                      &request),
                     MPI_SUCCESS);
    CU_ASSERT_EQUAL (MPI_Win_flush_local (target, window), MPI_SUCCESS);
    CU_ASSERT_EQUAL (MPI_Wait (&request, MPI_STATUS_IGNORE), MPI_SUCCESS);
}

static void wait_for (size_t at, uint64_t value)
{
    for (look (); atomic_load (word (at)) != value;)
        look ();
}

/* All ranks raise one word of every rank, out of order: the largest {life, count} stays. */
static void test_max_keeps_the_larger (void)
{
    if (window == MPI_WIN_NULL)
        return;
    enum { MAX_AT = 64, HIGH_AT = 128, REPLACED_AT = 192, LAST_AT = 256 };
    uint64_t top = SIGN - 1, value;
    atomic_store (word (HIGH_AT + (size_t)node_rank), top);
    barrier ();
    for (int t = 0; t < mpitest_size; ++t) {
        size_t mine =
            0; /* each rank has words of its own, in the same segment as its neighbours' */
        for (int i = leader_of[t]; i < t; ++i)
            mine += leader_of[i] == leader_of[t];
        for (uint64_t i = 0; i < 40; ++i) {
            value = larder_wire_word (2 + i * 7 % 40, i * 13 % 40);
            accumulate (MAX_AT + mine, t, &value, 1, MPI_MAX);
        }
        value = larder_wire_word (42, (uint64_t)mpitest_rank); /* above all lives before */
        accumulate (MAX_AT + mine, t, &value, 1, MPI_MAX);
        value = larder_wire_word (41, LARDER_COUNT_MAX); /* an older life, however far */
        accumulate (MAX_AT + mine, t, &value, 1, MPI_MAX);
        /* Control: a word that begins at the highest life stays, and what REPLACE writes does not. */
        accumulate (HIGH_AT + mine, t, &value, 1, MPI_MAX);
        accumulate (REPLACED_AT + mine, t, &top, 1, MPI_REPLACE);
        value = larder_wire_word (1, 1);
        accumulate (REPLACED_AT + mine, t, &value, 1, MPI_REPLACE);
        /* Same origin, same target: this is the last of them. */
        value = 1;
        accumulate (LAST_AT + 64 * (size_t)mpitest_rank + mine, t, &value, 1, MPI_REPLACE);
        CU_ASSERT_EQUAL (MPI_Win_flush (t, window), MPI_SUCCESS);
    }
    for (int r = 0; r < mpitest_size; ++r)
        wait_for (LAST_AT + 64 * (size_t)r + (size_t)node_rank, 1);
    barrier ();
    MPI_Win_sync (window);
    CU_ASSERT_EQUAL (atomic_load (word (MAX_AT + (size_t)node_rank)),
                     larder_wire_word (42, (uint64_t)mpitest_size - 1));
    CU_ASSERT_EQUAL (atomic_load (word (HIGH_AT + (size_t)node_rank)), top);
    CU_ASSERT_EQUAL (atomic_load (word (REPLACED_AT + (size_t)node_rank)), larder_wire_word (1, 1));
    barrier ();
}

static size_t mailbox (int rank)
{
    size_t local = 0;
    for (int i = leader_of[rank]; i < rank; ++i)
        local += leader_of[i] == leader_of[rank];
    return 1024 + 16 * local;
}

static int whole (const uint64_t *record)
{
    return larder_wire_check (record, RECORD) == record[RECORD - 1];
}

/* A record goes round the ranks: written with Raccumulate and flush_local, seen by load + Win_sync +
 * Iprobe.  Nobody waits for a remote completion. */
static void test_words_arrive (void)
{
    if (window == MPI_WIN_NULL)
        return;
    int next = (mpitest_rank + 1) % mpitest_size, torn = 0;
    uint64_t record[RECORD];
    size_t mine = mailbox (mpitest_rank);
    /* Control: nobody has written, so looking shows nothing. */
    for (int i = 0; i < 200; ++i)
        look ();
    for (size_t i = 0; i < RECORD; ++i)
        CU_ASSERT_EQUAL (atomic_load (word (mine + i)), 0);
    barrier ();
    for (uint64_t round = 1; round <= 100; ++round) {
        for (size_t i = 0; i < RECORD; ++i)
            record[i] = round * 100 + i;
        record[RECORD - 1] = larder_wire_check (record, RECORD);
        if (mpitest_rank == 0)
            accumulate (mailbox (next), next, record, RECORD, MPI_REPLACE);
        uint64_t seen[RECORD];
        do {
            look ();
            for (size_t i = 0; i < RECORD; ++i)
                seen[i] = atomic_load (word (mine + i));
            torn += seen[0] == round * 100 && !whole (seen);
        } while (seen[0] != round * 100 || !whole (seen));
        CU_ASSERT (memcmp (seen, record, sizeof seen) == 0);
        if (mpitest_rank != 0)
            accumulate (mailbox (next), next, record, RECORD, MPI_REPLACE);
    }
    record[3] ^= 1; /* control: half of another record is not taken for whole */
    CU_ASSERT (!whole (record));
    printf ("%d looks at half a record ", torn);
    barrier ();
}

/* Controls that may go either way: what this MPI does without the rules that larder keeps. */
static void test_without_the_rules (void)
{
    if (window == MPI_WIN_NULL)
        return;
    enum { AT = 1900, LOOKS = 2000 };
    uint64_t one = 1, got = 0;
    int last = mpitest_size - 1, unflushed = 0, self_polls = 0, sign = 0;
    MPI_Request request = MPI_REQUEST_NULL;
    size_t at = AT + 2 * (size_t)node_rank;
    barrier ();
    if (mpitest_rank == 0)
        MPI_Raccumulate (&one, 1, MPI_UINT64_T, last,
                         (MPI_Aint)((AT + 2 * (mailbox (last) - 1024) / 16) * sizeof one), 1,
                         MPI_UINT64_T, MPI_MAX, window, &request);
    for (int i = 0; i < LOOKS; ++i)
        look ();
    unflushed = atomic_load (word (at)) == 1;
    if (mpitest_rank == 0) {
        CU_ASSERT_EQUAL (MPI_Win_flush_local (last, window), MPI_SUCCESS);
        CU_ASSERT_EQUAL (MPI_Wait (&request, MPI_STATUS_IGNORE), MPI_SUCCESS);
    }
    if (mpitest_rank == last)
        wait_for (at, 1);
    barrier ();
    if (mpitest_rank == 0)
        accumulate (AT + 2 * (mailbox (last) - 1024) / 16 + 1, last, &one, 1, MPI_MAX);
    if (mpitest_rank == last) {
        for (int i = 0; i < LOOKS && !got; ++i) {
            MPI_Fetch_and_op (&one, &got, MPI_UINT64_T, last, (MPI_Aint)((at + 1) * sizeof one),
                              MPI_NO_OP, window);
            MPI_Win_flush (last, window);
        }
        self_polls = got == 1;
        wait_for (at + 1, 1);
    }
    barrier ();
    if (mpitest_rank == 0) {
        uint64_t high = SIGN | 1;
        accumulate (AT + 2 * (mailbox (last) - 1024) / 16 + 1, last, &high, 1, MPI_MAX);
        CU_ASSERT_EQUAL (MPI_Win_flush (last, window), MPI_SUCCESS);
    }
    barrier ();
    sign = atomic_load (word (at + 1)) == 1;
    int at_last[3] = {unflushed, self_polls, sign};
    MPI_Bcast (at_last, 3, MPI_INT, last, MPI_COMM_WORLD);
    printf ("a word that was not flushed %s; polling by an operation on the own rank serves %s; "
            "MAX takes the "
            "highest bit for %s ",
            at_last[0] ? "came" : "did not come", at_last[1] ? "the peer" : "nobody",
            at_last[2] ? "a sign" : "a digit");
    barrier ();
}

static void test_free (void)
{
    if (window != MPI_WIN_NULL) {
        CU_ASSERT_EQUAL (MPI_Win_unlock_all (window), MPI_SUCCESS);
        CU_ASSERT_EQUAL (MPI_Win_free (&window), MPI_SUCCESS);
    }
    /* The segment outlives the windows over it. */
    CU_ASSERT_EQUAL (base[data_at () + 5], byte_of (leader_of[mpitest_rank], 5));
    CU_ASSERT_EQUAL (MPI_Win_free (&segment), MPI_SUCCESS);
    MPI_Comm_free (&node_comm);
    free (leader_of);
}

int main (int argc, char **argv)
{
    static const struct larder_test tests[] = {
        {"windows over one segment", test_create},
        {"errors return", test_errors_return},
        {"Rget through any rank", test_rget},
        {"MAX keeps the larger", test_max_keeps_the_larger},
        {"words arrive", test_words_arrive},
        {"without the rules", test_without_the_rules},
        {"free", test_free},
        {NULL, NULL},
    };
    return mpitest_main (argc, argv, "mpi_facts", tests);
}
