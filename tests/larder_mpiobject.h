/* SPDX-License-Identifier: Apache-2.0 */
/* An object that keeps a log of its calls and fails where it is told to, and a consumer that checks
 * every byte of it as it comes. */
#ifndef LARDER_MPIOBJECT_H
#define LARDER_MPIOBJECT_H

#include "larder_mpitest.h"

enum { MPIOBJECT_LOG = 4096, MPIOBJECT_NOBODY = -1 };

/* Sizes and bytes of items are a function of their number: owner and receivers know the same. */
struct mpiobject {
    uint64_t items;
    uint64_t (*size) (uint64_t item);
    uint64_t salt;
    size_t part; /* bytes per call of produce_item at the most; 0: what there is room for */
    /* How it fails. */
    uint64_t fail_item; /* with fail_code, which is 0 for never */
    int fail_code, count_code, transaction_code;
    size_t too_much;  /* says it wrote so many bytes more than there was room for */
    int says_nothing; /* produces 0 bytes for ever */
    int ends_early;   /* says `last` after one byte */
    void (*inside) (struct mpiobject *o); /* called from produce_item */
    void *user;
    /* What happened. */
    char log[MPIOBJECT_LOG];
    uint64_t calls;
    int counted, ones, alls, dones, releases;
    int code_of[64]; /* what downloaded_to_one said of each rank; 1: nothing yet */
    larder_done done;
    uint64_t transaction;
    void (*told) (struct mpiobject *o, char what,
                  int receiver); /* of every call; -1: no receiver */
    void *txn;                   /* for it */
    char id;
};

static inline unsigned char mpiobject_byte (const struct mpiobject *o, uint64_t item,
                                            uint64_t offset)
{
    return mpitest_byte (o->salt + item * 1000003 + offset);
}

/* One letter per call; the same twice in turn counts once. */
static inline void mpiobject_note (struct mpiobject *o, char what)
{
    size_t n = strlen (o->log);
    if (n + 1 < MPIOBJECT_LOG && (n == 0 || o->log[n - 1] != what || what != 'p')) {
        o->log[n] = what;
        o->log[n + 1] = 0;
    }
    if (o->told && what != '1')
        o->told (o, what, -1);
}

static inline int mpiobject_count (void *self, uint64_t *count, larder_error *err)
{
    struct mpiobject *o = self;
    mpiobject_note (o, 'c');
    ++o->counted;
    if (o->count_code)
        return larder_error_set (err, o->count_code, 0, "the count is unknown");
    *count = o->items;
    return LARDER_OK;
}

static inline int mpiobject_size (void *self, uint64_t item, uint64_t *size, larder_error *err)
{
    struct mpiobject *o = self;
    if (item >= o->items)
        return larder_error_set (err, LARDER_ERANGE, 0, "no such item");
    *size = o->size (item);
    return LARDER_OK;
}

static inline int mpiobject_produce (void *self, uint64_t item, uint64_t offset, void *buffer,
                                     size_t capacity, size_t *produced, int *last,
                                     larder_error *err)
{
    struct mpiobject *o = self;
    unsigned char *to = buffer;
    uint64_t size = o->size (item);
    mpiobject_note (o, 'p');
    ++o->calls;
    if (o->inside)
        o->inside (o);
    if (item >= o->items || offset > size)
        return larder_error_set (err, LARDER_ERANGE, 0, "asked for item %llu, byte %llu",
                                 (unsigned long long)item, (unsigned long long)offset);
    if (o->fail_code && item == o->fail_item)
        return larder_error_set (err, o->fail_code, 0, "item %llu fell on the floor",
                                 (unsigned long long)item);
    *produced = 0;
    if (o->says_nothing)
        return LARDER_OK;
    uint64_t n = size - offset < capacity ? size - offset : capacity;
    if (o->part && n > o->part)
        n = o->part;
    if (o->ends_early && n > 1)
        n = 1;
    for (uint64_t i = 0; i < n; ++i)
        to[i] = mpiobject_byte (o, item, offset + i);
    *produced = (size_t)n + (o->too_much ? capacity - (size_t)n + o->too_much : 0);
    *last = offset + n == size || o->ends_early;
    return LARDER_OK;
}

static inline int mpiobject_transaction (void *self, uint64_t transaction, larder_error *err)
{
    struct mpiobject *o = self;
    mpiobject_note (o, 't');
    o->transaction = transaction;
    return o->transaction_code
               ? larder_error_set (err, o->transaction_code, 0, "no transactions today")
               : LARDER_OK;
}

