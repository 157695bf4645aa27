/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_config.h"
#include "larder_config_text.h"
#include "larder_num.h"
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define KIB UINT64_C (1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* LIMIT is a size that may be 0; larder_config has it as -1. */
enum kind { SIZE, LIMIT, NUMBER, COUNT, SECONDS };

/* One line per setting that is a number; a member of larder_config that is not here cannot be set
 * by text. */
struct setting {
    const char *name;
    enum kind kind;
    size_t offset;     /* in larder_config, where 0 is "not set" */
    uint64_t min, max; /* SECONDS: not used, see check_bounds */
    uint64_t fallback;
};
#define AT(member) offsetof (larder_config, member)
static const struct setting settings[] = {
    {"chunk_size", SIZE, AT (chunk_size), 4 * KIB, GIB, 256 * KIB},
    {"cache_size", SIZE, AT (cache_size), 16 * KIB, UINT64_MAX, 64 * MIB},
    {"piece_size", SIZE, AT (piece_size), KIB, GIB, 60 * KIB},
    {"collective_size", SIZE, AT (collective_size), 64 * KIB, UINT64_MAX, 8 * MIB},
    {"gets_in_flight", COUNT, AT (gets_in_flight), 1, 64, 2},
    {"max_objects", COUNT, AT (max_objects), 1, 4096, 64},
    {"max_transactions", COUNT, AT (max_transactions), 1, 4096, 64},
    {"max_lines", COUNT, AT (max_lines), 1, 64, 8},
    {"timeout", SECONDS, AT (timeout_s), 0, 0, 300},
    {"hold_timeout", SECONDS, AT (hold_timeout_s), 0, 0, 60},
    {"min_download_timeout", SECONDS, AT (min_download_timeout_s), 0, 0, 0},
    {"acquire_timeout", SECONDS, AT (acquire_timeout_s), 0, 0, 0},
    {"idle_timeout", SECONDS, AT (idle_timeout_s), 0, 0, 0},
    {"inline_max", LIMIT, AT (inline_max), 0, GIB, 4 * KIB},
    {"fault_every", NUMBER, AT (fault_every), 0, UINT64_MAX, 0},
    {"fault_seed", NUMBER, AT (fault_seed), 0, UINT64_MAX, 0},
};
enum { CHUNK_SIZE = 0, CACHE_SIZE = 1, SETTINGS = sizeof settings / sizeof settings[0] };

/* A setting's value before it is stored; `number` unless the kind is SECONDS. */
struct value {
    uint64_t number;
    double seconds;
};

enum { ORIGIN_TEXT = 160, SHOWN = LARDER_CONFIG_TEXT_SHOWN };

/* -- one setting ---------------------------------------------------------------------------- */

static int read_value (const struct setting *s, const char *text, struct value *value,
                       const char **why)
{
    switch (s->kind) {
    case SIZE:
    case LIMIT:
        return larder_config_text_size (text, &value->number, why);
    case SECONDS:
        return larder_config_text_duration (text, &value->seconds, why);
    case NUMBER:
    case COUNT:
        break;
    }
    return larder_config_text_number (text, &value->number, why);
}

static int check_bounds (const struct setting *s, const struct value *value, const char *origin,
                         larder_error *err)
{
    if (s->kind == SECONDS) {
        if (isfinite (value->seconds) && value->seconds > 0)
            return LARDER_OK;
        return larder_error_set (err, LARDER_ERANGE, 0, "%s: %s must be a finite time above 0",
                                 origin, s->name);
    }
    if (value->number >= s->min && value->number <= s->max)
        return LARDER_OK;
    if (s->max == UINT64_MAX)
        return larder_error_set (err, LARDER_ERANGE, 0, "%s: %s must be at least %" PRIu64, origin,
                                 s->name, s->min);
    return larder_error_set (err, LARDER_ERANGE, 0, "%s: %s must be %" PRIu64 " .. %" PRIu64,
                             origin, s->name, s->min, s->max);
}

static void store (larder_config *config, const struct setting *s, const struct value *value)
{
    char *member = (char *)config + s->offset;
    int count = (int)larder_num_min (value->number, INT_MAX);
    int64_t limit = value->number ? (int64_t)value->number : -1;

    switch (s->kind) {
    case LIMIT:
        memcpy (member, &limit, sizeof limit);
        break;
    case SIZE:
    case NUMBER:
        memcpy (member, &value->number, sizeof value->number);
        break;
    case COUNT:
        memcpy (member, &count, sizeof count);
        break;
    case SECONDS:
        memcpy (member, &value->seconds, sizeof value->seconds);
        break;
    }
}

static int apply_text (larder_config *config, const struct setting *s, const char *text,
                       const char *origin, larder_error *err)
{
    struct value value = {0, 0};
    const char *why = "";
    int code = read_value (s, text, &value, &why);

    if (code != LARDER_OK)
        return larder_error_set (err, code, 0, "%s: %s", origin, why);
    code = check_bounds (s, &value, origin, err);
    if (code == LARDER_OK)
        store (config, s, &value);
    return code;
}

int larder_config_set (larder_config *config, const char *name, const char *value,
                       larder_error *err)
{
    char origin[ORIGIN_TEXT];

    if (!config || !name || !value)
        return larder_error_set (err, LARDER_EINVAL, 0, "larder_config_set: NULL argument");
    for (unsigned i = 0; i < SETTINGS; ++i) {
        if (strcasecmp (settings[i].name, name) != 0)
            continue;
        (void)snprintf (origin, sizeof origin, "setting %s=%.*s", settings[i].name, SHOWN, value);
        return apply_text (config, &settings[i], value, origin, err);
    }
    return larder_error_set (err, LARDER_EINVAL, 0, "setting %.*s=%.*s: there is no such setting",
                             SHOWN, name, SHOWN, value);
}

/* -- all settings --------------------------------------------------------------------------- */

/* Take a setting from the user's struct, where 0 is "not set". */
static int apply_struct (larder_config *config, const struct setting *s, const larder_config *user,
                         char *origin, larder_error *err)
{
    const char *member = (const char *)user + s->offset;
    struct value value = {0, 0};
    int count = 0;
    int64_t limit = 0;
    int code;

    switch (s->kind) {
    case LIMIT:
        memcpy (&limit, member, sizeof limit);
        if (limit < 0)
            store (config, s, &value);
        value.number = limit > 0 ? (uint64_t)limit : 0;
        break;
    case SIZE:
    case NUMBER:
        memcpy (&value.number, member, sizeof value.number);
        break;
    case COUNT:
        memcpy (&count, member, sizeof count);
        /* Negative ones become too large ones, so the bounds catch them. */
        value.number = (uint64_t)count;
        break;
    case SECONDS:
        memcpy (&value.seconds, member, sizeof value.seconds);
        break;
    }
    if (value.number == 0 && value.seconds == 0)
        return LARDER_OK;
    if (s->kind == SECONDS)
        (void)snprintf (origin, ORIGIN_TEXT, "config struct %s_s=%g", s->name, value.seconds);
    else if (s->kind == COUNT)
        (void)snprintf (origin, ORIGIN_TEXT, "config struct %s=%d", s->name, count);
    else
        (void)snprintf (origin, ORIGIN_TEXT, "config struct %s=%" PRIu64, s->name, value.number);
    code = check_bounds (s, &value, origin, err);
    if (code == LARDER_OK)
        store (config, s, &value);
    return code;
}

/* All sources of one setting, lowest to highest; origin becomes the last that said something. */
static int resolve_one (larder_config *config, const struct setting *s, const larder_config *user,
                        const char *(*lookup_hint) (void *self, const char *name), void *self,
                        char *origin, larder_error *err)
{
    struct value fallback = {s->fallback, (double)s->fallback};
    char name[64] = "LARDER_";
    const char *text;
    int code = LARDER_OK;

    (void)snprintf (origin, ORIGIN_TEXT, "built-in %s=%" PRIu64, s->name, s->fallback);
    store (config, s, &fallback);

    for (size_t i = 0, n = strlen (name); s->name[i]; ++i)
        name[n + i] = s->name[i] == '_' ? '_' : (char)(s->name[i] - 'a' + 'A');
    text = getenv (name);
    if (text && *text) {
        (void)snprintf (origin, ORIGIN_TEXT, "environment %s=%.*s", name, SHOWN, text);
        code = apply_text (config, s, text, origin, err);
        if (code != LARDER_OK)
            return code;
    }
    if (lookup_hint) {
        (void)snprintf (name, sizeof name, "larder_%s", s->name);
        text = lookup_hint (self, name);
        if (text) {
            (void)snprintf (origin, ORIGIN_TEXT, "hint %s=%.*s", name, SHOWN, text);
            code = apply_text (config, s, text, origin, err);
            if (code != LARDER_OK)
                return code;
        }
    }
    return user ? apply_struct (config, s, user, origin, err) : LARDER_OK;
}

static int check_owners (const larder_config *user, larder_error *err)
{
    if (!user || (!user->owners && user->owner_count == 0))
        return LARDER_OK;
    if (!user->owners || user->owner_count < 1)
        return larder_error_set (
            err, LARDER_EINVAL, 0, "config struct owner_count=%d: owners is %s, so it must be %s",
            user->owner_count, user->owners ? "given" : "NULL", user->owners ? "at least 1" : "0");
    for (int i = 0; i < user->owner_count; ++i)
        if (user->owners[i] < 0)
            return larder_error_set (err, LARDER_EINVAL, 0,
                                     "config struct owners[%d]=%d: is no rank", i, user->owners[i]);
    return LARDER_OK;
}

int larder_config_resolve (const larder_config *user,
                           const char *(*lookup_hint) (void *self, const char *name), void *self,
                           struct larder_settings *out, larder_error *err)
{
    static const int rank_zero[] = {0};
    char origin[SETTINGS][ORIGIN_TEXT];
    larder_config c = {0};
    uint64_t slots;
    int code = check_owners (user, err);

    for (unsigned i = 0; code == LARDER_OK && i < SETTINGS; ++i)
        code = resolve_one (&c, &settings[i], user, lookup_hint, self, origin[i], err);
    if (code != LARDER_OK)
        return code;
    if (c.chunk_size > c.cache_size / 4)
        return larder_error_set (err, LARDER_ERANGE, 0,
                                 "%s: chunk_size must be at most a quarter of cache_size (%s)",
                                 origin[CHUNK_SIZE], origin[CACHE_SIZE]);
    slots = c.cache_size / c.chunk_size;
    *out = (struct larder_settings){
        .chunk_size = c.chunk_size,
        .cache_size = slots * c.chunk_size,
        .slot_count = slots,
        .piece_size = larder_num_min (c.piece_size, c.chunk_size + LARDER_SLOT_HEADER_ROOM),
        .collective_size = c.collective_size,
        .gets_in_flight = c.gets_in_flight,
        .max_objects = c.max_objects,
        .max_transactions = c.max_transactions,
        .max_lines = c.max_lines,
        .owner_count = user && user->owners ? user->owner_count : 1,
        .owners = user && user->owners ? user->owners : rank_zero,
        .timeout_s = c.timeout_s,
        .hold_timeout_s = c.hold_timeout_s,
        .min_download_timeout_s = c.min_download_timeout_s,
        .acquire_timeout_s = c.acquire_timeout_s,
        .idle_timeout_s = c.idle_timeout_s,
        .inline_max = c.inline_max > 0 ? (uint64_t)c.inline_max : 0,
        .fault_every = c.fault_every,
        .fault_seed = c.fault_seed,
    };
    return LARDER_OK;
}

static uint64_t mix_in (uint64_t hash, uint64_t value)
{
    return larder_num_mix (hash ^ value);
}

static uint64_t mix_in_seconds (uint64_t hash, double seconds)
{
    uint64_t bits;

    _Static_assert(sizeof bits == sizeof seconds, "a double has 64 bits");
    memcpy (&bits, &seconds, sizeof bits);
    return mix_in (hash, bits);
}

uint64_t larder_config_hash (const struct larder_settings *s)
{
    uint64_t h = 0;

    h = mix_in (h, s->chunk_size);
    h = mix_in (h, s->cache_size);
    h = mix_in (h, s->slot_count);
    h = mix_in (h, s->piece_size);
    h = mix_in (h, s->collective_size);
    h = mix_in (h, (uint64_t)s->gets_in_flight);
    h = mix_in (h, (uint64_t)s->max_objects);
    h = mix_in (h, (uint64_t)s->max_transactions);
    h = mix_in (h, (uint64_t)s->max_lines);
    h = mix_in_seconds (h, s->timeout_s);
    h = mix_in_seconds (h, s->hold_timeout_s);
    h = mix_in_seconds (h, s->min_download_timeout_s);
    h = mix_in_seconds (h, s->acquire_timeout_s);
    h = mix_in_seconds (h, s->idle_timeout_s);
    h = mix_in (h, s->inline_max);
    h = mix_in (h, s->fault_every);
    h = mix_in (h, s->fault_seed);
    h = mix_in (h, (uint64_t)s->owner_count);
    for (int i = 0; i < s->owner_count; ++i)
        h = mix_in (h, (uint64_t)s->owners[i]);
    return h;
}
