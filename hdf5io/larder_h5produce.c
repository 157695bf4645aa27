/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_h5produce.h"
#include "larder_h5chunk.h"
#include "larder_h5error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An item as it is looked up: which dataset, which place in it, how many bytes. */
struct found {
    struct larder_h5item item;
    struct larder_h5set *set; /* NULL: user block */
    hsize_t start[H5S_MAX_RANK], count[H5S_MAX_RANK];
    uint64_t values;
    uint64_t size; /* head included; 0: an empty item */
};

static int no_memory (const char *where, larder_error *err)
{
    return larder_error_set (err, LARDER_ENOMEM, 0, "%s: out of memory", where);
}

/* ------------------------------------------------------------------ the open dataset */

static void close_set (struct larder_h5producer *p)
{
    if (p->open == LARDER_H5MAP_NONE)
        return;
    hid_t dataset = p->opened.dataset;
    larder_h5opened_end (&p->opened);
    (void)H5Dclose (dataset);
    p->open = LARDER_H5MAP_NONE;
}

static int open_set (struct larder_h5producer *p, uint32_t number, larder_error *err)
{
    struct larder_h5source *source = p->source;
    const struct larder_h5set *set = &source->set[number];
    if (p->open == number)
        return LARDER_OK;
    close_set (p);
    larder_h5tree_path (&source->tree, set->object, NULL, p->where, sizeof p->where);
    hid_t dataset = H5Oopen_by_addr (source->file, source->tree.object[set->object].address);
    if (dataset < 0)
        return larder_h5error (err, LARDER_EHDF5, "dataset %s", p->where);
    int code = larder_h5opened_take (&p->opened, dataset, p->where, err);
    if (code == LARDER_OK && larder_h5set_plan (&p->opened, set->mode, source->slab, &p->plan)) {
        larder_h5opened_end (&p->opened);
        code = larder_error_set (err, LARDER_ESTALE, 0, "dataset %s changed after it was offered",
                                 p->where);
    }
    if (code == LARDER_OK)
        p->open = number;
    else
        (void)H5Dclose (dataset);
    return code;
}

static uint32_t set_of (const struct larder_h5source *source, uint64_t item)
{
    size_t low = 0, high = source->sets;
    while (low < high) { /* the first set that starts behind item */
        size_t middle = low + (high - low) / 2;
        if (source->set[middle].first > item)
            high = middle;
        else
            low = middle + 1;
    }
    return (uint32_t)(low - 1); /* sets without items share their first with the next */
}

/* ------------------------------------------------------------------ packing */

static int pack_values (struct larder_h5producer *p, const struct found *f, void *values,
                        struct larder_h5out *out, larder_error *err)
{
    const struct larder_h5opened *o = &p->opened;
    const struct larder_h5refs refs = larder_h5source_refs (p->source);
    hid_t memory = -1;
    int code = LARDER_OK;
    if (larder_h5plan_select (&p->plan, o->space, f->start, f->count, &memory) != 0)
        return larder_h5error (err, LARDER_EHDF5, "dataset %s", p->where);
    if (H5Dread (o->dataset, o->type, memory, o->space, H5P_DEFAULT, values) < 0) {
        code = larder_h5error (err, LARDER_EHDF5, "dataset %s", p->where);
    } else {
        if (larder_h5pack (o->shape, values, f->values, &refs, out) != 0)
            code = larder_h5error (err, LARDER_EHDF5, "dataset %s", p->where);
        if (H5Dvlen_reclaim (o->type, memory, H5P_DEFAULT, values) < 0 && code == LARDER_OK)
            code = larder_h5error (err, LARDER_EHDF5, "dataset %s", p->where);
    }
    (void)H5Sclose (memory);
    if (code == LARDER_OK && out->failed)
        code = no_memory (p->where, err);
    return code;
}

/* Count references once, however often an item is made; remark when the last one is. */
static int count_nulls (struct larder_h5producer *p, struct found *f, larder_error *err)
{
    struct larder_h5source *source = p->source;
    struct larder_h5set *set = f->set;
    if (f->item.place < set->counted)
        return LARDER_OK;
    set->counted = f->item.place + 1;
    set->outside += source->outside;
    set->dangling += source->dangling;
    if (set->counted < set->items)
        return LARDER_OK;
    return larder_h5source_remark_nulls (source, set->outside, set->dangling, p->where, err);
}

/* The packed item, made now or a moment ago. */
static int packed_item (struct larder_h5producer *p, uint64_t item, struct found *f,
                        struct larder_h5packed **packed, larder_error *err)
{
    for (int i = 0; i < 2; ++i)
        if (p->packed[i].item == item) {
            *packed = &p->packed[i];
            return LARDER_OK;
        }
    struct larder_h5packed *made = &p->packed[p->turn];
    size_t bytes = larder_h5shape_size (p->opened.shape);
    void *values = f->values > SIZE_MAX / bytes ? NULL : calloc ((size_t)f->values, bytes);
    int code = values ? LARDER_OK : no_memory (p->where, err);
    made->item = 0;
    made->bytes.size = 0;
    p->source->outside = p->source->dangling = 0;
    if (code == LARDER_OK && larder_h5out_room (&made->bytes, LARDER_H5ITEM_HEAD) == NULL)
        code = no_memory (p->where, err);
    if (code == LARDER_OK)
        code = pack_values (p, f, values, &made->bytes, err);
    free (values);
    if (code == LARDER_OK)
        code = larder_h5source_check (p->source, err);
    if (code == LARDER_OK)
        code = count_nulls (p, f, err);
    if (code != LARDER_OK) {
        larder_h5out_free (&made->bytes);
        return code;
    }
    f->item.length = made->bytes.size - LARDER_H5ITEM_HEAD;
    larder_h5item_put (made->bytes.data, &f->item);
    made->item = item;
    p->turn = !p->turn;
    *packed = made;
    return LARDER_OK;
}

