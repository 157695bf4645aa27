/* SPDX-License-Identifier: Apache-2.0 */
/* The handler of arrays in memory, DOT LARDER_DOT_ARRAY, name "array".  Unlike others its functions get as `value`
 * a `const struct larder_datum *`: an array is nothing without its shape.  It has no read_native:
 * decoded arrays point into the message's data section. */
#ifndef LARDER_ARRAYS_H
#define LARDER_ARRAYS_H

#include <larder/handler.h>

/* Static, without a chunk size of its own. */
const larder_handler *larder_arrays_handler (void);

#endif
