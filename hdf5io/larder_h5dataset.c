/* SPDX-License-Identifier: Apache-2.0 */
/* One dataset as an object: at its owner.
 *
 * Stored chunks are handed out as they are, filters undone nowhere here.  Contiguous data is read
 * from the file straight into the cache; what only HDF5 can find (compact, external, virtual) comes
 * through a scratch of one item. */
#define _GNU_SOURCE
#include "larder_h5chunk.h"
#include "larder_h5describe.h"
#include "larder_h5error.h"

#include <errno.h>
#include <fcntl.h>
#include <larder/hdf5.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A grid beyond this is not worth items: their list alone would take seconds and more. */
#define GRID UINT64_C (10000000)

enum said { UNSAID, ABSENT, FULL };

struct dataset {
    char *name; /* "PATH of FILE" */
    hid_t file, id;
    int fd; /* of the same file: its state, and contiguous data */
    struct stat state;
    struct larder_h5describe d;
    void *description;
    size_t description_size;
    int direct; /* 1: contiguous data at `place` of the file */
    /* Of each cell of chunks without filters, what was said of its size: nothing yet, absent or
     * full.  HDF5's own answer changes when somebody else in this process reads the dataset. */
    unsigned char *said;
    off_t place;
    void *scratch;
    size_t scratch_size;
    uint64_t scratch_item; /* whose bytes are in scratch, UINT64_MAX: nobody's */
};

static int fail (const struct dataset *s, larder_error *err, const char *doing)
{
    return larder_h5error (err, LARDER_EHDF5, "dataset %s: %s", s->name, doing);
}

/* ---------------------------------------------------------------- items */

static int unchanged (const struct dataset *s, larder_error *err)
{
    struct stat now;
    if (fstat (s->fd, &now) != 0)
        return larder_error_set (err, LARDER_EIO, errno, "dataset %s: %s", s->name,
                                 strerror (errno));
    if (now.st_size != s->state.st_size || now.st_mtim.tv_sec != s->state.st_mtim.tv_sec ||
        now.st_mtim.tv_nsec != s->state.st_mtim.tv_nsec)
        return larder_error_set (err, LARDER_ESTALE, 0,
                                 "dataset %s: the file changed after it was offered", s->name);
    return LARDER_OK;
}

static int count_items (void *self, uint64_t *count, larder_error *err)
{
    (void)err;
    *count = 1 + ((struct dataset *)self)->d.cells;
    return LARDER_OK;
}

static int size_of_item (const struct dataset *s, uint64_t item, uint64_t *size, larder_error *err)
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
        return fail (s, err, "looking for a chunk");
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
static int read_chunk (const struct dataset *s, uint64_t item, void *buffer, uint64_t size,
                       larder_error *err)
{
    struct larder_h5box box;
    uint32_t mask = 0;
    int written = 0;
    uint64_t length = size - LARDER_H5CHUNK_HEADER;
    char *bytes = (char *)buffer + LARDER_H5CHUNK_HEADER;
    larder_h5describe_box (&s->d, item - 1, &box);
    if (length && larder_h5chunk_read (s->id, box.start, &mask, bytes, &written) < 0)
        return fail (s, err, "reading a chunk");
    if (!written)
        memset (bytes, 0, (size_t)length);
    put_header (buffer, mask, written, length);
    return LARDER_OK;
}

/* The whole item of a slab, through HDF5. */
static int read_slab (const struct dataset *s, uint64_t item, void *buffer, uint64_t size,
                      larder_error *err)
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
            rc = fail (s, err, "selecting in it");
    }
    /* With a fill time of "never" HDF5 leaves what was never written as it finds it. */
    memset (buffer, 0, (size_t)size);
    if (!rc && H5Dread (s->id, s->d.type, memory, file, H5P_DEFAULT, buffer) < 0)
        rc = fail (s, err, "reading it");
    if (s->d.rank > 0) {
        int bad = memory >= 0 && H5Sclose (memory) < 0;
        bad |= file >= 0 && H5Sclose (file) < 0;
        if (bad && !rc)
            rc = fail (s, err, "closing a space");
    }
    return rc;
}

