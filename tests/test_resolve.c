/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
/* larder_decode and larder_resolve: lazy refs become values, one place or all, in memory or on disk. */
#include "larder_mpimessage.h"
#include <dirent.h>

enum { TAG_MESSAGE = 7, TAG_GO = 8, TAG_DONE = 9, LARGE = 40000, DOT_TEXT = LARDER_DOT_USER };

static const int everybody[] = {0, 1, 2, 3};
static const larder_resolve_options lazily = {.pass_through = 1};

static larder *open_session (void)
{
    larder_config config = {.chunk_size = 64 << 10,
                            .cache_size = 8 << 20,
                            .owners = everybody,
                            .owner_count = mpitest_size};
    return mpiobject_open (&config);
}

static larder_encoded encode (larder *s, const larder_message *m, larder_receivers receivers)
{
    larder_encoded e = {0};
    larder_error err = {0};
    MPITEST_OK (larder_encode (s, m, receivers, NULL, &e, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL (e.bytes);
    return e;
}

/* Four large arrays, two of them under one parent, one named twice, and a small one. */
static void fill (larder_message *m, uint64_t salt)
{
    larder_error err = {0};
    mpimessage_put (m, "a/0", salt, LARGE);
    mpimessage_put (m, "a/1", salt + 1, LARGE);
    mpimessage_put (m, "b", salt + 2, 2 * LARGE);
    mpimessage_put (m, "c", salt + 3, LARGE);
    mpimessage_put (m, "small", salt + 4, 3);
    MPITEST_OK (larder_message_copy (m, "b again", m, "b", &err), err);
}

static void check (const larder_message *m, uint64_t salt)
{
    mpimessage_has (m, "a/0", salt, LARGE);
    mpimessage_has (m, "a/1", salt + 1, LARGE);
    mpimessage_has (m, "b", salt + 2, 2 * LARGE);
    mpimessage_has (m, "b again", salt + 2, 2 * LARGE);
    mpimessage_has (m, "c", salt + 3, LARGE);
    mpimessage_has (m, "small", salt + 4, 3);
}

static larder_encoded offer (larder *s, uint64_t salt, larder_receivers receivers)
{
    larder_message *m = mpimessage_new ();
    fill (m, salt);
    larder_encoded e = encode (s, m, receivers);
    larder_message_free (&m);
    return e;
}

static uint64_t consumed (larder *s)
{
    larder_stats stats;
    CU_ASSERT_EQUAL (larder_session_get_stats (s, &stats), LARDER_OK);
    return stats.bytes_consumed;
}

/* The owner's transaction ended with everybody having everything. */
static void check_complete (larder *s, const larder_encoded *e)
{
    larder_receipt *r = NULL;
    mpimessage_receipt (s, e, &r);
    CU_ASSERT (r && r->verdict == LARDER_VERDICT_COMPLETED);
    larder_receipt_free (&r);
}

/* ---------------------------------------------------------------- some, and all */

static void test_some (void)
{
    larder_error err = {0};
    larder_encoded e = {0};
    larder *s = open_session ();
    if (mpitest_rank == 0)
        e = offer (s, 1, LARDER_ALL);
    mpimessage_share (&e, 0);
    if (mpitest_rank) {
        larder_message *m = mpimessage_decode (s, &e, &lazily);
        CU_ASSERT_EQUAL (larder_resolve (s, m, "nowhere", NULL, &err), LARDER_ENOENT);
        MPITEST_OK (larder_resolve (s, m, "small", NULL, &err), err);
        CU_ASSERT_EQUAL (consumed (s), 0);
        MPITEST_OK (larder_resolve (s, m, "b again", NULL, &err), err);
        CU_ASSERT_EQUAL (consumed (s), 16 * LARGE);
        mpimessage_has (m, "b", 3, 2 * LARGE); /* the same value by its other name */
        CU_ASSERT_EQUAL (mpimessage_kind (m, "a/0"), LARDER_KIND_LAZY);
        MPITEST_OK (larder_resolve (s, m, "a/1", NULL, &err), err);
        mpimessage_has (m, "a/1", 2, LARGE);
        CU_ASSERT_EQUAL (mpimessage_kind (m, "a/0"), LARDER_KIND_LAZY);
        if (mpitest_rank == 1) /* what was only partly resolved is not done with */
            mpiobject_tell (0, TAG_DONE);
        MPITEST_OK (larder_resolve (s, m, "", NULL, &err), err);
        CU_ASSERT_EQUAL (consumed (s), 40 * LARGE);
        check (m, 1);
        MPITEST_OK (larder_resolve (s, m, "", NULL, &err), err); /* nothing is left to do */
        CU_ASSERT_EQUAL (consumed (s), 40 * LARGE);
        larder_message_free (&m);
    } else if (mpitest_size > 1) {
        mpiobject_serve_until (s, 1, TAG_DONE);
        check_complete (s, &e);
    }
    larder_encoded_free (&e);
    mpiobject_close (&s);
}

/* Everybody owns, everybody decodes what the others have: two ranks that download from each other both
 * finish, and values of several owners come in one go. */
static void test_all_own (void)
{
    larder_error err = {0};
    char name[16];
    larder *s = open_session ();
    larder_encoded mine = offer (s, 1000 * (uint64_t)mpitest_rank, LARDER_EVERY_RANK);
    larder_message *all = mpimessage_new ();
    for (int r = 0; r < mpitest_size; ++r) {
        larder_encoded e = {0};
        if (r == mpitest_rank)
            e = mine;
        mpimessage_share (&e, r);
        larder_message *m = mpimessage_decode (s, &e, &lazily);
        sprintf (name, "%d", r);
        MPITEST_OK (larder_message_copy (all, name, m, "", &err), err);
        larder_message_free (&m);
        if (r != mpitest_rank)
            larder_encoded_free (&e);
    }
    MPITEST_OK (larder_resolve (s, all, "", NULL, &err), err);
    for (int r = 0; r < mpitest_size; ++r) {
        larder_message *m = mpimessage_new ();
        sprintf (name, "%d", r);
        MPITEST_OK (larder_message_copy (m, "", all, name, &err), err);
        check (m, 1000 * (uint64_t)r);
        larder_message_free (&m);
    }
    CU_ASSERT_EQUAL (consumed (s), (uint64_t)mpitest_size * 40 * LARGE);
    check_complete (s, &mine);
    larder_message_free (&all);
    larder_encoded_free (&mine);
    mpiobject_close (&s);
}

/* Bytes may be decoded again as long as the offer lives; afterwards the data is gone, and that is said. */
static void test_again (void)
{
    larder_error err = {0};
    larder_encoded e = {0};
    larder_message *m = NULL;
    if (mpitest_size < 2)
        return;
    larder *s = open_session ();
    if (mpitest_rank == 0)
        e = offer (s, 1, LARDER_UNKNOWN);
    mpimessage_share (&e, 0);
    for (int i = 0; mpitest_rank && i < 2; ++i) {
        m = mpimessage_decode (s, &e, NULL);
        check (m, 1);
        larder_message_free (&m);
    }
    if (mpitest_rank == 0) {
        mpiobject_serve_until (s, mpitest_size - 1, TAG_DONE);
        MPITEST_OK (larder_transaction_delete (s, e.transaction, &err), err);
        for (int r = 1; r < mpitest_size; ++r)
            mpiobject_tell (r, TAG_GO);
        mpiobject_serve_until (s, mpitest_size - 1, TAG_DONE);
    } else {
        mpiobject_tell (0, TAG_DONE);
        mpiobject_hear (0, TAG_GO);
        CU_ASSERT_EQUAL (larder_decode (s, e.bytes, e.size, NULL, &m, &err), LARDER_EGONE);
        CU_ASSERT_PTR_NULL (m);
        CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "from rank 0"));
        CU_ASSERT (strncmp (err.text, "rank ", 5) == 0 && strncmp (err.text + 8, "rank ", 5) != 0);
        mpiobject_tell (0, TAG_DONE);
    }
    larder_encoded_free (&e);
    mpiobject_close (&s);
}

