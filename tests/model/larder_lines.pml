/* SPDX-License-Identifier: Apache-2.0 */
/* larder's slots, lines and words as a model for SPIN.  README.md says what is in it and what is not;
 * tests/model.sh checks it.  The words are those of src/larder_wire.h.  Chunks count from 1: 0 is "nothing".
 *
 * The network keeps the order of what one rank writes to one place, and no other.  A word has a single
 * reader, so it is under way as long as that reader has not looked: each look is a step of its own.  A
 * word that only grows (MPI_MAX) is seen late and step by step, so it needs no queue. */

/* -DNODES=n     each has a line and a rank that downloads by it (1..3)
 * -DSLOTS=n     of the owner's cache (1..3)
 * -DCHUNKS=n    of the object
 * -DRING=n      entries of a ready ring (1..3)
 * -DUNDER_WAY=n words under way to one place at most: a further one pushes the oldest in
 * -DHOLDERS=n   ranks of a node that fetch in turn, each with a mailbox of its own
 * -DPINGS=n     a node changes its holder so often without need; with one holder: asks again
 * -DREPRODUCE   chunks go early, but for one that a line wants next; else `hold`
 * -DTIMEOUTS=n  hold_timeout is there, and strikes each line that is only slow n times at most
 * -DSTALLS=n    the first n nodes may stand still for ever
 * -DLEAVES=n    node 0 may give up from chunk n on; 0: also before it has an answer
 * -DLIVES=2     ... and then downloads again: a second life of its line */
#ifndef HOLDERS
#define HOLDERS 1
#endif
#ifndef PINGS
#define PINGS 0
#endif
#ifndef LIVES
#define LIVES 1
#endif
#ifndef UNDER_WAY
#define UNDER_WAY 2
#endif

#define WORD(life, count) ((life) * 16 + (count)) /* a growing word, a chunk word */
#define LIFE(word)        ((word) / 16)
#define COUNT(word)       ((word) % 16)
#define PLACE(word, slot) ((word) * 4 + (slot)) /* a place; its check, taken to be ideal, is the chunk word */
#define PLACE_OF(place)   ((place) / 4)
#define PLACE_SLOT(place) ((place) % 4)
#define ABSENT   0 /* counts of a state word */
#define ACQUIRED 1
#define FAILED   2
#define DONE     3
#define MAILBOX(n, rank, c) (((n) * HOLDERS + (rank)) * RING + (c) % RING)
#define BOXES (NODES * HOLDERS * RING)

/* ---------------------------------------------------------------- words in shared memory */

/* Written by the nodes, read by the owner: a request block for each line. */
byte bind_word[2 * NODES]; /* bind record: its life, and its check, taken to be ideal */
byte cursor[NODES];        /* {life, chunk}; its END is a word of its own here: */
byte cursor_end[NODES];    /* the life that it ends */
byte state[NODES];         /* {life, verdict} */
byte holder[NODES];        /* {life, rank}; 0: nothing new */
#if LIVES > 1
chan way_bind[2] = [4] of { byte }; /* node 0's ranks bind in turn: places with several writers, no order */
#endif
/* Written by the owner, read by one rank: mailboxes. */
byte info[NODES];          /* info record: the life, once all of it is here */
byte closed[NODES];        /* the life */
byte ready_chunk[BOXES];   /* a ready word: {life, chunk} ... */
short ready_place[BOXES];  /* ... and {slot, check} */
chan way_chunk[BOXES] = [UNDER_WAY] of { byte };
chan way_place[BOXES] = [UNDER_WAY] of { short };
/* The owner's slots: which chunk's header (0: retracted) and which chunk's bytes stand there. */
byte header[SLOTS];
byte bytes[SLOTS];

/* ---------------------------------------------------------------- the owner's books */

