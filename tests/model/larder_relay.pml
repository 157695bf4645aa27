/* SPDX-License-Identifier: Apache-2.0 */
/* The collective way as a model for SPIN: nodes pass chunks on.  README.md says what is in it and what is
 * not; tests/model.sh checks it.  Code: src/larder_relay.c, src/larder_tree.c.
 *
 * Chunks count from 0: chunk c is number c / TREES of tree c % TREES, and stands in each node's ring at place
 * number % SLOTS of that tree.  A count (cursor, have, passed) says how many there are.  A word that only
 * grows is asked only whether it has reached something: then to see it late is the same as to act late, and a
 * cursor, `failed` or `passed` needs no way of its own.  A ready word must be a certain one: it has a way.
 *
 * A leader's loop is cut into processes, a fetch for each tree and a rank that consumes, which take turns in any order. */

/* -DNODES=n     counted from the owner's, which is 0
 * -DTREES=n     1: a chain; 2: two trees
 * -DSLOTS=n     places of a tree's ring
 * -DCHUNKS=n    of the object (1..14)
 * -DFETCHES=n   chunks that a leader gets at the same time in a tree (1, 2)
 * -DFOLLOWERS=m bit n: node n has a second rank, which only consumes
 * -DFAILS=m     bit n: node n's leader may fail at any time (0: production fails) in the first life
 * -DLIVES=2     after the end there is a second download; its owner is on the next node */
#ifndef FETCHES
#define FETCHES 2
#endif
#ifndef FOLLOWERS
#define FOLLOWERS 0
#endif
#ifndef FAILS
#define FAILS 0
#endif
#ifndef LIVES
#define LIVES 1
#endif

#ifdef MUTANT_POOL
#define PLACES CHUNKS /* any place that is free: only their number counts */
#else
#define PLACES SLOTS
#endif
#define NOTHING       15 /* a cursor that holds nothing */
#define NT(n, t)      ((n) * TREES + (t))
#define AT(n, t, k)   (NT (n, t) * PLACES + (k) % PLACES)
#define CHUNK(t, k)   ((k) * TREES + (t))
#define ALL(t)        ((CHUNKS - (t) + TREES - 1) / TREES)
#define SEGMENT(n)    (((n) + life - 1) % NODES) /* the node that has this number */
#define WORD(l, k)    ((l) * 16 + (k) + 1)       /* a ready word */
#define LOCAL(n, l)   ((l) * NODES + (n))
#if FOLLOWERS
#define LOCALS 2
#else
#define LOCALS 1
#endif
#define HAS_MORE(n)   ((FOLLOWERS >> (n) & 1) != 0)
#define MIN(a, b)     ((a) < (b) -> (a) : (b))

/* ---------------------------------------------------------------- shared memory */

byte place[NODES * TREES * PLACES]; /* chunk + 1 that stands there; 0: nothing, or some of it is being written */
byte got[NODES * TREES];            /* have, and the cursor told to the parent; at the owner: produced */
byte asked[NODES * TREES];
bool ahead[NODES * TREES];          /* the second of two gets has ended, the first one has not */
byte passed[NODES * LOCALS];
bool failed[NODES], writing;
/* By segment, since they outlive a life. */
byte ready[NODES * TREES * PLACES]; /* as it stands there, */
byte way[NODES * TREES * PLACES];   /* as it is under way, */
#if LIVES > 1
byte old[NODES * TREES * PLACES];   /* and one of the life before */
#endif
byte life = 1;
byte over, ranks; /* how many are, of how many */

/* ---------------------------------------------------------------- the shape, as in src/larder_tree.c */

hidden byte parent[NODES * TREES], kid[NODES * TREES * 2]; /* kid 0: none */
hidden int h, up, p, m, i, j, k;

#define HEIGHT(x)     ((x) & -(x))
#define NODE_AT(t, x) ((t) == 0 -> (x) : ((x) + m - 2) % m + 1)
#define KID(n, t, i)  kid[NT (n, t) * 2 + (i)]

