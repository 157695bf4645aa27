/* SPDX-License-Identifier: Apache-2.0 */
/* A file with one of everything, in which one named property can be made to differ. */
#ifndef H5COMPARE_SAMPLE_H
#define H5COMPARE_SAMPLE_H

#include <hdf5.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct h5sample {
    hid_t file;
    const char *change; /* the property that is to differ, "" for none */
    int used;           /* times that the builder asked for this property and was told yes */
    int bad;            /* HDF5 calls that failed */
    int reduced;        /* 1: without what stands outside of /g */
};

static inline int h5sample_is (struct h5sample *s, const char *change)
{
    int yes = strcmp (s->change, change) == 0;
    s->used += yes;
    return yes;
}

#define H5SAMPLE(call) (s->bad += (call) < 0)

static inline void h5sample_attribute (struct h5sample *s, hid_t on, const char *name, hid_t type,
                                       hid_t space, const void *value, int utf8)
{
    hid_t list = H5Pcreate (H5P_ATTRIBUTE_CREATE);
    if (utf8)
        H5SAMPLE (H5Pset_char_encoding (list, H5T_CSET_UTF8));
    hid_t a = H5Acreate2 (on, name, type, space, list, H5P_DEFAULT);
    H5SAMPLE (a);
    if (value)
        H5SAMPLE (H5Awrite (a, type, value));
    H5SAMPLE (H5Aclose (a));
    H5SAMPLE (H5Pclose (list));
}

static inline void h5sample_int_attribute (struct h5sample *s, hid_t on, const char *name, int v)
{
    hid_t one = H5Screate (H5S_SCALAR);
    h5sample_attribute (s, on, name, H5T_NATIVE_INT, one, &v, 0);
    H5SAMPLE (H5Sclose (one));
}

