#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2010,SC2034,SC2154,SC2317 # the variables are those of command.sh
# command_signal.sh LARDER: a signal in the middle of a transfer ends all ranks and leaves nothing
# that passes for a copy.  One receiver is stopped (SIGSTOP) as soon as the transfer moves: the
# owner's small cache then holds everybody in the middle until the test goes on.
set -u
# shellcheck source=tests/command.sh
. "$(dirname "$(readlink -f "$0")")/command.sh"
need_open_mpi

src=$work/src.bin
truncate -s 1G "$src"
dest=$work/dest
cat >"$work/rank" <<'RANK'
#!/bin/sh
echo $$ >"$LARDER_TEST_OUT/pid.$OMPI_COMM_WORLD_RANK"
exec "$@" 2>"$LARDER_TEST_OUT/stderr.$OMPI_COMM_WORLD_RANK"
RANK

alive () { kill -0 "$1" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; }
pid_of () { cat "$work/out/pid.$1"; }
# until COMMAND...: waits for it, 30 s at most.
until_ok () { for ((t = 0; t < 3000; t++)); do "$@" && return 0; sleep 0.01; done; return 1; }
# Progress was shown, and the transfer is not over.
moving () { [ -s "$work/out/stderr.0" ]; }

# start: three ranks, rank 2 stopped in the middle.
start () {
    rm -rf "$work/out" "$dest"; mkdir "$work/out" "$dest"
    export LARDER_TEST_OUT=$work/out
    # shellcheck disable=SC2086
    timeout -k 5 120 $mpiexec -n 3 "$work/rank" "$larder" stage "$src" "$dest/x%r" --per rank \
        --cache-size 1MiB --progress >"$work/out/stdout" 2>"$work/out/launcher" &
    launcher=$!
    until_ok moving
    kill -STOP "$(pid_of 2)"
    check "$1: rank 2 is stopped in the middle" until_ok grep -q '^State:.T' "/proc/$(pid_of 2)/status"
    check "$1: the run is still under way" alive "$(pid_of 0)"
}
# ended: no rank lives, no copy has a name, no temporary is left.
ended () { # WHAT
    wait "$launcher"
    code=$?
    for rank in 0 1 2; do until_ok not alive "$(pid_of $rank)"; done
    check "$1: no rank is left" not any_alive
    check "$1: the launcher's code is not 0" test $code -ne 0
    check "$1: no hang" test $code -ne 124
    said=$(cat "$work"/out/stderr.* | grep '^larder:')
    check "$1: no summary" same "$(cat "$work/out/stdout")" ""
}
any_alive () { local r; for r in 0 1 2; do alive "$(pid_of $r)" && return 0; done; return 1; }

for signal in TERM INT; do
    start "SIG$signal to mpirun"
    kill -$signal "$(pgrep -P "$launcher" | head -n 1)" # the child of timeout is mpirun
    ended "SIG$signal to mpirun"
    expect_folder "SIG$signal to mpirun" "$dest" ""
done

start "SIGTERM to one receiver"
kill -TERM "$(pid_of 1)"
kill -CONT "$(pid_of 2)"
ended "SIGTERM to one receiver"
expect_folder "SIGTERM to one receiver" "$dest" ""
check "SIGTERM to one receiver: one line" same "$(wc -l <<<"$said")" 1
check "SIGTERM to one receiver: says which rank" has "$said" "larder: rank 1 "
check "SIGTERM to one receiver: says why" has "$said" "interrupted by SIGTERM"
check "SIGTERM to one receiver: code 1" same "$code" 1

start "SIGINT to the owner"
kill -INT "$(pid_of 0)"
kill -CONT "$(pid_of 2)"
ended "SIGINT to the owner"
expect_folder "SIGINT to the owner" "$dest" ""
check "SIGINT to the owner: says which rank" has "$said" "larder: rank 0 "
check "SIGINT to the owner: says why" has "$said" "interrupted by SIGINT"

start "SIGKILL of a receiver"
kill -KILL "$(pid_of 1)"
ended "SIGKILL of a receiver"
for rank in 0 1 2; do
    check "SIGKILL of a receiver: no copy of rank $rank" test ! -e "$dest/x$rank"
done
finish_checks
