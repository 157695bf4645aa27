/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_batch.h"
#include <stdlib.h>
#include <string.h>

/* A value with what it is sorted by. */
struct key {
    struct larder_batched value;
    larder_ref_info info;
};

struct collecting {
    struct key *keys;
    uint64_t count, room, order;
    int (*wanted) (const struct larder_datum *datum);
    larder_error *err;
};

enum { SEEN = 1 }; /* datum->mark */

static int collect (void *self, struct larder_datum *datum)
{
    struct collecting *c = self;
    uint64_t order = c->order++;
    if (!datum->has_ref || datum->mark == SEEN || (c->wanted && !c->wanted (datum)))
        return LARDER_OK;
    if (c->count == c->room) {
        uint64_t room = c->room ? 2 * c->room : 16;
        struct key *keys = realloc (c->keys, room * sizeof *keys);
        if (!keys)
            return larder_error_set (c->err, LARDER_ENOMEM, 0, "message: no memory");
        c->keys = keys;
        c->room = room;
    }
    struct key *k = &c->keys[c->count];
    int rc = larder_ref_read (&datum->ref, &k->info, c->err);
    if (rc != LARDER_OK)
        return rc;
    k->value = (struct larder_batched){.datum = datum, .order = order};
    ++c->count;
    datum->mark = SEEN;
    return LARDER_OK;
}

static int compare_numbers (uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

/* By object. */
static int compare_objects (const larder_ref_info *a, const larder_ref_info *b)
{
    int d = compare_numbers (a->session, b->session);
    d = d ? d : compare_numbers (a->owner, b->owner);
    d = d ? d : compare_numbers (a->transaction, b->transaction);
    d = d ? d : compare_numbers (a->object, b->object);
    return d ? d : compare_numbers (a->generation, b->generation);
}

static int compare (const void *left, const void *right)
{
    const struct key *a = left, *b = right;
    const struct larder_datum *x = a->value.datum, *y = b->value.datum;
    int d = compare_objects (&a->info, &b->info);
    d = d ? d : memcmp (&x->ref, &y->ref, sizeof x->ref);
    d = d ? d : compare_numbers (x->first, y->first);
    d = d ? d : compare_numbers (x->count, y->count);
    return d ? d : compare_numbers (a->value.order, b->value.order);
}

static int cut (const struct collecting *c, struct larder_batches *out, larder_error *err)
{
    uint64_t n = c->count;
    out->values = calloc (n ? n : 1, sizeof *out->values);
    out->batch = calloc (n ? n : 1, sizeof *out->batch);
    if (!out->values || !out->batch)
        return larder_error_set (err, LARDER_ENOMEM, 0, "message: no memory");
    out->value_count = n;
    for (uint64_t i = 0; i < n; ++i) {
        out->values[i] = c->keys[i].value;
        if (i == 0 || compare_objects (&c->keys[i - 1].info, &c->keys[i].info) != 0)
            out->batch[out->count++] = (struct larder_batch){.values = &out->values[i]};
        ++out->batch[out->count - 1].count;
    }
    return LARDER_OK;
}

/* Other values of the message may be of the same objects. */
struct looking {
    const struct collecting *keys;
    struct larder_batches *batches;
};

static int look (void *self, struct larder_datum *datum)
{
    struct looking *l = self;
    larder_ref_info info;
    int on_disk = datum->kind == LARDER_KIND_LAZY && datum->data;
    if (!datum->has_ref || datum->mark == SEEN || on_disk ||
        larder_ref_read (&datum->ref, &info, NULL) != LARDER_OK)
        return 0;
    uint64_t key = 0;
    for (uint64_t i = 0; i < l->batches->count; key += l->batches->batch[i++].count)
        if (compare_objects (&l->keys->keys[key].info, &info) == 0)
            l->batches->batch[i].rest = 1;
    return 0;
}

int larder_batch_sort (const larder_message *message, const struct larder_node *place,
                       int (*wanted) (const struct larder_datum *datum),
                       struct larder_batches *batches, larder_error *err)
{
    struct collecting c = {.wanted = wanted, .err = err};
    struct larder_batches out = {0};
    int rc = larder_message_data (place, collect, &c);
    if (rc == LARDER_OK && c.count)
        qsort (c.keys, c.count, sizeof *c.keys, compare);
    if (rc == LARDER_OK)
        rc = cut (&c, &out, err);
    if (rc == LARDER_OK)
        (void)larder_message_data (&message->root, look,
                                   &(struct looking){.keys = &c, .batches = &out});
    for (uint64_t i = 0; i < c.count; ++i)
        c.keys[i].value.datum->mark = 0;
    free (c.keys);
    if (rc != LARDER_OK)
        larder_batch_free (&out);
    else
        *batches = out;
    return rc;
}

void larder_batch_free (struct larder_batches *batches)
{
    free (batches->values);
    free (batches->batch);
    *batches = (struct larder_batches){0};
}
