/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * Receivers: who will download what is offered. */
#ifndef LARDER_RECEIVERS_H
#define LARDER_RECEIVERS_H

#ifdef __cplusplus
extern "C" {
#endif

/** Who will download.  Declared receivers are accounted for one by one; chunks are held for all of
 * them, started or not. */
typedef struct larder_receivers {
    const int
        *ranks; /**< ranks of the session's communicator, read during the call; NULL: see count */
    int count;  /**< entries of ranks; ranks NULL: one of the values below */
} larder_receivers;

#ifdef __cplusplus
#define LARDER_RECEIVERS(count) (larder_receivers{0, (count)})
#else
#define LARDER_RECEIVERS(count) ((larder_receivers){0, (count)})
#endif

/** Every rank of the session but the owner, which has the data anyway. */
#define LARDER_ALL LARDER_RECEIVERS (0)

/** Every rank of the session; the owner downloads its own object like the others. */
#define LARDER_EVERY_RANK LARDER_RECEIVERS (-1)

/** So many ranks, whichever come first: each place is taken by the first rank that begins a download
 * and has none; a rank that comes when all are taken is served but not accounted for. */
#define LARDER_COUNT(n) LARDER_RECEIVERS (n)

/** Nobody knows.  Who comes is served and recorded; the transaction ends only by its timeout or by
 * larder_transaction_delete. */
#define LARDER_UNKNOWN LARDER_RECEIVERS (-2)

#ifdef __cplusplus
}
#endif
#endif
