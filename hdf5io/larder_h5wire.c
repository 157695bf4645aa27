/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_h5wire.h"

#include <stdlib.h>
#include <string.h>

uint8_t *larder_h5out_room (struct larder_h5out *out, size_t n)
{
    if (out->failed)
        return NULL;
    if (n > out->room - out->size) {
        size_t room = out->room + out->room / 2 + 256;
        if (n > SIZE_MAX - out->size) {
            out->failed = 1;
            return NULL;
        }
        if (room < out->size + n)
            room = out->size + n;
        uint8_t *data = realloc (out->data, room);
        if (data == NULL) {
            out->failed = 1;
            return NULL;
        }
        out->data = data;
        out->room = room;
    }
    uint8_t *at = out->data + out->size;
    out->size += n;
    return at;
}

void larder_h5out_bytes (struct larder_h5out *out, const void *data, size_t n)
{
    uint8_t *at = larder_h5out_room (out, n);
    if (at && n)
        memcpy (at, data, n);
}

static void put (uint8_t *at, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; ++i)
        at[i] = (uint8_t)(value >> (8 * i));
}

static void put_out (struct larder_h5out *out, uint64_t value, size_t n)
{
    uint8_t *at = larder_h5out_room (out, n);
    if (at)
        put (at, value, n);
}

void larder_h5out_u8 (struct larder_h5out *out, unsigned value)
{
    put_out (out, value, 1);
}

void larder_h5out_u32 (struct larder_h5out *out, uint32_t value)
{
    put_out (out, value, 4);
}

void larder_h5out_u64 (struct larder_h5out *out, uint64_t value)
{
    put_out (out, value, 8);
}

void larder_h5out_count (struct larder_h5out *out, uint64_t value)
{
    while (value >= 0x80) {
        larder_h5out_u8 (out, (unsigned)(value & 0x7f) | 0x80);
        value >>= 7;
    }
    larder_h5out_u8 (out, (unsigned)value);
}

void larder_h5out_text (struct larder_h5out *out, const char *text)
{
    size_t n = strlen (text);
    larder_h5out_count (out, n);
    larder_h5out_bytes (out, text, n + 1);
}

void larder_h5out_set_u64 (struct larder_h5out *out, size_t at, uint64_t value)
{
    if (!out->failed)
        put (out->data + at, value, 8);
}

void larder_h5out_free (struct larder_h5out *out)
{
    free (out->data);
    memset (out, 0, sizeof *out);
}

size_t larder_h5in_left (const struct larder_h5in *in)
{
    return in->bad ? 0 : (size_t)(in->end - in->at);
}

const uint8_t *larder_h5in_bytes (struct larder_h5in *in, uint64_t n)
{
    if (in->bad || n > (uint64_t)(in->end - in->at)) {
        in->bad = 1;
        return NULL;
    }
    const uint8_t *at = in->at;
    in->at += n;
    return at;
}

static uint64_t get_in (struct larder_h5in *in, size_t n)
{
    const uint8_t *at = larder_h5in_bytes (in, n);
    uint64_t value = 0;
    for (size_t i = 0; at && i < n; ++i)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

unsigned larder_h5in_u8 (struct larder_h5in *in)
{
    return (unsigned)get_in (in, 1);
}

uint32_t larder_h5in_u32 (struct larder_h5in *in)
{
    return (uint32_t)get_in (in, 4);
}

uint64_t larder_h5in_u64 (struct larder_h5in *in)
{
    return get_in (in, 8);
}

uint64_t larder_h5in_count (struct larder_h5in *in)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        unsigned byte = larder_h5in_u8 (in);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return in->bad ? 0 : value;
    }
    in->bad = 1;
    return 0;
}

const char *larder_h5in_text (struct larder_h5in *in)
{
    uint64_t n = larder_h5in_count (in);
    const uint8_t *at = n < UINT64_MAX ? larder_h5in_bytes (in, n + 1) : NULL;
    if (at == NULL || memchr (at, 0, (size_t)n + 1) != at + n) {
        in->bad = 1;
        return "";
    }
    return (const char *)at;
}

uint64_t larder_h5wire_sum (const void *data, size_t n)
{
    const uint8_t *at = data;
    uint64_t sum = 0xcbf29ce484222325u;
    for (size_t i = 0; i < n; ++i)
        sum = (sum ^ at[i]) * 0x100000001b3u;
    return sum;
}
