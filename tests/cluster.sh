#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cluster.sh: several "hosts" on one Linux machine, as root, or as any user where user namespaces
# are allowed.  Needs iproute2 and util-linux.
#
# One outer set of namespaces ("login": net, uts, mount, ipc, pid) holds a bridge (10.77.0.254/24).
# Each host n1..nN is a nested set with its own host name, network (eth0 = 10.77.0.I, a veth to the
# bridge), /dev/shm, System V IPC, /proc and pids.  Nothing is created in the caller's own
# namespaces, and the end of ONE process removes everything.
#
#   up N [RATE]             start N hosts; RATE (200mbit) limits both directions of every host's link
#   down                    stop everything; harmless when nothing is up
#   status                  one line a host
#   run HOST CMD...         run CMD on a host (n1..nN or "login"), in the present directory
#   mpirun ARGS...          mpirun on "login"; --host n1:2,n2:2, or LARDER_CLUSTER_PPN=2 for all hosts
#   rate RATE|none [HOST]   change the limit of the links
#   kill HOST               the host loses its power
#   bytes                   bytes sent (tx) and received (rx) by each host
#
# State: $LARDER_CLUSTER_DIR (default: larder-cluster under $TMPDIR or /tmp).  Several clusters may
# be up at once, each with a directory of its own.  With LARDER_CLUSTER_OWNER=PID in the environment
# of "up" the hosts go down when that process is gone, even if it was killed.
set -u
self=$(readlink -f "$0")
dir=$(realpath -m "${LARDER_CLUSTER_DIR:-${TMPDIR:-/tmp}/larder-cluster}")
net=10.77.0
namespaces="--net --uts --mount --ipc --pid"
export PATH=$PATH:/usr/sbin:/sbin
unshare_user='' nsenter_user=''
if [ "$(id -u)" != 0 ]; then # one outer user namespace, in which we are root
    unshare_user="--user --map-root-user" nsenter_user="-U --preserve-credentials"
fi

