/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of larder_fedavg.c. */
#ifndef LARDER_FEDAVG_OPTIONS_H
#define LARDER_FEDAVG_OPTIONS_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct fedavg_options {
    const char *in, *out;       /* files; in may be NULL */
    uint64_t classes, features; /* of the model that is made then */
    int rounds, samples, aggregators, check;
} fedavg_options;

static const char options_usage[] =
    "use: mpirun -n RANKS larder_fedavg [OPTION]...          (RANKS at least 2)\n"
    "Federated averaging: rank 0 owns a model, aggregators pass it on without touching it, "
    "workers\n"
    "train it on data of their own, and rank 0 averages their results.\n"
    "  --model FILE      HDF5 file with the model: /weights, a matrix of a row per class, and "
    "/bias, a\n"
    "                    number per class (default: zeros, in OUT)\n"
    "  --out OUT         HDF5 file that gets the averaged model after each round (fedavg.h5)\n"
    "  --size CxF        classes and features of the model where none is given (10x2000)\n"
    "  --rounds N        how often to train and average (5)\n"
    "  --samples N       samples of a worker; some have twice or three times as many (200)\n"
    "  --aggregators N   of the ranks, at most as many as workers (about the square root of "
    "RANKS)\n"
    "  --check           fail if the loss is not smaller at the end than at the beginning\n"
    "The table: mean loss of the averaged model on data that no worker has, in nats; workers that\n"
    "delivered; bytes of the model that rank 0 took from its file, and of the messages that it "
    "sent;\n"
    "bytes of weights that passed the busiest aggregator; seconds.\n"
    "Exit codes: 0 done; 1 failed, with one line that says why; 2 usage.\n";

/* A whole number from low to high, and nothing behind it. */
static inline int options_number (const char *text, int low, int high, int *n)
{
    char rest;
    return sscanf (text, "%d%c", n, &rest) == 1 && *n >= low && *n <= high;
}

/* 1 when the command line is right. */
static inline int options_parse (fedavg_options *o, int ranks, int argc, char **argv)
{
    const int most = (ranks - 1) / 2; /* aggregators: each has a worker at least */
    unsigned classes = 10, features = 2000;
    char rest;
    int good = ranks > 1;
    *o = (fedavg_options){.out = "fedavg.h5", .rounds = 5, .samples = 200, .aggregators = -1};
    for (int i = 1; i < argc && good; ++i) {
        const char *name = argv[i];
        if (!strcmp (name, "--check"))
            o->check = 1;
        else if (++i == argc)
            good = 0;
        else if (!strcmp (name, "--model"))
            o->in = argv[i];
        else if (!strcmp (name, "--out"))
            o->out = argv[i];
        else if (!strcmp (name, "--size"))
            good = sscanf (argv[i], "%ux%u%c", &classes, &features, &rest) == 2 && classes > 0 &&
                   classes < 1 << 20 && features > 0 && features < 1 << 26;
        else
            good =
                (!strcmp (name, "--rounds") && options_number (argv[i], 1, 1000000, &o->rounds)) ||
                (!strcmp (name, "--samples") &&
                 options_number (argv[i], 1, 1000000, &o->samples)) ||
                (!strcmp (name, "--aggregators") &&
                 options_number (argv[i], 0, most, &o->aggregators));
    }
    if (o->aggregators < 0) { /* not given */
        o->aggregators = (int)sqrt (ranks);
        o->aggregators = o->aggregators < most ? o->aggregators : most;
    }
    o->classes = classes;
    o->features = features;
    return good;
}

/* Where a rank's messages come from, and its results go to: rank 0, then aggregators, then workers. */
static inline int options_parent (const fedavg_options *o, int rank)
{
    const int first = 1 + o->aggregators;
    return rank < first || !o->aggregators ? 0 : 1 + (rank - first) % o->aggregators;
}

#endif
