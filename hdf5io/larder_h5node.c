/* SPDX-License-Identifier: Apache-2.0 */
/* A dataset once per node, in memory that its ranks share and fill together; or in every rank's own memory. */
#include "larder_h5all.h"
#include "larder_h5error.h"
#include "larder_h5native.h"
#include "larder_h5type.h"
#include "larder_h5wire.h"

#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------------- what all ranks must say the same */

struct wish {
    uint64_t size; /* bytes of the whole dataset in the memory's type */
    uint64_t type, ref;
};

static int look_at_type (hid_t type, struct wish *wish, larder_error *err)
{
    struct larder_h5out out = {NULL, 0, 0, 0};
    size_t element = H5Tget_size (type);
    const char *why = element ? larder_h5describe_reason (type) : NULL;
    if (!element)
        return larder_h5error (err, LARDER_EINVAL, "a dataset for a node: mem_type");
    if (why)
        return larder_error_set (
            err, LARDER_ENOTSUP, 0,
            "a dataset for a node: mem_type holds %s, which have no meaning in "
            "memory that is shared",
            why);
    int bad = larder_h5type_put (&out, type) < 0, failed = out.failed;
    if (!bad && !failed)
        wish->type = larder_h5wire_sum (out.data, out.size);
    larder_h5out_free (&out);
    if (failed)
        return larder_error_set (err, LARDER_ENOMEM, 0, "a dataset for a node: no memory");
    if (bad)
        return larder_error_set (err, LARDER_ENOTSUP, 0,
                                 "a dataset for a node: mem_type is of an unknown class");
    wish->size = element;
    return LARDER_OK;
}

static int look (const larder_h5_dataset *s, hid_t type, struct wish *wish, larder_error *err)
{
    int rc = look_at_type (type, wish, err);
    if (rc)
        return rc;
    hssize_t points = H5Sget_simple_extent_npoints (s->d.space);
    if (points < 0)
        return larder_h5error (err, LARDER_EHDF5, "a dataset for a node: its space");
    if ((uint64_t)points > SIZE_MAX / 2 / wish->size)
        return larder_error_set (err, LARDER_ENOMEM, 0,
                                 "a dataset for a node: %llu elements of %llu bytes are too many",
                                 (unsigned long long)points, (unsigned long long)wish->size);
    wish->size *= (uint64_t)points;
    wish->ref = larder_h5wire_sum (s->ref.bytes, sizeof s->ref.bytes);
    return LARDER_OK;
}

/* larder_agree hands the text of the lowest rank that failed to all: everybody fails, so all hear what rank 0 says. */
static int agree_on (larder *session, const struct wish *wish, int code, const larder_error *mine,
                     larder_error *err)
{
    larder_error says = {.code = LARDER_EMISMATCH}, heard = {0}, why = {0};
    unsigned long long type = 0, ref = 0;
    (void)snprintf (says.text, sizeof says.text, "%llx %llx", (unsigned long long)wish->type,
                    (unsigned long long)wish->ref);
    int rc = larder_agree (session, LARDER_EMISMATCH, &says, &heard);
    if (rc != LARDER_EMISMATCH) {
        if (err)
            *err = heard;
        return rc;
    }
    int fields = sscanf (heard.text, "%llx %llx", &type, &ref);
    rc = code;
    if (code < 0)
        why = *mine;
    else if (fields != 2 || ref != wish->ref)
        rc = larder_error_set (&why, LARDER_EMISMATCH, 0,
                               "a dataset for a node: not opened with the same ref on all ranks");
    else if (type != wish->type)
        rc = larder_error_set (&why, LARDER_EMISMATCH, 0,
                               "a dataset for a node: mem_type is not the same on all ranks");
    return larder_agree (session, rc, &why, err);
}

/* ---------------------------------------------------------------- reading it */

/* Where reading leaves bytes as they are, they are zero; fresh memory need not be.  The answer is the same on all ranks
 * which have the same wish. */
static int leaves_bytes (const larder_h5_dataset *s, hid_t type)
{
    return s->d.fill_skips || H5Tdetect_class (type, H5T_COMPOUND) > 0;
}

static int clear (const larder *session, larder_shared *m, larder_error *err)
{
    larder_session_info info;
    int rc = larder_session_get_info (session, &info);
    if (rc)
        return rc;
    uint64_t each = larder_shared_size (m) / (uint64_t)info.node_size + 1;
    uint64_t from = each * (uint64_t)info.node_rank;
    uint64_t left = larder_shared_size (m) < from ? 0 : larder_shared_size (m) - from;
    memset ((char *)larder_shared_data (m) + from, 0, (size_t)(left < each ? left : each));
    return larder_shared_agree (m, LARDER_OK, NULL, err);
}

/* All ranks have agreed on what to read. */
static int fill (larder_h5_dataset *s, hid_t type, larder_shared *m, larder_error *err)
{
    int rc = LARDER_OK;
    if (leaves_bytes (s, type))
        rc = clear (s->session, m, err);
    if (!rc)
        rc = larder_h5all_read (s, type, LARDER_H5ALL_SHARED, larder_shared_data (m), err);
    return rc ? rc : larder_shared_agree (m, LARDER_OK, NULL, err);
}

