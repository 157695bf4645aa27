/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_file_temp.h"
#include "larder_test.h"
#include "larder_test_files.h"
#include "larder_test_syscalls.h"
#include <sys/wait.h>

/* The three ways to a name; the third is a named file where there is no RENAME_NOREPLACE. */
enum way { UNNAMED, NAMED, NO_RENAMEAT2, WAYS };

static void start (enum way way)
{
    memset (&larder_test_syscalls, 0, sizeof larder_test_syscalls);
    (void)larder_test_files_clear ();
    larder_test_syscalls.tmpfile = way == UNNAMED ? 0 : EOPNOTSUPP;
    larder_test_syscalls.renameat2 = way == NO_RENAMEAT2 ? EINVAL : 0;
}

/* Open and write; returns larder_file_temp_open's code. */
static int open_with (struct larder_file_temp *t, const char *path, int replace, const char *text,
                      larder_error *e)
{
    int code = larder_file_temp_open (t, path, replace, e);

    if (code == LARDER_OK)
        CU_ASSERT_EQUAL (write (t->fd, text, strlen (text)), (ssize_t)strlen (text));
    return code;
}

/* The whole way to a file; returns the first failure. */
static int make (const char *path, int replace, const char *text, larder_error *e)
{
    struct larder_file_temp t;
    int code = open_with (&t, path, replace, text, e);

    if (code != LARDER_OK)
        return code;
    code = larder_file_temp_place (&t, e);
    larder_file_temp_close (&t);
    return code;
}

static int is (const char *path, const char *text)
{
    return larder_test_file_is (path, text, strlen (text));
}

static void new_files (void)
{
    const char *path = larder_test_path ("a");
    struct larder_file_temp t;
    larder_error e;

    for (enum way way = 0; way < WAYS; ++way) {
        start (way);
        CU_ASSERT_EQUAL_FATAL (open_with (&t, path, 0, "new", &e), LARDER_OK);
        CU_ASSERT_EQUAL (access (path, F_OK), -1);
        if (way != UNNAMED)
            CU_ASSERT_EQUAL (larder_test_files_count (".a.larder-"), 1);
        CU_ASSERT_EQUAL (larder_file_temp_place (&t, &e), LARDER_OK);
        CU_ASSERT (is (path, "new"));
        larder_file_temp_close (&t);
        CU_ASSERT_EQUAL (larder_test_files_count (""), 1);

        CU_ASSERT_EQUAL (make (path, 0, "other", &e), LARDER_EEXIST);
        CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "/a: File exists"));
        CU_ASSERT (is (path, "new"));
        CU_ASSERT_EQUAL (larder_test_files_clear (), 1);
    }
}

static void replaced_files (void)
{
    const char *path = larder_test_path ("a");
    struct larder_file_temp t;
    larder_error e;

    for (enum way way = 0; way < WAYS; ++way) {
        start (way);
        CU_ASSERT_EQUAL (larder_test_file_write (path, "old", 3), 0);
        CU_ASSERT_EQUAL_FATAL (open_with (&t, path, 1, "new", &e), LARDER_OK);
        CU_ASSERT (is (path, "old"));
        CU_ASSERT_EQUAL (larder_file_temp_place (&t, &e), LARDER_OK);
        CU_ASSERT (is (path, "new"));
        larder_file_temp_close (&t);
        larder_file_temp_close (&t);
        CU_ASSERT_EQUAL (larder_test_files_count (""), 1);

        /* Given up: the old one stays. */
        CU_ASSERT_EQUAL_FATAL (open_with (&t, path, 1, "newer", &e), LARDER_OK);
        larder_file_temp_close (&t);
        CU_ASSERT (is (path, "new"));
        CU_ASSERT_EQUAL (larder_test_files_clear (), 1);

        CU_ASSERT_EQUAL (make (path, 1, "first", &e), LARDER_OK); /* nothing to replace */
        CU_ASSERT (is (path, "first"));
    }
}

