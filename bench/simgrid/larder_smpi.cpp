/* SPDX-License-Identifier: Apache-2.0 */
/* One-sided calls over SimGrid's network, for src/larder_rma.c in the simulator: see larder_smpi.h.
 *
 * All ranks live in one process, and nothing here is privatised: run with smpi/privatization:no.
 *
 * A Get is a request, which takes the route's latency, then a flow of its bytes back, which shares links with the flows of
 * other pairs of hosts, and the latency again.  Gets of one pair flow one after another, as on a connection: were they to share
 * the link, two in flight would begin, end and be asked for at the same time for ever, and the link would rest meanwhile
 * (LARDER_SIM_SHARE in the environment does it so).
 * A request or a write of words takes the route's latency and the time of its bytes; it counts as bytes but does not take part
 * in the sharing, since it is small beside the flows.  With LARDER_SIM_IN_ORDER in the environment it waits behind the
 * bytes of Gets that are to go the same way, as over TCP.  The target of either need not do anything, as with an
 * adapter that serves remote memory. */
#include "larder_smpi.h"
extern "C" {
#include "larder_backoff.h"
}
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <simgrid/kernel/Timer.hpp>
#include <simgrid/kernel/resource/NetworkModelIntf.hpp>
#include <simgrid/s4u.hpp>
#include <simgrid/simix.hpp>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace s4u = simgrid::s4u;
using simgrid::kernel::actor::simcall_answered;
using simgrid::kernel::timer::Timer;

namespace
{

/* Header of a request or of a word, on the wire. */
constexpr double ENVELOPE = 64;
/* Who waits looks at its deadlines this often. */
constexpr double LOOK_S = 1.0;
constexpr size_t PAGE = 4096;

struct Get;

struct Sending {
    Get *get; /* NULL: a small message */
    double bytes;
    std::function<void ()> arrive;
};

struct Way { /* from one host to another */
    double latency = 0, byte_time = 0;
    double last = 0;         /* when the last small message arrives: they keep their order */
    std::deque<Sending> out; /* the first one is a Get's bytes, which flow */
};

struct Rank {
    s4u::Host *host;
    s4u::SemaphorePtr bell = s4u::Semaphore::create (0);
    bool asleep = false, rung = false;
    Timer *alarm = nullptr;
    double control_bytes = 0; /* words and requests that left here */
    std::unordered_map<s4u::Host *, Way> ways;
};

struct Window {
    int number;
    std::vector<unsigned char *> base;
    std::vector<Rank *> rank;
};

struct Get {
    Rank *reader;
    Way *back;
    s4u::Host *from_host;
    unsigned char *to;
    const unsigned char *from;
    size_t size;
    bool done = false;
    s4u::CommPtr flow;
};

std::unordered_map<aid_t, Rank *> ranks;
std::unordered_map<MPI_Win, Window *> windows;
std::unordered_map<const s4u::Activity *, Get *> flows;
std::unordered_map<const s4u::Host *, double> bytes_from;

/* What an operation costs its caller. */
double overhead ()
{
    static const char *text = std::getenv ("LARDER_SIM_OVERHEAD");
    static const double seconds = text ? std::atof (text) : 0;
    return seconds;
}

Rank *me ()
{
    Rank *&r = ranks[s4u::this_actor::get_pid ()];
    if (!r) {
        r = new Rank;
        r->host = s4u::this_actor::get_host ();
    }
    return r;
}

Way &way (Rank *from, const Rank *to)
{
    auto found = from->ways.find (to->host);
    if (found != from->ways.end ())
        return found->second;
    std::vector<s4u::Link *> links;
    Way w;
    from->host->route_to (to->host, links, &w.latency);
    for (const auto *link : links)
        w.byte_time = std::max (w.byte_time, 1 / link->get_bandwidth ());
    return from->ways.emplace (to->host, w).first->second;
}

/* Wake a rank; in the simulator's context. */
void ring (Rank *r)
{
    r->rung = true;
    if (r->asleep) {
        r->asleep = false;
        r->bell->release ();
    }
}

/* Pages that are equal stay as they are: those never written to need no memory. */
void copy (unsigned char *to, const unsigned char *from, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t n = std::min (size - at, PAGE - (size_t)(uintptr_t)(to + at) % PAGE);
        if (memcmp (to + at, from + at, n) != 0)
            memcpy (to + at, from + at, n);
        at += n;
    }
}

