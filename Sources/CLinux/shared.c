#define _GNU_SOURCE
#include "CLinux.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

// Not the private kind: the two sides are two processes.

int thaw_flags_sleep(uint32_t *flags, uint32_t value) {
    return (int)syscall(SYS_futex, flags, FUTEX_WAIT, value, NULL, NULL, 0);
}

int thaw_flags_wake(uint32_t *flags) {
    return (int)syscall(SYS_futex, flags, FUTEX_WAKE, 1, NULL, NULL, 0);
}
