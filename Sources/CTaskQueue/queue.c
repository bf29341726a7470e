#include "CTaskQueue.h"

#include <pthread.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

// libdispatch, declared here: its headers are no part of a C target's search path.
typedef struct dispatch_queue_s *dispatch_queue_t;
typedef struct dispatch_queue_attr_s *dispatch_queue_attr_t;
extern struct dispatch_queue_attr_s _dispatch_queue_attr_concurrent;
dispatch_queue_t dispatch_queue_create_with_target(const char *label, dispatch_queue_attr_t attribute,
                                                   dispatch_queue_t target);
dispatch_queue_t dispatch_get_global_queue(intptr_t identifier, uintptr_t flags);
void dispatch_queue_set_width(dispatch_queue_t queue, long width);
void dispatch_async_f(dispatch_queue_t queue, void *context, void (*work)(void *));
uint64_t dispatch_time(uint64_t when, int64_t delta_nanoseconds);
void dispatch_after_f(uint64_t when, dispatch_queue_t queue, void *context, void (*work)(void *));
enum { quality_of_service_default = 0x15, overcommit = 2 };

// The Swift runtime's doors for an executor that is not its own (swift/Runtime/Concurrency.h).
#define SWIFT __attribute__((swiftcall))
typedef struct swift_job *job_t;
typedef SWIFT void (*enqueue_t)(job_t);
typedef SWIFT void (*enqueue_with_delay_t)(unsigned long long, job_t);
typedef SWIFT void (*enqueue_with_deadline_t)(long long, long long, long long, long long, int, job_t);
extern SWIFT void (*swift_task_enqueueGlobal_hook)(job_t, enqueue_t);
extern SWIFT void (*swift_task_enqueueGlobalWithDelay_hook)(unsigned long long, job_t, enqueue_with_delay_t);
extern SWIFT void (*swift_task_enqueueGlobalWithDeadline_hook)(long long, long long, long long, long long, int, job_t,
                                                               enqueue_with_deadline_t);
// The executor is two words; two zeros are "none in particular".
SWIFT void swift_job_run(job_t job, void *executor, uintptr_t implementation);

enum { clock_continuous = 1, clock_suspending = 2 };
static const int64_t second = 1000000000;

static dispatch_queue_t queue;
static pthread_once_t queue_once = PTHREAD_ONCE_INIT;

static void make_queue(void) {
    queue = dispatch_queue_create_with_target("thaw.tasks", (dispatch_queue_attr_t)&_dispatch_queue_attr_concurrent,
                                              dispatch_get_global_queue(quality_of_service_default, overcommit));
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    dispatch_queue_set_width(queue, cores > 1 ? cores : 1);
}

static void run(void *job) { swift_job_run(job, NULL, 0); }

static void enqueue_after(int64_t nanoseconds, job_t job) {
    pthread_once(&queue_once, make_queue);
    if (nanoseconds <= 0) {
        dispatch_async_f(queue, job, run);
    } else {
        dispatch_after_f(dispatch_time(0, nanoseconds), queue, job, run);
    }
}

static SWIFT void enqueue(job_t job, enqueue_t original) {
    (void)original;
    enqueue_after(0, job);
}

static SWIFT void enqueue_with_delay(unsigned long long nanoseconds, job_t job, enqueue_with_delay_t original) {
    (void)original;
    enqueue_after(nanoseconds > INT64_MAX ? INT64_MAX : (int64_t)nanoseconds, job);
}

static SWIFT void enqueue_with_deadline(long long seconds, long long nanoseconds, long long leeway_seconds,
                                        long long leeway_nanoseconds, int clock, job_t job,
                                        enqueue_with_deadline_t original) {
    clockid_t source;
    switch (clock) {
    case clock_continuous: source = CLOCK_BOOTTIME; break;
    case clock_suspending: source = CLOCK_MONOTONIC; break;
    // Nobody here waits by the wall clock; what the runtime does with it is right, if not asleep.
    default: return original(seconds, nanoseconds, leeway_seconds, leeway_nanoseconds, clock, job);
    }
    struct timespec now;
    clock_gettime(source, &now);
    int64_t whole, total;
    if (__builtin_sub_overflow(seconds, (int64_t)now.tv_sec, &whole) ||
        __builtin_mul_overflow(whole, second, &total) ||
        __builtin_add_overflow(total, nanoseconds - now.tv_nsec, &total)) {
        total = seconds > 0 ? INT64_MAX : 0;
    }
    enqueue_after(total, job);
}

// Before main: the first job of an asynchronous main already goes there. The queue is made by that job, because
// libdispatch may be initialised after us.
__attribute__((constructor)) static void take_over(void) {
    swift_task_enqueueGlobal_hook = enqueue;
    swift_task_enqueueGlobalWithDelay_hook = enqueue_with_delay;
    swift_task_enqueueGlobalWithDeadline_hook = enqueue_with_deadline;
}
