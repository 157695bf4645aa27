/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_h5receive.h"

#include "larder_h5collect.h"
#include "larder_h5error.h"
#include "larder_h5native.h"
#include "larder_h5take.h"

#include <stdlib.h>

struct receiving {
    larder_shape promised; /* by the message */
    uint64_t promised_size, items;
    struct larder_h5collect collect;
    larder_consumer inner; /* collect's */
    struct larder_h5describe d;
    hid_t native;
    struct larder_h5decode decode;
    struct larder_h5place place;
    larder_shape shape;
    char *buffer;
    uint64_t next; /* item */
    uint64_t got;  /* bytes of it, where parts are placed as they come */
    int code;      /* of the first failure, and its text */
    larder_error why;
};

static int in_order (const struct receiving *r, uint64_t item, uint64_t offset, larder_error *err)
{
    if (item < r->items && item == r->next && offset == r->got)
        return LARDER_OK;
    return larder_error_set (
        err, LARDER_ERANGE, 0,
        "a dataset: byte %llu of item %llu came, not byte %llu of item %llu of %llu",
        (unsigned long long)offset, (unsigned long long)item, (unsigned long long)r->got,
        (unsigned long long)r->next, (unsigned long long)r->items);
}

/* ---------------------------------------------------------------- items */

/* Bytes of a slab that go where they belong as they are. */
static int take_bytes (void *self, uint64_t item, uint64_t offset, const void *data, size_t size,
                       larder_error *err)
{
    struct receiving *r = self;
    int rc = size ? in_order (r, item, offset, err) : LARDER_OK;
    if (rc || size == 0)
        return rc;
    uint64_t expected = larder_h5take_slab (&r->d, item - 1);
    if (size > expected - offset)
        return larder_error_set (err, LARDER_EHDF5, 0, "a slab has more than %llu bytes",
                                 (unsigned long long)expected);
    larder_h5place_bytes (&r->place, item - 1, offset, data, size);
    r->got += size;
    if (r->got == expected) {
        ++r->next;
        r->got = 0;
    }
    return LARDER_OK;
}

/* Room for the whole array, and how cells get into it. */
static int prepare (struct receiving *r, uint64_t size, larder_error *err)
{
    /* Zeros: where nothing was written, and nothing is filled, memory must not show what it was before. */
    r->buffer = calloc (1, size ? (size_t)size : 1);
    if (!r->buffer)
        return larder_error_set (err, LARDER_ENOMEM, 0, "no memory for a dataset of %llu bytes",
                                 (unsigned long long)size);
    int rc = larder_h5place_begin (&r->place, &r->d, r->native, H5S_ALL, H5S_ALL, r->buffer, err);
    r->collect.limit = larder_h5take_limit (&r->d);
    if (!rc && r->place.direct) {
        r->collect.take_item = NULL;
        r->collect.take_part = take_bytes;
    }
    return rc;
}

static int take_description (struct receiving *r, const void *data, size_t size, larder_error *err)
{
    uint64_t bytes = 0;
    int rc = larder_h5describe_decode (&r->d, data, size, err);
    if (rc == LARDER_EINVAL || (!rc && r->items - 1 != r->d.cells))
        rc = larder_error_set (err, LARDER_EINCOMPLETE, 0,
                               "%llu items of an object are no whole dataset",
                               (unsigned long long)r->items);
    if (!rc)
        rc = larder_h5native_type (r->d.type, &r->native, err);
    if (!rc)
        rc = larder_h5native_shape (&r->d, r->native, "of a message", &r->shape, &bytes, err);
    if (!rc)
        rc = larder_h5native_check (&r->shape, bytes, &r->promised, r->promised_size, err);
    if (!rc)
        rc = larder_h5decode_check (&r->d, err);
    return rc ? rc : prepare (r, bytes, err);
}

static int take_item (void *self, uint64_t item, const void *data, size_t size, larder_error *err)
{
    struct receiving *r = self;
    int rc = in_order (r, item, 0, err);
    if (!rc)
        rc = item == 0
                 ? take_description (r, data, size, err)
                 : larder_h5take_cell (&r->d, &r->decode, &r->place, item - 1, data, size, err);
    r->next += rc == LARDER_OK;
    return rc;
}

static int consume (void *self, const larder_view *view, larder_error *err)
{
    struct receiving *r = self;
    if (!r->code) {
        struct larder_h5quiet quiet;
        larder_h5error_quiet (&quiet);
        r->code = r->inner.consume_items (r->inner.self, view, &r->why);
        larder_h5error_loud (&quiet);
    }
    if (r->code && err)
        *err = r->why;
    return r->code;
}

/* ---------------------------------------------------------------- begin and end */

static void end (struct receiving *r)
{
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    larder_h5place_end (&r->place);
    larder_h5decode_end (&r->decode);
    larder_h5describe_free (&r->d);
    if (r->native >= 0)
        (void)H5Tclose (r->native); /* nothing is lost where it fails */
    (void)larder_h5collect_end (&r->collect, LARDER_OK, NULL);
    free (r->buffer);
    free (r);
    larder_h5error_loud (&quiet);
}

int larder_h5receive_begin (void *self, const larder_lazy *lazy, larder_consumer *consumer,
                            larder_error *err)
{
    (void)self;
    larder_ref_info info;
    int rc = larder_ref_read (&lazy->ref, &info, err);
    if (rc)
        return rc;
    struct receiving *r = calloc (1, sizeof *r);
    if (!r)
        return larder_error_set (err, LARDER_ENOMEM, 0, "no memory to receive a dataset");
    r->promised = lazy->shape;
    r->promised_size = lazy->size;
    r->items = info.item_count;
    r->native = r->d.type = r->d.space = H5I_INVALID_HID;
    larder_h5decode_init (&r->decode, &r->d);
    r->collect = (struct larder_h5collect){
        .self = r, .take_item = take_item, .limit = LARDER_H5TAKE_DESCRIPTION};
    r->inner = larder_h5collect_consumer (&r->collect);
    *consumer = (larder_consumer){.self = r, .consume_items = consume};
    return LARDER_OK;
}

int larder_h5receive_finish (void *self, void *consumer_self, larder_made *made, larder_error *err)
{
    (void)self;
    struct receiving *r = consumer_self;
    int rc = r->code;
    if (rc && err)
        *err = r->why;
    if (!rc && (r->next == 0 || r->next != r->items))
        rc = larder_error_set (err, LARDER_EINCOMPLETE, 0, "%llu of %llu items of a dataset came",
                               (unsigned long long)r->next, (unsigned long long)r->items);
    if (!rc)
        rc = larder_h5place_finish (&r->place, err);
    if (!rc) {
        *made =
            (larder_made){.value = r->buffer, .array = 1, .shape = r->shape, .free_value = free};
        r->buffer = NULL;
    }
    end (r);
    return rc;
}

void larder_h5receive_abandon (void *self, void *consumer_self)
{
    (void)self;
    end (consumer_self);
}
