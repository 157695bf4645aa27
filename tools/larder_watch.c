/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_watch.h"
#include <string.h>

static int watch_item_count (void *self, uint64_t *count, larder_error *err)
{
    struct larder_watch *watch = self;
    return watch->inner.ops->item_count (watch->inner.self, count, err);
}

static int watch_item_size (void *self, uint64_t item, uint64_t *size, larder_error *err)
{
    struct larder_watch *watch = self;
    return watch->inner.ops->item_size (watch->inner.self, item, size, err);
}

static int watch_produce_item (void *self, uint64_t item, uint64_t offset, void *buffer,
                               size_t capacity, size_t *produced, int *last, larder_error *err)
{
    struct larder_watch *watch = self;
    larder_error why = {0};
    if (watch->stop)
        return larder_error_set (err, LARDER_ECANCELED, 0, "another rank failed");
    int rc = watch->inner.ops->produce_item (watch->inner.self, item, offset, buffer, capacity,
                                             produced, last, &why);
    watch->bytes += rc < 0 ? 0 : *produced;
    if (rc < 0) {
        if (watch->failure.code == LARDER_OK) {
            watch->failure = why;
            watch->failure.code = rc;
        }
        if (err)
            *err = why;
    }
    return rc;
}

static void watch_prefetch_item (void *self, uint64_t item)
{
    struct larder_watch *watch = self;
    watch->inner.ops->prefetch_item (watch->inner.self, item);
}

static int watch_set_transaction (void *self, uint64_t transaction, larder_error *err)
{
    struct larder_watch *watch = self;
    return watch->inner.ops->set_transaction (watch->inner.self, transaction, err);
}

static void watch_downloaded_to_one (void *self, int receiver, int code)
{
    struct larder_watch *watch = self;
    watch->inner.ops->downloaded_to_one (watch->inner.self, receiver, code);
}

static void watch_downloaded_to_all (void *self)
{
    struct larder_watch *watch = self;
    watch->inner.ops->downloaded_to_all (watch->inner.self);
}

static void watch_transaction_done (void *self, uint64_t transaction, larder_done done)
{
    struct larder_watch *watch = self;
    watch->inner.ops->transaction_done (watch->inner.self, transaction, done);
}

static void watch_release (void *self)
{
    larder_watch_release (self);
}

void larder_watch_release (struct larder_watch *watch)
{
    if (watch->released || !watch->inner.ops)
        return;
    if (watch->before_release)
        watch->before_release (watch->context, &watch->inner);
    watch->released = 1;
    if (watch->inner.ops->release)
        watch->inner.ops->release (watch->inner.self);
}

larder_object larder_watch_object (struct larder_watch *watch, const larder_object *inner,
                                   void (*before_release) (void *context,
                                                           const larder_object *inner),
                                   void *context)
{
    const larder_object_ops *ops = inner->ops;
    memset (watch, 0, sizeof *watch);
    watch->inner = *inner;
    watch->before_release = before_release;
    watch->context = context;
    watch->ops = (larder_object_ops){
        .item_count = watch_item_count,
        .item_size = ops->item_size ? watch_item_size : NULL,
        .produce_item = watch_produce_item,
        .prefetch_item = ops->prefetch_item ? watch_prefetch_item : NULL,
        .set_transaction = ops->set_transaction ? watch_set_transaction : NULL,
        .downloaded_to_one = ops->downloaded_to_one ? watch_downloaded_to_one : NULL,
        .downloaded_to_all = ops->downloaded_to_all ? watch_downloaded_to_all : NULL,
        .transaction_done = ops->transaction_done ? watch_transaction_done : NULL,
        .release = watch_release,
    };
    larder_object outer = *inner;
    outer.ops = &watch->ops;
    outer.self = watch;
    return outer;
}
