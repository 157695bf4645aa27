# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced after command.sh by the tests over real files: where those are, what a report says, and
# whether a copy is equal.
real_coast=/usr/share/gmt-gshhg
real_tables=/usr/share/python-tables

# real_files: the array `files`; without the packages the test fails, for it would test nothing.
real_files () {
    mapfile -t coast < <(find $real_coast -name '*.nc' 2>/dev/null | sort)
    mapfile -t tables < <(find $real_tables -name '*.h5' 2>/dev/null | sort)
    missing=()
    [ ${#coast[@]} -ge 12 ] || missing+=("$real_coast/*.nc: ${#coast[@]} of 12 files (Debian: gmt-gshhg-full gmt-gshhg-low)")
    [ ${#tables[@]} -ge 46 ] || missing+=("$real_tables/**/*.h5: ${#tables[@]} of 46 files (Debian: python-tables-data)")
    if [ ${#missing[@]} -gt 0 ]; then
        printf 'MISSING: %s\n' "${missing[@]}" >&2
        exit 1
    fi
    # shellcheck disable=SC2034 # for the script that sources this
    files=("${coast[@]}" "${tables[@]}")
}

# helper NAME: the path of a program of larder_test_helper, built beside the command.
helper () {
    local program=${LARDER_TEST_BUILD:-$(dirname "$larder")}/tests/$1
    [ -x "$program" ] || { echo "MISSING: $program (target $1)" >&2; exit 1; }
    echo "$program"
}

# value KEY JSON: what a report of --json says.
value () { sed -n "s/^  \"$1\": \(.*[^,]\),\{0,1\}\$/\1/p" "$2"; }
# Every item was produced, once, and no checksum was wrong.
each_once () { # JSON
    local items
    items=$(value items "$1")
    [ "${items:-0}" -gt 0 ] || { echo "items: '$items'"; return 1; }
    same "produced $(value produced "$1") reproduced $(value reproduced "$1") checksum errors $(value checksum_errors "$1")" \
        "produced $items reproduced 0 checksum errors 0"
}

# datasets_of FILE: the paths of its datasets, one a line.
datasets_of () { h5dump -n "$1" | sed -n -e 's/ -> .*//' -e 's/^ dataset    //p'; }

# witnesses SRC COPY [PATH...]: what h5diff and h5dump say.
witnesses () {
    local said
    # h5dump follows external links; those of the copy are relative to SRC's folder.
    said=$(HDF5_EXT_PREFIX=$(dirname "$1") H5WITNESS_LINES=1000 "$here/h5witness.sh" "$@" 2>&1) && return
    # A compressed chunk of variable-length data holds addresses, so in a file with less in it the
    # chunk may be longer or shorter; one dataset of such a type, and nothing but its size.
    [ $# -eq 3 ] && h5dump -H -d "$3" "$1" | grep -q 'H5T_VLEN\|H5T_VARIABLE' && ! grep -q '^h5diff' <<<"$said" &&
        ! grep '^[<>]' <<<"$said" | grep -qv ' SIZE [0-9]* (.*COMPRESSION)$' && return
    head -c 2000 <<<"$said"
    return 1
}

# h5_equal COPY SRC [PATH...]: by larder's comparer, and by h5diff and h5dump.
h5_equal () {
    local copy=$1 src=$2; shift 2
    # shellcheck disable=SC2154 # set by the script that sources this
    "$h5compare" "$src" "$copy" "$@" && witnesses "$src" "$copy" "$@"
}
