/* SPDX-License-Identifier: Apache-2.0 */
/* Progress events of a receiver: they go to its consumer's download_progress. */
#ifndef LARDER_EVENT_PRIVATE_H
#define LARDER_EVENT_PRIVATE_H

#include "larder_reader.h"

/* The request is in a line. */
void larder_event_started (struct larder_request *request);

/* More has come: an event, unless it is too early for one. */
void larder_event_active (struct larder_request *request);

/* It has ended. */
void larder_event_final (struct larder_request *request, int code);

#endif
