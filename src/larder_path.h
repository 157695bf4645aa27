/* SPDX-License-Identifier: Apache-2.0 */
/* Paths in a message: names separated by `/`. */
#ifndef LARDER_PATH_H
#define LARDER_PATH_H

#include <larder/error.h>
#include <stddef.h>
#include <stdint.h>

/* Is it one?  *steps: how many names it has; "" has none.  LARDER_EINVAL. */
int larder_path_check (const char *path, int *steps, larder_error *err);

/* Is this a name?  It may stand in bytes from outside, zeros included.  LARDER_EINVAL. */
int larder_path_name (const char *name, size_t length, larder_error *err);

/* Bytes of the first name of a path. */
size_t larder_path_step (const char *path);

/* What follows the first name, of so many bytes: "" at the end. */
const char *larder_path_rest (const char *path, size_t step);

/* 1 when a name is an index: decimal, no zeros in front.  What is too large is UINT64_MAX. */
int larder_path_index (const char *name, size_t length, uint64_t *index);

/* 1 when two paths are the same, or b leads further than a. */
int larder_path_inside (const char *a, const char *b);

/* How much of a text of so many bytes is shown in an error ("%.*s"): the reason needs room too. */
int larder_path_shown (size_t length);

#endif
