/* SPDX-License-Identifier: Apache-2.0 */
/* The owner's side of the window protocol: reads what nodes ask for, produces, says what is ready. */
#ifndef LARDER_OWNER_H
#define LARDER_OWNER_H

#include "larder_clock.h"
#include "larder_config.h"
#include "larder_offered.h"
#include "larder_words.h"

/* A line as its owner sees it. */
struct larder_owner_line {
    int active;
    int node, line;
    uint64_t life; /* of the present binding, or of the last one */
    int object;
    uint64_t first_chunk, first_item, end_item;
    uint64_t cursor, want;
    uint64_t sent;   /* chunks below are told to be ready */
    uint64_t told;   /* chunks below were told once; some may have gone again */
    int all_sent;    /* nothing is left to tell */
    int last_sent;   /* the object's last chunk was told */
    int lagging;     /* it stood still for hold_timeout: its chunks may go */
    int waits;       /* it wants a chunk that is not there */
    uint64_t holder; /* its word */
    double bound;    /* when it was bound */
    double moved;    /* when its cursor or holder last moved */
    double waits_since;
    unsigned char *seen; /* state of each local rank, as last seen: 0..3, 4 failed */
    int through;         /* how many of them have left, done or failed */
    int failed_code;     /* not 0: the life was given up, for this reason */
    int closed;          /* its node may use the line again */
    char failed_text[LARDER_FAILED_TEXT];
};

struct larder_owner {
    struct larder_words words;
    struct larder_offered_env env;
    struct larder_clock clock;
    const struct larder_settings *settings;
    int index, home; /* number among all owners, and among those of this node */
    int rank;
    uint64_t session;
    uint64_t next_transaction;
    struct larder_offered *objects;  /* max_objects places */
    struct larder_owner_line *lines; /* node_count * max_lines */
    int line_count;
    int *active; /* indices of active lines */
    int active_count;
    int live_count;
    double scanned;            /* when bind records were last looked at */
    double stuck_since;        /* production has waited for a slot since; 0: it does not */
    larder_error last_failure; /* of production; for larder_serve */
};

struct larder_owner_options {
    struct larder_words words;
    struct larder_clock clock;
    const struct larder_settings *settings;
    larder_stats *stats;
    int *in_callback;
    int index, home, rank;
    uint64_t session;
};

/* On failure nothing is to be freed. */
int larder_owner_open (const struct larder_owner_options *options, struct larder_owner **owner,
                       larder_error *err);
void larder_owner_close (struct larder_owner **owner);

/* Put an object into a free place and make it live.  The object's failure or a bad list of receivers
 * leaves everything as it was. */
int larder_owner_offer (struct larder_owner *owner, const larder_object *object,
                        uint64_t chunk_size, larder_receivers receivers, int *place,
                        larder_error *err);

/* End a life early: receivers that are not final get `code`. */
void larder_owner_end (struct larder_owner *owner, int place, larder_done done, int code,
                       const char *text);

/* Look once: take what nodes have written, and produce at most one chunk.  Returns the number of things
 * that moved, or an error of the transport. */
int larder_owner_poll (struct larder_owner *owner, larder_error *err);

#endif
