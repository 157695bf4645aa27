/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_args.h"
#include <larder/config.h>
#include <stdlib.h>
#include <string.h>

/* A walk over argv. */
struct walk {
    int argc;
    char *const *argv;
    int at;            /* next argument */
    const char *value; /* text after '=' in --option=value, NULL if there is none */
    char name[40];     /* the option without its value */
};

static int usage (larder_error *err, const char *what, const char *which)
{
    return larder_error_set (err, LARDER_EINVAL, 0, "%s '%s'", what, which);
}

/* Split --option=value. */
static void split_option (struct walk *w, const char *arg)
{
    const char *equals = strncmp (arg, "--", 2) == 0 ? strchr (arg, '=') : NULL;
    size_t length = equals ? (size_t)(equals - arg) : strlen (arg);
    if (length >= sizeof w->name)
        length = sizeof w->name - 1;
    memcpy (w->name, arg, length);
    w->name[length] = '\0';
    w->value = equals ? equals + 1 : NULL;
}

static int option_value (struct walk *w, const char **value, larder_error *err)
{
    if (!w->value && w->at < w->argc)
        w->value = w->argv[w->at++];
    if (!w->value || !*w->value)
        return usage (err, "no value after", w->name);
    *value = w->value;
    w->value = NULL;
    return LARDER_OK;
}

static int size_value (struct walk *w, uint64_t *size, larder_error *err)
{
    const char *text = "";
    uint64_t bytes;
    int rc = option_value (w, &text, err);
    if (rc != LARDER_OK)
        return rc;
    larder_error why = {0};
    rc = larder_config_size (text, &bytes, &why);
    if (rc != LARDER_OK)
        return larder_error_set (err, rc, 0, "%s '%s': %s", w->name, text, why.text);
    if (bytes == 0)
        return larder_error_set (err, LARDER_ERANGE, 0, "%s '%s': must not be 0", w->name, text);
    *size = bytes;
    return LARDER_OK;
}

static int time_value (struct walk *w, double *seconds, larder_error *err)
{
    const char *text = "";
    double s;
    int rc = option_value (w, &text, err);
    if (rc != LARDER_OK)
        return rc;
    larder_error why = {0};
    rc = larder_config_duration (text, &s, &why);
    if (rc != LARDER_OK)
        return larder_error_set (err, rc, 0, "%s '%s': %s", w->name, text, why.text);
    if (!(s > 0))
        return larder_error_set (err, LARDER_ERANGE, 0, "%s '%s': must not be 0", w->name, text);
    *seconds = s;
    return LARDER_OK;
}

static int per_value (struct walk *w, struct larder_args *args, larder_error *err)
{
    const char *text = "";
    int rc = option_value (w, &text, err);
    if (rc != LARDER_OK)
        return rc;
    if (strcmp (text, "node") != 0 && strcmp (text, "rank") != 0)
        return usage (err, "--per takes node or rank, not", text);
    args->per_rank = strcmp (text, "rank") == 0;
    return LARDER_OK;
}

static int dataset_value (struct walk *w, struct larder_args *args, larder_error *err)
{
    const char *text = "";
    int rc = option_value (w, &text, err);
    if (rc != LARDER_OK)
        return rc;
    if (!args->datasets) /* there cannot be more than arguments */
        args->datasets = calloc ((size_t)w->argc, sizeof *args->datasets);
    if (!args->datasets)
        return larder_error_set (err, LARDER_ENOMEM, 0, "out of memory");
    args->datasets[args->dataset_count++] = text;
    return LARDER_OK;
}

static int progress_flag (struct larder_args *args, enum larder_args_progress wanted,
                          larder_error *err)
{
    if (args->progress != LARDER_ARGS_AUTO && args->progress != wanted)
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "--progress and --quiet exclude each other");
    args->progress = wanted;
    return LARDER_OK;
}

static int repeats_value (struct walk *w, struct larder_args *args, larder_error *err)
{
    const char *text = "";
    int rc = option_value (w, &text, err);
    if (rc != LARDER_OK)
        return rc;
    char *end = NULL;
    long n = strtol (text, &end, 10);
    if (*end)
        return usage (err, "--repeats takes a number, not", text);
    if (n < 1 || n > LARDER_ARGS_REPEATS)
        return larder_error_set (err, LARDER_ERANGE, 0, "--repeats '%s': must be 1 to %d", text,
                                 LARDER_ARGS_REPEATS);
    args->repeats = (int)n;
    return LARDER_OK;
}

