#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/inotify.h>

int thaw_watch_make(void) {
    return inotify_init1(IN_CLOEXEC);
}

int thaw_watch_add(int watch, const char *path) {
    return inotify_add_watch(watch, path,
                             IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |
                                 IN_ONLYDIR);
}

int thaw_watch_add_arrivals(int watch, const char *path) {
    return inotify_add_watch(watch, path, IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);
}

const uint32_t thaw_watch_arrived = IN_CLOSE_WRITE | IN_MOVED_TO;
const uint32_t thaw_watch_overflowed = IN_Q_OVERFLOW;
const uint32_t thaw_watch_lost = IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT;

int thaw_is_being_written(int file) {
    // Whoever opens the file for writing meanwhile waits for us to be told; SIGIO, the default, would end us.
    if (fcntl(file, F_SETSIG, SIGURG) < 0) {
        return -1;
    }
    if (fcntl(file, F_SETLEASE, F_RDLCK) == 0) {
        fcntl(file, F_SETLEASE, F_UNLCK);
        return 0;
    }
    return errno == EAGAIN ? 1 : -1;
}
