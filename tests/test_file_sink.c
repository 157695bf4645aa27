/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_test.h"
#include "larder_test_files.h"
#include "larder_test_random.h"
#include "larder_test_syscalls.h"
#include <larder/file.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

enum { MOST = 20000 };

static unsigned char data[MOST];

/* Each test starts with an empty directory and without faults; what a test leaves there on top of
 * `expected` is somebody's rubbish. */
static void start (void)
{
    memset (&larder_test_syscalls, 0, sizeof larder_test_syscalls);
    (void)larder_test_files_clear ();
}

static larder_file_options options_of (uint64_t size, uint64_t page_size)
{
    return (larder_file_options){
        .size = size,
        .mode = 0640,
        .mtime = {1234567890, 500},
        .page_size = page_size,
    };
}

static larder_view view_of (uint64_t page_size, uint64_t at, size_t size)
{
    uint64_t first = at / page_size, end = at + size;

    return (larder_view){
        .item = first,
        .offset = at % page_size,
        .count = size ? (end - 1) / page_size - first + 1 : 1,
        .data = data + at,
        .size = size,
        .item_size = page_size,
        .item_ends = end % page_size == 0,
    };
}

/* Hand over data[0 .. size) as a session does: whole pages together, or a part of one. */
static int feed (const larder_consumer *c, struct larder_test_random *r, uint64_t page_size,
                 size_t size, larder_error *e)
{
    int code = LARDER_OK;

    for (size_t at = 0; code == LARDER_OK && at < size;) {
        size_t left = size - at, in_page = page_size - at % page_size;
        size_t n = 1 + larder_test_below (r, left);
        larder_view view;

        if (at % page_size || n < page_size)
            n = n < in_page ? n : in_page; /* a part of one page */
        else
            n -= n % page_size; /* whole pages */
        view = view_of (page_size, at, n);
        code = c->consume_items (c->self, &view, e);
        at += n;
    }
    return code;
}

static void round_trip (void)
{
    static const uint64_t page_sizes[] = {1, 7, 4096, UINT64_C (1) << 30};
    static const size_t sizes[] = {0, 1, 7, 4095, 4096, 4097, MOST};
    struct larder_test_random r = larder_test_seed ();
    larder_error e;

    start ();
    larder_test_fill (&r, data, sizeof data);
    for (size_t p = 0; p < sizeof page_sizes / sizeof page_sizes[0]; ++p) {
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; ++s) {
            larder_file_options o = options_of (sizes[s], page_sizes[p]);
            const char *path = larder_test_path ("copy");
            larder_file_sink *sink = NULL;
            larder_consumer c;
            struct stat st;

            CU_ASSERT_EQUAL_FATAL (larder_file_sink_open (path, &o, &sink, &e), LARDER_OK);
            c = larder_file_consumer (sink);
            CU_ASSERT_EQUAL (feed (&c, &r, page_sizes[p], sizes[s], &e), LARDER_OK);
            CU_ASSERT_EQUAL (access (path, F_OK), -1);
            CU_ASSERT_EQUAL (c.download_completed (c.self, &e), LARDER_OK);
            CU_ASSERT_EQUAL (larder_file_sink_commit (sink, &e), LARDER_OK); /* once is enough */
            CU_ASSERT (larder_test_file_is (path, data, sizes[s]));
            CU_ASSERT_EQUAL (stat (path, &st), 0);
            CU_ASSERT_EQUAL (st.st_mode & 07777, 0640);
            CU_ASSERT_EQUAL (st.st_mtim.tv_sec, 1234567890);
            CU_ASSERT_EQUAL (st.st_nlink, 1);
            larder_file_sink_close (&sink);
            CU_ASSERT_PTR_NULL (sink);
            larder_file_sink_close (&sink);
            CU_ASSERT_EQUAL (larder_test_files_clear (), 1);
        }
    }
    larder_file_sink_close (NULL);
}

static void interrupted_and_short (void)
{
    struct larder_test_random r = larder_test_seed ();
    larder_file_options o = options_of (MOST, 4096);
    larder_file_sink *sink;
    larder_consumer c;
    larder_error e;

    start ();
    larder_test_syscalls.most = 13;
    larder_test_syscalls.interrupt = 1;
    CU_ASSERT_EQUAL_FATAL (larder_file_sink_open (larder_test_path ("a"), &o, &sink, &e),
                           LARDER_OK);
    c = larder_file_consumer (sink);
    CU_ASSERT_EQUAL (feed (&c, &r, 4096, MOST, &e), LARDER_OK);
    CU_ASSERT (larder_test_syscalls.calls > 2 * (MOST / 13));
    CU_ASSERT_EQUAL (larder_file_sink_commit (sink, &e), LARDER_OK);
    CU_ASSERT (larder_test_file_is (larder_test_path ("a"), data, MOST));
    larder_file_sink_close (&sink);
}

