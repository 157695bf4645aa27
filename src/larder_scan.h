/* SPDX-License-Identifier: Apache-2.0 */
/* A look at msgpack bytes of unknown origin, before a library that believes their counts sees them. */
#ifndef LARDER_SCAN_H
#define LARDER_SCAN_H

#include <larder/error.h>
#include <stdint.h>

enum { LARDER_SCAN_DEPTH = 30 }; /* most that may be asked for; msgpack-c itself stops at 32 */

/* Whether bytes are exactly one msgpack value, built only of what messages use: nil, bool, integers, float64,
 * str, bin, array, map with keys of str, and fixext of `ext_type` with 1, 2 or 4 bytes.  Every count and length
 * is within the bytes; nothing is deeper than depth_max (the value itself is at depth 0).  Allocates nothing.
 * LARDER_OK, LARDER_EFORMAT with a text that names the byte. */
int larder_scan (const void *bytes, uint64_t size, unsigned depth_max, int ext_type,
                 larder_error *err);

#endif
