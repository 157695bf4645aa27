/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_unpacktable.h"
#include "larder_num.h"
#include "larder_unpack.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fault (const struct larder_unpacktable *t, int code, uint64_t value, const char *format,
                  ...) __attribute__ ((format (printf, 4, 5)));

/* An error text that names the value's number. */
static int fault (const struct larder_unpacktable *t, int code, uint64_t value, const char *format,
                  ...)
{
    char text[LARDER_ERROR_TEXT];
    va_list arguments;

    va_start (arguments, format);
    (void)vsnprintf (text, sizeof text, format, arguments);
    va_end (arguments);
    return larder_error_set (t->err, code, 0, "message: value %" PRIu64 ": %s", value, text);
}

/* ---------------------------------------------------------------- the table of refs */

static void get_ref (const struct larder_unpacktable *t, uint64_t number, larder_ref *ref)
{
    memcpy (ref->bytes, t->refs + number * LARDER_REF_BYTES, LARDER_REF_BYTES);
}

static int read_refs (struct larder_unpacktable *t, const msgpack_object *o)
{
    if (o->type != MSGPACK_OBJECT_BIN || o->via.bin.size % LARDER_REF_BYTES != 0)
        return larder_error_set (t->err, LARDER_EFORMAT, 0,
                                 "message: its refs are no byte string of %d bytes each",
                                 LARDER_REF_BYTES);
    t->refs = o->via.bin.ptr;
    t->ref_count = o->via.bin.size / LARDER_REF_BYTES;
    if (t->ref_count == 0)
        return LARDER_OK;
    t->known = calloc (t->ref_count, sizeof *t->known);
    if (!t->known)
        return larder_error_set (t->err, LARDER_ENOMEM, 0,
                                 "message: no memory for its %" PRIu64 " refs", t->ref_count);
    for (uint64_t i = 0; i < t->ref_count; ++i) {
        larder_error why = {0};
        larder_ref ref;

        get_ref (t, i, &ref);
        if (larder_ref_read (&ref, &t->known[i].info, &why) != LARDER_OK)
            return larder_error_set (t->err, LARDER_EREF, 0, "message: ref %" PRIu64 ": %s", i,
                                     why.text);
    }
    return LARDER_OK;
}

/* ---------------------------------------------------------------- the table of values */

static int is_number (const msgpack_object *o, uint64_t most)
{
    return o->type == MSGPACK_OBJECT_POSITIVE_INTEGER && o->via.u64 <= most;
}

/* NULL, or what is wrong with a shape. */
static const char *read_shape (const msgpack_object *o, int dot, larder_shape *shape,
                               uint64_t *bytes)
{
    const msgpack_object *numbers = o->via.array.ptr;
    uint32_t count = o->via.array.size, skip = 1;

    if (o->type != MSGPACK_OBJECT_ARRAY || count == 0)
        return "its shape is no list of numbers";
    for (uint32_t i = 0; i < count; ++i) {
        if (!is_number (&numbers[i], UINT64_MAX))
            return "its shape is no list of numbers";
    }
    if (numbers[0].via.u64 > LARDER_COMPLEX128)
        return "its element type is none";
    shape->type = (larder_type)numbers[0].via.u64;
    shape->element_size = 0;
    if (shape->type == LARDER_OPAQUE) {
        if (count < 2 || numbers[1].via.u64 > UINT32_MAX)
            return "its opaque elements have no size";
        shape->element_size = (uint32_t)numbers[1].via.u64;
        skip = 2;
    }
    if (count - skip > LARDER_MAX_DIMS)
        return "it has too many dimensions";
    shape->ndims = (int)(count - skip);
    for (int i = 0; i < shape->ndims; ++i)
        shape->dims[i] = numbers[skip + (uint32_t)i].via.u64;
    /* What another handler says of its values need not be the shape of an array. */
    if (dot != LARDER_DOT_ARRAY || larder_shape_size (shape, bytes, NULL) == LARDER_OK)
        return NULL;
    return "its shape is impossible";
}

/* What a handler made of a value, taken over, also on failure. */
static int take_made (struct larder_unpacktable *t, uint64_t number, const larder_made *made,
                      const larder_handler *handler, const larder_shape *shape, uint64_t size)
{
    struct larder_blob *blob = NULL;
    struct larder_datum *d = NULL;
    const char *why = NULL;

    if (made->array && larder_shape_size (&made->shape, &size, NULL) != LARDER_OK)
        why = "an array of an impossible shape";
    else if (!made->value && !(made->array && size == 0))
        why = "no value";
    else if (made->array && !larder_shape_equal (&made->shape, shape))
        why = "an array of another shape than it described";
    if (!why) {
        d = made->array ? larder_datum_new (LARDER_DOT_ARRAY, LARDER_KIND_ARRAY, &made->shape)
                        : larder_datum_new (handler->dot, LARDER_KIND_TYPED, shape);
        if (made->value)
            blob = larder_blob_new (made->value, made->free_value);
    }
    if (d && (blob || !made->value)) {
        d->data = made->value;
        d->blob = blob;
        d->size = size;
        t->values[number] = d;
        return LARDER_OK;
    }
    larder_datum_free (d);
    if (blob)
        larder_blob_drop (blob);
    else if (made->value && made->free_value)
        made->free_value (made->value);
    return why ? fault (t, LARDER_ENOVALUE, number, "handler '%s' gave %s", handler->name, why)
               : fault (t, LARDER_ENOMEM, number, "no memory");
}

