/* SPDX-License-Identifier: Apache-2.0 */
/* The command larder. */
#include "larder_args.h"
#include "larder_bench.h"
#include "larder_help.h"
#include "larder_info.h"
#include "larder_mpienv.h"
#include "larder_place.h"
#include "larder_stage.h"
#include "larder_team.h"
#include <larder/version.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static void print_usage_error (const struct larder_args *args, const larder_error *err)
{
    (void)fprintf (stderr, "larder: %s%s%s; see larder %s%s--help\n", args->topic,
                   *args->topic ? ": " : "", err->text, args->topic, *args->topic ? " " : "");
}

/* Which rank was given other arguments than rank 0?  INT_MAX: none. */
static int odd_rank (struct larder_team *team, uint64_t hash, int *odd, larder_error *err)
{
    uint64_t first = hash;
    int rc = MPI_Bcast (&first, 1, MPI_UINT64_T, 0, team->comm);
    int mine = first == hash ? INT_MAX : team->rank;
    if (rc == MPI_SUCCESS)
        rc = MPI_Allreduce (&mine, odd, 1, MPI_INT, MPI_MIN, team->comm);
    return rc == MPI_SUCCESS ? LARDER_OK : larder_team_mpi_error (err, "MPI_Allreduce", rc);
}

static int run_command (const struct larder_args *args, struct larder_team *team,
                        const struct larder_mpienv_choice *choice)
{
    if (args->command == LARDER_ARGS_STAGE)
        return larder_stage_run (args, team);
    if (args->command == LARDER_ARGS_BENCH)
        return larder_bench_run (args, team);
    return larder_info_run (args, team, choice);
}

/* With MPI: agree on what is to be done, then do it.  The same exit code on all ranks. */
static int run_team (const struct larder_args *args, uint64_t hash, int parsed,
                     const larder_error *parse_error, const struct larder_mpienv_choice *choice)
{
    struct larder_team team;
    larder_error err = {0};
    int odd = INT_MAX, code = 1;
    int rc = larder_team_open (&team, &err);
    if (rc != LARDER_OK) {
        (void)fprintf (stderr, "larder: %s\n", err.text);
        return 1;
    }
    rc = odd_rank (&team, hash, &odd, &err);
    if (rc == LARDER_OK && odd != INT_MAX)
        rc = larder_error_set (&err, LARDER_EMISMATCH, 0,
                               "rank %d was given other arguments than rank 0", odd);
    if (rc != LARDER_OK) {
        err.rank = odd == INT_MAX ? team.rank : odd;
        larder_team_print (&team, &err);
    } else {
        err = *parse_error;
        rc = larder_team_agree (&team, parsed, &err);
        if (rc == LARDER_OK)
            code = run_command (args, &team, choice);
        else if (team.rank == 0)
            print_usage_error (args, &err);
        if (rc != LARDER_OK)
            code = 2;
    }
    /* The copies are whole and named by now; a session that closes badly changes nothing. */
    (void)larder_team_close (&team, &err);
    return code;
}

int main (int argc, char **argv)
{
    struct larder_args args;
    larder_error err = {0};
    int parsed = larder_args_parse (argc, argv, &args, &err);
    if (parsed == LARDER_OK && args.command == LARDER_ARGS_STAGE)
        parsed = larder_place_check (args.dest, &err);
    int code = 0;
    if (parsed == LARDER_OK &&
        (args.command == LARDER_ARGS_HELP || args.command == LARDER_ARGS_VERSION)) {
        if (larder_mpienv_rank () == 0)
            code = larder_help_print (&args) != 0;
    } else if (parsed != LARDER_OK && !larder_mpienv_launched ()) {
        print_usage_error (&args, &err);
        code = 2;
    } else {
        struct larder_mpienv_choice choice = larder_mpienv_prepare ();
        uint64_t hash = larder_args_hash (argc, argv); /* before MPI may touch them */
        int level;
        if (args.dataset_count > 0)
            larder_stage_prepare_hdf5 ();
        if (MPI_Init_thread (&argc, &argv, MPI_THREAD_SINGLE, &level) != MPI_SUCCESS) {
            (void)fprintf (stderr, "larder: MPI_Init_thread failed\n");
            return 1;
        }
        code = run_team (&args, hash, parsed, &err, &choice);
        if (MPI_Finalize () != MPI_SUCCESS && code == 0)
            code = 1;
    }
    larder_args_free (&args);
    return code;
}
