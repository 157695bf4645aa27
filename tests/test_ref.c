/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_ref.h"
#include "larder_test.h"
#include "larder_test_random.h"
#include <string.h>
#include <xxhash.h>

enum { ROUNDS = 2000 };

static const larder_ref_info example = {
    .session = UINT64_C (0x0123456789abcdef),
    .transaction = 7,
    .first_item = 1000,
    .item_count = UINT64_C (1) << 40,
    .generation = 3,
    .type_tag = 0xcafe,
    .owner = 2,
    .object = 5,
};

static int same (const larder_ref_info *a, const larder_ref_info *b)
{
    return a->session == b->session && a->transaction == b->transaction &&
           a->first_item == b->first_item && a->item_count == b->item_count &&
           a->generation == b->generation && a->type_tag == b->type_tag && a->owner == b->owner &&
           a->object == b->object;
}

static void hex (const larder_ref *ref, char text[2 * LARDER_REF_BYTES + 1])
{
    for (int i = 0; i < LARDER_REF_BYTES; ++i)
        (void)snprintf (text + 2 * i, 3, "%02x", ref->bytes[i]);
}

/* Make the check fit, as somebody who forges a reference would. */
static void forge_check (larder_ref *ref)
{
    unsigned char rest[60];

    memcpy (rest, ref->bytes, 4);
    memcpy (rest + 4, ref->bytes + 8, 56);
    larder_num_store32 (ref->bytes + 4, (uint32_t)XXH3_64bits (rest, sizeof rest));
}

/* The format travels between programs and stands in files: it must not drift. */
static void golden (void)
{
    char text[2 * LARDER_REF_BYTES + 1];
    larder_ref ref;

    larder_ref_write (&example, &ref);
    hex (&ref, text);
    CU_ASSERT_STRING_EQUAL (text,
                            "4c52010046390e69efcdab896745230102000000050000000700000000000000"
                            "03000000feca0000e8030000000000000000000000010000ffffffff00000000");
    if (CU_get_number_of_failures ())
        printf ("\n    is %s\n", text);
}

static void round_trip (void)
{
    struct larder_test_random r = larder_test_seed ();
    larder_ref_info in, out;
    larder_ref ref;
    larder_error e;

    CU_ASSERT_EQUAL (sizeof ref, LARDER_REF_BYTES);
    for (int i = 0; i < ROUNDS; ++i) {
        larder_test_fill (&r, &in, sizeof in);
        in.first_item = larder_test_any_size (&r);
        in.item_count = larder_test_any_size (&r);
        if (in.first_item > UINT64_MAX - in.item_count)
            in.first_item = UINT64_MAX - in.item_count;
        memset (&ref, 0x5a, sizeof ref);
        larder_ref_write (&in, &ref);
        CU_ASSERT_EQUAL (larder_ref_read (&ref, &out, &e), LARDER_OK);
        CU_ASSERT (same (&in, &out));
        CU_ASSERT (out.via == -1 && out.share == 0);
    }
}

static void every_bit_counts (void)
{
    larder_ref_info out, untouched;
    larder_ref ref;
    larder_error e;

    memset (&out, 0x77, sizeof out);
    untouched = out;
    for (int bit = 0; bit < 8 * LARDER_REF_BYTES; ++bit) {
        larder_ref_write (&example, &ref);
        ref.bytes[bit / 8] = (unsigned char)(ref.bytes[bit / 8] ^ 1 << bit % 8);
        CU_ASSERT_EQUAL (larder_ref_read (&ref, &out, &e), LARDER_EREF);
        CU_ASSERT_EQUAL (e.code, LARDER_EREF);
        CU_ASSERT (strlen (e.text) > 0);
    }
    CU_ASSERT (same (&out, &untouched));
    memset (&ref, 0, sizeof ref);
    CU_ASSERT_EQUAL (larder_ref_read (&ref, &out, NULL), LARDER_EREF);
    CU_ASSERT_EQUAL (larder_ref_read (NULL, &out, &e), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_ref_read (&ref, NULL, &e), LARDER_EINVAL);
}

