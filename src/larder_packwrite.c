/* SPDX-License-Identifier: Apache-2.0 */
/* A message's different values and its tree, written as bytes. */
#include "larder_num.h"
#include "larder_pack.h"
#include "larder_seen.h"
#include "larder_unpack.h"
#include <inttypes.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct writing {
    struct larder_pack *pack;
    unsigned char *bytes; /* header and head; then all */
    size_t size, room;
    larder_ref *refs;      /* the different ones */
    uint64_t *ref_numbers; /* of each value; NATIVE: not looked at */
    uint64_t ref_count, data_size;
    msgpack_packer packer;
    larder_error *err;
};

static int too_large (const struct writing *w)
{
    return larder_error_set (w->err, LARDER_ERANGE, 0, "message: too large for its format");
}

/* ---------------------------------------------------------------- plans */

static int plan_native (struct writing *w, struct larder_packed *p)
{
    uint64_t at;

    if (p->handler && !p->handler->write_native)
        return larder_error_set (w->err, LARDER_EHANDLER, 0, "handler '%s' writes no native values",
                                 p->handler->name);
    p->offset = 0;
    if (p->size == 0)
        return LARDER_OK;
    if (larder_num_round_up (w->data_size, LARDER_MESSAGE_ALIGN, &at) ||
        larder_num_add (at, p->size, &w->data_size))
        return too_large (w);
    p->offset = at;
    return LARDER_OK;
}

static int equal (const void *self, uint64_t number, const void *key)
{
    const struct writing *w = self;
    return memcmp (&w->refs[number], key, sizeof (larder_ref)) == 0;
}

/* The ref as it travels, and its number in the table. */
static int plan_ref (struct writing *w, const struct larder_packed *p, const larder_next *next,
                     struct larder_seen *seen, uint64_t *number)
{
    larder_ref *ref = &w->refs[w->ref_count];
    uint64_t hash;

    *ref = p->datum->ref;
    if (next && next->share > 0) {
        int code = larder_ref_split (ref, next->via, next->share, ref, w->err);
        if (code != LARDER_OK)
            return code;
    }
    hash = XXH3_64bits_withSeed (ref, sizeof *ref, (uint64_t)(uintptr_t)w->refs);
    if (larder_seen_find (seen, hash, equal, w, ref, number))
        return LARDER_OK;
    if (larder_seen_add (seen, hash, w->ref_count) != LARDER_OK)
        return larder_error_set (w->err, LARDER_ENOMEM, 0, "message: no memory to list its refs");
    *number = w->ref_count++;
    return LARDER_OK;
}

/* Where each value stands: in the data section, or at which ref.  The OWN values' is number 0. */
static int plan (struct writing *w, const larder_next *next, larder_encoded *out)
{
    struct larder_seen seen = {0};
    uint64_t count = w->pack->count;
    int code = LARDER_OK;

    for (uint64_t i = 0; i < count && w->ref_count == 0; ++i)
        w->ref_count = w->pack->values[i].way == LARDER_WAY_OWN;
    w->refs = calloc (count + 1, sizeof *w->refs);
    w->ref_numbers = calloc (count + 1, sizeof *w->ref_numbers);
    if (!w->refs || !w->ref_numbers)
        return larder_error_set (w->err, LARDER_ENOMEM, 0, "message: no memory to list its refs");
    for (uint64_t i = 0; i < count && code == LARDER_OK; ++i) {
        struct larder_packed *p = &w->pack->values[i];

        if (p->way == LARDER_WAY_NATIVE) {
            ++out->native;
            code = plan_native (w, p);
        } else if (p->way == LARDER_WAY_OWN) {
            ++out->by_reference;
        } else {
            ++out->forwarded;
            code = plan_ref (w, p, next, &seen, &w->ref_numbers[i]);
        }
    }
    larder_seen_free (&seen);
    if (code == LARDER_OK && (count > UINT32_MAX || w->ref_count > UINT32_MAX / LARDER_REF_BYTES))
        return too_large (w);
    return code;
}

/* ---------------------------------------------------------------- the head */

static int reserve (struct writing *w, size_t more)
{
    unsigned char *bytes;
    size_t room, twice;

    if (more <= w->room - w->size)
        return 0;
    if (larder_num_add_size (w->size, more, &room))
        return -1;
    if (larder_num_mul_size (w->room, 2, &twice) == 0 && twice > room)
        room = twice;
    bytes = realloc (w->bytes, room);
    if (!bytes)
        return -1;
    w->bytes = bytes;
    w->room = room;
    return 0;
}

