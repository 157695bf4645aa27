/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the comparer share.  Every function here returns LARDER_OK (equal so far),
 * LARDER_H5DIFFERS (err names the difference) or a negative larder_code (err says why).  `what` is
 * how a text calls the thing: "dataset /a/b". */
#ifndef LARDER_H5COMPARE_H
#define LARDER_H5COMPARE_H

#include <hdf5.h>
#include <larder/error.h>
#include <stddef.h>
#include <stdint.h>

#define LARDER_H5DIFFERS 1

/* Two objects, one of each file, that are held to be the same. */
struct larder_h5pair {
    haddr_t address[2];
    H5O_type_t type;
    int by_reference; /* reached by a reference or as somebody's type, not by a link */
    char *what;       /* "dataset /a/b" */
    const char *path; /* inside what */
};

struct larder_h5compare {
    hid_t file[2];
    int partial; /* 1: below given paths only */
    larder_error *err;
    struct larder_h5pair *pairs;
    size_t count, capacity;
    size_t *table[2]; /* address -> pair + 1, by open addressing; 0: free */
    size_t table_size;
    void *scratch[2];
    size_t scratch_size[2];
};

/* Note the first difference.  Returns LARDER_H5DIFFERS. */
int larder_h5compare_differ (struct larder_h5compare *c, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

/* An HDF5 call failed.  Returns LARDER_EHDF5. */
int larder_h5compare_fail (struct larder_h5compare *c, const char *what, const char *doing);

/* Make both scratch buffers at least `size` bytes. */
int larder_h5compare_scratch (struct larder_h5compare *c, size_t size);

/* larder_h5compare_pairs.c: which object is which */
void larder_h5compare_pairs_free (struct larder_h5compare *c);
const struct larder_h5pair *larder_h5compare_find (const struct larder_h5compare *c, int side,
                                                   haddr_t address);
/* Hold two objects to be the same: a new pair, or one that must be known as such. */
int larder_h5compare_pair (struct larder_h5compare *c, const haddr_t address[2], H5O_type_t type,
                           const char *path, int by_reference);
/* The same of two open objects; compares their kinds first. */
int larder_h5compare_pair_ids (struct larder_h5compare *c, const hid_t id[2], const char *path,
                               int by_reference);

/* larder_h5compare_links.c: the links of two groups; pairs what they lead to */
int larder_h5compare_links (struct larder_h5compare *c, const hid_t id[2], const char *path);

/* larder_h5compare_names.c: names in the order in which they have to be compared */
struct larder_h5compare_names {
    char **name;
    size_t count, capacity;
    int failed; /* no memory */
};
void larder_h5compare_names_free (struct larder_h5compare_names *names);
int larder_h5compare_names_add (struct larder_h5compare_names *names, const char *name);
int larder_h5compare_names_links (struct larder_h5compare_names *names, hid_t group);
int larder_h5compare_names_attributes (struct larder_h5compare_names *names, hid_t object);

/* larder_h5compare_list.c: creation properties */
int larder_h5compare_object_list (struct larder_h5compare *c, const hid_t list[2],
                                  const char *what);
int larder_h5compare_group_list (struct larder_h5compare *c, const hid_t list[2], const char *what);
int larder_h5compare_filters (struct larder_h5compare *c, const hid_t list[2], const char *what);

/* larder_h5compare_file.c: what belongs to no object: superblock, user block, creation list */
int larder_h5compare_file (struct larder_h5compare *c, const char *const name[2]);

/* larder_h5compare_dcpl.c: a dataset's creation properties; types: its types, for fill values.
 * *moved is 1 when A keeps its data in other files and B does not. */
int larder_h5compare_dcpl (struct larder_h5compare *c, const hid_t list[2], const hid_t type[2],
                           const char *what, int *moved);

/* larder_h5compare_type.c: types, also which committed type they are */
int larder_h5compare_type (struct larder_h5compare *c, const hid_t type[2], const char *what);

/* larder_h5compare_space.c */
int larder_h5compare_extent (struct larder_h5compare *c, const hid_t space[2], const char *what);
int larder_h5compare_selected (struct larder_h5compare *c, const hid_t space[2], const char *what);

/* larder_h5compare_value.c: values in memory, by meaning where their bytes are pointers */
struct larder_h5compare_plan;
/* Plan of a type as it lies in memory.  *plan is NULL when there is no memory or HDF5 fails. */
struct larder_h5compare_plan *larder_h5compare_plan_make (hid_t type);
void larder_h5compare_plan_free (struct larder_h5compare_plan *plan);
/* 1: nothing but bytes; they may be compared as they are stored. */
int larder_h5compare_plan_fixed (const struct larder_h5compare_plan *plan);
int larder_h5compare_values (struct larder_h5compare *c, const struct larder_h5compare_plan *plan,
                             const void *a, const void *b, uint64_t count, const char *what);

/* larder_h5compare_reference.c: what references point to */
int larder_h5compare_reference (struct larder_h5compare *c, const void *a, const void *b,
                                const char *what);
int larder_h5compare_region (struct larder_h5compare *c, const void *a, const void *b,
                             const char *what);
/* 1 when an object reference of A points out of what is compared, 0 when not. */
int larder_h5compare_outside (struct larder_h5compare *c, const void *reference);

/* larder_h5compare_attribute.c: all attributes of two objects */
int larder_h5compare_attributes (struct larder_h5compare *c, const hid_t id[2], const char *what);

/* larder_h5compare_dataset.c and larder_h5compare_chunks.c: datasets without attributes */
int larder_h5compare_dataset (struct larder_h5compare *c, const hid_t id[2], const hid_t list[2],
                              const char *what);

struct larder_h5data {
    hid_t id[2];
    hid_t type[2];
    int rank;
    hsize_t dims[H5S_MAX_RANK];
    hsize_t chunk[H5S_MAX_RANK];
    size_t element; /* bytes in memory */
    const struct larder_h5compare_plan *plan;
    const char *what;
};
int larder_h5compare_chunks (struct larder_h5compare *c, const struct larder_h5data *d);
/* The values of one box (start NULL: of a scalar). */
int larder_h5compare_box (struct larder_h5compare *c, const struct larder_h5data *d,
                          const hsize_t *start, const hsize_t *count, uint64_t points);

#endif