/* Options that stage and bench have.  Returns LARDER_AGAIN when it is none of them. */
static int common_option (struct walk *w, struct larder_args *args, larder_error *err)
{
    if (strcmp (w->name, "--dataset") == 0)
        return dataset_value (w, args, err);
    if (strcmp (w->name, "--chunk-size") == 0)
        return size_value (w, &args->chunk_size, err);
    if (strcmp (w->name, "--cache-size") == 0)
        return size_value (w, &args->cache_size, err);
    if (strcmp (w->name, "--timeout") == 0)
        return time_value (w, &args->timeout_s, err);
    if (strcmp (w->name, "--json") == 0) {
        args->json = 1;
        return option_value (w, &args->json_file, err);
    }
    if (strcmp (w->name, "--progress") == 0)
        return progress_flag (args, LARDER_ARGS_SHOW, err);
    if (strcmp (w->name, "--quiet") == 0)
        return progress_flag (args, LARDER_ARGS_QUIET, err);
    return LARDER_AGAIN;
}

static int stage_option (struct walk *w, struct larder_args *args, larder_error *err)
{
    int rc = common_option (w, args, err);
    if (rc != LARDER_AGAIN)
        return rc;
    if (strcmp (w->name, "--per") == 0)
        return per_value (w, args, err);
    if (strcmp (w->name, "--with-targets") == 0)
        args->with_targets = 1;
    else if (strcmp (w->name, "--verify") == 0)
        args->verify = 1;
    else if (strcmp (w->name, "--force") == 0)
        args->force = 1;
    else
        return usage (err, "unknown option", w->name);
    return LARDER_OK;
}

static int bench_option (struct walk *w, struct larder_args *args, larder_error *err)
{
    int rc = common_option (w, args, err);
    if (rc != LARDER_AGAIN)
        return rc;
    if (strcmp (w->name, "--size") == 0)
        return size_value (w, &args->size, err);
    if (strcmp (w->name, "--repeats") == 0)
        return repeats_value (w, args, err);
    return usage (err, "unknown option", w->name);
}

static int info_option (struct walk *w, struct larder_args *args, larder_error *err)
{
    if (strcmp (w->name, "--json") != 0)
        return usage (err, "unknown option", w->name);
    args->json = 1;
    if (!w->value && w->at < w->argc && (w->argv[w->at][0] != '-' || !w->argv[w->at][1]))
        w->value = w->argv[w->at++];
    args->json_file = w->value;
    w->value = NULL;
    return LARDER_OK;
}

static int operand (struct larder_args *args, const char *arg, larder_error *err)
{
    if (args->command == LARDER_ARGS_INFO || args->dest ||
        (args->command == LARDER_ARGS_BENCH && args->src))
        return usage (err, "unexpected argument", arg);
    if (!*arg)
        return larder_error_set (err, LARDER_EINVAL, 0, "%s is empty", args->src ? "DEST" : "SRC");
    if (!args->src)
        args->src = arg;
    else
        args->dest = arg;
    return LARDER_OK;
}

static int check_stage (const struct larder_args *args, larder_error *err)
{
    if (!args->src || !args->dest)
        return larder_error_set (err, LARDER_EINVAL, 0, "%s is missing",
                                 args->src ? "DEST" : "SRC and DEST are");
    if (args->with_targets && args->dataset_count == 0)
        return larder_error_set (err, LARDER_EINVAL, 0, "--with-targets needs --dataset");
    return LARDER_OK;
}

static int check_bench (const struct larder_args *args, larder_error *err)
{
    if (args->dataset_count > 0 && !args->src)
        return larder_error_set (err, LARDER_EINVAL, 0, "--dataset needs SRC");
    if (args->dataset_count > 1)
        return larder_error_set (err, LARDER_EINVAL, 0, "--dataset can be given once");
    return LARDER_OK;
}

