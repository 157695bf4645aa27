/* SPDX-License-Identifier: Apache-2.0 */
/* The ranks of one run of the command: they meet, agree on results, and tell rank 0 when one of
 * them has to stop.  Everything here is collective over all ranks unless it says otherwise. */
#ifndef LARDER_TEAM_H
#define LARDER_TEAM_H

#include <larder/error.h>
#include <larder/session.h>
#include <mpi.h>

#define LARDER_TEAM_HOST 65 /* room for a host name */

struct larder_team {
    MPI_Comm comm;
    int rank, size;
    char host[LARDER_TEAM_HOST];
    char (*hosts)[LARDER_TEAM_HOST]; /* rank 0: of every rank; others: NULL */
    larder *session;                 /* NULL until opened; meetings make progress for it */
    MPI_Request note;                /* this rank's word to rank 0 */
    int noted;                       /* 1: it was sent */
    int note_value;
};

/* Meet for the first time.  Fails alike on all ranks; nothing to free then. */
int larder_team_open (struct larder_team *team, larder_error *err);

/* Ends the session too.  Returns what larder_close said. */
int larder_team_close (struct larder_team *team, larder_error *err);

/* Wait for all ranks, making progress; limit_s < 0: without limit.  LARDER_ETIMEDOUT leaves the
 * communicator unusable: larder_team_abandon is all that is left. */
int larder_team_meet (struct larder_team *team, double limit_s, larder_error *err);

/* Meet and agree on a result: LARDER_OK if it is that everywhere; else the failure of the lowest
 * rank that failed by itself, before those that only followed another (larder_team_follows).
 * A rank that was interrupted by a signal counts as failed.  On failure *err is the same on all
 * ranks, and err->rank is set. */
int larder_team_agree (struct larder_team *team, int code, larder_error *err);

/* 1: a failure with this code is only the echo of another rank's. */
int larder_team_follows (int code);

/* Fill err when a signal has come: returns LARDER_ECANCELED, else LARDER_OK.  Not collective. */
int larder_team_interrupted (larder_error *err);

/* Tell rank 0 that this rank has failed, once.  Not collective, does not block. */
void larder_team_tell (struct larder_team *team);

/* Rank 0: has anybody told?  Not collective, does not block. */
int larder_team_told (struct larder_team *team);

/* Take the words that rank 0 did not look at; after a meeting. */
int larder_team_settle (struct larder_team *team, larder_error *err);

/* Ways out when the others cannot be reached: print why, end the job.  Does not return. */
void larder_team_abandon (struct larder_team *team, const larder_error *err);

/* Print the one line of a failure: "larder: rank 2 (n1): text".  Rank 0 prints. */
void larder_team_print (const struct larder_team *team, const larder_error *err);

/* Host of a rank for texts; "?" where it is not known.  Rank 0. */
const char *larder_team_host (const struct larder_team *team, int rank);

/* Fill err for a failed MPI call of the command itself.  Returns LARDER_EMPI. */
int larder_team_mpi_error (larder_error *err, const char *call, int code);

#endif
