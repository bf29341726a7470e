#ifndef THAW_CTASKQUEUE_H
#define THAW_CTASKQUEUE_H

// Runs the default tasks of Swift's concurrency on a queue of ours, in every program that links this target.
//
// Swift's own queue lies on libdispatch's shared root queue. From its first job on, libdispatch looks every second
// whether the threads of that root are blocked, for as long as the process lives: four system calls a second of a
// scheduler that should sleep. The root that it does not watch, "overcommit", starts a thread for each job that
// is ready; the width of our queue bounds that to the cores. Linking is all: there is nothing to call.

#endif
