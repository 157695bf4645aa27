#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# nightly.sh LARDER [PART...]: what takes too long for every change.  Parts (none: all of them):
#   whole     every real file x {1, 2, 4 ranks, 4 hosts} x {default, small cache}, byte by byte
#   datasets  the same with all datasets of the file, compared by larder's comparer
#   alone     every dataset of every real file alone, 4 ranks, small cache
#   crowded   every real file, whole and as datasets, to 8 ranks on two cores, a copy for each
#   soak      drawn transactions: 10000 with 4 ranks, 1000 each with 2, 3, 8 ranks and over 2 hosts
#   large     an 8 GiB sparse file and an 8 GiB dataset, 4 ranks, default cache
# Prints each failure when it happens, and at the end, also when it is stopped, a table and all failures.
# shellcheck disable=SC2317 # the parts are called by name
set -u
. "$(dirname "$(readlink -f "$0")")/command.sh"
. "$here/real.sh"
shift
parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(whole datasets alone crowded large soak)
for part in "${parts[@]}"; do
    case $part in
    whole | datasets | alone | crowded | large | soak) ;;
    *) echo "nightly.sh: no part is called '$part'" >&2; exit 2 ;;
    esac
done
need h5diff hdf5-tools
h5compare=$(helper h5compare) || exit 1
h5generate=$(helper h5generate) || exit 1
real_files
cluster=$here/cluster.sh
one_host=$mpiexec
small="--chunk-size 64KiB --cache-size 1MiB"
dest=$work/dest # on the file system that the hosts share
json=$work/j.json

