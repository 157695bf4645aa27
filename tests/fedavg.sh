#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fedavg.sh LARDER_FEDAVG RANKS | fedavg.sh LARDER_FEDAVG HOSTS PPN: the example of federated averaging learns, from a
# new model and from the one that it has written; all workers deliver, and no weights pass an aggregator.
# Over HOSTS namespace hosts with PPN ranks each where both are given.  What it is given wrongly it refuses.
set -u
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/not_run.sh
. "$here/not_run.sh"
[ $# -ge 2 ] || { echo "use: fedavg.sh LARDER_FEDAVG RANKS | fedavg.sh LARDER_FEDAVG HOSTS PPN" >&2; exit 2; }
fedavg=$(readlink -f "$1") ranks=$(($2 * ${3:-1})) bad=0
[ -x "$fedavg" ] || { echo "MISSING: $1 (target larder_fedavg)" >&2; exit 1; }
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_hwloc_base_binding_policy=none
read -ra launch <<< "${LARDER_MPIEXEC:-mpirun --oversubscribe} -n $ranks"
[ $# -lt 3 ] || launch=("$here/run_hosts.sh" "$2" "$3")

work=$(mktemp -d "${LARDER_TEST_BUILD:-${TMPDIR:-/tmp}}/fedavg.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

fault () { printf 'FAILED: %s\n' "$*" >&2; bad=1; }

# run CODE ARGS...: output in $work/out, what went wrong in $work/err.
run () {
    local want=$1 code; shift
    "${launch[@]}" "$fedavg" "$@" >"$work/out" 2>"$work/err" </dev/null
    code=$?
    cat "$work/out"
    [ "$code" = "$want" ] || { fault "larder_fedavg $*: exit code $code, not $want"; cat "$work/err" >&2; }
}

# table ROUNDS WORKERS: so many rounds; everybody delivered; the model left rank 0 once; nothing passed an aggregator.
table () {
    awk -v rounds="$1" -v workers="$2" '
        $1 !~ /^[0-9]+$/ { next }
        $1 != rows { print "FAILED: round", $1, "where", rows, "was due"; bad = 1 }
        $1 == 0 { first = $2 }
        $1 > 0 && $3 != workers { print "FAILED:", $3, "of", workers, "workers delivered"; bad = 1 }
        $1 > 0 && ($4 < 160000 || $4 > 165000) { print "FAILED: rank 0 read", $4, "bytes for a model of 160000"; bad = 1 }
        $1 > 0 && ($5 < 1 || $5 > 2000 * workers) { print "FAILED: messages of", $5, "bytes"; bad = 1 }
        $1 > 0 && $6 != "0" { print "FAILED:", $6, "bytes passed an aggregator"; bad = 1 }
        { last = $2; ++rows }
        END {
            if (rows != rounds + 1) { print "FAILED:", rows - 1, "rounds of", rounds; bad = 1 }
            if (!(last < 0.95 * first)) { print "FAILED: the loss went from", first, "to", last; bad = 1 }
            exit bad
        }' rows=0 "$work/out" >&2 || bad=1
}

# loss ROUND: of a round of the last run.
loss () { awk -v round="$1" '$1 == round { print $2 }' "$work/out"; }

# The aggregators that larder_fedavg chooses: the square root of the ranks, and none without a worker.
aggregators=$(awk -v n="$ranks" 'BEGIN { a = int (sqrt (n)); m = int ((n - 1) / 2); print a < m ? a : m }')
run 0 --check --rounds 3 --samples 60 --out "$work/first.h5"
table 3 $((ranks - 1 - aggregators))
end=$(loss 3)
# It goes on where it stopped: the model in the file is the averaged one.
run 0 --check --rounds 2 --samples 60 --model "$work/first.h5" --out "$work/second.h5" --aggregators 0
table 2 $((ranks - 1))
[ "$(loss 0)" = "${end:-none}" ] || fault "it begins with loss $(loss 0), and had ended with $end"
# A model that is small enough travels inside the messages.
run 0 --rounds 1 --samples 5 --size 3x5 --out "$work/small.h5"
[ "$(awk '$1 == 1 { print $4 }' "$work/out")" = 0 ] || fault "a model of 144 bytes went by reference"

run 1 --model "$work/nowhere.h5"
grep -q "larder_fedavg: .*nowhere.h5" "$work/err" || fault "no word of the file that is missing"
run 2 --rounds none
grep -q "^use: " "$work/err" || fault "a wrong command line, and not told how to use it"
if [ $# -lt 3 ]; then
    launch=("${launch[@]:0:${#launch[@]}-1}" 1)
    run 2
    grep -q "start two or more" "$work/err" || fault "one rank is not told why it is refused"
    run 0 --help
    grep -q "^use: " "$work/out" || fault "no help"
fi
exit $bad
