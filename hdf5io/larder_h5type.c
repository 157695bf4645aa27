/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_h5type.h"

#include <string.h>

static int put_type (struct larder_h5out *out, hid_t type, int depth);
static hid_t get_type (struct larder_h5in *in, int depth);

/* ------------------------------------------------------------------ putting */

/* What integers, bit fields, floats and times share. */
static int put_bits (struct larder_h5out *out, hid_t type)
{
    H5T_order_t order = H5Tget_order (type);
    int offset = H5Tget_offset (type);
    H5T_pad_t low = H5T_PAD_ZERO, high = H5T_PAD_ZERO;
    if (order < 0 || offset < 0 || H5Tget_pad (type, &low, &high) < 0)
        return -1;
    larder_h5out_u8 (out, (unsigned)order);
    larder_h5out_u32 (out, (uint32_t)H5Tget_precision (type));
    larder_h5out_u32 (out, (uint32_t)offset);
    larder_h5out_u8 (out, (unsigned)low);
    larder_h5out_u8 (out, (unsigned)high);
    return 0;
}

static int put_float (struct larder_h5out *out, hid_t type)
{
    size_t field[5];
    if (put_bits (out, type) != 0 ||
        H5Tget_fields (type, &field[0], &field[1], &field[2], &field[3], &field[4]) < 0)
        return -1;
    for (int i = 0; i < 5; ++i)
        larder_h5out_u32 (out, (uint32_t)field[i]);
    larder_h5out_u64 (out, H5Tget_ebias (type));
    larder_h5out_u8 (out, (unsigned)H5Tget_norm (type));
    larder_h5out_u8 (out, (unsigned)H5Tget_inpad (type));
    return 0;
}

static int put_string (struct larder_h5out *out, hid_t type)
{
    htri_t variable = H5Tis_variable_str (type);
    larder_h5out_u8 (out, variable > 0);
    larder_h5out_u8 (out, (unsigned)H5Tget_strpad (type));
    larder_h5out_u8 (out, (unsigned)H5Tget_cset (type));
    return variable < 0 ? -1 : 0;
}

static int put_opaque (struct larder_h5out *out, hid_t type)
{
    char *tag = H5Tget_tag (type);
    if (tag == NULL)
        return -1;
    larder_h5out_text (out, tag);
    return H5free_memory (tag) < 0 ? -1 : 0;
}

static int put_compound (struct larder_h5out *out, hid_t type, int depth)
{
    int members = H5Tget_nmembers (type);
    if (members < 0)
        return -1;
    larder_h5out_u32 (out, (uint32_t)members);
    for (unsigned i = 0; i < (unsigned)members; ++i) {
        char *name = H5Tget_member_name (type, i);
        if (name == NULL)
            return -1;
        larder_h5out_text (out, name);
        (void)H5free_memory (name);
        larder_h5out_u64 (out, H5Tget_member_offset (type, i));
        hid_t member = H5Tget_member_type (type, i);
        int code = member < 0 ? -1 : put_type (out, member, depth + 1);
        if (member >= 0)
            (void)H5Tclose (member);
        if (code != 0)
            return code;
    }
    return 0;
}

static int put_enum (struct larder_h5out *out, hid_t type)
{
    int members = H5Tget_nmembers (type);
    size_t size = H5Tget_size (type);
    if (members < 0)
        return -1;
    larder_h5out_u32 (out, (uint32_t)members);
    for (unsigned i = 0; i < (unsigned)members; ++i) {
        char *name = H5Tget_member_name (type, i);
        if (name == NULL)
            return -1;
        larder_h5out_text (out, name);
        (void)H5free_memory (name);
        uint8_t *value = larder_h5out_room (out, size);
        if (value == NULL || H5Tget_member_value (type, i, value) < 0)
            return -1;
    }
    return 0;
}

