/* SPDX-License-Identifier: Apache-2.0 */
/* A dataset of a message, received as a whole into an array: the description first, then cell after cell. */
#ifndef LARDER_H5RECEIVE_H
#define LARDER_H5RECEIVE_H

#include <larder/handler.h>

/* As the functions of larder_handler. */
int larder_h5receive_begin (void *self, const larder_lazy *lazy, larder_consumer *consumer,
                            larder_error *err);
int larder_h5receive_finish (void *self, void *consumer_self, larder_made *made, larder_error *err);
void larder_h5receive_abandon (void *self, void *consumer_self);

#endif
