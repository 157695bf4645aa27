#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# hosts_memory.sh LARDER: a file of 256 MiB, and a dataset in compressed chunks, over two hosts with
# two ranks each, a copy for each rank: memory of the owner's node and of the receiving one.
set -u
. "$(dirname "$(readlink -f "$0")")/command.sh"
. "$here/real.sh"
need_open_mpi
need_namespaces
. "$here/memory.sh"
h5compare=$(helper h5compare) || exit 1
h5generate=$(helper h5generate) || exit 1

export LARDER_CLUSTER_DIR=$work/cluster LARDER_CLUSTER_PPN=2
cluster=$here/cluster.sh
# shellcheck disable=SC2317 # called by the trap
clean_up () { "$cluster" down >/dev/null; rm -rf "$work"; }
LARDER_CLUSTER_OWNER=$$ "$cluster" up 2 || exit 1
mpiexec="$cluster mpirun --oversubscribe"
on () { "$cluster" run "$@"; }
LARDER_TEST_LIMIT=120

chunk_kib=4096
check "the file is made" "$h5generate" "$work/plain.h5" 256
check "the dataset is made" "$h5generate" "$work/chunked.h5" 256 $chunk_kib
idle_pss 2 2
dest=$work/dest # on the file system that the hosts share
fresh () { rm -rf "$dest"; mkdir "$dest"; }

for cache in 64 8; do
    for kind in plain chunked; do
        option=() largest=0
        [ $kind = plain ] || { option=(--dataset /data) largest=$chunk_kib; }
        what="$kind, cache $cache MiB"
        fresh
        measure "$what" $cache $largest "n1 n2" 2 stage "$work/$kind.h5" "$dest/%r" --per rank \
            --cache-size ${cache}MiB "${option[@]}"
        expect_folder "$what" "$dest" "0 1 2 3"
        for copy in 0 1 2 3; do
            if [ $kind = plain ]; then
                check "$what: copy $copy" cmp "$work/plain.h5" "$dest/$copy"
            else
                check "$what: copy $copy" "$h5compare" "$work/chunked.h5" "$dest/$copy"
            fi
        done
    done
done
finish_checks
