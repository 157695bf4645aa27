/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_writers.h"
#include "larder_probe.h"
#include <stdlib.h>
#include <string.h>

/* Does this rank have a place to write to, before anybody looks at file systems? */
static int is_candidate (const struct larder_args *args, const larder_session_info *info)
{
    return args->per_rank || info->node_rank == 0;
}

static int find_place (struct larder_team *team, const struct larder_args *args,
                       const struct larder_place_source *source, struct larder_writers *writers,
                       larder_error *err)
{
    larder_session_info info;
    int rc = larder_session_get_info (team->session, &info);
    if (rc != LARDER_OK)
        return larder_error_set (err, rc, 0, "%s", larder_code_text (rc));
    if (!is_candidate (args, &info))
        return LARDER_OK;
    struct larder_place_names names = {team->host, team->rank, info.node};
    return larder_place_find (args->dest, &names, args->src, source, args->force, &writers->place,
                              err);
}

/* The node's copy goes from its lowest rank to the next one. */
static int hand_over (MPI_Comm node, struct larder_writers *writers, larder_error *err)
{
    int rank = 0, size = 0, length = 0;
    int mpi = MPI_Comm_rank (node, &rank);
    if (mpi == MPI_SUCCESS)
        mpi = MPI_Comm_size (node, &size);
    if (mpi == MPI_SUCCESS && writers->place.path)
        length = (int)strlen (writers->place.path) + 1; /* a path that the system knows is short */
    if (mpi == MPI_SUCCESS)
        mpi = MPI_Bcast (&length, 1, MPI_INT, 0, node);
    if (mpi != MPI_SUCCESS)
        return larder_team_mpi_error (err, "MPI_Bcast over a node", mpi);
    if (size == 1 || length == 0)
        return LARDER_OK;
    char *path = rank == 0 ? writers->place.path : calloc ((size_t)length, 1);
    int ready = path != NULL, all = 0;
    mpi = MPI_Allreduce (&ready, &all, 1, MPI_INT, MPI_MIN, node);
    if (mpi == MPI_SUCCESS && all)
        mpi = MPI_Bcast (path, length, MPI_CHAR, 0, node);
    writers->place.path = path;
    if (mpi != MPI_SUCCESS)
        return larder_team_mpi_error (err, "MPI_Bcast over a node", mpi);
    if (!all)
        return larder_error_set (err, LARDER_ENOMEM, 0, "out of memory for a path");
    int chosen = writers->writes;
    mpi = MPI_Bcast (&chosen, 1, MPI_INT, 0, node);
    writers->writes = chosen && rank == 1;
    return mpi == MPI_SUCCESS ? LARDER_OK
                              : larder_team_mpi_error (err, "MPI_Bcast over a node", mpi);
}

static int hand_over_on_nodes (struct larder_team *team, struct larder_writers *writers,
                               larder_error *err)
{
    larder_session_info info;
    MPI_Comm node;
    (void)larder_session_get_info (team->session, &info); /* worked before */
    int mpi = MPI_Comm_split (team->comm, info.node, info.node_rank, &node);
    if (mpi != MPI_SUCCESS)
        return larder_team_mpi_error (err, "MPI_Comm_split", mpi);
    int rc = hand_over (node, writers, err);
    (void)MPI_Comm_free (&node);
    return larder_team_agree (team, rc, err);
}

/* Together, all nodes get everything, whether they have a writer or not; but rank 0's link carries it once.  By themselves,
 * each node that has a writer takes it from rank 0's. */
static int choose_way (struct larder_team *team, struct larder_writers *writers, larder_error *err)
{
    larder_session_info info;
    (void)larder_session_get_info (team->session, &info);
    int code = LARDER_OK, far = 0;
    int *has = calloc ((size_t)info.node_count, sizeof *has); /* node 0 is rank 0's */
    if (!has)
        code =
            larder_error_set (err, LARDER_ENOMEM, 0, "out of memory for %d nodes", info.node_count);
    code = larder_team_agree (team, code, err);
    if (code == LARDER_OK) {
        has[info.node] = writers->writes;
        int mpi = MPI_Allreduce (MPI_IN_PLACE, has, info.node_count, MPI_INT, MPI_MAX, team->comm);
        if (mpi != MPI_SUCCESS)
            code = larder_team_mpi_error (err, "MPI_Allreduce", mpi);
    }
    for (int n = 1; code == LARDER_OK && n < info.node_count; ++n)
        far += has[n];
    writers->together = far > 1 || far == info.node_count - 1;
    free (has);
    return code;
}

/* Tell all how many candidates and writers there are, and rank 0 which. */
static int count_writers (struct larder_team *team, struct larder_writers *writers, int candidate,
                          larder_error *err)
{
    int mine[2] = {candidate, writers->writes};
    int sums[2] = {0, 0};
    int rc = MPI_Allreduce (mine, sums, 2, MPI_INT, MPI_SUM, team->comm);
    if (rc != MPI_SUCCESS)
        return larder_team_mpi_error (err, "MPI_Allreduce", rc);
    writers->candidates = sums[0];
    writers->count = sums[1];
    int *flags = NULL;
    int code = LARDER_OK;
    if (team->rank == 0) {
        flags = calloc ((size_t)team->size, sizeof *flags);
        writers->ranks = calloc ((size_t)team->size, sizeof *writers->ranks);
        if (!flags || !writers->ranks)
            code =
                larder_error_set (err, LARDER_ENOMEM, 0, "out of memory for %d ranks", team->size);
    }
    code = larder_team_agree (team, code, err);
    if (code == LARDER_OK) {
        rc = MPI_Gather (&writers->writes, 1, MPI_INT, flags, 1, MPI_INT, 0, team->comm);
        if (rc != MPI_SUCCESS)
            code = larder_team_mpi_error (err, "MPI_Gather", rc);
    }
    for (int r = 0, n = 0; code == LARDER_OK && flags && r < team->size; ++r)
        if (flags[r])
            writers->ranks[n++] = r;
    free (flags);
    return code;
}

int larder_writers_find (struct larder_team *team, const struct larder_args *args,
                         const struct larder_place_source *source, struct larder_writers *writers,
                         larder_error *err)
{
    memset (writers, 0, sizeof *writers);
    int rc = find_place (team, args, source, writers, err);
    rc = larder_team_agree (team, rc, err);
    if (rc != LARDER_OK)
        return rc;
    int lowest = team->rank;
    int candidate = writers->place.path != NULL, several = candidate;
    int mpi = MPI_Allreduce (MPI_IN_PLACE, &several, 1, MPI_INT, MPI_SUM, team->comm);
    if (mpi != MPI_SUCCESS)
        return larder_team_mpi_error (err, "MPI_Allreduce", mpi);
    if (several > 1)
        rc = larder_probe_lowest (team, writers->place.path, &lowest, err);
    if (rc != LARDER_OK)
        return rc;
    writers->writes = candidate && lowest == team->rank;
    if (!args->per_rank)
        rc = hand_over_on_nodes (team, writers, err);
    if (rc == LARDER_OK)
        rc = choose_way (team, writers, err);
    return rc == LARDER_OK ? count_writers (team, writers, candidate, err) : rc;
}

void larder_writers_free (struct larder_writers *writers)
{
    larder_place_free (&writers->place);
    free (writers->ranks);
    writers->ranks = NULL;
}
