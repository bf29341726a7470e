// One word says which part of which job is the next: claiming it is one exchange. What a job is, is read only after a
// part of it was claimed, and then it stays until that part is done.
//
//   claim  [ job's number : 32 | parts : 16 | next part : 16 ]
//
// There is nothing to free a waiting thread but the other one: both look for a while, then they sleep in the kernel, so
// that a thread which has lost its processor costs the other no more than that while.
#include "second.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// Longer than the first thread needs between two products, shorter than anything that a receipt would show.
#define SPIN_NANOSECONDS 50000
// Between two looks at the clock: it costs as much as some of them.
#define LOOKS_A_CLOCK 64

#define LINE 64

struct thaw_second {
    _Alignas(LINE) _Atomic uint64_t claim;
    _Alignas(LINE) _Atomic uint32_t done;  // parts of this job
    _Atomic uint32_t first_sleeps;         // until `done` changes
    _Alignas(LINE) _Atomic uint32_t bell;  // changes when the second thread is woken
    _Atomic uint32_t second_sleeps;
    _Atomic uint32_t state;
    _Alignas(LINE) thaw_part run;
    const void *job;
};

enum { ABSENT, HELPING, ENDING, ENDED };

static void wait_on(_Atomic uint32_t *word, uint32_t value) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}
static void wake_on(_Atomic uint32_t *word) { syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0); }

static uint64_t now_nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static inline void look_away(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

// A while of looking: begins with the first call, and answers whether it has not passed.
struct patience {
    uint64_t until;
    uint32_t looks;
};
static int looks_on(struct patience *patience) {
    look_away();
    if (++patience->looks % LOOKS_A_CLOCK != 0) {
        return 1;
    }
    uint64_t now = now_nanoseconds();
    if (patience->until == 0) {
        patience->until = now + SPIN_NANOSECONDS;
    }
    return now < patience->until;
}

struct thaw_second *thaw_second_make(void) {
    struct thaw_second *second = aligned_alloc(LINE, sizeof *second);
    if (second) {
        *second = (struct thaw_second){0};
    }
    return second;
}

void thaw_second_free(struct thaw_second *second) { free(second); }

// Does the next part of whatever there is; answers whether there was one.
static int does_one(struct thaw_second *second, int64_t thread) {
    uint64_t claim = atomic_load(&second->claim);
    uint32_t part = claim & 0xffff, parts = claim >> 16 & 0xffff;
    if (part >= parts) {
        return 0;
    }
    if (!atomic_compare_exchange_strong(&second->claim, &claim, claim + 1)) {
        return 1;
    }
    second->run(second->job, part, thread);
    atomic_fetch_add(&second->done, 1);
    if (thread == 1 && atomic_load(&second->first_sleeps)) {
        wake_on(&second->done);
    }
    return 1;
}

void thaw_second_run(struct thaw_second *second, thaw_part run, const void *job, int64_t count) {
    second->run = run;
    second->job = job;
    atomic_store(&second->done, 0);
    uint64_t number = atomic_load(&second->claim) >> 32;
    atomic_store(&second->claim, (number + 1) << 32 | (uint64_t)count << 16);
    thaw_second_wake(second);
    while (does_one(second, 0)) {
    }
    struct patience patience = {0};
    while (atomic_load(&second->done) != (uint32_t)count) {
        if (looks_on(&patience)) {
            continue;
        }
        atomic_store(&second->first_sleeps, 1);
        uint32_t done = atomic_load(&second->done);
        if (done != (uint32_t)count) {
            wait_on(&second->done, done);
        }
        atomic_store(&second->first_sleeps, 0);
    }
}

void thaw_second_wake(struct thaw_second *second) {
    if (atomic_load(&second->second_sleeps)) {
        atomic_fetch_add(&second->bell, 1);
        wake_on(&second->bell);
    }
}

void thaw_second_help(struct thaw_second *second) {
    uint32_t state = ABSENT;
    // Whoever ended it before it came has won.
    if (atomic_compare_exchange_strong(&second->state, &state, HELPING)) {
        wake_on(&second->state);
    }
    struct patience patience = {0};
    while (atomic_load(&second->state) != ENDING) {
        if (does_one(second, 1)) {
            patience = (struct patience){0};
            continue;
        }
        if (looks_on(&patience)) {
            continue;
        }
        // Whoever brings work after the bell was read rings it or is seen here.
        uint32_t bell = atomic_load(&second->bell);
        atomic_store(&second->second_sleeps, 1);
        uint64_t claim = atomic_load(&second->claim);
        if ((claim & 0xffff) >= (claim >> 16 & 0xffff) && atomic_load(&second->state) != ENDING) {
            wait_on(&second->bell, bell);
        }
        atomic_store(&second->second_sleeps, 0);
        patience = (struct patience){0};
    }
    atomic_store(&second->state, ENDED);
    wake_on(&second->state);
}

void thaw_second_await(struct thaw_second *second) {
    while (atomic_load(&second->state) == ABSENT) {
        wait_on(&second->state, ABSENT);
    }
}

void thaw_second_end(struct thaw_second *second) {
    atomic_store(&second->state, ENDING);
    atomic_fetch_add(&second->bell, 1);
    wake_on(&second->bell);
    uint32_t state;
    while ((state = atomic_load(&second->state)) != ENDED) {
        wait_on(&second->state, state);
    }
}