die () { echo "cluster.sh: $*" >&2; exit 1; }
first_child () { local child=; read -r child _ 2>/dev/null <"/proc/$1/task/$1/children"; echo "$child"; }
# The start time of a process guards against a pid that was given to another one since.
start_time () { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
alive () { [ -d "/proc/$1" ] && ! grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; }
top () {
    local pid started
    [ -s "$dir/top" ] && read -r pid started <"$dir/top" && [ "$(start_time "$pid")" = "$started" ] && echo "$pid"
}
enter () {
    local pid=$1; shift
    # shellcheck disable=SC2016,SC2086
    exec nsenter -t "$pid" $nsenter_user -n -u -m -i -p -- /bin/sh -c 'cd "$0" 2>/dev/null; exec "$@"' "$PWD" "$@"
}
set_rate () { # DEVICE RATE, inside the namespace that owns the device
    tc qdisc del dev "$1" root 2>/dev/null
    [ "$2" = none ] || tc qdisc add dev "$1" root tbf rate "$2" burst 128kb latency 50ms
}
each_host () {
    local n i
    n=$(cat "$dir/ready")
    for ((i = 1; i <= n; i++)); do [ ! -s "$dir/n$i.pid" ] || echo "n$i"; done
}

# First process of a host: bash as pid 1 reaps orphans.
be_host () {
    hostname "n$1"
    ip link set lo up
    mount -t tmpfs -o mode=1777 tmpfs /dev/shm
    echo ok >"$dir/n$1.up"
    while :; do sleep 100000 & wait $!; done
}

# First process of "login": makes the bridge, the hosts and their links.
be_login () {
    local n=$1 rate=$2 i t pid
    local -a started
    hostname login
    ip link set lo up
    mount -t tmpfs -o mode=1777 tmpfs /dev/shm
    ip link add br0 type bridge && ip addr add $net.254/24 dev br0 && ip link set br0 up || exit 1
    {
        echo "127.0.0.1 localhost"
        echo "$net.254 login"
        for ((i = 1; i <= n; i++)); do echo "$net.$i n$i"; done
    } >"$dir/hosts"
    mount --bind "$dir/hosts" /etc/hosts # the hosts' mount namespaces inherit it
    for ((i = 1; i <= n; i++)); do
        # shellcheck disable=SC2086
        unshare $namespaces --fork --kill-child=KILL --mount-proc --propagation private "$self" _host $i &
        started[i]=$!
    done
    for ((i = 1; i <= n; i++)); do
        for ((t = 0; t < 500; t++)); do [ -s "$dir/n$i.up" ] && break; sleep 0.02; done
        [ -s "$dir/n$i.up" ] || exit 1
        pid=$(first_child "${started[i]}")
        echo "$pid" >"$dir/n$i.pid" # as "login" sees it
        ip link add "v$i" type veth peer name eth0 netns "$pid" && ip link set "v$i" master br0 up || exit 1
        nsenter -t "$pid" -n ip addr add $net.$i/24 dev eth0 || exit 1
        nsenter -t "$pid" -n ip link set eth0 up || exit 1
        if [ "$rate" != none ]; then
            set_rate "v$i" "$rate" && nsenter -t "$pid" -n "$self" _rate eth0 "$rate" || exit 1
        fi
    done
    echo "$n" >"$dir/ready"
    while :; do sleep 100000 & wait $!; done
}

up () {
    local n=$1 rate=$2 pid t
    top >/dev/null && die "already up (LARDER_CLUSTER_DIR=$dir)"
    { [ "$n" -ge 1 ] && [ "$n" -le 200 ]; } 2>/dev/null || die "the number of hosts must be 1..200"
    # Only a directory of ours is emptied.
    [ ! -e "$dir" ] || [ -e "$dir/rsh" ] || rmdir "$dir" 2>/dev/null || die "$dir exists and holds something else"
    rm -rf "$dir"
    mkdir -p "$dir" || exit 1
    {
        echo '#!/bin/sh'
        echo '# What Open MPI calls on "login" instead of ssh: HOST COMMAND...'
        # shellcheck disable=SC2016
        printf 'h=$1; shift\nLARDER_CLUSTER_DIR=%q exec %q _on "$h" /bin/sh -c "$*"\n' "$dir" "$self"
    } >"$dir/rsh"
    chmod +x "$dir/rsh"
    export LARDER_CLUSTER_DIR=$dir
    # shellcheck disable=SC2086
    setsid unshare $unshare_user $namespaces --fork --kill-child=KILL --mount-proc --propagation private \
        "$self" _login "$n" "$rate" </dev/null >"$dir/login.log" 2>&1 &
    pid=$!
    echo "$pid $(start_time $pid)" >"$dir/top"
    for ((t = 0; t < 1500; t++)); do [ -s "$dir/ready" ] && break; [ -d "/proc/$pid" ] || break; sleep 0.02; done
    if [ ! -s "$dir/ready" ]; then
        cat "$dir/login.log" >&2
        kill -9 "$pid" 2>/dev/null
        rm -rf "$dir"
        die "did not come up"
    fi
    [ -z "${LARDER_CLUSTER_OWNER:-}" ] || setsid "$self" _watch "$LARDER_CLUSTER_OWNER" </dev/null >/dev/null 2>&1 &
    echo "up: $n hosts, rate $rate"
}

# Takes the hosts down when process $1 is gone; ends with them.
watch_owner () {
    local mine started
    mine=$(top) started=$(start_time "$1")
    while [ -n "$started" ] && [ "$(start_time "$1")" = "$started" ]; do
        [ "$(top)" = "$mine" ] || return 0
        sleep 1
    done
    [ "$(top)" = "$mine" ] && down
}

down () {
    local pid child t
    pid=$(top) || { [ ! -e "$dir/rsh" ] || rm -rf "$dir"; echo "not up"; return; }
    child=$(first_child "$pid")
    kill -9 "$pid" # --kill-child ends login's pid 1, the kernel the rest
    for ((t = 0; t < 250; t++)); do
        alive "$pid" || alive "${child:-none}" || break
        sleep 0.02
    done
    rm -rf "$dir"
    echo "down"
}

run_mpi () {
    local pid n i hosts=
    pid=$(top) || die "not up"
    export LARDER_CLUSTER_DIR=$dir
    if [ -n "${LARDER_CLUSTER_PPN:-}" ]; then
        n=$(cat "$dir/ready")
        for ((i = 1; i <= n; i++)); do hosts+="${hosts:+,}n$i:$LARDER_CLUSTER_PPN"; done
    fi
    # Hosts share /tmp, and their process ids are small: two clusters at a time would meet in Open MPI's
    # session directories.
    mkdir -p "$dir/t" || die "cannot make $dir/t"
    # Inside a Slurm job mpirun would ask Slurm for the hosts.
    # shellcheck disable=SC2086
    enter "$(first_child "$pid")" env -u SLURM_JOBID -u SLURM_JOB_ID mpirun --allow-run-as-root \
        --mca plm rsh --mca plm_rsh_agent "$dir/rsh" --bind-to none \
        --mca orte_tmpdir_base "$dir/t" ${hosts:+--host $hosts} "$@"
}

case ${1:-} in
_host) be_host "$2" ;;
_login) be_login "$2" "$3" ;;
_watch) watch_owner "$2" ;;
_rate) set_rate "$2" "$3" ;;
_on) # inside "login": HOST CMD...
    host=$2; shift 2
    [ "$host" = login ] && exec "$@"
    [ -s "$dir/$host.pid" ] || die "no host $host"
    enter "$(cat "$dir/$host.pid")" "$@" ;;
