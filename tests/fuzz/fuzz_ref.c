/* SPDX-License-Identifier: Apache-2.0 */
/* Any 64 bytes as a reference, as they are and with a check that fits; behind them the numbers of a range (8 and 8
 * bytes) and of a split (4 and 4). */
#include "larder_test_again.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void must (int yes, const char *what)
{
    if (!yes)
        again_stop (what, NULL);
}

static void look (const larder_ref *ref, const unsigned char *numbers)
{
    larder_ref_info info = {0}, other = {0};
    larder_ref made = {{0}}, twice = {{0}};
    larder_error e = {0};
    uint64_t first = larder_num_load64 (numbers), count = larder_num_load64 (numbers + 8);
    int via = (int)larder_num_load32 (numbers + 16), share = (int)larder_num_load32 (numbers + 20);

    if (larder_ref_read (ref, &info, &e) != LARDER_OK) {
        must (e.code < 0 && e.text[0], "a failure without code or text");
        must (larder_ref_items (ref, first, count, &made, NULL) < 0, "a range of no reference");
        must (larder_ref_split (ref, via, share, &made, NULL) < 0, "a split of no reference");
        return;
    }
    must (info.first_item + info.item_count >= info.first_item, "a range that overflows");
    if (larder_ref_items (ref, first, count, &made, NULL) == LARDER_OK) {
        must (larder_ref_read (&made, &other, NULL) == LARDER_OK, "a range that cannot be read");
        must (other.first_item == first && other.item_count == count, "another range");
        must (first >= info.first_item && first + count <= info.first_item + info.item_count &&
                  count > 0,
              "a range that is not inside");
    }
    if (larder_ref_split (ref, via, share, &made, NULL) == LARDER_OK) {
        must (larder_ref_read (&made, &other, NULL) == LARDER_OK, "a split that cannot be read");
        must (other.via == via && (int64_t)other.share == share, "another split");
        must (larder_ref_split (&made, via, share, &twice, NULL) == LARDER_OK &&
                  memcmp (&made, &twice, sizeof made) == 0,
              "the same split again is another");
    }
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    unsigned char numbers[24] = {0}, rest[LARDER_REF_BYTES - 4];
    larder_ref ref;

    if (size < sizeof ref.bytes)
        return 0;
    memcpy (ref.bytes, data, sizeof ref.bytes);
    size -= sizeof ref.bytes;
    memcpy (numbers, data + sizeof ref.bytes, larder_num_min_size (size, sizeof numbers));
    look (&ref, numbers);
    memcpy (ref.bytes, "LR", 2);
    memcpy (rest, ref.bytes, 4);
    memcpy (rest + 4, ref.bytes + 8, LARDER_REF_BYTES - 8);
    larder_num_store32 (ref.bytes + 4, (uint32_t)XXH3_64bits (rest, sizeof rest));
    look (&ref, numbers);
    return 0;
}