/* The latency of these flows is added behind them, so that the next begins at once. */
bool latency_apart = false;

/* As SimGrid has it: all flows share, whoever's they are, each behind its own latency. */
bool sharing ()
{
    static const bool yes = std::getenv ("LARDER_SIM_SHARE") != nullptr;
    return yes;
}

void start_flow (Get *get)
{
    latency_apart = !sharing ();
    get->flow = s4u::Comm::sendto_async (get->from_host, get->reader->host,
                                         (uint64_t)get->size + (uint64_t)ENVELOPE);
    latency_apart = false;
    flows[get->flow.get ()] = get;
}

/* A small message takes the latency and the time of its bytes. */
void leave (Way &way, Sending &small)
{
    double at = s4u::Engine::get_clock () + way.latency + small.bytes * way.byte_time;
    way.last = at = std::max (at, way.last + 1e-9);
    Timer::set (at, std::move (small.arrive));
}

/* It goes at once, or behind all bytes that are to go the same way. */
void send_small (Rank *from, Way &way, double bytes, std::function<void ()> arrive)
{
    static const bool in_order = std::getenv ("LARDER_SIM_IN_ORDER") != nullptr;
    if (overhead () > 0)
        s4u::this_actor::sleep_for (overhead ());
    from->control_bytes += bytes;
    simcall_answered ([&] {
        Sending small{nullptr, bytes, std::move (arrive)};
        if (in_order && !way.out.empty ())
            way.out.push_back (std::move (small));
        else
            leave (way, small);
    });
}

void flow_ended (const s4u::Activity &activity)
{
    auto found = flows.find (&activity);
    if (found == flows.end ())
        return;
    Get *get = found->second;
    flows.erase (found);
    copy (get->to, get->from, get->size);
    if (sharing ()) {
        get->done = true;
        ring (get->reader);
        return;
    }
    Timer::set (s4u::Engine::get_clock () + get->back->latency, [get] {
        get->done = true;
        ring (get->reader);
    });
    auto &out = get->back->out;
    for (out.pop_front (); !out.empty () && !out.front ().get; out.pop_front ())
        leave (*get->back, out.front ());
    if (!out.empty ())
        start_flow (out.front ().get);
}

/* The network asks for the latency of each message and flow when it begins, MPI's own too: here they are counted. */
double latency_factor (double size, const s4u::Host *from, const s4u::Host *,
                       const std::vector<s4u::Link *> &, const std::unordered_set<s4u::NetZone *> &)
{
    bytes_from[from] += size;
    return latency_apart ? 0 : 1;
}

void listen ()
{
    static bool listens = false;
    if (listens)
        return;
    listens = true;
    s4u::Activity::on_completion_cb (flow_ended);
    me ()->host->get_englobing_zone ()->get_network_model ()->set_lat_factor_cb (latency_factor);
}

/* A request has come to who has the bytes. */
void asked (Get *get)
{
    if (sharing ()) {
        start_flow (get);
        return;
    }
    get->back->out.push_back ({get, 0, nullptr});
    if (get->back->out.size () == 1)
        start_flow (get);
}

} // namespace

/* ---------------------------------------------------------------- windows */

int larder_smpi_win_create (void *base, MPI_Aint size, int unit, MPI_Info info, MPI_Comm comm,
                            MPI_Win *window)
{
    int rank = 0, n = 0, rc = MPI_Win_create (base, size, unit, info, comm, window);
    MPI_Comm_rank (comm, &rank);
    MPI_Comm_size (comm, &n);
    struct Place {
        unsigned char *base;
        Rank *rank;
    } mine{static_cast<unsigned char *> (base), me ()};
    std::vector<Place> all ((size_t)n);
    if (rc == MPI_SUCCESS)
        rc = MPI_Allgather (&mine, sizeof mine, MPI_BYTE, all.data (), sizeof mine, MPI_BYTE, comm);
    if (rc != MPI_SUCCESS)
        return rc;
    listen ();
    auto *w = new Window{rank, {}, {}};
    for (const auto &place : all) {
        w->base.push_back (place.base);
        w->rank.push_back (place.rank);
    }
    windows[*window] = w;
    return rc;
}

