/* SPDX-License-Identifier: Apache-2.0 */
/* Files of each class, sent whole and dataset by dataset: what lands is equal. */
#define _GNU_SOURCE
#include "h5classes.h"
#include "h5copy.h"
#include "larder_test.h"
#include "larder_test_files.h"

static struct larder_test_random chance;

static const H5F_libver_t lows[] = {H5F_LIBVER_EARLIEST, H5F_LIBVER_V18, H5F_LIBVER_V110};

static void test_classes (void)
{
    for (int i = 0; i < H5CLASSES; ++i)
        for (int low = 0; low < 3; ++low) {
            struct h5copy c = h5copy_random (&chance);
            (void)larder_test_files_clear ();
            const char *a = larder_test_path (h5classes[i].name), *b = larder_test_path ("copy");
            int bad = h5class_make (&h5classes[i], a, lows[low]);
            /* An attribute of more than 64 KiB is beyond the oldest format. */
            CU_ASSERT (bad == 0 || (low == 0 && h5classes[i].make == h5class_attributes));
            if (h5copy_differs (&c, a, b) != 0) {
                (void)fprintf (stderr, "    class %s, lowest version %d\n", h5classes[i].name, low);
                CU_FAIL ("a class is not equal");
            }
        }
}

/* Each link of the root alone. */
static herr_t copy_alone (hid_t file, const char *name, const H5L_info_t *info, void *data)
{
    const char *from = data, *to = larder_test_path ("alone");
    const char *const paths[2] = {name, NULL};
    struct h5copy c = h5copy_random (&chance);
    (void)file;
    if (info->type != H5L_TYPE_HARD)
        return 0;
    c.paths = paths;
    c.replace = 1;
    CU_ASSERT (h5copy_differs (&c, from, to) == 0);
    return 0;
}

static void test_alone (void)
{
    static const char *const skip[] = {"objects", "regions", "sizes"};
    for (int i = 0; i < H5CLASSES; ++i) {
        int references = 0;
        for (int s = 0; s < 3; ++s)
            references |= strcmp (h5classes[i].name, skip[s]) == 0;
        if (references) /* null where what they point to is left out */
            continue;
        (void)larder_test_files_clear ();
        char a[LARDER_TEST_PATH];
        (void)snprintf (a, sizeof a, "%s", larder_test_path ("source"));
        CU_ASSERT (h5class_make (&h5classes[i], a, H5F_LIBVER_V18) == 0);
        hid_t file = H5Fopen (a, H5F_ACC_RDONLY, H5P_DEFAULT);
        CU_ASSERT_FATAL (file >= 0);
        CU_ASSERT (H5Literate (file, H5_INDEX_NAME, H5_ITER_INC, NULL, copy_alone, a) == 0);
        CU_ASSERT (H5Fclose (file) >= 0);
    }
}

/* The bytes in front of the superblock are not HDF5's, but travel all the same. */
static void test_user_block (void)
{
    char have[2048], sent[2048];
    const struct h5class sized = {"user", h5class_links, h5create_sizes};
    struct h5copy c = h5copy_random (&chance);
    (void)larder_test_files_clear ();
    const char *a = larder_test_path ("a"), *b = larder_test_path ("b");
    CU_ASSERT_FATAL (h5class_make (&sized, a, H5F_LIBVER_EARLIEST) == 0);
    for (size_t i = 0; i < sizeof sent; ++i)
        sent[i] = (char)(i * 31);
    FILE *f = fopen (a, "r+b");
    CU_ASSERT_FATAL (f != NULL);
    CU_ASSERT (fwrite (sent, 1, sizeof sent, f) == sizeof sent);
    CU_ASSERT (fclose (f) == 0);
    CU_ASSERT (h5copy_differs (&c, a, b) == 0);
    f = fopen (b, "rb");
    CU_ASSERT_FATAL (f != NULL);
    CU_ASSERT (fread (have, 1, sizeof have, f) == sizeof have);
    CU_ASSERT (fclose (f) == 0);
    CU_ASSERT (memcmp (have, sent, sizeof sent) == 0);
}

/* External data becomes the new file's own: the old list would write into the source's file. */
static void test_external (void)
{
    const hsize_t dims = 1000;
    int32_t *v = h5numbers (1000), *w = calloc (1000, sizeof *w);
    struct h5copy c = h5copy_random (&chance);
    (void)larder_test_files_clear ();
    const char *a = larder_test_path ("a"), *b = larder_test_path ("b");
    const char *raw = larder_test_path ("raw");
    hid_t file = H5Fcreate (a, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t list = H5Pcreate (H5P_DATASET_CREATE);
    h5bad = 0;
    H5 (H5Pset_external (list, raw, 0, 4000));
    h5put (file, "outside", H5T_NATIVE_INT, 1, &dims, list, v);
    H5 (H5Pclose (list));
    H5 (H5Fclose (file));
    CU_ASSERT (h5bad == 0);
    CU_ASSERT (h5copy_run (&c, a, b) == LARDER_OK);
    CU_ASSERT (h5copy_remarked (&c, "dataset /outside keeps its data in other files"));
    CU_ASSERT (larder_test_file_is (raw, v, 4000));
    CU_ASSERT (unlink (raw) == 0);
    file = H5Fopen (b, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t d = H5Dopen2 (file, "outside", H5P_DEFAULT);
    CU_ASSERT (H5Dread (d, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, w) >= 0);
    CU_ASSERT (memcmp (v, w, 4000) == 0);
    H5 (H5Dclose (d));
    H5 (H5Fclose (file));
    CU_ASSERT (h5bad == 0);
    free (v);
    free (w);
}

/* Memory does not follow the data: no item is much larger than a slab or a chunk. */
static void test_bounded (void)
{
    const hsize_t dims = 300000;
    int32_t *v = h5numbers (300000);
    struct h5copy c = h5copy_random (&chance);
    (void)larder_test_files_clear ();
    const char *a = larder_test_path ("a"), *b = larder_test_path ("b");
    h5bad = 0;
    hid_t file = H5Fcreate (a, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), list = h5list (1, 500, 0);
    h5put (file, "contiguous", H5T_NATIVE_INT, 1, &dims, H5P_DEFAULT, v);
    h5put (file, "chunked", H5T_NATIVE_INT, 1, &dims, list, v);
    H5 (H5Pclose (list));
    H5 (H5Fclose (file));
    CU_ASSERT (h5bad == 0);
    c.slab = 4000;
    CU_ASSERT (h5copy_differs (&c, a, b) == 0);
    CU_ASSERT (c.loop.items == 1 + 300 + 600);
    CU_ASSERT (c.loop.largest <= 4096);
    free (v);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"each class, whole", test_classes}, {"each class, alone", test_alone},
        {"user block", test_user_block},     {"external storage", test_external},
        {"items are bounded", test_bounded}, {NULL, NULL},
    };
    larder_test_files_begin ();
    chance = larder_test_seed ();
    int code = larder_test_main ("HDF5 selections", tests);
    larder_test_files_end ();
    return code;
}
