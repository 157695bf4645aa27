#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_layering.sh [SOURCE_DIR]: does every #include point downwards?  The layers are those of
# docs/DESIGN.md; the tables below are the place to extend when a module is added.
set -u
export LC_ALL=C

# ---------------------------------------------------------------- the tables
# One layer a line, lowest first.  A module (src/larder_NAME.c and .h) may include its own header and
# modules of lower lines.  NAME+NAME+... are files of one module: they may include each other.
# The word before the colon is "pure" (no MPI, no I/O) or "mpi".
LAYERS='
pure: version error atomic num
pure: clock intervals
pure: backoff ref wire topology object consumer config_text transport track
pure: blob shape path tree
pure: children+datum+node+value+spot+message message_short
pure: arrays scan seen
pure: registry
pure: unpack+unpacktable
pure: pack+packwrite
pure: config pool chunks txn+txnplace view
pure: cache receipt produce
pure: concat batch disk
mpi:  mpi
mpi:  rma
mpi:  nodecache+guard
mpi:  detach
mpi:  words
mpi:  relay
mpi:  offered
mpi:  owner+ownerbind+ownerline+ownermail+ownerready+ownertxn reader+fetch+join+end+event+tell
mpi:  handle
mpi:  progress
mpi:  transaction download agree pause
mpi:  offer encode pull terms
mpi:  resolve collective
mpi:  shared
mpi:  session
'
# Pairs within one layer that are allowed all the same: includer>included.
WITHIN='
'
# The only files that may make one-sided MPI calls (MPI_Win_*, MPI_Get, MPI_Fetch_and_op, ...).
ONE_SIDED='src/larder_rma.c'

# System headers, by folder.  Any folder may use LIBC and its own "headers".
LIBC='assert.h ctype.h dirent.h errno.h fcntl.h fnmatch.h getopt.h glob.h inttypes.h libgen.h limits.h
 math.h poll.h sched.h signal.h stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h
 stdlib.h string.h strings.h sys/file.h sys/ioctl.h sys/mman.h sys/random.h sys/resource.h
 sys/stat.h sys/statfs.h sys/statvfs.h sys/sysmacros.h sys/time.h sys/types.h sys/utsname.h sys/vfs.h
 sys/wait.h sys/xattr.h termios.h time.h unistd.h linux/magic.h pthread.h'
SRC_ALSO='mpi.h msgpack.h xxhash.h'
HDF5IO_ALSO='hdf5.h zlib.h'
PROGRAMS_ALSO='mpi.h hdf5.h xxhash.h'
# <larder/...> headers that the core may not use, because they belong to hdf5io.
HDF5IO_PUBLIC='larder/file.h larder/hdf5.h'
# Which public header may include what besides <larder/...> and LIBC.
PUBLIC_ALSO='session.h:mpi.h hdf5.h:hdf5.h'

# ---------------------------------------------------------------- the check
cd "${1:-$(dirname "$(readlink -f "$0")")/..}" || exit 2
bad=0 files=0
fault () { echo "$*" >&2; bad=$((bad + 1)); }
has () { case " ${1//$'\n'/ } " in *" $2 "*) return 0 ;; esac; return 1; }

# Prints "LINE KIND NAME" for each include; KIND is q (quotes) or a (angle brackets).
includes () { sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*("([^"]+)"|<([^>]+)>).*/\1/p' "$1" | sed -E 's/^"(.*)"$/q \1/; s/^<(.*)>$/a \1/'; }
# The text without comments; line numbers stay.
code () {
    awk '{ line = $0; out = ""
           while (line != "") {
               if (inside) { e = index(line, "*/"); if (!e) { line = ""; break } line = substr(line, e + 2); inside = 0; continue }
               b = index(line, "/*"); s = index(line, "//")
               if (s && (!b || s < b)) { out = out substr(line, 1, s - 1); break }
               if (!b) { out = out line; break }
               out = out substr(line, 1, b - 1); line = substr(line, b + 2); inside = 1
           }
           print out }' "$1"
}

