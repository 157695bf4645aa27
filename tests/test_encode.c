/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
/* larder_encode: what goes by reference, in one transaction, and what a failed encode leaves. */
#include "larder_mpimessage.h"

enum { LARGE = 100000, SMALL = 100 };

static const larder_config config = {.chunk_size = 64 << 10, .cache_size = 4 << 20};

static larder_encoded encode (larder *s, const larder_message *m, larder_receivers receivers,
                              const larder_encode_options *options)
{
    larder_encoded e = {0};
    larder_error err = {0};
    MPITEST_OK (larder_encode (s, m, receivers, options, &e, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL (e.bytes);
    return e;
}

/* ---------------------------------------------------------------- what goes by reference */

static void test_choice (void)
{
    larder_encode_options all = {.inline_max = -1}, exact = {.inline_max = 8 * SMALL},
                          above = {.inline_max = 8 * SMALL + 1};
    larder *s = mpiobject_open (&config);
    if (mpitest_rank == 0) {
        const struct {
            const larder_encode_options *options;
            uint64_t native, by_reference;
        } cases[] = {{NULL, 2, 1}, {&all, 0, 3}, {&exact, 1, 2}, {&above, 2, 1}};
        larder_message *m = mpimessage_new ();
        mpimessage_put (m, "large", 1, LARGE);
        mpimessage_put (m, "small", 2, SMALL);
        mpimessage_put (m, "empty", 3, 0);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
            larder_error err = {0};
            larder_encoded e = encode (s, m, LARDER_UNKNOWN, cases[i].options);
            CU_ASSERT_EQUAL (e.native, cases[i].native);
            CU_ASSERT_EQUAL (e.by_reference, cases[i].by_reference);
            CU_ASSERT_EQUAL (e.forwarded, 0);
            CU_ASSERT (e.transaction != 0);
            MPITEST_OK (larder_transaction_delete (s, e.transaction, &err), err);
            larder_encoded_free (&e);
            CU_ASSERT (!e.bytes && !e.size);
        }
        larder_message_free (&m);
    }
    mpiobject_close (&s);
}

/* Without large values any rank encodes, and nothing is begun; with them only owners do. */
static void test_not_an_owner (void)
{
    larder_error err = {0};
    larder *s = mpiobject_open (&config);
    larder_message *m = mpimessage_new ();
    mpimessage_put (m, "small", 2, SMALL);
    larder_encoded e = encode (s, m, LARDER_ALL, NULL), untouched = {.size = 7};
    CU_ASSERT (e.transaction == 0 && e.native == 1 && e.by_reference == 0);
    larder_message *got = mpimessage_decode (NULL, &e, NULL);
    mpimessage_has (got, "small", 2, SMALL);
    larder_message_free (&got);
    larder_encoded_free (&e);
    if (mpitest_rank) {
        mpimessage_put (m, "large", 1, LARGE);
        CU_ASSERT_EQUAL (larder_encode (s, m, LARDER_ALL, NULL, &untouched, &err), LARDER_EINVAL);
        CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "owners"));
        CU_ASSERT (untouched.size == 7 && !untouched.bytes);
    }
    larder_message_free (&m);
    mpiobject_close (&s);
}

/* The environment says that arrays always go inside. */
static void test_always_native (void)
{
    setenv ("LARDER_ARRAY_CHUNK_SIZE", "0", 1);
    larder *s = mpiobject_open (&config);
    if (mpitest_rank == 0) {
        larder_message *m = mpimessage_new ();
        mpimessage_put (m, "large", 1, LARGE);
        larder_encoded e = encode (s, m, LARDER_ALL, NULL);
        CU_ASSERT (e.native == 1 && e.by_reference == 0 && e.transaction == 0);
        CU_ASSERT (e.size > 8 * LARGE);
        larder_encoded_free (&e);
        setenv ("LARDER_ARRAY_CHUNK_SIZE", "many", 1);
        larder_error err = {0};
        CU_ASSERT (larder_encode (s, m, LARDER_ALL, NULL, &e, &err) < 0);
        CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "LARDER_ARRAY_CHUNK_SIZE"));
        larder_message_free (&m);
    }
    unsetenv ("LARDER_ARRAY_CHUNK_SIZE");
    mpiobject_close (&s);
}

