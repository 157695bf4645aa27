#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2010,SC2034,SC2154,SC2317 # the variables are those of command.sh
# command_usage.sh LARDER: help and version without a launcher; every usage error gives code 2 and
# one line that points at the help, alone and under mpirun.
set -u
# shellcheck source=tests/command.sh
. "$(dirname "$(readlink -f "$0")")/command.sh"

help_texts () {
    run_mpi 0 "$larder" --version
    expect_done "--version" 0
    check "--version: says larder and a number" has "$out" "larder 0."
    for topic in --help -h help "help stage" "help info" "stage --help" "info -h" "stage a --help"; do
        # shellcheck disable=SC2086
        run_mpi 0 "$larder" $topic
        expect_done "$topic" 0
        check "$topic: shows the usage" has "$out" "Usage:"
        check "$topic: shows exit codes" has "$out" "Exit codes"
        check "$topic: not wider than 100 columns" same "$(awk 'length > 100' "$work/out/stdout")" ""
    done
    run_mpi 3 "$larder" help stage
    expect_done "help under mpirun" 3
    check "help under mpirun: once" same "$(grep -c '^Usage:' "$work/out/stdout")" 1
}

wrong () { # TEXT ARGS...
    local text=$1; shift
    run_mpi 0 "$larder" "$@"
    expect_failed "larder $*" 0 2 "$text"
    check "larder $*: points at the help" has "$err" "--help"
    check "larder $*: nothing on stdout" same "$out" ""
}

wrong_lines () {
    wrong "no command"
    wrong "unknown command 'stagee'" stagee
    wrong "unknown option '--bad'" --bad
    wrong "SRC and DEST" stage
    wrong "DEST is missing" stage a
    wrong "unexpected argument 'c'" stage a b c
    wrong "unknown option '--bad'" stage a b --bad
    wrong "--per" stage a b --per core
    wrong "must not be 0" stage a b --chunk-size 0
    wrong "'huge'" stage a b --chunk-size huge
    wrong "'-1'" stage a b --cache-size -1
    wrong "must not be 0" stage a b --timeout 0
    wrong "a quarter" stage a b --chunk-size 64M --cache-size 128M
    wrong "needs --dataset" stage a b --with-targets
    wrong "exclude each other" stage a b --progress --quiet
    wrong "--json" stage a b --json
    wrong "%x" stage a b%x
    wrong "single %" stage a b%
    wrong "unknown option" info --verify
    wrong "unexpected argument" info now
    wrong "no help on" help bench-press
}

under_mpirun () {
    run_mpi 4 "$larder" stage a
    expect_failed "usage error at 4 ranks" 4 2 "see larder stage --help"
    echo text >"$work/src"
    stage 4 "$work/src" "$work/dest" --per rank
    expect_failed "--per rank without %r" 4 2 "%r"
    stage 4 "$work/src" "$work/dest" --chunk-size 1K
    expect_failed "chunk below its least" 4 2 "see larder stage --help"
    LARDER_CHUNK_SIZE=0 stage 2 "$work/src" "$work/dest"
    expect_failed "bad setting in the environment" 2 2 "see larder stage --help"
    check "usage errors write nothing" same "$(ls "$work" | grep -c dest)" 0
}

info () {
    run_mpi 3 "$larder" info
    expect_done "info" 3
    check "info: names the transport" has "$out" "transport"
    check "info: counts ranks" has "$out" "3 ranks on 1 node"
    run_mpi 2 "$larder" info --json "$work/info.json"
    expect_done "info --json" 2
    for key in version mpi mpi_standard thread_level hdf5 transport transport_reason chunk_size \
        cache_size piece_size control_size slot_count ranks nodes node_list shm_free advice; do
        check "info --json: has $key" grep -q "\"$key\":" "$work/info.json"
    done
    if command -v python3 >/dev/null; then
        check "info --json: is JSON" python3 -m json.tool "$work/info.json"
    fi
}

help_texts
wrong_lines
under_mpirun
info
finish_checks
