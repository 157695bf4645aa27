/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * Shapes: element type and extent of an array, as they stand beside it in a message. */
#ifndef LARDER_SHAPE_H
#define LARDER_SHAPE_H

#include <larder/error.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Element types: symbol, number on the wire, bytes of an element, name. */
#define LARDER_TYPES(X)                                                                            \
    X (LARDER_OPAQUE, 0, 0, "opaque")                                                              \
    X (LARDER_INT8, 1, 1, "int8")                                                                  \
    X (LARDER_INT16, 2, 2, "int16")                                                                \
    X (LARDER_INT32, 3, 4, "int32")                                                                \
    X (LARDER_INT64, 4, 8, "int64")                                                                \
    X (LARDER_UINT8, 5, 1, "uint8")                                                                \
    X (LARDER_UINT16, 6, 2, "uint16")                                                              \
    X (LARDER_UINT32, 7, 4, "uint32")                                                              \
    X (LARDER_UINT64, 8, 8, "uint64")                                                              \
    X (LARDER_FLOAT16, 9, 2, "float16")                                                            \
    X (LARDER_FLOAT32, 10, 4, "float32")                                                           \
    X (LARDER_FLOAT64, 11, 8, "float64")                                                           \
    X (LARDER_COMPLEX64, 12, 8, "complex64")                                                       \
    X (LARDER_COMPLEX128, 13, 16, "complex128")

#define LARDER_TYPE_ENUM(symbol, value, bytes, name) symbol = (value),
/** Element types; see LARDER_TYPES.  Complex numbers are two floats, the real part first. */
typedef enum larder_type { LARDER_TYPES (LARDER_TYPE_ENUM) } larder_type;
#undef LARDER_TYPE_ENUM

/** Most dimensions an array may have; as HDF5. */
#define LARDER_MAX_DIMS 32

/** Element type and extent.  No dimension: one element.  Rows are contiguous, the last dimension runs
 * fastest. */
typedef struct larder_shape {
    larder_type type;
    uint32_t element_size;          /**< bytes of an element; only looked at for LARDER_OPAQUE */
    int ndims;                      /**< 0 .. LARDER_MAX_DIMS */
    uint64_t dims[LARDER_MAX_DIMS]; /**< a dimension may be 0 */
} larder_shape;

/** A shape of up to three dimensions; those that are 0 count as absent from the first one on, so set ndims and
 * dims yourself for an array without rows.
 * Collective: no.  Thread: any.  Blocks: no. */
larder_shape larder_shape_make (larder_type type, uint64_t dim0, uint64_t dim1, uint64_t dim2);

/** Bytes of an array of this shape.  Collective: no.  Thread: any.  Blocks: no.
 * \param [out] size  Unchanged on failure.
 * \return LARDER_OK; LARDER_EINVAL (unknown type, dimensions out of bounds, opaque elements of 0 bytes);
 *     LARDER_ERANGE when 64 bits do not hold it. */
int larder_shape_size (const larder_shape *shape, uint64_t *size, larder_error *err);

/** 1 when two shapes are equal in type, element size and dimensions.  Collective: no.  Thread: any.
 * Blocks: no. */
int larder_shape_equal (const larder_shape *a, const larder_shape *b);

/** Bytes of an element of a type: 0 for LARDER_OPAQUE, and for what is no type.  Collective: no.
 * Thread: any.  Blocks: no. */
uint32_t larder_type_size (larder_type type);

/** "float64" for example; "unknown type" for what is none.  Static, never NULL.  Collective: no.
 * Thread: any.  Blocks: no. */
const char *larder_type_name (larder_type type);

#ifdef __cplusplus
}
#endif
#endif
