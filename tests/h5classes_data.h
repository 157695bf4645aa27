/* SPDX-License-Identifier: Apache-2.0 */
/* Classes of data that a selection has to carry: chunks, filters, layouts, types.  A call that fails
 * is counted in h5bad. */
#ifndef H5CLASSES_DATA_H
#define H5CLASSES_DATA_H

#include <hdf5.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int h5bad;
#define H5(call) (h5bad += (call) < 0)

static inline hid_t h5make (hid_t at, const char *name, hid_t type, hid_t space, hid_t list,
                            const void *data)
{
    hid_t d = H5Dcreate2 (at, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    H5 (d);
    if (data)
        H5 (H5Dwrite (d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data));
    return d;
}

static inline void h5put (hid_t at, const char *name, hid_t type, int rank, const hsize_t *dims,
                          hid_t list, const void *data)
{
    hid_t space = rank ? H5Screate_simple (rank, dims, NULL) : H5Screate (H5S_SCALAR);
    H5 (H5Dclose (h5make (at, name, type, space, list, data)));
    H5 (H5Sclose (space));
}

static inline void h5attribute (hid_t on, const char *name, hid_t type, hid_t space,
                                const void *data)
{
    hid_t a = H5Acreate2 (on, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5 (a);
    if (data)
        H5 (H5Awrite (a, type, data));
    H5 (H5Aclose (a));
}

static inline hid_t h5list (int rank, hsize_t a, hsize_t b)
{
    hsize_t chunk[2] = {a, b};
    hid_t list = H5Pcreate (H5P_DATASET_CREATE);
    H5 (H5Pset_chunk (list, rank, chunk));
    return list;
}

static inline int32_t *h5numbers (size_t n)
{
    int32_t *v = malloc (n * sizeof *v);
    uint32_t x = 12345;
    for (size_t i = 0; v && i < n; ++i) {
        x = x * 1664525 + 1013904223;
        v[i] = (int32_t)(i * 3 + (x >> 28));
    }
    return v;
}

/* ------------------------------------------------------------------ chunks and filters */

static inline void h5class_filters (hid_t f)
{
    const hsize_t dims[2] = {100, 70};
    int32_t *v = h5numbers (7000);
    hid_t list = h5list (2, 16, 32);
    H5 (H5Pset_shuffle (list));
    H5 (H5Pset_deflate (list, 6));
    H5 (H5Pset_fletcher32 (list));
    h5put (f, "gzip", H5T_STD_I32BE, 2, dims, list, v);
    H5 (H5Pclose (list));
    list = h5list (2, 30, 70);
    H5 (H5Pset_scaleoffset (list, H5Z_SO_INT, H5Z_SO_INT_MINBITS_DEFAULT));
    h5put (f, "scaleoffset", H5T_NATIVE_INT, 2, dims, list, v);
    H5 (H5Pclose (list));
    list = h5list (2, 30, 69);
    hid_t type = H5Tcopy (H5T_STD_I32LE);
    H5 (H5Tset_precision (type, 17));
    H5 (H5Tset_offset (type, 4));
    H5 (H5Pset_nbit (list));
    h5put (f, "nbit", type, 2, dims, list, v);
    H5 (H5Tclose (type));
    H5 (H5Pclose (list));
    list = h5list (2, 33, 33);
    h5put (f, "plain", H5T_NATIVE_INT, 2, dims, list, v);
    H5 (H5Pset_deflate (list, 1));
    H5 (H5Pset_chunk_opts (list, H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS));
    h5put (f, "edges", H5T_NATIVE_INT, 2, dims, list, v);
    H5 (H5Pclose (list));
    free (v);
}

static inline void h5class_mask (hid_t f)
{
    const hsize_t dims = 40;
    hsize_t at = 10;
    int32_t *v = h5numbers (40);
    hid_t list = h5list (1, 10, 0), space = H5Screate_simple (1, &dims, NULL);
    H5 (H5Pset_shuffle (list));
    H5 (H5Pset_deflate (list, 9));
    hid_t d = h5make (f, "mask", H5T_NATIVE_INT, space, list, v);
    H5 (H5Dwrite_chunk (d, H5P_DEFAULT, 3, &at, 40, v + 10));
    H5 (H5Dclose (d));
    H5 (H5Sclose (space));
    H5 (H5Pclose (list));
    free (v);
}

static size_t h5pass (unsigned flags, size_t n, const unsigned *v, size_t bytes, size_t *size,
                      void **buffer)
{
    (void)flags, (void)n, (void)v, (void)size, (void)buffer;
    return bytes;
}

/* Written by filters that are gone when the file is read. */
static inline void h5class_plugins (hid_t f)
{
    const H5Z_class2_t one = {H5Z_CLASS_T_VERS, 32700, 1, 1, "a filter, gone", NULL, NULL, h5pass};
    const H5Z_class2_t two = {H5Z_CLASS_T_VERS, 32701, 1, 1, "another one", NULL, NULL, h5pass};
    const unsigned value[3] = {7, 8, 9};
    const hsize_t dims[2] = {50, 50};
    int32_t *v = h5numbers (2500);
    H5 (H5Zregister (&one));
    H5 (H5Zregister (&two));
    hid_t list = h5list (2, 20, 20);
    H5 (H5Pset_filter (list, 32700, H5Z_FLAG_MANDATORY, 3, value));
    H5 (H5Pset_filter (list, 32701, H5Z_FLAG_OPTIONAL, 0, NULL));
    h5put (f, "plugins", H5T_NATIVE_INT, 2, dims, list, v);
    H5 (H5Pclose (list));
    H5 (H5Zunregister (32700));
    H5 (H5Zunregister (32701));
    free (v);
}

static inline void h5class_holes (hid_t f)
{
    const hsize_t dims[2] = {200, 200}, limit[2] = {H5S_UNLIMITED, 400};
    const hsize_t start[2] = {90, 130}, count[2] = {15, 40}, smaller[2] = {95, 180};
    int32_t *v = h5numbers (600), fill = -7;
    hid_t list = h5list (2, 10, 10), space = H5Screate_simple (2, dims, limit);
    hid_t memory = H5Screate_simple (2, count, NULL);
    H5 (H5Pset_fill_value (list, H5T_NATIVE_INT, &fill));
    H5 (H5Pset_deflate (list, 1));
    hid_t d = h5make (f, "holes", H5T_NATIVE_INT, space, list, NULL);
    hid_t part = H5Dget_space (d);
    H5 (H5Sselect_hyperslab (part, H5S_SELECT_SET, start, NULL, count, NULL));
    H5 (H5Dwrite (d, H5T_NATIVE_INT, memory, part, H5P_DEFAULT, v));
    H5 (H5Dset_extent (d, smaller));
    H5 (H5Dclose (d));
    H5 (H5Dclose (h5make (f, "never", H5T_NATIVE_INT, space, list, NULL)));
    H5 (H5Sclose (part));
    H5 (H5Sclose (memory));
    H5 (H5Sclose (space));
    H5 (H5Pclose (list));
    h5put (f, "contiguous never", H5T_NATIVE_INT, 2, dims, H5P_DEFAULT, NULL);
    free (v);
}

/* A grid that cannot be walked, with two chunks in it. */
static inline void h5class_sparse (hid_t f)
{
    const hsize_t dims[2] = {1000000000, 1000000000};
    const hsize_t limit[2] = {H5S_UNLIMITED, H5S_UNLIMITED};
    const hsize_t at[2][2] = {{999999990, 123}, {5, 500000000}}, one[2] = {1, 1};
    int32_t v = 42;
    hid_t list = h5list (2, 8, 8), space = H5Screate_simple (2, dims, limit);
    hid_t memory = H5Screate (H5S_SCALAR);
    hid_t d = h5make (f, "sparse", H5T_NATIVE_INT, space, list, NULL);
    for (int i = 0; i < 2; ++i) {
        H5 (H5Sselect_hyperslab (space, H5S_SELECT_SET, at[i], NULL, one, NULL));
        H5 (H5Dwrite (d, H5T_NATIVE_INT, memory, space, H5P_DEFAULT, &v));
    }
    H5 (H5Dclose (d));
    H5 (H5Sclose (memory));
    H5 (H5Sclose (space));
    H5 (H5Pclose (list));
}

static inline void h5class_layouts (hid_t f)
{
    const hsize_t dims[3] = {13, 17, 19}, none[2] = {0, 5}, some = 60;
    int32_t *v = h5numbers (13 * 17 * 19);
    hid_t list = H5Pcreate (H5P_DATASET_CREATE);
    h5put (f, "contiguous", H5T_STD_I32BE, 3, dims, H5P_DEFAULT, v);
    h5put (f, "scalar", H5T_NATIVE_INT, 0, NULL, H5P_DEFAULT, v);
    h5put (f, "zero", H5T_NATIVE_INT, 2, none, H5P_DEFAULT, NULL);
    H5 (H5Pset_layout (list, H5D_COMPACT));
    h5put (f, "compact", H5T_NATIVE_INT, 1, &some, list, v);
    H5 (H5Pset_layout (list, H5D_CONTIGUOUS));
    H5 (H5Pset_alloc_time (list, H5D_ALLOC_TIME_EARLY));
    h5put (f, "early", H5T_NATIVE_INT, 3, dims, list, v);
    H5 (H5Pclose (list));
    list = h5list (1, 7, 0);
    H5 (H5Pset_alloc_time (list, H5D_ALLOC_TIME_EARLY));
    H5 (H5Pset_deflate (list, 1));
    H5 (H5Pset_obj_track_times (list, 0));
    h5put (f, "early chunks", H5T_NATIVE_INT, 1, &some, list, v);
    H5 (H5Pset_fill_time (list, H5D_FILL_TIME_NEVER));
    H5 (H5Pset_fill_value (list, H5T_NATIVE_INT, NULL));
    h5put (f, "no fill", H5T_NATIVE_INT, 1, &some, list, v);
    H5 (H5Pclose (list));
    hid_t space = H5Screate (H5S_NULL);
    H5 (H5Dclose (h5make (f, "null", H5T_NATIVE_INT, space, H5P_DEFAULT, NULL)));
    h5attribute (f, "null", H5T_NATIVE_INT, space, NULL);
    H5 (H5Sclose (space));
    free (v);
}

/* ------------------------------------------------------------------ types */

static inline void h5class_types (hid_t f)
{
    const hsize_t dims = 33, three = 3;
    unsigned char *v = calloc (33, 64);
    for (int i = 0; v && i < 33 * 64; ++i)
        v[i] = (unsigned char)(i * 7);
    hid_t t = H5Tcreate (H5T_OPAQUE, 5);
    H5 (H5Tset_tag (t, "what it is"));
    h5put (f, "opaque", t, 1, &dims, H5P_DEFAULT, v);
    H5 (H5Tclose (t));
    h5put (f, "bits", H5T_STD_B32BE, 1, &dims, H5P_DEFAULT, v);
    t = H5Tenum_create (H5T_STD_I16BE);
    const int16_t value[2] = {0x0100, 0x0203};
    H5 (H5Tenum_insert (t, "one", &value[0]));
    H5 (H5Tenum_insert (t, "other", &value[1]));
    h5put (f, "enum", t, 1, &dims, H5P_DEFAULT, v);
    hid_t c = H5Tcreate (H5T_COMPOUND, 61);
    hid_t a = H5Tarray_create2 (H5T_IEEE_F32BE, 1, &three);
    H5 (H5Tinsert (c, "late", 40, t));
    H5 (H5Tinsert (c, "early", 1, a));
    H5 (H5Tinsert (c, "mid", 17, H5T_STD_U64LE));
    h5put (f, "compound", c, 1, &dims, H5P_DEFAULT, v);
    H5 (H5Tclose (a));
    H5 (H5Tclose (c));
    H5 (H5Tclose (t));
    t = H5Tcopy (H5T_IEEE_F64LE); /* 24 bits of 3 bytes, and a bias of its own */
    H5 (H5Tset_fields (t, 23, 16, 7, 0, 16));
    H5 (H5Tset_precision (t, 24));
    H5 (H5Tset_size (t, 3));
    H5 (H5Tset_ebias (t, 60));
    H5 (H5Tset_norm (t, H5T_NORM_NONE));
    H5 (H5Tset_inpad (t, H5T_PAD_ONE));
    h5put (f, "odd float", t, 1, &dims, H5P_DEFAULT, v);
    H5 (H5Tclose (t));
    h5put (f, "x86 long double", H5T_NATIVE_LDOUBLE, 1, &dims, H5P_DEFAULT, v);
    h5put (f, "time", H5T_UNIX_D64BE, 1, &dims, H5P_DEFAULT, v);
    t = H5Tcopy (H5T_FORTRAN_S1);
    H5 (H5Tset_size (t, 11));
    H5 (H5Tset_cset (t, H5T_CSET_UTF8));
    h5put (f, "strings", t, 1, &dims, H5P_DEFAULT, v);
    H5 (H5Tclose (t));
    free (v);
}

struct h5person {
    char *name;
    hvl_t list;
    double number;
};

static inline hid_t h5person_type (void)
{
    hid_t text = H5Tcopy (H5T_C_S1), list = H5Tvlen_create (H5T_STD_I16LE);
    hid_t c = H5Tcreate (H5T_COMPOUND, sizeof (struct h5person));
    H5 (H5Tset_size (text, H5T_VARIABLE));
    H5 (H5Tinsert (c, "name", HOFFSET (struct h5person, name), text));
    H5 (H5Tinsert (c, "list", HOFFSET (struct h5person, list), list));
    H5 (H5Tinsert (c, "number", HOFFSET (struct h5person, number), H5T_NATIVE_DOUBLE));
    H5 (H5Tclose (text));
    H5 (H5Tclose (list));
    return c;
}

static inline void h5class_variable (hid_t f)
{
    static int16_t numbers[100];
    static struct h5person person[200];
    static const char *words[200];
    static hvl_t nested[200];
    const hsize_t dims = 200;
    for (int i = 0; i < 100; ++i)
        numbers[i] = (int16_t)(i - 50);
    for (int i = 0; i < 200; ++i) {
        words[i] = i % 5 == 0 ? NULL : (i % 5 == 1 ? "" : "some words, and then some more");
        person[i].name = (char *)(uintptr_t)(i % 3 ? "somebody" : "");
        person[i].list.len = (size_t)(i % 100);
        person[i].list.p = i % 100 ? numbers : NULL;
        person[i].number = i / 7.0;
        nested[i].len = (size_t)(i % 4);
        nested[i].p = i % 4 ? person + i % 50 : NULL;
    }
    hid_t text = H5Tcopy (H5T_C_S1), type = h5person_type (), deep = H5Tvlen_create (type);
    hid_t list = h5list (1, 64, 0), one = H5Screate (H5S_SCALAR);
    H5 (H5Tset_size (text, H5T_VARIABLE));
    H5 (H5Tset_cset (text, H5T_CSET_UTF8));
    h5put (f, "words", text, 1, &dims, H5P_DEFAULT, words);
    h5put (f, "persons", type, 1, &dims, H5P_DEFAULT, person);
    h5put (f, "nested", deep, 1, &dims, H5P_DEFAULT, nested);
    h5put (f, "unwritten", text, 1, &dims, H5P_DEFAULT, NULL);
    H5 (H5Pset_deflate (list, 5));
    h5put (f, "chunked words", text, 1, &dims, list, words);
    h5put (f, "chunked nested", deep, 1, &dims, list, nested);
    const char *fill = "nothing here";
    H5 (H5Pset_fill_value (list, text, &fill));
    h5put (f, "filled", text, 1, &dims, list, NULL);
    h5attribute (f, "word", text, one, words + 2);
    h5attribute (f, "person", type, one, person + 3);
    h5attribute (f, "nested", deep, one, nested + 3);
    H5 (H5Sclose (one));
    H5 (H5Pclose (list));
    H5 (H5Tclose (deep));
    H5 (H5Tclose (type));
    H5 (H5Tclose (text));
}

static inline void h5class_committed (hid_t f)
{
    const hsize_t dims = 9;
    int32_t *v = h5numbers (9);
    hid_t one = H5Screate (H5S_SCALAR), space = H5Screate_simple (1, &dims, NULL);
    hid_t before = H5Tcopy (H5T_STD_I32LE), alone = H5Tcopy (H5T_STD_I32LE);
    hid_t group = H5Gcreate2 (f, "a", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5 (H5Tcommit2 (f, "type", before, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5 (H5Tcommit_anon (f, alone, H5P_DEFAULT, H5P_DEFAULT));
    H5 (H5Dclose (h5make (group, "uses", before, space, H5P_DEFAULT, v)));
    H5 (H5Dclose (h5make (group, "uses too", before, space, H5P_DEFAULT, v)));
    H5 (H5Dclose (h5make (f, "nameless", alone, space, H5P_DEFAULT, v)));
    h5attribute (f, "typed", before, one, v);
    h5attribute (before, "on a type", H5T_NATIVE_INT, one, v);
    H5 (H5Lcreate_hard (f, "type", f, "zz", H5P_DEFAULT, H5P_DEFAULT));
    H5 (H5Gclose (group));
    H5 (H5Tclose (before));
    H5 (H5Tclose (alone));
    H5 (H5Sclose (one));
    H5 (H5Sclose (space));
    free (v);
}

#endif
