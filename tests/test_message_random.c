/* SPDX-License-Identifier: Apache-2.0 */
/* Random operations on two messages, each beside a simple model: same results, same trees, and data that knows its
 * users. */
#include "larder_message.h"
#include "larder_test.h"
#include "larder_test_random.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 20000, WIDE = 14, STEPS = 26, LARGE = 400, TEXT = 1 << 20 };

struct model {
    larder_kind kind;
    int64_t number; /* INT, also as STRING; ARRAY: which */
    int count;
    char names[WIDE][4];
    struct model *child[WIDE];
};

struct steps {
    int count;
    char name[STEPS][4];
    char path[STEPS * 4];
};

static larder_error err;
static int live; /* arrays handed over and not freed */

static void free_array (void *data)
{
    --live;
    free (data);
}

/* ---------------------------------------------------------------- the model */

static void model_free (struct model *m)
{
    for (int i = 0; i < m->count; ++i)
        model_free (m->child[i]);
    free (m);
}

static struct model *model_copy (const struct model *m)
{
    struct model *c = malloc (sizeof *c);
    *c = *m;
    for (int i = 0; i < m->count; ++i)
        c->child[i] = model_copy (m->child[i]);
    return c;
}

static int model_size (const struct model *m)
{
    int n = 1;
    for (int i = 0; i < m->count; ++i)
        n += model_size (m->child[i]);
    return n;
}

static int model_height (const struct model *m)
{
    int height = 0;
    for (int i = 0; i < m->count; ++i) {
        int below = 1 + model_height (m->child[i]);
        height = below > height ? below : height;
    }
    return height;
}

static int has_values (const struct model *m)
{
    return m->kind == LARDER_KIND_MAP || m->kind == LARDER_KIND_LIST;
}

static int model_number (const struct model *m, const char *name)
{
    char index[12];
    for (int i = 0; has_values (m) && i < m->count; ++i) {
        (void)snprintf (index, sizeof index, "%d", i);
        if (strcmp (m->kind == LARDER_KIND_MAP ? m->names[i] : index, name) == 0)
            return i;
    }
    return -1;
}

static struct model *model_find (struct model *m, const struct steps *s)
{
    for (int i = 0; i < s->count; ++i) {
        int n = model_number (m, s->name[i]);
        if (n < 0)
            return NULL;
        m = m->child[n];
    }
    return m;
}

/* What larder_message_set says; 1: the model has no room. */
static int model_may_put (const struct model *m, const struct steps *s, const struct model *value)
{
    char index[12];

    if (s->count + model_height (value) > LARDER_DEPTH_MAX)
        return LARDER_ERANGE;
    for (int i = 0; i < s->count; ++i) {
        int n = model_number (m, s->name[i]);
        if (n >= 0) {
            m = m->child[n];
            continue;
        }
        if (!has_values (m))
            return LARDER_EKIND;
        (void)snprintf (index, sizeof index, "%d", m->count);
        if (m->kind == LARDER_KIND_LIST && strcmp (s->name[i], "-") &&
            strcmp (s->name[i], index) != 0)
            return s->name[i][0] >= '0' && s->name[i][0] <= '9' ? LARDER_ERANGE : LARDER_EINVAL;
        return m->count == WIDE;
    }
    return LARDER_OK;
}

/* Takes the value over. */
static void model_put (struct model *m, const struct steps *s, struct model *value)
{
    for (int i = 0; i < s->count; ++i) {
        int n = model_number (m, s->name[i]);
        if (n < 0) {
            n = m->count++;
            memcpy (m->names[n], s->name[i], sizeof m->names[n]);
            m->child[n] = calloc (1, sizeof *m);
            m->child[n]->kind = LARDER_KIND_MAP;
        }
        m = m->child[n];
    }
    for (int i = 0; i < m->count; ++i)
        model_free (m->child[i]);
    *m = *value;
    free (value);
}

static void model_remove (struct model *m, const struct steps *s)
{
    struct steps above = *s;
    --above.count;
    m = model_find (m, &above);
    int n = model_number (m, s->name[above.count]);
    model_free (m->child[n]);
    for (--m->count; n < m->count; ++n) {
        m->child[n] = m->child[n + 1];
        memcpy (m->names[n], m->names[n + 1], sizeof m->names[n]);
    }
}

/* ---------------------------------------------------------------- comparing */

