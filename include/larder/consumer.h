/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * Consumers: what a receiver does with the items.
 *
 * consume_items gets views: pointers straight into the node's cache, valid until it returns.
 * Keeping means copying.  A consumer must not call back into the session.  Fill the struct by the
 * names of its members, or zero it first: functions may be added. */
#ifndef LARDER_CONSUMER_H
#define LARDER_CONSUMER_H

#include <larder/error.h>
#include <larder/event.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Some whole items, or a part of one.  Views of one download come in ascending order without gaps,
 * and each byte comes once. */
typedef struct larder_view {
    uint64_t item;   /**< first item in this view */
    uint64_t offset; /**< bytes of that item that came in earlier views; 0 unless it was split */
    uint64_t count;  /**< items in this view, >= 1; 1 when it is a part of one */
    const void *data;
    size_t size;        /**< bytes of data, may be 0 */
    uint64_t item_size; /**< item_sizes == NULL: bytes per item, of the last perhaps fewer */
    const uint32_t
        *item_sizes; /**< bytes of each of the count items; NULL: count is 1, or all are equal */
    int item_ends;   /**< 1: the last item in this view is complete with it */
} larder_view;

/** The functions of a consumer.  consume_items is required, the others may be NULL. */
typedef struct larder_consumer {
    void *self; /**< handed to every function */

    /** Take a view.  A negative larder_code ends this download, and only this one, with
     * LARDER_ECONSUMER and err's text. */
    int (*consume_items) (void *self, const larder_view *view, larder_error *err);

    /** Everything has come: finish (flush, rename).  A negative code makes the download fail.  Not
     * followed by download_failed. */
    int (*download_completed) (void *self, larder_error *err);

    /** The download failed or was cancelled: undo. */
    void (*download_failed) (void *self, const larder_error *why);

    /** Asked often while the download runs, also while it waits: other than 0 cancels it
     * (LARDER_ECANCELED), with all that larder_download_cancel does. */
    int (*abort_requested) (void *self);

    /** How far this download is: when it starts, then at most every progress_interval_s seconds
     * when more has come, and when it has ended, after download_completed or download_failed. */
    void (*download_progress) (void *self, const larder_event *event);
    double progress_interval_s; /**< seconds; 0: 30; negative: every chunk */
} larder_consumer;

/** Receiving side of a plain buffer: larder_consumer_memory fills consumer. */
typedef struct larder_memory_sink {
    void *buffer;      /**< caller-owned */
    uint64_t capacity; /**< bytes */
    uint64_t received; /**< bytes so far */
} larder_memory_sink;

/** A consumer that puts the bytes of the downloaded items one after another into a buffer.
 * Collective: no.  Thread: any.  Blocks: no.  consume_items fails with LARDER_ERANGE when the
 * buffer is too small; the buffer's content is then undefined.
 * \param [in,out] sink  buffer and capacity set by the caller; borrowed until the download ended.
 * \return A consumer by value. */
larder_consumer larder_consumer_memory (larder_memory_sink *sink);

#ifdef __cplusplus
}
#endif
#endif