static inline void mpiobject_one (void *self, int receiver, int code)
{
    struct mpiobject *o = self;
    mpiobject_note (o, '1');
    if (o->told)
        o->told (o, '1', receiver);
    ++o->ones;
    CU_ASSERT (receiver >= 0 && receiver < mpitest_size);
    if (receiver >= 0 && receiver < 64) {
        CU_ASSERT_EQUAL (o->code_of[receiver], 1); /* each once */
        o->code_of[receiver] = code;
    }
}

static inline void mpiobject_all (void *self)
{
    struct mpiobject *o = self;
    mpiobject_note (o, 'A');
    ++o->alls;
}

static inline void mpiobject_done (void *self, uint64_t transaction, larder_done done)
{
    struct mpiobject *o = self;
    mpiobject_note (o, 'd');
    ++o->dones;
    o->done = done;
    CU_ASSERT_EQUAL (transaction, o->transaction);
}

static inline void mpiobject_release (void *self)
{
    struct mpiobject *o = self;
    mpiobject_note (o, 'x');
    ++o->releases;
}

static const larder_object_ops mpiobject_sized = {
    .item_count = mpiobject_count,
    .item_size = mpiobject_size,
    .produce_item = mpiobject_produce,
    .set_transaction = mpiobject_transaction,
    .downloaded_to_one = mpiobject_one,
    .downloaded_to_all = mpiobject_all,
    .transaction_done = mpiobject_done,
    .release = mpiobject_release,
};

static const larder_object_ops mpiobject_unsized = {
    .item_count = mpiobject_count,
    .produce_item = mpiobject_produce,
    .set_transaction = mpiobject_transaction,
    .downloaded_to_one = mpiobject_one,
    .downloaded_to_all = mpiobject_all,
    .transaction_done = mpiobject_done,
    .release = mpiobject_release,
};

static inline uint64_t mpiobject_bytes (const struct mpiobject *o)
{
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < o->items; ++i)
        bytes += o->size (i);
    return bytes;
}

/* A fresh one, with nothing in its log. */
static inline struct mpiobject mpiobject_make (uint64_t items, uint64_t (*size) (uint64_t item))
{
    struct mpiobject o = {.items = items, .size = size};
    for (int i = 0; i < 64; ++i)
        o.code_of[i] = 1;
    return o;
}

/* ---------------------------------------------------------------- the consumer */

struct mpisink {
    const struct mpiobject *object;
    uint64_t next_item, next_offset, bytes, views, largest;
    int bad;
    int completed, failed;
    larder_error why;
    /* How it fails. */
    int fail_code;
    uint64_t fail_item;
    int completed_code;
    void (*inside) (struct mpisink *k); /* called from consume_items, after the check */
    void *user;
};

static inline void mpisink_bytes (struct mpisink *k, const unsigned char *p, uint64_t n, int ends)
{
    uint64_t size = k->object->size (k->next_item);
    for (uint64_t i = 0; i < n; ++i)
        k->bad += p[i] != mpiobject_byte (k->object, k->next_item, k->next_offset + i);
    k->next_offset += n;
    k->bad += ends ? k->next_offset != size : k->next_offset > size;
    if (ends) {
        ++k->next_item;
        k->next_offset = 0;
    }
}

static inline int mpisink_consume (void *self, const larder_view *v, larder_error *err)
{
    struct mpisink *k = self;
    const unsigned char *p = v->data;
    uint64_t left = v->size;
    ++k->views;
    k->bytes += v->size;
    k->largest = v->size > k->largest ? v->size : k->largest;
    k->bad += v->count < 1 || v->item != k->next_item || v->offset != k->next_offset ||
              v->item + v->count > k->object->items ||
              (v->count > 1 && (v->offset || !v->item_ends));
    for (uint64_t i = 0; i < v->count && !k->bad; ++i) {
        uint64_t n = v->count == 1 ? left : v->item_sizes ? v->item_sizes[i] : v->item_size;
        if (v->count > 1 && !v->item_sizes && n > left)
            n = left; /* the last one is shorter */
        if (n > left) {
            ++k->bad;
            break;
        }
        mpisink_bytes (k, p, n, i + 1 < v->count || v->item_ends);
        p += n;
        left -= n;
    }
    k->bad += left != 0;
    k->bad += k->completed + k->failed; /* nothing comes after the end */
    if (k->inside)
        k->inside (k);
    if (k->fail_code && v->item <= k->fail_item && k->fail_item < v->item + v->count)
        return larder_error_set (err, k->fail_code, 0, "no appetite");
    return LARDER_OK;
}

static inline int mpisink_completed (void *self, larder_error *err)
{
    struct mpisink *k = self;
    ++k->completed;
    return k->completed_code ? larder_error_set (err, k->completed_code, 0, "cannot finish")
                             : LARDER_OK;
}