declare -A runs=() good=()
rows=() bad=()
summary () {
    local row
    [ ${#rows[@]} -eq 0 ] || printf '\n%-40s %6s %6s\n' "" runs equal
    for row in "${rows[@]}"; do printf '%-40s %6d %6d\n' "$row" "${runs[$row]}" "${good[$row]:-0}"; done
    [ ${#bad[@]} -eq 0 ] || printf '\n%d failures:\n' ${#bad[@]}
    [ ${#bad[@]} -eq 0 ] || printf '  %s\n' "${bad[@]}"
}
clean_up () {
    summary
    "$cluster" down >/dev/null 2>&1
    rm -rf "$work"
}

# count ROW WHAT: adds the last run to a row of the table; $why says what was wrong, nothing: good.
count () {
    [ -n "${runs[$1]:-}" ] || rows+=("$1")
    runs[$1]=$((${runs[$1]:-0} + 1))
    if [ -z "$why" ]; then
        good[$1]=$((${good[$1]:-0} + 1))
    else
        bad+=("$1: $2: $(tr '\n' ' ' <<<"$why" | head -c 400)")
        echo "FAILED: ${bad[-1]}"
    fi
}
# try RANKS SRC DEST OPTIONS...: one run; sets why.
try () {
    local ranks=$1; shift
    rm -rf "$dest"
    mkdir "$dest"
    why=
    stage "$ranks" "$@" --json "$json"
    if [ "$hung" != no ]; then
        why="hung: $(head -c 200 "$work/out/launcher")"
    elif [ "$codes x $code_count" != "0 x $ranks" ]; then
        why="exit codes '$codes' of $code_count of $ranks ranks: ${err:-$(head -c 200 "$work/out/launcher")}"
    else
        why=$(each_once "$json")
    fi
}
# expect NAMES: DEST's folder holds these.
expect () { [ -n "$why" ] || why=$(same "$(ls -A "$dest" | tr '\n' ' ')" "$1 "); }
# equal COMMAND...: another reason to be wrong is that this one fails.
equal () {
    local said
    [ -z "$why" ] || return
    said=$("$@" 2>&1) || why="$(basename "$1"): ${said:-failed}"
}

# a_run ROW SHAPE SRC KIND OPTIONS...: SHAPE: a number of ranks, or hosts.
a_run () {
    local row=$1 shape=$2 src=$3 kind=$4 ranks=$2 name names=copy option=(); shift 4
    mpiexec=$one_host
    [ "$shape" != hosts ] || { mpiexec="$cluster mpirun --oversubscribe" ranks=4 names="n1 n2 n3 n4"; }
    [ "$kind" = whole ] || option=(--dataset /)
    try "$ranks" "$src" "$dest/$([ "$shape" = hosts ] && echo %h || echo copy)" "${option[@]}" "$@"
    expect "$names"
    for name in $names; do
        if [ "$kind" = whole ]; then equal cmp "$src" "$dest/$name"; else equal "$h5compare" "$src" "$dest/$name"; fi
    done
    count "$row" "$(basename "$src")"
}
part_product () { # KIND
    local src shape name
    export LARDER_CLUSTER_DIR=$work/cluster LARDER_CLUSTER_PPN=1
    [ -e "$work/cluster" ] || { need_open_mpi; need_namespaces; LARDER_CLUSTER_OWNER=$$ "$cluster" up 4 || exit 1; }
    for shape in 1 2 4 hosts; do
        name="$1, $shape ranks"
        [ $shape != hosts ] || name="$1, 4 hosts"
        for src in "${files[@]}"; do
            a_run "$name, default cache" $shape "$src" "$1"
            # shellcheck disable=SC2086
            a_run "$name, small cache" $shape "$src" "$1" $small
        done
    done
    mpiexec=$one_host
}
part_whole () { part_product whole; }
part_datasets () { part_product datasets; }

# What refers to datasets that are left out cannot be as it was: the list of a dimension scale's users is
# shortened, other references become null with a note.  The comparer knows; h5diff and h5dump do not,
# and are asked about the other datasets only.
part_alone () {
    local src dataset paths
    for src in "${files[@]}"; do
        mapfile -t paths < <(datasets_of "$src")
        for dataset in "${paths[@]}"; do
            # shellcheck disable=SC2086
            try 4 "$src" "$dest/copy" --dataset "$dataset" $small
            expect copy
            equal "$h5compare" "$src" "$dest/copy" "$dataset"
            count "alone, 4 ranks, small cache" "$(basename "$src") $dataset"
            [ -z "$why" ] || continue
            if h5dump -H -A -N "$dataset" "$src" | grep -q '"REFERENCE_LIST"'; then
                count "  of these: scales of others" ""
            elif grep -q 'written as null' "$json"; then
                count "  of these: references became null" ""
            else
                equal witnesses "$src" "$dest/copy" "$dataset"
                count "  of these: by h5diff and h5dump" "$(basename "$src") $dataset"
            fi
        done
    done
}

part_crowded () {
    local src kind rank option
    need taskset util-linux
    mpiexec="taskset -c 0,1 $one_host"
    for src in "${files[@]}"; do
        for kind in whole datasets; do
            option=
            [ $kind = whole ] || option="--dataset /"
            # shellcheck disable=SC2086
            try 8 "$src" "$dest/%r" --per rank $option $small
            expect "0 1 2 3 4 5 6 7"
            for rank in 0 1 2 3 4 5 6 7; do
                if [ $kind = whole ]; then equal cmp "$src" "$dest/$rank"; else equal "$h5compare" "$src" "$dest/$rank"; fi
            done
            count "$kind, 8 ranks on 2 cores, small cache" "$(basename "$src")"
        done
    done
    mpiexec=$one_host
}

part_large () {
    local gib at src=$work/large free
    LARDER_TEST_LIMIT=1200
    free=$(df -P --block-size=1G "$work" | awk 'NR == 2 { print $4 }')
    [ "$free" -ge 18 ] || not_run "the part large needs 18 GiB under $work, not $free GiB"
    # Something at the ends, in the middle and about every boundary of 32 bits.
    gib=$((1 << 30))
    truncate -s $((8 * gib)) "$src"
    for at in 0 $((2 * gib - 50000)) $((4 * gib - 50000)) $((6 * gib + 12345)) $((8 * gib - 100000)); do
        head -c 100000 /dev/urandom | dd of="$src" bs=64K seek="$at" oflag=seek_bytes conv=notrunc status=none
    done
    try 4 "$src" "$dest/copy" --cache-size 64MiB
    expect copy
    equal cmp "$src" "$dest/copy"
    count "large, sparse file, 4 ranks" "$(value bytes "$json") bytes"
    rm -f "$src" "$dest/copy"
    "$h5generate" "$src" 8192 || exit 1
    try 4 "$src" "$dest/copy" --cache-size 64MiB --dataset /data
    expect copy
    equal "$h5compare" "$src" "$dest/copy"
    count "large, dataset, 4 ranks" "$(value bytes "$json") bytes"
    rm -f "$src"
}

part_soak () {
    why=
    LARDER_TEST_SEED='' "$here/soak.sh" "$(helper soak_transactions)" nightly || why="see above"
    count "soak, drawn transactions" ""
}

for part in "${parts[@]}"; do "part_$part"; done
[ ${#rows[@]} -gt 0 ] && [ ${#bad[@]} -eq 0 ]
exit $?
