/* SPDX-License-Identifier: Apache-2.0 */
/* larder stage: one source, a copy on every node. */
#ifndef LARDER_STAGE_H
#define LARDER_STAGE_H

#include "larder_args.h"
#include "larder_landing.h"
#include "larder_report.h"
#include "larder_team.h"
#include "larder_transfer.h"
#include "larder_watch.h"
#include "larder_writers.h"
#include <larder/file.h>
#include <larder/hdf5.h>

struct larder_stage_kind;

/* One run of the command. */
struct larder_stage {
    const struct larder_args *args;
    const struct larder_stage_kind *kind;
    struct larder_team *team;
    struct larder_place_source source;
    struct larder_writers writers;
    struct larder_watch watch; /* rank 0: the object */
    larder_object object;      /* rank 0: what is offered; ops NULL: not opened */
    larder_ref ref;
    larder_file_sink *file_sink; /* of a writer, one of these two */
    larder_h5_sink *h5_sink;
    struct larder_landing landing;
    struct larder_transfer transfer;
    struct larder_report report; /* filled on rank 0 */
    uint64_t page_size;          /* of a file */
    double timeout_s;
    double seconds;    /* this rank's: from the common start to its file's name */
    int failed_itself; /* 1: this rank did not get its copy, and nobody else is why */
};

/* What differs between copying a file and copying datasets. */
struct larder_stage_kind {
    /* Rank 0: open the source as an object. */
    int (*open_source) (struct larder_stage *stage, larder_object *object, larder_error *err);
    /* Writers: open the destination and give its consumer. */
    int (*open_sink) (struct larder_stage *stage, larder_consumer *consumer, larder_error *err);
    void (*close_sink) (struct larder_stage *stage);
    /* All ranks: compare every copy with the source.  The same result on all. */
    int (*verify) (struct larder_stage *stage, larder_error *err);
};

extern const struct larder_stage_kind larder_stage_file;
extern const struct larder_stage_kind larder_stage_dataset;

/* To be called before MPI_Init when datasets will be staged.  After a failed close (a full disk) HDF5
 * cannot take itself down without crashing; started this early, it does not try to when MPI or the
 * process ends.  All files are closed explicitly anyway. */
void larder_stage_prepare_hdf5 (void);

/* Run the command.  Collective; returns the same exit code on all ranks; rank 0 has printed. */
int larder_stage_run (const struct larder_args *args, struct larder_team *team);

#endif
