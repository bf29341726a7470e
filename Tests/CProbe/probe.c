#define _GNU_SOURCE
#include "CProbe.h"
#include "CLinux.h"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

long probe_call(int number, const long arguments[6]) {
    long result = syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
    return result == -1 ? -errno : result;
}

void probe_hang(void) {
    static int never = 0;
    for (;;) {
        syscall(SYS_futex, &never, FUTEX_WAIT, 0, NULL, NULL, 0);
    }
}

void probe_crash(void) {
    *(volatile int *)8 = 1;
}

static void *shared_memory;

// Stands before the C library's, so that a fault can find what it is to damage.
void *mmap(void *address, size_t count, int protection, int flags, int file, off_t offset) {
    void *memory = (void *)syscall(SYS_mmap, address, count, protection, flags, file, offset);
    if (memory != MAP_FAILED && (flags & MAP_SHARED) && file >= 0) {
        shared_memory = memory;
    }
    return memory;
}

void *probe_shared_memory(void) {
    return shared_memory;
}

// The exit status of a child whose call the kernel does not have.
enum { exit_absent = 38 };

// What the two processes of a probe share.
struct board {
    int listener; // the child's number of it, once the filter is loaded
    int32_t refused;
    int is_under_filter;
};

static _Noreturn void run_child(const void *filter, size_t byte_count, int notifies, int number,
                                const long arguments[6], struct board *board, int loaded, int go) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    char byte = 'g';
    thaw_refusals_record();
    thaw_refusals_into(&board->refused);
    if (thaw_forbid_new_privileges() < 0) {
        _exit(120);
    }
    board->listener = thaw_filter_load(filter, byte_count, notifies);
    if (board->listener < 0) {
        _exit(121);
    }
    board->is_under_filter = 1;
    if (write(loaded, &byte, 1) != 1 || read(go, &byte, 1) != 1) {
        _exit(122);
    }
    _exit(probe_call(number, arguments) == -ENOSYS ? exit_absent : 0);
}

// Says whether the child's call arrived at the listener before the child ended.
static enum probe_result watch(int listener, int pidfd, int *named) {
    struct pollfd both[2] = {{.fd = listener, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
    for (;;) {
        int count = poll(both, 2, 10000);
        if (count == 0 || (count < 0 && errno != EINTR)) {
            return probe_failed;
        }
        if (both[0].revents & POLLIN) {
            uint64_t id;
            pid_t pid;
            return thaw_filter_next_refused(listener, &id, &pid, named) == 1 ? probe_refused : probe_failed;
        }
        if (both[1].revents & POLLIN) {
            return probe_passed;
        }
        if (both[0].revents) {
            both[0].fd = -1; // the listener hangs up a moment before the process has ended
        }
    }
}

enum probe_result probe_under_filter(const void *filter, size_t byte_count, int notifies, int number,
                                     const long arguments[6], int *named) {
    *named = -1;
    struct board *board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int loaded[2], go[2];
    if (board == MAP_FAILED || pipe2(loaded, 0x80000) < 0 || pipe2(go, 0x80000) < 0) {
        return probe_failed;
    }
    *board = (struct board){.listener = -1, .refused = -1};
    pid_t child = fork();
    if (child == 0) {
        close(loaded[0]);
        close(go[1]);
        run_child(filter, byte_count, notifies, number, arguments, board, loaded[1], go[0]);
    }
    close(loaded[1]);
    close(go[0]);
    enum probe_result result = probe_failed;
    int listener = -1, pidfd = thaw_pidfd_open(child);
    char byte;
    if (pidfd >= 0 && read(loaded[0], &byte, 1) == 1) {
        if (notifies) {
            listener = (int)syscall(SYS_pidfd_getfd, pidfd, board->listener, 0);
        }
        if ((!notifies || listener >= 0) && write(go[1], "g", 1) == 1) {
            if (notifies) {
                result = watch(listener, pidfd, named);
                kill(child, SIGKILL);
            } else {
                result = probe_passed;
            }
        }
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!notifies && result == probe_passed && WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) {
        result = probe_refused;
        *named = board->refused;
    }
    if (result == probe_passed && WIFEXITED(status) && WEXITSTATUS(status) == exit_absent) {
        result = probe_absent;
    }
    if (!board->is_under_filter) {
        result = probe_failed;
    }
    close(loaded[0]);
    close(go[1]);
    if (listener >= 0) {
        close(listener);
    }
    if (pidfd >= 0) {
        close(pidfd);
    }
    munmap(board, sizeof *board);
    return result;
}
