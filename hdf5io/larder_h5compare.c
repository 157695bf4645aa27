/* SPDX-License-Identifier: Apache-2.0 */
/* larder's own comparer of HDF5 files: are they the same in everything that a reader can see?
 *
 * Strict but for these, which no copy through HDF5 can or should keep: addresses, free space,
 * versions of object headers, times, and the numbers (not the order) of creation orders; external
 * storage in A that is contiguous in B; references that point to nothing (null or dangling).
 * Below given paths also: references that point out of these paths may be null in B, entries of
 * REFERENCE_LIST that do may be missing, and groups that only references lead to are not entered;
 * parents of the paths and the file's own properties are not looked at.
 *
 * First all links are walked, which pairs the objects; then the pairs are compared, so that a
 * reference can be judged by the pair it points to. */
#define _GNU_SOURCE
#include "larder_h5compare.h"

#include "larder_h5error.h"

#include <errno.h>
#include <larder/hdf5.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int larder_h5compare_differ (struct larder_h5compare *c, const char *format, ...)
{
    if (!c->err)
        return LARDER_H5DIFFERS;
    va_list arguments;
    va_start (arguments, format);
    c->err->code = LARDER_OK;
    c->err->rank = -1;
    c->err->detail = 0;
    int n = vsnprintf (c->err->text, sizeof c->err->text, format, arguments);
    va_end (arguments);
    if (n < 0)
        c->err->text[0] = '\0';
    for (char *p = c->err->text; *p; ++p) /* names may hold anything */
        if ((unsigned char)*p < ' ')
            *p = '?';
    return LARDER_H5DIFFERS;
}

int larder_h5compare_fail (struct larder_h5compare *c, const char *what, const char *doing)
{
    return larder_h5error (c->err, LARDER_EHDF5, "%s: %s", what, doing);
}

int larder_h5compare_scratch (struct larder_h5compare *c, size_t size)
{
    for (int side = 0; side < 2; ++side) {
        if (size <= c->scratch_size[side])
            continue;
        free (c->scratch[side]);
        c->scratch[side] = malloc (size);
        c->scratch_size[side] = c->scratch[side] ? size : 0;
        if (!c->scratch[side])
            return larder_error_set (c->err, LARDER_ENOMEM, 0, "no memory for %zu bytes to compare",
                                     size);
    }
    return LARDER_OK;
}

static int comments (struct larder_h5compare *c, const hid_t id[2], const char *what)
{
    ssize_t n[2];
    for (int side = 0; side < 2; ++side) {
        n[side] = H5Oget_comment (id[side], NULL, 0);
        if (n[side] < 0)
            return larder_h5compare_fail (c, what, "reading its comment");
    }
    int rc = LARDER_OK;
    if (n[0] == n[1] && n[0] > 0)
        rc = larder_h5compare_scratch (c, (size_t)n[0] + 1);
    for (int side = 0; side < 2 && n[0] == n[1] && n[0] > 0 && !rc; ++side)
        if (H5Oget_comment (id[side], c->scratch[side], (size_t)n[0] + 1) < 0)
            rc = larder_h5compare_fail (c, what, "reading its comment");
    if (rc)
        return rc;
    if (n[0] != n[1] || (n[0] && memcmp (c->scratch[0], c->scratch[1], (size_t)n[0]) != 0))
        return larder_h5compare_differ (c, "%s: comments differ", what);
    return LARDER_OK;
}

static hid_t create_list (hid_t id, H5O_type_t type)
{
    switch (type) {
    case H5O_TYPE_GROUP:
        return H5Gget_create_plist (id);
    case H5O_TYPE_DATASET:
        return H5Dget_create_plist (id);
    default:
        return H5Tget_create_plist (id);
    }
}

static int content (struct larder_h5compare *c, const hid_t id[2], const hid_t list[2],
                    const struct larder_h5pair *pair)
{
    int rc = LARDER_OK;
    if (pair->type == H5O_TYPE_GROUP)
        rc = larder_h5compare_group_list (c, list, pair->what);
    else if (pair->type == H5O_TYPE_DATASET)
        rc = larder_h5compare_dataset (c, id, list, pair->what);
    else {
        rc = larder_h5compare_type (c, id, pair->what);
        if (!rc)
            rc = larder_h5compare_object_list (c, list, pair->what);
    }
    if (!rc)
        rc = larder_h5compare_attributes (c, id, pair->what);
    return rc ? rc : comments (c, id, pair->what);
}

