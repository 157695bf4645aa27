/* SPDX-License-Identifier: Apache-2.0 */
/* Private to larder_file*.c and larder_h5sink.c: errno as a larder_code and a text. */
#ifndef LARDER_FILE_ERROR_H
#define LARDER_FILE_ERROR_H

#include <larder/error.h>

/* Fill err with "cannot <verb> <path>: <what errno number means>"; returns the code. */
int larder_file_error (larder_error *err, const char *verb, const char *path, int number);

#endif
