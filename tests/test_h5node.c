/* SPDX-License-Identifier: Apache-2.0 */
/* Datasets once per node: equal to what H5Dread gives rank 0, in every class of dataset; what fails, fails for all. */
#include "h5dataset_sample.h"
#include "larder_mpitxn.h"
#include <larder/hdf5.h>

enum { ROWS = 300, COLUMNS = 1000 };

/* Small, so that items come in several views. */
static const larder_config config = {.chunk_size = 16 << 10, .cache_size = 512 << 10};

/* Rank 0's, and of this run only: other runs may be under way. */
static char path[64];

static hid_t same_type (void)
{
    return H5I_INVALID_HID;
}

static hid_t as_double (void)
{
    return H5Tcopy (H5T_NATIVE_DOUBLE);
}

static hid_t as_short (void)
{
    return H5Tcopy (H5T_STD_I16BE);
}

/* Two of the members, in another order, and one that the file does not have. */
static hid_t as_part (void)
{
    hid_t type = H5Tcreate (H5T_COMPOUND, 20);
    CU_ASSERT (H5Tinsert (type, "n", 0, H5T_NATIVE_INT) >= 0);
    CU_ASSERT (H5Tinsert (type, "else", 4, H5T_NATIVE_INT) >= 0);
    CU_ASSERT (H5Tinsert (type, "x", 8, H5T_NATIVE_DOUBLE) >= 0);
    return type;
}

/* type NULL: the native type of the dataset. */
static const struct {
    const char *name;
    hid_t (*type) (void);
} wanted[] = {
    {"contiguous", NULL},
    {"big_endian", NULL},
    {"long_rows", NULL},
    {"compact", NULL},
    {"external", NULL},
    {"scalar", NULL},
    {"empty", NULL},
    {"opaque", NULL},
    {"text", NULL},
    {"compound", NULL},
    {"enum", NULL},
    {"unwritten", NULL},
    {"null", NULL},
    {"chunked", NULL},
    {"gzip", NULL},
    {"fletcher32", NULL},
    {"szip", NULL},
    {"nbit", NULL},
    {"scaleoffset", NULL},
    {"plain_edges", NULL},
    {"holes", NULL},
    {"no_fill", NULL},
    {"compound_gzip", NULL},
    {"gzip_be", NULL},
    {"scale_filled", NULL},
    {"four", NULL},
    {"four_plain", NULL},
    {"masked", NULL},
    {"virtual", NULL},
    {"wide", NULL},
    {"wide_zip", NULL},
    {"odd_zip", NULL},
    {"odd_short", NULL},
    {"wide", as_short},
    {"wide_zip", as_short},
    {"chunked", as_double},
    {"long_rows", as_double},
    {"gzip", as_double},
    {"scalar", as_double},
    {"compound_gzip", as_part},
    {"compound", as_part},
    {"gzip_be", same_type},
    {"big_endian", same_type},
};

/* Longer than a block of bytes, in slabs that end anywhere, and in chunks that do not fit. */
static int add_wide (hid_t file)
{
    const hsize_t dims[2] = {ROWS, COLUMNS}, chunk[2] = {37, 300};
    hid_t list = H5Pcreate (H5P_DATASET_CREATE);
    int bad = H5Pset_chunk (list, 2, chunk) < 0 || H5Pset_shuffle (list) < 0 ||
              H5Pset_deflate (list, 1) < 0;
    bad |= h5dataset_add (file, "wide", H5T_STD_I32LE, 2, dims, NULL, H5P_DEFAULT, 0);
    bad |= h5dataset_add (file, "wide_zip", H5T_STD_I32LE, 2, dims, NULL, list, 0);
    const hsize_t odd[2] = {50, 10}, cut[2] = {7, 3}; /* 21 elements a chunk */
    bad |= H5Pset_chunk (list, 2, cut) < 0;
    bad |= h5dataset_add (file, "odd_zip", H5T_IEEE_F64LE, 2, odd, NULL, list, 0);
    bad |= h5dataset_add (file, "odd_short", H5T_STD_I16BE, 2, odd, NULL, list, 0);
    return bad | (H5Pclose (list) < 0);
}

