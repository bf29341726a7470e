#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <net/route.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>


static int add_route(int family, void *route) {
    int probe = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (probe < 0) {
        return -1;
    }
    int result = ioctl(probe, SIOCADDRT, route);
    int code = errno;
    close(probe);
    errno = code;
    return result;
}

static struct sockaddr address4(uint32_t address) {
    struct sockaddr_in whole = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    struct sockaddr general;
    memcpy(&general, &whole, sizeof general);
    return general;
}

int thaw_refuse_route(const uint8_t *address, int byte_count, int prefix_bits) {
    if (byte_count == 4 && prefix_bits > 0 && prefix_bits <= 32) {
        uint32_t mask = ~UINT32_C(0) << (32 - prefix_bits);
        uint32_t whole = (uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 | (uint32_t)address[2] << 8 | address[3];
        struct rtentry route = {
            .rt_dst = address4(whole & mask), .rt_genmask = address4(mask), .rt_flags = RTF_UP | RTF_REJECT};
        return add_route(AF_INET, &route);
    }
    if (byte_count == 16 && prefix_bits > 0 && prefix_bits <= 128) {
        struct in6_rtmsg route = {
            .rtmsg_dst_len = (uint16_t)prefix_bits, .rtmsg_metric = 1, .rtmsg_flags = RTF_UP | RTF_REJECT};
        memcpy(&route.rtmsg_dst, address, 16);
        return add_route(AF_INET6, &route);
    }
    errno = EINVAL;
    return -1;
}
