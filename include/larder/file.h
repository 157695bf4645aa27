/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * Files as objects (their bytes, in pages) and as destinations (byte-exact copies). */
#ifndef LARDER_FILE_H
#define LARDER_FILE_H

#include <larder/consumer.h>
#include <larder/error.h>
#include <larder/object.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Make an object of a file's bytes: items are pages of page_size bytes, the last may be shorter.
 * The file is opened here, and its size is the one it has now; a file that is shorter or has
 * another modification time when a page is read fails that page with LARDER_ESTALE. Collective:
 * no. Thread: any.  Blocks: on the file system.
 * \param page_size  Bytes, >= 1.
 * \param [out] object To be given to larder_offer, which takes it over; if it is not offered, or
 *     the offer fails, call object->ops->release (object->self).  Unchanged on failure.
 * \param [out] status  May be NULL: the file's fstat as it was opened (size, mode, times).
 * \return LARDER_OK, LARDER_ENOENT, LARDER_EIO (detail is errno), LARDER_EINVAL (no regular
 *     file), LARDER_ENOMEM. */
int larder_file_object (const char *path, uint64_t page_size, larder_object *object,
                        struct stat *status, larder_error *err);

/** A file being received (opaque). */
typedef struct larder_file_sink larder_file_sink;

/** What a received file shall be. */
typedef struct larder_file_options {
    uint64_t size;         /**< final size in bytes, reserved at once where the file system can;
                              in memory (tmpfs) only the room is looked at */
    mode_t mode;           /**< permission bits; set-id bits are not taken over */
    struct timespec mtime; /**< modification time */
    uint64_t page_size;    /**< of the object that will be downloaded */
    int replace;           /**< 1: an existing destination is replaced when the file is whole */
} larder_file_options;

/** Start to receive a file.  The bytes go to an unnamed (O_TMPFILE) or temporary file in the
 * destination's directory; only _commit gives it the destination's name, so that nothing that is
 * not whole ever has it.  Temporary files that an interrupted run left behind for the same
 * destination are removed. Collective: no.  Thread: any.  Blocks: on the file system.
 * \param path Destination.
 * \param [out] sink  Unchanged on failure; end it with exactly one larder_file_sink_close.
 * \return LARDER_OK; LARDER_EEXIST (a directory or device is refused even with replace),
 *         LARDER_ENOENT (no such directory), LARDER_ENOSPC, LARDER_EIO, LARDER_EINVAL,
 *         LARDER_ENOMEM. */
int larder_file_sink_open (const char *path, const larder_file_options *options,
                           larder_file_sink **sink, larder_error *err);

/** The consumer of a sink; valid until the sink is closed.  Its download_completed commits.
 * Collective: no.  Thread: any.  Blocks: no. */
larder_consumer larder_file_consumer (larder_file_sink *sink);

/** Give the whole file its mode, time and name: fsync, rename (or link), fsync of the directory.
 * Called by the consumer's download_completed.  Collective: no.  Thread: any. Blocks: on the file
 * system.
 * \return LARDER_OK, LARDER_EEXIST, LARDER_ENOSPC, LARDER_EIO; on failure the destination is as
 *         it was, unless err's text says that only its directory could not be flushed. */
int larder_file_sink_commit (larder_file_sink *sink, larder_error *err);

/** End a sink; what was not committed leaves nothing behind.  NULL is allowed; *sink is NULL
 * afterwards.  Collective: no.  Thread: any.  Blocks: on the file system. */
void larder_file_sink_close (larder_file_sink **sink);

#ifdef __cplusplus
}
#endif
#endif