/* ---------------------------------------------------------------- there and back */

static int freed;

static void count_free (void *data)
{
    ++freed;
    free (data);
}

static int ended;

static int on_done (void *self, uint64_t transaction, larder_done done)
{
    (void)transaction;
    ended += done == LARDER_DONE_FINISHED;
    CU_ASSERT_EQUAL (*(int *)self, 0); /* the data is still there */
    return LARDER_OK;
}

static void fill (larder_message *m)
{
    larder_error err = {0};
    larder_value v = {.kind = LARDER_KIND_ARRAY, .free_data = count_free};
    v.shape = larder_shape_make (LARDER_FLOAT64, LARGE, 0, 0);
    v.data = mpimessage_doubles (5, LARGE);
    MPITEST_OK (larder_message_set (m, "model/weights", &v, &err), err);
    MPITEST_OK (larder_message_copy (m, "model/again", m, "model/weights", &err), err);
    MPITEST_OK (larder_message_set_int (m, "round", 12, &err), err);
    MPITEST_OK (larder_message_set_string (m, "name", "coast", &err), err);
    mpimessage_put (m, "model/bias", 6, SMALL);
    mpimessage_put (m, "model/steps", 7, 3 * LARGE);
    mpimessage_put (m, "model/none", 8, 0);
}

static void check (const larder_message *m)
{
    larder_error err = {0};
    const void *a = NULL, *b = NULL;
    larder_shape shape;
    const char *name = NULL;
    int64_t round = 0;
    MPITEST_OK (larder_message_get_int (m, "round", &round, &err), err);
    MPITEST_OK (larder_message_get_string (m, "name", &name, &err), err);
    CU_ASSERT (round == 12 && strcmp (name, "coast") == 0);
    mpimessage_has (m, "model/weights", 5, LARGE);
    mpimessage_has (m, "model/bias", 6, SMALL);
    mpimessage_has (m, "model/steps", 7, 3 * LARGE);
    mpimessage_has (m, "model/none", 8, 0);
    MPITEST_OK (larder_message_get_array (m, "model/weights", LARDER_FLOAT64, &shape, &a, &err),
                err);
    MPITEST_OK (larder_message_get_array (m, "model/again", LARDER_FLOAT64, &shape, &b, &err), err);
    CU_ASSERT_PTR_EQUAL (a, b); /* one value by two names */
}

