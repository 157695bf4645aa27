/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_h5set.h"
#include "larder_h5error.h"
#include "larder_h5filter.h"

#include <stdlib.h>
#include <string.h>

/* Looking up one place in a grid of chunks takes 1-3 us, so this many are looked at in any case. */
#define GRID_WALKED 10000000u
/* Where the index can only be looked up place by place, up to this many. */
#define GRID_SEARCHED 100000000u
/* Listing n chunks of a B-tree takes n^2/2 steps. */
#define CHUNKS_LISTED 65536u

int larder_h5opened_take (struct larder_h5opened *o, hid_t dataset, const char *where,
                          larder_error *err)
{
    memset (o, 0, sizeof *o);
    o->dataset = dataset;
    o->type = H5Dget_type (dataset);
    o->space = H5Dget_space (dataset);
    o->list = H5Dget_create_plist (dataset);
    int code = LARDER_OK;
    if (o->type < 0 || o->space < 0 || o->list < 0 || (o->layout = H5Pget_layout (o->list)) < 0 ||
        (o->layout == H5D_CHUNKED && H5Pget_chunk (o->list, H5S_MAX_RANK, o->chunk) < 0))
        code = larder_h5error (err, LARDER_EHDF5, "dataset %s", where);
    if (code == LARDER_OK && (o->shape = larder_h5shape_new (o->type)) == NULL)
        code =
            larder_error_set (err, LARDER_ENOTSUP, 0,
                              "dataset %s: its type is not understood, or memory ran out", where);
    if (code != LARDER_OK)
        larder_h5opened_end (o);
    return code;
}

void larder_h5opened_end (struct larder_h5opened *o)
{
    larder_h5shape_free (o->shape);
    if (o->type >= 0)
        (void)H5Tclose (o->type);
    if (o->space >= 0)
        (void)H5Sclose (o->space);
    if (o->list >= 0)
        (void)H5Pclose (o->list);
    o->shape = NULL;
    o->type = o->space = o->list = -1;
}

int larder_h5set_plan (const struct larder_h5opened *o, enum larder_h5mode mode, uint64_t slab,
                       struct larder_h5plan *plan)
{
    return larder_h5plan_make (plan, mode, o->space, o->chunk, larder_h5shape_size (o->shape),
                               slab);
}

/* ------------------------------------------------------------------ chunks */

static int lexical (const void *a, const void *b)
{
    /* The rank stands in front of each place while they are sorted. */
    const hsize_t *x = a, *y = b;
    for (hsize_t d = 1; d <= x[0]; ++d)
        if (x[d] != y[d])
            return x[d] < y[d] ? -1 : 1;
    return 0;
}

/* Where each stored chunk starts, ascending. */
static int list_chunks (struct larder_h5set *set, const struct larder_h5opened *o, hsize_t n,
                        const char *where, larder_error *err)
{
    int rank = H5Sget_simple_extent_ndims (o->space);
    size_t step = (size_t)rank + 1;
    hsize_t *place = calloc ((size_t)n * step + 1, sizeof *place);
    int code = LARDER_OK;
    if (place == NULL)
        return larder_error_set (err, LARDER_ENOMEM, 0, "dataset %s: out of memory", where);
    for (hsize_t i = 0; i < n && code == LARDER_OK; ++i) {
        unsigned mask;
        haddr_t address;
        hsize_t size;
        place[i * step] = (hsize_t)rank;
        if (H5Dget_chunk_info (o->dataset, o->space, i, place + i * step + 1, &mask, &address,
                               &size) < 0)
            code = larder_h5error (err, LARDER_EHDF5, "dataset %s: chunk %llu", where,
                                   (unsigned long long)i);
    }
    if (code != LARDER_OK) {
        free (place);
        return code;
    }
    qsort (place, (size_t)n, step * sizeof *place, lexical);
    for (hsize_t i = 0; i < n; ++i)
        memmove (place + i * (size_t)rank, place + i * step + 1, (size_t)rank * sizeof *place);
    set->list = place;
    set->items = n;
    set->mode = LARDER_H5_LISTED;
    return LARDER_OK;
}

