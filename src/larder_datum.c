/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_message.h"
#include <stdlib.h>
#include <string.h>

/* Bytes of a shape up to its last dimension. */
static size_t shape_bytes (int ndims)
{
    return offsetof (larder_shape, dims) + (size_t)ndims * sizeof (uint64_t);
}

struct larder_datum *larder_datum_new (int dot, larder_kind kind, const larder_shape *shape)
{
    static const larder_shape none = {0};
    size_t whole, bytes;
    struct larder_datum *d;

    if (!shape)
        shape = &none;
    bytes = shape_bytes (shape->ndims);
    whole = offsetof (struct larder_datum, shape) + bytes;
    d = calloc (1, whole);
    if (!d)
        return NULL;
    d->dot = dot;
    d->kind = kind;
    memcpy ((char *)d + offsetof (struct larder_datum, shape), shape, bytes);
    return d;
}

void larder_datum_free (struct larder_datum *datum)
{
    if (!datum)
        return;
    larder_blob_drop (datum->blob);
    free (datum);
}

void larder_datum_shape (const struct larder_datum *datum, larder_shape *shape)
{
    memset (shape, 0, sizeof *shape);
    memcpy (shape, (const char *)datum + offsetof (struct larder_datum, shape),
            shape_bytes (datum->shape.ndims));
}

void larder_datum_lazy (const struct larder_datum *datum, larder_lazy *lazy)
{
    memset (lazy, 0, sizeof *lazy);
    lazy->dot = datum->dot;
    lazy->size = datum->size;
    larder_datum_shape (datum, &lazy->shape);
    if (!datum->has_ref)
        return;
    /* No items cannot be said by a ref. */
    if (datum->count == 0 ||
        larder_ref_items (&datum->ref, datum->first, datum->count, &lazy->ref, NULL) != LARDER_OK)
        lazy->ref = datum->ref;
}
