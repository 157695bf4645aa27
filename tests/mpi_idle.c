/* SPDX-License-Identifier: Apache-2.0 */
/* mpi_idle: what an MPI program that does nothing takes: prints the sum of its ranks' Pss in KiB.
 * Tests subtract it from what a program of larder's takes. */
#include <mpi.h>
#include <stdio.h>

static unsigned long pss_kib (void)
{
    char line[256];
    unsigned long kib = 0;
    FILE *in = fopen ("/proc/self/smaps_rollup", "r");
    if (!in)
        return 0;
    while (fgets (line, sizeof line, in))
        if (sscanf (line, "Pss: %lu kB", &kib) == 1)
            break;
    (void)fclose (in);
    return kib;
}

int main (int argc, char **argv)
{
    if (MPI_Init (&argc, &argv) != MPI_SUCCESS)
        return 1;
    int rank = 0;
    unsigned long mine = 0, least = 0, sum = 0;
    /* Twice met: all have started when any measures, and all have measured when any ends. */
    int bad = MPI_Comm_rank (MPI_COMM_WORLD, &rank) != MPI_SUCCESS ||
              MPI_Barrier (MPI_COMM_WORLD) != MPI_SUCCESS;
    mine = pss_kib ();
    bad =
        bad ||
        MPI_Reduce (&mine, &sum, 1, MPI_UNSIGNED_LONG, MPI_SUM, 0, MPI_COMM_WORLD) != MPI_SUCCESS ||
        MPI_Allreduce (&mine, &least, 1, MPI_UNSIGNED_LONG, MPI_MIN, MPI_COMM_WORLD) != MPI_SUCCESS;
    if (rank == 0)
        (void)printf ("%lu\n", sum);
    if (least == 0)
        (void)fprintf (stderr, "mpi_idle: rank %d cannot read its Pss\n", rank);
    return MPI_Finalize () != MPI_SUCCESS || bad || least == 0;
}
