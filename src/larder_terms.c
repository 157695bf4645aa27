/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_terms.h"
#include "larder_mpi.h"
#include "larder_num.h"
#include "larder_progress.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* MPI may still use the buffers of a step that did not finish: they are left to it. */
static int finish (larder *s, MPI_Request *request, const char *call, larder_error *err)
{
    int rc = larder_progress_request (s, request, err);
    if (rc != LARDER_ETIMEDOUT)
        return rc;
    s->broken = rc;
    return larder_error_set (err, rc, 0, "%s: not all ranks came within %.3g s without progress",
                             call, s->settings.timeout_s);
}

int larder_terms_compare (larder *s, uint64_t value, int code, const larder_error *mine,
                          const char *what, larder_error *err)
{
    struct {
        uint64_t mine[2], largest[2];
    } * w;
    larder_error why = {0};
    MPI_Request request;
    if (code < 0)
        why = *mine;
    w = calloc (1, sizeof *w);
    if (!w && code == LARDER_OK)
        code = larder_error_set (&why, LARDER_ENOMEM, 0, "%s: no memory", what);
    int rc = larder_agree (s, code, &why, err);
    if (rc != LARDER_OK) {
        free (w);
        return rc;
    }
    w->mine[0] = value;
    w->mine[1] = ~value;
    rc = larder_mpi_check (
        MPI_Iallreduce (w->mine, w->largest, 2, MPI_UINT64_T, MPI_MAX, s->comm, &request),
        "MPI_Iallreduce", err);
    if (rc == LARDER_OK)
        rc = finish (s, &request, what, err);
    if (rc == LARDER_OK && w->largest[0] != ~w->largest[1])
        rc = larder_error_set (err, LARDER_EMISMATCH, 0, "%s: not the same on all ranks", what);
    if (rc != LARDER_ETIMEDOUT)
        free (w);
    return larder_progress_leave (s, rc, err);
}

/* ---------------------------------------------------------------- the owner's answer */

static int sum_sizes (larder *s, struct larder_offered *f, struct larder_terms *t,
                      larder_error *err)
{
    int rc = LARDER_OK;
    t->size = 0;
    s->in_callback = 1;
    for (uint64_t i = t->first_item; rc == LARDER_OK && i < t->end_item; ++i) {
        uint64_t one = 0;
        rc = larder_chunks_item_size (&f->chunks, i, &one, err);
        if (rc == LARDER_OK && larder_num_add (t->size, one, &t->size))
            rc =
                larder_error_set (err, LARDER_ERANGE, 0, "%s: it is too large for memory", f->name);
    }
    s->in_callback = 0;
    return rc;
}

static int describe (larder *s, const larder_ref_info *info, struct larder_terms *terms,
                     larder_error *err)
{
    struct larder_offered *f = s->owner && info->object < (uint32_t)s->settings.max_objects
                                   ? &s->owner->objects[info->object]
                                   : NULL;
    if (!f || f->transaction != info->transaction || f->state != LARDER_OFFER_LIVE)
        return larder_error_set (err, LARDER_EGONE, 0,
                                 "object %" PRIu32 " of transaction %" PRIu64
                                 " is no longer offered",
                                 info->object, info->transaction);
    if (info->generation != f->generation)
        return larder_error_set (err, LARDER_ESTALE, 0, "%s: the ref is of another version",
                                 f->name);
    if (!larder_num_inside (info->first_item, info->item_count, f->chunks.item_count))
        return larder_error_set (err, LARDER_ERANGE, 0,
                                 "%s: it has %" PRIu64 " items, the ref names %" PRIu64
                                 " from %" PRIu64,
                                 f->name, f->chunks.item_count, info->item_count, info->first_item);
    if (info->first_item && f->chunks.unknown)
        return larder_error_set (err, LARDER_ENOTSUP, 0,
                                 "%s: the ref names a part of it, whose place is known only by "
                                 "producing what stands before it",
                                 f->name);
    if (!f->txn->live)
        return larder_error_set (err, LARDER_EINVAL, 0, "%s: its transaction is not live yet",
                                 f->name);
    *terms = (struct larder_terms){.first_item = info->first_item,
                                   .end_item = info->first_item + info->item_count,
                                   .items = f->chunks.item_count,
                                   .item_size = f->chunks.item_size,
                                   .payload = f->payload,
                                   .unknown = f->chunks.unknown};
    if (!terms->item_size)
        return terms->unknown ? LARDER_OK : sum_sizes (s, f, terms, err);
    terms->size =
        larder_num_min (terms->end_item * terms->item_size, larder_chunks_bytes (&f->chunks)) -
        terms->first_item * terms->item_size;
    return LARDER_OK;
}

struct answer {
    struct larder_terms terms;
    int32_t code;
    char text[LARDER_ERROR_TEXT];
};

static int answer (larder *s, const larder_ref_info *info, struct larder_terms *terms,
                   larder_error *err)
{
    MPI_Request request;
    larder_error why = {0};
    struct answer *a = calloc (1, sizeof *a);
    int rc = larder_agree (
        s, a ? LARDER_OK : larder_error_set (&why, LARDER_ENOMEM, 0, "no memory"), &why, err);
    if (rc != LARDER_OK) {
        free (a);
        return rc;
    }
    if (info->owner == (uint32_t)s->rank) {
        a->code = describe (s, info, &a->terms, &why);
        (void)larder_progress_leave (s, a->code, &why);
        memcpy (a->text, why.text, sizeof a->text);
    }
    rc = larder_mpi_check (
        MPI_Ibcast (a, (int)sizeof *a, MPI_BYTE, (int)info->owner, s->comm, &request), "MPI_Ibcast",
        err);
    if (rc == LARDER_OK)
        rc = finish (s, &request, "asking the owner", err);
    if (rc == LARDER_OK && a->code != LARDER_OK) {
        rc = larder_error_set (err, a->code, 0, "%s", a->text);
        if (err)
            err->rank = (int)info->owner;
    } else if (rc == LARDER_OK) {
        *terms = a->terms;
    } else {
        (void)larder_progress_leave (s, rc, err);
    }
    if (rc != LARDER_ETIMEDOUT)
        free (a);
    return rc;
}

int larder_terms_ask (larder *s, const larder_ref *ref, int bad, const larder_error *mine,
                      struct larder_terms *terms, larder_error *err)
{
    larder_error why = {0};
    larder_ref_info info = {0};
    uint64_t words[LARDER_REF_BYTES / 8], hash = 0;
    int rc = bad;
    if (bad < 0)
        why = *mine;
    else if (!ref)
        rc = larder_error_set (&why, LARDER_EINVAL, 0, "the ref is NULL");
    else
        rc = larder_ref_read (ref, &info, &why);
    if (rc == LARDER_OK && info.session != s->id)
        rc = larder_error_set (&why, LARDER_ESESSION, 0, "the ref is of another session");
    if (rc == LARDER_OK && info.owner >= (uint32_t)s->size)
        rc = larder_error_set (&why, LARDER_EREF, 0, "the ref names rank %" PRIu32 " as its owner",
                               info.owner);
    if (rc == LARDER_OK) {
        memcpy (words, ref->bytes, sizeof words);
        for (size_t i = 0; i < sizeof words / sizeof *words; ++i)
            hash = larder_num_mix (hash ^ words[i]);
    }
    rc = larder_terms_compare (s, hash, rc, &why, "collective download: ref", err);
    return rc == LARDER_OK ? answer (s, &info, terms, err) : rc;
}
