/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_intervals.h"
#include <stdlib.h>
#include <string.h>

void larder_intervals_free (struct larder_intervals *s)
{
    free (s->list);
    *s = (struct larder_intervals){0};
}

/* The first interval that ends behind a number. */
static uint64_t lower (const struct larder_intervals *s, uint64_t number)
{
    uint64_t low = 0, high = s->count;
    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        if (s->list[mid].end > number)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

int larder_intervals_has (const struct larder_intervals *s, uint64_t number)
{
    uint64_t i = lower (s, number);
    return i < s->count && s->list[i].first <= number;
}

int larder_intervals_add (struct larder_intervals *s, uint64_t number, larder_error *err)
{
    uint64_t i = lower (s, number);
    if (i < s->count && s->list[i].first <= number)
        return LARDER_OK;
    int before = i > 0 && s->list[i - 1].end == number;
    int after = i < s->count && s->list[i].first == number + 1;
    if (before && after) {
        s->list[i - 1].end = s->list[i].end;
        memmove (&s->list[i], &s->list[i + 1], (s->count - i - 1) * sizeof *s->list);
        --s->count;
    } else if (before) {
        ++s->list[i - 1].end;
    } else if (after) {
        --s->list[i].first;
    } else {
        if (s->count == s->capacity) {
            uint64_t capacity = s->capacity ? 2 * s->capacity : 8;
            void *p = realloc (s->list, capacity * sizeof *s->list);
            if (!p)
                return larder_error_set (err, LARDER_ENOMEM, 0, "no memory for what was produced");
            s->list = p;
            s->capacity = capacity;
        }
        memmove (&s->list[i + 1], &s->list[i], (s->count - i) * sizeof *s->list);
        s->list[i] = (struct larder_interval){number, number + 1};
        ++s->count;
    }
    return LARDER_OK;
}
