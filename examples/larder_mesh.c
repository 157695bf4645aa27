/* SPDX-License-Identifier: Apache-2.0 */
/* A handler of one's own: triangle meshes travel in messages, small ones inside, large ones by reference.
 *
 *     mpirun -n 4 build/examples/larder_mesh [POINTS_PER_SIDE]
 *
 * Rank 0 makes two meshes, names one of them twice, encodes all three names as one message, and broadcasts its few
 * bytes.  Every rank, rank 0 as well, decodes it, which downloads the large one, and checks what it got. */
#include <inttypes.h>
#include <larder/larder.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- a mesh, as programs have it */

struct mesh {
    uint64_t points, triangles;
    double *xyz;       /* 3 per point */
    uint32_t *corners; /* 3 per triangle */
};

static void mesh_free (void *self)
{
    struct mesh *m = self;
    if (m) {
        free (m->xyz);
        free (m->corners);
    }
    free (m);
}

static struct mesh *mesh_new (uint64_t points, uint64_t triangles)
{
    struct mesh *m = calloc (1, sizeof *m);
    if (!m)
        return NULL;
    *m = (struct mesh){points, triangles, malloc (points * 3 * sizeof *m->xyz + 1),
                       malloc (triangles * 3 * sizeof *m->corners + 1)};
    if (m->xyz && m->corners)
        return m;
    mesh_free (m);
    return NULL;
}

/* A square sheet of n x n points. */
static struct mesh *mesh_sheet (uint64_t n)
{
    struct mesh *m = mesh_new (n * n, 2 * (n - 1) * (n - 1));
    for (uint64_t i = 0, t = 0; m && i < n * n; ++i) {
        m->xyz[3 * i] = (double)(i % n);
        m->xyz[3 * i + 1] = (double)(i / n);
        m->xyz[3 * i + 2] = (double)(i % 7);
        if (i % n == n - 1 || i / n == n - 1)
            continue;
        const uint64_t corners[] = {i, i + 1, i + n, i + 1, i + n + 1, i + n};
        for (int k = 0; k < 6; ++k)
            m->corners[t++] = (uint32_t)corners[k];
    }
    return m;
}

/* ---------------------------------------------------------------- its form on the way */

/* Two counts, the points, the corners. */
static uint64_t wire_size (uint64_t points, uint64_t triangles)
{
    return 16 + points * 24 + triangles * 12;
}

/* Copy the part of a piece that stands at `begin` of the form and overlaps [offset, offset + size). */
static void overlap (const void *piece, uint64_t begin, uint64_t length, uint64_t offset,
                     void *buffer, uint64_t size)
{
    uint64_t from = begin > offset ? begin : offset;
    uint64_t to = begin + length < offset + size ? begin + length : offset + size;
    if (from < to)
        memcpy ((char *)buffer + (from - offset), (const char *)piece + (from - begin), to - from);
}

/* Any part of the form, without making the whole of it anywhere. */
static void write_part (const struct mesh *m, uint64_t offset, void *buffer, uint64_t size)
{
    const uint64_t counts[] = {m->points, m->triangles};
    overlap (counts, 0, 16, offset, buffer, size);
    overlap (m->xyz, 16, m->points * 24, offset, buffer, size);
    overlap (m->corners, 16 + m->points * 24, m->triangles * 12, offset, buffer, size);
}

/* Bytes may come from anybody: the counts are believed only when they fit the size, the corners when
 * they are points. */
static int read_mesh (const void *data, uint64_t size, larder_made *made, larder_error *err)
{
    uint64_t counts[2] = {0, 0};
    if (size >= 16)
        memcpy (counts, data, 16);
    if (size < 16 || counts[0] > size / 24 || counts[1] > size / 12 ||
        wire_size (counts[0], counts[1]) != size)
        return larder_error_set (err, LARDER_ENODATA, 0,
                                 "mesh: %" PRIu64 " bytes are no mesh of %" PRIu64
                                 " points and %" PRIu64 " triangles",
                                 size, counts[0], counts[1]);
    struct mesh *m = mesh_new (counts[0], counts[1]);
    if (!m)
        return larder_error_set (err, LARDER_ENOMEM, 0, "mesh: no memory");
    memcpy (m->xyz, (const char *)data + 16, counts[0] * 24);
    memcpy (m->corners, (const char *)data + 16 + counts[0] * 24, counts[1] * 12);
    for (uint64_t i = 0; i < 3 * m->triangles; ++i)
        if (m->corners[i] >= m->points) {
            mesh_free (m);
            return larder_error_set (err, LARDER_ENODATA, 0,
                                     "mesh: triangle %" PRIu64 " has a corner that is no point",
                                     i / 3);
        }
    *made = (larder_made){.value = m, .free_value = mesh_free};
    return LARDER_OK;
}

