/* SPDX-License-Identifier: Apache-2.0 */
/* From a chunk in a slot to the view that a consumer gets: the part inside the wanted range. */
#ifndef LARDER_VIEW_H
#define LARDER_VIEW_H

#include "larder_wire.h"
#include <larder/consumer.h>

/* item_size: the object's uniform size, 0 when sizes differ.  1: a view; 0: nothing of the chunk is
 * wanted; -1: the header makes no sense.  *ends: the range is complete with this chunk. */
int larder_view_make (const struct larder_slot_header *header, uint64_t item_size,
                      uint64_t first_item, uint64_t end_item, larder_view *view, int *ends);

#endif
