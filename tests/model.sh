#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks the models of larder's lines and slots (model/larder_lines.pml) and of its relays (model/larder_relay.pml)
# with SPIN: every variant is searched to its end and must be without error, and every mutant, a fault put in, must be found.
#   model.sh [NAME...]    only these variants and mutants
#   LARDER_MODEL_JOBS=2   so many at the same time
set -u
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/not_run.sh
. "$here/not_run.sh"
cc=${CC:-cc}
need spin spin
need "${cc%% *}" gcc

work=$(mktemp -d "${LARDER_TEST_BUILD:-${TMPDIR:-/tmp}}/model.XXXXXX") || exit 1
# shellcheck disable=SC2317 # called by the trap
finish () {
    local left
    left=$(jobs -p)
    # shellcheck disable=SC2086
    [ -z "$left" ] || kill $left 2>/dev/null
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

two="-DNODES=2 -DRING=2"
one="-DNODES=1 -DRING=2"
chain="-DTREES=1"
trees="-DTREES=2 -DSLOTS=1"

# A function for each model.  NAME | what must be seen | how | the model's switches
#   how: ends    no assertion fails, and nothing stops before its end
#        cycles  no assertion fails, and no state comes back: with the above, every run gets through
lines () {
    cat <<CASES
hold                   | none      | ends   | -DNODES=2 -DSLOTS=3 -DRING=3 -DCHUNKS=6
hold_nodes             | none      | ends   | -DNODES=3 -DSLOTS=2 -DRING=2 -DCHUNKS=3
hold_leaves            | none      | ends   | $two -DSLOTS=2 -DCHUNKS=4 -DLEAVES=0
hold_leaves            | none      | cycles | $two -DSLOTS=2 -DCHUNKS=4 -DLEAVES=0
timeouts               | none      | ends   | $two -DSLOTS=2 -DCHUNKS=3 -DTIMEOUTS=1 -DUNDER_WAY=1
timeouts               | none      | cycles | $two -DSLOTS=2 -DCHUNKS=3 -DTIMEOUTS=0
stalls                 | none      | ends   | $two -DSLOTS=2 -DCHUNKS=3 -DTIMEOUTS=0 -DSTALLS=1
stalls                 | none      | cycles | $two -DSLOTS=2 -DCHUNKS=3 -DTIMEOUTS=0 -DSTALLS=1 -DUNDER_WAY=1
stalls_tight           | none      | ends   | $two -DSLOTS=1 -DCHUNKS=3 -DTIMEOUTS=0 -DSTALLS=1
reproduce              | none      | ends   | $two -DSLOTS=2 -DCHUNKS=3 -DREPRODUCE
reproduce              | none      | cycles | $two -DSLOTS=2 -DCHUNKS=3 -DREPRODUCE -DUNDER_WAY=1
lives                  | none      | ends   | $two -DSLOTS=2 -DCHUNKS=2 -DTIMEOUTS=0 -DLEAVES=0 -DLIVES=2
lives_alone            | none      | ends   | $one -DSLOTS=2 -DCHUNKS=4 -DTIMEOUTS=1 -DLEAVES=0 -DLIVES=2
lives_alone            | none      | cycles | $one -DSLOTS=2 -DCHUNKS=4 -DTIMEOUTS=1 -DLEAVES=0 -DLIVES=2
lives_reproduce        | none      | ends   | $two -DSLOTS=2 -DCHUNKS=3 -DREPRODUCE -DLEAVES=3 -DLIVES=2 -DUNDER_WAY=1
holders                | none      | ends   | -DNODES=2 -DRING=1 -DSLOTS=1 -DCHUNKS=2 -DTIMEOUTS=1 -DHOLDERS=2 -DUNDER_WAY=1
holders_change         | none      | ends   | $two -DSLOTS=1 -DCHUNKS=3 -DREPRODUCE -DHOLDERS=2 -DPINGS=1
holders_lives          | none      | ends   | $one -DSLOTS=2 -DCHUNKS=3 -DTIMEOUTS=0 -DLEAVES=1 -DLIVES=2 -DHOLDERS=2 -DPINGS=1 -DUNDER_WAY=1
MUTANT_NO_CHECK        | bytes     | ends   | $two -DSLOTS=2 -DCHUNKS=3 -DREPRODUCE
MUTANT_BYTES_FIRST     | bytes     | ends   | $two -DSLOTS=2 -DCHUNKS=3 -DREPRODUCE
MUTANT_REUSE           | end       | ends   | $two -DSLOTS=2 -DCHUNKS=3 -DREPRODUCE
MUTANT_NOT_AGAIN       | end       | ends   | $two -DSLOTS=2 -DCHUNKS=3 -DREPRODUCE
MUTANT_RETRY_AT_ONCE   | cycle     | cycles | $two -DSLOTS=2 -DCHUNKS=3 -DREPRODUCE
MUTANT_NO_LIFE_READY   | old_life  | ends   | $two -DSLOTS=2 -DCHUNKS=2 -DTIMEOUTS=0 -DLEAVES=0 -DLIVES=2
MUTANT_NO_LIFE_CURSOR  | end       | ends   | $two -DSLOTS=2 -DCHUNKS=2 -DTIMEOUTS=0 -DLEAVES=0 -DLIVES=2
MUTANT_CLOSE_EARLY     | verdict   | ends   | $two -DSLOTS=2 -DCHUNKS=2 -DTIMEOUTS=0 -DLEAVES=0 -DLIVES=2
MUTANT_EARLY_HOLD      | once      | ends   | $two -DSLOTS=2 -DCHUNKS=3
MUTANT_SPARE_READ_AHEAD | end      | ends   | $two -DSLOTS=1 -DCHUNKS=3 -DTIMEOUTS=0 -DSTALLS=1
CASES
}

relay () {
    cat <<CASES
chain                  | none      | ends   | $chain -DNODES=4 -DSLOTS=3 -DCHUNKS=6
chain_followers        | none      | ends   | $chain -DNODES=3 -DSLOTS=2 -DCHUNKS=5 -DFOLLOWERS=7
chain_fails            | none      | ends   | $chain -DNODES=3 -DSLOTS=2 -DCHUNKS=4 -DFOLLOWERS=4 -DFAILS=7
chain_fails            | none      | cycles | $chain -DNODES=4 -DSLOTS=1 -DCHUNKS=4 -DFAILS=15
trees                  | none      | ends   | $trees -DNODES=4 -DCHUNKS=6
trees                  | none      | cycles | $trees -DNODES=4 -DCHUNKS=4
trees_places           | none      | ends   | -DTREES=2 -DSLOTS=2 -DNODES=4 -DCHUNKS=4
trees_nodes            | none      | ends   | $trees -DNODES=5 -DCHUNKS=4
trees_followers        | none      | ends   | $trees -DNODES=4 -DCHUNKS=4 -DFOLLOWERS=2
trees_fails            | none      | ends   | $trees -DNODES=4 -DCHUNKS=3 -DFAILS=14
trees_lives            | none      | ends   | $trees -DNODES=4 -DCHUNKS=1 -DFAILS=15 -DLIVES=2
MUTANT_POOL            | end       | ends   | $trees -DNODES=4 -DCHUNKS=4
MUTANT_CURSOR_EARLY    | place     | ends   | $chain -DNODES=3 -DSLOTS=2 -DCHUNKS=4
MUTANT_READY_EARLY     | place     | ends   | $chain -DNODES=3 -DSLOTS=2 -DCHUNKS=4
MUTANT_NO_NUMBER       | place     | ends   | $chain -DNODES=3 -DSLOTS=2 -DCHUNKS=4
MUTANT_ANY_ORDER       | place     | ends   | $chain -DNODES=3 -DSLOTS=2 -DCHUNKS=4
MUTANT_ONE_CHILD       | place     | ends   | $trees -DNODES=4 -DCHUNKS=4
MUTANT_LEADER_ONLY     | place     | ends   | $chain -DNODES=3 -DSLOTS=2 -DCHUNKS=4 -DFOLLOWERS=2
MUTANT_LEAVES          | end       | ends   | $chain -DNODES=3 -DSLOTS=2 -DCHUNKS=4 -DFOLLOWERS=2
MUTANT_SILENT_UP       | end       | ends   | $chain -DNODES=3 -DSLOTS=2 -DCHUNKS=4 -DFAILS=2
MUTANT_SILENT_DOWN     | end       | ends   | $chain -DNODES=3 -DSLOTS=2 -DCHUNKS=4 -DFAILS=2
MUTANT_FAILED_TAKES    | place     | ends   | $chain -DNODES=3 -DSLOTS=2 -DCHUNKS=4 -DFAILS=2
MUTANT_NO_LIFE         | place     | ends   | $trees -DNODES=4 -DCHUNKS=1 -DFAILS=1 -DLIVES=2
MUTANT_READY_REPLACED  | end       | ends   | $trees -DNODES=4 -DCHUNKS=1 -DFAILS=1 -DLIVES=2
CASES
}

# What pan says of what it saw.
error_text () {
    case $1 in
    bytes) echo 'assertion violated (b==next)' ;;
    old_life) echo 'assertion violated ((ready_chunk' ;;
    verdict) echo 'assertion violated (receipt' ;;
    place) echo 'assertion violated (place[' ;;
    once) echo 'assertion violated  !((made' ;;
    end) echo 'invalid end state' ;;
    cycle) echo 'non-progress cycle' ;;
    esac
}

