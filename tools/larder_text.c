/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_text.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
enum { UNITS = sizeof units / sizeof units[0] };

/* Three figures, and no ".0". */
static void scaled (double bytes, const char *tail, char text[LARDER_TEXT_ROOM])
{
    double value = bytes / 1024;
    int unit = 0;
    while (value >= 1023.95 && unit < UNITS - 1) {
        value /= 1024;
        ++unit;
    }
    double tenths = floor (value * 10 + 0.5) / 10;
    int whole = value >= 99.95 || fabs (tenths - floor (tenths)) < 0.05;
    (void)snprintf (text, LARDER_TEXT_ROOM, "%.*f %s%s", whole ? 0 : 1, value, units[unit], tail);
}

const char *larder_text_size (uint64_t bytes, char text[LARDER_TEXT_ROOM])
{
    if (bytes < 1024)
        (void)snprintf (text, LARDER_TEXT_ROOM, "%u byte%s", (unsigned)bytes,
                        bytes == 1 ? "" : "s");
    else
        scaled ((double)bytes, "", text);
    return text;
}

const char *larder_text_rate (uint64_t bytes, double seconds, char text[LARDER_TEXT_ROOM])
{
    if (!(seconds > 0)) {
        (void)snprintf (text, LARDER_TEXT_ROOM, "-");
        return text;
    }
    double rate = (double)bytes / seconds;
    if (rate < 1024)
        (void)snprintf (text, LARDER_TEXT_ROOM, "%.0f B/s", rate);
    else
        scaled (rate, "/s", text);
    return text;
}

const char *larder_text_clock (double seconds, char text[LARDER_TEXT_ROOM])
{
    if (!(seconds >= 0) || seconds > 3600 * 1000.0) {
        (void)snprintf (text, LARDER_TEXT_ROOM, "-:--");
        return text;
    }
    unsigned s = (unsigned)(seconds + 0.5);
    if (s < 3600)
        (void)snprintf (text, LARDER_TEXT_ROOM, "%u:%02u", s / 60, s % 60);
    else
        (void)snprintf (text, LARDER_TEXT_ROOM, "%u:%02u:%02u", s / 3600, s / 60 % 60, s % 60);
    return text;
}

const char *larder_text_basename (const char *path)
{
    const char *slash = strrchr (path, '/');
    return slash ? slash + 1 : path;
}
