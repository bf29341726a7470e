#define _GNU_SOURCE
#include "CLinux.h"

#include <sys/inotify.h>

int thaw_watch_make(void) {
    return inotify_init1(IN_CLOEXEC);
}

int thaw_watch_add(int watch, const char *path) {
    return inotify_add_watch(watch, path,
                             IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |
                                 IN_ONLYDIR);
}
