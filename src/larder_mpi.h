/* SPDX-License-Identifier: Apache-2.0 */
/* MPI results as larder codes, and meeting without a session. */
#ifndef LARDER_MPI_H
#define LARDER_MPI_H

#include <larder/error.h>
#include <mpi.h>

/* LARDER_OK for MPI_SUCCESS; else LARDER_EMPI with the text "what: MPI's own words". */
int larder_mpi_check (int mpi_code, const char *what, larder_error *err);

/* Wait for all ranks, who may come late: unlike MPI's blocking calls it leaves the processor to others. */
int larder_mpi_meet (MPI_Comm comm, larder_error *err);

#endif
