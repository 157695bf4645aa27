/* SPDX-License-Identifier: Apache-2.0 */
/* Goes before every source file of the library and of larder_scale.c when they are built for the simulator
 * (bench/simgrid.sh): what SimGrid's SMPI 3.32 lacks, or simulates so that times would mean nothing.
 *
 * - Non-blocking collectives send N messages from each of N ranks; here they are the blocking ones.
 * - One-sided calls (src/larder_rma.c only): accumulates block their caller until they have arrived and while
 *   others touch the same window, a Get takes no time to ask, a lock of all ranks costs N^2 steps, and the
 *   attribute MPI_WIN_MODEL ends the program.  larder_smpi.cpp has the few calls that larder_rma.c makes, over
 *   SimGrid's network.
 * - Waiting (src/larder_backoff.c is left out): a rank that has nothing to do sleeps until bytes or a word have
 *   come, as one that polls without end would notice them; polling in steps would cost most of the run.
 * - The clock: SMPI's takes the processor's time at each look, half of a simulation's own time. */
#ifndef LARDER_SMPI_H
#define LARDER_SMPI_H

#include <mpi.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

int larder_smpi_win_create (void *base, MPI_Aint size, int unit, MPI_Info info, MPI_Comm comm,
                            MPI_Win *window);
int larder_smpi_win_free (MPI_Win *window);
int larder_smpi_win_get_attr (MPI_Win window, int key, void *value, int *flag);
int larder_smpi_rget (void *buffer, int count, MPI_Datatype type, int rank, MPI_Aint offset,
                      int there, MPI_Datatype type_there, MPI_Win window, MPI_Request *request);
int larder_smpi_raccumulate (const void *words, int count, MPI_Datatype type, int rank,
                             MPI_Aint offset, int there, MPI_Datatype type_there, MPI_Op op,
                             MPI_Win window, MPI_Request *request);
int larder_smpi_test (MPI_Request *request, int *flag, MPI_Status *status);

/* Bytes that have left this rank's host so far, as the simulated network has carried them. */
double larder_smpi_bytes_out (void);

/* The simulated time, for every clock. */
int larder_smpi_clock (clockid_t clock, struct timespec *time);

/* Let so many simulated seconds pass for this rank. */
void larder_smpi_work (double seconds);

#ifdef __cplusplus
}
#else

#define MPI_Iallreduce(send, receive, n, type, op, comm, request)                                  \
    (*(request) = MPI_REQUEST_NULL, MPI_Allreduce (send, receive, n, type, op, comm))
#define MPI_Ibcast(buffer, n, type, root, comm, request)                                           \
    (*(request) = MPI_REQUEST_NULL, MPI_Bcast (buffer, n, type, root, comm))
#define MPI_Igather(send, n, type, receive, m, type2, root, comm, request)                         \
    (*(request) = MPI_REQUEST_NULL, MPI_Gather (send, n, type, receive, m, type2, root, comm))
#define MPI_Ibarrier(comm, request) (*(request) = MPI_REQUEST_NULL, MPI_Barrier (comm))

/* SMPI's leaves the flag as it was when there is no request. */
#define MPI_Test                    larder_smpi_test

#undef clock_gettime
#define clock_gettime larder_smpi_clock

#ifdef LARDER_SMPI_ONE_SIDED
#define MPI_Win_create                         larder_smpi_win_create
#define MPI_Win_free                           larder_smpi_win_free
#define MPI_Win_get_attr                       larder_smpi_win_get_attr
#define MPI_Rget                               larder_smpi_rget
#define MPI_Raccumulate                        larder_smpi_raccumulate
/* Nothing is to be done: locks are for all and for ever, memory is one, words leave at once. */
#define MPI_Win_lock_all(mode, window)         MPI_SUCCESS
#define MPI_Win_unlock_all(window)             MPI_SUCCESS
#define MPI_Win_sync(window)                   MPI_SUCCESS
#define MPI_Win_flush_local(rank, window)      MPI_SUCCESS
#define MPI_Iprobe(source, tag, comm, flag, s) (*(flag) = 0, MPI_SUCCESS)
#endif

#endif
#endif