static void forged (void)
{
    struct larder_test_random r = larder_test_seed ();
    larder_ref_info out;
    larder_ref ref;
    larder_error e;

    larder_ref_write (&example, &ref);
    forge_check (&ref);
    CU_ASSERT_EQUAL (larder_ref_read (&ref, &out, &e), LARDER_OK); /* forging works */

    ref.bytes[2] = 2;
    forge_check (&ref);
    CU_ASSERT_EQUAL (larder_ref_read (&ref, &out, &e), LARDER_EREF);
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "version 2"));

    larder_ref_write (&example, &ref);
    ref.bytes[3] = 1;
    forge_check (&ref);
    CU_ASSERT_EQUAL (larder_ref_read (&ref, &out, &e), LARDER_EREF);

    larder_ref_write (&example, &ref);
    larder_num_store64 (ref.bytes + 48, UINT64_MAX - 999);
    forge_check (&ref);
    CU_ASSERT_EQUAL (larder_ref_read (&ref, &out, &e), LARDER_EREF);

    /* What is accepted never overflows, whatever the bytes. */
    for (int i = 0; i < ROUNDS; ++i) {
        larder_test_fill (&r, &ref, sizeof ref);
        memcpy (ref.bytes, "LR\1\0", 4);
        forge_check (&ref);
        if (i % 2) { /* what random bytes hardly ever say */
            larder_num_store32 (ref.bytes + 56, i % 4 == 1 ? 0xffffffff : (uint32_t)i);
            larder_num_store32 (ref.bytes + 60, (uint32_t)i % 3);
        }
        forge_check (&ref);
        if (larder_ref_read (&ref, &out, &e) != LARDER_OK) {
            CU_ASSERT_EQUAL (e.code, LARDER_EREF);
            continue;
        }
        CU_ASSERT (out.first_item + out.item_count >= out.first_item);
        CU_ASSERT ((out.via == -1) == (out.share == 0));
        CU_ASSERT (out.via >= -1 && out.via <= LARDER_SPLIT_MAX && out.share <= LARDER_SPLIT_MAX);
    }
}

static void items (void)
{
    larder_ref whole, part, before;
    larder_ref_info out;
    larder_error e;

    larder_ref_write (&example, &whole);
    CU_ASSERT_EQUAL (larder_ref_items (&whole, 1010, 5, &part, &e), LARDER_OK);
    CU_ASSERT_EQUAL (larder_ref_read (&part, &out, &e), LARDER_OK);
    CU_ASSERT_EQUAL (out.first_item, 1010);
    CU_ASSERT_EQUAL (out.item_count, 5);
    CU_ASSERT_EQUAL (out.session, example.session);
    CU_ASSERT_EQUAL (out.object, example.object);

    before = part;
    CU_ASSERT_EQUAL (larder_ref_items (&part, 1009, 2, &part, &e), LARDER_ERANGE);
    CU_ASSERT_EQUAL (larder_ref_items (&part, 1010, 6, &part, &e), LARDER_ERANGE);
    CU_ASSERT_EQUAL (larder_ref_items (&part, 1015, 1, &part, &e), LARDER_ERANGE);
    CU_ASSERT_EQUAL (larder_ref_items (&part, 1010, 0, &part, &e), LARDER_ERANGE);
    CU_ASSERT_EQUAL (larder_ref_items (&part, 1011, UINT64_MAX, &part, &e), LARDER_ERANGE);
    CU_ASSERT_EQUAL (larder_ref_items (&part, 1010, 5, NULL, &e), LARDER_EINVAL);
    CU_ASSERT (memcmp (&before, &part, sizeof part) == 0);

    CU_ASSERT_EQUAL (larder_ref_items (&part, 1014, 1, &part, &e), LARDER_OK); /* in place */
    CU_ASSERT_EQUAL (larder_ref_read (&part, &out, &e), LARDER_OK);
    CU_ASSERT_EQUAL (out.first_item, 1014);

    part.bytes[20] ^= 1;
    CU_ASSERT_EQUAL (larder_ref_items (&part, 1014, 1, &whole, &e), LARDER_EREF);
}

/* Of via and share only these pairs make sense. */
static void routes (void)
{
    static const struct {
        uint32_t via, share;
        int code;
    } cases[] = {
        {UINT32_MAX, 0, LARDER_OK},    {UINT32_MAX, 1, LARDER_EREF},
        {0, 0, LARDER_EREF},           {0, 1, LARDER_OK},
        {1048575, 1048575, LARDER_OK}, {1048576, 1, LARDER_EREF},
        {1, 1048576, LARDER_EREF},     {UINT32_MAX - 1, 1, LARDER_EREF},
        {5, UINT32_MAX, LARDER_EREF},  {5, 0, LARDER_EREF},
        {0x80000000, 3, LARDER_EREF},  {UINT32_MAX, UINT32_MAX, LARDER_EREF},
    };
    larder_ref_info out;
    larder_ref ref;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        larder_ref_write (&example, &ref);
        larder_num_store32 (ref.bytes + 56, cases[i].via);
        larder_num_store32 (ref.bytes + 60, cases[i].share);
        forge_check (&ref);
        CU_ASSERT_EQUAL (larder_ref_read (&ref, &out, NULL), cases[i].code);
        if (cases[i].code == LARDER_OK)
            CU_ASSERT (out.share == cases[i].share && (uint32_t)out.via == cases[i].via);
    }
}

