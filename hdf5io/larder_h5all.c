/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_h5all.h"

#include "larder_h5claim.h"
#include "larder_h5collect.h"
#include "larder_h5error.h"
#include "larder_h5exchange.h"
#include "larder_h5take.h"

#include <larder/collective.h>

/* Blocks of contiguous data that the ranks of a node divide. */
#define BLOCK (UINT64_C (256) << 10)

/* Ranks of a node take turns in decoding chunks for which each needs more memory than this, stored and decoded.  Who waits for
 * its turn has begun a chunk, but who has the turn waits for nobody. */
#define TOGETHER (UINT64_C (8) << 20)

/* Who does what with a cell. */
enum work {
    ALL_OF_IT, /* each rank takes everything itself */
    DIVIDED,   /* into memory that is shared: whoever claims it */
    EXCHANGED  /* whoever claims it decodes it for all */
};

struct reading {
    larder_h5_dataset *dataset;
    struct larder_h5place place;
    enum work work;
    struct larder_h5claim claim;
    struct larder_h5claim turn; /* opened where they take turns */
    struct larder_h5exchange exchange;
    uint64_t decided; /* 1 + the cell of which `mine` is known */
    int mine;         /* < 0: an error, with its text in why */
    larder_error why;
};

/* ---------------------------------------------------------------- what comes */

static int place_elements (void *self, uint64_t cell, const void *elements, larder_error *err)
{
    struct reading *r = self;
    return larder_h5place_cell (&r->place, cell, elements, err);
}

/* An error is wanted as well: taking the item returns it. */
static int wants_cell (void *self, uint64_t item)
{
    struct reading *r = self;
    uint64_t cell = 0;
    if (larder_h5read_cell (r->dataset, item, &cell, &r->why) != LARDER_OK)
        return 1;
    if (r->decided != cell + 1)
        r->mine = r->work == DIVIDED ? larder_h5claim_take (&r->claim, cell)
                                     : larder_h5exchange_ask (&r->exchange, cell, &r->why);
    r->decided = cell + 1;
    return r->mine != 0;
}

static int decode_cell (struct reading *r, uint64_t cell, const void *data, size_t size,
                        larder_error *err)
{
    larder_h5_dataset *s = r->dataset;
    const void *elements = NULL;
    if (r->work != EXCHANGED)
        return larder_h5take_cell (&s->d, &s->decode, &r->place, cell, data, size, err);
    int rc = larder_h5take_elements (&s->d, &s->decode, cell, data, size, &elements, err);
    if (!rc && elements)
        rc = larder_h5place_cell (&r->place, cell, elements, err);
    if (!rc)
        larder_h5exchange_give (&r->exchange, cell, elements);
    return rc;
}

static int take_cell (void *self, uint64_t item, const void *data, size_t size, larder_error *err)
{
    struct reading *r = self;
    uint64_t cell = 0;
    int rc = larder_h5read_cell (r->dataset, item, &cell, err);
    if (!rc && r->mine < 0) {
        if (err)
            *err = r->why;
        rc = r->mine;
    }
    if (!rc && r->turn.memory)
        rc = larder_h5claim_wait (&r->turn, 0, err);
    if (rc)
        return rc;
    rc = decode_cell (r, cell, data, size, err);
    if (r->turn.memory) {
        larder_h5decode_rest (&r->dataset->decode);
        larder_h5claim_give_back (&r->turn, 0);
    }
    return rc;
}

static int take_bytes (void *self, uint64_t item, uint64_t offset, const void *data, size_t size,
                       larder_error *err)
{
    struct reading *r = self;
    uint64_t cell = 0;
    int rc = larder_h5read_cell (r->dataset, item, &cell, err);
    if (rc)
        return rc;
    uint64_t at = larder_h5place_begins (&r->place, cell) + offset;
    for (size_t done = 0; done < size;) {
        uint64_t left = BLOCK - (at + done) % BLOCK;
        size_t n = left < size - done ? (size_t)left : size - done;
        if (r->work == ALL_OF_IT)
            n = size - done;
        if (r->work == ALL_OF_IT || larder_h5claim_take (&r->claim, (at + done) / BLOCK))
            larder_h5place_bytes (&r->place, cell, offset + done, (const char *)data + done, n);
        done += n;
    }
    return LARDER_OK;
}

/* ---------------------------------------------------------------- the consumer */

struct consumer {
    struct reading *reading;
    struct larder_h5collect collect;
    larder_consumer inner; /* collect's */
};

static int consume (void *self, const larder_view *view, larder_error *err)
{
    struct consumer *c = self;
    int rc = c->inner.consume_items (c->inner.self, view, err);
    if (rc)
        larder_h5exchange_fail (&c->reading->exchange);
    return rc;
}

