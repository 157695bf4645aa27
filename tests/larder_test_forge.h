/* SPDX-License-Identifier: Apache-2.0 */
/* Messages made byte by byte, refs, lazy values, and a handler; for tests and fuzzers, so without CUnit. */
#ifndef LARDER_TEST_FORGE_H
#define LARDER_TEST_FORGE_H

#include "larder_num.h"
#include "larder_ref.h"
#include "larder_unpack.h"
#include <larder/encode.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- bytes of msgpack, one after another */

struct larder_forge {
    unsigned char bytes[1 << 16];
    size_t size;
};

static inline void forge_bytes (struct larder_forge *f, const void *bytes, size_t size)
{
    if (size > sizeof f->bytes - f->size)
        abort ();
    memcpy (f->bytes + f->size, bytes, size);
    f->size += size;
}

static inline void forge_byte (struct larder_forge *f, unsigned byte)
{
    unsigned char b = (unsigned char)byte;
    forge_bytes (f, &b, 1);
}

/* A first byte and a number of 1, 2, 4 or 8 bytes. */
static inline void forge_number (struct larder_forge *f, unsigned first, uint64_t n, unsigned width)
{
    forge_byte (f, first);
    while (width-- > 0)
        forge_byte (f, (unsigned)(n >> (8 * width)) & 0xff);
}

static inline void forge_uint (struct larder_forge *f, uint64_t n)
{
    if (n < 0x80)
        forge_byte (f, (unsigned)n);
    else
        forge_number (f, 0xcf, n, 8);
}

static inline void forge_array (struct larder_forge *f, unsigned count)
{
    forge_number (f, 0xdc, count, 2);
}

static inline void forge_map (struct larder_forge *f, unsigned count)
{
    forge_number (f, 0xde, count, 2);
}

static inline void forge_text (struct larder_forge *f, const char *text)
{
    forge_number (f, 0xd9, strlen (text), 1);
    forge_bytes (f, text, strlen (text));
}

static inline void forge_refs (struct larder_forge *f, const larder_ref *refs, size_t count)
{
    forge_number (f, 0xc5, count * sizeof *refs, 2);
    forge_bytes (f, refs, count * sizeof *refs);
}

/* A value's number. */
static inline void forge_ext (struct larder_forge *f, unsigned number)
{
    forge_byte (f, 0xd4);
    forge_byte (f, LARDER_MESSAGE_EXT);
    forge_byte (f, number);
}

/* ---------------------------------------------------------------- whole messages */

static inline void forge_check (void *message, size_t size)
{
    if (size >= LARDER_MESSAGE_HEADER)
        larder_num_store64 ((unsigned char *)message + 24, larder_message_check (message, size));
}

/* Header, head and data section; to be freed. */
static inline unsigned char *forge_message (const struct larder_forge *head, const void *data,
                                            size_t data_size, unsigned flags, size_t *size)
{
    size_t at = LARDER_MESSAGE_HEADER + head->size;
    unsigned char *m;

    if (data_size > 0)
        at = (at + 63) / 64 * 64;
    m = calloc (1, at + data_size);
    if (!m)
        abort ();
    memcpy (m, "LMSG", 4);
    m[4] = LARDER_MESSAGE_VERSION;
    m[5] = (unsigned char)flags;
    larder_num_store64 (m + 8, head->size);
    larder_num_store64 (m + 16, data_size);
    memcpy (m + LARDER_MESSAGE_HEADER, head->bytes, head->size);
    if (data_size > 0)
        memcpy (m + at, data, data_size);
    *size = at + data_size;
    forge_check (m, *size);
    return m;
}

/* ---------------------------------------------------------------- refs and lazy values */

/* The items of one object of many. */
static inline larder_ref codec_ref (uint32_t object, uint64_t items)
{
    larder_ref_info info = {.session = UINT64_C (0x0123456789abcdef),
                            .transaction = 7,
                            .item_count = items,
                            .generation = 1,
                            .object = object,
                            .via = -1};
    larder_ref ref;

    larder_ref_write (&info, &ref);
    return ref;
}

/* Item `item` of an object, as an array of float64. */
static inline larder_lazy codec_lazy (uint32_t object, uint64_t item, uint64_t elements)
{
    larder_ref whole = codec_ref (object, 1000);
    larder_lazy lazy = {.dot = LARDER_DOT_ARRAY, .size = 8 * elements};

    lazy.shape = larder_shape_make (LARDER_FLOAT64, elements, 0, 0);
    if (larder_ref_items (&whole, item, 1, &lazy.ref, NULL) != LARDER_OK)
        abort ();
    return lazy;
}

/* ---------------------------------------------------------------- a handler: points of two ints */

enum { CODEC_DOT_POINT = 70 };

struct codec_point {
    int32_t x, y;
};

struct codec_points { /* the handler's self */
    int described, written, read, freed;
    int fail; /* a code that the next function returns */
    int no_value;
};

static inline int codec_describe (void *self, const void *value, larder_shape *shape,
                                  uint64_t *size, larder_error *err)
{
    struct codec_points *s = self;

    ++s->described;
    if (s->fail)
        return larder_error_set (err, s->fail, 0, "describe fails");
    *shape = larder_shape_make (LARDER_INT32, 2, 0, 0);
    *size = value ? sizeof (struct codec_point) : 0;
    return LARDER_OK;
}

static inline int codec_same (void *self, const void *a, const void *b)
{
    const struct codec_point *p = a, *q = b;

    (void)self;
    return p->x == q->x && p->y == q->y;
}

static inline int codec_write (void *self, const void *value, void *buffer, uint64_t size,
                               larder_error *err)
{
    struct codec_points *s = self;
    const struct codec_point *p = value;

    if (size != 8)
        return larder_error_set (err, LARDER_EINVAL, 0, "a point has 8 bytes");
    larder_num_store32 (buffer, (uint32_t)p->x);
    larder_num_store32 ((char *)buffer + 4, (uint32_t)p->y);
    ++s->written;
    return LARDER_OK;
}

static inline int codec_read (void *self, const larder_shape *shape, const void *data,
                              uint64_t size, larder_made *made, larder_error *err)
{
    struct codec_points *s = self;
    struct codec_point *p;

    ++s->read;
    if (s->fail || size != 8 || shape->type != LARDER_INT32)
        return larder_error_set (err, s->fail ? s->fail : LARDER_EFORMAT, 0, "read fails");
    if (s->no_value)
        return LARDER_OK;
    p = malloc (sizeof *p);
    if (!p)
        return larder_error_set (err, LARDER_ENOMEM, 0, "no memory for a point");
    p->x = (int32_t)larder_num_load32 (data);
    p->y = (int32_t)larder_num_load32 ((const char *)data + 4);
    *made = (larder_made){.value = p, .free_value = free};
    return LARDER_OK;
}

static inline larder_handler codec_handler (struct codec_points *self)
{
    return (larder_handler){.dot = CODEC_DOT_POINT,
                            .name = "point",
                            .self = self,
                            .describe = codec_describe,
                            .same = codec_same,
                            .write_native = codec_write,
                            .read_native = codec_read};
}

#endif
