/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_h5props.h"
#include "larder_h5filter.h"
#include "larder_h5map.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ filters */

static int put_filter (struct larder_h5out *out, hid_t list, unsigned i)
{
    unsigned flags = 0;
    size_t values = 0;
    char name[1024] = "";
    H5Z_filter_t id = H5Pget_filter2 (list, i, &flags, &values, NULL, sizeof name, name, NULL);
    if (id < 0)
        return -1;
    unsigned *value = calloc (values + 1, sizeof *value);
    if (value == NULL)
        return -1;
    size_t room = values;
    int good = H5Pget_filter2 (list, i, &flags, &room, value, 0, NULL, NULL) >= 0;
    name[sizeof name - 1] = 0;
    larder_h5out_u32 (out, (uint32_t)id);
    larder_h5out_u8 (out, flags & 0xff);
    larder_h5out_text (out, name);
    larder_h5out_count (out, values);
    for (size_t v = 0; v < values; ++v)
        larder_h5out_u32 (out, value[v]);
    free (value);
    return good ? 0 : -1;
}

int larder_h5props_put_filters (struct larder_h5out *out, hid_t list)
{
    int filters = H5Pget_nfilters (list);
    if (filters < 0)
        return -1;
    larder_h5out_count (out, (uint64_t)filters);
    for (unsigned i = 0; i < (unsigned)filters; ++i)
        if (put_filter (out, list, i) != 0)
            return -1;
    return 0;
}

static int get_filter (struct larder_h5in *in, hid_t list, struct larder_h5standins *s)
{
    uint32_t id = larder_h5in_u32 (in);
    unsigned flags = larder_h5in_u8 (in);
    const char *name = larder_h5in_text (in);
    uint64_t values = larder_h5in_count (in);
    if (in->bad || id > H5Z_FILTER_MAX || values > larder_h5in_left (in) / 4) {
        in->bad = 1;
        return -1;
    }
    unsigned *value = calloc ((size_t)values + 1, sizeof *value);
    H5Z_filter_t *grown = larder_h5grow (s->id, s->count, &s->room, sizeof *s->id);
    s->id = grown ? grown : s->id;
    int used = 0;
    int good = value && grown && larder_h5filter_need ((H5Z_filter_t)id, name, &used) == 0;
    if (used)
        s->id[s->count++] = (H5Z_filter_t)id;
    for (uint64_t v = 0; value && v < values; ++v)
        value[v] = larder_h5in_u32 (in);
    good = good && H5Pset_filter (list, (H5Z_filter_t)id, flags, (size_t)values, value) >= 0;
    free (value);
    return good ? 0 : -1;
}

int larder_h5props_get_filters (struct larder_h5in *in, hid_t list, struct larder_h5standins *s)
{
    uint64_t filters = larder_h5in_count (in);
    if (in->bad || filters > H5Z_MAX_NFILTERS) {
        in->bad = 1;
        return -1;
    }
    for (uint64_t i = 0; i < filters; ++i)
        if (get_filter (in, list, s) != 0)
            return -1;
    return 0;
}

/* ------------------------------------------------------------------ any object */

int larder_h5props_put_object (struct larder_h5out *out, hid_t list)
{
    unsigned order = 0, compact = 0, dense = 0;
    hbool_t times = 0;
    if (H5Pget_attr_creation_order (list, &order) < 0 ||
        H5Pget_attr_phase_change (list, &compact, &dense) < 0 ||
        H5Pget_obj_track_times (list, &times) < 0)
        return -1;
    larder_h5out_u8 (out, order);
    larder_h5out_u32 (out, compact);
    larder_h5out_u32 (out, dense);
    larder_h5out_u8 (out, times ? 1 : 0);
    return 0;
}

int larder_h5props_get_object (struct larder_h5in *in, hid_t list)
{
    unsigned order = larder_h5in_u8 (in);
    uint32_t compact = larder_h5in_u32 (in), dense = larder_h5in_u32 (in);
    unsigned times = larder_h5in_u8 (in);
    if (in->bad)
        return -1;
    if (H5Pset_attr_creation_order (list, order) < 0 ||
        H5Pset_attr_phase_change (list, compact, dense) < 0 ||
        H5Pset_obj_track_times (list, times != 0) < 0)
        return -1;
    return 0;
}