inline shape() {
    m = NODES - 1;
    j = 0;
    do :: j < TREES ->
          i = 1;
          do :: i < NODES ->
                p = (j == 0 -> i : i % m + 1);
                h = HEIGHT (p);
                up = (p > h && HEIGHT (p - h) == 2 * h -> p - h : p + h);
                up = (up <= m -> up : p - h);
                parent[NT (i, j)] = (TREES == 1 -> i - 1 : (up -> NODE_AT (j, up) : 0));
                k = parent[NT (i, j)];
                if :: KID (k, j, 0) == 0 || KID (k, j, 0) == i -> KID (k, j, 0) = i
                   :: else -> assert (KID (k, j, 1) == 0 || KID (k, j, 1) == i); KID (k, j, 1) = i fi;
                i++
             :: else -> break od;
          j++
       :: else -> break od
}

/* ---------------------------------------------------------------- a place is free */

#ifdef MUTANT_CURSOR_EARLY /* told when the chunk is asked for */
#define HERE(n, t) asked[NT (n, t)]
#else
#define HERE(n, t) got[NT (n, t)]
#endif
#ifdef MUTANT_SILENT_UP /* who fails does not tell its parents */
#define CURSOR(n, t) HERE (n, t)
#else
#define CURSOR(n, t) (failed[n] -> NOTHING : HERE (n, t))
#endif
#define KID_PAST(n, t, i, k) (KID (n, t, i) == 0 || CURSOR (KID (n, t, i), t) > (k))
#ifdef MUTANT_ONE_CHILD
#define KIDS_PAST(n, t, k) (KID_PAST (n, t, 0, k))
#else
#define KIDS_PAST(n, t, k) (KID_PAST (n, t, 0, k) && KID_PAST (n, t, 1, k))
#endif
#ifdef MUTANT_LEADER_ONLY
#define RANKS_PAST(n, c) (passed[LOCAL (n, 0)] > (c))
#else
#define RANKS_PAST(n, c) (passed[LOCAL (n, 0)] > (c) && (!HAS_MORE (n) || passed[LOCAL (n, HAS_MORE (n))] > (c)))
#endif
#ifdef MUTANT_POOL
#define KID_AT(n, t, i)  (KID (n, t, i) == 0 -> NOTHING : CURSOR (KID (n, t, i), t))
#define RANK_AT(n, t)    ((passed[LOCAL (n, 0)] - (t) + TREES - 1) / TREES)
#define THROUGH(n, t)    MIN (MIN (KID_AT (n, t, 0), KID_AT (n, t, 1)), RANK_AT (n, t))
#define HELD(n, t)       (((n) == 0 -> got[NT (n, t)] : asked[NT (n, t)]) - (THROUGH (n, t)))
#define IS_FREE(n, t, k) (HELD (n, 0) + HELD (n, TREES - 1) < TREES * SLOTS)
#else
#define IS_FREE(n, t, k) \
    ((k) < SLOTS || (KIDS_PAST (n, t, (k) - SLOTS) && RANKS_PAST (n, CHUNK (t, (k) - SLOTS))))
#endif

/* ---------------------------------------------------------------- words */

inline tell_ready(n, t, k, c) { /* a former one has arrived by now, and was looked at */
    if :: c ->
          j = AT (SEGMENT (c), t, k);
          assert (failed[c] || asked[NT (c, t)] + PLACES > k);
          if :: way[j] -> ready[j] = way[j] :: else fi;
          way[j] = WORD (life, k)
       :: else fi
}

inline tell_children(n, t, k) {
    tell_ready (n, t, k, KID (n, t, 0));
    tell_ready (n, t, k, KID (n, t, 1));
    j = 0
}