declare -A level kind group used
n=0
while read -r line; do
    [ -n "$line" ] || continue
    n=$((n + 1)) k=${line%%:*}
    case $k in pure|mpi) ;; *) echo "layer line without pure: or mpi: -- $line" >&2; exit 2 ;; esac
    for word in ${line#*:}; do
        for name in ${word//+/ }; do
            [ -z "${level[$name]:-}" ] || { echo "module $name stands twice in the table" >&2; exit 2; }
            level[$name]=$n kind[$name]=$k group[$name]=$word
        done
    done
done <<<"$LAYERS"

# Does a header drag in mpi.h?  reach FILE: follows "..." in src and <larder/...>.
declare -A drags
reach () {
    local file=$1 how name next
    case ${drags[$file]:-} in yes) return 0 ;; no|now) return 1 ;; esac
    drags[$file]=now
    while read -r how name; do
        next=
        case $how$name in
            ampi.h) drags[$file]=yes; return 0 ;;
            alarder/*) next=include/$name ;;
            q*) next=src/$name ;;
        esac
        [ -n "$next" ] && [ -f "$next" ] && reach "$next" && { drags[$file]=yes; return 0; }
    done < <(includes "$file")
    drags[$file]=no
    return 1
}

check_src () {
    local file=$1 base name how inc target
    base=${file##*/}; name=${base%.[ch]}; name=${name#larder_}
    if [ "$base" = "${base#larder_}" ]; then fault "$file: files of src/ are named larder_*"; return; fi
    if [ -z "${level[$name]:-}" ]; then
        fault "$file: module '$name' is in no layer; add it to LAYERS in cmake/check_layering.sh"; return
    fi
    while read -r how inc; do
        if [ "$how" = q ]; then
            [ -f "src/$inc" ] || { fault "$file: \"$inc\" is not in src/"; continue; }
            target=${inc#larder_}; target=${target%.h}
            [ "$target" = "$name" ] && continue
            if [ -z "${level[$target]:-}" ]; then fault "$file: includes \"$inc\", whose module is in no layer"
            elif [ "${level[$target]}" -lt "${level[$name]}" ] || [ "${group[$target]}" = "${group[$name]}" ]; then :
            elif has "$WITHIN" "$name>$target" && [ "${level[$target]}" = "${level[$name]}" ]; then used["$name>$target"]=1
            else fault "$file: includes \"$inc\", which is not below it (layer ${level[$target]} from layer ${level[$name]})"
            fi
        else
            case $inc in
                larder/*) has "$HDF5IO_PUBLIC" "$inc" && fault "$file: <$inc> belongs to hdf5io" ;;
                *) has "$LIBC $SRC_ALSO" "$inc" || fault "$file: <$inc> is not among the headers that src/ may use" ;;
            esac
        fi
    done < <(includes "$file")
    [ "${kind[$name]}" = pure ] && reach "$file" && fault "$file: a pure module, but mpi.h comes in through its includes"
}

check_folder () { # FOLDER EXTRA_HEADERS
    local file how inc
    for file in "$1"/*.[ch]; do
        [ -f "$file" ] || continue
        files=$((files + 1))
        while read -r how inc; do
            case $how$inc in
                alarder/*) [ -f "include/$inc" ] || fault "$file: there is no public header <$inc>" ;;
                a*) has "$LIBC $2" "$inc" || fault "$file: <$inc> is not among the headers that $1/ may use" ;;
                q*) [ -f "$1/$inc" ] || fault "$file: \"$inc\" is not a header of $1/; only <larder/...> is shared" ;;
            esac
        done < <(includes "$file")
    done
}

check_public () {
    local file=$1 how inc
    while read -r how inc; do
        case $how$inc in
            alarder/*) ;;
            a*) has "$LIBC" "$inc" || has "$PUBLIC_ALSO" "${file##*/}:$inc" || fault "$file: a public header may not include <$inc>" ;;
            q*) fault "$file: public headers are included as <larder/...>" ;;
        esac
    done < <(includes "$file")
}

for file in src/*.[ch]; do [ -f "$file" ] || continue; files=$((files + 1)); check_src "$file"; done
for file in include/larder/*.h; do [ -f "$file" ] || continue; files=$((files + 1)); check_public "$file"; done
check_folder hdf5io "$HDF5IO_ALSO"
for folder in tools examples bench; do check_folder "$folder" "$PROGRAMS_ALSO"; done

one_sided='\bMPI_(Win_[a-z_]+|R?[Gg]et|R?[Pp]ut|R?(get_)?[Aa]ccumulate|Get_accumulate|Fetch_and_op|Compare_and_swap)[[:space:]]*\('
for file in src/*.[ch] hdf5io/*.[ch] tools/*.[ch]; do
    [ -f "$file" ] || continue
    has "$ONE_SIDED" "$file" && continue
    while IFS= read -r hit; do
        fault "$file:${hit%%:*}: one-sided MPI belongs in one of: $ONE_SIDED -- ${hit#*:}"
    done < <(code "$file" | grep -nE "$one_sided")
done

for pair in $WITHIN; do
    a=${pair%%>*} b=${pair##*>}
    [ -n "${used[$pair]:-}" ] || [ ! -f "src/larder_$a.c" ] || [ ! -f "src/larder_$b.h" ] ||
        fault "WITHIN in cmake/check_layering.sh allows $pair, which nothing needs"
done

if [ "$files" -eq 0 ]; then echo "layering: no files found in $PWD" >&2; exit 1; fi
if [ "$bad" -ne 0 ]; then echo "layering: $bad faults in $files files" >&2; exit 1; fi
echo "layering: $files files in order"
