/* SPDX-License-Identifier: Apache-2.0 */
/* What belongs to a file and to no object in it: the user block, the superblock's version, and the
 * file's creation properties. */
#define _GNU_SOURCE
#include "larder_h5compare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BLOCK 65536

/* Read up to `size` bytes; fewer only at the end of the file, -1 with errno on failure. */
static ssize_t read_at (int fd, void *buffer, size_t size, off_t offset)
{
    size_t got = 0;
    while (got < size) {
        ssize_t n = pread (fd, (char *)buffer + got, size - got, offset + (off_t)got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

static int equal_bytes (struct larder_h5compare *c, const int fd[2], hsize_t size)
{
    int rc = larder_h5compare_scratch (c, BLOCK);
    for (hsize_t at = 0; at < size && !rc; at += BLOCK) {
        size_t want = size - at < BLOCK ? (size_t)(size - at) : BLOCK;
        for (int side = 0; side < 2; ++side)
            if (read_at (fd[side], c->scratch[side], want, (off_t)at) != (ssize_t)want)
                return larder_error_set (c->err, LARDER_EIO, errno, "cannot read the user block");
        if (memcmp (c->scratch[0], c->scratch[1], want) != 0)
            rc = larder_h5compare_differ (c, "file: bytes of the user block differ");
    }
    return rc;
}

static int user_block (struct larder_h5compare *c, const char *const name[2], hsize_t size)
{
    int fd[2] = {-1, -1}, rc = LARDER_OK;
    for (int side = 0; side < 2 && !rc; ++side) {
        fd[side] = open (name[side], O_RDONLY | O_CLOEXEC);
        if (fd[side] < 0)
            rc = larder_error_set (c->err, LARDER_EIO, errno, "%s: cannot open: %s", name[side],
                                   strerror (errno));
    }
    if (!rc)
        rc = equal_bytes (c, fd, size);
    for (int side = 0; side < 2; ++side)
        if (fd[side] >= 0)
            (void)close (fd[side]); /* only read from */
    return rc;
}

static int superblock (struct larder_h5compare *c)
{
    H5F_info2_t a, b;
    if (H5Fget_info2 (c->file[0], &a) < 0 || H5Fget_info2 (c->file[1], &b) < 0)
        return larder_h5compare_fail (c, "file", "reading its superblock");
    if (a.super.version != b.super.version)
        return larder_h5compare_differ (c, "file: versions of the superblock differ (%u and %u)",
                                        a.super.version, b.super.version);
    return LARDER_OK;
}

/* All numbers of a file creation list, in the order of the names below. */
struct numbers {
    unsigned long long v[9 + 2 * H5O_SHMESG_MAX_NINDEXES];
};

static const char *number_name (size_t i)
{
    static const char *const name[] = {
        "size of offsets",      "size of lengths",      "rank of symbol trees",
        "size of symbol nodes", "rank of chunk trees",  "file space strategy",
        "file space persists",  "file space threshold", "size of space pages",
    };
    return i < sizeof name / sizeof *name ? name[i] : "shared message indexes";
}

static herr_t shared (hid_t list, struct numbers *n)
{
    unsigned count = 0, max_list = 0, min_btree = 0;
    if (H5Pget_shared_mesg_nindexes (list, &count) < 0 || count > H5O_SHMESG_MAX_NINDEXES)
        return -1;
    for (unsigned i = 0; i < count; ++i) {
        unsigned flags = 0, least = 0;
        if (H5Pget_shared_mesg_index (list, i, &flags, &least) < 0)
            return -1;
        n->v[9 + 2 * i] = 1ull << 32 | flags; /* the high bit: an index is there */
        n->v[10 + 2 * i] = least;
    }
    if (count == 0)
        return 0;
    if (H5Pget_shared_mesg_phase_change (list, &max_list, &min_btree) < 0)
        return -1;
    n->v[9] |= (unsigned long long)max_list << 33;
    n->v[10] |= (unsigned long long)min_btree << 33;
    return 0;
}

static herr_t get_numbers (hid_t list, struct numbers *n)
{
    size_t offsets = 0, lengths = 0;
    unsigned rank = 0, node = 0, chunks = 0;
    H5F_fspace_strategy_t strategy = H5F_FSPACE_STRATEGY_FSM_AGGR;
    hbool_t persist = 0;
    hsize_t threshold = 0, page = 0;
    memset (n, 0, sizeof *n);
    if (H5Pget_sizes (list, &offsets, &lengths) < 0 || H5Pget_sym_k (list, &rank, &node) < 0 ||
        H5Pget_istore_k (list, &chunks) < 0 ||
        H5Pget_file_space_strategy (list, &strategy, &persist, &threshold) < 0 ||
        H5Pget_file_space_page_size (list, &page) < 0)
        return -1;
    const unsigned long long all[9] = {offsets, lengths,   rank,
                                       node,    chunks,    (unsigned long long)strategy,
                                       persist, threshold, page};
    memcpy (n->v, all, sizeof all);
    return shared (list, n);
}

static int lists (struct larder_h5compare *c, const hid_t list[2], const char *const name[2])
{
    hsize_t block[2] = {0, 0};
    struct numbers n[2];
    for (int side = 0; side < 2; ++side)
        if (H5Pget_userblock (list[side], &block[side]) < 0 ||
            get_numbers (list[side], &n[side]) < 0)
            return larder_h5compare_fail (c, "file", "reading its creation properties");
    if (block[0] != block[1])
        return larder_h5compare_differ (c, "file: sizes of the user block differ (%llu and %llu)",
                                        (unsigned long long)block[0], (unsigned long long)block[1]);
    for (size_t i = 0; i < sizeof n->v / sizeof *n->v; ++i)
        if (n[0].v[i] != n[1].v[i])
            return larder_h5compare_differ (c, "file: %s differ", number_name (i));
    return block[0] ? user_block (c, name, block[0]) : LARDER_OK;
}

int larder_h5compare_file (struct larder_h5compare *c, const char *const name[2])
{
    int rc = superblock (c);
    hid_t list[2] = {H5I_INVALID_HID, H5I_INVALID_HID};
    for (int side = 0; side < 2 && !rc; ++side) {
        list[side] = H5Fget_create_plist (c->file[side]);
        if (list[side] < 0)
            rc = larder_h5compare_fail (c, "file", "reading its creation properties");
    }
    if (!rc)
        rc = lists (c, list, name);
    for (int side = 0; side < 2; ++side)
        if (list[side] >= 0 && H5Pclose (list[side]) < 0 && rc >= 0)
            rc = larder_h5compare_fail (c, "file", "closing its creation properties");
    return rc;
}