/* A value's bytes stand in the order of the table, each on its boundary, with nothing hidden between. */
static int find_bytes (struct larder_unpacktable *t, uint64_t number, uint64_t offset,
                       uint64_t size)
{
    uint64_t at = 0;

    if (!larder_num_inside (offset, size, t->data_size))
        return fault (t, LARDER_ENODATA, number,
                      "its %" PRIu64 " bytes at %" PRIu64 " are not inside the %" PRIu64
                      " of the data section",
                      size, offset, t->data_size);
    if (size > 0 && larder_num_round_up (t->data_end, LARDER_MESSAGE_ALIGN, &at))
        return fault (t, LARDER_ERANGE, number, "its place does not fit 64 bits");
    if (offset != at)
        return fault (t, LARDER_EFORMAT, number,
                      "its bytes stand at %" PRIu64 " of the data section instead of %" PRIu64,
                      offset, at);
    for (; t->data_end < at; ++t->data_end) {
        if (t->data[t->data_end])
            return fault (t, LARDER_EFORMAT, number, "something stands before its bytes");
    }
    if (size > 0)
        t->data_end = offset + size;
    if (size > 0 && !t->blob) {
        void *section;

        t->blob = larder_blob_alloc (t->data_size, &section);
        if (!t->blob)
            return larder_error_set (t->err, LARDER_ENOMEM, 0,
                                     "message: no memory for its %" PRIu64 " bytes of data",
                                     t->data_size);
        t->section = section;
        memcpy (t->section, t->data, t->data_size);
    }
    return LARDER_OK;
}

/* A value whose bytes are kept as they stand in the data section. */
static int keep_bytes (struct larder_unpacktable *t, int dot, larder_kind kind,
                       const larder_shape *shape, uint64_t offset, uint64_t size,
                       struct larder_datum **datum)
{
    struct larder_datum *d = larder_datum_new (dot, kind, shape);

    if (!d)
        return larder_error_set (t->err, LARDER_ENOMEM, 0, "message: no memory for a value");
    d->size = size;
    if (size > 0) {
        d->data = t->section + offset;
        d->blob = larder_blob_keep (t->blob);
    }
    d->sealed = kind == LARDER_KIND_TYPED;
    *datum = d;
    return LARDER_OK;
}

/* [dot, shape, offset, size] */
static int read_native (struct larder_unpacktable *t, uint64_t number, int dot,
                        const larder_shape *shape, uint64_t bytes, const msgpack_object *place)
{
    const larder_handler *handler;
    larder_made made = {0};
    uint64_t offset, size;
    int code;

    if (!is_number (&place[0], UINT64_MAX) || !is_number (&place[1], UINT64_MAX))
        return fault (t, LARDER_EFORMAT, number, "its place is not two numbers");
    offset = place[0].via.u64;
    size = place[1].via.u64;
    if (dot == LARDER_DOT_ARRAY && bytes != size)
        return fault (t, LARDER_ENODATA, number,
                      "%" PRIu64 " bytes for an array of %" PRIu64 " bytes", size, bytes);
    code = find_bytes (t, number, offset, size);
    if (code != LARDER_OK)
        return code;
    if (dot == LARDER_DOT_ARRAY) {
        if ((t->flags & LARDER_MESSAGE_BIG_ENDIAN) != larder_message_byte_order ())
            return fault (t, LARDER_ENOTSUP, number, "an array of the other byte order");
        return keep_bytes (t, dot, LARDER_KIND_ARRAY, shape, offset, size, &t->values[number]);
    }
    handler = larder_registry_find (t->registry, dot);
    if (!handler && !t->strict)
        return keep_bytes (t, dot, LARDER_KIND_TYPED, shape, offset, size, &t->values[number]);
    if (!handler)
        return fault (t, LARDER_EHANDLER, number, "there is no handler for DOT %d", dot);
    if (!handler->read_native)
        return fault (t, LARDER_EHANDLER, number, "handler '%s' reads no native values",
                      handler->name);
    code = handler->read_native (handler->self, shape, size > 0 ? t->section + offset : t->data,
                                 size, &made, t->err);
    if (code < 0)
        return code;
    return take_made (t, number, &made, handler, shape, size);
}

