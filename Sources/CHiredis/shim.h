#include <hiredis/hiredis.h>
#include <sys/time.h>

// timeval belongs to the C library's module, which only one room may import.
static inline redisContext *thaw_redis_connect(const char *host, int port, int seconds) {
    struct timeval time = {.tv_sec = seconds, .tv_usec = 0};
    redisContext *context = redisConnectWithTimeout(host, port, time);
    if (context != 0 && context->err == 0) redisSetTimeout(context, time);
    return context;
}
