#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317 # called by traps
# hosts.sh [--json] [HOSTS [RANKS_PER_HOST [RATE [SIZE [OPTIONS OF larder_hosts...]]]]]: larder_hosts over HOSTS
# hosts (8) with RANKS_PER_HOST ranks (1) each, which are namespaces of this machine with a link of RATE (500mbit), for an
# object of SIZE bytes (64MiB).  All in one run: larder, MPI_Bcast as it comes, and MPI_Bcast with the best of Open MPI's
# algorithms and segment sizes, which the run looks for first; times as multiples of size/bandwidth, and what left the
# owner's host.
#   LARDER_TEST_BUILD=DIR     the build folder (default: build beside this folder)
#   LARDER_CHUNK_SIZE, LARDER_COLLECTIVE_SIZE, ... reach all ranks.
# Needs root, or a system that lets users make namespaces; Open MPI, iproute2.
set -u
here=$(dirname "$(readlink -f "$0")")
usage () { sed -n '/^# hosts\.sh/,/^set -u/p' "$0" | sed '$d; s/^# \{0,1\}//'; }
# shellcheck source=tests/not_run.sh
. "$here/../tests/not_run.sh"

json=
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage; exit 0 ;;
    --json) json=--json; shift ;;
    -*) echo "hosts.sh: unknown option $1 (see hosts.sh --help)" >&2; exit 2 ;;
    *) break ;;
    esac
done
hosts=${1:-8} ppn=${2:-1} rate=${3:-500mbit} size=${4:-64MiB}
shift $(($# < 4 ? $# : 4))
case $hosts$ppn in *[!0-9]*) echo "hosts.sh: HOSTS and RANKS_PER_HOST are numbers (see hosts.sh --help)" >&2; exit 2 ;; esac

export LARDER_TEST_BUILD=${LARDER_TEST_BUILD:-$here/../build} LARDER_HOSTS_RATE=$rate
program=$LARDER_TEST_BUILD/bench/larder_hosts
[ -x "$program" ] || { echo "hosts.sh: $program is not there: build it, or name the folder in LARDER_TEST_BUILD" >&2; exit 1; }
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
# Its first line is of the hosts' coming up.
"$here/../tests/run_hosts.sh" "$hosts" "$ppn" "$program" $json --size "$size" --rate "$rate" "$@" >"${TMPDIR:-/tmp}/larder-hosts.$$"
code=$?
grep -v '^up: ' "${TMPDIR:-/tmp}/larder-hosts.$$"
rm -f "${TMPDIR:-/tmp}/larder-hosts.$$"
[ $code -eq 0 ] || [ -n "$json" ] || echo "hosts.sh: it ended with code $code (77: see above why it was not run)" >&2
exit $code
