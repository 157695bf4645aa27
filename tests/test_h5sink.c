/* SPDX-License-Identifier: Apache-2.0 */
/* The sink: no half-written file under the destination's name, no belief in what comes. */
#define _GNU_SOURCE
#include "h5classes.h"
#include "h5copy.h"
#include "larder_test.h"
#include "larder_test_files.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>

static struct larder_test_random chance;
static char source[LARDER_TEST_PATH], landed[LARDER_TEST_PATH];

static void begin (int class)
{
    (void)larder_test_files_clear ();
    (void)snprintf (source, sizeof source, "%s", larder_test_path ("source.h5"));
    (void)snprintf (landed, sizeof landed, "%s", larder_test_path ("landed.h5"));
    CU_ASSERT_FATAL (h5class_make (&h5classes[class], source, H5F_LIBVER_V18) == 0);
}

/* How many files for the destination there are: temporary ones, and itself. */
static int temporary (void)
{
    return larder_test_files_count (".landed.h5.larder-");
}

static int present (void)
{
    return larder_test_files_count ("landed.h5");
}

static void test_names (void)
{
    struct h5copy c = h5copy_random (&chance);
    larder_h5_sink *sink = NULL;
    struct stat st;
    begin (0);
    CU_ASSERT (larder_h5_sink_open (larder_test_path ("no/x.h5"), 0, &sink, &c.err) ==
               LARDER_ENOENT);
    CU_ASSERT (sink == NULL);
    CU_ASSERT (strstr (c.err.text, "no/x.h5") && strstr (c.err.text, "No such file"));
    CU_ASSERT (h5copy_run (&c, source, landed) == LARDER_OK);
    CU_ASSERT (stat (landed, &st) == 0);
    mode_t mask = umask (0);
    (void)umask (mask);
    CU_ASSERT ((st.st_mode & 0777) == (0666 & ~mask));
    CU_ASSERT (h5copy_run (&c, source, landed) == LARDER_EEXIST);
    CU_ASSERT (strstr (c.err.text, "landed.h5") != NULL);
    c.replace = 1;
    CU_ASSERT (h5copy_differs (&c, source, landed) == 0);
    CU_ASSERT (temporary () == 0 && present () == 1);
    larder_h5_sink_close (NULL);
    larder_h5_sink_close (&sink);
}

/* The destination comes into being while the items come. */
static void appear (void *self, uint64_t item, uint64_t offset, uint8_t *data, size_t size)
{
    (void)item, (void)offset, (void)data, (void)size;
    CU_ASSERT (larder_test_file_write (self, "mine", 4) == 0);
}

static void test_race (void)
{
    struct h5copy c = h5copy_random (&chance);
    begin (0);
    c.loop.meddle = appear;
    c.loop.meddler = landed;
    CU_ASSERT (h5copy_run (&c, source, landed) == LARDER_EEXIST);
    CU_ASSERT (larder_test_file_is (landed, "mine", 4));
    CU_ASSERT (temporary () == 0);
}

static void test_broken_off (void)
{
    begin (0);
    for (uint64_t stop = 1; stop < 40; stop += 3) {
        struct h5copy c = h5copy_random (&chance);
        c.loop.stop = stop;
        CU_ASSERT (h5copy_run (&c, source, landed) == LARDER_ECANCELED);
        CU_ASSERT (present () == 0 && temporary () == 0);
    }
}

/* All came, it is said, but some did not. */
static void test_incomplete (void)
{
    struct h5copy c = h5copy_random (&chance);
    larder_h5_sink *sink = NULL;
    begin (0);
    CU_ASSERT_FATAL (larder_h5_sink_open (landed, 0, &sink, &c.err) == LARDER_OK);
    larder_consumer consumer = larder_h5_consumer (sink);
    CU_ASSERT (temporary () == 1);
    CU_ASSERT (consumer.download_completed (consumer.self, &c.err) == LARDER_EINVAL);
    CU_ASSERT (present () == 0 && temporary () == 0);
    larder_h5_sink_close (&sink);
    CU_ASSERT (sink == NULL);
}

static void test_stale (void)
{
    struct h5copy c = h5copy_random (&chance);
    larder_h5_sink *other = NULL;
    begin (0);
    CU_ASSERT (larder_test_file_write (larder_test_path (".landed.h5.larder-abcdef"), "x", 1) == 0);
    CU_ASSERT_FATAL (larder_h5_sink_open (landed, 0, &other, &c.err) == LARDER_OK);
    CU_ASSERT (temporary () == 1); /* the left-over one went */
    CU_ASSERT (h5copy_differs (&c, source, landed) == 0);
    CU_ASSERT (temporary () == 1); /* the living one stayed */
    larder_h5_sink_close (&other);
    CU_ASSERT (temporary () == 0 && present () == 1);
}

