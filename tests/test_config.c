/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_config.h"
#include "larder_test.h"
#include "larder_test_random.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { KIB = 1024, MIB = 1024 * 1024, ROUNDS = 2000 };

/* -- texts ---------------------------------------------------------------------------------- */

static void sizes (void)
{
    static const struct {
        const char *text;
        int code;
        uint64_t size;
    } cases[] = {
        {"0", LARDER_OK, 0},
        {"65536", LARDER_OK, 65536},
        {"64MiB", LARDER_OK, UINT64_C (64) << 20},
        {"4M", LARDER_OK, UINT64_C (4) << 20},
        {"4MB", LARDER_OK, UINT64_C (4) << 20},
        {"1gib", LARDER_OK, UINT64_C (1) << 30},
        {"2T", LARDER_OK, UINT64_C (2) << 40},
        {" 7 k ", LARDER_OK, 7 * KIB},
        {"9B", LARDER_OK, 9},
        {"18446744073709551615", LARDER_OK, UINT64_MAX},
        {"18446744073709551616", LARDER_ERANGE, 0},
        {"16777216T", LARDER_ERANGE, 0},
        {"", LARDER_EINVAL, 0},
        {"  ", LARDER_EINVAL, 0},
        {"abc", LARDER_EINVAL, 0},
        {"-1", LARDER_EINVAL, 0},
        {"+1", LARDER_EINVAL, 0},
        {"1.5G", LARDER_EINVAL, 0},
        {"0x10", LARDER_EINVAL, 0},
        {"4 Q", LARDER_EINVAL, 0},
        {"4 MiBs", LARDER_EINVAL, 0},
        {"4M 4", LARDER_EINVAL, 0},
    };
    larder_error e;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        uint64_t size = 4711;
        int code = larder_config_size (cases[i].text, &size, &e);

        if (code != cases[i].code)
            printf ("\n    '%s' gives %s\n", cases[i].text, larder_code_name (code));
        CU_ASSERT_EQUAL (code, cases[i].code);
        CU_ASSERT_EQUAL (size, code == LARDER_OK ? cases[i].size : 4711);
        if (code != LARDER_OK)
            CU_ASSERT_EQUAL (e.code, code);
    }
    CU_ASSERT_EQUAL (larder_config_size (NULL, NULL, &e), LARDER_EINVAL);
}

static void durations (void)
{
    static const struct {
        const char *text;
        int code;
        double seconds;
    } cases[] = {
        {"30s", LARDER_OK, 30},      {"5m", LARDER_OK, 300},    {"250ms", LARDER_OK, 0.25},
        {"1.5", LARDER_OK, 1.5},     {"0", LARDER_OK, 0},       {".5 min", LARDER_OK, 30},
        {"2h", LARDER_OK, 7200},     {"1d", LARDER_OK, 86400},  {" 0.1 S ", LARDER_OK, 0.1},
        {"1.", LARDER_OK, 1},        {"", LARDER_EINVAL, 0},    {".", LARDER_EINVAL, 0},
        {"-1", LARDER_EINVAL, 0},    {"inf", LARDER_EINVAL, 0}, {"nan", LARDER_EINVAL, 0},
        {"1e3", LARDER_EINVAL, 0},   {"1,5", LARDER_EINVAL, 0}, {"5 x", LARDER_EINVAL, 0},
        {"1.5.5", LARDER_EINVAL, 0},
    };
    char huge[402];
    double seconds = 4711;
    larder_error e;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        int code;

        seconds = 4711;
        code = larder_config_duration (cases[i].text, &seconds, &e);
        if (code != cases[i].code)
            printf ("\n    '%s' gives %s\n", cases[i].text, larder_code_name (code));
        CU_ASSERT_EQUAL (code, cases[i].code);
        CU_ASSERT_EQUAL (seconds, code == LARDER_OK ? cases[i].seconds : 4711);
    }
    memset (huge, '9', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    seconds = 4711;
    CU_ASSERT_EQUAL (larder_config_duration (huge, &seconds, &e), LARDER_ERANGE);
    CU_ASSERT_EQUAL (seconds, 4711);
    huge[0] = '.';
    CU_ASSERT_EQUAL (larder_config_duration (huge, &seconds, &e), LARDER_OK);
    CU_ASSERT_DOUBLE_EQUAL (seconds, 1.0, 1e-12);
    CU_ASSERT_EQUAL (larder_config_duration (NULL, &seconds, &e), LARDER_EINVAL);
}

