/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_h5error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void larder_h5error_quiet (struct larder_h5quiet *quiet)
{
    if (H5Eget_auto2 (H5E_DEFAULT, &quiet->print, &quiet->data) < 0) {
        quiet->print = NULL;
        quiet->data = NULL;
    }
    (void)H5Eset_auto2 (H5E_DEFAULT, NULL, NULL);
}

void larder_h5error_loud (const struct larder_h5quiet *quiet)
{
    (void)H5Eset_auto2 (H5E_DEFAULT, quiet->print, quiet->data);
}

/* The most specific line, and the errno it names. */
struct deepest {
    char text[256];
    int number;
    int memory;
};

static herr_t deepest_take (unsigned n, const H5E_error2_t *entry, void *data)
{
    struct deepest *d = data;
    (void)n;
    if (entry->desc && entry->desc[0])
        snprintf (d->text, sizeof d->text, "%s", entry->desc);
    const char *number = entry->desc ? strstr (entry->desc, "errno = ") : NULL;
    if (number)
        d->number = (int)strtol (number + strlen ("errno = "), NULL, 10);
    if (entry->maj_num == H5E_RESOURCE && entry->min_num == H5E_NOSPACE)
        d->memory = 1;
    return 0;
}

static int code_of (const struct deepest *d)
{
    switch (d->number) {
    case 0:
        return d->memory ? LARDER_ENOMEM : LARDER_EHDF5;
    case ENOSPC:
    case EDQUOT:
        return LARDER_ENOSPC;
    case ENOENT:
        return LARDER_ENOENT;
    case EEXIST:
        return LARDER_EEXIST;
    default:
        return LARDER_EIO;
    }
}

int larder_h5error (larder_error *err, int code, const char *format, ...)
{
    struct deepest d;
    memset (&d, 0, sizeof d);
    /* Downward ends at the innermost entry, so the last one wins. */
    (void)H5Ewalk2 (H5E_DEFAULT, H5E_WALK_DOWNWARD, deepest_take, &d);

    char text[LARDER_ERROR_TEXT];
    va_list args;
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    for (char *c = d.text; *c; ++c)
        if (*c == '\n' || *c == '\t')
            *c = ' ';
    if (code == LARDER_EHDF5)
        code = code_of (&d);
    return larder_error_set (err, code, d.number, d.text[0] ? "%s: %s" : "%s", text, d.text);
}