/* How to find the stored chunks without walking an index or a grid that has no end. */
static int lay_chunks (struct larder_h5set *set, const struct larder_h5opened *o,
                       enum larder_h5mode mode, const struct larder_h5plan *plan, int countable,
                       const char *where, larder_error *err)
{
    H5D_chunk_index_t index;
    hsize_t stored = 0;
    set->mode = mode;
    set->items = plan->items;
    if (countable && plan->boxes <= GRID_WALKED)
        return LARDER_OK;
    if (H5Dget_chunk_index_type (o->dataset, &index) < 0)
        return larder_h5error (err, LARDER_EHDF5, "dataset %s", where);
    if (countable && index == H5D_CHUNK_IDX_NONE)
        return LARDER_OK; /* all of them are there */
    if (mode == LARDER_H5_CHUNKS && (index == H5D_CHUNK_IDX_BTREE || index == H5D_CHUNK_IDX_BT2)) {
        if (H5Dget_num_chunks (o->dataset, o->space, &stored) < 0)
            return larder_h5error (err, LARDER_EHDF5, "dataset %s", where);
        if (stored <= CHUNKS_LISTED)
            return list_chunks (set, o, stored, where, err);
    }
    if (countable && plan->boxes <= GRID_SEARCHED)
        return LARDER_OK;
    if (!countable)
        return larder_error_set (err, LARDER_ENOTSUP, 0,
                                 "dataset %s: its chunk index has more slots than can be counted",
                                 where);
    return larder_error_set (
        err, LARDER_ENOTSUP, 0,
        "dataset %s: its chunk index has %llu slots, more than can be searched", where,
        (unsigned long long)plan->boxes);
}

/* Packed values have to be read here and written there. */
static int check_filters (const struct larder_h5opened *o, const char *where, larder_error *err)
{
    int filters = H5Pget_nfilters (o->list);
    for (unsigned i = 0; filters > 0 && i < (unsigned)filters; ++i) {
        unsigned flags;
        size_t values = 0;
        char name[64] = "";
        H5Z_filter_t id =
            H5Pget_filter2 (o->list, i, &flags, &values, NULL, sizeof name, name, NULL);
        if (id < 0)
            return larder_h5error (err, LARDER_EHDF5, "dataset %s: its filters", where);
        if (!larder_h5filter_real (id))
            return larder_error_set (err, LARDER_ENOTSUP, 0,
                                     "dataset %s holds variable-length data or references under "
                                     "filter %d (%s), which is not installed here",
                                     where, (int)id, name);
    }
    return LARDER_OK;
}

/* ------------------------------------------------------------------ all layouts */

static int lay_whole (struct larder_h5source *source, struct larder_h5set *set,
                      const struct larder_h5opened *o, int plain, const char *where,
                      larder_error *err)
{
    H5D_space_status_t status = H5D_SPACE_STATUS_ALLOCATED;
    int external = H5Pget_external_count (o->list);
    if (external < 0)
        return larder_h5error (err, LARDER_EHDF5, "dataset %s", where);
    if (external > 0) {
        int code = larder_h5source_remark (
            source, err, "dataset %s keeps its data in other files; they are copied into this one",
            where);
        if (code != LARDER_OK)
            return code;
    } else if (o->layout == H5D_CONTIGUOUS && H5Dget_space_status (o->dataset, &status) < 0) {
        return larder_h5error (err, LARDER_EHDF5, "dataset %s", where);
    }
    if (status != H5D_SPACE_STATUS_NOT_ALLOCATED)
        set->mode = plain ? LARDER_H5_ROWS : LARDER_H5_PACKED;
    return LARDER_OK;
}

int larder_h5set_lay (struct larder_h5source *source, struct larder_h5set *set,
                      const struct larder_h5opened *o, const char *where, larder_error *err)
{
    int plain = larder_h5shape_plain (o->shape), code = LARDER_OK;
    struct larder_h5plan plan;
    set->mode = LARDER_H5_NOTHING;
    hssize_t values = H5Sget_simple_extent_npoints (o->space);
    if (H5Sget_simple_extent_type (o->space) == H5S_NULL || values == 0)
        return LARDER_OK;
    if (o->layout == H5D_VIRTUAL)
        return larder_h5source_remark (source, err,
                                       "dataset %s is virtual: its mapping travels, and the files "
                                       "it names are looked for beside the new file",
                                       where);
    if (o->layout == H5D_CHUNKED) {
        set->mode = plain ? LARDER_H5_CHUNKS : LARDER_H5_PACKED_CHUNKS;
        if (!plain && (code = check_filters (o, where, err)) != LARDER_OK)
            return code;
        int countable = larder_h5set_plan (o, set->mode, source->slab, &plan) == 0;
        return lay_chunks (set, o, set->mode, &plan, countable, where, err);
    }
    code = lay_whole (source, set, o, plain, where, err);
    if (code == LARDER_OK && larder_h5set_plan (o, set->mode, source->slab, &plan) != 0)
        code = larder_error_set (err, LARDER_ENOTSUP, 0,
                                 "dataset %s has more values than can be counted", where);
    if (code == LARDER_OK)
        set->items = plan.items;
    return code;
}

int larder_h5set_add (struct larder_h5source *source, struct larder_h5set *set, larder_error *err)
{
    struct larder_h5set *grown =
        larder_h5grow (source->set, source->sets, &source->set_room, sizeof *source->set);
    if (grown == NULL || set->items > INT64_MAX - source->items || source->sets >= UINT32_MAX)
        return larder_error_set (err, LARDER_ENOMEM, 0, "%s: out of memory", source->path);
    source->set = grown;
    set->first = source->items;
    source->items += set->items;
    source->set[source->sets++] = *set;
    return LARDER_OK;
}
