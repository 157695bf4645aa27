/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_mpienv.h"
#include <dirent.h>
#include <mpi.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *first_set (const char *const *names)
{
    for (; *names; ++names) {
        const char *value = getenv (*names);
        if (value && *value)
            return value;
    }
    return NULL;
}

int larder_mpienv_launched (void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE",
                                        NULL};
    return first_set (names) != NULL;
}

int larder_mpienv_rank (void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK",
                                        "SLURM_PROCID", NULL};
    const char *value = first_set (names);
    return value ? (int)strtol (value, NULL, 10) : 0;
}

struct larder_mpienv_choice larder_mpienv_choose (const struct larder_mpienv_facts *facts)
{
    struct larder_mpienv_choice choice = {0, 0};
    /* Debian's Open MPI 4 excludes pt2pt, the one component whose windows work over Ethernet;
     * Open MPI 5 no longer has it, and faster hardware has a component of its own. */
    int open_mpi_4 = strstr (facts->library, "Open MPI v4.") != NULL;
    int open_mpi = strstr (facts->library, "Open MPI v") != NULL;
    choice.osc = open_mpi_4 && !facts->osc && !facts->infiniband;
    choice.yield = open_mpi && !facts->yield && facts->local_ranks > facts->cores;
    return choice;
}

static int has_infiniband (void)
{
    DIR *dir = opendir ("/sys/class/infiniband");
    int found = 0;
    if (!dir)
        return 0;
    for (struct dirent *entry = readdir (dir); entry && !found; entry = readdir (dir))
        found = entry->d_name[0] != '.';
    (void)closedir (dir);
    return found;
}

/* mpirun says how many ranks it put here; Slurm writes "4(x2),3" for 4, 4 and 3: the first number
 * is close enough for a setting that only matters when the cores are over-filled. */
static int local_ranks (void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS",
                                        "SLURM_STEP_TASKS_PER_NODE", NULL};
    const char *value = first_set (names);
    return value ? (int)strtol (value, NULL, 10) : 0;
}

static const char *library_version (void)
{
    static char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length = 0;
    if (!text[0] && MPI_Get_library_version (text, &length) != MPI_SUCCESS)
        (void)strcpy (text, "unknown MPI library");
    return text;
}

struct larder_mpienv_choice larder_mpienv_prepare (void)
{
    struct larder_mpienv_facts facts = {.library = library_version (),
                                        .osc = getenv ("OMPI_MCA_osc"),
                                        .yield = getenv ("OMPI_MCA_mpi_yield_when_idle"),
                                        .infiniband = has_infiniband (),
                                        .local_ranks = local_ranks (),
                                        .cores = (int)sysconf (_SC_NPROCESSORS_ONLN)};
    struct larder_mpienv_choice choice = larder_mpienv_choose (&facts);
    if (choice.osc && setenv ("OMPI_MCA_osc", "sm,pt2pt", 0) != 0)
        choice.osc = 0;
    if (choice.yield && setenv ("OMPI_MCA_mpi_yield_when_idle", "1", 0) != 0)
        choice.yield = 0;
    return choice;
}

const char *larder_mpienv_library (void)
{
    static char text[128];
    if (!text[0]) {
        const char *from = library_version ();
        size_t length = 0; /* blanks are folded: MPICH puts its version in columns */
        for (; *from && !strchr (",\n\r", *from) && length < sizeof text - 1; ++from)
            if ((*from != ' ' && *from != '\t') || from[1] > ' ')
                text[length++] = *from == '\t' ? ' ' : *from;
        text[length] = '\0';
    }
    return text;
}
