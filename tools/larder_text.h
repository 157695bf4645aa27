/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes, rates and times as people read them.  Pure. */
#ifndef LARDER_TEXT_H
#define LARDER_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Room that any of these texts needs. */
#define LARDER_TEXT_ROOM 32

/* "31.9 MiB", "1 byte", "512 bytes", "4 KiB".  Returns text. */
const char *larder_text_size (uint64_t bytes, char text[LARDER_TEXT_ROOM]);

/* "152 MiB/s"; "-" when seconds is not positive.  Returns text. */
const char *larder_text_rate (uint64_t bytes, double seconds, char text[LARDER_TEXT_ROOM]);

/* "0:07", "12:30", "3:05:00"; "-:--" for a negative or endless time.  Returns text. */
const char *larder_text_clock (double seconds, char text[LARDER_TEXT_ROOM]);

/* The last part of a path, borrowed: "b" of "a/b".  */
const char *larder_text_basename (const char *path);

#endif
