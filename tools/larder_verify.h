/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing copies that stand on different hosts: by 128-bit checksums (XXH3). */
#ifndef LARDER_VERIFY_H
#define LARDER_VERIFY_H

#include "larder_team.h"
#include <larder/object.h>
#include <stdint.h>

/* Plain data that is sent to the others. */
struct larder_digest {
    uint64_t low, high; /* XXH3-128 */
    uint64_t size;      /* bytes that went into it */
};

/* Of a file's bytes.  from_disk 1: what the page cache holds of it is given up first where the
 * system does that, so that the bytes come from where they were written to.
 * LARDER_ECANCELED when a signal comes. */
int larder_verify_file (const char *path, int from_disk, struct larder_digest *digest,
                        larder_error *err);

/* Of all items of an object that is not offered, with their lengths.  As larder_verify_file. */
int larder_verify_object (const larder_object *object, struct larder_digest *digest,
                          larder_error *err);

/* Collective: rank 0 gives the digest that everybody's must equal; ranks with has == 0 have none.
 * what names this rank's copy.  Returns this rank's own result. */
int larder_verify_equal (struct larder_team *team, const struct larder_digest *digest, int has,
                         const char *what, larder_error *err);

#endif
