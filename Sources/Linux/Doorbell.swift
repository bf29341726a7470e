import CLinux
import Glibc

extension FileDescriptor {
    /// A counter in the kernel that is readable while it is not zero; reading gives 8 bytes and makes it zero again.
    ///
    /// Never blocks, so that who rings cannot be held up by who does not listen.
    package static func doorbell() throws(SystemError) -> FileDescriptor {
        FileDescriptor(owning: try checked("eventfd") { thaw_doorbell_make() })
    }

    /// Wakes who polls the doorbell; one that rings already rings on.
    package func ring() throws(SystemError) {
        let number = rawValue
        _ = try checkedUnlessBlocked("write") { thaw_doorbell_ring(number) }
    }

    /// A file in memory of a size that nobody can change any more: no access to a mapping of it can fault.
    package static func sealedMemoryFile(_ name: String, byteCount: Int) throws(SystemError) -> FileDescriptor {
        FileDescriptor(owning: try checked("memfd_create") { unsafe thaw_sealed_memory_file(name, byteCount) })
    }
}