static void round_trip (int64_t inline_max)
{
    larder_encoded e = {0};
    freed = ended = 0;
    larder *s = mpiobject_open (&config);
    if (mpitest_rank == 0) {
        larder_encode_options options = {
            .inline_max = inline_max,
            .transaction = {.self = &freed, .transaction_done = on_done, .name = "model"}};
        larder_message *m = mpimessage_new ();
        fill (m);
        e = encode (s, m, LARDER_EVERY_RANK, &options);
        CU_ASSERT_EQUAL (e.by_reference + e.native, 4);
        larder_message_free (&m); /* what it owned lives on */
        CU_ASSERT_EQUAL (freed, 0);
    }
    mpimessage_share (&e, 0);
    larder_message *got = mpimessage_decode (s, &e, NULL);
    check (got);
    CU_ASSERT_EQUAL (larder_message_has_lazy (got, ""), 0);
    larder_message_free (&got);
    if (mpitest_rank == 0) {
        larder_receipt *r = NULL;
        mpimessage_serve (s);
        mpimessage_receipt (s, &e, &r);
        CU_ASSERT (ended == 1 && freed == 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL (r);
        CU_ASSERT_EQUAL (r->verdict, LARDER_VERDICT_COMPLETED);
        CU_ASSERT (r->objects == 1 && r->receivers == mpitest_size);
        for (int i = 0; i < mpitest_size; ++i)
            CU_ASSERT_EQUAL (r->object[0].lines[i].verdict, LARDER_RECEIVER_SUCCEEDED);
        larder_receipt_free (&r);
    }
    larder_encoded_free (&e);
    mpiobject_close (&s);
}

static void test_round_trip (void)
{
    round_trip (0);
    round_trip (-1);
}

struct heard {
    int started, completed, outcomes;
    uint64_t transaction;
};

static void on_event (void *self, const larder_event *event)
{
    struct heard *h = self;
    h->started += event->state == LARDER_EVENT_STARTED;
    h->completed += event->state == LARDER_EVENT_COMPLETED;
    CU_ASSERT (event->owner == 0 && event->receiver < mpitest_size);
}

static int on_outcome (void *self, const larder_receipt *receipt)
{
    struct heard *h = self;
    ++h->outcomes;
    h->transaction = receipt->transaction;
    CU_ASSERT_STRING_EQUAL (receipt->object[0].name, "weights of round 12");
    return LARDER_OK;
}

static void test_callbacks (void)
{
    larder_encoded e = {0};
    struct heard h = {0};
    larder *s = mpiobject_open (&config);
    if (mpitest_rank == 0) {
        larder_encode_options options = {.transaction = {.name = "weights of round 12",
                                                         .self = &h,
                                                         .progress = on_event,
                                                         .outcome = on_outcome,
                                                         .min_receivers = 1}};
        larder_message *m = mpimessage_new ();
        fill (m);
        e = encode (s, m, LARDER_EVERY_RANK, &options);
        larder_message_free (&m);
    }
    mpimessage_share (&e, 0);
    larder_message *got = mpimessage_decode (s, &e, NULL);
    check (got);
    larder_message_free (&got);
    if (mpitest_rank == 0) {
        larder_receipt *r = NULL;
        mpimessage_receipt (s, &e, &r);
        CU_ASSERT (r && r->quorum_met && r->min_receivers == 1);
        larder_receipt_free (&r);
        CU_ASSERT (h.started == mpitest_size && h.completed == mpitest_size && h.outcomes == 1);
        CU_ASSERT_EQUAL (h.transaction, e.transaction);
    }
    larder_encoded_free (&e);
    mpiobject_close (&s);
}

/* A type's own chunk size is within the session's. */
static void test_chunk_sizes (void)
{
    static const struct {
        const char *text;
        int code;
    } cases[] = {{"8KiB", LARDER_OK}, {"64KiB", LARDER_OK}, {"65KiB", LARDER_ERANGE}};
    larder *s = mpiobject_open (&config);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        larder_encoded e = {0};
        larder_error err = {0};
        setenv ("LARDER_ARRAY_CHUNK_SIZE", cases[i].text, 1);
        if (mpitest_rank == 0) {
            larder_message *m = mpimessage_new ();
            mpimessage_put (m, "large", 1, LARGE);
            CU_ASSERT_EQUAL (larder_encode (s, m, LARDER_EVERY_RANK, NULL, &e, &err),
                             cases[i].code);
            larder_message_free (&m);
        }
        mpimessage_share (&e, 0);
        if (cases[i].code != LARDER_OK)
            continue;
        larder_message *got = mpimessage_decode (s, &e, NULL);
        mpimessage_has (got, "large", 1, LARGE);
        larder_message_free (&got);
        if (mpitest_rank == 0)
            mpimessage_serve (s);
        larder_encoded_free (&e);
    }
    unsetenv ("LARDER_ARRAY_CHUNK_SIZE");
    mpiobject_close (&s);
}

/* One message, two encodes: two transactions, and who gets one of them gets all. */
static void test_twice (void)
{
    larder_encoded e[2] = {{0}};
    larder *s = mpiobject_open (&config);
    freed = 0;
    if (mpitest_rank == 0) {
        larder_message *m = mpimessage_new ();
        fill (m);
        for (int i = 0; i < 2; ++i)
            e[i] = encode (s, m, LARDER_ALL, NULL);
        CU_ASSERT_NOT_EQUAL (e[0].transaction, e[1].transaction);
        larder_message_free (&m);
    }
    for (int i = 0; i < 2; ++i)
        mpimessage_share (&e[i], 0);
    for (int i = 2; mpitest_rank && i-- > 0;) {
        larder_message *got = mpimessage_decode (s, &e[i], NULL);
        check (got);
        larder_message_free (&got);
    }
    if (mpitest_rank == 0 && mpitest_size > 1) {
        mpimessage_serve (s);
        CU_ASSERT_EQUAL (freed, 1);
    }
    for (int i = 0; i < 2; ++i)
        larder_encoded_free (&e[i]);
    mpiobject_close (&s);
    if (mpitest_rank == 0)
        CU_ASSERT_EQUAL (freed, 1);
}

