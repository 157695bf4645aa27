/* SPDX-License-Identifier: Apache-2.0 */
/* The comparer: equal files are equal, and files that differ in one property differ in that. */
#define _GNU_SOURCE
#include "h5compare_sample.h"
#include "larder_test.h"

#include <dirent.h>
#include <larder/hdf5.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[64];

static int copy_file (const char *from, const char *to)
{
    static char buffer[1 << 16];
    FILE *f = fopen (from, "rb"), *t = fopen (to, "wb");
    size_t n = 0;
    int bad = !f || !t;
    while (!bad && (n = fread (buffer, 1, sizeof buffer, f)) > 0)
        bad = fwrite (buffer, 1, n, t) != n;
    bad |= f && fclose (f) != 0;
    bad |= t && fclose (t) != 0;
    return bad;
}

/* 0 equal, 1 different (text in err), negative: failed. */
static int compare (const char *a, const char *b, const char *path, larder_error *err)
{
    int differs = -1;
    memset (err, 0, sizeof *err);
    int rc = larder_h5_compare (a, b, &path, path != NULL, &differs, err);
    return rc < 0 ? rc : differs;
}

static void test_equal (void)
{
    larder_error err;
    CU_ASSERT_FATAL (h5sample_make ("a.h5", "", 0) == 0);
    CU_ASSERT_FATAL (h5sample_make ("b.h5", "", 0) == 0);
    CU_ASSERT_FATAL (copy_file ("a.h5", "c.h5") == 0);
    int made_again = compare ("a.h5", "b.h5", NULL, &err);
    if (made_again)
        (void)fprintf (stderr, "%s\n", err.text);
    CU_ASSERT (made_again == 0);
    CU_ASSERT (compare ("a.h5", "c.h5", NULL, &err) == 0);
    CU_ASSERT (compare ("a.h5", "a.h5", NULL, &err) == 0);
    CU_ASSERT (compare ("a.h5", "b.h5", "/g", &err) == 0);
}

/* A change, and what the comparer's line must name. */
static const char *const changes[][2] = {
    {"string padding", "dataset /g/string: types differ"},
    {"string set", "dataset /g/string: types differ"},
    {"enum value", "dataset /g/enum: types differ"},
    {"enum name", "dataset /g/enum: types differ"},
    {"opaque tag", "dataset /g/opaque: types differ"},
    {"order of members", "dataset /g/compound: types differ"},
    {"member name", "dataset /g/compound: types differ"},
    {"compound gap", "dataset /g/compound: values differ"},
    {"type attribute order", "committed type /g/vlen_type: creation order of attributes"},
    {"attribute of a type", "attribute on type of committed type /g/type: values differ"},
    {"uncommitted", "dataset /g/typed: its type is a committed one in one file only"},
    {"other committed", "only"},
    {"sequence length", "dataset /g/vlen: values differ"},
    {"variable-length fill value", "dataset /g/filled: fill value differs"},
    {"text of a dataset", "dataset /g/texts: values differ"},
    {"fill value", "dataset /g/a b: fill value differs"},
    {"no fill value", "dataset /g/a b: fill value is defined in one file only"},
    {"fill time", "dataset /g/a b: fill time"},
    {"alloc time", "dataset /g/a b: allocation time"},
    {"times", "dataset /g/a b: tracking of times"},
    {"phase change", "dataset /g/a b: phase change of attributes"},
    {"compact", "dataset /g/a b: layouts differ"},
    {"value", "dataset /g/a b: values differ"},
    {"byte order", "dataset /g/a b: types differ"},
    {"extent", "dataset /g/a b: dimension 1"},
    {"written", "dataset /g/unwritten: its data was written in the second file only"},
    {"null space", "dataset /g/null: kinds of space differ"},
    {"offset in another file", "dataset /g/external: its file 0"},
    {"mapping", "dataset /g/virtual: selections differ"},
    {"mapped file", "dataset /g/virtual: source of its mapping 0 differs"},
    {"chunk size", "dataset /g/chunked: chunk sizes differ"},
    {"filter value", "dataset /g/chunked: values of filter 1 differ"},
    {"one filter more", "dataset /g/chunked: has 2 and 3 filters"},
    {"edge chunks", "dataset /g/chunked: filtering of edge chunks"},
    {"limit", "dataset /g/chunked: limit of dimension 0"},
    {"value in a chunk", "dataset /g/chunked:"},
    {"written chunk", "dataset /g/chunked: chunk 16,0 was written in the second file only"},
    {"filter mask", "dataset /g/chunked: filter masks of chunk 24,0 differ"},
    {"sparse", "dataset /g/sparse: chunk 3999999999996 was written in the first file only"},
    {"reference", "a reference points to dataset /g/typed and to dataset /g/enum"},
    {"null reference", "dataset /g/references: a reference to group /g is null"},
    {"reference in an attribute",
     "attribute reference of dataset /g/references: a reference points"},
    {"short list", "attribute REFERENCE_LIST of dataset /g/enum: dimension 0 is 3 and 1"},
    {"shorter list", "attribute REFERENCE_LIST of dataset /g/enum: kinds of space differ"},
    {"no list", "dataset /g/enum: attribute REFERENCE_LIST is in the first file only"},
    {"region", "attribute region of dataset /g/string: selections differ"},
    {"text", "attribute text of group /g: values differ"},
    {"null text", "attribute text of group /g: values differ"},
    {"order of attributes", "group /g: orders of attributes differ"},
    {"number", "attribute number of group /g: values differ"},
    {"attribute name set", "attribute text of group /g: character sets of its name differ"},
    {"one attribute more", "group /g: attribute more is in the second file only"},
    {"attribute extent", "attribute pair of group /g: dimension 0"},
    {"attribute type", "attribute pair of group /g: types differ"},
    {"comment", "group /g: comments differ"},
    {"link name set", "link /g/soft: character sets of its name differ"},
    {"soft link", "link /g/soft: leads elsewhere"},
    {"external link", "link /g/external_link: leads elsewhere"},
    {"hard link", "/g/alias: is the same object as /g/typed in the first file only"},
    {"hard link elsewhere", "/g/alias: is the same object as /g/typed in the first file only"},
    {"kind of link", "link /g/alias: kinds differ"},
    {"kind of object", "/g/kind: is a group and a dataset"},
    {"one link more", "group /g: link zzz is in the second file only"},
    {"one link less", "group /g: link soft is in the first file only"},
    {"order of links", "group /g: orders of links differ, at soft"},
    {"superblock", "file: versions of the superblock differ"},
    {"user block size", "file: sizes of the user block differ"},
    {"user block", "file: bytes of the user block differ"},
    {"root order", "link /g: has a creation order in one file only"},
    {"chunk trees", "file:"},
    {"shared messages", "file:"},
    {"file space", "file:"},
    {"group order", "/g"},
    {"group phase change", "group /g: phase change of links"},
};

