/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a message: as they are, then with sizes and check made to fit, then with the refs' checks as well;
 * with a handler and without. */
#include "larder_test_again.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static const larder_registry *points (void)
{
    static struct codec_points self;
    static larder_registry *registry;
    const larder_handler handler = codec_handler (&self);
    larder_error e = {0};

    if (!registry && (larder_registry_new (&registry, &e) != LARDER_OK ||
                      larder_registry_add (registry, &handler, &e) != LARDER_OK))
        again_stop ("registry", &e);
    return registry;
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    unsigned char *copy = malloc (size ? size : 1);

    if (!copy)
        return 0;
    (void)again (data, size, NULL);
    for (int refs_too = 0; refs_too < 2 && size > 0; ++refs_too) {
        memcpy (copy, data, size);
        again_repair (copy, size, refs_too);
        (void)again (copy, size, NULL);
        (void)again (copy, size, points ());
    }
    free (copy);
    return 0;
}
