/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_scan.h"
#include "larder_num.h"
#include <inttypes.h>
#include <stddef.h>

/* What the first bytes of a value say. */
struct head {
    uint64_t size;    /* of the head itself */
    uint64_t payload; /* bytes that follow */
    uint64_t values;  /* values that follow: of a map twice its pairs */
    int is_map, is_string, is_ext;
};

/* A list or map that is being read; the lowest holds the one value that all is. */
struct level {
    uint64_t left; /* values still to come */
    int is_map;
};

static uint64_t big_endian (const unsigned char *p, unsigned n)
{
    uint64_t number = 0;

    for (; n; --n)
        number = number << 8 | *p++;
    return number;
}

/* Values with a length of `width` bytes behind their first byte: NULL, or why not. */
static const char *read_length (const unsigned char *p, uint64_t left, unsigned width,
                                uint64_t *length, struct head *h)
{
    if (left < 1 + (uint64_t)width)
        return "the bytes end within a length";
    *length = big_endian (p + 1, width);
    h->size = 1 + width;
    return NULL;
}

/* Types whose first byte holds everything: their number is 1 when this was one. */
static int read_short (unsigned char first, struct head *h)
{
    if (first < 0x80 || first >= 0xe0 || first == 0xc0 || first == 0xc2 || first == 0xc3) {
        return 1;
    } else if (first < 0x90) {
        h->is_map = 1;
        h->values = 2 * (uint64_t)(first & 15);
    } else if (first < 0xa0) {
        h->values = first & 15;
    } else if (first < 0xc0) {
        h->is_string = 1;
        h->payload = first & 31;
    } else {
        return 0;
    }
    return 1;
}

/* NULL, or why not.  left >= 1. */
static const char *read_head (const unsigned char *p, uint64_t left, struct head *h)
{
    const char *why = NULL;

    *h = (struct head){.size = 1};
    if (read_short (*p, h))
        return NULL;
    switch (*p) {
    case 0xc4: /* bin */
    case 0xc5:
    case 0xc6:
        return read_length (p, left, 1U << (*p - 0xc4), &h->payload, h);
    case 0xcb: /* float64 */
        h->payload = 8;
        return NULL;
    case 0xcc: /* unsigned, signed */
    case 0xcd:
    case 0xce:
    case 0xcf:
        h->payload = 1U << (*p - 0xcc);
        return NULL;
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
        h->payload = 1U << (*p - 0xd0);
        return NULL;
    case 0xd4: /* fixext */
    case 0xd5:
    case 0xd6:
        h->is_ext = 1;
        h->size = 2;
        h->payload = 1U << (*p - 0xd4);
        return NULL;
    case 0xd9: /* str */
    case 0xda:
    case 0xdb:
        h->is_string = 1;
        return read_length (p, left, 1U << (*p - 0xd9), &h->payload, h);
    case 0xdc: /* array */
    case 0xdd:
        return read_length (p, left, 2U << (*p - 0xdc), &h->values, h);
    case 0xde: /* map */
    case 0xdf:
        h->is_map = 1;
        why = read_length (p, left, 2U << (*p - 0xde), &h->values, h);
        h->values *= 2; /* of 32 bits */
        return why;
    default:
        return "a type that messages do not have";
    }
}

/* All about one value but its depth; pending: values that were promised, this one not among them. */
static const char *check_value (const unsigned char *p, uint64_t left, uint64_t pending, int is_key,
                                int ext_type, struct head *h)
{
    const char *why;

    if (left == 0)
        return "the bytes end before the last value";
    why = read_head (p, left, h);
    if (why)
        return why;
    if (h->size > left || h->payload > left - h->size)
        return "a value is longer than the bytes that are left";
    if (h->is_ext && (signed char)p[1] != ext_type)
        return "an ext type that messages do not have";
    if (is_key && !h->is_string)
        return "a name that is no string";
    left -= h->size + h->payload;
    /* Each value takes a byte at least. */
    if (pending > left || h->values > left - pending)
        return "more values than bytes that are left";
    return NULL;
}

int larder_scan (const void *bytes, uint64_t size, unsigned depth_max, int ext_type,
                 larder_error *err)
{
    const unsigned char *p = bytes;
    struct level levels[LARDER_SCAN_DEPTH + 1];
    uint64_t at = 0, pending = 1;
    unsigned depth = 0;
    const char *why = NULL;

    if (depth_max > LARDER_SCAN_DEPTH)
        depth_max = LARDER_SCAN_DEPTH;
    levels[0] = (struct level){.left = 1};
    while (pending > 0) {
        struct head h;
        int is_key;

        while (levels[depth].left == 0)
            --depth;
        is_key = levels[depth].is_map && levels[depth].left % 2 == 0;
        --levels[depth].left;
        --pending;
        why = check_value (p + at, size - at, pending, is_key, ext_type, &h);
        if (!why && h.values > 0 && depth == depth_max)
            why = "lists and maps are too deep in each other";
        if (why)
            break;
        at += h.size + h.payload;
        pending += h.values;
        if (h.values > 0)
            levels[++depth] = (struct level){.left = h.values, .is_map = h.is_map};
    }
    if (!why && at != size)
        why = "bytes behind the last value";
    if (why)
        return larder_error_set (err, LARDER_EFORMAT, 0, "message: head, byte %" PRIu64 ": %s", at,
                                 why);
    return LARDER_OK;
}