/* One chunk of a row of them holds what no filter made. */
static int add_damaged (hid_t file)
{
    const hsize_t dims[1] = {1000}, chunk[1] = {100}, at[1] = {500};
    static const unsigned char raw[64] = {1, 2, 3};
    hid_t list = H5Pcreate (H5P_DATASET_CREATE);
    int bad = H5Pset_chunk (list, 1, chunk) < 0 || H5Pset_deflate (list, 1) < 0;
    bad |= h5dataset_add (file, "damaged", H5T_STD_I32LE, 1, dims, NULL, list, 0);
    hid_t d = H5Dopen2 (file, "damaged", H5P_DEFAULT);
    bad |= H5Dwrite_chunk (d, H5P_DEFAULT, 0, at, sizeof raw, raw) < 0;
    return bad | (H5Dclose (d) < 0) | (H5Pclose (list) < 0);
}

static void make_file (void)
{
    (void)snprintf (path, sizeof path, "larder-h5node-%d.h5", (int)getpid ());
    if (mpitest_rank)
        return;
    CU_ASSERT_EQUAL_FATAL (h5dataset_sample (path, 1), 0);
    hid_t file = H5Fopen (path, H5F_ACC_RDWR, H5P_DEFAULT);
    CU_ASSERT_FATAL (file >= 0 && add_wide (file) == 0 && add_damaged (file) == 0);
    CU_ASSERT_EQUAL_FATAL (H5Fclose (file), 0);
}

static void remove_file (void)
{
    if (mpitest_rank == 0)
        CU_ASSERT_EQUAL (remove (path), 0);
}

/* Rank 0's, with the ref on all ranks. */
static void offer (larder *s, const char *name, larder_receivers receivers, larder_ref *ref)
{
    larder_error err = {0};
    larder_object object;
    if (mpitest_rank == 0) {
        MPITEST_OK (larder_h5_dataset_object (path, name, 5000, &object, &err), err);
        MPITEST_OK (larder_offer (s, &object, receivers, ref, &err), err);
    }
    mpiobject_share (ref, 0);
}

/* The type to read in, on all ranks alike: what rank 0 finds in the file need not be asked. */
static hid_t type_of (const larder_h5_dataset *d, hid_t (*type) (void))
{
    if (!type)
        return H5Tget_native_type (larder_h5_dataset_type (d), H5T_DIR_DEFAULT);
    return type == same_type ? H5Tcopy (larder_h5_dataset_type (d)) : type ();
}

