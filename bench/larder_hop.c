/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
/* larder_hop [--json] [REPEATS]: what it costs a rank in the middle to pass a message on.  A message of lazy arrays
 * is decoded and encoded again; their data is touched by neither, so its size does not matter.  Each array has a ref of
 * its own, which is the dearest case: values that an owner encoded together share one.
 * Medians over REPEATS (2001), after a warm-up, in microseconds; one process, no mpirun. */
#include "larder_figures.h"
#include <larder/encode.h>
#include <larder/message.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CASES = 5, WARM_UP = 200, MOST = 1000000 };

struct hop {
    unsigned lazies;
    double decode_us, encode_us, both_us;
    size_t bytes, bytes_each; /* of the message; of one lazy array, its name not counted */
};

static void stop (const char *what, const larder_error *err)
{
    fprintf (stderr, "larder_hop: %s: %s\n", what, err->text);
    exit (1);
}

static double now_us (void)
{
    struct timespec t;
    if (clock_gettime (CLOCK_MONOTONIC, &t) != 0) {
        perror ("larder_hop: clock_gettime");
        exit (1);
    }
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* To an object that nobody offers: 2^40 items from item 1000. */
static const larder_ref whole = {{0x4c, 0x52, 0x01, 0x00, 0x46, 0x39, 0x0e, 0x69, 0xef, 0xcd, 0xab,
                                  0x89, 0x67, 0x45, 0x23, 0x01, 0x02, 0x00, 0x00, 0x00, 0x05, 0x00,
                                  0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03,
                                  0x00, 0x00, 0x00, 0xfe, 0xca, 0x00, 0x00, 0xe8, 0x03, 0x00, 0x00,
                                  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00,
                                  0x00, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00}};

/* Names count for `names` bytes. */
static larder_message *make (unsigned lazies, size_t *names)
{
    larder_error err = {0};
    larder_message *m = NULL;
    int rc = larder_message_new (&m, &err);
    *names = 0;
    for (unsigned i = 0; rc == LARDER_OK && i < lazies; ++i) {
        char name[32];
        larder_lazy lazy = {.dot = LARDER_DOT_ARRAY,
                            .shape = larder_shape_make (LARDER_FLOAT32, 1024, 1024, 3)};
        *names += (size_t)snprintf (name, sizeof name, "layer%u", i);
        rc = larder_ref_items (&whole, 1000 + i, 1, &lazy.ref, &err);
        if (rc == LARDER_OK)
            rc = larder_shape_size (&lazy.shape, &lazy.size, &err);
        if (rc == LARDER_OK)
            rc = larder_message_set_lazy (m, name, &lazy, &err);
    }
    if (rc != LARDER_OK)
        stop ("making a message", &err);
    return m;
}

static larder_encoded encode (const larder_message *m)
{
    larder_error err = {0};
    larder_encoded encoded = {0};
    if (larder_message_encode (m, NULL, NULL, &encoded, &err) != LARDER_OK)
        stop ("encode", &err);
    return encoded;
}

static larder_encoded as_sent (unsigned lazies, size_t *names)
{
    larder_message *m = make (lazies, names);
    larder_encoded encoded = encode (m);
    larder_message_free (&m);
    return encoded;
}

static void measure (struct hop *hop, unsigned repeats)
{
    size_t names, none;
    larder_encoded sent = as_sent (hop->lazies, &names), empty = as_sent (0, &none);
    double *decode = calloc (repeats, sizeof *decode), *again = calloc (repeats, sizeof *again),
           *both = calloc (repeats, sizeof *both);
    if (!decode || !again || !both) {
        fprintf (stderr, "larder_hop: no memory\n");
        exit (1);
    }
    for (unsigned i = 0; i < WARM_UP + repeats; ++i) {
        larder_error err = {0};
        larder_message *m = NULL;
        unsigned at = i < WARM_UP ? 0 : i - WARM_UP;
        double start = now_us (), middle, end;
        if (larder_message_decode (sent.bytes, sent.size, NULL, &m, &err) != LARDER_OK)
            stop ("decode", &err);
        middle = now_us ();
        larder_encoded passed_on = encode (m);
        end = now_us ();
        if (passed_on.size != sent.size || memcmp (passed_on.bytes, sent.bytes, sent.size) != 0) {
            fprintf (stderr, "larder_hop: what is passed on differs\n");
            exit (1);
        }
        larder_encoded_free (&passed_on);
        larder_message_free (&m);
        decode[at] = middle - start;
        again[at] = end - middle;
        both[at] = end - start;
    }
    hop->decode_us = larder_figures_median (decode, (int)repeats);
    hop->encode_us = larder_figures_median (again, (int)repeats);
    hop->both_us = larder_figures_median (both, (int)repeats);
    hop->bytes = sent.size;
    hop->bytes_each = (sent.size - empty.size - names) / hop->lazies;
    free (decode);
    free (again);
    free (both);
    larder_encoded_free (&sent);
    larder_encoded_free (&empty);
}

int main (int argc, char **argv)
{
    struct hop hops[CASES] = {
        {.lazies = 1}, {.lazies = 8}, {.lazies = 64}, {.lazies = 512}, {.lazies = 4096}};
    const int json = argc > 1 && strcmp (argv[1], "--json") == 0;
    const int help = argc > 1 && strcmp (argv[1], "--help") == 0;
    unsigned repeats = 2001;
    char rest;
    if (help || argc > 2 + json ||
        (argc > 1 + json &&
         (sscanf (argv[1 + json], "%u%c", &repeats, &rest) != 1 || repeats > MOST)) ||
        repeats < 1) {
        fprintf (help ? stdout : stderr,
                 "use: larder_hop [--json] [REPEATS]\n"
                 "decode and encode again of a message with 1 to 4096 lazy arrays; REPEATS 1..%d "
                 "(2001)\n",
                 MOST);
        return help ? 0 : 2;
    }
    for (int i = 0; i < CASES; ++i)
        measure (&hops[i], (int)repeats);
    if (json)
        printf ("{\"repeats\": %u, \"hops\": [", (int)repeats);
    else
        printf ("%6s %10s %10s %10s %10s %10s\n", "lazy", "decode us", "encode us", "hop us",
                "bytes", "each");
    for (int i = 0; i < CASES; ++i)
        printf (json ? "%s{\"lazy\": %u, \"decode_us\": %.2f, \"encode_us\": %.2f, \"hop_us\": "
                       "%.2f, \"bytes\": %zu, \"bytes_each\": %zu}"
                     : "%s%6u %10.2f %10.2f %10.2f %10zu %10zu\n",
                json && i ? ", " : "", hops[i].lazies, hops[i].decode_us, hops[i].encode_us,
                hops[i].both_us, hops[i].bytes, hops[i].bytes_each);
    if (json)
        printf ("]}\n");
    return 0;
}
