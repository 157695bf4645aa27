/* SPDX-License-Identifier: Apache-2.0 */
/* Files for tests: a directory of its own, and whole files in and out. */
#ifndef LARDER_TEST_FILES_H
#define LARDER_TEST_FILES_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LARDER_TEST_PATH = 1024 };

static char larder_test_directory[LARDER_TEST_PATH - 512];

/* To be called first thing in main; everything in the directory goes away with _end. */
static inline void larder_test_files_begin (void)
{
    const char *parent = getenv ("TMPDIR");

    (void)snprintf (larder_test_directory, sizeof larder_test_directory, "%s/larder-test-XXXXXX",
                    parent && *parent ? parent : "/tmp");
    if (!mkdtemp (larder_test_directory)) {
        perror (larder_test_directory);
        exit (1);
    }
}

/* The path of a name in the directory, in one of a few static buffers. */
static inline const char *larder_test_path (const char *name)
{
    static char paths[8][LARDER_TEST_PATH];
    static unsigned next;
    char *path = paths[next++ % 8];

    (void)snprintf (path, LARDER_TEST_PATH, "%s/%s", larder_test_directory, name);
    return path;
}

/* Remove all files of the directory; returns how many there were. */
static inline int larder_test_files_clear (void)
{
    DIR *list = opendir (larder_test_directory);
    int count = 0;

    if (!list)
        return -1;
    for (const struct dirent *d = readdir (list); d; d = readdir (list)) {
        if (strcmp (d->d_name, ".") == 0 || strcmp (d->d_name, "..") == 0)
            continue;
        ++count;
        if (unlinkat (dirfd (list), d->d_name, 0) != 0)
            (void)unlinkat (dirfd (list), d->d_name, AT_REMOVEDIR);
    }
    (void)closedir (list);
    return count;
}

/* How many entries begin with a text. */
static inline int larder_test_files_count (const char *begin)
{
    DIR *list = opendir (larder_test_directory);
    int count = 0;

    if (!list)
        return -1;
    for (const struct dirent *d = readdir (list); d; d = readdir (list))
        count += strcmp (d->d_name, ".") != 0 && strcmp (d->d_name, "..") != 0 &&
                 strncmp (d->d_name, begin, strlen (begin)) == 0;
    (void)closedir (list);
    return count;
}

static inline void larder_test_files_end (void)
{
    (void)larder_test_files_clear ();
    (void)rmdir (larder_test_directory);
}

/* Returns 0, or -1. */
static inline int larder_test_file_write (const char *path, const void *data, size_t size)
{
    FILE *f = fopen (path, "wb");
    size_t n;

    if (!f)
        return -1;
    n = size ? fwrite (data, 1, size, f) : 0;
    return fclose (f) == 0 && n == size ? 0 : -1;
}

/* Whether a file has exactly these bytes. */
static inline int larder_test_file_is (const char *path, const void *data, size_t size)
{
    FILE *f = fopen (path, "rb");
    char *have = malloc (size + 1);
    int same = 0;

    if (f && have)
        same = fread (have, 1, size + 1, f) == size && (!size || memcmp (have, data, size) == 0);
    if (f)
        (void)fclose (f);
    free (have);
    return same;
}

#endif
