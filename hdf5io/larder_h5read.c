/* SPDX-License-Identifier: Apache-2.0 */
/* One dataset to memory: the receiving side.  The bounding box of a regular selection, or the
 * runs of another one, say which items are needed; neighbours are downloaded together. */
#include "larder_h5read.h"

#include "larder_h5collect.h"
#include "larder_h5error.h"
#include "larder_h5native.h"
#include "larder_h5take.h"

#include <stdlib.h>

/* ---------------------------------------------------------------- opening */

static int not_it (const larder_h5_dataset *s, larder_error *err)
{
    return larder_error_set (err, s->not_it, 0, "the ref names no whole dataset object");
}

static int take_description (void *self, uint64_t item, const void *data, size_t size,
                             larder_error *err)
{
    larder_h5_dataset *s = self;
    (void)item;
    int rc = larder_h5describe_decode (&s->d, data, size, err);
    return rc == LARDER_EINVAL ? not_it (s, err) : rc;
}

static int download (larder_h5_dataset *s, uint64_t first, uint64_t count,
                     struct larder_h5collect *collect, larder_error *err)
{
    larder_ref part;
    int rc = larder_ref_items (&s->ref, s->base + first, count, &part, err);
    if (rc)
        return rc;
    larder_consumer consumer = larder_h5collect_consumer (collect);
    rc = larder_download (s->session, &part, &consumer, err);
    return larder_h5collect_end (collect, rc, err);
}

/* The ref's items are a dataset, from its description on. */
static int open_dataset (larder_h5_dataset *s, uint64_t items, larder_error *err)
{
    struct larder_h5collect collect = {
        .self = s, .take_item = take_description, .limit = LARDER_H5TAKE_DESCRIPTION};
    int rc = download (s, 0, 1, &collect, err);
    if (!rc && (s->d.space < 0 || items - 1 != s->d.cells))
        rc = not_it (s, err);
    return rc ? rc : larder_h5decode_check (&s->d, err);
}

static int open_whole (larder_h5_dataset *s, larder_error *err)
{
    larder_ref_info info;
    int rc = larder_ref_read (&s->ref, &info, err);
    if (rc)
        return rc;
    if (info.first_item != 0 || info.item_count == 0)
        return not_it (s, err);
    return open_dataset (s, info.item_count, err);
}

/* A value of a message: a range of a larger object, and what was said of it must hold. */
static int open_part (larder_h5_dataset *s, const larder_lazy *lazy, larder_error *err)
{
    larder_ref_info info;
    larder_shape shape;
    uint64_t size = 0;
    int rc = larder_ref_read (&s->ref, &info, err);
    if (rc)
        return rc;
    if (info.item_count == 0)
        return not_it (s, err);
    s->base = info.first_item;
    rc = open_dataset (s, info.item_count, err);
    if (!rc)
        rc = larder_h5native_describe (&s->d, "of a message", &shape, &size, err);
    return rc ? rc : larder_h5native_check (&shape, size, &lazy->shape, lazy->size, err);
}

/* The dataset came, or would have come, and this rank cannot use it: nothing will change that. */
static int useless (int code)
{
    return code == LARDER_ENOTSUP || code == LARDER_EHDF5 || code == LARDER_ENOMEM ||
           code == LARDER_ECHECKSUM || code == LARDER_ECONSUMER;
}

static larder_h5_dataset *begin (larder *session, const larder_ref *ref, int not_it_code,
                                 larder_error *err)
{
    larder_h5_dataset *s = calloc (1, sizeof *s);
    if (!s) {
        (void)larder_error_set (err, LARDER_ENOMEM, 0, "no memory to open a dataset");
        return NULL;
    }
    s->kind.is = LARDER_H5VALUE_PLACEHOLDER;
    s->session = session;
    s->ref = *ref;
    s->not_it = not_it_code;
    s->d.type = s->d.space = H5I_INVALID_HID;
    larder_h5decode_init (&s->decode, &s->d);
    return s;
}

int larder_h5_dataset_open (larder *session, const larder_ref *ref, larder_h5_dataset **dataset,
                            larder_error *err)
{
    if (!session || !ref || !dataset)
        return larder_error_set (err, LARDER_EINVAL, 0, "larder_h5_dataset_open: invalid argument");
    larder_h5_dataset *s = begin (session, ref, LARDER_EINVAL, err);
    if (!s)
        return LARDER_ENOMEM;
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    int rc = open_whole (s, err);
    larder_h5error_loud (&quiet);
    if (rc) {
        larder_error ignored; /* that of opening is the one to tell */
        if (useless (rc))
            (void)larder_confirm (session, ref, rc, &ignored);
        larder_h5_dataset_close (&s);
    } else {
        s->open = 1;
        *dataset = s;
    }
    return rc;
}

int larder_h5read_placeholder (larder *session, const larder_lazy *lazy,
                               larder_h5_dataset **dataset, larder_error *err)
{
    larder_h5_dataset *s = begin (session, &lazy->ref, LARDER_EINCOMPLETE, err);
    if (!s)
        return LARDER_ENOMEM;
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    int rc = open_part (s, lazy, err);
    larder_h5error_loud (&quiet);
    if (rc)
        larder_h5_dataset_close (&s); /* never `open`: the message is confirmed as a whole */
    else
        *dataset = s;
    return rc;
}

