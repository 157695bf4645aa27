/* SPDX-License-Identifier: Apache-2.0 */
/* Files of each class that a selection has to carry: one small function makes one class.  A call
 * that fails is counted in h5bad. */
#ifndef H5CLASSES_H
#define H5CLASSES_H

#include <hdf5.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int h5bad;
#define H5(call) (h5bad += (call) < 0)

struct h5class {
    const char *name;
    void (*make) (hid_t file);
    void (*create) (hid_t fcpl); /* NULL: as usual */
};

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

/* ------------------------------------------------------------------ references */

static inline void h5class_objects (hid_t f)
{
    const hsize_t dims = 3, room[2] = {3, 3};
    int32_t *v = h5numbers (9);
    hobj_ref_t to[3] = {0, 0, 0};
    struct {
        hobj_ref_t to;
        int32_t number;
    } pair[3];
    memset (pair, 0, sizeof pair);
    H5 (H5Gclose (H5Gcreate2 (f, "group", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)));
    h5put (f, "zz", H5T_NATIVE_INT, 2, room, H5P_DEFAULT, v);
    H5 (H5Rcreate (&to[0], f, "group", H5R_OBJECT, -1));
    H5 (H5Rcreate (&to[1], f, "zz", H5R_OBJECT, -1));
    h5put (f, "refs", H5T_STD_REF_OBJ, 1, &dims, H5P_DEFAULT, to);
    hid_t list = h5list (1, 2, 0);
    H5 (H5Pset_fill_value (list, H5T_STD_REF_OBJ, &to[1]));
    h5put (f, "chunked refs", H5T_STD_REF_OBJ, 1, &dims, list, to);
    h5put (f, "a fill value", H5T_STD_REF_OBJ, 1, &dims, list, NULL);
    H5 (H5Pclose (list));
    hid_t type = H5Tcreate (H5T_COMPOUND, sizeof pair[0]), deep = H5Tvlen_create (H5T_STD_REF_OBJ);
    H5 (H5Tinsert (type, "to", 0, H5T_STD_REF_OBJ));
    H5 (H5Tinsert (type, "number", sizeof to[0], H5T_NATIVE_INT));
    pair[0].to = to[1];
    pair[1].to = to[0];
    pair[2].number = 5;
    h5put (f, "pairs", type, 1, &dims, H5P_DEFAULT, pair);
    hvl_t lists[3] = {{2, to}, {0, NULL}, {1, to + 1}};
    hid_t space = H5Screate_simple (1, &dims, NULL);
    h5attribute (f, "lists", deep, space, lists);
    H5 (H5Sclose (space));
    H5 (H5Tclose (deep));
    H5 (H5Tclose (type));
    free (v);
}

static inline void h5class_regions (hid_t f)
{
    const hsize_t dims[2] = {20, 20}, four = 5, point[3][2] = {{3, 3}, {1, 1}, {19, 0}};
    const hsize_t start[2] = {2, 3}, count[2] = {2, 3}, stride[2] = {5, 6}, block[2] = {2, 4};
    const hsize_t other[2] = {15, 1}, size[2] = {3, 1};
    int32_t *v = h5numbers (400);
    hdset_reg_ref_t to[5];
    memset (to, 0, sizeof to);
    hid_t space = H5Screate_simple (2, dims, NULL);
    h5put (f, "zz", H5T_NATIVE_INT, 2, dims, H5P_DEFAULT, v);
    H5 (H5Rcreate (&to[0], f, "zz", H5R_DATASET_REGION, space));
    H5 (H5Sselect_hyperslab (space, H5S_SELECT_SET, start, stride, count, block));
    H5 (H5Rcreate (&to[1], f, "zz", H5R_DATASET_REGION, space));
    H5 (H5Sselect_hyperslab (space, H5S_SELECT_OR, other, NULL, size, NULL));
    H5 (H5Rcreate (&to[2], f, "zz", H5R_DATASET_REGION, space));
    H5 (H5Sselect_elements (space, H5S_SELECT_SET, 3, &point[0][0]));
    H5 (H5Rcreate (&to[3], f, "zz", H5R_DATASET_REGION, space));
    h5put (f, "regions", H5T_STD_REF_DSETREG, 1, &four, H5P_DEFAULT, to);
    H5 (H5Sclose (space));
    free (v);
}

/* ------------------------------------------------------------------ links and attributes */

