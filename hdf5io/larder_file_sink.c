/* SPDX-License-Identifier: Apache-2.0 */
/* A file being received: where its bytes go, and when it may have its name. */
#define _GNU_SOURCE
#include "larder_file_error.h"
#include "larder_file_temp.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <larder/file.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

struct larder_file_sink {
    struct larder_file_temp temp;
    larder_file_options options;
    uint64_t received; /* bytes [0, received) are written */
    int committed;
    char path[];
};

/* In memory reserving is two thirds of the work of writing, and orders nothing: there the room is only looked at. */
static int is_memory (const struct larder_file_sink *sink, int *full)
{
    struct statfs fs;
    uint64_t needed;

    if (fstatfs (sink->temp.fd, &fs) != 0 || fs.f_type != TMPFS_MAGIC || fs.f_bsize <= 0)
        return 0;
    needed = sink->options.size / (uint64_t)fs.f_bsize;
    *full = fs.f_blocks && needed > fs.f_bavail; /* no blocks: no limit */
    return 1;
}

/* Reserve the space now, so that a full file system shows before anything is sent.  Only what says
 * that the file does not fit counts; a file system that cannot reserve may still be able to write. */
static int reserve (const struct larder_file_sink *sink, larder_error *err)
{
    int result, full = 0;

    if (sink->options.size > INT64_MAX)
        return larder_file_error (err, "write", sink->path, EFBIG);
    if (sink->options.size == 0)
        return LARDER_OK;
    if (is_memory (sink, &full))
        return full ? larder_file_error (err, "write", sink->path, ENOSPC) : LARDER_OK;
    do
        result = fallocate (sink->temp.fd, 0, 0, (off_t)sink->options.size);
    while (result != 0 && errno == EINTR);
    if (result != 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
        return larder_file_error (err, "write", sink->path, errno);
    return LARDER_OK;
}

int larder_file_sink_open (const char *path, const larder_file_options *options,
                           larder_file_sink **sink, larder_error *err)
{
    larder_file_sink *s;
    size_t path_size;
    int code;

    if (!path || !options || !sink)
        return larder_error_set (err, LARDER_EINVAL, 0, "larder_file_sink_open: NULL argument");
    if (options->page_size == 0)
        return larder_error_set (err, LARDER_EINVAL, 0, "%s: page_size 0", path);
    path_size = strlen (path) + 1;
    s = calloc (1, sizeof *s + path_size);
    if (!s)
        return larder_file_error (err, "write", path, ENOMEM);
    s->options = *options;
    memcpy (s->path, path, path_size);
    code = larder_file_temp_open (&s->temp, s->path, options->replace, err);
    if (code == LARDER_OK)
        code = reserve (s, err);
    if (code != LARDER_OK) {
        larder_file_sink_close (&s);
        return code;
    }
    *sink = s;
    return LARDER_OK;
}

static int given_up (const larder_file_sink *sink, larder_error *err)
{
    return larder_error_set (err, LARDER_EIO, 0, "cannot write %s: it was %s before", sink->path,
                             sink->committed ? "finished" : "given up");
}

static int write_all (const larder_file_sink *sink, const unsigned char *data, size_t size,
                      uint64_t at, larder_error *err)
{
    while (size) {
        ssize_t n = pwrite (sink->temp.fd, data, size, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return larder_file_error (err, "write", sink->path, n < 0 ? errno : EIO);
        data += n;
        size -= (size_t)n;
        at += (uint64_t)n;
    }
    return LARDER_OK;
}

/* Views come in order and without gaps.  Insisting on it here makes `received` a proof that every
 * byte came, and notices a page_size that is not the object's. */
static int consume_items (void *self, const larder_view *view, larder_error *err)
{
    larder_file_sink *sink = self;
    uint64_t at;
    int code;

    if (sink->temp.fd < 0 || sink->committed)
        return given_up (sink, err);
    if (__builtin_mul_overflow (view->item, sink->options.page_size, &at) ||
        __builtin_add_overflow (at, view->offset, &at) || at != sink->received ||
        view->size > sink->options.size - at)
        return larder_error_set (
            err, LARDER_ERANGE, 0,
            "cannot write %s: %zu bytes of page %" PRIu64 " from offset %" PRIu64
            " do not follow the %" PRIu64 " of %" PRIu64 " bytes that are there",
            sink->path, view->size, view->item, view->offset, sink->received, sink->options.size);
    code = write_all (sink, view->data, view->size, at, err);
    if (code == LARDER_OK)
        sink->received += view->size;
    return code;
}

static int download_completed (void *self, larder_error *err)
{
    return larder_file_sink_commit (self, err);
}

static void download_failed (void *self, const larder_error *why)
{
    larder_file_sink *sink = self;

    (void)why;
    if (!sink->committed)
        larder_file_temp_close (&sink->temp);
}

larder_consumer larder_file_consumer (larder_file_sink *sink)
{
    return (larder_consumer){
        .self = sink,
        .consume_items = consume_items,
        .download_completed = download_completed,
        .download_failed = download_failed,
    };
}

int larder_file_sink_commit (larder_file_sink *sink, larder_error *err)
{
    struct timespec times[2] = {{0, UTIME_OMIT}, {0, 0}};
    int code;

    if (!sink)
        return larder_error_set (err, LARDER_EINVAL, 0, "larder_file_sink_commit: NULL argument");
    if (sink->committed)
        return LARDER_OK;
    if (sink->temp.fd < 0)
        return given_up (sink, err);
    if (sink->received != sink->options.size)
        return larder_error_set (err, LARDER_EIO, 0,
                                 "cannot write %s: %" PRIu64 " of %" PRIu64 " bytes came",
                                 sink->path, sink->received, sink->options.size);
    times[1] = sink->options.mtime;
    /* Not the set-id bits: a copy has another owner, who would lend out other rights. */
    if (fchmod (sink->temp.fd, sink->options.mode & 0777) != 0 ||
        futimens (sink->temp.fd, times) != 0 || fsync (sink->temp.fd) != 0)
        return larder_file_error (err, "write", sink->path, errno);
    code = larder_file_temp_place (&sink->temp, err);
    sink->committed = code == LARDER_OK;
    return code;
}

void larder_file_sink_close (larder_file_sink **sink)
{
    if (!sink || !*sink)
        return;
    larder_file_temp_close (&(*sink)->temp);
    free (*sink);
    *sink = NULL;
}
