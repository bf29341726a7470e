import Linux
import Manifests
import Sandboxing
import Snapshots

/// The packer: turns one uploaded bundle into one snapshot, in a sandbox, and ends.
///
/// It is started with these descriptors open and nothing else:
///
/// ```
/// 3  the bundle, a tar file to read          6  its system call filter, as the kernel takes it
/// 4  the snapshot, an empty file             7  a socket that takes the listener of refused calls
/// 5  the report, one JSON document to write  8  the catalog of tensors that need not be stored again
///                                            9  packages that lie beside the code, a tar file; an empty one for none
/// ```
@main
enum ThawPack {
    private enum Descriptor {
        static let bundle: Int32 = 3
        static let snapshot: Int32 = 4
        static let report: Int32 = 5
        static let filter: Int32 = 6
        static let listenerSocket: Int32 = 7
        static let catalog: Int32 = 8
        static let packages: Int32 = 9
    }

    /// Exit statuses; a refused bundle is a success of the packer's.
    private enum Status {
        static let done: Int32 = 0
        static let noSandbox: Int32 = 70
        static let noReport: Int32 = 74
    }

    /// A filter has at most 4,096 instructions of 8 bytes: the kernel's own limit.
    private static let filterBytesMax = 4096 * 8

    static func main() {
        do {
            try Rehearsal.run()
            try closeSandbox()
        } catch {
            complain("\(error)")
            CurrentProcess.exit(Status.noSandbox)
        }
        do {
            try FileDescriptor(owning: Descriptor.report).writeAll(try report().encoded())
        } catch {
            complain("the report cannot be written: \(error)")
            CurrentProcess.exit(Status.noReport)
        }
        CurrentProcess.exit(Status.done)
    }

    /// From here on the process reads 3, writes 4 and 5, and can do nothing else.
    private static func closeSandbox() throws {
        // From its start: the descriptor shares its place with whoever wrote it.
        let filter = try FileDescriptor(owning: Descriptor.filter).pread(count: filterBytesMax, at: 0)
        let socket = FileDescriptor(owning: Descriptor.listenerSocket)
        let sandbox = Sandbox.packer(snapshotBytesMax: UInt64(PackLimits.archiveBytesMax))
        let listener = try sandbox.enter(SystemCallFilter(instructions: filter))
        try socket.sendMessage([1], descriptors: [listener.rawValue])
    }

    private static func report() -> PackReport {
        do throws(PackRefusal) {
            let bundle = FileDescriptor(owning: Descriptor.bundle)
            let snapshot = FileDescriptor(owning: Descriptor.snapshot)
            let packages = try PackageFiles(FileDescriptor(owning: Descriptor.packages))
            return .packed(try Packer.pack(bundle, with: packages, into: snapshot, sharing: try catalog()))
        } catch {
            return .refused(error)
        }
    }

    private static func catalog() throws(PackRefusal) -> TensorCatalog {
        do {
            let file = FileDescriptor(owning: Descriptor.catalog)
            return try TensorCatalog(parsing: try file.pread(count: try file.size(), at: 0))
        } catch {
            throw PackRefusal(kind: .storage, message: "the catalog of tensors cannot be read: \(error)")
        }
    }

    /// Says why on the log, which the scheduler reads.
    private static func complain(_ message: String) {
        let log = FileDescriptor(owning: 2)
        try? log.writeAll(Array("thaw-pack: \(message)\n".utf8))
        _ = log.take()
    }
}
