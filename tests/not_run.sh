# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# Sourced by the test scripts.  not_run REASON: says loudly that nothing was tested and ends with 77,
# which ctest shows as "Skipped".  In CI that is a failure: what is not run there is run nowhere.
not_run () {
    local bar="######################################################################"
    printf '%s\n# NOT RUN: %s\n%s\n' "$bar" "$*" "$bar" >&2
    [ "${CI:-}" = true ] && { echo "CI=true: what cannot run counts as failed" >&2; exit 1; }
    exit 77
}

# need COMMAND PACKAGE: the command is there, or not_run.
need () {
    PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null || not_run "the command $1 is missing (Debian: apt-get install $2)"
}

# need_namespaces: cluster.sh can make hosts here.
need_namespaces () {
    need unshare util-linux
    need ip iproute2
    local user=
    [ "$(id -u)" = 0 ] || user="--user --map-root-user"
    # shellcheck disable=SC2086
    unshare $user --net --uts --mount --ipc --pid --fork --mount-proc \
        sh -c 'PATH=$PATH:/usr/sbin:/sbin; ip link add larder0 type bridge && mount -t tmpfs tmpfs /dev/shm' >/dev/null 2>&1 ||
        not_run "namespaces with a network of their own are not allowed here (a container may need --privileged)"
}
