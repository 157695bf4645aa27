#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2010,SC2034,SC2154,SC2317 # the variables are those of command.sh
# command_hosts.sh LARDER: larder stage over four hosts with two ranks each (namespaces): copies on
# the hosts' own file systems, on one that they share, and a host that cannot write.
set -u
# shellcheck source=tests/command.sh
. "$(dirname "$(readlink -f "$0")")/command.sh"
need_open_mpi
need_namespaces

export LARDER_CLUSTER_DIR=$work/cluster LARDER_CLUSTER_PPN=2
cluster=$here/cluster.sh
# shellcheck disable=SC2317 # called by the trap
clean_up () { "$cluster" down >/dev/null; rm -rf "$work"; }
LARDER_CLUSTER_OWNER=$$ "$cluster" up 4 || exit 1
mpiexec="$cluster mpirun --oversubscribe"
hosts="n1 n2 n3 n4"

src=$work/src.bin
seq 1 400000 >"$src"
chmod 600 "$src"
touch -d '2021-03-04 05:06:07.123456789 UTC' "$src"
dest=$work/dest # on the file system that the hosts share; /dev/shm is each host's own
mkdir "$dest"
on () { "$cluster" run "$@"; }
ours () { on "$1" sh -c 'ls -A /dev/shm | grep -v "vader\|psm\|ucx"' | tr '\n' ' '; }
value () { sed -n "s/^  \"$1\": \(.*[^,]\),\{0,1\}\$/\1/p" "$work/j.json"; }

stage 8 "$src" /dev/shm/a --verify --json "$work/j.json"
expect_done "a copy a host" 8
check "a copy a host: the summary" has "$out" " to 4 nodes in "
for host in $hosts; do
    check "a copy a host: $host has it" on $host cmp "$src" /dev/shm/a
    check "a copy a host: mode and time on $host" same "$(on $host stat -c '%a %.9Y' /dev/shm/a)" "$(stat -c '%a %.9Y' "$src")"
    check "a copy a host: nothing else on $host" same "$(ours $host)" "a "
done
check "a copy a host: writers" same "$(value nodes) $(value writers) $(value shared_dest)" "4 4 false"
check "a copy a host: each item once" same "$(value produced) $(value reproduced)" "$(value items) 0"
check "a copy a host: payload left the owner once" same "$(value bytes_from_owner)" "$(stat -c %s "$src")"

stage 8 "$src" "$dest" --verify --json "$work/j.json"
expect_done "a shared folder" 8
check "a shared folder: same bytes" cmp "$src" "$dest/src.bin"
check "a shared folder: the summary" has "$out" "once for 4 nodes, which share its file system"
check "a shared folder: the report" same "$(value writers) $(value shared_dest)" "1 true"
check "a shared folder: payload stayed" same "$(value bytes_from_owner)" 0
expect_folder "a shared folder" "$dest" "src.bin"

rm "$dest"/*
stage 8 "$src" "$dest/%h-%n" --verify
expect_done "names of their own in a shared folder" 8
expect_folder "names of their own in a shared folder" "$dest" "n1-0 n2-1 n3-2 n4-3"
for name in n1-0 n2-1 n3-2 n4-3; do
    check "names of their own: $name" cmp "$src" "$dest/$name"
done
stage 8 "$dest/n2-1" "$dest/%h-1" --force
expect_failed "SRC itself, on another host" 8 1 "is the source itself"
check "SRC itself: names the rank that sees it" has "$err" "larder: rank 2 (n2)"
check "SRC itself: it is as it was" cmp "$src" "$dest/n2-1"

# Two hosts share a folder, the others have their own under the same name.
rm "$dest"/*
for host in $hosts; do on $host mkdir /dev/shm/mixed; done
for host in n2 n4; do on $host mount --bind "$dest" /dev/shm/mixed; done
stage 8 "$src" /dev/shm/mixed --verify
expect_done "two of four share" 8
check "two of four share: the summary" has "$out" "3 times for 4 nodes, some of which share"
for host in $hosts; do
    check "two of four share: $host sees it" on $host cmp "$src" /dev/shm/mixed/src.bin
done
expect_folder "two of four share" "$dest" "src.bin"
for host in n2 n4; do on $host umount /dev/shm/mixed; done
for host in $hosts; do on $host rm -rf /dev/shm/mixed /dev/shm/a; done

# One host's file system is full: no host keeps a copy.
for host in $hosts; do on $host mkdir /dev/shm/d; done
on n3 mount -t tmpfs -o size=1m tmpfs /dev/shm/d
stage 8 "$src" /dev/shm/d/x --json "$work/j.json"
expect_failed "one host is full" 8 1 "No space left on device"
# The host's lowest rank fetches, its neighbour writes.
check "one host is full: names the rank and the host" has "$err" "larder: rank 5 (n3)"
for host in $hosts; do
    check "one host is full: nothing on $host" same "$(on $host ls -A /dev/shm/d)" ""
done
check "one host is full: the report names it" same "$(tr -d ' \n' <"$work/j.json" | grep -o '"failed_receivers":\[[0-9,]*\]')" '"failed_receivers":[5]'
on n3 umount /dev/shm/d
# There is room for one copy, but two are written: it shows in the middle, and the others end as well.
on n3 mount -t tmpfs -o size=4m tmpfs /dev/shm/d
stage 8 "$src" /dev/shm/d/x%r --per rank
expect_failed "one host becomes full" 8 1 "No space left on device"
check "one host becomes full: names the host" has "$err" " (n3)"
for host in $hosts; do
    check "one host becomes full: nothing on $host" same "$(on $host ls -A /dev/shm/d)" ""
done
on n3 umount /dev/shm/d
on n4 touch /dev/shm/d/x
stage 8 "$src" /dev/shm/d/x
expect_failed "one host has a DEST" 8 1 "exists already"
check "one host has a DEST: names the rank" has "$err" "larder: rank 6 (n4)"
check "one host has a DEST: it is as it was" on n4 test ! -s /dev/shm/d/x
for host in n1 n2 n3; do
    check "one host has a DEST: nothing on $host" same "$(on $host ls -A /dev/shm/d)" ""
done

tiny_h5 "$work/tiny.h5"
stage 8 "$work/tiny.h5" '/dev/shm/t-%r.h5' --per rank --dataset /g --verify
expect_done "datasets, a copy a rank" 8
for host in $hosts; do
    check "datasets: two copies on $host" same "$(on $host ls -A /dev/shm | grep -c '^t-')" 2
done

run_mpi 8 "$larder" info
expect_done "info" 8
check "info: counts" has "$out" "8 ranks on 4 nodes"
check "info: names a host" has "$out" "n4"
finish_checks
