/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a setting: a line with its name, then its value; the value also as a size and as a time. */
#include <larder/config.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void must (int yes, const char *what)
{
    if (!yes) {
        fprintf (stderr, "FAILED: %s\n", what);
        abort ();
    }
}

static void look (const char *name, const char *value)
{
    larder_config config = {0}, before = {0};
    larder_error e = {0};
    uint64_t bytes = 77;
    double seconds = 77;

    if (larder_config_set (&config, name, value, &e) != LARDER_OK) {
        must (e.code < 0 && e.text[0], "a failure without code or text");
        must (memcmp (&config, &before, sizeof config) == 0, "a failure that changed something");
    }
    if (larder_config_size (value, &bytes, &e) != LARDER_OK)
        must (bytes == 77, "a failed size that changed");
    if (larder_config_duration (value, &seconds, &e) == LARDER_OK)
        must (isfinite (seconds) && seconds >= 0, "a time that is none");
    else
        must (seconds >= 77 && seconds <= 77, "a failed time that changed");
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    const uint8_t *end = size ? memchr (data, '\n', size) : NULL;
    size_t length = end ? (size_t)(end - data) : size;
    char *name = calloc (1, length + 1), *value = calloc (1, size - length + 1);

    if (name && value) {
        if (length > 0)
            memcpy (name, data, length);
        if (end)
            memcpy (value, end + 1, size - length - 1);
        look (name, value);
    }
    free (name);
    free (value);
    return 0;
}
