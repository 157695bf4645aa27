/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_value.h"
#include "larder_node.h"
#include <inttypes.h>
#include <larder/handler.h>

/* ---------------------------------------------------------------- taking */

static int take_datum (const larder_value *value, int dot, const larder_shape *shape, uint64_t size,
                       struct larder_node *node, larder_error *err)
{
    struct larder_datum *d = larder_datum_new (dot, value->kind, shape);

    if (!d)
        goto no_memory;
    d->size = size;
    if (value->kind != LARDER_KIND_LAZY) {
        d->data = value->data;
        if (value->data && value->free_data) {
            /* data is const because most of it is borrowed; what is handed over is not. */
            d->blob = larder_blob_new ((void *)(uintptr_t)value->data, value->free_data);
            if (!d->blob)
                goto no_memory;
        }
    }
    larder_message_put_datum (node, d);
    return LARDER_OK;

no_memory:
    larder_datum_free (d);
    return larder_error_set (err, LARDER_ENOMEM, 0, "message: no memory for a value");
}

static int take_array (const larder_value *value, struct larder_node *node, larder_error *err)
{
    uint64_t size;
    int rc = larder_shape_size (&value->shape, &size, err);

    if (rc != LARDER_OK)
        return rc;
    if (value->dot != 0 && value->dot != LARDER_DOT_ARRAY)
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "message: an array with DOT %d, arrays have %d", value->dot,
                                 LARDER_DOT_ARRAY);
    if (value->size != 0 && value->size != size)
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "message: an array of %" PRIu64 " bytes, its shape has %" PRIu64,
                                 value->size, size);
    if (!value->data && size)
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "message: an array of %" PRIu64 " bytes whose data is NULL", size);
    return take_datum (value, LARDER_DOT_ARRAY, &value->shape, size, node, err);
}

static int take_typed (const larder_value *value, struct larder_node *node, larder_error *err)
{
    if (value->dot <= LARDER_DOT_ARRAY || value->dot > LARDER_DOT_MAX)
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "message: a typed value with DOT %d, they are %d to %d",
                                 value->dot, LARDER_DOT_ARRAY + 1, LARDER_DOT_MAX);
    if (!value->data)
        return larder_error_set (err, LARDER_EINVAL, 0, "message: a typed value that is NULL");
    return take_datum (value, value->dot, NULL, value->size, node, err);
}

/* What a handler says of its values need not be the shape of an array. */
static int check_lazy (const larder_lazy *lazy, larder_error *err)
{
    uint64_t size;

    if (lazy->dot < LARDER_DOT_ARRAY || lazy->dot > LARDER_DOT_MAX)
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "message: a lazy ref with DOT %d, they are %d to %d", lazy->dot,
                                 LARDER_DOT_ARRAY, LARDER_DOT_MAX);
    if (lazy->dot == LARDER_DOT_ARRAY) {
        int rc = larder_shape_size (&lazy->shape, &size, err);
        if (rc == LARDER_OK && size != lazy->size)
            rc = larder_error_set (err, LARDER_EINVAL, 0,
                                   "message: a lazy array of %" PRIu64
                                   " bytes, its shape has %" PRIu64,
                                   lazy->size, size);
        return rc;
    }
    if (lazy->shape.ndims < 0 || lazy->shape.ndims > LARDER_MAX_DIMS)
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "message: a lazy ref of %d dimensions, at most %d",
                                 lazy->shape.ndims, LARDER_MAX_DIMS);
    if (lazy->shape.type != LARDER_OPAQUE && larder_type_size (lazy->shape.type) == 0)
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "message: a lazy ref of element type %d, which is none",
                                 (int)lazy->shape.type);
    return LARDER_OK;
}

