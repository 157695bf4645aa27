/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_file_error.h"
#include <errno.h>
#include <string.h>

static int code_of (int number)
{
    switch (number) {
    case ENOSPC:
    case EDQUOT:
        return LARDER_ENOSPC;
    case EEXIST:
        return LARDER_EEXIST;
    case ENOENT:
    case ENOTDIR: /* what should be a directory above it is none: the name does not exist */
        return LARDER_ENOENT;
    case ENOMEM:
        return LARDER_ENOMEM;
    default:
        return LARDER_EIO;
    }
}

int larder_file_error (larder_error *err, const char *verb, const char *path, int number)
{
    char buffer[128];
    const char *reason = strerror_r (number, buffer, sizeof buffer);
    int code = code_of (number);
    int room = LARDER_ERROR_TEXT - (int)(sizeof "cannot  : " + strlen (verb) + strlen (reason));
    size_t length = strlen (path);

    /* A long path must not push the reason out of the text: its end says more than its start. */
    if (room < 8 || length <= (size_t)room)
        return larder_error_set (err, code, number, "cannot %s %s: %s", verb, path, reason);
    return larder_error_set (err, code, number, "cannot %s ...%s: %s", verb,
                             path + length - (size_t)room + 3, reason);
}