static int read_new (larder_h5_dataset *s, hid_t type, larder_shared **shared, larder_error *err)
{
    larder_error why = {0};
    larder_shared *m = NULL;
    struct wish wish = {0, 0, 0};
    int rc =
        shared ? look (s, type, &wish, &why)
               : larder_error_set (&why, LARDER_EINVAL, 0, "a dataset for a node: shared is NULL");
    rc = agree_on (s->session, &wish, rc, &why, err);
    if (!rc)
        rc = larder_shared_alloc (s->session, wish.size, &m, err);
    if (!rc)
        rc = fill (s, type, m, err);
    if (rc)
        (void)larder_shared_free (&m, NULL); /* why it failed is the one to tell */
    else
        *shared = m;
    return rc;
}

static int read_again (larder_h5_dataset *s, hid_t type, larder_shared *m, larder_error *err)
{
    larder_error why = {0};
    struct wish wish = {0, 0, 0};
    int rc = m ? look (s, type, &wish, &why)
               : larder_error_set (&why, LARDER_EINVAL, 0, "a dataset for a node: shared is NULL");
    if (!rc && wish.size != larder_shared_size (m))
        rc = larder_error_set (&why, LARDER_EINVAL, 0,
                               "a dataset for a node: it takes %llu bytes, the memory has %llu",
                               (unsigned long long)wish.size,
                               (unsigned long long)larder_shared_size (m));
    rc = agree_on (s->session, &wish, rc, &why, err); /* nobody reads the old content any more */
    return rc ? rc : fill (s, type, m, err);
}

/* Wrong arguments say nothing about the data: it may be asked for again. */
static int is_mistake (int code)
{
    return code == LARDER_EINVAL || code == LARDER_EMISMATCH;
}

static int note (larder_h5_dataset *s, int code)
{
    if (code < 0 && !is_mistake (code) && !s->failed)
        s->failed = code;
    return code;
}

int larder_h5_dataset_node (larder_h5_dataset *dataset, hid_t mem_type, larder_shared **shared,
                            larder_error *err)
{
    if (!dataset)
        return larder_error_set (err, LARDER_EINVAL, 0, "larder_h5_dataset_node: invalid argument");
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    int rc = note (dataset, read_new (dataset, mem_type, shared, err));
    larder_h5error_loud (&quiet);
    return rc;
}

int larder_h5_dataset_read_shared (larder_h5_dataset *dataset, hid_t mem_type,
                                   larder_shared *shared, larder_error *err)
{
    if (!dataset)
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "larder_h5_dataset_read_shared: invalid argument");
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    int rc = note (dataset, read_again (dataset, mem_type, shared, err));
    larder_h5error_loud (&quiet);
    return rc;
}

int larder_h5_dataset_read_all (larder_h5_dataset *dataset, hid_t mem_type, void *buffer,
                                larder_error *err)
{
    if (!dataset)
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "larder_h5_dataset_read_all: invalid argument");
    return note (dataset, larder_h5all_read (dataset, mem_type, LARDER_H5ALL_OWN, buffer, err));
}

static int open_node (larder *session, const larder_ref *ref, hid_t type,
                      larder_h5_dataset **dataset, larder_shape *shape, larder_error *err)
{
    uint64_t size = 0;
    int rc = larder_h5_dataset_open (session, ref, dataset, err);
    if (!rc && H5Tget_size (type) == 0)
        rc = larder_h5error (err, LARDER_EINVAL, "a dataset for a node: mem_type");
    return rc ? rc : larder_h5native_shape (&(*dataset)->d, type, "for a node", shape, &size, err);
}

int larder_h5_dataset_node_open (larder *session, const larder_ref *ref, hid_t mem_type,
                                 larder_shared **shared, larder_shape *shape, larder_error *err)
{
    if (!session)
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "larder_h5_dataset_node_open: invalid argument");
    larder_h5_dataset *dataset = NULL;
    larder_shared *m = NULL;
    larder_shape found;
    larder_error why = {0};
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    int rc = shared ? open_node (session, ref, mem_type, &dataset, &found, &why)
                    : larder_error_set (&why, LARDER_EINVAL, 0,
                                        "larder_h5_dataset_node_open: shared is NULL");
    larder_h5error_loud (&quiet);
    rc = larder_agree (session, rc, &why, err);
    if (!rc)
        rc = larder_h5_dataset_node (dataset, mem_type, &m, err);
    else if (dataset)
        dataset->failed = rc;
    if (dataset && is_mistake (rc))
        dataset->open = 0;
    larder_h5_dataset_close (&dataset);
    if (rc)
        return rc;
    /* An owner that returned now would leave the others' confirmations unanswered. */
    rc = larder_agree (session, LARDER_OK, NULL, err);
    if (rc) {
        (void)larder_shared_free (&m, NULL);
        return rc;
    }
    *shared = m;
    if (shape)
        *shape = found;
    return LARDER_OK;
}