void larder_h5_dataset_close (larder_h5_dataset **dataset)
{
    if (!dataset || !*dataset)
        return;
    if ((*dataset)->open) {
        larder_error ignored; /* a session that is broken says so in its next call */
        (void)larder_confirm ((*dataset)->session, &(*dataset)->ref, (*dataset)->failed, &ignored);
    }
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    larder_h5decode_end (&(*dataset)->decode);
    larder_h5describe_free (&(*dataset)->d);
    larder_h5error_loud (&quiet);
    free (*dataset);
    *dataset = NULL;
}

hid_t larder_h5_dataset_type (const larder_h5_dataset *dataset)
{
    return dataset->d.type;
}

hid_t larder_h5_dataset_space (const larder_h5_dataset *dataset)
{
    return dataset->d.space;
}

/* ---------------------------------------------------------------- reading */

struct reading {
    larder_h5_dataset *dataset;
    struct larder_h5place place;
    /* Cells that are asked for next. */
    uint64_t first, count;
};

int larder_h5read_cell (const larder_h5_dataset *s, uint64_t item, uint64_t *cell,
                        larder_error *err)
{
    if (item <= s->base || item - s->base > s->d.cells)
        return larder_error_set (err, LARDER_ERANGE, 0, "a dataset has no item %llu",
                                 (unsigned long long)item);
    *cell = item - s->base - 1;
    return LARDER_OK;
}

static int take_cell (void *self, uint64_t item, const void *data, size_t size, larder_error *err)
{
    struct reading *r = self;
    larder_h5_dataset *s = r->dataset;
    uint64_t cell = 0;
    int rc = larder_h5read_cell (s, item, &cell, err);
    return rc ? rc : larder_h5take_cell (&s->d, &s->decode, &r->place, cell, data, size, err);
}

static int take_bytes (void *self, uint64_t item, uint64_t offset, const void *data, size_t size,
                       larder_error *err)
{
    struct reading *r = self;
    uint64_t cell = 0;
    int rc = larder_h5read_cell (r->dataset, item, &cell, err);
    if (!rc)
        larder_h5place_bytes (&r->place, cell, offset, data, size);
    return rc;
}

static int flush (struct reading *r, larder_error *err)
{
    if (r->count == 0)
        return LARDER_OK;
    struct larder_h5collect collect = {.self = r, .limit = larder_h5take_limit (&r->dataset->d)};
    if (r->place.direct)
        collect.take_part = take_bytes;
    else
        collect.take_item = take_cell;
    int rc = download (r->dataset, 1 + r->first, r->count, &collect, err);
    r->count = 0;
    return rc;
}

static int ask_for (struct reading *r, uint64_t first, uint64_t count, larder_error *err)
{
    int rc = LARDER_OK;
    if (r->count == 0 || r->first + r->count != first) {
        rc = flush (r, err);
        r->first = first;
    }
    r->count += count;
    return rc;
}

static int read_runs (struct reading *r, larder_error *err)
{
    int rc = LARDER_OK;
    const struct larder_h5run *run = r->place.run;
    for (size_t i = 0; i < r->place.runs && !rc; ++i)
        if (i == 0 || run[i].cell != run[i - 1].cell)
            rc = ask_for (r, run[i].cell, 1, err);
    return rc ? rc : flush (r, err);
}

/* All cells of the bounding box, row after row of the grid. */
static int read_box (struct reading *r, larder_error *err)
{
    const struct larder_h5describe *d = &r->dataset->d;
    hsize_t from[H5S_MAX_RANK], to[H5S_MAX_RANK], at[H5S_MAX_RANK];
    int rc = LARDER_OK, last = d->rank - 1;
    for (int i = 0; i < d->rank; ++i) {
        at[i] = from[i] = r->place.low[i] / d->shape[i];
        to[i] = r->place.high[i] / d->shape[i];
    }
    for (int more = 1; more && !rc;) {
        uint64_t cell = 0;
        for (int i = 0; i < d->rank; ++i)
            cell = cell * ((d->dims[i] - 1) / d->shape[i] + 1) + from[i] * (i == last) +
                   at[i] * (i != last);
        rc = ask_for (r, cell, d->rank ? to[last] - from[last] + 1 : 1, err);
        int i = last - 1;
        while (i >= 0 && at[i]++ == to[i]) {
            at[i] = from[i];
            --i;
        }
        more = i >= 0;
    }
    return rc ? rc : flush (r, err);
}

static int read_selection (struct reading *r, hid_t mem_type, hid_t mem_space, hid_t file_space,
                           void *buffer, larder_error *err)
{
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    int rc = larder_h5place_begin (&r->place, &r->dataset->d, mem_type, mem_space, file_space,
                                   buffer, err);
    if (!rc && r->place.points > 0) {
        rc = r->place.regular ? read_box (r, err) : read_runs (r, err);
        if (!rc)
            rc = larder_h5place_finish (&r->place, err);
    }
    larder_h5place_end (&r->place);
    larder_h5error_loud (&quiet);
    return rc;
}

int larder_h5_dataset_read (larder_h5_dataset *dataset, hid_t mem_type, hid_t mem_space,
                            hid_t file_space, void *buffer, larder_error *err)
{
    if (!dataset)
        return larder_error_set (err, LARDER_EINVAL, 0, "larder_h5_dataset_read: invalid argument");
    struct reading r = {.dataset = dataset};
    int rc = read_selection (&r, mem_type, mem_space, file_space, buffer, err);
    if (rc < 0 && rc != LARDER_EINVAL && !dataset->failed)
        dataset->failed = rc;
    return rc;
}