/* ---------------------------------------------------------------- the handler: describing, and inside */

static int describe (void *self, const void *value, larder_shape *shape, uint64_t *size,
                     larder_error *err)
{
    const struct mesh *m = value;
    (void)self;
    (void)err;
    *shape =
        larder_shape_make (LARDER_FLOAT64, m->points, 3, 0); /* for who plans without the data */
    *size = wire_size (m->points, m->triangles);
    return LARDER_OK;
}

static int write_native (void *self, const void *value, void *buffer, uint64_t size,
                         larder_error *err)
{
    (void)self;
    (void)err;
    write_part (value, 0, buffer, size);
    return LARDER_OK;
}

static int read_native (void *self, const larder_shape *shape, const void *data, uint64_t size,
                        larder_made *made, larder_error *err)
{
    (void)self;
    (void)shape;
    return read_mesh (data, size, made, err);
}

/* ---------------------------------------------------------------- the handler: by reference */

/* All meshes of a message as one object: each is an item. */
struct meshes {
    size_t count;
    const struct mesh *mesh[];
};

static int item_count (void *self, uint64_t *count, larder_error *err)
{
    (void)err;
    *count = ((struct meshes *)self)->count;
    return LARDER_OK;
}

static int item_size (void *self, uint64_t item, uint64_t *size, larder_error *err)
{
    const struct meshes *all = self;
    (void)err;
    *size = wire_size (all->mesh[item]->points, all->mesh[item]->triangles);
    return LARDER_OK;
}

static int produce_item (void *self, uint64_t item, uint64_t offset, void *buffer, size_t capacity,
                         size_t *produced, int *last, larder_error *err)
{
    const struct meshes *all = self;
    (void)last; /* not needed where sizes are known */
    (void)err;
    write_part (all->mesh[item], offset, buffer, capacity);
    *produced = capacity;
    return LARDER_OK;
}

static int make_object (void *self, const void *const *values, size_t count, larder_object *object,
                        uint64_t *items, larder_error *err)
{
    static const larder_object_ops ops = {.item_count = item_count,
                                          .item_size = item_size,
                                          .produce_item = produce_item,
                                          .release = free};
    struct meshes *all = malloc (sizeof *all + count * sizeof all->mesh[0]);
    (void)self;
    if (!all)
        return larder_error_set (err, LARDER_ENOMEM, 0, "mesh: no memory");
    all->count = count;
    for (size_t i = 0; i < count; ++i) {
        all->mesh[i] = values[i];
        items[i] = 1;
    }
    *object = (larder_object){.ops = &ops, .self = all, .name = "meshes"};
    return LARDER_OK;
}

/* A mesh that comes. */
struct coming {
    uint64_t size, have;
    unsigned char bytes[];
};

static int consume (void *self, const larder_view *view, larder_error *err)
{
    struct coming *c = self;
    if (view->item != 0 || view->size > c->size - c->have)
        return larder_error_set (err, LARDER_EINCOMPLETE, 0, "mesh: its owner has another one");
    memcpy (c->bytes + c->have, view->data, view->size);
    c->have += view->size;
    return LARDER_OK;
}

static int receive (void *self, const larder_lazy *lazy, larder_consumer *consumer,
                    larder_error *err)
{
    struct coming *c =
        lazy->size < SIZE_MAX - sizeof *c ? malloc (sizeof *c + (size_t)lazy->size) : NULL;
    (void)self;
    if (!c)
        return larder_error_set (err, LARDER_ENOMEM, 0, "mesh: no memory");
    c->size = lazy->size;
    c->have = 0;
    *consumer = (larder_consumer){.self = c, .consume_items = consume};
    return LARDER_OK;
}

static int finish (void *self, void *received, larder_made *made, larder_error *err)
{
    struct coming *c = received;
    (void)self;
    int rc = read_mesh (c->bytes, c->have, made, err);
    free (c);
    return rc;
}

static void abandon (void *self, void *received)
{
    (void)self;
    free (received);
}

enum { DOT_MESH = LARDER_DOT_USER };

static const larder_handler mesh_handler = {.dot = DOT_MESH,
                                            .name = "mesh",
                                            .describe = describe,
                                            .make_object = make_object,
                                            .write_native = write_native,
                                            .read_native = read_native,
                                            .receive = receive,
                                            .finish = finish,
                                            .abandon = abandon};

