/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_ref.h"
#include "larder_num.h"
#include <inttypes.h>
#include <string.h>
#include <xxhash.h>

enum {
    AT_MAGIC = 0,
    AT_VERSION = 2,
    AT_FLAGS = 3,
    AT_CHECK = 4,
    AT_SESSION = 8,
    AT_OWNER = 16,
    AT_OBJECT = 20,
    AT_TRANSACTION = 24,
    AT_GENERATION = 32,
    AT_TYPE_TAG = 36,
    AT_FIRST_ITEM = 40,
    AT_ITEM_COUNT = 48,
    AT_VIA = 56,
    AT_SHARE = 60,

    MAGIC = 'L' | 'R' << 8,
    VERSION = 1
};
#define UNSPLIT UINT32_C (0xffffffff)

static uint32_t check_of (const unsigned char *bytes)
{
    unsigned char rest[LARDER_REF_BYTES - 4];

    memcpy (rest, bytes, AT_CHECK);
    memcpy (rest + AT_CHECK, bytes + AT_SESSION, LARDER_REF_BYTES - AT_SESSION);
    return (uint32_t)(XXH3_64bits (rest, sizeof rest) & 0xffffffff);
}

void larder_ref_write (const larder_ref_info *info, larder_ref *ref)
{
    unsigned char *b = ref->bytes;

    larder_num_store16 (b + AT_MAGIC, MAGIC);
    b[AT_VERSION] = VERSION;
    b[AT_FLAGS] = 0;
    larder_num_store64 (b + AT_SESSION, info->session);
    larder_num_store32 (b + AT_OWNER, info->owner);
    larder_num_store32 (b + AT_OBJECT, info->object);
    larder_num_store64 (b + AT_TRANSACTION, info->transaction);
    larder_num_store32 (b + AT_GENERATION, info->generation);
    larder_num_store32 (b + AT_TYPE_TAG, info->type_tag);
    larder_num_store64 (b + AT_FIRST_ITEM, info->first_item);
    larder_num_store64 (b + AT_ITEM_COUNT, info->item_count);
    larder_num_store32 (b + AT_VIA, UNSPLIT);
    larder_num_store32 (b + AT_SHARE, 0);
    larder_num_store32 (b + AT_CHECK, check_of (b));
}

int larder_ref_read (const larder_ref *ref, larder_ref_info *info, larder_error *err)
{
    const unsigned char *b;
    larder_ref_info r;
    uint64_t end;

    if (!ref || !info)
        return larder_error_set (err, LARDER_EINVAL, 0, "larder_ref_read: NULL argument");
    b = ref->bytes;
    if (larder_num_load16 (b + AT_MAGIC) != MAGIC)
        return larder_error_set (err, LARDER_EREF, 0, "reference: these bytes are no reference");
    if (larder_num_load32 (b + AT_CHECK) != check_of (b))
        return larder_error_set (err, LARDER_EREF, 0, "reference: bytes do not fit their check");
    if (b[AT_VERSION] != VERSION || b[AT_FLAGS] != 0)
        return larder_error_set (err, LARDER_EREF, 0,
                                 "reference: version %u with flags 0x%02x, this library reads "
                                 "version %d without flags",
                                 (unsigned)b[AT_VERSION], (unsigned)b[AT_FLAGS], VERSION);
    r.session = larder_num_load64 (b + AT_SESSION);
    r.transaction = larder_num_load64 (b + AT_TRANSACTION);
    r.first_item = larder_num_load64 (b + AT_FIRST_ITEM);
    r.item_count = larder_num_load64 (b + AT_ITEM_COUNT);
    r.generation = larder_num_load32 (b + AT_GENERATION);
    r.type_tag = larder_num_load32 (b + AT_TYPE_TAG);
    r.owner = larder_num_load32 (b + AT_OWNER);
    r.object = larder_num_load32 (b + AT_OBJECT);
    r.share = larder_num_load32 (b + AT_SHARE);
    uint32_t via = larder_num_load32 (b + AT_VIA);
    /* The check is no secret: whoever made these bytes may have made it fit. */
    if (larder_num_add (r.first_item, r.item_count, &end))
        return larder_error_set (err, LARDER_EREF, 0,
                                 "reference: %" PRIu64 " items from %" PRIu64 " are too many",
                                 r.item_count, r.first_item);
    if (via == UNSPLIT ? r.share != 0
                       : via > LARDER_SPLIT_MAX || r.share < 1 || r.share > LARDER_SPLIT_MAX)
        return larder_error_set (err, LARDER_EREF, 0,
                                 "reference: split by rank %" PRIu32 " among %" PRIu32, via,
                                 r.share);
    r.via = via == UNSPLIT ? -1 : (int32_t)via;
    *info = r;
    return LARDER_OK;
}

/* A copy with other words; what is not changed stays as it came. */
static void seal (larder_ref *ref)
{
    larder_num_store32 (ref->bytes + AT_CHECK, check_of (ref->bytes));
}

int larder_ref_items (const larder_ref *ref, uint64_t first, uint64_t count, larder_ref *part,
                      larder_error *err)
{
    larder_ref_info info;
    int code;

    if (!part)
        return larder_error_set (err, LARDER_EINVAL, 0, "larder_ref_items: NULL argument");
    code = larder_ref_read (ref, &info, err);
    if (code != LARDER_OK)
        return code;
    if (count == 0 || first < info.first_item ||
        !larder_num_inside (first - info.first_item, count, info.item_count))
        return larder_error_set (err, LARDER_ERANGE, 0,
                                 "reference: %" PRIu64 " items from item %" PRIu64
                                 " are not inside its %" PRIu64 " items from item %" PRIu64,
                                 count, first, info.item_count, info.first_item);
    *part = *ref;
    larder_num_store64 (part->bytes + AT_FIRST_ITEM, first);
    larder_num_store64 (part->bytes + AT_ITEM_COUNT, count);
    seal (part);
    return LARDER_OK;
}

int larder_ref_split (const larder_ref *ref, int via, int share, larder_ref *split,
                      larder_error *err)
{
    larder_ref_info info;
    if (!split)
        return larder_error_set (err, LARDER_EINVAL, 0, "larder_ref_split: NULL argument");
    if (via < 0 || via > LARDER_SPLIT_MAX || share < 1 || share > LARDER_SPLIT_MAX)
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "larder_ref_split: rank %d passes it on to %d receivers", via,
                                 share);
    int code = larder_ref_read (ref, &info, err);
    if (code != LARDER_OK)
        return code;
    if (info.share && (info.via != via || info.share != (uint32_t)share))
        return larder_error_set (err, LARDER_ESPLIT, 0,
                                 "reference: rank %d has split it among %" PRIu32
                                 " receivers, so rank %d cannot split it among %d",
                                 (int)info.via, info.share, via, share);
    *split = *ref;
    larder_num_store32 (split->bytes + AT_VIA, (uint32_t)via);
    larder_num_store32 (split->bytes + AT_SHARE, (uint32_t)share);
    seal (split);
    return LARDER_OK;
}
