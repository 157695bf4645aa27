#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2010,SC2034,SC2154,SC2317 # the variables are those of command.sh
# command_stage.sh LARDER: what larder stage does when all is well: byte-exact copies, names,
# modes and times, reports.
set -u
# shellcheck source=tests/command.sh
. "$(dirname "$(readlink -f "$0")")/command.sh"

# Content that differs everywhere, of no round size.
src=$work/src.bin
seq 1 400000 >"$src"
chmod 640 "$src"
touch -d '2021-03-04 05:06:07.123456789 UTC' "$src"
dest=$work/dest
fresh () { rm -rf "$dest"; mkdir "$dest"; }
stat_of () { stat -c '%a %.9Y %s' "$1"; }

# COPY is SRC in content, mode, size and time.
expect_copy () { # WHAT COPY SRC
    check "$1: same bytes" cmp "$3" "$2"
    check "$1: same mode, time and size" same "$(stat_of "$2")" "$(stat_of "$3")"
}

for ranks in 0 1 2 3 4; do
    fresh
    stage $ranks "$src" "$dest/copy" --verify
    expect_done "$ranks ranks" $ranks
    expect_copy "$ranks ranks" "$dest/copy" "$src"
    expect_folder "$ranks ranks" "$dest" "copy"
    check "$ranks ranks: the summary" has "$out" "staged src.bin (2.6 MiB) to 1 node in "
    check "$ranks ranks: the summary says verified" has "$out" ", verified"
    check "$ranks ranks: one line" same "$(wc -l <"$work/out/stdout")" 1
done

for ranks in 1 4; do
    fresh
    : >"$work/empty"
    stage $ranks "$work/empty" "$dest" --verify
    expect_done "empty file, $ranks ranks" $ranks
    expect_copy "empty file, $ranks ranks" "$dest/empty" "$work/empty"
    printf x >"$work/one"
    stage $ranks "$work/one" "$dest" --verify
    expect_done "one byte, $ranks ranks" $ranks
    expect_copy "one byte, $ranks ranks" "$dest/one" "$work/one"
done

fresh
stage 4 "$src" "$dest/x-%r-%n-%h-%%" --per rank --verify --chunk-size 64K --cache-size 256K
expect_done "--per rank, small cache" 4
host=$(hostname)
for rank in 0 1 2 3; do
    expect_copy "--per rank, rank $rank" "$dest/x-$rank-0-$host-%" "$src"
done
check "--per rank: four files" same "$(ls -A "$dest" | wc -l)" 4
check "--per rank: the summary" has "$out" "to 4 ranks in "

fresh
stage 3 "$src" "$dest/sub%r/../same" --per rank
expect_failed "folders that are not there" 3 1 "No such file or directory"
expect_folder "folders that are not there" "$dest" ""
mkdir "$dest/sub0" "$dest/sub1" "$dest/sub2"
stage 3 "$src" "$dest/sub%r/../same" --per rank --verify --json "$work/o.json"
expect_done "different paths of one file" 3
expect_copy "different paths of one file" "$dest/same" "$src"
check "different paths of one file: written once" has "$out" "once for 3 ranks"
check "different paths of one file: the report says so" grep -q '"shared_dest": true' "$work/o.json"
expect_folder "different paths of one file" "$dest" "same sub0 sub1 sub2"

fresh
stage 2 "$src" "$dest/"
expect_done "DEST is a folder" 2
expect_copy "DEST is a folder" "$dest/src.bin" "$src"
echo old >"$dest/src.bin"
stage 2 "$src" "$dest" --force --quiet
expect_done "--force --quiet" 2
expect_copy "--force" "$dest/src.bin" "$src"
check "--quiet: no word" same "$out" ""
(cd "$work" && exec "$larder" stage src.bin plain.bin --quiet)
check "relative names, without mpirun" cmp "$src" "$work/plain.bin"

fresh
stage 4 "$src" "$dest/p" --progress
check "--progress: no hang" same "$hung" no
check "--progress: code 0 on all ranks" same "$codes" 0
check "--progress: says how far it is" has "$err" " of 2.6 MiB"
check "--progress: names the file" has "$err" "src.bin"

fresh
stage 4 "$src" "$dest/j" --verify --json "$dest/j.json"
expect_done "--json" 4
for key in version mpi transport nodes ranks items produced reproduced bytes seconds \
    bytes_from_owner retries checksum_errors failed_receivers peak_cache_bytes src dest writers \
    shared_dest verified code error; do
    check "--json: has $key" grep -q "\"$key\":" "$dest/j.json"
done
if command -v python3 >/dev/null; then
    check "--json: is JSON" python3 -m json.tool "$dest/j.json"
fi
value () { sed -n "s/^  \"$1\": \(.*[^,]\),\{0,1\}\$/\1/p" "$dest/j.json"; }
check "--json: bytes" same "$(value bytes)" "$(stat -c %s "$src")"
check "--json: items" same "$(value items)" 11
check "--json: each item once" same "$(value produced) $(value reproduced)" "11 0"
check "--json: ranks, nodes, writers" same "$(value ranks) $(value nodes) $(value writers)" "4 1 1"
check "--json: verified, code, error" same "$(value verified) $(value code) $(value error)" "true 0 null"
expect_folder "--json" "$dest" "j j.json"
stage 2 "$src" "$dest/j" --json "$dest/j.json"
expect_failed "--json of a failure" 2 1 "exists already"
check "--json of a failure: code" same "$(value code)" 1
check "--json of a failure: reason" grep -q '"text": ".*exists already' "$dest/j.json"
stage 2 "$src" "$dest/k" --json -
expect_done "--json -" 2
check "--json -: on stdout, alone" same "$(head -c 1 "$work/out/stdout")$(tail -n 1 "$work/out/stdout")" "{}"

fresh
tiny_h5 "$work/tiny.h5"
stage 4 "$work/tiny.h5" "$dest/t-%r.h5" --per rank --dataset /g/x --verify
expect_done "--dataset" 4
check "--dataset: four files" same "$(ls -A "$dest" | wc -l)" 4
if command -v h5dump >/dev/null; then
    check "--dataset: the dataset is there" h5dump -d /g/x "$dest/t-3.h5"
    refute "--dataset: nothing else is" h5dump -d /a "$dest/t-3.h5"
fi
stage 2 "$work/tiny.h5" "$dest/all.h5" --dataset /g --dataset=/a --verify
expect_done "two --dataset" 2
if command -v h5diff >/dev/null; then
    check "two --dataset: equal to the source" h5diff "$work/tiny.h5" "$dest/all.h5"
fi
finish_checks