/* Of a pair: its links or, the second time, everything else. */
static int compare_pair (struct larder_h5compare *c, struct larder_h5pair pair, int links)
{
    hid_t id[2] = {-1, -1}, list[2] = {-1, -1};
    int rc = LARDER_OK;
    for (int side = 0; side < 2 && !rc; ++side) {
        id[side] = H5Oopen_by_addr (c->file[side], pair.address[side]);
        if (id[side] >= 0 && !links)
            list[side] = create_list (id[side], pair.type);
        if (id[side] < 0 || (!links && list[side] < 0))
            rc = larder_h5compare_fail (c, pair.what, "opening it");
    }
    if (!rc)
        rc = links ? larder_h5compare_links (c, id, pair.path) : content (c, id, list, &pair);
    for (int side = 0; side < 2; ++side) {
        int bad = list[side] >= 0 && H5Pclose (list[side]) < 0;
        bad |= id[side] >= 0 && H5Oclose (id[side]) < 0;
        if (bad && rc >= 0)
            rc = larder_h5compare_fail (c, pair.what, "closing it");
    }
    return rc;
}

/* Both lists grow while they are worked off: links lead to groups, references to objects. */
static int compare_pairs (struct larder_h5compare *c)
{
    int rc = LARDER_OK;
    size_t walked = 0;
    for (size_t i = 0; !rc; ++i) {
        for (; walked < c->count && !rc; ++walked) {
            struct larder_h5pair pair = c->pairs[walked];
            if (pair.type == H5O_TYPE_GROUP && !(c->partial && pair.by_reference))
                rc = compare_pair (c, pair, 1);
        }
        if (rc || i >= c->count)
            break;
        struct larder_h5pair pair = c->pairs[i];
        if (pair.type != H5O_TYPE_GROUP || !(c->partial && pair.by_reference))
            rc = compare_pair (c, pair, 0);
    }
    return rc;
}

/* Pair what a path leads to in both files. */
static int start_at (struct larder_h5compare *c, const char *const name[2], const char *path)
{
    hid_t id[2] = {-1, -1};
    int rc = LARDER_OK;
    id[0] = H5Oopen (c->file[0], path, H5P_DEFAULT);
    if (id[0] < 0)
        return larder_h5error (c->err, LARDER_ENOENT, "%s: no %s in it", name[0], path);
    id[1] = H5Oopen (c->file[1], path, H5P_DEFAULT);
    if (id[1] < 0)
        rc = larder_h5compare_differ (c, "%s: is in the first file only", path);
    else
        rc = larder_h5compare_pair_ids (c, id, path, 0);
    for (int side = 0; side < 2; ++side)
        if (id[side] >= 0 && H5Oclose (id[side]) < 0 && rc >= 0)
            rc = larder_h5compare_fail (c, path, "closing it");
    return rc;
}

static int open_files (struct larder_h5compare *c, const char *const name[2])
{
    hid_t list = H5Pcreate (H5P_FILE_ACCESS);
    if (list < 0)
        return larder_h5compare_fail (c, "file", "making an access list");
    int rc = H5Pset_fapl_sec2 (list) < 0
                 ? larder_h5compare_fail (c, "file", "making an access list")
                 : LARDER_OK;
    for (int side = 0; side < 2 && !rc; ++side) {
        if (access (name[side], R_OK) != 0)
            rc = larder_error_set (c->err, errno == ENOENT ? LARDER_ENOENT : LARDER_EIO, errno,
                                   "%s: cannot read: %s", name[side], strerror (errno));
        else if ((c->file[side] = H5Fopen (name[side], H5F_ACC_RDONLY, list)) < 0)
            rc = larder_h5error (c->err, LARDER_EHDF5, "%s: cannot open", name[side]);
    }
    if (H5Pclose (list) < 0 && !rc)
        rc = larder_h5compare_fail (c, "file", "closing an access list");
    return rc;
}

int larder_h5_compare (const char *file_a, const char *file_b, const char *const *paths, int count,
                       int *differs, larder_error *err)
{
    if (!file_a || !file_b || !differs || count < 0 || (count && !paths))
        return larder_error_set (err, LARDER_EINVAL, 0, "larder_h5_compare: invalid argument");
    const char *const name[2] = {file_a, file_b};
    struct larder_h5compare c = {.file = {-1, -1}, .partial = count > 0, .err = err};
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    int rc = open_files (&c, name);
    if (!rc && !count)
        rc = larder_h5compare_file (&c, name);
    if (!rc && !count)
        rc = start_at (&c, name, "/");
    for (int i = 0; i < count && !rc; ++i)
        rc = start_at (&c, name, paths[i]);
    if (!rc)
        rc = compare_pairs (&c);
    for (int side = 0; side < 2; ++side)
        if (c.file[side] >= 0 && H5Fclose (c.file[side]) < 0 && rc >= 0)
            rc = larder_h5error (err, LARDER_EHDF5, "%s: cannot close", name[side]);
    larder_h5error_loud (&quiet);
    larder_h5compare_pairs_free (&c);
    free (c.scratch[0]);
    free (c.scratch[1]);
    if (rc < 0)
        return rc;
    *differs = rc == LARDER_H5DIFFERS;
    return LARDER_OK;
}
