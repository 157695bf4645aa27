/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_place.h"
#include "larder_text.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int larder_place_has (const char *pattern, char mark)
{
    for (const char *p = strchr (pattern, '%'); p && p[1]; p = strchr (p + 2, '%'))
        if (p[1] == mark)
            return 1;
    return 0;
}

int larder_place_check (const char *pattern, larder_error *err)
{
    for (const char *p = strchr (pattern, '%'); p; p = strchr (p + 2, '%')) {
        if (!p[1])
            return larder_error_set (err, LARDER_EINVAL, 0,
                                     "DEST '%s' ends in a single %% (%%%% is a percent sign)",
                                     pattern);
        if (!strchr ("hrn%", p[1]))
            return larder_error_set (err, LARDER_EINVAL, 0,
                                     "DEST '%s' holds %%%c (%%h, %%r, %%n and %%%% are known)",
                                     pattern, p[1]);
    }
    return LARDER_OK;
}

int larder_place_expand (const char *pattern, const struct larder_place_names *names, char **path,
                         larder_error *err)
{
    int rc = larder_place_check (pattern, err);
    if (rc != LARDER_OK)
        return rc;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream (&text, &length);
    if (!out)
        return larder_error_set (err, LARDER_ENOMEM, errno, "%s: out of memory", pattern);
    int bad = 0;
    for (const char *p = pattern; *p && !bad; ++p) {
        if (*p != '%')
            bad = fputc (*p, out) == EOF;
        else if (*++p == 'h')
            bad = fputs (names->host, out) == EOF;
        else if (*p == '%')
            bad = fputc ('%', out) == EOF;
        else
            bad = fprintf (out, "%d", *p == 'r' ? names->rank : names->node) < 0;
    }
    if (fclose (out) != 0 || bad) {
        free (text);
        return larder_error_set (err, LARDER_ENOMEM, errno, "%s: out of memory", pattern);
    }
    *path = text;
    return LARDER_OK;
}

char *larder_place_directory (const char *path)
{
    const char *slash = strrchr (path, '/');
    if (!slash)
        return strdup (".");
    return strndup (path, slash == path ? 1 : (size_t)(slash - path));
}

void larder_place_source_set (struct larder_place_source *source, const struct stat *status)
{
    memset (source, 0, sizeof *source);
    source->size = (uint64_t)status->st_size;
    source->inode = (uint64_t)status->st_ino;
    source->mtime_s = (int64_t)status->st_mtim.tv_sec;
    source->mtime_ns = (int64_t)status->st_mtim.tv_nsec;
    source->mode = (uint32_t)status->st_mode;
}

void larder_place_free (struct larder_place *place)
{
    free (place->path);
    place->path = NULL;
}

/* The same name may mean another file on this host, so what is found under it must also look like
 * what rank 0 opened. */
static int is_source (const char *source_path, const struct larder_place_source *source,
                      const struct stat *there)
{
    struct stat here;
    if (stat (source_path, &here) != 0 || here.st_dev != there->st_dev ||
        here.st_ino != there->st_ino)
        return 0;
    return (uint64_t)here.st_ino == source->inode && (uint64_t)here.st_size == source->size &&
           (int64_t)here.st_mtim.tv_sec == source->mtime_s &&
           (int64_t)here.st_mtim.tv_nsec == source->mtime_ns;
}

/* DEST/NAME-OF-SRC.  Replaces *path. */
static int enter_directory (char **path, const char *source_path, larder_error *err)
{
    char *inside = NULL;
    size_t length = strlen (*path);
    const char *slash = (*path)[length - 1] == '/' ? "" : "/";
    if (asprintf (&inside, "%s%s%s", *path, slash, larder_text_basename (source_path)) < 0)
        return larder_error_set (err, LARDER_ENOMEM, 0, "%s: out of memory", *path);
    free (*path);
    *path = inside;
    return LARDER_OK;
}

/* Judge what stands at path. */
static int judge (const char *path, const char *source_path,
                  const struct larder_place_source *source, int force, int *existed,
                  larder_error *err)
{
    struct stat there;
    if (lstat (path, &there) != 0) {
        *existed = 0;
        if (errno == ENOENT)
            return LARDER_OK;
        return larder_error_set (err, LARDER_EIO, errno, "%s: %s", path, strerror (errno));
    }
    *existed = 1;
    int dangling = stat (path, &there) != 0;
    if (!dangling && is_source (source_path, source, &there))
        return larder_error_set (err, LARDER_EEXIST, 0, "%s: is the source itself (%s)", path,
                                 source_path);
    if (!dangling && S_ISDIR (there.st_mode))
        return larder_error_set (err, LARDER_EEXIST, 0, "%s: is a directory", path);
    if (!dangling && !S_ISREG (there.st_mode))
        return larder_error_set (err, LARDER_EEXIST, 0, "%s: is not a regular file", path);
    if (!force)
        return larder_error_set (err, LARDER_EEXIST, 0, "%s: exists already (--force replaces it)",
                                 path);
    return LARDER_OK;
}

int larder_place_find (const char *pattern, const struct larder_place_names *names,
                       const char *source_path, const struct larder_place_source *source, int force,
                       struct larder_place *place, larder_error *err)
{
    char *path = NULL;
    struct stat there;
    int existed = 0;
    int rc = larder_place_expand (pattern, names, &path, err);
    if (rc != LARDER_OK)
        return rc;
    if (stat (path, &there) == 0 && S_ISDIR (there.st_mode))
        rc = enter_directory (&path, source_path, err);
    else if (path[strlen (path) - 1] == '/')
        rc = larder_error_set (err, LARDER_ENOENT, ENOENT, "%s: no such directory", path);
    if (rc == LARDER_OK)
        rc = judge (path, source_path, source, force, &existed, err);
    if (rc != LARDER_OK) {
        free (path);
        return rc;
    }
    place->path = path;
    place->existed = existed;
    return LARDER_OK;
}
