#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# quickstart.sh: from a fresh Debian 12 to a file staged to four ranks, or to all tests.  See help.
set -eu
cd "$(dirname "$(readlink -f "$0")")"

build=build
source_file=/usr/share/gmt-gshhg/binned_GSHHS_f.nc
staged_file=${TMPDIR:-/tmp}/larder-quickstart.nc
log_dir=$PWD/build/quickstart-logs

packages_build=(build-essential cmake pkg-config openmpi-bin libopenmpi-dev libhdf5-openmpi-dev
    libxxhash-dev libmsgpack-dev zlib1g-dev)
packages_demo=(gmt-gshhg-full)
packages_test=(libcunit1-dev hdf5-tools gmt-gshhg-full gmt-gshhg-low python-tables-data iproute2
    slurmctld slurmd slurm-client munge libpmix-dev spin clang libclang-rt-14-dev libsimgrid-dev)

help () {
    cat <<'TEXT'
Use: ./quickstart.sh [CMAKE_OPTION...]
     ./quickstart.sh test [CMAKE_OPTION...]
     ./quickstart.sh help

Without a word: installs the Debian packages that are missing, builds larder in build/, and stages
the world's coastlines (32 MB, Debian's gmt-gshhg-full) to four ranks on this machine.

test: installs what the tests need as well, builds, and runs all of them.

CMAKE_OPTIONs such as -DLARDER_WERROR=ON go to the configure step.  Nothing is installed when
nothing is missing.  docs/BUILDING.md tells how to build by hand, and on other systems.
TEXT
}

heading () { printf '\n== %s\n' "$*"; }
fail () { printf 'quickstart: %s\n' "$*" >&2; exit 1; }

# quietly LOG_NAME COMMAND...: the output goes to a file, which is shown when the command fails.
quietly () {
    local log=$log_dir/$1.log
    shift
    mkdir -p "$log_dir"
    if ! "$@" >"$log" 2>&1 </dev/null; then
        tail -n 80 "$log" >&2
        fail "this failed: $*
            all of its output: $log"
    fi
}

missing_packages () {
    local package
    for package in "$@"; do
        # shellcheck disable=SC2016 # dpkg-query's own variable
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
    done
}

install_packages () {
    heading "Packages"
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        echo "This is not Debian or a relative of it: nothing is installed.  What is needed, by Debian's names:"
        echo "  $*"
        return
    fi
    local missing as_root=()
    mapfile -t missing < <(missing_packages "$@")
    if [ "${#missing[@]}" -eq 0 ]; then
        echo "All there."
        return
    fi
    if [ "$(id -u)" != 0 ]; then
        # sudo may ask for a password where somebody can answer.
        if command -v sudo >/dev/null && { [ -t 0 ] && sudo -v || sudo -n true; } 2>/dev/null; then
            as_root=(sudo)
        else
            echo "Missing, and neither root nor sudo is at hand to install them: ${missing[*]}" >&2
            echo "Have this run as root, then start again:" >&2
            echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
            exit 1
        fi
    fi
    echo "Installing: ${missing[*]}"
    quietly apt-update "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update
    quietly apt-install "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "${missing[@]}"
}

build_larder () { # CMAKE_OPTION...
    heading "Build"
    quietly configure cmake --preset release "$@"
    quietly build cmake --build "$build" --parallel "$(nproc)"
    echo "Built: $PWD/$build/larder"
}

mpi_as_root () {
    if [ "$(id -u)" = 0 ]; then
        export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
        echo "Open MPI wants to be asked twice before it runs as root:"
        echo "  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"
    fi
}

demo () {
    heading "Stage a file to four ranks"
    [ -r $source_file ] || fail "$source_file is not there (package gmt-gshhg-full)"
    local command=(mpirun --oversubscribe -n 4 "$build/larder" stage "$source_file" "$staged_file" --verify --force)
    [ ! -t 2 ] || command+=(--progress) # behind mpirun larder cannot see the terminal itself
    mpi_as_root
    echo "  ${command[*]}"
    echo
    "${command[@]}" || fail "staging ended with exit code $?"
    cmp "$source_file" "$staged_file" || fail "$staged_file is not $source_file"
    echo
    echo "The copy: $staged_file, $(stat -c %s "$staged_file") bytes"
    echo "One node, so one copy; on a cluster every node gets one.  Next:"
    echo "  $build/larder --help"
    echo "  $build/larder info"
    echo "  slurm/stage-before-solver.sh   the same in front of a solver, as a batch job"
}

run_tests () {
    heading "Tests"
    ctest --test-dir "$build" --output-on-failure --no-tests=error --parallel "$(nproc)"
}

case ${1:-} in
help|--help|-h) help ;;
test)
    shift
    install_packages "${packages_build[@]}" "${packages_test[@]}"
    build_larder -DLARDER_TESTS=ON -DLARDER_EXAMPLES=ON -DLARDER_HDF5=ON "$@"
    run_tests ;;
''|-*)
    install_packages "${packages_build[@]}" "${packages_demo[@]}"
    build_larder -DLARDER_TESTS=OFF "$@"
    demo ;;
*) help >&2; exit 2 ;;
esac
