/* SPDX-License-Identifier: Apache-2.0 */
/* The receiver's side of the window protocol: a request joins a line, its node's holder fetches, every
 * rank of the node views. */
#ifndef LARDER_READER_H
#define LARDER_READER_H

#include "larder_clock.h"
#include "larder_config.h"
#include "larder_track.h"
#include "larder_words.h"
#include <larder/download.h>

/* A chunk being fetched into a slot.  When nobody waits for it any more it is kept until the network
 * has let go of the slot. */
struct larder_fetch {
    struct larder_fetch *next;
    struct larder_get get;
    uint64_t chunk, place;
    uint32_t slot;
    larder_word *quota;
};

#define LARDER_FETCHES 2

enum larder_request_state {
    LARDER_REQUEST_JOIN, /* no line is free yet */
    LARDER_REQUEST_INFO, /* the owner has not answered */
    LARDER_REQUEST_RUN,
    LARDER_REQUEST_CLOSE, /* an orphan: it has left, and the owner may not know that it came */
    LARDER_REQUEST_OVER
};

struct larder_request {
    struct larder_request *next;
    larder *session; /* for the public functions; the reader does not look into it */
    larder_ref ref;  /* likewise: what it was started with */
    struct larder_reader *reader;
    larder_consumer consumer;
    enum larder_request_state state;
    struct larder_want want; /* what is left, when it joined its line */
    uint64_t first_item;     /* of what was asked for */
    int line;
    uint64_t life;
    struct larder_info info;
    uint64_t position;               /* next chunk */
    uint64_t next_item, next_offset; /* next byte the consumer gets */
    uint64_t from;                   /* the chunk it stands in, + 1; 0: none was shown yet */
    int rejoins;                     /* it has begun: it waits for a line even if others are open */
    struct larder_fetch *fetches[LARDER_FETCHES];
    uint64_t fetch_next; /* next chunk to fetch */
    int bad_tries;       /* for the same chunk */
    uint64_t bad_chunk, bad_place;
    double bad_until; /* not to be fetched again before */
    uint64_t beat;    /* the holder's, as last seen */
    double beat_seen; /* when it last changed */
    double moved;     /* when something last moved */
    double pinged;    /* when the owner was last asked to say it again */
    double ping_after;
    uint64_t *stood; /* where the line's ranks stood, NULL: it was never asked */
    double stood_at;
    int told;       /* something of this rank since the last poll */
    double told_at; /* when that was seen */
    uint64_t beats; /* signs of life, in this life of the line */
    int verdict;    /* a confirmation only: the code to report; 1: a real download */
    double
        not_live_since; /* the owner has said since that the object is not offered yet; 0: not so */
    double ask_at;      /* not before */
    int partial;        /* its end is no verdict: its user will tell by another */
    int settled;        /* result is final, only the verdict is still to be told */
    int orphan;         /* nobody's but the reader's, which frees it */
    larder_error result;
    uint64_t bytes_done; /* of this download, those before an interruption included */
    struct larder_track track;
};

struct larder_reader {
    struct larder_words words;
    struct larder_clock clock;
    struct larder_clock_attention attention; /* what requests and deadlines are judged by */
    const struct larder_settings *settings;
    larder_stats *stats;
    int *in_callback;
    struct larder_request *requests;
    struct larder_fetch *abandoned;
    uint64_t fetched; /* for the faults that tests ask for */
    double swept;     /* when lines without members were last looked at */
    double looked;    /* when it was last seen whether such lines still wait for anybody */
    uint64_t pauses;  /* number of the last announcement */
};

/* Begin; the caller has checked the ref.  LARDER_OK, or LARDER_EBUSY: nothing was started. */
int larder_reader_start (struct larder_reader *reader, struct larder_request *request,
                         larder_error *err);

/* Move all requests on, each by at most max_chunks.  Returns the number of things that moved, < 0 when
 * the transport failed. */
int larder_reader_poll (struct larder_reader *reader, int max_chunks, larder_error *err);

/* End a request that is not over: its consumer's download_failed is called. */
void larder_reader_fail (struct larder_request *request, int code, const char *text);

/* End a request, and with it all that this rank has open of its transaction: LARDER_ECANCELED is told to
 * the owner, later if need be. */
void larder_reader_cancel (struct larder_request *request, const char *text);

/* End a request without a verdict and without a word to its consumer.  -1: it is over already. */
int larder_reader_interrupt (struct larder_request *request);

/* Take a request that is over out of the list.  What it points to is freed, not the struct. */
void larder_reader_remove (struct larder_request *request);

/* Gets that are still under way for requests that are gone. */
int larder_reader_abandoned (const struct larder_reader *reader);

#endif