bool writing;         /* it produces into a slot, and does nothing else meanwhile */
byte cached[SLOTS];   /* the chunk in the slot; 0: the slot is free */
bool loose, let_go;   /* chunks go early; who has not begun holds nothing any more */
byte life[NODES];
bool bound[NODES], lagging[NODES], began[NODES];
byte at[NODES];       /* the cursor as far as seen */
byte sent[NODES];     /* the next chunk to tell */
byte gone[NODES];     /* bit c: chunk c was told, and has gone since */
byte seen[NODES];     /* the state as far as seen */
byte to[NODES];       /* the holder as far as seen */
/* Only the model knows: */
byte made;            /* bit c: chunk c was produced */
byte receipt[NODES];  /* the verdict that the owner booked, with its life */
byte struck[NODES];   /* by hold_timeout, so often */
bool stalled[NODES];
byte through;         /* nodes that are */
hidden byte i, c, e, k, s; /* used within one step */

#define ANY(what, x)      (what (0, x) || what (NODES / 2, x) || what (NODES - 1, x))
#define ANY_SLOT(what, x) (what (0, x) || what (SLOTS / 2, x) || what (SLOTS - 1, x))
#define HOLDS(slot, c)   (cached[slot] == (c))
#define IN_USE(slot, x)  (cached[slot] != 0)
#define CACHED(c)        ANY_SLOT (HOLDS, c)
#define ROOM             CACHED (0)
#define BOUND(n, x)      (bound[n])
#define UNSEEN(n, x)     (!began[n])
#define NEEDS(n, c)      (bound[n] && !lagging[n] && at[n] <= (c))
#define WANTS_NEXT(n, c) (bound[n] && !lagging[n] && at[n] == (c))
#define MAY_GO(slot, x)  (cached[slot] && !ANY (WANTS_NEXT, cached[slot]))
#define VICTIM           ANY_SLOT (MAY_GO, 0)
#define HAS_GONE(n, c)   ((gone[n] & 1 << (c)) != 0)
#define LACKS(n, c)      (bound[n] && (c) <= CHUNKS && ((c) >= sent[n] || HAS_GONE (n, c)) && !CACHED (c))
#define LACKS_LATER(n)   (RING > 1 && LACKS (n, at[n] + 1) || RING > 2 && LACKS (n, at[n] + 2))
#define WAITS(n)         (LACKS (n, at[n]) || LACKS_LATER (n))
#define URGENT(n, x)     (!lagging[n] && LACKS (n, at[n]))
#define STUCK            (!writing && !ROOM && ANY (URGENT, 0) && !(GOES_EARLY && VICTIM))
#ifdef REPRODUCE
#define GOES_EARLY true
#define HELD       false
#elif defined(MUTANT_EARLY_HOLD)
#define GOES_EARLY loose
#define HELD       false
#else
#define GOES_EARLY loose
#define HELD       (ANY (UNSEEN, 0) && !let_go) /* who has not begun needs everything */
#endif

/* Faults to find; the others stand where they strike. */
#ifdef MUTANT_NO_LIFE_CURSOR
#define OF_LIFE(word_life, n) (word_life)
#else
#define OF_LIFE(word_life, n) ((word_life) == life[n])
#endif
#ifdef MUTANT_NO_LIFE_READY
#define SAYS(word, my, c) (COUNT (word) == (c))
#else
#define SAYS(word, my, c) ((word) == WORD (my, c))
#endif
#if defined(MUTANT_NO_CHECK) || defined(MUTANT_BYTES_FIRST)
#define GOOD(h, b, c) ((h) == (c)) /* key and chunk of the header match */
#else
#define GOOD(h, b, c) ((h) == (c) && (b) == (c)) /* and the check over header and bytes */
#endif
#ifdef MUTANT_CLOSE_EARLY
#define BOOKED(n) true
#else
#define BOOKED(n) (seen[n] >= FAILED)
#endif
#ifdef MUTANT_SPARE_READ_AHEAD
#define SPARED(n) WAITS (n)
#else
#define SPARED(n) URGENT (n, 0)
#endif

/* ---------------------------------------------------------------- what the owner does in one step */

inline write_ready(n, c, word, place) {
    e = MAILBOX (n, to[n], c);
    if :: len (way_chunk[e]) == UNDER_WAY -> way_chunk[e]?ready_chunk[e] :: else fi;
    if :: len (way_place[e]) == UNDER_WAY -> way_place[e]?ready_place[e] :: else fi;
    way_chunk[e]!word;
    way_place[e]!place
}

