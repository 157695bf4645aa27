/* SPDX-License-Identifier: Apache-2.0 */
/* How a request ends, and who hears of it: its consumer, the node's line, the owner. */
#ifndef LARDER_END_H
#define LARDER_END_H

#include "larder_reader.h"

/* The consumer has everything. */
void larder_end_complete (struct larder_request *request);

/* The request failed.  Where the line has gone on without this rank, its verdict is still to be told:
 * then the request is over later. */
void larder_end_fail (struct larder_request *request, int code, const char *text);

/* The owner gave the line up. */
void larder_end_given_up (struct larder_request *request, int code, const char *text);

/* A request that stays until the owner has closed its line: 1 when that is so. */
int larder_end_closed (struct larder_request *request);

/* The line went on without this rank: begin again, or end when that cannot be. */
void larder_end_detached (struct larder_request *request);

#endif