static int put_array (struct larder_h5out *out, hid_t type)
{
    hsize_t dims[H5S_MAX_RANK];
    int rank = H5Tget_array_ndims (type);
    if (rank < 1 || rank > H5S_MAX_RANK || H5Tget_array_dims2 (type, dims) < 0)
        return -1;
    larder_h5out_u8 (out, (unsigned)rank);
    for (int i = 0; i < rank; ++i)
        larder_h5out_u64 (out, dims[i]);
    return 0;
}

static int put_base (struct larder_h5out *out, hid_t type, int depth)
{
    hid_t base = H5Tget_super (type);
    if (base < 0)
        return -1;
    int code = put_type (out, base, depth + 1);
    (void)H5Tclose (base);
    return code;
}

static int put_reference (struct larder_h5out *out, hid_t type)
{
    if (H5Tequal (type, H5T_STD_REF_OBJ) > 0)
        larder_h5out_u8 (out, 0);
    else if (H5Tequal (type, H5T_STD_REF_DSETREG) > 0)
        larder_h5out_u8 (out, 1);
    else
        return -1;
    return 0;
}

static int put_type (struct larder_h5out *out, hid_t type, int depth)
{
    H5T_class_t class = H5Tget_class (type);
    size_t size = H5Tget_size (type);
    if (depth > LARDER_H5TYPE_DEPTH || class < 0 || size == 0 || size > UINT32_MAX)
        return -1;
    larder_h5out_u8 (out, (unsigned)class);
    larder_h5out_u32 (out, (uint32_t)size);
    switch (class) {
    case H5T_INTEGER:
        larder_h5out_u8 (out, (unsigned)H5Tget_sign (type));
        return put_bits (out, type);
    case H5T_BITFIELD:
    case H5T_TIME:
        return put_bits (out, type);
    case H5T_FLOAT:
        return put_float (out, type);
    case H5T_STRING:
        return put_string (out, type);
    case H5T_OPAQUE:
        return put_opaque (out, type);
    case H5T_COMPOUND:
        return put_compound (out, type, depth);
    case H5T_REFERENCE:
        return put_reference (out, type);
    case H5T_ENUM:
        return put_base (out, type, depth) != 0 ? -1 : put_enum (out, type);
    case H5T_VLEN:
        return put_base (out, type, depth);
    case H5T_ARRAY:
        return put_base (out, type, depth) != 0 ? -1 : put_array (out, type);
    default:
        return -1;
    }
}

int larder_h5type_put (struct larder_h5out *out, hid_t type)
{
    return put_type (out, type, 0);
}

/* ------------------------------------------------------------------ getting */

/* Size, order, precision, offset and padding; the order of calls matters: each step must be legal
 * by itself, so the size only grows and the offset comes after the precision. */
static int get_bits (struct larder_h5in *in, hid_t type, uint32_t size)
{
    unsigned order = larder_h5in_u8 (in);
    uint32_t precision = larder_h5in_u32 (in);
    uint32_t offset = larder_h5in_u32 (in);
    unsigned low = larder_h5in_u8 (in), high = larder_h5in_u8 (in);
    if (in->bad || precision == 0 || (uint64_t)precision + offset > 8 * (uint64_t)size ||
        order > H5T_ORDER_VAX || low >= H5T_NPAD || high >= H5T_NPAD)
        return -1;
    if (H5Tset_size (type, size) < 0 || H5Tset_order (type, (H5T_order_t)order) < 0 ||
        H5Tset_precision (type, precision) < 0 || H5Tset_offset (type, offset) < 0)
        return -1;
    return H5Tset_pad (type, (H5T_pad_t)low, (H5T_pad_t)high) < 0 ? -1 : 0;
}

