/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_h5unzip.h"

#include <string.h>
#ifdef LARDER_ZLIB
#include <zlib.h>

/* Bytes of an element that shuffle has taken apart; 1: it did not run. */
static size_t shuffled (const struct larder_h5describe *d)
{
    const struct larder_h5describe_filter *f = d->filter;
    return d->filters == 2 && f->count > 0 ? f->values[0] : 1;
}

int larder_h5unzip_can (const struct larder_h5describe *d, uint32_t mask)
{
    const struct larder_h5describe_filter *f = d->filter;
    if (mask != 0 || d->filters < 1 || d->filters > 2 || f[d->filters - 1].id != H5Z_FILTER_DEFLATE)
        return 0;
    return d->filters == 1 || (f->id == H5Z_FILTER_SHUFFLE && f->count > 0 && f->values[0] > 0 &&
                               larder_h5describe_cell_bytes (d) % f->values[0] == 0);
}

/* Element i from byte i of every run of bytes. */
static void gather (unsigned char *to, const unsigned char *from, size_t first, size_t count,
                    size_t each)
{
    for (size_t i = first; i < count; ++i)
        for (size_t k = 0; k < each; ++k)
            to[i * each + k] = from[k * count + i];
}

/* Exchange the bits of a that `mask` leaves out with those of b that it names. */
static inline void cross (uint64_t *a, uint64_t *b, int shift, uint64_t mask)
{
    uint64_t t = (*a >> shift ^ *b) & mask;
    *b ^= t;
    *a ^= t << shift;
}

static inline uint64_t load (const unsigned char *from)
{
    uint64_t word;
    memcpy (&word, from, sizeof word);
    return word;
}

static inline void store (unsigned char *to, uint64_t word)
{
    memcpy (to, &word, sizeof word);
}

/* Eight elements of 8 bytes: a matrix that is turned over, three times as fast as byte by byte.  No array, since gcc
 * makes slow vectors of one.  For little-endian machines. */
static inline void gather_block (unsigned char *to, const unsigned char *from, size_t count)
{
    const uint64_t half = 0x00000000ffffffff, quarter = 0x0000ffff0000ffff,
                   eighth = 0x00ff00ff00ff00ff;
    uint64_t a = load (from), b = load (from + count), c = load (from + 2 * count);
    uint64_t d = load (from + 3 * count), e = load (from + 4 * count), f = load (from + 5 * count);
    uint64_t g = load (from + 6 * count), h = load (from + 7 * count);
    cross (&a, &e, 32, half);
    cross (&b, &f, 32, half);
    cross (&c, &g, 32, half);
    cross (&d, &h, 32, half);
    cross (&a, &c, 16, quarter);
    cross (&b, &d, 16, quarter);
    cross (&e, &g, 16, quarter);
    cross (&f, &h, 16, quarter);
    cross (&a, &b, 8, eighth);
    cross (&c, &d, 8, eighth);
    cross (&e, &f, 8, eighth);
    cross (&g, &h, 8, eighth);
    store (to, a);
    store (to + 8, b);
    store (to + 16, c);
    store (to + 24, d);
    store (to + 32, e);
    store (to + 40, f);
    store (to + 48, g);
    store (to + 56, h);
}

/* Returns how many elements are done. */
static size_t gather_blocks (unsigned char *to, const unsigned char *from, size_t count)
{
    const unsigned char one[8] = {1};
    size_t i = 0;
    if (load (one) == 1)
        for (; i + 8 <= count; i += 8)
            gather_block (to + 8 * i, from + i, count);
    return i;
}

int larder_h5unzip (const struct larder_h5describe *d, const void *data, size_t size,
                    void *elements, void *scratch, size_t bytes)
{
    size_t each = shuffled (d);
    uLongf length = (uLongf)bytes;
    if (length != bytes || (uLong)size != size)
        return 0;
    if (uncompress (each > 1 ? scratch : elements, &length, data, (uLong)size) != Z_OK ||
        length != bytes)
        return 0;
    if (each > 1) {
        size_t done = each == 8 ? gather_blocks (elements, scratch, bytes / each) : 0;
        gather (elements, scratch, done, bytes / each, each);
    }
    return 1;
}

#else

int larder_h5unzip_can (const struct larder_h5describe *d, uint32_t mask)
{
    (void)d;
    (void)mask;
    return 0;
}

int larder_h5unzip (const struct larder_h5describe *d, const void *data, size_t size,
                    void *elements, void *scratch, size_t bytes)
{
    (void)d;
    (void)data;
    (void)size;
    (void)elements;
    (void)scratch;
    (void)bytes;
    return 0;
}

#endif
