/* SPDX-License-Identifier: Apache-2.0 */
/* The consumer that lands a selection in a new HDF5 file; see larder/hdf5.h. */
#define _GNU_SOURCE
#include "larder_file_error.h"
#include "larder_file_temp.h"
#include "larder_h5error.h"
#include "larder_h5map.h"
#include "larder_h5target.h"

#include <errno.h>
#include <larder/hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct larder_h5_sink {
    char *path;                   /* of the destination */
    char *working;                /* where HDF5 finds the file until then */
    struct larder_file_temp temp; /* the file until then */
    struct larder_h5target target;
    uint64_t item;   /* the one that comes next, or whose parts come */
    uint64_t offset; /* bytes of it that came */
    uint8_t *part;   /* those bytes */
    size_t room;
    int over; /* completed or failed */
};

/* ------------------------------------------------------------------ items */

static int take_item (larder_h5_sink *sink, const void *bytes, size_t size, larder_error *err)
{
    struct larder_h5target *target = &sink->target;
    int code;
    if (sink->item == 0) {
        /* HDF5 takes a lock of its own where its environment says so, and ours would be in the way:
         * afterwards one of the two shows that the file has a writer. */
        (void)flock (sink->temp.fd, LOCK_UN);
        code = larder_h5replay (target, bytes, size, err);
        (void)flock (sink->temp.fd, LOCK_EX | LOCK_NB);
    } else if (sink->item >= target->items) {
        code = larder_error_set (err, LARDER_EINVAL, 0, "%s: item %llu of %llu", sink->path,
                                 (unsigned long long)sink->item, (unsigned long long)target->items);
    } else {
        code = larder_h5fill (target, sink->item, bytes, size, err);
    }
    ++sink->item;
    sink->offset = 0;
    return code;
}

/* Parts of one item are put together; the room grows as they come, not as they promise. */
static int take_part (larder_h5_sink *sink, const larder_view *view, larder_error *err)
{
    size_t have = (size_t)sink->offset;
    if (view->size > SIZE_MAX / 4 - have)
        return larder_error_set (err, LARDER_ENOMEM, 0, "%s: item too large", sink->path);
    if (have + view->size > sink->room) {
        size_t room = sink->room + sink->room / 2;
        if (room < have + view->size)
            room = have + view->size;
        uint8_t *grown = realloc (sink->part, room);
        if (grown == NULL)
            return larder_error_set (err, LARDER_ENOMEM, 0, "%s: out of memory", sink->path);
        sink->part = grown;
        sink->room = room;
    }
    if (view->size)
        memcpy (sink->part + have, view->data, view->size);
    sink->offset += view->size;
    if (!view->item_ends)
        return LARDER_OK;
    int code = take_item (sink, sink->part, have + view->size, err);
    if (sink->item == 1) { /* the recipe may be far larger than any item after it */
        free (sink->part);
        sink->part = NULL;
        sink->room = 0;
    }
    return code;
}

static uint64_t size_of (const larder_view *view, uint64_t i, uint64_t left)
{
    if (view->item_sizes)
        return view->item_sizes[i];
    if (view->count == 1)
        return left;
    return i + 1 < view->count || view->item_size < left ? view->item_size : left;
}

static int take_view (larder_h5_sink *sink, const larder_view *view, larder_error *err)
{
    const uint8_t *bytes = view->data;
    uint64_t left = view->size;
    if (sink->over || view->item != sink->item || view->offset != sink->offset || view->count < 1 ||
        (view->count > 1 && (view->offset > 0 || !view->item_ends)))
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "%s: item %llu from byte %llu came where item %llu from byte %llu "
                                 "was due",
                                 sink->path, (unsigned long long)view->item,
                                 (unsigned long long)view->offset, (unsigned long long)sink->item,
                                 (unsigned long long)sink->offset);
    if (view->offset > 0 || !view->item_ends)
        return take_part (sink, view, err);
    int code = LARDER_OK;
    for (uint64_t i = 0; i < view->count && code == LARDER_OK; ++i) {
        uint64_t size = size_of (view, i, left);
        if (size > left)
            return larder_error_set (err, LARDER_EINVAL, 0, "%s: item %llu is cut short",
                                     sink->path, (unsigned long long)sink->item);
        code = take_item (sink, bytes, (size_t)size, err);
        bytes += size;
        left -= size;
    }
    if (code == LARDER_OK && left > 0)
        code = larder_error_set (err, LARDER_EINVAL, 0, "%s: bytes behind item %llu", sink->path,
                                 (unsigned long long)sink->item - 1);
    return code;
}

