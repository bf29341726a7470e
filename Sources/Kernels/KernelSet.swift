import CKernels

/// One variant of all kernels: the choice of an instruction set.
@safe
package struct KernelSet: @unchecked Sendable {  // Safe: the table is constant functions without state.
    let table: UnsafePointer<thaw_kernels>

    /// "scalar", "avx2", "avx512", "avx512-vnni" or "avx512-bf16"; on 64-bit ARM "neon", "neon-dot" or "neon-bf16".
    package let name: String

    /// Takes part in products, attention and norms; nil where one thread does everything.
    package private(set) var second: SecondThread?

    /// Threads that need scratch of their own.
    package var threads: Int { second == nil ? 1 : 2 }

    /// The same kernels on this thread and on `second`; one caller at a time.
    package func with(_ second: SecondThread) -> KernelSet {
        var copy = self
        copy.second = second
        return copy
    }

    private init?(index: Int32) {
        guard let table = unsafe thaw_kernels_variant(index) else { return nil }
        unsafe self.table = table
        unsafe self.name = String(cString: table.pointee.name)
    }

    /// What this machine can run, from the plainest to the fastest; the scalar variant runs everywhere.
    package static let runnable: [KernelSet] = (0...4).compactMap { KernelSet(index: $0) }

    /// The fastest that this machine can run.
    package static let best: KernelSet = {
        guard let last = runnable.last else { preconditionFailure("the table of kernels has no scalar variant") }
        return last
    }()
}
