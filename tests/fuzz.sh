#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes what larder reads from outside: messages, refs and settings, with clang's libFuzzer and the sanitizers.
#   fuzz.sh [message|ref|config]...     default: all
#   LARDER_FUZZ_SECONDS=8               each; 0: only what is in the corpus
#   fuzz.sh again message FILE          one input once more
#   fuzz.sh corpus                      write tests/fuzz/corpus anew, after the format changed
# Findings stay in fuzz/ of the build folder (LARDER_TEST_BUILD), with the line that repeats them.
set -u
export LC_ALL=C
here=$(dirname "$(readlink -f "$0")")
source=$here/..
# shellcheck source=tests/not_run.sh
. "$here/not_run.sh"
seconds=${LARDER_FUZZ_SECONDS:-8}
clang=${LARDER_FUZZ_CLANG:-clang}
jobs=$(nproc)
need "$clang" "clang libclang-rt-14-dev"
need pkg-config pkg-config

build=${LARDER_TEST_BUILD:-${TMPDIR:-/tmp}}/fuzz
mkdir -p "$build/objects" "$build/findings" || exit 1
work=$(mktemp -d "$build/run.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

read -r -a packages <<<"$(pkg-config --cflags --libs libxxhash) $(pkg-config --cflags --libs msgpack-c 2>/dev/null || pkg-config --cflags --libs msgpack)"
# shellcheck disable=SC2054 # one word with a comma
flags=(-std=c11 -g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
    -I"$source/include" -I"$source/src" -I"$here")

printf '#include <stddef.h>\n#include <stdint.h>\nint LLVMFuzzerTestOneInput (const uint8_t *d, size_t s) { (void) d; return (int) s * 0; }\n' >"$work/try.c"
"$clang" -fsanitize=fuzzer,address,undefined "$work/try.c" -o "$work/try" >"$work/try.log" 2>&1 ||
    not_run "$clang has no fuzzer (Debian: apt-get install libclang-rt-14-dev): $(head -n 1 "$work/try.log")"

# The pure modules, by the table of the layers: they need no MPI, and the fuzzers link those that they use.
pure_modules () {
    local name
    for name in $(sed -n "/^LAYERS='/,/^'/s/^pure://p" "$source/cmake/check_layering.sh" | tr + ' '); do
        [ ! -f "$source/src/larder_$name.c" ] || echo "$name"
    done
}

compile () { # LOG COMMAND...: nothing is heard of it unless it fails
    local log=$1
    shift
    "$@" >"$log" 2>&1 || { cat "$log" >&2; echo "fuzz: this failed: $*" >&2; return 1; }
}

build_library () {
    local name running=0 failed=0
    for name in $(pure_modules); do
        if [ $running -ge "$jobs" ]; then
            wait -n || failed=1
            running=$((running - 1))
        fi
        compile "$work/$name.log" "$clang" "${flags[@]}" -fsanitize=fuzzer-no-link \
            -c "$source/src/larder_$name.c" -o "$work/$name.o" &
        running=$((running + 1))
    done
    while [ $running -gt 0 ]; do
        wait -n || failed=1
        running=$((running - 1))
    done
    [ $failed = 0 ] && ar rc "$work/libpure.a" "$work"/*.o
}

build_program () { # SOURCE PROGRAM FLAGS...
    local file=$1 program=$2
    shift 2
    compile "$work/link.log" "$clang" "${flags[@]}" "$@" "$file" "$work/libpure.a" "${packages[@]}" -lm -o "$program"
}

# What a message makes larder allocate is bounded by its size: hence the limits.
run () { # KIND ARGUMENT...
    local kind=$1
    shift
    "$build/fuzz_$kind" -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=64 -print_final_stats=1 "$@"
}

fuzz () { # KIND
    local kind=$1 log=$build/$1.log limit=-max_total_time=$seconds
    [ "$seconds" != 0 ] || limit=-runs=0
    build_program "$here/fuzz/fuzz_$kind.c" "$build/fuzz_$kind" -fsanitize=fuzzer || return 1
    cp -r "$here/fuzz/corpus/$kind" "$work/$kind" || return 1
    if run "$kind" "$limit" -max_len=4096 -artifact_prefix="$build/findings/$kind-" "$work/$kind" >"$log" 2>&1; then
        printf '%-8s %9d runs, %4d inputs kept, no finding\n' "$kind" \
            "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" "$(find "$work/$kind" -type f | wc -l)"
        return 0
    fi
    grep -vE '^(INFO|#[0-9])' "$log" | tail -n 60 >&2
    echo "fuzz: FINDING in $kind; to repeat it:" >&2
    sed -n "s|.*Test unit written to \(.*\)|    $here/fuzz.sh again $kind \1|p" "$log" >&2
    return 1
}

build_library || exit 1
case ${1:-} in
again)
    [ $# -eq 3 ] || { echo "use: fuzz.sh again KIND FILE" >&2; exit 2; }
    build_program "$here/fuzz/fuzz_$2.c" "$build/fuzz_$2" -fsanitize=fuzzer && run "$2" "$3"
    exit $? ;;
corpus)
    mkdir -p "$here"/fuzz/corpus/{message,ref,config} &&
        build_program "$here/fuzz/make_corpus.c" "$work/make_corpus" -fsanitize=fuzzer-no-link &&
        "$work/make_corpus" "$here/fuzz/corpus"
    exit $? ;;
esac
[ $# -gt 0 ] || set -- message ref config
failed=0
for kind in "$@"; do fuzz "$kind" || failed=1; done
exit $failed