/* ---------------------------------------------------------------- the program */

static int put (larder_message *m, const char *path, struct mesh *mesh, larder_error *err)
{
    larder_value v = {
        .kind = LARDER_KIND_TYPED, .dot = DOT_MESH, .data = mesh, .free_data = mesh_free};
    if (!mesh)
        return larder_error_set (err, LARDER_ENOMEM, 0, "mesh: no memory");
    int rc = larder_message_set (m, path, &v, err);
    if (rc != LARDER_OK)
        mesh_free (mesh);
    return rc;
}

static int encode (larder *s, const larder_registry *registry, uint64_t n, larder_encoded *e,
                   larder_error *err)
{
    larder_message *m = NULL;
    larder_encode_options options = {.registry = registry};
    int rc = larder_message_new (&m, err);
    if (rc == LARDER_OK)
        rc = put (m, "meshes/small", mesh_sheet (4), err);
    if (rc == LARDER_OK)
        rc = put (m, "meshes/large", mesh_sheet (n), err);
    if (rc == LARDER_OK)
        rc = larder_message_copy (m, "start", m, "meshes/large", err);
    if (rc == LARDER_OK)
        rc = larder_encode (s, m, LARDER_EVERY_RANK, &options, e, err);
    larder_message_free (&m); /* the meshes live on until everybody has them */
    return rc;
}

static int check (const larder_message *m, uint64_t n, larder_error *err)
{
    larder_value large, start;
    int rc = larder_message_get (m, "meshes/large", &large, err);
    if (rc == LARDER_OK)
        rc = larder_message_get (m, "start", &start, err);
    if (rc != LARDER_OK)
        return rc;
    const struct mesh *mesh = large.data;
    if (large.data != start.data || mesh->points != n * n ||
        mesh->corners[3 * mesh->triangles - 1] != n * n - 2 || mesh->xyz[1] != 0)
        return larder_error_set (err, LARDER_EINCOMPLETE, 0, "this is not the mesh that was sent");
    return LARDER_OK;
}

int main (int argc, char **argv)
{
    int rank = 0, rc;
    unsigned long long size = 0;
    uint64_t n = argc > 1 ? strtoull (argv[1], NULL, 10) : 1000;
    larder *session = NULL;
    larder_registry *registry = NULL;
    larder_message *m = NULL;
    larder_encoded e = {0};
    larder_error err = {0};

    MPI_Init (&argc, &argv);
    MPI_Comm_rank (MPI_COMM_WORLD, &rank);
    const int help = argc == 2 && strcmp (argv[1], "--help") == 0;
    if (help || argc > 2 || n < 2 || n > 20000) {
        if (rank == 0)
            fprintf (help ? stdout : stderr,
                     "use: larder_mesh [POINTS_PER_SIDE]   2 to 20000, default 1000\n");
        return MPI_Finalize () != MPI_SUCCESS ? 1 : help ? 0 : 2;
    }
    rc = larder_open (MPI_COMM_WORLD, NULL, MPI_INFO_NULL, &session, &err);
    if (rc == LARDER_OK)
        rc = larder_registry_new (&registry, &err);
    if (rc == LARDER_OK)
        rc = larder_registry_add (registry, &mesh_handler, &err);
    if (rc == LARDER_OK && rank == 0)
        rc = encode (session, registry, n, &e, &err);
    size = e.size; /* 0 where it failed: then nobody waits for the rest */
    MPI_Bcast (&size, 1, MPI_UNSIGNED_LONG_LONG, 0, MPI_COMM_WORLD);
    if (rank)
        e.bytes = malloc ((size_t)size + 1);
    if (size && e.bytes)
        MPI_Bcast (e.bytes, (int)size, MPI_BYTE, 0, MPI_COMM_WORLD);
    if (rc == LARDER_OK && size) {
        larder_resolve_options options = {.registry = registry};
        rc = larder_decode (session, e.bytes, (size_t)size, &options, &m, &err);
    }
    if (rc == LARDER_OK && m)
        rc = check (m, n, &err);
    if (rc == LARDER_OK && e.transaction)
        rc = larder_serve (session, 0, &err); /* until the others have it, too */
    printf ("rank %d: %s; the message has %llu bytes\n", rank, rc == LARDER_OK ? "done" : err.text,
            size);
    larder_message_free (&m);
    larder_encoded_free (&e);
    if (session && larder_close (&session, &err) != LARDER_OK && rc == LARDER_OK)
        rc = err.code;
    larder_registry_free (&registry);
    return MPI_Finalize () != MPI_SUCCESS || rc != LARDER_OK;
}
