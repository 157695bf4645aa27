/* SPDX-License-Identifier: Apache-2.0 */
/* Room on the nodes, looked at before anything is allocated: without, the system's way out is to kill. */
#define _GNU_SOURCE
#include "larder_bench.h"
#include "larder_text.h"
#include <stdio.h>
#include <sys/statvfs.h>

/* Bytes that can be had without swapping; UINT64_MAX: not known. */
static uint64_t memory_available (void)
{
    unsigned long long kib = 0;
    char line[128];
    int found = 0;
    FILE *file = fopen ("/proc/meminfo", "re");
    while (file && !found && fgets (line, sizeof line, file))
        found = sscanf (line, "MemAvailable: %llu kB", &kib) == 1;
    if (file)
        (void)fclose (file);
    return found && kib < UINT64_MAX / 1024 ? kib * 1024 : UINT64_MAX;
}

static uint64_t shared_available (void)
{
    struct statvfs shm;
    return statvfs ("/dev/shm", &shm) == 0 ? (uint64_t)shm.f_bavail * shm.f_frsize : UINT64_MAX;
}

static uint64_t product (uint64_t a, uint64_t b)
{
    uint64_t c;
    return __builtin_mul_overflow (a, b, &c) ? UINT64_MAX : c;
}

static uint64_t sum (uint64_t a, uint64_t b)
{
    uint64_t c;
    return __builtin_add_overflow (a, b, &c) ? UINT64_MAX : c;
}

/* "give --size 300MiB or less", or what can be done where SRC is what it is. */
static const char *way_out (uint64_t most, int is_source, char text[80])
{
    if (is_source)
        (void)snprintf (text, 80, "run with fewer ranks a node");
    else if (most >= 1 << 20)
        (void)snprintf (text, 80, "give --size %lluMiB or less", (unsigned long long)(most >> 20));
    else
        (void)snprintf (text, 80, "give a smaller --size");
    return text;
}

static int look (const struct larder_bench *b, uint64_t bytes, int is_source, larder_error *err)
{
    char each[LARDER_TEXT_ROOM], wanted[LARDER_TEXT_ROOM], there[LARDER_TEXT_ROOM], out[80];
    /* A rank alone has its source and its copy; of several, rank 0 needs no other copy. */
    uint64_t ranks = (uint64_t)b->info.node_size;
    uint64_t copies = (b->team->size == 1 && !is_source ? 2 : ranks) + 1;
    uint64_t cache = sum (b->info.cache_size, b->info.control_size);
    uint64_t need = sum (product (copies, bytes), cache), available = memory_available ();
    if (available != UINT64_MAX)
        available -= available / 16; /* MPI, HDF5 and everybody else live on */
    if (need > available)
        return larder_error_set (
            err, LARDER_ENOMEM, 0,
            "%s: %llu ranks on this node x %s, one copy per node and the cache need %s; %s are "
            "available (MemAvailable less 1/16): %s",
            is_source ? b->from.path : "bench", (unsigned long long)ranks,
            larder_text_size (bytes, each), larder_text_size (need, wanted),
            larder_text_size (available, there),
            way_out (available > cache ? (available - cache) / copies : 0, is_source, out));
    need = sum (bytes, cache);
    available = shared_available ();
    if (need > available)
        return larder_error_set (
            err, LARDER_ENOMEM, 0,
            "%s: one copy per node of %s and the cache need %s in /dev/shm; %s are free: %s",
            is_source ? b->from.path : "bench", larder_text_size (bytes, each),
            larder_text_size (need, wanted), larder_text_size (available, there),
            is_source ? "enlarge it"
                      : way_out (available > cache ? available - cache : 0, is_source, out));
    return LARDER_OK;
}

int larder_bench_fit (struct larder_bench *b, uint64_t bytes, int is_source, larder_error *err)
{
    return larder_team_agree (b->team, look (b, bytes, is_source, err), err);
}