static void test_changes (void)
{
    CU_ASSERT_FATAL (h5sample_make ("mask.h5", "filter mask, reference", 0) == 0);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; ++i) {
        larder_error err;
        const char *change = changes[i][0];
        const char *first = strcmp (change, "filter mask") == 0 ? "mask.h5" : "a.h5";
        CU_ASSERT_FATAL (h5sample_make ("b.h5", change, 0) == 0);
        int rc = compare (first, "b.h5", NULL, &err);
        int named = strstr (err.text, changes[i][1]) != NULL;
        if (rc != 1 || !named)
            (void)fprintf (stderr, "%s: %d %s\n", change, rc, err.text);
        CU_ASSERT (rc == 1);
        CU_ASSERT (named);
        CU_ASSERT (compare ("b.h5", first, NULL, &err) == 1);
    }
}

static void test_accepted (void)
{
    larder_error err;
    CU_ASSERT_FATAL (h5sample_make ("a.h5", "", 0) == 0);
    CU_ASSERT_FATAL (h5sample_make ("b.h5", "copied from other files", 0) == 0);
    CU_ASSERT (compare ("a.h5", "b.h5", NULL, &err) == 0);
    CU_ASSERT (compare ("b.h5", "a.h5", NULL, &err) == 1);
    CU_ASSERT (strstr (err.text, "dataset /g/external: keeps its data in 0 and in 1") != NULL);
    CU_ASSERT_FATAL (h5sample_make ("a.h5", "", 1) == 0);
    CU_ASSERT_FATAL (h5sample_make ("b.h5", "dangling reference", 1) == 0);
    CU_ASSERT (compare ("a.h5", "b.h5", NULL, &err) == 0);
}

/* /g copied out of a file in which its references also point to /out. */
static void test_partial (void)
{
    larder_error err;
    CU_ASSERT_FATAL (h5sample_make ("a.h5", "", 0) == 0);
    CU_ASSERT_FATAL (h5sample_make ("b.h5", "", 1) == 0);
    CU_ASSERT (compare ("a.h5", "b.h5", "/g", &err) == 0);
    CU_ASSERT (compare ("a.h5", "b.h5", NULL, &err) == 1);
    CU_ASSERT (compare ("b.h5", "a.h5", "/g", &err) == 1);
    CU_ASSERT_FATAL (h5sample_make ("b.h5", "short list", 1) == 0);
    CU_ASSERT (compare ("a.h5", "b.h5", "/g", &err) == 0);
    CU_ASSERT_FATAL (h5sample_make ("b.h5", "no list", 1) == 0);
    CU_ASSERT (compare ("a.h5", "b.h5", "/g", &err) == 1); /* one entry points inside */
    CU_ASSERT (compare ("a.h5", "b.h5", "/g/enum", &err) == 0);
    CU_ASSERT_FATAL (h5sample_make ("b.h5", "reference", 1) == 0);
    CU_ASSERT (compare ("a.h5", "b.h5", "/g", &err) == 1);
    CU_ASSERT (compare ("a.h5", "b.h5", "/g/chunked", &err) == 0);
    CU_ASSERT (compare ("a.h5", "b.h5", "/nowhere", &err) == LARDER_ENOENT);
    CU_ASSERT (compare ("a.h5", "b.h5", "/out", &err) == 1);
}