/* ------------------------------------------------------------------ looking up */

static int find_chunk (struct larder_h5producer *p, struct found *f, larder_error *err)
{
    const struct larder_h5opened *o = &p->opened;
    size_t rank = (size_t)p->plan.rank, head = LARDER_H5ITEM_HEAD;
    hsize_t bytes = 0;
    f->item.kind = LARDER_H5_CHUNK;
    if (f->set->mode == LARDER_H5_LISTED) {
        memcpy (f->start, f->set->list + f->item.place * rank, rank * sizeof *f->start);
        f->item.kind = LARDER_H5_PLACED;
        head += 8 * rank;
    } else {
        larder_h5plan_box (&p->plan, f->item.place / p->plan.subs, f->start);
    }
    if (larder_h5chunk_size (o->dataset, f->start, &bytes) != 0)
        return larder_h5error (err, LARDER_EHDF5, "dataset %s: chunk %llu", p->where,
                               (unsigned long long)f->item.place);
    f->item.length = bytes + (head - LARDER_H5ITEM_HEAD);
    f->size = bytes ? head + bytes : 0;
    return LARDER_OK;
}

static int find_in_set (struct larder_h5producer *p, uint64_t item, struct found *f,
                        larder_error *err)
{
    uint32_t number = set_of (p->source, item);
    struct larder_h5packed *packed = NULL;
    int code = open_set (p, number, err);
    if (code != LARDER_OK)
        return code;
    f->set = &p->source->set[number];
    f->item.dataset = number;
    f->item.place = item - f->set->first;
    if (f->set->mode == LARDER_H5_CHUNKS || f->set->mode == LARDER_H5_LISTED)
        return find_chunk (p, f, err);
    f->item.kind = f->set->mode == LARDER_H5_ROWS ? LARDER_H5_SLAB : LARDER_H5_PACK;
    if (f->set->mode == LARDER_H5_PACKED_CHUNKS) { /* is there a chunk at all? */
        code = find_chunk (p, f, err);
        f->item.kind = LARDER_H5_PACK;
        if (code != LARDER_OK)
            return code;
        if (f->size == 0)
            return f->item.place + 1 == f->set->items ? count_nulls (p, f, err) : LARDER_OK;
    }
    f->values = larder_h5plan_slab (&p->plan, f->item.place, f->start, f->count);
    f->item.length = f->values * larder_h5shape_size (p->opened.shape);
    f->size = f->values ? LARDER_H5ITEM_HEAD + f->item.length : 0;
    if (f->item.kind == LARDER_H5_SLAB || f->values == 0)
        return LARDER_OK;
    code = packed_item (p, item, f, &packed, err);
    f->size = code == LARDER_OK ? packed->bytes.size : 0;
    return code;
}

static int find_item (struct larder_h5producer *p, uint64_t item, struct found *f,
                      larder_error *err)
{
    const struct larder_h5source *source = p->source;
    memset (f, 0, sizeof *f);
    if (item == 0 || item >= source->items)
        return larder_error_set (err, LARDER_ERANGE, 0, "%s: no item %llu", source->path,
                                 (unsigned long long)item);
    uint64_t users = source->user_bytes / source->slab + (source->user_bytes % source->slab != 0);
    uint64_t first_user = source->items - users;
    if (item < first_user)
        return find_in_set (p, item, f, err);
    f->item.kind = LARDER_H5_USER;
    f->item.place = item - first_user;
    f->item.length = source->user_bytes - f->item.place * source->slab;
    if (f->item.length > source->slab)
        f->item.length = source->slab;
    f->size = LARDER_H5ITEM_HEAD + f->item.length;
    return LARDER_OK;
}

int larder_h5producer_size (struct larder_h5producer *p, uint64_t item, uint64_t *size,
                            larder_error *err)
{
    struct found f;
    if (item == 0) {
        *size = p->source->recipe.size;
        return LARDER_OK;
    }
    int code = find_item (p, item, &f, err);
    if (code == LARDER_OK)
        *size = f.size;
    return code;
}

/* ------------------------------------------------------------------ producing */

