/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_h5unzip.h"

#include <string.h>
#ifdef LARDER_ZLIB
#include <zlib.h>

enum { SHUFFLE, DEFLATE, FLETCHER32, KINDS }; /* in the order in which they may have run */

static int kind_of (H5Z_filter_t id)
{
    return id == H5Z_FILTER_SHUFFLE      ? SHUFFLE
           : id == H5Z_FILTER_DEFLATE    ? DEFLATE
           : id == H5Z_FILTER_FLETCHER32 ? FLETCHER32
                                         : KINDS;
}

static int has (const struct larder_h5describe *d, int kind)
{
    int yes = 0;
    for (size_t i = 0; i < d->filters; ++i)
        yes |= kind_of (d->filter[i].id) == kind;
    return yes;
}

/* Bytes of an element that shuffle has taken apart; 1: it did not run. */
static size_t shuffled (const struct larder_h5describe *d)
{
    return has (d, SHUFFLE) ? d->filter[0].values[0] : 1;
}

int larder_h5unzip_can (const struct larder_h5describe *d, uint32_t mask)
{
    const struct larder_h5describe_filter *f = d->filter;
    int before = -1;
    for (size_t i = 0; i < d->filters; ++i) {
        int kind = kind_of (f[i].id);
        if (kind <= before || kind == KINDS)
            return 0;
        before = kind;
        if (kind == SHUFFLE && (f[i].count == 0 || f[i].values[0] == 0 ||
                                larder_h5describe_cell_bytes (d) % f[i].values[0] != 0))
            return 0;
    }
    return mask == 0 && d->filters > 0;
}

/* The checksum of J. G. Fletcher (IEEE Transactions on Communications 30, 1982) as HDF5 stores it: sums modulo 65535 of 16-bit
 * words, the first byte of each in front; an odd byte at the end counts as the front of one. */
static uint32_t fletcher32 (const unsigned char *data, size_t size)
{
    uint64_t a = 0, b = 0;
    for (size_t i = 0; i < size;) {
        size_t end = size - i > 1 << 16 ? i + (1 << 16) : size; /* so many fit into 64 bits */
        for (; i + 1 < end; i += 2) {
            a += (uint64_t)data[i] << 8 | data[i + 1];
            b += a;
        }
        if (i < end) {
            a += (uint64_t)data[i++] << 8;
            b += a;
        }
        a %= 65535;
        b %= 65535;
    }
    return (uint32_t)(b << 16 | a);
}

/* HDF5 folds its sums, so that 65535 may stand for 0. */
static int same_sum (uint32_t a, uint32_t b)
{
    return (a >> 16) % 65535 == (b >> 16) % 65535 && (a & 65535) % 65535 == (b & 65535) % 65535;
}

static int sum_is_right (const unsigned char *data, size_t size)
{
    const unsigned char *sum = data + size;
    return same_sum (fletcher32 (data, size), (uint32_t)sum[0] | (uint32_t)sum[1] << 8 |
                                                  (uint32_t)sum[2] << 16 | (uint32_t)sum[3] << 24);
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
    if (has (d, FLETCHER32)) {
        if (size < 4 || !sum_is_right (data, size - 4))
            return 0;
        size -= 4;
    }
    const void *from = data;
    if (has (d, DEFLATE)) {
        void *to = each > 1 ? scratch : elements;
        if (uncompress (to, &length, data, (uLong)size) != Z_OK)
            return 0;
        from = to;
        size = length;
    }
    if (size != bytes)
        return 0;
    if (each > 1) {
        size_t done = each == 8 ? gather_blocks (elements, from, bytes / each) : 0;
        gather (elements, from, done, bytes / each, each);
    } else if (from != elements) {
        memcpy (elements, from, bytes);
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