/* [dot, shape, ref number, first item, item count, size] */
static int read_reference (struct larder_unpacktable *t, uint64_t number, int dot,
                           const larder_shape *shape, uint64_t bytes, const msgpack_object *place)
{
    const larder_ref_info *info;
    uint64_t ref, first, count, size;
    struct larder_datum *d;

    for (int i = 0; i < 4; ++i) {
        if (!is_number (&place[i], UINT64_MAX))
            return fault (t, LARDER_EFORMAT, number, "its place is not four numbers");
    }
    ref = place[0].via.u64;
    first = place[1].via.u64;
    count = place[2].via.u64;
    size = place[3].via.u64;
    if (dot == LARDER_DOT_ARRAY && bytes != size)
        return fault (t, LARDER_EFORMAT, number,
                      "a size of %" PRIu64 " for an array of %" PRIu64 " bytes", size, bytes);
    if (ref >= t->ref_count)
        return fault (t, LARDER_EMISSING, number, "ref %" PRIu64 " of %" PRIu64, ref, t->ref_count);
    info = &t->known[ref].info;
    if (count > 0 && (first < info->first_item ||
                      !larder_num_inside (first - info->first_item, count, info->item_count)))
        return fault (t, LARDER_EINCOMPLETE, number,
                      "%" PRIu64 " items from item %" PRIu64 " are not inside what ref %" PRIu64
                      " names",
                      count, first, ref);
    d = larder_datum_new (dot, LARDER_KIND_LAZY, shape);
    if (!d)
        return larder_error_set (t->err, LARDER_ENOMEM, 0, "message: no memory for a value");
    t->known[ref].named = 1;
    d->has_ref = 1;
    get_ref (t, ref, &d->ref);
    d->first = first;
    d->count = count;
    d->size = size;
    t->values[number] = d;
    return LARDER_OK;
}

static int read_value (struct larder_unpacktable *t, uint64_t number, const msgpack_object *o)
{
    const msgpack_object *members = o->via.array.ptr;
    larder_shape shape;
    uint64_t bytes = 0;
    const char *why;
    int dot;

    if (o->type != MSGPACK_OBJECT_ARRAY || (o->via.array.size != 4 && o->via.array.size != 6))
        return fault (t, LARDER_EFORMAT, number, "it is no list of 4 or 6");
    if (!is_number (&members[0], LARDER_DOT_MAX) || members[0].via.u64 == 0)
        return fault (t, LARDER_EFORMAT, number, "its DOT is none of 1 to %d", LARDER_DOT_MAX);
    dot = (int)members[0].via.u64;
    why = read_shape (&members[1], dot, &shape, &bytes);
    if (why)
        return fault (t, LARDER_EFORMAT, number, "%s", why);
    return o->via.array.size == 4 ? read_native (t, number, dot, &shape, bytes, members + 2)
                                  : read_reference (t, number, dot, &shape, bytes, members + 2);
}

static int read_values (struct larder_unpacktable *t, const msgpack_object *o)
{
    if (o->type != MSGPACK_OBJECT_ARRAY)
        return larder_error_set (t->err, LARDER_EFORMAT, 0, "message: its values are no list");
    t->value_count = o->via.array.size;
    if (t->value_count > 0) {
        t->values = calloc (t->value_count, sizeof *t->values);
        if (!t->values)
            return larder_error_set (t->err, LARDER_ENOMEM, 0,
                                     "message: no memory for its %" PRIu64 " values",
                                     t->value_count);
    }
    for (uint64_t i = 0; i < t->value_count; ++i) {
        int code = read_value (t, i, &o->via.array.ptr[i]);
        if (code != LARDER_OK)
            return code;
    }
    for (uint64_t i = 0; i < t->ref_count; ++i) {
        if (!t->known[i].named)
            return larder_error_set (t->err, LARDER_EFORMAT, 0,
                                     "message: ref %" PRIu64 " is of no value", i);
    }
    if (t->data_end != t->data_size)
        return larder_error_set (t->err, LARDER_EFORMAT, 0,
                                 "message: %" PRIu64 " bytes of data are of no value",
                                 t->data_size - t->data_end);
    return LARDER_OK;
}

int larder_unpacktable_read (struct larder_unpacktable *table, const msgpack_object *refs,
                             const msgpack_object *values)
{
    int code = read_refs (table, refs);
    return code == LARDER_OK ? read_values (table, values) : code;
}

int larder_unpacktable_used (const struct larder_unpacktable *table)
{
    for (uint64_t i = 0; i < table->value_count; ++i) {
        if (table->values[i]->users == 0)
            return fault (table, LARDER_EFORMAT, i, "nothing in the message names it");
    }
    return LARDER_OK;
}

void larder_unpacktable_free (struct larder_unpacktable *table)
{
    for (uint64_t i = 0; table->values && i < table->value_count; ++i) {
        if (table->values[i] && table->values[i]->users == 0)
            larder_datum_free (table->values[i]);
    }
    larder_blob_drop (table->blob);
    free (table->values);
    free (table->known);
}
