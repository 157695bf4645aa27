/* SPDX-License-Identifier: Apache-2.0 */
/* References of the source: by address, never by name; see larder_h5source.h. */
#include "larder_h5source.h"
#include "larder_h5space.h"

#include <string.h>

haddr_t larder_h5source_address (const struct larder_h5source *source, const void *reference)
{
    const uint8_t *byte = reference;
    haddr_t address = 0;
    int ones = 1;
    for (size_t i = 0; i < source->address_bytes; ++i) {
        address |= (haddr_t)byte[i] << (8 * i);
        ones = ones && byte[i] == 0xff;
    }
    return address == 0 || ones ? HADDR_UNDEF : address;
}

/* 1 when there is an object; *address is its own. */
static int dereference (const struct larder_h5source *source, H5R_type_t kind,
                        const void *reference, haddr_t *address)
{
    H5O_info_t info;
    hid_t object = H5Rdereference2 (source->file, H5P_DEFAULT, kind, reference);
    if (object < 0)
        return 0;
    int good = H5Oget_info2 (object, &info, H5O_INFO_BASIC) >= 0;
    (void)H5Oclose (object);
    *address = good ? info.addr : HADDR_UNDEF;
    return good;
}

haddr_t larder_h5source_target (const struct larder_h5source *source, int region,
                                const void *reference, int *dangling)
{
    static const uint8_t zero[sizeof (hdset_reg_ref_t)];
    haddr_t address = HADDR_UNDEF;
    *dangling = 0;
    if (region) {
        if (memcmp (reference, zero, sizeof zero) != 0)
            *dangling = !dereference (source, H5R_DATASET_REGION, reference, &address);
        return address;
    }
    address = larder_h5source_address (source, reference);
    if (address == HADDR_UNDEF ||
        larder_h5map_find (&source->numbers, address) != LARDER_H5MAP_NONE)
        return address;
    hobj_ref_t clean = address; /* what is above address_bytes may be anything */
    *dangling = !dereference (source, H5R_OBJECT, &clean, &address);
    return *dangling ? HADDR_UNDEF : address;
}

static int put_region (const struct larder_h5source *source, const void *reference,
                       struct larder_h5out *out)
{
    hid_t space = H5Rget_region (source->file, H5R_DATASET_REGION, reference);
    if (space < 0)
        return -1;
    int code = larder_h5space_put_selection (out, space);
    (void)H5Sclose (space);
    return code;
}

static int put_reference (void *self, int region, const void *reference, struct larder_h5out *out)
{
    struct larder_h5source *source = self;
    int dangling = 0;
    haddr_t address = larder_h5source_target (source, region, reference, &dangling);
    uint32_t number =
        address == HADDR_UNDEF ? LARDER_H5MAP_NONE : larder_h5map_find (&source->numbers, address);
    source->dangling += dangling != 0;
    source->outside += address != HADDR_UNDEF && number == LARDER_H5MAP_NONE;
    size_t at = out->size;
    larder_h5out_count (out, number == LARDER_H5MAP_NONE ? 0 : (uint64_t)number + 1);
    if (number != LARDER_H5MAP_NONE && region && put_region (source, reference, out) != 0) {
        ++source->dangling;
        out->size = at < out->size ? at : out->size;
        larder_h5out_count (out, 0);
    }
    return 0;
}

struct larder_h5refs larder_h5source_refs (struct larder_h5source *source)
{
    return (struct larder_h5refs){put_reference, NULL, source};
}
