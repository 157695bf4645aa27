# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# Sourced by tests/command_*.sh: a folder of their own, runs of the command under mpirun with the
# exit code and stderr of every rank, and checks that say what they check.
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=tests/not_run.sh
. "$here/not_run.sh"
[ $# -ge 1 ] || { echo "use: $(basename "$0") LARDER_COMMAND" >&2; exit 2; }
larder=$(readlink -f "$1")
mpiexec=${LARDER_MPIEXEC:-mpirun --oversubscribe}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_hwloc_base_binding_policy=none
need "${mpiexec%% *}" openmpi-bin

need_open_mpi () { $mpiexec --version 2>&1 | grep -qE "Open MPI|OpenRTE|prte" || not_run "$mpiexec is not Open MPI's"; }

work=$(mktemp -d "${TMPDIR:-/tmp}/larder-command.XXXXXX") || exit 1
checks=0 failures=0
clean_up () { rm -rf "$work"; }
trap clean_up EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# check WHAT COMMAND...: the command succeeds.
check () {
    local what=$1; shift
    checks=$((checks + 1))
    if "$@" >"$work/check.out" 2>&1; then echo "ok: $what"; return 0; fi
    failures=$((failures + 1))
    echo "FAILED: $what   ($*)"
    head -c 2000 "$work/check.out"
    return 1
}
refute () { local what=$1; shift; check "$what" not "$@"; }
not () { ! "$@"; }
same () { [ "$1" = "$2" ] || { printf "got:      '%s'\nexpected: '%s'\n" "$1" "$2"; return 1; }; }
has () { case $1 in *"$2"*) ;; *) printf "'%s'\nlacks '%s'\n" "$1" "$2"; return 1 ;; esac; }

# What runs on every rank: its stderr and exit code go to files, so that the launcher's own words
# and its own code do not hide them.
cat >"$work/rank" <<'RANK'
#!/bin/sh
rank=${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-0}}
"$@" 2>"$LARDER_TEST_OUT/stderr.$rank"
echo $? >"$LARDER_TEST_OUT/code.$rank"
exit 0
RANK
chmod +x "$work/rank"

# run_mpi RANKS COMMAND...: sets codes (the different exit codes of all ranks), code_count, out, err
# (stderr of all ranks together), lines (how many those are), hung.  RANKS 0: without mpirun.
run_mpi () {
    local ranks=$1 launch=; shift
    rm -rf "$work/out"; mkdir "$work/out"
    export LARDER_TEST_OUT=$work/out
    [ "$ranks" = 0 ] || launch="$mpiexec -n $ranks"
    # shellcheck disable=SC2086
    timeout -k 5 "${LARDER_TEST_LIMIT:-60}" $launch "$work/rank" "$@" >"$work/out/stdout" 2>"$work/out/launcher"
    launched=$?
    collect
}
collect () {
    hung=no
    [ $launched -ne 124 ] && [ $launched -ne 137 ] || hung=yes
    # shellcheck disable=SC2034
    out=$(cat "$work/out/stdout")
    err=$(cat "$work"/out/stderr.*)
    lines=$(cat "$work"/out/stderr.* | wc -l)
    codes=$(cat "$work"/out/code.* 2>/dev/null | sort -u | tr '\n' ' ')
    codes=${codes% }
    code_count=$(cat "$work"/out/code.* 2>/dev/null | wc -l)
}
# stage RANKS ARGS...
stage () { local ranks=$1; shift; run_mpi "$ranks" "$larder" stage "$@"; }

# The run went well, on all ranks, without a word on stderr.
expect_done () { # WHAT RANKS
    check "$1: no hang" same "$hung" no
    check "$1: code 0 on all ranks" same "$codes x $code_count" "0 x $(($2 ? $2 : 1))"
    check "$1: nothing on stderr" same "$err" ""
}
# It failed, with the same code on all ranks and one line that holds a text.
expect_failed () { # WHAT RANKS CODE TEXT
    check "$1: no hang" same "$hung" no
    check "$1: code $3 on all ranks" same "$codes x $code_count" "$3 x $(($2 ? $2 : 1))"
    check "$1: one line on stderr" same "$lines" 1
    check "$1: the line says '$4'" has "$err" "$4"
}
# A folder holds exactly these names, hidden ones included.
expect_folder () { # WHAT FOLDER NAMES
    check "$1: the folder holds what it should" same "$(ls -A "$2" | tr '\n' ' ')" "${3:+$3 }"
}

# A small HDF5 file: /a (contiguous), /g/x (chunked, shuffle and deflate, with an attribute).
tiny_h5 () {
    base64 -d <<'H5' | gzip -dc >"$1"
H4sIAAAAAAACA+v0cHHj5ZLiYuLgYICB/1BwTwnCN4CKxxS/9PT3cAliUtjiy5SNjCuYhJA1wgAXEwMjAwMbDwOQYkw/DDUG
yk8MY4QKWDCQDSqPqd4i30kVRUxQczwYqAbcjjO/ADtJEd1JDIyMIgwMTIyMjC+YIWphNDMPA6MAMAJYwDwFBlagK5m5OIA+
YGZkgEbMAn6oBTsYhix4Jfy0D2fYqADDBhg4DlC1uGhmEQZGQQV7aLA4MJhwM5j8B4YjOMy4ucUYGJmYQJEMCThGMOQEsjjE
gXqZmBeIQ4wRgBoJUiQqBAp59KTCowzUwMDGwAOSLM3LLClmQI4jWNJhcKFO2JTOff2BYRSMglEwCkYBiYBxmGCmYYKZhwlm
GSaYdZhgtmGC2YcJ5hgmmHOYYK5hgrmHCeYZJph3mGC+YYL5hwkWGCZYcJhgoWGChYcJDglydWUEtuDRByf9CfSHbyhCaCcG
xHAnNqAOHeO3gvIVcKjLhKqzZkCdE0AHi5VQ+QZoo7cco0MVo2AUjIJRMApGwSgYBTQBFbfeXl7I2wxkOaoIBQYGOno4ezjv
YrpbL+W2wm3/gTu6H161Q9ZfPHjVk1Xfs+yFoO3icBN37y991zK67S7K1S7+dV/wb8PtP4xTd0y8ADTu4EnGJmArbqOuZ4Ae
/5b/q3SS6mal8ECMuB6zSHPW4uyS7mkZvdsy+vteyNkuSv/Sde6FbG3D/q+slg/uCQBNOGvJ2ABsD2700t6vuyS5ofchmxCz
JHgFxIO7fyfef//+n2R0UnZO99uNymXH1t1gqXvNaD6FTw+kU5OxIYDBYaM870lf1UXBDO0VTWsPHIN4tLz+yfffu+v7dDea
bjv67YagdXJ4DhNQa9AVPT0AFVlU1d4iAAA=
H5
}

finish_checks () {
    echo "$(basename "$0"): $checks checks, $failures failed"
    [ "$checks" -gt 0 ] && [ "$failures" -eq 0 ]
    exit $?
}
