/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_unpack.h"
#include "larder_num.h"
#include "larder_scan.h"
#include "larder_unpacktable.h"
#include <inttypes.h>
#include <larder/encode.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct unpack {
    struct larder_unpacktable table;
    const unsigned char *head; /* as it stands in the message */
    uint64_t head_size;
    larder_error *err;
};

/* ---------------------------------------------------------------- the header */

uint64_t larder_message_check (const void *bytes, size_t size)
{
    return XXH3_64bits_withSeed ((const unsigned char *)bytes + LARDER_MESSAGE_HEADER,
                                 size - LARDER_MESSAGE_HEADER, XXH3_64bits (bytes, 24));
}

static int damaged (const struct unpack *u, const char *why)
{
    return larder_error_set (u->err, LARDER_EMESSAGE, 0, "message: %s", why);
}

/* Where the data section begins and all ends; 0 when 64 bits do not hold it. */
static int extent (const struct unpack *u, uint64_t *data_at, uint64_t *end)
{
    uint64_t head_end;

    if (larder_num_add (LARDER_MESSAGE_HEADER, u->head_size, &head_end))
        return 0;
    *data_at = head_end;
    if (u->table.data_size > 0 && larder_num_round_up (head_end, LARDER_MESSAGE_ALIGN, data_at))
        return 0;
    return larder_num_add (*data_at, u->table.data_size, end) == 0;
}

static int read_header (struct unpack *u, const unsigned char *bytes, size_t size)
{
    const unsigned known = LARDER_MESSAGE_PASS_THROUGH | LARDER_MESSAGE_BIG_ENDIAN;
    uint64_t data_at, end;

    if (size < 4 || memcmp (bytes, "LMSG", 4) != 0)
        return damaged (u, "these bytes are no message");
    if (size < LARDER_MESSAGE_HEADER)
        return damaged (u, "cut short: the header is not whole");
    if (bytes[4] != LARDER_MESSAGE_VERSION)
        return larder_error_set (u->err, LARDER_EMESSAGE, 0,
                                 "message: version %u, this library reads version %d",
                                 (unsigned)bytes[4], LARDER_MESSAGE_VERSION);
    u->head_size = larder_num_load64 (bytes + 8);
    u->table.data_size = larder_num_load64 (bytes + 16);
    if (!extent (u, &data_at, &end) || end > size)
        return larder_error_set (u->err, LARDER_EMESSAGE, 0,
                                 "message: cut short: %zu bytes for a head of %" PRIu64
                                 " and data of %" PRIu64,
                                 size, u->head_size, u->table.data_size);
    if (end < size)
        return larder_error_set (u->err, LARDER_EMESSAGE, 0,
                                 "message: %" PRIu64 " bytes stand behind its end", size - end);
    if (larder_num_load64 (bytes + 24) != larder_message_check (bytes, size))
        return damaged (u, "bytes do not fit their check");
    u->table.flags = bytes[5];
    if ((u->table.flags & ~known) != 0 || bytes[6] || bytes[7])
        return larder_error_set (u->err, LARDER_EMESSAGE, 0,
                                 "message: flags 0x%02x, which this library does not know",
                                 u->table.flags & ~known);
    u->head = bytes + LARDER_MESSAGE_HEADER;
    u->table.data = bytes + data_at;
    for (const unsigned char *p = u->head + u->head_size; p < u->table.data; ++p) {
        if (*p)
            return larder_error_set (u->err, LARDER_EFORMAT, 0,
                                     "message: something stands before the data section");
    }
    return LARDER_OK;
}

/* ---------------------------------------------------------------- the body */

static int read_node (struct unpack *u, struct larder_node *node, const msgpack_object *o);

static int read_named (struct unpack *u, struct larder_node *node, const msgpack_object *o)
{
    const unsigned char *p = (const unsigned char *)o->via.ext.ptr;
    uint64_t number = o->via.ext.size == 1   ? *p
                      : o->via.ext.size == 2 ? larder_num_load16 (p)
                                             : larder_num_load32 (p);

    if (number >= u->table.value_count)
        return larder_error_set (u->err, LARDER_EFORMAT, 0,
                                 "message: value %" PRIu64 " of %" PRIu64 " is named", number,
                                 u->table.value_count);
    larder_message_put_datum (node, u->table.values[number]);
    return LARDER_OK;
}

static int read_children (struct unpack *u, struct larder_node *node, const msgpack_object *o)
{
    const int map = o->type == MSGPACK_OBJECT_MAP;
    uint64_t count = map ? o->via.map.size : o->via.array.size;

    for (uint64_t i = 0; i < count; ++i) {
        const msgpack_object *key = map ? &o->via.map.ptr[i].key : NULL;
        larder_error why = {0};
        struct larder_node *child;
        int code = larder_message_append (node, key ? key->via.str.ptr : NULL,
                                          key ? key->via.str.size : 0, &child, &why);

        if (code == LARDER_EINVAL || code == LARDER_EEXIST)
            return larder_error_set (u->err, LARDER_EFORMAT, 0, "message: %s", why.text);
        if (code != LARDER_OK)
            return larder_error_set (u->err, code, 0, "%s", why.text);
        code = read_node (u, child, map ? &o->via.map.ptr[i].val : &o->via.array.ptr[i]);
        if (code != LARDER_OK)
            return code;
    }
    return LARDER_OK;
}

