/* SPDX-License-Identifier: Apache-2.0 */
/* One dataset as an object: its items, at its owner.
 *
 * Stored chunks are handed out as they are, filters undone nowhere here.  Contiguous data is read
 * from the file straight into the cache; what only HDF5 can find (compact, external, virtual) comes
 * through a scratch of one item. */
#define _GNU_SOURCE
#include "larder_h5dataset.h"

#include "larder_h5chunk.h"
#include "larder_h5error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum said { UNSAID, ABSENT, FULL };

int larder_h5dataset_fail (const struct larder_h5dataset_object *s, larder_error *err,
                           const char *doing)
{
    return larder_h5error (err, LARDER_EHDF5, "dataset %s: %s", s->name, doing);
}

int larder_h5dataset_same_state (const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int unchanged (const struct larder_h5dataset_object *s, larder_error *err)
{
    struct stat now;
    if (fstat (s->from->fd, &now) != 0)
        return larder_error_set (err, LARDER_EIO, errno, "dataset %s: %s", s->name,
                                 strerror (errno));
    if (!larder_h5dataset_same_state (&now, &s->from->state))
        return larder_error_set (err, LARDER_ESTALE, 0,
                                 "dataset %s: the file changed after it was offered", s->name);
    return LARDER_OK;
}

static int count_items (void *self, uint64_t *count, larder_error *err)
{
    (void)err;
    *count = 1 + ((struct larder_h5dataset_object *)self)->d.cells;
    return LARDER_OK;
}

static int size_of_item (const struct larder_h5dataset_object *s, uint64_t item, uint64_t *size,
                         larder_error *err)
{
    struct larder_h5box box;
    if (item > s->d.cells)
        return larder_error_set (err, LARDER_ERANGE, 0, "dataset %s: has no item %llu", s->name,
                                 (unsigned long long)item);
    if (item == 0) {
        *size = s->description_size;
        return LARDER_OK;
    }
    larder_h5describe_box (&s->d, item - 1, &box);
    if (!s->d.chunked) {
        *size = larder_h5box_points (&box) * s->d.element;
        return LARDER_OK;
    }
    hsize_t stored = 0;
    if (s->said && s->said[item - 1] != UNSAID) {
        stored = s->said[item - 1] == FULL ? larder_h5describe_cell_bytes (&s->d) : 0;
    } else if (larder_h5chunk_size (s->id, box.start, &stored) < 0) {
        return larder_h5dataset_fail (s, err, "looking for a chunk");
    }
    if (s->said)
        s->said[item - 1] = stored ? FULL : ABSENT;
    *size = LARDER_H5CHUNK_HEADER + stored;
    return LARDER_OK;
}

static int item_size (void *self, uint64_t item, uint64_t *size, larder_error *err)
{
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    int rc = size_of_item (self, item, size, err);
    larder_h5error_loud (&quiet);
    return rc;
}

static void put_header (unsigned char *at, uint32_t mask, int written, uint64_t length)
{
    uint32_t flags = written ? LARDER_H5CHUNK_WRITTEN : 0;
    for (int i = 0; i < 4; ++i) {
        at[i] = (unsigned char)(mask >> (8 * i));
        at[4 + i] = (unsigned char)(flags >> (8 * i));
    }
    for (int i = 0; i < 8; ++i)
        at[8 + i] = (unsigned char)(length >> (8 * i));
}

/* The whole item of a chunk.  One that turns out never to have been written keeps the size that
 * was announced. */
static int read_chunk (const struct larder_h5dataset_object *s, uint64_t item, void *buffer,
                       uint64_t size, larder_error *err)
{
    struct larder_h5box box;
    uint32_t mask = 0;
    int written = 0;
    uint64_t length = size - LARDER_H5CHUNK_HEADER;
    char *bytes = (char *)buffer + LARDER_H5CHUNK_HEADER;
    larder_h5describe_box (&s->d, item - 1, &box);
    if (length && larder_h5chunk_read (s->id, box.start, &mask, bytes, &written) < 0)
        return larder_h5dataset_fail (s, err, "reading a chunk");
    if (!written)
        memset (bytes, 0, (size_t)length);
    put_header (buffer, mask, written, length);
    return LARDER_OK;
}

/* The whole item of a slab, through HDF5. */
static int read_slab (const struct larder_h5dataset_object *s, uint64_t item, void *buffer,
                      uint64_t size, larder_error *err)
{
    struct larder_h5box box;
    hid_t file = H5S_ALL, memory = H5S_ALL;
    int rc = LARDER_OK;
    larder_h5describe_box (&s->d, item - 1, &box);
    if (s->d.rank > 0) {
        memory = H5Screate_simple (s->d.rank, box.count, NULL);
        file = H5Scopy (s->d.space);
        if (memory < 0 || file < 0 ||
            H5Sselect_hyperslab (file, H5S_SELECT_SET, box.start, NULL, box.count, NULL) < 0)
            rc = larder_h5dataset_fail (s, err, "selecting in it");
    }
    /* With a fill time of "never" HDF5 leaves what was never written as it finds it. */
    memset (buffer, 0, (size_t)size);
    if (!rc && H5Dread (s->id, s->d.type, memory, file, H5P_DEFAULT, buffer) < 0)
        rc = larder_h5dataset_fail (s, err, "reading it");
    if (s->d.rank > 0) {
        int bad = memory >= 0 && H5Sclose (memory) < 0;
        bad |= file >= 0 && H5Sclose (file) < 0;
        if (bad && !rc)
            rc = larder_h5dataset_fail (s, err, "closing a space");
    }
    return rc;
}

static int read_direct (const struct larder_h5dataset_object *s, uint64_t item, uint64_t offset,
                        void *buffer, size_t size, larder_error *err)
{
    struct larder_h5box box;
    uint64_t first = 0;
    larder_h5describe_box (&s->d, item - 1, &box);
    for (int i = 0; i < s->d.rank; ++i)
        first = first * s->d.dims[i] + box.start[i];
    off_t at = s->place + (off_t)(first * s->d.element + offset);
    for (size_t got = 0; got < size;) {
        ssize_t n = pread (s->from->fd, (char *)buffer + got, size - got, at + (off_t)got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return larder_error_set (err, LARDER_EIO, errno, "dataset %s: %s", s->name,
                                     strerror (errno));
        if (n == 0) { /* allocated beyond the file's end: HDF5 reads zeros there, too */
            memset ((char *)buffer + got, 0, size - got);
            break;
        }
        got += (size_t)n;
    }
    return LARDER_OK;
}

/* Have a whole item in scratch. */
static int load (struct larder_h5dataset_object *s, uint64_t item, uint64_t size, larder_error *err)
{
    if (s->scratch_item == item)
        return LARDER_OK;
    s->scratch_item = UINT64_MAX;
    if (size > s->scratch_size) {
        free (s->scratch);
        s->scratch_size = 0;
        s->scratch = size <= SIZE_MAX ? malloc ((size_t)size) : NULL;
        if (!s->scratch)
            return larder_error_set (err, LARDER_ENOMEM, 0,
                                     "dataset %s: no memory for an item of %llu bytes", s->name,
                                     (unsigned long long)size);
        s->scratch_size = (size_t)size;
    }
    int rc = s->d.chunked ? read_chunk (s, item, s->scratch, size, err)
                          : read_slab (s, item, s->scratch, size, err);
    if (!rc)
        s->scratch_item = item;
    return rc;
}

static int produce_data (struct larder_h5dataset_object *s, uint64_t item, uint64_t offset,
                         uint64_t size, void *buffer, size_t count, larder_error *err)
{
    if (s->direct)
        return read_direct (s, item, offset, buffer, count, err);
    if (offset == 0 && count == size && s->scratch_item != item)
        return s->d.chunked ? read_chunk (s, item, buffer, size, err)
                            : read_slab (s, item, buffer, size, err);
    int rc = load (s, item, size, err);
    if (!rc)
        memcpy (buffer, (char *)s->scratch + offset, count);
    return rc;
}

static int produce (struct larder_h5dataset_object *s, uint64_t item, uint64_t offset, void *buffer,
                    size_t capacity, size_t *produced, int *last, larder_error *err)
{
    uint64_t size = 0;
    int rc = size_of_item (s, item, &size, err);
    if (!rc && item > 0)
        rc = unchanged (s, err);
    if (rc)
        return rc;
    if (offset > size)
        return larder_error_set (err, LARDER_ERANGE, 0, "dataset %s: item %llu ends before %llu",
                                 s->name, (unsigned long long)item, (unsigned long long)offset);
    size_t count = size - offset < capacity ? (size_t)(size - offset) : capacity;
    if (item == 0)
        memcpy (buffer, (char *)s->description + offset, count);
    else if (count)
        rc = produce_data (s, item, offset, size, buffer, count, err);
    if (rc)
        return rc;
    *produced = count;
    *last = offset + count == size;
    return LARDER_OK;
}

static int produce_item (void *self, uint64_t item, uint64_t offset, void *buffer, size_t capacity,
                         size_t *produced, int *last, larder_error *err)
{
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    int rc = produce (self, item, offset, buffer, capacity, produced, last, err);
    larder_h5error_loud (&quiet);
    return rc;
}

static void let_go (struct larder_h5dataset_file *from)
{
    if (--from->users > 0)
        return;
    if (from->fd >= 0)
        (void)close (from->fd);
    free (from);
}

static void release (void *self)
{
    struct larder_h5dataset_object *s = self;
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    larder_h5describe_free (&s->d);
    if (s->id >= 0)
        (void)H5Dclose (s->id); /* opened for reading only: nothing is lost */
    if (s->file >= 0)
        (void)H5Fclose (s->file);
    if (s->from)
        let_go (s->from);
    free (s->name);
    free (s->description);
    free (s->scratch);
    free (s->said);
    free (s);
    larder_h5error_loud (&quiet);
}

const larder_object_ops larder_h5dataset_ops = {
    .item_count = count_items,
    .item_size = item_size,
    .produce_item = produce_item,
    .release = release,
};

const struct larder_h5describe *larder_h5dataset_describes (const larder_object *object)
{
    const struct larder_h5dataset_object *s = object->self;
    return &s->d;
}

hid_t larder_h5dataset_id (const larder_object *object)
{
    const struct larder_h5dataset_object *s = object->self;
    return s->id;
}

void larder_h5dataset_rest (const larder_object *object)
{
    struct larder_h5dataset_object *s = object->self;
    free (s->scratch);
    s->scratch = NULL;
    s->scratch_size = 0;
    s->scratch_item = UINT64_MAX;
}
