/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * Result codes and error texts.
 *
 * Every function of larder that can fail returns an int: 0 is success, a positive value means
 * "not yet" or "nothing more", a negative one is an error.  The last parameter, a larder_error that
 * the caller owns and that may be NULL, receives the code once more with one line of text that
 * names the rank, the object and the reason.  The library never prints, exits or aborts. */
#ifndef LARDER_ERROR_H
#define LARDER_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/** All result codes: symbol, value, sentence. */
#define LARDER_CODES(X)                                                                            \
    X (LARDER_OK, 0, "success")                                                                    \
    X (LARDER_AGAIN, 1, "not yet: call again")                                                     \
    X (LARDER_EINVAL, -1, "invalid argument")                                                      \
    X (LARDER_ENOMEM, -2, "out of memory")                                                         \
    X (LARDER_EMPI, -3, "an MPI call failed")                                                      \
    X (LARDER_EIO, -4, "a file or system call failed")                                             \
    X (LARDER_EHDF5, -5, "an HDF5 call failed")                                                    \
    X (LARDER_ENOWINDOW, -6, "MPI cannot make a one-sided window over these hosts")                \
    X (LARDER_EMISMATCH, -7, "the ranks gave different arguments to a collective call")            \
    X (LARDER_EREF, -8, "damaged reference")                                                       \
    X (LARDER_ESESSION, -9, "reference of another session")                                        \
    X (LARDER_EGONE, -10, "the object is no longer offered")                                       \
    X (LARDER_ESTALE, -11, "the object changed after it was offered")                              \
    X (LARDER_EBUSY, -12, "no line or slot is free for one more download")                         \
    X (LARDER_EHELD, -13, "receiver stood still for longer than the hold timeout")                 \
    X (LARDER_ETIMEDOUT, -14, "no progress before the deadline")                                   \
    X (LARDER_ECANCELED, -15, "cancelled by the caller")                                           \
    X (LARDER_EOWNER, -16, "the owner could not produce the item")                                 \
    X (LARDER_ECONSUMER, -17, "the consumer failed")                                               \
    X (LARDER_ECHECKSUM, -18, "bytes were damaged on the way, more than three times")              \
    X (LARDER_EBROKEN, -19, "the session is broken by an earlier failure")                         \
    X (LARDER_ENOTSUP, -20, "not supported for this object")                                       \
    X (LARDER_ECALLBACK, -21, "not allowed inside a callback")                                     \
    X (LARDER_ENOSPC, -22, "no space left")                                                        \
    X (LARDER_EEXIST, -23, "exists already")                                                       \
    X (LARDER_ENOENT, -24, "no such file, dataset or object")                                      \
    X (LARDER_ERANGE, -25, "a number or range is out of bounds")                                   \
    X (LARDER_EREMOTE, -26, "another rank failed")                                                 \
    X (LARDER_EMESSAGE, -27, "damaged message, or no message at all")                              \
    X (LARDER_EFORMAT, -28, "a message is not built as its version says")                          \
    X (LARDER_EHANDLER, -29, "no handler for a type of value")                                     \
    X (LARDER_ENODATA, -30, "a value in a message has no data")                                    \
    X (LARDER_EMISSING, -31, "a value names a reference that its message does not have")           \
    X (LARDER_EINCOMPLETE, -32, "an object does not have what a value needs of it")                \
    X (LARDER_ENOVALUE, -33, "a handler gave no value")                                            \
    X (LARDER_ENOSESSION, -34, "a value by reference needs a session")                             \
    X (LARDER_EKIND, -35, "a value is of another kind")                                            \
    X (LARDER_ESPLIT, -36, "the reference has been split before")

#define LARDER_CODE_ENUM(symbol, value, text) symbol = (value),
/** Result codes; see LARDER_CODES for the sentences. */
typedef enum larder_code { LARDER_CODES (LARDER_CODE_ENUM) } larder_code;
#undef LARDER_CODE_ENUM

/** Room for one line of text, its final zero included. */
#define LARDER_ERROR_TEXT 512

/** An error: caller-owned, plain data, may be copied.  Untouched when a call succeeds. */
typedef struct larder_error {
    int code;   /**< a larder_code */
    int rank;   /**< rank of the session's communicator it happened on, -1: unknown */
    int detail; /**< raw MPI error code or errno, 0 if there is none */
    char text[LARDER_ERROR_TEXT]; /**< one line, no newline; names rank, object and reason */
} larder_error;

/** The sentence of a code.  Collective: no.  Thread: any.  Blocks: no.
 * \return A static text, never NULL; unknown codes give "unknown result code". */
const char *larder_code_text (int code);

/** The symbol of a code, "LARDER_EGONE" for example.  Collective: no.  Thread: any.  Blocks: no.
 * \return A static text, never NULL. */
const char *larder_code_name (int code);

/** Fill an error; meant for callbacks (object and consumer functions). Collective: no.  Thread:
 * any.  Blocks: no.
 * \param [out] err  Caller-owned, may be NULL.
 * \param code  A larder_code below 0.
 * \param detail  errno, a raw MPI code, or 0.
 * \param format  printf format of the one-line text; longer texts are cut.
 * \return code, so that a callback can `return larder_error_set (...)`. */
int larder_error_set (larder_error *err, int code, int detail, const char *format, ...)
#if defined(__GNUC__)
    __attribute__ ((format (printf, 4, 5)))
#endif
    ;

#ifdef __cplusplus
}
#endif
#endif
