/* SPDX-License-Identifier: Apache-2.0 */
/* Data with more than one user: values of several messages, and objects that are offered. */
#ifndef LARDER_BLOB_H
#define LARDER_BLOB_H

#include <stdint.h>

struct larder_blob; /* counts its users, from any thread */

/* One user; free_data (data) runs when the last one is gone (NULL: nothing to free).  NULL: no memory, data
 * is untouched. */
struct larder_blob *larder_blob_new (void *data, void (*free_data) (void *data));

/* size bytes on a boundary of 64, zero-terminated beyond them; freed with the blob.  *data: where they are.
 * NULL: no memory. */
struct larder_blob *larder_blob_alloc (uint64_t size, void **data);

/* One user more; returns blob.  NULL is allowed. */
struct larder_blob *larder_blob_keep (struct larder_blob *blob);

/* One user less.  NULL is allowed. */
void larder_blob_drop (struct larder_blob *blob);

/* Undo larder_blob_new: the blob has no other user, and free_data does not run.  NULL is allowed. */
void larder_blob_forget (struct larder_blob *blob);

#endif
