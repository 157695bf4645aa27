#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# slurm_sandbox.sh: a real Slurm (munged, slurmctld, N slurmd) in one directory, as root.  Every
# slurmd runs on a host of its own made by cluster.sh; slurmctld and munged run on "login".
# srun --mpi=pmix and mpirun inside sbatch work as they do on a cluster.
#
#   start [N]                 idempotent, as is stop; every wait has an end
#   stop
#   status
#   run CMD...                a client command on "login": run sbatch job.sh
#   submit LIMIT_S ARGS...    sbatch ARGS, then wait; prints "job ID STATE CODE:SIGNAL", exit 0 when
#                             it COMPLETED (sbatch --wait looks only every 10 seconds)
#   wait LIMIT_S ID           the second half of submit
#
# State: $LARDER_SLURM_DIR, to be given (a short path: it holds sockets).
set -u
self=$(readlink -f "$0")
here=$(dirname "$self")
cluster=$here/cluster.sh
port=26817
cpus=2
export PATH=$PATH:/usr/sbin:/sbin

die () { echo "slurm_sandbox.sh: $*" >&2; exit 1; }
case ${1:-} in start|stop|status|run|submit|wait) ;; *) sed -n '3,/^set -u/p' "$self" | sed '$d; s/^# \{0,1\}//'; exit 2 ;; esac
[ -n "${LARDER_SLURM_DIR:-}" ] || die "LARDER_SLURM_DIR is not set"
dir=$(realpath -m "$LARDER_SLURM_DIR")
export LARDER_CLUSTER_DIR=$dir/cluster

on () { local host=$1; shift; "$cluster" run "$host" env SLURM_CONF="$dir/slurm.conf" "$@"; }
is_up () { on login timeout 5 scontrol ping 2>/dev/null | grep -q 'is UP'; }

conf () {
    cat <<CONF
ClusterName=sandbox
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
SlurmctldHost=login(10.77.0.254)
SlurmctldPort=$port
AuthType=auth/munge
AuthInfo=socket=$dir/run/munge.socket
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool/%n
SlurmctldPidFile=$dir/run/slurmctld.pid
SlurmdPidFile=$dir/run/slurmd.%n.pid
TmpFS=$dir/tmp/%n
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
MpiDefault=pmix
ReturnToService=2
SlurmdParameters=config_overrides
KillWait=3
MessageTimeout=10
SlurmdTimeout=60
PropagateResourceLimitsExcept=MEMLOCK
CONF
    for ((i = 1; i <= $1; i++)); do
        echo "NodeName=n$i NodeAddr=10.77.0.$i CPUs=$cpus RealMemory=1000 State=UNKNOWN"
    done
    echo "PartitionName=main Nodes=ALL Default=YES MaxTime=60 State=UP"
}

start () {
    local n=$1 i t
    [ -f "$dir/slurm.conf" ] && is_up && { echo "already running"; return; }
    stop >/dev/null 2>&1
    mkdir -p "$dir"/{state,spool,log,run} || exit 1
    chmod 755 "$dir" "$dir/run"
    for ((i = 1; i <= n; i++)); do mkdir -p "$dir/spool/n$i" "$dir/tmp/n$i" && chmod 1777 "$dir/tmp/n$i"; done # the hosts share /tmp
    conf "$n" >"$dir/slurm.conf"
    echo "CgroupPlugin=cgroup/v1" >"$dir/cgroup.conf" # not looked for: a container may have none
    (umask 077; head -c 1024 /dev/urandom >"$dir/munge.key")
    "$cluster" up "$n" >/dev/null || die "the hosts did not come up"
    on login munged --force --key-file="$dir/munge.key" --socket="$dir/run/munge.socket" \
        --pid-file="$dir/run/munged.pid" --log-file="$dir/log/munged.log" --seed-file="$dir/run/munged.seed" ||
        { tail -n 5 "$dir/log/munged.log" >&2; stop >/dev/null; die "munged did not start"; }
    on login slurmctld -c -f "$dir/slurm.conf" ||
        { tail -n 5 "$dir/log/slurmctld.log" >&2; stop >/dev/null; die "slurmctld did not start"; }
    for ((i = 1; i <= n; i++)); do
        on "n$i" slurmd -N "n$i" -f "$dir/slurm.conf" ||
            { tail -n 5 "$dir/log/slurmd.n$i.log" >&2; stop >/dev/null; die "slurmd on n$i did not start"; }
    done
    for ((t = 0; t < 300; t++)); do
        if [ "$(on login timeout 5 sinfo -h -N -t idle -o %N 2>/dev/null | sort -u | wc -l)" = "$n" ]; then
            echo "up: $n nodes"
            return
        fi
        sleep 0.1
    done
    on login sinfo -N -l >&2
    tail -n 5 "$dir"/log/*.log >&2
    stop >/dev/null
    die "the nodes did not become idle in 30 s"
}

stop () {
    local t
    [ -f "$dir/slurm.conf" ] || { echo "not running"; return; }
    on login timeout 5 scancel -f -u "$(id -un)" >/dev/null 2>&1
    on login timeout 5 scontrol shutdown >/dev/null 2>&1
    for ((t = 0; t < 30; t++)); do ls "$dir"/run/slurm*.pid >/dev/null 2>&1 || break; sleep 0.1; done
    "$cluster" down >/dev/null # what is left ends with the namespaces
    rm -rf "$dir"
    echo "stopped"
}

wait_for () { # LIMIT_S ID
    local t=0 state code
    while :; do
        read -r state code < <(on login scontrol -o show job "$2" | tr ' ' '\n' |
            sed -n 's/^JobState=//p; s/^ExitCode=//p' | tr '\n' ' ')
        case ${state:-gone} in PENDING|RUNNING|CONFIGURING|COMPLETING) ;; *) break ;; esac
        sleep 0.1
        t=$((t + 1))
        [ $t -le $(($1 * 10)) ] || { on login scancel "$2"; echo "job $2: time limit" >&2; return 124; }
    done
    echo "job $2 ${state:-gone} ${code:-}"
    [ "${state:-gone}" = COMPLETED ]
}

case $1 in
start) start "${2:-2}" ;;
stop) stop ;;
status)
    { [ -f "$dir/slurm.conf" ] && is_up; } || { echo "not running"; exit 3; }
    on login sinfo -N -l
    on login squeue ;;
run) shift; on login "$@" ;;
submit)
    limit=$2; shift 2
    id=$(on login sbatch --parsable "$@") || exit 1
    wait_for "$limit" "$id" ;;
wait) wait_for "$2" "$3" ;;
esac
