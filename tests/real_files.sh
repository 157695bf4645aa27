#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# real_files.sh LARDER: every coastline of gmt-gshhg and every HDF5 file of python-tables, at 4 ranks
# through a small cache: byte by byte, and all its datasets in one run.
set -u
. "$(dirname "$(readlink -f "$0")")/command.sh"
. "$here/real.sh"
need h5diff hdf5-tools
h5compare=$(helper h5compare) || exit 1
real_files

small="--chunk-size 64KiB --cache-size 1MiB"
dest=$work/dest
json=$work/j.json
fresh () { rm -rf "$dest"; mkdir "$dest"; }

for src in "${files[@]}"; do
    name=$(basename "$src")
    fresh
    # shellcheck disable=SC2086
    stage 4 "$src" "$dest" $small --json "$json"
    expect_done "$name" 4
    check "$name: same bytes" cmp "$src" "$dest/$name"
    check "$name: each item once" each_once "$json"
    expect_folder "$name" "$dest" "$name"

    fresh
    # shellcheck disable=SC2086
    stage 4 "$src" "$dest" --dataset / $small --json "$json"
    expect_done "$name, datasets" 4
    check "$name, datasets: each item once" each_once "$json"
    check "$name, datasets: equal" h5_equal "$dest/$name" "$src"
    check "$name, datasets: nothing was left out" same "$(tr -d ' \n' <"$json" | grep -o '"notes":\[[^]]*\]')" '"notes":[]'
    expect_folder "$name, datasets" "$dest" "$name"
done

# What is refused as HDF5, with the reason that must be told; as files they go like any other.  No
# HDF5 file of the two packages is: filters that nobody has here (lzo, blosc) travel as stored.
head -c -100 $real_coast/binned_border_c.nc >"$work/cut.nc"
head -c -100 $real_tables/tests/indexes_2_1.h5 >"$work/cut.h5"
refused=("$work/cut.nc|truncated"
    "$work/cut.h5|truncated"
    "$real_tables/nodes/tests/test_filenode.xbm|is not an HDF5 file")
for entry in "${refused[@]}"; do
    src=${entry%%|*}
    name=$(basename "$src")
    fresh
    # shellcheck disable=SC2086
    stage 4 "$src" "$dest" --dataset / $small --json "$json"
    expect_failed "$name, refused" 4 1 "${entry#*|}"
    check "$name, refused: the line names it" has "$err" "$src"
    expect_folder "$name, refused" "$dest" ""
    # shellcheck disable=SC2086
    stage 4 "$src" "$dest" $small --json "$json"
    expect_done "$name, as a file" 4
    check "$name, as a file: same bytes" cmp "$src" "$dest/$name"
done
echo "${#files[@]} files, ${#refused[@]} refused ones"
finish_checks