# check DIR MODEL NAME SEEN HOW SWITCHES: prints a line of the table; 1 if it is not as it must be.
check () {
    local dir=$1 model=$here/model/larder_$2.pml name=$3 seen=$4 how=$5 mode=-DSAFETY run="" mutant="" result=ok
    shift 5
    case $name in MUTANT_*) mutant=-D$name ;; esac
    [ "$how" = ends ] || { mode=-DNP; run=-l; }
    mkdir "$dir" && cd "$dir" || return 1
    # shellcheck disable=SC2086
    { spin -a "$@" $mutant "$model" &&
        $cc -O1 -w $mode -DMEMLIM=1500 -o pan pan.c; } >build.out 2>&1 ||
        { cat build.out; echo "$name: spin or $cc failed"; return 1; }
    timeout 300 ./pan $run -m10000 -w22 >pan.out 2>&1 || result="pan failed"
    if [ "$seen" = none ]; then
        grep -q 'errors: 0$' pan.out && ! grep -Eqi 'too small|out of memory|interrupted|aborting' pan.out ||
            result="NOT AS IT MUST BE"
    else
        grep -Fq "$(error_text "$seen")" pan.out || result="FAULT NOT FOUND"
    fi
    awk -v name="$name" -v how="$how" -v seen="$seen" -v result="$result" -v switches="$*" '
        / states, stored/ { states = $1 }
        /total actual memory/ { memory = $1 }
        /elapsed time/ { for (i = 1; i <= NF; ++i) if ($i == "time") time = $(i + 1) }
        END { printf "%-24s %-7s %-9s %9d %7.1f s %6d MB  %s\n", name, how, seen, states, time, memory, result }' pan.out
    [ "$result" = ok ] || { echo "    spin -a $* $mutant ${model##*/}"; grep '^pan:' pan.out; return 1; }
}

printf '%-24s %-7s %-9s %9s %9s %9s\n' "variant or mutant" how error states time memory
count=0 running=0 failed=0
while IFS='|' read -r name seen how switches; do
    read -r model name <<<"$name"
    [ $# -eq 0 ] || [[ " $* " = *" $name "* ]] || continue
    if [ $running -ge "${LARDER_MODEL_JOBS:-2}" ]; then
        wait -n || failed=$((failed + 1))
        running=$((running - 1))
    fi
    count=$((count + 1)) running=$((running + 1))
    # shellcheck disable=SC2086
    ( trap - EXIT; check "$work/$count" $model $name $seen $how $switches ) &
done < <(lines | sed 's/^/lines /'; relay | sed 's/^/relay /')
while [ $running -gt 0 ]; do
    wait -n || failed=$((failed + 1))
    running=$((running - 1))
done
echo "$count checked, $failed not as they must be"
[ $count -gt 0 ] && [ $failed -eq 0 ]
