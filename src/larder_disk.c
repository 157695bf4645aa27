/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_disk.h"
#include "larder_num.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that is mapped. */
struct mapping {
    void *data;
    size_t size;
};

/* The file is there between its first byte and its last, so that many values need few files. */
struct larder_disk {
    int fd; /* -1: not open */
    uint64_t size, received;
    struct mapping *mapping; /* all has come */
    char dir[];
};

static int fail (const struct larder_disk *d, const char *what, larder_error *err)
{
    int e = errno;
    int code = e == ENOSPC || e == EDQUOT    ? LARDER_ENOSPC
               : e == ENOENT || e == ENOTDIR ? LARDER_ENOENT
                                             : LARDER_EIO;
    return larder_error_set (err, code, e, "a value of %" PRIu64 " bytes on disk, in %s: %s: %s",
                             d->size, d->dir, what, strerror (e));
}

/* Without O_TMPFILE a file has a name for a moment. */
static int open_named (const char *dir)
{
    size_t room = strlen (dir) + sizeof "/larder-XXXXXX";
    char *name = malloc (room);
    if (!name) {
        errno = ENOMEM;
        return -1;
    }
    (void)snprintf (name, room, "%s/larder-XXXXXX", dir);
    int fd = mkostemp (name, O_CLOEXEC);
    if (fd >= 0 && unlink (name) != 0) {
        int e = errno;
        (void)close (fd);
        errno = e;
        fd = -1;
    }
    free (name);
    return fd;
}

static int open_file (struct larder_disk *d, larder_error *err)
{
    d->fd = open (d->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (d->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
        d->fd = open_named (d->dir);
    return d->fd < 0 ? fail (d, "opening a file", err) : LARDER_OK;
}

static void unmap (void *data)
{
    struct mapping *m = data;
    (void)munmap (m->data, m->size);
    free (m);
}

static int map (struct larder_disk *d, larder_error *err)
{
    struct mapping *m = malloc (sizeof *m);
    if (!m)
        return larder_error_set (err, LARDER_ENOMEM, 0, "a value on disk: no memory");
    m->size = (size_t)d->size;
    m->data = mmap (NULL, m->size, PROT_READ, MAP_SHARED, d->fd, 0);
    if (m->data == MAP_FAILED) {
        free (m);
        return fail (d, "mapping it", err);
    }
    (void)close (d->fd); /* the mapping keeps the file */
    d->fd = -1;
    d->mapping = m;
    return LARDER_OK;
}

static int consume (void *self, const larder_view *view, larder_error *err)
{
    struct larder_disk *d = self;
    const char *from = view->data;
    if (view->item != 0 || view->count != 1 || view->offset != d->received ||
        !larder_num_inside (view->offset, view->size, d->size))
        return larder_error_set (err, LARDER_EINCOMPLETE, 0,
                                 "its owner has more of it than the %" PRIu64 " bytes of its ref",
                                 d->size);
    if (view->size == 0)
        return LARDER_OK;
    int rc = d->fd < 0 ? open_file (d, err) : LARDER_OK;
    for (size_t done = 0; rc == LARDER_OK && done < view->size;) {
        ssize_t n = pwrite (d->fd, from + done, view->size - done, (off_t)(view->offset + done));
        if (n < 0 && errno != EINTR)
            return fail (d, "writing", err);
        done += n > 0 ? (size_t)n : 0;
    }
    if (rc == LARDER_OK)
        d->received += view->size;
    return rc == LARDER_OK && d->received == d->size ? map (d, err) : rc;
}

int larder_disk_receive (const char *dir, uint64_t size, larder_consumer *consumer,
                         larder_error *err)
{
    size_t room = strlen (dir) + 1;
    struct larder_disk *d = malloc (sizeof *d + room);
    if (!d || size > SIZE_MAX || size > INT64_MAX) {
        free (d);
        return larder_error_set (err, LARDER_ENOMEM, 0,
                                 "a value of %" PRIu64 " bytes on disk, in %s: no memory", size,
                                 dir);
    }
    *d = (struct larder_disk){.fd = -1, .size = size};
    memcpy (d->dir, dir, room);
    struct stat state;
    errno = 0;
    if (stat (dir, &state) != 0 || !S_ISDIR (state.st_mode)) {
        errno = errno ? errno : ENOTDIR;
        int rc = fail (d, "looking for the directory", err);
        free (d);
        return rc;
    }
    *consumer = (larder_consumer){.self = d, .consume_items = consume};
    return LARDER_OK;
}

int larder_disk_finish (void *self, const void **data, struct larder_blob **blob, larder_error *err)
{
    struct larder_disk *d = self;
    int rc = LARDER_OK;
    if (!d->mapping)
        rc = larder_error_set (err, LARDER_EINCOMPLETE, 0,
                               "its owner has only %" PRIu64 " of the %" PRIu64 " bytes of its ref",
                               d->received, d->size);
    else if (!(*blob = larder_blob_new (d->mapping, unmap)))
        rc = larder_error_set (err, LARDER_ENOMEM, 0, "a value on disk: no memory");
    if (rc == LARDER_OK) {
        *data = d->mapping->data;
        d->mapping = NULL; /* the blob's */
    }
    larder_disk_abandon (d);
    return rc;
}

void larder_disk_abandon (void *self)
{
    struct larder_disk *d = self;
    if (d->fd >= 0)
        (void)close (d->fd);
    if (d->mapping)
        unmap (d->mapping);
    free (d);
}
