/* SPDX-License-Identifier: Apache-2.0 */
/* Random selections of a file, with a list of what is in them that HDF5 had no part in; and random
 * selections of memory. */
#ifndef H5DATASET_CHOSEN_H
#define H5DATASET_CHOSEN_H

#include "h5dataset_loopback.h"

#include <CUnit/Basic.h>
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

static inline uint64_t below (uint64_t n)
{
    return larder_test_below (&loopback.random, n);
}

/* A selection of the file, and its elements in their order. */
struct chosen {
    hid_t space;
    int rank;
    hsize_t dims[H5S_MAX_RANK];
    size_t total, count;
    char *is;         /* of each element of the space */
    size_t *elements; /* that are selected */
};

static inline void chosen_begin (struct chosen *c, hid_t space)
{
    memset (c, 0, sizeof *c);
    c->space = H5Scopy (space);
    c->rank = H5Sget_simple_extent_dims (space, c->dims, NULL);
    c->total = 1;
    for (int i = 0; i < c->rank; ++i)
        c->total *= c->dims[i];
    c->is = calloc (c->total, 1);
    c->elements = calloc (c->total + 100, sizeof *c->elements);
}

static inline void chosen_end (struct chosen *c)
{
    CU_ASSERT (H5Sclose (c->space) >= 0);
    free (c->is);
    free (c->elements);
}

/* Note which elements a hyperslab sets (or takes away). */
static inline void mark (struct chosen *c, const hsize_t *start, const hsize_t *stride,
                         const hsize_t *count, const hsize_t *block, int set)
{
    c->count = 0;
    for (size_t e = 0; e < c->total; ++e) {
        size_t rest = e;
        int in = 1;
        for (int i = c->rank - 1; i >= 0; --i) {
            hsize_t at = rest % c->dims[i];
            rest /= c->dims[i];
            in &= at >= start[i] && (at - start[i]) / stride[i] < count[i] &&
                  (at - start[i]) % stride[i] < block[i];
        }
        if (in)
            c->is[e] = (char)set;
        if (c->is[e])
            c->elements[c->count++] = e;
    }
}

/* A hyperslab that fits: strided, or one block. */
static inline void random_slab (struct chosen *c, H5S_seloper_t op, int one)
{
    hsize_t start[H5S_MAX_RANK], stride[H5S_MAX_RANK], count[H5S_MAX_RANK], block[H5S_MAX_RANK];
    for (int i = 0; i < c->rank; ++i) {
        start[i] = below (c->dims[i]);
        hsize_t left = c->dims[i] - start[i];
        block[i] = 1 + below (left > 3 && below (2) ? left / 3 : left);
        stride[i] = block[i] + below (4);
        count[i] = one ? 1 : 1 + below ((left - block[i]) / stride[i] + 1);
        if (below (4) == 0) { /* all of a dimension */
            start[i] = 0;
            stride[i] = count[i] = 1;
            block[i] = c->dims[i];
            if (one)
                stride[i] = block[i];
        }
        if (stride[i] < block[i])
            stride[i] = block[i];
    }
    CU_ASSERT (H5Sselect_hyperslab (c->space, op, start, stride, count, block) >= 0);
    mark (c, start, stride, count, block, op != H5S_SELECT_NOTB);
}

static inline void random_points (struct chosen *c)
{
    hsize_t at[100 * H5S_MAX_RANK];
    c->count = 1 + (size_t)below (60);
    for (size_t k = 0; k < c->count; ++k) {
        c->elements[k] = 0;
        for (int i = 0; i < c->rank; ++i) {
            hsize_t x = at[k * (size_t)c->rank + (size_t)i] = below (c->dims[i]);
            c->elements[k] = c->elements[k] * c->dims[i] + x;
        }
    }
    CU_ASSERT (H5Sselect_elements (c->space, H5S_SELECT_SET, c->count, at) >= 0);
}

/* Of four kinds.  0: HDF5 made something else of it. */
static inline int random_choice (struct chosen *c, int kind)
{
    if (kind == 3) {
        random_points (c);
        return 1;
    }
    random_slab (c, H5S_SELECT_SET, kind == 1);
    for (uint64_t more = below (4); kind == 1 && more > 0; --more)
        random_slab (c, H5S_SELECT_OR, 1);
    if (kind == 2)
        random_slab (c, H5S_SELECT_NOTB, 1);
    return c->count > 0 && H5Sselect_valid (c->space) > 0 &&
           H5Sget_select_npoints (c->space) == (hssize_t)c->count;
}

/* Memory for n elements: a line, a box with a rim and strides, points, or an irregular one. */
static inline hid_t random_memory (hsize_t n)
{
    const hsize_t line[1] = {n + 5}, first[1] = {below (6)}, box[2] = {2 * n + 3, 3};
    hid_t space = H5I_INVALID_HID;
    hsize_t *at = NULL;
    switch (below (5)) {
    case 0:
        return H5Screate_simple (1, &n, NULL);
    case 1:
        space = H5Screate_simple (1, line, NULL);
        CU_ASSERT (H5Sselect_hyperslab (space, H5S_SELECT_SET, first, NULL, &n, NULL) >= 0);
        return space;
    case 2:
        space = H5Screate_simple (2, box, NULL);
        CU_ASSERT (H5Sselect_hyperslab (space, H5S_SELECT_SET, (hsize_t[]){2, 1}, (hsize_t[]){2, 1},
                                        (hsize_t[]){n, 1}, NULL) >= 0);
        return space;
    case 3: /* points, none twice, backwards */
        space = H5Screate_simple (1, line, NULL);
        at = malloc (sizeof *at * (size_t)n);
        for (hsize_t k = 0; k < n; ++k)
            at[k] = n - k + 2;
        CU_ASSERT (H5Sselect_elements (space, H5S_SELECT_SET, (size_t)n, at) >= 0);
        free (at);
        return space;
    default: /* irregular: one element, a gap, the others */
        space = H5Screate_simple (1, line, NULL);
        CU_ASSERT (H5Sselect_hyperslab (space, H5S_SELECT_SET, (hsize_t[]){0}, NULL, (hsize_t[]){1},
                                        NULL) >= 0);
        if (n > 1)
            CU_ASSERT (H5Sselect_hyperslab (space, H5S_SELECT_OR, (hsize_t[]){3}, NULL,
                                            (hsize_t[]){n - 1}, NULL) >= 0);
        return space;
    }
}

#endif
