/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_help.h"
#include <larder/version.h>
#include <stdio.h>
#include <string.h>

static const char help_larder[] =
    "larder " LARDER_VERSION_STRING " - one rank reads, every node has it\n"
    "\n"
    "Usage:\n"
    "  mpirun [...] larder stage SRC DEST [options]    copy a file, or datasets of it, to every "
    "node\n"
    "  mpirun [...] larder info [--json [FILE]]        MPI library, transport, nodes, limits, "
    "advice\n"
    "  larder help [stage|info]                        the same as larder stage --help, ...\n"
    "  larder --version\n"
    "\n"
    "Run it under mpirun or srun; without a launcher it is one rank.  Help and version need none.\n"
    "\n"
    "Exit codes, the same on all ranks:\n"
    "  0  done\n"
    "  1  failed: one line on stderr says which rank, what object, and why\n"
    "  2  wrong usage: one line on stderr\n"
    "\n"
    "Environment: LARDER_CHUNK_SIZE, LARDER_CACHE_SIZE, LARDER_PIECE_SIZE, LARDER_TIMEOUT,\n"
    "LARDER_HOLD_TIMEOUT and the other settings of the library; options are stronger.  With "
    "Open\n"
    "MPI 4 and no InfiniBand, OMPI_MCA_osc=sm,pt2pt is set where it is unset, because MPI's "
    "windows\n"
    "do not work over Ethernet otherwise; larder info says so.\n";

static const char help_stage_1[] =
    "larder stage - copy a file, or datasets of an HDF5 file, to every node of a job\n"
    "\n"
    "Usage:\n"
    "  mpirun [...] larder stage SRC DEST [options]\n"
    "\n"
    "Rank 0 reads SRC once, in pieces that pass through a bounded cache; one rank of every node "
    "(the\n"
    "lowest) pulls them and writes DEST.  A copy gets its name when all copies are complete: a "
    "run\n"
    "that fails or is interrupted leaves none, on any node, and no file that is not whole ever "
    "has\n"
    "the name DEST.  The copy of a file has its mode and modification time.\n"
    "\n"
    "SRC   a regular file that rank 0 can read.\n"
    "DEST  the copy, as each writing rank sees it.  If it is a directory that exists, the copy "
    "goes\n"
    "      into it under SRC's name.  It may hold\n"
    "        %h  the host's name   %r  the rank   %n  the node's number, from 0   %%  a percent "
    "sign\n"
    "      SRC itself, under whatever name, is refused; a file that exists is, without --force.\n"
    "      On a file system that several nodes share, a file is written once, by the lowest rank\n"
    "      that sees it; the summary says so.\n"
    "\n"
    "Options:\n"
    "  --dataset PATH     take only this dataset, or this group with all that is below, into a "
    "new\n"
    "                     HDF5 file.  May be given several times.  What hangs on a dataset comes\n"
    "                     along: attributes, its type, its dimension scales.  Stored chunks "
    "travel\n"
    "                     as they are stored, compressed\n"
    "  --with-targets     also take the objects that references in the datasets point to; without "
    "it\n"
    "                     references to anything outside become null, and a note counts them\n"
    "  --per node|rank    a copy per node (default), or one per rank: then DEST needs %r, unless\n"
    "                     there is one rank a node\n"
    "  --chunk-size SIZE  unit of cache and transfer, 4KiB to 1GiB (256KiB)\n"
    "  --cache-size SIZE  memory per node, in /dev/shm, at least 4 chunks (64MiB)\n"
    "  --timeout TIME     give up when nothing has moved for so long (300s)\n"
    "  --verify           read every copy back after the transfer and compare it (see below)\n"
    "  --force            replace a DEST that exists; it stays as it is until the copy is "
    "complete\n"
    "  --progress         show progress on stderr also where it is no terminal, as plain lines\n"
    "  --quiet            no progress, no notes, no summary; errors are still told\n"
    "  --json FILE        write a report, also of a run that failed; \"-\" is stdout, without "
    "summary\n"
    "  -h, --help         this text\n"
    "  --                 what follows is SRC or DEST, even with a dash\n"
    "\n";

