/* SPDX-License-Identifier: Apache-2.0 */
/* The progress bar's line, and the texts of sizes, rates and times. */
#include "larder_bar.h"
#include "larder_test.h"
#include "larder_text.h"
#include <string.h>

static void test_sizes (void)
{
    char t[LARDER_TEXT_ROOM];
    CU_ASSERT_STRING_EQUAL (larder_text_size (0, t), "0 bytes");
    CU_ASSERT_STRING_EQUAL (larder_text_size (1, t), "1 byte");
    CU_ASSERT_STRING_EQUAL (larder_text_size (1023, t), "1023 bytes");
    CU_ASSERT_STRING_EQUAL (larder_text_size (1024, t), "1 KiB");
    CU_ASSERT_STRING_EQUAL (larder_text_size (1536, t), "1.5 KiB");
    CU_ASSERT_STRING_EQUAL (larder_text_size (33449574, t), "31.9 MiB");
    CU_ASSERT_STRING_EQUAL (larder_text_size (152u << 20, t), "152 MiB");
    CU_ASSERT_STRING_EQUAL (larder_text_size ((UINT64_C (1) << 20) - 1, t), "1 MiB");
    CU_ASSERT_STRING_EQUAL (larder_text_size (UINT64_MAX, t), "16 EiB");
}

static void test_rates_and_times (void)
{
    char t[LARDER_TEXT_ROOM];
    CU_ASSERT_STRING_EQUAL (larder_text_rate (100u << 20, 2, t), "50 MiB/s");
    CU_ASSERT_STRING_EQUAL (larder_text_rate (10, 1, t), "10 B/s");
    CU_ASSERT_STRING_EQUAL (larder_text_rate (10, 0, t), "-");
    CU_ASSERT_STRING_EQUAL (larder_text_clock (7, t), "0:07");
    CU_ASSERT_STRING_EQUAL (larder_text_clock (750, t), "12:30");
    CU_ASSERT_STRING_EQUAL (larder_text_clock (11100, t), "3:05:00");
    CU_ASSERT_STRING_EQUAL (larder_text_clock (-1, t), "-:--");
    CU_ASSERT_STRING_EQUAL (larder_text_basename ("/a/b.nc"), "b.nc");
    CU_ASSERT_STRING_EQUAL (larder_text_basename ("b.nc"), "b.nc");
}

static struct larder_bar_view half (void)
{
    return (struct larder_bar_view){.name = "coast.nc",
                                    .bytes = 64u << 20,
                                    .done = 32u << 20,
                                    .seconds = 4,
                                    .slowest_rank = 3,
                                    .slowest = "n1"};
}

static void test_line (void)
{
    char line[256];
    struct larder_bar_view view = half ();
    size_t n = larder_bar_line (&view, 140, line, sizeof line);
    CU_ASSERT_EQUAL (n, strlen (line));
    CU_ASSERT_PTR_NOT_NULL (strstr (line, "coast.nc"));
    CU_ASSERT_PTR_NOT_NULL (strstr (line, " 50 %"));
    CU_ASSERT_PTR_NOT_NULL (strstr (line, "32 MiB of 64 MiB"));
    CU_ASSERT_PTR_NOT_NULL (strstr (line, "8 MiB/s"));
    CU_ASSERT_PTR_NOT_NULL (strstr (line, "ETA 0:04"));
    CU_ASSERT_PTR_NOT_NULL (strstr (line, "slowest: rank 3 (n1)"));
    CU_ASSERT_PTR_NOT_NULL (strstr (line, "[=="));
}

/* Whatever the width, the line fits into it; the percentage goes last. */
static void test_widths (void)
{
    char line[256];
    struct larder_bar_view view = half ();
    for (int width = 0; width < 250; ++width) {
        size_t n = larder_bar_line (&view, width, line, sizeof line);
        CU_ASSERT (n <= (width > 1 ? (size_t)width - 1 : 0));
        CU_ASSERT_EQUAL (n, strlen (line));
        if (width > 6)
            CU_ASSERT_PTR_NOT_NULL (strstr (line, "50 %"));
    }
    CU_ASSERT_EQUAL (larder_bar_line (&view, 200, line, 10) < 10, 1);
    CU_ASSERT_EQUAL (larder_bar_line (&view, 200, line, 0), 0);
}

static void test_unknown (void)
{
    char line[256];
    struct larder_bar_view view = half ();
    view.bytes = 0;
    view.slowest_rank = -1;
    (void)larder_bar_line (&view, 120, line, sizeof line);
    CU_ASSERT_PTR_NULL (strchr (line, '%'));
    CU_ASSERT_PTR_NULL (strstr (line, "ETA"));
    CU_ASSERT_PTR_NULL (strstr (line, "slowest"));
    CU_ASSERT_PTR_NOT_NULL (strstr (line, "32 MiB"));
    view.bytes = 10; /* more than all is all */
    (void)larder_bar_line (&view, 120, line, sizeof line);
    CU_ASSERT_PTR_NOT_NULL (strstr (line, "100 %"));
}

static void test_due (void)
{
    struct larder_bar_view view = half ();
    struct larder_bar bar = {.mode = LARDER_BAR_TERMINAL, .shown = 1, .last_s = 3.95};
    CU_ASSERT_EQUAL (larder_bar_due (&bar, &view), 0);
    bar.last_s = 3.89;
    CU_ASSERT_EQUAL (larder_bar_due (&bar, &view), 1);
    bar = (struct larder_bar){.mode = LARDER_BAR_LINES, .last_s = 3, .last_tenth = 5};
    CU_ASSERT_EQUAL (larder_bar_due (&bar, &view), 0);
    bar.last_tenth = 4;
    CU_ASSERT_EQUAL (larder_bar_due (&bar, &view), 1);
    bar.last_tenth = 5;
    bar.last_s = 1.9;
    CU_ASSERT_EQUAL (larder_bar_due (&bar, &view), 1);
    bar.mode = LARDER_BAR_OFF;
    CU_ASSERT_EQUAL (larder_bar_due (&bar, &view), 0);
}

static void test_choose (void)
{
    CU_ASSERT_EQUAL (larder_bar_choose (0, 1, "xterm"), LARDER_BAR_TERMINAL);
    CU_ASSERT_EQUAL (larder_bar_choose (1, 1, "xterm"), LARDER_BAR_TERMINAL);
    CU_ASSERT_EQUAL (larder_bar_choose (0, 1, "dumb"), LARDER_BAR_OFF);
    CU_ASSERT_EQUAL (larder_bar_choose (0, 1, NULL), LARDER_BAR_OFF);
    CU_ASSERT_EQUAL (larder_bar_choose (0, 0, "xterm"), LARDER_BAR_OFF);
    CU_ASSERT_EQUAL (larder_bar_choose (1, 0, NULL), LARDER_BAR_LINES);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"sizes", test_sizes},          {"rates and times", test_rates_and_times},
        {"the line", test_line},        {"every width", test_widths},
        {"unknown size", test_unknown}, {"when to draw", test_due},
        {"how to draw", test_choose},   {NULL, NULL}};
    return larder_test_main ("larder_bar", tests);
}
