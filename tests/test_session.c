/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: opening and closing, on every kind of communicator, with settings from everywhere, good and
 * bad; agreements; closing in the middle of things. */
#define _GNU_SOURCE
#include "larder_mpiobject.h"
#include <dirent.h>
#include <sys/statvfs.h>

enum { CHUNK = 4096, SLOTS = 16, ITEMS = 60, TAG_DONE = 1, TAG_FAR = 2 };

static const larder_config small = {
    .chunk_size = CHUNK, .cache_size = SLOTS * CHUNK, .timeout_s = 60};

static uint64_t size_chunk (uint64_t item)
{
    (void)item;
    return CHUNK;
}

/* What a process would leak: open files and shared segments. */
struct held {
    int files, segments;
};

static struct held held (void)
{
    struct held h = {0, 0};
    char line[1024];
    DIR *d = opendir ("/proc/self/fd");
    while (d && readdir (d))
        ++h.files;
    if (d)
        closedir (d);
    FILE *maps = fopen ("/proc/self/maps", "r");
    while (maps && fgets (line, sizeof line, maps))
        h.segments += strstr (line, "/dev/shm/") != NULL;
    if (maps)
        fclose (maps);
    return h;
}

static void nothing_leaked (struct held before)
{
    struct held now = held ();
    CU_ASSERT (now.files > 0);
    CU_ASSERT_EQUAL (now.files, before.files);
    CU_ASSERT_EQUAL (now.segments, before.segments);
}

/* Rank 0 of the session's communicator offers, everybody else has it afterwards. */
static void transfer (larder *s, MPI_Comm comm, uint64_t salt)
{
    larder_error err = {0};
    larder_session_info info;
    larder_ref ref;
    struct mpiobject o = mpiobject_make (ITEMS, size_chunk);
    o.salt = salt;
    larder_object object = {.ops = &mpiobject_sized, .self = &o, .name = "thing"};
    CU_ASSERT_EQUAL (larder_session_get_info (s, &info), LARDER_OK);
    if (info.rank == 0)
        MPITEST_OK (larder_offer (s, &object, LARDER_ALL, &ref, &err), err);
    MPI_Bcast (&ref, sizeof ref, MPI_BYTE, 0, comm);
    if (info.rank || info.size == 1) {
        struct mpisink k = {.object = &o};
        larder_consumer consumer = mpisink_consumer (&k);
        MPITEST_OK (larder_download (s, &ref, &consumer, &err), err);
        mpisink_check_all (&k);
    }
    if (info.size == 1)
        MPITEST_OK (larder_withdraw (s, &ref, &err), err);
    else if (info.rank == 0)
        MPITEST_OK (larder_serve (s, 0, &err), err);
    CU_ASSERT_EQUAL (o.releases, info.rank == 0);
}

/* The same code and text on all ranks, and nothing opened. */
static void refused (const larder_config *config, MPI_Info hints, int code, const char *text)
{
    larder *s = NULL;
    larder_error err = {0}, first;
    int rc = larder_open (MPI_COMM_WORLD, config, hints, &s, &err);
    CU_ASSERT_EQUAL (rc, code);
    CU_ASSERT_EQUAL (err.code, code);
    CU_ASSERT_PTR_NULL (s);
    CU_ASSERT_PTR_NOT_NULL (strstr (err.text, text));
    if (!strstr (err.text, text))
        fprintf (stderr, "rank %d: \"%s\" is not in \"%s\"\n", mpitest_rank, text, err.text);
    first = err;
    MPI_Bcast (&first, sizeof first, MPI_BYTE, 0, MPI_COMM_WORLD);
    CU_ASSERT_STRING_EQUAL (err.text, first.text);
    CU_ASSERT_EQUAL (err.rank, first.rank);
    if (s)
        (void)larder_close (&s, NULL);
}

/* ---------------------------------------------------------------- opening and closing */

static void test_many_times (void)
{
    struct held early = {0, 0};
    uint64_t before = 0;
    for (int i = 0; i < 30; ++i) {
        larder_session_info info;
        larder *s = mpiobject_open (&small);
        CU_ASSERT_EQUAL (larder_session_get_info (s, &info), LARDER_OK);
        CU_ASSERT_NOT_EQUAL (info.id, before);
        before = info.id;
        if (i % 10 == 0)
            transfer (s, MPI_COMM_WORLD, (uint64_t)i);
        mpiobject_close (&s);
        MPI_Barrier (MPI_COMM_WORLD);
        if (i == 10)
            early = held (); /* by now MPI has what it keeps */
    }
    nothing_leaked (early);
}

