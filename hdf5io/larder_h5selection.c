/* SPDX-License-Identifier: Apache-2.0 */
/* The object that sends a selection of an HDF5 file; see larder/hdf5.h. */
#define _GNU_SOURCE
#include "larder_h5error.h"
#include "larder_h5produce.h"

#include <larder/hdf5.h>
#include <stdlib.h>
#include <string.h>

#define SLAB_USUAL (1024u * 1024u)

struct selection {
    struct larder_h5source source;
    struct larder_h5producer producer;
};

static int selection_item_count (void *self, uint64_t *count, larder_error *err)
{
    const struct selection *s = self;
    (void)err;
    *count = s->source.items;
    return LARDER_OK;
}

static int selection_item_size (void *self, uint64_t item, uint64_t *size, larder_error *err)
{
    struct selection *s = self;
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    int code = larder_h5producer_size (&s->producer, item, size, err);
    larder_h5error_loud (&quiet);
    return code;
}

static int selection_produce_item (void *self, uint64_t item, uint64_t offset, void *buffer,
                                   size_t capacity, size_t *produced, int *last, larder_error *err)
{
    struct selection *s = self;
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    int code =
        larder_h5producer_part (&s->producer, item, offset, buffer, capacity, produced, last, err);
    larder_h5error_loud (&quiet);
    return code;
}

static void selection_release (void *self)
{
    struct selection *s = self;
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    larder_h5producer_end (&s->producer);
    larder_h5source_close (&s->source);
    larder_h5error_loud (&quiet);
    free (s);
}

static const larder_object_ops selection_ops = {
    .item_count = selection_item_count,
    .item_size = selection_item_size,
    .produce_item = selection_produce_item,
    .release = selection_release,
};

static int select_paths (struct larder_h5source *source, const larder_h5_selection *selection,
                         larder_error *err)
{
    int code = LARDER_OK;
    for (int i = 0; i < selection->count && code == LARDER_OK; ++i)
        code = larder_h5wants_path (&source->wants, source->file, selection->paths[i], err);
    return code;
}

static int make (struct selection *s, const char *file, const larder_h5_selection *selection,
                 larder_error *err)
{
    struct larder_h5source *source = &s->source;
    int code = larder_h5source_open (source, file, err);
    source->slab = selection->slab_size ? selection->slab_size : SLAB_USUAL;
    source->with_targets = selection->with_targets;
    s->producer.source = source;
    s->producer.open = LARDER_H5MAP_NONE;
    if (code == LARDER_OK)
        code = select_paths (source, selection, err);
    if (code == LARDER_OK)
        code = larder_h5closure (source, err);
    if (code == LARDER_OK)
        code = larder_h5recipe (source, err);
    if (code == LARDER_OK)
        code = larder_h5source_check (source, err);
    return code;
}

int larder_h5_selection_object (const char *file, const larder_h5_selection *selection,
                                larder_object *object, larder_error *err)
{
    if (file == NULL || selection == NULL || object == NULL || selection->count < 0 ||
        (selection->count > 0 && selection->paths == NULL))
        return larder_error_set (err, LARDER_EINVAL, 0, "selection of %s: invalid argument",
                                 file ? file : "no file");
    struct selection *s = calloc (1, sizeof *s);
    if (s == NULL)
        return larder_error_set (err, LARDER_ENOMEM, 0, "selection of %s: out of memory", file);
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    int code = make (s, file, selection, err);
    larder_h5error_loud (&quiet);
    if (code != LARDER_OK) {
        selection_release (s);
        return code;
    }
    memset (object, 0, sizeof *object);
    object->ops = &selection_ops;
    object->self = s;
    object->name = s->source.path;
    return LARDER_OK;
}

int larder_h5_selection_remarks (const larder_object *object)
{
    if (object == NULL || object->ops != &selection_ops)
        return 0;
    const struct selection *s = object->self;
    return s->source.remarks > INT32_MAX ? INT32_MAX : (int)s->source.remarks;
}

const char *larder_h5_selection_remark (const larder_object *object, int i)
{
    if (i < 0 || i >= larder_h5_selection_remarks (object))
        return NULL;
    const struct selection *s = object->self;
    return s->source.remark[i];
}
