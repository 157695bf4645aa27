/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that somebody made up, with a check that fits: each fault has its code and a text that says where. */
#include "larder_test_codec.h"
#include "larder_test_random.h"

static int decode_gives (const void *bytes, size_t size, int code, const char *text)
{
    larder_message *m = NULL;
    larder_error e = {0};
    int got = codec_decode (bytes, size, NULL, &m, &e);
    int good = got == code && (code == LARDER_OK) == (m != NULL) &&
               (code == LARDER_OK || (e.code == code && strstr (e.text, text)));

    if (!good)
        fprintf (stderr, "%s: '%s' instead of %s: '%s'\n", larder_code_name (got), e.text,
                 larder_code_name (code), text);
    larder_message_free (&m);
    return good;
}

static int forged_gives (const struct larder_forge *head, size_t data_size, unsigned flags,
                         int code, const char *text)
{
    static const unsigned char data[256];
    size_t size;
    unsigned char *m = forge_message (head, data, data_size, flags, &size);
    int good = decode_gives (m, size, code, text);

    free (m);
    return good;
}

/* ---------------------------------------------------------------- parts of a head */

static void native (struct larder_forge *f, unsigned dot, unsigned type, uint64_t dim,
                    uint64_t offset, uint64_t size)
{
    forge_array (f, 4);
    forge_uint (f, dot);
    forge_array (f, 2);
    forge_uint (f, type);
    forge_uint (f, dim);
    forge_uint (f, offset);
    forge_uint (f, size);
}

/* Of float64. */
static void reference (struct larder_forge *f, uint64_t elements, uint64_t ref, uint64_t first,
                       uint64_t count, uint64_t size)
{
    forge_array (f, 6);
    forge_uint (f, LARDER_DOT_ARRAY);
    forge_array (f, 2);
    forge_uint (f, LARDER_FLOAT64);
    forge_uint (f, elements);
    forge_uint (f, ref);
    forge_uint (f, first);
    forge_uint (f, count);
    forge_uint (f, size);
}

/* Begin a head with some refs to 10 items each, and say how many values come. */
static void begin (struct larder_forge *f, unsigned refs, unsigned values)
{
    larder_ref table[4];

    for (unsigned i = 0; i < refs; ++i)
        table[i] = codec_ref (i, 10);
    f->size = 0;
    forge_array (f, 3);
    forge_refs (f, table, refs);
    forge_array (f, values);
}

/* A body that names that many values. */
static void end (struct larder_forge *f, unsigned values)
{
    forge_map (f, values);
    for (unsigned i = 0; i < values; ++i) {
        const char name[2] = {(char)('a' + i)};
        forge_text (f, name);
        forge_ext (f, i);
    }
}

/* ---------------------------------------------------------------- no message, or a damaged one */

