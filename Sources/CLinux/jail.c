#define _GNU_SOURCE
#include "CLinux.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// linux/mount.h and sys/mount.h of older systems contradict one another.
struct attributes {
    uint64_t set;
    uint64_t clear;
    uint64_t propagation;
    uint64_t namespace;
};
#define ATTRIBUTE_READ_ONLY 1u
#define ATTRIBUTE_NO_SUID 2u

int thaw_mount_memory(const char *place, const char *options) {
    return mount("none", place, "tmpfs", MS_NOSUID | MS_NODEV, options);
}

int thaw_mount_processes(const char *place) {
    return mount("none", place, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

int thaw_mount_bind(const char *source, const char *place) {
    return mount(source, place, NULL, MS_BIND | MS_REC, NULL);
}

int thaw_mount_make_read_only(const char *place) {
    struct attributes attributes = {.set = ATTRIBUTE_READ_ONLY | ATTRIBUTE_NO_SUID};
    return (int)syscall(SYS_mount_setattr, AT_FDCWD, place, AT_RECURSIVE, &attributes, sizeof attributes);
}

int thaw_enter_root(const char *place) {
    if (chdir(place) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0) {
        return -1;
    }
    return chdir("/");
}

pid_t thaw_fork_into(uint64_t namespaces) {
    // As fork(2), for a process with one thread; the copy's C library does not know its own number, and need not.
    return (pid_t)syscall(SYS_clone, namespaces | SIGCHLD, NULL, NULL, NULL, 0);
}

int thaw_die_with_parent(void) {
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

void thaw_reset_signals(void) {
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) {
        sigaction(number, &standard, NULL);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

int thaw_place_descriptors(const int *descriptors, int count) {
    int above[16];
    if (count > 16) {
        errno = EINVAL;
        return -1;
    }
    for (int index = 0; index < count; index++) {
        above[index] = fcntl(descriptors[index], F_DUPFD, count);
        if (above[index] < 0) {
            return -1;
        }
    }
    for (int index = 0; index < count; index++) {
        if (dup2(above[index], index) < 0) {
            return -1;
        }
    }
    return (int)syscall(SYS_close_range, count, ~0u, 0);
}

int thaw_execute(const char *path, char *const *arguments, char *const *environment) {
    return execve(path, arguments, environment);
}

int thaw_wait_until_ended(pid_t child) {
    for (;;) {
        int status = 0;
        pid_t ended = waitpid(-1, &status, 0);
        if (ended < 0 && errno != EINTR) {
            return -1;
        }
        if (ended == child) {
            return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        }
    }
}

int thaw_watch_children(void) {
    sigset_t ended;
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &ended, NULL) < 0) {
        return -1;
    }
    return signalfd(-1, &ended, SFD_NONBLOCK | SFD_CLOEXEC);
}

pid_t thaw_reap_ended(int *status) {
    return waitpid(-1, status, WNOHANG);
}

void thaw_ignore_children(void) {
    signal(SIGCHLD, SIG_IGN);
}

int thaw_set_last_number(pid_t number) {
    int file = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
    if (file < 0) {
        return -1;
    }
    char text[16];
    int count = snprintf(text, sizeof text, "%d", number);
    ssize_t written = write(file, text, (size_t)count);
    int code = errno;
    close(file);
    errno = code;
    return written < 0 ? -1 : 0;
}

static int copy_file(int from, int to, const char *name, mode_t mode) {
    int source = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (source < 0) {
        return -1;
    }
    int copy = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 0777);
    ssize_t count = copy < 0 ? -1 : 1;
    while (count > 0) {
        count = sendfile(copy, source, NULL, 1 << 30);
    }
    if (count == 0) {
        count = fchmod(copy, mode & 0777);
    }
    int code = errno;
    close(source);
    close(copy);
    errno = code;
    return (int)count;
}

static int copy_link(int from, int to, const char *name) {
    char target[4096];
    ssize_t count = readlinkat(from, name, target, sizeof target - 1);
    if (count < 0) {
        return -1;
    }
    target[count] = 0;
    return symlinkat(target, to, name);
}

static int copy_folder(int from, int to, const char *name, mode_t mode, int depth_max) {
    if (depth_max == 0) {
        errno = ELOOP;
        return -1;
    }
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    if (mkdirat(to, name, 0700) < 0) {
        return -1;
    }
    int source = openat(from, name, flags);
    int copy = source < 0 ? -1 : openat(to, name, flags);
    int result = copy < 0 ? -1 : thaw_copy_tree(source, copy, depth_max - 1);
    if (result == 0) {
        result = fchmod(copy, mode & 07777);
    }
    int code = errno;
    close(source);
    close(copy);
    errno = code;
    return result;
}

int thaw_copy_tree(int from, int to, int depth_max) {
    // The stream takes its descriptor along, and reads from where that one stands.
    int list = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = list < 0 ? NULL : fdopendir(list);
    if (!folder) {
        close(list);
        return -1;
    }
    int result = 0;
    for (struct dirent *entry; result == 0 && (entry = readdir(folder));) {
        const char *name = entry->d_name;
        struct stat status;
        if (!strcmp(name, ".") || !strcmp(name, "..") || fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
            continue;
        }
        if (S_ISREG(status.st_mode)) {
            result = copy_file(from, to, name, status.st_mode);
        } else if (S_ISLNK(status.st_mode)) {
            result = copy_link(from, to, name);
        } else if (S_ISDIR(status.st_mode)) {
            result = copy_folder(from, to, name, status.st_mode, depth_max);
        }
        // Sockets and pipes belong to whoever made them.
    }
    int code = errno;
    closedir(folder);
    errno = code;
    return result;
}

int thaw_loopback_up(void) {
    int probe = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (probe < 0) {
        return -1;
    }
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int result = ioctl(probe, SIOCSIFFLAGS, &request);
    int code = errno;
    close(probe);
    errno = code;
    return result;
}

int thaw_listen_loopback(uint16_t port) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0) {
        return -1;
    }
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 16) < 0) {
        int code = errno;
        close(listener);
        errno = code;
        return -1;
    }
    return listener;
}

