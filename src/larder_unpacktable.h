/* SPDX-License-Identifier: Apache-2.0 */
/* The two tables in a message's head, refs and different values, on their way from msgpack to datums. */
#ifndef LARDER_UNPACKTABLE_H
#define LARDER_UNPACKTABLE_H

#include "larder_message.h"
#include "larder_registry.h"
#include <msgpack.h>

/* One of the table of refs. */
struct larder_unpackref {
    larder_ref_info info;
    int named; /* a value is of it */
};

/* The first six members are the caller's to set, the rest is zero at first. */
struct larder_unpacktable {
    const larder_registry *registry;
    int strict;
    unsigned flags;            /* of the header */
    const unsigned char *data; /* data section, as it stands in the message */
    uint64_t data_size;
    larder_error *err; /* for texts; may be NULL */
    const char *refs;  /* as they stand in the message */
    struct larder_unpackref *known;
    uint64_t ref_count;
    struct larder_datum **values; /* NULL behind those that were made */
    uint64_t value_count;
    struct larder_blob *blob; /* copy of the data section */
    unsigned char *section;   /* where it stands */
    uint64_t data_end;        /* of the native values so far */
};

/* Read and check both.  Errors as larder_message_decode. */
int larder_unpacktable_read (struct larder_unpacktable *table, const msgpack_object *refs,
                             const msgpack_object *values);

/* LARDER_EFORMAT when a value has no users: nothing in the message names it. */
int larder_unpacktable_used (const struct larder_unpacktable *table);

/* Free it, with the values that have no users: before the message that has the others is freed. */
void larder_unpacktable_free (struct larder_unpacktable *table);

#endif
