/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_h5filter.h"

#include <stdlib.h>
#include <string.h>

/* HDF5 keeps the pointer to a name, so each that was ever in force stays. */
struct name {
    struct name *next;
    char text[];
};

/* HDF5's table of filters belongs to the process, so this one does too. */
struct stand_in {
    H5Z_filter_t id;
    struct name *names;
    unsigned long users;
    struct stand_in *next;
};

static struct stand_in *all;

static struct stand_in **find (H5Z_filter_t id)
{
    struct stand_in **at = &all;
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

/* Writing passes the bytes on, which only happens where HDF5 fills a new chunk that is overwritten
 * afterwards; reading fails. */
static size_t pass (unsigned flags, size_t parameters, const unsigned *parameter, size_t bytes,
                    size_t *size, void **buffer)
{
    (void)parameters;
    (void)parameter;
    (void)size;
    (void)buffer;
    return flags & H5Z_FLAG_REVERSE ? 0 : bytes;
}

int larder_h5filter_real (H5Z_filter_t id)
{
    return *find (id) == NULL && H5Zfilter_avail (id) > 0;
}

static const char *keep_name (struct stand_in *s, const char *text)
{
    struct name *n = s->names;
    while (n && strcmp (n->text, text) != 0)
        n = n->next;
    if (n)
        return n->text;
    n = malloc (sizeof *n + strlen (text) + 1);
    if (n == NULL)
        return NULL;
    strcpy (n->text, text);
    n->next = s->names;
    s->names = n;
    return n->text;
}

static void forget (struct stand_in **at)
{
    struct stand_in *s = *at;
    *at = s->next;
    while (s->names) {
        struct name *n = s->names;
        s->names = n->next;
        free (n);
    }
    free (s);
}

int larder_h5filter_need (H5Z_filter_t id, const char *name, int *used)
{
    struct stand_in **at = find (id);
    *used = 0;
    if (*at == NULL) {
        if (H5Zfilter_avail (id) > 0)
            return 0;
        struct stand_in *s = calloc (1, sizeof *s);
        if (s == NULL)
            return -1;
        s->id = id;
        s->next = all;
        all = s;
        at = &all;
    }
    H5Z_class2_t class = {H5Z_CLASS_T_VERS, id, 1, 1, keep_name (*at, name), NULL, NULL, pass};
    if (class.name == NULL || H5Zregister (&class) < 0) {
        if ((*at)->users == 0)
            forget (at);
        return -1;
    }
    ++(*at)->users;
    *used = 1;
    return 0;
}

void larder_h5filter_drop (H5Z_filter_t id)
{
    struct stand_in **at = find (id);
    /* HDF5 refuses while a dataset that uses it is open; then it stays for the next drop. */
    if (*at && (*at)->users > 0 && --(*at)->users == 0 && H5Zunregister (id) >= 0)
        forget (at);
}
