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

struct larder_disk {
    int fd;
    uint64_t size, received;
    char dir[]; /* for error texts */
};

/* A file that is mapped. */
struct mapping {
    void *data;
    size_t size;
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

static int consume (void *self, const larder_view *view, larder_error *err)
{
    struct larder_disk *d = self;
    const char *from = view->data;
    if (view->item != 0 || view->count != 1 || view->offset != d->received ||
        !larder_num_inside (view->offset, view->size, d->size))
        return larder_error_set (err, LARDER_EINCOMPLETE, 0,
                                 "its owner has more of it than the %" PRIu64 " bytes of its ref",
                                 d->size);
    for (size_t done = 0; done < view->size;) {
        ssize_t n = pwrite (d->fd, from + done, view->size - done, (off_t)(view->offset + done));
        if (n < 0 && errno != EINTR)
            return fail (d, "writing", err);
        done += n > 0 ? (size_t)n : 0;
    }
    d->received += view->size;
    return LARDER_OK;
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
    d->size = size;
    d->received = 0;
    memcpy (d->dir, dir, room);
    d->fd = open (dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (d->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
        d->fd = open_named (dir);
    if (d->fd < 0) {
        int rc = fail (d, "opening a file", err);
        free (d);
        return rc;
    }
    *consumer = (larder_consumer){.self = d, .consume_items = consume};
    return LARDER_OK;
}

static void unmap (void *data)
{
    struct mapping *m = data;
    (void)munmap (m->data, m->size);
    free (m);
}

static int map (const struct larder_disk *d, const void **data, struct larder_blob **blob,
                larder_error *err)
{
    if (d->received != d->size)
        return larder_error_set (err, LARDER_EINCOMPLETE, 0,
                                 "its owner has only %" PRIu64 " of the %" PRIu64
                                 " bytes of its ref",
                                 d->received, d->size);
    struct mapping *m = malloc (sizeof *m);
    if (!m)
        return larder_error_set (err, LARDER_ENOMEM, 0, "a value on disk: no memory");
    m->size = (size_t)d->size;
    m->data = mmap (NULL, m->size, PROT_READ, MAP_SHARED, d->fd, 0);
    if (m->data == MAP_FAILED) {
        free (m);
        return fail (d, "mapping it", err);
    }
    *blob = larder_blob_new (m, unmap);
    if (!*blob) {
        unmap (m);
        return larder_error_set (err, LARDER_ENOMEM, 0, "a value on disk: no memory");
    }
    *data = m->data;
    return LARDER_OK;
}

int larder_disk_finish (void *self, const void **data, struct larder_blob **blob, larder_error *err)
{
    int rc = map (self, data, blob, err);
    larder_disk_abandon (self);
    return rc;
}

void larder_disk_abandon (void *self)
{
    struct larder_disk *d = self;
    (void)close (d->fd);
    free (d);
}
