import CKernels

/// One variant of all kernels: the choice of an instruction set.
@safe
package struct KernelSet: @unchecked Sendable {  // Safe: it points at a constant table of functions without state.
    let table: UnsafePointer<thaw_kernels>

    /// "scalar", "avx2", "avx512", "avx512-vnni" or "avx512-bf16"; on 64-bit ARM "neon", "neon-dot" or "neon-bf16".
    package let name: String

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