static inline void mpisink_failed (void *self, const larder_error *why)
{
    struct mpisink *k = self;
    ++k->failed;
    k->why = *why;
}

static inline larder_consumer mpisink_consumer (struct mpisink *k)
{
    return (larder_consumer){.self = k,
                             .consume_items = mpisink_consume,
                             .download_completed = mpisink_completed,
                             .download_failed = mpisink_failed};
}

/* It got everything, once, and was told so once. */
static inline void mpisink_check_all (const struct mpisink *k)
{
    CU_ASSERT_EQUAL (k->bad, 0);
    CU_ASSERT_EQUAL (k->completed, 1);
    CU_ASSERT_EQUAL (k->failed, 0);
    CU_ASSERT_EQUAL (k->next_item, k->object->items);
    CU_ASSERT_EQUAL (k->bytes, mpiobject_bytes (k->object));
}

/* It was told once that it failed, and got nothing wrong before. */
static inline void mpisink_check_failed (const struct mpisink *k, int code)
{
    CU_ASSERT_EQUAL (k->bad, 0);
    CU_ASSERT_EQUAL (k->completed, 0);
    CU_ASSERT_EQUAL (k->failed, 1);
    CU_ASSERT_EQUAL (k->why.code, code);
}

/* ---------------------------------------------------------------- sessions, refs and messages */

static inline larder *mpiobject_open (const larder_config *config)
{
    larder *s = NULL;
    larder_error err = {0};
    MPITEST_OK (larder_open (MPI_COMM_WORLD, config, MPI_INFO_NULL, &s, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL (s);
    return s;
}

static inline void mpiobject_close (larder **s)
{
    larder_error err = {0};
    MPITEST_OK (larder_close (s, &err), err);
    CU_ASSERT_PTR_NULL (*s);
}

/* The owner's ref, on all ranks.  Called by all; only `owner` needs it before. */
static inline void mpiobject_share (larder_ref *ref, int owner)
{
    MPI_Bcast (ref, (int)sizeof *ref, MPI_BYTE, owner, MPI_COMM_WORLD);
}

static inline void mpiobject_tell (int rank, int tag)
{
    int one = 1;
    MPI_Send (&one, 1, MPI_INT, rank, tag, MPI_COMM_WORLD);
}

/* Stand still until a message comes. */
static inline void mpiobject_hear (int rank, int tag)
{
    int one = 0;
    MPI_Recv (&one, 1, MPI_INT, rank, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    CU_ASSERT_EQUAL (one, 1);
}

/* Make progress until `count` messages have come. */
static inline void mpiobject_serve_until (larder *s, int count, int tag)
{
    larder_error err = {0};
    while (count > 0) {
        int flag = 0, rc = larder_progress (s, 4, 0, &err);
        if (rc < 0) {
            MPITEST_OK (rc, err);
            return;
        }
        MPI_Status status;
        MPI_Iprobe (MPI_ANY_SOURCE, tag, MPI_COMM_WORLD, &flag, &status);
        if (flag) {
            mpiobject_hear (status.MPI_SOURCE, tag);
            --count;
        }
    }
}

/* Download all of an object, expecting `code`. */
static inline void mpiobject_get (larder *s, const larder_ref *ref, const struct mpiobject *o,
                                  int code)
{
    larder_error err = {0};
    struct mpisink k = {.object = o};
    larder_consumer consumer = mpisink_consumer (&k);
    int rc = larder_download (s, ref, &consumer, &err);
    CU_ASSERT_EQUAL (rc, code);
    if (rc != code)
        fprintf (stderr, "rank %d: %s: %s\n", mpitest_rank, larder_code_name (rc), err.text);
    if (rc == LARDER_OK)
        mpisink_check_all (&k);
    else if (rc == code)
        mpisink_check_failed (&k, code);
}

/* Start a download. */
static inline void mpiobject_start (larder *s, const larder_ref *ref, struct mpisink *k,
                                    larder_request **request)
{
    larder_error err = {0};
    larder_consumer consumer = mpisink_consumer (k);
    MPITEST_OK (larder_download_start (s, ref, &consumer, request, &err), err);
}

/* Wait for a download, expecting `code`. */
static inline void mpiobject_finish (larder_request **request, const struct mpisink *k, int code)
{
    larder_error err = {0};
    int rc = larder_download_wait (request, -1, &err);
    CU_ASSERT_EQUAL (rc, code);
    if (rc != code)
        fprintf (stderr, "rank %d: %s: %s\n", mpitest_rank, larder_code_name (rc), err.text);
    else if (code == LARDER_OK)
        mpisink_check_all (k);
    else
        mpisink_check_failed (k, code);
}

#endif
