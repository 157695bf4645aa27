/* SPDX-License-Identifier: Apache-2.0 */
/* The ways of an object that stands in a file.  Each begins with opening the file. */
#include "larder_bench.h"
#include "larder_bench_sum.h"
#include <larder/download.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---------------------------------------------------------------- the ways */

static int offer (struct larder_bench *b, larder_ref *ref, larder_error *err)
{
    larder_object object = {.ops = NULL};
    int rc = LARDER_OK;
    if (b->team->rank == 0)
        rc = b->from.kind->object (&b->from, &object, err);
    return larder_bench_offer (b, &object, rc, LARDER_EVERY_RANK, ref, err);
}

static int by_larder (struct larder_bench *b, larder_error *err)
{
    larder_ref ref;
    int rc = offer (b, &ref, err);
    if (rc != LARDER_OK)
        return rc;
    rc = b->from.kind->download (&b->from, b->team->session, &ref, b->target, err);
    b->data = b->target;
    return larder_bench_settle (b, &ref, rc, err);
}

static int by_node (struct larder_bench *b, larder_error *err)
{
    larder_ref ref;
    int rc = offer (b, &ref, err);
    if (rc != LARDER_OK)
        return rc;
    rc = b->from.kind->download_node (&b->from, b->team->session, &ref, &b->shared, err);
    if (rc == LARDER_OK)
        b->data = larder_shared_data (b->shared);
    return larder_bench_settle (b, &ref, rc, err);
}

static int read_all (struct larder_bench *b, larder_error *err)
{
    struct larder_bench_source from = b->from;
    int rc = from.kind->open (&from, err);
    if (rc != LARDER_OK)
        return rc;
    if (from.bytes != b->bytes)
        rc = larder_error_set (err, LARDER_ESTALE, 0,
                               "%s: has %llu bytes here, other than on rank 0", from.path,
                               (unsigned long long)from.bytes);
    else
        rc = from.kind->read (&from, 0, from.bytes, b->target, err);
    from.kind->close (&from);
    b->data = b->target;
    return rc;
}

/* A rank that cannot read takes part all the same: the others wait for it. */
static int by_bcast (struct larder_bench *b, larder_error *err)
{
    larder_error why = {0};
    int rc = b->team->rank == 0 ? read_all (b, err) : LARDER_OK;
    int sent = larder_bench_bcast (b, b->target, b->bytes, &why);
    b->data = b->target;
    if (rc == LARDER_OK && sent != LARDER_OK) {
        rc = sent;
        *err = why;
    }
    return rc;
}

static int by_steps (struct larder_bench *b, larder_error *err)
{
    struct larder_bench_source from = b->from;
    larder_error why = {0};
    int sent = LARDER_OK, opened = b->team->rank == 0;
    int rc = opened ? from.kind->open (&from, err) : LARDER_OK;
    opened = opened && rc == LARDER_OK;
    for (uint64_t at = 0; at < b->bytes && sent == LARDER_OK; at += b->from.step) {
        uint64_t n = b->bytes - at < b->from.step ? b->bytes - at : b->from.step;
        if (opened && rc == LARDER_OK)
            rc = from.kind->read (&from, at, n, b->target + at, err);
        sent = larder_bench_bcast (b, b->target + at, n, &why);
    }
    if (opened)
        from.kind->close (&from);
    b->data = b->target;
    if (rc == LARDER_OK && sent != LARDER_OK) {
        rc = sent;
        *err = why;
    }
    return rc;
}

static int by_one (struct larder_bench *b, larder_error *err)
{
    return b->team->rank == 0 ? read_all (b, err) : LARDER_OK;
}

enum { LARDER, NODE, BCAST, STEPS, EVERY_RANK, ONE, WAYS };

static const struct larder_bench_way ways[WAYS] = {
    [LARDER] = {"h5_larder", "larder, copied", "a private copy", 0, 0, by_larder},
    [NODE] = {"h5_larder_node", "larder, one per node", "one copy per node, new memory", 0, 0,
              by_node},
    [BCAST] = {"h5_rank0_bcast", "rank 0, MPI_Bcast", "a private copy", 0, 0, by_bcast},
    [STEPS] = {"h5_pipelined_bcast", "by 4 MiB, MPI_Bcast", "a private copy", 0, 0, by_steps},
    [EVERY_RANK] = {"h5_every_rank", "every rank reads", "a private copy", 0, 0, read_all},
    [ONE] = {"h5_rank0_only", "rank 0 alone reads", "rank 0 has it, nobody else", 0, 0, by_one},
};

/* ---------------------------------------------------------------- the object */

/* Every way has to put the values into memory that has others. */
static int renew (struct larder_bench *b, int way, larder_error *err)
{
    (void)way;
    for (uint64_t at = 0; at < b->bytes; at += 4096)
        b->target[at] = (unsigned char)~b->target[at];
    return larder_shared_free (&b->shared, err);
}