#ifdef MUTANT_NO_NUMBER
#define SAYS(word, k) ((word) / 16 == life)
#elif defined(MUTANT_NO_LIFE)
#define SAYS(word, k) ((word) % 16 == (k) + 1)
#else
#define SAYS(word, k) ((word) == WORD (life, k))
#endif
#ifdef MUTANT_READY_REPLACED /* the word that comes last stands there, not the greatest */
#define JOIN(there, word) (word)
#else
#define JOIN(there, word) ((there) > (word) -> (there) : (word))
#endif
#if LIVES > 1 /* The network keeps the order of what one rank writes to one place, and no other. */
#define AGO(n)    (((n) + 1) % NODES) /* the number that this segment had in the first life */
#define BEHIND    (old[LOOK] && AGO (n) != 0 && parent[NT (AGO (n), t)] == AGO (parent[NT (n, t)]))
#else
#define BEHIND    false
#endif

/* ---------------------------------------------------------------- the owner produces */

#define PRODUCED ((TREES == 1 -> got[0] : got[0] + got[TREES - 1]))
#define T0       (PRODUCED % TREES)
#define K0       (PRODUCED / TREES)

proctype produce ()
{
end:
    do
    :: d_step {
        !failed[0] && PRODUCED < CHUNKS && IS_FREE (0, T0, K0) ->
        place[AT (0, T0, K0)] = 0;
        writing = true }
        if
        :: d_step {
            !failed[0] ->
            p = T0; k = K0;
            place[AT (0, p, k)] = PRODUCED + 1;
            got[NT (0, p)]++;
            writing = false;
            tell_children (0, p, k) }
        :: d_step { failed[0] -> writing = false }
        fi
    od
}

/* ---------------------------------------------------------------- a leader fetches by a tree */

#define GOT   got[NT (n, t)]
#define ASKED asked[NT (n, t)]
#define AHEAD ahead[NT (n, t)]
#define LOOKS (!failed[n] && ASKED < ALL (t) && ASKED < GOT + FETCHES)
#define LOOK  AT (SEGMENT (n), t, ASKED) /* the ready word that it waits for */

inline copy(k) { /* bytes come from the parent's ring as it is now */
    place[AT (n, t, k)] = place[AT (parent[NT (n, t)], t, k)];
    assert (place[AT (n, t, k)] == CHUNK (t, k) + 1) /* no other chunk's, and no part of one: the check never fails */
}

inline came() {
    GOT = GOT + 1;
#ifndef MUTANT_READY_EARLY
    tell_children (n, t, GOT - 1)
#endif
}

proctype fetch (byte n, t)
{
end:
    do
    :: d_step { LOOKS && way[LOOK] && !BEHIND -> ready[LOOK] = JOIN (ready[LOOK], way[LOOK]); way[LOOK] = 0 }
#if LIVES > 1
    :: d_step { LOOKS && old[LOOK] -> ready[LOOK] = JOIN (ready[LOOK], old[LOOK]); old[LOOK] = 0 }
#endif
    :: d_step {
        LOOKS && SAYS (ready[LOOK], ASKED) && IS_FREE (n, t, ASKED) ->
        place[AT (n, t, ASKED)] = 0;
#ifdef MUTANT_READY_EARLY
        tell_children (n, t, ASKED);
#endif
        ASKED = ASKED + 1 }
    /* Gets end in any order; chunks are complete in theirs. */
    :: d_step {
#ifdef MUTANT_FAILED_TAKES
        GOT < ASKED ->
#else
        !failed[n] && GOT < ASKED ->
#endif
        copy (GOT);
        came ();
        if :: AHEAD -> AHEAD = false; came () :: else fi }
    :: d_step {
        !failed[n] && GOT + 1 < ASKED && !AHEAD ->
        copy (GOT + 1);
#ifdef MUTANT_ANY_ORDER
        came () }
#else
        AHEAD = true }
#endif
    /* What a failed one has under way comes too, and is not looked at. */
