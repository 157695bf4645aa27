#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC2154,SC2317 # the variables are those of command.sh
# command_bench.sh LARDER: larder bench at small sizes: its table and report at 1, 2 and 4 ranks, alone and with
# a file and a dataset, and over hosts; what is wrong is told.  Sums are the command's own; no time is judged.
set -u
# shellcheck source=tests/command.sh
. "$(dirname "$(readlink -f "$0")")/command.sh"
# shellcheck source=tests/real.sh
. "$here/real.sh"
h5generate=$(helper h5generate) || exit 1

rows="view_s copy_s node_s bcast_s memcpy_limit_s"
src_rows="h5_larder_s h5_larder_node_s h5_rank0_bcast_s h5_pipelined_bcast_s h5_every_rank_s h5_rank0_only_s"
tiny_h5 "$work/tiny.h5"
seq 1 300000 >"$work/bytes" # no whole number of words, pages or chunks

# bench RANKS ARGS...
bench () { local ranks=$1; shift; run_mpi "$ranks" "$larder" bench --repeats 1 "$@"; }
# A member of the report: its number, empty if there is none.
member () { sed -n "s/^  \"$1\": \([-0-9.]*\),\{0,1\}\$/\1/p" "$work/report"; }
positive () { awk -v n="$1" 'BEGIN { exit !(n + 0 > 0) }'; }

expect_report () { # WHAT RANKS BYTES KEYS
    local key
    check "$1: ranks" same "$(member ranks)" "$(($2 ? $2 : 1))"
    check "$1: bytes" same "$(member bytes)" "$3"
    for key in $4; do
        check "$1: $key is more than 0 ($(member "$key"))" positive "$(member "$key")"
    done
    check "$1: gives advice" grep -q '^  "advice": "..*"$' "$work/report"
    if command -v python3 >/dev/null; then
        check "$1: is JSON" python3 -m json.tool "$work/report"
    fi
}

memory_alone () {
    local ranks
    for ranks in 1 2 4; do
        rm -f "$work/report"
        bench $ranks --size 1MiB --json "$work/report"
        expect_done "$ranks ranks" $ranks
        expect_report "$ranks ranks" $ranks 1048576 "$rows nodes copy_read_s node_read_s"
        check "$ranks ranks: nothing crosses from node to node" same "$(member bytes_from_owner)" 0
        check "$ranks ranks: no rows of a file" same "$(grep -c '"h5_' "$work/report")" 0
        for row in "larder, read in place" "larder, copied" "larder, one per node" "MPI_Bcast  " "memcpy alone"; do
            check "$ranks ranks: the table has '$row'" has "$out" "$row"
        done
        check "$ranks ranks: one line of advice" same "$(grep -c '^advice: ' "$work/out/stdout")" 1
    done
    bench 0 --size 1MiB
    expect_done "without a launcher" 0
    bench 3 --size 777777 --chunk-size 5000 --json - # views that begin and end within words
    expect_done "odd sizes" 3
    cp "$work/out/stdout" "$work/report"
    expect_report "odd sizes" 3 777777 "$rows"
    check "--json -: no table" same "$(grep -c 'larder, copied  ' "$work/report")" 0
    bench 2 --size 1 --json "$work/report"
    expect_done "one byte" 2
    check "one byte" same "$(member bytes)" 1
    bench 2 --size 4KiB --quiet --repeats 2
    expect_done "--quiet" 2
    check "--quiet: the table is there" has "$out" "memcpy alone"
    bench 2 --size 4KiB --progress
    check "--progress: code 0" same "$codes" 0
    check "--progress: names rounds and rows" has "$err" "round 1 of 1: MPI_Bcast"
}

from_source () {
    local ranks
    for ranks in 1 2 4; do
        for dataset in /a /g/x; do
            bench $ranks "$work/tiny.h5" --dataset $dataset --size 64KiB --json "$work/report"
            expect_done "$dataset, $ranks ranks" $ranks
            expect_report "$dataset, $ranks ranks" $ranks 65536 "$rows $src_rows src_bytes"
            check "$dataset, $ranks ranks: says what SRC is" grep -q '"src_kind": "dataset"' "$work/report"
        done
        bench $ranks "$work/bytes" --size 64KiB --json "$work/report"
        expect_done "a file, $ranks ranks" $ranks
        expect_report "a file, $ranks ranks" $ranks 65536 "$rows $src_rows"
        check "a file, $ranks ranks: its size" same "$(member src_bytes)" "$(stat -c %s "$work/bytes")"
    done
    for chunk in "" 300; do # several steps of 4 MiB; chunks that do not divide them
        # shellcheck disable=SC2086
        check "the dataset is made" "$h5generate" "$work/made.h5" 9 $chunk
        bench 3 "$work/made.h5" --dataset /data --size 64KiB --json "$work/report"
        expect_done "9 MiB, chunk '$chunk'" 3
        check "9 MiB, chunk '$chunk': its size" same "$(member src_bytes)" 9437184
    done
}

