/* SPDX-License-Identifier: Apache-2.0 */
/* Staging a file: its bytes in pages, a byte-exact copy. */
#include "larder_stage.h"
#include "larder_verify.h"

static int file_open_source (struct larder_stage *stage, larder_object *object, larder_error *err)
{
    struct stat status;
    int rc = larder_file_object (stage->args->src, stage->page_size, object, &status, err);
    if (rc == LARDER_OK)
        larder_place_source_set (&stage->source, &status);
    return rc;
}

static int file_open_sink (struct larder_stage *stage, larder_consumer *consumer, larder_error *err)
{
    const struct larder_place_source *source = &stage->source;
    larder_file_options options = {
        .size = source->size,
        .mode = (mode_t)(source->mode & 07777),
        .mtime = {.tv_sec = (time_t)source->mtime_s, .tv_nsec = (long)source->mtime_ns},
        .page_size = stage->page_size,
        .replace = stage->args->force};
    int rc = larder_file_sink_open (stage->writers.place.path, &options, &stage->file_sink, err);
    if (rc == LARDER_OK)
        *consumer = larder_file_consumer (stage->file_sink);
    return rc;
}

static void file_close_sink (struct larder_stage *stage)
{
    larder_file_sink_close (&stage->file_sink);
}

/* Rank 0 reads the source once more, every writer its own copy. */
static int file_verify (struct larder_stage *stage, larder_error *err)
{
    struct larder_digest source = {0, 0, 0}, copy = {0, 0, 0};
    int writes = stage->writers.writes;
    int rc = LARDER_OK;
    if (stage->team->rank == 0)
        rc = larder_verify_file (stage->args->src, 0, &source, err);
    if (rc == LARDER_OK && writes)
        rc = larder_verify_file (stage->writers.place.path, 1, &copy, err);
    rc = larder_team_agree (stage->team, rc, err);
    if (rc != LARDER_OK)
        return rc;
    /* Rank 0's word is the source; its own copy is compared by itself. */
    struct larder_digest mine = stage->team->rank == 0 ? source : copy;
    rc = larder_verify_equal (stage->team, &mine, writes, stage->writers.place.path, err);
    if (rc == LARDER_OK && writes && stage->team->rank == 0 &&
        (copy.low != source.low || copy.high != source.high || copy.size != source.size))
        rc = larder_error_set (err, LARDER_ECHECKSUM, 0,
                               "%s: was read back with another checksum than the source's",
                               stage->writers.place.path);
    return larder_team_agree (stage->team, rc, err);
}

const struct larder_stage_kind larder_stage_file = {.open_source = file_open_source,
                                                    .open_sink = file_open_sink,
                                                    .close_sink = file_close_sink,
                                                    .verify = file_verify};
