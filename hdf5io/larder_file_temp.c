/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_file_temp.h"
#include "larder_file_error.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MARK ".larder-"
enum { RANDOM = 6, TRIES = 100, LONGEST_NAME = 255 };

/* -- names ---------------------------------------------------------------------------------- */

/* "." + base + MARK, where base is shortened to what leaves room, with a hash to tell it from others
 * that begin alike. */
static void make_prefix (struct larder_file_temp *t)
{
    long longest = fpathconf (t->directory, _PC_NAME_MAX);
    size_t length = strlen (t->base);
    size_t room;
    uint64_t hash = UINT64_C (0xcbf29ce484222325); /* FNV-1a */

    if (longest < 64 || longest > LONGEST_NAME)
        longest = LONGEST_NAME;
    room = (size_t)longest - 1 - strlen (MARK) - RANDOM;
    if (length <= room) {
        (void)snprintf (t->prefix, sizeof t->prefix, ".%.*s%s", (int)length, t->base, MARK);
        return;
    }
    for (size_t i = 0; i < length; ++i)
        hash = (hash ^ (unsigned char)t->base[i]) * UINT64_C (0x100000001b3);
    length = room - 17;
    while (length && ((unsigned char)t->base[length] & 0xc0) == 0x80)
        --length; /* not in the middle of a UTF-8 character */
    (void)snprintf (t->prefix, sizeof t->prefix, ".%.*s~%016" PRIx64 "%s", (int)length, t->base,
                    hash, MARK);
}

/* O_EXCL makes names unique; being random only saves attempts. */
static void make_name (struct larder_file_temp *t)
{
    static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    uint64_t r = 0;
    char random[RANDOM + 1] = "";

    if (getrandom (&r, sizeof r, GRND_NONBLOCK) != (ssize_t)sizeof r) {
        struct timespec now = {0, 0};
        (void)clock_gettime (CLOCK_MONOTONIC, &now);
        r = (uint64_t)now.tv_nsec * UINT64_C (0x9e3779b97f4a7c15) + (uint64_t)getpid ();
    }
    for (int i = 0; i < RANDOM; ++i, r /= 36)
        random[i] = letters[r % 36];
    (void)snprintf (t->name, sizeof t->name, "%.*s%s", LONGEST_NAME - RANDOM, t->prefix, random);
}

/* -- what an interrupted run left behind ---------------------------------------------------- */