/* Whatever the text: a clear code, and nothing is believed that was not said. */
static void random_texts (void)
{
    static const char letters[] = "0123456789.KMGTiBms -+eX";
    struct larder_test_random r = larder_test_seed ();
    larder_error e;

    for (int i = 0; i < ROUNDS; ++i) {
        char text[32];
        uint64_t number = larder_test_any_size (&r), size = 0;
        double seconds = -1;
        size_t length = larder_test_below (&r, sizeof text);
        int code;

        for (size_t c = 0; c < length; ++c)
            text[c] = letters[larder_test_below (&r, sizeof letters - 1)];
        text[length] = '\0';
        code = larder_config_size (text, &size, &e);
        CU_ASSERT (code == LARDER_OK || code == LARDER_EINVAL || code == LARDER_ERANGE);
        code = larder_config_duration (text, &seconds, &e);
        CU_ASSERT ((code == LARDER_OK) == (seconds >= 0));
        CU_ASSERT (isfinite (seconds));

        (void)snprintf (text, sizeof text, "%" PRIu64, number);
        CU_ASSERT_EQUAL (larder_config_size (text, &size, &e), LARDER_OK);
        CU_ASSERT_EQUAL (size, number);
    }
}

static void set (void)
{
    larder_config c = {0};
    larder_config before;
    larder_error e;

    CU_ASSERT_EQUAL (larder_config_set (&c, "chunk_size", "1M", &e), LARDER_OK);
    CU_ASSERT_EQUAL (larder_config_set (&c, "CACHE_SIZE", "1G", &e), LARDER_OK);
    CU_ASSERT_EQUAL (larder_config_set (&c, "Piece_Size", "8KiB", &e), LARDER_OK);
    CU_ASSERT_EQUAL (larder_config_set (&c, "gets_in_flight", "64", &e), LARDER_OK);
    CU_ASSERT_EQUAL (larder_config_set (&c, "max_objects", "4096", &e), LARDER_OK);
    CU_ASSERT_EQUAL (larder_config_set (&c, "max_lines", "1", &e), LARDER_OK);
    CU_ASSERT_EQUAL (larder_config_set (&c, "timeout", "250ms", &e), LARDER_OK);
    CU_ASSERT_EQUAL (larder_config_set (&c, "hold_timeout", "2m", &e), LARDER_OK);
    CU_ASSERT_EQUAL (larder_config_set (&c, "fault_every", "100", &e), LARDER_OK);
    CU_ASSERT_EQUAL (larder_config_set (&c, "fault_seed", "18446744073709551615", &e), LARDER_OK);
    CU_ASSERT_EQUAL (c.chunk_size, MIB);
    CU_ASSERT_EQUAL (c.cache_size, 1024 * MIB);
    CU_ASSERT_EQUAL (c.piece_size, 8 * KIB);
    CU_ASSERT_EQUAL (c.gets_in_flight, 64);
    CU_ASSERT_EQUAL (c.max_objects, 4096);
    CU_ASSERT_EQUAL (c.max_lines, 1);
    CU_ASSERT_EQUAL (c.timeout_s, 0.25);
    CU_ASSERT_EQUAL (c.hold_timeout_s, 120);
    CU_ASSERT_EQUAL (c.fault_every, 100);
    CU_ASSERT_EQUAL (c.fault_seed, UINT64_MAX);

    before = c;
    CU_ASSERT_EQUAL (larder_config_set (&c, "owners", "1", &e), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_config_set (&c, "chunk", "1", &e), LARDER_EINVAL);
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "chunk=1"));
    CU_ASSERT_EQUAL (larder_config_set (&c, "chunk_size", "0", &e), LARDER_ERANGE);
    CU_ASSERT_EQUAL (larder_config_set (&c, "chunk_size", "4095", &e), LARDER_ERANGE);
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, "setting chunk_size=4095"));
    CU_ASSERT_EQUAL (larder_config_set (&c, "chunk_size", "1073741825", &e), LARDER_ERANGE);
    CU_ASSERT_EQUAL (larder_config_set (&c, "piece_size", "1023", &e), LARDER_ERANGE);
    CU_ASSERT_EQUAL (larder_config_set (&c, "gets_in_flight", "65", &e), LARDER_ERANGE);
    CU_ASSERT_EQUAL (larder_config_set (&c, "gets_in_flight", "4294967297", &e), LARDER_ERANGE);
    CU_ASSERT_EQUAL (larder_config_set (&c, "gets_in_flight", "1K", &e), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_config_set (&c, "max_objects", "4097", &e), LARDER_ERANGE);
    CU_ASSERT_EQUAL (larder_config_set (&c, "max_lines", "0", &e), LARDER_ERANGE);
    CU_ASSERT_EQUAL (larder_config_set (&c, "timeout", "0", &e), LARDER_ERANGE);
    CU_ASSERT_EQUAL (larder_config_set (&c, NULL, "0", &e), LARDER_EINVAL);
    CU_ASSERT (memcmp (&before, &c, sizeof c) == 0);
}

