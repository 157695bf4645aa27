/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LARDER_PAUSE_H
#define LARDER_PAUSE_H

#include "larder_handle.h"

/* Tell every owner that this rank is leaving the session: it is no receiver any more. */
int larder_pause_leave (larder *session, larder_error *err);

#endif
