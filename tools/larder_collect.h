/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of all ranks, brought together in rank 0's report. */
#ifndef LARDER_COLLECT_H
#define LARDER_COLLECT_H

#include "larder_stage.h"

/* Fill the report.  Collective; figures that cannot be had stay 0. */
void larder_collect (struct larder_stage *stage);

/* Rank 0: can the JSON file be written where it is wanted?  Said early, because after the transfer
 * it is a pity. */
int larder_collect_check_json (const struct larder_args *args, larder_error *err);

/* 1: the JSON text goes to stdout, where nothing else may stand then. */
int larder_collect_stdout (const struct larder_args *args);

#endif
