/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_blob.h"
#include "larder_num.h"
#include <stdatomic.h>
#include <stdlib.h>

enum { ALIGNMENT = 64 };

struct larder_blob {
    atomic_uint_fast64_t users;
    void *data;
    void (*free_data) (void *data); /* NULL: data needs none, or stands behind the blob itself */
};

_Static_assert(sizeof (struct larder_blob) <= ALIGNMENT,
               "data stands one boundary behind its blob");

struct larder_blob *larder_blob_new (void *data, void (*free_data) (void *data))
{
    struct larder_blob *blob = malloc (sizeof *blob);
    if (!blob)
        return NULL;
    atomic_init (&blob->users, 1);
    blob->data = data;
    blob->free_data = free_data;
    return blob;
}

struct larder_blob *larder_blob_alloc (uint64_t size, void **data)
{
    uint64_t whole;
    size_t bytes;
    void *memory;

    /* No pointer reaches further than PTRDIFF_MAX. */
    if (larder_num_add (size, ALIGNMENT + 1, &whole) || larder_num_to_size (whole, &bytes) ||
        bytes > PTRDIFF_MAX || posix_memalign (&memory, ALIGNMENT, bytes) != 0)
        return NULL;
    struct larder_blob *blob = memory;
    atomic_init (&blob->users, 1);
    blob->data = (unsigned char *)memory + ALIGNMENT;
    blob->free_data = NULL;
    ((unsigned char *)blob->data)[size] = 0;
    *data = blob->data;
    return blob;
}

struct larder_blob *larder_blob_keep (struct larder_blob *blob)
{
    if (blob)
        (void)atomic_fetch_add_explicit (&blob->users, 1, memory_order_relaxed);
    return blob;
}

void larder_blob_drop (struct larder_blob *blob)
{
    /* What other users did with the data happens before it is freed. */
    if (!blob || atomic_fetch_sub_explicit (&blob->users, 1, memory_order_acq_rel) != 1)
        return;
    if (blob->free_data)
        blob->free_data (blob->data);
    free (blob);
}

void larder_blob_forget (struct larder_blob *blob)
{
    free (blob);
}
