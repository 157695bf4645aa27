/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_facts.h"
#include "larder_text.h"
#include <hdf5.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const char *thread_level_name (void)
{
    int level = MPI_THREAD_SINGLE;
    (void)MPI_Query_thread (&level);
    switch (level) {
    case MPI_THREAD_SINGLE:
        return "MPI_THREAD_SINGLE";
    case MPI_THREAD_FUNNELED:
        return "MPI_THREAD_FUNNELED";
    case MPI_THREAD_SERIALIZED:
        return "MPI_THREAD_SERIALIZED";
    default:
        return "MPI_THREAD_MULTIPLE";
    }
}

static void versions (struct larder_facts *facts)
{
    int major = 0, minor = 0;
    unsigned h5[3] = {0, 0, 0};
    facts->mpi = larder_mpienv_library ();
    (void)MPI_Get_version (&major, &minor);
    (void)snprintf (facts->mpi_standard, sizeof facts->mpi_standard, "%d.%d", major, minor);
    facts->thread_level = thread_level_name ();
    facts->osc = getenv ("OMPI_MCA_osc");
    if (H5get_libversion (&h5[0], &h5[1], &h5[2]) >= 0)
        (void)snprintf (facts->hdf5, sizeof facts->hdf5, "%u.%u.%u", h5[0], h5[1], h5[2]);
    else
        (void)snprintf (facts->hdf5, sizeof facts->hdf5, "unknown");
}

static int list_variables (struct larder_facts *facts, larder_error *err)
{
    int count = 0;
    for (char **p = environ; *p; ++p)
        count += strncmp (*p, "LARDER_", 7) == 0;
    facts->variables = calloc ((size_t)count + 1, sizeof *facts->variables);
    if (!facts->variables)
        return larder_error_set (err, LARDER_ENOMEM, 0, "out of memory");
    for (char **p = environ; *p; ++p)
        if (strncmp (*p, "LARDER_", 7) == 0 && facts->variable_count < count)
            facts->variables[facts->variable_count++] = *p;
    return LARDER_OK;
}