/* ------------------------------------------------------------------ groups */

int larder_h5props_put_group (struct larder_h5out *out, hid_t list)
{
    unsigned order = 0, compact = 0, dense = 0, entries = 0, length = 0;
    size_t hint = 0;
    if (larder_h5props_put_object (out, list) != 0 ||
        H5Pget_link_creation_order (list, &order) < 0 ||
        H5Pget_link_phase_change (list, &compact, &dense) < 0 ||
        H5Pget_est_link_info (list, &entries, &length) < 0 ||
        H5Pget_local_heap_size_hint (list, &hint) < 0)
        return -1;
    larder_h5out_u8 (out, order);
    larder_h5out_u32 (out, compact);
    larder_h5out_u32 (out, dense);
    larder_h5out_u32 (out, entries);
    larder_h5out_u32 (out, length);
    larder_h5out_u64 (out, hint);
    return larder_h5props_put_filters (out, list);
}

int larder_h5props_get_group (struct larder_h5in *in, hid_t list, struct larder_h5standins *s)
{
    if (larder_h5props_get_object (in, list) != 0)
        return -1;
    unsigned order = larder_h5in_u8 (in);
    uint32_t compact = larder_h5in_u32 (in), dense = larder_h5in_u32 (in);
    uint32_t entries = larder_h5in_u32 (in), length = larder_h5in_u32 (in);
    uint64_t hint = larder_h5in_u64 (in);
    if (in->bad || entries > UINT16_MAX || length > UINT16_MAX || hint > UINT32_MAX)
        return -1;
    if (H5Pset_link_creation_order (list, order) < 0 ||
        H5Pset_link_phase_change (list, compact, dense) < 0 ||
        H5Pset_est_link_info (list, entries, length) < 0 ||
        H5Pset_local_heap_size_hint (list, (size_t)hint) < 0)
        return -1;
    return larder_h5props_get_filters (in, list, s);
}

/* ------------------------------------------------------------------ files */

static int put_shared (struct larder_h5out *out, hid_t list)
{
    unsigned indexes = 0, types, least, most_list, least_tree;
    if (H5Pget_shared_mesg_nindexes (list, &indexes) < 0 ||
        H5Pget_shared_mesg_phase_change (list, &most_list, &least_tree) < 0)
        return -1;
    larder_h5out_u8 (out, indexes);
    for (unsigned i = 0; i < indexes; ++i) {
        if (H5Pget_shared_mesg_index (list, i, &types, &least) < 0)
            return -1;
        larder_h5out_u32 (out, types);
        larder_h5out_u32 (out, least);
    }
    larder_h5out_u32 (out, most_list);
    larder_h5out_u32 (out, least_tree);
    return 0;
}

static int get_shared (struct larder_h5in *in, hid_t list)
{
    unsigned indexes = larder_h5in_u8 (in);
    if (in->bad || (indexes > 0 && H5Pset_shared_mesg_nindexes (list, indexes) < 0))
        return -1;
    for (unsigned i = 0; i < indexes; ++i) {
        uint32_t types = larder_h5in_u32 (in), least = larder_h5in_u32 (in);
        if (in->bad || H5Pset_shared_mesg_index (list, i, types, least) < 0)
            return -1;
    }
    uint32_t most_list = larder_h5in_u32 (in), least_tree = larder_h5in_u32 (in);
    if (in->bad)
        return -1;
    /* Setting what is the default already would ask for a newer superblock. */
    return indexes > 0 && H5Pset_shared_mesg_phase_change (list, most_list, least_tree) < 0 ? -1
                                                                                            : 0;
}

