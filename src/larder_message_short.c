/* SPDX-License-Identifier: Apache-2.0 */
/* The shorter ways to set and get. */
#include "larder_path.h"
#include <inttypes.h>
#include <larder/message.h>
#include <string.h>

const char *larder_kind_name (larder_kind kind)
{
    static const char *const names[] = {
        [LARDER_KIND_NIL] = "nil",     [LARDER_KIND_BOOL] = "bool",
        [LARDER_KIND_INT] = "int",     [LARDER_KIND_UINT] = "uint",
        [LARDER_KIND_FLOAT] = "float", [LARDER_KIND_STRING] = "string",
        [LARDER_KIND_BYTES] = "bytes", [LARDER_KIND_ARRAY] = "array",
        [LARDER_KIND_TYPED] = "typed", [LARDER_KIND_LAZY] = "lazy",
        [LARDER_KIND_LIST] = "list",   [LARDER_KIND_MAP] = "map",
    };
    return (int)kind >= 0 && (int)kind <= LARDER_KIND_MAP ? names[kind] : "unknown kind";
}

/* ---------------------------------------------------------------- set */

static int null_argument (const char *function, larder_error *err)
{
    return larder_error_set (err, LARDER_EINVAL, 0, "%s: NULL argument", function);
}

int larder_message_set_int (larder_message *message, const char *path, int64_t value,
                            larder_error *err)
{
    return larder_message_set (message, path,
                               &(larder_value){.kind = LARDER_KIND_INT, .integer = value}, err);
}

int larder_message_set_float (larder_message *message, const char *path, double value,
                              larder_error *err)
{
    return larder_message_set (message, path,
                               &(larder_value){.kind = LARDER_KIND_FLOAT, .real = value}, err);
}

int larder_message_set_string (larder_message *message, const char *path, const char *text,
                               larder_error *err)
{
    if (!text)
        return null_argument ("larder_message_set_string", err);
    return larder_message_set (
        message, path,
        &(larder_value){.kind = LARDER_KIND_STRING, .data = text, .size = strlen (text)}, err);
}

int larder_message_set_bytes (larder_message *message, const char *path, const void *data,
                              uint64_t size, larder_error *err)
{
    return larder_message_set (
        message, path, &(larder_value){.kind = LARDER_KIND_BYTES, .data = data, .size = size}, err);
}

int larder_message_set_array (larder_message *message, const char *path, const larder_shape *shape,
                              const void *data, larder_error *err)
{
    if (!shape)
        return null_argument ("larder_message_set_array", err);
    return larder_message_set (
        message, path,
        &(larder_value){
            .kind = LARDER_KIND_ARRAY, .dot = LARDER_DOT_ARRAY, .shape = *shape, .data = data},
        err);
}

int larder_message_set_lazy (larder_message *message, const char *path, const larder_lazy *lazy,
                             larder_error *err)
{
    if (!lazy)
        return null_argument ("larder_message_set_lazy", err);
    return larder_message_set (message, path,
                               &(larder_value){.kind = LARDER_KIND_LAZY, .lazy = *lazy}, err);
}

/* ---------------------------------------------------------------- get */

static int other_kind (const char *path, const larder_value *value, const char *wanted,
                       larder_error *err)
{
    return larder_error_set (err, LARDER_EKIND, 0, "message: \"%.*s\" is of kind %s, not %s",
                             larder_path_shown (strlen (path)), path,
                             larder_kind_name (value->kind), wanted);
}

int larder_message_get_int (const larder_message *message, const char *path, int64_t *value,
                            larder_error *err)
{
    larder_value v;
    int rc;

    if (!value)
        return null_argument ("larder_message_get_int", err);
    rc = larder_message_get (message, path, &v, err);
    if (rc != LARDER_OK)
        return rc;
    if (v.kind == LARDER_KIND_UINT)
        return larder_error_set (err, LARDER_ERANGE, 0,
                                 "message: \"%.*s\" is %" PRIu64 ", more than int64_t holds",
                                 larder_path_shown (strlen (path)), path, v.natural);
    if (v.kind != LARDER_KIND_INT)
        return other_kind (path, &v, "int", err);
    *value = v.integer;
    return LARDER_OK;
}

int larder_message_get_float (const larder_message *message, const char *path, double *value,
                              larder_error *err)
{
    larder_value v;
    int rc;

    if (!value)
        return null_argument ("larder_message_get_float", err);
    rc = larder_message_get (message, path, &v, err);
    if (rc != LARDER_OK)
        return rc;
    if (v.kind != LARDER_KIND_FLOAT && v.kind != LARDER_KIND_INT && v.kind != LARDER_KIND_UINT)
        return other_kind (path, &v, "a number", err);
    *value = v.real;
    return LARDER_OK;
}

int larder_message_get_string (const larder_message *message, const char *path, const char **text,
                               larder_error *err)
{
    larder_value v;
    int rc;

    if (!text)
        return null_argument ("larder_message_get_string", err);
    rc = larder_message_get (message, path, &v, err);
    if (rc != LARDER_OK)
        return rc;
    if (v.kind != LARDER_KIND_STRING)
        return other_kind (path, &v, "string", err);
    *text = v.data;
    return LARDER_OK;
}

int larder_message_get_array (const larder_message *message, const char *path, larder_type type,
                              larder_shape *shape, const void **data, larder_error *err)
{
    larder_value v;
    int rc;

    if (!shape || !data)
        return null_argument ("larder_message_get_array", err);
    rc = larder_message_get (message, path, &v, err);
    if (rc != LARDER_OK)
        return rc;
    if (v.kind != LARDER_KIND_ARRAY)
        return other_kind (path, &v, "array", err);
    if (v.shape.type != type)
        return larder_error_set (err, LARDER_EKIND, 0,
                                 "message: \"%.*s\" is an array of %s, not %s",
                                 larder_path_shown (strlen (path)), path,
                                 larder_type_name (v.shape.type), larder_type_name (type));
    *shape = v.shape;
    *data = v.data;
    return LARDER_OK;
}
