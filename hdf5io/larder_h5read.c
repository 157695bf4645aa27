/* SPDX-License-Identifier: Apache-2.0 */
/* One dataset to memory: the receiving side.  The bounding box of a regular selection, or the
 * runs of another one, say which items are needed; neighbours are downloaded together. */
#include "larder_h5collect.h"
#include "larder_h5decode.h"
#include "larder_h5describe.h"
#include "larder_h5error.h"
#include "larder_h5place.h"

#include <larder/hdf5.h>
#include <stdlib.h>
#include <string.h>

/* No description is longer, so one that claims to be is damage. */
#define DESCRIPTION (UINT64_C (64) << 20)

struct larder_h5_dataset {
    larder *session;
    larder_ref ref;
    struct larder_h5describe d;
    struct larder_h5decode decode;
    int open;   /* its owner counts on hearing that this rank is done */
    int failed; /* the code of the first read that failed; its owner hears that */
};

/* ---------------------------------------------------------------- opening */

static int take_description (void *self, uint64_t item, const void *data, size_t size,
                             larder_error *err)
{
    (void)item;
    return larder_h5describe_decode (self, data, size, err);
}

static int download (larder_h5_dataset *s, uint64_t first, uint64_t count,
                     struct larder_h5collect *collect, larder_error *err)
{
    larder_ref part;
    int rc = larder_ref_items (&s->ref, first, count, &part, err);
    if (rc)
        return rc;
    larder_consumer consumer = larder_h5collect_consumer (collect);
    rc = larder_download (s->session, &part, &consumer, err);
    return larder_h5collect_end (collect, rc, err);
}

static int open_dataset (larder_h5_dataset *s, larder_error *err)
{
    larder_ref_info info;
    int rc = larder_ref_read (&s->ref, &info, err);
    if (rc)
        return rc;
    if (info.first_item != 0 || info.item_count == 0)
        return larder_error_set (err, LARDER_EINVAL, 0, "the ref names no whole dataset object");
    struct larder_h5collect collect = {
        .self = &s->d, .take_item = take_description, .limit = DESCRIPTION};
    rc = download (s, 0, 1, &collect, err);
    if (!rc && s->d.space < 0)
        rc = larder_error_set (err, LARDER_EINVAL, 0, "the ref names no dataset object");
    if (!rc && info.item_count != 1 + s->d.cells)
        rc = larder_error_set (err, LARDER_EINVAL, 0, "the ref names no whole dataset object");
    return rc ? rc : larder_h5decode_check (&s->d, err);
}

/* The dataset came, or would have come, and this rank cannot use it: nothing will change that. */
static int useless (int code)
{
    return code == LARDER_ENOTSUP || code == LARDER_EHDF5 || code == LARDER_ENOMEM ||
           code == LARDER_ECHECKSUM || code == LARDER_ECONSUMER;
}

int larder_h5_dataset_open (larder *session, const larder_ref *ref, larder_h5_dataset **dataset,
                            larder_error *err)
{
    if (!session || !ref || !dataset)
        return larder_error_set (err, LARDER_EINVAL, 0, "larder_h5_dataset_open: invalid argument");
    larder_h5_dataset *s = calloc (1, sizeof *s);
    if (!s)
        return larder_error_set (err, LARDER_ENOMEM, 0, "no memory to open a dataset");
    s->session = session;
    s->ref = *ref;
    s->d.type = s->d.space = H5I_INVALID_HID;
    larder_h5decode_init (&s->decode, &s->d);
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    int rc = open_dataset (s, err);
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

static int take_chunk (struct reading *r, uint64_t cell, const void *data, size_t size,
                       larder_error *err)
{
    const struct larder_h5describe *d = &r->dataset->d;
    struct larder_h5box box;
    const void *elements = NULL;
    int partial = 0;
    if (!larder_h5place_touches (&r->place, cell))
        return LARDER_OK;
    larder_h5describe_box (d, cell, &box);
    for (int i = 0; i < d->rank; ++i)
        partial |= box.count[i] != d->shape[i];
    int rc = larder_h5decode_chunk (&r->dataset->decode, data, size, partial, &elements, err);
    if (!rc && elements)
        rc = larder_h5place_cell (&r->place, cell, elements, err);
    return rc;
}

static int take_cell (void *self, uint64_t item, const void *data, size_t size, larder_error *err)
{
    struct reading *r = self;
    const struct larder_h5describe *d = &r->dataset->d;
    struct larder_h5box box;
    if (item < 1 || item > d->cells)
        return larder_error_set (err, LARDER_ERANGE, 0, "a dataset has no item %llu",
                                 (unsigned long long)item);
    if (d->chunked)
        return take_chunk (r, item - 1, data, size, err);
    larder_h5describe_box (d, item - 1, &box);
    uint64_t expected = d->element;
    for (int i = 0; i < d->rank; ++i)
        expected *= box.count[i];
    if (size != expected)
        return larder_error_set (err, LARDER_EHDF5, 0, "a slab has %zu bytes, not %llu", size,
                                 (unsigned long long)expected);
    return larder_h5place_cell (&r->place, item - 1, data, err);
}

static int take_bytes (void *self, uint64_t item, uint64_t offset, const void *data, size_t size,
                       larder_error *err)
{
    struct reading *r = self;
    if (item < 1 || item > r->dataset->d.cells)
        return larder_error_set (err, LARDER_ERANGE, 0, "a dataset has no item %llu",
                                 (unsigned long long)item);
    larder_h5place_bytes (&r->place, item - 1, offset, data, size);
    return LARDER_OK;
}

static int flush (struct reading *r, larder_error *err)
{
    if (r->count == 0)
        return LARDER_OK;
    const struct larder_h5describe *d = &r->dataset->d;
    uint64_t bytes = larder_h5describe_cell_bytes (d);
    /* A filter may make a chunk longer, but not by much. */
    struct larder_h5collect collect = {.self = r,
                                       .limit = d->chunked ? 2 * bytes + (1u << 20) : bytes};
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

int larder_h5_dataset_read (larder_h5_dataset *dataset, hid_t mem_type, hid_t mem_space,
                            hid_t file_space, void *buffer, larder_error *err)
{
    if (!dataset)
        return larder_error_set (err, LARDER_EINVAL, 0, "larder_h5_dataset_read: invalid argument");
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    struct reading r = {.dataset = dataset};
    int rc =
        larder_h5place_begin (&r.place, &dataset->d, mem_type, mem_space, file_space, buffer, err);
    if (!rc && r.place.points > 0) {
        rc = r.place.regular ? read_box (&r, err) : read_runs (&r, err);
        if (!rc)
            rc = larder_h5place_finish (&r.place, err);
    }
    larder_h5place_end (&r.place);
    larder_h5error_loud (&quiet);
    if (rc < 0 && rc != LARDER_EINVAL && !dataset->failed)
        dataset->failed = rc;
    return rc;
}
