/* SPDX-License-Identifier: Apache-2.0 */
/* A dataset of the source: how its data travels, and the items made of it. */
#ifndef LARDER_H5SET_H
#define LARDER_H5SET_H

#include "larder_h5source.h"

/* A dataset with what is asked of it again and again. */
struct larder_h5opened {
    hid_t dataset, type, space, list;
    struct larder_h5shape *shape;
    H5D_layout_t layout;
    hsize_t chunk[H5S_MAX_RANK];
};

/* Fill from an open dataset, which stays the caller's; where names it. */
int larder_h5opened_take (struct larder_h5opened *o, hid_t dataset, const char *where,
                          larder_error *err);
void larder_h5opened_end (struct larder_h5opened *o);

/* Decide how the data travels: set->mode, items, list. */
int larder_h5set_lay (struct larder_h5source *source, struct larder_h5set *set,
                      const struct larder_h5opened *o, const char *where, larder_error *err);

/* Add to the source, which takes set->list over. */
int larder_h5set_add (struct larder_h5source *source, struct larder_h5set *set, larder_error *err);

/* The plan that both sides make of a dataset. */
int larder_h5set_plan (const struct larder_h5opened *o, enum larder_h5mode mode, uint64_t slab,
                       struct larder_h5plan *plan);

#endif
