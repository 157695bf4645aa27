/* SPDX-License-Identifier: Apache-2.0 */
/* One object of several: their items, one object after another. */
#ifndef LARDER_CONCAT_H
#define LARDER_CONCAT_H

#include "larder_blob.h"
#include <larder/object.h>

struct larder_concat;

/* Begin.  NULL: no memory. */
struct larder_concat *larder_concat_new (void);

/* Take a part over, on failure too: then it is released at once.  Its items are counted here.
 * *items: how many.  LARDER_ENOTSUP when the part does not know its items' sizes; LARDER_ERANGE; LARDER_ENOMEM;
 * what its item_count returned. */
int larder_concat_add (struct larder_concat *concat, const larder_object *part, uint64_t *items,
                       larder_error *err);

/* Keep data that a part stands on until the object's release.  LARDER_ENOMEM. */
int larder_concat_keep (struct larder_concat *concat, struct larder_blob *blob, larder_error *err);

/* The object; concat is its self, and its release releases all parts and frees concat.  Its chunk size is
 * the smallest that a part asks for. */
void larder_concat_object (struct larder_concat *concat, const char *name, larder_object *object);

/* Release the parts and free concat, when its object was not offered.  NULL is allowed. */
void larder_concat_free (struct larder_concat *concat);

#endif
