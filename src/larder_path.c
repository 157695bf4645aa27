/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_path.h"
#include "larder_num.h"
#include <larder/message.h>
#include <string.h>

enum { SHOWN = 120 };

int larder_path_shown (size_t length)
{
    return (int)larder_num_min_size (length, SHOWN);
}

int larder_path_name (const char *name, size_t length, larder_error *err)
{
    if (!name || length == 0)
        return larder_error_set (err, LARDER_EINVAL, 0, "message: a name of no bytes");
    if (length > LARDER_NAME_MAX)
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "message: \"%.*s...\" is a name of %zu bytes, at most %d",
                                 larder_path_shown (length), name, length, LARDER_NAME_MAX);
    if (memchr (name, '/', length) || memchr (name, '\0', length))
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "message: \"%.*s\" is no name: it has a / or a zero byte in it",
                                 larder_path_shown (length), name);
    return LARDER_OK;
}

size_t larder_path_step (const char *path)
{
    return strcspn (path, "/");
}

const char *larder_path_rest (const char *path, size_t step)
{
    return path + step + (path[step] == '/');
}

int larder_path_check (const char *path, int *steps, larder_error *err)
{
    uint64_t count = 0;

    if (!path)
        return larder_error_set (err, LARDER_EINVAL, 0, "message: the path is NULL");
    if (*path)
        for (const char *at = path;; ++at) {
            size_t step = larder_path_step (at);
            if (step == 0 || step > LARDER_NAME_MAX)
                return larder_error_set (err, LARDER_EINVAL, 0,
                                         "message: \"%.*s\" is no path: a name of %zu bytes at %zu,"
                                         " they are 1 to %d",
                                         larder_path_shown (strlen (path)), path, step,
                                         (size_t)(at - path), LARDER_NAME_MAX);
            ++count;
            at += step;
            if (!*at)
                break;
        }
    if (larder_num_to_int (count, steps))
        return larder_error_set (err, LARDER_EINVAL, 0, "message: a path of too many names");
    return LARDER_OK;
}

int larder_path_index (const char *name, size_t length, uint64_t *index)
{
    uint64_t n = 0;

    if (length == 0 || (name[0] == '0' && length > 1))
        return 0;
    for (size_t i = 0; i < length; ++i) {
        if (name[i] < '0' || name[i] > '9')
            return 0;
        if (larder_num_mul (n, 10, &n) || larder_num_add (n, (uint64_t)(name[i] - '0'), &n))
            n = UINT64_MAX;
    }
    *index = n;
    return 1;
}

int larder_path_inside (const char *a, const char *b)
{
    size_t length = strlen (a);
    return length == 0 || (strncmp (a, b, length) == 0 && (b[length] == '\0' || b[length] == '/'));
}
