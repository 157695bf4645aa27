/* SPDX-License-Identifier: Apache-2.0 */
/* What passes larder_scan is safe to give to msgpack-c. */
#include "larder_scan.h"
#include "larder_test_codec.h"
#include "larder_test_random.h"
#include <msgpack.h>

enum { EXT = 1, DEPTH = 25 };

static int scan (const void *bytes, size_t size, unsigned depth, const char **why)
{
    static larder_error e;
    unsigned char *copy = malloc (size ? size : 1); /* it ends where they do */
    int code;

    if (!copy)
        abort ();
    if (size > 0)
        memcpy (copy, bytes, size);
    e.text[0] = '\0';
    code = larder_scan (copy, size, depth, EXT, &e);
    free (copy);
    if (why)
        *why = e.text;
    return code;
}

static int passes (const char *bytes, size_t size)
{
    return scan (bytes, size, DEPTH, NULL) == LARDER_OK;
}

static int fails (const char *bytes, size_t size, const char *text)
{
    const char *why = "";
    int code = scan (bytes, size, DEPTH, &why);

    if (code == LARDER_EFORMAT && strstr (why, text))
        return 1;
    fprintf (stderr, "%d, '%s' instead of '%s'\n", code, why, text);
    return 0;
}
#define PASSES(text)     CU_ASSERT (passes (text, sizeof (text) - 1))
#define FAILS(text, why) CU_ASSERT (fails (text, sizeof (text) - 1, why))

