#define _GNU_SOURCE
#include "CLinux.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

int thaw_poll_make(void) {
    return epoll_create1(EPOLL_CLOEXEC);
}

int thaw_wakeup_make(void) {
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static uint32_t kernel_events(uint32_t interest) {
    return (interest & thaw_poll_reading ? EPOLLIN : 0u) | (interest & thaw_poll_writing ? EPOLLOUT : 0u) |
           (interest & thaw_poll_once ? EPOLLONESHOT : 0u);
}

static int control(int poll, int operation, int descriptor, uint64_t token, uint32_t interest) {
    struct epoll_event event = {.events = kernel_events(interest), .data.u64 = token};
    return epoll_ctl(poll, operation, descriptor, &event);
}

int thaw_poll_add(int poll, int descriptor, uint64_t token, uint32_t interest) {
    return control(poll, EPOLL_CTL_ADD, descriptor, token, interest);
}

int thaw_poll_change(int poll, int descriptor, uint64_t token, uint32_t interest) {
    return control(poll, EPOLL_CTL_MOD, descriptor, token, interest);
}

int thaw_poll_remove(int poll, int descriptor) {
    return control(poll, EPOLL_CTL_DEL, descriptor, 0, 0);
}

int thaw_poll_wait(int poll, struct thaw_poll_event *events, int events_max, int timeout_milliseconds) {
    struct epoll_event happened[64];
    int count = epoll_wait(poll, happened, events_max < 64 ? events_max : 64, timeout_milliseconds);
    for (int index = 0; index < count; index++) {
        uint32_t bits = happened[index].events;
        events[index].token = happened[index].data.u64;
        events[index].happened = (bits & EPOLLIN ? thaw_poll_reading : 0u) |
                                 (bits & EPOLLOUT ? thaw_poll_writing : 0u) |
                                 (bits & (EPOLLHUP | EPOLLERR) ? thaw_poll_hung_up : 0u);
    }
    return count;
}