static int read_direct (const struct dataset *s, uint64_t item, uint64_t offset, void *buffer,
                        size_t size, larder_error *err)
{
    struct larder_h5box box;
    uint64_t first = 0;
    larder_h5describe_box (&s->d, item - 1, &box);
    for (int i = 0; i < s->d.rank; ++i)
        first = first * s->d.dims[i] + box.start[i];
    off_t at = s->place + (off_t)(first * s->d.element + offset);
    for (size_t got = 0; got < size;) {
        ssize_t n = pread (s->fd, (char *)buffer + got, size - got, at + (off_t)got);
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
static int load (struct dataset *s, uint64_t item, uint64_t size, larder_error *err)
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

static int produce_data (struct dataset *s, uint64_t item, uint64_t offset, uint64_t size,
                         void *buffer, size_t count, larder_error *err)
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

static int produce (struct dataset *s, uint64_t item, uint64_t offset, void *buffer,
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

static void release (void *self)
{
    struct dataset *s = self;
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    larder_h5describe_free (&s->d);
    if (s->id >= 0)
        (void)H5Dclose (s->id); /* opened for reading only: nothing is lost */
    if (s->file >= 0)
        (void)H5Fclose (s->file);
    if (s->fd >= 0)
        (void)close (s->fd);
    free (s->name);
    free (s->description);
    free (s->scratch);
    free (s->said);
    free (s);
    larder_h5error_loud (&quiet);
}

/* ---------------------------------------------------------------- opening */

static int open_file (struct dataset *s, const char *file, const char *dataset, larder_error *err)
{
    s->fd = open (file, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0 || fstat (s->fd, &s->state) != 0)
        return larder_error_set (err, errno == ENOENT ? LARDER_ENOENT : LARDER_EIO, errno,
                                 "file %s: %s", file, strerror (errno));
    hid_t list = H5Pcreate (H5P_FILE_ACCESS);
    if (list < 0 || H5Pset_fapl_sec2 (list) < 0)
        return fail (s, err, "making an access list");
    s->file = H5Fopen (file, H5F_ACC_RDONLY, list);
    int rc =
        s->file < 0 ? larder_h5error (err, LARDER_EHDF5, "file %s: cannot open", file) : LARDER_OK;
    if (H5Pclose (list) < 0 && !rc)
        rc = fail (s, err, "closing an access list");
    if (rc)
        return rc;
    hid_t id = H5Oopen (s->file, dataset, H5P_DEFAULT);
    if (id < 0)
        return larder_h5error (err, LARDER_ENOENT, "dataset %s: not there", s->name);
    if (H5Iget_type (id) != H5I_DATASET) {
        (void)H5Oclose (id);
        return larder_error_set (err, LARDER_ENOENT, 0, "%s: is no dataset", s->name);
    }
    s->id = id;
    return LARDER_OK;
}

/* Cut the dataset into cells. */
static int lay_out (struct dataset *s, uint64_t slab_size, larder_error *err)
{
    struct larder_h5describe *d = &s->d;
    const char *why = larder_h5describe_reason (d->type);
    if (why)
        return larder_error_set (err, LARDER_ENOTSUP, 0,
                                 "dataset %s: holds %s, which have no meaning outside of the file",
                                 s->name, why);
    if (!d->chunked)
        larder_h5box_shape (d->rank, d->dims, slab_size / d->element, d->shape);
    H5S_class_t kind = H5Sget_simple_extent_type (d->space);
    if (kind == H5S_NO_CLASS)
        return fail (s, err, "reading its space");
    d->cells = kind == H5S_NULL ? 0 : larder_h5box_boxes (d->rank, d->dims, d->shape);
    if (d->chunked && d->cells > GRID)
        return larder_error_set (err, LARDER_ENOTSUP, 0,
                                 "dataset %s: its grid of chunks has %llu places, too many to be "
                                 "items",
                                 s->name, (unsigned long long)d->cells);
    if (d->cells > UINT64_MAX / 2 || (d->cells && larder_h5describe_cell_bytes (d) == 0))
        return larder_error_set (err, LARDER_ENOTSUP, 0, "dataset %s: too large for memory",
                                 s->name);
    if (d->chunked && d->filters == 0 && d->cells) {
        s->said = calloc ((size_t)d->cells, 1);
        if (!s->said)
            return larder_error_set (err, LARDER_ENOMEM, 0, "dataset %s: no memory", s->name);
    }
    return LARDER_OK;
}

/* Where contiguous data lies in this very file. */
static int find_data (struct dataset *s, larder_error *err)
{
    hid_t list = H5Dget_create_plist (s->id);
    if (list < 0)
        return fail (s, err, "reading its creation properties");
    H5D_layout_t layout = H5Pget_layout (list);
    int external = layout == H5D_CONTIGUOUS ? H5Pget_external_count (list) : 0;
    int rc = layout < 0 || external < 0 ? fail (s, err, "reading its layout") : LARDER_OK;
    if (!rc && layout == H5D_CONTIGUOUS && external == 0) {
        /* H5Dget_offset adds the user block to "undefined", so ask first. */
        H5D_space_status_t status = H5D_SPACE_STATUS_ERROR;
        if (H5Dget_space_status (s->id, &status) < 0)
            rc = fail (s, err, "reading its space status");
        haddr_t at = status == H5D_SPACE_STATUS_ALLOCATED ? H5Dget_offset (s->id) : HADDR_UNDEF;
        s->direct = at != HADDR_UNDEF && at <= INT64_MAX;
        s->place = s->direct ? (off_t)at : 0;
    }
    if (H5Pclose (list) < 0 && !rc)
        rc = fail (s, err, "closing its properties");
    return rc;
}

static int open_all (struct dataset *s, const char *file, const char *dataset, uint64_t slab_size,
                     larder_error *err)
{
    int rc = open_file (s, file, dataset, err);
    if (!rc)
        rc = larder_h5describe_dataset (&s->d, s->id, s->name, err);
    if (!rc)
        rc = lay_out (s, slab_size, err);
    if (!rc)
        rc = find_data (s, err);
    if (!rc)
        rc = larder_h5describe_encode (&s->d, s->name, &s->description, &s->description_size, err);
    return rc;
}

int larder_h5_dataset_object (const char *file, const char *dataset, uint64_t slab_size,
                              larder_object *object, larder_error *err)
{
    static const larder_object_ops ops = {
        .item_count = count_items,
        .item_size = item_size,
        .produce_item = produce_item,
        .release = release,
    };
    if (!file || !dataset || !object || slab_size < 1)
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "larder_h5_dataset_object: invalid argument");
    struct dataset *s = calloc (1, sizeof *s);
    if (!s)
        return larder_error_set (err, LARDER_ENOMEM, 0, "dataset %s: no memory", dataset);
    s->file = s->id = s->d.type = s->d.space = H5I_INVALID_HID;
    s->fd = -1;
    s->scratch_item = UINT64_MAX;
    size_t room = strlen (file) + strlen (dataset) + 5;
    s->name = malloc (room);
    if (!s->name) {
        free (s);
        return larder_error_set (err, LARDER_ENOMEM, 0, "dataset %s: no memory", dataset);
    }
    (void)stpcpy (stpcpy (stpcpy (s->name, dataset), " of "), file);
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    int rc = open_all (s, file, dataset, slab_size, err);
    larder_h5error_loud (&quiet);
    if (rc) {
        release (s);
        return rc;
    }
    *object = (larder_object){.ops = &ops, .self = s, .name = s->name};
    return LARDER_OK;
}
