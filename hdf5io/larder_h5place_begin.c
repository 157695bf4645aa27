/* SPDX-License-Identifier: Apache-2.0 */
/* The arguments of a read: spaces with H5S_ALL and shifts resolved, what kind of selections they
 * are, whether types must be converted; and the end of a read. */
#include "larder_h5error.h"
#include "larder_h5place.h"

#include <stdlib.h>
#include <string.h>

static int fail (larder_error *err, const char *doing)
{
    return larder_h5error (err, LARDER_EHDF5, "reading a selection: %s", doing);
}

static int invalid (larder_error *err, const char *why)
{
    return larder_error_set (err, LARDER_EINVAL, 0, "reading a selection: %s", why);
}

/* What H5Soffset_simple added to a selection, which only its bounds tell.  0, or -1: HDF5 failed. */
static int find_shift (hid_t space, hsize_t *shift)
{
    hsize_t low[2][H5S_MAX_RANK], high[H5S_MAX_RANK];
    const hssize_t none[H5S_MAX_RANK] = {0};
    int rank = H5Sget_simple_extent_ndims (space);
    H5S_sel_type kind = H5Sget_select_type (space);
    memset (shift, 0, H5S_MAX_RANK * sizeof *shift);
    if (rank <= 0 || (kind != H5S_SEL_HYPERSLABS && kind != H5S_SEL_POINTS))
        return rank;
    hid_t copy = H5Scopy (space);
    int bad = copy < 0 || H5Sget_select_bounds (space, low[0], high) < 0 ||
              H5Soffset_simple (copy, none) < 0 || H5Sget_select_bounds (copy, low[1], high) < 0;
    for (int i = 0; i < rank && !bad; ++i)
        shift[i] = low[0][i] - low[1][i]; /* backwards: modulo 2^64 */
    if (copy >= 0)
        bad |= H5Sclose (copy) < 0;
    return bad ? -1 : 0;
}

/* The file's selection: in bounds, and of the dataset's rank. */
static int file_side (struct larder_h5place *p, hid_t space, larder_error *err)
{
    if (space != H5S_ALL && H5Sselect_valid (space) <= 0)
        return invalid (err, "the file's selection is not inside its space");
    p->file_space = space == H5S_ALL ? p->d->space : space;
    hssize_t n = H5Sget_select_npoints (p->file_space);
    if (n < 0)
        return fail (err, "the file's space");
    if (H5Sget_simple_extent_ndims (p->file_space) != p->d->rank)
        return invalid (err, "the file's space has another number of dimensions than the dataset");
    p->points = (uint64_t)n;
    if (n == 0 || p->d->rank == 0)
        return LARDER_OK;
    if (find_shift (p->file_space, p->shift) < 0 ||
        H5Sget_select_bounds (p->file_space, p->low, p->high) < 0)
        return fail (err, "the file's space");
    for (int i = 0; i < p->d->rank; ++i)
        if (p->high[i] >= p->d->dims[i])
            return invalid (err, "the file's selection is not inside the dataset");
    return LARDER_OK;
}

static int memory_side (struct larder_h5place *p, hid_t space, hid_t file_space, larder_error *err)
{
    if (space == H5S_ALL)
        space = file_space == H5S_ALL ? p->d->space : file_space;
    else if (H5Sselect_valid (space) <= 0)
        return invalid (err, "the memory's selection is not inside its space");
    p->memory_space = space;
    hssize_t n = H5Sget_select_npoints (p->memory_space);
    if (n < 0)
        return fail (err, "the memory's space");
    if ((uint64_t)n != p->points)
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "reading a selection: %lld elements are selected in memory, %llu "
                                 "in the file",
                                 (long long)n, (unsigned long long)p->points);
    return LARDER_OK;
}

