# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced after command.sh and real.sh by the tests of memory: what the ranks of a node take together
# during a run, by the sum of their Pss, above an MPI program that does nothing.
idle=$(helper mpi_idle) || exit 1
[ -r /proc/self/smaps_rollup ] || not_run "there is no /proc/self/smaps_rollup (Linux 4.14) to measure memory by"

# What runs on every rank of a measured run: its pid stands in a file, for pids are each host's own.
cat >"$work/watched" <<'RANK'
#!/bin/sh
echo $$ >"$LARDER_TEST_OUT/pid.$(hostname).${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-0}}"
exec "$@"
RANK
chmod +x "$work/watched"

# watch_pss FOLDER HOST RANKS: until FOLDER/over is there, as often as it can: the largest sum of the
# Pss of HOST's ranks in KiB, and how often all of them were seen.  Runs on HOST.
watch_pss () {
    local file pid key kib sum seen level before=0 most=0 samples=0
    while [ ! -e "$1/over" ]; do
        sum=0 seen=0
        for file in "$1"/out/pid."$2".*; do
            { read -r pid <"$file"; } 2>/dev/null || continue
            { while read -r key kib _; do
                [ "$key" = Pss: ] || continue
                sum=$((sum + kib)) seen=$((seen + 1))
                break
            done <"/proc/$pid/smaps_rollup"; } 2>/dev/null
        done
        [ $seen -lt "$3" ] || samples=$((samples + 1))
        # Ranks are read one after another: a page that a second rank touches in between counts one and
        # a half times.  What two looks in turn agree on is there.
        level=$((sum < before ? sum : before)) before=$sum
        [ $level -le $most ] || most=$level
    done
    echo "$most $samples" >"$1/pss.$2"
}

# on HOST COMMAND...: a script with hosts has its own.
on () { shift; "$@"; }

# idle_pss HOSTS RANKS_A_HOST: sets idle_kib, of one host.
idle_pss () {
    run_mpi $(($1 * $2)) "$idle"
    expect_done "an empty MPI program" $(($1 * $2))
    idle_kib=$((${out:-0} / $1))
    check "an empty MPI program takes something" test $idle_kib -gt 0
}

# measure WHAT CACHE_MIB CHUNK_KIB "HOSTS" RANKS_A_HOST ARGS...: runs larder with ARGS; on each of the
# hosts memory stays below the cache, 16 MiB a rank and two of the largest HDF5 chunks.
measure () {
    local what=$1 cache_mib=$2 chunk_kib=$3 hosts=$4 ppn=$5 watchers=() host pss samples most ranks; shift 5
    most=$(((cache_mib + 16 * ppn) * 1024 + 2 * chunk_kib))
    rm -rf "$work/out" "$work/over"
    ranks=0
    for host in $hosts; do
        on "$host" bash -c "$(declare -f watch_pss); watch_pss \"\$@\"" watch "$work" "$host" "$ppn" &
        watchers+=($!)
        ranks=$((ranks + ppn))
    done
    run_mpi $ranks "$work/watched" "$larder" "$@" --json "$work/j.json"
    touch "$work/over"
    wait "${watchers[@]}"
    expect_done "$what" $ranks
    check "$what: each item once" each_once "$work/j.json"
    check "$what: the cache kept to its size" test "$(value peak_cache_bytes "$work/j.json")" -le $((cache_mib << 20))
    for host in $hosts; do
        read -r pss samples <"$work/pss.$host"
        printf '%s: %d MiB on %s above an empty MPI program (%d samples), at most %d allowed; the fullest cache held %d MiB\n' \
            "$what" $(((pss - idle_kib) / 1024)) "$host" "$samples" $((most / 1024)) \
            $(($(value peak_cache_bytes "$work/j.json") >> 20))
        check "$what: $host was measured" test "$samples" -ge 5
        check "$what: memory was seen on $host" test "$pss" -gt "$idle_kib"
        check "$what: bounded memory on $host" test $((pss - idle_kib)) -le $most
    done
}
