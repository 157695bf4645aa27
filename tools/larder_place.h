/* SPDX-License-Identifier: Apache-2.0 */
/* Where a copy goes: DEST with its %-marks filled in, and what stands there already. */
#ifndef LARDER_PLACE_H
#define LARDER_PLACE_H

#include <larder/error.h>
#include <stdint.h>
#include <sys/stat.h>

/* What %h, %r and %n stand for. */
struct larder_place_names {
    const char *host;
    int rank;
    int node;
};

/* 1: the text holds this mark (a letter), %% apart. */
int larder_place_has (const char *pattern, char mark);

/* LARDER_OK when every % in the text is followed by h, r, n or %. */
int larder_place_check (const char *pattern, larder_error *err);

/* Fill in the marks.  *path is malloc'ed; unchanged on failure: LARDER_EINVAL, LARDER_ENOMEM. */
int larder_place_expand (const char *pattern, const struct larder_place_names *names, char **path,
                         larder_error *err);

/* The directory part of a path, malloc'ed: "a" of "a/b", "." of "b", "/" of "/b"; NULL when memory
 * ran out. */
char *larder_place_directory (const char *path);

/* The source as rank 0 sees it; plain data that is sent to the others. */
struct larder_place_source {
    uint64_t size;
    uint64_t inode;
    int64_t mtime_s;
    int64_t mtime_ns;
    uint32_t mode;
};

/* The file that will be written on this rank. */
struct larder_place {
    char *path;  /* malloc'ed */
    int existed; /* 1: a file stands there, to be replaced */
};

/* Find this rank's destination: expand, put the source's name behind a directory, and refuse what
 * must not be written to (SRC itself; an existing file unless force; what is no regular file).
 * place is unchanged on failure. */
int larder_place_find (const char *pattern, const struct larder_place_names *names,
                       const char *source_path, const struct larder_place_source *source, int force,
                       struct larder_place *place, larder_error *err);

void larder_place_free (struct larder_place *place);

/* Fill source from what stat said. */
void larder_place_source_set (struct larder_place_source *source, const struct stat *status);

#endif