static inline void h5class_links (hid_t f)
{
    const hsize_t dims = 4;
    int32_t *v = h5numbers (4);
    char long_name[3001];
    memset (long_name, 'n', sizeof long_name);
    long_name[3000] = 0;
    hid_t group = H5Pcreate (H5P_GROUP_CREATE), link = H5Pcreate (H5P_LINK_CREATE);
    H5 (H5Pset_link_creation_order (group, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED));
    H5 (H5Pset_attr_creation_order (group, H5P_CRT_ORDER_TRACKED));
    H5 (H5Pset_link_phase_change (group, 3, 2));
    H5 (H5Pset_char_encoding (link, H5T_CSET_UTF8));
    hid_t g = H5Gcreate2 (f, "z\xc3\xa4hler", link, group, H5P_DEFAULT);
    hid_t old = H5Gcreate2 (f, "old", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5 (g);
    H5 (H5Lcreate_soft ("/nowhere/at all", g, "soft", H5P_DEFAULT, H5P_DEFAULT));
    h5put (g, "q data", H5T_NATIVE_INT, 1, &dims, H5P_DEFAULT, v);
    H5 (H5Lcreate_external ("other.h5", "/in it", g, "external", H5P_DEFAULT, H5P_DEFAULT));
    H5 (H5Lcreate_hard (g, "q data", g, "again", link, H5P_DEFAULT));
    H5 (H5Lcreate_hard (f, "/", g, "cycle", H5P_DEFAULT, H5P_DEFAULT));
    H5 (H5Lcreate_hard (g, ".", old, "aside", H5P_DEFAULT, H5P_DEFAULT));
    H5 (H5Lcreate_hard (g, "q data", old, long_name, H5P_DEFAULT, H5P_DEFAULT));
    h5put (old, "\xff\xfe not UTF-8", H5T_NATIVE_INT, 1, &dims, H5P_DEFAULT, v);
    H5 (H5Lcreate_soft ("q data", g, "a soft one", H5P_DEFAULT, H5P_DEFAULT));
    H5 (H5Oset_comment (g, "a comment on a group"));
    H5 (H5Oset_comment_by_name (g, "q data", "and on a dataset", H5P_DEFAULT));
    H5 (H5Gclose (old));
    H5 (H5Gclose (g));
    H5 (H5Pclose (group));
    H5 (H5Pclose (link));
    free (v);
}

static inline void h5class_attributes (hid_t f)
{
    const hsize_t dims[2] = {3, 4}, most = 20000;
    int32_t *v = h5numbers (20000);
    hid_t list = H5Pcreate (H5P_DATASET_CREATE), utf8 = H5Pcreate (H5P_ATTRIBUTE_CREATE);
    H5 (H5Pset_attr_creation_order (list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED));
    H5 (H5Pset_attr_phase_change (list, 4, 3));
    H5 (H5Pset_char_encoding (utf8, H5T_CSET_UTF8));
    hid_t space = H5Screate_simple (2, dims, NULL), large = H5Screate_simple (1, &most, NULL);
    hid_t d = h5make (f, "d", H5T_NATIVE_INT, space, list, v), a;
    static const char *const names[] = {"zeta", "eta", "theta", "alpha", "beta", "gamma"};
    for (int i = 0; i < 6; ++i)
        h5attribute (d, names[i], H5T_STD_I32BE, space, i == 3 ? NULL : v + i);
    H5 (a = H5Acreate2 (d,
                        "gr\xc3\xb6\xc3\x9f"
                        "e",
                        H5T_NATIVE_INT, space, utf8, H5P_DEFAULT));
    H5 (H5Awrite (a, H5T_NATIVE_INT, v));
    H5 (H5Aclose (a));
    h5attribute (d, "large", H5T_NATIVE_INT, large, v);
    H5 (H5Dclose (d));
    H5 (H5Sclose (space));
    H5 (H5Sclose (large));
    H5 (H5Pclose (list));
    H5 (H5Pclose (utf8));
    free (v);
}

/* ------------------------------------------------------------------ virtual */

static inline void h5class_virtual (hid_t f)
{
    const hsize_t dims[2] = {4, 10}, limit[2] = {H5S_UNLIMITED, 10}, row = 10;
    const hsize_t start[2] = {1, 0}, count[2] = {1, 1}, block[2] = {1, 10};
    const hsize_t many[2] = {H5S_UNLIMITED, 1}, zero[2] = {0, 0};
    hid_t list = H5Pcreate (H5P_DATASET_CREATE), from = H5Screate_simple (1, &row, NULL);
    hid_t to = H5Screate_simple (2, dims, NULL), endless = H5Screate_simple (2, dims, limit);
    H5 (H5Sselect_hyperslab (to, H5S_SELECT_SET, start, NULL, count, block));
    H5 (H5Pset_virtual (list, to, "missing.h5", "/x", from));
    H5 (H5Sselect_all (to));
    H5 (H5Dclose (h5make (f, "virtual", H5T_NATIVE_INT, to, list, NULL)));
    H5 (H5Pclose (list));
    list = H5Pcreate (H5P_DATASET_CREATE);
    H5 (H5Sselect_hyperslab (endless, H5S_SELECT_SET, zero, NULL, many, block));
    H5 (H5Pset_virtual (list, endless, "part-%b.h5", "/y", from));
    H5 (H5Sselect_all (endless));
    H5 (H5Dclose (h5make (f, "printf", H5T_NATIVE_INT, endless, list, NULL)));
    H5 (H5Pclose (list));
    H5 (H5Sclose (from));
    H5 (H5Sclose (to));
    H5 (H5Sclose (endless));
}

/* ------------------------------------------------------------------ files */

static inline void h5create_order (hid_t fcpl)
{
    H5 (H5Pset_link_creation_order (fcpl, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED));
    H5 (H5Pset_attr_creation_order (fcpl, H5P_CRT_ORDER_TRACKED));
}

static inline void h5create_sizes (hid_t fcpl)
{
    H5 (H5Pset_sizes (fcpl, 4, 4));
    H5 (H5Pset_istore_k (fcpl, 7));
    H5 (H5Pset_sym_k (fcpl, 5, 3));
    H5 (H5Pset_userblock (fcpl, 2048));
}

static inline void h5create_shared (hid_t fcpl)
{
    H5 (H5Pset_shared_mesg_nindexes (fcpl, 2));
    H5 (H5Pset_shared_mesg_index (fcpl, 0, H5O_SHMESG_DTYPE_FLAG | H5O_SHMESG_SDSPACE_FLAG, 20));
    H5 (H5Pset_shared_mesg_index (fcpl, 1, H5O_SHMESG_ATTR_FLAG, 30));
    H5 (H5Pset_shared_mesg_phase_change (fcpl, 10, 5));
}

static inline void h5create_paged (hid_t fcpl)
{
    H5 (H5Pset_file_space_strategy (fcpl, H5F_FSPACE_STRATEGY_PAGE, 1, 3));
    H5 (H5Pset_file_space_page_size (fcpl, 8192));
}

static const struct h5class h5classes[] = {
    {"filters", h5class_filters, NULL},
    {"mask", h5class_mask, NULL},
    {"plugins", h5class_plugins, NULL},
    {"holes", h5class_holes, NULL},
    {"sparse", h5class_sparse, NULL},
    {"layouts", h5class_layouts, NULL},
    {"types", h5class_types, NULL},
    {"variable", h5class_variable, NULL},
    {"committed", h5class_committed, NULL},
    {"objects", h5class_objects, NULL},
    {"regions", h5class_regions, NULL},
    {"links", h5class_links, h5create_order},
    {"attributes", h5class_attributes, NULL},
    {"virtual", h5class_virtual, NULL},
    {"sizes", h5class_objects, h5create_sizes},
    {"shared", h5class_attributes, h5create_shared},
    {"paged", h5class_filters, h5create_paged},
};
enum { H5CLASSES = sizeof h5classes / sizeof h5classes[0] };

/* Make the file of a class with a lowest library version.  Returns the number of failed calls. */
static inline int h5class_make (const struct h5class *c, const char *path, H5F_libver_t low)
{
    h5bad = 0;
    hid_t fcpl = H5Pcreate (H5P_FILE_CREATE), fapl = H5Pcreate (H5P_FILE_ACCESS);
    if (c->create)
        c->create (fcpl);
    H5 (H5Pset_libver_bounds (fapl, low, H5F_LIBVER_LATEST));
    hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, fcpl, fapl);
    H5 (file);
    c->make (file);
    H5 (H5Fclose (file));
    H5 (H5Pclose (fcpl));
    H5 (H5Pclose (fapl));
    return h5bad;
}

#endif