/* No deeper than larder_scan allows. */
static int read_node (struct unpack *u, struct larder_node *node, const msgpack_object *o)
{
    int code;

    switch (o->type) {
    case MSGPACK_OBJECT_NIL:
        return LARDER_OK;
    case MSGPACK_OBJECT_BOOLEAN:
        node->kind = LARDER_KIND_BOOL;
        node->u.boolean = o->via.boolean;
        return LARDER_OK;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        node->kind = o->via.u64 > INT64_MAX ? LARDER_KIND_UINT : LARDER_KIND_INT;
        if (node->kind == LARDER_KIND_UINT)
            node->u.natural = o->via.u64;
        else
            node->u.integer = (int64_t)o->via.u64;
        return LARDER_OK;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        node->kind = LARDER_KIND_INT;
        node->u.integer = o->via.i64;
        return LARDER_OK;
    case MSGPACK_OBJECT_FLOAT64:
        node->kind = LARDER_KIND_FLOAT;
        node->u.real = o->via.f64;
        return LARDER_OK;
    case MSGPACK_OBJECT_STR:
        return larder_message_put_text (node, LARDER_KIND_STRING, o->via.str.ptr, o->via.str.size,
                                        u->err);
    case MSGPACK_OBJECT_BIN:
        return larder_message_put_text (node, LARDER_KIND_BYTES, o->via.bin.ptr, o->via.bin.size,
                                        u->err);
    case MSGPACK_OBJECT_EXT:
        return read_named (u, node, o);
    case MSGPACK_OBJECT_ARRAY:
        code = larder_message_open (node, LARDER_KIND_LIST, o->via.array.size, u->err);
        return code == LARDER_OK ? read_children (u, node, o) : code;
    case MSGPACK_OBJECT_MAP:
        code = larder_message_open (node, LARDER_KIND_MAP, o->via.map.size, u->err);
        return code == LARDER_OK ? read_children (u, node, o) : code;
    default:
        return larder_error_set (u->err, LARDER_EFORMAT, 0, "message: a type that none has");
    }
}

static int read_body (struct unpack *u, larder_message *message, const msgpack_object *o)
{
    int code;

    if (o->type != MSGPACK_OBJECT_MAP)
        return larder_error_set (u->err, LARDER_EFORMAT, 0, "message: its body is no map");
    code = read_children (u, &message->root, o);
    if (code != LARDER_OK)
        return code;
    return larder_unpacktable_used (&u->table);
}

/* ---------------------------------------------------------------- all together */

static int read_head (struct unpack *u, larder_message *message)
{
    msgpack_unpacked unpacked;
    const msgpack_object *parts;
    int code;

    /* The outer list and the body's map, then what LARDER_DEPTH_MAX counts. */
    code = larder_scan (u->head, u->head_size, LARDER_DEPTH_MAX + 1, LARDER_MESSAGE_EXT, u->err);
    if (code != LARDER_OK)
        return code;
    msgpack_unpacked_init (&unpacked);
    if (msgpack_unpack_next (&unpacked, (const char *)u->head, u->head_size, NULL) !=
        MSGPACK_UNPACK_SUCCESS) {
        msgpack_unpacked_destroy (&unpacked);
        return larder_error_set (u->err, LARDER_ENOMEM, 0, "message: no memory to unpack it");
    }
    parts = unpacked.data.via.array.ptr;
    if (unpacked.data.type != MSGPACK_OBJECT_ARRAY || unpacked.data.via.array.size != 3)
        code = larder_error_set (u->err, LARDER_EFORMAT, 0,
                                 "message: its head is no list of refs, values and body");
    if (code == LARDER_OK)
        code = larder_unpacktable_read (&u->table, &parts[0], &parts[1]);
    if (code == LARDER_OK)
        code = read_body (u, message, &parts[2]);
    msgpack_unpacked_destroy (&unpacked);
    return code;
}

int larder_unpack (const void *bytes, size_t size, const larder_registry *registry, int strict,
                   larder_message **message, unsigned *flags, larder_error *err)
{
    struct unpack u = {.err = err, .table = {.registry = registry, .err = err}};
    larder_message *m = NULL;
    int code;

    if (!bytes || !message)
        return larder_error_set (err, LARDER_EINVAL, 0, "larder_message_decode: NULL argument");
    code = read_header (&u, bytes, size);
    u.table.strict = strict && !(u.table.flags & LARDER_MESSAGE_PASS_THROUGH);
    if (flags)
        *flags = u.table.flags & ~(unsigned)LARDER_MESSAGE_BIG_ENDIAN;
    if (code == LARDER_OK)
        code = larder_message_new (&m, err);
    if (code == LARDER_OK)
        code = read_head (&u, m);
    larder_unpacktable_free (&u.table);
    if (code != LARDER_OK) {
        larder_message_free (&m);
        return code;
    }
    *message = m;
    return LARDER_OK;
}

int larder_message_decode (const void *bytes, size_t size, const larder_registry *registry,
                           larder_message **message, larder_error *err)
{
    return larder_unpack (bytes, size, registry, 0, message, NULL, err);
}
