/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_probe.h"
#include "larder_place.h"
#include "larder_text.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

/* A directory of its own: it is never in a network file system's cache, and small to read even
 * where the destination's directory holds a million files. */
struct probe {
    char *directory; /* beside the path */
    char *mark;      /* this rank's file in it */
    uint64_t name;   /* of the path's last part */
};

static int probe_error (larder_error *err, const char *path, const char *what, int error)
{
    int code = error == ENOSPC ? LARDER_ENOSPC : error == ENOENT ? LARDER_ENOENT : LARDER_EIO;
    return larder_error_set (err, code, error, "%s: cannot %s: %s", path, what, strerror (error));
}

static int leave_mark (struct larder_team *team, const char *path, struct probe *probe,
                       larder_error *err)
{
    larder_session_info info;
    int rc = larder_session_get_info (team->session, &info);
    if (rc != LARDER_OK)
        return larder_error_set (err, rc, 0, "%s", larder_code_text (rc));
    const char *base = larder_text_basename (path);
    probe->name = XXH3_64bits (base, strlen (base));
    char *directory = larder_place_directory (path);
    int bad = !directory || asprintf (&probe->directory, "%s/.larder-probe-%016llx", directory,
                                      (unsigned long long)info.id) < 0;
    free (directory);
    if (bad || asprintf (&probe->mark, "%s/%d-%016llx", probe->directory, team->rank,
                         (unsigned long long)probe->name) < 0)
        return larder_error_set (err, LARDER_ENOMEM, 0, "%s: out of memory", path);
    if (mkdir (probe->directory, 0777) != 0 && errno != EEXIST)
        return probe_error (err, path, "write to its directory", errno);
    int fd = open (probe->mark, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return probe_error (err, path, "write to its directory", errno);
    (void)close (fd);
    return LARDER_OK;
}

static int read_marks (const struct probe *probe, const char *path, int *lowest, larder_error *err)
{
    DIR *dir = opendir (probe->directory);
    if (!dir)
        return probe_error (err, path, "read its directory", errno);
    errno = 0;
    for (struct dirent *entry = readdir (dir); entry; entry = readdir (dir)) {
        int rank;
        unsigned long long name;
        if (sscanf (entry->d_name, "%d-%llx", &rank, &name) == 2 && rank >= 0 &&
            name == probe->name && rank < *lowest)
            *lowest = rank;
        errno = 0;
    }
    int error = errno;
    (void)closedir (dir);
    return error ? probe_error (err, path, "read its directory", error) : LARDER_OK;
}

int larder_probe_lowest (struct larder_team *team, const char *path, int *lowest, larder_error *err)
{
    struct probe probe = {NULL, NULL, 0};
    *lowest = team->rank;
    int rc = path ? leave_mark (team, path, &probe, err) : LARDER_OK;
    rc = larder_team_agree (team, rc, err); /* all marks stand */
    int looked = rc == LARDER_OK;
    if (looked && path)
        rc = read_marks (&probe, path, lowest, err);
    if (looked)
        rc = larder_team_agree (team, rc, err); /* all have looked */
    if (probe.mark)
        (void)unlink (probe.mark);
    larder_error ignored = {0};
    (void)larder_team_meet (team, -1,
                            &ignored); /* all marks are gone: the last one takes the rest */
    if (probe.directory)
        (void)rmdir (probe.directory);
    free (probe.mark);
    free (probe.directory);
    return rc;
}