static int append (void *self, const char *bytes, size_t size)
{
    struct writing *w = self;

    if (reserve (w, size))
        return -1;
    if (size > 0)
        memcpy (w->bytes + w->size, bytes, size);
    w->size += size;
    return 0;
}

static int pack_shape (msgpack_packer *k, const larder_shape *shape)
{
    const int opaque = shape->type == LARDER_OPAQUE;
    int bad = msgpack_pack_array (k, 1 + (size_t)opaque + (size_t)shape->ndims);

    bad |= msgpack_pack_uint8 (k, (uint8_t)shape->type);
    if (opaque)
        bad |= msgpack_pack_uint32 (k, shape->element_size);
    for (int i = 0; i < shape->ndims; ++i)
        bad |= msgpack_pack_uint64 (k, shape->dims[i]);
    return bad;
}

static int pack_value (msgpack_packer *k, const struct larder_packed *p, uint64_t ref_number)
{
    int bad = msgpack_pack_array (k, p->way == LARDER_WAY_NATIVE ? 4 : 6);

    bad |= msgpack_pack_int (k, p->datum->dot);
    bad |= pack_shape (k, &p->shape);
    if (p->way == LARDER_WAY_NATIVE) {
        bad |= msgpack_pack_uint64 (k, p->offset);
    } else {
        bad |= msgpack_pack_uint64 (k, ref_number);
        bad |= msgpack_pack_uint64 (k, p->first);
        bad |= msgpack_pack_uint64 (k, p->count);
    }
    return bad | msgpack_pack_uint64 (k, p->size);
}

static int pack_named (msgpack_packer *k, const struct larder_datum *datum)
{
    uint64_t number = datum->mark - 1;
    unsigned char bytes[4];
    size_t size = number <= 0xff ? 1 : number <= 0xffff ? 2 : 4;

    larder_num_store32 (bytes, (uint32_t)number);
    return msgpack_pack_ext_with_body (k, bytes, size, LARDER_MESSAGE_EXT);
}

static int pack_node (msgpack_packer *k, const struct larder_node *node);

static int pack_children (msgpack_packer *k, const struct larder_node *node)
{
    const struct larder_children *c = node->u.children;
    const int map = node->kind == LARDER_KIND_MAP;
    uint64_t count = c ? c->count : 0;
    int bad;

    if (count > UINT32_MAX)
        return -1;
    bad = map ? msgpack_pack_map (k, count) : msgpack_pack_array (k, count);
    for (uint64_t i = 0; i < count && !bad; ++i) {
        if (map)
            bad |= msgpack_pack_str_with_body (k, c->names[i], strlen (c->names[i]));
        bad |= pack_node (k, &c->nodes[i]);
    }
    return bad;
}

/* No deeper than LARDER_DEPTH_MAX. */
static int pack_node (msgpack_packer *k, const struct larder_node *node)
{
    switch (node->kind) {
    case LARDER_KIND_NIL:
        return msgpack_pack_nil (k);
    case LARDER_KIND_BOOL:
        return node->u.boolean ? msgpack_pack_true (k) : msgpack_pack_false (k);
    case LARDER_KIND_INT:
        return msgpack_pack_int64 (k, node->u.integer);
    case LARDER_KIND_UINT:
        return msgpack_pack_uint64 (k, node->u.natural);
    case LARDER_KIND_FLOAT:
        return msgpack_pack_double (k, node->u.real);
    case LARDER_KIND_STRING:
        return msgpack_pack_str_with_body (k, node->u.text->bytes, node->u.text->size);
    case LARDER_KIND_BYTES:
        return msgpack_pack_bin_with_body (k, node->u.text->bytes, node->u.text->size);
    case LARDER_KIND_ARRAY:
    case LARDER_KIND_TYPED:
    case LARDER_KIND_LAZY:
        return pack_named (k, node->u.datum);
    case LARDER_KIND_LIST:
    case LARDER_KIND_MAP:
        return pack_children (k, node);
    }
    return -1;
}

