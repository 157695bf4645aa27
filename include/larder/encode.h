/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * Messages to bytes and back, without a session.
 *
 * The bytes are for any MPI program to send (MPI_Send, MPI_Bcast), to write to a file, or to put into an
 * HDF5 attribute.  They are versioned and self-checking; decoding bytes that somebody made up is safe: sizes
 * and depth are checked before anything is allocated.  docs/MESSAGES.md has the format. */
#ifndef LARDER_ENCODE_H
#define LARDER_ENCODE_H

#include <larder/error.h>
#include <larder/handler.h>
#include <larder/message.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An encoded message. */
typedef struct larder_encoded {
    void *bytes; /**< to be freed by larder_encoded_free */
    size_t size;
    uint64_t native;       /**< different values (arrays, typed ones) that are inside */
    uint64_t by_reference; /**< different values that became part of `transaction` */
    uint64_t forwarded;    /**< lazy refs passed on */
    uint64_t
        transaction; /**< number of the transaction that the encode began; 0: none was needed */
    larder_ref ref;  /**< its object; all zero when there is none */
} larder_encoded;

/** Free an encoded message's bytes.  Its transaction, if it has one, goes on.  NULL is allowed; the struct is
 * zero afterwards.  Collective: no.  Thread: any.  Blocks: no. */
void larder_encoded_free (larder_encoded *encoded);

/** Who comes next, for lazy refs that are passed on: see larder_encode_options. */
typedef struct larder_next {
    int via;   /**< rank that passes them on, in the session of the refs */
    int share; /**< ranks that will download instead of it, >= 1; 0: refs are passed on unchanged */
} larder_next;

/** Encode without a session: every value goes inside, lazy refs are passed on as they are.
 * Collective: no.  Thread: the message's.  Blocks: no.
 * \param registry  Handlers of its typed values; NULL: it has arrays only.
 * \param next  NULL: lazy refs are passed on unchanged; else each is split once.
 * \param [out] encoded  Unchanged on failure.
 * \return LARDER_OK; LARDER_EHANDLER (no handler, or it cannot write); LARDER_ESPLIT (next, and a ref has been
 *     split before by others); LARDER_EINVAL; LARDER_ERANGE (too large for the format or for memory);
 *     LARDER_ENOMEM; what a handler returned. */
int larder_message_encode (const larder_message *message, const larder_registry *registry,
                           const larder_next *next, larder_encoded *encoded, larder_error *err);

/** Decode without a session: values by reference become lazy refs (pass-through).  Native values of types
 * that the registry does not know stay as they are: TYPED, without data, and can be encoded again.
 * Collective: no.  Thread: any.  Blocks: no.
 * \param bytes  Need not be aligned; not needed afterwards.
 * \param size  Bytes; what stands behind the message's own end is an error.
 * \param [out] message  End it with larder_message_free.  Unchanged on failure.
 * \return LARDER_OK; LARDER_EMESSAGE (not a message, cut short, damaged, or of another version);
 *     LARDER_EFORMAT, LARDER_ENODATA, LARDER_EMISSING, LARDER_EREF (made up, or made wrongly: the text
 *     says what is wrong with which value); LARDER_ENOTSUP (arrays of the other byte order);
 *     LARDER_EINVAL; LARDER_ENOMEM; what a handler returned. */
int larder_message_decode (const void *bytes, size_t size, const larder_registry *registry,
                           larder_message **message, larder_error *err);

#ifdef __cplusplus
}
#endif
#endif