inline tell(n, c) { /* where chunk c stands, or that it has gone */
    s = 0;
    do :: s < SLOTS && cached[s] != c -> s++ :: else -> break od;
    if :: s < SLOTS -> write_ready (n, c, WORD (life[n], c), PLACE (WORD (life[n], c), s))
       :: else -> write_ready (n, c, 0, 0) fi
}

inline serve() { /* tell all lines what is ready */
    k = 0;
    do :: k < NODES ->
          c = at[k]; i = 0;
          do :: bound[k] && c < at[k] + RING && c <= CHUNKS ->
                if :: CACHED (c) && (c == sent[k] || (HAS_GONE (k, c) && !i)) ->
                      tell (k, c);
                      gone[k] = gone[k] & ~(1 << c);
                      if :: c == sent[k] -> sent[k]++ :: else fi
                   :: !CACHED (c) && HAS_GONE (k, c) -> i = 1 /* what else has gone comes after it */
                   :: else fi;
                c++
             :: else -> break od;
          k++
       :: else -> break od;
    k = 0
}

inline evict(slot) { /* who was told of the chunk hears that it has gone, and will be told again */
    i = 0;
    do :: i < NODES ->
#ifndef MUTANT_REUSE
          if :: bound[i] && at[i] <= cached[slot] && cached[slot] < sent[i] ->
                write_ready (i, cached[slot], 0, 0);
#ifndef MUTANT_NOT_AGAIN
                gone[i] = gone[i] | 1 << cached[slot]
#endif
             :: else fi;
#endif
          i++
       :: else -> break od;
    cached[slot] = 0
}

inline sweep_and_serve() { /* what nobody needs goes */
    k = 0;
    do :: k < SLOTS ->
          if :: cached[k] && !HELD && !ANY (NEEDS, cached[k]) -> evict (k) :: else fi;
          k++
       :: else -> break od;
    serve ()
}

/* ---------------------------------------------------------------- the owner, for one line */

#define IDLE(n) (!writing && bound[n])

