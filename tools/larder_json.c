/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_json.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void put (struct larder_json *json, const char *text, size_t length)
{
    if (json->exhausted)
        return;
    if (length >= json->room - json->length) {
        size_t room = (json->length + length + 1) * 2;
        char *more = realloc (json->text, room);
        if (!more) {
            json->exhausted = 1;
            return;
        }
        json->text = more;
        json->room = room;
    }
    memcpy (json->text + json->length, text, length);
    json->length += length;
    json->text[json->length] = '\0';
}

static void puts_json (struct larder_json *json, const char *text)
{
    put (json, text, strlen (text));
}

/* Length of the valid UTF-8 sequence at p, 0 if there is none: file names may hold any bytes, a
 * JSON text may not. */
static size_t utf8_length (const unsigned char *p)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc0 ? 2 : 0;
    if (n == 0 || p[0] >= 0xf8)
        return 0;
    unsigned code = p[0] & (0x7fU >> n);
    for (size_t i = 1; i < n; ++i) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3fU);
    }
    int bad = code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000);
    return bad ? 0 : n;
}

static void put_quoted (struct larder_json *json, const char *text)
{
    put (json, "\"", 1);
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        size_t n = 1;
        char escape[8];
        if (*p == '"' || *p == '\\') {
            (void)snprintf (escape, sizeof escape, "\\%c", *p);
            puts_json (json, escape);
        } else if (*p < 0x20 || *p == 0x7f) {
            (void)snprintf (escape, sizeof escape, "\\u%04x", *p);
            puts_json (json, escape);
        } else if (*p < 0x80) {
            put (json, (const char *)p, 1);
        } else if ((n = utf8_length (p)) > 0) {
            put (json, (const char *)p, n);
        } else {
            n = 1;
            puts_json (json, "\\ufffd");
        }
        p += n;
    }
    put (json, "\"", 1);
}

/* What stands before every value: comma, line and indent, name. */
static void before (struct larder_json *json, const char *name)
{
    if (json->follows)
        put (json, ",", 1);
    if (json->depth > 0)
        put (json, "\n", 1);
    for (int i = 0; i < json->depth; ++i)
        put (json, "  ", 2);
    if (name) {
        put_quoted (json, name);
        put (json, ": ", 2);
    }
    json->follows = 1;
}

static void open_value (struct larder_json *json, const char *name, const char *bracket)
{
    before (json, name);
    puts_json (json, bracket);
    json->depth++;
    json->follows = 0;
}

static void end_value (struct larder_json *json, const char *bracket)
{
    json->depth--;
    if (json->follows) {
        put (json, "\n", 1);
        for (int i = 0; i < json->depth; ++i)
            put (json, "  ", 2);
    }
    puts_json (json, bracket);
    json->follows = 1;
}

void larder_json_object (struct larder_json *json, const char *name)
{
    open_value (json, name, "{");
}

void larder_json_array (struct larder_json *json, const char *name)
{
    open_value (json, name, "[");
}

void larder_json_end_object (struct larder_json *json)
{
    end_value (json, "}");
}

void larder_json_end_array (struct larder_json *json)
{
    end_value (json, "]");
}

void larder_json_string (struct larder_json *json, const char *name, const char *value)
{
    before (json, name);
    if (value)
        put_quoted (json, value);
    else
        puts_json (json, "null");
}

void larder_json_number (struct larder_json *json, const char *name, uint64_t value)
{
    char text[32];
    (void)snprintf (text, sizeof text, "%llu", (unsigned long long)value);
    before (json, name);
    puts_json (json, text);
}

void larder_json_integer (struct larder_json *json, const char *name, int64_t value)
{
    char text[32];
    (void)snprintf (text, sizeof text, "%lld", (long long)value);
    before (json, name);
    puts_json (json, text);
}

void larder_json_real (struct larder_json *json, const char *name, double value)
{
    char text[64];
    (void)snprintf (text, sizeof text, "%.6f", isfinite (value) ? value : 0.0);
    before (json, name);
    puts_json (json, text);
}

void larder_json_bool (struct larder_json *json, const char *name, int value)
{
    before (json, name);
    puts_json (json, value ? "true" : "false");
}

const char *larder_json_result (struct larder_json *json)
{
    if (json->length == 0 || json->text[json->length - 1] != '\n')
        put (json, "\n", 1);
    return json->exhausted ? NULL : json->text;
}

void larder_json_free (struct larder_json *json)
{
    free (json->text);
    memset (json, 0, sizeof *json);
}

static int write_all (int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t n = write (fd, text, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        text += n;
        length -= (size_t)n;
    }
    return 0;
}

static int save_error (larder_error *err, const char *path, int error)
{
    return larder_error_set (err, error == ENOSPC ? LARDER_ENOSPC : LARDER_EIO, error,
                             "%s: cannot write the JSON file: %s", path, strerror (error));
}

static int save_file (const char *text, size_t length, const char *path, larder_error *err)
{
    char *temporary = NULL;
    int rc = LARDER_OK;
    if (asprintf (&temporary, "%s.XXXXXX", path) < 0)
        return larder_error_set (err, LARDER_ENOMEM, 0, "%s: out of memory", path);
    int fd = mkostemp (temporary, O_CLOEXEC);
    if (fd < 0) {
        rc = save_error (err, path, errno);
        free (temporary);
        return rc;
    }
    mode_t mask = umask (0); /* mkostemp makes files private; this one is a report */
    (void)umask (mask);
    int bad =
        fchmod (fd, 0666 & ~mask) != 0 || write_all (fd, text, length) != 0 || fsync (fd) != 0;
    int error = errno;
    if (close (fd) != 0 && !bad) {
        bad = 1;
        error = errno;
    }
    if (!bad && rename (temporary, path) != 0) {
        bad = 1;
        error = errno;
    }
    if (bad) {
        (void)unlink (temporary);
        rc = save_error (err, path, error);
    }
    free (temporary);
    return rc;
}

int larder_json_save (struct larder_json *json, const char *path, larder_error *err)
{
    const char *text = larder_json_result (json);
    if (!text)
        return larder_error_set (err, LARDER_ENOMEM, 0, "out of memory for the JSON text");
    if (!path || strcmp (path, "-") == 0) {
        if (fwrite (text, 1, json->length, stdout) != json->length || fflush (stdout) != 0)
            return save_error (err, "stdout", errno);
        return LARDER_OK;
    }
    return save_file (text, json->length, path, err);
}
