/* SPDX-License-Identifier: Apache-2.0 */
/* Many transactions, drawn from a seed: several at a time, receivers of every behaviour, receipts checked
 * by a model, every byte checked, nothing held when all is quiet.
 *
 *   soak_transactions [--seed S] [--first K] [--count N]
 *
 * --first K --count 1 runs round K alone, with the session that it has in a whole run. */
#define _GNU_SOURCE
#include "larder_handle.h"
#include "soak_receipt.h"
#include "soak_summary.h"

enum { TAG_NEWS = 1, TAG_REPORT = 2, SENDS = 512 };

/* A round that is open at this rank. */
struct open_round {
    int used, reported, judged;
    struct soak_plan plan;
    struct soak_receiver receiver;
    struct soak_owner owner;
};

static larder *session;
static larder_config config;
static int owners[SOAK_OWNERS], window;
static uint64_t first_round, rounds = 500, block_first, block_end, next_round;
static struct open_round open_rounds[SOAK_WINDOW];
static struct soak_books
    *books_of_block[SOAK_BLOCK]; /* kept, to see that nothing is called any more */
static struct {
    int have[2], reports[SOAK_RANKS];
    struct soak_news news[2];
    struct soak_report report[SOAK_RANKS];
} inbox[SOAK_BLOCK];
static struct {
    MPI_Request request;
    void *data;
} sends[SENDS];

/* ---------------------------------------------------------------- the test's own messages */

static void finish_sends (int wait)
{
    for (int i = 0; i < SENDS; ++i) {
        int sent = 0;
        if (!sends[i].data)
            continue;
        if (wait)
            sent = MPI_Wait (&sends[i].request, MPI_STATUS_IGNORE) == MPI_SUCCESS;
        else
            MPI_Test (&sends[i].request, &sent, MPI_STATUS_IGNORE);
        if (sent) {
            free (sends[i].data);
            sends[i].data = NULL;
        }
    }
}

static void send_to (int rank, int tag, const void *data, size_t size)
{
    int i = 0;
    finish_sends (0);
    while (i < SENDS && sends[i].data)
        ++i;
    if (i == SENDS || !(sends[i].data = malloc (size))) {
        fprintf (stderr, "soak: too many messages are under way\n");
        MPI_Abort (MPI_COMM_WORLD, 1);
        return;
    }
    memcpy (sends[i].data, data, size);
    MPI_Isend (sends[i].data, (int)size, MPI_BYTE, rank, tag, MPI_COMM_WORLD, &sends[i].request);
}

static void take_news (const struct soak_news *news)
{
    uint64_t at = news->round - block_first;
    if (news->round < block_first || at >= SOAK_BLOCK) {
        soak_fault (NULL, "news of round %llu in block %llu", (unsigned long long)news->round,
                    (unsigned long long)block_first);
        return;
    }
    inbox[at].news[news->version] = *news;
    inbox[at].have[news->version] = 1;
}

static void take_report (const struct soak_report *report)
{
    uint64_t at = report->round - block_first;
    inbox[at].report[report->rank] = *report;
    inbox[at].reports[report->rank] = 1;
}

static void tell (const struct soak_news *news)
{
    for (int i = 0; i < soak_size_of_job; ++i)
        if (i != soak_rank)
            send_to (i, TAG_NEWS, news, sizeof *news);
    take_news (news);
}

