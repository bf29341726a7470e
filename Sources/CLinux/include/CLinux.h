#ifndef THAW_CLINUX_H
#define THAW_CLINUX_H

// What Swift cannot call by itself: variadic functions, function-like macros, calls that glibc has no name for,
// and code that must run between a clone and an exec. Functions answer -1 and set errno like the C library's.

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// error.c: texts of errno values and signals; NULL where there is none.
const char *thaw_error_text(int code);
const char *thaw_error_name(int code);
const char *thaw_signal_name(int signal); // without SIG

// call.c: the name of a system call of x86-64; NULL where no kernel we know has one.
const char *thaw_call_name(int number);

// descriptor.c
extern const int thaw_o_path;
int thaw_duplicate(int descriptor, int lowest);
int thaw_set_nonblocking(int descriptor, int on);
int thaw_memory_file(const char *name);
// The descriptor moves to the place, everything above is closed.
int thaw_keep_only(int descriptor, int place);
int thaw_pipe(int ends[2]);

// A file in memory whose size nobody can change any more, so that no access to a mapping of it can fault.
int thaw_sealed_memory_file(const char *name, size_t byte_count);
// An eventfd, close-on-exec and non-blocking.
int thaw_doorbell_make(void);
int thaw_doorbell_ring(int doorbell);

// shared.c: words that two processes see alike. Swift's atomics own their storage and cannot lie in a mapping.
static inline uint64_t thaw_word_load(const uint64_t *word) {
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}
static inline void thaw_word_store(uint64_t *word, uint64_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}
static inline uint32_t thaw_flags_load(const uint32_t *flags) {
    return __atomic_load_n(flags, __ATOMIC_RELAXED);
}
// Ordered against every other such exchange and against thaw_fence.
static inline uint32_t thaw_flags_exchange(uint32_t *flags, uint32_t value) {
    return __atomic_exchange_n(flags, value, __ATOMIC_SEQ_CST);
}
static inline void thaw_fence(void) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
// Tells the core that this is a loop that waits for another one.
static inline void thaw_relax(void) {
    __builtin_ia32_pause();
}
// Sleeps while *flags is the value; EAGAIN where it is another already.
int thaw_flags_sleep(uint32_t *flags, uint32_t value);
// Wakes who sleeps on the flags, in whatever process.
int thaw_flags_wake(uint32_t *flags);

// message.c: one message with descriptors attached; the receiver's are close-on-exec.
ssize_t thaw_send_message(int socket, const void *bytes, size_t count, const int *descriptors, int descriptor_count);
// A message or a set of descriptors that does not fit is EMSGSIZE; its descriptors are closed.
ssize_t thaw_receive_message(int socket, void *bytes, size_t count_max, int *descriptors, int descriptors_max,
                             int *descriptor_count, int nonblocking);

// poll.c: one thread waits for many descriptors.
enum { thaw_poll_reading = 1, thaw_poll_writing = 2, thaw_poll_once = 4, thaw_poll_hung_up = 8 };
struct thaw_poll_event {
    uint64_t token;
    uint32_t happened;
};
int thaw_poll_make(void);
int thaw_wakeup_make(void);
int thaw_poll_add(int poll, int descriptor, uint64_t token, uint32_t interest);
int thaw_poll_change(int poll, int descriptor, uint64_t token, uint32_t interest);
int thaw_poll_remove(int poll, int descriptor);
int thaw_poll_wait(int poll, struct thaw_poll_event *events, int events_max, int timeout_milliseconds);

// watch.c: changes in folders.
int thaw_watch_make(void);
// Adding a folder that is watched already changes nothing.
int thaw_watch_add(int watch, const char *path);
// Tells of files that were closed after writing or moved into the folder, and of the folder's own end.
int thaw_watch_add_arrivals(int watch, const char *path);
extern const uint32_t thaw_watch_arrived;
extern const uint32_t thaw_watch_overflowed;
extern const uint32_t thaw_watch_lost;
// 1 where somebody has the file open for writing, 0 where nobody has, -1 where the file system cannot say.
int thaw_is_being_written(int file);
// Opens a folder by a path that may not leave the one that it begins at, neither by `..` nor by a link.
int thaw_open_beneath(int folder, const char *path);
// Opens a file of a folder for reading, never a link, and without waiting for the other end of a pipe.
int thaw_open_in(int folder, const char *name);
// Gives a file another folder and name; EEXIST where there is one.
int thaw_move_in(int folder, const char *name, int other, const char *other_name);

// Of a library's connection: the kernel asks the other side for a sign of life.
void thaw_connection_watch(int socket);

// process.c
struct thaw_ending {
    int32_t signal;           // that ended it; 0 when it exited
    int32_t status;           // when it exited
    uint64_t cpu_nanoseconds; // user and system
    uint64_t resident_bytes_max;
};
int thaw_pidfd_open(pid_t pid);
int thaw_pidfd_signal(int pidfd, int signal);
// Waits for a child by its pidfd (by_pidfd = 1) or its number, and takes it off the process table.
// Answers 1, or 0 where block is 0 and it still runs.
int thaw_wait(int child, int by_pidfd, int block, struct thaw_ending *ending);
// fork(2) for a process with one thread; 0 in the child.
pid_t thaw_fork(void);
int thaw_name_thread(const char *name);
// Processors that this thread may run on; needs no file, so also in a sandbox.
int thaw_processor_count(void);