static int completed (void *self, larder_error *err)
{
    struct consumer *c = self;
    larder_error why = {0};
    int rc = LARDER_OK;
    if (c->reading->work == EXCHANGED)
        rc = larder_h5exchange_finish (&c->reading->exchange, &why);
    if (rc) {
        c->collect.code = rc;
        c->collect.why = why;
        larder_h5exchange_fail (&c->reading->exchange);
        if (err)
            *err = why;
    }
    return rc;
}

static void download_failed (void *self, const larder_error *why)
{
    struct consumer *c = self;
    (void)why;
    larder_h5exchange_fail (&c->reading->exchange);
}

/* ---------------------------------------------------------------- from begin to end */

/* The same on all ranks. */
static int divide (struct reading *r, enum larder_h5all_into into, int takes, larder_error *err)
{
    const larder_h5_dataset *s = r->dataset;
    larder_session_info info;
    uint64_t bytes = 0;
    int rc = larder_session_get_info (s->session, &info);
    if (rc || (into == LARDER_H5ALL_OWN &&
               (!s->d.chunked || s->d.filters == 0 || info.size == info.node_count)))
        return rc;
    if (s->d.chunked && s->d.filters && larder_h5describe_cell_bytes (&s->d) > TOGETHER / 2)
        rc = larder_h5claim_open (s->session, 1, &r->turn, err);
    if (rc)
        return rc;
    if (into == LARDER_H5ALL_OWN) {
        r->work = EXCHANGED;
        r->exchange.self = r;
        r->exchange.place = place_elements;
        return larder_h5exchange_open (s->session, s->d.cells, larder_h5describe_cell_bytes (&s->d),
                                       takes, &r->exchange, err);
    }
    r->work = DIVIDED;
    bytes = r->place.points * r->place.size[0];
    return larder_h5claim_open (s->session, r->place.direct ? bytes / BLOCK + 1 : s->d.cells,
                                &r->claim, err);
}

/* Returns the code on which all ranks agree. */
static int collect (struct reading *r, int takes, larder_error *err)
{
    larder_h5_dataset *s = r->dataset;
    larder_error heard = {0}, told = {0};
    larder_ref part;
    struct consumer c = {.reading = r,
                         .collect = {.self = r, .limit = larder_h5take_limit (&s->d)}};
    if (r->place.direct)
        c.collect.take_part = take_bytes;
    else {
        c.collect.take_item = take_cell;
        c.collect.wants_item = r->work == ALL_OF_IT ? NULL : wants_cell;
    }
    c.inner = larder_h5collect_consumer (&c.collect);
    larder_consumer consumer = {.self = &c,
                                .consume_items = consume,
                                .download_completed = completed,
                                .download_failed = download_failed};
    int rc = larder_ref_items (&s->ref, s->base + 1, s->d.cells, &part, &heard);
    if (!rc)
        rc = larder_download_all (s->session, &part, takes ? &consumer : NULL, &heard);
    if (!rc && takes)
        c.collect.code = larder_h5place_finish (&r->place, &c.collect.why);
    (void)larder_h5collect_end (&c.collect, rc, NULL);
    /* Who only heard that another rank failed leaves it to that one, which knows why. */
    int mine = r->exchange.heard ? LARDER_OK : c.collect.code;
    int worst = larder_agree (s->session, mine, &c.collect.why, &told);
    if (worst == LARDER_EBROKEN && rc)
        worst = LARDER_OK; /* by what rc says */
    if (err && (worst || rc))
        *err = worst ? told : heard;
    return worst ? worst : rc;
}

int larder_h5all_read (larder_h5_dataset *s, hid_t type, enum larder_h5all_into into, void *buffer,
                       larder_error *err)
{
    struct reading r = {.dataset = s, .work = ALL_OF_IT};
    larder_error why = {0};
    struct larder_h5quiet quiet;
    larder_h5error_quiet (&quiet);
    int takes = buffer != NULL;
    int rc =
        takes ? larder_h5place_begin (&r.place, &s->d, type, H5S_ALL, H5S_ALL, buffer, &why) : 0;
    rc = larder_agree (s->session, rc, &why, err);
    if (!rc && s->d.cells && H5Sget_simple_extent_npoints (s->d.space) > 0) {
        rc = divide (&r, into, takes, err);
        if (!rc)
            rc = collect (&r, takes, err);
    }
    larder_h5claim_close (&r.claim);
    larder_h5exchange_close (&r.exchange);
    if (takes)
        larder_h5place_end (&r.place);
    larder_h5error_loud (&quiet);
    return rc;
}
