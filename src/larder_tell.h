/* SPDX-License-Identifier: Apache-2.0 */
/* What a request tells the owner: words of its line's request block. */
#ifndef LARDER_TELL_H
#define LARDER_TELL_H

#include "larder_reader.h"

/* Write words into the request block of a line at the request's owner. */
int larder_tell (const struct larder_request *request, int line, size_t offset,
                 enum larder_write_op op, const uint64_t *values, size_t n, larder_error *err);

/* The record that binds the request's line.  Said again when no answer comes: a word of the record
 * before this one, which another rank wrote, may have come late and stand between these. */
int larder_tell_bind (struct larder_request *request, larder_error *err);

/* The state word of a rank of this node, and its split word if it has one; its own one is a sign of
 * life. */
int larder_tell_state (struct larder_request *request, int local, uint64_t state,
                       larder_error *err);

/* A higher count of the state word: this rank lives, and has told nothing else of itself. */
int larder_tell_beat (struct larder_request *request, larder_error *err);

int larder_tell_cursor (struct larder_request *request, int line, larder_error *err);
int larder_tell_want (struct larder_request *request, uint64_t word, larder_error *err);

/* A line that is through: its verdicts once more, all together, then its end. */
int larder_tell_end (const struct larder_reader *reader, int owner, int line, larder_error *err);

#endif