static int put_space (struct larder_h5out *out, hid_t list)
{
    H5F_fspace_strategy_t strategy;
    hbool_t persist = 0;
    hsize_t threshold = 0, page = 0;
    if (H5Pget_file_space_strategy (list, &strategy, &persist, &threshold) < 0 ||
        H5Pget_file_space_page_size (list, &page) < 0)
        return -1;
    larder_h5out_u8 (out, (unsigned)strategy);
    larder_h5out_u8 (out, persist ? 1 : 0);
    larder_h5out_u64 (out, threshold);
    larder_h5out_u64 (out, page);
    return 0;
}

static int get_space (struct larder_h5in *in, hid_t list)
{
    H5F_fspace_strategy_t strategy;
    hbool_t had_persist = 0;
    hsize_t had_threshold = 0, had_page = 0;
    unsigned wanted = larder_h5in_u8 (in), persist = larder_h5in_u8 (in);
    uint64_t threshold = larder_h5in_u64 (in), page = larder_h5in_u64 (in);
    if (in->bad || wanted >= H5F_FSPACE_STRATEGY_NTYPES ||
        H5Pget_file_space_strategy (list, &strategy, &had_persist, &had_threshold) < 0 ||
        H5Pget_file_space_page_size (list, &had_page) < 0)
        return -1;
    if (((unsigned)strategy != wanted || (had_persist ? 1u : 0u) != persist ||
         had_threshold != threshold) &&
        H5Pset_file_space_strategy (list, (H5F_fspace_strategy_t)wanted, persist != 0, threshold) <
            0)
        return -1;
    return had_page != page && H5Pset_file_space_page_size (list, page) < 0 ? -1 : 0;
}

static int put_file_list (struct larder_h5out *out, hid_t list, hid_t root)
{
    hsize_t user = 0;
    size_t address = 0, length = 0;
    unsigned internal = 0, leaf = 0, chunks = 0;
    if (H5Pget_userblock (list, &user) < 0 || H5Pget_sizes (list, &address, &length) < 0 ||
        H5Pget_sym_k (list, &internal, &leaf) < 0 || H5Pget_istore_k (list, &chunks) < 0)
        return -1;
    larder_h5out_u64 (out, user);
    larder_h5out_u8 (out, (unsigned)address);
    larder_h5out_u8 (out, (unsigned)length);
    larder_h5out_u32 (out, internal);
    larder_h5out_u32 (out, leaf);
    larder_h5out_u32 (out, chunks);
    return put_shared (out, list) != 0 || put_space (out, list) != 0 ||
                   larder_h5props_put_group (out, root) != 0
               ? -1
               : 0;
}

int larder_h5props_put_file (struct larder_h5out *out, hid_t file)
{
    hid_t group = H5Gopen2 (file, "/", H5P_DEFAULT);
    hid_t root = group < 0 ? -1 : H5Gget_create_plist (group);
    hid_t list = H5Fget_create_plist (file);
    int code = root < 0 || list < 0 ? -1 : put_file_list (out, list, root);
    if (list >= 0)
        (void)H5Pclose (list);
    if (root >= 0)
        (void)H5Pclose (root);
    if (group >= 0)
        (void)H5Gclose (group);
    return code;
}

int larder_h5props_get_file (struct larder_h5in *in, hid_t list, struct larder_h5standins *s)
{
    unsigned was = 0;
    uint64_t user = larder_h5in_u64 (in);
    unsigned address = larder_h5in_u8 (in), length = larder_h5in_u8 (in);
    uint32_t internal = larder_h5in_u32 (in), leaf = larder_h5in_u32 (in);
    uint32_t chunks = larder_h5in_u32 (in);
    /* Larger ones than its own numbers libhdf5 writes beyond its buffers. */
    in->bad = in->bad || address > sizeof (haddr_t) || length > sizeof (haddr_t);
    if (in->bad || H5Pset_userblock (list, user) < 0 || H5Pset_sizes (list, address, length) < 0 ||
        H5Pset_sym_k (list, internal, leaf) < 0 || H5Pget_istore_k (list, &was) < 0)
        return -1;
    if (was != chunks && H5Pset_istore_k (list, chunks) < 0)
        return -1;
    return get_shared (in, list) != 0 || get_space (in, list) != 0
               ? -1
               : larder_h5props_get_group (in, list, s);
}
