/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of a session, resolved from their four sources (see larder/config.h). */
#ifndef LARDER_CONFIG_PRIVATE_H
#define LARDER_CONFIG_PRIVATE_H

#include <larder/config.h>

/* Every setting has a value and is inside its bounds. */
struct larder_settings {
    uint64_t chunk_size;
    uint64_t cache_size; /* slot_count * chunk_size: payload only, slot headers come on top */
    uint64_t slot_count; /* >= 4 */
    uint64_t piece_size; /* <= chunk_size + LARDER_SLOT_HEADER_ROOM */
    uint64_t collective_size;
    int gets_in_flight;
    int max_objects;
    int max_transactions;
    int max_lines;
    int owner_count;   /* >= 1 */
    const int *owners; /* >= 0; the user's array (borrowed), or a static {0} */
    double timeout_s;
    double hold_timeout_s;
    double min_download_timeout_s; /* 0: none, as the next two */
    double acquire_timeout_s;
    double idle_timeout_s;
    uint64_t inline_max; /* 0: every value goes by reference */
    uint64_t fault_every;
    uint64_t fault_seed;
};

/* A piece never needs to be larger than a chunk with its slot's header. */
#define LARDER_SLOT_HEADER_ROOM 64

/* Resolve all settings: built-in defaults < environment LARDER_<NAME> < hints larder_<name> < user
 * struct (0 = not set).  An empty environment variable counts as not set; each source that says
 * something must say something valid, even when a higher one overrides it.
 * user: NULL is "nothing set".  lookup_hint: NULL, or returns the hint's value or NULL; the text
 * needs to stay only until the next call.
 * Returns LARDER_OK, LARDER_EINVAL, LARDER_ERANGE; *out is unchanged on failure.
 * What needs the communicator (owners below its size, doubles) is left to the caller. */
int larder_config_resolve (const larder_config *user,
                           const char *(*lookup_hint) (void *self, const char *name), void *self,
                           struct larder_settings *out, larder_error *err);

/* A number that ranks compare: equal for equal settings (owners by content). */
uint64_t larder_config_hash (const struct larder_settings *settings);

#endif
