/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_num.h"
#include <inttypes.h>
#include <larder/consumer.h>
#include <string.h>

static int memory_consume_items (void *self, const larder_view *view, larder_error *err)
{
    larder_memory_sink *sink = self;

    if (!larder_num_inside (sink->received, view->size, sink->capacity))
        return larder_error_set (err, LARDER_ERANGE, 0,
                                 "memory: item %" PRIu64 " needs %zu bytes behind %" PRIu64
                                 ", the buffer has %" PRIu64,
                                 view->item, view->size, sink->received, sink->capacity);
    if (view->size)
        memcpy ((unsigned char *)sink->buffer + sink->received, view->data, view->size);
    sink->received += view->size;
    return LARDER_OK;
}

larder_consumer larder_consumer_memory (larder_memory_sink *sink)
{
    return (larder_consumer){.self = sink, .consume_items = memory_consume_items};
}
