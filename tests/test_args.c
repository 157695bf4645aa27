/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: what is accepted, what is refused, and with which words. */
#include "larder_args.h"
#include "larder_help.h"
#include "larder_test.h"
#include <string.h>

enum { MOST = 16 };

/* Parse the words of a line, split at blanks. */
static int parse (const char *line, struct larder_args *args, larder_error *err)
{
    static char text[512];
    static char *words[MOST + 1];
    int count = 0;
    strncpy (text, line, sizeof text - 1);
    for (char *word = strtok (text, " "); word && count < MOST; word = strtok (NULL, " "))
        words[count++] = word;
    words[count] = NULL;
    memset (err, 0, sizeof *err);
    return larder_args_parse (count, words, args, err);
}

/* Refused, with this text somewhere in the reason. */
static void refused (const char *line, const char *reason)
{
    struct larder_args args;
    larder_error err;
    CU_ASSERT (parse (line, &args, &err) < 0);
    CU_ASSERT_PTR_NOT_NULL (strstr (err.text, reason));
    CU_ASSERT_PTR_NULL (strchr (err.text, '\n'));
    if (!strstr (err.text, reason))
        printf ("'%s': '%s' lacks '%s'\n", line, err.text, reason);
    larder_args_free (&args);
}

static void test_stage_everything (void)
{
    struct larder_args args;
    larder_error err;
    int rc = parse ("larder stage --dataset /a in.h5 --dataset=/b out.h5 --with-targets --per rank "
                    "--chunk-size 64KiB --cache-size=4M --timeout 5m",
                    &args, &err);
    CU_ASSERT_EQUAL_FATAL (rc, LARDER_OK);
    CU_ASSERT_EQUAL (args.command, LARDER_ARGS_STAGE);
    CU_ASSERT_STRING_EQUAL (args.src, "in.h5");
    CU_ASSERT_STRING_EQUAL (args.dest, "out.h5");
    CU_ASSERT_EQUAL_FATAL (args.dataset_count, 2);
    CU_ASSERT_STRING_EQUAL (args.datasets[0], "/a");
    CU_ASSERT_STRING_EQUAL (args.datasets[1], "/b");
    CU_ASSERT_EQUAL (args.with_targets, 1);
    CU_ASSERT_EQUAL (args.per_rank, 1);
    CU_ASSERT_EQUAL (args.chunk_size, 65536);
    CU_ASSERT_EQUAL (args.cache_size, 4194304);
    CU_ASSERT_DOUBLE_EQUAL (args.timeout_s, 300, 1e-9);
    CU_ASSERT_EQUAL (args.verify, 0);
    larder_args_free (&args);
}

static void test_stage_flags (void)
{
    struct larder_args args;
    larder_error err;
    CU_ASSERT_EQUAL (parse ("larder stage a b --verify --force --quiet --json -", &args, &err),
                     LARDER_OK);
    CU_ASSERT_EQUAL (args.verify, 1);
    CU_ASSERT_EQUAL (args.force, 1);
    CU_ASSERT_EQUAL (args.progress, LARDER_ARGS_QUIET);
    CU_ASSERT_EQUAL (args.json, 1);
    CU_ASSERT_STRING_EQUAL (args.json_file, "-");
    CU_ASSERT_EQUAL (args.per_rank, 0);
    CU_ASSERT_EQUAL (args.chunk_size, 0);
    larder_args_free (&args);
    CU_ASSERT_EQUAL (parse ("larder stage -- --a -b", &args, &err), LARDER_OK);
    CU_ASSERT_STRING_EQUAL (args.src, "--a");
    CU_ASSERT_STRING_EQUAL (args.dest, "-b");
    larder_args_free (&args);
}

static void test_stage_refused (void)
{
    refused ("larder", "no command");
    refused ("larder stagge a b", "unknown command 'stagge'");
    refused ("larder --foo", "unknown option '--foo'");
    refused ("larder stage", "SRC and DEST");
    refused ("larder stage a", "DEST is missing");
    refused ("larder stage a b c", "unexpected argument 'c'");
    refused ("larder stage a b --foo", "unknown option '--foo'");
    refused ("larder stage a b --foo=1", "unknown option '--foo'");
    refused ("larder stage a b --force=1", "no value is allowed for '--force'");
    refused ("larder stage a b --per", "no value after '--per'");
    refused ("larder stage a b --per=", "no value after '--per'");
    refused ("larder stage a b --per core", "not 'core'");
    refused ("larder stage a b --chunk-size 0", "must not be 0");
    refused ("larder stage a b --chunk-size 12x", "--chunk-size '12x'");
    refused ("larder stage a b --chunk-size -5", "--chunk-size '-5'");
    refused ("larder stage a b --cache-size 0", "must not be 0");
    refused ("larder stage a b --cache-size 99999999999T", "--cache-size");
    refused ("larder stage a b --timeout 0", "must not be 0");
    refused ("larder stage a b --timeout soon", "--timeout 'soon'");
    refused ("larder stage a b --chunk-size 2M --cache-size 4M", "a quarter of --cache-size");
    refused ("larder stage a b --with-targets", "needs --dataset");
    refused ("larder stage a b --progress --quiet", "exclude each other");
    refused ("larder stage a b --json", "no value after '--json'");
    refused ("larder info here", "unexpected argument 'here'");
    refused ("larder info --verify", "unknown option '--verify'");
    refused ("larder help everything", "no help on 'everything'");
    refused ("larder --version now", "unexpected argument 'now'");
}

