/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_info.h"
#include "larder_facts.h"
#include "larder_json.h"
#include "larder_text.h"
#include <larder/version.h>
#include <stdio.h>
#include <string.h>

enum { TABLE_LINES = 20 };

static void show_line (const char *name, const char *value)
{
    (void)printf ("%-22s %s\n", name, value);
}

static void show_size (const char *name, uint64_t bytes)
{
    char text[LARDER_TEXT_ROOM];
    show_line (name, bytes == UINT64_MAX ? "unlimited" : larder_text_size (bytes, text));
}

/* The node with the least room in /dev/shm. */
static const struct larder_facts_node *tightest (const struct larder_facts *facts)
{
    const struct larder_facts_node *least = &facts->nodes[0];
    for (int i = 1; i < facts->node_count; ++i)
        if (facts->nodes[i].shm_free < least->shm_free)
            least = &facts->nodes[i];
    return least;
}

static uint64_t least_memlock (const struct larder_facts *facts)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < facts->node_count; ++i)
        if (facts->nodes[i].memlock < least)
            least = facts->nodes[i].memlock;
    return least;
}

static void show_mpi (const struct larder_facts *facts)
{
    show_line ("larder", LARDER_VERSION_STRING);
    show_line ("MPI library", facts->mpi);
    show_line ("MPI standard", facts->mpi_standard);
    show_line ("thread level", facts->thread_level);
    show_line ("HDF5", facts->hdf5);
    show_line ("transport", facts->opened ? facts->session.transport : "none");
    show_line ("  because", facts->transport_reason);
    (void)printf ("%-22s %s%s\n", "OMPI_MCA_osc", facts->osc ? facts->osc : "(not set)",
                  facts->osc_set_here ? " (set by larder)" : "");
}

static void show_settings (const struct larder_facts *facts)
{
    char a[LARDER_TEXT_ROOM], b[LARDER_TEXT_ROOM];
    const struct larder_facts_node *least = tightest (facts);
    if (facts->opened) {
        const larder_session_info *s = &facts->session;
        show_size ("chunk size", s->chunk_size);
        (void)printf ("%-22s %s per node: %llu slots, and %s of control words\n", "cache size",
                      larder_text_size (s->cache_size, a), (unsigned long long)s->slot_count,
                      larder_text_size (s->control_size, b));
        show_size ("piece size", s->piece_size);
    }
    (void)printf ("%-22s %s free of %s, least on %s\n", "/dev/shm",
                  larder_text_size (least->shm_free, a), larder_text_size (least->shm_size, b),
                  least->host);
    show_size ("lockable memory", least_memlock (facts));
    for (int i = 0; i < facts->variable_count; ++i)
        show_line (i == 0 ? "environment" : "", facts->variables[i]);
}

static void show_nodes (const struct larder_facts *facts)
{
    (void)printf ("\n%d rank%s on %d node%s\n", facts->rank_count,
                  facts->rank_count == 1 ? "" : "s", facts->node_count,
                  facts->node_count == 1 ? "" : "s");
    (void)printf ("%6s  %-24s %6s  %10s  %12s\n", "node", "host", "ranks", "first rank",
                  "shm free");
    for (int i = 0; i < facts->node_count; ++i) {
        const struct larder_facts_node *n = &facts->nodes[i];
        char room[LARDER_TEXT_ROOM];
        if (i == TABLE_LINES - 1 && facts->node_count > TABLE_LINES) {
            (void)printf ("%6s\n", "...");
            break;
        }
        (void)printf ("%6d  %-24s %6d  %10d  %12s\n", n->node, n->host, n->ranks, n->first_rank,
                      larder_text_size (n->shm_free, room));
    }
}

static void show (const struct larder_facts *facts)
{
    show_mpi (facts);
    show_settings (facts);
    show_nodes (facts);
    for (int i = 0; i < facts->advice_count; ++i)
        (void)printf ("%sadvice: %s\n", i == 0 ? "\n" : "", facts->advice[i]);
    (void)fflush (stdout);
}

