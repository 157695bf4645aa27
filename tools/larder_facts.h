/* SPDX-License-Identifier: Apache-2.0 */
/* What larder info tells: gathered by all ranks, shown by rank 0. */
#ifndef LARDER_FACTS_H
#define LARDER_FACTS_H

#include "larder_mpienv.h"
#include "larder_team.h"
#include <larder/session.h>

/* One node of the table. */
struct larder_facts_node {
    int node, first_rank, ranks;
    uint64_t shm_size, shm_free; /* bytes of /dev/shm; 0: there is none */
    uint64_t memlock;            /* bytes that may be locked; UINT64_MAX: unlimited */
    char host[LARDER_TEAM_HOST];
};

enum { LARDER_FACTS_ADVICE = 8, LARDER_FACTS_LINE = 640 };

struct larder_facts {
    const char *mpi; /* static */
    char mpi_standard[16];
    const char *thread_level; /* static */
    const char *osc;          /* OMPI_MCA_osc as it is in force; NULL: unset */
    int osc_set_here;         /* 1: by larder */
    char hdf5[32];
    int opened;       /* 1: a session could be opened */
    larder_error why; /* opened 0: why not */
    char transport_reason[LARDER_FACTS_LINE];
    larder_session_info session; /* opened 1 */
    int rank_count;
    struct larder_facts_node *nodes; /* rank 0: node_count entries; freed by larder_facts_free */
    int node_count;
    const char **variables; /* LARDER_* that are set, as NAME=VALUE; borrowed from environ */
    int variable_count;
    char advice[LARDER_FACTS_ADVICE][LARDER_FACTS_LINE];
    int advice_count;
};

/* Gather them.  Collective; opens and closes a session of its own. */
int larder_facts_gather (struct larder_team *team, const struct larder_mpienv_choice *choice,
                         struct larder_facts *facts, larder_error *err);

/* Rank 0: derive the lines of advice from the rest. */
void larder_facts_advise (struct larder_facts *facts, const struct larder_mpienv_choice *choice);

void larder_facts_free (struct larder_facts *facts);

#endif
