#define _GNU_SOURCE
#include "CLinux.h"

#include <string.h>

const char *thaw_error_text(int code) {
    return strerrordesc_np(code);
}

const char *thaw_error_name(int code) {
    return strerrorname_np(code);
}

const char *thaw_signal_name(int signal) {
    return sigabbrev_np(signal);
}
