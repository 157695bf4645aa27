/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * Settings of a session.
 *
 * A setting comes from, lowest to highest: the built-in default, the environment
 * (`LARDER_CHUNK_SIZE`), an MPI_Info hint (`larder_chunk_size`), the config struct.  In the struct,
 * zero means "not set here". Sizes in the environment and in hints are written as people write them
 * (`64MiB`, `4M`, `1GiB`, `65536`; K, M, G, T are powers of 1024), times likewise (`30s`, `5m`,
 * `250ms`, `1.5`). */
#ifndef LARDER_CONFIG_H
#define LARDER_CONFIG_H

#include <larder/error.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Settings; zero-initialise, then set what differs from the defaults.
 * Must be equal on all ranks: larder_open compares and refuses with LARDER_EMISMATCH. */
typedef struct larder_config {
    uint64_t chunk_size; /**< bytes: unit of cache and transfer.  Default 256 KiB; 4 KiB .. 1 GiB */
    uint64_t cache_size; /**< bytes per node, all slots together.  Default 64 MiB; >= 4 chunks */
    uint64_t piece_size; /**< bytes that one RMA call moves.  Default 60 KiB; 1 KiB .. 1 GiB */
    uint64_t
        collective_size; /**< bytes per node, beside cache_size: the ring through which collective
                                   downloads pass chunks on.  Default 8 MiB; >= 64 KiB */
    int gets_in_flight;  /**< pieces in flight per peer.  Default 2; 1 .. 64 */
    int max_objects;     /**< objects one owner may offer at a time.  Default 64; 1 .. 4096 */
    int max_transactions; /**< transactions one owner may have open at a time.  Default 64; 1 .. 4096 */
    int max_lines; /**< downloads a node may have open at one owner.  Default 8; 1 .. 64.  The control words grow
                        with nodes * max_lines * ranks per node at every owner: where all ranks own, set 1 or 2 */
    const int *owners; /**< ranks that may offer; read during larder_open only.  NULL: rank 0 */
    int owner_count;   /**< entries of owners */
    double
        timeout_s; /**< seconds without progress after which a call gives up; between two calls a second
                           of them counts at most.  Default 300 */
    double hold_timeout_s; /**< seconds a receiver may stand still while others wait for it. Default
                              60 */
    double
        min_download_timeout_s; /**< no transaction's timeout is below this.  Default: no floor */
    double acquire_timeout_s;   /**< seconds in which a declared receiver must begin, unless its
                                 transaction says otherwise.  Default: no limit */
    double idle_timeout_s;      /**< seconds a receiver that has begun may show no life, unless its
                              transaction says otherwise.  Default: no limit */
    int64_t
        inline_max; /**< bytes: smaller values go inside a message, larger ones by reference.  Default
                             4 KiB; at most 1 GiB; < 0, in text 0: none goes inside */
    uint64_t
        fault_every; /**< tests: damage about one of this many fetched chunks.  Default 0: none */
    uint64_t fault_seed; /**< tests: seed of the damage */
} larder_config;

/** Set one setting from text, by its name in the environment without `LARDER_`, any case:
 * "chunk_size", "cache_size", "piece_size", "collective_size", "gets_in_flight", "max_objects", "max_lines", "timeout",
 * "hold_timeout", "max_transactions", "min_download_timeout", "acquire_timeout", "idle_timeout", "inline_max", "fault_every", "fault_seed" ("owners" is not among them).
 * Collective: no.  Thread: any.  Blocks: no.
 * \param [in,out] config  Unchanged on failure.
 * \return LARDER_OK; LARDER_EINVAL for an unknown name or a text that is no number of the right
 *     kind; LARDER_ERANGE for a number out of bounds. */
int larder_config_set (larder_config *config, const char *name, const char *value,
                       larder_error *err);

/** Read a size as people write it.  Collective: no.  Thread: any.  Blocks: no.
 * \param [out] size  Bytes; unchanged on failure.
 * \return LARDER_OK, LARDER_EINVAL (no number, unknown unit), LARDER_ERANGE (does not fit). */
int larder_config_size (const char *text, uint64_t *size, larder_error *err);

/** Read a duration as people write it; without a unit: seconds.  Collective: no.  Thread: any.
 * Blocks: no.
 * \param [out] seconds  Finite and >= 0; unchanged on failure.
 * \return LARDER_OK, LARDER_EINVAL, LARDER_ERANGE. */
int larder_config_duration (const char *text, double *seconds, larder_error *err);

#ifdef __cplusplus
}
#endif
#endif
