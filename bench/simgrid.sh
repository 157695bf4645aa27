#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# simgrid.sh [OPTION...] [HOSTS[:SIZE[:RATIO]]...]: larder_download_all and MPI_Bcast on simulated clusters (SimGrid's SMPI), one
# rank a host, hosts on a switch.  The library is what stands in src/, compiled for the simulator.  README.md says
# what is simulated and how.
#   HOSTS[:SIZE[:RATIO]]  what to run; 16 64 256.  With RATIO: fail when larder takes longer than so many times
#                      size / bandwidth, or when more than 1.05 times the object leaves the owner's host
#   --size SIZE        of the object where HOSTS names none (64MiB)
#   --bw RATE          of a link, each way: 100gbit (default), 500mbit, or bytes per second
#   --latency TIME     from host to host: 2us (default; 50us for a bw below 10gbit)
#   --overhead TIME    that one-sided call costs its caller (0us)
#   --in-order         words and requests wait behind the bytes that go the same way, as over TCP (default: they do not)
#   --share            all Gets share links at once, those of one pair too (default: those of a pair flow in turn)
#   --read RATE        at which each rank reads what it is shown (0: it takes no time)
#   --bcast ALGORITHM  SMPI's MPI_Bcast: one of its algorithms, or none (ompi: as Open MPI would choose)
#   --larder OPTIONS   more options of larder_scale, such as "--chunk-size 60KiB --ring 16MiB"
#   --limit SECONDS    that one simulation may take (3600)
#   --build DIR        keep what is compiled (and use it again when nothing has changed)
#   --json             a line of JSON for each row
set -u
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/not_run.sh
. "$here/../tests/not_run.sh"

help () { sed -n '3,/^set -u/{s/^# \{0,1\}//;T;p}' "$0"; }
use () { [ $# -eq 0 ] || echo "simgrid.sh: $*" >&2; help >&2; exit 2; }

# Numbers: bytes per second, seconds.
rate () {
    case ${1,,} in
        *gbit) awk "BEGIN { printf \"%.10g\", ${1%?bit} * 125e6 }" ;;
        *mbit) awk "BEGIN { printf \"%.10g\", ${1%?bit} * 125e3 }" ;;
        *) awk "BEGIN { printf \"%.10g\", $1 }" ;;
    esac
}
seconds () {
    case $1 in
        *ns) awk "BEGIN { printf \"%.10g\", ${1%ns} * 1e-9 }" ;;
        *us) awk "BEGIN { printf \"%.10g\", ${1%us} * 1e-6 }" ;;
        *ms) awk "BEGIN { printf \"%.10g\", ${1%ms} * 1e-3 }" ;;
        *) awk "BEGIN { printf \"%.10g\", ${1%s} }" ;;
    esac
}

unset LARDER_SIM_SHARE LARDER_SIM_IN_ORDER
size=64MiB bw=100gbit latency='' overhead=0us read=0 bcast=ompi larder='' limit=3600 build='' json='' runs=()
while [ $# -gt 0 ]; do
    case $1 in
        -h|--help) help; exit 0 ;;
        --json) json=--json; shift; continue ;;
        --share) export LARDER_SIM_SHARE=1; shift; continue ;;
        --in-order) export LARDER_SIM_IN_ORDER=1; shift; continue ;;
        --size|--bw|--latency|--overhead|--read|--bcast|--larder|--limit|--build)
            [ $# -ge 2 ] || use
            declare "${1#--}=$2"; shift 2; continue ;;
        [1-9]*) runs+=("$1"); shift ;;
        *) use "'$1' is neither an option nor a number of hosts" ;;
    esac
done
[ ${#runs[@]} -gt 0 ] || runs=(16 64 256)
bw=$(rate "$bw")
[ -n "$latency" ] || latency=$(awk "BEGIN { print $bw < 1.25e9 ? \"50us\" : \"2us\" }")
latency=$(seconds "$latency") overhead=$(seconds "$overhead")

[ -z "${LARDER_SIM_SHARE:-}" ] || [ -z "${LARDER_SIM_IN_ORDER:-}" ] || { echo "simgrid.sh: --share and --in-order exclude each other" >&2; exit 2; }

need smpicc "libsimgrid-dev"
need smpirun "libsimgrid-dev"
need g++ "g++"

work=$(mktemp -d "${TMPDIR:-/tmp}/larder-simgrid.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
build=${build:-$work/build}
mkdir -p "$build" || exit 1
build=$(readlink -f "$build")

# ---------------------------------------------------------------- the library, for the simulator
root=$(readlink -f "$here/..")
include=(-I"$root/include" -I"$root/src" -I"$root/bench/simgrid")
# SMPI's malloc is only for programs that mark what may be shared by all ranks.
flags="-O2 -DSMPI_NO_OVERRIDE_MALLOC"
if echo 'int x;' | ${CC:-cc} -march=native -x c -c -o "$work/x.o" - 2>/dev/null; then flags+=" -march=native"; fi
export build flags
# shellcheck disable=SC2086,SC2317
compile_one () { # SOURCE: to an object, unless one is there that is newer than all that it could include
    local name
    name=$(basename "$1")
    [ "$build/$name.o" -nt "$build/newest" ] && return
    case $name in
        *.cpp) smpicxx -std=c++17 $flags $INCLUDE -c "$1" -o "$build/$name.o" ;;
        larder_rma.c) smpicc -std=c11 $flags $INCLUDE -DLARDER_SMPI_ONE_SIDED -include larder_smpi.h -c "$1" -o "$build/$name.o" ;;
        *) smpicc -std=c11 $flags $INCLUDE -include larder_smpi.h -c "$1" -o "$build/$name.o" ;;
    esac
}
export -f compile_one
export INCLUDE="${include[*]}"