int larder_smpi_win_free (MPI_Win *window)
{
    auto found = windows.find (*window);
    if (found != windows.end ()) {
        delete found->second;
        windows.erase (found);
    }
    return MPI_Win_free (window);
}

int larder_smpi_win_get_attr (MPI_Win, int, void *value, int *flag)
{
    static int unified = MPI_WIN_UNIFIED;
    *static_cast<int **> (value) = &unified;
    *flag = 1;
    return MPI_SUCCESS;
}

/* ---------------------------------------------------------------- operations */

int larder_smpi_rget (void *buffer, int count, MPI_Datatype, int rank, MPI_Aint offset, int,
                      MPI_Datatype, MPI_Win window, MPI_Request *request)
{
    const Window *w = windows.at (window);
    Rank *self = w->rank[(size_t)w->number], *target = w->rank[(size_t)rank];
    auto *get = new Get{self,
                        &way (target, self),
                        target->host,
                        static_cast<unsigned char *> (buffer),
                        w->base[(size_t)rank] + offset,
                        (size_t)count};
    send_small (self, way (self, target), ENVELOPE, [get] { asked (get); });
    *request = reinterpret_cast<MPI_Request> (get);
    return MPI_SUCCESS;
}

int larder_smpi_raccumulate (const void *words, int count, MPI_Datatype, int rank, MPI_Aint offset,
                             int, MPI_Datatype, MPI_Op op, MPI_Win window, MPI_Request *request)
{
    const Window *w = windows.at (window);
    Rank *self = w->rank[(size_t)w->number], *target = w->rank[(size_t)rank];
    const auto *begin = static_cast<const uint64_t *> (words);
    std::vector<uint64_t> values (begin, begin + count);
    auto *to = reinterpret_cast<uint64_t *> (w->base[(size_t)rank] + offset);
    send_small (self, way (self, target), ENVELOPE + 8.0 * count,
                [values = std::move (values), to, op, target] {
                    for (size_t i = 0; i < values.size (); ++i)
                        to[i] = op == MPI_MAX   ? std::max (to[i], values[i])
                                : op == MPI_BOR ? to[i] | values[i]
                                                : values[i];
                    ring (target);
                });
    *request = MPI_REQUEST_NULL; /* the words were copied */
    return MPI_SUCCESS;
}

int larder_smpi_test (MPI_Request *request, int *flag, MPI_Status *)
{
    auto *get = reinterpret_cast<Get *> (*request);
    *flag = *request == MPI_REQUEST_NULL || get->done;
    if (*flag && *request != MPI_REQUEST_NULL) {
        delete get;
        *request = MPI_REQUEST_NULL;
    }
    return MPI_SUCCESS;
}

/* ---------------------------------------------------------------- waiting, and what the bench asks */

/* In place of src/larder_backoff.c. */
void larder_backoff_wait (struct larder_backoff *backoff, double)
{
    Rank *r = me ();
    /* The first time is only another look: what ended by the caller's own doing rings no bell. */
    if (backoff->looks++ == 0 || r->rung) {
        r->rung = false;
        return;
    }
    r->asleep = true;
    simcall_answered ([r] {
        r->alarm = Timer::set (s4u::Engine::get_clock () + LOOK_S, [r] {
            r->alarm = nullptr;
            ring (r);
        });
    });
    r->bell->acquire ();
    r->rung = false;
    if (r->alarm)
        simcall_answered ([r] {
            if (r->alarm)
                r->alarm->remove ();
            r->alarm = nullptr;
        });
}

double larder_smpi_bytes_out ()
{
    Rank *r = me ();
    listen ();
    return r->control_bytes + bytes_from[r->host];
}

int larder_smpi_clock (clockid_t, struct timespec *time)
{
    double now = s4u::Engine::get_clock ();
    time->tv_sec = (time_t)now;
    time->tv_nsec = (long)((now - (double)time->tv_sec) * 1e9);
    return 0;
}

void larder_smpi_work (double seconds)
{
    s4u::this_actor::sleep_for (seconds);
}
