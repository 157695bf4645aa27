/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LARDER_OBJECT_PRIVATE_H
#define LARDER_OBJECT_PRIVATE_H

#include <larder/object.h>

/* Whether an object can be offered: its required functions are there and its flags do not
 * contradict each other.  Returns LARDER_OK, LARDER_EINVAL. */
int larder_object_check (const larder_object *object, larder_error *err);

#endif