/* ---------------------------------------------------------------- what goes wrong */

static void test_errors (void)
{
    larder_error err = {0};
    larder_encoded e = {0};
    larder_message *m = NULL;
    larder_value v;
    larder *s = open_session (), *other = open_session ();
    if (mpitest_rank == 0)
        e = offer (s, 1, LARDER_EVERY_RANK);
    mpimessage_share (&e, 0);
    CU_ASSERT_EQUAL (larder_decode (NULL, e.bytes, e.size, NULL, &m, &err), LARDER_ENOSESSION);
    CU_ASSERT_EQUAL (larder_decode (other, e.bytes, e.size, NULL, &m, &err), LARDER_ESESSION);
    CU_ASSERT_EQUAL (larder_decode (s, e.bytes, e.size - 1, NULL, &m, &err), LARDER_EMESSAGE);
    CU_ASSERT_EQUAL (larder_decode (s, NULL, 0, NULL, &m, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_decode (s, e.bytes, e.size, NULL, NULL, &err), LARDER_EINVAL);
    CU_ASSERT_PTR_NULL (m);
    m = mpimessage_decode (s, &e, &lazily);
    CU_ASSERT_EQUAL (larder_resolve (NULL, m, "", NULL, &err), LARDER_ENOSESSION);
    CU_ASSERT_EQUAL (larder_resolve (NULL, m, "small", NULL, &err), LARDER_OK);
    CU_ASSERT_EQUAL (larder_resolve (s, NULL, "", NULL, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_resolve (s, m, NULL, NULL, &err), LARDER_EINVAL);
    CU_ASSERT_EQUAL (larder_message_confirm (NULL, m, "", LARDER_OK, &err), LARDER_ENOSESSION);
    CU_ASSERT_EQUAL (larder_message_confirm (s, m, "x", LARDER_OK, &err), LARDER_ENOENT);
    /* A lazy ref that says too much, too little, or of a type that nobody knows: the others come all the same. */
    MPITEST_OK (larder_message_get (m, "a/0", &v, &err), err);
    larder_lazy lie = v.lazy;
    lie.shape.dims[0] = LARGE + 1;
    lie.size = 8 * (LARGE + 1);
    MPITEST_OK (larder_message_set_lazy (m, "z lies/more", &lie, &err), err);
    lie.shape.dims[0] = LARGE - 1;
    lie.size = 8 * (LARGE - 1);
    MPITEST_OK (larder_message_set_lazy (m, "z lies/less", &lie, &err), err);
    lie = v.lazy;
    lie.dot = 4711;
    MPITEST_OK (larder_message_set_lazy (m, "z lies/type", &lie, &err), err);
    CU_ASSERT_EQUAL (larder_resolve (s, m, "z lies/more", NULL, &err), LARDER_EINCOMPLETE);
    CU_ASSERT_EQUAL (larder_resolve (s, m, "z lies/less", NULL, &err), LARDER_EINCOMPLETE);
    CU_ASSERT_EQUAL (larder_resolve (s, m, "z lies/type", NULL, &err), LARDER_EHANDLER);
    CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "4711"));
    CU_ASSERT_EQUAL (mpimessage_kind (m, "z lies/more"), LARDER_KIND_LAZY);
    CU_ASSERT_EQUAL (larder_resolve (s, m, "", NULL, &err), LARDER_EINCOMPLETE);
    check (m, 1);
    CU_ASSERT_EQUAL (mpimessage_kind (m, "z lies/type"), LARDER_KIND_LAZY);
    MPITEST_OK (larder_message_confirm (s, m, "", LARDER_OK, &err), err);
    larder_message_free (&m);
    if (mpitest_rank == 0)
        check_complete (s, &e);
    larder_encoded_free (&e);
    MPITEST_OK (larder_agree (s, LARDER_OK, NULL, &err), err); /* nobody needs its owner any more */
    mpiobject_close (&other);
    mpiobject_close (&s);
}

