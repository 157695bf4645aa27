/* SPDX-License-Identifier: Apache-2.0 */
/* What ranks must say the same in a collective call, and what an owner says of its object to all. */
#ifndef LARDER_TERMS_H
#define LARDER_TERMS_H

#include "larder_handle.h"

struct larder_terms {
    uint64_t size;                 /* bytes of what the ref names */
    uint64_t first_item, end_item; /* which that is */
    uint64_t items;                /* of the whole object */
    uint64_t item_size;            /* of all but the last; 0: they differ */
    uint64_t payload;              /* bytes of its chunks at the most */
    int unknown;                   /* sizes are known only by producing */
};

/* All ranks meet: the first code below 0, with its text, on all of them; else LARDER_EMISMATCH on all unless `value` is
 * the same everywhere (`what` names it). */
int larder_terms_compare (larder *session, uint64_t value, int code, const larder_error *mine,
                          const char *what, larder_error *err);

/* All ranks meet with the same ref; its owner says what it is.  bad: this rank's own code so far,
 * with `mine`.  The same code on all ranks. */
int larder_terms_ask (larder *session, const larder_ref *ref, int bad, const larder_error *mine,
                      struct larder_terms *terms, larder_error *err);

#endif
