/* SPDX-License-Identifier: Apache-2.0 */
/* Values of HDF5 datasets in messages: a dataset of a file, or a placeholder that reads it from its owner.  Both
 * begin with what they are, since a message has no more than a pointer. */
#ifndef LARDER_H5VALUE_H
#define LARDER_H5VALUE_H

enum larder_h5value_is {
    LARDER_H5VALUE_FILE = 0x4c483546,
    LARDER_H5VALUE_PLACEHOLDER = 0x4c483550
};

struct larder_h5value_kind {
    enum larder_h5value_is is;
};

#endif
