/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_h5target.h"
#include "larder_h5error.h"
#include "larder_h5filter.h"
#include "larder_h5map.h"
#include "larder_h5space.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

hid_t larder_h5target_object (const struct larder_h5target *target, uint32_t number)
{
    if (number >= target->mades)
        return -1;
    const struct larder_h5made *made = &target->made[number];
    if (made->held >= 0) /* not yet linked: cannot be dereferenced */
        return H5Iinc_ref (made->held) < 0 ? -1 : made->held;
    return H5Rdereference2 (target->file, H5P_DEFAULT, H5R_OBJECT, &made->reference);
}

/* ------------------------------------------------------------------ references */

static int get_region (const struct larder_h5target *target, uint32_t number,
                       struct larder_h5in *in, void *value)
{
    hdset_reg_ref_t reference;
    hid_t object = larder_h5target_object (target, number), space = -1;
    int good = 0;
    if (object >= 0 && H5Iget_type (object) == H5I_DATASET)
        space = H5Dget_space (object);
    if (space >= 0 && larder_h5space_get_selection (in, space) == 0)
        good = H5Sselect_valid (space) > 0 &&
               H5Rcreate (&reference, object, ".", H5R_DATASET_REGION, space) >= 0;
    if (good)
        memcpy (value, &reference, sizeof reference);
    else
        in->bad = 1;
    if (space >= 0)
        (void)H5Sclose (space);
    if (object >= 0)
        (void)H5Oclose (object);
    return good ? 0 : -1;
}

static int get_reference (void *self, int region, struct larder_h5in *in, void *value)
{
    const struct larder_h5target *target = self;
    uint64_t number = larder_h5in_count (in);
    if (in->bad || number > target->mades) {
        in->bad = 1;
        return -1;
    }
    if (number == 0)
        memset (value, 0, region ? sizeof (hdset_reg_ref_t) : sizeof (hobj_ref_t));
    else if (region)
        return get_region (target, (uint32_t)(number - 1), in, value);
    else
        memcpy (value, &target->made[number - 1].reference, sizeof (hobj_ref_t));
    return 0;
}

struct larder_h5refs larder_h5target_refs (struct larder_h5target *target)
{
    return (struct larder_h5refs){NULL, get_reference, target};
}

/* ------------------------------------------------------------------ filling */

static int wrong (const struct larder_h5target *target, uint64_t item, const char *what,
                  larder_error *err)
{
    return larder_error_set (err, LARDER_EINVAL, 0, "%s: item %llu %s", target->name,
                             (unsigned long long)item, what);
}

/* HDF5 writes what it has kept back only now, so a full disk may show here. */
static int close_landing (struct larder_h5target *target, larder_error *err)
{
    if (target->open == LARDER_H5MAP_NONE)
        return LARDER_OK;
    hid_t dataset = target->opened.dataset;
    larder_h5opened_end (&target->opened);
    target->open = LARDER_H5MAP_NONE;
    if (H5Oclose (dataset) < 0)
        return larder_h5error (err, LARDER_EHDF5, "%s: writing a dataset", target->name);
    return LARDER_OK;
}

static int open_landing (struct larder_h5target *target, uint32_t number, larder_error *err)
{
    if (target->open == number)
        return LARDER_OK;
    const struct larder_h5landing *landing = &target->landing[number];
    int code = close_landing (target, err);
    if (code != LARDER_OK)
        return code;
    hid_t dataset = larder_h5target_object (target, landing->object);
    if (dataset < 0)
        return larder_h5error (err, LARDER_EHDF5, "%s: dataset %u", target->name, number);
    code = larder_h5opened_take (&target->opened, dataset, target->name, err);
    if (code != LARDER_OK) {
        (void)H5Oclose (dataset);
        return code;
    }
    target->open = number;
    if (larder_h5set_plan (&target->opened, landing->mode, target->slab, &target->plan) != 0) {
        (void)close_landing (target, NULL);
        return larder_error_set (err, LARDER_EINVAL, 0, "%s: dataset %u cannot be cut into items",
                                 target->name, number);
    }
    return LARDER_OK;
}

/* The name is looked for only now, as HDF5 walks the file for it; that clears what it said. */
static int failed_write (const struct larder_h5target *target, larder_error *err)
{
    larder_error why;
    char path[256];
    int code = larder_h5error (&why, LARDER_EHDF5, "%s", "");
    ssize_t n = H5Iget_name (target->opened.dataset, path, sizeof path);
    return larder_error_set (err, code, why.detail, "%s: writing dataset %s%s", target->name,
                             n > 0 ? path : "without a name", why.text);
}

