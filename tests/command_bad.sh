#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2010,SC2034,SC2154,SC2317 # the variables are those of command.sh
# command_bad.sh LARDER: bad input.  Each at 4 ranks: the same code on all, one line on stderr,
# nothing left in DEST's folder, no hang.
set -u
# File systems that are full or read-only are mounted where nobody else sees them.
if [ "${LARDER_TEST_MOUNTS:-}" != private ]; then
    user=
    [ "$(id -u)" = 0 ] || user="--user --map-root-user"
    # shellcheck disable=SC2086
    if unshare $user --mount true 2>/dev/null; then
        LARDER_TEST_MOUNTS=private exec unshare $user --mount --propagation private "$0" "$@"
    fi
fi
# shellcheck source=tests/command.sh
. "$(dirname "$(readlink -f "$0")")/command.sh"
[ "${LARDER_TEST_MOUNTS:-}" = private ] || not_run "no mount namespace of our own is allowed here"

src=$work/src.bin
seq 1 400000 >"$src"
tiny_h5 "$work/tiny.h5"
dest=$work/dest
fresh () { umount "$dest" 2>/dev/null; rm -rf "$dest"; mkdir "$dest"; }

# bad WHAT CODE TEXT LEFT ARGS...: LEFT are the names in DEST's folder afterwards.
bad () {
    local what=$1 code=$2 text=$3 left=$4; shift 4
    stage 4 "$@"
    expect_failed "$what" 4 "$code" "$text"
    check "$what: names the rank" has "$err" "larder: rank "
    expect_folder "$what" "$dest" "$left"
    check "$what: no summary" same "$out" ""
}

fresh
bad "missing SRC" 1 "$work/none: No such file" "" "$work/none" "$dest/x"
bad "SRC is a folder" 1 "$work: is a directory" "" "$work" "$dest/x"
mkfifo "$work/fifo"
bad "SRC is a pipe" 1 "not a regular file" "" "$work/fifo" "$dest/x"
bad "SRC under a file" 1 "Not a directory" "" "$src/x" "$dest/x"
bad "DEST's folder is missing" 1 "$dest/none/x: " "" "$src" "$dest/none/x"
bad "DEST ends in a slash" 1 "no such directory" "" "$src" "$dest/none/"
touch "$dest/file"
bad "DEST under a file" 1 "Not a directory" "file" "$src" "$dest/file/x"
bad "DEST exists" 1 "exists already" "file" "$src" "$dest/file"
check "DEST exists: it is as it was" same "$(stat -c %s "$dest/file")" 0
ln -s nowhere "$dest/dangling"
bad "DEST is a dangling link" 1 "exists already" "dangling file" "$src" "$dest/dangling"

fresh
cp "$src" "$dest/s"
ln "$dest/s" "$dest/hard"
ln -s s "$dest/soft"
for name in s hard soft ../dest/s; do
    bad "DEST is SRC, as $name" 1 "is the source itself" "hard s soft" "$dest/s" "$dest/$name" --force
    check "DEST is SRC, as $name: it is as it was" cmp "$src" "$dest/s"
done
bad "DEST is SRC's folder" 1 "is the source itself" "hard s soft" "$dest/s" "$dest"
bad "--json is SRC" 1 "over the source" "hard s soft" "$dest/s" "$dest/x" --json "$dest/s"
bad "--json cannot be written" 1 "cannot write the JSON file" "hard s soft" "$dest/s" "$dest/x" --json "$dest/none/j"

fresh
bad "--dataset of no HDF5 file" 1 "$src is not an HDF5 file" "" "$src" "$dest/x" --dataset /g/x
bad "--dataset of a missing file" 1 "No such file" "" "$work/none.h5" "$dest/x" --dataset /g/x
bad "no such dataset" 1 "/g/none" "" "$work/tiny.h5" "$dest/x" --dataset /g/none
bad "one of two datasets is missing" 1 "/g/none" "" "$work/tiny.h5" "$dest/x" --dataset /a --dataset /g/none
head -c $(($(stat -c %s "$work/tiny.h5") / 2)) "$work/tiny.h5" >"$work/half.h5"
bad "HDF5 file cut in half" 1 "$work/half.h5: " "" "$work/half.h5" "$dest/x" --dataset /g/x
: >"$work/empty.h5"
bad "empty HDF5 file" 1 "$work/empty.h5 is not an HDF5 file" "" "$work/empty.h5" "$dest/x" --dataset /g/x

fresh
mount --bind "$dest" "$dest"
mount -o remount,ro,bind "$dest"
bad "read-only DEST" 1 "Read-only file system" "" "$src" "$dest/x"
bad "read-only DEST, --per rank" 1 "Read-only file system" "" "$src" "$dest/x%r" --per rank
bad "read-only DEST, --dataset" 1 "Read-only file system" "" "$work/tiny.h5" "$dest/x" --dataset /g/x

fresh
mount -t tmpfs -o size=1m tmpfs "$dest"
bad "full file system" 1 "No space left on device" "" "$src" "$dest/x"
bad "full for one of the ranks" 1 "No space left on device" "" "$src" "$dest/x%r" --per rank
head -c 400000 "$src" >"$work/third"
bad "full for the later ranks" 1 "No space left on device" "" "$work/third" "$dest/x%r" --per rank
umount "$dest"
mount -t tmpfs -o size=4k tmpfs "$dest"
bad "full file system, --dataset" 1 "No space left on device" "" "$work/tiny.h5" "$dest/x" --dataset /a
umount "$dest"

fresh
for size in 0 12Q -1 32M 2G; do
    stage 4 "$src" "$dest/x" --chunk-size $size
    expect_failed "--chunk-size $size" 4 2 "see larder stage --help"
    expect_folder "--chunk-size $size" "$dest" ""
done
stage 4 "$src" "$dest/x" --cache-size 512K
expect_failed "cache of two chunks" 4 2 "see larder stage --help"

# One launch, two command lines.
export LARDER_TEST_OUT=$work/out
different () { # WHAT ARGS...: ranks 2 and 3 get these arguments
    local what=$1; shift
    rm -rf "$work/out"; mkdir "$work/out"
    # shellcheck disable=SC2086
    timeout -k 5 60 $mpiexec -n 2 "$work/rank" "$larder" stage "$src" "$dest/b" : \
        -n 2 "$work/rank" "$larder" "$@" >"$work/out/stdout" 2>"$work/out/launcher"
    launched=$?
    collect
    expect_failed "$what" 4 1 "rank 2 "
    check "$what: says what is wrong" has "$err" "other arguments"
    expect_folder "$what" "$dest" ""
}
different "different arguments" stage "$src" "$dest/c"
different "different arguments, wrong ones" stage "$src" "$dest/c" --no-such-option
different "different commands" info
finish_checks
