/* SPDX-License-Identifier: Apache-2.0 */
/* A session: pointers to the parts. */
#ifndef LARDER_HANDLE_H
#define LARDER_HANDLE_H

#include "larder_clock.h"
#include "larder_config.h"
#include "larder_nodecache.h"
#include "larder_owner.h"
#include "larder_reader.h"
#include "larder_topology.h"
#include "larder_transport.h"
#include <larder/session.h>
#include <mpi.h>

struct larder {
    MPI_Comm comm, node_comm;
    MPI_Win segment; /* the node's shared memory */
    int rank, size;
    uint64_t id;
    struct larder_settings settings;
    int *owners; /* settings.owners points here */
    struct larder_topology topology;
    struct larder_nodecache nodecache;
    struct larder_transport transport; /* ops NULL: one node, nothing to transport */
    struct larder_clock clock;
    struct larder_owner *owner; /* NULL: this rank owns nothing */
    struct larder_reader reader;
    larder_stats stats;
    uint64_t collectives; /* collective downloads so far: the life of the relay's words */
    int in_callback;
    int broken; /* the code that broke it */
};

#endif
