#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# real_matrix.sh LARDER: six real files, whole and dataset by dataset, over 2 ranks of one host through the default
# cache, 1 and 4 through a small one, and over four hosts through both.  nightly.sh has every combination.
set -u
. "$(dirname "$(readlink -f "$0")")/command.sh"
. "$here/real.sh"
need_open_mpi
need_namespaces
need h5diff hdf5-tools
h5compare=$(helper h5compare) || exit 1
real_files

export LARDER_CLUSTER_DIR=$work/cluster LARDER_CLUSTER_PPN=1
cluster=$here/cluster.sh
# shellcheck disable=SC2317 # called by the trap
clean_up () { "$cluster" down >/dev/null; rm -rf "$work"; }
LARDER_CLUSTER_OWNER=$$ "$cluster" up 4 || exit 1
one_host=$mpiexec
hosts="$cluster mpirun --oversubscribe"

# The largest coastline and a small one; many small datasets; a filter that is not here; sequences of
# variable length in both byte orders; a compound of arrays and strings, one of variable length.
six=("$real_coast/binned_GSHHS_f.nc" "$real_coast/binned_border_c.nc" "$real_tables/tests/indexes_2_1.h5"
    "$real_tables/tests/Tables_lzo2_shuffle.h5" "$real_tables/tests/vlunicode_endian.h5"
    "$real_tables/tests/smpl_unsupptype.h5")
small="--chunk-size 64KiB --cache-size 1MiB"
dest=$work/dest # on the file system that the hosts share
json=$work/j.json
fresh () { rm -rf "$dest"; mkdir "$dest"; }
writers () { echo "$(value nodes "$json") $(value writers "$json") $(value shared_dest "$json")"; }

# one WHAT RANKS DEST OPTIONS...: a run of $src; $named are the datasets, none: whole.
one () {
    local what=$1 ranks=$2 to=$3 option=() dataset; shift 3
    for dataset in "${named[@]}"; do option+=(--dataset "$dataset"); done
    fresh
    stage "$ranks" "$src" "$to" "${option[@]}" --json "$json" "$@"
    expect_done "$what" "$ranks"
    check "$what: each item once" each_once "$json"
}
expect_equal () { # WHAT COPY
    if [ ${#named[@]} -eq 0 ]; then
        check "$1: same bytes" cmp "$src" "$2"
    else
        check "$1: equal" h5_equal "$2" "$src" "${named[@]}"
    fi
}
# A copy a host.  h5diff and h5dump look at the first alone: they take most of the time.
expect_copies () { # WHAT
    local host
    expect_folder "$1" "$dest" "n1 n2 n3 n4"
    if [ ${#named[@]} -eq 0 ]; then
        for host in n1 n2 n3 n4; do check "$1: same bytes on $host" cmp "$src" "$dest/$host"; done
        return
    fi
    expect_equal "$1, n1" "$dest/n1"
    for host in n2 n3 n4; do
        check "$1: equal on $host" "$h5compare" "$src" "$dest/$host" "${named[@]}"
    done
}

for src in "${six[@]}"; do
    for way in whole datasets; do
        named=()
        [ $way = whole ] || mapfile -t named < <(datasets_of "$src")
        [ $way = whole ] || check "$(basename "$src"): has datasets" test ${#named[@]} -gt 0
        for cache in "" "$small"; do
            mpiexec=$one_host
            name="$(basename "$src"), $way${cache:+, small cache}"
            some="2"
            [ -z "$cache" ] || some="1 4"
            for ranks in $some; do
                # shellcheck disable=SC2086
                one "$name, $ranks ranks" $ranks "$dest/copy" $cache
                expect_equal "$name, $ranks ranks" "$dest/copy"
                expect_folder "$name, $ranks ranks" "$dest" "copy"
            done
            mpiexec=$hosts
            # shellcheck disable=SC2086
            one "$name, 4 hosts" 4 "$dest/%h" $cache
            expect_copies "$name, 4 hosts"
            check "$name, 4 hosts: a writer each" same "$(writers)" "4 4 false"
        done
        name="$(basename "$src"), $way"
        one "$name, shared DEST" 4 "$dest/copy"
        expect_equal "$name, shared DEST" "$dest/copy"
        expect_folder "$name, shared DEST" "$dest" "copy"
        check "$name, shared DEST: written once" same "$(writers)" "4 1 true"
    done
done
finish_checks