/* ------------------------------------------------------------------ the source changes */

static void touch (void *self, uint64_t item, uint64_t offset, uint8_t *data, size_t size)
{
    (void)item, (void)offset, (void)data, (void)size;
    const struct timespec times[2] = {{1000, 0}, {1000, 0}};
    CU_ASSERT (utimensat (AT_FDCWD, self, times, 0) == 0);
}

static void test_changed (void)
{
    struct h5copy c = h5copy_random (&chance);
    begin (0);
    c.loop.meddle = touch;
    c.loop.meddler = source;
    CU_ASSERT (h5copy_run (&c, source, landed) == LARDER_ESTALE);
    CU_ASSERT (strstr (c.err.text, "source.h5 changed") != NULL);
    CU_ASSERT (present () == 0 && temporary () == 0);
}

/* ------------------------------------------------------------------ no space */

/* In a process of its own: the limit, and what HDF5 keeps of a file that it could not close. */
static void test_full (void)
{
    begin (0);
    pid_t pid = fork ();
    CU_ASSERT_FATAL (pid >= 0);
    if (pid == 0) {
        const struct rlimit limit = {20000, 20000};
        struct h5copy c = h5copy_random (&chance);
        (void)signal (SIGXFSZ, SIG_IGN);
        if (setrlimit (RLIMIT_FSIZE, &limit) != 0)
            _exit (3);
        int code = h5copy_run (&c, source, landed);
        _exit (code == LARDER_EIO && strstr (c.err.text, "File too large") ? 0 : 1);
    }
    int status = 0;
    CU_ASSERT (waitpid (pid, &status, 0) == pid);
    CU_ASSERT (WIFEXITED (status) && WEXITSTATUS (status) == 0);
    CU_ASSERT (present () == 0 && temporary () == 0);
}

/* ------------------------------------------------------------------ hostile bytes */

struct meddling {
    struct larder_test_random random;
    uint64_t item; /* in which bytes are changed */
    int changes;
};

/* Make a changed recipe pass its own check, as somebody would who means harm. */
static void forge (uint8_t *recipe, size_t size)
{
    uint64_t end = 0, sum = 0xcbf29ce484222325u;
    for (int i = 0; i < 8 && size > 24; ++i)
        end |= (uint64_t)recipe[16 + i] << (8 * i);
    if (end < 48 || end > size)
        return;
    for (size_t i = 0; i < end - 8; ++i)
        sum = (sum ^ recipe[i]) * 0x100000001b3u;
    for (int i = 0; i < 8; ++i)
        recipe[end - 8 + i] = (uint8_t)(sum >> (8 * i));
}

static void scramble (void *self, uint64_t item, uint64_t offset, uint8_t *data, size_t size)
{
    struct meddling *m = self;
    (void)offset;
    if (size == 0 || (m->item == 0) != (item == 0))
        return;
    for (int i = 0; i < m->changes; ++i) {
        size_t at = larder_test_below (&m->random, larder_test_below (&m->random, 2) ? 64 : size);
        at = item == 0 ? 40 + at : at; /* past what is compared at once */
        data[at % size] = (uint8_t)larder_test_random (&m->random);
    }
    if (item == 0)
        forge (data, size);
}

/* Whatever comes, it ends in a file or in an error, and leaves nothing else behind. */
static void test_damaged (void)
{
    for (int class = 0; class < H5CLASSES; ++class) {
        begin (class);
        const char *rounds = getenv ("LARDER_TEST_ROUNDS");
        for (int i = 0; i < (rounds ? atoi (rounds) : 20); ++i) {
            struct h5copy c = h5copy_random (&chance);
            struct meddling m = {{larder_test_random (&chance)}, i % 2 == 0 ? 0 : 1, 1 + i % 3};
            c.loop.chunk = 1 << 20; /* the recipe in one view, apart from the items */
            c.loop.meddle = scramble;
            c.loop.meddler = &m;
            c.replace = 1;
            ssize_t open = h5copy_open ();
            int code = h5copy_run (&c, source, landed);
            CU_ASSERT (h5copy_open () == open);
            CU_ASSERT (code == LARDER_OK || c.err.text[0] != 0);
            CU_ASSERT (temporary () == 0);
            CU_ASSERT (present () == (code == LARDER_OK));
            (void)unlink (landed);
        }
    }
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"names", test_names},
        {"race for the name", test_race},
        {"broken off", test_broken_off},
        {"incomplete", test_incomplete},
        {"left over", test_stale},
        {"source changed", test_changed},
        {"no space", test_full},
        {"damaged bytes", test_damaged},
        {NULL, NULL},
    };
    larder_test_files_begin ();
    chance = larder_test_seed ();
    int code = larder_test_main ("HDF5 sink", tests);
    larder_test_files_end ();
    return code;
}
