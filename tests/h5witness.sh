#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Are two HDF5 files equal, as far as h5diff and h5dump can tell?
#
#   h5witness.sh A B [PATH...]        PATHs: datasets or groups; none: the whole files
#
# h5diff exits 0 on "not comparable", so its text is compared with what it says of a byte copy of A.
# It looks at no filters, layouts or fill values, so the headers of h5dump are compared too, without
# file names, addresses and sizes that depend on where things lie. Exit status 0: equal.
set -u
[ $# -ge 2 ] || { echo "usage: $0 A B [PATH...]" >&2; exit 2; }
a=$1 b=$2
shift 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
limit=${H5WITNESS_SECONDS:-120}
cp "$a" "$work/copy" || exit 2

tidy () {
    sed -E -e '1d' -e 's/^HDF5 "[^"]*"//' -e 's/OFFSET [0-9]+/OFFSET/' \
        -e 's/(DATASET|GROUP|DATATYPE|UNKNOWN) [0-9]+ /\1 ADDRESS /g' -e 's/"\/#[0-9]+"/"\/#ADDRESS"/g' \
        -e 's/HARDLINK .*/HARDLINK/' -e 's/#[0-9]+/#ADDRESS/g'
}

one () { # suffix, path or nothing
    if [ -n "$2" ]; then
        timeout "$limit" h5diff -c "$a" "$work/copy" "$2" > "$work/diff.copy" 2>&1
        copy=$?
        timeout "$limit" h5diff -c "$a" "$b" "$2" > "$work/diff.b" 2>&1
        mine=$?
    else
        timeout "$limit" h5diff -c "$a" "$work/copy" > "$work/diff.copy" 2>&1
        copy=$?
        timeout "$limit" h5diff -c "$a" "$b" > "$work/diff.b" 2>&1
        mine=$?
    fi
    sed -i -e "s|$work/copy|B|g" "$work/diff.copy"
    sed -i -e "s|$b|B|g" "$work/diff.b"
    if [ $copy -ne $mine ] || ! cmp -s "$work/diff.copy" "$work/diff.b"; then
        echo "h5diff: $a $b $2: status $mine, of a byte copy $copy"
        diff "$work/diff.copy" "$work/diff.b" | head -n "${H5WITNESS_LINES:-20}"
        bad=1
    fi
}

dump () { # file, output, h5dump options
    f=$1 o=$2
    shift 2
    timeout "$limit" h5dump "$@" "$f" 2> "$o.err" | tidy > "$o"
}

headers () {
    dump "$a" "$work/dump.a" "$@"
    dump "$b" "$work/dump.b" "$@"
    if ! cmp -s "$work/dump.a" "$work/dump.b"; then
        echo "h5dump $*: $a $b"
        diff "$work/dump.a" "$work/dump.b" | head -n "${H5WITNESS_LINES:-20}"
        bad=1
    fi
}

bad=0
if [ $# -eq 0 ]; then
    one all ""
    headers -B -H -p -A
    headers -H -p
    [ -n "${H5WITNESS_DATA:-}" ] && headers -p
else
    for path in "$@"; do
        one one "$path"
        headers -H -p -N "$path"
    done
fi
exit $bad
