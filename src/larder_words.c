/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_words.h"

int larder_words_write (const struct larder_words *w, int rank, size_t offset,
                        enum larder_write_op op, const uint64_t *values, size_t n,
                        larder_error *err)
{
    const struct larder_nodecache *nc = w->nodecache;
    if (nc->topology->node[rank] != nc->node)
        return w->transport->ops->write (w->transport->self, rank, offset, op, values, n, err);
    larder_word *word = larder_nodecache_word (nc, offset);
    for (size_t i = 0; i < n; ++i) {
        if (op == LARDER_WRITE_MAX)
            larder_raise (&word[i], values[i]);
        else if (op == LARDER_WRITE_OR)
            atomic_fetch_or (&word[i], values[i]);
        else
            larder_store (&word[i], values[i]);
    }
    return LARDER_OK;
}

int larder_words_record (const struct larder_nodecache *nc, size_t offset, uint64_t *values,
                         size_t n)
{
    const larder_word *word = larder_nodecache_word (nc, offset);
    for (size_t i = 0; i < n; ++i)
        values[i] = larder_load (&word[i]);
    return larder_wire_check (values, n) == values[n - 1] ? 0 : -1;
}
