/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks as HDF5 stores them, decoded without it: every set of filters in every order, sizes of elements, damage. */
#include "larder_h5unzip.h"
#include "larder_test.h"
#include "larder_test_random.h"
#include <stdlib.h>
#include <string.h>

enum { SHUFFLE, DEFLATE, FLETCHER32, KINDS };

/* A chunk of `count` elements of `each` bytes: its bytes, as it is stored, and what is said of it. */
struct chunk {
    size_t each, count, bytes, size;
    unsigned char *plain, *stored;
    struct larder_h5describe d;
    struct larder_h5describe_filter filter[KINDS];
    unsigned value[KINDS];
};

static void set (hid_t list, const int *kinds, int n, struct chunk *c)
{
    static const H5Z_filter_t id[] = {H5Z_FILTER_SHUFFLE, H5Z_FILTER_DEFLATE,
                                      H5Z_FILTER_FLETCHER32};
    for (int i = 0; i < n; ++i) {
        CU_ASSERT ((kinds[i] == SHUFFLE   ? H5Pset_shuffle (list)
                    : kinds[i] == DEFLATE ? H5Pset_deflate (list, 4)
                                          : H5Pset_fletcher32 (list)) >= 0);
        c->value[i] = kinds[i] == SHUFFLE ? (unsigned)c->each : 4;
        c->filter[i] = (struct larder_h5describe_filter){
            .id = id[kinds[i]], .count = kinds[i] != FLETCHER32, .values = &c->value[i]};
    }
    c->d = (struct larder_h5describe){
        .chunked = 1, .rank = 1, .element = c->each, .filters = (size_t)n, .filter = c->filter};
    c->d.shape[0] = c->count;
}

static void make (struct chunk *c, const int *kinds, int n, size_t each, size_t count,
                  struct larder_test_random *random)
{
    const hsize_t dims[1] = {count}, at[1] = {0};
    hsize_t size = 0;
    uint32_t mask = 1;
    *c = (struct chunk){.each = each, .count = count, .bytes = each * count};
    c->plain = malloc (c->bytes);
    CU_ASSERT_PTR_NOT_NULL_FATAL (c->plain);
    for (size_t i = 0; i < c->bytes; ++i)
        c->plain[i] = (unsigned char)(i % each < 2 ? larder_test_below (random, 256) : i / 512);
    hid_t access = H5Pcreate (H5P_FILE_ACCESS), list = H5Pcreate (H5P_DATASET_CREATE);
    hid_t type = H5Tcreate (H5T_OPAQUE, each), space = H5Screate_simple (1, dims, NULL);
    CU_ASSERT_FATAL (H5Pset_fapl_core (access, 1 << 16, 0) >= 0 &&
                     H5Pset_chunk (list, 1, dims) >= 0);
    set (list, kinds, n, c);
    hid_t file = H5Fcreate ("unzip", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    hid_t d = H5Dcreate2 (file, "d", type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    CU_ASSERT_FATAL (d >= 0 && H5Dwrite (d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, c->plain) >= 0);
    CU_ASSERT_FATAL (H5Fflush (file, H5F_SCOPE_LOCAL) >= 0);
    CU_ASSERT_FATAL (H5Dget_chunk_storage_size (d, at, &size) >= 0 && size > 0);
    c->size = (size_t)size;
    c->stored = malloc (c->size);
    CU_ASSERT_PTR_NOT_NULL_FATAL (c->stored);
    CU_ASSERT_FATAL (H5Dread_chunk (d, H5P_DEFAULT, at, &mask, c->stored) >= 0);
    CU_ASSERT_EQUAL (mask, 0);
    CU_ASSERT (H5Dclose (d) >= 0 && H5Fclose (file) >= 0 && H5Pclose (list) >= 0);
    CU_ASSERT (H5Pclose (access) >= 0 && H5Tclose (type) >= 0 && H5Sclose (space) >= 0);
}

static void end (struct chunk *c)
{
    free (c->plain);
    free (c->stored);
}

/* 1: decoded to what it was; 0: left to HDF5; -1: wrong. */
static int decode (const struct chunk *c)
{
    unsigned char *elements = calloc (1, c->bytes), *scratch = malloc (c->bytes);
    CU_ASSERT_FATAL (elements && scratch);
    int rc = larder_h5unzip (&c->d, c->stored, c->size, elements, scratch, c->bytes);
    if (rc == 1 && memcmp (elements, c->plain, c->bytes) != 0)
        rc = -1;
    free (elements);
    free (scratch);
    return rc;
}

static const size_t sizes[][2] = {{1, 1}, {1, 999}, {2, 500}, {3, 7},     {4, 1000},
                                  {8, 1}, {8, 64},  {8, 777}, {8, 40000}, {16, 33}};

/* A set of filters in one order: those that larder decodes, it decodes rightly. */
static void check (const int *kinds, int n, struct larder_test_random *random, int *decoded)
{
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
        struct chunk c;
        int sorted = 1;
        make (&c, kinds, n, sizes[i][0], sizes[i][1], random);
        for (int k = 1; k < n; ++k)
            sorted &= kinds[k] > kinds[k - 1];
        int can = larder_h5unzip_can (&c.d, 0);
        CU_ASSERT_EQUAL (can, sorted);
        CU_ASSERT_EQUAL (larder_h5unzip_can (&c.d, 1), 0);
        if (can)
            CU_ASSERT_EQUAL (decode (&c), 1);
        *decoded += can;
        end (&c);
    }
}

static void test_filters (void)
{
    struct larder_test_random random = larder_test_seed ();
    int decoded = 0;
    for (int a = 0; a < KINDS; ++a) {
        check (&a, 1, &random, &decoded);
        for (int b = 0; b < KINDS; ++b) {
            const int two[] = {a, b}, three[] = {a, b, KINDS - a - b};
            if (a == b)
                continue;
            check (two, 2, &random, &decoded);
            check (three, 3, &random, &decoded);
        }
    }
    CU_ASSERT_EQUAL (decoded, 7 * (int)(sizeof sizes / sizeof *sizes)); /* 3 alone, 3 pairs, all */
}

/* What is damaged is never taken for good where there is a checksum, and nothing is written beyond the ends. */
static void test_damage (void)
{
    static const int sums[] = {SHUFFLE, DEFLATE, FLETCHER32}, plain[] = {SHUFFLE, DEFLATE};
    struct larder_test_random random = larder_test_seed ();
    struct chunk c;
    make (&c, sums, 3, 8, 500, &random);
    for (int i = 0; i < 300; ++i) {
        size_t at = (size_t)larder_test_below (&random, c.size);
        unsigned char bit = (unsigned char)(1 << larder_test_below (&random, 8));
        c.stored[at] ^= bit;
        CU_ASSERT_EQUAL (decode (&c), 0);
        c.stored[at] ^= bit;
    }
    size_t whole = c.size;
    for (c.size = 0; c.size < whole; ++c.size)
        CU_ASSERT_EQUAL (decode (&c), 0);
    CU_ASSERT_EQUAL (decode (&c), 1);
    end (&c);
    make (&c, plain, 2, 8, 500, &random);
    for (int i = 0; i < 300; ++i) /* zlib has a sum of its own, over most of it */
        c.stored[larder_test_below (&random, c.size)] ^= 1, (void)decode (&c);
    end (&c);
    make (&c, plain, 2, 8, 500, &random);
    c.bytes -= 8; /* it holds more than there is room for */
    CU_ASSERT_EQUAL (decode (&c), 0);
    end (&c);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"filters", test_filters}, {"damage", test_damage}, {NULL, NULL}};
    return larder_test_main ("h5unzip", tests);
}
