/* SPDX-License-Identifier: Apache-2.0 */
/* SRC of larder bench as programs without larder read it, and as larder offers it: a dataset of an
 * HDF5 file, or the bytes of any file. */
#ifndef LARDER_BENCH_READER_H
#define LARDER_BENCH_READER_H

#include <hdf5.h>
#include <larder/error.h>
#include <larder/object.h>
#include <larder/ref.h>
#include <larder/session.h>
#include <larder/shared.h>
#include <stdint.h>

struct larder_bench_source;

/* What differs between the two.  The downloads are collective. */
struct larder_bench_kind {
    const char *name; /* "dataset", "file" */
    /* Open it and say how many bytes it has in memory, and how many a step of about 4 MiB reads. */
    int (*open) (struct larder_bench_source *source, larder_error *err);
    /* Read bytes [offset, offset + size), whole steps but for the last, or all. */
    int (*read) (struct larder_bench_source *source, uint64_t offset, uint64_t size, void *buffer,
                 larder_error *err);
    void (*close) (struct larder_bench_source *source);
    int (*object) (const struct larder_bench_source *source, larder_object *object,
                   larder_error *err);
    int (*download) (const struct larder_bench_source *source, larder *session,
                     const larder_ref *ref, void *buffer, larder_error *err);
    int (*download_node) (const struct larder_bench_source *source, larder *session,
                          const larder_ref *ref, larder_shared **shared, larder_error *err);
};

extern const struct larder_bench_kind larder_bench_kind_dataset;
extern const struct larder_bench_kind larder_bench_kind_file;

enum { LARDER_BENCH_STEP = 4 << 20 };

struct larder_bench_source {
    const struct larder_bench_kind *kind;
    const char *path, *dataset;
    uint64_t page;        /* bytes of an item of a file */
    uint64_t bytes, step; /* after open */
    int everywhere;       /* 1: every rank can open it */
    /* While it is open. */
    int fd;
    hid_t file, set, space, type;
    uint64_t row; /* bytes of one step along the first dimension */
};

#endif
