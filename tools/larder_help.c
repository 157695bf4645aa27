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
    "  mpirun [...] larder bench [SRC] [options]       larder against MPI_Bcast and every rank "
    "reading\n"
    "  mpirun [...] larder info [--json [FILE]]        MPI library, transport, nodes, limits, "
    "advice\n"
    "  larder help [stage|bench|info]                  the same as larder stage --help, ...\n"
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
    "Rank 0 reads SRC once, in pieces that pass through a bounded cache; nodes pass them on, so "
    "each\n"
    "link carries each byte once.  On every node the lowest rank gets them and the next one, if "
    "there\n"
    "is one, writes DEST.  A copy gets its name when all copies are complete: a run\n"
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
    "      On a file system that several nodes share, a file is written once, by the lowest node\n"
    "      that sees it; the summary says so.  %r in a copy per node is the node's lowest rank.\n"
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
    "of the transfer, making room for the copies included, until the last copy has its name),\n"
    "bytes_from_owner (payload that left rank 0's node), retries, checksum_errors,\n"
    "peak_cache_bytes (of the fullest node), failed_receivers (ranks whose own failure it "
    "was),\n"
    "verified, notes, code, error (null, or name, rank and text).\n"
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

static const char help_bench_1[] =
    "larder bench - this cluster: larder against MPI_Bcast and every rank reading\n"
    "\n"
    "Usage:\n"
    "  mpirun [...] larder bench [SRC] [options]\n"
    "\n"
    "Brings one object from rank 0 to every rank by several ways, in turn: A B C, A B C, ... in "
    "one run.\n"
    "The first round is not counted; figures are medians of the others.  Compare rows of one run "
    "only.\n"
    "\n"
    "Rows, in rank 0's memory:\n"
    "  larder, read in place   every rank reads every byte once, in views into the node's cache; "
    "nothing\n"
    "                          is kept\n"
    "  larder, copied          a private copy in every rank's memory (rank 0 has it already)\n"
    "  MPI_Bcast               the same by MPI_Bcast as it comes, 1 GiB a call at most\n"
    "  larder, one per node    larder_download_node: one copy per node, which its ranks read in "
    "place.\n"
    "                          It is new memory each time, and making it is in the time\n"
    "  memcpy alone            the ranks that have been copied to do nothing but copy as many "
    "bytes from\n"
    "                          the node's copy: no way that ends in private copies is faster\n"
    "Rows with SRC; opening the file is in the time, and the system has read it before:\n"
    "  larder, copied          rank 0 reads, private copies in all ranks\n"
    "  larder, one per node    rank 0 reads, one copy per node, in new memory\n"
    "  rank 0, MPI_Bcast       rank 0 reads all, then MPI_Bcast\n"
    "  by 4 MiB, MPI_Bcast     rank 0 reads 4 MiB (whole rows of chunks), MPI_Bcast, and so on\n"
    "  every rank reads        every rank opens SRC and reads all of it\n"
    "  rank 0 alone reads      rank 0 has it, nobody else: what the others can be held against\n"
    "\n"
    "Columns: \"ready\", seconds from a barrier until the slowest rank has it; \"read\", with the "
    "time of the\n"
    "slowest rank to read every byte once (a sum of 64-bit words, which must be right); GB/s to "
    "each\n"
    "rank, and how many times as fast as MPI_Bcast (with SRC: as rank 0 and MPI_Bcast), both by "
    "\"read\".\n"
    "Private memory has been touched before.  Opening the session is not in any time.\n"
    "\n";

static const char help_bench_2[] =
    "Options:\n"
    "  SRC                a file, or with --dataset an HDF5 file, that rank 0 can read\n"
    "  --dataset PATH     the dataset of SRC to be read, in the native type of its elements\n"
    "  --size SIZE        of the object in memory (512MiB).  What does not fit into the memory "
    "that is\n"
    "                     available on a node is refused\n"
    "  --repeats N        rounds that count, 1 to 101 (5)\n"
    "  --chunk-size SIZE  unit of cache and transfer, 4KiB to 1GiB (256KiB)\n"
    "  --cache-size SIZE  memory per node, in /dev/shm, at least 4 chunks (64MiB)\n"
    "  --timeout TIME     give up when nothing has moved for so long (300s)\n"
    "  --progress         show progress on stderr also where it is no terminal, as plain lines\n"
    "  --quiet            no progress; the table is printed all the same\n"
    "  --json FILE        write a report too; \"-\" is stdout, without the table\n"
    "  -h, --help         this text\n"
    "  --                 what follows is SRC, even with a dash\n"
    "\n"
    "Report (--json): version, mpi, transport, ranks, nodes, chunk_size, cache_size, repeats, "
    "bytes;\n"
    "seconds view_s (read), copy_s (ready), bcast_s (read), node_s and memcpy_limit_s (ready), and "
    "the\n"
    "other column as copy_read_s, node_read_s, memcpy_limit_read_s, bcast_ready_s; "
    "bytes_from_owner\n"
    "(payload that other nodes fetched for one reading in place); rows (every round, and what "
    "each\n"
    "delivers); advice.  With SRC: src, src_kind (dataset or file), dataset, src_bytes, src_rows, "
    "and,\n"
    "whichever kind it is, ready in h5_larder_s, h5_larder_node_s, h5_rank0_bcast_s,\n"
    "h5_pipelined_bcast_s, h5_every_rank_s (missing where not every rank can read SRC), "
    "h5_rank0_only_s,\n"
    "and read in h5_..._read_s.\n"
    "\n"
    "Exit codes, the same on all ranks: 0 done; 1 failed, also when a rank has read a wrong sum; 2 "
    "wrong\n"
    "usage.  1 and 2 come with one line on stderr.\n"
    "\n"
    "Environment: LARDER_CHUNK_SIZE, LARDER_CACHE_SIZE, LARDER_TIMEOUT, ... (larder --help).\n"
    "\n"
    "Examples:\n"
    "  mpirun larder bench\n"
    "  srun -N 8 --ntasks-per-node=4 larder bench --size 2GiB --json bench.json\n"
    "  mpirun larder bench mesh.h5 --dataset /fields/u --size 64MiB\n";

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

/* In two parts: C11 promises string literals of 4095 bytes only. */
static const char *joined (const char *first, const char *second)
{
    static char text[2 * 4096];
    (void)snprintf (text, sizeof text, "%s%s", first, second);
    return text;
}

const char *larder_help_text (const char *topic)
{
    if (strcmp (topic, "info") == 0)
        return help_info;
    if (strcmp (topic, "bench") == 0)
        return joined (help_bench_1, help_bench_2);
    if (strcmp (topic, "stage") == 0)
        return joined (help_stage_1, help_stage_2);
    return help_larder;
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