static void one_write_per_view (void)
{
    larder_file_options o = options_of (MOST, 7);
    larder_view view = view_of (7, 0, MOST - MOST % 7);
    larder_file_sink *sink;
    larder_consumer c;
    larder_error e;

    start ();
    CU_ASSERT_EQUAL_FATAL (larder_file_sink_open (larder_test_path ("a"), &o, &sink, &e),
                           LARDER_OK);
    c = larder_file_consumer (sink);
    CU_ASSERT_EQUAL (c.consume_items (c.self, &view, &e), LARDER_OK);
    CU_ASSERT_EQUAL (larder_test_syscalls.calls, 1);
    CU_ASSERT_EQUAL (larder_test_syscalls.written, view.size);
    larder_file_sink_close (&sink);
    CU_ASSERT_EQUAL (larder_test_files_clear (), 0);
}

static void what_is_not_whole_leaves_nothing (void)
{
    larder_file_options o = options_of (100, 10);
    larder_error e, why = {.code = LARDER_EGONE};
    larder_view view = view_of (10, 0, 90);
    larder_file_sink *sink;
    larder_consumer c;

    start ();
    for (int failed = 0; failed < 2; ++failed) {
        CU_ASSERT_EQUAL_FATAL (larder_file_sink_open (larder_test_path ("a"), &o, &sink, &e),
                               LARDER_OK);
        c = larder_file_consumer (sink);
        CU_ASSERT_EQUAL (c.consume_items (c.self, &view, &e), LARDER_OK);
        CU_ASSERT_EQUAL (larder_file_sink_commit (sink, &e), LARDER_EIO);
        CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "a: 90 of 100 bytes came"));
        if (failed) {
            c.download_failed (c.self, &why);
            CU_ASSERT_EQUAL (larder_file_sink_commit (sink, &e), LARDER_EIO);
            CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "given up"));
            CU_ASSERT_EQUAL (c.consume_items (c.self, &view, &e), LARDER_EIO);
        }
        larder_file_sink_close (&sink);
        CU_ASSERT_EQUAL (larder_test_files_clear (), 0);
    }
}

static void views_that_do_not_follow (void)
{
    larder_file_options o = options_of (100, 10);
    larder_file_sink *sink;
    larder_consumer c;
    larder_view good = view_of (10, 0, 30), again = good, gap = view_of (10, 50, 10);
    larder_view behind = view_of (10, 30, 71), far = view_of (10, 30, 5);
    larder_error e;

    start ();
    far.item = UINT64_MAX;
    CU_ASSERT_EQUAL_FATAL (larder_file_sink_open (larder_test_path ("a"), &o, &sink, &e),
                           LARDER_OK);
    c = larder_file_consumer (sink);
    CU_ASSERT_EQUAL (c.consume_items (c.self, &good, &e), LARDER_OK);
    CU_ASSERT_EQUAL (c.consume_items (c.self, &again, &e), LARDER_ERANGE);
    CU_ASSERT_EQUAL (c.consume_items (c.self, &gap, &e), LARDER_ERANGE);
    CU_ASSERT_EQUAL (c.consume_items (c.self, &behind, &e), LARDER_ERANGE);
    CU_ASSERT_EQUAL (c.consume_items (c.self, &far, &e), LARDER_ERANGE);
    CU_ASSERT_EQUAL (larder_test_syscalls.written, 30);
    good = view_of (10, 30, 70);
    CU_ASSERT_EQUAL (c.consume_items (c.self, &good, &e), LARDER_OK);
    CU_ASSERT_EQUAL (larder_file_sink_commit (sink, &e), LARDER_OK);
    CU_ASSERT_EQUAL (c.consume_items (c.self, &good, &e), LARDER_EIO);
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "finished"));
    larder_file_sink_close (&sink);
    CU_ASSERT (larder_test_file_is (larder_test_path ("a"), data, 100));
}

