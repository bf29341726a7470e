import CLinux

/// The C library's heap, from which Swift takes its memory too.
package enum Heap {
    /// Gives whole pages that hold nothing any more back to the kernel; answers whether there were any.
    ///
    /// Freed memory otherwise stays with the process unless it lies at a heap's end. Takes a millisecond for some ten
    /// megabytes, and holds the lock of one arena at a time.
    @discardableResult
    package static func giveBack() -> Bool {
        thaw_heap_give_back() == 1
    }
}
