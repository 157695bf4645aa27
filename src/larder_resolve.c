/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding with a session, and replacing lazy refs by what they name. */
#include "larder_progress.h"
#include "larder_pull.h"
#include "larder_registry.h"
#include "larder_unpack.h"
#include <larder/download.h>
#include <larder/resolve.h>
#include <string.h>

struct resolving {
    larder *session;
    larder_message *message;
    const larder_resolve_options *options;
    struct larder_pull_failure failure;
    uint64_t order;
    int lazy; /* there are values to be downloaded */
};

static void note (struct resolving *r, uint64_t order, int rc, const larder_error *why)
{
    if (rc < 0)
        larder_pull_fail (&r->failure, order, rc, why);
}

/* ---------------------------------------------------------------- what needs no download here */

/* From this node's disk into memory. */
static int load (struct larder_datum *d, larder_error *err)
{
    void *data = NULL;
    struct larder_blob *blob = larder_blob_alloc (d->size, &data);
    if (!blob)
        return larder_error_set (err, LARDER_ENOMEM, 0, "no memory for a value that is on disk");
    memcpy (data, d->data, (size_t)d->size);
    larder_blob_drop (d->blob);
    d->blob = blob;
    d->data = data;
    d->kind = LARDER_KIND_ARRAY;
    d->has_ref = 0;
    return LARDER_OK;
}

static int make_placeholder (struct resolving *r, struct larder_datum *d, larder_error *err)
{
    const larder_handler *h = larder_registry_find (r->options->registry, d->dot);
    larder_made made = {0};
    larder_lazy lazy;
    if (!h || !h->make_lazy_ref)
        return LARDER_OK;
    larder_datum_lazy (d, &lazy);
    int rc = h->make_lazy_ref (h->self, r->session, &lazy, &made, err);
    return rc == LARDER_OK ? larder_pull_take (d, &made, 1, err) : rc;
}

static int prepare (void *self, struct larder_datum *d)
{
    struct resolving *r = self;
    larder_error why = {0};
    uint64_t order = r->order++;
    if (d->kind != LARDER_KIND_LAZY)
        return 0;
    if (d->data && !r->options->disk_dir)
        note (r, order, load (d, &why), &why);
    if (d->kind == LARDER_KIND_LAZY && !d->data && r->options->placeholders) {
        int rc = make_placeholder (r, d, &why);
        d->refused = rc < 0;
        note (r, order, rc, &why);
    }
    r->lazy |= d->kind == LARDER_KIND_LAZY && !d->data && !d->refused;
    return 0;
}

static int unprepare (void *self, struct larder_datum *d)
{
    (void)self;
    d->refused = 0;
    return 0;
}

/* ---------------------------------------------------------------- resolving */

static int is_lazy (const struct larder_datum *d)
{
    return d->kind == LARDER_KIND_LAZY && !d->data && !d->refused;
}

/* Owners hear that this rank has what it wants, as soon as nothing of their object is lazy any more. */
static void confirm (struct resolving *r, const struct larder_batches *b)
{
    for (uint64_t i = 0; i < b->count; ++i) {
        const struct larder_batch *batch = &b->batch[i];
        larder_error why = {0};
        if (batch->code || batch->whole || batch->rest)
            continue;
        note (r, UINT64_MAX,
              larder_confirm (r->session, &batch->values[0].datum->ref, LARDER_OK, &why), &why);
    }
}

static int resolve (struct resolving *r, const struct larder_node *node, larder_error *err)
{
    struct larder_batches batches = {0};
    int rc = LARDER_OK;
    (void)larder_message_data (node, prepare, r);
    if (r->lazy)
        rc = larder_batch_sort (r->message, node, is_lazy, &batches, err);
    if (rc == LARDER_OK && r->lazy) {
        larder_pull (r->session, &batches, r->options, &r->failure);
        confirm (r, &batches);
        larder_batch_free (&batches);
    }
    (void)larder_message_data (node, unprepare, NULL);
    larder_message_renew (r->message);
    if (rc == LARDER_OK && r->failure.set) {
        rc = r->failure.error.code;
        if (err)
            *err = r->failure.error;
    }
    return rc;
}

static const larder_resolve_options *checked (const larder_resolve_options *options)
{
    static const larder_resolve_options defaults;
    return options ? options : &defaults;
}