/* ---------------------------------------------------------------- a handler of our own, which fails */

/* Its values are texts; native they travel backwards. */
struct words {
    int fail, made, released, count_more;
};

static int words_describe (void *self, const void *value, larder_shape *shape, uint64_t *size,
                           larder_error *err)
{
    const struct words *w = self;
    *size = strlen (value);
    *shape = larder_shape_make (LARDER_UINT8, *size ? *size : 1, 0, 0);
    return w->fail == 'd' ? larder_error_set (err, LARDER_EIO, 0, "no description") : LARDER_OK;
}

static int words_native (void *self, const void *value, void *buffer, uint64_t size,
                         larder_error *err)
{
    const struct words *w = self;
    for (uint64_t i = 0; i < size; ++i)
        ((char *)buffer)[i] = ((const char *)value)[size - 1 - i];
    return w->fail == 'w' ? larder_error_set (err, LARDER_EIO, 0, "no ink") : LARDER_OK;
}

static int words_read (void *self, const larder_shape *shape, const void *data, uint64_t size,
                       larder_made *made, larder_error *err)
{
    (void)self;
    (void)shape;
    (void)err;
    char *text = calloc (1, size + 1);
    for (uint64_t i = 0; i < size; ++i)
        text[i] = ((const char *)data)[size - 1 - i];
    *made = (larder_made){.value = text, .free_value = free};
    return LARDER_OK;
}

struct words_object {
    struct words *words;
    uint64_t count;
    const char *value[16];
};

static int words_items (void *self, uint64_t *count, larder_error *err)
{
    const struct words_object *o = self;
    *count = o->count + (uint64_t)o->words->count_more;
    return o->words->fail == 'c' ? larder_error_set (err, LARDER_EIO, 0, "cannot count")
                                 : LARDER_OK;
}

static int words_size (void *self, uint64_t item, uint64_t *size, larder_error *err)
{
    const struct words_object *o = self;
    (void)err;
    *size = strlen (o->value[item]);
    return LARDER_OK;
}

static int words_produce (void *self, uint64_t item, uint64_t offset, void *buffer, size_t capacity,
                          size_t *produced, int *last, larder_error *err)
{
    const struct words_object *o = self;
    (void)last;
    (void)err;
    memcpy (buffer, o->value[item] + offset, capacity);
    *produced = capacity;
    return LARDER_OK;
}

static void words_release (void *self)
{
    struct words_object *o = self;
    ++o->words->released;
    free (o);
}

static int words_object (void *self, const void *const *values, size_t count, larder_object *object,
                         uint64_t *items, larder_error *err)
{
    static const larder_object_ops ops = {.item_count = words_items,
                                          .item_size = words_size,
                                          .produce_item = words_produce,
                                          .release = words_release};
    static const larder_object_ops unsized = {
        .item_count = words_items, .produce_item = words_produce, .release = words_release};
    struct words *w = self;
    if (w->fail == 'o')
        return larder_error_set (err, LARDER_EIO, 0, "no object");
    struct words_object *o = calloc (1, sizeof *o);
    CU_ASSERT_FATAL (o && count <= 16);
    *o = (struct words_object){.words = w, .count = count};
    for (size_t i = 0; i < count; ++i) {
        o->value[i] = values[i];
        items[i] = 1;
    }
    ++w->made;
    *object = (larder_object){.ops = w->fail == 'u' ? &unsized : &ops, .self = o, .name = "words"};
    return LARDER_OK;
}

