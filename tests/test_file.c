/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_test.h"
#include "larder_test_files.h"
#include "larder_test_random.h"
#include "larder_test_syscalls.h"
#include <larder/file.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { MOST = 20000 };

static unsigned char data[MOST], copy[MOST];

static void no_faults (void)
{
    memset (&larder_test_syscalls, 0, sizeof larder_test_syscalls);
}

/* Read a whole object in parts, as the owner does.  Returns its bytes, or the first failure. */
static int64_t read_all (const larder_object *o, struct larder_test_random *r, unsigned char *to,
                         larder_error *e)
{
    uint64_t count = 0, total = 0;
    int code = o->ops->item_count (o->self, &count, e);

    for (uint64_t item = 0; code == LARDER_OK && item < count; ++item) {
        uint64_t size = 0, offset = 0;
        int last = 0;

        o->ops->prefetch_item (o->self, item);
        code = o->ops->item_size (o->self, item, &size, e);
        while (code == LARDER_OK && offset < size) {
            size_t capacity = 1 + larder_test_below (r, size - offset), produced = 0;

            code = o->ops->produce_item (o->self, item, offset, to + total, capacity, &produced,
                                         &last, e);
            if (code == LARDER_OK && produced != capacity)
                return -1000;
            offset += produced;
            total += produced;
        }
        if (code == LARDER_OK && !last)
            return -1001;
    }
    return code == LARDER_OK ? (int64_t)total : code;
}

static void pages (void)
{
    static const uint64_t page_sizes[] = {1, 7, 4096, UINT64_C (1) << 40, UINT64_MAX};
    static const size_t sizes[] = {0, 1, 6, 7, 8, 4095, 4096, 4097, MOST};
    struct larder_test_random r = larder_test_seed ();
    const char *path = larder_test_path ("pages");
    larder_error e;

    no_faults ();
    larder_test_fill (&r, data, sizeof data);
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; ++s) {
        CU_ASSERT_EQUAL (larder_test_file_write (path, data, sizes[s]), 0);
        for (size_t p = 0; p < sizeof page_sizes / sizeof page_sizes[0]; ++p) {
            uint64_t page = page_sizes[p], count = 42, size = 0;
            larder_object o;
            struct stat st;

            CU_ASSERT_EQUAL_FATAL (larder_file_object (path, page, &o, &st, &e), LARDER_OK);
            CU_ASSERT_EQUAL (st.st_size, (off_t)sizes[s]);
            CU_ASSERT_STRING_EQUAL (o.name, path);
            CU_ASSERT_EQUAL (o.uniform_item_size, page);
            CU_ASSERT_EQUAL (o.ops->item_count (o.self, &count, &e), LARDER_OK);
            CU_ASSERT_EQUAL (count, sizes[s] / page + (sizes[s] % page != 0));
            CU_ASSERT_EQUAL (o.ops->item_size (o.self, count, &size, &e), LARDER_ERANGE);
            if (count) {
                CU_ASSERT_EQUAL (o.ops->item_size (o.self, count - 1, &size, &e), LARDER_OK);
                CU_ASSERT_EQUAL (size, sizes[s] - (count - 1) * page);
            }
            memset (copy, 0, sizeof copy);
            CU_ASSERT_EQUAL (read_all (&o, &r, copy, &e), (int64_t)sizes[s]);
            CU_ASSERT (memcmp (copy, data, sizes[s]) == 0);
            o.ops->release (o.self);
        }
    }
}

static void sparse (void)
{
    struct larder_test_random r = larder_test_seed ();
    const char *path = larder_test_path ("sparse");
    larder_object o;
    larder_error e;

    no_faults ();
    CU_ASSERT_EQUAL (larder_test_file_write (path, "x", 1), 0);
    CU_ASSERT_EQUAL (truncate (path, MOST), 0);
    CU_ASSERT_EQUAL_FATAL (larder_file_object (path, 4096, &o, NULL, &e), LARDER_OK);
    memset (copy, 1, sizeof copy);
    CU_ASSERT_EQUAL (read_all (&o, &r, copy, &e), MOST);
    CU_ASSERT_EQUAL (copy[0], 'x');
    for (int i = 1; i < MOST; ++i)
        if (copy[i])
            CU_FAIL ("a hole reads as zeros");
    o.ops->release (o.self);
}

static void interrupted_and_short (void)
{
    struct larder_test_random r = larder_test_seed ();
    const char *path = larder_test_path ("short");
    larder_object o;
    larder_error e;

    no_faults ();
    larder_test_fill (&r, data, sizeof data);
    CU_ASSERT_EQUAL (larder_test_file_write (path, data, MOST), 0);
    CU_ASSERT_EQUAL_FATAL (larder_file_object (path, 4096, &o, NULL, &e), LARDER_OK);
    larder_test_syscalls.most = 13;
    larder_test_syscalls.interrupt = 1;
    CU_ASSERT_EQUAL (read_all (&o, &r, copy, &e), MOST);
    CU_ASSERT (memcmp (copy, data, MOST) == 0);
    CU_ASSERT (larder_test_syscalls.calls > 2 * (MOST / 13)); /* the faults took place */

    no_faults ();
    larder_test_syscalls.pread = EIO;
    CU_ASSERT_EQUAL (read_all (&o, &r, copy, &e), LARDER_EIO);
    CU_ASSERT_EQUAL (e.detail, EIO);
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "short: Input/output error"));
    no_faults ();
    o.ops->release (o.self);
}