/* A fixed grid that nobody can search. */
static void test_huge (void)
{
    larder_error err;
    hid_t access = H5Pcreate (H5P_FILE_ACCESS), list = H5Pcreate (H5P_DATASET_CREATE);
    CU_ASSERT (H5Pset_libver_bounds (access, H5F_LIBVER_V110, H5F_LIBVER_V110) >= 0);
    CU_ASSERT (H5Pset_chunk (list, 1, (hsize_t[]){4}) >= 0);
    hid_t file = H5Fcreate ("a.h5", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    hid_t space = H5Screate_simple (1, (hsize_t[]){UINT64_C (1) << 50}, NULL);
    hid_t d = H5Dcreate2 (file, "d", H5T_STD_I8LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    CU_ASSERT (H5Dclose (d) >= 0 && H5Fclose (file) >= 0 && H5Sclose (space) >= 0);
    CU_ASSERT (H5Pclose (access) >= 0 && H5Pclose (list) >= 0);
    CU_ASSERT_FATAL (copy_file ("a.h5", "b.h5") == 0);
    CU_ASSERT (compare ("a.h5", "b.h5", NULL, &err) == LARDER_ENOTSUP);
    CU_ASSERT (strstr (err.text, "/d: its chunk index has 281474976710656 slots") != NULL);
}

static void test_errors (void)
{
    larder_error err;
    int differs = 7;
    CU_ASSERT (compare ("a.h5", "none.h5", NULL, &err) == LARDER_ENOENT);
    CU_ASSERT (strstr (err.text, "none.h5") != NULL);
    FILE *f = fopen ("text.h5", "wb");
    CU_ASSERT_FATAL (f != NULL && fputs ("not HDF5", f) >= 0 && fclose (f) == 0);
    CU_ASSERT (larder_h5_compare ("text.h5", "a.h5", NULL, 0, &differs, NULL) == LARDER_EHDF5);
    CU_ASSERT (differs == 7);
    CU_ASSERT (H5Fget_obj_count ((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL) == 0);
}

/* Files of the system, where there are any: each is equal to its byte copy. */
static void test_real (void)
{
    static const char *const places[] = {
        "/usr/share/gmt-gshhg", "/usr/share/python-tables/examples",
        "/usr/share/python-tables/tests", "/usr/share/python-tables"};
    int seen = 0;
    for (size_t i = 0; i < sizeof places / sizeof *places; ++i) {
        DIR *dir = opendir (places[i]);
        for (struct dirent *e = dir ? readdir (dir) : NULL; e; e = readdir (dir)) {
            char path[512];
            larder_error err;
            (void)snprintf (path, sizeof path, "%s/%s", places[i], e->d_name);
            const char *dot = strrchr (path, '.');
            if (!dot || (strcmp (dot, ".nc") != 0 && strcmp (dot, ".h5") != 0))
                continue;
            CU_ASSERT_FATAL (copy_file (path, "copy.h5") == 0);
            int rc = compare (path, "copy.h5", NULL, &err);
            if (rc)
                (void)fprintf (stderr, "%s: %d %s\n", path, rc, err.text);
            CU_ASSERT (rc == 0);
            ++seen;
        }
        if (dir)
            CU_ASSERT (closedir (dir) == 0);
    }
    (void)printf ("(%d files of the system) ", seen);
    CU_ASSERT (H5Fget_obj_count ((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL) == 0);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"equal", test_equal},       {"changes", test_changes},
        {"accepted", test_accepted}, {"partial", test_partial},
        {"huge", test_huge},         {"errors", test_errors},
        {"real files", test_real},   {NULL, NULL},
    };
    (void)snprintf (folder, sizeof folder, "/tmp/test_h5compare.XXXXXX");
    if (!mkdtemp (folder) || chdir (folder) != 0)
        return 1;
    int bad = larder_test_main ("h5compare", tests);
    static const char *const made[] = {
        "a.h5", "b.h5", "c.h5", "mask.h5", "text.h5", "copy.h5", "h5compare_external.raw"};
    for (size_t i = 0; i < sizeof made / sizeof *made; ++i)
        (void)unlink (made[i]);
    if (chdir ("/") != 0 || rmdir (folder) != 0)
        bad = 1;
    return bad;
}
