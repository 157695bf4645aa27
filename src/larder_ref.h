/* SPDX-License-Identifier: Apache-2.0 */
/* Making references; reading them is public (larder/ref.h).
 *
 * The 64 bytes, little-endian:
 *    0  2  magic "LR"            24  8  transaction
 *    2  1  version 1             32  4  generation
 *    3  1  flags, 0              36  4  type tag
 *    4  4  check                 40  8  first item
 *    8  8  session               48  8  item count
 *   16  4  owner                 56  4  via rank, 0xffffffff when not split
 *   20  4  object                60  4  share, 0 when not split
 * check is the low half of XXH3-64 over bytes 0..3 and 8..63. */
#ifndef LARDER_REF_PRIVATE_H
#define LARDER_REF_PRIVATE_H

#include <larder/ref.h>

/* Write an unsplit reference.  first_item + item_count must not overflow. */
void larder_ref_write (const larder_ref_info *info, larder_ref *ref);

#endif
