/* SPDX-License-Identifier: Apache-2.0 */
/* Values received to a node's disk, into files that never have a name: they are gone with their last user, also
 * when the process dies. */
#ifndef LARDER_DISK_H
#define LARDER_DISK_H

#include "larder_blob.h"
#include <larder/consumer.h>

struct larder_disk;

/* Begin to receive a value of one item of `size` bytes (> 0) into a file in `dir`.  Ended by larder_disk_finish or
 * larder_disk_abandon.  LARDER_ENOENT, LARDER_ENOSPC, LARDER_EIO, LARDER_ENOMEM. */
int larder_disk_receive (const char *dir, uint64_t size, larder_consumer *consumer,
                         larder_error *err);

/* All has come: the bytes, to be read from the file on demand as long as blob is kept (one user).  Frees self,
 * also on failure.  LARDER_EINCOMPLETE, LARDER_EIO, LARDER_ENOMEM. */
int larder_disk_finish (void *self, const void **data, struct larder_blob **blob,
                        larder_error *err);
void larder_disk_abandon (void *self);

#endif
