/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_h5claim.h"

#include <string.h>
#include <time.h>

#define NAP_S 0.0001

int larder_h5claim_open (larder *session, uint64_t pieces, struct larder_h5claim *claim,
                         larder_error *err)
{
    larder_session_info info;
    larder_shared *memory = NULL;
    int rc = larder_session_get_info (session, &info);
    if (rc == LARDER_OK && pieces > SIZE_MAX / 2 / sizeof *claim->by)
        rc = larder_error_set (err, LARDER_ENOMEM, 0, "%llu pieces are too many to divide",
                               (unsigned long long)pieces);
    if (rc == LARDER_OK)
        rc = larder_shared_alloc (session, pieces * sizeof *claim->by, &memory, err);
    if (rc != LARDER_OK)
        return rc;
    if (info.node_rank == 0)
        memset (larder_shared_data (memory), 0, (size_t)larder_shared_size (memory));
    rc = larder_shared_agree (memory, LARDER_OK, NULL, err);
    if (rc != LARDER_OK) {
        (void)larder_shared_free (&memory, NULL);
        return rc;
    }
    *claim = (struct larder_h5claim){memory, larder_shared_data (memory), (uint64_t)info.node_rank,
                                     info.timeout_s};
    return LARDER_OK;
}

int larder_h5claim_take (const struct larder_h5claim *claim, uint64_t piece)
{
    uint64_t by = atomic_load_explicit (&claim->by[piece], memory_order_relaxed);
    if (by == 0 && atomic_compare_exchange_strong (&claim->by[piece], &by, claim->me + 1))
        return 1;
    return by == claim->me + 1;
}

int larder_h5claim_wait (const struct larder_h5claim *claim, uint64_t piece, larder_error *err)
{
    double waited = 0;
    while (!larder_h5claim_take (claim, piece)) {
        if (waited > claim->timeout_s)
            return larder_error_set (err, LARDER_ETIMEDOUT, 0,
                                     "another rank of the node has decoded one chunk for %.3g s",
                                     claim->timeout_s);
        (void)nanosleep (&(struct timespec){0, (long)(NAP_S * 1e9)}, NULL);
        waited += NAP_S; /* a lower bound; who is stopped does not wait */
    }
    return LARDER_OK;
}

void larder_h5claim_give_back (const struct larder_h5claim *claim, uint64_t piece)
{
    atomic_store (&claim->by[piece], 0);
}

void larder_h5claim_close (struct larder_h5claim *claim)
{
    (void)larder_shared_free (&claim->memory,
                              NULL); /* what fails leaks, and the next call says why */
}