static void test_topics (void)
{
    struct larder_args args;
    larder_error err;
    CU_ASSERT (parse ("larder stage --foo", &args, &err) < 0);
    CU_ASSERT_STRING_EQUAL (args.topic, "stage");
    CU_ASSERT_EQUAL (parse ("larder stage a --help", &args, &err), LARDER_OK);
    CU_ASSERT_EQUAL (args.command, LARDER_ARGS_HELP);
    CU_ASSERT_STRING_EQUAL (args.topic, "stage");
    CU_ASSERT_EQUAL (parse ("larder help info", &args, &err), LARDER_OK);
    CU_ASSERT_EQUAL (args.command, LARDER_ARGS_HELP);
    CU_ASSERT_STRING_EQUAL (args.topic, "info");
    CU_ASSERT_EQUAL (parse ("larder -h", &args, &err), LARDER_OK);
    CU_ASSERT_STRING_EQUAL (args.topic, "");
    CU_ASSERT_EQUAL (parse ("larder --version", &args, &err), LARDER_OK);
    CU_ASSERT_EQUAL (args.command, LARDER_ARGS_VERSION);
}

static void test_info (void)
{
    struct larder_args args;
    larder_error err;
    CU_ASSERT_EQUAL (parse ("larder info", &args, &err), LARDER_OK);
    CU_ASSERT_EQUAL (args.json, 0);
    CU_ASSERT_EQUAL (parse ("larder info --json", &args, &err), LARDER_OK);
    CU_ASSERT_EQUAL (args.json, 1);
    CU_ASSERT_PTR_NULL (args.json_file);
    CU_ASSERT_EQUAL (parse ("larder info --json out.json", &args, &err), LARDER_OK);
    CU_ASSERT_STRING_EQUAL (args.json_file, "out.json");
    CU_ASSERT_EQUAL (parse ("larder info --json=o", &args, &err), LARDER_OK);
    CU_ASSERT_STRING_EQUAL (args.json_file, "o");
}

static void test_hash (void)
{
    char *a[] = {"/bin/larder", "stage", "ab", "c", NULL};
    char *b[] = {"larder", "stage", "ab", "c", NULL};
    char *c[] = {"larder", "stage", "a", "bc", NULL};
    CU_ASSERT_EQUAL (larder_args_hash (4, a), larder_args_hash (4, b));
    CU_ASSERT_NOT_EQUAL (larder_args_hash (4, b), larder_args_hash (4, c));
    CU_ASSERT_NOT_EQUAL (larder_args_hash (4, b), larder_args_hash (3, b));
}

/* Help names every option, and no line is wider than 100 columns. */
static void test_help (void)
{
    static const char *const options[] = {
        "--dataset", "--with-targets", "--per",   "--chunk-size", "--cache-size", "--timeout",
        "--verify",  "--force",        "--quiet", "--progress",   "--json",       "--help"};
    static const char *const topics[] = {"", "stage", "info"};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; ++i)
        CU_ASSERT_PTR_NOT_NULL (strstr (larder_help_text ("stage"), options[i]));
    for (size_t i = 0; i < 3; ++i) {
        const char *text = larder_help_text (topics[i]);
        CU_ASSERT_PTR_NOT_NULL (strstr (text, "Exit codes"));
        CU_ASSERT_PTR_NOT_NULL (strstr (text, "Environment"));
        while (*text) {
            size_t width = strcspn (text, "\n");
            CU_ASSERT (width <= 100);
            text += width + 1;
        }
    }
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"stage: every option with a value", test_stage_everything},
        {"stage: flags and --", test_stage_flags},
        {"refused lines name the word", test_stage_refused},
        {"help topics", test_topics},
        {"info", test_info},
        {"hash of the arguments", test_hash},
        {"help texts", test_help},
        {NULL, NULL}};
    return larder_test_main ("larder_args", tests);
}