static void test_info (void)
{
    larder_session_info info, first;
    larder *s = mpiobject_open (&small);
    CU_ASSERT_EQUAL (larder_session_get_info (s, &info), LARDER_OK);
    CU_ASSERT_EQUAL (info.rank, mpitest_rank);
    CU_ASSERT_EQUAL (info.size, mpitest_size);
    CU_ASSERT (info.node >= 0 && info.node < info.node_count);
    CU_ASSERT (info.node_rank >= 0 && info.node_rank < info.node_size);
    CU_ASSERT_EQUAL (info.chunk_size, CHUNK);
    CU_ASSERT_EQUAL (info.cache_size, SLOTS * CHUNK);
    CU_ASSERT_EQUAL (info.slot_count, SLOTS);
    CU_ASSERT (info.control_size > 0);
    CU_ASSERT_STRING_EQUAL (info.transport, info.node_count > 1 ? "one-sided" : "shared memory");
    first = info;
    MPI_Bcast (&first, sizeof first, MPI_BYTE, 0, MPI_COMM_WORLD);
    CU_ASSERT_EQUAL (info.id, first.id);
    CU_ASSERT_EQUAL (info.node_count, first.node_count);
    CU_ASSERT_EQUAL (first.node, 0); /* nodes are numbered by their lowest rank */
    CU_ASSERT_EQUAL (larder_session_get_info (NULL, &info), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_session_get_info (s, NULL), LARDER_EINVAL);
    mpiobject_close (&s);
    CU_ASSERT_EQUAL (larder_close (&s, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_close (NULL, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_open (MPI_COMM_WORLD, &small, MPI_INFO_NULL, NULL, NULL),
                     LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_progress (NULL, 1, 0, NULL), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_serve (NULL, 0, NULL), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_agree (NULL, 0, NULL, NULL), LARDER_EINVAL);
}

static void test_other_communicators (void)
{
    larder_error err = {0};
    larder *self = NULL, *half = NULL;
    MPI_Comm comm;
    MPITEST_OK (larder_open (MPI_COMM_SELF, &small, MPI_INFO_NULL, &self, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL (self);
    transfer (self, MPI_COMM_SELF, (uint64_t)mpitest_rank);
    /* Odd and even ranks, in reverse order. */
    MPI_Comm_split (MPI_COMM_WORLD, mpitest_rank % 2, -mpitest_rank, &comm);
    MPITEST_OK (larder_open (comm, &small, MPI_INFO_NULL, &half, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL (half);
    transfer (half, comm, 7);
    /* The session has a communicator of its own. */
    MPI_Comm mine = comm;
    MPI_Comm_dup (comm, &comm);
    MPI_Comm_free (&mine);
    transfer (half, comm, 8);
    mpiobject_close (&half);
    mpiobject_close (&self);
    MPI_Comm_free (&comm);
}

static void test_two_sessions (void)
{
    larder_error err = {0};
    larder *a = mpiobject_open (&small), *b = mpiobject_open (NULL);
    larder_session_info info;
    struct mpiobject oa = mpiobject_make (ITEMS, size_chunk), ob = oa;
    struct mpisink ka = {.object = &oa}, kb = {.object = &ob};
    larder_consumer ca = mpisink_consumer (&ka), cb = mpisink_consumer (&kb);
    larder_request *ra = NULL, *rb = NULL;
    larder_ref refs[2];
    ob.salt = 99;
    CU_ASSERT_EQUAL (larder_session_get_info (b, &info), LARDER_OK);
    CU_ASSERT_EQUAL (info.chunk_size, 256 << 10);
    CU_ASSERT_EQUAL (info.cache_size, 64 << 20);
    if (mpitest_rank == 0) {
        larder_object object = {.ops = &mpiobject_sized, .self = &oa};
        MPITEST_OK (larder_offer (a, &object, LARDER_ALL, &refs[0], &err), err);
        object.self = &ob;
        MPITEST_OK (larder_offer (b, &object, LARDER_ALL, &refs[1], &err), err);
    }
    MPI_Bcast (refs, sizeof refs, MPI_BYTE, 0, MPI_COMM_WORLD);
    CU_ASSERT_EQUAL (larder_download_start (a, &refs[1], &cb, &rb, &err), LARDER_ESESSION);
    if (mpitest_rank) {
        MPITEST_OK (larder_download_start (a, &refs[0], &ca, &ra, &err), err);
        MPITEST_OK (larder_download_start (b, &refs[1], &cb, &rb, &err), err);
        /* A session makes progress inside its own calls. */
        int doing_a = 1, doing_b = 1, rc;
        while (doing_a || doing_b) {
            if (doing_a && (rc = larder_download_test (&ra, &err)) != LARDER_AGAIN) {
                MPITEST_OK (rc, err);
                doing_a = 0;
            }
            if (doing_b && (rc = larder_download_test (&rb, &err)) != LARDER_AGAIN) {
                MPITEST_OK (rc, err);
                doing_b = 0;
            }
        }
        mpisink_check_all (&ka);
        mpisink_check_all (&kb);
        mpiobject_tell (0, TAG_DONE);
    } else
        for (int left = mpitest_size - 1; left > 0;) {
            int flag = 0;
            MPI_Status status;
            CU_ASSERT_FATAL (larder_progress (a, 4, 0, &err) >= 0);
            CU_ASSERT_FATAL (larder_progress (b, 4, 0, &err) >= 0);
            MPI_Iprobe (MPI_ANY_SOURCE, TAG_DONE, MPI_COMM_WORLD, &flag, &status);
            if (flag) {
                mpiobject_hear (status.MPI_SOURCE, TAG_DONE);
                --left;
            }
        }
    mpiobject_close (&b);
    mpiobject_close (&a);
}

static void my_handler (MPI_Comm *comm, int *code, ...)
{
    (void)comm;
    (void)code;
}

static void test_errhandler_stays (void)
{
    MPI_Comm comm;
    MPI_Errhandler mine, now;
    larder_error err = {0};
    larder *s = NULL;
    MPI_Comm_dup (MPI_COMM_WORLD, &comm);
    MPI_Comm_create_errhandler (my_handler, &mine);
    MPI_Comm_set_errhandler (comm, mine);
    MPITEST_OK (larder_open (comm, &small, MPI_INFO_NULL, &s, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL (s);
    MPI_Comm_get_errhandler (comm, &now);
    CU_ASSERT (now == mine);
    MPI_Errhandler_free (&now);
    transfer (s, comm, 1);
    mpiobject_close (&s);
    MPI_Comm_get_errhandler (comm, &now);
    CU_ASSERT (now == mine);
    MPI_Errhandler_free (&now);
    MPI_Errhandler_free (&mine);
    MPI_Comm_free (&comm);
}

/* ---------------------------------------------------------------- settings */

static void test_bad_settings (void)
{
    int last = mpitest_size - 1, twice[] = {0, 0}, above[] = {mpitest_size};
    char who[32];
    larder_config bad = small;
    bad.chunk_size = 100;
    refused (&bad, MPI_INFO_NULL, LARDER_ERANGE, "chunk_size");
    bad = small;
    bad.cache_size = 3 * CHUNK; /* fewer than four chunks, and under the lower bound */
    refused (&bad, MPI_INFO_NULL, LARDER_ERANGE, "cache_size");
    bad = small;
    bad.chunk_size = 8 * CHUNK;
    refused (&bad, MPI_INFO_NULL, LARDER_ERANGE, "cache_size");
    bad = small;
    bad.timeout_s = -1;
    refused (&bad, MPI_INFO_NULL, LARDER_ERANGE, "timeout");
    bad = small;
    bad.max_lines = 65;
    refused (&bad, MPI_INFO_NULL, LARDER_ERANGE, "max_lines");
    bad = small;
    bad.owners = above;
    bad.owner_count = 1;
    refused (&bad, MPI_INFO_NULL, LARDER_EINVAL, "owners");
    bad.owners = twice;
    bad.owner_count = 2;
    refused (&bad, MPI_INFO_NULL, LARDER_EINVAL, "twice");
    /* On one rank only: all hear of it. */
    bad = small;
    if (mpitest_rank == last)
        bad.chunk_size = 100;
    refused (&bad, MPI_INFO_NULL, LARDER_ERANGE, "chunk_size");
    snprintf (who, sizeof who, "rank %d", last);
    refused (&bad, MPI_INFO_NULL, LARDER_ERANGE, who);
}

static void test_different_settings (void)
{
    int last = mpitest_size - 1, mine[] = {mpitest_rank};
    larder_config other = small;
    if (mpitest_size == 1)
        return;
    if (mpitest_rank == last)
        other.cache_size = 32 * CHUNK;
    refused (&other, MPI_INFO_NULL, LARDER_EMISMATCH, "differ");
    other = small;
    if (mpitest_rank == last)
        other.hold_timeout_s = 5;
    refused (&other, MPI_INFO_NULL, LARDER_EMISMATCH, "differ");
    other = small;
    other.owners = mine;
    other.owner_count = 1;
    refused (&other, MPI_INFO_NULL, LARDER_EMISMATCH, "differ");
}

/* Control words would take more than an eighth of the cache: the text has the figures. */
static void test_too_many_words (void)
{
    larder_config bad = small;
    bad.max_lines = 64;
    bad.max_objects = 4096;
    bad.cache_size = 64 * CHUNK;
    int *owners = calloc ((size_t)mpitest_size, sizeof *owners), on_hosts = 0;
    for (int i = 0; i < mpitest_size; ++i)
        owners[i] = i;
    bad.owners = owners;
    bad.owner_count = mpitest_size;
    larder_error err = {0};
    larder *s = NULL;
    /* Words are for each owner, line and rank of a node: those of few ranks do fit. */
    int rc = larder_open (MPI_COMM_WORLD, &bad, MPI_INFO_NULL, &s, &err);
    if (rc == LARDER_OK) {
        larder_session_info info;
        CU_ASSERT_EQUAL (larder_session_get_info (s, &info), LARDER_OK);
        on_hosts = info.node_count > 1;
        CU_ASSERT (info.control_size <= 1 << 20);
        mpiobject_close (&s);
    } else
        refused (&bad, MPI_INFO_NULL, LARDER_ERANGE, "max_lines 64");
    CU_ASSERT (rc == LARDER_OK || rc == LARDER_ERANGE);
    CU_ASSERT (rc == LARDER_ERANGE || mpitest_size < 4 || on_hosts);
    free (owners);
}

/* More shared memory than there is. */
static void test_no_room (void)
{
    struct statvfs vfs;
    uint64_t mine = 0, most = 0;
    if (statvfs ("/dev/shm", &vfs) == 0)
        mine = (uint64_t)vfs.f_bavail * vfs.f_frsize;
    MPI_Allreduce (&mine, &most, 1, MPI_UINT64_T, MPI_MAX, MPI_COMM_WORLD);
    if (most == 0) {
        fprintf (stderr, "NOT RUN: there is no /dev/shm to be too small\n");
        return;
    }
    larder_config big = {
        .chunk_size = 1 << 20, .cache_size = most + (UINT64_C (1) << 30), .timeout_s = 60};
    struct held before = held ();
    for (int i = 0; i < 3; ++i)
        refused (&big, MPI_INFO_NULL, LARDER_ENOMEM, "/dev/shm");
    refused (&big, MPI_INFO_NULL, LARDER_ENOMEM, "cache_size");
    nothing_leaked (before);
    /* The next one opens. */
    larder *s = mpiobject_open (&small);
    transfer (s, MPI_COMM_WORLD, 3);
    mpiobject_close (&s);
}

/* What is in force with these sources. */
static uint64_t chunk_size_of (const larder_config *config, MPI_Info hints)
{
    larder_error err = {0};
    larder_session_info info = {0};
    larder *s = NULL;
    MPITEST_OK (larder_open (MPI_COMM_WORLD, config, hints, &s, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL (s);
    CU_ASSERT_EQUAL (larder_session_get_info (s, &info), LARDER_OK);
    mpiobject_close (&s);
    return info.chunk_size;
}

static void test_precedence (void)
{
    MPI_Info hints;
    larder_config config = {.chunk_size = 4 * CHUNK};
    MPI_Info_create (&hints);
    MPI_Info_set (hints, "larder_chunk_size", "8KiB");
    MPI_Info_set (hints, "larder_cache_size", "1M");
    MPI_Info_set (hints, "somebody_elses", "nonsense");
    CU_ASSERT_EQUAL (chunk_size_of (NULL, MPI_INFO_NULL), 256 << 10);
    CU_ASSERT_EQUAL (setenv ("LARDER_CHUNK_SIZE", "4K", 1), 0);
    CU_ASSERT_EQUAL (chunk_size_of (NULL, MPI_INFO_NULL), 4096);
    CU_ASSERT_EQUAL (chunk_size_of (NULL, hints), 8192);
    CU_ASSERT_EQUAL (chunk_size_of (&config, hints), 4 * CHUNK);
    CU_ASSERT_EQUAL (chunk_size_of (&config, MPI_INFO_NULL), 4 * CHUNK);
    /* A text that makes no sense is refused, and named. */
    CU_ASSERT_EQUAL (setenv ("LARDER_CHUNK_SIZE", "4 elephants", 1), 0);
    refused (NULL, MPI_INFO_NULL, LARDER_EINVAL, "LARDER_CHUNK_SIZE");
    /* On one rank only, it is that rank's fault. */
    if (mpitest_rank != mpitest_size - 1)
        CU_ASSERT_EQUAL (unsetenv ("LARDER_CHUNK_SIZE"), 0);
    refused (NULL, MPI_INFO_NULL, LARDER_EINVAL, "LARDER_CHUNK_SIZE");
    if (mpitest_rank == mpitest_size - 1)
        CU_ASSERT_EQUAL (setenv ("LARDER_CHUNK_SIZE", "16K", 1), 0);
    if (mpitest_size > 1)
        refused (NULL, MPI_INFO_NULL, LARDER_EMISMATCH, "differ");
    CU_ASSERT_EQUAL (unsetenv ("LARDER_CHUNK_SIZE"), 0);
    MPI_Info_set (hints, "larder_chunk_size", "2");
    refused (NULL, hints, LARDER_ERANGE, "larder_chunk_size");
    MPI_Info_free (&hints);
    CU_ASSERT_EQUAL (chunk_size_of (NULL, MPI_INFO_NULL), 256 << 10);
}

static void test_owners (void)
{
    int last = mpitest_size - 1, *owners = malloc (sizeof *owners);
    larder_error err = {0};
    larder_config config = small;
    struct mpiobject o = mpiobject_make (ITEMS, size_chunk);
    larder_object object = {.ops = &mpiobject_sized, .self = &o};
    larder_ref ref;
    owners[0] = last;
    config.owners = owners;
    config.owner_count = 1;
    larder *s = mpiobject_open (&config);
    free (owners); /* read during larder_open only */
    int rc = larder_offer (s, &object, LARDER_ALL, &ref, &err);
    if (mpitest_rank == last)
        MPITEST_OK (rc, err);
    else
        CU_ASSERT_EQUAL (rc, LARDER_EINVAL);
    mpiobject_share (&ref, last);
    if (mpitest_rank != last) {
        struct mpisink k = {.object = &o};
        larder_consumer consumer = mpisink_consumer (&k);
        MPITEST_OK (larder_download (s, &ref, &consumer, &err), err);
        mpisink_check_all (&k);
    } else if (last)
        MPITEST_OK (larder_serve (s, 0, &err), err);
    mpiobject_close (&s);
}

/* ---------------------------------------------------------------- agreements */

static void test_agree (void)
{
    larder *s = mpiobject_open (&small);
    for (int from = 0; from < mpitest_size; ++from) {
        larder_error err = {0}, mine = {0};
        if (mpitest_rank >= from)
            larder_error_set (&mine, LARDER_EIO - mpitest_rank, 0, "rank %d has no more tea",
                              mpitest_rank);
        char text[64];
        snprintf (text, sizeof text, "rank %d has no more tea", from);
        CU_ASSERT_EQUAL (larder_agree (s, mine.code, &mine, &err), LARDER_EIO - from);
        CU_ASSERT_EQUAL (err.code, LARDER_EIO - from);
        CU_ASSERT_EQUAL (err.rank, from);
        CU_ASSERT_STRING_EQUAL (err.text, text);
    }
    larder_error untouched = {.code = 5};
    CU_ASSERT_EQUAL (larder_agree (s, LARDER_OK, NULL, &untouched), LARDER_OK);
    CU_ASSERT_EQUAL (untouched.code, 5);
    CU_ASSERT_EQUAL (larder_agree (s, mpitest_rank == 0 ? LARDER_ENOSPC : LARDER_OK, NULL, NULL),
                     LARDER_ENOSPC);
    mpiobject_close (&s);
}

/* Who waits in an agreement serves meanwhile. */
static void test_agreement_serves (void)
{
    larder_error err = {0};
    struct mpiobject o = mpiobject_make (ITEMS, size_chunk);
    larder_object object = {.ops = &mpiobject_sized, .self = &o};
    larder_ref ref;
    larder *s = mpiobject_open (&small);
    if (mpitest_rank == 0)
        MPITEST_OK (larder_offer (s, &object, LARDER_ALL, &ref, &err), err);
    mpiobject_share (&ref, 0);
    struct mpisink k = {.object = &o};
    larder_consumer consumer = mpisink_consumer (&k);
    if (mpitest_rank) {
        MPITEST_OK (larder_download (s, &ref, &consumer, &err), err);
        mpisink_check_all (&k);
    }
    MPITEST_OK (larder_agree (s, LARDER_OK, NULL, &err), err);
    mpiobject_close (&s);
    CU_ASSERT_EQUAL (o.releases, mpitest_rank == 0);
}

/* ---------------------------------------------------------------- closing in the middle */

static void tell_the_owner (struct mpisink *k)
{
    if (k->next_item == 3)
        mpiobject_tell (0, TAG_FAR);
}

/* Offers are settled as deleted, downloads fail as cancelled; requests need not be ended. */
static void test_close_in_the_middle (void)
{
    larder_error err = {0};
    struct mpiobject o = mpiobject_make (ITEMS, size_chunk), idle = o;
    larder_object object = {.ops = &mpiobject_sized, .self = &o}, other = object;
    larder_ref ref;
    larder *s = mpiobject_open (&small);
    other.self = &idle;
    if (mpitest_rank == 0) {
        MPITEST_OK (larder_offer (s, &other, LARDER_ALL, &ref, &err), err);
        MPITEST_OK (larder_offer (s, &object, LARDER_ALL, &ref, &err), err);
    }
    mpiobject_share (&ref, 0);
    struct mpisink k = {.object = &o, .inside = tell_the_owner};
    if (mpitest_rank) {
        larder_consumer consumer = mpisink_consumer (&k);
        larder_request *request = NULL;
        MPITEST_OK (larder_download_start (s, &ref, &consumer, &request, &err), err);
        while (k.next_item < 3)
            CU_ASSERT_EQUAL_FATAL (larder_download_test (&request, &err), LARDER_AGAIN);
    } else
        mpiobject_serve_until (s, mpitest_size - 1, TAG_FAR);
    mpiobject_close (&s);
    if (mpitest_rank)
        CU_ASSERT (k.failed == 1 && k.completed == 0 && k.bad == 0 &&
                   (k.why.code == LARDER_ECANCELED || k.why.code == LARDER_EGONE));
    if (mpitest_rank == 0) {
        CU_ASSERT_EQUAL (o.releases, 1);
        CU_ASSERT (o.done == LARDER_DONE_DELETED ||
                   o.done == LARDER_DONE_FINISHED); /* who is first */
        for (int i = 1; i < mpitest_size; ++i)
            CU_ASSERT (o.code_of[i] == 1 || o.code_of[i] == LARDER_ECANCELED);
        CU_ASSERT_EQUAL (idle.releases, 1);
        CU_ASSERT_EQUAL (idle.done, LARDER_DONE_DELETED);
        CU_ASSERT_EQUAL (idle.ones, 0);
    }
}

int main (int argc, char **argv)
{
    static const struct larder_test tests[] = {
        {"many times", test_many_times},
        {"info", test_info},
        {"other communicators", test_other_communicators},
        {"two sessions", test_two_sessions},
        {"error handler stays", test_errhandler_stays},
        {"bad settings", test_bad_settings},
        {"different settings", test_different_settings},
        {"too many words", test_too_many_words},
        {"no room", test_no_room},
        {"precedence", test_precedence},
        {"owners", test_owners},
        {"agree", test_agree},
        {"an agreement serves", test_agreement_serves},
        {"close in the middle", test_close_in_the_middle},
        {NULL, NULL},
    };
    return mpitest_main (argc, argv, "session", tests);
}
