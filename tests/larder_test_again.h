/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a message: decode, look at everything, encode, decode, encode; and repair what a change broke, so
 * that changed bytes get past the check.  Used by the fuzzer and by test_mutated. */
#ifndef LARDER_TEST_AGAIN_H
#define LARDER_TEST_AGAIN_H

#include "larder_test_forge.h"
#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

static inline void again_stop (const char *what, const larder_error *err)
{
    fprintf (stderr, "FAILED: %s: %s\n", what, err ? err->text : "");
    abort ();
}

/* Read every byte, so that a sanitizer sees those that are not there. */
static inline int again_look (void *self, const char *path, const larder_value *value)
{
    uint64_t *sum = self;
    const unsigned char *p = value->data;

    *sum += strlen (path);
    if (value->kind == LARDER_KIND_STRING || value->kind == LARDER_KIND_BYTES ||
        value->kind == LARDER_KIND_ARRAY) {
        for (uint64_t i = 0; i < value->size; ++i)
            *sum += p[i];
    }
    if (value->kind == LARDER_KIND_STRING && p[value->size] != 0)
        again_stop ("no zero behind a string", NULL);
    return 0;
}

static inline larder_encoded again_encode (const larder_message *m, const larder_registry *registry)
{
    larder_encoded encoded = {0};
    larder_error e = {0};

    if (larder_message_encode (m, registry, NULL, &encoded, &e) != LARDER_OK)
        again_stop ("what was decoded cannot be encoded", &e);
    return encoded;
}

/* 1 when the bytes are a message. */
static inline int again (const void *bytes, size_t size, const larder_registry *registry)
{
    larder_message *m = NULL, *back = NULL;
    larder_encoded first, second;
    larder_error e = {0};
    uint64_t sum = 0;

    if (larder_message_decode (bytes, size, registry, &m, &e) != LARDER_OK) {
        if (e.code >= 0 || e.text[0] == '\0' || m)
            again_stop ("a failure without code or text, or with a message", &e);
        return 0;
    }
    if (larder_message_walk (m, "", again_look, &sum, &e) != LARDER_OK)
        again_stop ("walk", &e);
    first = again_encode (m, registry);
    larder_message_free (&m);
    if (larder_message_decode (first.bytes, first.size, registry, &back, &e) != LARDER_OK)
        again_stop ("what was encoded cannot be decoded", &e);
    second = again_encode (back, registry);
    larder_message_free (&back);
    if (first.size != second.size || memcmp (first.bytes, second.bytes, first.size) != 0)
        again_stop ("encoded twice, it differs", NULL);
    larder_encoded_free (&first);
    larder_encoded_free (&second);
    return 1;
}

/* Make the checks of the refs in a head fit. */
static inline void again_repair_refs (unsigned char *head, uint64_t size)
{
    uint64_t at, count;

    if (size < 6 || head[0] != 0x93 || head[1] < 0xc4 || head[1] > 0xc6)
        return;
    at = 2 + (UINT64_C (1) << (head[1] - 0xc4));
    count = at == 3 ? head[2] : at == 4 ? (uint64_t)head[2] << 8 | head[3] : 0;
    for (count /= LARDER_REF_BYTES; count && at + LARDER_REF_BYTES <= size; --count) {
        unsigned char *ref = head + at, rest[LARDER_REF_BYTES - 4];
        memcpy (ref, "LR\1\0", 4);
        memcpy (rest, ref, 4);
        memcpy (rest + 4, ref + 8, LARDER_REF_BYTES - 8);
        larder_num_store32 (ref + 4, (uint32_t)XXH3_64bits (rest, sizeof rest));
        at += LARDER_REF_BYTES;
    }
}

/* Magic, version, sizes and checks; the head is as long as its size says where that is possible. */
static inline void again_repair (unsigned char *bytes, size_t size, int refs_too)
{
    uint64_t head, data_at;

    if (size < LARDER_MESSAGE_HEADER)
        return;
    memcpy (bytes, "LMSG", 4);
    bytes[4] = LARDER_MESSAGE_VERSION;
    bytes[5] &= LARDER_MESSAGE_PASS_THROUGH | LARDER_MESSAGE_BIG_ENDIAN;
    bytes[6] = bytes[7] = 0;
    head = larder_num_load64 (bytes + 8);
    if (head > size - LARDER_MESSAGE_HEADER)
        head = size - LARDER_MESSAGE_HEADER;
    data_at = (LARDER_MESSAGE_HEADER + head + 63) / 64 * 64;
    if (data_at >= size) {
        head = size - LARDER_MESSAGE_HEADER;
        data_at = size;
    }
    larder_num_store64 (bytes + 8, head);
    larder_num_store64 (bytes + 16, size - data_at);
    if (refs_too)
        again_repair_refs (bytes + LARDER_MESSAGE_HEADER, head);
    forge_check (bytes, size);
}

#endif
