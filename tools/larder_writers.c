/* SPDX-License-Identifier: Apache-2.0 */
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

/* Tell all how many candidates and writers there are, and rank 0 which. */
static int count_writers (struct larder_team *team, struct larder_writers *writers,
                          larder_error *err)
{
    int mine[2] = {writers->place.path != NULL, writers->writes};
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
    int several = writers->place.path != NULL;
    int mpi = MPI_Allreduce (MPI_IN_PLACE, &several, 1, MPI_INT, MPI_SUM, team->comm);
    if (mpi != MPI_SUCCESS)
        return larder_team_mpi_error (err, "MPI_Allreduce", mpi);
    if (several > 1)
        rc = larder_probe_lowest (team, writers->place.path, &lowest, err);
    if (rc != LARDER_OK)
        return rc;
    writers->writes = writers->place.path && lowest == team->rank;
    return count_writers (team, writers, err);
}

void larder_writers_free (struct larder_writers *writers)
{
    larder_place_free (&writers->place);
    free (writers->ranks);
    writers->ranks = NULL;
}
