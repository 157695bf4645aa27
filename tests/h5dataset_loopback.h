/* SPDX-License-Identifier: Apache-2.0 */
/* larder_download without a session: it asks an object of this process for its items, in parts of
 * random size, and cuts what it gets into random views. */
#ifndef H5DATASET_LOOPBACK_H
#define H5DATASET_LOOPBACK_H

#include "larder_ref.h"
#include "larder_test_random.h"

#include <larder/download.h>
#include <larder/object.h>
#include <stdlib.h>
#include <string.h>

#define LOOPBACK_ITEMS 16 /* in one view, at most */

static struct {
    larder_object object;
    struct larder_test_random random;
    uint64_t views, parts, downloads, items;
    size_t damage; /* > 0: this byte of each item after item 0 is changed */
    int big;       /* 1: parts as large as they can be */
} loopback;

/* The session's only use is not to be NULL. */
static inline larder *loopback_session (void)
{
    return (larder *)(void *)&loopback;
}

static inline int loopback_offer (larder_object *object, larder_ref *ref)
{
    larder_ref_info info = {.session = 1, .transaction = 2, .object = 3};
    int rc = object->ops->item_count (object->self, &info.item_count, NULL);
    loopback.object = *object;
    larder_ref_write (&info, ref);
    return rc;
}

/* One item in a malloced buffer, checked against item_size. */
static inline int loopback_item (uint64_t item, char **data, size_t *size, larder_error *err)
{
    const larder_object *o = &loopback.object;
    uint64_t want = 0;
    int rc = o->ops->item_size (o->self, item, &want, err), last = 0;
    if (rc)
        return rc;
    *size = (size_t)want;
    *data = malloc (*size + 1);
    if (!*data)
        return LARDER_ENOMEM;
    /* Half an item, and from the start again: an object may be asked so. */
    int again = larder_test_below (&loopback.random, 4) == 0;
    for (size_t done = 0; done < *size && !rc;) {
        size_t got = 0, capacity = *size - done;
        if (!loopback.big)
            capacity = 1 + (size_t)larder_test_below (&loopback.random, capacity);
        rc = o->ops->produce_item (o->self, item, done, *data + done, capacity, &got, &last, err);
        if (!rc && got != capacity)
            rc = larder_error_set (err, LARDER_EOWNER, 0, "produced %zu of %zu", got, capacity);
        done = again ? 0 : done + got;
        again = 0;
        ++loopback.parts;
    }
    if (!rc && item > 0 && loopback.damage && loopback.damage < *size)
        (*data)[loopback.damage] ^= 1;
    if (rc)
        free (*data);
    return rc;
}

static inline int loopback_view (const larder_consumer *consumer, const larder_view *view,
                                 larder_error *err)
{
    /* The cache promises no alignment, and a view ends with the call. */
    char *copy = malloc (view->size + 1);
    larder_view moved = *view;
    if (!copy)
        return LARDER_ENOMEM;
    if (view->size)
        memcpy (copy + 1, view->data, view->size);
    moved.data = copy + 1;
    ++loopback.views;
    int rc = consumer->consume_items (consumer->self, &moved, err);
    free (copy);
    return rc;
}

/* An item in several views. */
static inline int loopback_split (const larder_consumer *consumer, uint64_t item, const char *data,
                                  size_t size, larder_error *err)
{
    int rc = LARDER_OK;
    size_t done = 0;
    do {
        size_t part =
            size - done ? 1 + (size_t)larder_test_below (&loopback.random, size - done) : 0;
        larder_view view = {.item = item,
                            .offset = done,
                            .count = 1,
                            .data = data + done,
                            .size = part,
                            .item_size = size,
                            .item_ends = done + part == size};
        rc = loopback_view (consumer, &view, err);
        done += part;
    } while (done < size && !rc);
    return rc;
}

/* Some whole items in one view. */
static inline int loopback_together (const larder_consumer *consumer, uint64_t first,
                                     uint64_t count, larder_error *err)
{
    uint32_t sizes[LOOPBACK_ITEMS];
    char *all = NULL, *data = NULL;
    size_t used = 0, size = 0;
    int rc = LARDER_OK, equal = 1;
    for (uint64_t i = 0; i < count && !rc; ++i) {
        rc = loopback_item (first + i, &data, &size, err);
        if (rc)
            break;
        char *grown = realloc (all, used + size + 1);
        if (grown) {
            all = grown;
            memcpy (all + used, data, size);
        } else
            rc = LARDER_ENOMEM;
        used += size;
        sizes[i] = (uint32_t)size;
        equal &= size <= sizes[0] && (i + 1 == count || size == sizes[0]);
        free (data);
    }
    larder_view view = {.item = first,
                        .count = count,
                        .data = all,
                        .size = used,
                        .item_size = equal ? sizes[0] : 0,
                        .item_sizes = equal ? NULL : sizes,
                        .item_ends = 1};
    if (!rc)
        rc = loopback_view (consumer, &view, err);
    free (all);
    return rc;
}

/* Nobody counts receivers here. */
int larder_confirm (larder *session, const larder_ref *ref, int code, larder_error *err)
{
    (void)session, (void)ref, (void)code, (void)err;
    return LARDER_OK;
}

int larder_download (larder *session, const larder_ref *ref, const larder_consumer *consumer,
                     larder_error *err)
{
    larder_ref_info info;
    int rc = session == loopback_session () ? larder_ref_read (ref, &info, err) : LARDER_EINVAL;
    if (rc)
        return rc;
    ++loopback.downloads;
    loopback.items += info.item_count;
    uint64_t item = info.first_item, end = item + info.item_count;
    while (item < end && !rc) {
        uint64_t left = end - item,
                 count = 1 + larder_test_below (&loopback.random, LOOPBACK_ITEMS);
        if (count > left)
            count = left;
        if (count > 1) {
            rc = loopback_together (consumer, item, count, err);
        } else {
            char *data = NULL;
            size_t size = 0;
            rc = loopback_item (item, &data, &size, err);
            if (!rc) {
                rc = loopback_split (consumer, item, data, size, err);
                free (data);
            }
        }
        item += count;
    }
    if (rc && consumer->download_failed)
        consumer->download_failed (consumer->self, err);
    if (!rc && consumer->download_completed)
        rc = consumer->download_completed (consumer->self, err);
    return rc;
}

#endif