static void failing_calls (void)
{
    static const struct {
        int *fault;
        int number, open, consume, commit;
    } cases[] = {
        {&larder_test_syscalls.fallocate, ENOSPC, LARDER_ENOSPC, 0, 0},
        {&larder_test_syscalls.fallocate, EDQUOT, LARDER_ENOSPC, 0, 0},
        {&larder_test_syscalls.fallocate, EFBIG, LARDER_EIO, 0, 0},
        {&larder_test_syscalls.fallocate, EOPNOTSUPP, 0, 0, 0},
        {&larder_test_syscalls.fallocate, ENOSYS, 0, 0, 0},
        {&larder_test_syscalls.tmpfile, ENOSPC, LARDER_ENOSPC, 0, 0},
        {&larder_test_syscalls.tmpfile, EROFS, LARDER_EIO, 0, 0},
        {&larder_test_syscalls.pwrite, ENOSPC, 0, LARDER_ENOSPC, LARDER_EIO},
        {&larder_test_syscalls.pwrite, EDQUOT, 0, LARDER_ENOSPC, LARDER_EIO},
        {&larder_test_syscalls.pwrite, EIO, 0, LARDER_EIO, LARDER_EIO},
        {&larder_test_syscalls.fsync, EIO, 0, 0, LARDER_EIO},
        {&larder_test_syscalls.fsync, ENOSPC, 0, 0, LARDER_ENOSPC},
        {&larder_test_syscalls.fsync, EDQUOT, 0, 0, LARDER_ENOSPC},
    };
    larder_file_options o = options_of (100, 100);
    larder_view view = view_of (100, 0, 100);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        const char *path = larder_test_path ("a");
        larder_file_sink *sink = NULL;
        larder_consumer c;
        larder_error e;
        int code;

        start ();
        *cases[i].fault = cases[i].number;
        code = larder_file_sink_open (path, &o, &sink, &e);
        CU_ASSERT_EQUAL (code, cases[i].open);
        if (code != LARDER_OK) {
            CU_ASSERT_PTR_NULL (sink);
        } else {
            c = larder_file_consumer (sink);
            CU_ASSERT_EQUAL (code = c.consume_items (c.self, &view, &e), cases[i].consume);
            CU_ASSERT_EQUAL (larder_file_sink_commit (sink, code ? NULL : &e), cases[i].commit);
        }
        if (cases[i].open || cases[i].consume || cases[i].commit) {
            char text[LARDER_ERROR_TEXT];

            CU_ASSERT_EQUAL (e.detail, cases[i].number);
            (void)snprintf (text, sizeof text, "cannot write %s: %s", path,
                            strerror (cases[i].number));
            CU_ASSERT_STRING_EQUAL (e.text, text);
        }
        larder_file_sink_close (&sink);
        CU_ASSERT_EQUAL (larder_test_files_clear (),
                         !(cases[i].open || cases[i].consume || cases[i].commit));
    }
}

static void bad_arguments (void)
{
    larder_file_options o = options_of (100, 10);
    larder_file_sink *sink = NULL;
    larder_error e;

    start ();
    CU_ASSERT_EQUAL (larder_file_sink_open (NULL, &o, &sink, &e), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_file_sink_open ("a", NULL, &sink, &e), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_file_sink_open ("a", &o, NULL, &e), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_file_sink_commit (NULL, &e), LARDER_EINVAL);
    o.page_size = 0;
    CU_ASSERT_EQUAL (larder_file_sink_open ("a", &o, &sink, &e), LARDER_EINVAL);
    o = options_of (UINT64_MAX, 10);
    CU_ASSERT_EQUAL (larder_file_sink_open (larder_test_path ("a"), &o, &sink, &e), LARDER_EIO);
    CU_ASSERT_EQUAL (e.detail, EFBIG);
    CU_ASSERT_PTR_NULL (sink);
    CU_ASSERT_EQUAL (larder_test_files_clear (), 0);
}

static void no_set_id_bits (void)
{
    larder_file_options o = options_of (0, 10);
    larder_file_sink *sink;
    struct stat st;
    larder_error e;

    start ();
    o.mode = 06751;
    CU_ASSERT_EQUAL_FATAL (larder_file_sink_open (larder_test_path ("a"), &o, &sink, &e),
                           LARDER_OK);
    CU_ASSERT_EQUAL (larder_file_sink_commit (sink, &e), LARDER_OK);
    CU_ASSERT_EQUAL (stat (larder_test_path ("a"), &st), 0);
    CU_ASSERT_EQUAL (st.st_mode & 07777, 0751);
    larder_file_sink_close (&sink);
}

/* -- a file system that is really full, or read-only ---------------------------------------- */