bad () { # WHAT CODE TEXT ARGS...
    local what=$1 code=$2 text=$3; shift 3
    bench 3 --size 64KiB "$@"
    expect_failed "$what" 3 "$code" "$text"
    check "$what: no table" same "$out" ""
}

bad_input () {
    mkdir "$work/folder"
    : >"$work/empty"
    bad "two sources" 2 "unexpected argument 'b'" a b
    bad "an option of stage" 2 "unknown option '--verify'" --verify
    bad "size 0" 2 "must not be 0" --size 0
    bad "a size that is none" 2 "'huge'" --size huge
    bad "no repeats" 2 "must be 1 to 101" --repeats 0
    bad "repeats that are no number" 2 "'5x'" --repeats 5x
    bad "too many repeats" 2 "must be 1 to 101" --repeats 1000
    bad "a dataset of nothing" 2 "--dataset needs SRC" --dataset /a
    bad "two datasets" 2 "can be given once" "$work/tiny.h5" --dataset /a --dataset /g/x
    bad "a chunk below its least" 2 "see larder bench --help" --chunk-size 1K
    bad "no such file" 1 "$work/none: No such file" "$work/none"
    bad "a folder" 1 "$work/folder: is a directory" "$work/folder"
    bad "an empty file" 1 "$work/empty: is empty" "$work/empty"
    bad "no HDF5 file" 1 "$work/bytes" "$work/bytes" --dataset /a
    bad "no such dataset" 1 "/none" "$work/tiny.h5" --dataset /none
    bad "a group" 1 "/g" "$work/tiny.h5" --dataset /g
    bad "a report that cannot be written" 1 "cannot write the JSON file" --json "$work/none/report"
    cp "$work/bytes" "$work/kept"
    bad "a report over SRC" 1 "over the source" "$work/kept" --json "$work/kept"
    check "a report over SRC: it is as it was" cmp "$work/bytes" "$work/kept"
    bad "what no memory holds" 1 "--size" --size 1000TiB
    check "what no memory holds: with the figures" has "$err" "3 ranks on this node x 1000 TiB"
    check "what no memory holds: names the rank" has "$err" "larder: rank 0 "
}

# Two hosts with two ranks each; /dev/shm is each host's own.
over_hosts () {
    need_open_mpi
    need_namespaces
    export LARDER_CLUSTER_DIR=$work/cluster LARDER_CLUSTER_PPN=2
    clean_up () { "$here/cluster.sh" down >/dev/null; rm -rf "$work"; }
    LARDER_CLUSTER_OWNER=$$ "$here/cluster.sh" up 2 || exit 1
    mpiexec="$here/cluster.sh mpirun --oversubscribe"
    bench 4 "$work/bytes" --size 1MiB --json "$work/report"
    expect_done "2 hosts" 4
    expect_report "2 hosts" 4 1048576 "$rows $src_rows"
    check "2 hosts: nodes" same "$(member nodes)" 2
    check "2 hosts: the other host fetches each byte once" same "$(member bytes_from_owner)" 1048576
    "$here/cluster.sh" run n1 cp "$work/tiny.h5" /dev/shm/tiny.h5
    bench 4 /dev/shm/tiny.h5 --dataset /g/x --size 64KiB --json "$work/report"
    expect_done "SRC on one host" 4
    expect_report "SRC on one host" 4 65536 "$rows h5_larder_s h5_larder_node_s h5_rank0_only_s"
    check "SRC on one host: not every rank reads" same "$(member h5_every_rank_s)" ""
    check "SRC on one host: says so" has "$out" "note: not every rank can read /dev/shm/tiny.h5"
}

help_texts () {
    for topic in "bench --help" "help bench" "bench SRC -h"; do
        # shellcheck disable=SC2086
        run_mpi 0 "$larder" $topic
        expect_done "$topic" 0
        check "$topic: shows the usage" has "$out" "larder bench [SRC] [options]"
        check "$topic: says what a row means" has "$out" "memcpy alone  "
        check "$topic: not wider than 100 columns" same "$(awk 'length > 100' "$work/out/stdout")" ""
    done
    check "larder --help names it" has "$("$larder" --help)" "larder bench [SRC]"
}

help_texts
memory_alone
from_source
bad_input
[ $failures -gt 0 ] || over_hosts # what ran before has passed, should there be no namespaces here
finish_checks
