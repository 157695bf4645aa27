/* SPDX-License-Identifier: Apache-2.0 */
/* What is wanted of a file, by address of its groups; see larder_h5tree.h. */
#define _GNU_SOURCE
#include "larder_h5error.h"
#include "larder_h5tree.h"

#include <stdlib.h>
#include <string.h>

struct want {
    haddr_t address;
    int all;
    struct larder_h5want_link *link;
    size_t links, room;
};

struct larder_h5wants {
    struct want *want;
    size_t wants, room;
    struct larder_h5map numbers;
};

static struct want *want_at (struct larder_h5wants *wants, haddr_t address)
{
    uint32_t number = larder_h5map_find (&wants->numbers, address);
    if (number != LARDER_H5MAP_NONE)
        return &wants->want[number];
    struct want *grown = larder_h5grow (wants->want, wants->wants, &wants->room, sizeof *grown);
    if (grown == NULL)
        return NULL;
    wants->want = grown;
    if (wants->wants >= LARDER_H5MAP_NONE ||
        larder_h5map_set (&wants->numbers, address, (uint32_t)wants->wants) != 0)
        return NULL;
    struct want *want = &grown[wants->wants++];
    memset (want, 0, sizeof *want);
    want->address = address;
    return want;
}

static int want_link (struct larder_h5wants *wants, haddr_t group, const char *name, haddr_t follow)
{
    struct want *want = want_at (wants, group);
    if (want == NULL)
        return -1;
    for (size_t i = 0; i < want->links; ++i)
        if (strcmp (want->link[i].name, name) == 0)
            return 0;
    struct larder_h5want_link *grown =
        larder_h5grow (want->link, want->links, &want->room, sizeof *grown);
    char *copy = strdup (name);
    want->link = grown ? grown : want->link;
    if (grown == NULL || copy == NULL) {
        free (copy);
        return -1;
    }
    grown[want->links++] = (struct larder_h5want_link){copy, follow};
    return 0;
}

static int out_of_memory (larder_error *err)
{
    return larder_error_set (err, LARDER_ENOMEM, 0, "selection: out of memory");
}

/* ------------------------------------------------------------------ paths */

/* One step of a path: from *at, a group, to what name in it leads to. */
static int step (struct larder_h5wants *wants, hid_t file, hid_t *at, const char *name,
                 const char *path, larder_error *err)
{
    H5O_info_t here, there, root;
    H5L_info_t link;
    if (H5Iget_type (*at) != H5I_GROUP || H5Lget_info (*at, name, &link, H5P_DEFAULT) < 0)
        return larder_error_set (err, LARDER_ENOENT, 0, "no dataset or group %s in the file", path);
    hid_t next = H5Oopen (*at, name, H5P_DEFAULT);
    if (next < 0)
        return larder_error_set (err, LARDER_ENOENT, 0, "%s leads nowhere at link %s", path, name);
    if (H5Oget_info2 (*at, &here, H5O_INFO_BASIC) < 0 ||
        H5Oget_info2 (next, &there, H5O_INFO_BASIC) < 0 ||
        H5Oget_info2 (file, &root, H5O_INFO_BASIC) < 0) {
        int code = larder_h5error (err, LARDER_EHDF5, "%s", path);
        (void)H5Oclose (next);
        return code;
    }
    (void)H5Oclose (*at);
    *at = next;
    if (there.fileno != root.fileno)
        return larder_error_set (err, LARDER_ENOTSUP, 0,
                                 "%s is in another file: external link %s leads out", path, name);
    haddr_t follow = link.type == H5L_TYPE_HARD ? HADDR_UNDEF : there.addr;
    return want_link (wants, here.addr, name, follow) != 0 ? out_of_memory (err) : LARDER_OK;
}