/* What H5Dread gives rank 0, on all ranks. */
static char *expected (const char *name, hid_t type, uint64_t size)
{
    char *bytes = calloc (1, size + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL (bytes);
    if (mpitest_rank == 0) {
        hid_t file = H5Fopen (path, H5F_ACC_RDONLY, H5P_DEFAULT);
        hid_t d = H5Dopen2 (file, name, H5P_DEFAULT), space = H5Dget_space (d);
        CU_ASSERT_EQUAL (size, (uint64_t)H5Sget_simple_extent_npoints (space) * H5Tget_size (type));
        CU_ASSERT (size == 0 || H5Dread (d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) >= 0);
        CU_ASSERT (H5Sclose (space) >= 0 && H5Dclose (d) >= 0 && H5Fclose (file) >= 0);
    }
    MPI_Bcast (bytes, (int)size, MPI_BYTE, 0, MPI_COMM_WORLD);
    return bytes;
}

static void serve (larder *s)
{
    larder_error err = {0};
    if (mpitest_rank == 0)
        MPITEST_OK (larder_serve (s, 0, &err), err);
}

static void compare (const char *name, const char *bytes, const larder_shared *m)
{
    int same = memcmp (bytes, larder_shared_data (m), larder_shared_size (m)) == 0;
    if (!same)
        fprintf (stderr, "rank %d: %s differs\n", mpitest_rank, name);
    CU_ASSERT (same);
}

/* Nothing of what is in the memory may be left. */
static void read_again (larder *s, larder_h5_dataset *d, hid_t type, larder_shared *m)
{
    larder_error err = {0};
    larder_session_info info;
    CU_ASSERT_EQUAL (larder_session_get_info (s, &info), LARDER_OK);
    MPITEST_OK (larder_shared_agree (m, LARDER_OK, NULL, &err), err);
    if (info.node_rank == 0)
        memset (larder_shared_data (m), 0x55, larder_shared_size (m));
    MPITEST_OK (larder_shared_agree (m, LARDER_OK, NULL, &err), err);
    MPITEST_OK (larder_h5_dataset_read_shared (d, type, m, &err), err);
}

/* Into the memory of every rank, and of every rank but one. */
static void read_all (larder_h5_dataset *d, hid_t type, const char *name, const char *bytes,
                      uint64_t size)
{
    larder_error err = {0};
    for (int without = -1; without < mpitest_size; without += mpitest_size) {
        char *mine = calloc (1, size + 1); /* what H5Dread leaves alone is 0 in `bytes` as well */
        CU_ASSERT_PTR_NOT_NULL_FATAL (mine);
        int takes = mpitest_rank != without;
        MPITEST_OK (larder_h5_dataset_read_all (d, type, takes ? mine : NULL, &err), err);
        int same = !takes || memcmp (bytes, mine, size) == 0;
        if (!same)
            fprintf (stderr, "rank %d: %s differs\n", mpitest_rank, name);
        CU_ASSERT (same);
        free (mine);
    }
}

static void check_one (larder *s, const char *name, hid_t (*make) (void))
{
    larder_error err = {0};
    larder_h5_dataset *d = NULL;
    larder_shared *m = NULL;
    larder_ref ref;
    offer (s, name, LARDER_EVERY_RANK, &ref);
    MPITEST_OK (larder_h5_dataset_open (s, &ref, &d, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL (d);
    hid_t type = type_of (d, make);
    MPITEST_OK (larder_h5_dataset_node (d, type, &m, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL (m);
    char *bytes = expected (name, type, larder_shared_size (m));
    compare (name, bytes, m);
    read_again (s, d, type, m);
    compare (name, bytes, m);
    read_all (d, type, name, bytes, larder_shared_size (m));
    free (bytes);
    larder_h5_dataset_close (&d);
    serve (s);
    MPITEST_OK (larder_shared_free (&m, &err), err);
    CU_ASSERT (H5Tclose (type) >= 0);
}

static void test_classes (void)
{
    larder *s = mpiobject_open (&config);
    make_file ();
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; ++i)
        if (strcmp (wanted[i].name, "szip") != 0 || H5Zfilter_avail (H5Z_FILTER_SZIP) > 0)
            check_one (s, wanted[i].name, wanted[i].type);
    mpiobject_close (&s);
    remove_file ();
}

/* ---------------------------------------------------------------- who decodes */

enum { COUNTED = 300 }; /* number of a filter that counts how often it decodes */

static int decoded;

static size_t count_filter (unsigned flags, size_t values, const unsigned value[], size_t bytes,
                            size_t *size, void **buffer)
{
    (void)values;
    (void)value;
    (void)size;
    unsigned char *p = *buffer;
    for (size_t i = 0; i < bytes; ++i)
        p[i] ^= 0x5a;
    decoded += (flags & H5Z_FLAG_REVERSE) != 0;
    return bytes;
}

/* Chunks of which many fit into the ring that ranks exchange them by, of which six do, and for which they take turns. */
static const struct counted {
    const char *name;
    hsize_t dims[2], chunk[2];
    int chunks;
} counted[] = {{"counted", {ROWS, COLUMNS}, {37, 300}, 36},
               {"counted_large", {2900, COLUMNS}, {300, COLUMNS}, 10},
               {"counted_huge", {4700, COLUMNS}, {1200, COLUMNS}, 4}};

static void add_counted (const struct counted *c)
{
    if (mpitest_rank)
        return;
    hid_t list = H5Pcreate (H5P_DATASET_CREATE), file = H5Fopen (path, H5F_ACC_RDWR, H5P_DEFAULT);
    int bad = H5Pset_chunk (list, 2, c->chunk) < 0 || H5Pset_filter (list, COUNTED, 0, 0, NULL) < 0;
    bad |= h5dataset_add (file, c->name, H5T_STD_I32LE, 2, c->dims, NULL, list, 0);
    CU_ASSERT (!bad && H5Pclose (list) >= 0 && H5Fclose (file) >= 0);
}

/* Each chunk, once on each node. */
static void check_decoded (const larder *s, const struct counted *c)
{
    larder_session_info info;
    int all = 0;
    CU_ASSERT_EQUAL (larder_session_get_info (s, &info), LARDER_OK);
    MPI_Allreduce (&decoded, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    CU_ASSERT_EQUAL (all, c->chunks * info.node_count);
    decoded = 0;
}

static void decode_once (larder *s, const struct counted *c)
{
    larder_error err = {0};
    larder_h5_dataset *d = NULL;
    larder_shared *m = NULL;
    larder_ref ref;
    add_counted (c);
    uint64_t size = c->dims[0] * c->dims[1] * sizeof (int);
    char *bytes = expected (c->name, H5T_NATIVE_INT, size), *mine = calloc (1, size);
    CU_ASSERT_PTR_NOT_NULL_FATAL (mine);
    offer (s, c->name, LARDER_EVERY_RANK, &ref);
    MPITEST_OK (larder_h5_dataset_open (s, &ref, &d, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL (d);
    decoded = 0;
    MPITEST_OK (larder_h5_dataset_node (d, H5T_NATIVE_INT, &m, &err), err);
    check_decoded (s, c);
    compare (c->name, bytes, m);
    MPITEST_OK (larder_h5_dataset_read_all (d, H5T_NATIVE_INT, mine, &err), err);
    check_decoded (s, c);
    CU_ASSERT (memcmp (bytes, mine, size) == 0);
    larder_h5_dataset_close (&d);
    serve (s);
    MPITEST_OK (larder_shared_free (&m, &err), err);
    free (bytes);
    free (mine);
}

static void test_decoded_once (void)
{
    static const H5Z_class2_t class = {H5Z_CLASS_T_VERS, COUNTED, 1,    1,
                                       "counted",        NULL,    NULL, count_filter};
    CU_ASSERT_FATAL (H5Zregister (&class) >= 0);
    larder *s = mpiobject_open (&config);
    make_file ();
    for (size_t i = 0; i < sizeof counted / sizeof *counted; ++i)
        decode_once (s, &counted[i]);
    mpiobject_close (&s);
    remove_file ();
    CU_ASSERT (H5Zunregister (COUNTED) >= 0);
}

/* ---------------------------------------------------------------- in one call */

static void test_at_once (void)
{
    larder_error err = {0};
    larder_shared *m = NULL;
    larder_shape shape = {.ndims = 99};
    larder_ref ref;
    int last = mpitest_rank == mpitest_size - 1;
    larder *s = mpiobject_open (&config);
    make_file ();
    offer (s, "wide_zip", LARDER_ALL, &ref); /* the owner takes part all the same */
    CU_ASSERT_EQUAL (
        larder_h5_dataset_node_open (s, &ref, H5T_NATIVE_INT, last ? NULL : &m, &shape, &err),
        LARDER_EINVAL);
    CU_ASSERT_EQUAL (
        larder_h5_dataset_node_open (s, last ? NULL : &ref, H5T_NATIVE_INT, &m, &shape, &err),
        LARDER_EINVAL);
    CU_ASSERT_EQUAL (
        larder_h5_dataset_node_open (s, &ref, last ? -1 : H5T_NATIVE_INT, &m, &shape, &err),
        LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_h5_dataset_node_open (s, &ref, last ? H5T_NATIVE_INT : H5T_NATIVE_FLOAT,
                                                  &m, &shape, &err),
                     mpitest_size > 1 ? LARDER_EMISMATCH : LARDER_OK);
    if (mpitest_size == 1)
        MPITEST_OK (larder_shared_free (&m, &err), err);
    else
        CU_ASSERT (m == NULL && shape.ndims == 99);
    CU_ASSERT_EQUAL (larder_h5_dataset_node_open (NULL, &ref, H5T_NATIVE_INT, &m, &shape, &err),
                     LARDER_EINVAL);
    if (mpitest_size > 1) { /* nobody has told the owner anything so far */
        MPITEST_OK (larder_h5_dataset_node_open (s, &ref, H5T_NATIVE_DOUBLE, &m, &shape, &err),
                    err);
        CU_ASSERT_PTR_NOT_NULL_FATAL (m);
        CU_ASSERT (shape.type == LARDER_FLOAT64 && shape.ndims == 2);
        CU_ASSERT (shape.dims[0] == ROWS && shape.dims[1] == COLUMNS);
        char *bytes = expected ("wide_zip", H5T_NATIVE_DOUBLE, larder_shared_size (m));
        CU_ASSERT (memcmp (bytes, larder_shared_data (m), larder_shared_size (m)) == 0);
        free (bytes);
        MPITEST_OK (larder_shared_free (&m, &err), err);
        serve (s); /* all have been heard */
    }
    mpiobject_close (&s);
    remove_file ();
}

/* ---------------------------------------------------------------- what fails, fails for all */

static void test_refused (void)
{
    larder_error err = {0};
    larder_h5_dataset *d[2] = {NULL, NULL};
    larder_shared *m = NULL;
    larder_ref ref[2];
    int last = mpitest_rank == mpitest_size - 1;
    larder *s = mpiobject_open (&config);
    hid_t text = H5Tcopy (H5T_C_S1);
    CU_ASSERT (H5Tset_size (text, H5T_VARIABLE) >= 0);
    make_file ();
    for (int i = 0; i < 2; ++i) {
        offer (s, "wide", LARDER_EVERY_RANK, &ref[i]);
        MPITEST_OK (larder_h5_dataset_open (s, &ref[i], &d[i], &err), err);
    }
    CU_ASSERT_FATAL (d[0] != NULL && d[1] != NULL);
    CU_ASSERT_EQUAL (larder_h5_dataset_node (NULL, H5T_NATIVE_INT, &m, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_h5_dataset_node (d[0], H5T_NATIVE_INT, last ? NULL : &m, &err),
                     LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_h5_dataset_node (d[0], last ? -1 : H5T_NATIVE_INT, &m, &err),
                     LARDER_EINVAL);
    if (mpitest_size > 1) {
        CU_ASSERT_EQUAL (
            larder_h5_dataset_node (d[0], last ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT, &m, &err),
            LARDER_EMISMATCH);
        CU_ASSERT_EQUAL (
            larder_h5_dataset_node (d[0], mpitest_rank ? H5T_STD_I32BE : H5T_STD_I32LE, &m, &err),
            LARDER_EMISMATCH);
        CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "mem_type"));
        CU_ASSERT_EQUAL (larder_h5_dataset_node (d[last], H5T_NATIVE_INT, &m, &err),
                         LARDER_EMISMATCH);
        CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "ref"));
    }
    CU_ASSERT_PTR_NULL (m);
    MPITEST_OK (larder_h5_dataset_node (d[0], H5T_NATIVE_INT, &m, &err), err); /* it works */
    CU_ASSERT_PTR_NOT_NULL_FATAL (m);
    CU_ASSERT_EQUAL (larder_shared_size (m), sizeof (int) * ROWS * COLUMNS);
    CU_ASSERT_EQUAL (larder_h5_dataset_read_shared (NULL, H5T_NATIVE_INT, m, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_h5_dataset_read_shared (d[0], H5T_NATIVE_INT, last ? NULL : m, &err),
                     LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_h5_dataset_read_shared (d[0], H5T_NATIVE_DOUBLE, m, &err),
                     LARDER_EINVAL); /* not its size */
    MPITEST_OK (larder_shared_free (&m, &err), err);
    CU_ASSERT_EQUAL (larder_h5_dataset_node (d[1], last ? text : H5T_NATIVE_INT, &m, &err),
                     LARDER_ENOTSUP);
    CU_ASSERT_PTR_NULL (m);
    larder_h5_dataset_close (&d[0]);
    larder_h5_dataset_close (&d[1]);
    serve (s);
    CU_ASSERT (H5Tclose (text) >= 0);
    mpiobject_close (&s);
    remove_file ();
}

/* One rank of a node meets it: all fail alike, and the owner hears so of all. */
static void check_failing (larder *s, const char *name, hid_t type, int at_once)
{
    static struct mpitxn t;
    larder_error err = {0};
    larder_h5_dataset *d = NULL;
    larder_shared *m = NULL;
    larder_object object;
    larder_ref ref;
    t = (struct mpitxn){0};
    if (mpitest_rank == 0) {
        larder_transaction_options x = mpitxn_options (&t, LARDER_EVERY_RANK);
        mpitxn_begin (s, &t, &x);
        MPITEST_OK (larder_h5_dataset_object (path, name, 5000, &object, &err), err);
        MPITEST_OK (larder_transaction_add (s, t.number, &object, &ref, &err), err);
        mpitxn_live (s, &t);
    }
    mpiobject_share (&ref, 0);
    if (at_once == 2) {
        static char values[1 << 20];
        MPITEST_OK (larder_h5_dataset_open (s, &ref, &d, &err), err);
        CU_ASSERT_PTR_NOT_NULL_FATAL (d);
        CU_ASSERT_EQUAL (larder_h5_dataset_read_all (d, type, values, &err), LARDER_EHDF5);
        larder_h5_dataset_close (&d);
    } else if (at_once) {
        CU_ASSERT_EQUAL (larder_h5_dataset_node_open (s, &ref, type, &m, NULL, &err), LARDER_EHDF5);
    } else {
        MPITEST_OK (larder_h5_dataset_open (s, &ref, &d, &err), err);
        CU_ASSERT_PTR_NOT_NULL_FATAL (d);
        CU_ASSERT_EQUAL (larder_h5_dataset_node (d, type, &m, &err), LARDER_EHDF5);
        larder_h5_dataset_close (&d);
    }
    CU_ASSERT_PTR_NULL (m);
    CU_ASSERT (err.code == LARDER_EHDF5 && err.text[0]);
    if (mpitest_rank == 0) {
        larder_receipt *r = mpitxn_wait (s, &t);
        for (int i = 0; i < mpitest_size; ++i)
            mpitxn_check_line (r, 0, i, LARDER_RECEIVER_FAILED, LARDER_EHDF5);
        larder_receipt_free (&r);
    }
}

static void test_failing (void)
{
    larder *s = mpiobject_open (&config);
    make_file ();
    check_failing (s, "damaged", H5T_NATIVE_INT, 0);
    check_failing (s, "damaged", H5T_NATIVE_INT, 1);
    check_failing (s, "damaged", H5T_NATIVE_INT, 2);
    check_failing (s, "wide", H5T_C_S1, 0); /* no conversion */
    check_failing (s, "scalar", H5T_C_S1, 1);
    check_one (s, "gzip", NULL);
    mpiobject_close (&s);
    remove_file ();
}

int main (int argc, char **argv)
{
    static const struct larder_test tests[] = {
        {"every class of dataset", test_classes},
        {"decoded once", test_decoded_once},
        {"from a ref to memory at once", test_at_once},
        {"refused", test_refused},
        {"failing", test_failing},
        {NULL, NULL},
    };
    return mpitest_main (argc, argv, "h5node", tests);
}
