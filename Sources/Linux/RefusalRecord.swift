import CLinux
import Glibc

/// Where the forks of a template write which call ended them: one number each, shared with the template.
@safe package struct RefusalRecord: ~Copyable {
    private let page: Mapping
    /// One page of numbers: as many workers of one template as can be alive at once.
    package static let slotCount = Mapping.pageByteCount / MemoryLayout<Int32>.size
    /// A slot's value while nothing was refused.
    package static let none: Int32 = -1

    package init() throws(SystemError) {
        _ = try checked("sigaction SIGSYS") { thaw_refusals_record() }
        page = try Mapping.sharedAnonymous(byteCount: Mapping.pageByteCount)
    }

    private func address(_ slot: Int) -> UnsafeMutablePointer<Int32> {
        precondition(slot >= 0 && slot < RefusalRecord.slotCount, "the slot is one of ours")
        return unsafe page.baseAddress.assumingMemoryBound(to: Int32.self) + slot
    }

    /// Call before the fork that will use the slot.
    package func clear(_ slot: Int) {
        unsafe address(slot).pointee = RefusalRecord.none
    }

    package func call(in slot: Int) -> Int32 {
        unsafe address(slot).pointee
    }

    /// In the child: from here on a refused call is written into the slot before it ends the process.
    package func use(_ slot: Int) {
        unsafe thaw_refusals_into(address(slot))
    }
}