static int abort_at_once (void *self)
{
    return ++*(int *)self > 1;
}

static void test_abort (void)
{
    larder_error err = {0};
    larder_encoded e = {0};
    larder_message *m = NULL;
    int asked = 0;
    larder *s = open_session ();
    if (mpitest_rank == 0)
        e = offer (s, 1, LARDER_ALL);
    mpimessage_share (&e, 0);
    if (mpitest_rank) {
        larder_resolve_options options = {.self = &asked, .abort_requested = abort_at_once};
        CU_ASSERT_EQUAL (larder_decode (s, e.bytes, e.size, &options, &m, &err), LARDER_ECANCELED);
        CU_ASSERT_PTR_NULL (m);
    } else if (mpitest_size > 1) {
        larder_receipt *r = NULL;
        mpimessage_receipt (s, &e, &r);
        CU_ASSERT_PTR_NOT_NULL_FATAL (r);
        for (int i = 0; i < r->receivers; ++i)
            CU_ASSERT_EQUAL (r->object[0].lines[i].code, LARDER_ECANCELED);
        larder_receipt_free (&r);
    }
    larder_encoded_free (&e);
    mpiobject_close (&s);
}

struct watched {
    int started, ended, bad;
    uint64_t bytes;
};

static void watch (void *self, const larder_event *event)
{
    struct watched *w = self;
    w->started += event->state == LARDER_EVENT_STARTED;
    w->ended += event->state == LARDER_EVENT_COMPLETED;
    w->bad += event->receiver != mpitest_rank || event->owner != 0;
    if (event->state == LARDER_EVENT_COMPLETED)
        w->bytes += event->bytes_done;
}