static void put_session (struct larder_json *json, const struct larder_facts *facts)
{
    const larder_session_info *s = &facts->session;
    larder_json_string (json, "transport", facts->opened ? s->transport : NULL);
    larder_json_string (json, "transport_reason", facts->transport_reason);
    larder_json_string (json, "ompi_mca_osc", facts->osc);
    larder_json_bool (json, "ompi_mca_osc_set_by_larder", facts->osc_set_here);
    larder_json_number (json, "chunk_size", facts->opened ? s->chunk_size : 0);
    larder_json_number (json, "cache_size", facts->opened ? s->cache_size : 0);
    larder_json_number (json, "piece_size", facts->opened ? s->piece_size : 0);
    larder_json_number (json, "control_size", facts->opened ? s->control_size : 0);
    larder_json_number (json, "slot_count", facts->opened ? s->slot_count : 0);
}

static void put_nodes (struct larder_json *json, const struct larder_facts *facts)
{
    larder_json_array (json, "node_list");
    for (int i = 0; i < facts->node_count; ++i) {
        const struct larder_facts_node *n = &facts->nodes[i];
        larder_json_object (json, NULL);
        larder_json_integer (json, "node", n->node);
        larder_json_string (json, "host", n->host);
        larder_json_integer (json, "ranks", n->ranks);
        larder_json_integer (json, "first_rank", n->first_rank);
        larder_json_number (json, "shm_size", n->shm_size);
        larder_json_number (json, "shm_free", n->shm_free);
        if (n->memlock == UINT64_MAX)
            larder_json_string (json, "memlock", NULL);
        else
            larder_json_number (json, "memlock", n->memlock);
        larder_json_end_object (json);
    }
    larder_json_end_array (json);
}

static int save (const struct larder_facts *facts, const char *path, larder_error *err)
{
    struct larder_json json = {0};
    larder_json_object (&json, NULL);
    larder_json_string (&json, "version", LARDER_VERSION_STRING);
    larder_json_string (&json, "mpi", facts->mpi);
    larder_json_string (&json, "mpi_standard", facts->mpi_standard);
    larder_json_string (&json, "thread_level", facts->thread_level);
    larder_json_string (&json, "hdf5", facts->hdf5);
    put_session (&json, facts);
    larder_json_integer (&json, "ranks", facts->rank_count);
    larder_json_integer (&json, "nodes", facts->node_count);
    put_nodes (&json, facts);
    larder_json_array (&json, "environment");
    for (int i = 0; i < facts->variable_count; ++i)
        larder_json_string (&json, NULL, facts->variables[i]);
    larder_json_end_array (&json);
    larder_json_array (&json, "advice");
    for (int i = 0; i < facts->advice_count; ++i)
        larder_json_string (&json, NULL, facts->advice[i]);
    larder_json_end_array (&json);
    larder_json_end_object (&json);
    int rc = larder_json_save (&json, path, err);
    larder_json_free (&json);
    return rc;
}

/* Rank 0: print or save.  Without a session the facts are shown all the same: they say why. */
static int tell (const struct larder_args *args, struct larder_facts *facts,
                 const struct larder_mpienv_choice *choice, larder_error *err)
{
    larder_facts_advise (facts, choice);
    int rc = LARDER_OK;
    if (args->json)
        rc = save (facts, args->json_file, err);
    else
        show (facts);
    if (rc == LARDER_OK && !facts->opened) {
        *err = facts->why;
        rc = facts->why.code;
    }
    return rc;
}

int larder_info_run (const struct larder_args *args, struct larder_team *team,
                     const struct larder_mpienv_choice *choice)
{
    struct larder_facts facts;
    larder_error err = {0};
    int rc = larder_facts_gather (team, choice, &facts, &err);
    if (rc == LARDER_OK && team->rank == 0)
        rc = tell (args, &facts, choice, &err);
    rc = larder_team_agree (team, rc, &err);
    if (rc != LARDER_OK)
        larder_team_print (team, &err);
    larder_facts_free (&facts);
    return rc == LARDER_OK ? 0 : 1;
}
