#define _GNU_SOURCE
#include "CLinux.h"

#include <fcntl.h>
#include <sys/mman.h>
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

int thaw_pipe(int ends[2]) {
    return pipe2(ends, O_CLOEXEC);
}

int thaw_keep_only(int descriptor, int place) {
    if (descriptor != place && dup3(descriptor, place, O_CLOEXEC) < 0) {
        return -1;
    }
    return (int)syscall(SYS_close_range, place + 1, ~0u, 0);
}
