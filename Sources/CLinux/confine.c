#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int thaw_mounts_make_private(void) {
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

int thaw_enter_empty_root(void) {
    // /proc is a directory on every machine where the scheduler runs at all; what it shows is about to vanish.
    const char *place = "/proc";
    unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    // One page and the root's own inode: size=0 would mean no limit.
    if (mount("none", place, "tmpfs", flags, "size=4096,nr_inodes=2,mode=0555") < 0 || chdir(place) < 0) {
        return -1;
    }
    // The old root comes to lie over the new one at the same place, and goes from there: no directory is needed.
    if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0) {
        return -1;
    }
    return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, NULL);
}

int thaw_set_host_name(const char *name) {
    if (sethostname(name, strlen(name)) < 0) {
        return -1;
    }
    return setdomainname(name, strlen(name));
}

static const __rlimit_resource_t resources[] = {
    [thaw_limit_open_files] = RLIMIT_NOFILE,
    [thaw_limit_core_bytes] = RLIMIT_CORE,
    [thaw_limit_processes] = RLIMIT_NPROC,
    [thaw_limit_file_bytes] = RLIMIT_FSIZE,
    [thaw_limit_locked_bytes] = RLIMIT_MEMLOCK,
    [thaw_limit_message_queue_bytes] = RLIMIT_MSGQUEUE,
    [thaw_limit_pending_signals] = RLIMIT_SIGPENDING,
    [thaw_limit_data_bytes] = RLIMIT_DATA,
};

int thaw_set_limit(enum thaw_limit limit, uint64_t value) {
    struct rlimit both;
    if (getrlimit(resources[limit], &both) < 0) {
        return -1;
    }
    // One that is lower already stays: nothing here has the power to raise it, or needs to.
    if (value > both.rlim_max) {
        value = both.rlim_max;
    }
    both.rlim_cur = both.rlim_max = value;
    return setrlimit(resources[limit], &both);
}

int thaw_forbid_new_privileges(void) {
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

int thaw_forbid_dumping(void) {
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

// The header of the system may be older than the kernel: later fields and bits are written out here.
struct ruleset {
    uint64_t files;
    uint64_t network; // level 4
    uint64_t scopes;  // level 6
};

int thaw_landlock_level(void) {
    return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

int thaw_landlock_deny_all(int level) {
    // Level 1 knows 13 file rights; 2 adds moving between folders, 3 truncating, 5 ioctl on devices.
    int rights = level >= 5 ? 16 : level >= 3 ? 15 : level >= 2 ? 14 : 13;
    struct ruleset rules = {.files = (UINT64_C(1) << rights) - 1};
    size_t size = sizeof rules.files;
    if (level >= 4) {
        rules.network = 3; // bind and connect
        size = sizeof rules.files + sizeof rules.network;
    }
    if (level >= 6) {
        rules.scopes = 3; // abstract sockets and signals
        size = sizeof rules;
    }
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    if (ruleset < 0) {
        return -1;
    }
    int result = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
    int code = errno;
    close(ruleset);
    errno = code;
    return result;
}

int thaw_keep_capabilities(uint64_t kept) {
    // Where any stay, programs that are executed have them too: first inheritable, then ambient, then the lock on both.
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2] = {{0}};
    const uint32_t halves[2] = {(uint32_t)kept, (uint32_t)(kept >> 32)};
    if (kept) {
        if (syscall(SYS_capget, &header, data) < 0) {
            return -1;
        }
        for (int half = 0; half < 2; half++) {
            data[half].inheritable = halves[half];
        }
        if (syscall(SYS_capset, &header, data) < 0) {
            return -1;
        }
    }
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) {
        return -1;
    }
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++) {
        if (kept >> capability & 1) {
            if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) < 0) {
                return -1;
            }
        } else if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) {
            return -1;
        }
    }
    // Bits: being 0 gives nothing (NOROOT), changing ids keeps nothing, no further ambient ones, each of them locked.
    const unsigned long securebits = 0xef;
    if (prctl(PR_SET_SECUREBITS, securebits, 0, 0, 0) < 0) {
        return -1;
    }
    for (int half = 0; half < 2; half++) {
        data[half].effective = data[half].permitted = data[half].inheritable = halves[half];
    }
    return (int)syscall(SYS_capset, &header, data);
}
