/* SPDX-License-Identifier: Apache-2.0 */
/* Rank 0 offers 64 MiB; every other rank takes them, each at its own pace. */
#include <larder/larder.h>
#include <stdio.h>
#include <stdlib.h>

int main (int argc, char **argv)
{
    int rank, rc;
    larder *session = NULL;
    larder_object object;
    larder_ref ref = {{0}};
    larder_error err = {0};
    larder_memory_sink sink = {.buffer = malloc (64 << 20), .capacity = 64 << 20};
    larder_consumer consumer = larder_consumer_memory (&sink);

    MPI_Init (&argc, &argv);
    MPI_Comm_rank (MPI_COMM_WORLD, &rank);
    rc = larder_open (MPI_COMM_WORLD, NULL, MPI_INFO_NULL, &session, &err);
    if (rc == LARDER_OK && rank == 0)
        rc = larder_object_memory (sink.buffer, sink.capacity, 1 << 20, "field", &object, &err);
    if (rc == LARDER_OK && rank == 0)
        rc = larder_offer (session, &object, LARDER_ALL, &ref, &err);
    MPI_Bcast (&ref, sizeof ref, MPI_BYTE, 0, MPI_COMM_WORLD); /* 64 bytes instead of 64 MiB */
    if (rc == LARDER_OK)
        rc = rank == 0 ? larder_serve (session, 0, &err)
                       : larder_download (session, &ref, &consumer, &err);
    printf ("rank %d: %s, %llu bytes\n", rank, rc == LARDER_OK ? "done" : err.text,
            (unsigned long long)sink.received);
    larder_close (&session, NULL);
    free (sink.buffer);
    return MPI_Finalize () != MPI_SUCCESS || rc != LARDER_OK;
}
