/* SPDX-License-Identifier: Apache-2.0 */
/** \file The version of the headers. */
#ifndef LARDER_VERSION_H
#define LARDER_VERSION_H

#define LARDER_VERSION_MAJOR  0
#define LARDER_VERSION_MINOR  1
#define LARDER_VERSION_PATCH  0
#define LARDER_VERSION_STRING "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif
/** The version of the library that is linked.  Collective: no.  Thread: any.  Blocks: no.
 * \return A static text, "0.1.0" for example. */
const char *larder_version (void);
#ifdef __cplusplus
}
#endif
#endif