static int sum_after (struct larder_bench *b, int before, uint64_t *sum, larder_error *err)
{
    memset (b->target, before, b->bytes);
    int rc = read_all (b, err);
    *sum = larder_bench_sum_of (b->target, b->bytes);
    return rc;
}

/* Rank 0: what the words add up to.  Bytes that reading leaves as they were have no sum. */
static int learn_sum (struct larder_bench *b, larder_error *err)
{
    uint64_t again = 0;
    int rc = sum_after (b, 0xa5, &b->expected, err);
    if (rc == LARDER_OK)
        rc = sum_after (b, 0, &again, err);
    if (rc == LARDER_OK && again != b->expected)
        rc = larder_error_set (err, LARDER_ENOTSUP, 0,
                               "%s%s%s: reading leaves bytes undefined (never written, without a "
                               "fill value), so no two ways can be compared",
                               b->from.path, b->from.dataset ? ": " : "",
                               b->from.dataset ? b->from.dataset : "");
    return rc;
}

/* Rank 0: look at SRC with larder's eyes, which say best what is wrong, then as a reader. */
static int look (struct larder_bench *b, larder_error *err)
{
    struct stat source, json;
    const char *report = b->args->json_file;
    if (report && stat (b->from.path, &source) == 0 && stat (report, &json) == 0 &&
        json.st_dev == source.st_dev && json.st_ino == source.st_ino)
        return larder_error_set (err, LARDER_EEXIST, 0, "%s: --json would write over the source",
                                 report);
    larder_object object = {.ops = NULL};
    int rc = b->from.kind->object (&b->from, &object, err);
    if (rc != LARDER_OK)
        return rc;
    if (object.ops->release)
        object.ops->release (object.self);
    rc = b->from.kind->open (&b->from, err);
    if (rc != LARDER_OK)
        return rc;
    b->from.kind->close (&b->from);
    if (b->from.bytes == 0)
        return larder_error_set (err, LARDER_EINVAL, 0, "%s%s%s: is empty", b->from.path,
                                 b->from.dataset ? ": " : "",
                                 b->from.dataset ? b->from.dataset : "");
    return LARDER_OK;
}

/* All learn what rank 0 has found, and whether each of them could read it too. */
static int agree_on_source (struct larder_bench *b, larder_error *err)
{
    larder_error why = {0};
    uint64_t sizes[2] = {b->from.bytes, b->from.step};
    int rc = larder_team_agree (b->team, b->team->rank == 0 ? look (b, err) : LARDER_OK, err);
    if (rc != LARDER_OK)
        return rc;
    sizes[0] = b->from.bytes;
    sizes[1] = b->from.step;
    int readable = access (b->from.path, R_OK) == 0;
    int mpi = MPI_Bcast (sizes, 2, MPI_UINT64_T, 0, b->team->comm);
    if (mpi == MPI_SUCCESS)
        mpi = MPI_Allreduce (&readable, &b->from.everywhere, 1, MPI_INT, MPI_MIN, b->team->comm);
    if (mpi != MPI_SUCCESS)
        rc = larder_team_mpi_error (&why, "MPI_Bcast", mpi);
    b->from.bytes = sizes[0];
    b->from.step = sizes[1];
    b->bytes = sizes[0];
    if (rc != LARDER_OK)
        *err = why;
    return rc;
}

static int make (struct larder_bench *b, larder_error *err)
{
    b->target = malloc (b->bytes);
    if (!b->target)
        return larder_error_set (err, LARDER_ENOMEM, 0, "%s: no memory for %llu bytes",
                                 b->from.path, (unsigned long long)b->bytes);
    memset (b->target, 0xa5, b->bytes);
    return b->team->rank == 0 ? learn_sum (b, err) : LARDER_OK;
}

int larder_bench_source (struct larder_bench *b, struct larder_bench_result *result,
                         larder_error *err)
{
    struct larder_bench_set set = {
        .ways = ways, .count = WAYS, .base = "h5_rank0_bcast", .renew = renew};
    larder_error why = {0};
    int rc = agree_on_source (b, err);
    if (rc == LARDER_OK)
        rc = larder_bench_fit (b, b->bytes, 1, err);
    if (rc == LARDER_OK)
        rc = larder_team_agree (b->team, make (b, err), err);
    if (rc == LARDER_OK) {
        int mpi = MPI_Bcast (&b->expected, 1, MPI_UINT64_T, 0, b->team->comm);
        if (mpi != MPI_SUCCESS)
            rc = larder_team_mpi_error (err, "MPI_Bcast", mpi);
    }
    if (!b->from.everywhere)
        set.skip = 1U << EVERY_RANK;
    if (rc == LARDER_OK)
        rc = larder_bench_measure (b, &set, result, err);
    if (larder_shared_free (&b->shared, &why) != LARDER_OK && rc == LARDER_OK) {
        rc = why.code;
        *err = why;
    }
    free (b->target);
    b->target = NULL;
    return rc;
}
