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
        if (larder_ref_read (&ref, &out, &e) == LARDER_OK)
            CU_ASSERT (out.first_item + out.item_count >= out.first_item)
        else
            CU_ASSERT_EQUAL (e.code, LARDER_EREF)
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
        {NULL, NULL},
    };
    return larder_test_main ("ref", tests);
}
