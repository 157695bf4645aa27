/* SPDX-License-Identifier: Apache-2.0 */
/* What every MPI test program shares: tests run in lockstep on all ranks, an assertion that fails on
 * one rank fails the program on all, and a watchdog ends a program that hangs. */
#ifndef LARDER_MPITEST_H
#define LARDER_MPITEST_H

#include "larder_test.h"
#include <larder/larder.h>
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int mpitest_rank, mpitest_size;

/* Assert with the rank and an error's text in the output. */
#define MPITEST_OK(call, err)                                                                      \
    do {                                                                                           \
        int mpitest_rc = (call);                                                                   \
        if (mpitest_rc != LARDER_OK)                                                               \
            fprintf (stderr, "rank %d: %s:%d: %s = %s: %s\n", mpitest_rank, __FILE__, __LINE__,    \
                     #call, larder_code_name (mpitest_rc), (err).text);                            \
        CU_ASSERT_EQUAL (mpitest_rc, LARDER_OK);                                                   \
    } while (0)

static inline int mpitest_main (int argc, char **argv, const char *suite,
                                const struct larder_test *tests)
{
    int all = 1;
    alarm (300); /* a hang ends as a failure */
    if (MPI_Init (&argc, &argv) != MPI_SUCCESS)
        return 1;
    MPI_Comm_rank (MPI_COMM_WORLD, &mpitest_rank);
    MPI_Comm_size (MPI_COMM_WORLD, &mpitest_size);
    if (mpitest_rank != 0 && !freopen ("/dev/null", "w", stdout))
        MPI_Abort (MPI_COMM_WORLD, 1);
    int mine = larder_test_main (suite, tests);
    if (mine)
        fprintf (stderr, "rank %d of %d: tests FAILED\n", mpitest_rank, mpitest_size);
    MPI_Allreduce (&mine, &all, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    MPI_Finalize ();
    return all;
}

/* Bytes that can be told from their place. */
static inline unsigned char mpitest_byte (uint64_t i)
{
    return (unsigned char)((i * UINT64_C (0x9e3779b97f4a7c15)) >> 56);
}

static inline unsigned char *mpitest_bytes (uint64_t size)
{
    unsigned char *p = malloc (size + 1);
    for (uint64_t i = 0; p && i < size; ++i)
        p[i] = mpitest_byte (i);
    return p;
}

/* 1 when the bytes are those from place `from` on. */
static inline int mpitest_same (const unsigned char *p, uint64_t from, uint64_t size)
{
    for (uint64_t i = 0; i < size; ++i)
        if (p[i] != mpitest_byte (from + i)) {
            fprintf (stderr, "rank %d: byte %llu of %llu differs\n", mpitest_rank,
                     (unsigned long long)i, (unsigned long long)size);
            return 0;
        }
    return 1;
}

#endif
