/* SPDX-License-Identifier: Apache-2.0 */
/* The transfer itself: everybody looks out for signals meanwhile.
 *
 * Together: all ranks download the collective way, so that nodes pass chunks on and rank 0's link carries each byte once.
 * Else the writers download by themselves, and rank 0 serves: nodes without a writer take no part. */
#ifndef LARDER_TRANSFER_H
#define LARDER_TRANSFER_H

#include "larder_bar.h"
#include "larder_team.h"
#include "larder_watch.h"
#include <larder/collective.h>
#include <larder/download.h>
#include <larder/offer.h>

/* Set team, ref, timeout_s, together and start on all ranks; name, bar.mode and watch on rank 0. */
struct larder_transfer {
    struct larder_team *team;
    larder_ref ref;
    double timeout_s; /* without progress anywhere, after which rank 0 gives up */
    int together;
    double start; /* MPI_Wtime */
    const char *name;
    struct larder_bar bar;
    struct larder_watch *watch;
    larder_offer_status status; /* rank 0: as last seen */
    double moved_at;            /* rank 0: when something moved last */
    uint64_t moved;             /* rank 0: a sum that changes when something moves */
    int withdrawn;              /* rank 0: the offer was taken back */
    int stalled;                /* rank 0: because nothing moved */
    /* Together. */
    const larder_consumer *consumer; /* NULL: this rank does not write */
    larder_error failure;            /* of this rank's consumer */
    double looked_at;                /* at signals and the bar, last */
};

/* Run it.  Collective.  consumer NULL: this rank does not write.  Comes back when all ranks are
 * through; a failure anywhere ends it everywhere.
 * Returns this rank's own result, for larder_team_agree; another rank's failure shows as a code
 * that larder_team_follows. */
int larder_transfer_run (struct larder_transfer *transfer, const larder_consumer *consumer,
                         larder_error *err);

#endif
