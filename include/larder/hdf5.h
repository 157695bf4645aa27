/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * HDF5 datasets as objects and as destinations.
 *
 * Three ways.  A *dataset object* offers one dataset of a fixed-size type; receivers take any
 * hyperslab of it into their memory, in their own memory type.  A *selection object* offers
 * datasets (or a whole file's) with everything that hangs on them, and lands in a new HDF5 file
 * with equal datasets.  A *message* (message.h) names datasets, which come out of it as arrays, or as
 * placeholders that read hyperslabs on demand.  Stored chunks travel as they are stored, compressed.
 *
 * All HDF5 calls of a process must come from one thread.  HDF5's own error printing is suspended
 * inside these functions.  HDF5 files are trusted as far as libhdf5 is: a hostile one can crash it.
 */
#ifndef LARDER_HDF5_H
#define LARDER_HDF5_H

#include <hdf5.h>
#include <larder/consumer.h>
#include <larder/download.h>
#include <larder/error.h>
#include <larder/handler.h>
#include <larder/message.h>
#include <larder/object.h>
#include <larder/ref.h>
#include <larder/shape.h>
#include <larder/shared.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ one dataset, to memory */

/** Make an object of one dataset of a fixed-size type (no variable-length data, no references).
 * Item 0 describes it (type, space, creation properties); items 1.. are its stored chunks in
 * row-major order, or slabs of whole rows of about slab_size bytes when it is not chunked.
 * Collective: no.  Thread: the one that calls HDF5.  Blocks: on the file system.
 * \param file  Path of the file; opened read-only with the serial driver until release.
 * \param dataset  Path of the dataset in it.
 * \param slab_size  Bytes, >= 1; 1 MiB is a good value.
 * \param [out] object To be given to larder_offer; as larder_object_memory.  Unchanged on
 *     failure.
 * \return LARDER_OK, LARDER_ENOENT, LARDER_EHDF5 (not HDF5, damaged), LARDER_ENOTSUP (type,
 *     layout or filter that cannot travel this way; err says which and why), LARDER_ENOMEM,
 *     LARDER_EIO. */
int larder_h5_dataset_object (const char *file, const char *dataset, uint64_t slab_size,
                              larder_object *object, larder_error *err);

/** What a dataset object says of itself (from item 0). */
typedef struct larder_h5_dataset larder_h5_dataset;

/** Download the description of a dataset.  Collective: no.  Thread: the session's, and HDF5's.
 * Progress: yes.  Blocks like larder_download.
 * \param ref  A ref to a whole dataset object; copied.
 * \param [out] dataset  End it with larder_h5_dataset_close.  Unchanged on failure; when this rank can
 *     never use the dataset (a filter it lacks, no memory, damage) its owner is told so.
 * \return as larder_download, or LARDER_EHDF5, LARDER_ENOTSUP (a filter this process lacks),
 *     LARDER_EINVAL (ref names something else), LARDER_ENOMEM. */
int larder_h5_dataset_open (larder *session, const larder_ref *ref, larder_h5_dataset **dataset,
                            larder_error *err);

/** End a dataset, before its session is closed, and tell its owner that this rank has what it wants,
 * or with what its first failed read failed (larder_confirm; who read again with success may confirm
 * LARDER_OK before, since the first word counts).  NULL is allowed; *dataset is NULL afterwards.  Collective: no.  Thread: the
 * session's, and HDF5's.  Progress: yes.  Blocks like larder_confirm. */
void larder_h5_dataset_close (larder_h5_dataset **dataset);

/** Borrowed HDF5 ids of the dataset's type and space, valid until _close; do not close them.
 * Collective: no.  Thread: HDF5's.  Blocks: no. */
hid_t larder_h5_dataset_type (const larder_h5_dataset *dataset);
hid_t larder_h5_dataset_space (const larder_h5_dataset *dataset);

/** Read a selection of a dataset into the caller's memory, like H5Dread: only the items it touches
 * are downloaded, and decoded here. Collective: no.  Thread: the session's, and HDF5's.
 * Progress: yes.  Blocks like larder_download.
 * \param mem_type  As H5Dread.
 * \param mem_space  As H5Dread; H5S_ALL: the same selection as file_space.
 * \param file_space  As H5Dread; H5S_ALL: everything.  Any selection; its bounding box decides
 *     which items are downloaded.
 * \param buffer  As H5Dread; undefined content on failure.
 * \return as larder_download, or LARDER_EHDF5 (also where HDF5 1.10 contradicts itself about an
 *     irregular selection), LARDER_EINVAL (selections of different size), LARDER_ENOMEM. */
int larder_h5_dataset_read (larder_h5_dataset *dataset, hid_t mem_type, hid_t mem_space,
                            hid_t file_space, void *buffer, larder_error *err);

/** Read a whole dataset into the own memory of every rank.  Nodes pass its stored values on, so each link carries
 * them once, and each chunk with filters is decoded once per node, by whichever rank comes to it first: the way
 * to private copies where all ranks want one.  Takes up to 8 MiB of memory per node beside the caches, or two chunks.
 * Collective: over the dataset's session; every rank has opened the dataset with larder_h5_dataset_open and the
 * same ref, the owner too, whoever it declared.  Thread: the session's, and HDF5's.  Progress: yes, but not while a rank
 * waits for a chunk that another one decodes.  Blocks until this rank has everything and all ranks have agreed.
 * \param mem_type  As H5Dread; may differ from rank to rank.
 * \param [out] buffer  As H5Dread: the elements in row-major order; undefined content on failure.  NULL: this rank
 *     needs nothing, and takes part.
 * \return The same on all ranks (but LARDER_EINVAL where dataset is NULL, with which the others wait in vain): LARDER_OK;
 *     LARDER_EMISMATCH (not the same ref); as larder_h5_dataset_read, larder_download_all and larder_shared_alloc, of the
 *     lowest rank that failed. */
int larder_h5_dataset_read_all (larder_h5_dataset *dataset, hid_t mem_type, void *buffer,
                                larder_error *err);

/* ------------------------------------------------------------------ one dataset, once per node */

/** Read a whole dataset into one copy per node, which all ranks of the node read in place: a table that every rank
 * looks up takes 1/ranks of the memory of private copies.  The ranks of a node decode and convert its chunks in
 * parallel, each chunk by whoever comes to it first.  Collective: over the dataset's session; every rank has opened the dataset with
 * larder_h5_dataset_open and the same ref, the owner too, whoever it declared.  Thread: the session's, and HDF5's.
 * Progress: yes, but not while the ranks of a node make the memory.  Blocks until all nodes have everything.
 * \param mem_type  Type of the elements in memory, of fixed size; the same on all ranks.
 * \param [out] shared  The elements in row-major order (larder_shared_data), until larder_shared_free; stays when the
 *     dataset is closed.  Bytes that H5Dread would leave alone are zero.  Unchanged on failure.
 * \return The same on all ranks (but LARDER_EINVAL where dataset is NULL, with which the others wait in vain): LARDER_OK;
 *     LARDER_EINVAL; LARDER_EMISMATCH (not the same ref, or mem_type); LARDER_ENOTSUP (mem_type is of variable length or holds
 *     references); as larder_shared_alloc; as larder_h5_dataset_read, of the lowest rank that failed.  What is
 *     neither LARDER_EINVAL nor LARDER_EMISMATCH is what the owner hears of every rank. */
int larder_h5_dataset_node (larder_h5_dataset *dataset, hid_t mem_type, larder_shared **shared,
                            larder_error *err);

/** The same into memory that is there already, of larder_shared_alloc or from an earlier dataset of the same size: the
 * next step of a series costs no new pages.  All ranks of a node give their handle of the same memory; its content is
 * undefined on failure.  In everything else as larder_h5_dataset_node.
 * \return as larder_h5_dataset_node; LARDER_EINVAL where the memory has not the dataset's size. */
int larder_h5_dataset_read_shared (larder_h5_dataset *dataset, hid_t mem_type,
                                   larder_shared *shared, larder_error *err);

/** From a ref to one copy per node in one call: larder_h5_dataset_open, _node and _close.  Collective: over the session's
 * communicator.  Thread, Progress: as larder_h5_dataset_node.  Blocks until all nodes have everything and the owner has
 * heard of it from every rank.
 * \param [out] shape  Dimensions, and what mem_type is (numbers of this machine's byte order, or LARDER_OPAQUE with
 *     element_size); a null space is one dimension of 0.  May be NULL; unchanged on failure.
 * \return The same on all ranks (but LARDER_EINVAL where session is NULL): as larder_h5_dataset_open; as
 *     larder_h5_dataset_node.  After LARDER_EINVAL and LARDER_EMISMATCH the owner has not heard anything, so the call can
 *     be repeated. */
int larder_h5_dataset_node_open (larder *session, const larder_ref *ref, hid_t mem_type,
                                 larder_shared **shared, larder_shape *shape, larder_error *err);

/* ------------------------------------------------------------------ datasets in messages */

/** Type tag of HDF5 datasets in messages. */
#define LARDER_DOT_H5_DATASET 2

/** A dataset in a message: names a file and a dataset in it (opaque).  The file is opened when the message is
 * encoded, and must stay as it is until the transaction has ended.  Who resolves the message gets an array: numbers
 * in its own byte order (2, 4 and 8 byte floats, integers, complex numbers as h5py writes them), everything else as
 * opaque elements in HDF5's native type. */
typedef struct larder_h5_value larder_h5_value;

/** Name a dataset, for larder_message_set with LARDER_KIND_TYPED, LARDER_DOT_H5_DATASET, the value as data,
 * and larder_h5_value_free as free_data.  Collective: no.  Thread: any.  Blocks: no.
 * \param file  Path of the file, copied; need not be there yet.
 * \param dataset  Path of the dataset in it, copied.
 * \param slab_size  Bytes per item where data is not chunked; 0: 1 MiB.
 * \param [out] value  Unchanged on failure.
 * \return LARDER_OK, LARDER_EINVAL, LARDER_ENOMEM. */
int larder_h5_value_new (const char *file, const char *dataset, uint64_t slab_size,
                         larder_h5_value **value, larder_error *err);

/** Free a value that no message took over.  NULL is allowed.  Collective: no.  Thread: any.  Blocks: no. */
void larder_h5_value_free (void *value);

/** Set a dataset in a message: the two calls in one, errors as theirs. */
int larder_message_set_h5_dataset (larder_message *message, const char *path, const char *file,
                                   const char *dataset, larder_error *err);

/** Get a placeholder of a dataset (larder_resolve_options.placeholders) from a message, for
 * larder_h5_dataset_read, _type and _space.  Collective: no.  Thread: the session's.  Blocks: no.
 * \param [out] dataset  Borrowed until the value is replaced or removed, or the message freed; can be read from while
 *     the session is open; not to be given to larder_h5_dataset_close.
 *     larder_message_confirm tells its owner that it is no longer needed.  Unchanged on failure.
 * \return LARDER_OK; as larder_message_get; LARDER_EKIND when the value is something else. */
int larder_message_get_h5_dataset (const larder_message *message, const char *path,
                                   larder_h5_dataset **dataset, larder_error *err);

/** The handler of datasets, LARDER_DOT_H5_DATASET, "h5dataset": for larder_registry_add, where its chunk_size is
 * to be set first.  Encoding and decoding with it calls HDF5, all in the calling thread.  A dataset that
 * larder_h5_dataset_object refuses is refused likewise; one whose filters this process lacks is
 * LARDER_ENOTSUP where it is decoded; one that is not what its message says is LARDER_EINCOMPLETE.
 * Collective: no.  Thread: any.  Blocks: no.
 * \return A handler by value. */
larder_handler larder_h5_handler (void);

/** Register the handler of datasets as it is.  Collective: no.  Thread: any.  Blocks: no.
 * \return as larder_registry_add. */
int larder_h5_registry_add (larder_registry *registry, larder_error *err);

/* ------------------------------------------------------------------ datasets, to a new file */

/** What to take of a file. */
typedef struct larder_h5_selection {
    const char *const *paths; /**< datasets or groups (with all below); count 0: the whole file */
    int count;
    int with_targets;   /**< 1: objects that references point to are taken along, not nulled */
    uint64_t slab_size; /**< bytes per item where data is not chunked; 0: 1 MiB */
} larder_h5_selection;

/** Make an object of a selection: the recipe first, then dataset after dataset. Collective: no.
 * Thread: the one that calls HDF5.  Blocks: on the file system.
 * \param [out] object  To be given to larder_offer; as larder_object_memory.  Unchanged on
 *     failure.
 * \return LARDER_OK, LARDER_ENOENT (no such file or dataset), LARDER_EHDF5 (not HDF5, damaged),
 *     LARDER_ENOTSUP (a class that cannot travel: err names the object and the reason),
 *     LARDER_ENOMEM, LARDER_EIO. */
int larder_h5_selection_object (const char *file, const larder_h5_selection *selection,
                                larder_object *object, larder_error *err);

/** Number of remarks on a selection object: one line each, for the user ("3 references in /a point
 * outside the selection; written as null").  Collective: no.  Thread: any.  Blocks: no. */
int larder_h5_selection_remarks (const larder_object *object);

/** One remark, 0 <= i < larder_h5_selection_remarks; NULL beyond.  Borrowed until release. More may
 * come while the object is being produced. */
const char *larder_h5_selection_remark (const larder_object *object, int i);

/** An HDF5 file being received (opaque). */
typedef struct larder_h5_sink larder_h5_sink;

/** Start to receive a selection into a new HDF5 file.  As larder_file_sink_open: a temporary name
 * in the destination's directory, the destination's name only when it is whole. Collective: no.
 * Thread: HDF5's.  Blocks: on the file system.
 * \param replace  1: an existing destination is replaced when the file is whole.
 * \param [out] sink  Unchanged on failure; end it with exactly one larder_h5_sink_close.
 * \return LARDER_OK, LARDER_EEXIST, LARDER_ENOENT, LARDER_ENOSPC, LARDER_EIO, LARDER_EHDF5. */
int larder_h5_sink_open (const char *path, int replace, larder_h5_sink **sink, larder_error *err);

/** The consumer of a sink; valid until the sink is closed.  Its download_completed gives the file
 * its name.  Collective: no.  Thread: HDF5's.  Blocks: no. */
larder_consumer larder_h5_consumer (larder_h5_sink *sink);

/** End a sink; what did not complete leaves nothing behind.  NULL is allowed; *sink is NULL
 * afterwards.  Collective: no.  Thread: HDF5's.  Blocks: on the file system. */
void larder_h5_sink_close (larder_h5_sink **sink);

/** Compare what two files hold below some paths: links, types, spaces, creation properties,
 * attributes, and values or stored chunks.  Collective: no.  Thread: HDF5's.  Blocks: on the file
 * system.
 * \param paths         Datasets or groups in both; count 0: the whole files, also what belongs to no
 *                      object.  With paths, references that point out of them may be null in B.
 * \param count         Entries of paths.
 * \param [out] differs 1 when they differ; err's text then names the first difference.
 * \return LARDER_OK, LARDER_ENOENT, LARDER_EHDF5, LARDER_ENOMEM, LARDER_EIO, LARDER_EINVAL,
 * LARDER_ENOTSUP (a chunk index too large to search). */
int larder_h5_compare (const char *file_a, const char *file_b, const char *const *paths, int count,
                       int *differs, larder_error *err);

#ifdef __cplusplus
}
#endif
#endif
