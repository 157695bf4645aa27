/* SPDX-License-Identifier: Apache-2.0 */
/* JSON texts, written member by member, and put into a file in one step. */
#ifndef LARDER_JSON_H
#define LARDER_JSON_H

#include <larder/error.h>
#include <stddef.h>
#include <stdint.h>

/* A text that grows; zero-initialise.  After a failed allocation everything is ignored and
 * larder_json_result returns NULL, so that only the end needs a check. */
struct larder_json {
    char *text;
    size_t length, room;
    int depth;     /* objects and arrays that are open */
    int follows;   /* a value stands before the next one: a comma is due */
    int exhausted; /* an allocation failed */
};

/* Values.  name is the member's name, NULL inside an array and for the outermost value. */
void larder_json_object (struct larder_json *json, const char *name);
void larder_json_array (struct larder_json *json, const char *name);
void larder_json_end_object (struct larder_json *json);
void larder_json_end_array (struct larder_json *json);
void larder_json_string (struct larder_json *json, const char *name, const char *value);
void larder_json_number (struct larder_json *json, const char *name, uint64_t value);
void larder_json_integer (struct larder_json *json, const char *name, int64_t value);
void larder_json_real (struct larder_json *json, const char *name, double value);
void larder_json_bool (struct larder_json *json, const char *name, int value);

/* The text, with a newline at its end; NULL when memory ran out.  Borrowed until _free. */
const char *larder_json_result (struct larder_json *json);
void larder_json_free (struct larder_json *json);

/* Put the text into a file that appears whole or not at all (temporary file, fsync, rename);
 * path NULL or "-": stdout.  Returns LARDER_OK, LARDER_EIO, LARDER_ENOMEM. */
int larder_json_save (struct larder_json *json, const char *path, larder_error *err);

#endif
