/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_report.h"
#include "larder_json.h"
#include "larder_text.h"
#include <larder/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void larder_report_note (struct larder_report *report, const char *line)
{
    char **more = realloc (report->notes, (size_t)(report->note_count + 1) * sizeof *more);
    if (!more)
        return;
    report->notes = more;
    char *copy = strdup (line);
    if (copy)
        report->notes[report->note_count++] = copy;
}

void larder_report_free (struct larder_report *report)
{
    for (int i = 0; i < report->note_count; ++i)
        free (report->notes[i]);
    free (report->notes);
    free (report->failed);
    memset (report, 0, sizeof *report);
}

static const char *plural (int count)
{
    return count == 1 ? "" : "s";
}

/* Where it went: "to 2 nodes", "once for 4 nodes, which share its file system". */
static void place_text (const struct larder_report *report, const struct larder_args *args,
                        char *text, size_t room)
{
    int n = args->per_rank ? report->ranks : report->nodes;
    const char *unit = args->per_rank ? "rank" : "node";
    if (report->writers == report->candidates)
        (void)snprintf (text, room, "to %d %s%s", n, unit, plural (n));
    else if (report->writers == 1)
        (void)snprintf (text, room, "once for %d %s%s, which share its file system,", n, unit,
                        plural (n));
    else
        (void)snprintf (text, room, "%d times for %d %s%s, some of which share a file system,",
                        report->writers, n, unit, plural (n));
}

void larder_report_summary (const struct larder_report *report, const struct larder_args *args,
                            char *line, size_t room)
{
    char size[LARDER_TEXT_ROOM], rate[LARDER_TEXT_ROOM], place[160];
    place_text (report, args, place, sizeof place);
    (void)snprintf (line, room, "staged %s (%s) %s in %.2f s (%s each), %llu item%s%s",
                    larder_text_basename (args->src), larder_text_size (report->bytes, size), place,
                    report->seconds, larder_text_rate (report->bytes, report->seconds, rate),
                    (unsigned long long)report->items, report->items == 1 ? "" : "s",
                    report->verified ? ", verified" : "");
}

static void put_arguments (struct larder_json *json, const struct larder_args *args)
{
    larder_json_string (json, "src", args->src);
    larder_json_string (json, "dest", args->dest);
    larder_json_array (json, "datasets");
    for (int i = 0; i < args->dataset_count; ++i)
        larder_json_string (json, NULL, args->datasets[i]);
    larder_json_end_array (json);
    larder_json_string (json, "per", args->per_rank ? "rank" : "node");
}

static void put_figures (struct larder_json *json, const struct larder_report *report)
{
    larder_json_integer (json, "nodes", report->nodes);
    larder_json_integer (json, "ranks", report->ranks);
    larder_json_integer (json, "writers", report->writers);
    larder_json_bool (json, "shared_dest", report->writers < report->candidates);
    larder_json_number (json, "items", report->items);
    larder_json_number (json, "produced", report->produced);
    larder_json_number (json, "reproduced", report->reproduced);
    larder_json_number (json, "bytes", report->bytes);
    larder_json_real (json, "seconds", report->seconds);
    larder_json_number (json, "bytes_from_owner", report->bytes_from_owner);
    larder_json_number (json, "retries", report->retries);
    larder_json_number (json, "checksum_errors", report->checksum_errors);
    larder_json_number (json, "peak_cache_bytes", report->peak_cache_bytes);
    larder_json_array (json, "failed_receivers");
    for (int i = 0; i < report->failed_count; ++i)
        larder_json_integer (json, NULL, report->failed[i]);
    larder_json_end_array (json);
    larder_json_bool (json, "verified", report->verified);
    larder_json_array (json, "notes");
    for (int i = 0; i < report->note_count; ++i)
        larder_json_string (json, NULL, report->notes[i]);
    larder_json_end_array (json);
}

int larder_report_save (const struct larder_report *report, const struct larder_args *args,
                        int code, const larder_error *why, larder_error *err)
{
    struct larder_json json = {0};
    larder_json_object (&json, NULL);
    larder_json_string (&json, "version", LARDER_VERSION_STRING);
    larder_json_string (&json, "mpi", report->mpi);
    larder_json_string (&json, "transport", report->transport);
    put_arguments (&json, args);
    put_figures (&json, report);
    larder_json_integer (&json, "code", code);
    if (why) {
        larder_json_object (&json, "error");
        larder_json_string (&json, "name", larder_code_name (why->code));
        larder_json_integer (&json, "rank", why->rank);
        larder_json_string (&json, "text", why->text);
        larder_json_end_object (&json);
    } else {
        larder_json_string (&json, "error", NULL);
    }
    larder_json_end_object (&json);
    int rc = larder_json_save (&json, args->json_file, err);
    larder_json_free (&json);
    return rc;
}
