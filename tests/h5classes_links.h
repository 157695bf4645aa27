/* SPDX-License-Identifier: Apache-2.0 */
/* Classes of structure that a selection has to carry: references, links, attributes, mappings, and
 * files of several kinds. */
#ifndef H5CLASSES_LINKS_H
#define H5CLASSES_LINKS_H

#include "h5classes_data.h"

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

#endif