// heap.c
// Gives free pages of the C library's heap back to the kernel; answers 1 if there were any.
int thaw_heap_give_back(void);

// spawn.c
struct thaw_spawn {
    int program;                 // descriptor of the executable
    char *const *arguments;      // NULL-terminated
    char *const *environment;    // NULL-terminated
    const int *descriptors;      // become 0, 1, 2, … of the child
    int descriptor_count;
    uint64_t namespaces;         // CLONE_NEW…; with CLONE_NEWUSER the inner 0 is outer_uid, outer_gid
    uint32_t outer_uid;
    uint32_t outer_gid;
    int can_set_groups;          // the caller may map ids that are not its own
    int tasks;                   // `tasks` file of a control group to join, or -1
    int network;                 // namespace file of the network to start in, or -1 for the caller's
    int dies_with_parent;        // SIGKILL when the thread that called ends
};
enum thaw_spawn_stage {
    thaw_spawn_stage_prepare = 1,
    thaw_spawn_stage_clone,
    thaw_spawn_stage_map_ids,
    thaw_spawn_stage_take_ids,
    thaw_spawn_stage_join_group,
    thaw_spawn_stage_descriptors,
    thaw_spawn_stage_execute,
};
// The child's pidfd, or -1 with errno and the stage that failed; nothing of the child is left then.
int thaw_spawn(const struct thaw_spawn *spawn, int *pid, int *stage);
int thaw_unshare(uint64_t namespaces);

// route.c: no packet of this network goes to an address of 4 or 16 bytes, or to any with the same first bits.
int thaw_refuse_route(const uint8_t *address, int byte_count, int prefix_bits);

// confine.c: what a sandbox is made of, one thing each.
int thaw_mounts_make_private(void);
// An empty tmpfs becomes the only mount of this process.
int thaw_enter_empty_root(void);
int thaw_set_host_name(const char *name);
enum thaw_limit {
    thaw_limit_open_files,
    thaw_limit_core_bytes,
    thaw_limit_processes,
    thaw_limit_file_bytes,
    thaw_limit_locked_bytes,
    thaw_limit_message_queue_bytes,
    thaw_limit_pending_signals,
    thaw_limit_data_bytes,
};
int thaw_set_limit(enum thaw_limit limit, uint64_t value);
int thaw_forbid_new_privileges(void);
int thaw_forbid_dumping(void);
// Level of the interface; -1 with ENOSYS or EOPNOTSUPP where there is none.
int thaw_landlock_level(void);
// Denies every file, and from level 4 every TCP port, from level 6 abstract sockets and signals to the outside.
int thaw_landlock_deny_all(int level);
// Gives up all capabilities but these, a bit each; no program that is executed has more.
int thaw_keep_capabilities(uint64_t kept);

// jail.c: what the root, the network and the processes of a code function are made of.
int thaw_mount_memory(const char *place, const char *options);
int thaw_mount_processes(const char *place);
// With everything below it.
int thaw_mount_bind(const char *source, const char *place);
int thaw_mount_make_read_only(const char *place);
// The place, a mount of its own, becomes the root; the old one goes.
int thaw_enter_root(const char *place);
pid_t thaw_fork_into(uint64_t namespaces);
int thaw_die_with_parent(void);
void thaw_reset_signals(void);
// They become 0, 1, 2, …, to be inherited by programs; everything else is closed.
int thaw_place_descriptors(const int *descriptors, int count);
int thaw_execute(const char *path, char *const *arguments, char *const *environment);
// Waits for all children until this one has ended; answers its status, 128 and the signal's number where one ended it.
int thaw_wait_until_ended(pid_t child);
// Readable when a child has ended; from here on that is no signal any more.
int thaw_watch_children(void);
// Takes one child that has ended off the table: its number, 0 where all live, -1 where there are none.
pid_t thaw_reap_ended(int *status);
void thaw_ignore_children(void);
// In this process's pid namespace, whose /proc is mounted, numbers go on behind this one.
int thaw_set_last_number(pid_t number);
// Copies what lies in one folder into another: files, folders and links, no deeper than so many folders.
int thaw_copy_tree(int from, int to, int depth_max);
int thaw_loopback_up(void);
int thaw_listen_loopback(uint16_t port);
int thaw_listening_port(int listener);
int thaw_accept(int listener);
// Bit n of happened: the nth descriptor can be read without waiting, or has ended. At most 32.
int thaw_wait_readable(const int *descriptors, int count, uint32_t *happened, int timeout_milliseconds);
int thaw_wait_writable(int descriptor, int timeout_milliseconds);
int thaw_pass_credentials(int socket);
// As read(2), with the number of the process that wrote the first byte; 0 where the kernel does not say.
ssize_t thaw_receive_with_sender(int socket, void *bytes, size_t count_max, pid_t *sender);

// filter.c: seccomp
int thaw_filter_load(const void *instructions, size_t byte_count, int with_listener);
// The next refused call: 1 with the caller's pid and the call's number, 0 where the caller has gone meanwhile.
int thaw_filter_next_refused(int listener, uint64_t *id, pid_t *pid, int *call);
// Answers a refused call with an error instead of ending its caller.
int thaw_filter_answer(int listener, uint64_t id, int error);
// From here on SIGSYS writes the refused call's number to *slot and ends the process by SIGSYS.
int thaw_refusals_record(void);
void thaw_refusals_into(int32_t *slot);

#endif
