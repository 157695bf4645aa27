/* SPDX-License-Identifier: Apache-2.0 */
/* Having an object produce the bytes of a chunk. */
#ifndef LARDER_PRODUCE_H
#define LARDER_PRODUCE_H

#include "larder_chunks.h"

/* Produce a planned chunk: its bytes, and the table of sizes behind them, go to `to`, which has room for chunk->size
 * bytes.  Where sizes are unknown, chunk's size and flags become what came.  LARDER_OK; what the object returned;
 * LARDER_EOWNER, LARDER_ESTALE (it did not keep to its sizes); LARDER_ENOMEM. */
int larder_produce (struct larder_chunks *chunks, struct larder_chunk *chunk, unsigned char *to,
                    larder_error *err);

#endif
