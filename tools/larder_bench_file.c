/* SPDX-License-Identifier: Apache-2.0 */
/* SRC is a file: its bytes, read with pread. */
#define _GNU_SOURCE
#include "larder_bench_reader.h"
#include <errno.h>
#include <fcntl.h>
#include <larder/collective.h>
#include <larder/file.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int file_error (const struct larder_bench_source *source, int error, larder_error *err)
{
    return larder_error_set (err, error == ENOENT ? LARDER_ENOENT : LARDER_EIO, error, "%s: %s",
                             source->path, strerror (error));
}

static int file_open (struct larder_bench_source *source, larder_error *err)
{
    struct stat status;
    source->fd = open (source->path, O_RDONLY | O_CLOEXEC);
    if (source->fd < 0)
        return file_error (source, errno, err);
    if (fstat (source->fd, &status) != 0) {
        int error = errno;
        (void)close (source->fd);
        return file_error (source, error, err);
    }
    source->bytes = (uint64_t)status.st_size;
    source->step = LARDER_BENCH_STEP;
    return LARDER_OK;
}

static int file_read (struct larder_bench_source *source, uint64_t offset, uint64_t size,
                      void *buffer, larder_error *err)
{
    const uint64_t most = UINT64_C (1) << 30; /* the system reads less than 2 GiB at once */
    for (uint64_t done = 0; done < size;) {
        uint64_t left = size - done;
        ssize_t n = pread (source->fd, (char *)buffer + done, left < most ? left : most,
                           (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return file_error (source, errno, err);
        if (n == 0)
            return larder_error_set (err, LARDER_ESTALE, 0, "%s: has become shorter", source->path);
        done += (uint64_t)n;
    }
    return LARDER_OK;
}

static void file_close (struct larder_bench_source *source)
{
    (void)close (source->fd);
}

static int file_object (const struct larder_bench_source *source, larder_object *object,
                        larder_error *err)
{
    return larder_file_object (source->path, source->page, object, NULL, err);
}

static int file_download (const struct larder_bench_source *source, larder *session,
                          const larder_ref *ref, void *buffer, larder_error *err)
{
    larder_memory_sink sink = {.buffer = buffer, .capacity = source->bytes};
    larder_consumer consumer = larder_consumer_memory (&sink);
    return larder_download_all (session, ref, &consumer, err);
}

static int file_download_node (const struct larder_bench_source *source, larder *session,
                               const larder_ref *ref, larder_shared **shared, larder_error *err)
{
    (void)source;
    return larder_download_node (session, ref, shared, err);
}

const struct larder_bench_kind larder_bench_kind_file = {.name = "file",
                                                         .open = file_open,
                                                         .read = file_read,
                                                         .close = file_close,
                                                         .object = file_object,
                                                         .download = file_download,
                                                         .download_node = file_download_node};