/* Somebody else makes the destination while we write. */
static void overtaken (void)
{
    const char *path = larder_test_path ("a");
    struct larder_file_temp t;
    larder_error e;

    for (enum way way = 0; way < WAYS; ++way) {
        for (int no_links = 0; no_links < 2; ++no_links) {
            start (way);
            CU_ASSERT_EQUAL_FATAL (open_with (&t, path, 0, "mine", &e), LARDER_OK);
            CU_ASSERT_EQUAL (larder_test_file_write (path, "theirs", 6), 0);
            larder_test_syscalls.linkat = no_links && way == NO_RENAMEAT2 ? EPERM : 0;
            CU_ASSERT_EQUAL (larder_file_temp_place (&t, &e), LARDER_EEXIST);
            larder_file_temp_close (&t);
            CU_ASSERT (is (path, "theirs"));
            CU_ASSERT_EQUAL (larder_test_files_clear (), 1);
        }
    }
    start (NO_RENAMEAT2);
    larder_test_syscalls.linkat = EPERM;
    CU_ASSERT_EQUAL (make (path, 0, "on a stick", &e), LARDER_OK);
    CU_ASSERT (is (path, "on a stick"));
    CU_ASSERT_EQUAL (larder_test_files_clear (), 1);
}

static void failing_calls (void)
{
    const char *path = larder_test_path ("a");
    struct larder_file_temp t;
    larder_error e;

    start (NAMED);
    larder_test_syscalls.renameat2 = ENOSPC;
    CU_ASSERT_EQUAL (make (path, 0, "x", &e), LARDER_ENOSPC);
    CU_ASSERT_EQUAL (larder_test_files_count (""), 0);

    start (NAMED);
    larder_test_syscalls.openat = EROFS;
    CU_ASSERT_EQUAL (make (path, 0, "x", &e), LARDER_EIO);
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "Read-only file system"));

    start (NAMED);
    CU_ASSERT_EQUAL_FATAL (open_with (&t, path, 0, "x", &e), LARDER_OK);
    larder_test_syscalls.fsync = EIO;
    CU_ASSERT_EQUAL (larder_file_temp_place (&t, &e), LARDER_EIO);
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "cannot flush the directory of"));
    larder_file_temp_close (&t);
    start (UNNAMED);
    larder_test_syscalls.fsync = EINVAL; /* it cannot flush directories: no failure */
    CU_ASSERT_EQUAL (make (path, 0, "x", &e), LARDER_OK);
}

/* Run a writer that is killed before it commits. */
static void leave_behind (const char *path)
{
    int status = 0;
    pid_t child;

    (void)fflush (stdout);
    child = fork ();
    if (child == 0) {
        struct larder_file_temp t;
        _exit (larder_file_temp_open (&t, path, 0, NULL) == LARDER_OK ? 0 : 1);
    }
    CU_ASSERT_FATAL (child > 0);
    CU_ASSERT_EQUAL (waitpid (child, &status, 0), child);
    CU_ASSERT_EQUAL (status, 0);
}

static void stale_ones_go (void)
{
    const char *path = larder_test_path ("a"), *other = larder_test_path ("b");
    struct larder_file_temp live;
    larder_error e;

    start (NAMED);
    leave_behind (path);
    leave_behind (other);
    CU_ASSERT_EQUAL (larder_test_files_count (".a.larder-"), 1);
    leave_behind (path); /* removes the first, leaves one */
    CU_ASSERT_EQUAL (larder_test_files_count (".a.larder-"), 1);
    CU_ASSERT_EQUAL_FATAL (open_with (&live, path, 1, "slow", &e), LARDER_OK);
    CU_ASSERT_EQUAL (larder_test_files_count (".a.larder-"), 1);
    /* A second writer for the same destination leaves the first one's alone. */
    CU_ASSERT_EQUAL (make (path, 1, "fast", &e), LARDER_OK);
    CU_ASSERT (is (path, "fast"));
    CU_ASSERT_EQUAL (larder_file_temp_place (&live, &e), LARDER_OK);
    CU_ASSERT (is (path, "slow"));
    larder_file_temp_close (&live);
    CU_ASSERT_EQUAL (larder_test_files_count (".a.larder-"), 0);
    CU_ASSERT_EQUAL (larder_test_files_count (".b.larder-"), 1);

    /* Where files need no name, what runs before us left behind goes all the same, but only that:
     * no directories, links or pipes, no names that merely look alike. */
    larder_test_syscalls.tmpfile = 0;
    CU_ASSERT_EQUAL (mkdir (larder_test_path (".b.larder-abcdef"), 0700), 0);
    CU_ASSERT_EQUAL (symlink (path, larder_test_path (".b.larder-ghijkl")), 0);
    CU_ASSERT_EQUAL (larder_test_file_write (larder_test_path (".b.larder-toolong"), "", 0), 0);
    CU_ASSERT_EQUAL (mkfifo (larder_test_path (".b.larder-mnopqr"), 0600), 0);
    CU_ASSERT_EQUAL (make (other, 0, "x", &e), LARDER_OK);
    CU_ASSERT_EQUAL (larder_test_files_count (".b.larder-"), 4);
    CU_ASSERT_EQUAL (larder_test_files_clear (), 6);
}

