/* SPDX-License-Identifier: Apache-2.0 */
/* What larder_fedavg.c learns: softmax regression, from and to HDF5 files.  Nothing here knows of other ranks. */
#ifndef LARDER_FEDAVG_MODEL_H
#define LARDER_FEDAVG_MODEL_H

#include <hdf5.h>
#include <math.h>
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct model {
    uint64_t classes, features;
    double *weights, *bias; /* classes rows of features; one for each class */
} model;

static inline void *need (size_t count, size_t size)
{
    void *memory = calloc (count, size);
    if (!memory) {
        fprintf (stderr, "larder_fedavg: no memory for %zu times %zu bytes\n", count, size);
        MPI_Abort (MPI_COMM_WORLD, 1);
    }
    return memory;
}

static inline void model_new (model *m, uint64_t classes, uint64_t features)
{
    *m = (model){classes, features, need (classes, features * sizeof (double)),
                 need (classes, sizeof (double))};
}

static inline void model_free (model *m)
{
    free (m->weights);
    free (m->bias);
    *m = (model){0};
}

/* Add weights and a bias of the same extent, so many times. */
static inline void model_add (model *m, const double *weights, const double *bias, double times)
{
    for (uint64_t k = 0; k < m->classes * m->features; ++k)
        m->weights[k] += times * weights[k];
    for (uint64_t c = 0; c < m->classes; ++c)
        m->bias[c] += times * bias[c];
}

/* From -1 to 1, the same for the same arguments. */
static inline double model_noise (uint64_t seed, uint64_t i, uint64_t j)
{
    uint64_t z = (seed << 44 ^ i << 26 ^ j) * UINT64_C (0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C (0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C (0x94d049bb133111eb);
    return (double)(z ^ z >> 31) / 9223372036854775808.0 - 1;
}

/* One pass over the samples that belong to a seed: softmax regression by stochastic gradient descent.  With rate
 * 0 nothing is learned.  Returns the mean loss (cross entropy), of each sample before it was learned from. */
static inline double model_pass (model *m, uint64_t seed, int samples, double rate)
{
    double loss = 0, *x = need (m->features, sizeof *x), *p = need (m->classes, sizeof *p);
    for (uint64_t i = 0; i < (uint64_t)samples; ++i) {
        const uint64_t label = i % m->classes; /* a class has a centre that all seeds share */
        double most = -INFINITY, sum = 0;
        for (uint64_t j = 0; j < m->features; ++j)
            x[j] = 0.2 * model_noise (0, label, j) + model_noise (seed + 1, i, j);
        for (uint64_t c = 0; c < m->classes; ++c) {
            p[c] = m->bias[c];
            for (uint64_t j = 0; j < m->features; ++j)
                p[c] += m->weights[c * m->features + j] * x[j];
            most = fmax (most, p[c]);
        }
        for (uint64_t c = 0; c < m->classes; ++c)
            sum += p[c] = exp (p[c] - most);
        loss -= log (fmax (p[label] / sum, 1e-300));
        for (uint64_t c = 0; c < m->classes && rate > 0; ++c) {
            const double step = rate * (p[c] / sum - (c == label));
            m->bias[c] -= step;
            for (uint64_t j = 0; j < m->features; ++j)
                m->weights[c * m->features + j] -= step * x[j];
        }
    }
    free (x);
    free (p);
    return loss / samples;
}

/* ---------------------------------------------------------------- HDF5 files: /weights and /bias */

/* Read or write both datasets of an open file.  What fails once makes the rest fail, here and below. */
static inline herr_t model_transfer (model *m, hid_t file, int write)
{
    const hid_t type = H5T_NATIVE_DOUBLE, all = H5S_ALL, as_usual = H5P_DEFAULT;
    hid_t w = H5Dopen (file, "/weights", as_usual), b = H5Dopen (file, "/bias", as_usual);
    herr_t bad;
    if (write)
        bad = H5Dwrite (w, type, all, all, as_usual, m->weights) |
              H5Dwrite (b, type, all, all, as_usual, m->bias);
    else
        bad = H5Dread (w, type, all, all, as_usual, m->weights) |
              H5Dread (b, type, all, all, as_usual, m->bias);
    return bad | H5Dclose (w) | H5Dclose (b);
}

/* Extent of a dataset of n dimensions. */
static inline int model_extent (hid_t file, const char *name, int n, hsize_t *dims)
{
    hid_t set = H5Dopen (file, name, H5P_DEFAULT), space = H5Dget_space (set);
    int bad = H5Sget_simple_extent_ndims (space) != n ||
              H5Sget_simple_extent_dims (space, dims, NULL) != n;
    return bad | (H5Sclose (space) < 0) | (H5Dclose (set) < 0);
}

/* 1 when the file has a model. */
static inline int model_load (model *m, const char *path)
{
    hsize_t dims[2] = {0}, bias = 0;
    hid_t file = H5Fopen (path, H5F_ACC_RDONLY, H5P_DEFAULT);
    int good = !model_extent (file, "/weights", 2, dims) &&
               !model_extent (file, "/bias", 1, &bias) && dims[0] > 0 && dims[1] > 0 &&
               dims[0] == bias;
    if (good) {
        model_new (m, dims[0], dims[1]);
        good = model_transfer (m, file, 0) >= 0;
    }
    return H5Fclose (file) >= 0 && good;
}

/* Write a model to a new file, which gets its name when it is whole; 1 when it has.  With a file that it was loaded
 * from (not NULL) the datasets are like those: types, chunks, filters, attributes. */
static inline int model_save (model *m, const char *like, const char *path)
{
    char whole[4096];
    herr_t bad = snprintf (whole, sizeof whole, "%s.new", path) >= (int)sizeof whole ? -1 : 0;
    hid_t file = H5Fcreate (whole, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (like) {
        hid_t old = H5Fopen (like, H5F_ACC_RDONLY, H5P_DEFAULT);
        bad |= H5Ocopy (old, "/weights", file, "/weights", H5P_DEFAULT, H5P_DEFAULT);
        bad |= H5Ocopy (old, "/bias", file, "/bias", H5P_DEFAULT, H5P_DEFAULT);
        bad |= H5Fclose (old);
    } else {
        const hsize_t dims[2] = {m->classes, m->features};
        hid_t two = H5Screate_simple (2, dims, NULL), one = H5Screate_simple (1, dims, NULL);
        bad |= H5Dclose (H5Dcreate (file, "/weights", H5T_NATIVE_DOUBLE, two, H5P_DEFAULT,
                                    H5P_DEFAULT, H5P_DEFAULT));
        bad |= H5Dclose (H5Dcreate (file, "/bias", H5T_NATIVE_DOUBLE, one, H5P_DEFAULT, H5P_DEFAULT,
                                    H5P_DEFAULT));
        bad |= H5Sclose (two) | H5Sclose (one);
    }
    bad |= model_transfer (m, file, 1);
    bad |= H5Fclose (file);
    return bad >= 0 && rename (whole, path) == 0;
}

/* From a file; or, where there is none (NULL), zeros in a new file, which it then is in.  1 when that worked. */
static inline int model_open (model *m, const char **in, const char *fresh, uint64_t classes,
                              uint64_t features)
{
    if (*in)
        return model_load (m, *in);
    *in = fresh;
    model_new (m, classes, features);
    return model_save (m, NULL, fresh);
}

#endif
