#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

// Descriptors in one message; the contract's limit is 4.
#define DESCRIPTORS_MAX 16

ssize_t thaw_send_message(int socket, const void *bytes, size_t count, const int *descriptors,
                          int descriptor_count) {
    if (descriptor_count < 0 || descriptor_count > DESCRIPTORS_MAX) {
        errno = EMSGSIZE;
        return -1;
    }
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * DESCRIPTORS_MAX)] = {0};
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor_count > 0) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)descriptor_count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)descriptor_count);
        memcpy(CMSG_DATA(header), descriptors, sizeof(int) * (size_t)descriptor_count);
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

ssize_t thaw_receive_message(int socket, void *bytes, size_t count_max, int *descriptors, int descriptors_max,
                             int *descriptor_count, int nonblocking) {
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * DESCRIPTORS_MAX)] = {0};
    struct iovec part = {.iov_base = bytes, .iov_len = count_max};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    *descriptor_count = 0;
    ssize_t received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | (nonblocking ? MSG_DONTWAIT : 0));
    if (received < 0) {
        return -1;
    }
    int fits = !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC));
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t index = 0; index < count; index++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(header) + index * sizeof(int), sizeof(int));
            if (*descriptor_count < descriptors_max) {
                descriptors[(*descriptor_count)++] = descriptor;
            } else {
                close(descriptor);
                fits = 0;
            }
        }
    }
    if (!fits) {
        for (int index = 0; index < *descriptor_count; index++) {
            close(descriptors[index]);
        }
        *descriptor_count = 0;
        errno = EMSGSIZE;
        return -1;
    }
    return received;
}