/* Mounts of our own: as root at once, else as the root of a user namespace.  Returns 0, or -1. */
static int own_mounts (void)
{
    char user[64], group[64];

    (void)snprintf (user, sizeof user, "0 %ld 1", (long)geteuid ());
    (void)snprintf (group, sizeof group, "0 %ld 1", (long)getegid ());
    if (unshare (CLONE_NEWNS) == 0)
        return 0;
    if (unshare (CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return -1;
    (void)larder_test_file_write ("/proc/self/setgroups", "deny", 4); /* old kernels have none */
    return larder_test_file_write ("/proc/self/uid_map", user, strlen (user)) == 0 &&
                   larder_test_file_write ("/proc/self/gid_map", group, strlen (group)) == 0
               ? 0
               : -1;
}

/* In a child with its own mounts: returns the number of the first step that went wrong, 0 if none,
 * 77 if this machine does not let us mount. */
static int full_file_system (void)
{
    const char *at = larder_test_directory;
    larder_file_options large = options_of (1 << 20, 4096), fits = options_of (MOST, 4096);
    larder_view view = view_of (4096, 0, MOST);
    larder_file_sink *sink = NULL;
    larder_consumer c;
    larder_error e;
    int code = LARDER_OK;

    if (own_mounts () != 0 || mount ("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount ("larder-test", at, "tmpfs", 0, "size=64k") != 0)
        return 77;

    if (larder_file_sink_open (larder_test_path ("a"), &large, &sink, &e) != LARDER_ENOSPC)
        return 1;
    if (sink || !strstr (e.text, "/a: No space left on device") || larder_test_files_count (""))
        return 2;

    larder_test_syscalls.fallocate = EOPNOTSUPP; /* so that it shows when writing */
    if (larder_file_sink_open (larder_test_path ("a"), &large, &sink, &e) != LARDER_OK)
        return 3;
    c = larder_file_consumer (sink);
    for (uint64_t page = 0; code == LARDER_OK && page < 256; ++page) {
        larder_view part = view_of (4096, 0, 4096);
        part.item = page;
        code = c.consume_items (c.self, &part, &e);
    }
    if (code != LARDER_ENOSPC || !strstr (e.text, "No space left on device"))
        return 4;
    larder_file_sink_close (&sink);

    /* Nothing was left behind, neither names nor space. */
    larder_test_syscalls.fallocate = 0;
    if (larder_test_files_count ("") ||
        larder_file_sink_open (larder_test_path ("a"), &fits, &sink, &e) != LARDER_OK)
        return 5;
    c = larder_file_consumer (sink);
    if (c.consume_items (c.self, &view, &e) != LARDER_OK ||
        larder_file_sink_commit (sink, &e) != LARDER_OK ||
        !larder_test_file_is (larder_test_path ("a"), data, MOST))
        return 6;
    larder_file_sink_close (&sink);

    /* Without /proc a file without a name could never get one: it takes a temporary name. */
    if (mount ("larder-test", "/proc", "tmpfs", 0, "size=4k") != 0)
        return 77;
    if (larder_file_sink_open (larder_test_path ("b"), &fits, &sink, &e) != LARDER_OK ||
        larder_test_files_count (".b.larder-") != 1)
        return 7;
    larder_file_sink_close (&sink);
    if (larder_test_files_count ("") != 1)
        return 8;

    if (mount (NULL, at, NULL, MS_REMOUNT | MS_RDONLY, NULL) != 0)
        return 77;
    fits.replace = 1;
    if (larder_file_sink_open (larder_test_path ("a"), &fits, &sink, &e) != LARDER_EIO ||
        !strstr (e.text, "/a: Read-only file system"))
        return 9;
    return 0;
}

static void full (void)
{
    int status = 0;
    pid_t child;

    start ();
    (void)fflush (stdout);
    child = fork ();
    if (child == 0)
        _exit (full_file_system ());
    CU_ASSERT_FATAL (child > 0);
    CU_ASSERT_EQUAL (waitpid (child, &status, 0), child);
    CU_ASSERT_FATAL (WIFEXITED (status));
    if (WEXITSTATUS (status) == 77)
        (void)fprintf (stderr, "\n    NOT RUN: full and read-only file systems, because this "
                               "machine does not let tests mount a tmpfs\n");
    else
        CU_ASSERT_EQUAL (WEXITSTATUS (status), 0);
    if (WEXITSTATUS (status) && WEXITSTATUS (status) != 77)
        (void)fprintf (stderr, "\n    step %d\n", WEXITSTATUS (status));
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"copies are equal", round_trip},
        {"interrupted and short writes", interrupted_and_short},
        {"one write per view", one_write_per_view},
        {"what is not whole leaves nothing", what_is_not_whole_leaves_nothing},
        {"views that do not follow", views_that_do_not_follow},
        {"failing system calls", failing_calls},
        {"bad arguments", bad_arguments},
        {"no set-id bits", no_set_id_bits},
        {"full and read-only file systems", full},
        {NULL, NULL},
    };
    int result;

    larder_test_files_begin ();
    result = larder_test_main ("file_sink", tests);
    larder_test_files_end ();
    return result;
}
