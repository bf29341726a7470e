import CLinux
import Glibc

/// Threads for work that blocks in the kernel: spawning, watching.
package enum Thread {
    /// Starts a thread that nobody joins.
    ///
    /// The name, cut after 15 bytes, is what `ps -T` and `perf` show.
    package static func start(named name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        let work = unsafe Unmanaged.passRetained(Work(name: name, body: body))
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        _ = unsafe pthread_attr_init(&attributes)
        _ = unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        defer { _ = unsafe pthread_attr_destroy(&attributes) }
        let code = unsafe pthread_create(
            &thread,
            &attributes,
            { context in
                guard let context = unsafe context else { return nil }
                let work = unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue()
                _ = unsafe thaw_name_thread(work.name)
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

    private final class Work: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
}
