#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# latency_calls.sh: the system calls that a rank makes from one view to the next of chunks that its node's cache holds.
# larder_latency --marks runs under strace, which sees getppid where a view begins and getuid where it ends; what
# stands between a getuid and the next getppid is larder's.
#   LARDER_TEST_BUILD=DIR   the build folder (default: build beside this folder)
set -u
here=$(dirname "$(readlink -f "$0")")
case ${1:-} in
'') ;;
-h | --help) sed -n '/^# latency_calls\.sh/,/^set -u/p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 0 ;;
*) echo "latency_calls.sh: unknown option $1 (see latency_calls.sh --help)" >&2; exit 2 ;;
esac
command -v strace >/dev/null || { echo "latency_calls.sh: strace is missing (Debian: apt-get install strace)" >&2; exit 1; }
program=${LARDER_TEST_BUILD:-$here/../build}/bench/larder_latency
[ -x "$program" ] || { echo "latency_calls.sh: $program is not there: build it, or name the folder in LARDER_TEST_BUILD" >&2; exit 1; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 WORK=$work PROGRAM=$program
# shellcheck disable=SC2016 # for the ranks' shells
mpirun --oversubscribe -n 3 sh -c 'exec strace -qq -o "$WORK/${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" "$PROGRAM" --marks' || exit 1
awk '{ sub (/\(.*/, "") }
     $0 == "getppid" { gaps += open; with += open && calls > 0; open = 0; ++views; next }
     $0 == "getuid" { open = views > 0; calls = 0; next } # MPI asks, too, before all views
     { ++calls }
     END { printf "%d views; of %d times from one to the next %d had a system call in them\n", views, gaps, with
           exit views < 2 }' "$work/2"
