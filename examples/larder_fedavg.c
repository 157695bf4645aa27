/* SPDX-License-Identifier: Apache-2.0 */
/* larder_fedavg: federated averaging.  Rank 0 has a model in an HDF5 file, aggregators pass it on, workers train
 * it on data that only they have, and rank 0 averages what comes back.
 *
 *     rank 0  --model-->  aggregators  --the same refs-->  workers
 *     rank 0  <--merged--  aggregators  <--results--  workers
 *
 *   1. Rank 0 encodes a message that names two datasets: a few hundred bytes.
 *   2. An aggregator decodes it in pass-through mode, so values stay lazy refs, and encodes it again for its
 *      workers (`split`: its place among the receivers becomes one place for each of them).
 *   3. A worker decodes it: now the data comes, straight from rank 0.  It trains, and encodes its result.
 *   4. An aggregator merges the results of its workers into one message, lazy refs and all.
 *   5. Rank 0 resolves that: the data comes straight from all workers.
 *
 * Weights never pass an aggregator; the program checks that.  The messages travel by plain MPI.  Who waits makes
 * progress meanwhile, since others may be pulling from it.  A rank on which something fails sends an
 * empty message, so that nobody waits for it, and comes to the next larder_agree, after which all stop.
 * MPI's own functions end the job when they fail, as is their default. */
#include "larder_fedavg_model.h"
#include "larder_fedavg_options.h"
#include <larder/hdf5.h>
#include <larder/larder.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fed {
    larder *session;
    larder_registry *registry; /* arrays, and datasets */
    int rank, size;
    int rc;                             /* the first failure of this rank, or LARDER_OK ... */
    larder_error why, now;              /* ... its text; and where the next call puts its own */
    int parent, *children, child_count; /* messages come from there, and go there */
    int workers;                        /* of all ranks */
    uint64_t transaction;               /* that this rank began in this round; 0: none */
    uint64_t sent; /* bytes of the messages that this rank sent in this round */
    fedavg_options o;
    model m;
} fed;

enum { TAG_DOWN = 1, TAG_UP = 2, TEST_SAMPLES = 1000 };

static void stop (const larder_error *why)
{
    fprintf (stderr, "larder_fedavg: %s\n", why->text);
    MPI_Abort (MPI_COMM_WORLD, 1);
}

/* Every result of larder comes here; the first failure is kept.  1 while nothing has failed. */
static int ok (fed *f, int rc)
{
    if (f->rc == LARDER_OK && rc != LARDER_OK) {
        f->rc = rc;
        f->why = f->now;
    }
    return f->rc == LARDER_OK;
}

/* All ranks hear whether one has failed, and why; owners serve while they wait here. */
static int together (fed *f)
{
    f->rc = larder_agree (f->session, f->rc, &f->why, &f->now);
    if (f->rc != LARDER_OK)
        f->why = f->now;
    /* Some rank never came: then there is no meeting any more, not even to stop together. */
    if (f->rc == LARDER_ETIMEDOUT && larder_progress (f->session, 0, 0, NULL) == LARDER_EBROKEN)
        stop (&f->why);
    return f->rc == LARDER_OK;
}

/* ---------------------------------------------------------------- messages on their way */

/* Send a message to some ranks, and free it; an empty one says that something has failed. */
static void send_message (fed *f, const int *ranks, int count, int tag, larder_encoded *e)
{
    for (int i = 0, sent; i < count; ++i) {
        MPI_Request request;
        MPI_Isend (e->bytes, (int)e->size, MPI_BYTE, ranks[i], tag, MPI_COMM_WORLD, &request);
        while (MPI_Test (&request, &sent, MPI_STATUS_IGNORE), !sent)
            larder_progress (f->session, 1, 0.001, NULL);
        f->sent += e->size;
    }
    larder_encoded_free (e);
}