/* Whether this file system knows files without a name at all is not for us to assert. */
static void unnamed_ones_vanish (void)
{
    int fd = open (larder_test_directory, O_TMPFILE | O_RDWR, 0600);

    start (UNNAMED);
    leave_behind (larder_test_path ("a"));
    if (fd >= 0)
        CU_ASSERT_EQUAL (larder_test_files_clear (), 0)
    else
        (void)fprintf (stderr, "\n    NOT RUN: no O_TMPFILE in %s\n", larder_test_directory);
    if (fd >= 0)
        (void)close (fd);
}

static void long_names (void)
{
    static const char *const letters[] = {"x", "\xc3\xa9", "\xf0\x9f\x90\x9f"}; /* 1, 2, 4 bytes */
    larder_error e;

    for (size_t length = 235; length <= 255; ++length) {
        for (size_t i = 0; i < 3; ++i) {
            char name[300] = "", other[300];
            enum way way = NAMED;

            start (way);
            while (strlen (name) + strlen (letters[i]) <= length)
                strcat (name, letters[i]);
            while (strlen (name) < length)
                strcat (name, "y");
            leave_behind (larder_test_path (name));
            CU_ASSERT_EQUAL (larder_test_files_count ("."), 1);
            /* One that differs at its end only is another destination. */
            strcpy (other, name);
            other[length - 1] = 'z';
            other[length] = '\0';
            if (i == 0) {
                CU_ASSERT_EQUAL (make (larder_test_path (other), 0, "b", &e), LARDER_OK);
                CU_ASSERT_EQUAL (larder_test_files_count ("."), 1);
            }
            CU_ASSERT_EQUAL (make (larder_test_path (name), 0, "a", &e), LARDER_OK);
            CU_ASSERT_EQUAL (larder_test_files_count ("."), 0);
            CU_ASSERT (is (larder_test_path (name), "a"));
            start (UNNAMED);
            CU_ASSERT_EQUAL (make (larder_test_path (name), 0, "c", &e), LARDER_OK);
            CU_ASSERT_EQUAL (make (larder_test_path (name), 1, "d", &e), LARDER_OK);
            CU_ASSERT (is (larder_test_path (name), "d"));
        }
    }
    for (enum way way = 0; way < WAYS; ++way) {
        char name[257];

        start (way);
        memset (name, 'x', 256);
        name[256] = '\0';
        CU_ASSERT_EQUAL (make (larder_test_path (name), 0, "a", &e), LARDER_EIO);
        CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "File name too long"));
        CU_ASSERT_EQUAL (larder_test_files_clear (), 0);
    }
}

