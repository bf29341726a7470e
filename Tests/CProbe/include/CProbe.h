#ifndef THAW_CPROBE_H
#define THAW_CPROBE_H

// Test only: makes system calls by number, here or in a child under a filter. Never linked into the product.

#include <stddef.h>

// The call's result as the kernel gives it: -errno on failure.
long probe_call(int number, const long arguments[6]);

// Waits for ever without using the processor.
void probe_hang(void);

// Writes where nothing is mapped.
void probe_crash(void);

// The last memory that this process mapped to share with others; NULL where it has none.
void *probe_shared_memory(void);

enum probe_result {
    probe_failed = -1, // the probe itself
    probe_passed = 0,
    probe_refused = 1,
    probe_absent = 2, // answered as by a kernel that has no such call
};

// Makes the call in a child under a filter that notifies a listener, or traps (notifies = 0), and says what became
// of it. *named is the number under which a refused call arrived, -1 where none did.
enum probe_result probe_under_filter(const void *filter, size_t byte_count, int notifies, int number,
                                     const long arguments[6], int *named);

#endif