static int pack_head (struct writing *w)
{
    static const unsigned char header[LARDER_MESSAGE_HEADER];
    msgpack_packer *k = &w->packer;
    size_t refs_size = (size_t)w->ref_count * sizeof *w->refs;
    int bad;

    /* A guess that most messages stay below; the numbers were checked in plan (). */
    w->room = 512 + refs_size + (size_t)w->pack->count * 64;
    w->bytes = malloc (w->room);
    msgpack_packer_init (k, w, append);
    bad = !w->bytes || append (w, (const char *)header, sizeof header);
    bad = bad || msgpack_pack_array (k, 3) || msgpack_pack_bin (k, refs_size) ||
          msgpack_pack_bin_body (k, w->refs, refs_size) ||
          msgpack_pack_array (k, (size_t)w->pack->count);
    for (uint64_t i = 0; i < w->pack->count && !bad; ++i)
        bad = pack_value (k, &w->pack->values[i], w->ref_numbers[i]);
    bad = bad || pack_node (k, &w->pack->message->root);
    return bad ? larder_error_set (w->err, LARDER_ENOMEM, 0, "message: no memory for its bytes")
               : LARDER_OK;
}

/* ---------------------------------------------------------------- the data section */

static int write_data (struct writing *w)
{
    uint64_t start, end;
    unsigned char *at;

    if (w->data_size == 0)
        return LARDER_OK;
    if (larder_num_round_up (w->size, LARDER_MESSAGE_ALIGN, &start) ||
        larder_num_add (start, w->data_size, &end) || end > PTRDIFF_MAX)
        return too_large (w);
    if (end > w->room) {
        unsigned char *bytes = realloc (w->bytes, (size_t)end);
        if (!bytes)
            return larder_error_set (w->err, LARDER_ENOMEM, 0,
                                     "message: no memory for its %" PRIu64 " bytes", end);
        w->bytes = bytes;
        w->room = (size_t)end;
    }
    at = w->bytes + w->size; /* zeros from here to the next value */
    w->size = (size_t)end;
    for (uint64_t i = 0; i < w->pack->count; ++i) {
        const struct larder_packed *p = &w->pack->values[i];
        unsigned char *to = w->bytes + start + p->offset;
        int code = LARDER_OK;

        if (p->way != LARDER_WAY_NATIVE || p->size == 0)
            continue;
        memset (at, 0, (size_t)(to - at));
        if (p->handler)
            code = p->handler->write_native (p->handler->self, larder_pack_value (p), to, p->size,
                                             w->err);
        else
            memcpy (to, p->datum->data, (size_t)p->size);
        if (code < 0)
            return code;
        at = to + p->size;
    }
    return LARDER_OK;
}

static void write_header (struct writing *w, unsigned flags, uint64_t head_size)
{
    unsigned char *b = w->bytes;

    memcpy (b, "LMSG", 4);
    b[4] = LARDER_MESSAGE_VERSION;
    b[5] = (unsigned char)(flags | larder_message_byte_order ());
    larder_num_store64 (b + 8, head_size);
    larder_num_store64 (b + 16, w->data_size);
}

int larder_pack_write (struct larder_pack *pack, const larder_next *next, unsigned flags,
                       larder_encoded *encoded, larder_error *err)
{
    struct writing w = {.pack = pack, .err = err};
    larder_encoded out = {0};
    uint64_t head_size = 0;
    int code = plan (&w, next, &out);

    if (code == LARDER_OK)
        code = pack_head (&w);
    if (code == LARDER_OK) {
        head_size = w.size - LARDER_MESSAGE_HEADER;
        code = write_data (&w);
    }
    free (w.refs);
    free (w.ref_numbers);
    if (code != LARDER_OK) {
        free (w.bytes);
        return code;
    }
    write_header (&w, flags, head_size);
    out.bytes = w.bytes;
    out.size = w.size;
    *encoded = out;
    return LARDER_OK;
}

void larder_pack_seal (larder_encoded *encoded, const larder_ref *own)
{
    unsigned char *bytes = encoded->bytes;

    if (own) {
        /* The list's first byte, then a byte string's: its length has 1, 2 or 4 bytes. */
        unsigned char *refs = bytes + LARDER_MESSAGE_HEADER + 1;
        memcpy (refs + 1 + (1 << (refs[0] - 0xc4)), own->bytes, LARDER_REF_BYTES);
    }
    larder_num_store64 (bytes + 24, larder_message_check (bytes, encoded->size));
}