/* What this rank knows of its host. */
static void look_here (const struct larder_team *team, int node, struct larder_facts_node *mine)
{
    struct statvfs shm;
    struct rlimit limit;
    memset (mine, 0, sizeof *mine);
    mine->node = node;
    mine->first_rank = team->rank;
    mine->ranks = 1;
    if (statvfs ("/dev/shm", &shm) == 0) {
        mine->shm_size = (uint64_t)shm.f_blocks * shm.f_frsize;
        mine->shm_free = (uint64_t)shm.f_bavail * shm.f_frsize;
    }
    mine->memlock = UINT64_MAX;
    if (getrlimit (RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        mine->memlock = (uint64_t)limit.rlim_cur;
    memcpy (mine->host, team->host, sizeof mine->host);
}

/* Node numbers without a session: a node's number is the count of lower nodes' first ranks. */
static int number_node (struct larder_team *team, int *node, larder_error *err)
{
    MPI_Comm local;
    int local_rank = 0, number = 0;
    int rc =
        MPI_Comm_split_type (team->comm, MPI_COMM_TYPE_SHARED, team->rank, MPI_INFO_NULL, &local);
    if (rc != MPI_SUCCESS)
        return larder_team_mpi_error (err, "MPI_Comm_split_type", rc);
    (void)MPI_Comm_rank (local, &local_rank);
    int leads = local_rank == 0;
    rc = MPI_Scan (&leads, &number, 1, MPI_INT, MPI_SUM, team->comm);
    --number;
    if (rc == MPI_SUCCESS)
        rc = MPI_Bcast (&number, 1, MPI_INT, 0, local);
    (void)MPI_Comm_free (&local);
    *node = number;
    return rc == MPI_SUCCESS ? LARDER_OK : larder_team_mpi_error (err, "MPI_Scan", rc);
}

/* Make one entry a node out of one a rank, in place. */
static void fold_nodes (struct larder_facts *facts, int ranks)
{
    struct larder_facts_node *nodes = facts->nodes;
    for (int r = 0; r < ranks; ++r) {
        struct larder_facts_node rank = nodes[r];
        if (rank.node == facts->node_count) {
            nodes[facts->node_count++] = rank;
        } else {
            struct larder_facts_node *node = &nodes[rank.node];
            node->ranks++;
            if (rank.memlock < node->memlock)
                node->memlock = rank.memlock;
        }
    }
}

static int gather_nodes (struct larder_team *team, struct larder_facts *facts, larder_error *err)
{
    struct larder_facts_node mine;
    int node = 0;
    int rc = number_node (team, &node, err);
    look_here (team, node, &mine);
    if (rc == LARDER_OK && team->rank == 0) {
        facts->nodes = calloc ((size_t)team->size, sizeof *facts->nodes);
        if (!facts->nodes)
            rc = larder_error_set (err, LARDER_ENOMEM, 0, "out of memory for %d ranks", team->size);
    }
    rc = larder_team_agree (team, rc, err);
    if (rc != LARDER_OK)
        return rc;
    int bytes = (int)sizeof mine;
    int mpi = MPI_Gather (&mine, bytes, MPI_BYTE, facts->nodes, bytes, MPI_BYTE, 0, team->comm);
    if (mpi != MPI_SUCCESS)
        return larder_team_mpi_error (err, "MPI_Gather", mpi);
    if (team->rank == 0)
        fold_nodes (facts, team->size);
    return LARDER_OK;
}

/* Open a session with the settings of the environment, look, and close it. */
static void try_session (struct larder_team *team, struct larder_facts *facts)
{
    larder *session = NULL;
    int rc = larder_open (team->comm, NULL, MPI_INFO_NULL, &session, &facts->why);
    if (rc == LARDER_OK) {
        rc = larder_session_get_info (session, &facts->session);
        facts->opened = rc == LARDER_OK;
        rc = larder_close (&session, &facts->why);
    }
    if (rc != LARDER_OK && facts->why.text[0] == '\0')
        (void)larder_error_set (&facts->why, rc, 0, "%s", larder_code_text (rc));
}

static void explain_transport (struct larder_facts *facts)
{
    if (!facts->opened)
        (void)snprintf (facts->transport_reason, sizeof facts->transport_reason, "%s",
                        facts->why.text);
    else if (facts->session.node_count == 1)
        (void)snprintf (facts->transport_reason, sizeof facts->transport_reason,
                        "all ranks are on one node and share its memory");
    else
        (void)snprintf (facts->transport_reason, sizeof facts->transport_reason,
                        "MPI windows over %d nodes passed the test at the start%s%s",
                        facts->session.node_count, facts->osc ? "; OMPI_MCA_osc=" : "",
                        facts->osc ? facts->osc : "");
}

int larder_facts_gather (struct larder_team *team, const struct larder_mpienv_choice *choice,
                         struct larder_facts *facts, larder_error *err)
{
    memset (facts, 0, sizeof *facts);
    facts->rank_count = team->size;
    facts->osc_set_here = choice->osc;
    versions (facts);
    int rc = list_variables (facts, err);
    rc = larder_team_agree (team, rc, err);
    if (rc == LARDER_OK)
        rc = gather_nodes (team, facts, err);
    if (rc != LARDER_OK)
        return rc;
    try_session (team, facts);
    explain_transport (facts);
    return LARDER_OK;
}

static void advise (struct larder_facts *facts, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

static void advise (struct larder_facts *facts, const char *format, ...)
{
    if (facts->advice_count == LARDER_FACTS_ADVICE)
        return;
    va_list arguments;
    va_start (arguments, format);
    (void)vsnprintf (facts->advice[facts->advice_count++], LARDER_FACTS_LINE, format, arguments);
    va_end (arguments);
}

/* Bytes of /dev/shm that a node needs: its cache and words. */
static void advise_shared_memory (struct larder_facts *facts)
{
    uint64_t need = facts->opened ? facts->session.cache_size + facts->session.control_size
                                  : (uint64_t)64 << 20;
    for (int i = 0; i < facts->node_count; ++i) {
        const struct larder_facts_node *node = &facts->nodes[i];
        char wanted[LARDER_TEXT_ROOM], there[LARDER_TEXT_ROOM];
        if (node->shm_free >= need)
            continue;
        advise (facts,
                "/dev/shm of %s has %s free and a session needs %s there: enlarge it, or give a "
                "smaller --cache-size (LARDER_CACHE_SIZE)",
                node->host, larder_text_size (node->shm_free, there),
                larder_text_size (need, wanted));
        return;
    }
}

void larder_facts_advise (struct larder_facts *facts, const struct larder_mpienv_choice *choice)
{
    if (choice->osc)
        advise (facts, "OMPI_MCA_osc was set to sm,pt2pt by larder, because Open MPI 4 as some "
                       "distributions ship it has no windows over Ethernet otherwise; programs "
                       "that link larder need: export OMPI_MCA_osc=sm,pt2pt");
    if (choice->yield)
        advise (facts, "OMPI_MCA_mpi_yield_when_idle was set to 1 by larder, because there are "
                       "more ranks on this host than cores");
    if (!facts->opened)
        advise (facts, "no session could be opened: %s", facts->why.text);
    advise_shared_memory (facts);
    if (facts->node_count == 1 && facts->rank_count == 1)
        advise (facts, "this is one rank alone: run it under mpirun or srun to see the cluster");
}

void larder_facts_free (struct larder_facts *facts)
{
    free (facts->nodes);
    free (facts->variables);
    facts->nodes = NULL;
    facts->variables = NULL;
}
