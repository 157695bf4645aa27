/* SPDX-License-Identifier: Apache-2.0 */
/* larder_solver: the heat equation on all ranks, from and to HDF5 files that only rank 0 opens.
 *
 *   1. Rank 0 offers a dataset in a transaction and broadcasts its ref: 64 bytes.
 *   2. Every rank takes the rows that it computes, and one more on either side.
 *   3. All compute, exchanging edge rows by plain MPI.
 *   4. Every rank offers its rows to rank 0, which downloads them and writes the result.
 *
 * Whoever offers gets a receipt, and all go on only if it says that everyone has everything.  A rank
 * on which something fails still comes to the next larder_agree, after which all stop together.
 * MPI's own functions end the job when they fail, as is their default. */
#define _GNU_SOURCE /* mkstemp */
#include <larder/hdf5.h>
#include <larder/larder.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct solver {
    larder *session;
    int rank, size;
    int rc;                 /* the first failure of this rank, or LARDER_OK ... */
    larder_error why, now;  /* ... its text; and where the next call puts its own */
    larder_verdict verdict; /* of this rank's latest transaction, kept by its outcome callback */
    hsize_t rows, cols;     /* the whole problem */
    hsize_t top, mine;      /* this rank's rows: top, top + 1, ..., top + mine - 1 */
    double *old, *next;     /* temperatures: mine rows between two halo rows */
    int steps, make, check;
    const char *in, *out;
} solver;

/* Every result of larder comes here; the first failure is kept.  1 while nothing has failed. */
static int ok (solver *s, int rc)
{
    if (s->rc == LARDER_OK && rc != LARDER_OK) {
        s->rc = rc;
        s->why = s->now;
    }
    return s->rc == LARDER_OK;
}

/* All ranks hear whether one has failed, and why; owners serve while they wait here. */
static int together (solver *s)
{
    s->rc = larder_agree (s->session, s->rc, &s->why, &s->now);
    if (s->rc != LARDER_OK)
        s->why = s->now;
    /* Some rank never came: then there is no meeting any more, not even to stop together. */
    if (s->rc == LARDER_ETIMEDOUT && larder_progress (s->session, 0, 0, NULL) == LARDER_EBROKEN) {
        fprintf (stderr, "larder_solver: %s\n", s->why.text);
        MPI_Abort (MPI_COMM_WORLD, 1);
    }
    return s->rc == LARDER_OK;
}

static void *need (size_t count, size_t size)
{
    void *memory = calloc (count, size);
    if (!memory) {
        fprintf (stderr, "larder_solver: no memory for %zu times %zu bytes\n", count, size);
        MPI_Abort (MPI_COMM_WORLD, 1);
    }
    return memory;
}

/* ---------------------------------------------------------------- the solver, without larder */

/* First row of a rank; with more ranks than rows the last ranks have none. */
static hsize_t top_of (const solver *s, int rank)
{
    const hsize_t each = (s->rows - 1) / (hsize_t)s->size + 1, top = each * (hsize_t)rank;
    return top < s->rows ? top : s->rows;
}

static void allocate (solver *s)
{
    s->top = top_of (s, s->rank);
    s->mine = top_of (s, s->rank + 1) - s->top;
    s->old = need (s->mine + 2, s->cols * sizeof (double));
    s->next = need (s->mine + 2, s->cols * sizeof (double));
}

static void compute (solver *s)
{
    const int n = (int)s->cols;
    const int up = s->mine && s->top > 0 ? s->rank - 1 : MPI_PROC_NULL;
    const int down = s->mine && s->top + s->mine < s->rows ? s->rank + 1 : MPI_PROC_NULL;
    for (int step = 0; step < s->steps; ++step) {
        double *t = s->old, *last = t + s->mine * s->cols;
        MPI_Sendrecv (t + n, n, MPI_DOUBLE, up, 0, last + n, n, MPI_DOUBLE, down, 0, MPI_COMM_WORLD,
                      MPI_STATUS_IGNORE);
        MPI_Sendrecv (last, n, MPI_DOUBLE, down, 1, t, n, MPI_DOUBLE, up, 1, MPI_COMM_WORLD,
                      MPI_STATUS_IGNORE);
        for (hsize_t i = 1; i <= s->mine; ++i)
            for (hsize_t j = 0; j < s->cols; ++j) {
                const hsize_t row = s->top + i - 1, k = i * s->cols + j;
                const int edge = row == 0 || row == s->rows - 1 || j == 0 || j == s->cols - 1;
                s->next[k] = edge ? t[k] : 0.25 * (t[k - n] + t[k + n] + t[k - 1] + t[k + 1]);
            }
        s->old = s->next;
        s->next = t;
    }
}