up) up "${2:-2}" "${3:-none}" ;;
down) down ;;
status)
    top >/dev/null || { echo "not up"; exit 3; }
    for host in $(each_host); do
        echo "$host $net.${host#n} $("$self" run "$host" sh -c 'hostname; ls -d /proc/[0-9]* | wc -l' | tr '\n' ' ')processes"
    done ;;
run)
    pid=$(top) || die "not up"
    [ $# -ge 3 ] || die "run HOST COMMAND..."
    shift; host=$1; shift
    export LARDER_CLUSTER_DIR=$dir
    enter "$(first_child "$pid")" "$self" _on "$host" "$@" ;;
mpirun) shift; run_mpi "$@" ;;
rate)
    top >/dev/null || die "not up"
    export LARDER_CLUSTER_DIR=$dir
    for host in $(each_host); do
        [ -z "${3:-}" ] || [ "$3" = "$host" ] || continue
        "$self" run login "$self" _rate "v${host#n}" "$2" && "$self" run "$host" "$self" _rate eth0 "$2" || exit 1
    done ;;
kill) # the host's pid 1 ends, and with it all its processes and its link
    top >/dev/null || die "not up"
    [ -s "$dir/${2:-}.pid" ] || die "no host ${2:-}"
    "$self" run login kill -9 "$(cat "$dir/$2.pid")"
    rm -f "$dir/$2.pid" ;;
bytes)
    pid=$(top) || die "not up"
    # At the bridge's end of a link: what it received is what the host sent.
    # shellcheck disable=SC2086
    nsenter -t "$(first_child "$pid")" $nsenter_user -n -m -p cat /proc/net/dev | sed 's/:/ /' |
        awk '$1 ~ /^v[0-9]+$/ { sub("v", "n", $1); print $1, "tx", $2, "rx", $10 }' | sort -V ;;
*) sed -n '3,/^set -u/p' "$self" | sed '$d; s/^# \{0,1\}//'; exit 2 ;;
esac
