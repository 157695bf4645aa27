/* SPDX-License-Identifier: Apache-2.0 */
/* The owner's side of the window protocol: reads what nodes ask for, produces, says what is ready. */
#ifndef LARDER_OWNER_H
#define LARDER_OWNER_H

#include "larder_clock.h"
#include "larder_config.h"
#include "larder_offered.h"
#include "larder_receipt.h"
#include "larder_words.h"

struct larder_ownertxn;

/* What a state word says. */
enum {
    LARDER_SEEN_ABSENT,
    LARDER_SEEN_ACQUIRED,
    LARDER_SEEN_LEFT,
    LARDER_SEEN_DONE,
    LARDER_SEEN_FAILED
};

static inline int larder_owner_seen (uint64_t count)
{
    return count == LARDER_STATE_ABSENT ? LARDER_SEEN_ABSENT
           : count < LARDER_STATE_LEFT  ? LARDER_SEEN_ACQUIRED
           : count == LARDER_STATE_LEFT ? LARDER_SEEN_LEFT
           : count == LARDER_STATE_DONE ? LARDER_SEEN_DONE
                                        : LARDER_SEEN_FAILED;
}

/* A line as its owner sees it. */
struct larder_owner_line {
    int active;
    int node, line;
    uint64_t life; /* of the present binding, or of the last one */
    int object;
    uint64_t first_chunk, first_item, end_item;
    uint64_t cursor, want;
    uint64_t sent;  /* chunks below were told to be ready; some may have gone again: */
    uint64_t *gone; /* a bit per place in the ring */
    int gone_count;
    int all_sent;    /* nothing is left to tell */
    int last_sent;   /* the object's last chunk was told */
    int resumed;     /* it goes on with a download that was interrupted */
    int lagging;     /* it stood still for hold_timeout: its chunks may go */
    int waits;       /* it wants a chunk that is not there: */
    uint64_t next;   /* this one */
    int urgent;      /* somebody waits for it now; else it would only be ready ahead */
    uint64_t holder; /* its word */
    double bound;    /* when it was bound */
    double moved;    /* when its cursor or holder last moved */
    double waits_since;
    double signed_at;      /* last sign of any of its ranks */
    uint64_t items, bytes; /* passed by its slowest rank since first_chunk */
    uint64_t *seen;        /* count of each local rank's state word, as last seen */
    int through;           /* how many of them have left, done or failed */
    int failed_code;       /* not 0: the life was given up, for this reason */
    int closed;            /* its node may use the line again */
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
    int live_count; /* transactions */
    double scanned; /* when bind records were last looked at */
    struct larder_clock_attention attention;
    double now;     /* seconds it has attended: what it spent elsewhere counts a little */
    uint64_t round; /* of production */
    struct larder_ownertxn **txns; /* open ones; max_transactions places */
    int txn_count;
    struct larder_receipts receipts;
    unsigned char *left;            /* each rank: 1: it has left the session */
    int left_count;                 /* ranks that have */
    double left_at;                 /* when the last of them did */
    double *paused;                 /* end of each rank's pause */
    uint64_t *pause_seen;           /* each rank's pause word */
    int crowded;                    /* somebody asks for an object that no slots can be promised */
    double waits_since, waits_seen; /* that has been so */
    double pauses_read;             /* when they were last looked at */
    larder_error last_failure;      /* of production; for larder_serve */
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

/* Bring owner->now up to date.  Returns the clock's time. */
double larder_owner_attend (struct larder_owner *owner);

/* Look once: take what nodes have written, and produce at most one chunk.  Returns the number of things
 * that moved, or an error of the transport. */
int larder_owner_poll (struct larder_owner *owner, larder_error *err);

#endif
