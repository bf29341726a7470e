// How work is handed to the second thread, for those that cut it into parts.
#ifndef THAW_SECOND_WORK_H
#define THAW_SECOND_WORK_H

#include "include/second.h"

// One part of a job; `thread` is 0 or 1.
typedef void (*thaw_part)(const void *job, int64_t part, int64_t thread);

// Runs parts 0 … count − 1 (count < 65,536) on both threads, and returns when all are done.
void thaw_second_run(struct thaw_second *second, thaw_part run, const void *job, int64_t count);

#endif