int thaw_listening_port(int listener) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    if (getsockname(listener, (struct sockaddr *)&address, &size) < 0) {
        return -1;
    }
    return ntohs(address.sin_port);
}

int thaw_accept(int listener) {
    int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connection >= 0) {
        int on = 1;
        setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    return connection;
}

int thaw_wait_readable(const int *descriptors, int count, uint32_t *happened, int timeout_milliseconds) {
    struct pollfd polls[32];
    if (count > 32) {
        errno = EINVAL;
        return -1;
    }
    for (int index = 0; index < count; index++) {
        polls[index] = (struct pollfd){.fd = descriptors[index], .events = POLLIN};
    }
    int result = poll(polls, (nfds_t)count, timeout_milliseconds);
    *happened = 0;
    for (int index = 0; result > 0 && index < count; index++) {
        if (polls[index].revents) {
            *happened |= 1u << index;
        }
    }
    return result;
}

int thaw_wait_writable(int descriptor, int timeout_milliseconds) {
    struct pollfd poll_one = {.fd = descriptor, .events = POLLOUT};
    return poll(&poll_one, 1, timeout_milliseconds);
}

int thaw_pass_credentials(int socket) {
    int on = 1;
    return setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
}

ssize_t thaw_receive_with_sender(int socket, void *bytes, size_t count_max, pid_t *sender) {
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int) * 8)] = {0};
    struct iovec part = {.iov_base = bytes, .iov_len = count_max};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    *sender = 0;
    ssize_t received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (received < 0) {
        return -1;
    }
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET) {
            continue;
        }
        if (header->cmsg_type == SCM_CREDENTIALS) {
            struct ucred credentials;
            memcpy(&credentials, CMSG_DATA(header), sizeof credentials);
            *sender = credentials.pid;
        } else if (header->cmsg_type == SCM_RIGHTS) {
            // Nobody asked for descriptors.
            size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            for (size_t index = 0; index < count; index++) {
                int descriptor;
                memcpy(&descriptor, CMSG_DATA(header) + index * sizeof(int), sizeof(int));
                close(descriptor);
            }
        }
    }
    return received;
}
