/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * Progress events: how far one receiver is with one object, as its owner or the receiver itself sees
 * it. */
#ifndef LARDER_EVENT_H
#define LARDER_EVENT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What an event says.  The last three are final: at the owner no event of the pair follows, at the
 * receiver none of the download. */
typedef enum larder_event_state {
    LARDER_EVENT_STARTED = 1,   /**< first contact */
    LARDER_EVENT_ACTIVE = 2,    /**< more has come */
    LARDER_EVENT_COMPLETED = 3, /**< with success */
    LARDER_EVENT_FAILED = 4,    /**< it failed, or its time ran out */
    LARDER_EVENT_ABORTED = 5    /**< cancelled, or the object was not offered any more */
} larder_event_state;

/** One event.  At the owner events of one (object, receiver) pair, at the receiver those of one download
 * (each part and each resumption is one), come with rising sequence numbers and figures
 * that never fall. */
typedef struct larder_event {
    uint64_t transaction; /**< number of the transaction at its owner */
    int owner;            /**< rank that owns the object */
    int object;           /**< the object's number at its owner, as in its refs */
    int receiver;         /**< rank that downloads */
    larder_event_state state;
    uint64_t sequence;   /**< 1, 2, ... of this (object, receiver) */
    uint64_t bytes_done; /**< payload bytes: at the receiver exactly those its consumer got; at the
                              owner at least so many, as far as the receiver's node has told; 0
                              where sizes are known only by producing */
    uint64_t items_done; /**< complete items, counted likewise */
    double seconds;      /**< since the pair's first event, by a monotonic clock */
} larder_event;

#ifdef __cplusplus
}
#endif
#endif