static void split (void)
{
    larder_ref whole, by4, again, part;
    larder_ref_info out;
    larder_error e;

    larder_ref_write (&example, &whole);
    CU_ASSERT_EQUAL (larder_ref_split (&whole, 4, 9, &by4, &e), LARDER_OK);
    CU_ASSERT_EQUAL (larder_ref_read (&by4, &out, &e), LARDER_OK);
    CU_ASSERT (same (&out, &example));
    CU_ASSERT_EQUAL (out.via, 4);
    CU_ASSERT_EQUAL (out.share, 9);

    /* Once; the same again is the same. */
    memset (&again, 0x5a, sizeof again);
    CU_ASSERT_EQUAL (larder_ref_split (&by4, 4, 9, &again, &e), LARDER_OK);
    CU_ASSERT (memcmp (&again, &by4, sizeof again) == 0);
    CU_ASSERT_EQUAL (larder_ref_split (&by4, 4, 8, &again, &e), LARDER_ESPLIT);
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "rank 4 has split it among 9"));
    CU_ASSERT_EQUAL (larder_ref_split (&by4, 5, 9, &again, &e), LARDER_ESPLIT);
    CU_ASSERT (memcmp (&again, &by4, sizeof again) == 0);

    /* A part of a split ref is split, a part can be split, in place. */
    CU_ASSERT_EQUAL (larder_ref_items (&by4, 1010, 5, &part, &e), LARDER_OK);
    CU_ASSERT_EQUAL (larder_ref_read (&part, &out, &e), LARDER_OK);
    CU_ASSERT (out.via == 4 && out.share == 9 && out.first_item == 1010 && out.item_count == 5);
    CU_ASSERT_EQUAL (larder_ref_split (&part, 3, 9, &part, &e), LARDER_ESPLIT);
    CU_ASSERT_EQUAL (larder_ref_items (&whole, 1010, 5, &again, &e), LARDER_OK);
    CU_ASSERT_EQUAL (larder_ref_split (&again, 4, 9, &again, &e), LARDER_OK);
    CU_ASSERT (memcmp (&again, &part, sizeof again) == 0);
}

static void split_badly (void)
{
    static const int bad[][2] = {{-1, 1}, {1048576, 1}, {0, 0}, {0, -1}, {0, 1048576}};
    larder_ref whole, out, before;
    larder_error e;

    larder_ref_write (&example, &whole);
    memset (&out, 0x5a, sizeof out);
    before = out;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i)
        CU_ASSERT_EQUAL (larder_ref_split (&whole, bad[i][0], bad[i][1], &out, &e), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_ref_split (NULL, 0, 1, &out, &e), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_ref_split (&whole, 0, 1, NULL, &e), LARDER_EINVAL);
    whole.bytes[20] ^= 1;
    CU_ASSERT_EQUAL (larder_ref_split (&whole, 0, 1, &out, &e), LARDER_EREF);
    CU_ASSERT (memcmp (&out, &before, sizeof out) == 0);
    whole.bytes[20] ^= 1;
    CU_ASSERT_EQUAL (larder_ref_split (&whole, LARDER_SPLIT_MAX, LARDER_SPLIT_MAX, &out, NULL),
                     LARDER_OK);
    CU_ASSERT_EQUAL (larder_ref_split (&whole, 0, 1, &out, NULL), LARDER_OK);
}

static void items_keep_the_route (void)
{
    larder_ref ref;

    larder_ref_write (&example, &ref);
    CU_ASSERT_EQUAL (larder_num_load32 (ref.bytes + 56), 0xffffffff);
    CU_ASSERT_EQUAL (larder_num_load32 (ref.bytes + 60), 0);
    larder_num_store32 (ref.bytes + 56, 4);
    larder_num_store32 (ref.bytes + 60, 9);
    forge_check (&ref);
    CU_ASSERT_EQUAL (larder_ref_items (&ref, 1000, 1, &ref, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_num_load32 (ref.bytes + 56), 4);
    CU_ASSERT_EQUAL (larder_num_load32 (ref.bytes + 60), 9);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"golden bytes", golden},
        {"what is written is read", round_trip},
        {"every damaged bit is noticed", every_bit_counts},
        {"forged references", forged},
        {"ranges of items", items},
        {"ranges keep via and share", items_keep_the_route},
        {"via and share that make sense", routes},
        {"split: once, and the same again", split},
        {"split: bad arguments", split_badly},
        {NULL, NULL},
    };
    return larder_test_main ("ref", tests);
}