sources=() objects=()
for source in "$root"/src/larder_*.c "$root/bench/larder_scale.c" "$root/bench/simgrid/larder_smpi.cpp"; do
    [ "${source##*/}" = larder_backoff.c ] && continue
    sources+=("$source") objects+=("$build/${source##*/}.o")
done
# One date for all: the newest file there is.
newest=$(find "$root/src" "$root/include" "$root/bench/simgrid" "$root/bench/larder_scale.c" -type f -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2-)
touch -r "$newest" "$build/newest" || exit 1
# shellcheck disable=SC2015,SC2016
printf '%s\0' "${sources[@]}" | xargs -0 -P "$(nproc)" -I{} bash -c 'compile_one "$1"' _ {} >"$work/compile.log" 2>&1 &&
    smpicxx "${objects[@]}" -lxxhash -lmsgpackc -lm -o "$build/larder_scale" >>"$work/compile.log" 2>&1 || {
    cat "$work/compile.log" >&2
    echo "simgrid.sh: larder could not be compiled for the simulator" >&2
    exit 1
}

# ---------------------------------------------------------------- one simulated cluster
platform () { # HOSTS: a switch that does not block, and a link to each host, which carries as much in each direction
    cat <<XML
<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <cluster id="c" prefix="n" suffix="" radical="0-$(($1 - 1))" speed="1Gf" core="4"
           bw="${bw}Bps" lat="$(awk "BEGIN { printf \"%.10g\", $latency / 2 }")s" sharing_policy="SPLITDUPLEX"/>
</platform>
XML
}

# No factors for messages of some sizes, no traffic of acknowledgements, no TCP windows: links are what --bw and
# --latency say.  Computing takes no simulated time.
simulate () { # HOSTS SIZE WAY RATIO
    local algorithm=$bcast
    [ "$3" = larder ] && algorithm=binomial_tree # larder's own are small
    platform "$1" >"$work/platform.xml"
    for ((i = 0; i < $1; i++)); do echo "n$i"; done >"$work/hosts"
    # shellcheck disable=SC2086
    LARDER_SIM_OVERHEAD=$overhead timeout -k 5 "$limit" smpirun -np "$1" -platform "$work/platform.xml" -hostfile "$work/hosts" \
        --cfg=smpi/host-speed:1Gf --cfg=smpi/simulate-computation:no --cfg=smpi/privatization:no \
        --cfg=network/crosstraffic:0 --cfg=network/TCP-gamma:0 --cfg=smpi/bw-factor:0:1.0 --cfg=smpi/wtime:0 \
        --cfg="smpi/bcast:$algorithm" --cfg=smpi/allgather:bruck --cfg=smpi/barrier:ompi_bruck \
        --cfg=smpi/allreduce:rdb --cfg=smpi/gather:ompi_binomial \
        --cfg=contexts/stack-size:256 --cfg=smpi/shared-malloc-blocksize:67108864 --log=root.thres:warning \
        "$build/larder_scale" $json --rate "$bw" --read "$(awk "BEGIN { printf \"%.0f\", $(rate "$read") }")" --size "$2" --only "$3" --expect "$4" $larder
}

ways=(larder bcast)
[ "$bcast" = none ] && ways=(larder) bcast=ompi
[ -n "$json" ] || awk "BEGIN { printf \"links of %.4g GB/s each way, %.3g us from host to host; simulated seconds, times size / bandwidth; bytes out of the owner over the size\n\", $bw / 1e9, $latency * 1e6 }"
failed=0 header=1
for run in "${runs[@]}"; do
    IFS=: read -r hosts bytes expect <<<"$run"
    bytes=${bytes:-$size}
    for way in "${ways[@]}"; do
        started=$(date +%s)
        if ! simulate "$hosts" "$bytes" "$way" "${expect:-0}" >"$work/out" 2>"$work/err"; then
            cat "$work/out"
            tail -n 5 "$work/err" >&2
            echo "simgrid.sh: $hosts hosts, $bytes, $way: failed, or took longer than $limit s" >&2
            failed=1
            continue
        fi
        took=$(($(date +%s) - started))
        if [ -n "$json" ]; then
            sed "s/}\$/, \"bandwidth\": $bw, \"latency\": $latency, \"wall_seconds\": $took}/" "$work/out"
        else
            tail -n +$((2 - header)) "$work/out" | sed "\$s/\$/  ($took s to simulate)/"
            header=0
        fi
    done
done
exit $failed
