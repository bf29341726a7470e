#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Between the clone and the exec the child is a copy of one thread of a process that has many: locks of the C
// library and of Swift may be held by threads that do not exist here. So: system calls only, no allocation.

struct failure {
    int stage;
    int code;
};

static void fail(int report, int stage) {
    struct failure failure = {stage, errno};
    ssize_t written = write(report, &failure, sizeof failure);
    (void)written;
    _exit(127);
}

// glibc's setuid family would signal the parent's other threads, as this copy believes to have them too.
static int take_inner_root(int can_set_groups) {
    if (can_set_groups && syscall(SYS_setgroups, 0, NULL) < 0) {
        return -1;
    }
    if (syscall(SYS_setresgid, 0, 0, 0) < 0) {
        return -1;
    }
    return (int)syscall(SYS_setresuid, 0, 0, 0);
}

static void reset_signals(void) {
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) {
        sigaction(number, &standard, NULL); // EINVAL for those of the C library and for SIGKILL: they stay
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

// Places the given descriptors at 0, 1, 2, …; everything else closes at exec.
static int place_descriptors(const struct thaw_spawn *spawn, int *program, int *report) {
    int count = spawn->descriptor_count;
    // First out of the way of one another, then down to their places.
    int above[64];
    for (int index = 0; index < count; index++) {
        above[index] = fcntl(spawn->descriptors[index], F_DUPFD_CLOEXEC, count);
        if (above[index] < 0) {
            return -1;
        }
    }
    *program = fcntl(spawn->program, F_DUPFD_CLOEXEC, count);
    int moved = fcntl(*report, F_DUPFD_CLOEXEC, count);
    if (*program < 0 || moved < 0) {
        return -1;
    }
    *report = moved;
    for (int index = 0; index < count; index++) {
        if (dup2(above[index], index) < 0) {
            return -1;
        }
    }
    return (int)syscall(SYS_close_range, count, ~0u, CLOSE_RANGE_CLOEXEC);
}

static _Noreturn void run_child(const struct thaw_spawn *spawn, int go, int report) {
    if (spawn->dies_with_parent) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    }
    // What a terminal or a service manager sends to the scheduler's group is the scheduler's to act on.
    setsid();
    char byte;
    if (read(go, &byte, 1) != 1) {
        _exit(127); // the parent failed or died before it had mapped our ids
    }
    if (spawn->network >= 0 && setns(spawn->network, CLONE_NEWNET) < 0) {
        fail(report, thaw_spawn_stage_clone);
    }
    if ((spawn->namespaces & CLONE_NEWUSER) && take_inner_root(spawn->can_set_groups) < 0) {
        fail(report, thaw_spawn_stage_take_ids);
    }
    if (spawn->dies_with_parent) {
        // The change of ids has cleared it. A parent that died meanwhile no longer reads our report.
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        struct pollfd reader = {.fd = report, .events = 0};
        if (poll(&reader, 1, 0) > 0 && (reader.revents & POLLERR)) {
            _exit(127);
        }
    }
    if (spawn->tasks >= 0 && write(spawn->tasks, "0", 1) != 1) {
        fail(report, thaw_spawn_stage_join_group);
    }
    int program = -1;
    if (place_descriptors(spawn, &program, &report) < 0) {
        fail(report, thaw_spawn_stage_descriptors);
    }
    reset_signals();
    syscall(SYS_execveat, program, "", spawn->arguments, spawn->environment, AT_EMPTY_PATH);
    fail(report, thaw_spawn_stage_execute);
    __builtin_unreachable();
}

static int write_file(pid_t pid, const char *name, const char *text) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) {
        return -1;
    }
    ssize_t written = write(file, text, strlen(text));
    int code = errno;
    close(file);
    errno = code;
    return written < 0 ? -1 : 0;
}

static int map_ids(const struct thaw_spawn *spawn, pid_t pid) {
    char line[32];
    if (!spawn->can_set_groups && write_file(pid, "setgroups", "deny") < 0) {
        return -1;
    }
    snprintf(line, sizeof line, "0 %u 1", spawn->outer_gid);
    if (write_file(pid, "gid_map", line) < 0) {
        return -1;
    }
    snprintf(line, sizeof line, "0 %u 1", spawn->outer_uid);
    return write_file(pid, "uid_map", line);
}

static void close_pair(int pair[2]) {
    close(pair[0]);
    close(pair[1]);
}

// Ends a child that cannot be used, and keeps errno.
static int abandon(int pidfd, int code) {
    thaw_pidfd_signal(pidfd, SIGKILL);
    siginfo_t info;
    while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0 && errno == EINTR) {
    }
    close(pidfd);
    errno = code;
    return -1;
}

// The parent's side: maps the ids, lets the child go, and waits until it has executed its program.
static int accompany(const struct thaw_spawn *spawn, pid_t pid, int pidfd, int go, int report, int *stage) {
    if ((spawn->namespaces & CLONE_NEWUSER) && map_ids(spawn, pid) < 0) {
        *stage = thaw_spawn_stage_map_ids;
        return abandon(pidfd, errno);
    }
    // The child still holds the other end, so this cannot raise SIGPIPE unless it was killed; then the read below
    // meets the end. MSG_NOSIGNAL does not exist for pipes: the caller ignores SIGPIPE.
    if (write(go, "g", 1) != 1) {
        *stage = thaw_spawn_stage_clone;
        return abandon(pidfd, errno);
    }
    struct failure failure;
    ssize_t count;
    do {
        count = read(report, &failure, sizeof failure);
    } while (count < 0 && errno == EINTR);
    if (count == 0) {
        return pidfd;
    }
    *stage = count == sizeof failure ? failure.stage : thaw_spawn_stage_execute;
    return abandon(pidfd, count == sizeof failure ? failure.code : EIO);
}

int thaw_spawn(const struct thaw_spawn *spawn, int *pid, int *stage) {
    *stage = thaw_spawn_stage_prepare;
    int go[2], report[2];
    if (spawn->descriptor_count < 0 || spawn->descriptor_count > 64) {
        errno = EINVAL;
        return -1;
    }
    if (pipe2(go, O_CLOEXEC) < 0) {
        return -1;
    }
    if (pipe2(report, O_CLOEXEC) < 0) {
        int code = errno;
        close_pair(go);
        errno = code;
        return -1;
    }
    // No handler of the parent may run in the child.
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    int pidfd = -1;
    struct clone_args arguments = {
        .flags = spawn->namespaces | CLONE_PIDFD,
        .pidfd = (uint64_t)(uintptr_t)&pidfd,
        .exit_signal = SIGCHLD,
    };
    *stage = thaw_spawn_stage_clone;
    pid_t child = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child == 0) {
        close(go[1]);
        close(report[0]);
        run_child(spawn, go[0], report[1]);
    }
    int code = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(go[0]);
    close(report[1]);
    int result = -1;
    if (child > 0) {
        *pid = child;
        result = accompany(spawn, child, pidfd, go[1], report[0], stage);
        code = errno;
    }
    close(go[1]);
    close(report[0]);
    errno = code;
    return result;
}

int thaw_unshare(uint64_t namespaces) {
    return (int)syscall(SYS_unshare, namespaces);
}
