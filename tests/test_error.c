/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_test.h"
#include <larder/error.h>
#include <larder/version.h>
#include <stdio.h>
#include <string.h>

static void names_and_texts (void)
{
#define CHECK(symbol, value, text)                                                                 \
    CU_ASSERT_STRING_EQUAL (larder_code_name (value), #symbol);                                    \
    CU_ASSERT_STRING_EQUAL (larder_code_text (symbol), text);
    LARDER_CODES (CHECK)
#undef CHECK
    CU_ASSERT_STRING_EQUAL (larder_code_text (-1000), "unknown result code");
    CU_ASSERT_STRING_EQUAL (larder_code_text (2), "unknown result code");
    CU_ASSERT_PTR_NOT_NULL (larder_code_name (-1000));
}

static void values_stay (void)
{
    /* Codes stand in files and in other people's programs: they never change. */
    CU_ASSERT_EQUAL (LARDER_OK, 0);
    CU_ASSERT_EQUAL (LARDER_AGAIN, 1);
    CU_ASSERT_EQUAL (LARDER_EINVAL, -1);
    CU_ASSERT_EQUAL (LARDER_EREF, -8);
    CU_ASSERT_EQUAL (LARDER_EGONE, -10);
    CU_ASSERT_EQUAL (LARDER_EREMOTE, -26);
}

static void set (void)
{
    larder_error e;

    memset (&e, 0x55, sizeof e);
    CU_ASSERT_EQUAL (larder_error_set (&e, LARDER_EIO, 5, "cannot %s %d", "read", 7), LARDER_EIO);
    CU_ASSERT_EQUAL (e.code, LARDER_EIO);
    CU_ASSERT_EQUAL (e.rank, -1);
    CU_ASSERT_EQUAL (e.detail, 5);
    CU_ASSERT_STRING_EQUAL (e.text, "cannot read 7");
    CU_ASSERT_EQUAL (larder_error_set (NULL, LARDER_EIO, 5, "no %s", "place"), LARDER_EIO);
}

static void text_is_one_line (void)
{
    larder_error e;

    larder_error_set (&e, LARDER_EIO, 0, "a\nb\r\nc\n");
    CU_ASSERT_STRING_EQUAL (e.text, "a b  c");
}

static void text_is_cut (void)
{
    char text[2 * LARDER_ERROR_TEXT];
    larder_error e;

    memset (text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    larder_error_set (&e, LARDER_EIO, 0, "%s", text);
    CU_ASSERT_EQUAL (strlen (e.text), LARDER_ERROR_TEXT - 1);
}

static void text_is_never_empty (void)
{
    const char *empty = "";
    larder_error e;

    larder_error_set (&e, LARDER_EGONE, 0, "%s", empty);
    CU_ASSERT_STRING_EQUAL (e.text, larder_code_text (LARDER_EGONE));
}

static void text_wraps_itself (void)
{
    larder_error e;

    larder_error_set (&e, LARDER_EIO, 0, "disk is on fire");
    larder_error_set (&e, LARDER_EOWNER, 0, "item 3: %s", e.text);
    CU_ASSERT_STRING_EQUAL (e.text, "item 3: disk is on fire");
}

static void version (void)
{
    char text[64];

    CU_ASSERT_STRING_EQUAL (larder_version (), LARDER_VERSION_STRING);
    (void)snprintf (text, sizeof text, "%d.%d.%d", LARDER_VERSION_MAJOR, LARDER_VERSION_MINOR,
                    LARDER_VERSION_PATCH);
    CU_ASSERT_STRING_EQUAL (larder_version (), text);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"names and texts of all codes", names_and_texts},
        {"values of codes stay", values_stay},
        {"larder_error_set fills everything", set},
        {"the text is one line", text_is_one_line},
        {"the text is cut to its room", text_is_cut},
        {"the text is never empty", text_is_never_empty},
        {"the text may wrap the one before", text_wraps_itself},
        {"version", version},
        {NULL, NULL},
    };
    return larder_test_main ("error", tests);
}
