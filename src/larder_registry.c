/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_registry.h"
#include "larder_arrays.h"
#include "larder_config_text.h"
#include "larder_num.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAME_MAX_LENGTH = 31, ROOM_FIRST = 4 };

/* Handlers are handed out by pointer: each stands in memory of its own. */
struct entry {
    larder_handler
        handler; /* name: the text below; chunk_size: the environment's already looked at */
    char name[NAME_MAX_LENGTH + 1];
};

struct larder_registry {
    struct entry **entries;
    size_t count, room;
};

static int is_name (const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    size_t length = name ? strlen (name) : 0;

    return length >= 1 && length <= NAME_MAX_LENGTH && strspn (name, letters) == length;
}

/* LARDER_<NAME>_CHUNK_SIZE as a handler's chunk_size: 0 when it is not set, -1 when it is 0. */
static int chunk_size_set (const char *name, int64_t *chunk_size, larder_error *err)
{
    char variable[sizeof "LARDER__CHUNK_SIZE" + NAME_MAX_LENGTH];
    const char *text, *why = "";
    uint64_t size = 0;

    (void)snprintf (variable, sizeof variable, "LARDER_%s_CHUNK_SIZE", name);
    for (char *c = variable; *c; ++c) {
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    }
    *chunk_size = 0;
    text = getenv (variable);
    if (!text)
        return LARDER_OK;
    if (larder_config_text_size (text, &size, &why) != LARDER_OK)
        return larder_error_set (err, LARDER_ERANGE, 0, "%s='%.*s': %s", variable,
                                 LARDER_CONFIG_TEXT_SHOWN, text, why);
    if (size > INT64_MAX)
        return larder_error_set (err, LARDER_ERANGE, 0, "%s='%.*s': it does not fit 63 bits",
                                 variable, LARDER_CONFIG_TEXT_SHOWN, text);
    *chunk_size = size > 0 ? (int64_t)size : -1;
    return LARDER_OK;
}

int larder_registry_chunk_size (const larder_handler *handler, uint64_t *chunk_size, int *native,
                                larder_error *err)
{
    int64_t size = handler->chunk_size;

    if (handler == larder_arrays_handler ()) {
        int code = chunk_size_set (handler->name, &size, err);
        if (code != LARDER_OK)
            return code;
    }
    *chunk_size = size > 0 ? (uint64_t)size : 0;
    *native = size < 0;
    return LARDER_OK;
}

static int grow (larder_registry *registry)
{
    size_t room = registry->room ? 2 * registry->room : ROOM_FIRST;
    struct entry **entries;

    if (registry->count < registry->room)
        return 0;
    entries = realloc (registry->entries, room * sizeof (struct entry *));
    if (!entries)
        return -1;
    registry->entries = entries;
    registry->room = room;
    return 0;
}

/* Whatever the handler's DOT. */
static int append (larder_registry *registry, const larder_handler *handler, larder_error *err)
{
    int64_t chunk_size = handler->chunk_size;
    struct entry *entry;

    if (chunk_size == 0) {
        int code = chunk_size_set (handler->name, &chunk_size, err);
        if (code != LARDER_OK)
            return code;
    }
    entry = grow (registry) == 0 ? calloc (1, sizeof *entry) : NULL;
    if (!entry)
        return larder_error_set (err, LARDER_ENOMEM, 0, "registry: no memory for handler '%s'",
                                 handler->name);
    entry->handler = *handler;
    entry->handler.chunk_size = chunk_size;
    memcpy (entry->name, handler->name, strlen (handler->name) + 1);
    entry->handler.name = entry->name;
    registry->entries[registry->count++] = entry;
    return LARDER_OK;
}

int larder_registry_new (larder_registry **registry, larder_error *err)
{
    larder_registry *r;
    int code;

    if (!registry)
        return larder_error_set (err, LARDER_EINVAL, 0, "larder_registry_new: NULL argument");
    r = calloc (1, sizeof *r);
    if (!r)
        return larder_error_set (err, LARDER_ENOMEM, 0, "registry: no memory");
    code = append (r, larder_arrays_handler (), err);
    if (code != LARDER_OK) {
        larder_registry_free (&r);
        return code;
    }
    *registry = r;
    return LARDER_OK;
}

void larder_registry_free (larder_registry **registry)
{
    if (!registry || !*registry)
        return;
    for (size_t i = 0; i < (*registry)->count; ++i)
        free ((*registry)->entries[i]);
    free ((*registry)->entries);
    free (*registry);
    *registry = NULL;
}

/* NULL, or what is wrong with it by itself. */
static const char *fault_of (const larder_handler *h)
{
    /* Those below LARDER_DOT_USER are for larder's own, hdf5io's among them. */
    if (h->dot < 1 || h->dot > LARDER_DOT_MAX)
        return "its DOT is out of bounds";
    if (!h->describe)
        return "it has no describe";
    if (h->make_object && !(h->receive && h->finish && h->abandon))
        return "it has make_object, but not all of receive, finish and abandon";
    if (h->receive && !(h->finish && h->abandon))
        return "it has receive, but not both finish and abandon";
    if (!h->write_native != !h->read_native)
        return "it has one of write_native and read_native, but not the other";
    return NULL;
}

int larder_registry_add (larder_registry *registry, const larder_handler *handler,
                         larder_error *err)
{
    const char *fault;

    if (!registry || !handler)
        return larder_error_set (err, LARDER_EINVAL, 0, "larder_registry_add: NULL argument");
    if (!is_name (handler->name))
        return larder_error_set (
            err, LARDER_EINVAL, 0,
            "registry: the handler of DOT %d has no name of 1 to %d letters, digits and '_'",
            handler->dot, NAME_MAX_LENGTH);
    fault = fault_of (handler);
    if (fault)
        return larder_error_set (err, LARDER_EINVAL, 0, "registry: handler '%s' of DOT %d: %s",
                                 handler->name, handler->dot, fault);
    for (size_t i = 0; i < registry->count; ++i) {
        const larder_handler *other = &registry->entries[i]->handler;

        if (other->dot == handler->dot || strcasecmp (other->name, handler->name) == 0)
            return larder_error_set (
                err, LARDER_EEXIST, 0,
                "registry: handler '%s' of DOT %d: there is '%s' of DOT %d already", handler->name,
                handler->dot, other->name, other->dot);
    }
    return append (registry, handler, err);
}

const larder_handler *larder_registry_find (const larder_registry *registry, int dot)
{
    if (!registry)
        return dot == LARDER_DOT_ARRAY ? larder_arrays_handler () : NULL;
    for (size_t i = 0; i < registry->count; ++i) {
        if (registry->entries[i]->handler.dot == dot)
            return &registry->entries[i]->handler;
    }
    return NULL;
}

int larder_registry_need (const larder_registry *registry, int dot, const larder_handler **handler,
                          larder_error *err)
{
    const larder_handler *found = larder_registry_find (registry, dot);

    if (!found)
        return larder_error_set (err, LARDER_EHANDLER, 0,
                                 "there is no handler for values of DOT %d%s", dot,
                                 registry ? "" : " (no registry was given)");
    *handler = found;
    return LARDER_OK;
}
