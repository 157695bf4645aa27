/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_landing.h"
#include <string.h>

static int landing_consume (void *self, const larder_view *view, larder_error *err)
{
    struct larder_landing *landing = self;
    return landing->inner.consume_items (landing->inner.self, view, err);
}

static int landing_completed (void *self, larder_error *err)
{
    struct larder_landing *landing = self;
    (void)err;
    landing->whole = 1;
    return LARDER_OK;
}

static void landing_failed (void *self, const larder_error *why)
{
    larder_landing_drop (self, why);
}

larder_consumer larder_landing_consumer (struct larder_landing *landing,
                                         const larder_consumer *inner)
{
    memset (landing, 0, sizeof *landing);
    landing->inner = *inner;
    return (larder_consumer){.self = landing,
                             .consume_items = landing_consume,
                             .download_completed = landing_completed,
                             .download_failed = landing_failed};
}

int larder_landing_commit (struct larder_landing *landing, larder_error *err)
{
    if (!landing->whole || landing->ended)
        return larder_error_set (err, LARDER_EINVAL, 0, "the copy is not whole");
    landing->ended = 1;
    int rc = LARDER_OK;
    if (landing->inner.download_completed)
        rc = landing->inner.download_completed (landing->inner.self, err);
    landing->committed = rc == LARDER_OK;
    return rc;
}

void larder_landing_drop (struct larder_landing *landing, const larder_error *why)
{
    if (landing->ended || !landing->inner.consume_items)
        return;
    landing->ended = 1;
    if (landing->inner.download_failed)
        landing->inner.download_failed (landing->inner.self, why);
}