static void damage (void)
{
    struct larder_forge f;
    size_t size;
    unsigned char *m;

    begin (&f, 1, 2);
    native (&f, LARDER_DOT_ARRAY, LARDER_UINT8, 8, 0, 8);
    reference (&f, 3, 0, 0, 1, 24);
    end (&f, 2);
    m = forge_message (&f, "12345678", 8, larder_message_byte_order (), &size);
    CU_ASSERT (decode_gives (m, size, LARDER_OK, ""));
    for (size_t cut = 0; cut < size; ++cut)
        CU_ASSERT (decode_gives (m, cut, LARDER_EMESSAGE, cut < 4 ? "no message" : "cut short"));
    m = realloc (m, size + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL (m);
    m[size] = 0;
    CU_ASSERT (decode_gives (m, size + 1, LARDER_EMESSAGE, "1 bytes stand behind"));
    for (size_t at = 0; at < size; ++at) {
        m[at] ^= 16;
        CU_ASSERT (decode_gives (m, size, LARDER_EMESSAGE, ""));
        m[at] ^= 16;
    }
    m[4] = 2;
    forge_check (m, size);
    CU_ASSERT (decode_gives (m, size, LARDER_EMESSAGE, "version 2"));
    m[4] = LARDER_MESSAGE_VERSION;
    m[5] |= 4;
    forge_check (m, size);
    CU_ASSERT (decode_gives (m, size, LARDER_EMESSAGE, "flags 0x04"));
    m[5] = (unsigned char)larder_message_byte_order ();
    m[7] = 1;
    forge_check (m, size);
    CU_ASSERT (decode_gives (m, size, LARDER_EMESSAGE, ""));
    m[7] = 0;
    m[LARDER_MESSAGE_HEADER + f.size] = 1; /* between head and data */
    forge_check (m, size);
    CU_ASSERT (decode_gives (m, size, LARDER_EFORMAT, "before the data section"));
    m[LARDER_MESSAGE_HEADER + f.size] = 0;
    larder_num_store64 (m + 8, UINT64_MAX);
    forge_check (m, size);
    CU_ASSERT (decode_gives (m, size, LARDER_EMESSAGE, "cut short"));
    larder_num_store64 (m + 8, UINT64_MAX - 100);
    larder_num_store64 (m + 16, 200);
    forge_check (m, size);
    CU_ASSERT (decode_gives (m, size, LARDER_EMESSAGE, "cut short"));
    free (m);
}

/* ---------------------------------------------------------------- structure */

static int raw_gives (const char *head, size_t size, const char *text)
{
    struct larder_forge f = {.size = 0};

    forge_bytes (&f, head, size);
    return forged_gives (&f, 0, 0, LARDER_EFORMAT, text);
}
#define RAW(head, text) CU_ASSERT (raw_gives (head, sizeof (head) - 1, text))

static void structure (void)
{
    struct larder_forge f = {.size = 0};

    CU_ASSERT (forged_gives (&f, 0, 0, LARDER_EFORMAT, "the bytes end"));
    RAW ("\x93\xc4\0\x90\x80\x80", "byte 5: bytes behind");
    RAW ("\x93\xc4\0\x90\xc1", "byte 4: a type");
    RAW ("\xc0", "no list of refs");
    RAW ("\x92\xc4\0\x90", "no list of refs");
    RAW ("\x94\xc4\0\x90\x80\x80", "no list of refs");
    RAW ("\x93\xa0\x90\x80", "its refs are no byte string");
    RAW ("\x93\xc4\1x\x90\x80", "its refs are no byte string");
    RAW ("\x93\xc4\0\x80\x80", "its values are no list");
    RAW ("\x93\xc4\0\x90\x90", "its body is no map");
    RAW ("\x93\xc4\0\x91\x80\x80", "value 0: it is no list of 4 or 6");
    RAW ("\x93\xc4\0\x91\x95\1\1\1\1\1\x80", "value 0: it is no list of 4 or 6");
    RAW ("\x93\xc4\0\x91\x94\xc0\x91\1\0\0\x80", "value 0: its DOT");
    RAW ("\x93\xc4\0\x91\x94\xff\x91\1\0\0\x80", "value 0: its DOT");
    RAW ("\x93\xc4\0\x91\x94\0\x91\1\0\0\x80", "value 0: its DOT");
    RAW ("\x93\xc4\0\x91\x94\xce\0\1\0\0\x91\1\0\0\x80", "value 0: its DOT");
    RAW ("\x93\xc4\0\x91\x94\1\1\0\0\x80", "value 0: its shape is no list");
    RAW ("\x93\xc4\0\x91\x94\1\x90\0\0\x80", "value 0: its shape is no list");
    RAW ("\x93\xc4\0\x91\x94\1\x92\1\xff\0\0\x80", "value 0: its shape is no list");
    RAW ("\x93\xc4\0\x91\x94\1\x91\x0e\0\0\x80", "value 0: its element type");
    RAW ("\x93\xc4\0\x91\x94\1\x91\0\0\0\x80", "value 0: its opaque elements");
    RAW ("\x93\xc4\0\x91\x94\1\x92\0\0\0\0\x80", "value 0: its shape is impossible");
    RAW ("\x93\xc4\0\x91\x94\1\x92\0\xcf\0\0\0\1\0\0\0\0\0\0\x80", "value 0: its opaque elements");
    RAW ("\x93\xc4\0\x91\x94\1\x91\1\xff\0\x80", "value 0: its place is not two");
    RAW ("\x93\xc4\0\x91\x96\1\x91\1\0\0\0\xc0\x80", "value 0: its place is not four");
    RAW ("\x93\xc4\0\x90\x81\xa1x\xd4\1\0", "value 0 of 0 is named");
}

static void shapes (void)
{
    struct larder_forge f;

    begin (&f, 0, 1);
    forge_array (&f, 4);
    forge_uint (&f, LARDER_DOT_ARRAY);
    forge_array (&f, 34);
    for (int i = 0; i < 34; ++i)
        forge_uint (&f, 1);
    forge_uint (&f, 0);
    forge_uint (&f, 1);
    end (&f, 1);
    CU_ASSERT (forged_gives (&f, 1, 0, LARDER_EFORMAT, "value 0: it has too many dimensions"));

    begin (&f, 0, 1);
    native (&f, LARDER_DOT_ARRAY, LARDER_FLOAT64, UINT64_C (1) << 61, 0, 0);
    end (&f, 1);
    CU_ASSERT (forged_gives (&f, 0, 0, LARDER_EFORMAT, "value 0: its shape is impossible"));
}

static void names (void)
{
    struct larder_forge f;
    char name[LARDER_NAME_MAX + 2];

    memset (name, 'x', sizeof name);
    for (int bad = 0; bad < 5; ++bad) {
        begin (&f, 0, 0);
        forge_map (&f, 2);
        forge_text (&f, "twice");
        forge_uint (&f, 1);
        if (bad == 0)
            forge_text (&f, "twice");
        else if (bad == 1)
            forge_text (&f, "");
        else if (bad == 2)
            forge_text (&f, "a/b");
        else if (bad == 3)
            forge_number (&f, 0xa1, 0, 1);
        else {
            forge_number (&f, 0xda, sizeof name - 1, 2);
            forge_bytes (&f, name, sizeof name - 1);
        }
        forge_uint (&f, 1);
        CU_ASSERT (forged_gives (&f, 0, 0, LARDER_EFORMAT, "message: "));
    }
}

static void deep_bodies (void)
{
    struct larder_forge f;

    for (int deep = LARDER_DEPTH_MAX - 2; deep < LARDER_DEPTH_MAX + 40; ++deep) {
        int maps = deep % 2;
        begin (&f, 0, 0);
        for (int i = 0; i < deep; ++i) {
            if (maps || i == 0) {
                forge_map (&f, 1);
                forge_text (&f, "x");
            } else {
                forge_array (&f, 1);
            }
        }
        forge_uint (&f, 1); /* at depth `deep` */
        CU_ASSERT (forged_gives (&f, 0, 0, deep <= LARDER_DEPTH_MAX ? LARDER_OK : LARDER_EFORMAT,
                                 "too deep"));
    }
}

/* ---------------------------------------------------------------- values */

static void native_values (void)
{
    const unsigned order = larder_message_byte_order ();
    struct larder_forge f;

#define NATIVE(offset, size, elements, data_size, code, text)                                      \
    do {                                                                                           \
        begin (&f, 0, 1);                                                                          \
        native (&f, LARDER_DOT_ARRAY, LARDER_UINT8, elements, offset, size);                       \
        end (&f, 1);                                                                               \
        CU_ASSERT (forged_gives (&f, data_size, order, code, text));                               \
    } while (0)
    NATIVE (0, 8, 8, 8, LARDER_OK, "");
    NATIVE (0, 0, 0, 0, LARDER_OK, "");
    NATIVE (0, 8, 8, 7, LARDER_ENODATA, "value 0: its 8 bytes at 0");
    NATIVE (0, 8, 8, 0, LARDER_ENODATA, "value 0: its 8 bytes at 0");
    NATIVE (8, 8, 8, 8, LARDER_ENODATA, "value 0: its 8 bytes at 8");
    NATIVE (UINT64_MAX, 8, 8, 8, LARDER_ENODATA, "value 0: its 8 bytes");
    NATIVE (0, UINT64_MAX, UINT64_MAX, 8, LARDER_ENODATA, "value 0: its 18446744073709551615");
    NATIVE (0, 8, 9, 8, LARDER_ENODATA, "value 0: 8 bytes for an array of 9");
    NATIVE (0, 8, 7, 8, LARDER_ENODATA, "value 0: 8 bytes for an array of 7");
    NATIVE (64, 8, 8, 72, LARDER_EFORMAT, "value 0: its bytes stand at 64");
    NATIVE (1, 0, 0, 1, LARDER_EFORMAT, "value 0: its bytes stand at 1");
    NATIVE (0, 8, 8, 9, LARDER_EFORMAT, "1 bytes of data are of no value");
    NATIVE (0, 0, 0, 1, LARDER_EFORMAT, "1 bytes of data are of no value");
#undef NATIVE

    for (uint64_t second = 0; second <= 128; second += 64) { /* 0: bytes of two values */
        begin (&f, 0, 2);
        native (&f, LARDER_DOT_ARRAY, LARDER_UINT8, 8, 0, 8);
        native (&f, LARDER_DOT_ARRAY, LARDER_UINT8, 8, second, 8);
        end (&f, 2);
        CU_ASSERT (forged_gives (&f, second + 8, order, second == 64 ? LARDER_OK : LARDER_EFORMAT,
                                 "value 1: its bytes stand"));
    }
    begin (&f, 0, 1);
    native (&f, LARDER_DOT_ARRAY, LARDER_UINT8, 8, 0, 8);
    end (&f, 1);
    CU_ASSERT (forged_gives (&f, 8, order ^ LARDER_MESSAGE_BIG_ENDIAN, LARDER_ENOTSUP, "value 0"));
    begin (&f, 0, 1); /* what has a handler takes care of itself */
    native (&f, 77, LARDER_UINT8, 8, 0, 8);
    end (&f, 1);
    CU_ASSERT (forged_gives (&f, 8, order ^ LARDER_MESSAGE_BIG_ENDIAN, LARDER_OK, ""));
}

static void hidden_bytes (void)
{
    struct larder_forge f;
    unsigned char data[72] = {0}, *m;
    size_t size;

    begin (&f, 0, 2);
    native (&f, LARDER_DOT_ARRAY, LARDER_UINT8, 8, 0, 8);
    native (&f, LARDER_DOT_ARRAY, LARDER_UINT8, 8, 64, 8);
    end (&f, 2);
    data[63] = 1;
    m = forge_message (&f, data, sizeof data, larder_message_byte_order (), &size);
    CU_ASSERT (decode_gives (m, size, LARDER_EFORMAT, "value 1: something stands before"));
    free (m);
}

static void values_by_reference (void)
{
    struct larder_forge f;

#define REFERENCE(elements, ref, first, count, size, code, text)                                   \
    do {                                                                                           \
        begin (&f, 1, 1);                                                                          \
        reference (&f, elements, ref, first, count, size);                                         \
        end (&f, 1);                                                                               \
        CU_ASSERT (forged_gives (&f, 0, 0, code, text));                                           \
    } while (0)
    REFERENCE (3, 0, 0, 10, 24, LARDER_OK, "");
    REFERENCE (3, 0, 9, 1, 24, LARDER_OK, "");
    REFERENCE (0, 0, 0, 0, 0, LARDER_OK, "");
    REFERENCE (3, 1, 0, 10, 24, LARDER_EMISSING, "value 0: ref 1 of 1");
    REFERENCE (3, UINT64_MAX, 0, 10, 24, LARDER_EMISSING, "value 0: ref 18446744073709551615");
    REFERENCE (3, 0, 1, 10, 24, LARDER_EINCOMPLETE, "value 0: 10 items from item 1");
    REFERENCE (3, 0, 10, 1, 24, LARDER_EINCOMPLETE, "value 0: 1 items from item 10");
    REFERENCE (3, 0, UINT64_MAX, 1, 24, LARDER_EINCOMPLETE, "value 0");
    REFERENCE (3, 0, 1, UINT64_MAX, 24, LARDER_EINCOMPLETE, "value 0");
    REFERENCE (3, 0, 0, 10, 25, LARDER_EFORMAT, "value 0: a size of 25");
    REFERENCE (UINT64_MAX, 0, 0, 10, 25, LARDER_EFORMAT, "value 0: its shape");
#undef REFERENCE
    begin (&f, 2, 1);
    reference (&f, 3, 1, 0, 10, 24);
    end (&f, 1);
    CU_ASSERT (forged_gives (&f, 0, 0, LARDER_EFORMAT, "ref 0 is of no value"));
    begin (&f, 1, 2);
    reference (&f, 3, 0, 0, 10, 24);
    reference (&f, 3, 0, 0, 10, 24);
    end (&f, 1);
    CU_ASSERT (forged_gives (&f, 0, 0, LARDER_EFORMAT, "value 1: nothing in the message names it"));
}

static void damaged_refs (void)
{
    struct larder_forge f;
    larder_ref table[2];

    table[0] = codec_ref (0, 10);
    table[1] = codec_ref (1, 10);
    table[1].bytes[30] ^= 1;
    f.size = 0;
    forge_array (&f, 3);
    forge_refs (&f, table, 2);
    forge_array (&f, 0);
    end (&f, 0);
    CU_ASSERT (forged_gives (&f, 0, 0, LARDER_EREF, "ref 1: "));
    memset (&table[1], 0, sizeof table[1]); /* as one that was written, but not sealed */
    f.size = 0;
    forge_array (&f, 3);
    forge_refs (&f, table, 2);
    forge_array (&f, 0);
    end (&f, 0);
    CU_ASSERT (forged_gives (&f, 0, 0, LARDER_EREF, "ref 1: "));
}

/* A count of 4 billion in a few bytes costs a look at them, and no memory. */
static void counts_are_not_believed (void)
{
    RAW ("\xdd\xff\xff\xff\xff", "more values");
    RAW ("\x93\xc6\xff\xff\xff\xc0\x90\x80", "longer than");
    RAW ("\x93\xc4\0\xdd\xff\xff\xff\xff\x80", "more values");
    RAW ("\x93\xc4\0\x90\xdf\xff\xff\xff\xff", "more values");
    RAW ("\x93\xc4\0\x90\x81\xa1x\xdb\xff\xff\xff\xff", "longer than");
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"damage", damage},
        {"structure", structure},
        {"shapes", shapes},
        {"names", names},
        {"deep bodies", deep_bodies},
        {"native values", native_values},
        {"hidden bytes", hidden_bytes},
        {"values by reference", values_by_reference},
        {"damaged refs", damaged_refs},
        {"counts are not believed", counts_are_not_believed},
        {NULL, NULL},
    };
    return larder_test_main ("forged", tests);
}
