/* SPDX-License-Identifier: Apache-2.0 */
/* Writing words of the protocol: by atomics inside the node, by the transport elsewhere. */
#ifndef LARDER_WORDS_H
#define LARDER_WORDS_H

#include "larder_nodecache.h"
#include "larder_transport.h"

struct larder_words {
    struct larder_nodecache *nodecache;
    struct larder_transport *transport;
};

/* Write n words at an offset of a rank's node segment.  Never blocks.  Words of a record are written
 * so that its last word, the check, comes last. */
int larder_words_write (const struct larder_words *words, int rank, size_t offset,
                        enum larder_write_op op, const uint64_t *values, size_t n,
                        larder_error *err);

/* Read a record of n words here; 0, or -1 when its check (the last word) does not fit. */
int larder_words_record (const struct larder_nodecache *nc, size_t offset, uint64_t *values,
                         size_t n);

#endif
