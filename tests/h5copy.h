/* SPDX-License-Identifier: Apache-2.0 */
/* A selection of one HDF5 file landed in another, without a session; and what was said of it. */
#ifndef H5COPY_H
#define H5COPY_H

#include "larder_loopback.h"
#include "larder_test_random.h"

#include <hdf5.h>
#include <larder/hdf5.h>
#include <stdio.h>
#include <string.h>

struct h5copy {
    const char *const *paths; /* NULL-terminated; NULL: everything */
    int with_targets;
    int replace;
    uint64_t slab;
    struct larder_loopback loop;
    char remarks[16][512]; /* the first of them */
    int remark_count;
    larder_error err;
};

static inline int h5copy_run (struct h5copy *c, const char *from, const char *to)
{
    larder_h5_selection selection = {c->paths, 0, c->with_targets, c->slab};
    larder_h5_sink *sink = NULL;
    larder_object object;
    memset (&c->err, 0, sizeof c->err);
    c->remark_count = 0;
    while (c->paths && c->paths[selection.count])
        ++selection.count;
    int code = larder_h5_selection_object (from, &selection, &object, &c->err);
    if (code != LARDER_OK)
        return code;
    code = larder_h5_sink_open (to, c->replace, &sink, &c->err);
    if (code == LARDER_OK) {
        larder_consumer consumer = larder_h5_consumer (sink);
        code = larder_loopback_run (&c->loop, &object, &consumer, &c->err);
        larder_h5_sink_close (&sink);
    }
    c->remark_count = larder_h5_selection_remarks (&object);
    for (int i = 0; i < c->remark_count && i < 16; ++i)
        (void)snprintf (c->remarks[i], sizeof c->remarks[i], "%s",
                        larder_h5_selection_remark (&object, i));
    object.ops->release (object.self);
    return code;
}

/* Chunks and slabs of random sizes, small enough that items are split. */
static inline struct h5copy h5copy_random (struct larder_test_random *random)
{
    struct h5copy c;
    memset (&c, 0, sizeof c);
    c.loop.chunk = 512 + (size_t)larder_test_below (random, 16384);
    c.loop.seed = (unsigned)larder_test_random (random);
    c.slab = 1 + larder_test_below (random, 8192);
    return c;
}

/* How many files and objects in files HDF5 holds open: the same before and after. */
static inline ssize_t h5copy_open (void)
{
    return H5Fget_obj_count ((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL);
}

/* 1: one of the remarks has all of text in it. */
static inline int h5copy_remarked (const struct h5copy *c, const char *text)
{
    for (int i = 0; i < c->remark_count && i < 16; ++i)
        if (strstr (c->remarks[i], text))
            return 1;
    return 0;
}

/* Copy and compare.  0: equal; what was wrong is printed. */
static inline int h5copy_differs (struct h5copy *c, const char *from, const char *to)
{
    int differs = 1, count = 0, code = h5copy_run (c, from, to);
    while (c->paths && c->paths[count])
        ++count;
    if (code == LARDER_OK)
        code = larder_h5_compare (from, to, c->paths, count, &differs, &c->err);
    if (code != LARDER_OK || differs)
        (void)fprintf (stderr, "\n    %s: %d %s\n", from, code, c->err.text);
    return code != LARDER_OK || differs;
}

#endif