static hid_t get_integer (struct larder_h5in *in, uint32_t size, H5T_class_t class)
{
    unsigned sign = class == H5T_INTEGER ? larder_h5in_u8 (in) : 0;
    hid_t type = H5Tcopy (
        class == H5T_INTEGER ? H5T_STD_I8LE : (class == H5T_TIME ? H5T_UNIX_D32LE : H5T_STD_B8LE));
    if (type < 0)
        return type;
    int code = sign < H5T_NSGN ? get_bits (in, type, size) : -1;
    if (code == 0 && class == H5T_INTEGER && H5Tset_sign (type, (H5T_sign_t)sign) < 0)
        code = -1;
    if (code == 0)
        return type;
    (void)H5Tclose (type);
    return -1;
}

static hid_t get_float (struct larder_h5in *in, uint32_t size)
{
    uint32_t field[5];
    hid_t type = H5Tcopy (H5T_IEEE_F32LE);
    if (type < 0)
        return type;
    /* The smallest fields first, so that no precision on the way is too small for them. */
    int code = H5Tset_fields (type, 2, 1, 1, 0, 1) < 0 || H5Tset_precision (type, 3) < 0 ||
               H5Tset_size (type, 1) < 0;
    if (code == 0)
        code = get_bits (in, type, size);
    for (int i = 0; i < 5; ++i)
        field[i] = larder_h5in_u32 (in);
    uint64_t bias = larder_h5in_u64 (in);
    unsigned norm = larder_h5in_u8 (in), pad = larder_h5in_u8 (in);
    if (code == 0)
        code = in->bad || norm > H5T_NORM_NONE || pad >= H5T_NPAD ||
               H5Tset_fields (type, field[0], field[1], field[2], field[3], field[4]) < 0 ||
               H5Tset_ebias (type, bias) < 0 || H5Tset_norm (type, (H5T_norm_t)norm) < 0 ||
               H5Tset_inpad (type, (H5T_pad_t)pad) < 0;
    if (code == 0)
        return type;
    (void)H5Tclose (type);
    return -1;
}

static hid_t get_string (struct larder_h5in *in, uint32_t size)
{
    unsigned variable = larder_h5in_u8 (in), pad = larder_h5in_u8 (in), cset = larder_h5in_u8 (in);
    if (in->bad || variable > 1 || pad >= H5T_NSTR || cset >= H5T_NCSET)
        return -1;
    hid_t type = H5Tcopy (H5T_C_S1);
    if (type < 0)
        return type;
    if (H5Tset_size (type, variable ? H5T_VARIABLE : size) < 0 ||
        H5Tset_strpad (type, (H5T_str_t)pad) < 0 || H5Tset_cset (type, (H5T_cset_t)cset) < 0) {
        (void)H5Tclose (type);
        return -1;
    }
    return type;
}

static hid_t get_opaque (struct larder_h5in *in, uint32_t size)
{
    const char *tag = larder_h5in_text (in);
    hid_t type = in->bad ? -1 : H5Tcreate (H5T_OPAQUE, size);
    if (type >= 0 && H5Tset_tag (type, tag) < 0) {
        (void)H5Tclose (type);
        return -1;
    }
    return type;
}

static hid_t get_compound (struct larder_h5in *in, uint32_t size, int depth)
{
    uint32_t members = larder_h5in_u32 (in);
    if (in->bad || members > larder_h5in_left (in))
        return -1;
    hid_t type = H5Tcreate (H5T_COMPOUND, size);
    int good = type >= 0;
    for (uint32_t i = 0; good && i < members; ++i) {
        const char *name = larder_h5in_text (in);
        uint64_t offset = larder_h5in_u64 (in);
        hid_t member = get_type (in, depth + 1);
        good = member >= 0 && offset < size && H5Tinsert (type, name, offset, member) >= 0;
        if (member >= 0)
            (void)H5Tclose (member);
    }
    if (!good && type >= 0)
        (void)H5Tclose (type);
    return good ? type : -1;
}

