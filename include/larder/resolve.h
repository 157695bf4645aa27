/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * Messages with a session: large values by reference, and downloading them.
 *
 * The rank that has the data encodes; what goes by reference becomes one object of one transaction, whose
 * receivers pull it from here.  A rank in the middle decodes in pass-through mode, re-arranges, and encodes again: lazy
 * refs are passed on, and the data goes straight from its owner to who resolves them. */
#ifndef LARDER_RESOLVE_H
#define LARDER_RESOLVE_H

#include <larder/encode.h>
#include <larder/error.h>
#include <larder/event.h>
#include <larder/message.h>
#include <larder/receivers.h>
#include <larder/session.h>
#include <larder/transaction.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How to encode; zero-initialise, then set what is needed. */
typedef struct larder_encode_options {
    const larder_registry
        *registry; /**< NULL: arrays only; must stay until the transaction has ended */
    int64_t
        inline_max; /**< smaller values go inside; bytes; 0: the session's inline_max (4 KiB); < 0: none
                             does, every array and typed value goes by reference */
    int split; /**< 1: lazy refs that are passed on are split: this rank's place among the receivers of their
                    transaction becomes one place for each of `receivers`, a list or LARDER_COUNT */
    int pass_through; /**< 1: the message asks its decoders to leave values by reference lazy */
    larder_transaction_options transaction; /**< its `receivers` is not looked at */
} larder_encode_options;

/** Encode, large values by reference.  Everything that can fail is done before the transaction begins, so a
 * failed encode leaves nothing behind.  Nothing by reference: no transaction, and no need to be an owner.
 * The message may be freed at once; data that it borrows must stay as it is until the
 * transaction has ended (options->transaction.transaction_done).
 * Collective: no.  Thread: the session's.  Blocks: no.
 * \param receivers  Who will resolve the message in the end: ranks, LARDER_ALL, LARDER_COUNT...  A rank that is not
 *     declared and comes with a ref that was passed on takes the place of one that has not begun; with
 *     a ref that was split, one of the places it was split into.  More ranks than there are places are served while
 *     it lasts, and not accounted for.  Not looked at where nothing goes by reference, but for split.
 * \param options  NULL: all as zero.
 * \param [out] encoded  Free its bytes with larder_encoded_free.  Unchanged on failure.
 * \return LARDER_OK; as larder_message_encode; as larder_transaction_begin, _add and _live; LARDER_ESPLIT,
 *     also for split with other receivers than a list or LARDER_COUNT; LARDER_ENOTSUP (a handler's object does not
 *     know its items' sizes). */
int larder_encode (larder *session, const larder_message *message, larder_receivers receivers,
                   const larder_encode_options *options, larder_encoded *encoded,
                   larder_error *err);

/** How to resolve; zero-initialise, then set what is needed. */
typedef struct larder_resolve_options {
    const larder_registry *registry; /**< NULL: arrays only */
    int pass_through;                /**< larder_decode only; 1: leave values by reference lazy */
    int placeholders; /**< 1: values whose handler can make placeholders (make_lazy_ref) become such, not
                           downloaded; call larder_message_confirm when they are no longer needed */
    const char *
        disk_dir; /**< arrays of at least disk_min bytes are received into files without names in this
                               directory of the node, and stay lazy refs with data to be read there; NULL:
                               into memory */
    uint64_t disk_min;
    void *self;
    /** Asked often: other than 0 cancels (LARDER_ECANCELED) what is being downloaded. */
    int (*abort_requested) (void *self);
    /** How far the downloads are, one pair of owner and object at a time. */
    void (*progress) (void *self, const larder_event *event);
    double progress_interval_s; /**< seconds; 0: 30; negative: every chunk */
} larder_resolve_options;

/** Decode, and download what is there by reference: values of one object together, of several objects and owners
 * at once.  Each owner hears that this rank has what it wants.  Values named twice are one value here too.
 * With options->pass_through, or when its sender asked for it, lazy refs stay, and nothing is downloaded.
 * Collective: no.  Thread: the session's.  Progress: yes.  Blocks as larder_download.
 * \param bytes  As larder_message_decode.
 * \param options  NULL: all as zero.
 * \param [out] message  Unchanged on failure.
 * \return LARDER_OK; as larder_message_decode; as larder_resolve. */
int larder_decode (larder *session, const void *bytes, size_t size,
                   const larder_resolve_options *options, larder_message **message,
                   larder_error *err);

/** Download the lazy refs at a place and below it, and replace them in the message, also where the
 * same value stands elsewhere in it.  What cannot be had stays lazy; other values are replaced all the same.
 * Collective: no.  Thread: the session's.  Progress: yes.  Blocks as larder_download.
 * \param path  "": all.
 * \param options  NULL: all as zero.
 * \return LARDER_OK, also when nothing is lazy; LARDER_ENOENT; LARDER_ENOSESSION (session is NULL);
 *     LARDER_EHANDLER (no handler, or it cannot receive); LARDER_EINCOMPLETE (the object has not got, or not in
 *     that size, what the value needs); LARDER_ENOVALUE; as larder_download; what a handler returned.  The first
 *     failure in the message's order is returned. */
int larder_resolve (larder *session, larder_message *message, const char *path,
                    const larder_resolve_options *options, larder_error *err);

/** Tell the owners of the lazy refs at a place and below it, and of the placeholders there, that this rank
 * wants nothing more of them: after the last placeholder was used, or when a message is not passed on.
 * Collective: no.  Thread: the session's.  Progress: yes.  Blocks as larder_confirm, once per object.
 * \param code  As larder_confirm.
 * \return LARDER_OK; LARDER_ENOENT; LARDER_ENOSESSION; as larder_confirm: the others are told all the same. */
int larder_message_confirm (larder *session, const larder_message *message, const char *path,
                            int code, larder_error *err);

#ifdef __cplusplus
}
#endif
#endif