static int take_lazy (const larder_value *value, struct larder_node *node, larder_error *err)
{
    const larder_lazy *lazy = &value->lazy;
    larder_ref_info info;
    struct larder_datum *d;
    int rc = check_lazy (lazy, err);

    if (rc == LARDER_OK)
        rc = larder_ref_read (&lazy->ref, &info, err);
    if (rc == LARDER_OK)
        rc = take_datum (value, lazy->dot, &lazy->shape, lazy->size, node, err);
    if (rc != LARDER_OK)
        return rc;
    d = node->u.datum;
    d->has_ref = 1;
    d->ref = lazy->ref;
    d->first = info.first_item;
    d->count = info.item_count;
    return LARDER_OK;
}

int larder_value_take (const larder_value *value, struct larder_node *node, larder_error *err)
{
    switch ((int)value->kind) {
    case LARDER_KIND_NIL:
        break;
    case LARDER_KIND_BOOL:
        node->u.boolean = value->boolean != 0;
        break;
    case LARDER_KIND_INT:
        node->u.integer = value->integer;
        break;
    case LARDER_KIND_UINT:
        /* One kind for each number, so that equal ones are equal. */
        if (value->natural <= INT64_MAX) {
            node->kind = LARDER_KIND_INT;
            node->u.integer = (int64_t)value->natural;
            return LARDER_OK;
        }
        node->u.natural = value->natural;
        break;
    case LARDER_KIND_FLOAT:
        node->u.real = value->real;
        break;
    case LARDER_KIND_STRING:
    case LARDER_KIND_BYTES:
        return larder_message_put_text (node, value->kind, value->data, value->size, err);
    case LARDER_KIND_ARRAY:
        return take_array (value, node, err);
    case LARDER_KIND_TYPED:
        return take_typed (value, node, err);
    case LARDER_KIND_LAZY:
        return take_lazy (value, node, err);
    case LARDER_KIND_LIST:
    case LARDER_KIND_MAP:
        return larder_message_open (node, value->kind, 0, err);
    default:
        return larder_error_set (err, LARDER_EINVAL, 0, "message: there is no kind %d",
                                 (int)value->kind);
    }
    node->kind = value->kind;
    return LARDER_OK;
}

void larder_value_return (struct larder_node *node)
{
    if (node->kind == LARDER_KIND_ARRAY || node->kind == LARDER_KIND_TYPED) {
        larder_blob_forget (node->u.datum->blob);
        node->u.datum->blob = NULL;
    }
    larder_node_release (node);
}

/* ---------------------------------------------------------------- showing */

static void show_datum (const struct larder_datum *d, larder_value *value)
{
    value->dot = d->dot;
    value->size = d->size;
    /* Bytes of a type without a handler are no value. */
    value->data = d->sealed ? NULL : d->data;
    if (value->kind != LARDER_KIND_TYPED)
        larder_datum_shape (d, &value->shape);
    if (value->kind == LARDER_KIND_LAZY)
        larder_datum_lazy (d, &value->lazy);
}

void larder_value_show (const struct larder_node *node, larder_value *value)
{
    *value = (larder_value){.kind = node->kind};
    switch (node->kind) {
    case LARDER_KIND_NIL:
        break;
    case LARDER_KIND_BOOL:
        value->boolean = node->u.boolean;
        break;
    case LARDER_KIND_INT:
        value->integer = node->u.integer;
        value->natural = node->u.integer < 0 ? 0 : (uint64_t)node->u.integer;
        value->real = (double)node->u.integer;
        break;
    case LARDER_KIND_UINT:
        value->natural = node->u.natural;
        value->real = (double)node->u.natural;
        break;
    case LARDER_KIND_FLOAT:
        value->real = node->u.real;
        break;
    case LARDER_KIND_STRING:
    case LARDER_KIND_BYTES:
        value->data = node->u.text->bytes;
        value->size = node->u.text->size;
        break;
    case LARDER_KIND_ARRAY:
    case LARDER_KIND_TYPED:
    case LARDER_KIND_LAZY:
        show_datum (node->u.datum, value);
        break;
    case LARDER_KIND_LIST:
    case LARDER_KIND_MAP:
        value->size = node->u.children->count;
        break;
    }
}