static void destinations (void)
{
    static const struct {
        const char *name;
        int replace, code;
        const char *part;
    } cases[] = {
        {"missing/a", 0, LARDER_ENOENT, "missing/a: No such file or directory"},
        {"file/a", 0, LARDER_ENOENT, "file/a: Not a directory"},
        {"directory", 0, LARDER_EEXIST, "directory: is a directory"},
        {"directory", 1, LARDER_EEXIST, "directory: is a directory"},
        {"directory/", 1, LARDER_EEXIST, "directory/: is a directory"},
        {"directory/.", 1, LARDER_EEXIST, "is a directory"},
        {"nothing/", 1, LARDER_ENOENT, "No such file or directory"},
        {"to_directory", 1, LARDER_EEXIST, "is a directory"},
        {"to_device", 1, LARDER_EEXIST, "not a regular file"},
        {"fifo", 1, LARDER_EEXIST, "not a regular file"},
        {"fifo", 0, LARDER_EEXIST, "not a regular file"},
        {"to_file", 0, LARDER_EEXIST, "File exists"},
        {"dangling", 0, LARDER_EEXIST, "File exists"},
        {"loop", 0, LARDER_EEXIST, "File exists"},
        {"to_file", 1, LARDER_OK, NULL},
        {"dangling", 1, LARDER_OK, NULL},
        {"loop", 1, LARDER_OK, NULL},
        {"file", 1, LARDER_OK, NULL},
    };
    larder_error e;

    start (UNNAMED);
    CU_ASSERT_EQUAL (larder_test_file_write (larder_test_path ("file"), "old", 3), 0);
    CU_ASSERT_EQUAL (mkdir (larder_test_path ("directory"), 0700), 0);
    CU_ASSERT_EQUAL (mkfifo (larder_test_path ("fifo"), 0600), 0);
    CU_ASSERT_EQUAL (symlink ("directory", larder_test_path ("to_directory")), 0);
    CU_ASSERT_EQUAL (symlink ("/dev/null", larder_test_path ("to_device")), 0);
    CU_ASSERT_EQUAL (symlink ("file", larder_test_path ("to_file")), 0);
    CU_ASSERT_EQUAL (symlink ("nowhere", larder_test_path ("dangling")), 0);
    CU_ASSERT_EQUAL (symlink ("loop", larder_test_path ("loop")), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        const char *path = larder_test_path (cases[i].name);
        int code = make (path, cases[i].replace, "new", &e);

        CU_ASSERT_EQUAL (code, cases[i].code);
        if (code != cases[i].code)
            printf ("\n    %s: %s\n", cases[i].name, larder_code_name (code));
        if (cases[i].part)
            CU_ASSERT_PTR_NOT_NULL (strstr (e.text, cases[i].part))
        else
            CU_ASSERT (is (path, "new"))
        if (strcmp (cases[i].name, "to_file") == 0) /* the link is replaced, not what it names */
            CU_ASSERT (is (larder_test_path ("file"), "old"));
    }
    CU_ASSERT_EQUAL (larder_test_files_count ("."), 0);
}

static void relative_paths (void)
{
    char *here = getcwd (NULL, 0);
    larder_error e;

    CU_ASSERT_PTR_NOT_NULL_FATAL (here);
    for (enum way way = 0; way < WAYS; ++way) {
        start (way);
        CU_ASSERT_EQUAL_FATAL (chdir (larder_test_directory), 0);
        CU_ASSERT_EQUAL (make ("plain", 0, "1", &e), LARDER_OK);
        CU_ASSERT_EQUAL (make ("./dotted", 0, "2", &e), LARDER_OK);
        CU_ASSERT_EQUAL (make ("", 0, "3", &e), LARDER_EEXIST);
        CU_ASSERT_EQUAL (make ("/", 0, "3", &e), LARDER_EEXIST);
        CU_ASSERT_EQUAL (chdir (here), 0);
        CU_ASSERT (is (larder_test_path ("plain"), "1"));
        CU_ASSERT (is (larder_test_path ("dotted"), "2"));
        CU_ASSERT_EQUAL (larder_test_files_clear (), 2);
    }
    free (here);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"new files", new_files},
        {"replaced files", replaced_files},
        {"a destination that appears meanwhile", overtaken},
        {"failing system calls", failing_calls},
        {"what dead writers left behind goes", stale_ones_go},
        {"files without a name vanish", unnamed_ones_vanish},
        {"long names", long_names},
        {"destinations", destinations},
        {"relative paths", relative_paths},
        {NULL, NULL},
    };
    int result;

    larder_test_files_begin ();
    result = larder_test_main ("file_temp", tests);
    larder_test_files_end ();
    return result;
}
