/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_config_text.h"
#include "larder_num.h"
#include <larder/config.h>
#include <math.h>
#include <string.h>
#include <strings.h>

static const char *skip_blanks (const char *p)
{
    while (*p == ' ' || *p == '\t')
        ++p;
    return p;
}

static int is_digit (char c)
{
    return c >= '0' && c <= '9';
}

/* Read digits, leave *p behind them.  Not strtoull, which takes signs; *why is set on failure. */
static int read_digits (const char **p, uint64_t *number, const char **why)
{
    uint64_t n = 0;

    if (!is_digit (**p)) {
        *why = **p ? "it does not begin with a digit" : "it is empty";
        return LARDER_EINVAL;
    }
    for (; is_digit (**p); ++*p) {
        if (larder_num_mul (n, 10, &n) || larder_num_add (n, (uint64_t)(**p - '0'), &n)) {
            *why = "it does not fit 64 bits";
            return LARDER_ERANGE;
        }
    }
    *number = n;
    return LARDER_OK;
}

int larder_config_text_number (const char *text, uint64_t *number, const char **why)
{
    const char *p = skip_blanks (text);
    uint64_t n = 0;
    int code = read_digits (&p, &n, why);

    if (code == LARDER_OK && *skip_blanks (p)) {
        *why = "it is no whole number";
        code = LARDER_EINVAL;
    }
    if (code == LARDER_OK)
        *number = n;
    return code;
}

/* Compare a unit that may be followed by blanks only. */
static int is_unit (const char *p, const char *unit)
{
    size_t n = strlen (unit);
    return strncasecmp (p, unit, n) == 0 && *skip_blanks (p + n) == '\0';
}

int larder_config_text_size (const char *text, uint64_t *size, const char **why)
{
    static const char *const units[][4] = {
        {"", "B", "", ""},        {"K", "KB", "KiB", "Ki"}, {"M", "MB", "MiB", "Mi"},
        {"G", "GB", "GiB", "Gi"}, {"T", "TB", "TiB", "Ti"},
    };
    const char *p = skip_blanks (text);
    uint64_t n = 0;
    int code = read_digits (&p, &n, why);

    if (code != LARDER_OK)
        return code;
    p = skip_blanks (p);
    for (unsigned power = 0; power < sizeof units / sizeof units[0]; ++power) {
        for (unsigned i = 0; i < 4; ++i) {
            if (!is_unit (p, units[power][i]))
                continue;
            if (larder_num_mul (n, UINT64_C (1) << (10 * power), size)) {
                *why = "it does not fit 64 bits";
                return LARDER_ERANGE;
            }
            return LARDER_OK;
        }
    }
    *why = "a size is a whole number with an optional K, M, G or T";
    return LARDER_EINVAL;
}

/* Not strtod, whose decimal point depends on the locale and which takes "inf" and "0x1p4". */
int larder_config_text_duration (const char *text, double *seconds, const char **why)
{
    static const struct {
        const char *unit;
        double factor, divisor;
    } units[] = {{"", 1, 1},   {"ms", 1, 1000}, {"s", 1, 1},    {"min", 60, 1},
                 {"m", 60, 1}, {"h", 3600, 1},  {"d", 86400, 1}};
    const char *p = skip_blanks (text);
    double whole = 0, part = 0, scale = 1;

    *why = "a time is a number with an optional ms, s, m, h or d";
    if (!is_digit (*p) && !(*p == '.' && is_digit (p[1])))
        return LARDER_EINVAL;
    for (; is_digit (*p); ++p)
        whole = whole * 10 + (*p - '0');
    if (*p == '.') {
        for (++p; is_digit (*p); ++p) {
            if (scale < 1e15) { /* digits beyond a double's precision say nothing */
                part = part * 10 + (*p - '0');
                scale *= 10;
            }
        }
    }
    p = skip_blanks (p);
    for (unsigned i = 0; i < sizeof units / sizeof units[0]; ++i) {
        if (is_unit (p, units[i].unit)) {
            double s = (whole + part / scale) * units[i].factor / units[i].divisor;
            if (!isfinite (s)) {
                *why = "it is too long a time";
                return LARDER_ERANGE;
            }
            *seconds = s;
            return LARDER_OK;
        }
    }
    return LARDER_EINVAL;
}

int larder_config_size (const char *text, uint64_t *size, larder_error *err)
{
    const char *why = "";
    int code;

    if (!text || !size)
        return larder_error_set (err, LARDER_EINVAL, 0, "larder_config_size: NULL argument");
    code = larder_config_text_size (text, size, &why);
    if (code != LARDER_OK)
        return larder_error_set (err, code, 0, "size '%.*s': %s", LARDER_CONFIG_TEXT_SHOWN, text,
                                 why);
    return LARDER_OK;
}

int larder_config_duration (const char *text, double *seconds, larder_error *err)
{
    const char *why = "";
    int code;

    if (!text || !seconds)
        return larder_error_set (err, LARDER_EINVAL, 0, "larder_config_duration: NULL argument");
    code = larder_config_text_duration (text, seconds, &why);
    if (code != LARDER_OK)
        return larder_error_set (err, code, 0, "time '%.*s': %s", LARDER_CONFIG_TEXT_SHOWN, text,
                                 why);
    return LARDER_OK;
}