/* A chunk that no filter touched has its full size; of others only the decoder knows. */
static int right_length (const struct larder_h5target *target, const struct larder_h5item *item,
                         uint64_t length)
{
    int filters = H5Pget_nfilters (target->opened.list);
    uint64_t full = larder_h5shape_size (target->opened.shape);
    for (int d = 0; d < target->plan.rank; ++d)
        full *= target->plan.box[d];
    uint32_t all = filters >= 32 ? UINT32_MAX : (1u << (filters > 0 ? filters : 0)) - 1;
    if (filters <= 0 || (item->mask & all) == all)
        return length == full;
    return length > 0 && length <= UINT32_MAX;
}

/* Where a listed chunk goes: inside the dataset, on the grid, behind the last one. */
static int placed (struct larder_h5target *target, struct larder_h5in *in, int first,
                   hsize_t *start)
{
    int behind = first;
    for (int d = 0; d < target->plan.rank; ++d) {
        start[d] = larder_h5in_u64 (in);
        if (in->bad || start[d] >= target->plan.dims[d] || start[d] % target->plan.box[d] != 0 ||
            (!behind && start[d] < target->placed[d]))
            return 0;
        behind = behind || start[d] > target->placed[d];
    }
    memcpy (target->placed, start, sizeof target->placed);
    return behind;
}

static int fill_chunk (struct larder_h5target *target, uint64_t item,
                       const struct larder_h5item *head, struct larder_h5in *in, larder_error *err)
{
    hsize_t start[H5S_MAX_RANK] = {0};
    if (head->kind == LARDER_H5_PLACED) {
        if (!placed (target, in, head->place == 0, start))
            return wrong (target, item, "goes to no free place in its dataset", err);
    } else {
        larder_h5plan_box (&target->plan, head->place, start);
    }
    size_t length = larder_h5in_left (in);
    if (!right_length (target, head, length))
        return wrong (target, item, "has not the size of a chunk", err);
    if (H5Dwrite_chunk (target->opened.dataset, H5P_DEFAULT, head->mask, start, length, in->at) < 0)
        return failed_write (target, err);
    return LARDER_OK;
}

static int write_slab (struct larder_h5target *target, const hsize_t *start, const hsize_t *count,
                       const void *values, larder_error *err)
{
    struct larder_h5opened *o = &target->opened;
    hid_t memory = -1;
    int code = LARDER_OK;
    if (larder_h5plan_select (&target->plan, o->space, start, count, &memory) != 0 ||
        H5Dwrite (o->dataset, o->type, memory, o->space, H5P_DEFAULT, values) < 0)
        code = failed_write (target, err);
    if (memory >= 0)
        (void)H5Sclose (memory);
    return code;
}

static int fill_slab (struct larder_h5target *target, uint64_t item,
                      const struct larder_h5item *head, struct larder_h5in *in, larder_error *err)
{
    hsize_t start[H5S_MAX_RANK], count[H5S_MAX_RANK];
    const struct larder_h5shape *shape = target->opened.shape;
    uint64_t values = larder_h5plan_slab (&target->plan, head->place, start, count);
    size_t bytes = larder_h5shape_size (shape);
    if (values == 0 || values > SIZE_MAX / bytes)
        return wrong (target, item, "goes to no place in its dataset", err);
    if (head->kind == LARDER_H5_SLAB) {
        if (larder_h5in_left (in) != values * bytes)
            return wrong (target, item, "has not the size of its slab", err);
        return write_slab (target, start, count, in->at, err);
    }
    if (values > larder_h5in_left (in) / larder_h5shape_least (shape))
        return wrong (target, item, "is too short for its values", err);
    const struct larder_h5refs refs = larder_h5target_refs (target);
    struct larder_h5arena arena = {NULL};
    void *room = larder_h5arena_take (&arena, (size_t)values * bytes);
    int code = LARDER_OK;
    if (room == NULL || (larder_h5unpack (shape, in, values, &refs, &arena, room) != 0 && !in->bad))
        code = larder_error_set (err, LARDER_ENOMEM, 0, "%s: out of memory", target->name);
    else if (in->bad || in->at != in->end)
        code = wrong (target, item, "has damaged values", err);
    else
        code = write_slab (target, start, count, room, err);
    larder_h5arena_free (&arena);
    return code;
}

