#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# generated.sh LARDER: 256 MiB at 4 ranks through the default cache and one of 8 MiB: a file, and a
# dataset contiguous and in compressed chunks; a copy for the node and one for each rank.  The ranks
# together take no more memory than the cache and a small sum, whatever the object's size.
set -u
. "$(dirname "$(readlink -f "$0")")/command.sh"
. "$here/real.sh"
. "$here/memory.sh"
h5compare=$(helper h5compare) || exit 1
h5generate=$(helper h5generate) || exit 1

chunk_kib=4096 # one HDF5 chunk is half of the small cache, and more slots than one
check "the contiguous file is made" "$h5generate" "$work/plain.h5" 256
check "the chunked file is made" "$h5generate" "$work/chunked.h5" 256 $chunk_kib
check "the contiguous file holds 256 MiB" test "$(stat -c %s "$work/plain.h5")" -gt $((256 << 20))
check "the chunked file does not fit into the cache" test "$(stat -c %s "$work/chunked.h5")" -gt $((80 << 20))

idle_pss 1 4
dest=$work/dest
host=$(hostname)
fresh () { rm -rf "$dest"; mkdir "$dest"; }

for per in node rank; do
    copies=0
    [ $per = node ] || copies="0 1 2 3"
    for cache in 64 8; do
        option="--per $per"
        [ $cache = 64 ] || option+=" --cache-size ${cache}MiB"
        what="a file, per $per, cache $cache MiB"
        fresh
        # shellcheck disable=SC2086
        measure "$what" $cache 0 "$host" 4 stage "$work/plain.h5" "$dest/%r" $option
        for copy in $copies; do check "$what: copy $copy" cmp "$work/plain.h5" "$dest/$copy"; done
        expect_folder "$what" "$dest" "$copies"

        for kind in plain chunked; do
            what="a dataset, $kind, per $per, cache $cache MiB"
            largest=0
            [ $kind = plain ] || largest=$chunk_kib
            fresh
            # shellcheck disable=SC2086
            measure "$what" $cache $largest "$host" 4 stage "$work/$kind.h5" "$dest/%r" --dataset /data $option
            for copy in $copies; do
                check "$what: copy $copy" "$h5compare" "$work/$kind.h5" "$dest/$copy"
            done
            expect_folder "$what" "$dest" "$copies"
        done
    done
done
finish_checks
