/* SPDX-License-Identifier: Apache-2.0 */
/* Valid messages with some bytes changed and the check made to fit: whatever they say, nothing is read or freed
 * that is not there, and what is accepted goes round. */
#include "larder_test.h"
#include "larder_test_again.h"
#include "larder_test_random.h"
#include "larder_test_samples.h"

enum { ROUNDS = 24000, GROWTH = 16 };

struct mutant {
    unsigned char *bytes;
    size_t size;
};

static struct mutant copy_of (const larder_encoded *encoded)
{
    struct mutant m = {malloc (encoded->size + GROWTH), encoded->size};

    if (!m.bytes)
        abort ();
    memcpy (m.bytes, encoded->bytes, encoded->size);
    return m;
}

static void insert (struct larder_test_random *r, struct mutant *m, size_t at)
{
    size_t count = 1 + larder_test_below (r, GROWTH);

    memmove (m->bytes + at + count, m->bytes + at, m->size - at);
    larder_test_fill (r, m->bytes + at, count);
    m->size += count;
}

static void erase (struct larder_test_random *r, struct mutant *m, size_t at)
{
    size_t count = 1 + larder_test_below (r, m->size - at);

    memmove (m->bytes + at, m->bytes + at + count, m->size - at - count);
    m->size -= count;
}

/* Behind the header: what repair would undo is not worth a change. */
static void change (struct larder_test_random *r, struct mutant *m, int may_grow)
{
    static const unsigned char telling[] = {0x00, 0x7f, 0x80, 0x90, 0xa0, 0xc4, 0xc6,
                                            0xcf, 0xd4, 0xd9, 0xdb, 0xdd, 0xdf, 0xff};
    size_t at, other;

    if (m->size <= LARDER_MESSAGE_HEADER)
        return;
    at = LARDER_MESSAGE_HEADER + larder_test_below (r, m->size - LARDER_MESSAGE_HEADER);
    other = LARDER_MESSAGE_HEADER + larder_test_below (r, m->size - LARDER_MESSAGE_HEADER);
    switch (larder_test_below (r, may_grow ? 7 : 5)) {
    case 0:
        m->bytes[at] ^= (unsigned char)(1 << larder_test_below (r, 8));
        break;
    case 1:
        m->bytes[at] = telling[larder_test_below (r, sizeof telling)];
        break;
    case 2:
        m->bytes[at] += (unsigned char)(larder_test_below (r, 2) ? 1 : 255);
        break;
    case 3:
        m->bytes[at] = m->bytes[other];
        break;
    case 4:
        larder_test_fill (r, m->bytes + at, larder_num_min_size (8, m->size - at));
        break;
    case 5:
        insert (r, m, at);
        break;
    default:
        erase (r, m, at);
    }
}

/* The head's size of a message that grew or shrank in its head. */
static void fit_head (struct mutant *m, size_t was)
{
    uint64_t head = larder_num_load64 (m->bytes + 8);

    if (m->size > was || head > was - m->size)
        larder_num_store64 (m->bytes + 8, head + m->size - was);
}

static void mutate (const larder_registry *registry)
{
    struct larder_test_random r = larder_test_seed ();
    larder_encoded samples[LARDER_SAMPLES];
    unsigned accepted = 0;

    for (unsigned i = 0; i < LARDER_SAMPLES; ++i) {
        struct larder_registry *points = NULL;
        const larder_handler handler = codec_handler (&(struct codec_points){0});
        CU_ASSERT_EQUAL_FATAL (larder_registry_new (&points, NULL), LARDER_OK);
        CU_ASSERT_EQUAL_FATAL (larder_registry_add (points, &handler, NULL), LARDER_OK);
        samples[i] = larder_sample (i, points);
        CU_ASSERT (again (samples[i].bytes, samples[i].size, registry));
        larder_registry_free (&points);
    }
    for (unsigned i = 0; i < ROUNDS; ++i) {
        const larder_encoded *sample = &samples[i % LARDER_SAMPLES];
        struct mutant m = copy_of (sample);
        unsigned char *exact;

        change (&r, &m, 1);
        for (uint64_t n = larder_test_below (&r, 3); n; --n)
            change (&r, &m, 0);
        fit_head (&m, sample->size);
        exact = malloc (m.size ? m.size : 1); /* what stands behind it is not its own */
        if (!exact)
            abort ();
        memcpy (exact, m.bytes, m.size);
        again_repair (exact, m.size, larder_test_below (&r, 4) != 0);
        accepted += (unsigned)again (exact, m.size, registry);
        free (exact);
        free (m.bytes);
    }
    /* Some changes matter and some do not, or this would test only half of it. */
    CU_ASSERT (accepted > ROUNDS / 50 && accepted < ROUNDS / 2);
    printf ("%u of %d accepted ", accepted, ROUNDS);
    for (unsigned i = 0; i < LARDER_SAMPLES; ++i)
        larder_encoded_free (&samples[i]);
}

static void without_handlers (void)
{
    mutate (NULL);
}

static void with_a_handler (void)
{
    struct codec_points self = {0};
    const larder_handler handler = codec_handler (&self);
    larder_registry *points = NULL;

    CU_ASSERT_EQUAL_FATAL (larder_registry_new (&points, NULL), LARDER_OK);
    CU_ASSERT_EQUAL_FATAL (larder_registry_add (points, &handler, NULL), LARDER_OK);
    mutate (points);
    CU_ASSERT (self.read > 1000);
    larder_registry_free (&points);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"without handlers", without_handlers},
        {"with a handler", with_a_handler},
        {NULL, NULL},
    };
    return larder_test_main ("mutated", tests);
}