#ifndef MUTANT_FAILED_TAKES
    :: d_step { failed[n] && GOT < ASKED -> ASKED = ASKED - 1; place[AT (n, t, ASKED)] = 0; AHEAD = false }
#endif
    od
}

/* ---------------------------------------------------------------- a rank consumes; l = 0: the leader */

#define MINE        passed[LOCAL (n, l)]
#define HAVE(n, c)  (got[NT (n, (c) % TREES)] > (c) / TREES)
#define IDLE(n, t)  (got[NT (n, t)] == asked[NT (n, t)])
#define HAVE_ALL    (KIDS_PAST (n, 0, ALL (0) - 1) && KIDS_PAST (n, TREES - 1, ALL (TREES - 1) - 1))
#ifdef MUTANT_SILENT_DOWN
#define TOLD(n)     false
#else
#define TOLD(n)     ((n) && (failed[parent[NT (n, 0)]] || failed[parent[NT (n, TREES - 1)]]))
#endif

proctype rank (byte n, l)
{
    byte my = 1;
again:
    do
    /* The view has stood from when the chunk was here until now, when it ends. */
    :: d_step {
        (l == 1 || !failed[n]) && MINE < CHUNKS && HAVE (n, MINE) ->
        assert (place[AT (n, MINE % TREES, MINE / TREES)] == MINE + 1);
        MINE = MINE + 1 }
    /* A leader fails, or hears that one above has; it brings all down that depend on it. */
    :: d_step { l == 0 && life == 1 && (FAILS >> n & 1) && !failed[n] -> failed[n] = true }
    :: d_step { l == 0 && TOLD (n) && !failed[n] -> failed[n] = true }
    :: d_step { l == 0 && failed[n] && (n == 0 -> !writing : IDLE (n, 0) && IDLE (n, TREES - 1)) -> over++ } break
    :: d_step { l == 0 && !failed[n] && MINE == CHUNKS && HAVE_ALL -> over++ } break
    :: d_step { l == 1 && (MINE == CHUNKS || failed[n] || TOLD (n)) -> over++ } break
#ifdef MUTANT_LEAVES /* instead of passing on what its consumer does not take */
    :: d_step { l == 1 -> over++ } break
#endif
    od;
end:
    life > my;
    my = life;
    goto again
}

/* ---------------------------------------------------------------- from begin to end */

init {
    d_step { shape () }
    atomic {
        run produce ();
        k = 0;
        do :: k < NODES ->
              run rank (k, 0);
              if :: HAS_MORE (k) -> run rank (k, 1); ranks++ :: else fi;
              if :: k -> run fetch (k, 0) :: else fi;
              if :: k && TREES == 2 -> run fetch (k, TREES - 1) :: else fi;
              k++
           :: else -> break od;
        ranks = ranks + NODES
    }
    over == ranks;
#if LIVES > 1
    d_step { /* all have met: all is new, but words under way are not */
        over = 0;
        k = 0;
        do :: k < NODES * TREES -> got[k] = 0; asked[k] = 0; ahead[k] = false; k++ :: else -> break od;
        k = 0;
        do :: k < NODES * TREES * PLACES ->
              place[k] = 0;
              old[k] = way[k];
              way[k] = 0;
#ifndef MUTANT_NO_LIFE
              ready[k] = 0; /* a word of an old life is as good as none */
#endif
              k++
           :: else -> break od;
        k = 0;
        do :: k < NODES * LOCALS -> passed[k] = 0; k++ :: else -> break od;
        k = 0;
        do :: k < NODES -> failed[k] = false; k++ :: else -> break od;
        life++
    }
    over == ranks;
#endif
    /* Nobody has failed but those who may, and who gets from them. */
    d_step {
        k = 0;
        do :: k < NODES ->
              assert (life == 1 || !failed[k]);
              assert (!failed[k] || (FAILS >> k & 1) || TOLD (k));
              assert (failed[k] || passed[LOCAL (k, 0)] == CHUNKS);
              k++
           :: else -> break od
    }
}
