/* SPDX-License-Identifier: Apache-2.0 */
/* What the soak test keeps an eye on: faults found, time spent outside the library, a watchdog, and
 * what the process holds. */
#ifndef SOAK_WATCH_H
#define SOAK_WATCH_H

#include "soak_draw.h"
#include <dirent.h>
#include <malloc.h>
#include <mpi.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { SOAK_SHOWN = 3, SOAK_WATCHDOG_S = 60, SOAK_WINDOW = 4 };

static int soak_rank, soak_size_of_job;

static inline double soak_now (void)
{
    struct timespec t;
    clock_gettime (CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---------------------------------------------------------------- faults */

static uint64_t soak_faults;

static void soak_fault (const struct soak_plan *p, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

/* The same kind of fault is told a few times only. */
static inline int soak_told_often (const char *format)
{
    static struct {
        const char *format;
        int count;
    } kinds[64];
    int i = 0;
    while (i < 63 && kinds[i].format && kinds[i].format != format)
        ++i;
    kinds[i].format = format;
    return ++kinds[i].count > SOAK_SHOWN;
}

/* Something is wrong: said with all that is needed to see it again. */
static void soak_fault (const struct soak_plan *p, const char *format, ...)
{
    char text[512], plan[2048] = "";
    va_list args;
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    ++soak_faults;
    if (soak_told_often (format))
        return;
    if (p)
        soak_describe (p, soak_size_of_job, plan, sizeof plan);
    fprintf (stderr, "FAULT rank %d seed %llu round %lld: %s\n    %s", soak_rank,
             (unsigned long long)soak_seed, p ? (long long)p->round : -1, text, plan);
}

/* ---------------------------------------------------------------- standing still */

/* The longest time this rank spent outside the library, or in a callback, since each open round began. */
static struct soak_still {
    uint64_t round;
    double longest, starved; /* starved: as soak_starved when the round began */
    int used;
} soak_stills[SOAK_WINDOW];
static double soak_left; /* when the library was left */

/* Seconds in which this process could have run and no processor was free for it, since it began; 0 where
 * the system does not say. */
static inline double soak_starved (void)
{
    unsigned long long ran, waited = 0;
    FILE *f = fopen ("/proc/self/schedstat", "r");
    if (f && fscanf (f, "%llu %llu", &ran, &waited) != 2)
        waited = 0;
    if (f)
        (void)fclose (f);
    return (double)waited * 1e-9;
}

/* What could have been charged to this rank since the round began. */
static inline double soak_still_of (const struct soak_still *s)
{
    double starved = soak_starved () - s->starved;
    return starved > s->longest ? starved : s->longest;
}

static inline void soak_away (double seconds)
{
    for (int i = 0; i < SOAK_WINDOW; ++i)
        if (soak_stills[i].used && seconds > soak_stills[i].longest)
            soak_stills[i].longest = seconds;
}

static inline void soak_enter (void)
{
    if (soak_left > 0)
        soak_away (soak_now () - soak_left);
    soak_left = 0;
}

static inline void soak_leave (void)
{
    soak_left = soak_now ();
}

static inline void soak_nap (double seconds)
{
    struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (nanosleep (&t, &t) != 0)
        ;
}

/* ---------------------------------------------------------------- the watchdog */

static void (*soak_tell_state) (char *text, size_t room); /* what this rank is about */
static int soak_pids[SOAK_RANKS];                         /* ranks of this host */
static volatile sig_atomic_t soak_dying;

static void soak_bark (int signal)
{
    char text[8192], state[7000] = "";
    /* What is called here is not made for signal handlers; the process is lost anyway. */
    if (!soak_dying)
        soak_tell_state (state, sizeof state);
    int n = snprintf (text, sizeof text, "%s rank %d, seed %llu: %s\n",
                      signal == SIGALRM ? "HANGS" : "MEANWHILE", soak_rank,
                      (unsigned long long)soak_seed, state);
    if (soak_dying && signal == SIGALRM)
        _exit (3);
    if (!soak_dying && write (2, text, (size_t)n) != n)
        _exit (3);
    soak_dying = 1;
    for (int i = 0; signal == SIGALRM && i < SOAK_RANKS; ++i)
        if (soak_pids[i] && i != soak_rank)
            kill (soak_pids[i], SIGUSR1);
    alarm (4); /* so that all are heard */
}

/* A transaction has ended. */
static inline void soak_pat (void)
{
    alarm (SOAK_WATCHDOG_S);
}

static inline void soak_watch (void)
{
    char mine[MPI_MAX_PROCESSOR_NAME] = "", all[SOAK_RANKS][MPI_MAX_PROCESSOR_NAME];
    int n, pid = (int)getpid (), pids[SOAK_RANKS];
    MPI_Get_processor_name (mine, &n);
    MPI_Allgather (mine, MPI_MAX_PROCESSOR_NAME, MPI_CHAR, all, MPI_MAX_PROCESSOR_NAME, MPI_CHAR,
                   MPI_COMM_WORLD);
    MPI_Allgather (&pid, 1, MPI_INT, pids, 1, MPI_INT, MPI_COMM_WORLD);
    for (int i = 0; i < soak_size_of_job; ++i)
        soak_pids[i] = strcmp (all[i], mine) == 0 ? pids[i] : 0;
    signal (SIGALRM, soak_bark);
    signal (SIGUSR1, soak_bark);
    soak_pat ();
}

/* ---------------------------------------------------------------- what the process holds */

struct soak_holdings {
    long files, shared_bytes, resident_bytes;
};

static inline long soak_open_files (void)
{
    long n = 0;
    DIR *d = opendir ("/proc/self/fd");
    while (d && readdir (d))
        ++n;
    if (d)
        closedir (d);
    return n - 3; /* . and .. and this one */
}

/* Bytes of files in /dev/shm that are mapped. */
static inline long soak_shared_bytes (void)
{
    char line[1024];
    long sum = 0;
    unsigned long from, to;
    FILE *f = fopen ("/proc/self/maps", "r");
    while (f && fgets (line, sizeof line, f))
        if (strstr (line, "/dev/shm/") && sscanf (line, "%lx-%lx", &from, &to) == 2)
            sum += (long)(to - from);
    if (f)
        fclose (f);
    return sum;
}

static inline struct soak_holdings soak_holdings (void)
{
    struct soak_holdings h = {soak_open_files (), soak_shared_bytes (), 0};
    long pages = 0;
    malloc_trim (0);
    FILE *f = fopen ("/proc/self/statm", "r");
    if (f && fscanf (f, "%*d %ld", &pages) == 1)
        h.resident_bytes = pages * sysconf (_SC_PAGESIZE);
    if (f)
        fclose (f);
    return h;
}

#endif