static int load_user (const struct larder_h5source *source, const struct found *f, uint8_t *to,
                      larder_error *err)
{
    size_t done = 0;
    int file = open (source->path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return larder_error_set (err, LARDER_EIO, errno, "%s: %s", source->path, strerror (errno));
    while (done < f->item.length) {
        off_t at = (off_t)(f->item.place * source->slab + done);
        ssize_t n = pread (file, to + done, (size_t)f->item.length - done, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            int number = n < 0 ? errno : EIO;
            (void)close (file);
            return larder_error_set (err, LARDER_EIO, number, "%s: user block: %s", source->path,
                                     strerror (number));
        }
        done += (size_t)n;
    }
    (void)close (file);
    return LARDER_OK;
}

static int load_slab (struct larder_h5producer *p, const struct found *f, uint8_t *to,
                      larder_error *err)
{
    const struct larder_h5opened *o = &p->opened;
    hid_t memory = -1;
    herr_t code = larder_h5plan_select (&p->plan, o->space, f->start, f->count, &memory);
    if (code >= 0)
        code = H5Dread (o->dataset, o->type, memory, o->space, H5P_DEFAULT, to);
    int result = code < 0 ? larder_h5error (err, LARDER_EHDF5, "dataset %s", p->where) : LARDER_OK;
    if (memory >= 0)
        (void)H5Sclose (memory);
    return result;
}

static int load_chunk (struct larder_h5producer *p, struct found *f, uint8_t *to, larder_error *err)
{
    if (f->item.kind == LARDER_H5_PLACED)
        for (int d = 0; d < p->plan.rank; ++d)
            for (int i = 0; i < 8; ++i)
                *to++ = (uint8_t)(f->start[d] >> (8 * i));
    if (H5Dread_chunk (p->opened.dataset, H5P_DEFAULT, f->start, &f->item.mask, to) < 0)
        return larder_h5error (err, LARDER_EHDF5, "dataset %s: chunk %llu", p->where,
                               (unsigned long long)f->item.place);
    return LARDER_OK;
}

/* All bytes of an item to a place that has room for them. */
static int load (struct larder_h5producer *p, struct found *f, uint8_t *to, larder_error *err)
{
    int code;
    uint8_t *body = to + LARDER_H5ITEM_HEAD;
    if (f->item.kind == LARDER_H5_USER)
        code = load_user (p->source, f, body, err);
    else if (f->item.kind == LARDER_H5_SLAB)
        code = load_slab (p, f, body, err);
    else
        code = load_chunk (p, f, body, err);
    larder_h5item_put (to, &f->item);
    return code == LARDER_OK ? larder_h5source_check (p->source, err) : code;
}

/* Have all of an item in memory: *bytes of *size. */
static int keep (struct larder_h5producer *p, uint64_t item, struct found *f, const uint8_t **bytes,
                 size_t *size, larder_error *err)
{
    struct larder_h5packed *packed = NULL;
    if (f->item.kind == LARDER_H5_PACK && f->size) {
        int code = packed_item (p, item, f, &packed, err);
        *bytes = code == LARDER_OK ? packed->bytes.data : NULL;
        *size = code == LARDER_OK ? packed->bytes.size : 0;
        return code;
    }
    p->kept = 0;
    if (f->size > p->room) {
        free (p->bytes);
        p->bytes = f->size > SIZE_MAX ? NULL : malloc ((size_t)f->size);
        p->room = p->bytes ? (size_t)f->size : 0;
        if (p->bytes == NULL)
            return no_memory (p->where, err);
    }
    int code = f->size ? load (p, f, p->bytes, err) : LARDER_OK;
    if (code == LARDER_OK) {
        p->kept = item;
        p->size = (size_t)f->size;
    }
    *bytes = p->bytes;
    *size = (size_t)f->size;
    return code;
}

int larder_h5producer_part (struct larder_h5producer *p, uint64_t item, uint64_t offset,
                            void *buffer, size_t capacity, size_t *produced, int *last,
                            larder_error *err)
{
    struct found f;
    const uint8_t *bytes = p->bytes;
    size_t size = p->size;
    int code = LARDER_OK;
    if (item == 0) {
        bytes = p->source->recipe.data;
        size = p->source->recipe.size;
    } else if (offset == 0 || p->kept != item) {
        code = find_item (p, item, &f, err);
        if (code == LARDER_OK && offset == 0 && f.size <= capacity &&
            f.item.kind != LARDER_H5_PACK) { /* straight into the cache */
            *produced = (size_t)f.size;
            *last = 1;
            return f.size ? load (p, &f, buffer, err) : LARDER_OK;
        }
        if (code == LARDER_OK)
            code = keep (p, item, &f, &bytes, &size, err);
    }
    if (code != LARDER_OK)
        return code;
    if (offset > size)
        return larder_error_set (err, LARDER_ERANGE, 0, "%s: item %llu has no byte %llu",
                                 p->source->path, (unsigned long long)item,
                                 (unsigned long long)offset);
    size_t n = size - (size_t)offset < capacity ? size - (size_t)offset : capacity;
    if (n)
        memcpy (buffer, bytes + offset, n);
    *produced = n;
    *last = offset + n == size;
    return LARDER_OK;
}

void larder_h5producer_end (struct larder_h5producer *p)
{
    close_set (p);
    free (p->bytes);
    larder_h5out_free (&p->packed[0].bytes);
    larder_h5out_free (&p->packed[1].bytes);
}