/* -- all sources ---------------------------------------------------------------------------- */

struct hint {
    const char *name, *value;
};

static const char *lookup (void *self, const char *name)
{
    for (const struct hint *h = self; h->name; ++h)
        if (strcmp (h->name, name) == 0)
            return h->value;
    return NULL;
}

static void clean_environment (void)
{
    static const char *const names[] = {"CHUNK_SIZE",  "CACHE_SIZE", "PIECE_SIZE", "GETS_IN_FLIGHT",
                                        "MAX_OBJECTS", "MAX_LINES",  "TIMEOUT",    "HOLD_TIMEOUT",
                                        "FAULT_EVERY", "FAULT_SEED", "INLINE_MAX"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        char name[64];
        (void)snprintf (name, sizeof name, "LARDER_%s", names[i]);
        (void)unsetenv (name);
    }
}

static void defaults (void)
{
    struct larder_settings s;
    larder_config zero = {0};
    larder_error e;

    clean_environment ();
    for (int i = 0; i < 2; ++i) {
        memset (&s, 0x33, sizeof s);
        CU_ASSERT_EQUAL (larder_config_resolve (i ? &zero : NULL, NULL, NULL, &s, &e), LARDER_OK);
        CU_ASSERT_EQUAL (s.chunk_size, 256 * KIB);
        CU_ASSERT_EQUAL (s.cache_size, 64 * MIB);
        CU_ASSERT_EQUAL (s.slot_count, 256);
        CU_ASSERT_EQUAL (s.piece_size, 60 * KIB);
        CU_ASSERT_EQUAL (s.gets_in_flight, 2);
        CU_ASSERT_EQUAL (s.max_objects, 64);
        CU_ASSERT_EQUAL (s.max_lines, 8);
        CU_ASSERT_EQUAL (s.timeout_s, 300);
        CU_ASSERT_EQUAL (s.hold_timeout_s, 60);
        CU_ASSERT_EQUAL (s.fault_every, 0);
        CU_ASSERT_EQUAL (s.fault_seed, 0);
        CU_ASSERT_EQUAL (s.owner_count, 1);
        CU_ASSERT_EQUAL (s.owners[0], 0);
    }
}

static void precedence (void)
{
    struct hint hints[] = {{"larder_chunk_size", "16K"}, {"larder_timeout", "7s"}, {NULL, NULL}};
    larder_config user = {.chunk_size = 32 * KIB, .max_lines = 3};
    struct larder_settings s;
    larder_error e;

    clean_environment ();
    (void)setenv ("LARDER_CHUNK_SIZE", "8K", 1);
    (void)setenv ("LARDER_TIMEOUT", "6s", 1);
    (void)setenv ("LARDER_HOLD_TIMEOUT", "5s", 1);
    (void)setenv ("LARDER_MAX_OBJECTS", "9", 1);
    (void)setenv ("LARDER_GETS_IN_FLIGHT", "", 1); /* as good as not set */
    CU_ASSERT_EQUAL (larder_config_resolve (NULL, NULL, NULL, &s, &e), LARDER_OK);
    CU_ASSERT_EQUAL (s.chunk_size, 8 * KIB);
    CU_ASSERT_EQUAL (s.timeout_s, 6);
    CU_ASSERT_EQUAL (s.gets_in_flight, 2);
    CU_ASSERT_EQUAL (larder_config_resolve (NULL, lookup, hints, &s, &e), LARDER_OK);
    CU_ASSERT_EQUAL (s.chunk_size, 16 * KIB);
    CU_ASSERT_EQUAL (larder_config_resolve (&user, lookup, hints, &s, &e), LARDER_OK);
    CU_ASSERT_EQUAL (s.chunk_size, 32 * KIB);
    CU_ASSERT_EQUAL (s.max_lines, 3);
    CU_ASSERT_EQUAL (s.timeout_s, 7);
    CU_ASSERT_EQUAL (s.hold_timeout_s, 5);
    CU_ASSERT_EQUAL (s.max_objects, 9);
    clean_environment ();
}