/* ---------------------------------------------------------------- HDF5 files, on rank 0 */

/* What fails once makes the rest fail. */
static int save (solver *s, const char *path, const double *values)
{
    hsize_t dims[2] = {s->rows, s->cols}, chunk[2] = {s->rows < 16 ? s->rows : 16, s->cols};
    hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple (2, dims, NULL), how = H5Pcreate (H5P_DATASET_CREATE);
    herr_t bad = H5Pset_chunk (how, 2, chunk) | H5Pset_deflate (how, 1);
    hid_t set =
        H5Dcreate (file, "/temperature", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, how, H5P_DEFAULT);
    bad |= H5Dwrite (set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    bad |= H5Dclose (set);
    bad |= H5Pclose (how);
    bad |= H5Sclose (space);
    bad |= H5Fclose (file);
    return bad ? larder_error_set (&s->now, LARDER_EHDF5, 0, "cannot write %s", path) : LARDER_OK;
}

/* Initial conditions for who has none: a hot upper edge, and noise. */
static int make (solver *s)
{
    double *values = need (s->rows, s->cols * sizeof *values);
    for (hsize_t k = 0; k < s->rows * s->cols; ++k)
        values[k] = k < s->cols ? 100 : (double)(k * 31 % 1009) / 100;
    int rc = save (s, s->in, values);
    free (values);
    return rc;
}

/* The problem once more, on this rank alone and without larder: the result has to be the same. */
static int check (solver *s, const double *result)
{
    solver one = {.size = 1, .rows = s->rows, .cols = s->cols, .steps = s->steps};
    allocate (&one);
    double *values = one.old + one.cols;
    hid_t file = H5Fopen (s->in, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t set = H5Dopen (file, "/temperature", H5P_DEFAULT);
    int bad = H5Dread (set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0;
    bad |= H5Dclose (set) < 0 || H5Fclose (file) < 0;
    compute (&one);
    bad |= memcmp (result, one.old + one.cols, s->rows * s->cols * sizeof *result) != 0;
    free (one.old);
    free (one.next);
    return bad ? larder_error_set (&s->now, LARDER_EIO, 0, "one rank computes another result")
               : LARDER_OK;
}

/* ---------------------------------------------------------------- handing over, by larder */

static int keep_verdict (void *self, const larder_receipt *receipt)
{
    ((solver *)self)->verdict = receipt->verdict;
    return LARDER_OK;
}

/* Offer an object to some ranks.  Until it is added it is ours to release, afterwards larder's. */
static void offer (solver *s, const larder_object *object, larder_receivers receivers,
                   larder_ref *ref, uint64_t *transaction)
{
    const larder_transaction_options options = {.receivers = receivers,
                                                .timeout_s = 600, /* without a sign of anybody */
                                                .self = s,
                                                .outcome = keep_verdict};
    if (!ok (s, larder_transaction_begin (s->session, &options, transaction, &s->now)) ||
        !ok (s, larder_transaction_add (s->session, *transaction, object, ref, &s->now)))
        object->ops->release (object->self);
    else
        ok (s, larder_transaction_live (s->session, *transaction, &s->now));
}

/* This rank's rows of the dataset, and those beside them: only chunks that hold them come here. */
static void take_rows (solver *s, const larder_ref *ref)
{
    larder_h5_dataset *dataset = NULL;
    hsize_t dims[H5S_MAX_RANK];
    if (ok (s, larder_h5_dataset_open (s->session, ref, &dataset, &s->now))) {
        hid_t space = H5Scopy (larder_h5_dataset_space (dataset));
        if (H5Sget_simple_extent_dims (space, dims, NULL) != 2 || !dims[0] || !dims[1] ||
            dims[1] > INT_MAX) {
            ok (s, larder_error_set (&s->now, LARDER_EINVAL, 0, "/temperature is no matrix"));
        } else {
            s->rows = dims[0];
            s->cols = dims[1];
            allocate (s);
        }
        if (s->mine > 0) {
            const int above = s->top > 0, below = s->top + s->mine < s->rows;
            const hsize_t first[2] = {s->top - above, 0},
                          count[2] = {above + s->mine + below, s->cols};
            hid_t memory = H5Screate_simple (2, count, NULL);
            H5Sselect_hyperslab (space, H5S_SELECT_SET, first, NULL, count, NULL);
            ok (s, larder_h5_dataset_read (dataset, H5T_NATIVE_DOUBLE, memory, space,
                                           s->old + (1 - above) * s->cols, &s->now));
            H5Sclose (memory);
        }
        H5Sclose (space);
    }
    if (s->rc != LARDER_OK) /* so that the owner hears it now, not by a timeout */
        larder_confirm (s->session, ref, s->rc, NULL);
    larder_h5_dataset_close (&dataset); /* tells the owner that this rank has what it wants */
}

/* Rank 0 gets all rows, into their places: one download per rank, a few of them at a time. */
static void download_all (solver *s, const larder_ref *refs, double *whole)
{
    enum { AT_ONCE = 8 };
    larder_request *request[AT_ONCE] = {0};
    larder_memory_sink sink[AT_ONCE];
    for (int rank = 0; rank < s->size + AT_ONCE; ++rank) {
        const int k = rank % AT_ONCE;
        if (request[k])
            ok (s, larder_download_wait (&request[k], -1, &s->now));
        if (rank >= s->size || s->rc != LARDER_OK)
            continue;
        const hsize_t top = top_of (s, rank), rows = top_of (s, rank + 1) - top;
        sink[k] = (larder_memory_sink){.buffer = whole + top * s->cols,
                                       .capacity = rows * s->cols * sizeof *whole};
        const larder_consumer consumer = larder_consumer_memory (&sink[k]);
        ok (s, larder_download_start (s->session, &refs[rank], &consumer, &request[k], &s->now));
    }
}

/* Meet the others, serving them meanwhile.  Owners then look at their receipt, and all hear it. */
static int settle (solver *s, int owner, uint64_t transaction)
{
    larder_receipt *receipt = NULL;
    if (!together (s))
        return 0;
    if (owner)
        ok (s, larder_transaction_wait (s->session, transaction, -1, &receipt, &s->now));
    for (int i = 0; receipt && receipt->objects > 0 && i < receipt->receivers; ++i) {
        const larder_receipt_line *line = &receipt->object[0].lines[i];
        if (line->verdict != LARDER_RECEIVER_SUCCEEDED)
            ok (s, larder_error_set (&s->now, LARDER_EREMOTE, 0, "rank %d has not got it: %s",
                                     line->rank, larder_receiver_verdict_text (line->verdict)));
    }
    if (receipt && s->verdict != LARDER_VERDICT_COMPLETED)
        ok (s, larder_error_set (&s->now, LARDER_EREMOTE, 0, "%s",
                                 larder_reason_text (receipt->reason)));
    larder_receipt_free (&receipt);
    return together (s);
}

/* From the file to the whole result, which is rank 0's; all ranks stop when one has failed. */
static void solve (solver *s, double **whole)
{
    const int rank_0 = 0;
    larder_ref initial = {{0}}, mine = {{0}};
    larder_object object;
    uint64_t transaction = 0;

    /* Rank 0 computes like the others, so it is a receiver too: in a job of one, the only one. */
    if (s->rank == 0 && s->rc == LARDER_OK &&
        ok (s, larder_h5_dataset_object (s->in, "/temperature", 1 << 20, &object, &s->now)))
        offer (s, &object, LARDER_EVERY_RANK, &initial, &transaction);
    if (!together (s))
        return;
    MPI_Bcast (&initial, sizeof initial, MPI_BYTE, 0, MPI_COMM_WORLD);
    take_rows (s, &initial);
    if (!settle (s, s->rank == 0, transaction))
        return;

    /* Who computes does not call larder.  Announced, that counts against no timeout: some rank will
     * offer its rows first, while rank 0, which is to get them, still computes. */
    ok (s, larder_pause (s->session, 24 * 3600., &s->now)); /* at the longest */
    compute (s);
    ok (s, larder_pause (s->session, 0, &s->now)); /* back */

    const uint64_t row = s->cols * sizeof (double);
    if (ok (s,
            larder_object_memory (s->old + s->cols, s->mine * row, row, "rows", &object, &s->now)))
        offer (s, &object, (larder_receivers){&rank_0, 1}, &mine, &transaction);
    if (!together (s))
        return;
    larder_ref *refs = need ((size_t)s->size, sizeof *refs);
    MPI_Gather (&mine, sizeof mine, MPI_BYTE, refs, sizeof mine, MPI_BYTE, 0, MPI_COMM_WORLD);
    if (s->rank == 0) {
        *whole = need (s->rows, row);
        download_all (s, refs, *whole);
    }
    free (refs);
    settle (s, 1, transaction);
}

/* ---------------------------------------------------------------- the program */

static const char usage[] =
    "use: mpirun -n RANKS larder_solver [OPTION]... [IN.h5 [OUT.h5]]\n"
    "Spreads the heat in the matrix /temperature of IN.h5, and writes the result to OUT.h5; only\n"
    "rank 0 opens the files.  Without IN.h5 it starts from a temporary file that it makes.\n"
    "  --make            make IN.h5 first, replacing what is there\n"
    "  --size=ROWSxCOLS  of what it makes (203x157)\n"
    "  --steps=N         how many steps to compute (50)\n"
    "  --check           compute all on rank 0 alone, too, and compare\n";

/* 1 when the command line is right. */
static int parse (solver *s, int argc, char **argv)
{
    unsigned rows = 203, cols = 157;
    for (int i = 1; i < argc; ++i)
        if (!strcmp (argv[i], "--make"))
            s->make = 1;
        else if (!strcmp (argv[i], "--check"))
            s->check = 1;
        else if (argv[i][0] != '-' && !s->out)
            *(s->in ? &s->out : &s->in) = argv[i];
        else if (sscanf (argv[i], "--size=%ux%u", &rows, &cols) != 2 &&
                 sscanf (argv[i], "--steps=%d", &s->steps) != 1)
            return 0;
    s->rows = rows;
    s->cols = cols;
    return rows > 0 && cols > 0 && cols <= INT_MAX;
}

int main (int argc, char **argv)
{
    char temporary[] = "/tmp/larder_solver.XXXXXX";
    solver s = {.steps = 50};
    H5Eset_auto (H5E_DEFAULT, NULL, NULL); /* no stack of errors beside our one line */
    MPI_Init (&argc, &argv);
    MPI_Comm_rank (MPI_COMM_WORLD, &s.rank);
    MPI_Comm_size (MPI_COMM_WORLD, &s.size);
    const int help = argc == 2 && !strcmp (argv[1], "--help");
    if (help || !parse (&s, argc, argv)) {
        if (s.rank == 0)
            fputs (usage, help ? stdout : stderr);
        return MPI_Finalize () != MPI_SUCCESS ? 1 : help ? 0 : 2;
    }
    if (s.rank == 0 && !s.in) {
        close (mkstemp (temporary));
        s.in = temporary;
        s.make = 1;
    }
    if (s.rank == 0 && s.make)
        ok (&s, make (&s)); /* if that fails, the first larder_agree tells the others */

    /* All ranks will own something: rank 0 the input, each its rows of the result.  Owners cost
     * control words on every node; one object at a time from each keeps that small. */
    int *owners = need ((size_t)s.size, sizeof *owners);
    for (int i = 0; i < s.size; ++i)
        owners[i] = i;
    const larder_config config = {.owners = owners, .owner_count = s.size, .max_lines = 1};
    double *whole = NULL;
    int rc = larder_open (MPI_COMM_WORLD, &config, MPI_INFO_NULL, &s.session, &s.now);
    ok (&s, rc);
    if (rc == LARDER_OK) /* for all ranks or none */
        solve (&s, &whole);
    ok (&s, larder_close (&s.session, &s.now));

    /* Without a session nobody waits for rank 0 but MPI_Finalize. */
    if (s.rank == 0 && s.rc == LARDER_OK && s.out)
        ok (&s, save (&s, s.out, whole));
    if (s.rank == 0 && s.rc == LARDER_OK && s.check)
        ok (&s, check (&s, whole));
    if (s.rank == 0 && s.rc == LARDER_OK)
        printf ("%llu x %llu points, %d steps, %d ranks%s\n", (unsigned long long)s.rows,
                (unsigned long long)s.cols, s.steps, s.size, s.check ? ": as one computes it" : "");
    else if (s.rank == 0)
        fprintf (stderr, "larder_solver: %s\n", s.why.text);
    if (s.rank == 0 && s.in == temporary)
        remove (temporary);
    free (owners);
    free (whole);
    free (s.old);
    free (s.next);
    return MPI_Finalize () != MPI_SUCCESS || s.rc != LARDER_OK;
}
