/* SPDX-License-Identifier: Apache-2.0 */
/* MPI results as larder codes. */
#ifndef LARDER_MPI_H
#define LARDER_MPI_H

#include <larder/error.h>
#include <mpi.h>

/* LARDER_OK for MPI_SUCCESS; else LARDER_EMPI with the text "what: MPI's own words". */
int larder_mpi_check (int mpi_code, const char *what, larder_error *err);

#endif
