/* SPDX-License-Identifier: Apache-2.0 */
/* System calls that fail when a test says so: the functions here take the place of libc's, in the
 * libraries too, and hand on to the kernel.  To be included by one file of a program, which defines
 * _GNU_SOURCE. */
#ifndef LARDER_TEST_SYSCALLS_H
#define LARDER_TEST_SYSCALLS_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

static struct {
    /* errno to fail with; 0: do not. */
    int tmpfile, openat, renameat2, linkat, fallocate, fsync, pwrite, pread;
    size_t most;      /* bytes that one pread or pwrite moves; 0: all */
    int interrupt;    /* every second pread, pwrite and fallocate fails with EINTR */
    unsigned calls;   /* of pread and pwrite */
    uint64_t written; /* bytes by pwrite */
} larder_test_syscalls;

static inline int larder_test_fail (int number)
{
    errno = number;
    return -1;
}

int openat (int directory, const char *path, int flags, ...)
{
    int unnamed = (flags & O_TMPFILE) == O_TMPFILE;
    mode_t mode = 0;

    if (flags & O_CREAT || unnamed) {
        va_list arguments;
        va_start (arguments, flags);
        mode = va_arg (arguments, mode_t);
        va_end (arguments);
    }
    if (unnamed && larder_test_syscalls.tmpfile)
        return larder_test_fail (larder_test_syscalls.tmpfile);
    if (flags & O_CREAT && larder_test_syscalls.openat)
        return larder_test_fail (larder_test_syscalls.openat);
    return (int)syscall (SYS_openat, directory, path, flags, mode);
}

int renameat2 (int from_directory, const char *from, int to_directory, const char *to,
               unsigned flags)
{
    if (larder_test_syscalls.renameat2)
        return larder_test_fail (larder_test_syscalls.renameat2);
    return (int)syscall (SYS_renameat2, from_directory, from, to_directory, to, flags);
}

int linkat (int from_directory, const char *from, int to_directory, const char *to, int flags)
{
    if (larder_test_syscalls.linkat)
        return larder_test_fail (larder_test_syscalls.linkat);
    return (int)syscall (SYS_linkat, from_directory, from, to_directory, to, flags);
}

int fsync (int fd)
{
    if (larder_test_syscalls.fsync)
        return larder_test_fail (larder_test_syscalls.fsync);
    return (int)syscall (SYS_fsync, fd);
}

int fallocate (int fd, int mode, off_t offset, off_t size)
{
    if (larder_test_syscalls.interrupt && ++larder_test_syscalls.calls % 2)
        return larder_test_fail (EINTR);
    if (larder_test_syscalls.fallocate)
        return larder_test_fail (larder_test_syscalls.fallocate);
    return (int)syscall (SYS_fallocate, fd, mode, offset, size);
}

/* Where reserving is to fail, it must be tried: nothing is said of the file system, which may be one in memory. */
int fstatfs (int fd, struct statfs *fs)
{
    if (larder_test_syscalls.fallocate)
        return larder_test_fail (ENOSYS);
    return (int)syscall (SYS_fstatfs, fd, fs);
}

/* What pread and pwrite have in common: the failure, or how many bytes to move. */
static inline int larder_test_transfer (int number, size_t *size)
{
    ++larder_test_syscalls.calls;
    if (larder_test_syscalls.interrupt && larder_test_syscalls.calls % 2)
        return larder_test_fail (EINTR);
    if (number)
        return larder_test_fail (number);
    if (larder_test_syscalls.most && *size > larder_test_syscalls.most)
        *size = larder_test_syscalls.most;
    return 0;
}

ssize_t pread (int fd, void *to, size_t size, off_t at)
{
    if (larder_test_transfer (larder_test_syscalls.pread, &size) != 0)
        return -1;
    return syscall (SYS_pread64, fd, to, size, at);
}

ssize_t pwrite (int fd, const void *from, size_t size, off_t at)
{
    ssize_t n;

    if (larder_test_transfer (larder_test_syscalls.pwrite, &size) != 0)
        return -1;
    n = syscall (SYS_pwrite64, fd, from, size, at);
    if (n > 0)
        larder_test_syscalls.written += (uint64_t)n;
    return n;
}

#endif
