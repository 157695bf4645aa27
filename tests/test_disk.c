/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_disk.h"
#include "larder_test.h"
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static char dir[] = "/tmp/larder-test-XXXXXX";

static int files (void)
{
    int n = 0;
    DIR *d = opendir (dir);
    CU_ASSERT_PTR_NOT_NULL_FATAL (d);
    for (const struct dirent *entry; (entry = readdir (d)) != NULL;)
        n += entry->d_name[0] != '.';
    closedir (d);
    return n;
}

static int give (const larder_consumer *c, uint64_t offset, const char *text, larder_error *err)
{
    larder_view v = {.offset = offset, .count = 1, .data = text, .size = strlen (text)};
    return c->consume_items (c->self, &v, err);
}

static void test_value (void)
{
    larder_consumer c;
    larder_error err = {0};
    const void *data = NULL;
    struct larder_blob *blob = NULL;
    CU_ASSERT_EQUAL (larder_disk_receive (dir, 10, &c, &err), LARDER_OK);
    CU_ASSERT_EQUAL (files (), 0); /* it has no name, so nothing is left when the process dies */
    CU_ASSERT_EQUAL (give (&c, 0, "01234", &err), LARDER_OK);
    CU_ASSERT_EQUAL (give (&c, 5, "", &err), LARDER_OK);
    CU_ASSERT_EQUAL (give (&c, 5, "56789", &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_disk_finish (c.self, &data, &blob, &err), LARDER_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL (data);
    CU_ASSERT_EQUAL (memcmp (data, "0123456789", 10), 0);
    larder_blob_drop (larder_blob_keep (blob));
    CU_ASSERT_EQUAL (memcmp (data, "0123456789", 10), 0);
    larder_blob_drop (blob);
}

static void test_faults (void)
{
    larder_consumer c;
    larder_error err = {0};
    const void *data = NULL;
    struct larder_blob *blob = NULL;
    CU_ASSERT_EQUAL (larder_disk_receive ("/nowhere", 10, &c, &err), LARDER_ENOENT);
    CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "/nowhere"));
    CU_ASSERT_EQUAL (larder_disk_receive ("/dev/null", 10, &c, &err), LARDER_ENOENT);
    CU_ASSERT_EQUAL (larder_disk_receive (dir, UINT64_MAX, &c, &err), LARDER_ENOMEM);
    CU_ASSERT_EQUAL (larder_disk_receive (dir, 10, &c, &err), LARDER_OK);
    CU_ASSERT_EQUAL (give (&c, 0, "01234", &err), LARDER_OK);
    CU_ASSERT_EQUAL (give (&c, 6, "6789", &err), LARDER_EINCOMPLETE);
    CU_ASSERT_EQUAL (give (&c, 5, "56789+", &err), LARDER_EINCOMPLETE);
    larder_view second = {.item = 1, .count = 1, .data = "x", .size = 1};
    CU_ASSERT_EQUAL (c.consume_items (c.self, &second, &err), LARDER_EINCOMPLETE);
    CU_ASSERT_EQUAL (larder_disk_finish (c.self, &data, &blob, &err), LARDER_EINCOMPLETE);
    CU_ASSERT (!data && !blob);
    CU_ASSERT_EQUAL (larder_disk_receive (dir, 10, &c, &err), LARDER_OK);
    larder_disk_abandon (c.self);
    CU_ASSERT_EQUAL (files (), 0);
}

/* A full disk is an error when it is written, not a signal when it is read: a limit on the size of files stands
 * for it here. */
static void test_full (void)
{
    larder_consumer c;
    larder_error err = {0};
    struct rlimit before, small = {.rlim_cur = 4};
    CU_ASSERT_EQUAL_FATAL (getrlimit (RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    signal (SIGXFSZ, SIG_IGN);
    CU_ASSERT_EQUAL (larder_disk_receive (dir, 10, &c, &err), LARDER_OK);
    CU_ASSERT_EQUAL_FATAL (setrlimit (RLIMIT_FSIZE, &small), 0);
    CU_ASSERT_EQUAL (give (&c, 0, "0123456789", &err), LARDER_EIO);
    CU_ASSERT_EQUAL (setrlimit (RLIMIT_FSIZE, &before), 0);
    larder_disk_abandon (c.self);
}

/* Many values at a time need few files. */
static void test_many (void)
{
    enum { VALUES = 300 };
    static larder_consumer c[VALUES];
    larder_error err = {0};
    struct rlimit before, small;
    CU_ASSERT_EQUAL_FATAL (getrlimit (RLIMIT_NOFILE, &before), 0);
    small = before;
    small.rlim_cur = 64;
    CU_ASSERT_EQUAL_FATAL (setrlimit (RLIMIT_NOFILE, &small), 0);
    for (int i = 0; i < VALUES; ++i)
        CU_ASSERT_EQUAL (larder_disk_receive (dir, 5, &c[i], &err), LARDER_OK);
    for (int i = 0; i < VALUES; ++i) {
        CU_ASSERT_EQUAL (give (&c[i], 0, "01", &err), LARDER_OK);
        CU_ASSERT_EQUAL (give (&c[i], 2, "234", &err), LARDER_OK);
    }
    for (int i = 0; i < VALUES; ++i) {
        const void *data = NULL;
        struct larder_blob *blob = NULL;
        CU_ASSERT_EQUAL (larder_disk_finish (c[i].self, &data, &blob, &err), LARDER_OK);
        CU_ASSERT (data && memcmp (data, "01234", 5) == 0);
        larder_blob_drop (blob);
    }
    CU_ASSERT_EQUAL (setrlimit (RLIMIT_NOFILE, &before), 0);
}

int main (void)
{
    static const struct larder_test tests[] = {{"value", test_value},
                                               {"faults", test_faults},
                                               {"full", test_full},
                                               {"many", test_many},
                                               {NULL, NULL}};
    if (!mkdtemp (dir))
        return 1;
    int rc = larder_test_main ("disk", tests);
    return rmdir (dir) != 0 || rc;
}
