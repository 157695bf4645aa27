/* SPDX-License-Identifier: Apache-2.0 */
#include <larder/error.h>
#include <stdarg.h>
#include <stdio.h>

const char *larder_code_text (int code)
{
    switch (code) {
#define CODE_CASE(symbol, value, text)                                                             \
    case (value):                                                                                  \
        return text;
        LARDER_CODES (CODE_CASE)
#undef CODE_CASE
    default:
        return "unknown result code";
    }
}

const char *larder_code_name (int code)
{
    switch (code) {
#define CODE_CASE(symbol, value, text)                                                             \
    case (value):                                                                                  \
        return #symbol;
        LARDER_CODES (CODE_CASE)
#undef CODE_CASE
    default:
        return "unknown";
    }
}

int larder_error_set (larder_error *err, int code, int detail, const char *format, ...)
{
    /* Formatted aside, so that an argument may be err->text itself. */
    char text[LARDER_ERROR_TEXT] = "";
    va_list arguments;

    if (!err)
        return code;
    if (format) {
        va_start (arguments, format);
        if (vsnprintf (text, sizeof text, format, arguments) < 0)
            text[0] = '\0';
        va_end (arguments);
    }
    /* File names and foreign messages may hold line breaks: the text stays one line. */
    for (char *c = text; *c; c++)
        if (*c == '\n' || *c == '\r')
            *c = c[1] ? ' ' : '\0';
    err->code = code;
    err->rank = -1;
    err->detail = detail;
    (void)snprintf (err->text, sizeof err->text, "%s", text[0] ? text : larder_code_text (code));
    return code;
}
