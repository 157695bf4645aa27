/* SPDX-License-Identifier: Apache-2.0 */
/* Private to larder_file_sink.c and larder_h5sink.c: the file without a name, or with a temporary one, that becomes the
 * destination when it is whole.
 *
 * Where the file system can, it has no name at all (O_TMPFILE) and vanishes with its writer.
 * Else its name is ".<destination>.larder-<6 random>", and its writer holds a flock on it: one whose
 * flock can be had was left behind by a writer that is gone. */
#ifndef LARDER_FILE_TEMP_H
#define LARDER_FILE_TEMP_H

#include <larder/error.h>

struct larder_file_temp {
    int fd;           /* for writing; -1: closed */
    int directory;    /* of the destination */
    const char *path; /* the destination as it was given; borrowed */
    const char *base; /* its last component, inside path */
    char prefix[256]; /* what temporary names for this destination begin with */
    char name[256];   /* the temporary name; "" while there is none */
    int replace;
};

/* Open one, after removing stale ones for the same destination.  Refuses a destination that exists
 * (replace: that is no regular file) and one without a directory.  On failure nothing is left.
 * path is borrowed until _close. */
int larder_file_temp_open (struct larder_file_temp *temp, const char *path, int replace,
                           larder_error *err);

/* The same, always with a temporary name: for a library that opens it by its path. */
int larder_file_temp_open_named (struct larder_file_temp *temp, const char *path, int replace,
                                 larder_error *err);

/* Give it the destination's name in one step, and flush the directory. */
int larder_file_temp_place (struct larder_file_temp *temp, larder_error *err);

/* Close, and remove what still has a temporary name.  May be called again. */
void larder_file_temp_close (struct larder_file_temp *temp);

#endif