static void test_progress (void)
{
    larder_encoded e = {0};
    struct watched w = {0};
    larder *s = open_session ();
    if (mpitest_rank == 0)
        e = offer (s, 1, LARDER_EVERY_RANK);
    mpimessage_share (&e, 0);
    larder_resolve_options options = {.self = &w, .progress = watch, .progress_interval_s = -1};
    larder_message *m = mpimessage_decode (s, &e, &options);
    CU_ASSERT (w.started == 1 && w.ended == 1 && w.bad == 0 && w.bytes == 40 * LARGE);
    larder_message_free (&m);
    if (mpitest_rank == 0)
        check_complete (s, &e);
    larder_encoded_free (&e);
    mpiobject_close (&s);
}

/* More messages than lines, of all owners, each rank its own first: lines that wait for the others' ranks must not
 * keep them from coming. */
static void test_few_lines (void)
{
    enum { MESSAGES = 5 };
    larder_error err = {0};
    larder_encoded mine[MESSAGES];
    for (int lines = 1; lines <= 2; ++lines) {
        larder_config config = {.chunk_size = 64 << 10,
                                .cache_size = 64 << 20,
                                .max_lines = lines,
                                .owners = everybody,
                                .owner_count = mpitest_size};
        larder *s = mpiobject_open (&config);
        larder_message *all = mpimessage_new ();
        larder_encoded e[4][MESSAGES] = {{{0}}};
        for (int i = 0; i < MESSAGES; ++i)
            mine[i] = offer (s, (uint64_t)(100 * mpitest_rank + 10 * i), LARDER_EVERY_RANK);
        for (int r = 0; r < mpitest_size; ++r)
            for (int i = 0; i < MESSAGES; ++i) {
                if (r == mpitest_rank)
                    e[r][i] = mine[i];
                mpimessage_share (&e[r][i], r);
            }
        for (int k = 0; k < mpitest_size; ++k) { /* my own first */
            int r = (mpitest_rank + k) % mpitest_size;
            for (int i = 0; i < MESSAGES; ++i) {
                larder_message *m = mpimessage_decode (s, &e[r][i], i % 2 ? &lazily : NULL);
                char name[32];
                sprintf (name, "%d/%d", r, i);
                MPITEST_OK (larder_message_copy (all, name, m, "", &err), err);
                larder_message_free (&m);
            }
        }
        MPITEST_OK (larder_resolve (s, all, "", NULL, &err),
                    err); /* several of one owner at once */
        larder_message *m = mpimessage_new ();
        MPITEST_OK (larder_message_copy (m, "", all, "0/3", &err), err);
        check (m, 30);
        larder_message_free (&m);
        larder_message_free (&all);
        for (int i = 0; i < MESSAGES; ++i)
            check_complete (s, &mine[i]);
        for (int r = 0; r < mpitest_size; ++r)
            for (int i = 0; i < MESSAGES; ++i)
                larder_encoded_free (&e[r][i]);
        mpiobject_close (&s);
    }
}

