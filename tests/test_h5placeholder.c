/* SPDX-License-Identifier: Apache-2.0 */
/* Datasets of a message, over a real session: a placeholder of the second of two datasets in one object, read
 * by hyperslabs, and the first received as an array.  The owner hears of it once, and not from closing. */
#include "larder_mpitxn.h"
#include <larder/hdf5.h>

enum { ROWS = 100, COLUMNS = 40 };

static int written (int which, int row, int column)
{
    return which * 100000 + row * COLUMNS + column;
}

/* "first": contiguous doubles.  "second": compressed chunks of big-endian integers. */
static int write_file (const char *path)
{
    static int values[ROWS][COLUMNS];
    const hsize_t dims[2] = {ROWS, COLUMNS}, chunk[2] = {16, 12};
    const hid_t types[2] = {H5T_IEEE_F64LE, H5T_STD_I32BE};
    hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple (2, dims, NULL), list = H5Pcreate (H5P_DATASET_CREATE);
    int bad = H5Pset_chunk (list, 2, chunk) < 0 || H5Pset_shuffle (list) < 0 ||
              H5Pset_deflate (list, 6) < 0;
    for (int i = 0; i < 2; ++i) {
        hid_t set = H5Dcreate2 (file, i ? "second" : "first", types[i], space, H5P_DEFAULT,
                                i ? list : H5P_DEFAULT, H5P_DEFAULT);
        for (int y = 0; y < ROWS; ++y)
            for (int x = 0; x < COLUMNS; ++x)
                values[y][x] = written (i, y, x);
        bad |= H5Dwrite (set, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0;
        bad |= H5Dclose (set) < 0;
    }
    bad |= H5Pclose (list) < 0 || H5Sclose (space) < 0;
    return bad | (H5Fclose (file) < 0);
}

/* What a message would carry. */
struct sent {
    larder_ref whole;
    uint64_t items[2];
    larder_shape shape[2];
    uint64_t size[2];
};

static void make (const larder_handler *h, const char *path, larder_h5_value **values,
                  struct sent *sent, larder_object *object)
{
    larder_error err = {0};
    for (int i = 0; i < 2; ++i) {
        MPITEST_OK (larder_h5_value_new (path, i ? "second" : "first", 4096, &values[i], &err),
                    err);
        MPITEST_OK (h->describe (h->self, values[i], &sent->shape[i], &sent->size[i], &err), err);
    }
    const void *const both[2] = {values[0], values[1]};
    MPITEST_OK (h->make_object (h->self, both, 2, object, sent->items, &err), err);
    CU_ASSERT_EQUAL (sent->items[0], 1 + 9);
    CU_ASSERT_EQUAL (sent->items[1], 1 + 7 * 4);
}

static larder_lazy lazy_of (const struct sent *sent, int i)
{
    larder_error err = {0};
    larder_lazy lazy = {
        .dot = LARDER_DOT_H5_DATASET, .shape = sent->shape[i], .size = sent->size[i]};
    MPITEST_OK (
        larder_ref_items (&sent->whole, i ? sent->items[0] : 0, sent->items[i], &lazy.ref, &err),
        err);
    return lazy;
}

static void read_slab (larder_h5_dataset *d, hsize_t y, hsize_t x, hsize_t rows, hsize_t columns)
{
    static double values[ROWS * COLUMNS];
    const hsize_t start[2] = {y, x}, count[2] = {rows, columns};
    larder_error err = {0};
    int bad = 0;
    hid_t space = H5Scopy (larder_h5_dataset_space (d)), memory = H5Screate_simple (2, count, NULL);
    CU_ASSERT (H5Sselect_hyperslab (space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0);
    MPITEST_OK (larder_h5_dataset_read (d, H5T_NATIVE_DOUBLE, memory, space, values, &err), err);
    for (hsize_t i = 0; i < rows; ++i)
        for (hsize_t j = 0; j < columns; ++j)
            bad += (int)values[i * columns + j] != written (1, (int)(y + i), (int)(x + j));
    CU_ASSERT_EQUAL (bad, 0);
    CU_ASSERT (H5Sclose (space) >= 0 && H5Sclose (memory) >= 0);
}

/* The whole first dataset. */
static void receive_first (const larder_handler *h, larder *s, const larder_lazy *lazy)
{
    larder_error err = {0};
    larder_consumer consumer = {0};
    larder_made made = {0};
    int bad = 0;
    MPITEST_OK (h->receive (h->self, lazy, &consumer, &err), err);
    MPITEST_OK (larder_download (s, &lazy->ref, &consumer, &err),
                err); /* from item 0, as it happens */
    MPITEST_OK (h->finish (h->self, consumer.self, &made, &err), err);
    CU_ASSERT_FATAL (made.array == 1 && made.value != NULL && made.shape.type == LARDER_FLOAT64);
    const double *values = made.value;
    for (int y = 0; y < ROWS; ++y)
        for (int x = 0; x < COLUMNS; ++x)
            bad += (int)values[y * COLUMNS + x] != written (0, y, x);
    CU_ASSERT_EQUAL (bad, 0);
    made.free_value (made.value);
}

static void use (const larder_handler *h, larder *s, const struct sent *sent)
{
    larder_error err = {0};
    larder_lazy lazy = lazy_of (sent, 1), first = lazy_of (sent, 0);
    for (int round = 0; round < 2; ++round) { /* closing the first one was not the end */
        larder_made made = {0};
        MPITEST_OK (h->make_lazy_ref (h->self, s, &lazy, &made, &err), err);
        CU_ASSERT_FATAL (made.value != NULL && made.array == 0);
        read_slab (made.value, 3, 5, 30, 20);
        read_slab (made.value, 90, 36, 10, 4);
        made.free_value (made.value);
    }
    receive_first (h, s, &first);
    /* A promise that the object does not keep. */
    larder_made none = {0};
    lazy.shape.dims[0] = ROWS + 1;
    CU_ASSERT_EQUAL (h->make_lazy_ref (h->self, s, &lazy, &none, &err), LARDER_EINCOMPLETE);
    CU_ASSERT_PTR_NULL (none.value);
    /* Had anything above been said to the owner, this would come too late to count. */
    int last = mpitest_rank == mpitest_size - 1;
    MPITEST_OK (larder_confirm (s, &sent->whole, last ? LARDER_ENOTSUP : LARDER_OK, &err), err);
}

static void test_placeholder (void)
{
    static struct mpitxn t;
    const char *path = "larder-h5placeholder.h5";
    const larder_handler h = larder_h5_handler ();
    larder_h5_value *values[2] = {NULL, NULL};
    larder_error err = {0};
    larder_object object;
    struct sent sent;
    larder *s = mpiobject_open (NULL);
    memset (&sent, 0, sizeof sent);
    t = (struct mpitxn){0};
    if (mpitest_rank == 0) {
        CU_ASSERT_EQUAL_FATAL (write_file (path), 0);
        make (&h, path, values, &sent, &object);
        larder_transaction_options x = mpitxn_options (&t, LARDER_ALL);
        mpitxn_begin (s, &t, &x);
        MPITEST_OK (larder_transaction_add (s, t.number, &object, &sent.whole, &err), err);
        mpitxn_live (s, &t);
    }
    MPI_Bcast (&sent, (int)sizeof sent, MPI_BYTE, 0, MPI_COMM_WORLD);
    if (mpitest_rank)
        use (&h, s, &sent);
    if (mpitest_rank == 0 && mpitest_size > 1) {
        larder_receipt *r = mpitxn_wait (s, &t);
        for (int i = 1; i < mpitest_size; ++i) {
            int last = i == mpitest_size - 1;
            mpitxn_check_line (r, 0, i, last ? LARDER_RECEIVER_FAILED : LARDER_RECEIVER_SUCCEEDED,
                               last ? LARDER_ENOTSUP : LARDER_OK);
        }
        larder_receipt_free (&r);
    }
    mpiobject_close (&s);
    larder_h5_value_free (values[0]);
    larder_h5_value_free (values[1]);
    if (mpitest_rank == 0)
        (void)remove (path);
}

/* ---------------------------------------------------------------- whole messages */

static larder_message *compose (const char *path)
{
    larder_error err = {0};
    larder_message *m = NULL;
    MPITEST_OK (larder_message_new (&m, &err), err);
    MPITEST_OK (larder_message_set_int (m, "round", 7, &err), err);
    MPITEST_OK (larder_message_set_h5_dataset (m, "first", path, "first", &err), err);
    MPITEST_OK (larder_message_set_h5_dataset (m, "data/second", path, "second", &err), err);
    MPITEST_OK (larder_message_set_h5_dataset (m, "data/again", path, "/second", &err), err);
    return m;
}

/* Everything is an array now; what was named twice is one. */
static void check_arrays (const larder_message *m)
{
    larder_error err = {0};
    larder_shape shape;
    const void *first = NULL, *second = NULL, *again = NULL;
    int64_t number = 0;
    int bad = 0;
    MPITEST_OK (larder_message_get_int (m, "round", &number, &err), err);
    CU_ASSERT_EQUAL (number, 7);
    MPITEST_OK (larder_message_get_array (m, "first", LARDER_FLOAT64, &shape, &first, &err), err);
    MPITEST_OK (larder_message_get_array (m, "data/second", LARDER_INT32, &shape, &second, &err),
                err);
    MPITEST_OK (larder_message_get_array (m, "data/again", LARDER_INT32, &shape, &again, &err),
                err);
    CU_ASSERT_FATAL (first != NULL && second != NULL);
    CU_ASSERT (second == again);
    CU_ASSERT (shape.ndims == 2 && shape.dims[0] == ROWS && shape.dims[1] == COLUMNS);
    for (int i = 0; i < ROWS * COLUMNS; ++i)
        bad += (int)((const double *)first)[i] != written (0, 0, i) ||
               ((const int32_t *)second)[i] != written (1, 0, i);
    CU_ASSERT_EQUAL (bad, 0);
}

/* Inside the message, without a session. */
static void go_natively (const larder_message *m, const larder_registry *registry)
{
    larder_error err = {0};
    larder_encoded encoded = {0};
    larder_message *copy = NULL;
    MPITEST_OK (larder_message_encode (m, registry, NULL, &encoded, &err), err);
    CU_ASSERT_EQUAL (encoded.native, 2);
    MPITEST_OK (larder_message_decode (encoded.bytes, encoded.size, registry, &copy, &err), err);
    check_arrays (copy);
    larder_message_free (&copy);
    larder_encoded_free (&encoded);
}

/* Only what is looked at is downloaded. */
static void look_at (larder *s, const void *bytes, size_t size, const larder_registry *registry)
{
    larder_error err = {0};
    larder_message *m = NULL;
    larder_value v;
    larder_h5_dataset *d = NULL;
    larder_resolve_options lazily = {.registry = registry, .pass_through = 1};
    larder_resolve_options holders = {.registry = registry, .placeholders = 1};
    MPITEST_OK (larder_decode (s, bytes, size, &lazily, &m, &err), err);
    MPITEST_OK (larder_message_get (m, "data/second", &v, &err), err);
    CU_ASSERT (v.kind == LARDER_KIND_LAZY && v.lazy.shape.type == LARDER_INT32);
    CU_ASSERT_EQUAL (larder_message_get_h5_dataset (m, "data/second", &d, &err), LARDER_EKIND);
    MPITEST_OK (larder_resolve (s, m, "data", &holders, &err), err);
    MPITEST_OK (larder_message_get_h5_dataset (m, "data/again", &d, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL (d);
    read_slab (d, 3, 5, 30, 20);
    read_slab (d, 90, 36, 10, 4);
    MPITEST_OK (larder_message_confirm (s, m, "", LARDER_OK, &err), err);
    larder_message_free (&m);
}

static void test_messages (void)
{
    const char *path = "larder-h5message.h5";
    larder_error err = {0};
    larder_registry *registry = NULL;
    larder_encoded encoded = {0};
    larder *s = mpiobject_open (NULL);
    MPITEST_OK (larder_registry_new (&registry, &err), err);
    MPITEST_OK (larder_h5_registry_add (registry, &err), err);
    if (mpitest_rank == 0) {
        CU_ASSERT_EQUAL_FATAL (write_file (path), 0);
        larder_message *m = compose (path);
        larder_encode_options options = {.registry = registry, .inline_max = -1};
        go_natively (m, registry);
        MPITEST_OK (larder_encode (s, m, LARDER_ALL, &options, &encoded, &err), err);
        CU_ASSERT_EQUAL (encoded.by_reference, 2);
        larder_message_free (&m);
    }
    uint64_t size = encoded.size;
    MPI_Bcast (&size, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);
    char *bytes = malloc (size + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL (bytes);
    if (mpitest_rank == 0)
        memcpy (bytes, encoded.bytes, size);
    MPI_Bcast (bytes, (int)size, MPI_BYTE, 0, MPI_COMM_WORLD);
    if (mpitest_rank && mpitest_rank == mpitest_size - 1) {
        look_at (s, bytes, size, registry);
    } else if (mpitest_rank) {
        larder_message *m = NULL;
        larder_resolve_options options = {.registry = registry};
        MPITEST_OK (larder_decode (s, bytes, size, &options, &m, &err), err);
        check_arrays (m);
        larder_message_free (&m);
    } else if (mpitest_size > 1) {
        larder_receipt *r = NULL;
        MPITEST_OK (larder_transaction_wait (s, encoded.transaction, -1, &r, &err), err);
        CU_ASSERT_FATAL (r != NULL);
        for (int i = 1; i < mpitest_size; ++i)
            mpitxn_check_line (r, 0, i, LARDER_RECEIVER_SUCCEEDED, LARDER_OK);
        larder_receipt_free (&r);
    }
    mpiobject_close (&s);
    larder_encoded_free (&encoded);
    larder_registry_free (&registry);
    free (bytes);
    if (mpitest_rank == 0)
        (void)remove (path);
}

int main (int argc, char **argv)
{
    static const struct larder_test tests[] = {
        {"a placeholder and an array of one object", test_placeholder},
        {"datasets in messages", test_messages},
        {NULL, NULL},
    };
    return mpitest_main (argc, argv, "h5placeholder", tests);
}