/* Remove one temporary file if nobody holds its lock.  Whatever cannot be looked at stays. */
static void remove_if_stale (int directory, const char *name)
{
    struct stat opened, named;
    int flags = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    int fd = openat (directory, name, O_RDWR | flags); /* NFS locks only what is open to write */

    if (fd < 0 && errno == EACCES)
        fd = openat (directory, name, O_RDONLY | flags);
    if (fd < 0)
        return;
    /* Its writer may have renamed it since its name was read: remove only what has it still. */
    if (flock (fd, LOCK_EX | LOCK_NB) == 0 && fstat (fd, &opened) == 0 &&
        fstatat (directory, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG (named.st_mode) &&
        opened.st_ino == named.st_ino && opened.st_dev == named.st_dev)
        (void)unlinkat (directory, name, 0);
    (void)close (fd);
}

static int is_temporary (const struct larder_file_temp *t, const char *name)
{
    size_t length = strlen (t->prefix);
    return strncmp (name, t->prefix, length) == 0 && strlen (name + length) == RANDOM;
}

/* Cleaning up is a courtesy: that it did not work is no reason not to write. */
static void remove_stale (const struct larder_file_temp *t)
{
    int fd = openat (t->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir (fd);

    if (!list) {
        if (fd >= 0)
            (void)close (fd);
        return;
    }
    for (const struct dirent *entry = readdir (list); entry; entry = readdir (list))
        if (is_temporary (t, entry->d_name))
            remove_if_stale (t->directory, entry->d_name);
    (void)closedir (list);
}

/* -- opening -------------------------------------------------------------------------------- */

static int open_directory (struct larder_file_temp *t, larder_error *err)
{
    const char *slash = strrchr (t->path, '/');
    char *parent;

    t->base = slash ? slash + 1 : t->path;
    if (!slash)
        parent = strdup (".");
    else
        parent = strndup (t->path, slash == t->path ? 1 : (size_t)(slash - t->path));
    if (!parent)
        return larder_file_error (err, "write", t->path, ENOMEM);
    do
        t->directory = open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (t->directory < 0 && errno == EINTR);
    free (parent);
    if (t->directory < 0)
        return larder_file_error (err, "write", t->path, errno);
    return LARDER_OK;
}

/* Whether the destination's name can be taken.  A link is replaced itself, but not one to a device
 * or directory: that is not what its user meant. */
static int check_destination (const struct larder_file_temp *t, larder_error *err)
{
    struct stat st;
    int missing = 0;

    if (!*t->base || strcmp (t->base, ".") == 0 || strcmp (t->base, "..") == 0)
        return larder_error_set (err, LARDER_EEXIST, EISDIR, "cannot write %s: is a directory",
                                 t->path);
    if (fstatat (t->directory, t->base, &st, 0) != 0) {
        if (errno != ENOENT && errno != ELOOP)
            return larder_file_error (err, "write", t->path, errno);
        missing = 1;
        if (fstatat (t->directory, t->base, &st, AT_SYMLINK_NOFOLLOW) != 0)
            return errno == ENOENT ? LARDER_OK : larder_file_error (err, "write", t->path, errno);
    }
    if (!missing && !S_ISREG (st.st_mode))
        return larder_error_set (
            err, LARDER_EEXIST, S_ISDIR (st.st_mode) ? EISDIR : EEXIST, "cannot write %s: %s",
            t->path, S_ISDIR (st.st_mode) ? "is a directory" : "exists and is not a regular file");
    return t->replace ? LARDER_OK : larder_file_error (err, "write", t->path, EEXIST);
}

/* The way to link a file without a name; fits an int. */
static void name_in_proc (int fd, char text[32])
{
    (void)snprintf (text, 32, "/proc/self/fd/%d", fd);
}

/* Returns the descriptor, or -1 with errno; EOPNOTSUPP says to take a temporary name instead. */
static int open_unnamed (struct larder_file_temp *t)
{
    int fd = openat (t->directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    char proc[32];
    struct stat st;

    if (fd < 0) {
        /* Kernels and file systems that do not know O_TMPFILE say one of these. */
        if (errno == EISDIR || errno == EINVAL || errno == ENOSYS)
            errno = EOPNOTSUPP;
        return -1;
    }
    name_in_proc (fd, proc);
    if (stat (proc, &st) != 0) { /* no /proc here: it could never get its name */
        (void)close (fd);
        errno = EOPNOTSUPP;
        return -1;
    }
    /* Held for the moment between its temporary and its final name, see place_unnamed.  A file
     * system without locks refuses it to those who clean up, too. */
    (void)flock (fd, LOCK_EX | LOCK_NB);
    return fd;
}

static int open_named (struct larder_file_temp *t)
{
    for (int i = 0; i < TRIES; ++i) {
        struct stat st;
        int fd;

        make_name (t);
        fd = openat (t->directory, t->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                     0600);
        if (fd < 0 && (errno == EEXIST || errno == EINTR))
            continue;
        if (fd < 0)
            break;
        /* Somebody who cleans up may have been between our open and our lock. */
        if ((flock (fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) && fstat (fd, &st) == 0 &&
            st.st_nlink > 0)
            return fd;
        (void)close (fd);
        errno = EEXIST;
    }
    t->name[0] = '\0';
    return -1;
}

static int open_temp (struct larder_file_temp *temp, const char *path, int replace, int named,
                      larder_error *err)
{
    int code;

    *temp = (struct larder_file_temp){.fd = -1, .directory = -1, .path = path, .replace = replace};
    code = open_directory (temp, err);
    if (code == LARDER_OK)
        code = check_destination (temp, err);
    if (code != LARDER_OK)
        goto fail;
    make_prefix (temp);
    remove_stale (temp);
    errno = EOPNOTSUPP;
    temp->fd = named ? -1 : open_unnamed (temp);
    if (temp->fd < 0 && errno == EOPNOTSUPP)
        temp->fd = open_named (temp);
    if (temp->fd >= 0)
        return LARDER_OK;
    code = larder_file_error (err, "write", path, errno);
fail:
    larder_file_temp_close (temp);
    return code;
}

int larder_file_temp_open (struct larder_file_temp *temp, const char *path, int replace,
                           larder_error *err)
{
    return open_temp (temp, path, replace, 0, err);
}

int larder_file_temp_open_named (struct larder_file_temp *temp, const char *path, int replace,
                                 larder_error *err)
{
    return open_temp (temp, path, replace, 1, err);
}

/* -- the destination's name ----------------------------------------------------------------- */

/* Link a file without a name to the destination's, or to a temporary one first when the
 * destination may exist.  Returns 0, or an errno. */
static int link_unnamed (struct larder_file_temp *t)
{
    char proc[32];

    name_in_proc (t->fd, proc);
    if (!t->replace)
        return linkat (AT_FDCWD, proc, t->directory, t->base, AT_SYMLINK_FOLLOW) ? errno : 0;
    for (int i = 0; i < TRIES; ++i) {
        make_name (t);
        if (linkat (AT_FDCWD, proc, t->directory, t->name, AT_SYMLINK_FOLLOW) == 0)
            return 0;
        t->name[0] = '\0';
        if (errno != EEXIST)
            break;
    }
    return errno;
}

/* Rename the temporary file to a name that must not exist.  Returns 0, or an errno. */
static int rename_to_new (struct larder_file_temp *t)
{
    struct stat st;

    if (renameat2 (t->directory, t->name, t->directory, t->base, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
        return errno;
    /* NFS and others cannot; a second link fails just as surely when the name is taken. */
    if (linkat (t->directory, t->name, t->directory, t->base, 0) == 0) {
        (void)unlinkat (t->directory, t->name, 0); /* else the next run removes it */
        return 0;
    }
    if (errno != EPERM && errno != ENOSYS && errno != EOPNOTSUPP)
        return errno;
    /* No links either (FAT): look first, which is all that is left. */
    if (fstatat (t->directory, t->base, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return EEXIST;
    return renameat (t->directory, t->name, t->directory, t->base) ? errno : 0;
}

int larder_file_temp_place (struct larder_file_temp *temp, larder_error *err)
{
    int number = 0;

    if (!temp->name[0])
        number = link_unnamed (temp);
    if (number == 0 && temp->name[0]) {
        if (!temp->replace)
            number = rename_to_new (temp);
        else if (renameat (temp->directory, temp->name, temp->directory, temp->base) != 0)
            number = errno;
    }
    if (number != 0)
        return larder_file_error (err, "write", temp->path, number);
    temp->name[0] = '\0';
    /* Some file systems cannot flush a directory, and say so with EINVAL. */
    if (fsync (temp->directory) != 0 && errno != EINVAL && errno != EOPNOTSUPP)
        return larder_file_error (err, "flush the directory of", temp->path, errno);
    return LARDER_OK;
}

void larder_file_temp_close (struct larder_file_temp *temp)
{
    if (temp->name[0])
        (void)unlinkat (temp->directory, temp->name, 0); /* else the next run removes it */
    temp->name[0] = '\0';
    /* What was committed has been flushed, so close has nothing left to report. */
    if (temp->fd >= 0)
        (void)close (temp->fd);
    if (temp->directory >= 0)
        (void)close (temp->directory);
    temp->fd = -1;
    temp->directory = -1;
}
