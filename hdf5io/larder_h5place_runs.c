/* SPDX-License-Identifier: Apache-2.0 */
/* Selections that are not regular, as runs: points one by one in their own order; the blocks of an
 * irregular hyperslab, cut into rows, in row-major order, which is that of the selection. */
#include "larder_h5error.h"
#include "larder_h5place.h"

#include <stdlib.h>

static int fail (larder_error *err)
{
    return larder_h5error (err, LARDER_EHDF5, "reading a selection: the file's space");
}

static int no_memory (larder_error *err, uint64_t runs)
{
    return larder_error_set (err, LARDER_ENOMEM, 0, "no memory for a selection of %llu runs",
                             (unsigned long long)runs);
}

static void *room (uint64_t count, size_t each)
{
    return count < SIZE_MAX / each ? malloc ((size_t)(count + 1) * each) : NULL;
}

static int by_cell (const void *a, const void *b)
{
    const struct larder_h5run *p = a, *q = b;
    if (p->cell != q->cell)
        return p->cell < q->cell ? -1 : 1;
    return p->k < q->k ? -1 : p->k > q->k;
}

/* Where in which cell an element lies. */
static void locate (const struct larder_h5describe *d, const hsize_t *at, struct larder_h5run *run)
{
    run->cell = run->index = 0;
    for (int i = 0; i < d->rank; ++i) {
        hsize_t along = (d->dims[i] - 1) / d->shape[i] + 1, start = at[i] - at[i] % d->shape[i];
        hsize_t left = d->dims[i] - start;
        hsize_t width = d->chunked || left > d->shape[i] ? d->shape[i] : left;
        run->cell = run->cell * along + at[i] / d->shape[i];
        run->index = run->index * width + at[i] % d->shape[i];
    }
}

static int points (struct larder_h5place *p, larder_error *err)
{
    size_t rank = (size_t)p->d->rank;
    hsize_t *at = p->points < SIZE_MAX / rank ? room (p->points * rank, sizeof *at) : NULL;
    p->run = room (p->points, sizeof *p->run);
    int rc = LARDER_OK;
    if (!at || !p->run)
        rc = no_memory (err, p->points);
    else if (H5Sget_select_elem_pointlist (p->file_space, 0, p->points, at) < 0)
        rc = fail (err);
    for (; p->runs < p->points && !rc; ++p->runs) {
        struct larder_h5run *run = &p->run[p->runs];
        for (size_t i = 0; i < rank; ++i)
            at[p->runs * rank + i] += p->shift[i];
        locate (p->d, at + p->runs * rank, run);
        run->k = p->runs;
        run->count = 1;
    }
    free (at);
    return rc;
}

/* A row of a block: its first element, counted in row-major order of the dataset. */
struct row {
    uint64_t first, count;
};

static int by_first (const void *a, const void *b)
{
    const struct row *p = a, *q = b;
    return p->first < q->first ? -1 : p->first > q->first;
}

/* Blocks are pairs of corners, the second inclusive.  With rows NULL they are only counted. */
static uint64_t list_rows (const struct larder_h5describe *d, const hsize_t *block, uint64_t blocks,
                           struct row *rows)
{
    uint64_t n = 0;
    for (uint64_t b = 0; b < blocks; ++b, block += 2 * d->rank) {
        const hsize_t *end = block + d->rank;
        struct larder_h5box box;
        hsize_t dims[H5S_MAX_RANK], one[H5S_MAX_RANK];
        int last = d->rank - 1;
        for (int i = 0; i < d->rank; ++i) {
            dims[i] = end[i] - block[i] + 1;
            one[i] = i == last ? dims[i] : 1;
        }
        if (!rows) {
            n += larder_h5box_boxes (d->rank, dims, one);
            continue;
        }
        for (int more = larder_h5box_first (&box, d->rank, dims, one); more;
             more = larder_h5box_next (&box), ++n) {
            rows[n] = (struct row){0, dims[last]};
            for (int i = 0; i < d->rank; ++i)
                rows[n].first = rows[n].first * d->dims[i] + block[i] + box.start[i];
        }
    }
    return n;
}

