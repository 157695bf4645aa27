#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run_hosts.sh N PPN PROGRAM ARGS...: runs an MPI program over N hosts with PPN ranks on each.  The
# hosts are namespaces (cluster.sh) and go away afterwards, whatever happens.
#   LARDER_HOSTS_RATE=200mbit   limits the links
#   LARDER_HOSTS_OSC=sm,pt2pt    Open MPI's one-sided components
#   LARDER_HOSTS_BYTES=1        prints what crossed each link
set -u
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/not_run.sh
. "$here/not_run.sh"
[ $# -ge 3 ] || { echo "use: run_hosts.sh N PPN PROGRAM ARGS..." >&2; exit 2; }
hosts=$1 ppn=$2; shift 2

need mpirun openmpi-bin
mpirun --version 2>/dev/null | grep -q "Open MPI" || not_run "mpirun is not Open MPI's"
need_namespaces

work=$(mktemp -d "${LARDER_TEST_BUILD:-${TMPDIR:-/tmp}}/hosts.XXXXXX") || exit 1
export LARDER_CLUSTER_DIR=$work/c
# shellcheck disable=SC2317 # called by the trap
finish () { "$here/cluster.sh" down >/dev/null; rm -rf "$work"; }
trap finish EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

LARDER_CLUSTER_OWNER=$$ "$here/cluster.sh" up "$hosts" "${LARDER_HOSTS_RATE:-none}" || exit 1
# In the background, so that a signal ends the script at once.
LARDER_CLUSTER_PPN=$ppn "$here/cluster.sh" mpirun --oversubscribe \
    --mca osc "${LARDER_HOSTS_OSC:-sm,pt2pt}" --mca mpi_yield_when_idle 1 "$@" </dev/null &
wait $!
code=$?
[ -z "${LARDER_HOSTS_BYTES:-}" ] || "$here/cluster.sh" bytes
exit $code
