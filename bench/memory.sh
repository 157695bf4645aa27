#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # the variables are those of command.sh
# memory.sh [--json] [RANKS [SIZE]]: what the RANKS (4) of a node take together at most while each of them gets an
# object of SIZE bytes (512MiB) and uses it: the sum of their Pss (smaps_rollup; memory that ranks share counts once),
# above that of an MPI program that does nothing.
#   LARDER_TEST_BUILD=DIR   the build folder (default: build beside this folder); the tests are built there, too
set -u
here=$(dirname "$(readlink -f "$0")")
json=
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) sed -n '/^# memory\.sh/,/^set -u/p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 0 ;;
    --json) json=yes; shift ;;
    -*) echo "memory.sh: unknown option $1 (see memory.sh --help)" >&2; exit 2 ;;
    *) break ;;
    esac
done
ranks=${1:-4} size=${2:-512MiB}
case $ranks in '' | *[!0-9]*) echo "memory.sh: RANKS is a number (see memory.sh --help)" >&2; exit 2 ;; esac
export LARDER_TEST_BUILD=${LARDER_TEST_BUILD:-$here/../build}
program=$LARDER_TEST_BUILD/bench/larder_memory
[ -x "$program" ] || { echo "memory.sh: $program is not there: build it, or name the folder in LARDER_TEST_BUILD" >&2; exit 1; }
set -- "$LARDER_TEST_BUILD/larder"
# shellcheck source=tests/command.sh
. "$here/../tests/command.sh"
# shellcheck source=tests/real.sh
. "$here/../tests/real.sh"
# shellcheck source=tests/memory.sh
. "$here/../tests/memory.sh"
idle_pss 1 "$ranks" >/dev/null
LARDER_TEST_LIMIT=120
bytes=$(numfmt --from=auto "${size%B}") || exit 2

# One way: sets mib, the most that was seen, and samples.
way () {
    local watcher pss
    rm -rf "$work/out" "$work/over"
    watch_pss "$work" "$(hostname)" "$ranks" &
    watcher=$!
    run_mpi "$ranks" "$work/watched" "$program" "$1" "$bytes" </dev/null
    touch "$work/over"
    wait $watcher
    [ "$codes x $code_count" = "0 x $ranks" ] || { echo "memory.sh: $1 failed: $err" >&2; exit 1; }
    read -r pss samples <"$work/pss.$(hostname)"
    [ "$samples" -ge 5 ] || { echo "memory.sh: $1: only $samples looks at the ranks' memory" >&2; exit 1; }
    mib=$(((pss - idle_kib) / 1024))
}

if [ -n "$json" ]; then
    printf '{"bytes": %d, "ranks": %d, "idle_mib": %d, "ways": [' "$bytes" "$ranks" $((idle_kib / 1024))
else
    echo "$size for each of $ranks ranks on one node; MiB above the $((idle_kib / 1024)) of an MPI program that does nothing"
    printf '%-46s %8s %8s  %s\n' "" MiB "x size" "who has what"
fi
comma=
while IFS=: read -r name text gives; do
    way "$name"
    if [ -n "$json" ]; then
        printf '%s{"way": "%s", "mib": %d, "ratio": %.3f, "looks": %d}' "$comma" "$name" $mib \
            "$(awk "BEGIN { print $mib * 1048576 / $bytes }")" "$samples"
        comma=', '
    else
        printf '%-46s %8d %8.2f  %s\n' "$text" $mib "$(awk "BEGIN { print $mib * 1048576 / $bytes }")" "$gives"
    fi
done <<'WAYS'
bcast:MPI_Bcast:a private copy in every rank
copy:larder_download_all, copied:a private copy in every rank
node:larder_download_node:one copy per node, read in place
view:larder_download_all, read in place:views; nothing is kept
pull:larder_download, read in place:views; nothing is kept
WAYS
[ -z "$json" ] || echo ']}'
