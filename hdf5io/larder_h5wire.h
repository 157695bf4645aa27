/* SPDX-License-Identifier: Apache-2.0 */
/* Little-endian bytes of a recipe and of packed values: a buffer that grows, and a reader that
 * cannot leave its bytes.  Both remember a failure, so callers check once at the end. */
#ifndef LARDER_H5WIRE_H
#define LARDER_H5WIRE_H

#include <stddef.h>
#include <stdint.h>

struct larder_h5out {
    uint8_t *data;
    size_t size;
    size_t room;
    int failed; /* out of memory */
};

struct larder_h5in {
    const uint8_t *at;
    const uint8_t *end;
    int bad; /* something was cut short or cannot be */
};

/* Room for n more bytes; NULL when memory ran out. */
uint8_t *larder_h5out_room (struct larder_h5out *out, size_t n);
void larder_h5out_bytes (struct larder_h5out *out, const void *data, size_t n);
void larder_h5out_u8 (struct larder_h5out *out, unsigned value);
void larder_h5out_u32 (struct larder_h5out *out, uint32_t value);
void larder_h5out_u64 (struct larder_h5out *out, uint64_t value);
/* 7 bits a byte, for counts that are mostly small. */
void larder_h5out_count (struct larder_h5out *out, uint64_t value);
/* A string with its final zero. */
void larder_h5out_text (struct larder_h5out *out, const char *text);
void larder_h5out_set_u64 (struct larder_h5out *out, size_t at, uint64_t value);
void larder_h5out_free (struct larder_h5out *out);

size_t larder_h5in_left (const struct larder_h5in *in);
/* The next n bytes, or NULL. */
const uint8_t *larder_h5in_bytes (struct larder_h5in *in, uint64_t n);
unsigned larder_h5in_u8 (struct larder_h5in *in);
uint32_t larder_h5in_u32 (struct larder_h5in *in);
uint64_t larder_h5in_u64 (struct larder_h5in *in);
uint64_t larder_h5in_count (struct larder_h5in *in);
/* A string inside the bytes, zero-terminated; "" when bad. */
const char *larder_h5in_text (struct larder_h5in *in);

/* FNV-1a: enough against a mix-up; the transport has its own checksum. */
uint64_t larder_h5wire_sum (const void *data, size_t n);

#endif
