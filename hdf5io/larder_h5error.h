/* SPDX-License-Identifier: Apache-2.0 */
/* What libhdf5 says of a failure, folded into one line of a larder_error. */
#ifndef LARDER_H5ERROR_H
#define LARDER_H5ERROR_H

#include <hdf5.h>
#include <larder/error.h>

/** The printing that was in force before larder_h5error_quiet. */
struct larder_h5quiet {
    H5E_auto2_t print;
    void *data;
};

/** Suspend HDF5's own error printing; every entry from outside does this first.  May be nested. */
void larder_h5error_quiet (struct larder_h5quiet *quiet);

/** Restore what larder_h5error_quiet found. */
void larder_h5error_loud (const struct larder_h5quiet *quiet);

/** Fill err with the formatted text and, after ": ", the most specific line of HDF5's error stack.
 * To be called right after the HDF5 call that failed, before anything is closed: the next API call
 * clears the stack.  LARDER_EHDF5 becomes LARDER_ENOSPC, LARDER_ENOENT or LARDER_EIO when the stack
 * names such an errno, LARDER_ENOMEM when it ran out of memory.
 * \return the code, so that a caller can `return larder_h5error (...)`. */
int larder_h5error (larder_error *err, int code, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));

#endif