/* Receive a message and decode it, making progress while it does not come.  NULL: none to be had. */
static larder_message *receive_message (fed *f, int rank, int tag,
                                        const larder_resolve_options *options)
{
    larder_message *m = NULL;
    MPI_Status status;
    int here = 0, size = 0;
    while (MPI_Iprobe (rank, tag, MPI_COMM_WORLD, &here, &status), !here)
        if (larder_progress (f->session, 1, 0.001, &f->now) < 0)
            stop (&f->now); /* there is no session any more */
    MPI_Get_count (&status, MPI_BYTE, &size);
    void *bytes = need ((size_t)size + 1, 1);
    MPI_Recv (bytes, size, MPI_BYTE, rank, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (size > 0)
        ok (f, larder_decode (f->session, bytes, (size_t)size, options, &m, &f->now));
    free (bytes);
    return m;
}

/* The results of all children in one message; in a rank in the middle their data is not here, nor will it
 * be.  NULL when one of them has none. */
static larder_message *collect (fed *f)
{
    const larder_resolve_options lazily = {.pass_through = 1};
    larder_message *all = NULL;
    int missing = !ok (f, larder_message_new (&all, &f->now));
    for (int i = 0; i < f->child_count; ++i) {
        larder_message *m = receive_message (f, f->children[i], TAG_UP, &lazily);
        if (!m || !all || !ok (f, larder_message_copy (all, "", m, "", &f->now)))
            missing = 1;
        larder_message_free (&m);
    }
    if (missing)
        larder_message_free (&all);
    return all;
}

/* Meet the others, serving them meanwhile.  Owners then look at their receipt, and all hear it. */
static int settle (fed *f)
{
    larder_receipt *r = NULL;
    if (!together (f))
        return 0;
    if (f->transaction)
        ok (f, larder_transaction_wait (f->session, f->transaction, -1, &r, &f->now));
    if (r && r->verdict != LARDER_VERDICT_COMPLETED)
        ok (f, larder_error_set (&f->now, LARDER_EREMOTE, 0, "%s", larder_reason_text (r->reason)));
    larder_receipt_free (&r);
    f->transaction = 0;
    return together (f);
}

/* ---------------------------------------------------------------- a round, as each kind of rank sees it */

/* A mean of the workers' models, in which a sample counts the same wherever it was. */
static void average (fed *f, const larder_message *all)
{
    model sum;
    double samples = 0;
    uint64_t count = 0;
    model_new (&sum, f->m.classes, f->m.features);
    ok (f, larder_message_count (all, "", &count, &f->now));
    if (count != (uint64_t)f->workers)
        ok (f, larder_error_set (&f->now, LARDER_EREMOTE, 0, "results of %d of %d workers",
                                 (int)count, f->workers));
    for (uint64_t i = 0; i < count && f->rc == LARDER_OK; ++i) {
        char name[LARDER_NAME_MAX + 1];
        const void *weights = NULL, *bias = NULL;
        int64_t n = 0;
        larder_shape ws, bs;
        larder_message *one = NULL; /* shares the data, and makes paths short */
        if (ok (f, larder_message_name (all, "", i, name, &f->now)) &&
            ok (f, larder_message_new (&one, &f->now)) &&
            ok (f, larder_message_copy (one, "", all, name, &f->now)) &&
            ok (f, larder_message_get_int (one, "samples", &n, &f->now)) &&
            ok (f, larder_message_get_array (one, "weights", LARDER_FLOAT64, &ws, &weights,
                                             &f->now)) &&
            ok (f, larder_message_get_array (one, "bias", LARDER_FLOAT64, &bs, &bias, &f->now))) {
            model_add (&sum, weights, bias, (double)n);
            samples += (double)n;
        }
        larder_message_free (&one);
    }
    if (f->rc == LARDER_OK) {
        model_free (&f->m);
        model_new (&f->m, sum.classes, sum.features);
        model_add (&f->m, sum.weights, sum.bias, 1 / samples);
    }
    model_free (&sum);
}

/* Rank 0: the model goes out as two names of datasets in a file; what comes back is averaged. */
static void own (fed *f, int round)
{
    const larder_encode_options options = {.registry = f->registry, .transaction.name = "model"};
    larder_message *m = NULL;
    larder_encoded e = {0};
    if (ok (f, larder_message_new (&m, &f->now)) &&
        ok (f, larder_message_set_int (m, "round", round, &f->now)) &&
        ok (f, larder_message_set_h5_dataset (m, "weights", f->o.in, "/weights", &f->now)) &&
        ok (f, larder_message_set_h5_dataset (m, "bias", f->o.in, "/bias", &f->now)) &&
        ok (f, larder_encode (f->session, m, (larder_receivers){f->children, f->child_count},
                              &options, &e, &f->now)))
        f->transaction = e.transaction;
    send_message (f, f->children, f->child_count, TAG_DOWN, &e);
    larder_message_free (&m);

    m = collect (f);
    if (m && ok (f, larder_resolve (f->session, m, "", NULL, &f->now)))
        average (f, m);
    larder_message_free (&m);
}

/* An aggregator: one message down, one up.  It owns nothing, and needs to know no types. */
static void pass_on (fed *f)
{
    const larder_resolve_options lazily = {.pass_through = 1};
    const larder_encode_options split = {.split = 1};
    const larder_receivers next = {f->children, f->child_count};
    larder_encoded e = {0};
    larder_message *m = receive_message (f, f->parent, TAG_DOWN, &lazily);
    if (m)
        ok (f, larder_encode (f->session, m, next, &split, &e, &f->now));
    send_message (f, f->children, f->child_count, TAG_DOWN, &e);
    larder_message_free (&m);

    m = collect (f);
    if (m)
        ok (f, larder_encode (f->session, m, LARDER_ALL, NULL, &e, &f->now));
    send_message (f, &f->parent, 1, TAG_UP, &e);
    larder_message_free (&m);
}

/* A worker's own copy of an array, in doubles; files often have floats. */
static double *copy_of (fed *f, const larder_message *m, const char *path, uint64_t *size)
{
    larder_value v;
    if (!ok (f, larder_message_get (m, path, &v, &f->now)))
        return NULL;
    if (v.kind != LARDER_KIND_ARRAY ||
        (v.shape.type != LARDER_FLOAT64 && v.shape.type != LARDER_FLOAT32)) {
        ok (f, larder_error_set (&f->now, LARDER_EKIND, 0, "%s is no array of floats", path));
        return NULL;
    }
    *size = v.size / larder_type_size (v.shape.type);
    double *copy = need (*size, sizeof *copy);
    for (uint64_t i = 0; i < *size; ++i)
        copy[i] = v.shape.type == LARDER_FLOAT64 ? ((const double *)v.data)[i]
                                                 : (double)((const float *)v.data)[i];
    return copy;
}

/* A worker takes the model and trains it.  0: there is no model, here or elsewhere something failed. */
static int train (fed *f, int samples)
{
    const larder_resolve_options options = {.registry = f->registry};
    uint64_t size = 0;
    larder_message *m = receive_message (f, f->parent, TAG_DOWN, &options);
    model_free (&f->m); /* rank 0 has the last round's result: its receipt said so */
    const int have = m && (f->m.bias = copy_of (f, m, "bias", &f->m.classes)) != NULL &&
                     (f->m.weights = copy_of (f, m, "weights", &size)) != NULL;
    if (have) {
        f->m.features = size / f->m.classes;
        /* Who computes does not call larder.  Announced, that counts against no timeout. */
        ok (f, larder_pause (f->session, 24 * 3600., &f->now)); /* at the longest */
        model_pass (&f->m, (uint64_t)f->rank, samples, 1. / (double)f->m.features);
        ok (f, larder_pause (f->session, 0, &f->now)); /* back */
    }
    larder_message_free (&m);
    return have;
}

/* A worker: train the model, and offer the result to rank 0. */
static void work (fed *f)
{
    const int rank_0 = 0, samples = f->o.samples * (1 + f->rank % 3); /* some have more */
    const larder_encode_options result = {.transaction.name = "result"};
    larder_encoded e = {0};
    if (train (f, samples)) {
        /* Everything stands below this rank's number, so that results merge.  The arrays are borrowed, and stay as
         * they are until rank 0 has them; the bias is small and travels inside. */
        const larder_shape ws = larder_shape_make (LARDER_FLOAT64, f->m.classes, f->m.features, 0),
                           bs = larder_shape_make (LARDER_FLOAT64, f->m.classes, 0, 0);
        larder_message *mine = NULL, *m = NULL;
        char name[16];
        snprintf (name, sizeof name, "%d", f->rank);
        if (ok (f, larder_message_new (&mine, &f->now)) &&
            ok (f, larder_message_new (&m, &f->now)) &&
            ok (f, larder_message_set_int (mine, "samples", samples, &f->now)) &&
            ok (f, larder_message_set_array (mine, "weights", &ws, f->m.weights, &f->now)) &&
            ok (f, larder_message_set_array (mine, "bias", &bs, f->m.bias, &f->now)) &&
            ok (f, larder_message_copy (m, name, mine, "", &f->now)) &&
            ok (f, larder_encode (f->session, m, (larder_receivers){&rank_0, 1}, &result, &e,
                                  &f->now)))
            f->transaction = e.transaction;
        larder_message_free (&mine);
        larder_message_free (&m);
    }
    send_message (f, &f->parent, 1, TAG_UP, &e);
}

/* ---------------------------------------------------------------- the program */

/* Of the rank where most of it went by: bytes of values that an aggregator fetched, saw or made. */
static uint64_t passed_aggregators (fed *f)
{
    larder_stats stats = {0};
    if (f->rank > 0 && f->rank <= f->o.aggregators)
        ok (f, larder_session_get_stats (f->session, &stats));
    uint64_t most = 0, mine = stats.bytes_fetched + stats.bytes_consumed + stats.bytes_produced;
    MPI_Reduce (&mine, &most, 1, MPI_UINT64_T, MPI_MAX, 0, MPI_COMM_WORLD);
    return most;
}

/* All rounds; all ranks stop when one has failed. */
static void learn (fed *f)
{
    double first = 0, loss = 0;
    if (!together (f))
        return;
    if (f->rank == 0) {
        first = model_pass (&f->m, 0, TEST_SAMPLES, 0);
        printf ("%5s %10s %8s %14s %14s %14s %9s\n%5d %10.6f\n", "round", "loss", "workers",
                "from rank 0", "its messages", "by aggregators", "seconds", 0, first);
    }
    for (int round = 1; round <= f->o.rounds; ++round) {
        const double start = MPI_Wtime ();
        larder_stats before = {0}, after = {0};
        ok (f, larder_session_get_stats (f->session, &before));
        f->sent = 0;
        if (f->rank == 0)
            own (f, round);
        else if (f->rank <= f->o.aggregators)
            pass_on (f);
        else
            work (f);
        if (!settle (f))
            return;
        const uint64_t passed = passed_aggregators (f);
        if (f->rank > 0)
            continue;
        ok (f, larder_session_get_stats (f->session, &after));
        if (!model_save (&f->m, f->o.in, f->o.out))
            ok (f, larder_error_set (&f->now, LARDER_EHDF5, 0, "cannot write %s", f->o.out));
        f->o.in = f->o.out; /* the next round's model */
        loss = model_pass (&f->m, 0, TEST_SAMPLES, 0);
        printf ("%5d %10.6f %8d %14llu %14llu %14llu %9.3f\n", round, loss, f->workers,
                (unsigned long long)(after.bytes_produced - before.bytes_produced),
                (unsigned long long)f->sent, (unsigned long long)passed, MPI_Wtime () - start);
        if (passed > 0)
            ok (f, larder_error_set (&f->now, LARDER_EIO, 0, "an aggregator touched the data"));
    }
    if (f->rank == 0 && !(loss < first) && f->o.check)
        ok (f, larder_error_set (&f->now, LARDER_EIO, 0, "the loss has not fallen"));
    together (f);
}

/* Who sends to whom, and who is there. */
static void place (fed *f)
{
    f->workers = f->size - 1 - f->o.aggregators;
    f->parent = options_parent (&f->o, f->rank);
    f->children = need ((size_t)f->size, sizeof *f->children);
    for (int r = 1; r < f->size; ++r)
        if (options_parent (&f->o, r) == f->rank)
            f->children[f->child_count++] = r;
}

int main (int argc, char **argv)
{
    fed f = {0};
    H5Eset_auto (H5E_DEFAULT, NULL, NULL); /* no stack of errors beside our one line */
    MPI_Init (&argc, &argv);
    MPI_Comm_rank (MPI_COMM_WORLD, &f.rank);
    MPI_Comm_size (MPI_COMM_WORLD, &f.size);
    const int help = argc == 2 && !strcmp (argv[1], "--help");
    if (help || !options_parse (&f.o, f.size, argc, argv)) {
        if (f.size < 2 && !help)
            fputs ("larder_fedavg: one rank has nobody to learn from: start two or more\n", stderr);
        else if (f.rank == 0)
            fputs (options_usage, help ? stdout : stderr);
        return MPI_Finalize () != MPI_SUCCESS ? 1 : help ? 0 : 2;
    }
    place (&f);
    /* If that fails, the first larder_agree tells the others. */
    if (f.rank == 0 && !model_open (&f.m, &f.o.in, f.o.out, f.o.classes, f.o.features))
        ok (&f, larder_error_set (&f.now, LARDER_EHDF5, 0, "%s: %s", f.o.in,
                                  f.o.in == f.o.out ? "cannot be written" : "has no model"));

    /* All may own: rank 0 the model, workers their results.  Owners cost control words on every node; one object
     * at a time from each keeps that small. */
    int *owners = need ((size_t)f.size, sizeof *owners);
    for (int i = 0; i < f.size; ++i)
        owners[i] = i;
    const larder_config config = {.owners = owners, .owner_count = f.size, .max_lines = 1};
    int rc = larder_open (MPI_COMM_WORLD, &config, MPI_INFO_NULL, &f.session, &f.now);
    free (owners);
    ok (&f, rc);
    if (rc == LARDER_OK) { /* for all ranks or none */
        if (ok (&f, larder_registry_new (&f.registry, &f.now)))
            ok (&f, larder_h5_registry_add (f.registry, &f.now));
        learn (&f);
    }
    ok (&f, larder_close (&f.session, &f.now));
    larder_registry_free (&f.registry); /* after the session: what it offered is settled now */
    if (f.rank == 0 && f.rc != LARDER_OK)
        fprintf (stderr, "larder_fedavg: %s\n", f.why.text);
    model_free (&f.m);
    free (f.children);
    return MPI_Finalize () != MPI_SUCCESS || f.rc != LARDER_OK;
}
