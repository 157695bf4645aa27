/* SPDX-License-Identifier: Apache-2.0 */
/* A file with a dataset of each class that a dataset object takes, and of those it refuses. */
#ifndef H5DATASET_SAMPLE_H
#define H5DATASET_SAMPLE_H

#include <hdf5.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define H5DATASET_EXTERNAL "h5dataset_external.raw"

/* What is written to a dataset: bytes that any type can have. */
static inline void *h5dataset_values (hid_t type, hsize_t points)
{
    size_t size = H5Tget_size (type) * (size_t)points;
    unsigned char *values = malloc (size + 1);
    for (size_t i = 0; values && i < size; ++i)
        values[i] =
            (unsigned char)(i % 7 + i / 11 % 5); /* small, also as a float, and compressible */
    return values;
}

/* Everything written, or (part) only what two hyperslabs of different chunks hold. */
static inline int h5dataset_add (hid_t file, const char *name, hid_t type, int rank,
                                 const hsize_t *dims, const hsize_t *max, hid_t list, int part)
{
    hid_t space = rank ? H5Screate_simple (rank, dims, max) : H5Screate (H5S_SCALAR);
    hid_t d = H5Dcreate2 (file, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    int bad = d < 0;
    if (!bad && part) {
        hsize_t start[H5S_MAX_RANK] = {0}, count[H5S_MAX_RANK], end[H5S_MAX_RANK];
        for (int i = 0; i < rank; ++i) {
            count[i] = 1;
            end[i] = dims[i] - 1;
        }
        bad |= H5Sselect_hyperslab (space, H5S_SELECT_SET, start, NULL, count, NULL) < 0;
        bad |= H5Sselect_hyperslab (space, H5S_SELECT_OR, end, NULL, count, NULL) < 0;
    }
    hssize_t points = bad ? 0 : H5Sget_select_npoints (space);
    if (points > 0) {
        void *values = h5dataset_values (type, (hsize_t)points);
        hid_t memory = H5Screate_simple (1, (hsize_t[]){(hsize_t)points}, NULL);
        bad |= !values || H5Dwrite (d, type, memory, space, H5P_DEFAULT, values) < 0;
        free (values);
        bad |= H5Sclose (memory) < 0;
    }
    bad |= d >= 0 && H5Dclose (d) < 0;
    return bad | (H5Sclose (space) < 0);
}

static inline hid_t h5dataset_compound (int packed)
{
    hid_t array = H5Tarray_create2 (H5T_STD_I16BE, 1, (hsize_t[]){3});
    hid_t text = H5Tcopy (H5T_C_S1), type = H5Tcreate (H5T_COMPOUND, packed ? 25 : 40);
    int bad = H5Tset_size (text, 7) < 0;
    bad |= H5Tinsert (type, "x", 0, H5T_IEEE_F64LE) < 0;
    bad |= H5Tinsert (type, "n", packed ? 8 : 16, H5T_STD_I32BE) < 0;
    bad |= H5Tinsert (type, "a", packed ? 12 : 20, array) < 0;
    bad |= H5Tinsert (type, "t", packed ? 18 : 30, text) < 0;
    bad |= H5Tclose (array) < 0;
    return H5Tclose (text) < 0 || bad ? H5I_INVALID_HID : type;
}

static inline hid_t h5dataset_enum (void)
{
    hid_t type = H5Tenum_create (H5T_STD_U8LE);
    static const char *const name[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"};
    for (unsigned char i = 0; i < 11; ++i)
        if (H5Tenum_insert (type, name[i], &i) < 0)
            return H5I_INVALID_HID;
    return type;
}

static inline int h5dataset_plain (hid_t f)
{
    const hsize_t d2[2] = {37, 21}, d1[1] = {1000}, row[2] = {3, 5000}, none[2] = {0, 4};
    hid_t late = H5Pcreate (H5P_DATASET_CREATE), compact = H5Pcreate (H5P_DATASET_CREATE);
    hid_t external = H5Pcreate (H5P_DATASET_CREATE), opaque = H5Tcreate (H5T_OPAQUE, 3);
    hid_t text = H5Tcopy (H5T_C_S1), pair = h5dataset_compound (0), colour = h5dataset_enum ();
    double fill = 2.5;
    int bad = H5Tset_size (text, 5) < 0 || H5Tset_tag (opaque, "tag") < 0;
    bad |= H5Pset_fill_value (late, H5T_NATIVE_DOUBLE, &fill) < 0;
    bad |= H5Pset_layout (compact, H5D_COMPACT) < 0;
    bad |= H5Pset_external (external, H5DATASET_EXTERNAL, 0, H5F_UNLIMITED) < 0;
    bad |= h5dataset_add (f, "contiguous", H5T_IEEE_F32LE, 2, d2, NULL, H5P_DEFAULT, 0);
    bad |= h5dataset_add (f, "big_endian", H5T_IEEE_F32BE, 1, d1, NULL, H5P_DEFAULT, 0);
    bad |= h5dataset_add (f, "long_rows", H5T_STD_I16LE, 2, row, NULL, H5P_DEFAULT, 0);
    bad |= h5dataset_add (f, "compact", H5T_STD_I16LE, 2, d2, NULL, compact, 0);
    bad |= h5dataset_add (f, "external", H5T_STD_I32LE, 2, d2, NULL, external, 0);
    bad |= h5dataset_add (f, "scalar", H5T_STD_I32LE, 0, NULL, NULL, H5P_DEFAULT, 0);
    bad |= h5dataset_add (f, "empty", H5T_STD_I32LE, 2, none, NULL, H5P_DEFAULT, 0);
    bad |= h5dataset_add (f, "opaque", opaque, 2, d2, NULL, H5P_DEFAULT, 0);
    bad |= h5dataset_add (f, "text", text, 2, d2, NULL, H5P_DEFAULT, 0);
    bad |= h5dataset_add (f, "compound", pair, 2, d2, NULL, H5P_DEFAULT, 0);
    bad |= h5dataset_add (f, "enum", colour, 2, d2, NULL, H5P_DEFAULT, 0);
    hid_t space = H5Screate_simple (2, d2, NULL), null = H5Screate (H5S_NULL);
    bad |= H5Dclose (H5Dcreate2 (f, "unwritten", H5T_IEEE_F64LE, space, H5P_DEFAULT, late,
                                 H5P_DEFAULT)) < 0;
    bad |= H5Dclose (H5Dcreate2 (f, "null", H5T_IEEE_F64LE, null, H5P_DEFAULT, H5P_DEFAULT,
                                 H5P_DEFAULT)) < 0;
    bad |= H5Sclose (space) < 0 || H5Sclose (null) < 0 || H5Pclose (late) < 0;
    bad |= H5Pclose (compact) < 0 || H5Pclose (external) < 0 || H5Tclose (text) < 0;
    return bad | (H5Tclose (opaque) < 0) | (H5Tclose (pair) < 0) | (H5Tclose (colour) < 0);
}

/* Chunked ones, each with its own filters. */
static inline int h5dataset_chunked (hid_t f)
{
    static const char *const name[] = {"chunked", "gzip",          "fletcher32",  "szip",
                                       "nbit",    "scaleoffset",   "plain_edges", "holes",
                                       "no_fill", "compound_gzip", "gzip_be",     "scale_filled"};
    const hsize_t dims[2] = {37, 21}, max[2] = {H5S_UNLIMITED, 21}, chunk[2] = {8, 6};
    int bad = 0;
    for (size_t i = 0; i < sizeof name / sizeof *name; ++i) {
        hid_t list = H5Pcreate (H5P_DATASET_CREATE), type = H5Tcopy (H5T_STD_I32LE);
        int fill = 77;
        bad |= H5Pset_chunk (list, 2, chunk) < 0;
        if (strstr (name[i], "gzip") || strcmp (name[i], "plain_edges") == 0)
            bad |= H5Pset_shuffle (list) < 0 || H5Pset_deflate (list, 6) < 0;
        if (strcmp (name[i], "fletcher32") == 0)
            bad |= H5Pset_fletcher32 (list) < 0;
        if (strcmp (name[i], "szip") == 0 && H5Zfilter_avail (H5Z_FILTER_SZIP) > 0)
            bad |= H5Pset_szip (list, H5_SZIP_NN_OPTION_MASK, 8) < 0;
        if (strcmp (name[i], "nbit") == 0)
            bad |= H5Tset_precision (type, 13) < 0 || H5Pset_nbit (list) < 0;
        if (strcmp (name[i], "scaleoffset") == 0)
            bad |= H5Pset_scaleoffset (list, H5Z_SO_INT, H5Z_SO_INT_MINBITS_DEFAULT) < 0;
        if (strcmp (name[i], "scale_filled") == 0)
            bad |= H5Pset_fill_value (list, H5T_NATIVE_INT, &fill) < 0 ||
                   H5Pset_scaleoffset (list, H5Z_SO_INT, H5Z_SO_INT_MINBITS_DEFAULT) < 0;
        if (strcmp (name[i], "plain_edges") == 0)
            bad |= H5Pset_chunk_opts (list, H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS) < 0;
        if (strcmp (name[i], "holes") == 0)
            bad |= H5Pset_fill_value (list, H5T_NATIVE_INT, &fill) < 0;
        if (strcmp (name[i], "no_fill") == 0)
            bad |= H5Pset_fill_time (list, H5D_FILL_TIME_NEVER) < 0;
        if (strcmp (name[i], "compound_gzip") == 0 || strcmp (name[i], "gzip_be") == 0) {
            bad |= H5Tclose (type) < 0;
            type = name[i][0] == 'c' ? h5dataset_compound (1) : H5Tcopy (H5T_IEEE_F64BE);
        }
        int part = strcmp (name[i], "holes") == 0 || strcmp (name[i], "no_fill") == 0;
        bad |= h5dataset_add (f, name[i], type, 2, dims, max, list, part);
        bad |= H5Pclose (list) < 0 || H5Tclose (type) < 0;
    }
    return bad;
}

/* A chunk with a filter mask, four dimensions, and what is refused. */
static inline int h5dataset_special (hid_t f)
{
    const hsize_t d4[4] = {9, 7, 10, 11}, c4[4] = {4, 3, 4, 5}, one[1] = {40}, chunk[1] = {16};
    const hsize_t huge[1] = {UINT64_C (1) << 40}, at[1] = {16};
    static const unsigned char raw[64] = {1, 2, 3};
    hid_t list = H5Pcreate (H5P_DATASET_CREATE), zip = H5Pcreate (H5P_DATASET_CREATE);
    hid_t text = H5Tcopy (H5T_C_S1), seq = H5Tvlen_create (H5T_NATIVE_INT);
    int bad = H5Tset_size (text, H5T_VARIABLE) < 0 || H5Pset_chunk (list, 4, c4) < 0;
    bad |= H5Pset_deflate (list, 1) < 0;
    bad |= h5dataset_add (f, "four", H5T_STD_I16BE, 4, d4, NULL, list, 0);
    bad |= h5dataset_add (f, "four_plain", H5T_STD_I16BE, 4, d4, NULL, H5P_DEFAULT, 0);
    bad |= H5Pset_chunk (zip, 1, chunk) < 0 || H5Pset_deflate (zip, 1) < 0;
    bad |= h5dataset_add (f, "masked", H5T_STD_I32LE, 1, one, NULL, zip, 0);
    hid_t d = H5Dopen2 (f, "masked", H5P_DEFAULT);
    bad |= H5Dwrite_chunk (d, H5P_DEFAULT, 1, at, sizeof raw, raw) < 0 || H5Dclose (d) < 0;
    hid_t space = H5Screate_simple (1, huge, NULL), few = H5Screate_simple (1, one, NULL);
    bad |=
        H5Dclose (H5Dcreate2 (f, "huge", H5T_STD_I32LE, space, H5P_DEFAULT, zip, H5P_DEFAULT)) < 0;
    bad |=
        H5Dclose (H5Dcreate2 (f, "strings", text, few, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)) < 0;
    bad |=
        H5Dclose (H5Dcreate2 (f, "sequences", seq, few, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)) < 0;
    bad |= H5Dclose (H5Dcreate2 (f, "references", H5T_STD_REF_OBJ, few, H5P_DEFAULT, H5P_DEFAULT,
                                 H5P_DEFAULT)) < 0;
    bad |= H5Sclose (space) < 0 || H5Sclose (few) < 0 || H5Tclose (text) < 0 || H5Tclose (seq) < 0;
    hid_t map = H5Pcreate (H5P_DATASET_CREATE), all = H5Screate_simple (1, one, NULL);
    bad |= H5Pset_virtual (map, all, ".", "/masked", all) < 0;
    bad |=
        H5Dclose (H5Dcreate2 (f, "virtual", H5T_STD_I32LE, all, H5P_DEFAULT, map, H5P_DEFAULT)) < 0;
    return bad | (H5Pclose (map) < 0) | (H5Sclose (all) < 0) | (H5Pclose (list) < 0) |
           (H5Pclose (zip) < 0);
}

/* Returns 0 when the file was made.  newest: chunk indexes of HDF5 1.10. */
static inline int h5dataset_sample (const char *path, int newest)
{
    hid_t list = H5Pcreate (H5P_FILE_ACCESS), create = H5Pcreate (H5P_FILE_CREATE);
    int bad = newest && H5Pset_libver_bounds (list, H5F_LIBVER_V110, H5F_LIBVER_V110) < 0;
    bad |= H5Pset_userblock (create, 512) < 0;
    hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, create, list);
    bad |=
        file < 0 || h5dataset_plain (file) || h5dataset_chunked (file) || h5dataset_special (file);
    bad |= file >= 0 && H5Fclose (file) < 0;
    return bad | (H5Pclose (list) < 0) | (H5Pclose (create) < 0);
}

#endif
