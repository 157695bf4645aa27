/* SPDX-License-Identifier: Apache-2.0 */
/* DEST: its marks, directories, and what must not be written over. */
#define _GNU_SOURCE
#include "larder_place.h"
#include "larder_test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct larder_place_names names = {"n1", 12, 3};
static char folder[64];

static void expands (const char *pattern, const char *expected)
{
    char *path = NULL;
    larder_error err = {0};
    CU_ASSERT_EQUAL_FATAL (larder_place_expand (pattern, &names, &path, &err), LARDER_OK);
    CU_ASSERT_STRING_EQUAL (path, expected);
    free (path);
}

static void test_expand (void)
{
    expands ("/tmp/x", "/tmp/x");
    expands ("/tmp/%h/%n/%r", "/tmp/n1/3/12");
    expands ("%h%h", "n1n1");
    expands ("100%%", "100%");
    expands ("%%r", "%r");
    expands ("%%%r", "%12");
}

static void test_expand_refused (void)
{
    char *path = NULL;
    larder_error err = {0};
    CU_ASSERT_EQUAL (larder_place_expand ("a%", &names, &path, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_place_expand ("a%%%", &names, &path, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_place_expand ("a%xb", &names, &path, &err), LARDER_EINVAL);
    CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "%x"));
    CU_ASSERT_PTR_NULL (path);
}

static void test_has (void)
{
    CU_ASSERT_EQUAL (larder_place_has ("/a/%r", 'r'), 1);
    CU_ASSERT_EQUAL (larder_place_has ("/a/%h-%r", 'r'), 1);
    CU_ASSERT_EQUAL (larder_place_has ("/a/%%r", 'r'), 0);
    CU_ASSERT_EQUAL (larder_place_has ("/a/%h", 'r'), 0);
    CU_ASSERT_EQUAL (larder_place_has ("r%", 'r'), 0);
}

static void directory_is (const char *path, const char *expected)
{
    char *directory = larder_place_directory (path);
    CU_ASSERT_PTR_NOT_NULL_FATAL (directory);
    CU_ASSERT_STRING_EQUAL (directory, expected);
    free (directory);
}

static void test_directory (void)
{
    directory_is ("a/b", "a");
    directory_is ("b", ".");
    directory_is ("/b", "/");
    directory_is ("/a/b/c", "/a/b");
}

static void in_folder (const char *name, char path[160])
{
    (void)snprintf (path, 160, "%s/%s", folder, name);
}

static int make (const char *name, const char *text)
{
    char path[160];
    in_folder (name, path);
    FILE *out = fopen (path, "w");
    if (!out)
        return 1;
    int bad = fputs (text, out) == EOF;
    return fclose (out) != 0 || bad;
}

/* Find DEST for the source `src` of the folder; the code that it gives. */
static int find (const char *dest, int force, struct larder_place *place, larder_error *err)
{
    char src[160], path[160];
    struct stat status;
    struct larder_place_source source;
    in_folder ("src", src);
    in_folder (dest, path);
    CU_ASSERT_EQUAL_FATAL (stat (src, &status), 0);
    larder_place_source_set (&source, &status);
    *place = (struct larder_place){NULL, 0};
    memset (err, 0, sizeof *err);
    return larder_place_find (path, &names, src, &source, force, place, err);
}

static void refused (const char *dest, int force, int code, const char *reason)
{
    struct larder_place place;
    larder_error err;
    CU_ASSERT_EQUAL (find (dest, force, &place, &err), code);
    CU_ASSERT_PTR_NOT_NULL (strstr (err.text, reason));
    CU_ASSERT_PTR_NULL (place.path);
}

static void found (const char *dest, int force, const char *expected, int existed)
{
    struct larder_place place;
    larder_error err;
    char path[160];
    in_folder (expected, path);
    CU_ASSERT_EQUAL_FATAL (find (dest, force, &place, &err), LARDER_OK);
    CU_ASSERT_STRING_EQUAL (place.path, path);
    CU_ASSERT_EQUAL (place.existed, existed);
    larder_place_free (&place);
    CU_ASSERT_PTR_NULL (place.path);
}

static void test_find (void)
{
    found ("new", 0, "new", 0);
    found ("new-%r", 0, "new-12", 0);
    found ("dir", 0, "dir/src", 0);
    found ("dir/", 0, "dir/src", 0);
    found ("old", 1, "old", 1);
    refused ("old", 0, LARDER_EEXIST, "--force");
    refused ("nowhere/", 0, LARDER_ENOENT, "no such directory");
    refused ("old/x", 0, LARDER_EIO, "Not a directory");
    refused ("fifo", 1, LARDER_EEXIST, "not a regular file");
    refused ("taken", 1, LARDER_EEXIST, "is a directory");
    refused ("dangling", 0, LARDER_EEXIST, "exists");
}

static void test_find_source (void)
{
    refused ("src", 0, LARDER_EEXIST, "source itself");
    refused ("src", 1, LARDER_EEXIST, "source itself");
    refused ("hard", 1, LARDER_EEXIST, "source itself");
    refused ("soft", 1, LARDER_EEXIST, "source itself");
}

/* The folder all of this happens in. */
static int make_folder (void)
{
    char a[160], b[160];
    (void)strcpy (folder, "/tmp/larder-place-XXXXXX");
    if (!mkdtemp (folder))
        return -1;
    int bad = make ("src", "source");
    bad |= make ("old", "old");
    in_folder ("src", a);
    in_folder ("hard", b);
    bad |= link (a, b) != 0;
    in_folder ("soft", b);
    bad |= symlink (a, b) != 0;
    in_folder ("dangling", b);
    bad |= symlink ("/nonexistent/x", b) != 0;
    in_folder ("dir", b);
    bad |= mkdir (b, 0755) != 0;
    in_folder ("fifo", b);
    bad |= mkfifo (b, 0644) != 0;
    in_folder ("taken", b);
    bad |= mkdir (b, 0755) != 0;
    in_folder ("taken/src", b);
    bad |= mkdir (b, 0755) != 0;
    return bad ? -1 : 0;
}

int main (void)
{
    static const struct larder_test tests[] = {{"marks", test_expand},
                                               {"unknown marks", test_expand_refused},
                                               {"has a mark", test_has},
                                               {"directory part", test_directory},
                                               {"destinations", test_find},
                                               {"the source itself", test_find_source},
                                               {NULL, NULL}};
    if (make_folder () != 0) {
        perror ("/tmp");
        return 1;
    }
    int bad = larder_test_main ("larder_place", tests);
    char command[128];
    (void)snprintf (command, sizeof command, "rm -rf '%s'", folder);
    return system (command) != 0 ? 1 : bad;
}
