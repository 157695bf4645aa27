/* SPDX-License-Identifier: Apache-2.0 */
/* How a request gets into a line: it joins one of its node or binds a free one, and waits for the
 * owner's answer.  A request whose line went on without it begins here again. */
#ifndef LARDER_JOIN_H
#define LARDER_JOIN_H

#include "larder_reader.h"

/* LARDER_OK: the request is in a line; LARDER_AGAIN: later; < 0: LARDER_EBUSY or what the transport
 * said. */
int larder_join (struct larder_request *request, larder_error *err);

/* Lines of the node that an owner has closed, or given up when nobody was in them, are free again. */
void larder_join_sweep (struct larder_nodecache *nodecache, int owner);

/* Lines that nobody is in end when the owner does not expect any more whom they wait for. */
int larder_join_unawaited (const struct larder_reader *reader, int owner, larder_error *err);

/* Hand what the owner has said in this rank's mailbox to the line. */
int larder_join_answers (struct larder_request *request, larder_error *err);

/* The owner's answer is in the line: the request runs.  0: it is not. */
int larder_join_begin (struct larder_request *request);

/* The line went on without this rank: go on behind the last chunk that was shown, by another line. */
void larder_join_again (struct larder_request *request);

/* The code with which the owner has given this rank up in the present life of the line, and why;
 * LARDER_OK: it has not.  text: LARDER_FAILED_TEXT bytes. */
int larder_join_dismissed (const struct larder_request *request, char *text);

/* The object is not offered yet: leave the line to others and ask again later. */
void larder_join_later (struct larder_request *request, double now);

#endif
