/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_h5pack.h"
#include "larder_h5type.h"

#include <stdlib.h>
#include <string.h>

enum shape_kind { SHAPE_PLAIN, SHAPE_STRING, SHAPE_VLEN, SHAPE_REF, SHAPE_REGION, SHAPE_PARTS };

/* PARTS covers compounds (one part a member) and arrays (one part, repeated). */
struct larder_h5shape {
    enum shape_kind kind;
    size_t size;   /* in memory */
    size_t least;  /* packed */
    size_t offset; /* in its parent */
    size_t repeat;
    int refers;
    size_t parts;
    struct larder_h5shape *part;
};

struct larder_h5arena_block {
    struct larder_h5arena_block *next;
    max_align_t data[];
};

static int shape_make (struct larder_h5shape *shape, hid_t type, int depth);

/* ------------------------------------------------------------------ shapes */

static void shape_clear (struct larder_h5shape *shape)
{
    for (size_t i = 0; i < shape->parts; ++i)
        shape_clear (&shape->part[i]);
    free (shape->part);
    shape->part = NULL;
    shape->parts = 0;
}

static int shape_base (struct larder_h5shape *shape, hid_t type, int depth)
{
    shape->part = calloc (1, sizeof *shape->part);
    if (shape->part == NULL)
        return -1;
    shape->parts = 1;
    hid_t base = H5Tget_super (type);
    int code = base < 0 ? -1 : shape_make (shape->part, base, depth + 1);
    if (base >= 0)
        (void)H5Tclose (base);
    shape->refers = shape->part->refers;
    return code;
}

static int shape_compound (struct larder_h5shape *shape, hid_t type, int depth)
{
    int members = H5Tget_nmembers (type), plain = 1;
    if (members < 0)
        return -1;
    shape->kind = SHAPE_PARTS;
    shape->part = calloc ((size_t)members + 1, sizeof *shape->part);
    if (shape->part == NULL)
        return -1;
    shape->least = 0;
    for (unsigned i = 0; i < (unsigned)members; ++i) {
        struct larder_h5shape *part = &shape->part[shape->parts++];
        hid_t member = H5Tget_member_type (type, i);
        int code = member < 0 ? -1 : shape_make (part, member, depth + 1);
        if (member >= 0)
            (void)H5Tclose (member);
        if (code != 0)
            return -1;
        part->offset = H5Tget_member_offset (type, i);
        if (part->offset > shape->size || part->size > shape->size - part->offset)
            return -1;
        shape->least += part->least;
        shape->refers |= part->refers;
        plain = plain && part->kind == SHAPE_PLAIN;
    }
    if (plain) { /* with the padding between its members */
        shape_clear (shape);
        shape->kind = SHAPE_PLAIN;
        shape->least = shape->size;
    }
    return 0;
}

static int shape_array (struct larder_h5shape *shape, hid_t type, int depth)
{
    shape->kind = SHAPE_PARTS;
    if (shape_base (shape, type, depth) != 0 || shape->part->size == 0)
        return -1;
    shape->part->repeat = shape->size / shape->part->size;
    if (shape->part->kind == SHAPE_PLAIN) {
        shape_clear (shape);
        shape->kind = SHAPE_PLAIN;
        shape->least = shape->size;
    } else {
        shape->least = shape->part->repeat * shape->part->least;
    }
    return 0;
}

static int shape_make (struct larder_h5shape *shape, hid_t type, int depth)
{
    H5T_class_t class = H5Tget_class (type);
    memset (shape, 0, sizeof *shape);
    shape->size = H5Tget_size (type);
    shape->repeat = 1;
    shape->least = shape->size;
    if (depth > LARDER_H5TYPE_DEPTH || class < 0 || shape->size == 0)
        return -1;
    switch (class) {
    case H5T_STRING: {
        htri_t variable = H5Tis_variable_str (type);
        if (variable > 0) {
            shape->kind = SHAPE_STRING;
            shape->least = 1;
        }
        return variable < 0 ? -1 : 0;
    }
    case H5T_VLEN:
        shape->kind = SHAPE_VLEN;
        shape->least = 1;
        return shape_base (shape, type, depth);
    case H5T_REFERENCE:
        shape->kind = H5Tequal (type, H5T_STD_REF_OBJ) > 0 ? SHAPE_REF : SHAPE_REGION;
        shape->least = 1;
        shape->refers = 1;
        return 0;
    case H5T_COMPOUND:
        return shape_compound (shape, type, depth);
    case H5T_ARRAY:
        return shape_array (shape, type, depth);
    default:
        return 0;
    }
}

struct larder_h5shape *larder_h5shape_new (hid_t type)
{
    struct larder_h5shape *shape = calloc (1, sizeof *shape);
    if (shape && shape_make (shape, type, 0) != 0) {
        larder_h5shape_free (shape);
        shape = NULL;
    }
    return shape;
}

void larder_h5shape_free (struct larder_h5shape *shape)
{
    if (shape)
        shape_clear (shape);
    free (shape);
}

int larder_h5shape_plain (const struct larder_h5shape *shape)
{
    return shape->kind == SHAPE_PLAIN;
}

int larder_h5shape_refers (const struct larder_h5shape *shape)
{
    return shape->refers;
}

size_t larder_h5shape_size (const struct larder_h5shape *shape)
{
    return shape->size;
}

size_t larder_h5shape_least (const struct larder_h5shape *shape)
{
    return shape->least ? shape->least : 1;
}

/* ------------------------------------------------------------------ packing */

static void pack_string (const void *value, struct larder_h5out *out)
{
    char *text;
    memcpy (&text, value, sizeof text);
    if (text == NULL) { /* differs from "" */
        larder_h5out_count (out, 0);
        return;
    }
    size_t n = strlen (text);
    larder_h5out_count (out, (uint64_t)n + 1);
    larder_h5out_bytes (out, text, n);
}