static int words_consume (void *self, const larder_view *view, larder_error *err)
{
    (void)err;
    strncat (self, view->data, view->size);
    return LARDER_OK;
}

static int words_receive (void *self, const larder_lazy *lazy, larder_consumer *consumer,
                          larder_error *err)
{
    (void)self;
    (void)err;
    *consumer =
        (larder_consumer){.self = calloc (1, lazy->size + 1), .consume_items = words_consume};
    return LARDER_OK;
}

static int words_finish (void *self, void *received, larder_made *made, larder_error *err)
{
    (void)self;
    (void)err;
    *made = (larder_made){.value = received, .free_value = free};
    return LARDER_OK;
}

static void words_abandon (void *self, void *received)
{
    (void)self;
    free (received);
}

static larder_registry *words_registry (struct words *w)
{
    larder_registry *registry = NULL;
    larder_error err = {0};
    larder_handler handler = {.dot = LARDER_DOT_USER + 3,
                              .name = "words",
                              .self = w,
                              .describe = words_describe,
                              .make_object = words_object,
                              .write_native = words_native,
                              .read_native = words_read,
                              .receive = words_receive,
                              .finish = words_finish,
                              .abandon = words_abandon};
    MPITEST_OK (larder_registry_new (&registry, &err), err);
    MPITEST_OK (larder_registry_add (registry, &handler, &err), err);
    return registry;
}

static void put_word (larder_message *m, const char *path, const char *word)
{
    larder_error err = {0};
    larder_value v = {.kind = LARDER_KIND_TYPED, .dot = LARDER_DOT_USER + 3, .data = word};
    MPITEST_OK (larder_message_set (m, path, &v, &err), err);
}

static void test_own_handler (void)
{
    struct words w = {0};
    larder_encoded e = {0};
    larder_registry *registry = words_registry (&w);
    larder *s = mpiobject_open (&config);
    for (int64_t inline_max = -1; inline_max <= 6;
         inline_max += 7) { /* none, and the shorter one */
        w = (struct words){0};
        if (mpitest_rank == 0) {
            larder_encode_options options = {.registry = registry, .inline_max = inline_max};
            larder_message *m = mpimessage_new ();
            put_word (m, "words/first", "short");
            put_word (m, "words/second", "longer word");
            mpimessage_put (m, "between", 4, LARGE);
            e = encode (s, m, LARDER_EVERY_RANK, &options);
            CU_ASSERT_EQUAL (e.by_reference, inline_max < 0 ? 3 : 2);
            CU_ASSERT_EQUAL (w.made, 1); /* one object of all of them */
            larder_message_free (&m);
        }
        mpimessage_share (&e, 0);
        larder_resolve_options options = {.registry = registry};
        larder_message *got = mpimessage_decode (s, &e, &options);
        larder_value v;
        larder_error err = {0};
        MPITEST_OK (larder_message_get (got, "words/first", &v, &err), err);
        CU_ASSERT (v.kind == LARDER_KIND_TYPED && v.dot == LARDER_DOT_USER + 3);
        CU_ASSERT_STRING_EQUAL ((const char *)v.data, "short");
        MPITEST_OK (larder_message_get (got, "words/second", &v, &err), err);
        CU_ASSERT_STRING_EQUAL ((const char *)v.data, "longer word");
        mpimessage_has (got, "between", 4, LARGE);
        larder_message_free (&got);
        /* Who does not know the type is told, and its owner with it. */
        if (mpitest_rank == 0) {
            mpimessage_serve (s);
            CU_ASSERT_EQUAL (w.released, 1);
        }
        larder_encoded_free (&e);
    }
    larder_registry_free (&registry);
    mpiobject_close (&s);
}