static hid_t get_enum (struct larder_h5in *in, int depth)
{
    hid_t base = get_type (in, depth + 1);
    if (base < 0)
        return -1;
    size_t size = H5Tget_size (base);
    hid_t type = H5Tget_class (base) == H5T_INTEGER ? H5Tenum_create (base) : -1;
    (void)H5Tclose (base);
    uint32_t members = larder_h5in_u32 (in);
    int good = type >= 0 && members <= larder_h5in_left (in);
    for (uint32_t i = 0; good && i < members; ++i) {
        const char *name = larder_h5in_text (in);
        const uint8_t *value = larder_h5in_bytes (in, size);
        good = value && H5Tenum_insert (type, name, value) >= 0;
    }
    if (!good && type >= 0)
        (void)H5Tclose (type);
    return good ? type : -1;
}

static hid_t get_array (struct larder_h5in *in, int depth)
{
    hsize_t dims[H5S_MAX_RANK];
    hid_t base = get_type (in, depth + 1);
    if (base < 0)
        return -1;
    uint64_t size = H5Tget_size (base);
    unsigned rank = larder_h5in_u8 (in);
    int good = size > 0 && rank >= 1 && rank <= H5S_MAX_RANK;
    for (unsigned i = 0; good && i < rank; ++i) {
        dims[i] = larder_h5in_u64 (in);
        good = !in->bad && dims[i] > 0 && dims[i] <= UINT32_MAX / size;
        size *= good ? dims[i] : 1;
    }
    hid_t type = good ? H5Tarray_create2 (base, rank, dims) : -1;
    (void)H5Tclose (base);
    return type;
}

static hid_t get_vlen (struct larder_h5in *in, int depth)
{
    hid_t base = get_type (in, depth + 1);
    if (base < 0)
        return -1;
    hid_t type = H5Tvlen_create (base);
    (void)H5Tclose (base);
    return type;
}

static hid_t get_class (struct larder_h5in *in, unsigned class, uint32_t size, int depth)
{
    switch (class) {
    case H5T_INTEGER:
    case H5T_BITFIELD:
    case H5T_TIME:
        return get_integer (in, size, (H5T_class_t) class);
    case H5T_FLOAT:
        return get_float (in, size);
    case H5T_STRING:
        return get_string (in, size);
    case H5T_OPAQUE:
        return get_opaque (in, size);
    case H5T_COMPOUND:
        return get_compound (in, size, depth);
    case H5T_REFERENCE:
        return H5Tcopy (larder_h5in_u8 (in) ? H5T_STD_REF_DSETREG : H5T_STD_REF_OBJ);
    case H5T_ENUM:
        return get_enum (in, depth);
    case H5T_VLEN:
        return get_vlen (in, depth);
    case H5T_ARRAY:
        return get_array (in, depth);
    default:
        return -1;
    }
}

static hid_t get_type (struct larder_h5in *in, int depth)
{
    unsigned class = larder_h5in_u8 (in);
    uint32_t size = larder_h5in_u32 (in);
    hid_t type = -1;
    if (!in->bad && size > 0 && depth <= LARDER_H5TYPE_DEPTH)
        type = get_class (in, class, size, depth);
    if (type >= 0 && in->bad) {
        (void)H5Tclose (type);
        type = -1;
    }
    if (type < 0)
        in->bad = 1;
    return type;
}

hid_t larder_h5type_get (struct larder_h5in *in)
{
    return get_type (in, 0);
}

int larder_h5type_kept (const struct larder_h5out *out, size_t from, hid_t type)
{
    if (out->failed)
        return 1; /* reported as out of memory by who looks at out */
    struct larder_h5in in = {out->data + from, out->data + out->size, 0};
    hid_t again = larder_h5type_get (&in);
    if (again < 0)
        return 0;
    /* A committed type equals only itself, so its transient copy is compared. */
    hid_t copy = H5Tcopy (type);
    int same = copy >= 0 && in.at == in.end && H5Tequal (again, copy) > 0;
    if (copy >= 0)
        (void)H5Tclose (copy);
    (void)H5Tclose (again);
    return same;
}
