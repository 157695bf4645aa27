/* SPDX-License-Identifier: Apache-2.0 */
/* Reading numbers, sizes and durations as people write them.
 * Each returns LARDER_OK, LARDER_EINVAL or LARDER_ERANGE; on failure the value is unchanged and *why
 * is a static text that says what is wrong. */
#ifndef LARDER_CONFIG_TEXT_H
#define LARDER_CONFIG_TEXT_H

#include <larder/error.h>
#include <stdint.h>

/* How much of a user's text an error shows. */
enum { LARDER_CONFIG_TEXT_SHOWN = 80 };

int larder_config_text_number (const char *text, uint64_t *number, const char **why);
int larder_config_text_size (const char *text, uint64_t *size, const char **why);
int larder_config_text_duration (const char *text, double *seconds, const char **why);

#endif