/* ---------------------------------------------------------------- on disk */

static int files_in (const char *dir)
{
    int n = 0;
    DIR *d = opendir (dir);
    CU_ASSERT_PTR_NOT_NULL_FATAL (d);
    for (const struct dirent *entry; (entry = readdir (d)) != NULL;)
        n += entry->d_name[0] != '.';
    closedir (d);
    return n;
}

static void test_disk (void)
{
    larder_error err = {0};
    larder_encoded e = {0};
    larder_value v, again;
    char dir[] = "/tmp/larder-test-XXXXXX";
    CU_ASSERT_PTR_NOT_NULL_FATAL (mkdtemp (dir));
    larder *s = open_session ();
    if (mpitest_rank == 0)
        e = offer (s, 1, LARDER_EVERY_RANK);
    mpimessage_share (&e, 0);
    larder_resolve_options options = {.disk_dir = dir, .disk_min = 16 * LARGE};
    larder_message *m = mpimessage_decode (s, &e, &options), *loaded = mpimessage_new ();
    CU_ASSERT_EQUAL (files_in (dir), 0);
    mpimessage_has (m, "a/0", 1, LARGE); /* smaller than disk_min */
    MPITEST_OK (larder_message_get (m, "b", &v, &err), err);
    MPITEST_OK (larder_message_get (m, "b again", &again, &err), err);
    CU_ASSERT (v.kind == LARDER_KIND_LAZY && v.size == 16 * LARGE && v.data == again.data);
    CU_ASSERT_PTR_NOT_NULL_FATAL (v.data);
    for (uint64_t i = 0; i < 2 * LARGE; i += 99)
        CU_ASSERT_EQUAL (((const double *)v.data)[i], mpimessage_number (3, i));
    /* Passed on it refers to its origin. */
    MPITEST_OK (larder_message_copy (loaded, "b", m, "b", &err), err);
    larder_encoded next = encode (s, loaded, LARDER_ALL);
    CU_ASSERT (next.forwarded == 1 && next.transaction == 0 && next.size < 1024);
    larder_message *lazy = mpimessage_decode (s, &next, &lazily);
    MPITEST_OK (larder_message_get (lazy, "b", &again, &err), err);
    CU_ASSERT (memcmp (&again.lazy.ref, &v.lazy.ref, sizeof v.lazy.ref) == 0 && !again.data);
    larder_message_free (&lazy);
    larder_encoded_free (&next);
    /* The file lives as long as somebody has it; loading needs no download. */
    larder_message_free (&m);
    uint64_t before = consumed (s);
    MPITEST_OK (larder_resolve (s, loaded, "", NULL, &err), err);
    mpimessage_has (loaded, "b", 3, 2 * LARGE);
    CU_ASSERT_EQUAL (consumed (s), before);
    larder_message_free (&loaded);
    CU_ASSERT_EQUAL (rmdir (dir), 0);
    options.disk_dir = "/nowhere/at/all";
    m = mpimessage_decode (s, &e, &lazily);
    if (mpitest_rank == 0)
        check_complete (s, &e);
    larder_message_free (&m);
    larder_encoded_free (&e);
    mpiobject_close (&s);
}