static const char help_stage_2[] =
    "SIZE is a number with K, M, G, T or KiB, MiB, GiB, TiB (powers of 1024), or bytes: 64MiB, "
    "4M.\n"
    "TIME is a number with ms, s, m or h, or seconds: 30s, 5m, 1.5.\n"
    "\n"
    "--verify.  A file: rank 0 reads SRC once more, each writer reads its copy back (from the "
    "disk,\n"
    "where the system gives its cached pages up), and size and XXH3 128-bit checksum must be "
    "equal.\n"
    "Datasets: rank 0 compares its copy with SRC: links, types, spaces, creation properties,\n"
    "attributes, and values or stored chunks.  The other nodes may not see SRC; they read their "
    "copy\n"
    "back as items (structure, attributes, chunks), and the checksum of those must equal that of "
    "rank\n"
    "0's copy.\n"
    "\n"
    "Report (--json): version, mpi, transport (null: no session), src, dest, datasets, per, "
    "nodes,\n"
    "ranks, writers, shared_dest, items, produced, reproduced, bytes, seconds (from the common "
    "start\n"
    "of the transfer until the last copy has its name), bytes_from_owner (payload that crossed "
    "from\n"
    "node to node), retries, checksum_errors, peak_cache_bytes (of the fullest node),\n"
    "failed_receivers (ranks whose own failure it was), verified, notes, code, error (null, or "
    "name,\n"
    "rank and text).\n"
    "\n"
    "Exit codes, the same on all ranks: 0 done, 1 failed, 2 wrong usage.  1 and 2 come with one "
    "line\n"
    "on stderr.  The first SIGTERM, SIGINT or SIGHUP, on any rank, ends the run in order with code "
    "1;\n"
    "a second one at once.\n"
    "\n"
    "Environment: LARDER_CHUNK_SIZE, LARDER_CACHE_SIZE, LARDER_TIMEOUT, ... (larder --help).\n"
    "\n"
    "Examples:\n"
    "  mpirun larder stage /home/me/mesh.h5 /tmp/mesh.h5            one copy on every node\n"
    "  srun --ntasks-per-node=1 larder stage in.nc /scratch/ --verify --json stage.json\n"
    "  mpirun larder stage in.nc '/scratch/%h/in.nc' --force         a directory per host\n"
    "  mpirun larder stage in.nc '/tmp/in-%r.nc' --per rank          a copy per rank\n"
    "  mpirun larder stage big.h5 /tmp/part.h5 --dataset /fields/u --dataset /grid\n";

static const char help_info[] =
    "larder info - what this cluster and this MPI are\n"
    "\n"
    "Usage:\n"
    "  mpirun [...] larder info [--json [FILE]]\n"
    "\n"
    "Opens a session with the settings of the environment and shows the MPI library, the standard "
    "it\n"
    "follows and the thread level; the transport and why it was chosen; chunk, cache and piece "
    "size\n"
    "and the memory of the control words; room in /dev/shm and the memory that may be locked; the\n"
    "HDF5 library; LARDER_* variables; hosts and ranks of each node (the first 19 of more than "
    "20);\n"
    "and advice.\n"
    "\n"
    "Options:\n"
    "  --json [FILE]  as JSON, to FILE, or to stdout without one (or with \"-\"); lists all nodes\n"
    "  -h, --help     this text\n"
    "\n"
    "Sizes are in units of 1024; in JSON they are bytes.\n"
    "\n"
    "Exit codes: 0 a session could be opened; 1 it could not (all is shown, and one line on "
    "stderr\n"
    "says why); 2 wrong usage.\n"
    "\n"
    "Environment: LARDER_* as for larder stage; OMPI_MCA_osc is set where Open MPI 4 needs it.\n"
    "\n"
    "Examples:\n"
    "  mpirun larder info\n"
    "  srun -N 4 larder info --json info.json\n";

static int print (const char *text)
{
    return fputs (text, stdout) == EOF || fflush (stdout) != 0 ? -1 : 0;
}

const char *larder_help_text (const char *topic)
{
    static char stage[sizeof help_stage_1 + sizeof help_stage_2];
    if (strcmp (topic, "info") == 0)
        return help_info;
    if (strcmp (topic, "stage") != 0)
        return help_larder;
    /* In two parts: C11 promises string literals of 4095 bytes only. */
    memcpy (stage, help_stage_1, sizeof help_stage_1);
    memcpy (stage + sizeof help_stage_1 - 1, help_stage_2, sizeof help_stage_2);
    return stage;
}

int larder_help_print (const struct larder_args *args)
{
    if (args->command == LARDER_ARGS_VERSION) {
        char line[64];
        (void)snprintf (line, sizeof line, "larder %s\n", larder_version ());
        return print (line);
    }
    return print (larder_help_text (args->topic));
}
