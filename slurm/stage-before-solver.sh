#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Copies one file to a local disk of every node, then starts a solver that reads it there.  The
# shared file system is read once, by one rank, however many nodes the job has.
#
#   sbatch --nodes=16 stage-before-solver.sh SOURCE SOLVER [ARGUMENTS...]
#
# The solver is started on all tasks of the job; the path of the local copy is its last argument and
# stands in LARDER_STAGED_FILE.  The job ends with the solver's exit code, and the local copies are
# removed however it ends.  Without arguments the settings below count: edit them in your copy.
#
# What your cluster may want different (partition, account, time) goes here or on sbatch's line:
#SBATCH --job-name=stage-before-solver
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=2
#SBATCH --time=00:10:00
# A minute before the time is up this script gets a signal, so that it can still tidy up.
#SBATCH --signal=B:TERM@60
set -eu

# ---------------------------------------------------------------- settings
# Each can be given in the environment of sbatch as well.

SOURCE=${1:-${SOURCE:-}}            # the file, on a file system that the first node sees
SOLVER=${SOLVER:-}                  # the solver with its arguments, separated by spaces
LARDER=${LARDER:-larder}            # the command, if it is not in PATH
LARDER_OPTIONS=${LARDER_OPTIONS:-}  # for example: --verify --chunk-size 1MiB

# A local disk, or memory (/dev/shm); the same path on every node.  Many clusters set TMPDIR for it.
LOCAL_DIR=${LOCAL_DIR:-${TMPDIR:-/tmp}}

# How MPI programs start: "srun" is right where Slurm was built with PMIx (srun --mpi=list shows
# it), "mpirun" everywhere else.
LAUNCH=${LAUNCH:-srun}
SRUN_MPI=${SRUN_MPI:-pmix}

# ---------------------------------------------------------------- checks
say () { echo "stage-before-solver: $*"; }
fail () { say "$*" >&2; exit 2; }

if [ $# -gt 1 ]; then
    shift
    solver=("$@")
else
    read -r -a solver <<<"$SOLVER"
fi
[ -n "${SLURM_JOB_ID:-}" ] || fail "this is a batch script: submit it with sbatch"
[ -n "$SOURCE" ] || fail "no SOURCE: name the file to stage"
[ -r "$SOURCE" ] || fail "SOURCE $SOURCE cannot be read on $(hostname)"
[ "${#solver[@]}" -gt 0 ] || fail "no SOLVER: say what to run when the file is in place"
command -v "$LARDER" >/dev/null || fail "the command $LARDER was not found; set LARDER"

case $LAUNCH in
srun) # -n and --ntasks-per-node both: sbatch's own values would stand in the way otherwise
    one_per_node=(srun --mpi="$SRUN_MPI" -N "$SLURM_JOB_NUM_NODES" -n "$SLURM_JOB_NUM_NODES" --ntasks-per-node=1)
    all_tasks=(srun --mpi="$SRUN_MPI") ;;
mpirun) # Open MPI's; with MPICH it is: mpirun -ppn 1 -n NODES
    one_per_node=(mpirun -n "$SLURM_JOB_NUM_NODES" --map-by ppr:1:node)
    all_tasks=(mpirun) ;;
*) fail "LAUNCH is srun or mpirun, not $LAUNCH" ;;
esac
# For commands that are no MPI programs; --overlap: also while another step is ending.
on_every_node=(srun --mpi=none --overlap -N "$SLURM_JOB_NUM_NODES" -n "$SLURM_JOB_NUM_NODES" --ntasks-per-node=1)

# ---------------------------------------------------------------- tidying up
stage_dir=$LOCAL_DIR/larder-$SLURM_JOB_ID
export LARDER_STAGED_FILE=$stage_dir/${SOURCE##*/}
step=

tidy () {
    code=$?
    trap - EXIT
    trap '' TERM INT
    if [ -n "$step" ]; then
        kill "$step" 2>/dev/null || true
        wait "$step" || true
    fi
    "${on_every_node[@]}" rm -rf "$stage_dir" || say "could not remove $stage_dir on every node" >&2
    exit "$code"
}
trap tidy EXIT
trap 'say "told to stop" >&2; exit 143' TERM
trap 'exit 130' INT

# A signal is seen while waiting for a background job, but not before a foreground command ends.
run_step () {
    "$@" &
    step=$!
    wait "$step" || { code=$?; step=; return "$code"; }
    step=
}

# ---------------------------------------------------------------- the two steps
run_step "${on_every_node[@]}" mkdir -p "$stage_dir"

say "staging $SOURCE to $stage_dir on $SLURM_JOB_NUM_NODES nodes"
# shellcheck disable=SC2086 # several options
run_step "${one_per_node[@]}" "$LARDER" stage "$SOURCE" "$LARDER_STAGED_FILE" $LARDER_OPTIONS || {
    code=$?
    say "staging failed with exit code $code; the solver is not started" >&2
    exit "$code"
}

say "starting ${solver[*]}"
run_step "${all_tasks[@]}" "${solver[@]}" "$LARDER_STAGED_FILE" || {
    code=$?
    say "the solver failed with exit code $code" >&2
    exit "$code"
}
say "done"