static int no_session (const char *call, larder_error *err)
{
    return larder_error_set (err, LARDER_ENOSESSION, 0,
                             "%s: values by reference are there, and the session is NULL", call);
}

int larder_resolve (larder *s, larder_message *message, const char *path,
                    const larder_resolve_options *options, larder_error *err)
{
    struct resolving r = {.session = s, .message = message, .options = checked (options)};
    struct larder_node *node = NULL;
    int rc = !message || !path
                 ? larder_error_set (err, LARDER_EINVAL, 0,
                                     "larder_resolve: message and path must not be NULL")
                 : larder_message_find (message, path, &node, err);
    if (rc == LARDER_OK && !s)
        return larder_message_has_lazy (message, path) ? no_session ("larder_resolve", err)
                                                       : LARDER_OK;
    if (rc == LARDER_OK)
        rc = larder_progress_enter (s, "larder_resolve", err);
    if (rc == LARDER_OK)
        rc = resolve (&r, node, err);
    return s ? larder_progress_leave (s, rc, err) : rc;
}

/* Nobody can try again, since the message is dropped: owners of what is lazy in it hear that this rank has
 * failed.  Where handlers failed there is no message yet. */
static void give_up (larder *s, const void *bytes, size_t size, larder_message *message, int code)
{
    larder_error ignored; /* there is one to tell already */
    unsigned flags;
    larder_message *plain = NULL;
    if (!message && larder_unpack (bytes, size, NULL, 0, &plain, &flags, &ignored) != LARDER_OK)
        return;
    (void)larder_message_confirm (s, message ? message : plain, "", code, &ignored);
    larder_message_free (&plain);
}

int larder_decode (larder *s, const void *bytes, size_t size, const larder_resolve_options *options,
                   larder_message **message, larder_error *err)
{
    struct resolving r = {.session = s, .options = checked (options)};
    unsigned flags = 0;
    int rc = s ? larder_progress_enter (s, "larder_decode", err) : LARDER_OK;
    if (rc == LARDER_OK && !message)
        rc = larder_error_set (err, LARDER_EINVAL, 0, "larder_decode: message is NULL");
    int pass = r.options->pass_through;
    if (rc == LARDER_OK) {
        if (s)
            s->in_callback = 1; /* handlers run */
        rc = larder_unpack (bytes, size, r.options->registry, !pass, &r.message, &flags, err);
        if (s)
            s->in_callback = 0;
    }
    pass |= (flags & LARDER_MESSAGE_PASS_THROUGH) != 0;
    if (rc == LARDER_OK && !pass) {
        int lazy = larder_message_has_lazy (r.message, "");
        rc = lazy && !s ? no_session ("larder_decode", err)
             : lazy     ? resolve (&r, &r.message->root, err)
                        : LARDER_OK;
    }
    if (rc < 0 && s && message && bytes && !pass && !s->in_callback && !s->broken)
        give_up (s, bytes, size, r.message, rc);
    if (rc == LARDER_OK)
        *message = r.message;
    else
        larder_message_free (&r.message);
    return s ? larder_progress_leave (s, rc, err) : rc;
}

/* ---------------------------------------------------------------- nothing more is wanted */

int larder_message_confirm (larder *s, const larder_message *message, const char *path, int code,
                            larder_error *err)
{
    struct larder_batches batches = {0};
    struct larder_node *node = NULL;
    int rc = !message || !path
                 ? larder_error_set (err, LARDER_EINVAL, 0,
                                     "larder_message_confirm: message and path must not be NULL")
                 : larder_message_find (message, path, &node, err);
    if (rc == LARDER_OK)
        rc = larder_batch_sort (message, node, NULL, &batches, err);
    if (rc == LARDER_OK && batches.count && !s)
        rc = no_session ("larder_message_confirm", err);
    for (uint64_t i = 0; s && i < batches.count; ++i) {
        larder_error why = {0};
        int told = larder_confirm (s, &batches.batch[i].values[0].datum->ref, code, &why);
        if (told == LARDER_OK || rc != LARDER_OK)
            continue;
        rc = told;
        if (err)
            *err = why;
    }
    larder_batch_free (&batches);
    return rc;
}