static void test_disk_fails (void)
{
    larder_error err = {0};
    larder_encoded e = {0};
    larder_message *m = NULL;
    larder *s = open_session ();
    if (mpitest_rank == 0)
        e = offer (s, 1, LARDER_EVERY_RANK);
    mpimessage_share (&e, 0);
    larder_resolve_options options = {.disk_dir = "/nowhere/at/all"};
    CU_ASSERT_EQUAL (larder_decode (s, e.bytes, e.size, &options, &m, &err), LARDER_ENOENT);
    CU_ASSERT_PTR_NOT_NULL (strstr (err.text, "/nowhere/at/all"));
    if (mpitest_rank == 0) { /* its owner need not wait for a timeout */
        larder_receipt *r = NULL;
        mpimessage_receipt (s, &e, &r);
        CU_ASSERT (r && r->verdict == LARDER_VERDICT_FAILED && r->done == LARDER_DONE_FINISHED);
        larder_receipt_free (&r);
    }
    larder_encoded_free (&e);
    mpiobject_close (&s);
}

/* ---------------------------------------------------------------- placeholders, and handlers that fail */

/* Texts that are read when they are asked for. */
struct placeholder {
    larder *session;
    larder_ref ref;
    uint64_t size;
    int *open;
};

static int text_describe (void *self, const void *value, larder_shape *shape, uint64_t *size,
                          larder_error *err)
{
    (void)self;
    (void)err;
    *size = strlen (value);
    *shape = larder_shape_make (LARDER_UINT8, *size, 0, 0);
    return LARDER_OK;
}

static int text_object (void *self, const void *const *values, size_t count, larder_object *object,
                        uint64_t *items, larder_error *err)
{
    (void)self;
    CU_ASSERT_EQUAL (count, 1);
    items[0] = (strlen (values[0]) + 9) / 10; /* items of ten bytes: a value is several */
    return larder_object_memory (values[0], strlen (values[0]), 10, "text", object, err);
}

static int text_consume (void *self, const larder_view *view, larder_error *err)
{
    char *text = self;
    if (view->item != strlen (text) / 10)
        return larder_error_set (err, LARDER_EINVAL, 0, "out of order");
    strncat (text, view->data, view->size);
    return LARDER_OK;
}

static int text_receive (void *self, const larder_lazy *lazy, larder_consumer *consumer,
                         larder_error *err)
{
    (void)self;
    (void)err;
    *consumer =
        (larder_consumer){.self = calloc (1, lazy->size + 1), .consume_items = text_consume};
    return LARDER_OK;
}

static int fail_finish;

static int text_finish (void *self, void *received, larder_made *made, larder_error *err)
{
    (void)self;
    if (fail_finish)
        free (received);
    if (fail_finish == 's')
        return LARDER_EIO; /* without a word why */
    if (fail_finish == 'e')
        return larder_error_set (err, LARDER_EIO, 0, "no end");
    if (fail_finish != 'n')
        *made = (larder_made){.value = received, .free_value = free};
    return LARDER_OK;
}

static void text_abandon (void *self, void *received)
{
    (void)self;
    free (received);
}

static void close_placeholder (void *value)
{
    struct placeholder *p = value;
    --*p->open;
    free (p);
}

static int text_lazy (void *self, struct larder *session, const larder_lazy *lazy,
                      larder_made *made, larder_error *err)
{
    struct placeholder *p = calloc (1, sizeof *p);
    (void)err;
    *p = (struct placeholder){
        .session = session, .ref = lazy->ref, .size = lazy->size, .open = self};
    ++*p->open;
    *made = (larder_made){.value = p, .free_value = close_placeholder};
    return LARDER_OK;
}

