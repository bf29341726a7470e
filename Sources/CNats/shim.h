#include <nats/nats.h>
#include <stdlib.h>
#include <string.h>

// What the library lets its callers free: `free` belongs to the C library's module, which only one room may import.
static inline void thaw_nats_free(void *memory) { free(memory); }
static inline char *thaw_nats_copy(const char *text) { return strdup(text); }
