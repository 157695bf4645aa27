/* SPDX-License-Identifier: Apache-2.0 */
/* make_corpus DIR: writes what the fuzzers start from to DIR/message, DIR/ref and DIR/config, which must be there.
 * The corpus in the repository is made by it; run it again when the format changes. */
#include "larder_test_samples.h"

static void write_file (const char *folder, const char *kind, const char *name, const void *bytes,
                        size_t size)
{
    char path[4096];
    FILE *f;

    if (snprintf (path, sizeof path, "%s/%s/%s", folder, kind, name) >= (int)sizeof path) {
        fprintf (stderr, "make_corpus: the name of the folder is too long\n");
        exit (1);
    }
    f = fopen (path, "wb");
    if (!f || fwrite (bytes, 1, size, f) != size || fclose (f) != 0) {
        perror (path);
        exit (1);
    }
}

static void messages (const char *folder)
{
    static const char *const names[LARDER_SAMPLES] = {"empty",  "plain", "deep",      "arrays",
                                                      "lazies", "typed", "everything"};
    struct codec_points self = {0};
    const larder_handler handler = codec_handler (&self);
    larder_registry *points = NULL;

    sample_stop (larder_registry_new (&points, NULL));
    sample_stop (larder_registry_add (points, &handler, NULL));
    for (unsigned i = 0; i < LARDER_SAMPLES; ++i) {
        larder_encoded sample = larder_sample (i, points);
        write_file (folder, "message", names[i], sample.bytes, sample.size);
        larder_encoded_free (&sample);
    }
    larder_registry_free (&points);
}

static void refs (const char *folder)
{
    unsigned char bytes[LARDER_REF_BYTES + 24] = {0};
    larder_ref whole = codec_ref (3, 1000), other;

    memcpy (bytes, whole.bytes, sizeof whole.bytes);
    write_file (folder, "ref", "alone", bytes, LARDER_REF_BYTES);
    larder_num_store64 (bytes + 64, 10);
    larder_num_store64 (bytes + 72, 20);
    larder_num_store32 (bytes + 80, 4);
    larder_num_store32 (bytes + 84, 9);
    write_file (folder, "ref", "whole", bytes, sizeof bytes);
    sample_stop (larder_ref_items (&whole, 5, 30, &other, NULL));
    memcpy (bytes, other.bytes, sizeof other.bytes);
    write_file (folder, "ref", "part", bytes, sizeof bytes);
    sample_stop (larder_ref_split (&other, 4, 9, &other, NULL));
    memcpy (bytes, other.bytes, sizeof other.bytes);
    write_file (folder, "ref", "split", bytes, sizeof bytes);
}

static void settings (const char *folder)
{
    static const char *const texts[] = {
        "chunk_size\n256KiB", "cache_size\n1G",    "gets_in_flight\n2", "timeout\n1.5h",
        "HOLD_TIMEOUT\n30s",  "idle_timeout\n.5m", "max_lines\n 8 ",    "fault_every\n1000",
    };
    char name[32];

    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; ++i) {
        (void)snprintf (name, sizeof name, "setting%u", i);
        write_file (folder, "config", name, texts[i], strlen (texts[i]));
    }
}

int main (int argc, char **argv)
{
    if (argc != 2) {
        fprintf (stderr, "use: make_corpus DIR\n");
        return 2;
    }
    messages (argv[1]);
    refs (argv[1]);
    settings (argv[1]);
    return 0;
}
