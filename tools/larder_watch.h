/* SPDX-License-Identifier: Apache-2.0 */
/* An object that is looked at while another one does the work: it keeps the text of a failed
 * production, and calls back before the inner object is released. */
#ifndef LARDER_WATCH_H
#define LARDER_WATCH_H

#include <larder/object.h>

struct larder_watch {
    larder_object inner;
    larder_object_ops ops;
    larder_error failure; /* the first failed production; code LARDER_OK: none */
    uint64_t bytes;       /* that were produced */
    int stop;             /* set to 1: nothing more is produced; what is asked for fails */
    void (*before_release) (void *context, const larder_object *inner);
    void *context;
    int released; /* 1: inner is gone */
};

/* Take over inner; the returned object stands for it and borrows *watch. */
larder_object larder_watch_object (struct larder_watch *watch, const larder_object *inner,
                                   void (*before_release) (void *context,
                                                           const larder_object *inner),
                                   void *context);

/* Release inner unless that was done. */
void larder_watch_release (struct larder_watch *watch);

#endif
