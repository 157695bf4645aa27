/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_h5place.h"

#include "larder_h5error.h"

#include <stdlib.h>
#include <string.h>

static int fail (larder_error *err, const char *doing)
{
    return larder_h5error (err, LARDER_EHDF5, "placing elements: %s", doing);
}

/* Extent of the elements' array along a dimension. */
static hsize_t width (const struct larder_h5place *p, const struct larder_h5box *box, int i)
{
    return p->d->chunked ? p->d->shape[i] : box->count[i];
}

/* ---------------------------------------------------------------- in and out of dense scratch */

/* Which way bytes go. */
enum way {
    CELL_TO_MEMORY,
    CELL_TO_SCRATCH,   /* [0], in the file's type */
    SCRATCH_TO_MEMORY, /* [0], converted */
    MEMORY_TO_SCRATCH  /* [1], what conversion may leave as it is */
};

static void in_memory (const struct larder_h5place *p, enum way way, const char *cell,
                       uint64_t done, uint64_t k, uint64_t n)
{
    size_t size = p->size[1];
    while (n > 0) {
        uint64_t run = 0, at = larder_h5regular_locate (&p->memory, k, &run);
        size_t bytes = (size_t)(run < n ? run : n) * size;
        char *memory = p->target + at * size;
        if (way == CELL_TO_MEMORY)
            memcpy (memory, cell, bytes);
        else if (way == SCRATCH_TO_MEMORY)
            memcpy (memory, p->scratch[0] + done * size, bytes);
        else
            memcpy (p->scratch[1] + done * size, memory, bytes);
        if (run >= n)
            return;
        cell = way == CELL_TO_MEMORY ? cell + bytes : cell;
        done += run;
        k += run;
        n -= run;
    }
}

/* n elements side by side in the cell at index, k-th and following of the selection; done elements
 * of this cell came before. */
static void move (const struct larder_h5place *p, enum way way, const char *elements,
                  uint64_t index, uint64_t done, uint64_t k, uint64_t n)
{
    size_t size = p->size[0];
    if (way == CELL_TO_SCRATCH)
        memcpy (p->scratch[0] + done * size, elements + index * size, (size_t)n * size);
    else
        in_memory (p, way, elements + index * size, done, k, n);
}

/* ---------------------------------------------------------------- regular selections */

/* Ordinals of the selection inside a box. */
struct inside {
    hsize_t from[H5S_MAX_RANK], to[H5S_MAX_RANK];
    uint64_t points;
};

static uint64_t find_inside (const struct larder_h5place *p, const struct larder_h5box *box,
                             struct inside *in)
{
    in->points = 1;
    for (int i = 0; i < box->rank; ++i) {
        in->from[i] = larder_h5regular_below (&p->file, i, box->start[i]);
        in->to[i] = larder_h5regular_below (&p->file, i, box->start[i] + box->count[i]);
        in->points *= in->to[i] - in->from[i];
    }
    return in->points;
}

/* The runs of one row of ordinals; o[] is its first.  Returns how many elements it has. */
static uint64_t walk_row (const struct larder_h5place *p, enum way way, const char *elements,
                          const struct larder_h5box *box, const struct inside *in, const hsize_t *o,
                          uint64_t done)
{
    const struct larder_h5regular *f = &p->file;
    int last = box->rank - 1;
    uint64_t index = 0, k = 0, n = in->to[last] - in->from[last];
    for (int i = 0; i < last; ++i) {
        hsize_t at = f->start[i] + o[i] / f->block[i] * f->stride[i] + o[i] % f->block[i];
        index = (index + at - box->start[i]) * width (p, box, i + 1);
        k += o[i] * f->ordinals[i];
    }
    for (hsize_t x = in->from[last]; x < in->to[last];) {
        hsize_t rest = x % f->block[last];
        hsize_t at = f->start[last] + x / f->block[last] * f->stride[last] + rest;
        hsize_t run = f->block[last] - rest;
        if (run > in->to[last] - x)
            run = in->to[last] - x;
        move (p, way, elements, index + at - box->start[last], done, k + x, run);
        done += run;
        x += run;
    }
    return n;
}

static void walk_regular (const struct larder_h5place *p, enum way way, const char *elements,
                          const struct larder_h5box *box, const struct inside *in)
{
    hsize_t o[H5S_MAX_RANK];
    uint64_t done = 0;
    if (box->rank == 0) { /* a scalar */
        move (p, way, elements, 0, 0, 0, 1);
        return;
    }
    memcpy (o, in->from, sizeof o);
    for (;;) {
        done += walk_row (p, way, elements, box, in, o, done);
        int i = box->rank - 2;
        while (i >= 0 && ++o[i] == in->to[i]) {
            o[i] = in->from[i];
            --i;
        }
        if (i < 0)
            return;
    }
}

/* ---------------------------------------------------------------- conversion */