proctype owner_line (byte n)
{
    byte slot, chunk;
end:
    do
    /* A bind record is whole and new: a life begins. */
    :: d_step {
        !writing && bind_word[2 * n] > life[n] && bind_word[2 * n] == bind_word[2 * n + 1] ->
        life[n] = bind_word[2 * n];
        bound[n] = true; seen[n] = ABSENT; to[n] = 0;
        at[n] = 1; sent[n] = 1; gone[n] = 0;
        info[n] = life[n];
        sweep_and_serve () }
#if LIVES > 1
    :: d_step { n == 0 && way_bind[0]??[1] -> way_bind[0]??1; bind_word[0] = 1 }
    :: d_step { n == 0 && way_bind[0]??[2] -> way_bind[0]??2; bind_word[0] = 2 }
    :: d_step { n == 0 && way_bind[1]??[1] -> way_bind[1]??1; bind_word[1] = 1 }
    :: d_step { n == 0 && way_bind[1]??[2] -> way_bind[1]??2; bind_word[1] = 2 }
#endif
    /* The cursor rises. */
    :: d_step {
        IDLE (n) && OF_LIFE (LIFE (cursor[n]), n) && COUNT (cursor[n]) > at[n] ->
        gone[n] = gone[n] & ~(1 << at[n]);
        at[n]++;
        if :: sent[n] < at[n] -> sent[n] = at[n] :: else fi;
        lagging[n] = false;
        sweep_and_serve () }
    /* A rank takes part, which only `hold` minds; its verdict. */
#ifndef REPRODUCE
    :: d_step {
        IDLE (n) && LIFE (state[n]) == life[n] && seen[n] == ABSENT ->
        seen[n] = ACQUIRED; began[n] = true;
        sweep_and_serve () }
#endif
    :: d_step {
        IDLE (n) && LIFE (state[n]) == life[n] && COUNT (state[n]) >= FAILED && seen[n] < FAILED ->
        seen[n] = COUNT (state[n]); began[n] = true;
        receipt[n] = state[n];
        sweep_and_serve () }
    /* The cursor's END, and all verdicts are booked: the line is closed. */
    :: d_step {
        IDLE (n) && OF_LIFE (cursor_end[n], n) && BOOKED (n) ->
        bound[n] = false; lagging[n] = false;
        at[n] = 0; sent[n] = 0; gone[n] = 0;
        if :: !ANY (BOUND, 0) -> loose = false :: else fi;
        closed[n] = life[n];
        sweep_and_serve () }
    /* A new holder, or one that asks again, is told all that is valid and all that has gone. */
    :: d_step {
        IDLE (n) && LIFE (holder[n]) == life[n] ->
        to[n] = COUNT (holder[n]);
        holder[n] = 0;
        lagging[n] = false;
        k = at[n];
        do :: k < sent[n] -> tell (n, k); k++ :: else -> break od;
        serve () }
    /* Production.  Nothing is read ahead while somebody waits for what he wants next. */
    :: atomic {
        IDLE (n) && WAITS (n) && !lagging[n] && (URGENT (n, 0) || !ANY (URGENT, 0)) && ROOM ->
        writing = true; chunk = at[n];
        do :: !LACKS (n, chunk) -> chunk++ :: else -> break od;
        do :: cached[slot] -> slot++ :: else -> break od }
        goto produce
    :: atomic {
        IDLE (n) && URGENT (n, 0) && !ROOM && GOES_EARLY && VICTIM ->
        writing = true; chunk = at[n];
        if :: MAY_GO (0, 0) -> slot = 0
           :: MAY_GO (SLOTS / 2, 0) -> slot = SLOTS / 2
           :: MAY_GO (SLOTS - 1, 0) -> slot = SLOTS - 1 fi;
        d_step { evict (slot) } }
        goto produce
#ifdef TIMEOUTS
    /* hold_timeout: who has not begun; who stands still; at last, if nobody does, a cycle of lines. */
    :: d_step { STUCK && HELD -> let_go = true; sweep_and_serve () }
    :: d_step {
        STUCK && bound[n] && !lagging[n] && !SPARED (n) && (stalled[n] || struck[n] < TIMEOUTS) ->
        if :: !stalled[n] -> struck[n]++ :: else fi;
        lagging[n] = true;
        sweep_and_serve () }
    :: d_step { STUCK && !GOES_EARLY -> loose = true }
#endif
    :: d_step { through == NODES && !ANY (BOUND, 0) -> assert (!ANY_SLOT (IN_USE, 0)) } break
    od;
    goto over;
produce:
#ifndef MUTANT_BYTES_FIRST
    header[slot] = 0;
#endif
    bytes[slot] = chunk;
    d_step {
        header[slot] = chunk;
        cached[slot] = chunk;
#if !defined(REPRODUCE) && !defined(TIMEOUTS) && LIVES == 1
        assert (!(made & 1 << chunk)); /* `hold`: exactly once */
        made = made | 1 << chunk;
#endif
        slot = 0; chunk = 0; writing = false;
        serve () }
    goto end;
over:
    skip
}

/* ---------------------------------------------------------------- a node: line, holder and reader */

#define BOX      MAILBOX (n, who, next)
#define IN_REACH (next <= CHUNKS && next < pos + RING)
#define IS_READY (SAYS (ready_chunk[BOX], my, next) && SAYS (PLACE_OF (ready_place[BOX]), my, next))
#define NO_WORDS (empty (way_chunk[BOX]) && empty (way_place[BOX]))
#define UNREAD   15

