/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of a file: what is taken along, what becomes null, what is refused. */
#define _GNU_SOURCE
#include "h5classes.h"
#include "h5copy.h"
#include "larder_test.h"
#include "larder_test_files.h"

static struct larder_test_random chance;
static char source[LARDER_TEST_PATH], landed[LARDER_TEST_PATH];

static hid_t begin (void)
{
    (void)larder_test_files_clear ();
    (void)snprintf (source, sizeof source, "%s", larder_test_path ("source.h5"));
    (void)snprintf (landed, sizeof landed, "%s", larder_test_path ("landed.h5"));
    h5bad = 0;
    hid_t file = H5Fcreate (source, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5 (file);
    return file;
}

static void end (hid_t file)
{
    H5 (H5Fclose (file));
    CU_ASSERT_FATAL (h5bad == 0);
}

static int exists (const char *path)
{
    hid_t file = H5Fopen (landed, H5F_ACC_RDONLY, H5P_DEFAULT);
    char name[256] = "";
    int is = file >= 0;
    for (const char *p = path; is && *p; ++p) /* each step, as H5Lexists wants it */
        if ((p[1] == '/' || p[1] == 0) && p - path + 1 < (long)sizeof name) {
            (void)snprintf (name, sizeof name, "%.*s", (int)(p - path + 1), path);
            is = H5Lexists (file, name, H5P_DEFAULT) > 0;
        }
    if (file >= 0)
        (void)H5Fclose (file);
    return is;
}

/* Two variables over two scales, as netCDF and H5DS lay them out. */
static void make_scales (hid_t file)
{
    const hsize_t dims[2] = {4, 5}, one = 1, two = 2;
    static const char *const scales[2] = {"lat", "lon"}, *const variables[2] = {"temp", "wind"};
    int32_t *v = h5numbers (20);
    hid_t list = H5Tvlen_create (H5T_STD_REF_OBJ), rank = H5Screate_simple (1, &two, NULL);
    hid_t back = H5Tcreate (H5T_COMPOUND, 16);
    struct {
        hobj_ref_t to;
        int64_t dimension;
    } user[2];
    H5 (H5Tinsert (back, "dataset", 0, H5T_STD_REF_OBJ));
    H5 (H5Tinsert (back, "dimension", 8, H5T_STD_I64LE));
    for (int i = 0; i < 2; ++i)
        h5put (file, scales[i], H5T_NATIVE_INT, 1, &dims[i], H5P_DEFAULT, v);
    for (int i = 0; i < 2; ++i) {
        hobj_ref_t to[2];
        hvl_t lists[2] = {{1, &to[0]}, {1, &to[1]}};
        h5put (file, variables[i], H5T_NATIVE_INT, 2, dims, H5P_DEFAULT, v);
        H5 (H5Rcreate (&to[0], file, scales[0], H5R_OBJECT, -1));
        H5 (H5Rcreate (&to[1], file, scales[1], H5R_OBJECT, -1));
        hid_t d = H5Dopen2 (file, variables[i], H5P_DEFAULT);
        h5attribute (d, "DIMENSION_LIST", list, rank, lists);
        H5 (H5Dclose (d));
    }
    for (int i = 0; i < 2; ++i) {
        memset (user, 0, sizeof user);
        for (int k = 0; k < 2; ++k) {
            H5 (H5Rcreate (&user[k].to, file, variables[k], H5R_OBJECT, -1));
            user[k].dimension = i;
        }
        hid_t d = H5Dopen2 (file, scales[i], H5P_DEFAULT);
        h5attribute (d, "REFERENCE_LIST", back, rank, user);
        H5 (H5Dclose (d));
    }
    (void)one;
    H5 (H5Sclose (rank));
    H5 (H5Tclose (back));
    H5 (H5Tclose (list));
    free (v);
}

static void test_scales (void)
{
    static const char *const paths[] = {"/temp", NULL};
    struct h5copy c = h5copy_random (&chance);
    hid_t file = begin ();
    make_scales (file);
    end (file);
    c.paths = paths;
    CU_ASSERT (h5copy_differs (&c, source, landed) == 0);
    CU_ASSERT (exists ("/temp") && exists ("/lat") && exists ("/lon") && !exists ("/wind"));
    CU_ASSERT (c.remark_count == 2);
    CU_ASSERT (h5copy_remarked (&c, "/lat is taken along: /temp names it in DIMENSION_LIST"));
    file = H5Fopen (landed, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t a = H5Aopen_by_name (file, "lat", "REFERENCE_LIST", H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Aget_space (a);
    CU_ASSERT (H5Sget_simple_extent_npoints (space) == 1); /* the user that is here, none null */
    H5 (H5Sclose (space));
    H5 (H5Aclose (a));
    H5 (H5Fclose (file));
    CU_ASSERT (h5bad == 0);
}

static void test_scale_alone (void)
{
    static const char *const paths[] = {"lon", NULL};
    struct h5copy c = h5copy_random (&chance);
    hid_t file = begin ();
    make_scales (file);
    end (file);
    c.paths = paths;
    CU_ASSERT (h5copy_run (&c, source, landed) == LARDER_OK);
    CU_ASSERT (exists ("/lon") && !exists ("/temp") && !exists ("/lat"));
    file = H5Fopen (landed, H5F_ACC_RDONLY, H5P_DEFAULT);
    CU_ASSERT (H5Aexists_by_name (file, "lon", "REFERENCE_LIST", H5P_DEFAULT) == 0);
    H5 (H5Fclose (file));
}

static void test_outside (void)
{
    static const char *const paths[] = {"/refs", "/lists", NULL};
    struct h5copy c = h5copy_random (&chance);
    const hsize_t dims = 4;
    hobj_ref_t to[4] = {0, 0, 0, 0};
    hid_t file = begin ();
    h5class_objects (file);
    H5 (H5Ldelete (file, "refs", H5P_DEFAULT));
    H5 (H5Rcreate (&to[0], file, "group", H5R_OBJECT, -1));
    H5 (H5Rcreate (&to[1], file, "zz", H5R_OBJECT, -1));
    to[3] = 0x3fffffff; /* there is nothing */
    h5put (file, "refs", H5T_STD_REF_OBJ, 1, &dims, H5P_DEFAULT, to);
    h5put (file, "lists", H5T_STD_REF_OBJ, 1, &dims, H5P_DEFAULT, to);
    end (file);
    c.paths = paths;
    CU_ASSERT (h5copy_run (&c, source, landed) == LARDER_OK);
    CU_ASSERT (
        h5copy_remarked (&c, "2 references in /refs point outside the selection; written as null"));
    CU_ASSERT (h5copy_remarked (&c, "1 reference in /refs points to no object; written as null"));
    CU_ASSERT (exists ("/refs") && !exists ("/zz") && !exists ("/group"));

    c.with_targets = 1;
    c.replace = 1;
    CU_ASSERT (h5copy_run (&c, source, landed) == LARDER_OK);
    CU_ASSERT (h5copy_remarked (&c, "/zz is taken along: /lists refers to it"));
    CU_ASSERT (!h5copy_remarked (&c, "outside"));
    CU_ASSERT (exists ("/refs") && exists ("/zz") && exists ("/group") && !exists ("/pairs"));
}

static void test_type_along (void)
{
    static const char *const paths[] = {"/a/uses", NULL};
    struct h5copy c = h5copy_random (&chance);
    hid_t file = begin ();
    h5class_committed (file);
    end (file);
    c.paths = paths;
    CU_ASSERT (h5copy_differs (&c, source, landed) == 0);
    CU_ASSERT (exists ("/a/uses") && exists ("/type") && !exists ("/a/uses too"));
    CU_ASSERT (h5copy_remarked (&c, "/type is taken along: /a/uses has this type"));
}

static void test_paths (void)
{
    static const char *const through[] = {"by soft/q", "/deep//er/./", NULL};
    static const char *const missing[] = {"/deep/nothing", NULL};
    static const char *const below[] = {"/deep/q/more", NULL};
    const hsize_t dims = 2;
    int32_t v[2] = {1, 2};
    struct h5copy c = h5copy_random (&chance);
    hid_t file = begin ();
    hid_t deep = H5Gcreate2 (file, "deep", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t deeper = H5Gcreate2 (deep, "er", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate (H5S_SCALAR);
    h5attribute (deep, "of a group passed through", H5T_NATIVE_INT, space, v);
    h5attribute (deeper, "of a group taken", H5T_NATIVE_INT, space, v);
    h5put (deep, "q", H5T_NATIVE_INT, 1, &dims, H5P_DEFAULT, v);
    h5put (deeper, "r", H5T_NATIVE_INT, 1, &dims, H5P_DEFAULT, v);
    h5put (deep, "left", H5T_NATIVE_INT, 1, &dims, H5P_DEFAULT, v);
    H5 (H5Lcreate_soft ("/deep", file, "by soft", H5P_DEFAULT, H5P_DEFAULT));
    H5 (H5Sclose (space));
    H5 (H5Gclose (deeper));
    H5 (H5Gclose (deep));
    end (file);
    c.paths = missing;
    CU_ASSERT (h5copy_run (&c, source, landed) == LARDER_ENOENT);
    CU_ASSERT (strstr (c.err.text, "/deep/nothing") != NULL);
    c.paths = below;
    CU_ASSERT (h5copy_run (&c, source, landed) == LARDER_ENOENT);
    c.paths = through;
    CU_ASSERT (h5copy_run (&c, source, landed) == LARDER_OK);
    CU_ASSERT (exists ("/deep/er/r") && exists ("/by soft/q") && !exists ("/deep/left"));
    file = H5Fopen (landed, H5F_ACC_RDONLY, H5P_DEFAULT);
    CU_ASSERT (H5Aexists_by_name (file, "/deep/er", "of a group taken", H5P_DEFAULT) > 0);
    CU_ASSERT (H5Aexists_by_name (file, "/deep", "of a group passed through", H5P_DEFAULT) == 0);
    H5 (H5Fclose (file));
    static const char *const all[] = {"/", NULL};
    c.paths = all;
    c.replace = 1;
    CU_ASSERT (h5copy_differs (&c, source, landed) == 0);
}

/* ------------------------------------------------------------------ refusals */

static herr_t follow (const char *name, hid_t at, const void *value, size_t size, hid_t lapl)
{
    (void)name, (void)at, (void)value, (void)size, (void)lapl;
    return -1;
}

static void test_refused_link (void)
{
    struct h5copy c = h5copy_random (&chance);
    const H5L_class_t class = {.version = H5L_LINK_CLASS_T_VERS,
                               .id = (H5L_type_t)200,
                               .comment = "user-defined",
                               .trav_func = (H5L_traverse_func_t)(void (*) (void))follow};
    hid_t file = begin ();
    H5 (H5Lregister (&class));
    H5 (H5Lcreate_ud (file, "odd", (H5L_type_t)200, "x", 1, H5P_DEFAULT, H5P_DEFAULT));
    H5 (H5Lunregister ((H5L_type_t)200));
    end (file);
    CU_ASSERT (h5copy_run (&c, source, landed) == LARDER_ENOTSUP);
    CU_ASSERT (strcmp (c.err.text, "link /odd has class 200, which only its own library "
                                   "understands") == 0);
}

static void test_refused_grid (void)
{
    struct h5copy c = h5copy_random (&chance);
    const hsize_t dims = 10000000000000000u;
    hid_t file, fapl = H5Pcreate (H5P_FILE_ACCESS), list = h5list (1, 1, 0);
    H5 (H5Fclose (begin ()));
    H5 (H5Pset_libver_bounds (fapl, H5F_LIBVER_V110, H5F_LIBVER_LATEST));
    file = H5Fcreate (source, H5F_ACC_TRUNC, H5P_DEFAULT, fapl);
    h5put (file, "endless", H5T_NATIVE_INT, 1, &dims, list, NULL);
    H5 (H5Pclose (list));
    H5 (H5Pclose (fapl));
    end (file);
    CU_ASSERT (h5copy_run (&c, source, landed) == LARDER_ENOTSUP);
    CU_ASSERT (strcmp (c.err.text, "dataset /endless: its chunk index has 10000000000000000 slots, "
                                   "more than can be searched") == 0);
}

static void test_refused_filter (void)
{
    struct h5copy c = h5copy_random (&chance);
    const H5Z_class2_t one = {H5Z_CLASS_T_VERS, 32702, 1, 1, "lost", NULL, NULL, h5pass};
    const char *words[3] = {"a", "b", "c"};
    const hsize_t dims = 3;
    hid_t file = begin (), list = h5list (1, 2, 0), text = H5Tcopy (H5T_C_S1);
    H5 (H5Tset_size (text, H5T_VARIABLE));
    H5 (H5Zregister (&one));
    H5 (H5Pset_filter (list, 32702, H5Z_FLAG_OPTIONAL, 0, NULL));
    h5put (file, "words", text, 1, &dims, list, words);
    H5 (H5Pclose (list));
    H5 (H5Tclose (text));
    H5 (H5Zunregister (32702));
    end (file);
    CU_ASSERT (h5copy_run (&c, source, landed) == LARDER_ENOTSUP);
    CU_ASSERT (strstr (c.err.text, "dataset /words") && strstr (c.err.text, "32702 (lost)"));
}

static void test_refused_files (void)
{
    struct h5copy c = h5copy_random (&chance);
    static const char *const paths[] = {"/elsewhere/x", NULL};
    hid_t file = begin ();
    H5 (H5Lcreate_external ("other.h5", "/", file, "elsewhere", H5P_DEFAULT, H5P_DEFAULT));
    end (file);
    file = H5Fcreate (larder_test_path ("other.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5 (H5Gclose (H5Gcreate2 (file, "x", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)));
    end (file);
    c.paths = paths;
    CU_ASSERT (h5copy_run (&c, source, landed) == LARDER_ENOTSUP);
    CU_ASSERT (strstr (c.err.text, "/elsewhere/x is in another file") != NULL);
    c.paths = NULL;
    CU_ASSERT (h5copy_run (&c, larder_test_path ("nothing.h5"), landed) == LARDER_ENOENT);
    CU_ASSERT (larder_test_file_write (source, "no HDF5 at all", 14) == 0);
    CU_ASSERT (h5copy_run (&c, source, landed) == LARDER_EHDF5);
    CU_ASSERT (strstr (c.err.text, "is not an HDF5 file") != NULL);
}

/* A file whose writer died says so in its superblock. */
static void test_refused_open (void)
{
    struct h5copy c = h5copy_random (&chance);
    hid_t fapl = H5Pcreate (H5P_FILE_ACCESS);
    H5 (H5Fclose (begin ()));
    H5 (H5Pset_libver_bounds (fapl, H5F_LIBVER_V110, H5F_LIBVER_LATEST));
    hid_t file = H5Fcreate (source, H5F_ACC_TRUNC, H5P_DEFAULT, fapl);
    H5 (H5Fflush (file, H5F_SCOPE_GLOBAL));
    static char bytes[65536];
    FILE *f = fopen (source, "rb");
    CU_ASSERT_FATAL (f != NULL);
    size_t n = fread (bytes, 1, sizeof bytes, f);
    CU_ASSERT (fclose (f) == 0);
    H5 (H5Pclose (fapl));
    end (file);
    CU_ASSERT (larder_test_file_write (source, bytes, n) == 0);
    CU_ASSERT (h5copy_run (&c, source, landed) == LARDER_EHDF5);
    CU_ASSERT (strstr (c.err.text, "was not closed by its writer") != NULL);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"dimension scales", test_scales},
        {"a scale alone", test_scale_alone},
        {"outside references", test_outside},
        {"a committed type", test_type_along},
        {"paths", test_paths},
        {"refused: link", test_refused_link},
        {"refused: grid", test_refused_grid},
        {"refused: filter", test_refused_filter},
        {"refused: files", test_refused_files},
        {"refused: open", test_refused_open},
        {NULL, NULL},
    };
    larder_test_files_begin ();
    chance = larder_test_seed ();
    int code = larder_test_main ("parts of HDF5 files", tests);
    larder_test_files_end ();
    return code;
}
