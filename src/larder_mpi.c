/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_mpi.h"
#include "larder_backoff.h"
#include <stdio.h>
#include <string.h>

int larder_mpi_check (int mpi_code, const char *what, larder_error *err)
{
    if (mpi_code == MPI_SUCCESS)
        return LARDER_OK;
    char text[MPI_MAX_ERROR_STRING + 1];
    int length = 0;
    if (MPI_Error_string (mpi_code, text, &length) != MPI_SUCCESS)
        length = snprintf (text, sizeof text, "code %d", mpi_code);
    text[length] = 0;
    for (char *p = strchr (text, '\n'); p; p = strchr (p, '\n'))
        *p = ' ';
    return larder_error_set (err, LARDER_EMPI, mpi_code, "%s: %s", what, text);
}

int larder_mpi_meet (MPI_Comm comm, larder_error *err)
{
    MPI_Request request;
    struct larder_backoff backoff = {0};
    int met = 0;
    int rc = larder_mpi_check (MPI_Ibarrier (comm, &request), "MPI_Ibarrier", err);
    while (rc == LARDER_OK && !met) {
        rc = larder_mpi_check (MPI_Test (&request, &met, MPI_STATUS_IGNORE), "MPI_Test", err);
        if (rc == LARDER_OK && !met)
            larder_backoff_wait (&backoff, 1);
    }
    return rc;
}
