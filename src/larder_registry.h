/* SPDX-License-Identifier: Apache-2.0 */
/* Looking handlers up; registering them is public (larder/handler.h). */
#ifndef LARDER_REGISTRY_H
#define LARDER_REGISTRY_H

#include <larder/handler.h>

/* The handler of a DOT; NULL: there is none.  registry NULL: the one of arrays alone. */
const larder_handler *larder_registry_find (const larder_registry *registry, int dot);

/* As above; LARDER_EHANDLER names the DOT. */
int larder_registry_need (const larder_registry *registry, int dot, const larder_handler **handler,
                          larder_error *err);

/* The chunk size for a type, bytes: its own, the environment's, or 0: the session's.  *native: 1 when
 * values of the type are always native.  LARDER_ERANGE when the environment's is no size; a registry's handlers
 * were asked when they were added. */
int larder_registry_chunk_size (const larder_handler *handler, uint64_t *chunk_size, int *native,
                                larder_error *err);

#endif