int larder_h5wants_path (struct larder_h5wants **wants, hid_t file, const char *path,
                         larder_error *err)
{
    if (*wants == NULL)
        *wants = calloc (1, sizeof **wants);
    char *copy = strdup (path), *rest = copy, *name;
    int code = *wants && copy ? LARDER_OK : out_of_memory (err);
    hid_t at = code == LARDER_OK ? H5Oopen (file, "/", H5P_DEFAULT) : -1;
    if (code == LARDER_OK && at < 0)
        code = larder_h5error (err, LARDER_EHDF5, "the root group");
    while (code == LARDER_OK && (name = strsep (&rest, "/")) != NULL)
        if (*name && strcmp (name, ".") != 0)
            code = step (*wants, file, &at, name, path, err);
    H5O_info_t info;
    if (code == LARDER_OK && H5Oget_info2 (at, &info, H5O_INFO_BASIC) < 0)
        code = larder_h5error (err, LARDER_EHDF5, "%s", path);
    if (code == LARDER_OK) {
        struct want *want = want_at (*wants, info.addr);
        if (want)
            want->all = 1;
        else
            code = out_of_memory (err);
    }
    if (at >= 0)
        (void)H5Oclose (at);
    free (copy);
    return code;
}

int larder_h5wants_object (struct larder_h5wants *wants, const struct larder_h5tree *whole,
                           uint32_t object)
{
    for (uint32_t link = whole->object[object].link; link != LARDER_H5MAP_NONE;) {
        const struct larder_h5link *l = &whole->link[link];
        if (want_link (wants, whole->object[l->parent].address, l->name, HADDR_UNDEF) != 0)
            return -1;
        link = whole->object[l->parent].link;
    }
    struct want *want = want_at (wants, whole->object[object].address);
    if (want)
        want->all = 1;
    return want ? 0 : -1;
}

/* ------------------------------------------------------------------ spreading */

struct spreading {
    struct larder_h5wants *wants;
    haddr_t *queue;
    size_t count, room;
};

static herr_t spread_to (hid_t group, const char *name, const H5L_info_t *info, void *data)
{
    struct spreading *s = data;
    (void)group;
    (void)name;
    if (info->type != H5L_TYPE_HARD)
        return 0;
    struct want *want = want_at (s->wants, info->u.address);
    haddr_t *grown = larder_h5grow (s->queue, s->count, &s->room, sizeof *grown);
    s->queue = grown ? grown : s->queue;
    if (want == NULL || grown == NULL)
        return -1;
    if (!want->all) {
        want->all = 1;
        s->queue[s->count++] = info->u.address;
    }
    return 0;
}

int larder_h5wants_spread (struct larder_h5wants *wants, hid_t file, larder_error *err)
{
    struct spreading s = {wants, NULL, 0, 0};
    int code = LARDER_OK;
    for (size_t i = 0; i < wants->wants && code == LARDER_OK; ++i) {
        haddr_t *grown = larder_h5grow (s.queue, s.count, &s.room, sizeof *grown);
        if (grown == NULL)
            code = out_of_memory (err);
        else
            s.queue = grown;
        if (grown && wants->want[i].all)
            s.queue[s.count++] = wants->want[i].address;
    }
    for (size_t i = 0; i < s.count && code == LARDER_OK; ++i) {
        hid_t object = H5Oopen_by_addr (file, s.queue[i]);
        if (object < 0 ||
            (H5Iget_type (object) == H5I_GROUP &&
             H5Literate (object, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, spread_to, &s) < 0))
            code = larder_h5error (err, LARDER_EHDF5, "selection: a group cannot be read");
        if (object >= 0)
            (void)H5Oclose (object);
    }
    free (s.queue);
    return code;
}

const struct larder_h5want_link *larder_h5wants_links (const struct larder_h5wants *wants,
                                                       haddr_t group, size_t *count)
{
    static const struct larder_h5want_link none[1];
    uint32_t number = larder_h5map_find (&wants->numbers, group);
    if (number == LARDER_H5MAP_NONE)
        return none;
    const struct want *want = &wants->want[number];
    if (want->all)
        return NULL;
    *count = want->links;
    return want->links ? want->link : none;
}

int larder_h5wants_all (const struct larder_h5wants *wants, haddr_t object)
{
    uint32_t number = larder_h5map_find (&wants->numbers, object);
    return number != LARDER_H5MAP_NONE && wants->want[number].all;
}

void larder_h5wants_free (struct larder_h5wants **wants)
{
    if (*wants == NULL)
        return;
    for (size_t i = 0; i < (*wants)->wants; ++i) {
        for (size_t k = 0; k < (*wants)->want[i].links; ++k)
            free ((*wants)->want[i].link[k].name);
        free ((*wants)->want[i].link);
    }
    free ((*wants)->want);
    larder_h5map_free (&(*wants)->numbers);
    free (*wants);
    *wants = NULL;
}
