#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# slurm_stage.sh LARDER: slurm/stage-before-solver.sh as a user runs it, under a real Slurm with two
# nodes.  The toy solver asserts on its own node that the staged file is whole; the test asserts
# what the jobs wrote, how they ended, and that nothing stays on the nodes.
set -u
here=$(dirname "$(readlink -f "$0")")
script=$here/../slurm/stage-before-solver.sh
sandbox=$here/slurm_sandbox.sh
# shellcheck source=tests/not_run.sh
. "$here/not_run.sh"
[ $# -eq 1 ] || { echo "use: slurm_stage.sh LARDER_COMMAND" >&2; exit 2; }
larder=$(readlink -f "$1")

[ "$(id -u)" = 0 ] || not_run "the Slurm sandbox needs root"
need mpirun openmpi-bin
need slurmctld slurmctld
need slurmd slurmd
need sbatch slurm-client
need munged munge
need_namespaces

work=$(mktemp -d "${TMPDIR:-/tmp}/larder-slurm.XXXXXX") || exit 1
export LARDER_SLURM_DIR=$work/s
# shellcheck disable=SC2317 # called by the trap
finish () {
    [ "$bad" -eq 0 ] || { head -n 100 "$work"/*.out; tail -n 20 "$work"/s/log/*.log; } 2>/dev/null
    "$sandbox" stop >/dev/null
    rm -rf "$work"
}
bad=0
trap finish EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
failed () { echo "FAILED: $*" >&2; bad=$((bad + 1)); }

# A real file where there is one.
source=/usr/share/gmt-gshhg/binned_GSHHS_f.nc
if [ ! -r $source ]; then
    source=$work/made.bin
    head -c 30000001 /dev/urandom >"$source"
fi

cat >"$work/solver" <<'SOLVER'
#!/bin/sh
# solver RESULT_DIR SOURCE STAGED
[ "$3" = "$LARDER_STAGED_FILE" ] || { echo "the last argument is $3"; exit 11; }
cmp "$2" "$3" || exit 12
[ "$(stat -c %d:%i "$2")" != "$(stat -c %d:%i "$3")" ] || exit 13
echo "whole" >"$1/$(hostname).${OMPI_COMM_WORLD_RANK:-$SLURM_PROCID}" # mpirun's helper has a SLURM_PROCID too
[ -z "${SOLVER_CODE:-}" ] || exit "$SOLVER_CODE"
[ -z "${SOLVER_STAYS:-}" ] || exec sleep 600
SOLVER
chmod +x "$work/solver"

# /dev/shm is what the hosts of the sandbox do not share.
export LARDER="$larder" LARDER_OPTIONS=--verify LOCAL_DIR=/dev/shm
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_rmaps_base_oversubscribe=1

submit () { # NAME SBATCH_ARGS...: the result folder is $work/NAME, the output $work/NAME.out
    local name=$1; shift
    mkdir "$work/$name"
    echo "--- $name"
    "$sandbox" submit 120 -D "$work" -o "$work/$name.out" "$@"
}
expect_results () { # NAME FILES: exactly these
    local got
    got=$(cd "$work/$1" && echo *)
    [ "$got" = "$2" ] || failed "$1: the solver wrote '$got', not '$2'"
}
expect_clean () {
    local host left
    for host in n1 n2; do
        left=$(LARDER_CLUSTER_DIR=$work/s/cluster "$here/cluster.sh" run $host ls /dev/shm) || failed "$1: no listing of $host"
        left=$(grep larder <<<"$left")
        [ -z "$left" ] || failed "$1: left on $host: $left"
    done
}

LARDER_CLUSTER_OWNER=$$ "$sandbox" start 2 || { bad=1; exit 1; }

LAUNCH=srun submit by_srun "$script" "$source" "$work/solver" "$work/by_srun" "$source" ||
    failed "by_srun: the job did not succeed"
expect_results by_srun "n1.0 n1.1 n2.2 n2.3"
grep -q "stage-before-solver: done" "$work/by_srun.out" || failed "by_srun: no closing line"
expect_clean by_srun

LAUNCH=mpirun SOLVER="$work/solver $work/by_mpirun $source" submit by_mpirun "$script" "$source" ||
    failed "by_mpirun: the job did not succeed"
expect_results by_mpirun "n1.0 n1.1 n2.2 n2.3"
expect_clean by_mpirun

SOLVER_CODE=9 submit solver_fails "$script" "$source" "$work/solver" "$work/solver_fails" "$source" |
    grep "FAILED 9:0" || failed "solver_fails: the job's code is not the solver's"
expect_clean solver_fails

LARDER_OPTIONS=--no-such-option submit stage_fails "$script" "$source" "$work/solver" "$work/stage_fails" "$source" &&
    failed "stage_fails: the job succeeded"
expect_results stage_fails "*"
expect_clean stage_fails

submit no_source "$script" "$work/nothing" "$work/solver" "$work/no_source" "$source" && failed "no_source: the job succeeded"
expect_results no_source "*"

# Told to stop while the solver runs: it tidies up all the same.
echo "--- stopped"
mkdir "$work/stopped"
id=$(SOLVER_STAYS=1 "$sandbox" run sbatch --parsable -D "$work" -o "$work/stopped.out" \
    "$script" "$source" "$work/solver" "$work/stopped" "$source")
for ((t = 0; t < 600; t++)); do [ "$(cd "$work/stopped" && echo *)" = "n1.0 n1.1 n2.2 n2.3" ] && break; sleep 0.1; done
"$sandbox" run scancel --batch --signal=TERM "$id"
"$sandbox" wait 60 "$id" | grep "FAILED" || failed "stopped: the job did not end as failed"
expect_results stopped "n1.0 n1.1 n2.2 n2.3"
expect_clean stopped

[ "$bad" -eq 0 ] && echo "slurm_stage: all jobs ended as they should"
exit $((bad > 0))