/* What can only be said when all arguments have been read. */
static int check (const struct larder_args *args, larder_error *err)
{
    int rc = args->command == LARDER_ARGS_STAGE   ? check_stage (args, err)
             : args->command == LARDER_ARGS_BENCH ? check_bench (args, err)
                                                  : LARDER_OK;
    if (rc != LARDER_OK)
        return rc;
    /* One of them alone meets the environment or the default: larder_open judges that. */
    if (args->chunk_size && args->cache_size && args->chunk_size > args->cache_size / 4)
        return larder_error_set (err, LARDER_ERANGE, 0,
                                 "--chunk-size is more than a quarter of --cache-size (%llu of "
                                 "%llu bytes)",
                                 (unsigned long long)args->chunk_size,
                                 (unsigned long long)args->cache_size);
    return LARDER_OK;
}

static int parse_rest (struct walk *w, struct larder_args *args, larder_error *err)
{
    int only_operands = 0;
    while (w->at < w->argc) {
        const char *arg = w->argv[w->at++];
        int rc;
        if (only_operands || arg[0] != '-' || !arg[1]) {
            rc = operand (args, arg, err);
        } else if (strcmp (arg, "--") == 0) {
            only_operands = 1;
            continue;
        } else if (strcmp (arg, "--help") == 0 || strcmp (arg, "-h") == 0) {
            args->command = LARDER_ARGS_HELP;
            return LARDER_OK;
        } else {
            split_option (w, arg);
            rc = args->command == LARDER_ARGS_STAGE   ? stage_option (w, args, err)
                 : args->command == LARDER_ARGS_BENCH ? bench_option (w, args, err)
                                                      : info_option (w, args, err);
            if (rc == LARDER_OK && w->value)
                rc = usage (err, "no value is allowed for", w->name);
        }
        if (rc != LARDER_OK)
            return rc;
    }
    return check (args, err);
}

/* LARDER_ARGS_HELP: no command that has a help of its own. */
static enum larder_args_command command_of (const char *word)
{
    static const struct {
        const char *word;
        enum larder_args_command command;
    } commands[] = {
        {"stage", LARDER_ARGS_STAGE}, {"bench", LARDER_ARGS_BENCH}, {"info", LARDER_ARGS_INFO}};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; ++i)
        if (strcmp (word, commands[i].word) == 0)
            return commands[i].command;
    return LARDER_ARGS_HELP;
}

/* larder help [TOPIC], --help, --version: nothing may follow but a topic. */
static int parse_plain (struct walk *w, struct larder_args *args, larder_error *err)
{
    if (args->command == LARDER_ARGS_HELP && w->at < w->argc) {
        const char *topic = w->argv[w->at++];
        if (command_of (topic) == LARDER_ARGS_HELP)
            return usage (err, "no help on", topic);
        args->topic = topic;
    }
    if (w->at < w->argc)
        return usage (err, "unexpected argument", w->argv[w->at]);
    return LARDER_OK;
}

int larder_args_parse (int argc, char *const *argv, struct larder_args *args, larder_error *err)
{
    struct walk w = {.argc = argc, .argv = argv, .at = 2};
    memset (args, 0, sizeof *args);
    args->topic = "";
    args->size = UINT64_C (512) << 20;
    args->repeats = 5;
    if (argc < 2)
        return larder_error_set (err, LARDER_EINVAL, 0, "no command was given");
    const char *command = argv[1];
    if (command_of (command) != LARDER_ARGS_HELP) {
        args->command = command_of (command);
        args->topic = command;
        return parse_rest (&w, args, err);
    }
    if (strcmp (command, "help") == 0 || strcmp (command, "--help") == 0 ||
        strcmp (command, "-h") == 0)
        args->command = LARDER_ARGS_HELP;
    else if (strcmp (command, "--version") == 0)
        args->command = LARDER_ARGS_VERSION;
    else
        return usage (err, command[0] == '-' ? "unknown option" : "unknown command", command);
    return parse_plain (&w, args, err);
}

void larder_args_free (struct larder_args *args)
{
    free (args->datasets);
    args->datasets = NULL;
    args->dataset_count = 0;
}

uint64_t larder_args_hash (int argc, char *const *argv)
{
    uint64_t hash = UINT64_C (0xcbf29ce484222325); /* FNV-1a: small, and good enough for equality */
    for (int i = 1; i < argc; ++i) {
        const unsigned char *p = (const unsigned char *)argv[i];
        do { /* the final zero too, so that "a b" and "ab" differ */
            hash = (hash ^ *p) * UINT64_C (0x100000001b3);
        } while (*p++);
    }
    return hash;
}