static void hear (void)
{
    int there = 1;
    while (there) {
        MPI_Status status;
        MPI_Iprobe (MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &there, &status);
        if (!there)
            break;
        struct soak_news news;
        struct soak_report report;
        int is_news = status.MPI_TAG == TAG_NEWS;
        MPI_Recv (is_news ? (void *)&news : (void *)&report,
                  is_news ? (int)sizeof news : (int)sizeof report, MPI_BYTE, status.MPI_SOURCE,
                  status.MPI_TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (is_news)
            take_news (&news);
        else
            take_report (&report);
    }
}

/* ---------------------------------------------------------------- rounds */

static void open_round (struct open_round *o, uint64_t round)
{
    int slot = (int)(o - open_rounds);
    memset (o, 0, sizeof *o);
    o->used = 1;
    soak_draw (round, soak_size_of_job, &config, window, &o->plan);
    soak_stills[slot] = (struct soak_still){.round = round, .starved = soak_starved (), .used = 1};
    soak_receiver_init (&o->receiver, session, &o->plan);
    o->judged = o->plan.owner != soak_rank;
    if (o->judged)
        return;
    struct soak_books *books = calloc (1, sizeof *books);
    struct soak_plan *plan = malloc (sizeof *plan);
    if (!books || !plan)
        MPI_Abort (MPI_COMM_WORLD, 1);
    *plan = o->plan; /* lives as long as the books */
    books->plan = plan;
    books_of_block[round - block_first] = books;
    o->owner =
        (struct soak_owner){.session = session, .plan = &o->plan, .books = books, .tell = tell};
}

static void report (struct open_round *o)
{
    struct soak_report r = {.round = o->plan.round, .rank = soak_rank, .objects = o->plan.objects};
    double still = soak_still_of (&soak_stills[o - open_rounds]);
    for (int i = 0; i < o->plan.objects; ++i) {
        r.result[i] = o->receiver.taker[i].result;
        if (still > r.result[i].still)
            r.result[i].still = still;
    }
    if (o->plan.owner == soak_rank)
        take_report (&r);
    else
        send_to (o->plan.owner, TAG_REPORT, &r, sizeof r);
    o->reported = 1;
}

static void move_owner (struct open_round *o)
{
    uint64_t at = o->plan.round - block_first;
    o->owner.reported = 0;
    for (int i = 0; i < soak_size_of_job; ++i)
        o->owner.reported += inbox[at].reports[i];
    memcpy (o->owner.report, inbox[at].report, sizeof o->owner.report);
    if (!soak_owner_step (&o->owner))
        return;
    o->owner.books->still = soak_still_of (&soak_stills[o - open_rounds]);
    soak_judge (&o->owner);
    larder_receipt_free (&o->owner.receipt);
    o->judged = 1;
}

static void move_round (struct open_round *o)
{
    uint64_t at = o->plan.round - block_first;
    for (int v = 0; v < 2; ++v)
        o->receiver.news[v] = inbox[at].have[v] ? &inbox[at].news[v] : NULL;
    if (!o->judged)
        move_owner (o);
    if (soak_receiver_step (&o->receiver) && !o->reported)
        report (o);
    if (o->reported && o->judged && inbox[at].have[0] &&
        (inbox[at].have[1] || o->plan.flavour != SOAK_RENEWED)) {
        o->used = soak_stills[o - open_rounds].used = 0;
        soak_pat ();
    }
}

static int count_open (void)
{
    int n = 0;
    for (int i = 0; i < SOAK_WINDOW; ++i)
        n += open_rounds[i].used;
    return n;
}

static void run_rounds (void)
{
    larder_error err = {0};
    soak_left = 0;
    while (next_round < block_end || count_open ()) {
        for (int i = 0; i < SOAK_WINDOW; ++i)
            if (!open_rounds[i].used && next_round < block_end && count_open () < window)
                open_round (&open_rounds[i], next_round++);
        soak_enter ();
        int rc = larder_progress (session, 4, 0.0005, &err);
        soak_leave ();
        if (rc < 0) {
            soak_fault (NULL, "larder_progress: %s", err.text);
            MPI_Abort (MPI_COMM_WORLD, 1);
        }
        hear ();
        for (int i = 0; i < SOAK_WINDOW; ++i)
            if (open_rounds[i].used)
                move_round (&open_rounds[i]);
    }
}

/* ---------------------------------------------------------------- quiet */

static int meet (void)
{
    larder_error err = {0};
    int rc = larder_agree (session, LARDER_OK, NULL, &err);
    if (rc != LARDER_OK) {
        soak_fault (NULL, "larder_agree: %s", err.text);
        MPI_Abort (MPI_COMM_WORLD, 1);
    }
    return rc;
}

/* Who still has what, for the eyes of whoever looks into it. */
static void tell_holders (void)
{
    const struct larder_nodecache *nc = &session->nodecache;
    for (int k = 0; k < nc->owner_count; ++k)
        for (int l = 0; l < (int)nc->layout.shape.max_lines; ++l) {
            struct larder_line *ln = larder_nodecache_line (nc, k, l);
            if (larder_load (&ln->state) == LARDER_LINE_OPEN || larder_load (&ln->quota))
                fprintf (
                    stderr,
                    "    rank %d: line %d of owner %d: state %d, transaction %llu, object %llu, "
                    "members %llu, owed %llu, quota %llx, failed %llx, life %llu\n",
                    soak_rank, l, nc->owners[k], (int)larder_load (&ln->state),
                    (unsigned long long)larder_load (&ln->transaction),
                    (unsigned long long)(larder_load (&ln->object) & UINT32_MAX),
                    (unsigned long long)larder_load (&ln->members),
                    (unsigned long long)larder_load (&ln->owed),
                    (unsigned long long)larder_load (&ln->quota),
                    (unsigned long long)larder_load (&ln->failed),
                    (unsigned long long)larder_load (&ln->life));
        }
    for (int i = 0; i < SOAK_BLOCK; ++i)
        if (books_of_block[i])
            fprintf (stderr, "    rank %d: round %llu is transaction %llu\n", soak_rank,
                     (unsigned long long)block_first + (unsigned long long)i,
                     (unsigned long long)books_of_block[i]->number);
}

/* All rounds have ended everywhere: no slot is used or promised, all objects are released. */
static void check_quiet (void)
{
    larder_error err = {0};
    const struct larder_pool *pool = session->nodecache.pool;
    double until = soak_now () + 5;
    meet ();
    while ((pool->free != pool->slots || pool->promised || pool->open) && soak_now () < until)
        (void)larder_progress (session, 4, 0.001, &err);
    if (pool->free != pool->slots || pool->promised || pool->open)
        soak_fault (NULL, "block %llu: %u of %u slots are free, %u promised, %u quotas open",
                    (unsigned long long)block_first, pool->free, pool->slots, pool->promised,
                    pool->open);
    /* All look at the same time, also those whose node is quiet: they may be the owners. */
    int held = pool->free != pool->slots || pool->promised || pool->open, any = 0;
    MPI_Allreduce (&held, &any, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    if (any)
        tell_holders ();
    if (soak_objects_offered != soak_objects_released)
        soak_fault (NULL, "block %llu: %llu objects were offered, %llu released",
                    (unsigned long long)block_first, (unsigned long long)soak_objects_offered,
                    (unsigned long long)soak_objects_released);
    meet ();
    finish_sends (1);
    for (int i = 0; i < SOAK_BLOCK; ++i) {
        struct soak_books *b = books_of_block[i];
        for (int k = 0; b && k < SOAK_OBJECTS; ++k)
            free (b->object[k].made);
        if (b)
            free ((void *)(uintptr_t)b->plan);
        free (b);
        books_of_block[i] = NULL;
    }
}

static void run_era (uint64_t era, uint64_t end)
{
    larder_error err = {0};
    memset (owners, 0, sizeof owners);
    config = soak_config (era, soak_size_of_job, owners, &window);
    if (larder_open (MPI_COMM_WORLD, &config, MPI_INFO_NULL, &session, &err) != LARDER_OK) {
        soak_fault (NULL, "larder_open: %s", err.text);
        MPI_Abort (MPI_COMM_WORLD, 1);
    }
    while (next_round < end) {
        block_first = next_round;
        block_end = larder_num_min (end, (next_round / SOAK_BLOCK + 1) * SOAK_BLOCK);
        memset (inbox, 0, sizeof inbox);
        run_rounds ();
        check_quiet ();
    }
    soak_add_stats (session);
    if (larder_close (&session, &err) != LARDER_OK)
        soak_fault (NULL, "larder_close: %s", err.text);
    MPI_Barrier (MPI_COMM_WORLD);
    soak_check_holdings (next_round - first_round, rounds);
}

static void tell_state (char *text, size_t room)
{
    size_t n = (size_t)snprintf (text, room, "next round %llu, %d open",
                                 (unsigned long long)next_round, count_open ());
    for (int i = 0; i < SOAK_WINDOW && n < room; ++i) {
        const struct open_round *o = &open_rounds[i];
        if (!o->used)
            continue;
        n += (size_t)snprintf (text + n, room - n,
                               "\n  round %llu: reported %d judged %d, owner's stage %d, %d "
                               "reports; stages of downloads:",
                               (unsigned long long)o->plan.round, o->reported, o->judged,
                               (int)o->owner.stage, o->owner.reported);
        for (int k = 0; k < o->plan.objects && n < room; ++k)
            n += (size_t)snprintf (text + n, room - n, " %s:%d (%llu views, item %llu of %llu)",
                                   soak_way_name[soak_part (&o->receiver, k)->way],
                                   (int)o->receiver.taker[k].stage,
                                   (unsigned long long)o->receiver.taker[k].sink.views,
                                   (unsigned long long)o->receiver.taker[k].sink.next_item,
                                   (unsigned long long)o->receiver.taker[k].sink.end_item);
        if (n < room)
            n += (size_t)snprintf (text + n, room - n, "\n    ");
        if (n < room)
            soak_describe (&o->plan, soak_size_of_job, text + n, room - n);
        n += strlen (text + n);
    }
}

static int read_options (int argc, char **argv)
{
    const char *text = getenv ("LARDER_TEST_SEED");
    soak_seed = text && *text ? strtoull (text, NULL, 0) : (uint64_t)time (NULL);
    for (int i = 1; i < argc; ++i) {
        uint64_t *to = strcmp (argv[i], "--seed") == 0    ? &soak_seed
                       : strcmp (argv[i], "--first") == 0 ? &first_round
                       : strcmp (argv[i], "--count") == 0 ? &rounds
                                                          : NULL;
        if (!to || ++i == argc)
            return -1;
        *to = strtoull (argv[i], NULL, 0);
    }
    MPI_Bcast (&soak_seed, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);
    return 0;
}

int main (int argc, char **argv)
{
    if (MPI_Init (&argc, &argv) != MPI_SUCCESS)
        return 1;
    MPI_Comm_rank (MPI_COMM_WORLD, &soak_rank);
    MPI_Comm_size (MPI_COMM_WORLD, &soak_size_of_job);
    if (read_options (argc, argv) != 0 || soak_size_of_job < 2 || soak_size_of_job > SOAK_RANKS) {
        if (soak_rank == 0)
            fprintf (stderr,
                     "use: soak_transactions [--seed S] [--first K] [--count N], 2 to %d ranks\n",
                     SOAK_RANKS);
        MPI_Finalize ();
        return 2;
    }
    if (soak_rank == 0)
        printf ("LARDER_TEST_SEED=%llu, %d ranks\n", (unsigned long long)soak_seed,
                soak_size_of_job);
    soak_tell_state = tell_state;
    soak_watch ();
    double start = soak_now ();
    next_round = first_round;
    while (next_round < first_round + rounds) {
        uint64_t era = next_round / SOAK_ERA;
        run_era (era, larder_num_min (first_round + rounds, (era + 1) * SOAK_ERA));
    }
    int bad = soak_summary (soak_now () - start);
    MPI_Finalize ();
    return bad;
}