proctype node (byte n)
{
    byte my;        /* life of the line */
    byte pos, next; /* the reader's next chunk; the next one to fetch */
    byte who;       /* the holder */
    bool fresh;     /* what stands in the ready word was not tried yet */
    bool getting;   /* from slot; of header and bytes came: */
    byte slot, h = UNREAD, b = UNREAD;
    byte asked;
bind:
    atomic { my++; pos = 1; next = 1; who = 0; asked = 0; fresh = true }
    d_step { state[n] = WORD (my, ACQUIRED) }
#if LIVES > 1
    if :: atomic { n == 0 -> way_bind[0]!my; way_bind[1]!my }
       :: d_step { n != 0 -> bind_word[2 * n] = my; bind_word[2 * n + 1] = my } fi;
#else
    d_step { bind_word[2 * n] = my; bind_word[2 * n + 1] = my }
#endif
    do
    :: info[n] == my -> break
#if LIVES > 1
    /* No answer: said again, once without need, and when an older record's words came between. */
    :: atomic {
        n == 0 && info[n] != my && ((my == 1 && LEAVES == 0 && asked == 0) || (
            empty (way_bind[0]) && empty (way_bind[1]) && (bind_word[0] != my || bind_word[1] != my))) ->
        asked = (my == 1 -> 1 : asked);
        way_bind[0]!my; way_bind[1]!my }
#endif
#ifdef LEAVES
    :: n == 0 && my == 1 && LEAVES == 0 -> goto leave
#endif
    od;
    asked = 0;
    do
    /* A ready word's two words arrive. */
    :: d_step { IN_REACH && nempty (way_chunk[BOX]) -> way_chunk[BOX]?ready_chunk[BOX]; fresh = true }
    :: d_step { IN_REACH && nempty (way_place[BOX]) -> way_place[BOX]?ready_place[BOX]; fresh = true }
    /* Get header and bytes, in any order, while the owner may be writing there. */
    :: d_step {
        IN_REACH && fresh && !getting && IS_READY ->
        assert (LIFE (ready_chunk[BOX]) == my); /* no word of an old life is believed */
        slot = PLACE_SLOT (ready_place[BOX]);
#ifndef MUTANT_RETRY_AT_ONCE
        fresh = false;
#endif
        getting = true }
    :: d_step { getting && h == UNREAD -> h = header[slot] }
    :: d_step { getting && b == UNREAD -> b = bytes[slot] }
    :: d_step {
        getting && h != UNREAD && b != UNREAD ->
        if :: GOOD (h, b, next) -> assert (b == next); /* no other chunk's bytes are accepted */
              next++; fresh = true
           :: else fi; /* a word that comes, or has come meanwhile, lets it try again */
        getting = false; slot = 0; h = UNREAD; b = UNREAD }
    /* The reader is through with a chunk. */
    :: d_step { pos < next && pos < CHUNKS -> pos++; cursor[n] = WORD (my, pos) }
    :: d_step { pos < next && pos == CHUNKS -> state[n] = WORD (my, DONE); cursor_end[n] = my } break
    /* Another holder, or the same asks again: without need, or as the owner took its chunks away. */
    :: d_step {
        IN_REACH && holder[n] == 0 &&
            (asked < PINGS || (lagging[n] && pos == next && !getting && !(fresh && IS_READY) && NO_WORDS)) ->
        if :: asked < PINGS -> asked++ :: else fi;
        who = (who + 1) % HOLDERS; fresh = true;
        holder[n] = WORD (my, who) }
#ifdef LEAVES
    :: n == 0 && my == 1 && pos >= LEAVES -> goto leave
#endif
#if STALLS
    :: n < STALLS -> goto stall
#endif
    od;
    goto close;
leave:
    atomic { /* what is under way to it is dropped when it comes */
        getting = false; slot = 0; h = UNREAD; b = UNREAD;
        state[n] = WORD (my, FAILED); cursor_end[n] = my }
close:
    closed[n] == my;
    assert (receipt[n] == state[n]); /* the verdict was booked before its word is used again */
    if :: COUNT (state[n]) == FAILED && my < LIVES -> goto bind
       :: COUNT (state[n]) == FAILED && my >= LIVES -> skip
       :: COUNT (state[n]) == DONE -> assert (pos == CHUNKS && next == CHUNKS + 1) fi;
    goto over;
stall:
    stalled[n] = true;
over:
    through++
}

init {
    atomic {
        k = 0;
        do :: k < NODES -> run owner_line (k); run node (k); k++ :: else -> break od
    }
}
