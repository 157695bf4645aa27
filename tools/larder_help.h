/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of --help and --version. */
#ifndef LARDER_HELP_H
#define LARDER_HELP_H

#include "larder_args.h"

/* The help on a topic ("stage", "bench", "info", "": larder itself); static, no line wider than 100. */
const char *larder_help_text (const char *topic);

/* Print what args asks for to stdout.  Returns 0, or -1 when stdout took it not. */
int larder_help_print (const struct larder_args *args);

#endif