static void types (void)
{
    PASSES ("\x00");
    PASSES ("\x7f");
    PASSES ("\xe0");
    PASSES ("\xff");
    PASSES ("\xc0");
    PASSES ("\xc2");
    PASSES ("\xc3");
    PASSES ("\xcb\0\0\0\0\0\0\0\0");
    PASSES ("\xcc\0");
    PASSES ("\xcd\0\0");
    PASSES ("\xce\0\0\0\0");
    PASSES ("\xcf\0\0\0\0\0\0\0\0");
    PASSES ("\xd0\0");
    PASSES ("\xd3\0\0\0\0\0\0\0\0");
    PASSES ("\xa2xy");
    PASSES ("\xd9\x02xy");
    PASSES ("\xda\0\x02xy");
    PASSES ("\xdb\0\0\0\x02xy");
    PASSES ("\xc4\x02xy");
    PASSES ("\xc5\0\x02xy");
    PASSES ("\xc6\0\0\0\x02xy");
    PASSES ("\xd4\x01\0");
    PASSES ("\xd5\x01\0\0");
    PASSES ("\xd6\x01\0\0\0\0");
    PASSES ("\x90");
    PASSES ("\x92\x01\x02");
    PASSES ("\xdc\0\x02\x01\x02");
    PASSES ("\xdd\0\0\0\x02\x01\x02");
    PASSES ("\x80");
    PASSES ("\x81\xa1x\x01");
    PASSES ("\xde\0\x01\xa1x\x01");
    PASSES ("\xdf\0\0\0\x01\xa1x\x01");
    PASSES ("\x82\xa1x\x92\x01\x02\xa1y\x81\xa1z\xc0");

    FAILS ("\xc1", "a type that");
    FAILS ("\xc7\x01\x01\0", "a type that");
    FAILS ("\xca\0\0\0\0", "a type that");
    FAILS ("\xd7\x01\0\0\0\0\0\0\0\0", "a type that");
    FAILS ("\xd8\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "a type that");
    FAILS ("\xd4\x02\0", "an ext type");
    FAILS ("\xd4\xff\0", "an ext type");
    FAILS ("\x81\x01\x01", "no string");
    FAILS ("\x81\xc4\x01x\x01", "no string");
    FAILS ("\x82\xa1x\x01\xc0\x01", "byte 4: a name that is no string");
}

static void counts (void)
{
    FAILS ("", "the bytes end");
    FAILS ("\x01\x01", "byte 1: bytes behind");
    FAILS ("\x91", "more values");
    FAILS ("\x92\x01", "more values");
    FAILS ("\x81\xa1x", "more values"); /* two bytes, but one value of them */
    FAILS ("\xdc\xff\xff\x01", "more values");
    FAILS ("\xdd\xff\xff\xff\xff\x01", "more values");
    FAILS ("\xdf\xff\xff\xff\xff\x01", "more values");
    FAILS ("\xdf\x80\0\0\0\x01", "more values");
    FAILS ("\xdd\0\0\x01", "within a length");
    FAILS ("\xa2x", "longer than");
    FAILS ("\xdb\xff\xff\xff\xffx", "longer than");
    FAILS ("\xc6\xff\xff\xff\xff", "longer than");
    FAILS ("\xcb\0\0\0\0\0\0\0", "longer than");
    FAILS ("\xd4", "longer than");
    FAILS ("\xd6\x01\0\0\0", "longer than");
    /* Each list alone would do, but not one inside the other. */
    FAILS ("\x94\x93\x01\x01\x01", "more values");
    FAILS ("\x94\x91\x01\x01\x91", "more values");
}

static void depth (void)
{
    unsigned char nested[64];

    for (unsigned deep = 0; deep < sizeof nested; ++deep) {
        memset (nested, 0x91, deep);
        nested[deep] = 0xc0;
        CU_ASSERT_EQUAL (scan (nested, deep + 1, DEPTH, NULL) == LARDER_OK, deep <= DEPTH);
        CU_ASSERT_EQUAL (scan (nested, deep + 1, 0, NULL) == LARDER_OK, deep == 0);
        CU_ASSERT_EQUAL (scan (nested, deep + 1, 1000, NULL) == LARDER_OK,
                         deep <= LARDER_SCAN_DEPTH);
        nested[deep] = 0x90; /* an empty one holds nothing that is deeper */
        CU_ASSERT_EQUAL (scan (nested, deep + 1, DEPTH, NULL) == LARDER_OK, deep <= DEPTH);
    }
}

/* ---------------------------------------------------------------- random values */

static void draw (struct larder_test_random *r, struct larder_forge *f, unsigned deep)
{
    unsigned count = (unsigned)larder_test_below (r, 5);

    if (deep == 0 && f->size == 0)
        count = 4;
    switch (larder_test_below (r, deep < 6 ? 9 : 7)) {
    case 0:
        forge_byte (f, 0xc0);
        return;
    case 1:
        forge_number (f, 0xcb, larder_test_random (r), 8);
        return;
    case 2:
        forge_text (f, "text");
        return;
    case 3:
        forge_ext (f, count);
        return;
    case 4:
        forge_number (f, 0xd3, larder_test_random (r), 8);
        return;
    case 5:
        forge_uint (f, larder_test_any_size (r));
        return;
    case 6:
        forge_number (f, 0xc5, count, 2);
        forge_bytes (f, "bytes", count);
        return;
    case 7:
        forge_array (f, count);
        for (; count; --count)
            draw (r, f, deep + 1);
        return;
    default:
        forge_map (f, count);
        for (; count; --count) {
            forge_text (f, "name");
            draw (r, f, deep + 1);
        }
    }
}

static int msgpack_takes (const void *bytes, size_t size)
{
    msgpack_unpacked u;
    size_t at = 0;
    int taken;

    msgpack_unpacked_init (&u);
    taken = msgpack_unpack_next (&u, bytes, size, &at) == MSGPACK_UNPACK_SUCCESS && at == size;
    msgpack_unpacked_destroy (&u);
    return taken;
}

static void what_is_built_passes (void)
{
    struct larder_test_random r = larder_test_seed ();
    static struct larder_forge f;

    for (int i = 0; i < 3000; ++i) {
        f.size = 0;
        draw (&r, &f, 0);
        CU_ASSERT (passes ((const char *)f.bytes, f.size));
        CU_ASSERT (msgpack_takes (f.bytes, f.size));
        /* No part of it does. */
        if (f.size > 1)
            CU_ASSERT (
                !passes ((const char *)f.bytes, (size_t)larder_test_below (&r, f.size - 1) + 1));
    }
}

static void what_passes_is_taken (void)
{
    struct larder_test_random r = larder_test_seed ();
    static struct larder_forge f;
    unsigned passed = 0;

    for (int i = 0; i < 30000; ++i) {
        f.size = 0;
        draw (&r, &f, 0);
        for (uint64_t n = larder_test_below (&r, 3); n; --n)
            f.bytes[larder_test_below (&r, f.size)] = (unsigned char)larder_test_random (&r);
        if (!passes ((const char *)f.bytes, f.size))
            continue;
        ++passed;
        CU_ASSERT (msgpack_takes (f.bytes, f.size));
    }
    CU_ASSERT (passed > 1000 && passed < 29000);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"types", types},
        {"counts and lengths", counts},
        {"depth", depth},
        {"what is built passes", what_is_built_passes},
        {"what passes is taken by msgpack-c", what_passes_is_taken},
        {NULL, NULL},
    };
    return larder_test_main ("scan", tests);
}
