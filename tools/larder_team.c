/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_team.h"
#include "larder_signal.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { NOTE_TAG = 77 };

int larder_team_mpi_error (larder_error *err, const char *call, int code)
{
    char text[MPI_MAX_ERROR_STRING] = "unknown error";
    int length = 0;
    (void)MPI_Error_string (code, text, &length);
    text[strcspn (text, "\n")] = '\0';
    return larder_error_set (err, LARDER_EMPI, code, "%s failed: %s", call, text);
}

int larder_team_open (struct larder_team *team, larder_error *err)
{
    memset (team, 0, sizeof *team);
    team->note = MPI_REQUEST_NULL;
    int rc = MPI_Comm_set_errhandler (MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    if (rc == MPI_SUCCESS) /* the duplicate inherits the handler */
        rc = MPI_Comm_dup (MPI_COMM_WORLD, &team->comm);
    if (rc != MPI_SUCCESS)
        return larder_team_mpi_error (err, "MPI_Comm_dup", rc);
    (void)MPI_Comm_rank (team->comm, &team->rank);
    (void)MPI_Comm_size (team->comm, &team->size);
    if (gethostname (team->host, sizeof team->host) != 0)
        (void)strcpy (team->host, "?");
    team->host[sizeof team->host - 1] = '\0';
    int code = LARDER_OK;
    if (team->rank == 0) {
        team->hosts = calloc ((size_t)team->size, sizeof *team->hosts);
        if (!team->hosts)
            code = larder_error_set (err, LARDER_ENOMEM, 0, "out of memory for %d host names",
                                     team->size);
    }
    code = larder_team_agree (team, code, err);
    if (code == LARDER_OK) {
        rc = MPI_Gather (team->host, LARDER_TEAM_HOST, MPI_CHAR, team->hosts, LARDER_TEAM_HOST,
                         MPI_CHAR, 0, team->comm);
        if (rc != MPI_SUCCESS)
            code = larder_team_mpi_error (err, "MPI_Gather", rc);
    }
    if (code != LARDER_OK) {
        free (team->hosts);
        team->hosts = NULL;
        (void)MPI_Comm_free (&team->comm);
    }
    return code;
}

int larder_team_close (struct larder_team *team, larder_error *err)
{
    int rc = larder_close (&team->session, err);
    int mpi = MPI_Comm_free (&team->comm);
    if (rc == LARDER_OK && mpi != MPI_SUCCESS)
        rc = larder_team_mpi_error (err, "MPI_Comm_free", mpi);
    free (team->hosts);
    team->hosts = NULL;
    return rc;
}

/* One look at whatever has to move while this rank waits. */
static void wait_a_little (struct larder_team *team, unsigned looks)
{
    double pause = looks < 200 ? 0 : looks < 2000 ? 0.001 : 0.01;
    if (team->session && larder_progress (team->session, 16, pause, NULL) >= LARDER_OK)
        return;
    struct timespec time = {0, (long)(pause * 1e9)};
    (void)nanosleep (&time, NULL);
}

int larder_team_meet (struct larder_team *team, double limit_s, larder_error *err)
{
    MPI_Request request;
    int done = 0;
    double start = MPI_Wtime ();
    int rc = MPI_Ibarrier (team->comm, &request);
    for (unsigned looks = 0; rc == MPI_SUCCESS; ++looks) {
        rc = MPI_Test (&request, &done, MPI_STATUS_IGNORE);
        if (done || rc != MPI_SUCCESS)
            break;
        if (larder_signal_seen ())
            larder_team_tell (team);
        if (limit_s >= 0 && MPI_Wtime () - start > limit_s)
            return larder_error_set (err, LARDER_ETIMEDOUT, 0,
                                     "not all ranks came to the end of the transfer within %.0f s",
                                     limit_s);
        wait_a_little (team, looks);
    }
    return rc == MPI_SUCCESS ? LARDER_OK : larder_team_mpi_error (err, "MPI_Ibarrier", rc);
}

int larder_team_follows (int code)
{
    return code == LARDER_EGONE || code == LARDER_EREMOTE || code == LARDER_EBROKEN;
}

int larder_team_interrupted (larder_error *err)
{
    const char *name = larder_signal_seen ();
    if (!name)
        return LARDER_OK;
    return larder_error_set (err, LARDER_ECANCELED, 0, "interrupted by %s", name);
}

int larder_team_agree (struct larder_team *team, int code, larder_error *err)
{
    larder_error mine = *err, seen = {0};
    int rc = larder_team_meet (team, -1, &seen);
    if (rc != LARDER_OK) {
        *err = seen;
        return rc;
    }
    if (code == LARDER_OK)
        code = larder_team_interrupted (&mine);
    int64_t key = INT64_MAX, lowest;
    if (code != LARDER_OK)
        key = (int64_t)team->rank + (larder_team_follows (code) ? team->size : 0);
    int mpi = MPI_Allreduce (&key, &lowest, 1, MPI_INT64_T, MPI_MIN, team->comm);
    if (mpi != MPI_SUCCESS)
        return larder_team_mpi_error (err, "MPI_Allreduce", mpi);
    if (lowest == INT64_MAX)
        return LARDER_OK;
    int root = (int)(lowest % team->size);
    if (root == team->rank) {
        mine.code = code;
        if (mine.rank < 0 || mine.rank >= team->size || mine.text[0] == '\0')
            mine.rank = root;
        if (mine.text[0] == '\0')
            (void)snprintf (mine.text, sizeof mine.text, "%s", larder_code_text (code));
    }
    mpi = MPI_Bcast (&mine, (int)sizeof mine, MPI_BYTE, root, team->comm);
    if (mpi != MPI_SUCCESS)
        return larder_team_mpi_error (err, "MPI_Bcast", mpi);
    *err = mine;
    return mine.code;
}

void larder_team_tell (struct larder_team *team)
{
    if (team->noted || team->rank == 0)
        return;
    team->note_value = team->rank;
    team->noted = MPI_Isend (&team->note_value, 1, MPI_INT, 0, NOTE_TAG, team->comm, &team->note) ==
                  MPI_SUCCESS;
}

int larder_team_told (struct larder_team *team)
{
    int there = 0;
    int rc = MPI_Iprobe (MPI_ANY_SOURCE, NOTE_TAG, team->comm, &there, MPI_STATUS_IGNORE);
    return rc == MPI_SUCCESS && there;
}

int larder_team_settle (struct larder_team *team, larder_error *err)
{
    int sent = 0, value;
    int rc = MPI_Reduce (&team->noted, &sent, 1, MPI_INT, MPI_SUM, 0, team->comm);
    for (; rc == MPI_SUCCESS && sent > 0; --sent)
        rc = MPI_Recv (&value, 1, MPI_INT, MPI_ANY_SOURCE, NOTE_TAG, team->comm, MPI_STATUS_IGNORE);
    if (rc == MPI_SUCCESS)
        rc = MPI_Wait (&team->note, MPI_STATUS_IGNORE);
    team->noted = 0;
    return rc == MPI_SUCCESS ? LARDER_OK : larder_team_mpi_error (err, "MPI_Reduce", rc);
}

const char *larder_team_host (const struct larder_team *team, int rank)
{
    return team->hosts && rank >= 0 && rank < team->size ? team->hosts[rank] : "?";
}

static void print_line (const char *host, const larder_error *err)
{
    char text[LARDER_ERROR_TEXT];
    (void)snprintf (text, sizeof text, "%s", err->text);
    for (char *p = text; *p; ++p) /* the line stays one, whatever a file name holds */
        if ((unsigned char)*p < 0x20)
            *p = '?';
    (void)fprintf (stderr, "larder: rank %d (%s): %s\n", err->rank < 0 ? 0 : err->rank, host, text);
    (void)fflush (stderr);
}

void larder_team_print (const struct larder_team *team, const larder_error *err)
{
    if (team->rank == 0)
        print_line (larder_team_host (team, err->rank < 0 ? 0 : err->rank), err);
}

void larder_team_abandon (struct larder_team *team, const larder_error *err)
{
    larder_error mine = *err;
    mine.rank = team->rank;
    print_line (team->host, &mine);
    (void)MPI_Abort (team->comm, 1);
    _exit (1);
}
