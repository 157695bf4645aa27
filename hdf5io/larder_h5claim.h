/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of work that the ranks of a node divide: who comes to a piece first does it. */
#ifndef LARDER_H5CLAIM_H
#define LARDER_H5CLAIM_H

#include <larder/shared.h>
#include <stdatomic.h>
#include <stdint.h>

struct larder_h5claim {
    larder_shared *memory;
    _Atomic uint64_t *by; /* of each piece, 1 + the rank of the node that does it */
    uint64_t me;
    double timeout_s;
};

/* Collective over the session; all pieces are free.  The same code on all ranks; on failure nothing is to be closed. */
int larder_h5claim_open (larder *session, uint64_t pieces, struct larder_h5claim *claim,
                         larder_error *err);

/* 1: the piece is this rank's, now or already. */
int larder_h5claim_take (const struct larder_h5claim *claim, uint64_t piece);

/* A piece that one rank at a time does: wait for it, then give it back.  LARDER_OK, LARDER_ETIMEDOUT. */
int larder_h5claim_wait (const struct larder_h5claim *claim, uint64_t piece, larder_error *err);
void larder_h5claim_give_back (const struct larder_h5claim *claim, uint64_t piece);

/* Collective over the ranks of the node.  May be closed already, or never opened ({0}). */
void larder_h5claim_close (struct larder_h5claim *claim);

#endif
