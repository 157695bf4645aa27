/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes to a message (larder_message_decode, in encode.h, is its public side). */
#ifndef LARDER_UNPACK_H
#define LARDER_UNPACK_H

#include "larder_message.h"
#include "larder_registry.h"

/* The header, 32 bytes, little-endian:
 *    0  4  magic "LMSG"              8  8  bytes of the head
 *    4  1  version 1                16  8  bytes of the data section
 *    5  1  flags                    24  8  XXH3-64 of all behind the header, seeded with that of bytes 0..23
 *    6  2  zero
 * Then the head, one msgpack value: [refs, values, body]; when there is a data section, zeros up to a multiple
 * of 64; the data section. */
enum {
    LARDER_MESSAGE_HEADER = 32,
    LARDER_MESSAGE_VERSION = 1,
    LARDER_MESSAGE_PASS_THROUGH = 1, /* flag: decoders leave lazy refs lazy */
    LARDER_MESSAGE_BIG_ENDIAN = 128, /* flag: byte order of the native arrays */
    LARDER_MESSAGE_EXT = 1,          /* msgpack ext type in the body: number of a value */
    LARDER_MESSAGE_ALIGN = 64        /* of the data section and of each value in it */
};

/* The flag that native arrays of this machine have. */
static inline unsigned larder_message_byte_order (void)
{
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? (unsigned)LARDER_MESSAGE_BIG_ENDIAN : 0;
}

/* The check of a whole message. */
uint64_t larder_message_check (const void *bytes, size_t size);

/* As larder_message_decode; strict: 1: a native value without a handler is LARDER_EHANDLER, not sealed, unless the
 * message asks for pass-through.  *flags: the header's, also on failure, 0 when it could not be read. */
int larder_unpack (const void *bytes, size_t size, const larder_registry *registry, int strict,
                   larder_message **message, unsigned *flags, larder_error *err);

#endif
