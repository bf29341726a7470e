import CLinux
import Glibc

/// Two ends that belong together; take each by name.
@frozen package struct DescriptorPair: ~Copyable, Sendable {
    package var first: FileDescriptor
    package var second: FileDescriptor

    private init(_ numbers: (Int32, Int32)) {
        first = FileDescriptor(owning: numbers.0)
        second = FileDescriptor(owning: numbers.1)
    }

    /// Connected sockets that keep the bounds of messages and their order.
    package static func sequencedSockets() throws(SystemError) -> DescriptorPair {
        try sockets(Int32(SOCK_SEQPACKET.rawValue))
    }

    /// Connected sockets that carry a stream of bytes.
    package static func streamSockets() throws(SystemError) -> DescriptorPair {
        try sockets(Int32(SOCK_STREAM.rawValue))
    }

    /// A pipe: `first` is for reading, `second` for writing.
    package static func pipe() throws(SystemError) -> DescriptorPair {
        var numbers: (Int32, Int32) = (-1, -1)
        _ = try checked("pipe2") { unsafe withPair(&numbers) { unsafe thaw_pipe($0) } }
        return DescriptorPair(numbers)
    }

    private static func sockets(_ type: Int32) throws(SystemError) -> DescriptorPair {
        var numbers: (Int32, Int32) = (-1, -1)
        let kind = type | Int32(SOCK_CLOEXEC.rawValue)
        _ = try checked("socketpair") { unsafe withPair(&numbers) { unsafe socketpair(AF_UNIX, kind, 0, $0) } }
        return DescriptorPair(numbers)
    }

    private static func withPair(
        _ numbers: inout (Int32, Int32),
        _ call: (UnsafeMutablePointer<Int32>) -> Int32
    ) -> Int32 {
        unsafe withUnsafeMutableBytes(of: &numbers) { bytes in
            guard let base = unsafe bytes.assumingMemoryBound(to: Int32.self).baseAddress else { return -1 }
            return unsafe call(base)
        }
    }
}

extension FileDescriptor {
    /// A file that exists in memory only; the name is for `/proc`.
    package static func memoryFile(_ name: String) throws(SystemError) -> FileDescriptor {
        FileDescriptor(owning: try checked("memfd_create") { unsafe thaw_memory_file(name) })
    }
}
