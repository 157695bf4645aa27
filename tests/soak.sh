#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# soak.sh SOAK_TRANSACTIONS [nightly]: many drawn transactions, receipts checked by a model.
#   500 with 4 ranks on one host; nightly: 10000 with 4 ranks, 1000 with 2, 3 and 8, and 1000 over 2 hosts.
# LARDER_TEST_SEED=S repeats a run, unset or empty: a fresh seed.  One round alone:
#   mpirun -n RANKS soak_transactions --seed S --first ROUND --count 1
# Prints each fault when it is found and a table at the end; nothing may be left in /dev/shm.
set -u
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/not_run.sh
. "$here/not_run.sh"
if [ $# -lt 1 ] || { [ -n "${2:-}" ] && [ "$2" != nightly ]; }; then
    echo "use: soak.sh SOAK_TRANSACTIONS [nightly]" >&2
    exit 2
fi
soak=$(readlink -f "$1") how=${2:-}
[ -x "$soak" ] || { echo "MISSING: $1 (target soak_transactions)" >&2; exit 1; }
mpiexec=${LARDER_MPIEXEC:-mpirun --oversubscribe}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_hwloc_base_binding_policy=none
need "${mpiexec%% *}" openmpi-bin

work=$(mktemp -d "${TMPDIR:-/tmp}/larder-soak.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
names=() bad=0

shared_files () { find /dev/shm -mindepth 1 -maxdepth 1 -printf '%f\n' | sort; }
# left_over: files in /dev/shm that were not there before and that nobody maps.
left_over () {
    local file
    comm -13 "$work/shm" <(shared_files) | while read -r file; do
        grep -lqsF "/dev/shm/$file" /proc/[0-9]*/maps || echo "$file"
    done
}

# run NAME SECONDS COMMAND...: one run.
run () {
    local name=$1 limit=$2 code; shift 2
    local out=$work/${#names[@]}
    names+=("$name")
    echo "== $name"
    shared_files >"$work/shm"
    # In the background, so that a signal ends the script at once.
    timeout -k 10 "$limit" "$@" >"$out" 2>&1 </dev/null &
    wait $!
    code=$?
    grep -vE '^  [a-zA-Z]|^  +LARDER_|^  +[a-z]+ +[0-9]+$' "$out" | head -c 20000
    [ $code -ne 124 ] || echo "$name: it took longer than $limit s"
    [ $code -ne 77 ] || { unset 'names[-1]'; return; }
    if [ $code -ne 0 ]; then echo "FAILED: $name (exit code $code)"; bad=1; fi
    for _ in 1 2 3 4 5; do [ -z "$(left_over)" ] || sleep 1; done
    if [ -n "$(left_over)" ]; then echo "FAILED: $name: left in /dev/shm: $(left_over | tr '\n' ' ')"; bad=1; fi
}

# value KEY FILE: a figure of a run's summary.
value () { awk -v key="$1" '{ line = $0; sub (/^ +/, "", line) } index (line, key " ") == 1 { n = $NF } END { print n + 0 }' "$2"; }
table () {
    local i keys=(rounds downloads bytes succeeded missing failed LARDER_EHELD LARDER_ETIMEDOUT LARDER_ECANCELED
        LARDER_EOWNER LARDER_ECONSUMER LARDER_EIO "chunks produced" "chunks reproduced" "peak of the cache, %" seconds faults) key
    printf '\n%-22s' ""
    for ((i = 0; i < ${#names[@]}; i++)); do printf ' %16s' "${names[$i]}"; done
    echo
    for key in "${keys[@]}"; do
        printf '%-22s' "$key"
        for ((i = 0; i < ${#names[@]}; i++)); do printf ' %16s' "$(value "$key" "$work/$i")"; done
        echo
    done
}

if [ "$how" = nightly ]; then
    # shellcheck disable=SC2086
    for shape in "4 10000" "2 1000" "3 1000" "8 1000"; do
        run "${shape% *} ranks" 5400 $mpiexec -n ${shape% *} "$soak" --count "${shape#* }"
    done
    run "2 hosts x 2" 1800 "$here/run_hosts.sh" 2 2 "$soak" --count 1000
else
    # shellcheck disable=SC2086
    run "4 ranks" 280 $mpiexec -n 4 "$soak" --count "${LARDER_SOAK_ROUNDS:-500}"
fi
table
exit $bad