static larder_registry *text_registry (int *open)
{
    larder_registry *registry = NULL;
    larder_error err = {0};
    larder_handler handler = {.dot = DOT_TEXT,
                              .name = "text",
                              .self = open,
                              .describe = text_describe,
                              .make_object = text_object,
                              .receive = text_receive,
                              .finish = text_finish,
                              .abandon = text_abandon,
                              .make_lazy_ref = text_lazy};
    MPITEST_OK (larder_registry_new (&registry, &err), err);
    MPITEST_OK (larder_registry_add (registry, &handler, &err), err);
    return registry;
}

static const char text[] = "a text of several items, each of ten bytes, the last of fewer";

static larder_encoded offer_text (larder *s, larder_registry *registry)
{
    larder_error err = {0};
    larder_encoded e = {0};
    larder_encode_options options = {.registry = registry};
    larder_value v = {.kind = LARDER_KIND_TYPED, .dot = DOT_TEXT, .data = text};
    larder_message *m = mpimessage_new ();
    fill (m, 1);
    MPITEST_OK (larder_message_set (m, "aa text", &v, &err), err);
    MPITEST_OK (larder_encode (s, m, LARDER_EVERY_RANK, &options, &e, &err), err);
    CU_ASSERT_EQUAL (e.by_reference, 5); /* it cannot be inside, however small */
    larder_message_free (&m);
    return e;
}

static void test_placeholders (void)
{
    larder_error err = {0};
    larder_encoded e = {0};
    int open = 0;
    larder_registry *registry = text_registry (&open);
    larder *s = open_session ();
    if (mpitest_rank == 0)
        e = offer_text (s, registry);
    mpimessage_share (&e, 0);
    larder_resolve_options options = {.registry = registry, .placeholders = 1};
    larder_message *m = mpimessage_decode (s, &e, &options);
    larder_value v;
    check (m, 1);
    CU_ASSERT_EQUAL (open, 1);
    MPITEST_OK (larder_message_get (m, "aa text", &v, &err), err);
    CU_ASSERT (v.kind == LARDER_KIND_TYPED && v.dot == DOT_TEXT);
    const struct placeholder *p = v.data;
    char got[100] = "";
    larder_memory_sink sink = {.buffer = got, .capacity = sizeof got};
    larder_consumer consumer = larder_consumer_memory (&sink);
    MPITEST_OK (larder_download (p->session, &p->ref, &consumer, &err), err);
    CU_ASSERT_STRING_EQUAL (got, text);
    /* Passed on it refers to its origin. */
    larder_encoded next = encode (s, m, LARDER_UNKNOWN);
    CU_ASSERT_EQUAL (next.forwarded, 1);
    if (next.transaction)
        MPITEST_OK (larder_transaction_delete (s, next.transaction, &err), err);
    larder_encoded_free (&next);
    MPITEST_OK (larder_message_confirm (s, m, "", LARDER_OK, &err), err);
    larder_message_free (&m);
    CU_ASSERT_EQUAL (open, 0);
    if (mpitest_rank == 0)
        check_complete (s, &e);
    larder_encoded_free (&e);
    mpiobject_close (&s);
    larder_registry_free (&registry);
}

static void test_handlers_fail (void)
{
    larder_encoded e = {0};
    int open = 0;
    larder_registry *registry = text_registry (&open);
    larder *s = open_session ();
    if (mpitest_rank == 0)
        e = offer_text (s, registry);
    mpimessage_share (&e, 0);
    static const struct {
        int how, code;
    } faults[] = {{'n', LARDER_ENOVALUE}, {'e', LARDER_EIO}, {'s', LARDER_EIO}};
    larder_resolve_options options = {.registry = registry};
    larder_message *m = mpimessage_decode (s, &e, &lazily);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; ++i) {
        larder_error err = {0};
        fail_finish = faults[i].how;
        CU_ASSERT_EQUAL (larder_resolve (s, m, "", &options, &err), faults[i].code);
        CU_ASSERT (err.code == faults[i].code && err.text[0]);
        check (m, 1); /* the others are there */
        CU_ASSERT_EQUAL (mpimessage_kind (m, "aa text"), LARDER_KIND_LAZY);
    }
    fail_finish = 0;
    larder_error err = {0};
    larder_value v;
    MPITEST_OK (larder_resolve (s, m, "", &options, &err), err);
    MPITEST_OK (larder_message_get (m, "aa text", &v, &err), err);
    CU_ASSERT (v.kind == LARDER_KIND_TYPED && v.data && strcmp (v.data, text) == 0);
    larder_message_free (&m);
    if (mpitest_rank == 0)
        check_complete (s, &e);
    larder_encoded_free (&e);
    mpiobject_close (&s);
    larder_registry_free (&registry);
}

