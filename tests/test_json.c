/* SPDX-License-Identifier: Apache-2.0 */
/* JSON texts and files, and the report of larder stage. */
#define _GNU_SOURCE
#include "larder_json.h"
#include "larder_report.h"
#include "larder_test.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void test_values (void)
{
    struct larder_json json = {0};
    larder_json_object (&json, NULL);
    larder_json_number (&json, "big", UINT64_MAX);
    larder_json_integer (&json, "low", -3);
    larder_json_real (&json, "half", 0.5);
    larder_json_bool (&json, "yes", 7);
    larder_json_string (&json, "none", NULL);
    larder_json_array (&json, "empty");
    larder_json_end_array (&json);
    larder_json_array (&json, "two");
    larder_json_integer (&json, NULL, 1);
    larder_json_integer (&json, NULL, 2);
    larder_json_end_array (&json);
    larder_json_end_object (&json);
    CU_ASSERT_STRING_EQUAL (larder_json_result (&json),
                            "{\n  \"big\": 18446744073709551615,\n  \"low\": -3,\n"
                            "  \"half\": 0.500000,\n  \"yes\": true,\n  \"none\": null,\n"
                            "  \"empty\": [],\n  \"two\": [\n    1,\n    2\n  ]\n}\n");
    larder_json_free (&json);
    CU_ASSERT_PTR_NULL (json.text);
}

static void quoted (const char *value, const char *expected)
{
    struct larder_json json = {0};
    larder_json_string (&json, NULL, value);
    const char *text = larder_json_result (&json);
    CU_ASSERT_EQUAL (strncmp (text, expected, strlen (expected)), 0);
    CU_ASSERT_EQUAL (strlen (text), strlen (expected) + 1);
    larder_json_free (&json);
}

static void test_strings (void)
{
    quoted ("plain", "\"plain\"");
    quoted ("a\"b\\c", "\"a\\\"b\\\\c\"");
    quoted ("line\nend\t\x7f", "\"line\\u000aend\\u0009\\u007f\"");
    quoted ("M\xc3\xa4rz \xe2\x82\xac \xf0\x9f\x8c\x8a",
            "\"M\xc3\xa4rz \xe2\x82\xac \xf0\x9f\x8c\x8a\"");
    quoted ("latin \xe4 end", "\"latin \\ufffd end\"");
    quoted ("cut \xe2\x82", "\"cut \\ufffd\\ufffd\"");
    quoted ("overlong \xc0\xaf", "\"overlong \\ufffd\\ufffd\"");
    quoted ("surrogate \xed\xa0\x80", "\"surrogate \\ufffd\\ufffd\\ufffd\"");
}

static int entries (const char *folder)
{
    DIR *dir = opendir (folder);
    int count = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL (dir);
    for (struct dirent *e = readdir (dir); e; e = readdir (dir))
        count += strcmp (e->d_name, ".") != 0 && strcmp (e->d_name, "..") != 0;
    (void)closedir (dir);
    return count;
}

/* A saved text is there whole, alone, and replaces what stood there; a failed one leaves nothing. */
static void test_save (void)
{
    char folder[] = "/tmp/larder-json-XXXXXX", path[64], back[64] = "";
    larder_error err = {0};
    CU_ASSERT_PTR_NOT_NULL_FATAL (mkdtemp (folder));
    (void)snprintf (path, sizeof path, "%s/o.json", folder);
    for (int i = 0; i < 2; ++i) {
        struct larder_json json = {0};
        larder_json_integer (&json, NULL, 40 + i);
        CU_ASSERT_EQUAL (larder_json_save (&json, path, &err), LARDER_OK);
        larder_json_free (&json);
    }
    CU_ASSERT_EQUAL (entries (folder), 1);
    FILE *in = fopen (path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL (in);
    CU_ASSERT_PTR_NOT_NULL (fgets (back, sizeof back, in));
    (void)fclose (in);
    CU_ASSERT_STRING_EQUAL (back, "41\n");
    (void)unlink (path);
    (void)snprintf (path, sizeof path, "%s/none/o.json", folder);
    struct larder_json json = {0};
    larder_json_integer (&json, NULL, 1);
    CU_ASSERT_EQUAL (larder_json_save (&json, path, &err), LARDER_EIO);
    CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "none/o.json"));
    larder_json_free (&json);
    CU_ASSERT_EQUAL (entries (folder), 0);
    (void)rmdir (folder);
}

static void summary_is (const struct larder_report *report, int per_rank, const char *expected)
{
    struct larder_args args = {.src = "/data/coast.nc", .dest = "/tmp/x", .per_rank = per_rank};
    char line[512];
    larder_report_summary (report, &args, line, sizeof line);
    CU_ASSERT_STRING_EQUAL (line, expected);
    if (strcmp (line, expected) != 0)
        printf ("got: %s\n", line);
}

static void test_summary (void)
{
    struct larder_report r = {.nodes = 2,
                              .ranks = 8,
                              .writers = 2,
                              .candidates = 2,
                              .items = 128,
                              .bytes = 33449574,
                              .seconds = 0.21,
                              .verified = 1};
    summary_is (&r, 0,
                "staged coast.nc (31.9 MiB) to 2 nodes in 0.21 s (152 MiB/s each), 128 items, "
                "verified");
    r.verified = 0;
    r.writers = r.candidates = 8;
    summary_is (&r, 1,
                "staged coast.nc (31.9 MiB) to 8 ranks in 0.21 s (152 MiB/s each), 128 items");
    r.writers = 1;
    r.candidates = 2;
    summary_is (&r, 0,
                "staged coast.nc (31.9 MiB) once for 2 nodes, which share its file system, in "
                "0.21 s (152 MiB/s each), 128 items");
    r.writers = 2;
    r.candidates = r.nodes = 5;
    summary_is (&r, 0,
                "staged coast.nc (31.9 MiB) 2 times for 5 nodes, some of which share a file "
                "system, in 0.21 s (152 MiB/s each), 128 items");
}

int main (void)
{
    static const struct larder_test tests[] = {{"values", test_values},
                                               {"strings", test_strings},
                                               {"files", test_save},
                                               {"summary", test_summary},
                                               {NULL, NULL}};
    return larder_test_main ("larder_json", tests);
}
