/* SPDX-License-Identifier: Apache-2.0 */
/* Valid messages of all sorts: what fuzzers and test_mutated start from. */
#ifndef LARDER_TEST_SAMPLES_H
#define LARDER_TEST_SAMPLES_H

#include "larder_test_forge.h"
#include <stdio.h>

enum { LARDER_SAMPLES = 7 };

static inline void sample_stop (int code)
{
    if (code != LARDER_OK) {
        fprintf (stderr, "a sample message cannot be made: %s\n", larder_code_text (code));
        abort ();
    }
}

static inline void sample_set (larder_message *m, const char *path, larder_value value)
{
    sample_stop (larder_message_set (m, path, &value, NULL));
}

static inline void sample_plain (larder_message *m)
{
    sample_set (m, "round", (larder_value){.kind = LARDER_KIND_INT, .integer = 3});
    sample_set (m, "low", (larder_value){.kind = LARDER_KIND_INT, .integer = -70000});
    sample_set (m, "high", (larder_value){.kind = LARDER_KIND_UINT, .natural = UINT64_MAX});
    sample_set (m, "yes", (larder_value){.kind = LARDER_KIND_BOOL, .boolean = 1});
    sample_set (m, "nothing", (larder_value){.kind = LARDER_KIND_NIL});
    sample_set (m, "rate", (larder_value){.kind = LARDER_KIND_FLOAT, .real = 0.1});
    sample_set (m, "text", (larder_value){.kind = LARDER_KIND_STRING, .data = "abc", .size = 3});
    sample_set (m, "bytes", (larder_value){.kind = LARDER_KIND_BYTES, .data = "\0\1", .size = 2});
    sample_set (m, "list", (larder_value){.kind = LARDER_KIND_LIST});
    sample_set (m, "list/-", (larder_value){.kind = LARDER_KIND_LIST});
    sample_set (m, "list/-", (larder_value){.kind = LARDER_KIND_MAP});
}

static inline void sample_deep (larder_message *m)
{
    sample_set (m, "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x",
                (larder_value){.kind = LARDER_KIND_INT, .integer = 1});
}

static inline void sample_arrays (larder_message *m)
{
    static const double numbers[12] = {1, 2, 3};
    larder_value v = {.kind = LARDER_KIND_ARRAY, .data = numbers};

    v.shape = larder_shape_make (LARDER_FLOAT64, 3, 4, 0);
    sample_set (m, "weights", v);
    sample_set (m, "same", v);
    v.shape = larder_shape_make (LARDER_UINT8, 5, 0, 0);
    sample_set (m, "bytes", v);
    v.shape = (larder_shape){.type = LARDER_OPAQUE, .element_size = 12, .ndims = 2, .dims = {1, 2}};
    sample_set (m, "records", v);
    v.shape = (larder_shape){.type = LARDER_COMPLEX64, .ndims = 1};
    sample_set (m, "empty", v);
    v.shape = (larder_shape){.type = LARDER_INT32};
    sample_set (m, "one", v);
}

/* Lazy refs `step` items apart. */
static inline void sample_lazies (larder_message *m, unsigned count, unsigned step)
{
    for (unsigned i = 0; i < count; ++i) {
        char name[32];
        larder_lazy lazy = codec_lazy (i % 3, i * step % 1000, 10 * i + 1);
        (void)snprintf (name, sizeof name, "layer%u", i);
        sample_set (m, name, (larder_value){.kind = LARDER_KIND_LAZY, .lazy = lazy});
    }
}

static inline void sample_typed (larder_message *m)
{
    static const struct codec_point points[2] = {{1, 2}, {-3, 4}};

    for (int i = 0; i < 2; ++i)
        sample_set (
            m, i ? "to" : "from",
            (larder_value){.kind = LARDER_KIND_TYPED, .dot = CODEC_DOT_POINT, .data = &points[i]});
}

static inline larder_encoded larder_sample (unsigned number, const larder_registry *points)
{
    larder_message *m = NULL;
    larder_encoded encoded = {0};

    sample_stop (larder_message_new (&m, NULL));
    if (number == 1 || number == 6)
        sample_plain (m);
    if (number == 2)
        sample_deep (m);
    if (number == 3 || number == 6)
        sample_arrays (m);
    if (number == 4 || number == 6)
        sample_lazies (m, number, 0);
    if (number == 5 || number == 6)
        sample_typed (m);
    if (number == 5)
        sample_lazies (m, 20, 7);
    sample_stop (larder_message_encode (m, points, NULL, &encoded, NULL));
    larder_message_free (&m);
    return encoded;
}

#endif