/* A native value that this rank cannot read: the owner of the others hears of it at once. */
static int native_text (void *self, const void *value, void *buffer, uint64_t size,
                        larder_error *err)
{
    (void)self;
    (void)err;
    memcpy (buffer, value, size);
    return LARDER_OK;
}

static int unread_text (void *self, const larder_shape *shape, const void *data, uint64_t size,
                        larder_made *made, larder_error *err)
{
    (void)self;
    (void)shape;
    (void)data;
    (void)size;
    (void)made;
    return larder_error_set (err, LARDER_EIO, 0, "cannot read it");
}

static void test_unreadable (void)
{
    larder_error err = {0};
    larder_registry *registry = NULL;
    larder_handler handler = {.dot = DOT_TEXT,
                              .name = "text",
                              .describe = text_describe,
                              .write_native = native_text,
                              .read_native = unread_text};
    MPITEST_OK (larder_registry_new (&registry, &err), err);
    MPITEST_OK (larder_registry_add (registry, &handler, &err), err);
    larder *s = open_session ();
    for (int known = 0; known < 2; ++known) {
        larder_encoded e = {0};
        larder_message *m = NULL;
        larder_resolve_options options = {.registry = known ? registry : NULL};
        if (mpitest_rank == 0) {
            larder_encode_options how = {.registry = registry};
            larder_value v = {.kind = LARDER_KIND_TYPED, .dot = DOT_TEXT, .data = text};
            larder_message *full = mpimessage_new ();
            fill (full, 1);
            MPITEST_OK (larder_message_set (full, "text", &v, &err), err);
            MPITEST_OK (larder_encode (s, full, LARDER_EVERY_RANK, &how, &e, &err), err);
            larder_message_free (&full);
        }
        mpimessage_share (&e, 0);
        CU_ASSERT_EQUAL (larder_decode (s, e.bytes, e.size, &options, &m, &err),
                         known ? LARDER_EIO : LARDER_EHANDLER);
        CU_ASSERT_PTR_NULL (m);
        if (mpitest_rank == 0) {
            larder_receipt *r = NULL;
            mpimessage_receipt (s, &e, &r);
            CU_ASSERT (r && r->done == LARDER_DONE_FINISHED);
            for (int i = 0; r && i < r->receivers; ++i)
                CU_ASSERT_EQUAL (r->object[0].lines[i].code, known ? LARDER_EIO : LARDER_EHANDLER);
            larder_receipt_free (&r);
        }
        larder_encoded_free (&e);
    }
    mpiobject_close (&s);
    larder_registry_free (&registry);
}

int main (int argc, char **argv)
{
    static const struct larder_test tests[] = {
        {"some", test_some},
        {"all own", test_all_own},
        {"again", test_again},
        {"errors", test_errors},
        {"abort", test_abort},
        {"progress", test_progress},
        {"few lines", test_few_lines},
        {"disk", test_disk},
        {"disk fails", test_disk_fails},
        {"placeholders", test_placeholders},
        {"handlers fail", test_handlers_fail},
        {"unreadable", test_unreadable},
        {NULL, NULL},
    };
    return mpitest_main (argc, argv, "resolve", tests);
}
