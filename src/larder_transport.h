/* SPDX-License-Identifier: Apache-2.0 */
/* How bytes and words move between ranks: the seam between the protocol and MPI.
 *
 * An address is (rank of the session's communicator, offset in that rank's node segment).  Everything
 * that is started ends by larder_transport_progress; nothing here blocks. */
#ifndef LARDER_TRANSPORT_H
#define LARDER_TRANSPORT_H

#include <larder/error.h>
#include <stddef.h>
#include <stdint.h>

/* How a written word joins what stands there. */
enum larder_write_op { LARDER_WRITE_REPLACE, LARDER_WRITE_MAX, LARDER_WRITE_OR };

/* A get under way.  Lives in caller's memory until state is no longer LARDER_AGAIN. */
struct larder_get {
    int state;     /* LARDER_AGAIN, LARDER_OK, or an error */
    size_t issued; /* bytes asked for so far */
    size_t done;   /* bytes that are here */
    int rank;
    size_t offset;
    unsigned char *buffer;
    size_t size;
    int in_flight; /* pieces */
};

struct larder_transport_ops {
    const char *name;
    /* Start to copy bytes from a rank's segment into buffer, in pieces.  The buffer must stay until the
     * get has ended. */
    int (*get) (void *self, struct larder_get *get, larder_error *err);
    /* Move a get on. */
    int (*test) (void *self, struct larder_get *get, larder_error *err);
    /* Write n words; they are copied and queued, and leave with the next push.  Writes of one rank to
     * one place arrive in the order of the calls. */
    int (*write) (void *self, int rank, size_t offset, enum larder_write_op op,
                  const uint64_t *words, size_t n, larder_error *err);
    /* Send what is queued. */
    int (*push) (void *self, larder_error *err);
    /* Writes queued or under way; 0: all of them have left. */
    int (*pending) (void *self);
    /* Serve the network once. */
    int (*progress) (void *self, larder_error *err);
    void (*close) (void **self);
};

struct larder_transport {
    const struct larder_transport_ops *ops;
    void *self;
};

static inline int larder_transport_test (struct larder_transport *t, struct larder_get *get,
                                         larder_error *err)
{
    return get->state == LARDER_AGAIN ? t->ops->test (t->self, get, err) : get->state;
}

#endif
