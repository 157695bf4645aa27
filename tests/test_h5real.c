/* SPDX-License-Identifier: Apache-2.0 */
/* Real files, sent whole and each dataset alone.  Arguments: files; none: those that the packages
 * gmt-gshhg-full and python-tables-data install, which then have to be there. */
#define _GNU_SOURCE
#include "h5copy.h"
#include "larder_test.h"
#include "larder_test_files.h"

#include <glob.h>

static struct larder_test_random chance;
static char **files;
static size_t file_count;
static glob_t found;

static int find_files (void)
{
    static const struct {
        const char *pattern;
        size_t least;
    } place[] = {{"/usr/share/gmt-gshhg/*.nc", 3},
                 {"/usr/share/python-tables/tests/*.h5", 45},
                 {"/usr/share/python-tables/nodes/tests/*.h5", 1},
                 {"/usr/share/python-tables/tests/*.mat", 3}};
    int bad = 0;
    for (size_t i = 0; i < sizeof place / sizeof place[0]; ++i) {
        size_t before = found.gl_pathc;
        int code = glob (place[i].pattern, i ? GLOB_APPEND : 0, NULL, &found);
        if (code != 0 || found.gl_pathc - before < place[i].least) {
            (void)fprintf (stderr,
                           "MISSING: %s: %zu files, at least %zu are needed (packages "
                           "gmt-gshhg-full, python-tables-data)\n",
                           place[i].pattern, found.gl_pathc - before, place[i].least);
            bad = 1;
        }
    }
    files = found.gl_pathv;
    file_count = found.gl_pathc;
    return bad;
}

static struct h5copy like_core (void)
{
    struct h5copy c = h5copy_random (&chance);
    c.loop.chunk = 4096 + (size_t)larder_test_below (&chance, 61440);
    c.slab = 0;
    c.replace = 1;
    return c;
}

static void test_whole (void)
{
    CU_ASSERT_FATAL (file_count > 0);
    for (size_t i = 0; i < file_count; ++i) {
        struct h5copy c = like_core ();
        CU_ASSERT (h5copy_differs (&c, files[i], larder_test_path ("whole")) == 0);
        CU_ASSERT (c.remark_count == 0);
    }
}

/* References to what is left out are null in the copy, and said to be; all else is equal. */
static herr_t copy_alone (hid_t file, const char *name, const H5O_info_t *info, void *data)
{
    const char *const paths[2] = {name, NULL};
    size_t *count = data;
    char from[LARDER_TEST_PATH];
    if (info->type != H5O_TYPE_DATASET)
        return 0;
    if (H5Fget_name (file, from, sizeof from) < 0)
        return -1;
    struct h5copy c = like_core ();
    c.paths = paths;
    int differs = h5copy_differs (&c, from, larder_test_path ("alone"));
    if (differs)
        (void)fprintf (stderr, "    dataset %s alone\n", name);
    CU_ASSERT (differs == 0);
    ++*count;
    return 0;
}

static void test_alone (void)
{
    size_t datasets = 0;
    for (size_t i = 0; i < file_count; ++i) {
        hid_t file = H5Fopen (files[i], H5F_ACC_RDONLY, H5P_DEFAULT);
        CU_ASSERT_FATAL (file >= 0);
        CU_ASSERT (H5Ovisit (file, H5_INDEX_NAME, H5_ITER_INC, copy_alone, &datasets) >= 0);
        CU_ASSERT (H5Fclose (file) >= 0);
    }
    printf ("%zu datasets ", datasets);
    CU_ASSERT (datasets > 0);
}

int main (int argc, char **argv)
{
    static const struct larder_test tests[] = {
        {"files, whole", test_whole}, {"datasets, alone", test_alone}, {NULL, NULL}};
    if (argc > 1) {
        files = argv + 1;
        file_count = (size_t)argc - 1;
    } else if (find_files () != 0) {
        globfree (&found);
        return 1;
    }
    larder_test_files_begin ();
    chance = larder_test_seed ();
    int code = larder_test_main ("real HDF5 files", tests);
    larder_test_files_end ();
    globfree (&found);
    return code;
}
