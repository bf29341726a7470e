import Glibc

/// The kernel's clocks, as plain nanoseconds.
package enum Clock {
    /// Time since boot, without suspends; never goes back.
    package static func monotonicNanoseconds() -> UInt64 {
        read(CLOCK_MONOTONIC) ?? 0
    }

    /// Time since 1970 in UTC; may be set back.
    package static func wallNanoseconds() -> UInt64 {
        read(CLOCK_REALTIME) ?? 0
    }

    /// Processor time that a process has used, all its threads together.
    ///
    /// `nil` when it is gone. Costs 0.2 µs.
    package static func processCPUNanoseconds(pid: Int32) -> UInt64? {
        // The kernel's MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED). `clock_getcpuclockid` computes the same and asks the
        // kernel whether the process is there, which reading the clock does too.
        read(~pid << 3 | 2)
    }

    /// Lets the calling thread sleep; a signal may wake it earlier.
    package static func sleep(milliseconds: Int) {
        var time = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
        _ = unsafe nanosleep(&time, nil)
    }

    private static func read(_ clock: clockid_t) -> UInt64? {
        var time = timespec()
        guard unsafe clock_gettime(clock, &time) == 0 else { return nil }
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}