static void model_write (const struct model *m, const char *path, char **at)
{
    for (int i = 0; i < m->count; ++i) {
        char below[STEPS * 8];
        if (m->kind == LARDER_KIND_MAP)
            (void)snprintf (below, sizeof below, "%s/%s", path, m->names[i]);
        else
            (void)snprintf (below, sizeof below, "%s/%d", path, i);
        *at += sprintf (*at, "%s %d %" PRId64 "\n", below, (int)m->child[i]->kind,
                        has_values (m->child[i]) ? m->child[i]->count : m->child[i]->number);
        model_write (m->child[i], below, at);
    }
}

static int message_write (void *self, const char *path, const larder_value *v)
{
    char **at = self;
    int64_t number = v->integer;

    if (v->kind == LARDER_KIND_STRING)
        number = strtoll (v->data, NULL, 10);
    else if (v->kind == LARDER_KIND_ARRAY)
        number = *(const int64_t *)v->data;
    else if (v->kind == LARDER_KIND_LIST || v->kind == LARDER_KIND_MAP)
        number = (int64_t)v->size;
    *at += sprintf (*at, "/%s %d %" PRId64 "\n", path, (int)v->kind, number);
    return 0;
}

static int mark_user (void *self, struct larder_datum *d)
{
    (void)self;
    ++d->mark;
    return 0;
}

static int check_users (void *self, struct larder_datum *d)
{
    int *bad = self;
    *bad += d->mark != 0 && d->mark != (uint64_t)d->users;
    d->mark = 0;
    return 0;
}

static int depths (const struct larder_node *node)
{
    int bad = 0;
    if (node->kind == LARDER_KIND_LIST || node->kind == LARDER_KIND_MAP)
        for (uint64_t i = 0; i < node->u.children->count; ++i)
            bad += node->u.children->nodes[i].depth != node->depth + 1 ||
                   depths (&node->u.children->nodes[i]);
    return bad;
}

static int differ (const larder_message *message, const struct model *model)
{
    static char a[TEXT], b[TEXT];
    char *at = a;
    int bad = 0;

    *at = '\0';
    model_write (model, "", &at);
    at = b;
    *at = '\0';
    bad += larder_message_walk (message, "", message_write, &at, &err) != LARDER_OK;
    (void)larder_message_data (&message->root, check_users, &bad); /* marks are all 0 */
    (void)larder_message_data (&message->root, mark_user, NULL);
    (void)larder_message_data (&message->root, check_users, &bad);
    bad += depths (&message->root);
    return bad + (strcmp (a, b) != 0);
}

/* ---------------------------------------------------------------- operations */

static struct steps any_path (struct larder_test_random *r, const struct model *m, int most)
{
    struct steps s = {.count = (int)larder_test_below (r, (uint64_t)most + 1)};

    for (int i = 0; i < s.count; ++i) {
        uint64_t which = larder_test_below (r, 12);
        /* Mostly what is there, so that paths get deep. */
        if (m && has_values (m) && m->count && larder_test_below (r, 3)) {
            int n = (int)larder_test_below (r, (uint64_t)m->count);
            if (m->kind == LARDER_KIND_MAP)
                memcpy (s.name[i], m->names[n], sizeof s.name[i]);
            else
                (void)snprintf (s.name[i], sizeof s.name[i], "%d", n % 100);
        } else if (m && m->kind == LARDER_KIND_LIST && which < 8) {
            (void)snprintf (s.name[i], sizeof s.name[i], which < 4 ? "-" : "%d", m->count % 100);
        } else {
            (void)snprintf (s.name[i], sizeof s.name[i], "%c", (char)('a' + which));
        }
        int n = m ? model_number (m, s.name[i]) : -1;
        m = n < 0 ? NULL : m->child[n];
        if (i)
            strcat (s.path, "/");
        strcat (s.path, s.name[i]);
    }
    return s;
}

static int set_any (struct larder_test_random *r, larder_message *message, struct model *model,
                    int64_t round)
{
    static const larder_kind kinds[] = {LARDER_KIND_NIL,   LARDER_KIND_INT, LARDER_KIND_STRING,
                                        LARDER_KIND_ARRAY, LARDER_KIND_MAP, LARDER_KIND_LIST};
    struct steps s = any_path (r, model, 5);
    larder_value v = {.kind = kinds[larder_test_below (r, 6)]};
    struct model value = {.kind = v.kind, .number = v.kind == LARDER_KIND_NIL ? 0 : round};
    char text[24];
    int want = s.count ? model_may_put (model, &s, &value) : LARDER_EINVAL;

    if (want > 0)
        return 0;
    (void)snprintf (text, sizeof text, "%" PRId64, round);
    v.integer = round;
    if (v.kind == LARDER_KIND_STRING) {
        v.data = text;
        v.size = strlen (text);
    } else if (v.kind == LARDER_KIND_ARRAY) {
        int64_t *data = malloc (sizeof *data);
        *data = round;
        v.data = data;
        v.shape = larder_shape_make (LARDER_INT64, 1, 0, 0);
        v.free_data = free_array;
        ++live;
    }
    int rc = larder_message_set (message, s.path, &v, &err);
    if (rc != LARDER_OK && v.kind == LARDER_KIND_ARRAY)
        free_array ((void *)(uintptr_t)v.data);
    if (want == LARDER_OK)
        model_put (model, &s, model_copy (&value));
    return rc != want;
}

