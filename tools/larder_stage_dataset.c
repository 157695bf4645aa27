/* SPDX-License-Identifier: Apache-2.0 */
/* Staging datasets: they and what hangs on them, into a new HDF5 file. */
#include "larder_stage.h"
#include "larder_verify.h"

void larder_stage_prepare_hdf5 (void)
{
    (void)H5dont_atexit (); /* both fail only where HDF5 is in use already */
    (void)H5open ();
}

static int dataset_open_source (struct larder_stage *stage, larder_object *object,
                                larder_error *err)
{
    const struct larder_args *args = stage->args;
    larder_h5_selection selection = {.paths = args->datasets,
                                     .count = args->dataset_count,
                                     .with_targets = args->with_targets,
                                     .slab_size = 0};
    return larder_h5_selection_object (args->src, &selection, object, err);
}

static int dataset_open_sink (struct larder_stage *stage, larder_consumer *consumer,
                              larder_error *err)
{
    int rc =
        larder_h5_sink_open (stage->writers.place.path, stage->args->force, &stage->h5_sink, err);
    if (rc == LARDER_OK)
        *consumer = larder_h5_consumer (stage->h5_sink);
    return rc;
}

static void dataset_close_sink (struct larder_stage *stage)
{
    larder_h5_sink_close (&stage->h5_sink);
}

/* The items that a copy would be sent as: two copies made from one recipe have equal ones. */
static int copy_digest (const char *path, struct larder_digest *digest, larder_error *err)
{
    larder_h5_selection all = {.paths = NULL, .count = 0, .with_targets = 0, .slab_size = 0};
    larder_object object;
    int rc = larder_h5_selection_object (path, &all, &object, err);
    if (rc != LARDER_OK)
        return rc;
    rc = larder_verify_object (&object, digest, err);
    if (object.ops->release)
        object.ops->release (object.self);
    return rc;
}

/* Rank 0 sees the source and a copy, and compares them item by item with HDF5.  The other copies
 * stand where the source may not be seen; they must hold what rank 0's copy holds. */
static int dataset_verify (struct larder_stage *stage, larder_error *err)
{
    const struct larder_args *args = stage->args;
    const char *path = stage->writers.place.path;
    struct larder_digest digest = {0, 0, 0};
    int differs = 0, rc = LARDER_OK;
    if (stage->team->rank == 0) {
        larder_error why = {0};
        rc = larder_h5_compare (args->src, path, args->datasets, args->dataset_count, &differs,
                                &why);
        if (rc != LARDER_OK)
            *err = why;
        else if (differs)
            rc = larder_error_set (err, LARDER_ECHECKSUM, 0, "%s: differs from the source: %s",
                                   path, why.text);
    }
    if (rc == LARDER_OK && stage->writers.writes && stage->writers.count > 1)
        rc = copy_digest (path, &digest, err);
    rc = larder_team_agree (stage->team, rc, err);
    if (rc != LARDER_OK || stage->writers.count == 1)
        return rc;
    rc = larder_verify_equal (stage->team, &digest, stage->writers.writes, path, err);
    return larder_team_agree (stage->team, rc, err);
}

const struct larder_stage_kind larder_stage_dataset = {.open_source = dataset_open_source,
                                                       .open_sink = dataset_open_sink,
                                                       .close_sink = dataset_close_sink,
                                                       .verify = dataset_verify};