static void fitted (void)
{
    larder_config user = {.chunk_size = 5000, .cache_size = 44999, .piece_size = MIB};
    struct larder_settings s;
    larder_error e;

    clean_environment ();
    CU_ASSERT_EQUAL (larder_config_resolve (&user, NULL, NULL, &s, &e), LARDER_OK);
    CU_ASSERT_EQUAL (s.slot_count, 8);
    CU_ASSERT_EQUAL (s.cache_size, 40000);
    CU_ASSERT_EQUAL (s.piece_size, 5000 + 64);
    user.cache_size = 20000; /* exactly four */
    CU_ASSERT_EQUAL (larder_config_resolve (&user, NULL, NULL, &s, &e), LARDER_OK);
    CU_ASSERT_EQUAL (s.slot_count, 4);
    user.cache_size = UINT64_MAX;
    CU_ASSERT_EQUAL (larder_config_resolve (&user, NULL, NULL, &s, &e), LARDER_OK);
    CU_ASSERT_EQUAL (s.cache_size, s.slot_count * 5000);
}

/* Resolve, expect a failure whose text holds `part`, and an untouched result. */
static void refused (const larder_config *user, struct hint *hints, int code, const char *part)
{
    struct larder_settings s, before;
    larder_error e = {0};

    memset (&s, 0x33, sizeof s);
    before = s;
    CU_ASSERT_EQUAL (larder_config_resolve (user, hints ? lookup : NULL, hints, &s, &e), code);
    CU_ASSERT_EQUAL (e.code, code);
    CU_ASSERT_PTR_NOT_NULL (strstr (e.text, part));
    if (!strstr (e.text, part))
        printf ("\n    '%s' lacks '%s'\n", e.text, part);
    CU_ASSERT (memcmp (&s, &before, sizeof s) == 0);
}

static void refusals_of_the_environment (void)
{
    struct hint bad[] = {{"larder_cache_size", "1Q"}, {NULL, NULL}};
    struct hint small[] = {{"larder_cache_size", "512K"}, {NULL, NULL}};
    larder_config fine = {.chunk_size = 64 * KIB};

    clean_environment ();
    (void)setenv ("LARDER_CHUNK_SIZE", "abc", 1);
    refused (NULL, NULL, LARDER_EINVAL, "environment LARDER_CHUNK_SIZE=abc");
    refused (&fine, NULL, LARDER_EINVAL, "environment LARDER_CHUNK_SIZE=abc");
    (void)setenv ("LARDER_CHUNK_SIZE", "0", 1);
    refused (NULL, NULL, LARDER_ERANGE, "environment LARDER_CHUNK_SIZE=0");
    clean_environment ();
    (void)setenv ("LARDER_TIMEOUT", "0s", 1);
    refused (NULL, NULL, LARDER_ERANGE, "environment LARDER_TIMEOUT=0s");
    clean_environment ();
    refused (NULL, bad, LARDER_EINVAL, "hint larder_cache_size=1Q");
    /* Too small together: both are named, with where they come from. */
    refused (NULL, small, LARDER_ERANGE, "hint larder_cache_size=512K");
    refused (NULL, small, LARDER_ERANGE, "built-in chunk_size=262144");
}

static void refusals_of_the_struct (void)
{
    static const int negative[] = {0, -1};

    clean_environment ();
    refused (&(larder_config){.chunk_size = 4095}, NULL, LARDER_ERANGE,
             "config struct chunk_size=4095");
    refused (&(larder_config){.chunk_size = (UINT64_C (1) << 30) + 1}, NULL, LARDER_ERANGE,
             "chunk_size");
    refused (&(larder_config){.chunk_size = 17 * MIB}, NULL, LARDER_ERANGE,
             "config struct chunk_size=17825792");
    refused (&(larder_config){.cache_size = 1}, NULL, LARDER_ERANGE, "cache_size=1");
    refused (&(larder_config){.piece_size = 1}, NULL, LARDER_ERANGE, "piece_size=1");
    refused (&(larder_config){.gets_in_flight = -1}, NULL, LARDER_ERANGE, "gets_in_flight=-1");
    refused (&(larder_config){.max_objects = 4097}, NULL, LARDER_ERANGE, "max_objects=4097");
    refused (&(larder_config){.max_lines = 65}, NULL, LARDER_ERANGE, "max_lines=65");
    refused (&(larder_config){.timeout_s = -2}, NULL, LARDER_ERANGE, "timeout_s=-2");
    refused (&(larder_config){.timeout_s = NAN}, NULL, LARDER_ERANGE, "timeout_s=");
    refused (&(larder_config){.hold_timeout_s = INFINITY}, NULL, LARDER_ERANGE,
             "hold_timeout_s=inf");
    refused (&(larder_config){.owner_count = 1}, NULL, LARDER_EINVAL, "owner_count=1");
    refused (&(larder_config){.owners = negative}, NULL, LARDER_EINVAL, "owner_count=0");
    refused (&(larder_config){.owners = negative, .owner_count = 2}, NULL, LARDER_EINVAL,
             "owners[1]=-1");
}

