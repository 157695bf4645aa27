/* SPDX-License-Identifier: Apache-2.0 */
/* A message to bytes: its different values are collected, then somebody says which go by reference, then all is
 * written.  docs/MESSAGES.md has the format. */
#ifndef LARDER_PACK_H
#define LARDER_PACK_H

#include "larder_message.h"
#include "larder_registry.h"
#include <larder/encode.h>

enum larder_way { LARDER_WAY_NATIVE, LARDER_WAY_OWN, LARDER_WAY_FORWARD };

/* One of a message's different values. */
struct larder_packed {
    struct larder_datum *datum;
    const larder_handler *handler; /* NULL: forwarded, or sealed */
    enum larder_way way;
    larder_shape shape; /* NATIVE and OWN: as its handler describes it */
    uint64_t size;
    uint64_t first, count; /* items of its object; OWN: the caller's to set */
    uint64_t offset;       /* NATIVE: in the data section */
};

struct larder_pack {
    const larder_message *message;
    struct larder_packed *values;
    uint64_t count, room;
};

/* Collect.  Arrays and typed values are NATIVE at first, whatever has a ref is FORWARD.  On failure nothing is
 * to be freed. */
int larder_pack_begin (struct larder_pack *pack, const larder_message *message,
                       const larder_registry *registry, larder_error *err);
void larder_pack_end (struct larder_pack *pack);

/* What its handler's functions get as `value`: of an array its datum, else the datum's data. */
const void *larder_pack_value (const struct larder_packed *packed);

/* Write.  OWN values refer to a ref that is all zero until larder_pack_seal.  next, flags: see encode.h and
 * LARDER_MESSAGE_...; encoded->transaction and ref stay zero. */
int larder_pack_write (struct larder_pack *pack, const larder_next *next, unsigned flags,
                       larder_encoded *encoded, larder_error *err);

/* Put the ref of the OWN values in (NULL: there are none), and the check over all.  Cannot fail. */
void larder_pack_seal (larder_encoded *encoded, const larder_ref *own);

#endif
