/* SPDX-License-Identifier: Apache-2.0 */
/* larder info: what this cluster and this MPI are, for people and as JSON. */
#ifndef LARDER_INFO_H
#define LARDER_INFO_H

#include "larder_args.h"
#include "larder_mpienv.h"
#include "larder_team.h"

/* Collective; returns the same exit code on all ranks; rank 0 has printed. */
int larder_info_run (const struct larder_args *args, struct larder_team *team,
                     const struct larder_mpienv_choice *choice);

#endif