/* 0 means something, and not the same in the struct as in a text. */
static void inline_max (void)
{
    struct larder_settings s = {0};
    larder_config c = {0};

    clean_environment ();
    CU_ASSERT_EQUAL (larder_config_resolve (NULL, NULL, NULL, &s, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (s.inline_max, 4 * KIB);
    CU_ASSERT_EQUAL (larder_config_resolve (&c, NULL, NULL, &s, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (s.inline_max, 4 * KIB);
    c.inline_max = -1;
    CU_ASSERT_EQUAL (larder_config_resolve (&c, NULL, NULL, &s, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (s.inline_max, 0);
    c.inline_max = 77;
    CU_ASSERT_EQUAL (larder_config_resolve (&c, NULL, NULL, &s, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (s.inline_max, 77);
    CU_ASSERT_EQUAL (larder_config_set (&c, "inline_max", "0", NULL), LARDER_OK);
    CU_ASSERT_EQUAL (c.inline_max, -1);
    CU_ASSERT_EQUAL (larder_config_set (&c, "inline_max", "2MiB", NULL), LARDER_OK);
    CU_ASSERT_EQUAL (c.inline_max, (int64_t)(2 * MIB));
    (void)setenv ("LARDER_INLINE_MAX", "0", 1);
    CU_ASSERT_EQUAL (larder_config_resolve (NULL, NULL, NULL, &s, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (s.inline_max, 0);
    (void)setenv ("LARDER_INLINE_MAX", "2G", 1);
    refused (NULL, NULL, LARDER_ERANGE, "environment LARDER_INLINE_MAX=2G");
    clean_environment ();
    refused (&(larder_config){.inline_max = INT64_MAX}, NULL, LARDER_ERANGE, "inline_max=");
}

static void hash (void)
{
    static const int one[] = {0, 3}, equal[] = {0, 3}, other[] = {3, 0};
    larder_config configs[] = {
        {.owners = one, .owner_count = 2},
        {.owners = other, .owner_count = 2},
        {.owners = one, .owner_count = 1, .max_lines = 9},
        {.chunk_size = 128 * KIB},
        {.cache_size = 128 * MIB},
        {.piece_size = 32 * KIB},
        {.collective_size = 4 * MIB},
        {.gets_in_flight = 4},
        {.max_objects = 4},
        {.max_lines = 4},
        {.timeout_s = 4},
        {.hold_timeout_s = 4},
        {.inline_max = 4},
        {.fault_every = 4},
        {.fault_seed = 4},
        {0},
    };
    enum { CONFIGS = sizeof configs / sizeof configs[0] };
    struct larder_settings a, b;
    uint64_t hashes[CONFIGS];

    clean_environment ();
    for (int i = 0; i < CONFIGS; ++i) {
        memset (&a, 0x11 * i, sizeof a); /* padding must not count */
        CU_ASSERT_EQUAL (larder_config_resolve (&configs[i], NULL, NULL, &a, NULL), LARDER_OK);
        hashes[i] = larder_config_hash (&a);
        for (int j = 0; j < i; ++j)
            CU_ASSERT_NOT_EQUAL (hashes[i], hashes[j]);
    }
    configs[0].owners = equal;
    memset (&b, 0x77, sizeof b);
    CU_ASSERT_EQUAL (larder_config_resolve (&configs[0], NULL, NULL, &b, NULL), LARDER_OK);
    CU_ASSERT_EQUAL (larder_config_hash (&b), hashes[0]);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"sizes", sizes},
        {"durations", durations},
        {"random texts", random_texts},
        {"larder_config_set", set},
        {"defaults", defaults},
        {"precedence of the sources", precedence},
        {"sizes are fitted to each other", fitted},
        {"refusals: environment and hints", refusals_of_the_environment},
        {"refusals: struct", refusals_of_the_struct},
        {"inline_max", inline_max},
        {"hash", hash},
        {NULL, NULL},
    };
    return larder_test_main ("config", tests);
}
