/* SPDX-License-Identifier: Apache-2.0 */
/* HDF5 datasets in messages: short ways to set and get them, and to register their handler. */
#include "larder_h5value.h"

#include <larder/hdf5.h>

int larder_h5_registry_add (larder_registry *registry, larder_error *err)
{
    larder_handler handler = larder_h5_handler ();
    return larder_registry_add (registry, &handler, err);
}

int larder_message_set_h5_dataset (larder_message *message, const char *path, const char *file,
                                   const char *dataset, larder_error *err)
{
    larder_h5_value *made = NULL;
    int rc = larder_h5_value_new (file, dataset, 0, &made, err);
    if (rc)
        return rc;
    larder_value value = {.kind = LARDER_KIND_TYPED,
                          .dot = LARDER_DOT_H5_DATASET,
                          .data = made,
                          .free_data = larder_h5_value_free};
    rc = larder_message_set (message, path, &value, err);
    if (rc)
        larder_h5_value_free (made);
    return rc;
}

int larder_message_get_h5_dataset (const larder_message *message, const char *path,
                                   larder_h5_dataset **dataset, larder_error *err)
{
    larder_value value;
    if (!dataset)
        return larder_error_set (err, LARDER_EINVAL, 0,
                                 "larder_message_get_h5_dataset: invalid argument");
    int rc = larder_message_get (message, path, &value, err);
    if (rc)
        return rc;
    const struct larder_h5value_kind *kind =
        value.kind == LARDER_KIND_TYPED && value.dot == LARDER_DOT_H5_DATASET ? value.data : NULL;
    if (!kind || kind->is != LARDER_H5VALUE_PLACEHOLDER)
        return larder_error_set (err, LARDER_EKIND, 0, "%s is %s, no placeholder of a dataset",
                                 path, larder_kind_name (value.kind));
    *dataset = (larder_h5_dataset *)kind;
    return LARDER_OK;
}
