#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int thaw_filter_load(const void *instructions, size_t byte_count, int with_listener) {
    size_t count = byte_count / sizeof(struct sock_filter);
    if (byte_count % sizeof(struct sock_filter) != 0 || count == 0 || count > 4096) {
        errno = EINVAL;
        return -1;
    }
    struct sock_fprog program = {.len = (unsigned short)count, .filter = (struct sock_filter *)instructions};
    unsigned flags = with_listener ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

int thaw_filter_next_refused(int listener, uint64_t *id, pid_t *pid, int *call) {
    // The kernel may know a longer notification than our header: it copies its own size and wants zeroes before.
    static __thread struct seccomp_notif_sizes sizes;
    if (sizes.seccomp_notif == 0 && syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0) {
        return -1;
    }
    union {
        struct seccomp_notif notification;
        char room[512];
    } buffer;
    memset(&buffer, 0, sizeof buffer);
    if (sizes.seccomp_notif > sizeof buffer) {
        errno = E2BIG;
        return -1;
    }
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &buffer.notification) < 0) {
        return errno == ENOENT ? 0 : -1;
    }
    *id = buffer.notification.id;
    *pid = (pid_t)buffer.notification.pid;
    *call = buffer.notification.data.nr;
    return 1;
}

int thaw_filter_answer(int listener, uint64_t id, int error) {
    struct seccomp_notif_resp answer = {.id = id, .error = -error};
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

static int32_t *volatile slot;

// A number that no kernel gives to a call, so that no policy can allow it.
#define NO_SUCH_CALL 1023

static void record(int signal, siginfo_t *info, void *context) {
    (void)signal;
    (void)context;
    int32_t *where = slot;
    if (where) {
        *where = info->si_syscall;
    }
    // The handler was reset on entry: a second refused call ends the process by the signal itself, and needs no
    // call that a policy would have to allow.
    for (;;) {
        syscall(NO_SUCH_CALL);
        __builtin_trap();
    }
}

int thaw_refusals_record(void) {
    struct sigaction action = {0};
    action.sa_sigaction = record;
    action.sa_flags = SA_SIGINFO | SA_RESETHAND | SA_NODEFER;
    return sigaction(SIGSYS, &action, NULL);
}

void thaw_refusals_into(int32_t *where) {
    slot = where;
}
