/* SPDX-License-Identifier: Apache-2.0 */
/* The one-sided transport: node segments in windows, bytes by Rget, words by Raccumulate.  The only
 * file that calls MPI_Win_*. */
#ifndef LARDER_RMA_H
#define LARDER_RMA_H

#include "larder_transport.h"
#include <mpi.h>

/* Allocate the node's segment, zeroed up to `zero` bytes.  Collective over node_comm.  The same code on
 * all ranks of the node; LARDER_ENOMEM with the figures when /dev/shm has no room: `what` says for what
 * it is, `advice` what can be done.  The text that names the reason is on the ranks that found it. */
int larder_rma_segment (MPI_Comm node_comm, size_t size, size_t zero, const char *what,
                        const char *advice, MPI_Win *window, void **base, larder_error *err);
int larder_rma_segment_free (MPI_Win *window, larder_error *err);

struct larder_rma_options {
    size_t piece_size;
    int gets_in_flight; /* pieces per peer */
};

/* Expose the segment to all ranks and start an epoch for its life.  Collective over comm.
 * LARDER_ENOWINDOW on the ranks where MPI refuses. */
int larder_rma_open (MPI_Comm comm, void *base, size_t size,
                     const struct larder_rma_options *options, struct larder_transport *transport,
                     larder_error *err);

#endif