static int remove_any (struct larder_test_random *r, larder_message *message, struct model *model)
{
    struct steps s = any_path (r, model, model_size (model) > LARGE ? 1 : 5);
    int want = !s.count ? LARDER_EINVAL : model_find (model, &s) ? LARDER_OK : LARDER_ENOENT;

    if (want == LARDER_OK)
        model_remove (model, &s);
    return larder_message_remove (message, s.path, &err) != want;
}

static int is_inside (const struct steps *a, const struct steps *b)
{
    for (int i = 0; i < a->count; ++i)
        if (i >= b->count || strcmp (a->name[i], b->name[i]) != 0)
            return 0;
    return 1;
}

/* Each value of a map to the top of another model; 1: there is no room. */
static int model_merge (struct model *to, const struct model *from, int only_look)
{
    int missing = 0;
    for (int i = 0; i < from->count; ++i) {
        struct steps s = {.count = 1};
        memcpy (s.name[0], from->names[i], sizeof s.name[0]);
        missing += model_number (to, s.name[0]) < 0;
        if (!only_look)
            model_put (to, &s, model_copy (from->child[i]));
    }
    return to->count + missing > WIDE;
}

static int copy_any (struct larder_test_random *r, larder_message *const messages[2],
                     struct model *const models[2])
{
    uint64_t to = larder_test_below (r, 2), from = larder_test_below (r, 2);
    struct steps t = any_path (r, models[to], 8), f = any_path (r, models[from], 8);
    struct model *source = model_find (models[from], &f);
    int want;

    if (!source)
        want = LARDER_ENOENT;
    else if (to == from && strcmp (t.path, f.path) == 0)
        want = LARDER_OK, source = NULL;
    else if (to == from && (is_inside (&t, &f) || is_inside (&f, &t)))
        want = LARDER_EINVAL;
    else if (t.count == 0)
        want =
            source->kind != LARDER_KIND_MAP ? LARDER_EINVAL : model_merge (models[to], source, 1);
    else
        want = model_may_put (models[to], &t, source);
    if (want > 0)
        return 0;
    if (want == LARDER_OK && source && t.count == 0)
        (void)model_merge (models[to], source, 0);
    else if (want == LARDER_OK && source)
        model_put (models[to], &t, model_copy (source));
    return larder_message_copy (messages[to], t.path, messages[from], f.path, &err) != want;
}

static void random_operations (void)
{
    struct larder_test_random r = larder_test_seed ();
    larder_message *messages[2] = {NULL, NULL};
    struct model *models[2];
    int bad = 0, largest = 0, deepest = 0;

    for (int i = 0; i < 2; ++i) {
        CU_ASSERT_EQUAL_FATAL (larder_message_new (&messages[i], &err), LARDER_OK);
        models[i] = calloc (1, sizeof *models[i]);
        models[i]->kind = LARDER_KIND_MAP;
    }
    live = 0;
    for (int i = 0; i < ROUNDS && !bad; ++i) {
        uint64_t which = larder_test_below (&r, 2), what = larder_test_below (&r, 10);
        int size = model_size (models[0]) + model_size (models[1]);
        largest = size > largest ? size : largest;
        deepest = model_height (models[0]) > deepest ? model_height (models[0]) : deepest;
        if (what == 0 || size > LARGE)
            bad += remove_any (&r, messages[which], models[which]);
        else if (what < 4)
            bad += copy_any (&r, messages, models);
        else
            bad += set_any (&r, messages[which], models[which], i + 1);
        bad += differ (messages[0], models[0]) + differ (messages[1], models[1]);
        if (bad)
            printf ("\n    round %d: %s ", i, err.text);
    }
    CU_ASSERT_EQUAL (bad, 0);
    CU_ASSERT (largest > 100 && deepest > 6); /* it was no walk among ruins */
    larder_message_free (&messages[0]);
    larder_message_free (&messages[1]);
    CU_ASSERT_EQUAL (live, 0);
    model_free (models[0]);
    model_free (models[1]);
    printf ("largest %d, deepest %d ", largest, deepest);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"random operations", random_operations},
        {NULL, NULL},
    };
    return larder_test_main ("message_random", tests);
}
