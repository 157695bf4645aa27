#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# install_test.sh BUILD_DIR CMAKE MPICC: installs the build to a temporary prefix, moves that tree
# somewhere else, and uses it as a stranger would: by find_package and by pkg-config.
set -eu
here=$(dirname "$(readlink -f "$0")")
[ $# -eq 3 ] || { echo "use: install_test.sh BUILD_DIR CMAKE MPICC" >&2; exit 2; }
build=$1 cmake=$2 mpicc=$3
example=$here/../examples/larder_first.c
read -r -a mpiexec <<<"${LARDER_MPIEXEC:-mpiexec --oversubscribe}"

work=$(mktemp -d "${TMPDIR:-/tmp}/larder-install.XXXXXX")
trap 'rm -rf "$work"' EXIT
fail () { echo "FAILED: $*" >&2; exit 1; }

"$cmake" --install "$build" --prefix "$work/first" >"$work/install.log" || { cat "$work/install.log" >&2; exit 1; }
prefix=$work/moved
mv "$work/first" "$prefix"
version=$(sed -nE 's/.*LARDER_VERSION_STRING "([^"]*)".*/\1/p' "$here/../include/larder/version.h")
libdir=$(dirname "$(find "$prefix" -name 'liblarder.so' -o -name liblarder.a | head -n 1)")
unset LD_LIBRARY_PATH

echo "--- what is there"
for file in include/larder/larder.h share/larder/slurm/stage-before-solver.sh share/doc/larder/LICENSE; do
    [ -s "$prefix/$file" ] || fail "$file is not installed"
done
grep -rIl "$work/first" "$prefix" && fail "these files name the prefix they were installed to"

echo "--- the public headers, each alone, in C and C++"
for header in "$prefix"/include/larder/*.h; do
    flags=
    [ "$(basename "$header")" != hdf5.h ] || flags=$(PKG_CONFIG_PATH=$libdir/pkgconfig pkg-config --cflags larder-hdf5io)
    printf '#include <larder/%s>\nint main (void) { return 0; }\n' "$(basename "$header")" >"$work/alone.c"
    # shellcheck disable=SC2086 # several flags
    "$mpicc" -std=c11 -Wall -Wextra -Werror -I"$prefix/include" $flags -c "$work/alone.c" -o "$work/alone.o" || fail "$header in C"
    if command -v "${CXX:-c++}" >/dev/null; then
        # shellcheck disable=SC2086,SC2046
        "${CXX:-c++}" -x c++ -std=c++11 -DOMPI_SKIP_MPICXX -DMPICH_SKIP_MPICXX -I"$prefix/include" $flags \
            $("$mpicc" --showme:compile 2>/dev/null || pkg-config --cflags mpich) -c "$work/alone.c" -o "$work/alone.o" || fail "$header in C++"
    fi
done

run () { # PROGRAM
    timeout 120 "${mpiexec[@]}" -n 4 "$1" || fail "$1 ended with exit code $?"
}

echo "--- find_package"
mkdir "$work/user"
cp "$example" "$work/user/first.c"
cat >"$work/user/CMakeLists.txt" <<CMAKE
cmake_minimum_required (VERSION 3.20)
project (user C)
find_package (larder $version REQUIRED)
add_executable (first first.c)
target_link_libraries (first PRIVATE larder::larder)
if (larder_hdf5io_FOUND)
    file (WRITE \${CMAKE_BINARY_DIR}/second.c "
        #include <larder/hdf5.h>
        #include <larder/file.h>
        int main (void) { larder_h5_sink *sink = 0; larder_h5_sink_close (&sink); return 0; }")
    add_executable (second \${CMAKE_BINARY_DIR}/second.c)
    target_link_libraries (second PRIVATE larder::hdf5io)
endif ()
CMAKE
{
    "$cmake" -S "$work/user" -B "$work/user/build" -DCMAKE_PREFIX_PATH="$prefix" -DMPI_C_COMPILER="$mpicc"
    "$cmake" --build "$work/user/build"
} >"$work/user.log" 2>&1 || { cat "$work/user.log" >&2; fail "find_package"; }
run "$work/user/build/first"
[ ! -e "$work/user/build/second" ] || run "$work/user/build/second"

echo "--- pkg-config"
export PKG_CONFIG_PATH=$libdir/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
[ "$(pkg-config --modversion larder)" = "$version" ] || fail "larder.pc gives another version than $version"
# shellcheck disable=SC2046 # several flags
"$mpicc" -std=c11 $(pkg-config --cflags larder) "$example" -o "$work/first_pc" $(pkg-config --libs larder) -Wl,-rpath,"$libdir"
run "$work/first_pc"
if pkg-config --exists larder-hdf5io; then
    # shellcheck disable=SC2046
    "$mpicc" -std=c11 $(pkg-config --cflags larder-hdf5io) "$work/user/build/second.c" -o "$work/second_pc" \
        $(pkg-config --libs larder-hdf5io) -Wl,-rpath,"$libdir"
    run "$work/second_pc"
fi

if [ -n "${LARDER_COMMAND:-}" ]; then
    echo "--- the installed command"
    "$prefix/bin/larder" --version | grep -F "$version" || fail "larder --version"
    head -c 1000001 /dev/urandom >"$work/source"
    timeout 120 "${mpiexec[@]}" -n 4 "$prefix/bin/larder" stage "$work/source" "$work/copy" --quiet || fail "larder stage"
    cmp "$work/source" "$work/copy" || fail "larder stage: the copy differs"
fi
echo "install_test: the package works"