static int types (struct larder_h5place *p, larder_error *err)
{
    htri_t same = H5Tequal (p->d->type, p->memory_type), compound = 0;
    p->size[0] = p->d->element;
    p->size[1] = same < 0 ? 0 : H5Tget_size (p->memory_type);
    if (p->size[1] > 0)
        compound = H5Tdetect_class (p->memory_type, H5T_COMPOUND);
    if (same < 0 || p->size[1] == 0 || compound < 0)
        return fail (err, "the memory's type");
    p->convert = !same;
    p->keep = !same && compound;
    return LARDER_OK;
}

/* Where elements go: into the caller's buffer, or first into a dense copy. */
static int aim (struct larder_h5place *p, void *buffer, larder_error *err)
{
    p->caller = p->target = buffer;
    hsize_t shift[H5S_MAX_RANK];
    int regular = find_shift (p->memory_space, shift) < 0
                      ? -1
                      : larder_h5regular_of (&p->memory, p->memory_space, shift);
    if (regular < 0)
        return fail (err, "the memory's space");
    if (regular) {
        larder_h5regular_merge (&p->memory);
        return LARDER_OK;
    }
    larder_h5regular_line (&p->memory, p->points);
    p->target = p->points <= SIZE_MAX / p->size[1] ? malloc ((size_t)p->points * p->size[1]) : NULL;
    if (!p->target)
        return larder_error_set (err, LARDER_ENOMEM, 0, "no memory for %llu elements",
                                 (unsigned long long)p->points);
    /* Elements, or parts of them, that are not read stay as they are. */
    if (H5Dgather (p->memory_space, p->caller, p->memory_type, (size_t)p->points * p->size[1],
                   p->target, NULL, NULL) < 0)
        return fail (err, "gathering the memory's elements");
    return LARDER_OK;
}

static int sort_out (struct larder_h5place *p, void *buffer, larder_error *err)
{
    int rc = aim (p, buffer, err);
    if (rc)
        return rc;
    p->regular = larder_h5regular_of (&p->file, p->file_space, p->shift);
    if (p->regular < 0)
        return fail (err, "the file's space");
    if (!p->regular)
        return larder_h5place_runs (p, err);
    p->direct = !p->d->chunked && !p->convert && larder_h5regular_is_run (&p->file) &&
                larder_h5regular_is_run (&p->memory);
    return LARDER_OK;
}

int larder_h5place_begin (struct larder_h5place *p, const struct larder_h5describe *d,
                          hid_t memory_type, hid_t memory_space, hid_t file_space, void *buffer,
                          larder_error *err)
{
    memset (p, 0, sizeof *p);
    p->d = d;
    p->file_space = p->memory_space = H5I_INVALID_HID;
    p->memory_type = memory_type;
    int rc = file_side (p, file_space, err);
    if (!rc)
        rc = memory_side (p, memory_space, file_space, err);
    if (!rc)
        rc = types (p, err);
    if (rc || p->points == 0)
        return rc;
    if (!buffer)
        return invalid (err, "no buffer");
    return sort_out (p, buffer, err);
}

struct source {
    void *data;
    size_t size;
};

static herr_t all_of_it (const void **data, size_t *size, void *from)
{
    struct source *source = from;
    *data = source->data;
    *size = source->size;
    return 0;
}

int larder_h5place_finish (struct larder_h5place *p, larder_error *err)
{
    if (p->points == 0 || p->target == p->caller)
        return LARDER_OK;
    struct source source = {p->target, (size_t)p->points * p->size[1]};
    if (H5Dscatter (all_of_it, &source, p->memory_type, p->memory_space, p->caller) < 0)
        return fail (err, "scattering into memory");
    return LARDER_OK;
}

void larder_h5place_end (struct larder_h5place *p)
{
    if (p->target != p->caller)
        free (p->target);
    free (p->run);
    free (p->scratch[0]);
    free (p->scratch[1]);
    memset (p, 0, sizeof *p);
    p->file_space = p->memory_space = H5I_INVALID_HID;
}
