/* SPDX-License-Identifier: Apache-2.0 */
/* Dataset objects, for what is made of several (larder/hdf5.h has the public side). */
#ifndef LARDER_H5DATASET_H
#define LARDER_H5DATASET_H

#include "larder_h5describe.h"

#include <larder/hdf5.h>
#include <sys/stat.h>

/* A file's state, and contiguous data; datasets that are made beside each other share it. */
struct larder_h5dataset_file {
    int fd;
    struct stat state;
    size_t users;
};

struct larder_h5dataset_object {
    char *name; /* "PATH of FILE" */
    hid_t file, id;
    struct larder_h5dataset_file *from; /* the same file */
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

extern const larder_object_ops larder_h5dataset_ops;

/* HDF5 failed; LARDER_EHDF5 or what its error stack says. */
int larder_h5dataset_fail (const struct larder_h5dataset_object *s, larder_error *err,
                           const char *doing);

/* 1: a file has not changed between two looks at it. */
int larder_h5dataset_same_state (const struct stat *a, const struct stat *b);

/* As larder_h5_dataset_object.  beside: another dataset object, whose file descriptor serves for this one too where
 * the file is the same; may be NULL.  They may be released in any order. */
int larder_h5dataset_make (const char *file, const char *dataset, uint64_t slab_size,
                           const larder_object *beside, larder_object *object, larder_error *err);

/* Of a dataset object, until its release: what it is, and the dataset. */
const struct larder_h5describe *larder_h5dataset_describes (const larder_object *object);
hid_t larder_h5dataset_id (const larder_object *object);

/* Give up the memory that only speeds up the next call. */
void larder_h5dataset_rest (const larder_object *object);

#endif
