#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int thaw_pidfd_open(pid_t pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

int thaw_pidfd_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

static uint64_t nanoseconds(struct timeval time) {
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_usec * 1000u;
}

int thaw_wait(int child, int by_pidfd, int block, struct thaw_ending *ending) {
    siginfo_t info = {0};
    struct rusage usage = {0};
    // The kernel's own waitid has a fifth argument that glibc's lacks: what the child used.
    if (syscall(SYS_waitid, by_pidfd ? P_PIDFD : P_PID, child, &info, WEXITED | (block ? 0 : WNOHANG), &usage) < 0) {
        return -1;
    }
    if (info.si_pid == 0) {
        return 0;
    }
    ending->signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
    ending->status = info.si_code == CLD_EXITED ? info.si_status : 0;
    ending->cpu_nanoseconds = nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
    ending->resident_bytes_max = (uint64_t)usage.ru_maxrss * 1024u;
    return 1;
}

pid_t thaw_fork(void) {
    return fork();
}

int thaw_name_thread(const char *name) {
    return prctl(PR_SET_NAME, name, 0, 0, 0);
}

int thaw_processor_count(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}
