/* SPDX-License-Identifier: Apache-2.0 */
/* The holder's work: getting the chunks of a line from the owner's slots into slots of this node. */
#ifndef LARDER_FETCH_H
#define LARDER_FETCH_H

#include "larder_reader.h"

/* This rank fetches for the request's line; take that over when nobody does.  1: it does. */
int larder_fetch_hold (struct larder_request *request, double now, larder_error *err);

/* Give the line to whoever needs it next. */
void larder_fetch_release (struct larder_request *request);

/* Ask the owner to say again what is ready. */
int larder_fetch_ping (struct larder_request *request, larder_error *err);

/* Move the fetches of a request on, as its line's holder.  Returns what moved, or < 0: LARDER_ECHECKSUM
 * or what the transport said. */
int larder_fetch_poll (struct larder_request *request, larder_error *err);

/* Leave the request's fetches to the reader, which frees their slots in time. */
void larder_fetch_abandon (struct larder_request *request);

/* Free the slots of abandoned fetches that have ended. */
int larder_fetch_sweep (struct larder_reader *reader, larder_error *err);

#endif