static int need_scratch (struct larder_h5place *p, uint64_t points, larder_error *err)
{
    size_t each = p->size[0] > p->size[1] ? p->size[0] : p->size[1];
    for (int i = 0; i < 2; ++i) {
        if (i == 1 && !p->keep)
            break;
        if (points <= p->scratch_size[i] / each)
            continue;
        free (p->scratch[i]);
        p->scratch_size[i] = 0;
        p->scratch[i] = points <= SIZE_MAX / each ? malloc ((size_t)points * each) : NULL;
        if (!p->scratch[i])
            return larder_error_set (err, LARDER_ENOMEM, 0, "no memory to convert %llu elements",
                                     (unsigned long long)points);
        p->scratch_size[i] = (size_t)points * each;
    }
    return LARDER_OK;
}

static int convert (struct larder_h5place *p, uint64_t points, larder_error *err)
{
    if (H5Tconvert (p->d->type, p->memory_type, (size_t)points, p->scratch[0],
                    p->keep ? p->scratch[1] : NULL, H5P_DEFAULT) < 0)
        return fail (err, "converting them");
    return LARDER_OK;
}

/* ---------------------------------------------------------------- the two kinds */

static int place_regular (struct larder_h5place *p, const struct larder_h5box *box,
                          const char *elements, larder_error *err)
{
    struct inside in;
    if (find_inside (p, box, &in) == 0)
        return LARDER_OK;
    if (!p->convert) {
        walk_regular (p, CELL_TO_MEMORY, elements, box, &in);
        return LARDER_OK;
    }
    int rc = need_scratch (p, in.points, err);
    if (rc)
        return rc;
    walk_regular (p, CELL_TO_SCRATCH, elements, box, &in);
    if (p->keep)
        walk_regular (p, MEMORY_TO_SCRATCH, elements, box, &in);
    rc = convert (p, in.points, err);
    if (!rc)
        walk_regular (p, SCRATCH_TO_MEMORY, elements, box, &in);
    return rc;
}

/* The first run of a cell, or of the next one that has any. */
static size_t first_run (const struct larder_h5place *p, uint64_t cell)
{
    size_t from = 0, to = p->runs;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (p->run[middle].cell < cell)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static void walk_runs (const struct larder_h5place *p, enum way way, const char *elements,
                       size_t from, size_t to)
{
    uint64_t done = 0;
    for (size_t i = from; i < to; ++i) {
        move (p, way, elements, p->run[i].index, done, p->run[i].k, p->run[i].count);
        done += p->run[i].count;
    }
}

static int place_runs (struct larder_h5place *p, uint64_t cell, const char *elements,
                       larder_error *err)
{
    size_t from = first_run (p, cell), to = from;
    uint64_t points = 0;
    for (; to < p->runs && p->run[to].cell == cell; ++to)
        points += p->run[to].count;
    if (!p->convert)
        walk_runs (p, CELL_TO_MEMORY, elements, from, to);
    if (!p->convert || points == 0)
        return LARDER_OK;
    int rc = need_scratch (p, points, err);
    if (rc)
        return rc;
    walk_runs (p, CELL_TO_SCRATCH, elements, from, to);
    if (p->keep)
        walk_runs (p, MEMORY_TO_SCRATCH, elements, from, to);
    rc = convert (p, points, err);
    if (!rc)
        walk_runs (p, SCRATCH_TO_MEMORY, elements, from, to);
    return rc;
}

int larder_h5place_cell (struct larder_h5place *p, uint64_t cell, const void *elements,
                         larder_error *err)
{
    struct larder_h5box box;
    if (!p->regular)
        return place_runs (p, cell, elements, err);
    larder_h5describe_box (p->d, cell, &box);
    return place_regular (p, &box, elements, err);
}

int larder_h5place_touches (const struct larder_h5place *p, uint64_t cell)
{
    struct larder_h5box box;
    struct inside in;
    if (!p->regular) {
        size_t at = first_run (p, cell);
        return at < p->runs && p->run[at].cell == cell;
    }
    larder_h5describe_box (p->d, cell, &box);
    return find_inside (p, &box, &in) > 0;
}

uint64_t larder_h5place_begins (const struct larder_h5place *p, uint64_t cell)
{
    struct larder_h5box box;
    uint64_t first = 0;
    larder_h5describe_box (p->d, cell, &box);
    for (int i = 0; i < box.rank; ++i)
        first = first * p->d->dims[i] + box.start[i];
    return first * p->size[0];
}

void larder_h5place_bytes (struct larder_h5place *p, uint64_t cell, uint64_t offset,
                           const void *data, size_t size)
{
    uint64_t run = 0, each = p->size[0];
    uint64_t from = larder_h5place_begins (p, cell) + offset, to = from + size;
    uint64_t begin = larder_h5regular_locate (&p->file, 0, &run) * each;
    uint64_t end = begin + p->points * each;
    char *memory = p->target + larder_h5regular_locate (&p->memory, 0, &run) * each;
    uint64_t a = from > begin ? from : begin, b = to < end ? to : end;
    if (a < b)
        memcpy (memory + (a - begin), (const char *)data + (a - from), (size_t)(b - a));
}
