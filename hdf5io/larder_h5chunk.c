/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_h5chunk.h"

#include <string.h>

struct search {
    const char *text;
    int found;
};

static herr_t innermost (unsigned n, const H5E_error2_t *entry, void *data)
{
    struct search *search = data;
    (void)n;
    search->found = entry->desc && strstr (entry->desc, search->text) != NULL;
    return 1; /* no further */
}

/* Is this what failed?  Failures of the look-up itself lie deeper. */
static int says (const char *text)
{
    struct search search = {text, 0};
    return H5Ewalk2 (H5E_DEFAULT, H5E_WALK_UPWARD, innermost, &search) >= 0 && search.found;
}

int larder_h5chunk_size (hid_t dataset, const hsize_t *at, hsize_t *size)
{
    *size = 0;
    if (H5Dget_chunk_storage_size (dataset, at, size) >= 0)
        return 0;
    *size = 0;
    /* Of a dataset without any chunk it says 0, of one with others it calls the chunk's absence a
     * failure. */
    return says ("chunk storage is not allocated") || says ("chunk address isn't defined") ? 0 : -1;
}

int larder_h5chunk_read (hid_t dataset, const hsize_t *at, uint32_t *mask, void *buffer,
                         int *written)
{
    *mask = 0;
    *written = H5Dread_chunk (dataset, H5P_DEFAULT, at, mask, buffer) >= 0;
    return *written || says ("chunk address isn't defined") ? 0 : -1;
}