/* ------------------------------------------------------------------ the consumer */

static int sink_consume_items (void *self, const larder_view *view, larder_error *err)
{
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    int code = take_view (self, view, err);
    larder_h5error_loud (&quiet);
    return code;
}

static void drop (larder_h5_sink *sink)
{
    (void)larder_h5target_close (&sink->target, NULL);
    if (!sink->over)
        larder_file_temp_close (&sink->temp);
    free (sink->part);
    sink->part = NULL;
    sink->room = 0;
    sink->over = 1;
}

/* The mode that any new file gets.  The umask cannot be asked without setting it, which other
 * threads would see, but the system shows it. */
static mode_t usual_mode (void)
{
    unsigned mask = 077;
    char line[128];
    FILE *status = fopen ("/proc/self/status", "re");
    while (status && fgets (line, sizeof line, status) && sscanf (line, "Umask: %o", &mask) != 1)
        ;
    if (status)
        (void)fclose (status);
    return 0666 & ~(mode_t)mask;
}

static int complete (larder_h5_sink *sink, larder_error *err)
{
    if (sink->over || sink->item == 0 || sink->item != sink->target.items || sink->offset > 0)
        return larder_error_set (err, LARDER_EINVAL, 0, "%s: only %llu of %llu items came",
                                 sink->path, (unsigned long long)sink->item,
                                 (unsigned long long)sink->target.items);
    int code = larder_h5target_close (&sink->target, err);
    if (code != LARDER_OK)
        return code;
    if (fchmod (sink->temp.fd, usual_mode ()) != 0 || fsync (sink->temp.fd) != 0)
        return larder_file_error (err, "write", sink->path, errno);
    return larder_file_temp_place (&sink->temp, err);
}

static int sink_download_completed (void *self, larder_error *err)
{
    larder_h5_sink *sink = self;
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    int code = complete (sink, err);
    drop (sink);
    larder_h5error_loud (&quiet);
    return code;
}

static void sink_download_failed (void *self, const larder_error *why)
{
    struct larder_h5quiet quiet;
    (void)why;
    larder_h5error_quiet (&quiet);
    drop (self);
    larder_h5error_loud (&quiet);
}

/* HDF5 opens by path, so the temporary file has a name, beside its destination. */
static char *working_path (const struct larder_file_temp *temp)
{
    char *path = NULL;
    int n = asprintf (&path, "%.*s%s", (int)(temp->base - temp->path), temp->path, temp->name);
    return n < 0 ? NULL : path;
}

static void free_sink (larder_h5_sink *sink)
{
    free (sink->path);
    free (sink->working);
    free (sink);
}

int larder_h5_sink_open (const char *path, int replace, larder_h5_sink **sink, larder_error *err)
{
    if (path == NULL || sink == NULL)
        return larder_error_set (err, LARDER_EINVAL, 0, "HDF5 sink: invalid argument");
    larder_h5_sink *made = calloc (1, sizeof *made);
    if (made)
        made->path = strdup (path);
    if (made == NULL || made->path == NULL) {
        free (made);
        return larder_file_error (err, "write", path, ENOMEM);
    }
    int code = larder_file_temp_open_named (&made->temp, made->path, replace, err);
    if (code == LARDER_OK && (made->working = working_path (&made->temp)) == NULL) {
        larder_file_temp_close (&made->temp);
        code = larder_file_error (err, "write", path, ENOMEM);
    }
    if (code != LARDER_OK) {
        free_sink (made);
        return code;
    }
    made->target.path = made->working;
    made->target.name = made->path;
    made->target.descriptor = made->temp.fd;
    made->target.file = -1;
    made->target.open = LARDER_H5MAP_NONE;
    *sink = made;
    return LARDER_OK;
}

larder_consumer larder_h5_consumer (larder_h5_sink *sink)
{
    return (larder_consumer){
        .self = sink,
        .consume_items = sink_consume_items,
        .download_completed = sink_download_completed,
        .download_failed = sink_download_failed,
    };
}

void larder_h5_sink_close (larder_h5_sink **sink)
{
    struct larder_h5quiet quiet;
    if (sink == NULL || *sink == NULL)
        return;
    larder_h5error_quiet (&quiet);
    drop (*sink);
    larder_h5error_loud (&quiet);
    free_sink (*sink);
    *sink = NULL;
}
