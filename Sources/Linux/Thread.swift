import CLinux
import Glibc

/// Threads for work that blocks in the kernel: spawning, watching.
package enum Thread {
    /// Starts a thread that nobody joins.
    ///
    /// The name, cut after 15 bytes, is what `ps -T` and `perf` show; without one the thread has its process's.
    package static func start(
        named name: String? = nil,
        stackByteCount: Int? = nil,
        _ body: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        let work = unsafe Unmanaged.passRetained(Work(name: name, body: body))
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        _ = unsafe pthread_attr_init(&attributes)
        _ = unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        if let stackByteCount { _ = unsafe pthread_attr_setstacksize(&attributes, stackByteCount) }
        defer { _ = unsafe pthread_attr_destroy(&attributes) }
        let code = unsafe pthread_create(
            &thread,
            &attributes,
            { context in
                guard let context = unsafe context else { return nil }
                let work = unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue()
                if let name = work.name { _ = unsafe thaw_name_thread(name) }
                work.body()
                return nil
            },
            work.toOpaque()
        )
        guard code == 0 else {
            unsafe work.release()
            throw SystemError(call: "pthread_create", code: code)
        }
    }

    /// Runs `body` on up to `count` threads at once, this one included, and returns when all of them have ended.
    ///
    /// `body` gets the thread's number from 0. Where the kernel gives fewer threads, fewer run: the work has to be
    /// shared out by who comes first.
    package static func together(_ count: Int, _ body: @Sendable (_ number: Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            var others: [pthread_t] = []
            for number in stride(from: 1, to: count, by: 1) {
                guard let thread = joinable({ body(number) }) else { break }
                others.append(thread)
            }
            body(0)
            for thread in others {
                _ = pthread_join(thread, nil)
            }
        }
    }

    /// Processors that this process may run on, at least 1.
    package static var processorCount: Int { max(1, Int(thaw_processor_count())) }

    /// `nil` where the kernel gives no thread.
    private static func joinable(_ body: @escaping @Sendable () -> Void) -> pthread_t? {
        let work = unsafe Unmanaged.passRetained(Work(name: nil, body: body))
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread,
            nil,
            { context in
                guard let context = unsafe context else { return nil }
                unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
                return nil
            },
            work.toOpaque()
        )
        guard code == 0 else {
            unsafe work.release()
            return nil
        }
        return thread
    }

    private final class Work: Sendable {
        let name: String?
        let body: @Sendable () -> Void

        init(name: String?, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
}
