/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a file as an object. */
#define _GNU_SOURCE
#include "larder_file_error.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <larder/file.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct file_object {
    int fd;
    uint64_t size; /* as the file was opened; pages are cut from this */
    struct timespec mtime;
    uint64_t page_size;
    uint64_t page_count;
    char path[];
};

static uint64_t page_length (const struct file_object *f, uint64_t page)
{
    uint64_t left = f->size - page * f->page_size;
    return left < f->page_size ? left : f->page_size;
}

static int file_item_count (void *self, uint64_t *count, larder_error *err)
{
    const struct file_object *f = self;

    (void)err;
    *count = f->page_count;
    return LARDER_OK;
}

static int file_item_size (void *self, uint64_t item, uint64_t *size, larder_error *err)
{
    const struct file_object *f = self;

    if (item >= f->page_count)
        return larder_error_set (err, LARDER_ERANGE, 0,
                                 "%s: page %" PRIu64 " of %" PRIu64 " does not exist", f->path,
                                 item, f->page_count);
    *size = page_length (f, item);
    return LARDER_OK;
}

/* Whether the file is still the one that was offered. */
static int check_unchanged (const struct file_object *f, larder_error *err)
{
    struct stat now;

    if (fstat (f->fd, &now) != 0)
        return larder_file_error (err, "read", f->path, errno);
    if ((uint64_t)now.st_size != f->size)
        return larder_error_set (err, LARDER_ESTALE, 0,
                                 "%s: has %" PRIu64 " bytes now, had %" PRIu64
                                 " when it was offered",
                                 f->path, (uint64_t)now.st_size, f->size);
    if (now.st_mtim.tv_sec != f->mtime.tv_sec || now.st_mtim.tv_nsec != f->mtime.tv_nsec)
        return larder_error_set (err, LARDER_ESTALE, 0, "%s: was written to after it was offered",
                                 f->path);
    return LARDER_OK;
}

static int file_produce_item (void *self, uint64_t item, uint64_t offset, void *buffer,
                              size_t capacity, size_t *produced, int *last, larder_error *err)
{
    const struct file_object *f = self;
    uint64_t size = 0;
    size_t want, have = 0;
    int code = file_item_size (self, item, &size, err);

    if (code != LARDER_OK)
        return code;
    if (offset > size)
        return larder_error_set (err, LARDER_ERANGE, 0,
                                 "%s: offset %" PRIu64 " is behind the end of page %" PRIu64,
                                 f->path, offset, item);
    want = size - offset < capacity ? (size_t)(size - offset) : capacity;
    while (have < want) {
        off_t at = (off_t)(item * f->page_size + offset + have);
        ssize_t n = pread (f->fd, (char *)buffer + have, want - have, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return larder_file_error (err, "read", f->path, errno);
        if (n == 0)
            return larder_error_set (err, LARDER_ESTALE, 0,
                                     "%s: ends at byte %" PRIu64 ", had %" PRIu64
                                     " bytes when it was offered",
                                     f->path, (uint64_t)at, f->size);
        have += (size_t)n;
    }
    /* Behind the read: what changed before it or while it ran shows now. */
    code = check_unchanged (f, err);
    if (code != LARDER_OK)
        return code;
    *produced = want;
    *last = offset + want == size;
    return LARDER_OK;
}

static void file_prefetch_item (void *self, uint64_t item)
{
    const struct file_object *f = self;

    /* A hint: that it was not taken needs no answer. */
    if (item < f->page_count)
        (void)posix_fadvise (f->fd, (off_t)(item * f->page_size), (off_t)page_length (f, item),
                             POSIX_FADV_WILLNEED);
}

static void file_release (void *self)
{
    struct file_object *f = self;

    (void)close (f->fd); /* was only read from */
    free (f);
}

/* Open a regular file and nothing else.  O_NONBLOCK: opening a FIFO must not wait for a writer; to
 * regular files it means nothing. */
static int open_regular (const char *path, int *fd, struct stat *status, larder_error *err)
{
    int opened;

    do
        opened = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    while (opened < 0 && errno == EINTR);
    if (opened < 0 && errno == ENXIO) /* a socket, or a device that is not there */
        return larder_error_set (err, LARDER_EINVAL, ENXIO, "cannot read %s: not a regular file",
                                 path);
    if (opened < 0)
        return larder_file_error (err, "read", path, errno);
    if (fstat (opened, status) != 0) {
        int code = larder_file_error (err, "read", path, errno);
        (void)close (opened);
        return code;
    }
    if (!S_ISREG (status->st_mode)) {
        (void)close (opened);
        return larder_error_set (err, LARDER_EINVAL, 0, "cannot read %s: %s", path,
                                 S_ISDIR (status->st_mode) ? "is a directory"
                                                           : "not a regular file");
    }
    *fd = opened;
    return LARDER_OK;
}

int larder_file_object (const char *path, uint64_t page_size, larder_object *object,
                        struct stat *status, larder_error *err)
{
    static const larder_object_ops ops = {
        .item_count = file_item_count,
        .item_size = file_item_size,
        .produce_item = file_produce_item,
        .prefetch_item = file_prefetch_item,
        .release = file_release,
    };
    struct file_object *f;
    struct stat st;
    size_t path_size;
    int fd = -1;
    int code;

    if (!path || !object)
        return larder_error_set (err, LARDER_EINVAL, 0, "larder_file_object: NULL argument");
    if (page_size == 0)
        return larder_error_set (err, LARDER_EINVAL, 0, "%s: page_size 0", path);
    code = open_regular (path, &fd, &st, err);
    if (code != LARDER_OK)
        return code;
    path_size = strlen (path) + 1;
    f = malloc (sizeof *f + path_size);
    if (!f) {
        (void)close (fd);
        return larder_file_error (err, "read", path, ENOMEM);
    }
    *f = (struct file_object){.fd = fd, .mtime = st.st_mtim, .page_size = page_size};
    f->size = (uint64_t)st.st_size;
    f->page_count = f->size / page_size + (f->size % page_size != 0);
    memcpy (f->path, path, path_size);
    (void)posix_fadvise (fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* a hint */

    *object = (larder_object){
        .ops = &ops,
        .self = f,
        .name = f->path,
        .uniform_item_size = page_size,
    };
    if (status)
        *status = st;
    return LARDER_OK;
}