/* Whatever fails, nothing is left: with room for one transaction and one object the next encode works. */
static void test_nothing_left (void)
{
    larder_config tight = config;
    tight.max_transactions = tight.max_objects = 1;
    struct words w = {0};
    larder_registry *registry = words_registry (&w);
    larder *s = mpiobject_open (&tight);
    if (mpitest_rank == 0) {
        static const struct {
            char what;
            int code;
        } faults[] = {{'d', LARDER_EIO}, {'w', LARDER_EIO},     {'o', LARDER_EIO},
                      {'c', LARDER_EIO}, {'u', LARDER_ENOTSUP}, {'+', LARDER_EHANDLER}};
        larder_error err = {0};
        larder_encoded e = {0};
        larder_encode_options options = {
            .registry = registry,
            .inline_max = 7,
            .transaction = {.self = &freed, .transaction_done = on_done}};
        larder_message *m = mpimessage_new ();
        ended = freed = 0;
        put_word (m, "native", "short");
        put_word (m, "reference", "longer word");
        mpimessage_put (m, "array", 4, LARGE);
        for (size_t i = 0; i < sizeof faults / sizeof *faults; ++i) {
            w = (struct words){.fail = faults[i].what, .count_more = faults[i].what == '+'};
            CU_ASSERT_EQUAL (larder_encode (s, m, LARDER_UNKNOWN, &options, &e, &err),
                             faults[i].code);
            CU_ASSERT (err.rank == 0 && strncmp (err.text, "rank 0: ", 8) == 0);
            CU_ASSERT (strncmp (err.text + 8, "rank 0: ", 8) != 0);
            CU_ASSERT_EQUAL (w.made, w.released);
            CU_ASSERT (!e.bytes && !e.transaction);
        }
        w = (struct words){0};
        options.transaction.timeout_s = -1;
        CU_ASSERT_EQUAL (larder_encode (s, m, LARDER_UNKNOWN, &options, &e, &err), LARDER_EINVAL);
        CU_ASSERT (w.made == 1 && w.released == 1);
        options.transaction.timeout_s = 0;
        CU_ASSERT_EQUAL (larder_encode (s, m, LARDER_COUNT (-7), &options, &e, &err),
                         LARDER_EINVAL);
        CU_ASSERT_EQUAL (ended, 0);
        e = encode (s, m, LARDER_UNKNOWN, &options);
        larder_encoded second = {0};
        CU_ASSERT_EQUAL (larder_encode (s, m, LARDER_UNKNOWN, &options, &second, &err),
                         LARDER_EBUSY);
        CU_ASSERT_EQUAL (w.made, w.released + 1);
        MPITEST_OK (larder_transaction_delete (s, e.transaction, &err), err);
        CU_ASSERT_EQUAL (w.made, w.released);
        larder_encoded_free (&e);
        larder_message_free (&m);
    }
    larder_registry_free (&registry);
    mpiobject_close (&s);
}

static void test_bad_arguments (void)
{
    larder_error err = {0};
    larder_encoded e = {0};
    larder *s = mpiobject_open (&config);
    larder_message *m = mpimessage_new ();
    CU_ASSERT_EQUAL (larder_encode (NULL, m, LARDER_ALL, NULL, &e, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_encode (s, NULL, LARDER_ALL, NULL, &e, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_encode (s, m, LARDER_ALL, NULL, NULL, &err), LARDER_EINVAL);
    larder_encoded_free (NULL);
    larder_value v = {.kind = LARDER_KIND_TYPED, .dot = 999, .data = "x"};
    MPITEST_OK (larder_message_set (m, "unknown", &v, &err), err);
    CU_ASSERT_EQUAL (larder_encode (s, m, LARDER_ALL, NULL, &e, &err), LARDER_EHANDLER);
    CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "999"));
    larder_message_free (&m);
    mpiobject_close (&s);
}

int main (int argc, char **argv)
{
    static const struct larder_test tests[] = {
        {"choice", test_choice},
        {"not an owner", test_not_an_owner},
        {"always native", test_always_native},
        {"round trip", test_round_trip},
        {"callbacks", test_callbacks},
        {"chunk sizes", test_chunk_sizes},
        {"twice", test_twice},
        {"own handler", test_own_handler},
        {"nothing is left", test_nothing_left},
        {"bad arguments", test_bad_arguments},
        {NULL, NULL},
    };
    return mpitest_main (argc, argv, "encode", tests);
}
