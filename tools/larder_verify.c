/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_verify.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

enum { BUFFER = 1 << 20 };

/* A running checksum and the buffer it is fed from. */
struct feed {
    XXH3_state_t *state;
    unsigned char *buffer;
    uint64_t size;
};

static void feed_close (struct feed *feed)
{
    (void)XXH3_freeState (feed->state);
    free (feed->buffer);
}

static int feed_open (struct feed *feed, larder_error *err)
{
    feed->size = 0;
    feed->state = XXH3_createState ();
    feed->buffer = malloc (BUFFER);
    if (feed->state && feed->buffer && XXH3_128bits_reset (feed->state) == XXH_OK)
        return LARDER_OK;
    feed_close (feed);
    return larder_error_set (err, LARDER_ENOMEM, 0, "out of memory for a checksum");
}

static void feed_bytes (struct feed *feed, const void *bytes, size_t size)
{
    (void)XXH3_128bits_update (feed->state, bytes, size); /* fails for a null pointer only */
    feed->size += size;
}

static void feed_result (const struct feed *feed, struct larder_digest *digest)
{
    XXH128_hash_t hash = XXH3_128bits_digest (feed->state);
    digest->low = hash.low64;
    digest->high = hash.high64;
    digest->size = feed->size;
}

static int read_error (larder_error *err, const char *path, int error)
{
    return larder_error_set (err, error == ENOENT ? LARDER_ENOENT : LARDER_EIO, error,
                             "%s: cannot be read back: %s", path, strerror (error));
}

int larder_verify_file (const char *path, int from_disk, struct larder_digest *digest,
                        larder_error *err)
{
    struct feed feed;
    int fd = open (path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return read_error (err, path, errno);
    int rc = feed_open (&feed, err);
    if (rc != LARDER_OK) {
        (void)close (fd);
        return rc;
    }
    if (from_disk)
        (void)posix_fadvise (fd, 0, 0, POSIX_FADV_DONTNEED);
    else
        (void)posix_fadvise (fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    while (rc == LARDER_OK) {
        ssize_t n = read (fd, feed.buffer, BUFFER);
        if (n == 0)
            break;
        if (n > 0)
            feed_bytes (&feed, feed.buffer, (size_t)n);
        else if (errno != EINTR)
            rc = read_error (err, path, errno);
        if (rc == LARDER_OK)
            rc = larder_team_interrupted (err);
    }
    if (rc == LARDER_OK)
        feed_result (&feed, digest);
    feed_close (&feed);
    (void)close (fd);
    return rc;
}

/* One item into the feed, and its length after it: items that are cut elsewhere differ. */
static int feed_item (struct feed *feed, const larder_object *object, uint64_t item,
                      larder_error *err)
{
    uint64_t size = 0, offset = 0;
    int known = object->ops->item_size != NULL || object->uniform_item_size > 0;
    int rc = LARDER_OK, last = 0;
    if (object->ops->item_size)
        rc = object->ops->item_size (object->self, item, &size, err);
    else
        size = object->uniform_item_size;
    while (rc == LARDER_OK && (known ? offset < size : !last)) {
        size_t produced = 0, capacity = BUFFER;
        if (known && size - offset < capacity)
            capacity = (size_t)(size - offset);
        rc = object->ops->produce_item (object->self, item, offset, feed->buffer, capacity,
                                        &produced, &last, err);
        if (rc == LARDER_OK && produced == 0 && !last)
            rc = larder_error_set (err, LARDER_EIO, 0, "item %llu ended early",
                                   (unsigned long long)item);
        if (rc == LARDER_OK)
            feed_bytes (feed, feed->buffer, produced);
        offset += produced;
        if (rc == LARDER_OK)
            rc = larder_team_interrupted (err);
    }
    feed_bytes (feed, &offset, sizeof offset);
    return rc;
}

int larder_verify_object (const larder_object *object, struct larder_digest *digest,
                          larder_error *err)
{
    struct feed feed;
    uint64_t count = 0;
    int rc = feed_open (&feed, err);
    if (rc != LARDER_OK)
        return rc;
    rc = object->ops->item_count (object->self, &count, err);
    for (uint64_t item = 0; rc == LARDER_OK && item < count; ++item)
        rc = feed_item (&feed, object, item, err);
    if (rc == LARDER_OK)
        feed_result (&feed, digest);
    feed_close (&feed);
    return rc;
}

int larder_verify_equal (struct larder_team *team, const struct larder_digest *digest, int has,
                         const char *what, larder_error *err)
{
    struct larder_digest wanted = *digest;
    int rc = MPI_Bcast (&wanted, (int)sizeof wanted, MPI_BYTE, 0, team->comm);
    if (rc != MPI_SUCCESS)
        return larder_team_mpi_error (err, "MPI_Bcast", rc);
    if (!has ||
        (digest->low == wanted.low && digest->high == wanted.high && digest->size == wanted.size))
        return LARDER_OK;
    if (digest->size != wanted.size)
        return larder_error_set (err, LARDER_ECHECKSUM, 0,
                                 "%s: was read back with %llu bytes, not %llu", what,
                                 (unsigned long long)digest->size, (unsigned long long)wanted.size);
    return larder_error_set (err, LARDER_ECHECKSUM, 0,
                             "%s: was read back with another checksum than the source's", what);
}
