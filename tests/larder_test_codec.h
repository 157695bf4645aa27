/* SPDX-License-Identifier: Apache-2.0 */
/* Short ways for the tests of the codec. */
#ifndef LARDER_TEST_CODEC_H
#define LARDER_TEST_CODEC_H

#include "larder_test.h"
#include "larder_test_forge.h"

static inline larder_message *codec_new (void)
{
    larder_message *m = NULL;

    CU_ASSERT_EQUAL_FATAL (larder_message_new (&m, NULL), LARDER_OK);
    return m;
}

static inline void codec_set (larder_message *m, const char *path, larder_value value)
{
    larder_error e = {0};

    CU_ASSERT_EQUAL (larder_message_set (m, path, &value, &e), LARDER_OK);
    if (e.code)
        fprintf (stderr, "%s: %s\n", path, e.text);
}

static inline larder_encoded codec_encode (const larder_message *m, const larder_registry *registry)
{
    larder_encoded encoded = {0};
    larder_error e = {0};

    CU_ASSERT_EQUAL_FATAL (larder_message_encode (m, registry, NULL, &encoded, &e), LARDER_OK);
    return encoded;
}

/* From memory that ends where the message does, and at an odd address. */
static inline int codec_decode (const void *bytes, size_t size, const larder_registry *registry,
                                larder_message **message, larder_error *err)
{
    unsigned char *copy = malloc (size + 1);
    int code;

    if (!copy)
        abort ();
    memcpy (copy + 1, bytes, size);
    code = larder_message_decode (copy + 1, size, registry, message, err);
    memset (copy, 0xee, size + 1);
    free (copy);
    return code;
}

static inline int codec_equal (const larder_encoded *a, const larder_encoded *b)
{
    return a->size == b->size && memcmp (a->bytes, b->bytes, a->size) == 0;
}

#endif
