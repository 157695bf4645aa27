#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# hosts_bytes.sh LARDER: what crosses the hosts' links when a file goes to four hosts: each host sends it once and 2 % at the most, the
# owner's too, and receives it once, however many ranks a host has and write copies.  Everything
# that the job sends is in it, also what starting it takes.
set -u
. "$(dirname "$(readlink -f "$0")")/command.sh"
. "$here/real.sh"
need_open_mpi
need_namespaces

export LARDER_CLUSTER_DIR=$work/cluster
cluster=$here/cluster.sh
# shellcheck disable=SC2317 # called by the trap
clean_up () { "$cluster" down >/dev/null; rm -rf "$work"; }
mpiexec="$cluster mpirun --oversubscribe"
LARDER_TEST_LIMIT=120

size=$((64 << 20))
src=$work/src.bin
head -c $size /dev/urandom >"$src"
most=$((size * 102 / 100))
on () { "$cluster" run "$@"; }
between () { [ "$1" -ge "$2" ] && [ "$1" -le "$3" ] || { echo "$1 is not in $2..$3"; return 1; }; }

# no_more FIELD: of what the links have carried.
no_more () { awk -v most=$most -v field="$1" '$1 ~ /^n[0-9]/ && $field > most { print; bad = 1 } END { exit bad }' "$work/bytes"; }

# owner_sends PER RANKS_A_HOST OPTIONS...: with hosts of its own, whose links have carried nothing.
owner_sends () {
    local per=$1 ppn=$2 what sent host; shift 2
    what="per $per, $ppn ranks a host${*:+, $*}"
    LARDER_CLUSTER_OWNER=$$ "$cluster" up 4 >"$work/up" 2>&1 || { cat "$work/up"; exit 1; }
    export LARDER_CLUSTER_PPN=$ppn
    stage $((4 * ppn)) "$src" '/dev/shm/copy-%r' --per "$per" --json "$work/j.json" "$@"
    "$cluster" bytes >"$work/bytes"
    sent=$(awk '$1 == "n1" { print $3 }' "$work/bytes")
    expect_done "$what" $((4 * ppn))
    echo "$what: n1 sent $sent bytes, $(awk "BEGIN { printf \"%.4f\", $sent / $size }") x the file"
    check "$what: n1 sent the file once and 2 % at most" between "$sent" $size $most
    check "$what: no host sent more than once and 2 %" no_more 3
    check "$what: no host received more than once and 2 %" no_more 5
    check "$what: the payload left the owner once" same "$(value bytes_from_owner "$work/j.json")" $size
    check "$what: each item once" each_once "$work/j.json"
    for host in n1 n2 n3 n4; do
        check "$what: copies on $host" same "$(on $host sh -c 'ls /dev/shm | grep -c ^copy-')" \
            "$([ "$per" = rank ] && echo "$ppn" || echo 1)"
        check "$what: they are equal, on $host" on $host sh -c \
            "for copy in /dev/shm/copy-*; do cmp '$src' \$copy || exit 1; done"
    done
    "$cluster" down >/dev/null
}

for ppn in 1 2 3; do
    owner_sends node $ppn
    owner_sends rank $ppn
done
# A cache that holds a sixty-fourth of the file, and ranks that cannot all run at once.
owner_sends rank 3 --chunk-size 64KiB --cache-size 1MiB
finish_checks
