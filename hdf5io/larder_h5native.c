/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_h5native.h"

#include "larder_h5error.h"

#include <string.h>

static int fail (larder_error *err, const char *doing)
{
    return larder_h5error (err, LARDER_EHDF5, "the type in memory: %s", doing);
}

/* ---------------------------------------------------------------- the type */

/* IEEE 754 binary16, of either byte order. */
static int is_half (hid_t type)
{
    size_t sign, exponent, exponent_bits, mantissa, mantissa_bits;
    if (H5Tget_class (type) != H5T_FLOAT || H5Tget_size (type) != 2)
        return 0;
    if (H5Tget_fields (type, &sign, &exponent, &exponent_bits, &mantissa, &mantissa_bits) < 0)
        return -1;
    H5T_order_t order = H5Tget_order (type);
    return sign == 15 && exponent == 10 && exponent_bits == 5 && mantissa == 0 &&
           mantissa_bits == 10 && H5Tget_ebias (type) == 15 &&
           H5Tget_norm (type) == H5T_NORM_IMPLIED &&
           (order == H5T_ORDER_LE || order == H5T_ORDER_BE);
}

/* HDF5 takes its largest number for one that is larger. */
static int is_narrower (hid_t native, hid_t type)
{
    H5T_class_t class = H5Tget_class (type);
    return (class == H5T_INTEGER || class == H5T_FLOAT || class == H5T_BITFIELD) &&
           H5Tget_precision (native) < H5Tget_precision (type);
}

int larder_h5native_type (hid_t file_type, hid_t *native, larder_error *err)
{
    int half = is_half (file_type);
    if (half < 0)
        return fail (err, "looking at a float");
    hid_t type = half ? H5I_INVALID_HID : H5Tget_native_type (file_type, H5T_DIR_DEFAULT);
    if (type >= 0 && is_narrower (type, file_type)) {
        if (H5Tclose (type) < 0)
            return fail (err, "closing it");
        type = H5I_INVALID_HID;
    }
    if (type < 0)
        type = H5Tcopy (file_type);
    if (type < 0)
        return fail (err, "making it");
    if (half && H5Tset_order (type, H5Tget_order (H5T_NATIVE_FLOAT)) < 0) {
        int rc = fail (err, "setting its byte order");
        (void)H5Tclose (type);
        return rc;
    }
    *native = type;
    return LARDER_OK;
}

/* ---------------------------------------------------------------- what larder calls it */

static htri_t is_number (hid_t type, larder_type *found)
{
    const struct {
        hid_t type;
        larder_type is;
    } number[] = {
        {H5T_NATIVE_INT8, LARDER_INT8},     {H5T_NATIVE_INT16, LARDER_INT16},
        {H5T_NATIVE_INT32, LARDER_INT32},   {H5T_NATIVE_INT64, LARDER_INT64},
        {H5T_NATIVE_UINT8, LARDER_UINT8},   {H5T_NATIVE_UINT16, LARDER_UINT16},
        {H5T_NATIVE_UINT32, LARDER_UINT32}, {H5T_NATIVE_UINT64, LARDER_UINT64},
        {H5T_NATIVE_FLOAT, LARDER_FLOAT32}, {H5T_NATIVE_DOUBLE, LARDER_FLOAT64},
    };
    for (size_t i = 0; i < sizeof number / sizeof *number; ++i) {
        htri_t same = H5Tequal (type, number[i].type);
        if (same > 0)
            *found = number[i].is;
        if (same)
            return same;
    }
    if (is_half (type) > 0 && H5Tget_order (type) == H5Tget_order (H5T_NATIVE_FLOAT)) {
        *found = LARDER_FLOAT16;
        return 1;
    }
    return 0;
}

/* Member `at` of a compound is called `name`, is a float of half its size, and lies where it should. */
static htri_t is_part (hid_t type, unsigned at, const char *name, hid_t part)
{
    char *called = H5Tget_member_name (type, at);
    if (!called)
        return -1;
    int same = strcmp (called, name) == 0;
    if (H5free_memory (called) < 0)
        return -1;
    if (!same || H5Tget_member_offset (type, at) != at * H5Tget_size (part))
        return 0;
    hid_t member = H5Tget_member_type (type, at);
    htri_t equal = member < 0 ? -1 : H5Tequal (member, part);
    return member >= 0 && H5Tclose (member) < 0 ? -1 : equal;
}

/* Complex numbers as h5py and others write them: a compound of r and i. */
static htri_t is_complex (hid_t type, larder_type *found)
{
    size_t size = H5Tget_size (type);
    if (H5Tget_class (type) != H5T_COMPOUND || H5Tget_nmembers (type) != 2)
        return 0;
    if (size != 2 * sizeof (float) && size != 2 * sizeof (double))
        return 0;
    hid_t part = size == 2 * sizeof (float) ? H5T_NATIVE_FLOAT : H5T_NATIVE_DOUBLE;
    htri_t is = is_part (type, 0, "r", part);
    if (is > 0)
        is = is_part (type, 1, "i", part);
    if (is > 0)
        *found = size == 2 * sizeof (float) ? LARDER_COMPLEX64 : LARDER_COMPLEX128;
    return is;
}

int larder_h5native_shape (const struct larder_h5describe *d, hid_t native, const char *name,
                           larder_shape *shape, uint64_t *size, larder_error *err)
{
    larder_shape made;
    memset (&made, 0, sizeof made);
    made.type = LARDER_OPAQUE;
    size_t element = H5Tget_size (native);
    htri_t is = element == 0 ? -1 : is_number (native, &made.type);
    if (is == 0)
        is = is_complex (native, &made.type);
    H5S_class_t kind = H5Sget_simple_extent_type (d->space);
    if (is < 0 || kind == H5S_NO_CLASS)
        return fail (err, name);
    if (element > UINT32_MAX || d->rank > LARDER_MAX_DIMS)
        return larder_error_set (
            err, LARDER_ENOTSUP, 0,
            "dataset %s: its elements, of %zu bytes, are too large for messages", name, element);
    made.element_size = (uint32_t)element;
    made.ndims = kind == H5S_NULL ? 1 : d->rank;
    for (int i = 0; i < d->rank; ++i)
        made.dims[i] = d->dims[i];
    uint64_t bytes = 0;
    int rc = larder_shape_size (&made, &bytes, err);
    if (!rc && bytes > SIZE_MAX / 2)
        rc = larder_error_set (err, LARDER_ERANGE, 0, "dataset %s: too large for memory", name);
    if (rc)
        return rc;
    *shape = made;
    *size = bytes;
    return LARDER_OK;
}

int larder_h5native_describe (const struct larder_h5describe *d, const char *name,
                              larder_shape *shape, uint64_t *size, larder_error *err)
{
    hid_t native = H5I_INVALID_HID;
    int rc = larder_h5native_type (d->type, &native, err);
    if (rc)
        return rc;
    rc = larder_h5native_shape (d, native, name, shape, size, err);
    if (H5Tclose (native) < 0 && !rc)
        rc = fail (err, "closing it");
    return rc;
}

int larder_h5native_check (const larder_shape *shape, uint64_t size, const larder_shape *promised,
                           uint64_t promised_size, larder_error *err)
{
    if (size == promised_size && larder_shape_equal (shape, promised))
        return LARDER_OK;
    return larder_error_set (
        err, LARDER_EINCOMPLETE, 0,
        "a dataset of %llu bytes of %s is not the one of %llu bytes of %s that its "
        "message names",
        (unsigned long long)size, larder_type_name (shape->type), (unsigned long long)promised_size,
        larder_type_name (promised->type));
}
