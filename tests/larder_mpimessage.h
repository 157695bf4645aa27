/* SPDX-License-Identifier: Apache-2.0 */
/* Messages between ranks: arrays whose content says where they are from, and bytes that travel. */
#ifndef LARDER_MPIMESSAGE_H
#define LARDER_MPIMESSAGE_H

#include "larder_mpiobject.h"

static inline double mpimessage_number (uint64_t salt, uint64_t i)
{
    return (double)(salt * 1000003 + i * 7);
}

/* n doubles, told apart by their salt; to be freed. */
static inline double *mpimessage_doubles (uint64_t salt, uint64_t n)
{
    double *a = malloc (n * sizeof *a + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL (a);
    for (uint64_t i = 0; i < n; ++i)
        a[i] = mpimessage_number (salt, i);
    return a;
}

static inline larder_message *mpimessage_new (void)
{
    larder_message *m = NULL;
    larder_error err = {0};
    MPITEST_OK (larder_message_new (&m, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL (m);
    return m;
}

/* Set an array of n doubles that the message owns. */
static inline void mpimessage_put (larder_message *m, const char *path, uint64_t salt, uint64_t n)
{
    larder_error err = {0};
    larder_shape shape = {.type = LARDER_FLOAT64, .ndims = 1, .dims = {n}};
    larder_value v = {.kind = LARDER_KIND_ARRAY,
                      .data = mpimessage_doubles (salt, n),
                      .shape = shape,
                      .free_data = free};
    MPITEST_OK (larder_message_set (m, path, &v, &err), err);
}

/* 1 when the array is there and right. */
static inline int mpimessage_has (const larder_message *m, const char *path, uint64_t salt,
                                  uint64_t n)
{
    larder_error err = {0};
    larder_shape shape;
    const void *data = NULL;
    MPITEST_OK (larder_message_get_array (m, path, LARDER_FLOAT64, &shape, &data, &err), err);
    if (!data && n)
        return 0;
    const double *a = data;
    int good = shape.ndims == 1 && shape.dims[0] == n;
    for (uint64_t i = 0; good && i < n; ++i)
        good = a[i] == mpimessage_number (salt, i);
    CU_ASSERT (good);
    return good;
}

/* Kind of a value; -1: there is none. */
static inline int mpimessage_kind (const larder_message *m, const char *path)
{
    larder_value v;
    return larder_message_get (m, path, &v, NULL) == LARDER_OK ? (int)v.kind : -1;
}

/* An owner's encoded message, on all ranks; called by all. */
static inline void mpimessage_share (larder_encoded *e, int owner)
{
    unsigned long long size = e->size;
    MPI_Bcast (&size, 1, MPI_UNSIGNED_LONG_LONG, owner, MPI_COMM_WORLD);
    if (mpitest_rank != owner) {
        *e = (larder_encoded){.size = (size_t)size, .bytes = malloc ((size_t)size + 1)};
        CU_ASSERT_PTR_NOT_NULL_FATAL (e->bytes);
    }
    MPI_Bcast (e->bytes, (int)size, MPI_BYTE, owner, MPI_COMM_WORLD);
}

static inline void mpimessage_send (const larder_encoded *e, int rank, int tag)
{
    MPI_Send (e->bytes, (int)e->size, MPI_BYTE, rank, tag, MPI_COMM_WORLD);
}

/* Making progress meanwhile. */
static inline larder_encoded mpimessage_receive (larder *s, int rank, int tag)
{
    larder_encoded e = {0};
    larder_error err = {0};
    MPI_Status status;
    int flag = 0, size = 0;
    while (!flag) {
        int rc = larder_progress (s, 4, 0, &err);
        CU_ASSERT (rc >= 0);
        MPI_Iprobe (rank, tag, MPI_COMM_WORLD, &flag, &status);
    }
    MPI_Get_count (&status, MPI_BYTE, &size);
    e.size = (size_t)size;
    e.bytes = malloc (e.size + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL (e.bytes);
    MPI_Recv (e.bytes, size, MPI_BYTE, status.MPI_SOURCE, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return e;
}

static inline larder_message *mpimessage_decode (larder *s, const larder_encoded *e,
                                                 const larder_resolve_options *options)
{
    larder_message *m = NULL;
    larder_error err = {0};
    MPITEST_OK (larder_decode (s, e->bytes, e->size, options, &m, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL (m);
    return m;
}

/* Serve what this rank owns until it has settled. */
static inline void mpimessage_serve (larder *s)
{
    larder_error err = {0};
    MPITEST_OK (larder_serve (s, 0, &err), err);
}

static inline void mpimessage_receipt (larder *s, const larder_encoded *e, larder_receipt **r)
{
    larder_error err = {0};
    MPITEST_OK (larder_transaction_wait (s, e->transaction, -1, r, &err), err);
}

#endif
