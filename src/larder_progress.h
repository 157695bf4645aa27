/* SPDX-License-Identifier: Apache-2.0 */
/* Driving a session: one look at everything, waiting, agreeing, and what each public call checks. */
#ifndef LARDER_PROGRESS_H
#define LARDER_PROGRESS_H

#include "larder_handle.h"

/* One look at network, owner and reader.  Returns the number of things that moved, or < 0: the session is
 * then broken. */
int larder_progress_once (larder *session, int max_chunks, larder_error *err);

/* Send the words that are queued: before a public call returns that may be the last for a while. */
int larder_progress_push (larder *session, larder_error *err);

/* May a public call go on?  LARDER_EINVAL, LARDER_ECALLBACK, LARDER_EBROKEN; the text names `call`. */
int larder_progress_enter (const larder *session, const char *call, larder_error *err);

/* The result of a public call: puts the rank in front of an error's text.  Returns code. */
int larder_progress_leave (const larder *session, int code, larder_error *err);

/* Make progress until `done (self)` is not 0, or nothing has moved for timeout_s seconds.
 * LARDER_OK, LARDER_ETIMEDOUT (without a text), or what broke the session. */
int larder_progress_until (larder *session, int (*done) (void *self), void *self, double timeout_s,
                           larder_error *err);

/* Make progress until an MPI request has ended.  LARDER_OK, LARDER_ETIMEDOUT (without a text; MPI may still
 * use the request's buffers), LARDER_EMPI, or what broke the session. */
int larder_progress_request (larder *session, MPI_Request *request, larder_error *err);

#endif