static uint32_t landing_of (const struct larder_h5target *target, uint64_t item)
{
    size_t low = 0, high = target->landings;
    while (low < high) { /* the first that starts behind item */
        size_t middle = low + (high - low) / 2;
        if (target->landing[middle].first > item)
            high = middle;
        else
            low = middle + 1;
    }
    return low == 0 ? LARDER_H5MAP_NONE : (uint32_t)(low - 1);
}

/* HDF5 never touches the bytes in front of its superblock, so they may come while it is open. */
static int fill_user (struct larder_h5target *target, uint64_t item,
                      const struct larder_h5item *head, struct larder_h5in *in, larder_error *err)
{
    uint64_t users = target->user_bytes / target->slab + (target->user_bytes % target->slab != 0);
    uint64_t first = target->items - users, left = larder_h5in_left (in);
    if (item < first || head->place != item - first || head->place >= users)
        return wrong (target, item, "is not what the recipe says", err);
    uint64_t at = head->place * target->slab;
    if (left > target->slab || left > target->user_bytes - at)
        return wrong (target, item, "does not fit into the user block", err);
    while (in->at < in->end) {
        ssize_t n = pwrite (target->descriptor, in->at, larder_h5in_left (in), (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return larder_error_set (err, errno == ENOSPC ? LARDER_ENOSPC : LARDER_EIO, errno,
                                     "%s: %s", target->name, strerror (errno));
        in->at += n;
        at += (uint64_t)n;
    }
    return LARDER_OK;
}

static const uint32_t kinds[LARDER_H5_MODES] = {
    [LARDER_H5_CHUNKS] = LARDER_H5_CHUNK,       [LARDER_H5_LISTED] = LARDER_H5_PLACED,
    [LARDER_H5_ROWS] = LARDER_H5_SLAB,          [LARDER_H5_PACKED] = LARDER_H5_PACK,
    [LARDER_H5_PACKED_CHUNKS] = LARDER_H5_PACK,
};

int larder_h5fill (struct larder_h5target *target, uint64_t item, const void *bytes, size_t size,
                   larder_error *err)
{
    if (size == 0) /* a chunk that was never written */
        return LARDER_OK;
    if (size < LARDER_H5ITEM_HEAD)
        return wrong (target, item, "is too short", err);
    struct larder_h5item head = larder_h5item_get (bytes);
    struct larder_h5in in = {(const uint8_t *)bytes + LARDER_H5ITEM_HEAD,
                             (const uint8_t *)bytes + size, 0};
    if (head.length != larder_h5in_left (&in))
        return wrong (target, item, "has not the length that it says", err);
    if (head.kind == LARDER_H5_USER)
        return fill_user (target, item, &head, &in, err);
    uint32_t number = landing_of (target, item);
    if (number == LARDER_H5MAP_NONE || head.dataset != number)
        return wrong (target, item, "belongs to another dataset", err);
    const struct larder_h5landing *landing = &target->landing[number];
    if (head.place != item - landing->first || head.place >= landing->items ||
        head.kind != kinds[landing->mode])
        return wrong (target, item, "is not what the recipe says", err);
    int code = open_landing (target, number, err);
    if (code != LARDER_OK)
        return code;
    if (head.kind == LARDER_H5_CHUNK || head.kind == LARDER_H5_PLACED)
        return fill_chunk (target, item, &head, &in, err);
    return fill_slab (target, item, &head, &in, err);
}

int larder_h5target_close (struct larder_h5target *target, larder_error *err)
{
    int code = close_landing (target, err);
    for (size_t i = 0; i < target->mades; ++i)
        if (target->made[i].held >= 0 && H5Oclose (target->made[i].held) < 0 && code == LARDER_OK)
            code = larder_h5error (err, LARDER_EHDF5, "%s: closing", target->name);
    if (target->file >= 0 && H5Fclose (target->file) < 0 && code == LARDER_OK)
        code = larder_h5error (err, LARDER_EHDF5, "%s: closing", target->name);
    target->file = -1;
    for (size_t i = 0; i < target->stand_ins.count; ++i)
        larder_h5filter_drop (target->stand_ins.id[i]);
    free (target->stand_ins.id);
    free (target->made);
    free (target->landing);
    target->stand_ins = (struct larder_h5standins){NULL, 0, 0};
    target->made = NULL;
    target->landing = NULL;
    target->mades = target->made_room = target->landings = target->landing_room = 0;
    return code;
}