/* Create a dataset, write to it when data is given, and leave it open. */
static inline hid_t h5sample_dataset (struct h5sample *s, const char *name, hid_t type, hid_t space,
                                      hid_t list, const void *data)
{
    hid_t d = H5Dcreate2 (s->file, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    H5SAMPLE (d);
    if (data)
        H5SAMPLE (H5Dwrite (d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data));
    return d;
}

static inline void h5sample_plain (struct h5sample *s, const char *name, hid_t type, int rank,
                                   const hsize_t *dims, const hsize_t *max, hid_t list,
                                   const void *data)
{
    hid_t space = H5Screate_simple (rank, dims, max);
    hid_t d = h5sample_dataset (s, name, type, space, list, data);
    H5SAMPLE (H5Dclose (d));
    H5SAMPLE (H5Sclose (space));
}

static inline void h5sample_types (struct h5sample *s)
{
    hid_t string = H5Tcopy (H5T_C_S1);
    H5SAMPLE (H5Tset_size (string, 8));
    if (h5sample_is (s, "string padding"))
        H5SAMPLE (H5Tset_strpad (string, H5T_STR_SPACEPAD));
    if (h5sample_is (s, "string set"))
        H5SAMPLE (H5Tset_cset (string, H5T_CSET_UTF8));
    h5sample_plain (s, "/g/string", string, 1, (hsize_t[]){2}, NULL, H5P_DEFAULT,
                    "abcdefg\0hij\0\0\0\0");
    int red = h5sample_is (s, "enum value") ? 7 : 1, blue = 2;
    hid_t colour = H5Tenum_create (H5T_STD_I32LE);
    H5SAMPLE (H5Tenum_insert (colour, h5sample_is (s, "enum name") ? "green" : "red", &red));
    H5SAMPLE (H5Tenum_insert (colour, "blue", &blue));
    h5sample_plain (s, "/g/enum", colour, 1, (hsize_t[]){2}, NULL, H5P_DEFAULT, (int[]){2, 2});
    hid_t opaque = H5Tcreate (H5T_OPAQUE, 4);
    H5SAMPLE (H5Tset_tag (opaque, h5sample_is (s, "opaque tag") ? "this" : "that"));
    h5sample_plain (s, "/g/opaque", opaque, 1, (hsize_t[]){1}, NULL, H5P_DEFAULT, "\1\2\3\4");
    hid_t pair = H5Tcreate (H5T_COMPOUND, 16);
    int flip = h5sample_is (s, "order of members");
    for (int i = 0; i < 2; ++i)
        H5SAMPLE (i ^ flip ? H5Tinsert (pair, "x", 0, H5T_STD_I32LE)
                           : H5Tinsert (pair, h5sample_is (s, "member name") ? "z" : "y", 8,
                                        H5T_IEEE_F64LE));
    h5sample_plain (s, "/g/compound", pair, 1, (hsize_t[]){1}, NULL, H5P_DEFAULT,
                    h5sample_is (s, "compound gap") ? "\1\0\0\0\7\0\0\0\0\0\0\0\0\0\0\0"
                                                    : "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    H5SAMPLE (H5Tclose (string));
    H5SAMPLE (H5Tclose (colour));
    H5SAMPLE (H5Tclose (opaque));
    H5SAMPLE (H5Tclose (pair));
}

static inline void h5sample_committed (struct h5sample *s)
{
    hid_t list = H5Pcreate (H5P_DATATYPE_CREATE);
    if (h5sample_is (s, "type attribute order"))
        H5SAMPLE (H5Pset_attr_creation_order (list, H5P_CRT_ORDER_TRACKED));
    hid_t type[3] = {H5Tvlen_create (H5T_STD_I16BE), H5Tcopy (H5T_STD_I16BE),
                     H5Tcopy (H5T_STD_I16BE)};
    H5SAMPLE (H5Tcommit2 (s->file, "/g/vlen_type", type[0], H5P_DEFAULT, list, H5P_DEFAULT));
    H5SAMPLE (H5Tcommit2 (s->file, "/g/type", type[1], H5P_DEFAULT, list, H5P_DEFAULT));
    H5SAMPLE (H5Tcommit2 (s->file, "/g/type2", type[2], H5P_DEFAULT, list, H5P_DEFAULT));
    h5sample_int_attribute (s, type[1], "on type", h5sample_is (s, "attribute of a type") ? 2 : 1);
    hid_t use = h5sample_is (s, "uncommitted") ? H5Tcopy (H5T_STD_I16BE)
                                               : type[h5sample_is (s, "other committed") ? 2 : 1];
    h5sample_plain (s, "/g/typed", use, 1, (hsize_t[]){2}, NULL, H5P_DEFAULT, "\0\1\0\2");
    short v = 3, w = 4;
    hvl_t seq[2] = {{1, &v}, {h5sample_is (s, "sequence length") ? 0 : 1, &w}};
    hid_t two = H5Screate_simple (1, (hsize_t[]){2}, NULL);
    hid_t d = H5Dcreate2 (s->file, "/g/vlen", type[0], two, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5SAMPLE (H5Dwrite (d, type[0], H5S_ALL, H5S_ALL, H5P_DEFAULT, seq));
    H5SAMPLE (H5Dclose (d));
    H5SAMPLE (H5Sclose (two));
    if (use != type[1] && use != type[2])
        H5SAMPLE (H5Tclose (use));
    for (int i = 0; i < 3; ++i)
        H5SAMPLE (H5Tclose (type[i]));
    H5SAMPLE (H5Pclose (list));
}

static inline void h5sample_variable_fill (struct h5sample *s)
{
    hid_t text = H5Tcopy (H5T_C_S1), list = H5Pcreate (H5P_DATASET_CREATE);
    const char *fill = h5sample_is (s, "variable-length fill value") ? "this" : "that";
    H5SAMPLE (H5Tset_size (text, H5T_VARIABLE));
    H5SAMPLE (H5Pset_fill_value (list, text, &fill));
    h5sample_plain (s, "/g/filled", text, 1, (hsize_t[]){3}, NULL, list, NULL);
    const char *texts[3] = {"", "b", h5sample_is (s, "text of a dataset") ? "d" : "c"};
    H5SAMPLE (H5Pset_chunk (list, 1, (hsize_t[]){2}));
    H5SAMPLE (H5Pset_deflate (list, 1));
    h5sample_plain (s, "/g/texts", text, 1, (hsize_t[]){3}, NULL, list, texts);
    H5SAMPLE (H5Pclose (list));
    H5SAMPLE (H5Tclose (text));
}

static inline void h5sample_contiguous (struct h5sample *s)
{
    double d[20] = {1, 2, 3};
    hid_t list = H5Pcreate (H5P_DATASET_CREATE);
    double nan = h5sample_is (s, "fill value") ? 5 : 4;
    if (!h5sample_is (s, "no fill value"))
        H5SAMPLE (H5Pset_fill_value (list, H5T_NATIVE_DOUBLE, &nan));
    if (h5sample_is (s, "fill time"))
        H5SAMPLE (H5Pset_fill_time (list, H5D_FILL_TIME_ALLOC));
    if (h5sample_is (s, "alloc time"))
        H5SAMPLE (H5Pset_alloc_time (list, H5D_ALLOC_TIME_EARLY));
    if (h5sample_is (s, "times"))
        H5SAMPLE (H5Pset_obj_track_times (list, 0));
    if (h5sample_is (s, "phase change"))
        H5SAMPLE (H5Pset_attr_phase_change (list, 7, 5));
    if (h5sample_is (s, "compact"))
        H5SAMPLE (H5Pset_layout (list, H5D_COMPACT));
    d[19] = h5sample_is (s, "value") ? 1 : 0;
    hid_t type = h5sample_is (s, "byte order") ? H5T_IEEE_F64BE : H5T_IEEE_F64LE;
    h5sample_plain (s, "/g/a b", type, 2,
                    h5sample_is (s, "extent") ? (hsize_t[]){4, 4} : (hsize_t[]){4, 5}, NULL, list,
                    d);
    h5sample_plain (s, "/g/unwritten", H5T_IEEE_F64LE, 1, (hsize_t[]){9}, NULL, H5P_DEFAULT,
                    h5sample_is (s, "written") ? d + 3 : NULL);
    hid_t space = H5Screate (h5sample_is (s, "null space") ? H5S_SCALAR : H5S_NULL);
    H5SAMPLE (H5Dclose (h5sample_dataset (s, "/g/null", H5T_STD_U8LE, space, H5P_DEFAULT, NULL)));
    H5SAMPLE (H5Sclose (space));
    H5SAMPLE (H5Pclose (list));
}

static inline void h5sample_external (struct h5sample *s)
{
    hid_t list = H5Pcreate (H5P_DATASET_CREATE);
    if (!h5sample_is (s, "copied from other files"))
        H5SAMPLE (H5Pset_external (list, "h5compare_external.raw",
                                   h5sample_is (s, "offset in another file") ? 8 : 0, 16));
    h5sample_plain (s, "/g/external", H5T_STD_I32LE, 1, (hsize_t[]){4}, NULL, list,
                    (int[]){1, 2, 3, h5sample_is (s, "value in another file") ? 5 : 4});
    H5SAMPLE (H5Pclose (list));
    list = H5Pcreate (H5P_DATASET_CREATE);
    hid_t all = H5Screate_simple (1, (hsize_t[]){8}, NULL),
          part = H5Screate_simple (1, (hsize_t[]){4}, NULL);
    hsize_t start = h5sample_is (s, "mapping") ? 4 : 0, count = 4;
    H5SAMPLE (H5Sselect_hyperslab (all, H5S_SELECT_SET, &start, NULL, &count, NULL));
    H5SAMPLE (
        H5Pset_virtual (list, all, h5sample_is (s, "mapped file") ? "p.h5" : "o.h5", "/x", part));
    H5SAMPLE (H5Dclose (h5sample_dataset (s, "/g/virtual", H5T_STD_I32LE, all, list, NULL)));
    H5SAMPLE (H5Pclose (list));
    H5SAMPLE (H5Sclose (all));
    H5SAMPLE (H5Sclose (part));
}

static inline void h5sample_chunked (struct h5sample *s)
{
    static int data[30][30];
    hid_t list = H5Pcreate (H5P_DATASET_CREATE);
    const hsize_t chunk[2] = {8, h5sample_is (s, "chunk size") ? 8 : 16};
    H5SAMPLE (H5Pset_chunk (list, 2, chunk));
    H5SAMPLE (H5Pset_shuffle (list));
    H5SAMPLE (H5Pset_deflate (list, h5sample_is (s, "filter value") ? 5 : 4));
    if (h5sample_is (s, "one filter more"))
        H5SAMPLE (H5Pset_fletcher32 (list));
    if (h5sample_is (s, "edge chunks"))
        H5SAMPLE (H5Pset_chunk_opts (list, H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS));
    hid_t space = H5Screate_simple (2, (hsize_t[]){30, 30},
                                    h5sample_is (s, "limit") ? (hsize_t[]){60, 30}
                                                             : (hsize_t[]){H5S_UNLIMITED, 30});
    hid_t d = h5sample_dataset (s, "/g/chunked", H5T_STD_I32LE, space, list, NULL);
    for (int i = 0; i < 900; ++i)
        data[i / 30][i % 30] = i + (i == 100 && h5sample_is (s, "value in a chunk"));
    hsize_t start[2] = {0, 0}, count[2] = {h5sample_is (s, "written chunk") ? 17 : 16, 30};
    H5SAMPLE (H5Sselect_hyperslab (space, H5S_SELECT_SET, start, NULL, count, NULL));
    hid_t part = H5Screate_simple (2, count, NULL);
    H5SAMPLE (H5Dwrite (d, H5T_NATIVE_INT, part, space, H5P_DEFAULT, data));
    static const unsigned char raw[8 * 16 * 4] = {1};
    if (h5sample_is (s, "filter mask") || h5sample_is (s, "filter mask, reference"))
        H5SAMPLE (H5Dwrite_chunk (d, H5P_DEFAULT, h5sample_is (s, "filter mask") ? 2 : 3,
                                  (hsize_t[]){24, 0}, sizeof raw, raw));
    H5SAMPLE (H5Dclose (d));
    H5SAMPLE (H5Sclose (space));
    H5SAMPLE (H5Sclose (part));
    H5SAMPLE (H5Pclose (list));
    /* A grid of 10^12 cells with one stored. */
    list = H5Pcreate (H5P_DATASET_CREATE);
    H5SAMPLE (H5Pset_chunk (list, 1, (hsize_t[]){4}));
    space = H5Screate_simple (1, (hsize_t[]){UINT64_C (4000000000000)}, (hsize_t[]){H5S_UNLIMITED});
    d = h5sample_dataset (s, "/g/sparse", H5T_STD_I32LE, space, list, NULL);
    H5SAMPLE (
        H5Sselect_elements (space, H5S_SELECT_SET, 1,
                            (hsize_t[]){h5sample_is (s, "sparse") ? 3 : UINT64_C (3999999999999)}));
    hid_t one = H5Screate (H5S_SCALAR);
    H5SAMPLE (H5Dwrite (d, H5T_NATIVE_INT, one, space, H5P_DEFAULT, data[1]));
    H5SAMPLE (H5Dclose (d));
    H5SAMPLE (H5Sclose (space));
    H5SAMPLE (H5Sclose (one));
    H5SAMPLE (H5Pclose (list));
}

static inline void h5sample_references (struct h5sample *s)
{
    hid_t three = H5Screate_simple (1, (hsize_t[]){3}, NULL), one = H5Screate (H5S_SCALAR);
    hobj_ref_t ref[3] = {0, 0, 0};
    H5SAMPLE (H5Rcreate (&ref[0], s->file, h5sample_is (s, "reference") ? "/g/enum" : "/g/typed",
                         H5R_OBJECT, -1));
    if (!h5sample_is (s, "null reference"))
        H5SAMPLE (H5Rcreate (&ref[1], s->file, "/g", H5R_OBJECT, -1));
    if (h5sample_is (s, "dangling reference"))
        ref[2] = 0x7ffffff0;
    if (!s->reduced)
        H5SAMPLE (H5Rcreate (&ref[2], s->file, "/out", H5R_OBJECT, -1));
    hid_t d = h5sample_dataset (s, "/g/references", H5T_STD_REF_OBJ, three, H5P_DEFAULT, ref);
    h5sample_attribute (s, d, "reference", H5T_STD_REF_OBJ, one,
                        &ref[h5sample_is (s, "reference in an attribute")], 0);
    H5SAMPLE (H5Dclose (d));
    struct {
        hobj_ref_t ref;
        int n;
    } list[3] = {{ref[2], 0}, {ref[0], 1}, {ref[2], 2}};
    hid_t entry = H5Tcreate (H5T_COMPOUND, sizeof list[0]);
    H5SAMPLE (H5Tinsert (entry, "dataset", 0, H5T_STD_REF_OBJ));
    H5SAMPLE (H5Tinsert (entry, "dimension", 8, H5T_NATIVE_INT));
    hid_t scale = H5Dopen2 (s->file, "/g/enum", H5P_DEFAULT);
    if (h5sample_is (s, "shorter list"))
        h5sample_attribute (s, scale, "REFERENCE_LIST", entry, one, &list[1], 0);
    else if (h5sample_is (s, "short list")) {
        hid_t n = H5Screate_simple (1, (hsize_t[]){1}, NULL);
        h5sample_attribute (s, scale, "REFERENCE_LIST", entry, n, &list[1], 0);
        H5SAMPLE (H5Sclose (n));
    } else if (!h5sample_is (s, "no list"))
        h5sample_attribute (s, scale, "REFERENCE_LIST", entry, three, list, 0);
    H5SAMPLE (H5Dclose (scale));
    hid_t region = H5Dopen2 (s->file, "/g/string", H5P_DEFAULT), space = H5Dget_space (region);
    H5SAMPLE (H5Sselect_elements (space, H5S_SELECT_SET, 1,
                                  (hsize_t[]){h5sample_is (s, "region") ? 1 : 0}));
    hdset_reg_ref_t r;
    H5SAMPLE (H5Rcreate (&r, s->file, "/g/string", H5R_DATASET_REGION, space));
    h5sample_attribute (s, region, "region", H5T_STD_REF_DSETREG, one, &r, 0);
    H5SAMPLE (H5Sclose (space));
    H5SAMPLE (H5Dclose (region));
    H5SAMPLE (H5Tclose (entry));
    H5SAMPLE (H5Sclose (three));
    H5SAMPLE (H5Sclose (one));
}

static inline void h5sample_attributes (struct h5sample *s, hid_t group)
{
    hid_t text = H5Tcopy (H5T_C_S1), one = H5Screate (H5S_SCALAR);
    H5SAMPLE (H5Tset_size (text, H5T_VARIABLE));
    const char *value = h5sample_is (s, "text") ? "some" : h5sample_is (s, "null text") ? NULL : "";
    int late = h5sample_is (s, "order of attributes");
    if (!late)
        h5sample_int_attribute (s, group, "number", h5sample_is (s, "number") ? 2 : 1);
    h5sample_attribute (s, group, "text", text, one, &value, h5sample_is (s, "attribute name set"));
    if (late)
        h5sample_int_attribute (s, group, "number", 1);
    if (h5sample_is (s, "one attribute more"))
        h5sample_int_attribute (s, group, "more", 1);
    hid_t space =
        H5Screate_simple (1, (hsize_t[]){h5sample_is (s, "attribute extent") ? 1 : 2}, NULL);
    h5sample_attribute (s, group, "pair",
                        h5sample_is (s, "attribute type") ? H5T_STD_I32BE : H5T_STD_I32LE, space,
                        "\0\0\0\0\0\0\0\0", 0);
    if (!h5sample_is (s, "comment"))
        H5SAMPLE (H5Oset_comment (group, "a comment"));
    H5SAMPLE (H5Sclose (space));
    H5SAMPLE (H5Sclose (one));
    H5SAMPLE (H5Tclose (text));
}

static inline void h5sample_links (struct h5sample *s, hid_t group)
{
    hid_t list = H5Pcreate (H5P_LINK_CREATE);
    if (h5sample_is (s, "link name set"))
        H5SAMPLE (H5Pset_char_encoding (list, H5T_CSET_UTF8));
    H5SAMPLE (H5Lcreate_soft (h5sample_is (s, "soft link") ? "nothing" : "nowhere", group, "soft",
                              list, H5P_DEFAULT));
    H5SAMPLE (H5Lcreate_external ("other.h5", h5sample_is (s, "external link") ? "/b" : "/a", group,
                                  "external_link", list, H5P_DEFAULT));
    if (h5sample_is (s, "hard link"))
        h5sample_plain (s, "/g/alias", H5T_STD_I16BE, 1, (hsize_t[]){2}, NULL, H5P_DEFAULT,
                        "\0\1\0\2");
    else if (h5sample_is (s, "kind of link"))
        H5SAMPLE (H5Lcreate_soft ("typed", group, "alias", H5P_DEFAULT, H5P_DEFAULT));
    else
        H5SAMPLE (H5Lcreate_hard (group, h5sample_is (s, "hard link elsewhere") ? "enum" : "typed",
                                  group, "alias", H5P_DEFAULT, H5P_DEFAULT));
    if (h5sample_is (s, "kind of object"))
        h5sample_plain (s, "/g/kind", H5T_STD_I16BE, 1, (hsize_t[]){2}, NULL, H5P_DEFAULT, NULL);
    else
        H5SAMPLE (H5Gclose (H5Gcreate2 (group, "kind", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)));
    if (h5sample_is (s, "one link more"))
        H5SAMPLE (H5Lcreate_soft ("x", group, "zzz", H5P_DEFAULT, H5P_DEFAULT));
    if (h5sample_is (s, "one link less"))
        H5SAMPLE (H5Ldelete (group, "soft", H5P_DEFAULT));
    if (h5sample_is (s, "order of links")) {
        H5SAMPLE (H5Lmove (group, "external_link", group, "tmp", H5P_DEFAULT, H5P_DEFAULT));
        H5SAMPLE (H5Ldelete (group, "soft", H5P_DEFAULT));
        H5SAMPLE (H5Lcreate_soft ("nowhere", group, "soft", list, H5P_DEFAULT));
        H5SAMPLE (H5Lmove (group, "tmp", group, "external_link", H5P_DEFAULT, H5P_DEFAULT));
    }
    H5SAMPLE (H5Pclose (list));
}

static inline hid_t h5sample_create (struct h5sample *s, const char *path)
{
    hid_t fcpl = H5Pcreate (H5P_FILE_CREATE), fapl = H5Pcreate (H5P_FILE_ACCESS);
    /* Headers of 1.8 keep more properties of objects. */
    H5SAMPLE (H5Pset_libver_bounds (
        fapl, h5sample_is (s, "superblock") ? H5F_LIBVER_EARLIEST : H5F_LIBVER_V18,
        H5F_LIBVER_V110));
    H5SAMPLE (H5Pset_userblock (fcpl, h5sample_is (s, "user block size") ? 1024 : 512));
    if (!h5sample_is (s, "root order"))
        H5SAMPLE (H5Pset_link_creation_order (fcpl, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED));
    if (h5sample_is (s, "chunk trees"))
        H5SAMPLE (H5Pset_istore_k (fcpl, 64));
    if (h5sample_is (s, "shared messages")) {
        H5SAMPLE (H5Pset_shared_mesg_nindexes (fcpl, 1));
        H5SAMPLE (H5Pset_shared_mesg_index (fcpl, 0, H5O_SHMESG_ATTR_FLAG, 40));
    }
    if (h5sample_is (s, "file space")) {
        H5SAMPLE (H5Pset_file_space_strategy (fcpl, H5F_FSPACE_STRATEGY_PAGE, 1, 1));
        H5SAMPLE (H5Pset_file_space_page_size (fcpl, 512));
    }
    hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, fcpl, fapl);
    H5SAMPLE (file);
    H5SAMPLE (H5Pclose (fcpl));
    H5SAMPLE (H5Pclose (fapl));
    return file;
}

/* Returns 0 when the file was made and the change (unless "") was made exactly in it. */
static inline int h5sample_make (const char *path, const char *change, int reduced)
{
    struct h5sample sample = {-1, change, 0, 0, reduced}, *s = &sample;
    s->file = h5sample_create (s, path);
    hid_t list = H5Pcreate (H5P_GROUP_CREATE);
    if (!h5sample_is (s, "group order"))
        H5SAMPLE (H5Pset_link_creation_order (list, H5P_CRT_ORDER_TRACKED));
    H5SAMPLE (H5Pset_attr_creation_order (list, H5P_CRT_ORDER_TRACKED));
    if (h5sample_is (s, "group phase change"))
        H5SAMPLE (H5Pset_link_phase_change (list, 20, 10));
    hid_t group = H5Gcreate2 (s->file, "/g", H5P_DEFAULT, list, H5P_DEFAULT);
    H5SAMPLE (group);
    if (!reduced)
        h5sample_plain (s, "/out", H5T_STD_I16BE, 1, (hsize_t[]){2}, NULL, H5P_DEFAULT, NULL);
    h5sample_types (s);
    h5sample_committed (s);
    h5sample_contiguous (s);
    h5sample_variable_fill (s);
    h5sample_external (s);
    h5sample_chunked (s);
    h5sample_attributes (s, group);
    h5sample_references (s);
    h5sample_links (s, group);
    H5SAMPLE (H5Pclose (list));
    H5SAMPLE (H5Gclose (group));
    H5SAMPLE (H5Fclose (s->file));
    FILE *f = fopen (path, "r+b");
    if (!f || fputs (h5sample_is (s, "user block") ? "other" : "bytes", f) < 0 || fclose (f) != 0)
        ++s->bad;
    if (s->bad)
        (void)fprintf (stderr, "%s: %d calls failed\n", path, s->bad);
    return s->bad || (*change && s->used == 0);
}

#endif