static void changed (void)
{
    struct larder_test_random r = larder_test_seed ();
    const char *path = larder_test_path ("changed");
    const struct timespec times[2] = {{0, UTIME_OMIT}, {1000, 5}};
    larder_object o;
    larder_error e;

    no_faults ();
    for (int how = 0; how < 4; ++how) {
        unsigned char byte;
        size_t produced = 42;
        int last = 0;

        CU_ASSERT_EQUAL (larder_test_file_write (path, data, MOST), 0);
        CU_ASSERT_EQUAL_FATAL (larder_file_object (path, 100, &o, NULL, &e), LARDER_OK);
        CU_ASSERT_EQUAL (read_all (&o, &r, copy, &e), MOST);
        if (how == 0)
            CU_ASSERT_EQUAL (truncate (path, 150), 0)
        else if (how == 1)
            CU_ASSERT_EQUAL (truncate (path, MOST + 1), 0)
        else if (how == 2)
            CU_ASSERT_EQUAL (utimensat (AT_FDCWD, path, times, 0), 0)
        else
            CU_ASSERT_EQUAL (truncate (path, 0), 0)
        CU_ASSERT_EQUAL (read_all (&o, &r, copy, &e), LARDER_ESTALE);
        CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "changed"));
        CU_ASSERT_EQUAL (o.ops->produce_item (o.self, 0, 0, &byte, 1, &produced, &last, &e),
                         LARDER_ESTALE);
        CU_ASSERT_EQUAL (produced, 42);
        o.ops->release (o.self);
    }
    /* A file that lost its name is still the file that was offered. */
    CU_ASSERT_EQUAL (larder_test_file_write (path, data, MOST), 0);
    CU_ASSERT_EQUAL_FATAL (larder_file_object (path, 100, &o, NULL, &e), LARDER_OK);
    CU_ASSERT_EQUAL (unlink (path), 0);
    CU_ASSERT_EQUAL (read_all (&o, &r, copy, &e), MOST);
    o.ops->release (o.self);
}

static void make_socket (const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket (AF_UNIX, SOCK_STREAM, 0);

    CU_ASSERT_FATAL (strlen (path) < sizeof address.sun_path);
    strcpy (address.sun_path, path);
    CU_ASSERT_EQUAL (bind (fd, (const struct sockaddr *)&address, sizeof address), 0);
    (void)close (fd);
}

static void refusals (void)
{
    const char *fifo = larder_test_path ("fifo"), *sock = larder_test_path ("socket");
    const char *file = larder_test_path ("file");
    larder_object o = {.type_tag = 4711};
    larder_error e;
    int64_t result;
    size_t produced;
    unsigned char byte;
    int last = 0;

    no_faults ();
    CU_ASSERT_EQUAL (larder_file_object (larder_test_directory, 1, &o, NULL, &e), LARDER_EINVAL);
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "is a directory"));
    CU_ASSERT_EQUAL (mkfifo (fifo, 0600), 0);
    CU_ASSERT_EQUAL (larder_file_object (fifo, 1, &o, NULL, &e), LARDER_EINVAL);
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "not a regular file"));
    make_socket (sock);
    CU_ASSERT_EQUAL (larder_file_object (sock, 1, &o, NULL, &e), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_file_object ("/dev/null", 1, &o, NULL, &e), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_file_object (larder_test_path ("none"), 1, &o, NULL, &e),
                     LARDER_ENOENT);
    CU_ASSERT_EQUAL (e.detail, ENOENT);
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "none: No such file or directory"));
    CU_ASSERT_EQUAL (larder_test_file_write (file, data, 10), 0);
    CU_ASSERT_EQUAL (larder_file_object (larder_test_path ("file/x"), 1, &o, NULL, &e),
                     LARDER_ENOENT);
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "Not a directory"));
    CU_ASSERT_EQUAL (larder_file_object (file, 0, &o, NULL, &e), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_file_object (NULL, 1, &o, NULL, &e), LARDER_EINVAL);
    CU_ASSERT_EQUAL (o.type_tag, 4711);

    CU_ASSERT_EQUAL_FATAL (larder_file_object (file, 4, &o, NULL, &e), LARDER_OK);
    result = o.ops->produce_item (o.self, 3, 0, &byte, 1, &produced, &last, &e);
    CU_ASSERT_EQUAL (result, LARDER_ERANGE);
    result = o.ops->produce_item (o.self, 2, 3, &byte, 1, &produced, &last, &e);
    CU_ASSERT_EQUAL (result, LARDER_ERANGE);
    o.ops->prefetch_item (o.self, UINT64_MAX);
    o.ops->release (o.self);
}

/* The reason must be readable even when the path alone fills the text. */
static void long_paths (void)
{
    char path[4000];
    larder_object o;
    larder_error e;

    memset (path, '/', sizeof path);
    memcpy (path + sizeof path - 5, "none", 5);
    CU_ASSERT_EQUAL (larder_file_object (path, 1, &o, NULL, &e), LARDER_ENOENT);
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "/none: No such file or directory"));
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"object: page sizes", pages},
        {"object: holes", sparse},
        {"object: interrupted and short reads", interrupted_and_short},
        {"object: files that change", changed},
        {"object: refusals", refusals},
        {"object: texts of long paths", long_paths},
        {NULL, NULL},
    };
    int result;

    larder_test_files_begin ();
    result = larder_test_main ("file", tests);
    larder_test_files_end ();
    return result;
}
