#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

const int thaw_o_path = O_PATH;

int thaw_duplicate(int descriptor, int lowest) {
    return fcntl(descriptor, F_DUPFD_CLOEXEC, lowest);
}

int thaw_set_nonblocking(int descriptor, int on) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0) {
        return -1;
    }
    return fcntl(descriptor, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

int thaw_memory_file(const char *name) {
    return memfd_create(name, MFD_CLOEXEC);
}

int thaw_sealed_memory_file(const char *name, size_t byte_count) {
    int file = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file < 0) {
        return -1;
    }
    if (ftruncate(file, (off_t)byte_count) < 0 || fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
        int code = errno;
        close(file);
        errno = code;
        return -1;
    }
    return file;
}

int thaw_doorbell_make(void) {
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

int thaw_doorbell_ring(int doorbell) {
    uint64_t one = 1;
    return (int)write(doorbell, &one, sizeof one);
}

int thaw_pipe(int ends[2]) {
    return pipe2(ends, O_CLOEXEC);
}

int thaw_keep_only(int descriptor, int place) {
    if (descriptor != place && dup3(descriptor, place, O_CLOEXEC) < 0) {
        return -1;
    }
    return (int)syscall(SYS_close_range, place + 1, ~0u, 0);
}

int thaw_open_beneath(int folder, const char *path) {
    struct open_how how = {
        .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
}

int thaw_open_in(int folder, const char *name) {
    return openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

int thaw_move_in(int folder, const char *name, int other, const char *other_name) {
    return (int)syscall(SYS_renameat2, folder, name, other, other_name, 1 /* RENAME_NOREPLACE */);
}

void thaw_connection_watch(int socket) {
    int on = 1, idle_seconds = 30, interval_seconds = 10, count = 3;
    // A socket that is no TCP has no need of it.
    setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle_seconds, sizeof idle_seconds);
    setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &interval_seconds, sizeof interval_seconds);
    setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}
