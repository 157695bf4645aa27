/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_num.h"
#include <inttypes.h>
#include <larder/shape.h>
#include <stddef.h>

uint32_t larder_type_size (larder_type type)
{
    switch ((int)type) {
#define SIZE_CASE(symbol, value, bytes, name)                                                      \
    case (value):                                                                                  \
        return (bytes);
        LARDER_TYPES (SIZE_CASE)
#undef SIZE_CASE
    default:
        return 0;
    }
}

const char *larder_type_name (larder_type type)
{
    switch ((int)type) {
#define NAME_CASE(symbol, value, bytes, name)                                                      \
    case (value):                                                                                  \
        return (name);
        LARDER_TYPES (NAME_CASE)
#undef NAME_CASE
    default:
        return "unknown type";
    }
}

larder_shape larder_shape_make (larder_type type, uint64_t dim0, uint64_t dim1, uint64_t dim2)
{
    const uint64_t dims[] = {dim0, dim1, dim2};
    larder_shape shape = {.type = type};

    while (shape.ndims < 3 && dims[shape.ndims] != 0) {
        shape.dims[shape.ndims] = dims[shape.ndims];
        ++shape.ndims;
    }
    return shape;
}

/* Bytes of an element; 0: there is no such. */
static uint32_t element_of (const larder_shape *shape)
{
    return shape->type == LARDER_OPAQUE ? shape->element_size : larder_type_size (shape->type);
}

int larder_shape_size (const larder_shape *shape, uint64_t *size, larder_error *err)
{
    if (!shape || !size)
        return larder_error_set (err, LARDER_EINVAL, 0, "larder_shape_size: NULL argument");
    if (shape->type != LARDER_OPAQUE && larder_type_size (shape->type) == 0)
        return larder_error_set (err, LARDER_EINVAL, 0, "shape: there is no element type %d",
                                 (int)shape->type);
    if (shape->ndims < 0 || shape->ndims > LARDER_MAX_DIMS)
        return larder_error_set (err, LARDER_EINVAL, 0, "shape: %d dimensions, at most %d",
                                 shape->ndims, LARDER_MAX_DIMS);
    if (element_of (shape) == 0)
        return larder_error_set (err, LARDER_EINVAL, 0, "shape: opaque elements of 0 bytes");

    uint64_t bytes = element_of (shape);
    /* An empty array is empty, whatever its other dimensions are. */
    for (int i = 0; i < shape->ndims; ++i)
        if (shape->dims[i] == 0)
            bytes = 0;
    for (int i = 0; i < shape->ndims && bytes; ++i)
        if (larder_num_mul (bytes, shape->dims[i], &bytes))
            return larder_error_set (err, LARDER_ERANGE, 0,
                                     "shape: dimension %d of %" PRIu64
                                     " makes more bytes than 64 bits hold",
                                     i, shape->dims[i]);
    *size = bytes;
    return LARDER_OK;
}

int larder_shape_equal (const larder_shape *a, const larder_shape *b)
{
    if (!a || !b)
        return a == b;
    if (a->type != b->type || element_of (a) != element_of (b) || a->ndims != b->ndims)
        return 0;
    for (int i = 0; i < a->ndims && i < LARDER_MAX_DIMS; ++i)
        if (a->dims[i] != b->dims[i])
            return 0;
    return 1;
}
