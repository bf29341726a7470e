#include "CLinux.h"

#include <malloc.h>

int thaw_heap_give_back(void) {
    return malloc_trim(0);
}