/* HDF5 1.10 lists some blocks of irregular selections twice: keep each element once.  Returns how
 * many rows are left; *elements is what they hold. */
static uint64_t drop_doubles (struct row *rows, uint64_t count, uint64_t *elements)
{
    uint64_t kept = 0, end = 0;
    *elements = 0;
    for (uint64_t r = 0; r < count; ++r) {
        uint64_t stop = rows[r].first + rows[r].count;
        uint64_t first = rows[r].first > end ? rows[r].first : end;
        if (stop <= first)
            continue;
        rows[kept++] = (struct row){first, stop - first};
        *elements += stop - first;
        end = stop;
    }
    return kept;
}

/* Cut rows at the cells' edges.  Without p->run they are only counted. */
static void cut_rows (struct larder_h5place *p, const struct row *rows, uint64_t count)
{
    const struct larder_h5describe *d = p->d;
    int last = d->rank - 1;
    uint64_t k = 0;
    p->runs = 0;
    for (uint64_t r = 0; r < count; ++r) {
        hsize_t at[H5S_MAX_RANK];
        uint64_t rest = rows[r].first;
        for (int i = last; i >= 0; --i) {
            at[i] = rest % d->dims[i];
            rest /= d->dims[i];
        }
        for (uint64_t left = rows[r].count; left > 0; ++p->runs) {
            uint64_t n = d->shape[last] - at[last] % d->shape[last];
            n = n < left ? n : left;
            if (p->run) {
                struct larder_h5run *run = &p->run[p->runs];
                locate (d, at, run);
                run->k = k;
                run->count = n;
            }
            at[last] += n;
            k += n;
            left -= n;
        }
    }
}

static int blocks (struct larder_h5place *p, larder_error *err)
{
    hssize_t n = H5Sget_select_hyper_nblocks (p->file_space);
    size_t rank = (size_t)p->d->rank;
    int rc = LARDER_OK;
    struct row *rows = NULL;
    uint64_t count = 0;
    if (n < 0)
        return fail (err);
    hsize_t *block =
        (uint64_t)n < SIZE_MAX / 2 / rank ? room ((uint64_t)n * 2 * rank, sizeof *block) : NULL;
    if (!block)
        return no_memory (err, (uint64_t)n);
    if (H5Sget_select_hyper_blocklist (p->file_space, 0, (hsize_t)n, block) < 0)
        rc = fail (err);
    for (size_t i = 0; i < 2 * rank * (size_t)n && !rc; ++i)
        block[i] += p->shift[i % rank];
    if (!rc) {
        count = list_rows (p->d, block, (uint64_t)n, NULL);
        rows = room (count, sizeof *rows);
        rc = rows ? LARDER_OK : no_memory (err, count);
    }
    if (!rc) {
        (void)list_rows (p->d, block, (uint64_t)n, rows);
        qsort (rows, (size_t)count, sizeof *rows, by_first);
        uint64_t elements = 0;
        count = drop_doubles (rows, count, &elements);
        if (elements != p->points)
            rc = larder_error_set (err, LARDER_EHDF5, 0,
                                   "HDF5 lists %llu elements of a selection of %llu",
                                   (unsigned long long)elements, (unsigned long long)p->points);
    }
    if (!rc) {
        cut_rows (p, rows, count);
        p->run = room (p->runs, sizeof *p->run);
        rc = p->run ? LARDER_OK : no_memory (err, p->runs);
    }
    if (!rc)
        cut_rows (p, rows, count);
    free (rows);
    free (block);
    return rc;
}

int larder_h5place_runs (struct larder_h5place *p, larder_error *err)
{
    int rc =
        H5Sget_select_type (p->file_space) == H5S_SEL_POINTS ? points (p, err) : blocks (p, err);
    if (!rc)
        qsort (p->run, p->runs, sizeof *p->run, by_cell);
    return rc;
}