static int pack_one (const struct larder_h5shape *shape, const uint8_t *value,
                     const struct larder_h5refs *refs, struct larder_h5out *out)
{
    hvl_t list;
    switch (shape->kind) {
    case SHAPE_STRING:
        pack_string (value, out);
        return 0;
    case SHAPE_VLEN:
        memcpy (&list, value, sizeof list);
        if (list.p == NULL)
            list.len = 0;
        larder_h5out_count (out, list.len);
        return larder_h5pack (shape->part, list.p, list.len, refs, out);
    case SHAPE_REF:
    case SHAPE_REGION:
        return refs->put (refs->self, shape->kind == SHAPE_REGION, value, out);
    case SHAPE_PARTS:
        for (size_t i = 0; i < shape->parts; ++i) {
            const struct larder_h5shape *part = &shape->part[i];
            if (larder_h5pack (part, value + part->offset, part->repeat, refs, out) != 0)
                return -1;
        }
        return 0;
    default:
        larder_h5out_bytes (out, value, shape->size);
        return 0;
    }
}

int larder_h5pack (const struct larder_h5shape *shape, const void *values, uint64_t n,
                   const struct larder_h5refs *refs, struct larder_h5out *out)
{
    if (shape->kind == SHAPE_PLAIN) {
        larder_h5out_bytes (out, values, (size_t)n * shape->size);
        return 0;
    }
    const uint8_t *value = values;
    for (uint64_t i = 0; i < n; ++i, value += shape->size)
        if (pack_one (shape, value, refs, out) != 0)
            return -1;
    return 0;
}

/* ------------------------------------------------------------------ unpacking */

void *larder_h5arena_take (struct larder_h5arena *arena, size_t n)
{
    struct larder_h5arena_block *block =
        n < SIZE_MAX - sizeof *block ? calloc (1, sizeof *block + (n ? n : 1)) : NULL;
    if (block == NULL)
        return NULL;
    block->next = arena->blocks;
    arena->blocks = block;
    return block->data;
}

void larder_h5arena_free (struct larder_h5arena *arena)
{
    while (arena->blocks) {
        struct larder_h5arena_block *block = arena->blocks;
        arena->blocks = block->next;
        free (block);
    }
}

static int unpack_string (struct larder_h5in *in, struct larder_h5arena *arena, uint8_t *value)
{
    uint64_t n = larder_h5in_count (in);
    char *text = NULL;
    if (n > 0) {
        const uint8_t *bytes = larder_h5in_bytes (in, n - 1);
        text = bytes ? larder_h5arena_take (arena, (size_t)n) : NULL;
        if (text == NULL)
            return -1;
        memcpy (text, bytes, (size_t)n - 1);
    }
    memcpy (value, &text, sizeof text);
    return in->bad ? -1 : 0;
}

static int unpack_vlen (const struct larder_h5shape *shape, struct larder_h5in *in,
                        const struct larder_h5refs *refs, struct larder_h5arena *arena,
                        uint8_t *value)
{
    const struct larder_h5shape *base = shape->part;
    hvl_t list = {0, NULL};
    uint64_t n = larder_h5in_count (in);
    /* What is not there needs no memory. */
    if (in->bad || n > larder_h5in_left (in) / larder_h5shape_least (base) ||
        n > SIZE_MAX / base->size) {
        in->bad = 1;
        return -1;
    }
    if (n > 0) {
        list.len = (size_t)n;
        list.p = larder_h5arena_take (arena, (size_t)n * base->size);
        if (list.p == NULL)
            return -1;
    }
    memcpy (value, &list, sizeof list);
    return larder_h5unpack (base, in, n, refs, arena, list.p);
}

static int unpack_one (const struct larder_h5shape *shape, struct larder_h5in *in,
                       const struct larder_h5refs *refs, struct larder_h5arena *arena,
                       uint8_t *value)
{
    const uint8_t *bytes;
    switch (shape->kind) {
    case SHAPE_STRING:
        return unpack_string (in, arena, value);
    case SHAPE_VLEN:
        return unpack_vlen (shape, in, refs, arena, value);
    case SHAPE_REF:
    case SHAPE_REGION:
        return refs->get (refs->self, shape->kind == SHAPE_REGION, in, value);
    case SHAPE_PARTS:
        for (size_t i = 0; i < shape->parts; ++i) {
            const struct larder_h5shape *part = &shape->part[i];
            if (larder_h5unpack (part, in, part->repeat, refs, arena, value + part->offset) != 0)
                return -1;
        }
        return 0;
    default:
        bytes = larder_h5in_bytes (in, shape->size);
        if (bytes)
            memcpy (value, bytes, shape->size);
        return bytes ? 0 : -1;
    }
}

int larder_h5unpack (const struct larder_h5shape *shape, struct larder_h5in *in, uint64_t n,
                     const struct larder_h5refs *refs, struct larder_h5arena *arena, void *values)
{
    if (n > larder_h5in_left (in) / larder_h5shape_least (shape)) {
        in->bad = 1;
        return -1;
    }
    if (shape->kind == SHAPE_PLAIN) {
        const uint8_t *bytes = larder_h5in_bytes (in, n * shape->size);
        if (bytes && n)
            memcpy (values, bytes, (size_t)n * shape->size);
        return bytes ? 0 : -1;
    }
    uint8_t *value = values;
    for (uint64_t i = 0; i < n; ++i, value += shape->size)
        if (unpack_one (shape, in, refs, arena, value) != 0)
            return -1;
    return 0;
}
